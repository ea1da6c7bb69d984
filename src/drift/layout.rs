//! What differs between two records although nothing that was observed does: orders, labels, entries nobody uses.

use std::collections::BTreeSet;

use super::cell::Side;
use super::{Drift, Kind};
use crate::record::{Cell, Effects, Record};

/// The parts of a record's text that mean nothing by themselves, as far as they can be compared.
#[derive(Debug, Default, PartialEq, Eq)]
struct Layout {
    targets: Vec<String>,
    cells: Vec<(String, String, Vec<String>)>,
    unused: Vec<String>,
    findings: Vec<String>,
}

/// Whether the text differs beyond what its meaning does.
pub(super) fn changed(old: &Record, new: &Record) -> Option<Drift> {
    (Layout::of(old, new) != Layout::of(new, old)).then(|| {
        Drift::of_record(
            Kind::LayoutChanged,
            String::new(),
            "another order, other labels, or entries that no cell uses".to_owned(),
        )
    })
}

impl Layout {
    /// Of what `this` has in common with `other`; the rest is drift of another kind.
    fn of(this: &Record, other: &Record) -> Self {
        let cells = this.iter().filter_map(|(target, actor, cell)| {
            let here = Side { record: this, cell };
            let there = Side {
                record: other,
                cell: other.cell_at(target, actor)?,
            };
            Some((target.to_owned(), actor.to_owned(), labels(&here, &there)))
        });
        let shared = |finding: &&String| other.findings.contains(finding);
        let targets = this.cells.keys();
        Self {
            targets: targets
                .filter(|target| other.cells.contains_key(*target))
                .cloned()
                .collect(),
            cells: cells.collect(),
            unused: unused(this),
            findings: this.findings.iter().filter(shared).cloned().collect(),
        }
    }
}

/// The labels and the orders of a cell's aspects, where these say the same on both sides.
fn labels(here: &Side<'_>, there: &Side<'_>) -> Vec<String> {
    if here.stand() != there.stand() {
        return Vec::new();
    }
    let cell = here.cell;
    let mut labels = Vec::new();
    if here.gate() == there.gate() {
        labels.extend(cell.gate.clone());
    }
    if here.shape() == there.shape() {
        labels.extend(cell.shape.clone());
    }
    if here.effects() == there.effects() {
        labels.extend(effects(cell));
    }
    if here.discloses() == there.discloses() {
        labels.extend(cell.discloses.clone());
    }
    if here.probes() == there.probes() {
        labels.extend(cell.probes.keys().cloned());
    }
    labels
}

fn effects(cell: &Cell) -> Vec<String> {
    match &cell.effects {
        Effects::Observed(labels) => labels.clone(),
        Effects::NotObserved => Vec::new(),
    }
}

/// The entries of the legends that no cell refers to, with what they say.
fn unused(record: &Record) -> Vec<String> {
    let cells = || record.iter().map(|(_, _, cell)| cell);
    let gates: BTreeSet<&String> = cells().filter_map(|cell| cell.gate.as_ref()).collect();
    let shapes: BTreeSet<&String> = cells().filter_map(|cell| cell.shape.as_ref()).collect();
    let written: BTreeSet<String> = cells().flat_map(effects).collect();
    let unused_gates = record
        .gates
        .iter()
        .filter(|(label, _)| !gates.contains(label));
    let unused_shapes = record
        .shapes
        .iter()
        .filter(|(label, _)| !shapes.contains(label));
    let unused_effects = record
        .effects
        .iter()
        .filter(|(label, _)| !written.contains(*label));
    let mut unused: Vec<String> = unused_gates.map(|entry| format!("{entry:?}")).collect();
    unused.extend(unused_shapes.map(|entry| format!("{entry:?}")));
    unused.extend(unused_effects.map(|entry| format!("{entry:?}")));
    // A target without cells is as unused.
    let empty = record.cells.iter().filter(|(_, row)| row.is_empty());
    unused.extend(empty.map(|(target, _)| target.clone()));
    unused
}
