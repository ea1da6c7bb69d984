//! What is made by requests: the steps of a setup in their order, and the way back by requests.

mod client;
mod made;
mod removal;
mod step;

use std::sync::Arc;
use std::time::Duration;

use authz_pin_database::Presence;
use authz_pin_suite::plan::{EndpointPlan, PlannedCell};
use authz_pin_suite::suite::{Endpoint, Kind};
use authz_pin_suite::template::{Scope, TemplateError};
use authz_pin_suite::world::{Instance, Scratch};

use futures::FutureExt;
use made::{Made, secrets};
pub(super) use made::{Setups, Stage};
use step::title;
pub(super) use step::{answered, expects, shortened};

use super::fire::in_order;
use super::{NOBODY, SweepError, Sweeper};
use crate::provision::{Begun, Cell, Fresh, Members};
use crate::symbols::Registry;

/// Why a step failed.
pub(super) enum StepFailure {
    /// As any request can.
    Sweep(SweepError),
    /// The service refused it with this status, or did something else; with the run's values in the text.
    Refused(u16, String),
    /// It is not known what the service did; with the run's values in the text.
    Unclear(String),
}

impl From<SweepError> for StepFailure {
    fn from(error: SweepError) -> Self {
        Self::Sweep(error)
    }
}

impl From<TemplateError> for StepFailure {
    fn from(error: TemplateError) -> Self {
        Self::Sweep(error.into())
    }
}

/// What is to be made.
pub(super) struct Making<'a> {
    stage: Stage,
    what: String,
    kind: &'a Kind,
    /// The names that its templates can use, besides its own.
    base: Scope,
    instance: Instance,
    /// The world of the cell that it is for, where it has its own.
    fresh: Option<Arc<Fresh>>,
    /// The number within the run of the cell that it is for, if it is for one.
    cell: Option<usize>,
}

/// What is known of an entity after its setup, also where a step failed.
pub(super) type Outcome = (Instance, Result<(), SweepError>);

/// The longest time for which what changes while a setup is under way is taken for a killed run's.
pub(super) const LONGEST: Duration = Duration::from_mins(10);

impl<'a> Sweeper<'a> {
    /// Makes the world: rows and requests, each member after those that it needs.
    pub(super) async fn make_world(&mut self) -> Result<(), SweepError> {
        self.tell_what_stays();
        if !self.scene.takes_requests(self.suite) {
            self.members().await?;
            self.leave().await?;
            return self.issue_all().await;
        }
        self.enter_world().await?;
        let mut made = self.members().await;
        if made.is_ok() {
            made = self.issue_all().await;
        }
        self.learn_issued();
        self.ledger.know_world();
        let claimed = self.claim_setup().await;
        self.leave().await?;
        made.and(claimed)
    }

    /// Without a journal, what nobody says how to remove stays.
    fn tell_what_stays(&self) {
        if self.is_journalled() {
            return;
        }
        let kinds = self.suite.world.kinds.iter();
        let kinds = kinds.map(|(name, kind)| (format!("kind `{name}`"), kind));
        let endpoints = self.suite.endpoints.iter();
        let endpoints =
            endpoints.map(|endpoint| (format!("endpoint `{}`", endpoint.name), &endpoint.setup));
        for (what, kind) in kinds.chain(endpoints) {
            if !kind.setup.is_empty() && kind.teardown.is_empty() {
                let text =
                    format!("what the setup of the {what} makes stays: it has no `teardown`");
                self.progress.note(&text);
            }
        }
    }

    async fn insert_world(&mut self) -> Result<(), SweepError> {
        let rows = self.scene.rows.take();
        match &mut self.store {
            Some(store) => store.insert_world(&rows).await?,
            None if rows.is_empty() => {}
            None => return Err(SweepError::NoDatabase),
        }
        Ok(())
    }

    async fn enter_world(&mut self) -> Result<(), SweepError> {
        let kinds = self.suite.cast().filter_map(|member| member.kind);
        let window = kinds.map(|kind| self.longest(kind)).sum();
        if let Some(store) = &mut self.store {
            store.enter(Presence::Alone).await?;
            store.begin_setup(window).await?;
        }
        Ok(())
    }

