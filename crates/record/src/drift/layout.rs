//! What differs between two records although nothing that was observed does: orders, labels, entries nobody uses.

use std::collections::BTreeSet;

use super::cell::Side;
use super::{Drift, Kind};
use crate::findings::Finding;
use crate::record::{Cell, Record, Rule, Visitor};

/// The parts of a record's text that mean nothing by themselves, as far as they can be compared.
#[derive(Debug, Default, PartialEq, Eq)]
struct Layout {
    targets: Vec<String>,
    cells: Vec<(String, String, Vec<String>)>,
    /// What answers have in common, where each of them has what it had.
    common: Vec<String>,
    values: Vec<String>,
    unused: Vec<String>,
    findings: Vec<Finding>,
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
        let shared = |finding: &&Finding| other.findings.contains(finding);
        let targets = this.cells.keys();
        Self {
            targets: targets
                .filter(|target| other.cells.contains_key(*target))
                .cloned()
                .collect(),
            cells: cells.collect(),
            common: common_headers(this, other),
            values: common_values(this, other),
            unused: unused(this),
            findings: this.findings.iter().filter(shared).cloned().collect(),
        }
    }
}

/// Whether both have the same cells, which are the same in an aspect: what is told of all can be told of each as well.
fn are_same(this: &Record, other: &Record, is_same: impl Fn(&Cell, &Cell) -> bool) -> bool {
    let mut cells = this.iter();
    this.iter().count() == other.iter().count()
        && cells.all(|(target, actor, cell)| {
            let there = other.cell_at(target, actor);
            there.is_some_and(|there| is_same(cell, there))
        })
}

/// The entries of what the headers of answers have in common, where only they differ.
fn common_headers(this: &Record, other: &Record) -> Vec<String> {
    let same = |here: &Cell, there: &Cell| this.headers_of(here) == other.headers_of(there);
    if this.headers == other.headers || !are_same(this, other, same) {
        return Vec::new();
    }
    let own: BTreeSet<&String> = this
        .iter()
        .filter_map(|(_, _, cell)| cell.headers.as_ref())
        .collect();
    let common = this
        .headers
        .iter()
        .filter(|(label, _)| !own.contains(label));
    common.map(|entry| format!("{entry:?}")).collect()
}

/// All entries of values, where only they differ.
fn common_values(this: &Record, other: &Record) -> Vec<String> {
    let same = |here: &Cell, there: &Cell| this.values_of(here) == other.values_of(there);
    if this.values == other.values || !are_same(this, other, same) {
        return Vec::new();
    }
    let legend = this.values.iter().flatten();
    legend.map(|entry| format!("{entry:?}")).collect()
}

/// The labels and the orders of a cell's aspects, where these say the same on both sides.
fn labels(here: &Side<'_>, there: &Side<'_>) -> Vec<String> {
    if here.verdict() != there.verdict() {
        return Vec::new();
    }
    Labels { here, there }.visit().flatten().collect()
}

struct Labels<'a> {
    here: &'a Side<'a>,
    there: &'a Side<'a>,
}

/// The labels of an aspect, if what they stand for is the same on both sides.
fn same(is_same: bool, labels: impl IntoIterator<Item = String>) -> Vec<String> {
    labels.into_iter().filter(|_| is_same).collect()
}

impl Visitor for Labels<'_> {
    type Found = Vec<String>;

    /// What decided, where the same was decided: of parts that are let through no rule has anything to say any more.
    fn verdict(&self) -> Vec<String> {
        let [here, there] = [self.here, self.there].map(|side| &side.cell.decision);
        let by = match here.rule() {
            Rule::Status => None,
            Rule::Named(rule) => Some(format!("by {rule}")),
        };
        same(here.refused() == there.refused(), by)
    }

    /// A status has no label.
    fn status(&self) -> Vec<String> {
        Vec::new()
    }

    fn gate(&self) -> Vec<String> {
        let is_same = self.here.gate() == self.there.gate();
        same(is_same, self.here.cell.gate.clone())
    }

    /// What a cell has of its own depends on what the others have: [`common_headers`] tells of that.
    fn headers(&self) -> Vec<String> {
        let [here, there] = [self.here, self.there].map(own_headers);
        let is_same = here == there || self.here.record.headers == self.there.record.headers;
        same(
            is_same && self.here.headers() == self.there.headers(),
            self.here.cell.headers.clone(),
        )
    }

    fn also(&self) -> Vec<String> {
        let is_same = self.here.also() == self.there.also();
        same(is_same, self.here.cell.also.clone())
    }

    fn effects(&self) -> Vec<String> {
        let labels = self.here.cell.effects.labels().iter();
        same(
            self.here.effects() == self.there.effects(),
            labels.map(ToString::to_string),
        )
    }

    fn discloses(&self) -> Vec<String> {
        same(
            self.here.discloses() == self.there.discloses(),
            self.here.cell.discloses.clone(),
        )
    }

    fn probes(&self) -> Vec<String> {
        same(
            self.here.probes() == self.there.probes(),
            self.here.cell.probes.keys().cloned(),
        )
    }

    /// As with headers, what a cell has of its own depends on what the others have.
    fn values(&self) -> Vec<String> {
        let is_same = self.here.record.values == self.there.record.values;
        same(
            is_same && self.here.values() == self.there.values(),
            self.here.cell.values.clone(),
        )
    }

    fn shape(&self) -> Vec<String> {
        same(
            self.here.shape() == self.there.shape(),
            self.here.cell.shape.clone(),
        )
    }
}

