//! The report on a terminal: what differs, its matrices, and the sum.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::ops::Range;

use authz_pin_record::drift::Comparison;
use authz_pin_record::record::{Cell, CellId, Verdict};
use authz_pin_record::text::counted;
use indexmap::IndexSet;
use tabled::builder::Builder;

use super::groups::{self, GAP, Shown};
use super::issue::{self, Issue};
use super::{Outcome, Report};
use crate::terminal::{self, ALLOWED, DENIED, FAINT, HEADING, NOTABLE, styled};

/// Writes what differs, worst first, then the matrices of the endpoints that are not as pinned, or of all, then one line that
/// sums it up.
pub fn write(out: &mut dyn Write, report: &Report, shown: Shown) -> io::Result<()> {
    let groups = report.groups();
    if !groups.is_empty() {
        groups::human(out, &groups, shown)?;
        groups::counts(out, &groups)?;
        writeln!(out)?;
    }
    let is_told = |it: &&Outcome| shown.all || it.comparison != Comparison::Same;
    let told: Vec<&Outcome> = report.endpoints.iter().filter(is_told).collect();
    let mut has_matrix = false;
    for outcome in &told {
        has_matrix |= endpoint(out, outcome, shown)?;
    }
    if has_matrix {
        writeln!(out, "{}", styled(FAINT, &legend(&told)))?;
    } else if !told.is_empty() {
        writeln!(out)?;
    }
    if !shown.all {
        let more = if told.is_empty() { MATRICES } else { MORE };
        writeln!(out, "{}", styled(FAINT, more))?;
    }
    issue::beside(report).try_for_each(|issue| beside(out, &issue))?;
    writeln!(out)?;
    for line in report.seen.lines() {
        writeln!(out, "{}", styled(FAINT, &line))?;
    }
    summary(out, report)
}

/// Where the rest is.
const MATRICES: &str = "`--all` shows the matrices";
const MORE: &str = "`--all` shows every matrix and the lines of the records; `authz-pin explain KIND` says what a kind means";

/// What the marks in matrices mean.
fn legend(told: &[&Outcome]) -> String {
    let mut legend = "* rows changed   ! finding   ~ differs from the snapshot".to_owned();
    let cells = told.iter().flat_map(|outcome| outcome.now.iter());
    let rules: BTreeSet<&str> = cells.filter_map(|(_, _, cell)| by_rule(cell)).collect();
    for mark in rules {
        let _ = write!(legend, "   {mark} {}", meaning(mark));
    }
    legend
}

/// Writes what came of an endpoint, and its matrix; of one that differs the rows that do. Whether there are any.
fn endpoint(out: &mut dyn Write, outcome: &Outcome, shown: Shown) -> io::Result<bool> {
    let changed = outcome.comparison.cells();
    let name = styled(HEADING, &outcome.name);
    let title = styled(FAINT, outcome.title());
    writeln!(out, "{name} {title}{}", came_of(outcome, &changed))?;
    let tables = tables(outcome, &changed, shown);
    let has_rows = !tables.is_empty();
    for table in tables {
        groups::grid(out, table)?;
        writeln!(out)?;
    }
    if let (Comparison::Changed { diff, .. }, true) = (&outcome.comparison, shown.all) {
        terminal::write_diff(out, diff)?;
        writeln!(out)?;
    }
    Ok(has_rows)
}

/// How it compares to its snapshot, where it is not the same.
fn came_of(outcome: &Outcome, changed: &[CellId]) -> String {
    let said = match &outcome.comparison {
        Comparison::Same => return String::new(),
        Comparison::New => "has no snapshot yet".to_owned(),
        Comparison::Changed { .. } => match changed.len() {
            0 => "differs in no cell".to_owned(),
            cells => format!("differs in {}", counted(cells, "cell")),
        },
    };
    format!(" {}", styled(NOTABLE, &said))
}

/// The matrix, as so many tables beside each other as the width asks for.
fn tables(outcome: &Outcome, changed: &[CellId], shown: Shown) -> Vec<Builder> {
    let is_new = outcome.comparison == Comparison::New;
    let is_shown =
        |target: &str| shown.all || is_new || changed.iter().any(|cell| cell.target == target);
    let rows = outcome.now.iter().filter(|(target, ..)| is_shown(target));
    // Not everybody calls upon every target.
    let (targets, actors): (IndexSet<&str>, IndexSet<&str>) =
        rows.map(|(target, actor, _)| (target, actor)).unzip();
    let actors: Vec<&str> = actors.into_iter().collect();
    let widths = actors.iter().map(|actor| column(actor)).collect::<Vec<_>>();
    let first = targets.iter().map(|target| target.chars().count()).max();
    let parts = parts(&widths, shown.width, first.unwrap_or_default() + GAP);
    let parts = parts.into_iter().filter_map(|part| actors.get(part));
    parts
        .map(|actors| table(outcome, changed, &targets, actors))
        .collect()
}

/// The widest mark of a cell.
const MARK: usize = "200/*!~".len();