    async fn members(&mut self) -> Result<(), SweepError> {
        let mut members = Members::of_run(self.suite, &self.templates, &self.scene);
        while let Some((name, begun)) = members.next(&self.templates, &[&self.scene])? {
            self.insert_world().await?;
            for begun in begun {
                self.member(name, begun).await?;
            }
        }
        self.insert_world().await
    }

    async fn member(&mut self, name: &str, begun: Begun<'a>) -> Result<(), SweepError> {
        let known = begun.instance.fields.len();
        let making = Making {
            stage: Stage::World,
            what: format!("`{name}`"),
            kind: begun.kind,
            base: begun.base,
            instance: begun.instance,
            fresh: None,
            cell: None,
        };
        let (instance, made) = self.make(making).await;
        let values = self.ledger.world();
        values.add_world_entity(name, &instance.after(known));
        let mut world = self.scene.world.borrow_mut();
        world.settle(self.suite, name, instance);
        made
    }

    /// Whether an endpoint has to be swept alone, since anything of its cells is made or removed by requests.
    pub(super) fn has_setup(&self, plan: &EndpointPlan<'a>) -> bool {
        !plan.endpoint.setup.setup.is_empty()
            || self.sets_targets_up(&plan.cells)
            || self.makes_anew_by_requests(plan)
            || self.removes_by_requests(plan.endpoint)
            || self.reset.is_some()
    }

