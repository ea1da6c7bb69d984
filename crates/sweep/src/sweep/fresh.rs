//! Fresh callers: a world of its own for each cell, so that a call which ends its caller's session, deletes its caller or
//! promotes it changes nothing for any other cell.

use std::sync::Arc;
use std::time::Duration;

use authz_pin_suite::plan::{EndpointPlan, PlannedCell};
use authz_pin_suite::suite::Endpoint;
use authz_pin_suite::template::TemplateError;
use authz_pin_suite::world::{Instance, Row, World};
use futures::FutureExt;
use rayon::prelude::*;

use super::fire::in_order;
use super::{SweepError, Sweeper};
use crate::provision::{Begun, Fresh, Members, Scene, any_logs_in, callers_anew};

impl<'a> Sweeper<'a> {
    /// Whether worlds of cells take requests: what those write is told from what others write by its time alone.
    pub(super) fn makes_anew_by_requests(&self, plan: &EndpointPlan<'a>) -> bool {
        plan.endpoint.spec.fresh
            && (self.suite.has_setup() || self.logs_in_anew(plan.endpoint, &plan.cells))
    }

    fn logs_in_anew(&self, endpoint: &'a Endpoint, cells: &[PlannedCell<'a>]) -> bool {
        let actors = cells.iter().map(|cell| cell.actor.as_str());
        any_logs_in(self.suite, endpoint, actors)
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
        self.members_anew(cells, &all).await
    }

    fn draw_anew(
        &mut self,
        first: usize,
        cells: &[PlannedCell<'a>],
    ) -> Result<Vec<Arc<Fresh>>, TemplateError> {
        let (suite, templates) = (self.suite, &self.templates);
        let world = &*self.scene.world.borrow();
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
        let made = self.members_anew(cells, all).await;
        let claimed = self.claim_setup().await;
        made.and(claimed)
    }

    async fn members_anew(
        &mut self,
        cells: &[PlannedCell<'a>],
        all: &[Arc<Fresh>],
    ) -> Result<(), SweepError> {
        let mut members = Members::of_cells(self.suite, &self.templates);
        let scenes: Vec<&Scene> = all.iter().map(|fresh| &fresh.scene).collect();
        while let Some((name, begun)) = members.next(&self.templates, &scenes)? {
            let rows: Vec<Row> = scenes.iter().flat_map(|scene| scene.rows.take()).collect();
            match &mut self.store {
                Some(store) => store.insert_rows(&rows).await?,
                None if rows.is_empty() => {}
                None => return Err(SweepError::NoDatabase),
            }
            self.settle_anew(name, begun, cells, all).await?;
        }
        Ok(())
    }

    /// Makes one member by requests, in all worlds at once.
    async fn settle_anew(
        &mut self,
        name: &str,
        all_begun: Vec<Begun<'a>>,
        cells: &[PlannedCell<'a>],
        all: &[Arc<Fresh>],
    ) -> Result<(), SweepError> {
        let known = all_begun.first();
        let known = known.map_or(0, |begun| begun.instance.fields.len());
        let makings = cells.iter().zip(all).zip(all_begun).enumerate();
        let makings = makings.map(|(place, ((cell, fresh), begun))| {
            let what = format!("`{name}` for {cell}");
            (place, Self::member_of(fresh, what, begun))
        });
        let mut all_made = Ok(());
        for (place, (instance, made)) in self.make_all(makings.collect()).await? {
            if let Some(fresh) = all.get(place) {
                let learned = instance.after(known);
                self.ledger
                    .values()
                    .add_fresh_entity(fresh.cell, name, &learned);
                let mut world = fresh.scene.world.borrow_mut();
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
        let provision = self.provision();
        for actor in callers_anew(self.suite, endpoint, cell.actor) {
            if let Err(failure) = provision.issue(actor, Some(fresh)).await {
                let step = format!("`{actor}` cannot be given its credential for {cell}");
                return Err(self.explained(step, failure, &Instance::default()));
            }
        }
        Ok(())
    }
}
