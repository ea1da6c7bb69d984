//! What a recording is about to pin, told before it is accepted.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::sync::Arc;

use authz_pin_record::causes::{Cause, causes};
use authz_pin_record::record::{Cell, Decision, Record};
use authz_pin_record::text::counted;
use authz_pin_suite::suite::Suite;
use indexmap::IndexMap;

use authz_pin_sweep::seen::Seen;

/// Writes the endpoints with their cells, the findings worst first, and what the records do not show, or the run did not see.
pub fn write(
    out: &mut dyn Write,
    suite: &Suite,
    records: &IndexMap<String, Record>,
    (seen, once): (&Seen, usize),
) -> io::Result<()> {
    if records.is_empty() {
        return Ok(());
    }
    let cells: usize = records.values().map(count).sum();
    let endpoints = counted(records.len(), "endpoint");
    let names = records.iter();
    let names: Vec<String> = names
        .map(|(name, record)| format!("{name} ({})", count(record)))
        .collect();
    let cells = counted(cells, "cell");
    writeln!(out, "pins {cells} of {endpoints}: {}", names.join(", "))?;
    findings(out, suite, records)?;
    let notes = [
        not_observed(records),
        unused(suite, records),
        nowhere(suite, records),
        alike(records),
        swept_once(once),
    ];
    let mut notes = notes.into_iter().flatten().chain(seen.lines());
    notes.try_for_each(|note| writeln!(out, "  {note}"))
}

/// How many cells were not swept a second time.
fn swept_once(once: usize) -> Option<String> {
    let verb = if once == 1 { "was" } else { "were" };
    (once > 0).then(|| {
        format!(
            "{} {verb} swept once: each shows what another cell of its endpoint shows that was swept twice, and changes no row",
            counted(once, "cell")
        )
    })
}

fn count(record: &Record) -> usize {
    record.iter().count()
}

fn findings(
    out: &mut dyn Write,
    suite: &Suite,
    records: &IndexMap<String, Record>,
) -> io::Result<()> {
    let all = records.iter().flat_map(|(name, record)| {
        let findings = record.findings.iter();
        findings.map(move |finding| (name.as_str(), finding))
    });
    let causes = causes(all, &suite.file.levels);
    if causes.is_empty() {
        writeln!(out, "  no findings")?;
    }
    let lines = causes.iter().flat_map(Cause::lines);
    lines
        .into_iter()
        .try_for_each(|line| writeln!(out, "  {line}"))
}

fn not_observed(records: &IndexMap<String, Record>) -> Option<String> {
    let unseen: usize = records.values().map(Record::not_observed).sum();
    let unseen = Some(unseen).filter(|unseen| *unseen > 0)?;
    let cells = counted(unseen, "cell");
    Some(format!(
        "effects are not observed in {cells}: what these calls write is not pinned"
    ))
}

/// Whether the credential of each actor was allowed anywhere; one that called nowhere is not among them.
fn allowed<'a>(records: &'a IndexMap<String, Record>) -> BTreeMap<&'a str, bool> {
    let mut allowed: BTreeMap<&'a str, bool> = BTreeMap::new();
    for (_, actor, cell) in records.values().flat_map(Record::iter) {
        *allowed.entry(actor).or_default() |= cell.is_let_through();
    }
    allowed
}

fn with_credential(suite: &Suite) -> impl Iterator<Item = &str> {
    let actors = suite.world.actors.iter();
    actors
        .filter(|(_, actor)| actor.auth.is_some() && !actor.calls_nowhere())
        .map(|(name, _)| name.as_str())
}

fn unused(suite: &Suite, records: &IndexMap<String, Record>) -> Option<String> {
    let used: BTreeSet<&str> = allowed(records).into_keys().collect();
    let unused = with_credential(suite).filter(|name| !used.contains(name));
    Some(format!(
        "no recorded cell used the credentials of: {}",
        listed(unused)?
    ))
}

fn nowhere(suite: &Suite, records: &IndexMap<String, Record>) -> Option<String> {
    let allowed = allowed(records);
    let nowhere = with_credential(suite).filter(|name| allowed.get(name) == Some(&false));
    Some(format!(
        "allowed nowhere are the credentials of: {}",
        listed(nowhere)?
    ))
}

/// The endpoints that answer every actor alike on all of their targets: whose these are makes no difference, or every call was
/// stopped before that was asked.
fn alike(records: &IndexMap<String, Record>) -> Option<String> {
    let is_alike = |record: &Record| {
        let mut rows = record.cells.values();
        let is_other =
            |one: &Row, other: &Row| !one.iter().map(answer).eq(other.iter().map(answer));
        let first = rows.next().filter(|_| rows.len() > 0);
        first.is_some_and(|first| !rows.any(|row| is_other(first, row)))
    };
    let alike = records.iter().filter(|(_, record)| is_alike(record));
    Some(format!(
        "on all targets every actor was answered alike by: {}",
        listed(alike.map(|(name, _)| name.as_str()))?
    ))
}

/// The actors of a target with their cells.
type Row = IndexMap<Arc<str>, Arc<Cell>>;

/// What an actor was answered.
fn answer<'r>(
    (actor, cell): (&'r Arc<str>, &'r Arc<Cell>),
) -> (&'r Arc<str>, &'r Decision, Option<&'r String>) {
    (actor, &cell.decision, cell.gate.as_ref())
}

fn listed<'a>(names: impl Iterator<Item = &'a str>) -> Option<String> {
    let names: Vec<&str> = names.collect();
    (!names.is_empty()).then(|| names.join(", "))
}
