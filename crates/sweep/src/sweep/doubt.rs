//! Which of the changes that no symbol explains are calls', where the service also makes such by itself.
//!
//! A call that makes one makes it each time. So the calls are made again, and what one try does not show is nobody's; what
//! every try shows is told apart by halves of the cells, and in the end by the single cell.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use authz_pin_database::{Change, Presence};
use authz_pin_suite::plan::{EndpointPlan, PlannedCell};

use super::control::{Act, Acts, Strange};
use super::endpoint::{Kinds, count_kinds};
use super::store::Wait;
use super::{SweepError, Sweeper};

/// Calls of cells as they were made once.
pub(super) struct Try<'a> {
    /// The number of the first cell.
    pub(super) first: usize,
    pub(super) cells: Vec<PlannedCell<'a>>,
    /// What may be no call's.
    pub(super) strange: Strange,
    pub(super) took: Duration,
}

/// Cells that were swept alone, and what they were under way for.
pub(super) struct Doubts<'d, 'a> {
    pub(super) start: Instant,
    /// What was done to which table by calls.
    pub(super) kinds: Kinds,
    /// What no symbol explained when the calls were made together.
    first: Option<&'d Acts>,
    cells: Vec<Doubt<'a>>,
}

struct Doubt<'a> {
    number: usize,
    cell: PlannedCell<'a>,
    answer: (Option<u16>, bool),
    acts: Acts,
}

impl<'d> Doubts<'d, '_> {
    pub(super) fn new(first: Option<&'d Acts>) -> Self {
        Self {
            start: Instant::now(),
            kinds: Kinds::new(),
            first,
            cells: Vec::new(),
        }
    }

    /// Whether it is time to decide, since what names the changes is kept until then.
    pub(super) fn is_full(&self) -> bool {
        self.cells.len() >= FULL
    }

    /// What may be no call's: what a denied call shows, one of several that were answered alike, or none when the calls were
    /// made together.
    fn odd(&self) -> Acts {
        let mut answers: BTreeMap<_, Vec<&Acts>> = BTreeMap::new();
        for doubt in &self.cells {
            answers.entry(doubt.answer).or_default().push(&doubt.acts);
        }
        let all = self.cells.iter().flat_map(|doubt| &doubt.acts);
        let is_odd = |act: &&Act| {
            self.first.is_some_and(|first| !first.contains(act))
                || answers.iter().any(|((_, is_denied), cells)| {
                    let count = cells.iter().filter(|acts| acts.contains(act)).count();
                    count > 0 && (*is_denied || count < cells.len())
                })
        };
        all.filter(is_odd).cloned().collect()
    }
}

