//! The steps of a setup and of a teardown: condition, credential, request, and what the answer gives.

use authz_pin_suite::suite::{Kind, StepSpec};
use authz_pin_suite::template::Scope;
use authz_pin_suite::world::Instance;

use super::{Asked, Client, Fresh, Provision, Reply};
use crate::http::{Call, Purpose};

/// The cell that something is made for, if it is for one.
#[derive(Clone, Copy, Default)]
pub(crate) struct Cell<'p> {
    /// The number within the run.
    pub(crate) number: Option<usize>,
    /// The world of the cell, where it has its own.
    pub(crate) fresh: Option<&'p Fresh>,
}

impl<C: Client> Provision<'_, '_, C> {
    /// Does one step of a setup, and lets the entity know what it gave. `base` has the names that its templates can use,
    /// besides its own.
    pub(crate) async fn set_up(
        &self,
        step: &StepSpec,
        (kind, base): (&Kind, &Scope),
        cell: Cell<'_>,
        instance: &mut Instance,
    ) -> Result<(), C::Failure> {
        let scope = instance.within(base);
        let Some(reply) = self.step(step, &scope, (Purpose::Setup, cell)).await? else {
            return Ok(());
        };
        // An answer that is refused can hold a credential all the same, which is then known and not shown.
        instance.learn(self.templates, kind, base, &reply.captured)?;
        reply.outcome
    }

    /// Does one step of a teardown, with the names that were known when all was made.
    pub(crate) async fn take_back(
        &self,
        step: &StepSpec,
        scope: &Scope,
        cell: Cell<'_>,
    ) -> Result<(), C::Failure> {
        let reply = self.step(step, scope, (Purpose::Teardown, cell)).await?;
        reply.map_or(Ok(()), |reply| reply.outcome)
    }

    /// Does one step, if it is one to be done.
    async fn step(
        &self,
        step: &StepSpec,
        scope: &Scope,
        (purpose, cell): (Purpose, Cell<'_>),
    ) -> Result<Option<Reply<C::Failure>>, C::Failure> {
        if !self.templates.wants(step.when.as_deref(), scope)? {
            return Ok(None);
        }
        let Some(spec) = &step.request else {
            return self.run_step(step, scope).await;
        };
        let credential = self.credential(step.auth.as_ref(), scope, cell.fresh);
        let credential = credential.await?;
        let request = Call::render(self.templates, spec, credential, scope)?;
        let asked = Asked {
            step,
            request: spec,
            scope,
            call: request.of(purpose, cell.number),
        };
        Ok(Some(self.client.ask(asked).await?))
    }
}
