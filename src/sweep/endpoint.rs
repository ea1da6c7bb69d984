//! One endpoint: all its cells at once, or one at a time where nothing but time tells whose a write is.

use std::collections::{BTreeMap, BTreeSet};

use super::store::Wait;
use super::{LARGEST_BATCH, SweepError, Sweeper, known};
use crate::journal::{Change, Presence};
use crate::plan::{EndpointPlan, PlannedCell};

/// How often what was done to which table.
pub(super) type Kinds = BTreeMap<String, usize>;

pub(super) fn count_kinds<'c>(kinds: &mut Kinds, changes: impl IntoIterator<Item = &'c Change>) {
    for change in changes {
        *kinds.entry(change.kind()).or_default() += 1;
    }
}

impl<'a> Sweeper<'a> {
    /// Sweeps an endpoint.
    pub(super) async fn endpoint(&mut self, plan: &EndpointPlan<'a>) -> Result<(), SweepError> {
        let cells = self.order(&plan.cells);
        let presence = self.presence(plan);
        self.enter(presence).await?;
        self.undo_late().await?;
        if self.suite.sweep_of(&plan.endpoint.name).alone == Some(true) {
            self.enter(Presence::Alone).await?;
            self.one_by_one(plan, &cells).await?;
            return self.leave().await;
        }
        let parts = cells.len().div_ceil(LARGEST_BATCH);
        for part in 0..parts {
            // Each part has cells of all targets, so that what an answer shows of other cells depends on no part.
            let cells: Vec<_> = cells.iter().skip(part).step_by(parts).copied().collect();
            self.part(plan, &cells).await?;
        }
        self.leave().await
    }

    /// Whether other runs may sweep beside an endpoint: where the suite says that all it writes holds values of the run. Else
    /// what it writes is told from what others write by its time alone, as is what a setup writes; and rows that others insert
    /// or take away would move what is on the next page.
    pub(super) fn presence(&self, plan: &EndpointPlan<'a>) -> Presence {
        let is_clean = self.suite.sweep_of(&plan.endpoint.name).clean == Some(true);
        if is_clean && plan.endpoint.spec.pages.is_none() && !self.has_setup(plan) {
            Presence::Shared
        } else {
            Presence::Alone
        }
    }

    /// Goes on together with other runs, or without them.
    pub(super) async fn enter(&mut self, presence: Presence) -> Result<(), SweepError> {
        if let Some(store) = &mut self.store {
            store.enter(presence).await?;
        }
        Ok(())
    }

    pub(super) async fn leave(&mut self) -> Result<(), SweepError> {
        if let Some(store) = &mut self.store {
            store.leave().await?;
        }
        Ok(())
    }

    /// Undoes what calls of the endpoint before wrote after it was over.
    async fn undo_late(&mut self) -> Result<(), SweepError> {
        let Some(store) = &mut self.store else {
            return Ok(());
        };
        let late = store
            .restore_late(known(&self.batches, &self.retired))
            .await?;
        if !late.is_empty() {
            let mut kinds = Kinds::new();
            count_kinds(&mut kinds, &late);
            let kinds: Vec<String> = kinds.into_keys().collect();
            self.progress.note(&format!(
                "{} came after its endpoint was over, is in no record and was undone: raise `service.settle_ms`",
                kinds.join(", ")
            ));
        }
        Ok(())
    }

    async fn part(
        &mut self,
        plan: &EndpointPlan<'a>,
        cells: &[PlannedCell<'a>],
    ) -> Result<(), SweepError> {
        let before = self.count();
        // What a login writes is told from what others write by its time alone, as with any setup.
        if self.has_login_due() {
            self.enter(Presence::Alone).await?;
        }
        let unexplained = self.batch(plan.endpoint, cells, Wait::Settle).await?;
        if unexplained.is_empty() {
            self.ask_in_turn(plan, before).await?;
            for cell in cells {
                self.progress.swept(cell);
            }
            return Ok(());
        }
        let name = &plan.endpoint.name;
        let note = format!(
            "{name}: writes to {} that no symbol explains, sweeping one cell at a time (a table that the service writes by \
             itself belongs under `background`; `alone: true` for the endpoint sweeps it so at once)",
            unexplained.tables()
        );
        self.progress.note(&note);
        self.forget(before);
        self.found.repeated.insert(name.clone());
        self.enter(Presence::Alone).await?;
        let repeated = self.one_by_one(plan, cells).await?;
        self.compare(name, &unexplained.kinds(), &repeated);
        Ok(())
    }

    /// What calls wrote when they were made together has to show up when each is made alone: a service that remembers the
    /// first time writes nothing the second time.
    fn compare(&mut self, name: &str, first: &Kinds, second: &Kinds) {
        let is_lost = |(kind, count): &(&String, &usize)| second.get(*kind).unwrap_or(&0) < *count;
        let lost = first.iter().filter(is_lost);
        let lost: Vec<String> = lost.map(|(kind, _)| kind.clone()).collect();
        if lost.is_empty() {
            return;
        }
        self.progress.note(&format!(
            "{name}: the first calls did {}, and fewer or none of the same calls did so when each was made alone: the service \
             remembers the first ones",
            lost.join(", ")
        ));
        let all = self.found.unrepeated.entry(name.to_owned());
        all.or_default().extend(lost);
    }

    /// Sweeps cells one at a time, while no other run is there; gives what was done to which table.
    async fn one_by_one(
        &mut self,
        plan: &EndpointPlan<'a>,
        cells: &[PlannedCell<'a>],
    ) -> Result<Kinds, SweepError> {
        let mut seen = BTreeSet::new();
        let mut kinds = Kinds::new();
        for cell in cells {
            self.late(plan, &mut kinds).await?;
            let before = self.count();
            self.batch_of_one(plan, cell, &mut seen).await?;
            self.ask_in_turn(plan, before).await?;
            let changes = self.swept.last().map(|swept| &swept.changes);
            count_kinds(&mut kinds, changes.into_iter().flatten());
            self.progress.swept(cell);
        }
        self.late(plan, &mut kinds).await?;
        Ok(kinds)
    }

    /// A cell that is answered as none before waits as long as the suite says; the others, until the service is idle.
    async fn batch_of_one(
        &mut self,
        plan: &EndpointPlan<'a>,
        cell: &PlannedCell<'a>,
        seen: &mut BTreeSet<Option<u16>>,
    ) -> Result<(), SweepError> {
        let wait = Wait::Idle { seen: seen.clone() };
        self.batch(plan.endpoint, std::slice::from_ref(cell), wait)
            .await?;
        let last = self.swept.last();
        seen.extend(last.map(|swept| swept.observation.status));
        Ok(())
    }

    /// What was written after a cell was undone is that cell's, since no other one was called.
    async fn late(&mut self, plan: &EndpointPlan<'a>, kinds: &mut Kinds) -> Result<(), SweepError> {
        let Some(store) = &mut self.store else {
            return Ok(());
        };
        let late = store
            .restore_late(known(&self.batches, &self.retired))
            .await?;
        if late.is_empty() {
            return Ok(());
        }
        self.progress.note(&format!(
            "{}: writes came after the service was idle, waiting `settle_ms` for each cell from here on",
            plan.endpoint.name
        ));
        count_kinds(kinds, &late);
        if let Some(swept) = self.swept.last_mut() {
            swept.changes.extend(late);
        }
        Ok(())
    }
}
