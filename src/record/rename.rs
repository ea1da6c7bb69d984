//! A record in which an actor or a target has another name.

use std::collections::BTreeMap;
use std::sync::Arc;

use indexmap::IndexMap;

use super::labels::{act_of, enter, gate_labels};
use super::{Cell, Effects, Record};
use crate::observation::RowChange;

/// What of a cell's place has another name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Axis {
    Actor,
    Target,
}

impl Axis {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Actor => "actor",
            Self::Target => "target",
        }
    }
}

/// An actor or a target with the name that it had and the one that it has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rename<'a> {
    pub(crate) axis: Axis,
    pub(crate) was: &'a str,
    pub(crate) is: &'a str,
}

impl Record {
    /// The record with the new name in place of the old one, in the cells and in every identifier. The findings stay as
    /// they are, since they are sentences.
    pub(crate) fn renamed(&self, rename: Rename<'_>) -> Self {
        let legends = Legends::of(self, rename);
        let cells = self.cells.iter().map(|(target, row)| {
            let row = row.iter().map(|(actor, cell)| {
                let cell = Arc::new(legends.cell(cell, rename));
                (Arc::from(rename.name(Axis::Actor, actor)), cell)
            });
            let target = rename.name(Axis::Target, target).to_owned();
            (target, row.collect())
        });
        Self {
            endpoint: self.endpoint.clone(),
            unobserved: self.unobserved.clone(),
            cells: cells.collect(),
            findings: self.findings.clone(),
            gates: legends.gates,
            effects: legends.effects,
            shapes: legends.shapes,
        }
    }
}

impl<'a> Rename<'a> {
    fn name<'t>(&self, axis: Axis, name: &'t str) -> &'t str
    where
        'a: 't,
    {
        if self.axis == axis && name == self.was {
            return self.is;
        }
        name
    }

    /// An identifier, `owner.user_id`, which belongs to an actor and never to a target by its name.
    fn identifier(&self, identifier: &str) -> String {
        let own = identifier
            .strip_prefix(self.was)
            .filter(|rest| self.axis == Axis::Actor && rest.starts_with('.'));
        own.map_or_else(
            || identifier.to_owned(),
            |rest| format!("{}{rest}", self.is),
        )
    }

    /// A text in which identifiers stand as `<owner.user_id>`.
    fn text(&self, text: &str) -> String {
        match self.axis {
            Axis::Actor => text.replace(&format!("<{}.", self.was), &format!("<{}.", self.is)),
            Axis::Target => text.to_owned(),
        }
    }

    fn change(&self, change: &RowChange) -> RowChange {
        let column = |(name, value): &(String, String)| (name.clone(), self.text(value));
        RowChange {
            row: self.text(&change.row),
            columns: change.columns.iter().map(column).collect(),
        }
    }
}

/// The legends under the new name, with the labels that these have by the ones that they had.
struct Legends {
    gates: BTreeMap<String, String>,
    effects: BTreeMap<String, RowChange>,
    shapes: BTreeMap<String, std::collections::BTreeSet<String>>,
    labels: IndexMap<String, String>,
}

impl Legends {
    fn of(record: &Record, rename: Rename<'_>) -> Self {
        let mut legends = Self {
            gates: BTreeMap::new(),
            effects: BTreeMap::new(),
            shapes: BTreeMap::new(),
            labels: IndexMap::new(),
        };
        legends.enter_gates(record, rename);
        legends.enter_effects(record, rename);
        legends.enter_shapes(record, rename);
        legends
    }

    fn enter_gates(&mut self, record: &Record, rename: Rename<'_>) {
        let texts: Vec<String> = record.gates.values().map(|it| rename.text(it)).collect();
        if texts.iter().eq(record.gates.values()) {
            self.gates.clone_from(&record.gates);
            return;
        }
        let labels = gate_labels(texts.iter().map(String::as_str));
        for (old, text) in record.gates.keys().zip(texts) {
            let label = labels.get(&text).unwrap_or(old).clone();
            self.labels.insert(format!("gate {old}"), label.clone());
            self.gates.insert(label, text);
        }
    }

    fn enter_effects(&mut self, record: &Record, rename: Rename<'_>) {
        for (old, change) in &record.effects {
            let renamed = rename.change(change);
            if renamed == *change {
                self.effects.insert(old.clone(), renamed);
                continue;
            }
            let content = format!("{}\n{:?}", renamed.row, renamed.columns);
            let label = enter(&mut self.effects, act_of(old), &content, renamed);
            self.labels.insert(format!("effect {old}"), label);
        }
    }

    fn enter_shapes(&mut self, record: &Record, rename: Rename<'_>) {
        for (old, fields) in &record.shapes {
            let renamed = fields.iter().map(|field| rename.text(field)).collect();
            if renamed == *fields {
                self.shapes.insert(old.clone(), renamed);
                continue;
            }
            let content: Vec<&str> = renamed.iter().map(String::as_str).collect();
            let content = content.join("\n");
            let label = enter(&mut self.shapes, "body", &content, renamed);
            self.labels.insert(format!("shape {old}"), label);
        }
    }

    fn label(&self, legend: &str, old: &str) -> String {
        let new = self.labels.get(&format!("{legend} {old}"));
        new.map_or_else(|| old.to_owned(), Clone::clone)
    }

    fn cell(&self, cell: &Cell, rename: Rename<'_>) -> Cell {
        let old = &cell.discloses;
        let discloses: Vec<String> = old.iter().map(|it| rename.identifier(it)).collect();
        Cell {
            gate: cell.gate.as_ref().map(|gate| self.label("gate", gate)),
            discloses: in_order(old, discloses),
            effects: match &cell.effects {
                Effects::NotObserved => Effects::NotObserved,
                Effects::Observed(old) => {
                    let labels = old
                        .iter()
                        .map(|label| self.label("effect", label))
                        .collect();
                    Effects::Observed(in_order(old, labels))
                }
            },
            shape: cell.shape.as_ref().map(|shape| self.label("shape", shape)),
            ..cell.clone()
        }
    }
}

/// Lists are sorted; what has another name has another place in one.
fn in_order(old: &[String], mut new: Vec<String>) -> Vec<String> {
    if old != new {
        new.sort();
    }
    new
}
