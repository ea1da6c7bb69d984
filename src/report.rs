//! The report: what a check found, for a person or for a program.

use std::io::{self, Write};
use std::time::Duration;

use serde::Serialize;
use tabled::Table;
use tabled::builder::Builder;
use tabled::settings::{Padding, Style};

use crate::drift::{self, Comparison, Drift};
use crate::record::{Cell, Record};
use crate::terminal::{ALLOWED, DENIED, FAINT, HEADING, NOTABLE, styled};

/// One endpoint's record and how it compares to its snapshot.
#[derive(Debug)]
pub struct Outcome {
    /// The endpoint's name.
    pub name: String,
    /// What was observed.
    pub record: Record,
    /// How it differs from the snapshot.
    pub comparison: Comparison,
}

/// The numbers of a run.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Totals {
    /// How many cells were swept.
    pub cells: usize,
    /// How many requests were sent.
    pub requests: usize,
    /// How long the run took, its services' start included.
    pub seconds: f64,
}

impl Totals {
    /// The numbers of a run that took `elapsed`.
    #[must_use]
    pub fn new(cells: usize, requests: usize, elapsed: Duration) -> Self {
        let seconds = (elapsed.as_secs_f64() * 1000.0).round() / 1000.0;
        Self {
            cells,
            requests,
            seconds,
        }
    }
}

/// Writes the matrix of every endpoint, then what differs, then one line that sums it up.
pub fn human(out: &mut dyn Write, outcomes: &[Outcome], totals: Totals) -> io::Result<()> {
    for outcome in outcomes {
        matrix(out, outcome)?;
    }
    writeln!(
        out,
        "{}",
        styled(
            FAINT,
            "* rows changed   ! finding   ~ differs from the snapshot"
        )
    )?;
    for outcome in outcomes {
        differences(out, outcome)?;
    }
    summary(out, outcomes, totals)
}

fn matrix(out: &mut dyn Write, outcome: &Outcome) -> io::Result<()> {
    writeln!(
        out,
        "{} {}",
        styled(HEADING, &outcome.name),
        styled(FAINT, &outcome.record.endpoint)
    )?;
    writeln!(out, "{}\n", table(outcome))
}

fn table(outcome: &Outcome) -> Table {
    let mut table = Builder::default();
    let changed = outcome.comparison.cells();
    let cells = &outcome.record.cells;
    let actors: Vec<&str> = cells
        .values()
        .next()
        .map(|row| row.keys().map(String::as_str).collect())
        .unwrap_or_default();
    table.push_record(
        std::iter::once(String::new()).chain(actors.iter().map(|actor| actor.replace('_', "\n"))),
    );
    for (target, row) in cells {
        let marks = actors.iter().map(|actor| {
            row.get(*actor).map_or_else(String::new, |cell| {
                mark(outcome, &changed, (target, actor), cell)
            })
        });
        table.push_record(std::iter::once(target.clone()).chain(marks));
    }
    let mut table = table.build();
    table
        .with(Style::blank().remove_vertical())
        .with(Padding::new(0, 2, 0, 0));
    table
}

/// A cell in the matrix: its status and what is notable about it.
fn mark(
    outcome: &Outcome,
    changed: &[String],
    (target, actor): (&str, &str),
    cell: &Cell,
) -> String {
    let mut text = verdict(cell);
    let mut notable = String::new();
    if cell.effects.is_observed() && !cell.effects.is_empty() {
        text.push('*');
    }
    if outcome.record.has_finding(target, actor) {
        notable.push('!');
    }
    if changed.contains(&format!("{target}/{actor}")) {
        notable.push('~');
    }
    if !notable.is_empty() {
        text.push_str(&styled(NOTABLE, &notable));
    }
    text
}

fn verdict(cell: &Cell) -> String {
    match cell.status {
        Some(status) if status < 400 => styled(ALLOWED, &status.to_string()),
        Some(status) => styled(DENIED, &status.to_string()),
        None => styled(NOTABLE, "fault"),
    }
}

fn differences(out: &mut dyn Write, outcome: &Outcome) -> io::Result<()> {
    let name = styled(NOTABLE, &outcome.name);
    match &outcome.comparison {
        Comparison::Same => Ok(()),
        Comparison::New => writeln!(out, "\n{name} has no snapshot yet"),
        Comparison::Changed { diff, drifts } => {
            let cells = outcome.comparison.cells().len();
            writeln!(out, "\n{name} differs in {}", count(cells, "cell"))?;
            drift::human(
                out,
                &drift::group([(outcome.name.as_str(), drifts.clone())]),
            )?;
            diff.lines()
                .try_for_each(|line| writeln!(out, "{}", colored(line)))
        }
    }
}

fn colored(line: &str) -> String {
    match line.chars().next() {
        Some('+') => styled(ALLOWED, line),
        Some('-') => styled(DENIED, line),
        _ => styled(FAINT, line),
    }
}

fn summary(out: &mut dyn Write, outcomes: &[Outcome], totals: Totals) -> io::Result<()> {
    let differing = outcomes
        .iter()
        .filter(|outcome| outcome.comparison != Comparison::Same)
        .count();
    let findings: usize = outcomes
        .iter()
        .map(|outcome| outcome.record.findings.len())
        .sum();
    let verdict = match differing {
        0 => styled(ALLOWED, "as pinned"),
        n => styled(NOTABLE, &format!("{} not as pinned", count(n, "endpoint"))),
    };
    let cells = count(totals.cells, "cell");
    let requests = count(totals.requests, "request");
    let findings = count(findings, "pinned finding");
    writeln!(
        out,
        "\n{verdict}: {cells}, {}, {requests}, {findings} in {:.2} s",
        count(outcomes.len(), "endpoint"),
        totals.seconds
    )
}

fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

#[derive(Serialize)]
struct Json<'a> {
    suite: &'a str,
    #[serde(flatten)]
    totals: Totals,
    endpoints: Vec<JsonEndpoint<'a>>,
}

#[derive(Serialize)]
struct JsonEndpoint<'a> {
    name: &'a str,
    drift: &'static str,
    changed_cells: Vec<String>,
    drifts: &'a [Drift],
    record: &'a Record,
}

impl<'a> JsonEndpoint<'a> {
    fn of(outcome: &'a Outcome) -> Self {
        let (drift, drifts): (_, &[Drift]) = match &outcome.comparison {
            Comparison::Same => ("none", &[]),
            Comparison::New => ("new", &[]),
            Comparison::Changed { drifts, .. } => ("changed", drifts),
        };
        Self {
            name: &outcome.name,
            drift,
            changed_cells: outcome.comparison.cells(),
            drifts,
            record: &outcome.record,
        }
    }
}

/// Writes everything as one JSON document.
pub fn json(
    out: &mut dyn Write,
    suite: &str,
    outcomes: &[Outcome],
    totals: Totals,
) -> io::Result<()> {
    let report = Json {
        suite,
        totals,
        endpoints: outcomes.iter().map(JsonEndpoint::of).collect(),
    };
    serde_json::to_writer_pretty(&mut *out, &report)?;
    writeln!(out)
}
