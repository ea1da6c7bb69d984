//! What the page's script reads. Many cells are alike, so each observation and each text stands once per endpoint, and
//! a cell is a number.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::Hash;

use authz_pin_record::drift::{self, Comparison, Drift, Group, Kind};
use authz_pin_record::fault::Fault;
use authz_pin_record::findings;
use authz_pin_record::kinds::{Entry, Level};
use authz_pin_record::observation::RowChange;
use authz_pin_record::record::{Cell, EffectLabel, Effects, Probed, Record, Rule, Values, Verdict};
use indexmap::{IndexMap, IndexSet};
use serde::Serialize;

use crate::report::issue::{self, Issue};
use crate::report::{FindingCounts, Outcome, Report};

/// Everything but the facts of the run.
#[derive(Serialize)]
pub(super) struct Page<'a> {
    suite: &'a str,
    kinds: Vec<KindText>,
    endpoints: Vec<Endpoint<'a>>,
    /// What differs, put together where it differs in the same way.
    groups: Vec<Group>,
    /// What is about no cell.
    beside: Vec<Beside>,
    findings: FindingCounts,
    /// Why the service is not as pinned.
    faults: Vec<String>,
    /// Whether what was answered does not say enough.
    inconclusive: bool,
    /// What was seen and what was not, in words.
    seen: Vec<String>,
}

#[derive(Serialize)]
struct Beside {
    id: String,
    level: Level,
    name: String,
    title: &'static str,
    lines: Vec<String>,
}

#[derive(Serialize)]
struct KindText {
    id: &'static str,
    level: Level,
    title: &'static str,
    explanation: &'static str,
}

/// Cells are numbered by row, then by column.
#[derive(Serialize)]
struct Endpoint<'a> {
    name: &'a str,
    title: &'a str,
    state: &'static str,
    targets: IndexSet<&'a str>,
    actors: IndexSet<&'a str>,
    now: Side<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<Side<'a>>,
    drifts: Vec<DriftText<'a>>,
    /// What differs as text, where that is all that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    diff: Option<&'a str>,
    /// The lines that repeat the calls.
    lines: IndexSet<&'a str>,
    /// The line of each cell.
    line: Vec<Option<usize>>,
}

/// A record.
#[derive(Serialize)]
struct Side<'a> {
    gates: &'a BTreeMap<String, String>,
    also: &'a BTreeMap<String, BTreeMap<String, String>>,
    effects: &'a BTreeMap<EffectLabel, RowChange>,
    shapes: &'a BTreeMap<String, BTreeSet<String>>,
    /// What was seen.
    seen: Vec<Seen<'a>>,
    /// What was seen in each cell.
    cells: Vec<Option<usize>>,
    findings: Vec<Finding>,
}

/// What a cell shows.
#[derive(Serialize)]
struct Seen<'a> {
    verdict: Verdict,
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<Fault>,
    /// The rule that decided, where it was not the status.
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<&'a str>,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    refused: &'a BTreeSet<String>,
    gate: Option<&'a str>,
    /// What the headers say, a line each.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    headers: BTreeSet<String>,
    /// What the fields show, a line each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    values: Vec<String>,
    also: Option<&'a str>,
    discloses: &'a [String],
    effects: &'a Effects,
    probes: &'a IndexMap<String, Probed>,
    shape: Option<&'a str>,
}

#[derive(Serialize)]
struct Finding {
    #[serde(skip_serializing_if = "Option::is_none")]
    cell: Option<usize>,
    text: String,
}

#[derive(Serialize)]
struct DriftText<'a> {
    kind: Kind,
    #[serde(skip_serializing_if = "Option::is_none")]
    cell: Option<usize>,
    was: &'a str,
    is: &'a str,
}

impl<'a> Page<'a> {
    pub(super) fn of(report: &'a Report) -> Self {
        let drifts = report.endpoints.iter().flat_map(Outcome::drifts);
        // As the suite weighs them, where there is any.
        let levels: BTreeMap<Kind, Level> = drifts.map(|drift| (drift.kind, drift.level)).collect();
        let levels: BTreeMap<String, Level> = levels
            .into_iter()
            .map(|(kind, level)| (kind.id(), level))
            .collect();
        let kind = |entry: &'static Entry| KindText {
            id: &entry.id,
            level: levels.get(&entry.id).copied().unwrap_or(entry.level),
            title: &entry.title,
            explanation: &entry.explanation,
        };
        Self {
            suite: &report.suite,
            kinds: drift::table().iter().map(kind).collect(),
            endpoints: report.endpoints.iter().map(Endpoint::of).collect(),
            groups: report.groups(),
            beside: issue::beside(report).map(Beside::of).collect(),
            findings: report.findings(),
            faults: report.faults(),
            inconclusive: !report.inconclusive.is_empty(),
            seen: report.seen.lines(),
        }
    }
}

impl Beside {
    fn of(issue: Issue<'_>) -> Self {
        Self {
            lines: issue.details(),
            id: issue.rule.id,
            level: issue.rule.level,
            name: issue.name.to_owned(),
            title: issue.rule.title,
        }
    }
}

