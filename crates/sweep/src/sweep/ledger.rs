//! The ledger of a run: which cells were swept, in which batches, and which values are known by which names meanwhile.
//!
//! What holds at any time:
//!
//! - Cells are numbered in the order in which they were swept, from 0 and without a gap, repeated ones too.
//! - Two batches are known by name: the last one, and the one before it, since what is written late for its cells is read
//!   together with the changes of the last one. Of the values of earlier batches it is known only that they are the run's.
//! - The effects of a cell are named once, when its batch is no longer one of these two.
//! - An endpoint is finished when the effects of all its cells are named, in the order in which endpoints were swept. Then its
//!   cells leave the ledger, and each leaves it once.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use authz_pin_suite::plan::{EndpointPlan, PlannedCell};
use authz_pin_suite::suite::Suite;
use rayon::prelude::*;

use super::NOBODY;
use super::batch::Swept;
use crate::symbols::{Knowledge, Namer, Registry, Retired};

pub(super) struct Ledger<'a> {
    suite: &'a Suite,
    values: Values,
    batches: [Batch; 2],
    retired: Retired,
    /// Whether anybody asks for the values of earlier batches: nobody does where no database is watched and no values are recorded.
    keeps_retired: bool,
    /// The cells that have not left, in the order of their numbers.
    cells: Vec<Swept<'a>>,
    /// How many have.
    left: usize,
    /// The endpoints that are not finished, with the number after their last cell.
    unfinished: VecDeque<(&'a EndpointPlan<'a>, usize)>,
}

/// The values that a run gives, until they are known by name.
struct Values {
    /// Those of the world, which are there for the whole run.
    world: Registry,
    /// Those and what is given for the batch that is under way, if one is.
    batch: Option<Registry>,
}

/// A batch whose values are known by name.
struct Batch {
    namer: Arc<Namer>,
    /// The number of its first cell.
    first: usize,
}

impl<'a> Ledger<'a> {
    /// The ledger of a run that gave the values of its world alone. Whether values of cells that are over matter later: to what a
    /// database logs, or to what answers show.
    pub(super) fn new(suite: &'a Suite, world: Registry, keeps_retired: bool) -> Self {
        let namer = Arc::new(world.clone().build());
        let nothing = || Batch {
            namer: Arc::clone(&namer),
            first: 0,
        };
        let batches = [nothing(), nothing()];
        Self {
            suite,
            values: Values { world, batch: None },
            batches,
            retired: Retired::default(),
            keeps_retired,
            cells: Vec::new(),
            left: 0,
            unfinished: VecDeque::new(),
        }
    }

    /// How many cells were swept until now, repeated ones too.
    pub(super) fn count(&self) -> usize {
        self.left + self.cells.len()
    }

    /// Adds the cells of a batch.
    pub(super) fn add(&mut self, swept: Vec<Swept<'a>>) {
        self.cells.extend(swept);
    }

    /// The cells from that number on.
    pub(super) fn since(&self, number: usize) -> &[Swept<'a>] {
        let place = number.saturating_sub(self.left);
        self.cells.get(place..).unwrap_or_default()
    }

    pub(super) fn since_mut(&mut self, number: usize) -> &mut [Swept<'a>] {
        let place = number.saturating_sub(self.left);
        self.cells.get_mut(place..).unwrap_or_default()
    }