/// How wide the column of an actor is at most.
fn column(actor: &str) -> usize {
    let widest = actor.split('_').map(|part| part.chars().count()).max();
    widest.unwrap_or_default().max(MARK) + GAP
}

/// Ranges of columns each of which fits, behind a first column of this width.
fn parts(widths: &[usize], width: Option<usize>, first: usize) -> Vec<Range<usize>> {
    let (mut parts, mut start, mut taken) = (Vec::new(), 0, first);
    for (at, wide) in widths.iter().enumerate() {
        if at > start && width.is_some_and(|width| taken + wide > width) {
            parts.push(start..at);
            (start, taken) = (at, first);
        }
        taken += wide;
    }
    if start < widths.len() {
        parts.push(start..widths.len());
    }
    parts
}

fn table(
    outcome: &Outcome,
    changed: &[CellId],
    targets: &IndexSet<&str>,
    actors: &[&str],
) -> Builder {
    let mut table = Builder::default();
    let heads = actors.iter().map(|actor| actor.replace('_', "\n"));
    table.push_record(std::iter::once(String::new()).chain(heads));
    for target in targets {
        let marks = actors.iter().map(|actor| {
            let cell = outcome.now.cell_at(target, actor);
            cell.map_or_else(String::new, |cell| {
                mark(outcome, changed, (target, actor), cell)
            })
        });
        table.push_record(std::iter::once((*target).to_owned()).chain(marks));
    }
    table
}

/// A cell in the matrix: its status and what is notable about it.
fn mark(
    outcome: &Outcome,
    changed: &[CellId],
    (target, actor): (&str, &str),
    cell: &Cell,
) -> String {
    let mut text = verdict(cell) + by_rule(cell).unwrap_or_default();
    let mut notable = String::new();
    if cell.wrote() {
        text.push('*');
    }
    if outcome.now.has_finding(target, actor) {
        notable.push('!');
    }
    if changed.iter().any(|cell| cell.is(target, actor)) {
        notable.push('~');
    }
    if !notable.is_empty() {
        text.push_str(&styled(NOTABLE, &notable));
    }
    text
}

/// How a verdict is marked that the status does not say.
fn by_rule(cell: &Cell) -> Option<&'static str> {
    let says = Verdict::of(cell.decision.reply());
    match cell.verdict() {
        _ if !cell.decision.refused().is_empty() => Some("/"),
        verdict if verdict == says => None,
        Verdict::Denied => Some("-"),
        _ => Some("+"),
    }
}

fn meaning(mark: &str) -> &'static str {
    match mark {
        "-" => "refused",
        "/" => "refused in part",
        _ => "let through",
    }
}

fn verdict(cell: &Cell) -> String {
    match cell.verdict() {
        Verdict::Allowed | Verdict::Redirected => styled(ALLOWED, &cell.answer()),
        Verdict::Denied => styled(DENIED, &cell.answer()),
        Verdict::Fault => styled(NOTABLE, "fault"),
    }
}

/// What is about no cell that was swept.
fn beside(out: &mut dyn Write, issue: &Issue<'_>) -> io::Result<()> {
    let id = styled(groups::style(issue.rule.level), &issue.rule.id);
    writeln!(out, "\n{id} {}: {}", issue.name, issue.rule.title)?;
    let mut lines = issue.details().into_iter();
    lines.try_for_each(|line| writeln!(out, "    {line}"))
}

fn summary(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    let faults = report.faults().join(", ");
    let verdict = match (faults.as_str(), report.differing()) {
        _ if !report.inconclusive.is_empty() => styled(NOTABLE, "inconclusive"),
        ("", _) => styled(ALLOWED, "as pinned"),
        (_, 0) => styled(NOTABLE, &format!("not as pinned, {faults}")),
        _ => styled(NOTABLE, &faults),
    };
    let cells = counted(report.totals.cells, "cell");
    let requests = counted(report.totals.requests, "request");
    let findings = report.findings();
    writeln!(
        out,
        "{verdict}: {cells}, {}, {requests}, {findings} in {:.2} s",
        counted(report.endpoints.len(), "endpoint"),
        report.totals.seconds
    )
}

#[cfg(test)]
mod tests {
    use super::super::tests::{large, written};
    use super::*;
    use authz_pin_record::drift;

    #[test]
    fn an_actor_that_calls_only_upon_a_later_target_has_a_column() {
        let mut report = large(1, 50, &[drift::Kind::Widened]);
        let outcome = report.endpoints.remove(0);
        let is_left = |target: &str, actor: &str| target != "target 0" || actor != "actor_7";
        let now = outcome.now.retain(is_left);
        report.endpoints.push(Outcome { now, ..outcome });
        let all_of_it = |out: &mut dyn Write, report: &Report| {
            let (all, width) = (true, None);
            write(out, report, Shown { all, width })
        };
        let text = written(all_of_it, &report);
        let lines = text.lines();
        let header = lines.skip_while(|line| !line.contains("differs in")).nth(1);
        let header = header.unwrap();
        assert_eq!(header.split_whitespace().count(), 25, "{header}");
    }
}