impl<'a> Endpoint<'a> {
    fn of(outcome: &'a Outcome) -> Self {
        let grid = Grid::of(outcome);
        let (lines, line) = lines(outcome, &grid);
        Self {
            name: &outcome.name,
            title: outcome.title(),
            state: state(&outcome.comparison),
            now: Side::of(&outcome.now, &grid),
            before: outcome.before.as_ref().map(|old| Side::of(old, &grid)),
            drifts: drifts(outcome, &grid),
            diff: unexplained(&outcome.comparison),
            lines,
            line,
            targets: grid.targets,
            actors: grid.actors,
        }
    }
}

fn state(comparison: &Comparison) -> &'static str {
    match comparison {
        Comparison::Same => "same",
        Comparison::New => "new",
        Comparison::Changed { .. } => "changed",
    }
}

fn unexplained(comparison: &Comparison) -> Option<&str> {
    match comparison {
        Comparison::Changed { diff, drifts } if drifts.is_empty() => Some(diff),
        _ => None,
    }
}

/// The rows and columns that either record has.
struct Grid<'a> {
    targets: IndexSet<&'a str>,
    actors: IndexSet<&'a str>,
}

impl<'a> Grid<'a> {
    fn of(outcome: &'a Outcome) -> Self {
        let records = || std::iter::once(&outcome.now).chain(&outcome.before);
        let cells = || records().flat_map(Record::iter);
        Self {
            targets: cells().map(|(target, _, _)| target).collect(),
            actors: cells().map(|(_, actor, _)| actor).collect(),
        }
    }

    fn cells(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let row = |target: &&'a str| {
            let target = *target;
            self.actors.iter().map(move |actor| (target, *actor))
        };
        self.targets.iter().flat_map(row)
    }

    fn number(&self, target: &str, actor: &str) -> Option<usize> {
        let row = self.targets.get_index_of(target)?;
        Some(row * self.actors.len() + self.actors.get_index_of(actor)?)
    }
}

impl<'a> Side<'a> {
    fn of(record: &'a Record, grid: &Grid<'_>) -> Self {
        let mut seen: IndexMap<String, &Cell> = IndexMap::new();
        let mut number = |cell: &'a Cell| {
            let entry = seen.entry(cell.line());
            let number = entry.index();
            entry.or_insert(cell);
            number
        };
        let cells = grid
            .cells()
            .map(|(target, actor)| record.cell_at(target, actor).map(&mut number))
            .collect();
        Self {
            gates: &record.gates,
            also: &record.also,
            effects: &record.effects,
            shapes: &record.shapes,
            seen: seen
                .into_values()
                .map(|cell| Seen::of(record, cell))
                .collect(),
            cells,
            findings: record
                .findings
                .iter()
                .map(|finding| Finding::of(finding, grid))
                .collect(),
        }
    }
}

fn lines_of(values: Option<Values>) -> Vec<String> {
    let values = values.into_iter().flatten();
    values
        .map(|(path, value)| format!("{path}: {value}"))
        .collect()
}

impl<'a> Seen<'a> {
    fn of(record: &Record, cell: &'a Cell) -> Self {
        let Cell {
            decision,
            gate,
            headers: _,
            also,
            discloses,
            effects,
            probes,
            values: _,
            shape,
        } = cell;
        Self {
            verdict: decision.verdict(),
            status: decision.status(),
            fault: decision.fault(),
            by: match decision.rule() {
                Rule::Status => None,
                Rule::Named(rule) => Some(rule),
            },
            refused: decision.refused(),
            gate: gate.as_deref(),
            headers: record.headers_of(cell),
            values: lines_of(record.values_of(cell)),
            also: also.as_deref(),
            discloses,
            effects,
            probes,
            shape: shape.as_deref(),
        }
    }
}

impl Finding {
    fn of(finding: &findings::Finding, grid: &Grid<'_>) -> Self {
        let cell = finding.cell.as_ref();
        let cell = cell.and_then(|cell| grid.number(&cell.target, &cell.actor));
        let text = match cell {
            Some(_) => finding.cause(),
            None => finding.to_string(),
        };
        Self { cell, text }
    }
}

fn drifts<'a>(outcome: &'a Outcome, grid: &Grid<'_>) -> Vec<DriftText<'a>> {
    let cell = |drift: &Drift| grid.number(drift.target.as_ref()?, drift.actor.as_ref()?);
    let text = |drift: &'a Drift| DriftText {
        kind: drift.kind,
        cell: cell(drift),
        was: &drift.was,
        is: &drift.is,
    };
    outcome.drifts().iter().map(text).collect()
}

fn lines<'a>(outcome: &'a Outcome, grid: &Grid<'_>) -> (IndexSet<&'a str>, Vec<Option<usize>>) {
    let mut lines = IndexSet::new();
    let line = |(target, actor)| {
        let line = outcome.call(target, actor)?;
        Some(entered(&mut lines, line))
    };
    let line = grid.cells().map(line).collect();
    (lines, line)
}

fn entered<T: Hash + Eq>(set: &mut IndexSet<T>, value: T) -> usize {
    set.insert_full(value).0
}