impl<'a> Sweeper<'a> {
    /// Calls cells together. What came meanwhile to cells of before is judged; what no symbol explains is left to the caller.
    pub(super) async fn attempt(
        &mut self,
        plan: &EndpointPlan<'a>,
        cells: Vec<PlannedCell<'a>>,
    ) -> Result<Try<'a>, SweepError> {
        let (first, start) = (self.ledger.count(), Instant::now());
        let strange = self.batch(plan.endpoint, &cells, Wait::Settle).await?;
        let took = start.elapsed();
        self.judge_late(&plan.endpoint.name, first, &strange, took)
            .await?;
        Ok(Try {
            first,
            cells,
            strange,
            took,
        })
    }

    /// What is doubted of one try: what no symbol explains, and what the service collects by itself.
    pub(super) fn doubted(&mut self, strange: Strange) -> Strange {
        let mut changes = strange.changes;
        changes.extend(self.reclaim(&strange.collected));
        Strange {
            changes,
            collected: strange.collected,
        }
    }

    /// A cell that was swept alone has written what came meanwhile.
    pub(super) async fn alone(
        &mut self,
        plan: &EndpointPlan<'a>,
        cell: (usize, &PlannedCell<'a>),
        strange: Strange,
    ) -> Result<(), SweepError> {
        let mut doubts = Doubts::new(None);
        self.doubt(&mut doubts, cell, strange);
        self.decide_doubts(plan, &mut doubts).await
    }

    /// The cells that were swept again, each alone, where all that no symbol explained when calls were made together is what
    /// the service writes by itself: those whose calls write such as well. Else what it is that nothing explains, and the
    /// tries that showed it.
    pub(super) async fn unexplained(
        &mut self,
        plan: &EndpointPlan<'a>,
        cells: &[PlannedCell<'a>],
        (strange, before): (Strange, usize),
    ) -> Result<Result<Vec<PlannedCell<'a>>, (Acts, Vec<Strange>)>, SweepError> {
        let (start, first) = (Instant::now(), self.doubted(strange));
        if first.changes.is_empty() {
            return Ok(Ok(Vec::new()));
        }
        let again = self.again(plan, cells).await?;
        let (was, is) = (first.acts(), again.acts());
        let all: Acts = was.keys().chain(is.keys()).cloned().collect();
        // Calls that write by themselves write as much each time.
        let is_odd = |act: &&Act| was.get(*act) != is.get(*act);
        let odd: Acts = all.iter().filter(is_odd).cloned().collect();
        self.watch_for(&plan.endpoint.name, &odd, start.elapsed())
            .await?;
        let collected = self.reclaim(&first.collected);
        self.control.leave_out(&collected);
        let mut tries = vec![first, again];
        if all.iter().all(|act| self.control.is_own(act)) {
            let shown = was.into_keys().filter(|act| is.contains_key(act)).collect();
            match self.writers(plan, cells, shown).await? {
                Ok(writers) => {
                    self.leave_first_out(&tries);
                    self.sweep_anew(plan, &writers, before).await?;
                    return Ok(Ok(writers));
                }
                Err(other) => tries.push(other),
            }
        }
        let acts = tries.iter().flat_map(|one| one.acts().into_keys());
        let others = acts.filter(|act| !self.control.is_own(act)).collect();
        Ok(Err((others, tries)))
    }

    /// What the first try showed is in no record.
    fn leave_first_out(&mut self, tries: &[Strange]) {
        let first = tries.first();
        let changes = first.into_iter().flat_map(|first| &first.changes);
        self.control.leave_out(changes);
    }

    /// Sweeps these cells again, each alone; what the try of all of them showed for the others counts.
    async fn sweep_anew(
        &mut self,
        plan: &EndpointPlan<'a>,
        cells: &[PlannedCell<'a>],
        before: usize,
    ) -> Result<(), SweepError> {
        self.ledger.forget_cells(before, cells);
        self.one_by_one(plan, cells, None).await.map(drop)
    }

    /// How often what was done to which table in the try that shows more of it.
    pub(super) fn most(&self, tries: &[Strange]) -> Kinds {
        let mut most = Kinds::new();
        for (kind, count) in tries.iter().flat_map(|one| one.kinds(&self.control)) {
            let known = most.entry(kind).or_default();
            *known = count.max(*known);
        }
        most
    }

    /// Makes the calls again, only to see what they write.
    async fn again(
        &mut self,
        plan: &EndpointPlan<'a>,
        cells: &[PlannedCell<'a>],
    ) -> Result<Strange, SweepError> {
        self.enter(Presence::Alone).await?;
        let before = self.ledger.count();
        let strange = self.batch(plan.endpoint, cells, Wait::Settle).await?;
        self.judge_late(&plan.endpoint.name, before, &strange, Duration::ZERO)
            .await?;
        let mut strange = self.doubted(strange);
        self.ledger.forget(before);
        strange.changes.extend(self.late(plan).await?);
        Ok(strange)
    }

    /// The cells whose calls show this each time; or a try that shows something which the service does not do by itself.
    async fn writers(
        &mut self,
        plan: &EndpointPlan<'a>,
        cells: &[PlannedCell<'a>],
        shown: Acts,
    ) -> Result<Result<Vec<PlannedCell<'a>>, Strange>, SweepError> {
        let (mut writers, mut open) = (Vec::new(), vec![(cells.to_vec(), shown)]);
        while let Some((cells, shown)) = open.pop() {
            if shown.is_empty() {
                continue;
            }
            if cells.len() == 1 {
                writers.extend(cells);
                continue;
            }
            let (one, other) = cells.split_at(cells.len() / 2);
            for half in [other, one] {
                let again = self.again(plan, half).await?;
                let acts = again.acts();
                if !acts.keys().all(|act| self.control.is_own(act)) {
                    return Ok(Err(again));
                }
                let shown = acts.into_keys().filter(|act| shown.contains(act));
                open.push((half.to_vec(), shown.collect()));
            }
        }
        Ok(Ok(writers))
    }

    /// What came while a cell was alone is its own, unless it turns out that the service writes it by itself.
    pub(super) fn doubt(
        &mut self,
        doubts: &mut Doubts<'_, 'a>,
        (number, cell): (usize, &PlannedCell<'a>),
        strange: Strange,
    ) {
        let strange = self.doubted(strange);
        let acts = strange.acts().into_keys().collect();
        let Some(swept) = self.ledger.cell_mut(number) else {
            return;
        };
        count_kinds(&mut doubts.kinds, &swept.changes);
        swept.doubtful = strange.changes;
        let observation = &swept.observation;
        let answer = (observation.status(), observation.verdict().is_denied());
        doubts.cells.push(Doubt {
            number,
            cell: *cell,
            answer,
            acts,
        });
    }

    /// Decides of what was done while cells were alone.
    pub(super) async fn decide_doubts(
        &mut self,
        plan: &EndpointPlan<'a>,
        doubts: &mut Doubts<'_, 'a>,
    ) -> Result<(), SweepError> {
        let (odd, took) = (doubts.odd(), doubts.start.elapsed());
        self.watch_for(&plan.endpoint.name, &odd, took).await?;
        for doubt in std::mem::take(&mut doubts.cells) {
            let own = doubt.acts.into_iter();
            let own: Acts = own.filter(|act| self.control.is_own(act)).collect();
            let shown = self.shown_each_time(plan, &doubt.cell, own.clone()).await?;
            self.keep(doubt.number, &own, &shown, &mut doubts.kinds);
        }
        Ok(())
    }

    /// What of this a call shows each time when it is made again: the changes of the try that shows least of it.
    async fn shown_each_time(
        &mut self,
        plan: &EndpointPlan<'a>,
        cell: &PlannedCell<'a>,
        mut acts: Acts,
    ) -> Result<Shown, SweepError> {
        let mut least = Shown::new();
        for _ in 0..TRIES {
            if acts.is_empty() {
                break;
            }
            let again = self.again(plan, std::slice::from_ref(cell)).await?;
            let mut shown = by_act(again.changes);
            acts.retain(|act| {
                let shown = shown.remove(act).unwrap_or_default();
                let known = least.entry(act.clone()).or_insert_with(|| shown.clone());
                if shown.len() < known.len() {
                    *known = shown;
                }
                !known.is_empty()
            });
        }
        Ok(least)
    }

    /// Gives a cell what it was doubted to have done; of what the service also does by itself, as much as the call shows each
    /// time.
    fn keep(&mut self, number: usize, own: &Acts, shown: &Shown, kinds: &mut Kinds) {
        let Some(swept) = self.ledger.cell_mut(number) else {
            return;
        };
        let doubtful = std::mem::take(&mut swept.doubtful).into_iter();
        let (doubtful, mut kept): (Vec<_>, Vec<_>) =
            doubtful.partition(|change| own.contains(&Act::of(change)));
        // What the service does by itself stands for no call's write of the first try.
        count_kinds(kinds, &kept);
        for (act, changes) in by_act(doubtful) {
            let wanted = shown.get(&act).map(Vec::as_slice).unwrap_or_default();
            let (likest, others) = likest(changes, wanted);
            self.control.leave_out(&others);
            kept.extend(likest);
        }
        kept.sort_by_key(|change| change.seq);
        swept.changes.extend(kept);
        if let Some(namer) = swept.namer.take() {
            swept.name_effects(self.suite, &namer);
        }
    }
}

/// Changes by what they are.
type Shown = BTreeMap<Act, Vec<Change>>;

fn by_act(changes: Vec<Change>) -> Shown {
    let mut shown = Shown::new();
    for change in changes {
        shown.entry(Act::of(&change)).or_default().push(change);
    }
    shown
}

/// Of some changes those that are most like others, as many as these; and the rest.
fn likest(mut changes: Vec<Change>, wanted: &[Change]) -> (Vec<Change>, Vec<Change>) {
    let mut likest = Vec::new();
    for wanted in wanted {
        let places = 0..changes.len();
        // Of those that are alike the first: what a call writes comes soon.
        let best = places.rev().max_by_key(|place| {
            let change = changes.get(*place);
            change.map_or(0, |change| likeness(change, wanted))
        });
        likest.extend(best.map(|place| changes.remove(place)));
    }
    (likest, changes)
}

/// In how many columns two rows are the same.
fn likeness(one: &Change, other: &Change) -> usize {
    let columns = one.new.as_object().into_iter().chain(one.old.as_object());
    let same = columns.flatten();
    let same = same.filter(|(column, value)| {
        other.new.get(column) == Some(value) || other.old.get(column) == Some(value)
    });
    same.count()
}

/// How often a call is made again that shows what the service also writes by itself: that it does so each time by chance has to
/// be next to impossible.
const TRIES: usize = 6;

/// Of how many cells at most it is not decided what they wrote.
const FULL: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use authz_pin_database::Which;
    use authz_pin_record::observation::Operation;
    use serde_json::{Value as Json, json};

    fn insert(seq: i64, body: &str) -> Change {
        Change {
            seq: Which::default().serial(seq),
            transaction: Which::default().serial(seq),
            table: "T".to_owned(),
            operation: Operation::Insert,
            old: Json::Null,
            new: json!({"id": seq, "body": body}),
            clock: authz_pin_database::Clock::default(),
            is_adopted: false,
        }
    }

    #[test]
    fn of_what_also_came_by_itself_as_much_is_a_calls_as_it_shows_each_time() {
        let seen = || vec![insert(1, "beat"), insert(2, "call"), insert(3, "beat")];
        let numbers = |wanted: &[Change]| {
            let (likest, others) = likest(seen(), wanted);
            let numbers = |changes: Vec<Change>| changes.iter().map(|one| one.seq.number).collect();
            (numbers(likest), numbers(others))
        };
        let expected: (Vec<i64>, Vec<i64>) = (vec![2], vec![1, 3]);
        assert_eq!(numbers(&[insert(9, "call")]), expected);
        assert_eq!(numbers(&[insert(9, "other")]), (vec![1], vec![2, 3]));
        assert_eq!(numbers(&[]), (vec![], vec![1, 2, 3]));
    }
}