    /// Whether any of the cells' targets is made by requests.
    pub(super) fn sets_targets_up(&self, cells: &[PlannedCell<'_>]) -> bool {
        let mut kinds = cells.iter().filter_map(|cell| self.kind_of_target(cell));
        kinds.any(|kind| !kind.setup.is_empty())
    }

    /// The kind of a cell's scratch entity.
    fn kind_of_target(&self, cell: &PlannedCell<'_>) -> Option<&'a Kind> {
        let kind = self.suite.kind_of_target(cell.target)?;
        self.suite.world.kinds.get(kind)
    }

    /// Makes what the endpoint itself needs, before its targets.
    pub(super) async fn set_endpoint_up(
        &mut self,
        endpoint: &'a Endpoint,
    ) -> Result<Option<Instance>, SweepError> {
        if endpoint.setup.setup.is_empty() {
            return Ok(None);
        }
        let window = self.longest(&endpoint.setup);
        if let Some(store) = &mut self.store {
            store.begin_endpoint(window).await?;
        }
        let making = Making {
            stage: Stage::Endpoint,
            what: format!("the endpoint `{}`", endpoint.name),
            kind: &endpoint.setup,
            base: self.scene.world.borrow().scope(),
            instance: Instance::default(),
            fresh: None,
            cell: None,
        };
        let (instance, made) = self.make(making).await;
        self.ledger.values().add_world_entity("setup", &instance);
        let claimed = self.claim_setup().await;
        made.and(claimed)?;
        Ok(Some(instance))
    }

    /// Makes the scratch entities of a batch, those of all cells at once.
    pub(super) async fn set_targets_up(
        &mut self,
        first: usize,
        cells: &[PlannedCell<'a>],
        scratches: &mut [Scratch],
    ) -> Result<(), SweepError> {
        let mut makings = Vec::new();
        for (place, (cell, scratch)) in cells.iter().zip(scratches.iter()).enumerate() {
            let kind = self.kind_of_target(cell);
            if let Some(kind) = kind.filter(|kind| !kind.setup.is_empty()) {
                let fresh = self.setups.fresh_at(place);
                makings.push((place, target(cell, kind, scratch, (fresh, first + place))));
            }
        }
        if makings.is_empty() {
            return Ok(());
        }
        let window = makings.iter().map(|(_, making)| self.longest(making.kind));
        let window = window.max().unwrap_or_default() * u32::try_from(makings.len()).unwrap_or(1);
        if let Some(store) = &mut self.store {
            store.begin_setup(window.min(LONGEST)).await?;
        }
        let mut all = Ok(());
        for (place, (instance, made)) in self.make_all(makings).await? {
            if let Some(scratch) = scratches.get_mut(place) {
                let learned = instance.after(scratch.target.fields.len());
                let values = self.ledger.values();
                values.add_cell_entity(first + place, "target", &learned);
                scratch.settle(instance);
            }
            all = all.and(made);
        }
        let claimed = self.claim_setup().await;
        all.and(claimed)
    }

    /// Makes what is for different cells, as many at once as the options say.
    pub(super) async fn make_all(
        &self,
        makings: Vec<(usize, Making<'a>)>,
    ) -> Result<Vec<(usize, Outcome)>, SweepError> {
        let make = |(place, making)| async move { Ok((place, self.make(making).await)) };
        let makes = makings.into_iter().map(|making| make(making).boxed());
        in_order(makes.collect(), self.options.concurrency).await
    }

    /// How long the steps of a kind can take.
    pub(super) fn longest(&self, kind: &Kind) -> Duration {
        let one = self.suite.file.service.timeout_s;
        let seconds = kind.setup.iter().map(|step| {
            let asking = step.poll.as_ref().map_or(0, |poll| poll.timeout_s);
            one.saturating_add(asking)
        });
        let seconds = seconds.fold(0, u64::saturating_add);
        Duration::from_secs(seconds).min(LONGEST)
    }

    /// What the requests of a setup wrote is the run's, and no effect of any call.
    pub(super) async fn claim_setup(&mut self) -> Result<(), SweepError> {
        self.learn_issued();
        let identifiers = self.setups.identifiers.take();
        if let Some(store) = &mut self.store {
            store.claim_setup(self.ledger.known(), &identifiers).await?;
        }
        Ok(())
    }

    /// Sends the steps of a setup, one after the other.
    async fn make(&self, making: Making<'a>) -> Outcome {
        if self.setups.has_failed.get() {
            return (making.instance, Ok(()));
        }
        let Making {
            stage,
            what,
            kind,
            base,
            mut instance,
            fresh,
            cell,
        } = making;
        let slot = self.setups.begin(Made {
            stage,
            what: what.clone(),
            teardown: &kind.teardown,
            scope: instance.within(&base),
            fresh: fresh.clone(),
            cell,
            secrets: secrets(&instance),
            is_gone: false,
            has_failed: false,
        });
        let (provision, of) = (self.provision(), (kind, &base));
        let cell = Cell {
            number: cell,
            fresh: fresh.as_deref(),
        };
        for (number, step) in (1..).zip(&kind.setup) {
            let made = provision.set_up(step, of, cell, &mut instance).await;
            self.setups.update(slot, &base, &instance);
            let Err(failure) = made else { continue };
            self.setups.fail(slot);
            if number == 1 && matches!(failure, StepFailure::Refused(..)) {
                self.setups.is_gone(slot);
            }
            let step = format!("{what} cannot be set up: step {number}, {}", title(step));
            let failure = self.explained(step, failure, &instance);
            return (instance, Err(failure));
        }
        self.setups.remember(&instance);
        (instance, Ok(()))
    }

    /// A failure with names in place of the run's values.
    pub(super) fn explained(
        &self,
        step: String,
        failure: StepFailure,
        instance: &Instance,
    ) -> SweepError {
        let (status, reason) = match failure {
            StepFailure::Sweep(error) => return error,
            StepFailure::Refused(status, reason) => (Some(status), reason),
            StepFailure::Unclear(reason) => (None, reason),
        };
        let add = |values: &mut Registry| values.add_cell_entity(NOBODY.cell, "its", instance);
        let namer = self.ledger.namer_with(add);
        SweepError::Setup {
            step,
            status,
            reason: shortened(&namer.name(&reason, NOBODY).text),
        }
    }

    /// A member of a cell's own world that is to be made.
    pub(super) fn member_of(fresh: &Arc<Fresh>, what: String, begun: Begun<'a>) -> Making<'a> {
        Making {
            stage: Stage::Fresh,
            what,
            kind: begun.kind,
            base: begun.base,
            instance: begun.instance,
            cell: Some(fresh.cell),
            fresh: Some(Arc::clone(fresh)),
        }
    }
}

fn target<'a>(
    cell: &PlannedCell<'_>,
    kind: &'a Kind,
    scratch: &Scratch,
    (fresh, number): (Option<Arc<Fresh>>, usize),
) -> Making<'a> {
    Making {
        stage: Stage::Target,
        what: format!("the target of {cell}"),
        kind,
        base: scratch.base(cell.target),
        instance: scratch.target.clone(),
        fresh,
        cell: Some(number),
    }
}