    /// A cell that has not left.
    pub(super) fn cell_mut(&mut self, number: usize) -> Option<&mut Swept<'a>> {
        self.cells.get_mut(number.checked_sub(self.left)?)
    }

    /// The cell that was swept last.
    pub(super) fn last(&self) -> Option<&Swept<'a>> {
        self.cells.last()
    }

    /// The cells of an earlier try stay known, so that their late writes are still explained, but are not recorded.
    pub(super) fn forget(&mut self, since: usize) {
        let swept = self.since_mut(since).iter_mut();
        swept.for_each(|swept| swept.recorded = false);
    }

    /// The same for some of these cells, which are called again.
    pub(super) fn forget_cells(&mut self, since: usize, cells: &[PlannedCell<'a>]) {
        for swept in self.since_mut(since) {
            swept.recorded &= !cells.contains(&swept.planned);
        }
    }

    /// A batch begins: what is given from now on is given for it.
    pub(super) fn begin_batch(&mut self) {
        self.values.batch = Some(self.values.world.clone());
    }

    /// The values of the world. What is added to them while a batch is under way is not known by that batch.
    pub(super) fn world(&mut self) -> &mut Registry {
        &mut self.values.world
    }

    /// The values that are given now: those of the batch that is under way, else those of the world.
    pub(super) fn values(&mut self) -> &mut Registry {
        let Values { world, batch } = &mut self.values;
        batch.as_mut().unwrap_or(world)
    }

    /// Adds values to the world, and to the batch that is under way.
    pub(super) fn add_to_all(&mut self, add: impl Fn(&mut Registry)) {
        let Values { world, batch } = &mut self.values;
        std::iter::once(world).chain(batch).for_each(add);
    }

    /// A namer of the values that are given now and of those that `add` adds.
    pub(super) fn namer_with(&self, add: impl FnOnce(&mut Registry)) -> Namer {
        let mut values = self
            .values
            .batch
            .as_ref()
            .unwrap_or(&self.values.world)
            .clone();
        add(&mut values);
        values.build()
    }

    /// All values of the batch that is under way are given, if one is: they are known by name.
    pub(super) fn know_values(&mut self, first: usize) {
        if let Some(values) = self.values.batch.take() {
            self.know(values, first);
        }
    }

    /// Only the values of the world are known by name from now on.
    pub(super) fn know_world(&mut self) {
        for _ in 0..self.batches.len() {
            self.know(self.values.world.clone(), self.count());
        }
    }

    /// The values of a batch are known by name, and still those of the last one. The one before is over: what changed for its
    /// cells is all there.
    fn know(&mut self, values: Registry, first: usize) {
        let namer = Arc::new(values.build());
        let now = Batch { namer, first };
        let [last, earlier] = &mut self.batches;
        let last = std::mem::replace(last, now);
        let over = std::mem::replace(earlier, last);
        self.name_effects(&over.namer, over.first..self.named());
        if self.keeps_retired {
            over.namer.retire(&mut self.retired);
        }
    }

    fn name_effects(&mut self, namer: &Arc<Namer>, cells: Range<usize>) {
        let places = cells.start.max(self.left) - self.left..cells.end - self.left;
        let suite = self.suite;
        let cells = self.cells.get_mut(places).unwrap_or_default();
        cells.par_iter_mut().for_each(|swept| {
            if swept.doubtful.is_empty() {
                swept.name_effects(suite, namer);
            } else {
                swept.namer = Some(Arc::clone(namer));
            }
        });
    }

    /// The number of the first cell whose effects are not named yet.
    fn named(&self) -> usize {
        let [_, earlier] = &self.batches;
        earlier.first
    }

    /// Which values are known, and how.
    pub(super) fn known(&self) -> Knowledge<'_> {
        let [now, before] = &self.batches;
        Knowledge {
            now: &now.namer,
            before: &before.namer,
            retired: &self.retired,
        }
    }

    /// Names the values of the batch that is under way, or was last.
    pub(super) fn namer(&self) -> &Namer {
        let [last, _] = &self.batches;
        &last.namer
    }

    /// A text with names in place of values.
    pub(super) fn named_text(&self, text: &str) -> String {
        let [last, before] = &self.batches;
        let text = last.namer.name(text, NOBODY).text;
        before.namer.name(&text, NOBODY).text
    }

    /// A text without secrets, whose other values stay.
    pub(super) fn hidden_text(&self, text: &str) -> String {
        let [last, before] = &self.batches;
        before.namer.hide(&last.namer.hide(text))
    }

    /// All cells of an endpoint were swept.
    pub(super) fn end(&mut self, endpoint: &'a EndpointPlan<'a>) {
        self.unfinished.push_back((endpoint, self.count()));
    }

    /// The next endpoint that is finished, with its cells, which leave.
    pub(super) fn next_finished(&mut self) -> Option<(&'a EndpointPlan<'a>, Vec<Swept<'a>>)> {
        let named = self.named();
        let is_finished = |(_, end): &mut (_, usize)| *end <= named;
        let (endpoint, end) = self.unfinished.pop_front_if(is_finished)?;
        let cells = self.cells.drain(..end - self.left).collect();
        self.left = end;
        Some((endpoint, cells))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::test_runner::TestRunner;

    use super::*;
    use authz_pin_database::Catalog;
    use authz_pin_record::observation::Observation;
    use authz_pin_record::record::Unprinted;
    use authz_pin_suite::plan::{Filter, plan};

    /// What happens to a ledger.
    #[derive(Debug, Clone)]
    enum Step {
        /// A batch of so many cells; a repeated one has its cells forgotten.
        Batch {
            cells: usize,
            is_repeated: bool,
        },
        EndOfEndpoint,
        Finish,
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let batch = (1_usize..6, any::<bool>());
        let batch = batch.prop_map(|(cells, is_repeated)| Step::Batch { cells, is_repeated });
        let step = prop_oneof![4 => batch, 2 => Just(Step::EndOfEndpoint), 1 => Just(Step::Finish)];
        vec(step, 0..40)
    }

    fn tag(number: usize) -> String {
        format!("aptesttesttest-tag{number:05}")
    }

    /// A cell as it comes out of a batch: its changes are there, and not named.
    fn swept(number: usize, planned: PlannedCell<'_>) -> Swept<'_> {
        Swept {
            number,
            planned,
            recorded: true,
            curl: None,
            observation: Observation::default(),
            unprinted: Unprinted::default(),
            changes: Vec::new(),
            doubtful: Vec::new(),
            namer: None,
            catalog: Some(Arc::new(Catalog::default())),
        }
    }

    /// What is known beside the ledger of how it came to be.
    #[derive(Default)]
    struct Expected {
        /// The cells of each batch.
        batches: Vec<Range<usize>>,
        /// The ends of the endpoints that were swept.
        ends: VecDeque<usize>,
        left: usize,
        forgotten: Vec<usize>,
    }

    impl Expected {
        /// The number of the first cell of the batch before the last one.
        fn named(&self) -> usize {
            let earlier = self.batches.iter().rev().nth(1);
            earlier.map_or(0, |batch| batch.start)
        }
    }

    fn sweep<'a>(
        ledger: &mut Ledger<'a>,
        expected: &mut Expected,
        plan: &EndpointPlan<'a>,
        (count, is_repeated): (usize, bool),
    ) {
        let first = ledger.count();
        ledger.begin_batch();
        for number in first..first + count {
            ledger.values().add_tag(number, &tag(number));
        }
        ledger.know_values(first);
        let cells = plan.cells.iter().cycle().take(count).zip(first..);
        ledger.add(cells.map(|(cell, number)| swept(number, *cell)).collect());
        expected.batches.push(first..first + count);
        if is_repeated {
            ledger.forget(first);
            expected.forgotten.extend(first..first + count);
        }
    }

    fn finish(ledger: &mut Ledger<'_>, expected: &mut Expected) -> Result<(), TestCaseError> {
        while let Some((_, cells)) = ledger.next_finished() {
            let end = expected.ends.pop_front();
            let numbers: Vec<usize> = cells.iter().map(|swept| swept.number).collect();
            let all: Vec<usize> = (expected.left..end.unwrap()).collect();
            prop_assert_eq!(numbers, all);
            for cell in &cells {
                prop_assert!(
                    cell.observation.effects.is_some(),
                    "{} has no names",
                    cell.number
                );
                let is_forgotten = expected.forgotten.contains(&cell.number);
                prop_assert_eq!(cell.recorded, !is_forgotten);
            }
            expected.left = end.unwrap();
        }
        let is_left = expected
            .ends
            .front()
            .is_some_and(|end| *end <= expected.named());
        prop_assert!(!is_left, "an endpoint is finished and did not leave");
        Ok(())
    }

    fn holds(ledger: &Ledger<'_>, expected: &Expected) -> Result<(), TestCaseError> {
        let count = expected.batches.last().map_or(0, |batch| batch.end);
        prop_assert_eq!(ledger.count(), count);
        let numbers = ledger.since(0).iter().map(|swept| swept.number);
        prop_assert!(numbers.eq(expected.left..count));
        let is_named = |swept: &Swept<'_>| swept.observation.effects.is_some();
        let named = ledger
            .since(0)
            .iter()
            .filter(|swept| is_named(swept))
            .count();
        prop_assert_eq!(named, expected.named() - expected.left);
        for (age, batch) in expected.batches.iter().rev().enumerate() {
            for number in batch.clone() {
                let tag = tag(number);
                let by_name = ledger.known().whose(&tag).cells.contains(&number);
                let is_retired = ledger.retired.found_in([tag.as_str()].into_iter()) == [true];
                prop_assert_eq!(
                    (by_name, is_retired),
                    (age < 2, age >= 2),
                    "cell {}",
                    number
                );
            }
        }
        Ok(())
    }

    #[test]
    fn whatever_is_swept_what_the_module_says_holds() {
        let suite = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/notes");
        let suite = Suite::load(&suite).unwrap();
        let plan = plan(&suite, &Filter::default());
        let mut runner = TestRunner::default();
        let outcome = runner.run(&steps(), |steps| holds_after(&suite, &plan, steps));
        outcome.unwrap();
    }

    fn holds_after(
        suite: &Suite,
        plan: &[EndpointPlan<'_>],
        steps: Vec<Step>,
    ) -> Result<(), TestCaseError> {
        let mut ledger = Ledger::new(suite, Registry::default(), true);
        let mut expected = Expected::default();
        let mut endpoint = 0;
        for step in steps {
            let plan = &plan[endpoint % plan.len()];
            match step {
                Step::Batch { cells, is_repeated } => {
                    sweep(&mut ledger, &mut expected, plan, (cells, is_repeated));
                }
                Step::EndOfEndpoint => {
                    ledger.end(plan);
                    expected.ends.push_back(ledger.count());
                    endpoint += 1;
                }
                Step::Finish => finish(&mut ledger, &mut expected)?,
            }
            holds(&ledger, &expected)?;
        }
        // At the end of a run nothing is left.
        ledger.end(&plan[endpoint % plan.len()]);
        let count = ledger.count();
        expected.ends.push_back(count);
        ledger.know_world();
        expected.batches.extend([count..count, count..count]);
        finish(&mut ledger, &mut expected)?;
        prop_assert!(expected.ends.is_empty() && ledger.since(0).is_empty());
        Ok(())
    }
}
