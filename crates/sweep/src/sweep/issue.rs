//! When callers are given their credentials, what the service says to it, and the calls that have them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use authz_pin_suite::plan::PlannedCell;
use authz_pin_suite::suite::{Expiry, JwtSpec, LoginSpec, RequestSpec, Source};
use authz_pin_suite::template::{Scope, TemplateError};
use authz_pin_suite::world::{Instance, Scratch};
use indexmap::IndexMap;
use rayon::prelude::*;
use tracing::info;

use super::setup::{StepFailure, answered, expects};
use super::{SweepError, Sweeper};
use crate::credential::jwt;
use crate::http::{Answer, Call, Purpose};
use crate::provision::Given;

impl<'a> Sweeper<'a> {
    /// The calls of cells, of which this is the number of the first one.
    pub(super) fn calls(
        &self,
        request: &RequestSpec,
        (first, cells): (usize, &[PlannedCell<'a>]),
        scratches: &[Scratch],
    ) -> Result<Arc<[Call]>, SweepError> {
        let rendered = self.rendered(request, cells, scratches)?;
        let numbered = (first..).zip(rendered);
        Ok(numbered
            .map(|(number, call)| call.of(Purpose::Call, Some(number)))
            .collect())
    }

    fn rendered(
        &self,
        request: &RequestSpec,
        cells: &[PlannedCell<'a>],
        scratches: &[Scratch],
    ) -> Result<Vec<Call>, SweepError> {
        let (provision, fresh) = (self.provision(), self.setups.fresh.borrow());
        let fresh = &*fresh;
        let call = |(place, (cell, scratch)): (usize, (&PlannedCell<'_>, &Scratch))| {
            let (scope, fresh) = (&scratch.scope, fresh.get(place).map(Arc::as_ref));
            let credential = provision.headers_of(cell.actor, scope, fresh);
            let call = credential.and_then(|credential| {
                Call::render(provision.templates, request, credential, scope)
            });
            call.map_err(|error| SweepError::from(error).of(cell))
        };
        // As with the targets, all of them are made.
        let all = cells.par_iter().zip(scratches).enumerate();
        let all: Vec<_> = all.map(call).collect();
        all.into_iter().collect()
    }

    /// Gives every caller what it needs, where it does not have it or it soon expires.
    pub(super) async fn issue_all(&mut self) -> Result<(), SweepError> {
        let mut all = Ok(());
        for actor in self.scene.issues.callers(self.suite) {
            if let Err(failure) = self.provision().issue(actor, None).await {
                let step = format!("`{actor}` cannot be given its credential");
                all = Err(self.explained(step, failure, &Instance::default()));
                break;
            }
        }
        self.learn_issued();
        all
    }

    /// Logs in again who has to, before the cells of a batch are called. What that writes stays until the end of the run.
    pub(super) async fn issue_again(&mut self) -> Result<(), SweepError> {
        if !self.scene.issues.has_login_due(self.suite) {
            return self.issue_all().await;
        }
        if let Some(store) = &mut self.store {
            store.begin_setup(Duration::ZERO).await?;
        }
        let issued = self.issue_all().await;
        let claimed = self.claim_setup().await;
        issued.and(claimed)
    }

    /// Lets what was given be known as secret.
    pub(super) fn learn_issued(&mut self) {
        for (actor, secrets) in self.scene.issues.unknown.take() {
            self.ledger
                .add_to_all(|values| values.add_world_entity(&actor, &secrets));
        }
        for fresh in &*self.setups.fresh.borrow() {
            for (actor, secrets) in fresh.scene.issues.unknown.take() {
                // What is given after the calls belongs to no batch any more, and is a secret all the same.
                let values = self.ledger.values();
                values.add_fresh_entity(fresh.cell, &actor, &secrets);
            }
        }
    }

    /// Well before it expires: the calls of a batch take some time. What lives for a moment is used for half of it.
    pub(super) fn due_at(&self, lifetime: Duration) -> Instant {
        let margin = Duration::from_secs(self.suite.file.service.timeout_s).max(lifetime / 10);
        let now = Instant::now();
        now.checked_add(lifetime.saturating_sub(margin.min(lifetime / 2)))
            .unwrap_or(now)
    }

    /// Logs an actor in by a request that is sent now.
    pub(super) async fn log_in_now(
        &self,
        actor: &str,
        login: &LoginSpec,
        call: &Call,
    ) -> Result<Given, StepFailure> {
        let answer = self.send_step(call).await?;
        let is_expected = expects(self.rules(&login.request), &login.expect, &answer, &[]);
        let mut captured = IndexMap::new();
        for (name, source) in &login.capture {
            if let Some(value) = answer.value(source) {
                captured.insert(name.clone(), value);
            } else if is_expected {
                return Err(StepFailure::Unclear(format!(
                    "its login gives no `{name}` at {source}: {}",
                    told(&answer, &captured)
                )));
            }
        }
        let optional = login.optional.iter();
        captured.extend(
            optional.filter_map(|(name, source)| Some((name.clone(), answer.value(source)?))),
        );
        if !is_expected {
            let said = told(&answer, &captured);
            let reason = format!("its login is answered {said}");
            return Err(StepFailure::Refused(answer.status, reason));
        }
        let lifetime = lifetime(login.expires_in.as_ref(), &answer).map_err(|source| {
            let said = told(&answer, &captured);
            StepFailure::Unclear(format!(
                "its login gives no number of seconds at {source}: {said}"
            ))
        })?;
        info!(actor, "logged in");
        Ok(Given { captured, lifetime })
    }

    /// Signs a token that is valid from now on.
    pub(super) fn sign_now(
        &self,
        actor: &str,
        spec: &JwtSpec,
        scope: &Scope,
    ) -> Result<String, TemplateError> {
        let token = jwt::sign(&self.templates, spec, scope)?;
        info!(actor, "signed a token");
        Ok(token)
    }
}

/// What a login is answered, without what it captures.
fn told(answer: &Answer, captured: &IndexMap<String, String>) -> String {
    let captured = captured.iter();
    captured.fold(answered(answer), |said, (name, value)| {
        said.replace(value, &format!("<{name}>"))
    })
}

/// For how long what a login gave counts; where the answer does not say it, where it should.
fn lifetime<'e>(
    expires_in: Option<&'e Expiry>,
    answer: &Answer,
) -> Result<Option<Duration>, &'e Source> {
    match expires_in {
        None => Ok(None),
        Some(Expiry::Seconds(seconds)) => Ok(Some(Duration::from_secs(*seconds))),
        Some(Expiry::At(source)) => seconds_at(answer, source).map(Some).ok_or(source),
        Some(Expiry::Perhaps(source)) => Ok(seconds_at(answer, source)),
    }
}

fn seconds_at(answer: &Answer, source: &Source) -> Option<Duration> {
    let seconds = answer.value(source)?.trim().parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}
