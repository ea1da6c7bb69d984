//! Fresh callers: a world of its own for each cell, so that a call which ends its caller's session, deletes its caller or
//! promotes it changes nothing for any other cell.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use rayon::prelude::*;

use super::fire::in_order;
use super::issue::Issues;
use super::{SweepError, Sweeper};
use crate::plan::{EndpointPlan, PlannedCell};
use crate::shared::Shared;
use crate::suite::{Endpoint, Kind, Member};
use crate::template::{Scope, TemplateError};
use crate::world::{Class, Instance, Row, Scratch, World, order};

/// The world of one cell.
pub(in crate::sweep) struct Fresh {
    /// The cell's number within the run.
    pub(super) cell: usize,
    pub(super) world: Shared<World>,
    /// What its callers were given.
    pub(super) issues: Issues,
    /// Its rows that are still to be inserted.
    rows: Shared<Vec<Row>>,
}

impl Fresh {
    fn new(cell: usize, world: World) -> Self {
        Self {
            cell,
            world: Shared::new(world),
            issues: Issues::default(),
            rows: Shared::default(),
        }
    }

    /// The names that a caller's own templates can use.
    pub(super) fn scope_of(&self, actor: &str) -> Scope {
        self.world.borrow().scope_of_actor(actor)
    }

    /// The identifiers that were drawn or captured for it.
    fn symbols(&self) -> Vec<String> {
        let world = self.world.borrow();
        let instances = world.entities.values();
        let fields = instances.flat_map(|instance| instance.fields.values());
        let symbols = fields.filter(|field| field.class == Class::Symbol);
        symbols.map(|field| field.value.clone()).collect()
    }

    /// The rows of its world come before those of the cell's target, and go with them.
    pub(super) fn join(&self, scratch: &mut Scratch) {
        scratch.rows.splice(0..0, self.rows.take());
        scratch.world_symbols = self.symbols();
    }
}

impl<'a> Sweeper<'a> {
    /// Whether worlds of cells take requests: what those write is told from what others write by its time alone.
    pub(super) fn makes_anew_by_requests(&self, plan: &EndpointPlan<'a>) -> bool {
        plan.endpoint.spec.fresh
            && (self.suite.has_setup() || self.logs_in_anew(plan.endpoint, &plan.cells))
    }

