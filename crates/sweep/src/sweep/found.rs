//! What a sweep found: one record per endpoint, and what the run saw besides.

use crate::invariants;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use authz_pin_record::findings::{self, Finding};
use authz_pin_record::record::{Record, Unprinted};
use authz_pin_suite::plan::{EndpointPlan, PlannedCell};
use authz_pin_suite::suite::Endpoint;
use indexmap::IndexMap;

use super::batch::Swept;
use super::{AnsweredColumns, Proposed, Silence, Sweeper, Undone};
use crate::seen::Seen;

/// A command line per cell that repeats its call, by target and actor. Where a value of the run stood in the call, it
/// has a shell variable of the symbol's name.
pub type Calls = IndexMap<String, IndexMap<String, String>>;

/// What a sweep found.
#[derive(Debug, Default)]
pub struct Sweep {
    /// The records by endpoint, in the suite's order.
    pub records: IndexMap<String, Record>,
    /// How to repeat the calls, by endpoint; none unless the options ask for them.
    pub calls: IndexMap<String, Calls>,
    /// How many cells were swept.
    pub cells: usize,
    /// How many requests were sent, probes and pages included.
    pub requests: usize,
    /// What was undone of it, and what could not be.
    pub undone: Undone,
    /// The endpoints that were swept twice, since their calls together wrote what no symbol explains.
    pub repeated: BTreeSet<String>,
    /// What calls wrote together and not when each was made alone, in words, by endpoint.
    pub unrepeated: BTreeMap<String, Vec<String>>,
    /// The columns that calls wrote what their answers hold as well and no symbol explains, by endpoint; none unless the options
    /// say that the sweep is compared with another one.
    pub answered: BTreeMap<String, AnsweredColumns>,
    /// The texts of refusals as a whole, by endpoint; none unless the options ask for them, as above.
    pub unprinted: BTreeMap<String, Unprinted>,
    /// What the service writes by itself and the suite does not say so.
    pub background: Vec<Proposed>,
    /// Reads that were answered in another way after everything was undone, in words: the service remembers it.
    pub remembered: Vec<String>,
    /// Whose credential did not work any more after the calls of an endpoint, by endpoint.
    pub ended: BTreeMap<String, BTreeSet<String>>,
    /// What was seen of the service.
    pub seen: Seen,
    /// The actors of whom an endpoint's record says nothing, and why, by endpoint.
    pub inconclusive: BTreeMap<String, BTreeMap<String, Silence>>,
    /// Where the time went.
    pub phases: Phases,
}

/// What the parts of a sweep took in all; the start of the run and its end are none of them.
#[derive(Debug, Clone, Copy, Default)]
pub struct Phases {
    /// Making the scratch entities and inserting their rows.
    pub seeding: Duration,
    /// Rendering the calls and the probes, sending them, and reading the answers.
    pub requests: Duration,
    /// Reading the journal, attributing the changes, and undoing them.
    pub journal: Duration,
    /// Naming what was seen, and building the records.
    pub record: Duration,
}

impl<'a> Sweeper<'a> {
    /// Makes the records of the endpoints whose changes are all named.
    pub(super) fn finish(&mut self) {
        while let Some((endpoint, swept)) = self.ledger.next_finished() {
            self.record(endpoint, swept);
        }
    }

    /// Completes the records once all of them are there, and counts what was seen and what was not.
    pub(super) fn complete(&mut self, plan: &[EndpointPlan<'a>]) {
        self.leave_out();
        self.add_late_findings();
        self.count_seen(plan);
        self.found.background = self.control.proposed(&self.found.records);
    }

    fn count_seen(&mut self, plan: &[EndpointPlan<'a>]) {
        self.found.seen.count_gaps(&self.found.records);
        let cells = plan.iter().flat_map(|plan| &plan.cells);
        let is_left_out = |cell: &&PlannedCell<'_>| {
            let left_out = self.found.inconclusive.get(cell.endpoint);
            left_out.is_some_and(|actors| actors.contains_key(cell.actor))
        };
        self.found.seen.left_out = cells.filter(is_left_out).count();
        self.found.seen.unproven = self.unproven(plan);
    }

    /// The findings of a record, with what its calls wrote once only.
    fn findings_of(&self, endpoint: &Endpoint, record: &Record) -> Vec<Finding> {
        let mut all = invariants::of(self.suite, endpoint, record);
        let unrepeated = self.found.unrepeated.get(&endpoint.name);
        let unrepeated = unrepeated.into_iter().flatten();
        all.extend(unrepeated.map(|what| findings::unrepeated(what)));
        all
    }

    /// Leaves out of the records what says nothing.
    fn leave_out(&mut self) {
        let suite = self.suite;
        let endpoints = suite.endpoints.iter();
        for endpoint in endpoints {
            let Some(actors) = self.found.inconclusive.get(&endpoint.name) else {
                continue;
            };
            let Some(record) = self.found.records.get_mut(&endpoint.name) else {
                continue;
            };
            let all = std::mem::take(record);
            let mut kept = all.retain(|_, actor| !actors.contains_key(actor));
            kept.findings = self.findings_of(endpoint, &kept);
            self.found.records.insert(endpoint.name.clone(), kept);
        }
    }

    /// Adds what only the whole run shows: what canaries wrote and no record shows, and whose credentials calls ended.
    fn add_late_findings(&mut self) {
        for (name, once) in self.written_once() {
            let findings = once.iter().map(|what| findings::unrepeated(what));
            self.add_findings(&name, findings.collect());
            self.found.unrepeated.entry(name).or_default().extend(once);
        }
        for (name, actors) in self.found.ended.clone() {
            let findings = actors.iter().map(|actor| findings::ended(actor));
            self.add_findings(&name, findings.collect());
        }
    }

    fn add_findings(&mut self, endpoint: &str, findings: Vec<Finding>) {
        if let Some(record) = self.found.records.get_mut(endpoint) {
            record.findings.extend(findings);
        }
    }

    /// Builds the record of an endpoint from its cells, in the suite's order whatever the order of the calls was.
    fn record(&mut self, plan: &EndpointPlan<'a>, swept: Vec<Swept<'a>>) {
        let mut observations = HashMap::new();
        let (mut repeats, mut unprinted) = (Calls::new(), Unprinted::default());
        for swept in swept.into_iter().filter(|swept| swept.recorded) {
            let (target, actor) = (swept.planned.target, swept.planned.actor);
            observations.insert((target, actor), swept.observation);
            unprinted.extend(swept.unprinted);
            if let Some(curl) = swept.curl {
                let row = repeats.entry(target.to_owned()).or_default();
                row.insert(actor.to_owned(), curl);
            }
        }
        let cells = plan.cells.iter().filter_map(|cell| {
            let observation = observations.remove(&(cell.target, cell.actor))?;
            Some((cell.target.as_str(), cell.actor.as_str(), observation))
        });
        let mut record = Record::build(plan.endpoint.title(), cells);
        let name = &plan.endpoint.name;
        record.unobserved = self.unobserved.remove(name).unwrap_or_default();
        record.findings = self.findings_of(plan.endpoint, &record);
        self.found.calls.insert(name.clone(), repeats);
        if self.options.compared {
            self.found.unprinted.insert(name.clone(), unprinted);
        }
        self.found.cells += plan.cells.len();
        self.found.records.insert(name.clone(), record);
    }
}