/// What the label of a cell's headers stands for.
fn own_headers<'a>(side: &'a Side<'a>) -> Option<&'a BTreeSet<String>> {
    let label = side.cell.headers.as_ref()?;
    side.record.headers.get(label)
}

/// The entries of the legends that no cell refers to, with what they say.
fn unused(record: &Record) -> Vec<String> {
    let (used, headers) = (record.used(), record.used_headers());
    let unused_gates = record
        .gates
        .iter()
        .filter(|(label, _)| !used.gates.contains(label));
    let unused_also = record
        .also
        .iter()
        .filter(|(label, _)| !used.also.contains(label));
    let unused_headers = record
        .headers
        .iter()
        .filter(|(label, _)| !headers.contains(*label));
    let unused_shapes = record
        .shapes
        .iter()
        .filter(|(label, _)| !used.shapes.contains(label));
    let unused_effects = record
        .effects
        .iter()
        .filter(|(label, _)| !used.effects.contains(label));
    let mut unused: Vec<String> = unused_gates.map(|entry| format!("{entry:?}")).collect();
    unused.extend(unused_headers.map(|entry| format!("{entry:?}")));
    unused.extend(unused_also.map(|entry| format!("{entry:?}")));
    let values = record.used_values();
    let unused_values = record.values.iter().flatten();
    let unused_values = unused_values.filter(|(label, _)| !values.contains(*label));
    unused.extend(unused_values.map(|entry| format!("{entry:?}")));
    unused.extend(unused_shapes.map(|entry| format!("{entry:?}")));
    unused.extend(unused_effects.map(|entry| format!("{entry:?}")));
    // A target without cells is as unused.
    let empty = record.cells.iter().filter(|(_, row)| row.is_empty());
    unused.extend(empty.map(|(target, _)| target.clone()));
    unused
}

#[cfg(test)]
mod tests {
    use super::super::between;
    use crate::record::Record;

    const RECORD: &str = "format: 2\nendpoint: POST /x
gates:
  no: 'auth_error: No'
effects:
  update T 1a2b:
    row: <t.id>
    columns: {a: {old: '0', new: '1'}}
shapes:
  body 12ab:
  - id
  - key
cells:
  t:
    a: {denied: 403, gate: no}
    b: {allowed: 200, discloses: [a.id, b.id], effects: [update T 1a2b], probes: {new: 200, old: 401}, shape: body 12ab}
  u:
    a: {denied: 404, gate: no}
findings:
- {kind: inversion, detail: x}
- {kind: inversion, detail: 'y'}
";

    fn kinds(new: &str) -> Vec<String> {
        let [old, new] = [RECORD, new].map(|text| Record::parse(text).unwrap());
        let drifts = between(&old, &new);
        drifts.iter().map(|drift| drift.kind.id()).collect()
    }

    /// The record with one text in place of another, which it has.
    fn with(old: &str, new: &str) -> String {
        assert!(RECORD.contains(old), "{old}");
        RECORD.replace(old, new)
    }

    #[test]
    fn what_says_the_same_otherwise_is_one_drift() {
        let others = [
            with("no: 'auth", "never: 'auth").replace("gate: no", "gate: never"),
            with("1a2b", "3c4d"),
            with("12ab", "34cd"),
            with("[a.id, b.id]", "[b.id, a.id]"),
            with("new: 200, old: 401", "old: 401, new: 200"),
            with(
                "- {kind: inversion, detail: x}\n- {kind: inversion, detail: 'y'}",
                "- {kind: inversion, detail: 'y'}\n- {kind: inversion, detail: x}",
            ),
            with("  u:\n    a: {denied: 404, gate: no}\n", "")
                .replace("cells:\n", "cells:\n  u:\n    a: {denied: 404, gate: no}\n"),
            with("    a: {denied: 403, gate: no}\n", "")
                .replace("  u:\n", "    a: {denied: 403, gate: no}\n  u:\n"),
            with("gates:\n", "gates:\n  other: Never\n"),
            with("shapes:\n", "shapes:\n  body cd56:\n  - id\n"),
            with(
                "effects:\n  update",
                "effects:\n  insert T 9f9f:\n    row: <new>\n  update",
            ),
            with("findings:\n", "  v: {}\nfindings:\n"),
        ];
        for other in others {
            assert_eq!(kinds(&other), ["layout-changed"], "{other}");
        }
    }

    #[test]
    fn what_says_something_else_is_no_other_layout() {
        let others = [
            (
                with("denied: 403, gate: no", "allowed: 200, discloses: [a.id]"),
                "widened",
            ),
            (
                with("auth_error: No", "auth_error: Never"),
                "gate-changed gate-changed",
            ),
            (
                with("gates:\n", "gates:\n  never: Never\n")
                    .replace("403, gate: no", "403, gate: never"),
                "gate-changed",
            ),
            (
                with("discloses: [a.id, b.id]", "discloses: [b.id, c.id]"),
                "disclosure-widened disclosure-narrowed",
            ),
            (with("{new: 200, old: 401}", "{old: 401}"), "probe-changed"),
            (
                with("{old: '0', new: '1'}", "{old: '0', new: '2'}").replace("1a2b", "3c4d"),
                "effect-changed",
            ),
            (
                with("  - key\n", "  - name\n").replace("12ab", "34cd"),
                "shape-changed",
            ),
            (
                with("  u:\n    a: {denied: 404, gate: no}\n", ""),
                "cell-removed",
            ),
            (
                with("- {kind: inversion, detail: x}\n", ""),
                "finding-removed",
            ),
            (with("POST /x", "POST /y"), "endpoint-changed"),
        ];
        for (other, expected) in others {
            assert_eq!(kinds(&other).join(" "), expected, "{other}");
        }
    }
}