    fn logs_in_anew(&self, endpoint: &'a Endpoint, cells: &[PlannedCell<'a>]) -> bool {
        let actors = cells.iter().map(|cell| cell.actor.as_str());
        let mut actors = actors.chain(self.asked_about(endpoint));
        actors.any(|actor| {
            let auth = self.suite.auth_of(actor);
            auth.is_some_and(|auth| auth.login.is_some())
        })
    }

    /// The actors of a cell's world whose credentials its probes have.
    fn asked_about(&self, endpoint: &'a Endpoint) -> impl Iterator<Item = &'a str> {
        let suite = self.suite;
        let probes = endpoint.spec.probes.values();
        let actors = probes.filter_map(|probe| probe.auth.actor.as_deref());
        actors.filter(|actor| suite.is_made(actor))
    }

    /// Makes a world for each cell, where the endpoint asks for it: its values and what is made of it by requests. Its
    /// other rows are inserted with those of the targets.
    pub(super) async fn make_anew(
        &mut self,
        endpoint: &'a Endpoint,
        first: usize,
        cells: &[PlannedCell<'a>],
    ) -> Result<(), SweepError> {
        self.setups.fresh.take();
        if !endpoint.spec.fresh {
            return Ok(());
        }
        let all = self.draw_anew(first, cells)?;
        self.setups.fresh.replace(all.clone());
        if self.suite.has_setup() {
            return self.set_up_anew(cells, &all).await;
        }
        for fresh in &all {
            let rows = fresh.world.borrow().rows(self.suite, &self.templates)?;
            fresh.rows.replace(rows);
        }
        Ok(())
    }

    fn draw_anew(
        &mut self,
        first: usize,
        cells: &[PlannedCell<'a>],
    ) -> Result<Vec<Arc<Fresh>>, TemplateError> {
        let (suite, templates, world) = (self.suite, &self.templates, &self.world);
        // As with the targets, all of them are drawn.
        let drawn = cells.par_iter().map(|_| world.anew(suite, templates));
        let drawn: Vec<_> = drawn.collect();
        let drawn: Vec<World> = drawn.into_iter().collect::<Result<_, _>>()?;
        for (cell, world) in (first..).zip(&drawn) {
            self.ledger.values().add_fresh_world(cell, world);
        }
        let all = (first..).zip(drawn);
        Ok(all
            .map(|(cell, world)| Arc::new(Fresh::new(cell, world)))
            .collect())
    }

    /// Makes the members of all worlds, each after those that it needs, and one member in all worlds at once.
    async fn set_up_anew(
        &mut self,
        cells: &[PlannedCell<'a>],
        all: &[Arc<Fresh>],
    ) -> Result<(), SweepError> {
        let kinds = self.suite.cast().filter_map(|member| member.kind);
        let one: Duration = kinds.map(|kind| self.longest(kind)).sum();
        let window = one.saturating_mul(u32::try_from(cells.len()).unwrap_or(u32::MAX));
        if let Some(store) = &mut self.store {
            store
                .begin_endpoint(window.min(super::setup::LONGEST))
                .await?;
        }
        let mut made = Ok(());
        for member in order(self.suite, &self.templates) {
            made = self.member_anew(&member, cells, all).await;
            if made.is_err() {
                break;
            }
        }
        let claimed = self.claim_setup().await;
        made.and(claimed)
    }

    async fn member_anew(
        &mut self,
        member: &Member<'a>,
        cells: &[PlannedCell<'a>],
        all: &[Arc<Fresh>],
    ) -> Result<(), SweepError> {
        for fresh in all {
            let mut world = fresh.world.borrow_mut();
            world.prepare(self.suite, &self.templates, member)?;
            let rows = world.rows_of(&self.templates, member)?;
            fresh.rows.borrow_mut().extend(rows);
        }
        let Some(kind) = member.kind.filter(|kind| !kind.setup.is_empty()) else {
            return Ok(());
        };
        let rows: Vec<Row> = all.iter().flat_map(|fresh| fresh.rows.take()).collect();
        match &mut self.store {
            Some(store) => store.insert_rows(&rows).await?,
            None if rows.is_empty() => {}
            None => return Err(SweepError::NoDatabase),
        }
        self.settle_anew(member.name, kind, cells, all).await
    }

    /// Makes one member by requests, in all worlds at once.
    async fn settle_anew(
        &mut self,
        name: &str,
        kind: &'a Kind,
        cells: &[PlannedCell<'a>],
        all: &[Arc<Fresh>],
    ) -> Result<(), SweepError> {
        let known = |fresh: &Fresh| {
            let world = fresh.world.borrow();
            world.entities.get(name).cloned().unwrap_or_default()
        };
        let makings = cells.iter().zip(all).enumerate();
        let makings = makings.map(|(place, (cell, fresh))| {
            let base = fresh.world.borrow().scope_for(name);
            let what = format!("`{name}` for {cell}");
            (
                place,
                Self::member_of(fresh, kind, what, base, known(fresh)),
            )
        });
        let mut all_made = Ok(());
        for (place, (instance, made)) in self.make_all(makings.collect()).await? {
            if let Some(fresh) = all.get(place) {
                let learned = instance.after(known(fresh).fields.len());
                self.ledger
                    .values()
                    .add_fresh_entity(fresh.cell, name, &learned);
                let mut world = fresh.world.borrow_mut();
                world.settle(self.suite, name, instance);
            }
            all_made = all_made.and(made);
        }
        all_made
    }

    /// Gives the callers of all cells what they need, each its own.
    pub(super) async fn issue_anew(
        &mut self,
        endpoint: &'a Endpoint,
        cells: &[PlannedCell<'a>],
    ) -> Result<(), SweepError> {
        let all = self.setups.fresh.borrow().clone();
        if all.is_empty() {
            return Ok(());
        }
        let logs_in = self.logs_in_anew(endpoint, cells);
        if let Some(store) = self.store.as_mut().filter(|_| logs_in) {
            store.begin_setup(super::setup::LONGEST).await?;
        }
        let callers = cells.iter().zip(&all);
        let callers = callers.map(|(cell, fresh)| self.issue_to(endpoint, cell, fresh).boxed());
        let issued = in_order(callers.collect(), self.options.concurrency).await;
        let issued = issued.map(drop);
        self.learn_issued();
        if logs_in {
            let claimed = self.claim_setup().await;
            return issued.and(claimed);
        }
        issued
    }

    async fn issue_to(
        &self,
        endpoint: &'a Endpoint,
        cell: &PlannedCell<'a>,
        fresh: &Fresh,
    ) -> Result<(), SweepError> {
        let actors = [cell.actor.as_str()].into_iter();
        for actor in actors.chain(self.asked_about(endpoint)) {
            if let Err(failure) = self.issue(actor, Some(fresh)).await {
                let step = format!("`{actor}` cannot be given its credential for {cell}");
                return Err(self.explained(step, failure, &Instance::default()));
            }
        }
        Ok(())
    }
}
