//! One endpoint: all its cells at once, or one at a time where nothing but time tells whose a write is.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use authz_pin_database::{Change, Presence};
use authz_pin_suite::plan::{EndpointPlan, PlannedCell};
use tracing::info;

use super::again::PAUSES;
use super::control::{Act, Acts, Strange, tables};
use super::doubt::{Doubts, Try};
use super::store::{Store, Wait};
use super::{LARGEST_BATCH, SweepError, Sweeper};

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
            self.one_by_one(plan, &cells, None).await?;
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
        let late = store.restore_late(self.ledger.known()).await?;
        let late = late.iter();
        let late = late.filter(|change| !self.control.is_own(&Act::of(change)));
        let mut kinds = Kinds::new();
        count_kinds(&mut kinds, late);
        if !kinds.is_empty() {
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
        // What a login writes is told from what others write by its time alone, as with any setup.
        if self.scene.issues.has_login_due(self.suite) {
            self.enter(Presence::Alone).await?;
        }
        let tried = self.attempt(plan, cells.to_vec()).await?;
        let before = tried.first;
        let mut alone = self.judge(plan, tried).await?;
        self.ask_in_turn(plan, before, &mut alone).await?;
        let told = cells.iter().filter(|cell| !alone.contains(cell));
        told.for_each(|cell| self.progress.swept(cell));
        Ok(())
    }

    /// Judges what no symbol explains of one try. Where anything of it is not the service's own, its cells are swept again, each
    /// alone. Gives the cells that were swept so.
    pub(super) async fn judge(
        &mut self,
        plan: &EndpointPlan<'a>,
        tried: Try<'a>,
    ) -> Result<Vec<PlannedCell<'a>>, SweepError> {
        let (before, cells) = (tried.first, tried.cells);
        let is_alone = self.store.as_ref().is_some_and(Store::is_alone);
        if let ([cell], true) = (cells.as_slice(), is_alone) {
            self.alone(plan, (before, cell), tried.strange).await?;
            return Ok(Vec::new());
        }
        let rest = self.unexplained(plan, &cells, (tried.strange, before));
        let (acts, seen) = match rest.await? {
            Ok(anew) => return Ok(anew),
            Err(rest) => rest,
        };
        let name = &plan.endpoint.name;
        let note = format!(
            "{name}: writes to {} that no symbol explains, sweeping one cell at a time (a table that the service writes by \
             itself belongs under `background`; `alone: true` for the endpoint sweeps it so at once)",
            tables(&acts)
        );
        self.progress.note(&note);
        info!(cells = cells.len(), "repeating one cell at a time");
        self.ledger.forget(before);
        self.found.repeated.insert(name.clone());
        self.enter(Presence::Alone).await?;
        let repeated = self.one_by_one(plan, &cells, Some(&acts)).await?;
        // What the service does by itself may have come out meanwhile.
        self.compare(name, &self.most(&seen), &repeated);
        Ok(cells)
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

    /// Sweeps cells one at a time, while no other run is there; gives what was done to which table. Where they were swept
    /// before, the `first` try is what no symbol explained then.
    pub(super) async fn one_by_one(
        &mut self,
        plan: &EndpointPlan<'a>,
        cells: &[PlannedCell<'a>],
        first: Option<&Acts>,
    ) -> Result<Kinds, SweepError> {
        let mut seen = BTreeSet::new();
        let mut doubts = Doubts::new(first);
        self.late(plan).await?;
        for cell in cells {
            let tried = self.alone_in_turn(plan, cell, &mut seen, doubts.start);
            let (number, strange) = tried.await?;
            self.doubt(&mut doubts, (number, cell), strange);
            self.leave_in_doubt(plan, (number, &[])).await?;
            if doubts.is_full() {
                self.decide_doubts(plan, &mut doubts).await?;
            }
            self.progress.swept(cell);
        }
        self.decide_doubts(plan, &mut doubts).await?;
        Ok(doubts.kinds)
    }

    /// Sweeps a cell alone, and again while its answer is in doubt; gives the number of the try that counts, and what came
    /// meanwhile.
    async fn alone_in_turn(
        &mut self,
        plan: &EndpointPlan<'a>,
        cell: &PlannedCell<'a>,
        seen: &mut BTreeSet<Option<u16>>,
        start: Instant,
    ) -> Result<(usize, Strange), SweepError> {
        let mut number = self.ledger.count();
        let mut strange = self.batch_of_one(plan, cell, seen).await?;
        self.judge_late(&plan.endpoint.name, number, &strange, start.elapsed())
            .await?;
        strange.changes.extend(self.late(plan).await?);
        for pause in PAUSES {
            let Some(again) = self.ask_once(plan, (number, &[]), pause).await? else {
                break;
            };
            (number, strange) = (again.tried.first, again.tried.strange);
            strange.changes.extend(self.late(plan).await?);
            if again.is_last {
                break;
            }
        }
        Ok((number, strange))
    }

    /// A cell that is answered as none before waits as long as the suite says; the others, until the service is idle.
    async fn batch_of_one(
        &mut self,
        plan: &EndpointPlan<'a>,
        cell: &PlannedCell<'a>,
        seen: &mut BTreeSet<Option<u16>>,
    ) -> Result<Strange, SweepError> {
        let wait = Wait::Idle { seen: seen.clone() };
        let strange = self
            .batch(plan.endpoint, std::slice::from_ref(cell), wait)
            .await?;
        let last = self.ledger.last();
        seen.extend(last.map(|swept| swept.observation.status()));
        Ok(strange)
    }

    /// What was written after a cell was undone is that cell's, since no other one was called; unless the service writes it by
    /// itself.
    pub(super) async fn late(
        &mut self,
        plan: &EndpointPlan<'a>,
    ) -> Result<Vec<Change>, SweepError> {
        let Some(store) = &mut self.store else {
            return Ok(Vec::new());
        };
        let late = store.restore_late(self.ledger.known()).await?;
        if late.is_empty() {
            return Ok(late);
        }
        if late
            .iter()
            .all(|change| self.control.is_own(&Act::of(change)))
        {
            // It waits no longer for a service that writes by itself.
            self.enter(Presence::Alone).await?;
            return Ok(late);
        }
        self.progress.note(&format!(
            "{}: writes came after the service was idle, waiting `settle_ms` for each cell from here on",
            plan.endpoint.name
        ));
        Ok(late)
    }
}
