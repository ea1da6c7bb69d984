//! The report on a terminal: the matrices, what differs, and the sum.

use super::groups;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{self, Write};

use authz_pin_record::drift::Comparison;
use authz_pin_record::kinds::Level;
use authz_pin_record::record::{Cell, CellId, Verdict};
use authz_pin_record::text::counted;
use indexmap::IndexSet;
use tabled::Table;
use tabled::builder::Builder;
use tabled::settings::{Padding, Style};

use super::issue::{self, Issue};
use super::{Outcome, Report};
use crate::terminal::{ALLOWED, DENIED, FAINT, HEADING, NOTABLE, styled};

/// Writes the matrix of every endpoint, then what differs, then one line that sums it up.
pub fn write(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    for outcome in &report.endpoints {
        matrix(out, outcome)?;
    }
    let mut legend = "* rows changed   ! finding   ~ differs from the snapshot".to_owned();
    let cells = report
        .endpoints
        .iter()
        .flat_map(|outcome| outcome.now.iter());
    let rules: BTreeSet<&str> = cells.filter_map(|(_, _, cell)| by_rule(cell)).collect();
    for mark in rules {
        let _ = write!(legend, "   {mark} {}", meaning(mark));
    }
    writeln!(out, "{}", styled(FAINT, &legend))?;
    let groups = report.groups();
    if !groups.is_empty() {
        writeln!(out)?;
        groups::human(out, &groups)?;
    }
    for outcome in &report.endpoints {
        differences(out, outcome)?;
    }
    issue::beside(report).try_for_each(|issue| beside(out, &issue))?;
    writeln!(out)?;
    for line in report.seen.lines() {
        writeln!(out, "{}", styled(FAINT, &line))?;
    }
    summary(out, report)
}

fn matrix(out: &mut dyn Write, outcome: &Outcome) -> io::Result<()> {
    writeln!(
        out,
        "{} {}",
        styled(HEADING, &outcome.name),
        styled(FAINT, outcome.title())
    )?;
    writeln!(out, "{}\n", table(outcome))
}

fn table(outcome: &Outcome) -> Table {
    let mut table = Builder::default();
    let changed = outcome.comparison.cells();
    let cells = &outcome.now.cells;
    // Not everybody calls upon every target.
    let actors: IndexSet<&str> = outcome.now.iter().map(|(_, actor, _)| actor).collect();
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

fn differences(out: &mut dyn Write, outcome: &Outcome) -> io::Result<()> {
    let name = styled(NOTABLE, &outcome.name);
    match &outcome.comparison {
        Comparison::Same => Ok(()),
        Comparison::New => writeln!(out, "\n{name} has no snapshot yet"),
        Comparison::Changed { diff, .. } => {
            let cells = match outcome.comparison.cells().len() {
                0 => "no cell".to_owned(),
                cells => counted(cells, "cell"),
            };
            writeln!(out, "\n{name} differs in {cells}")?;
            diff.lines()
                .try_for_each(|line| writeln!(out, "{}", colored(line)))
        }
    }
}

/// What is about no cell that was swept.
fn beside(out: &mut dyn Write, issue: &Issue<'_>) -> io::Result<()> {
    let style = match issue.rule.level {
        Level::Deny => DENIED,
        Level::Warn => NOTABLE,
        Level::Allow => FAINT,
    };
    let id = styled(style, &issue.rule.id);
    writeln!(out, "\n{id} {}: {}", issue.name, issue.rule.title)?;
    let mut lines = issue.details().into_iter();
    lines.try_for_each(|line| writeln!(out, "    {line}"))
}

fn colored(line: &str) -> String {
    match line.chars().next() {
        Some('+') => styled(ALLOWED, line),
        Some('-') => styled(DENIED, line),
        _ => styled(FAINT, line),
    }
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
        let text = written(write, &report);
        let header = text.lines().nth(1).unwrap();
        assert_eq!(header.split_whitespace().count(), 25, "{header}");
    }
}
