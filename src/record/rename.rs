//! A record in which an actor or a target has another name.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::labels::{enter_also, enter_effect, enter_shape, gate_labels};
use super::values::{self, Values};
use super::{Cell, EffectLabel, Effects, Record};
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
    /// they are: what they tell of the cell is a sentence.
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
            format: self.format,
            endpoint: self.endpoint.clone(),
            unobserved: self.unobserved.clone(),
            cells: cells.collect(),
            findings: self.findings.clone(),
            gates: legends.gates,
            // They name nobody, but the caller and the target as such.
            headers: self.headers.clone(),
            also: legends.also,
            effects: legends.effects,
            values: self.values.as_ref().map(|_| legends.values),
            shapes: legends.shapes,
        }
    }
}

impl<'a> Rename<'a> {
    pub(crate) fn name<'t>(&self, axis: Axis, name: &'t str) -> &'t str
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
        let columns = change.columns.iter();
        let columns = columns.map(|(name, change)| {
            let change = change.map(|value| self.text(value));
            (name.clone(), change)
        });
        RowChange {
            row: self.text(&change.row),
            columns: columns.collect(),
        }
    }
}

/// The legends under the new name, with the labels that these have by the ones that they had.
#[derive(Default)]
struct Legends {
    gates: BTreeMap<String, String>,
    also: BTreeMap<String, BTreeMap<String, String>>,
    effects: BTreeMap<EffectLabel, RowChange>,
    values: BTreeMap<String, Values>,
    shapes: BTreeMap<String, BTreeSet<String>>,
    gate_labels: BTreeMap<String, String>,
    also_labels: BTreeMap<String, String>,
    effect_labels: BTreeMap<EffectLabel, EffectLabel>,
    value_labels: BTreeMap<String, String>,
    shape_labels: BTreeMap<String, String>,
}

impl Legends {
    fn of(record: &Record, rename: Rename<'_>) -> Self {
        let mut legends = Self::default();
        legends.enter_gates(record, rename);
        legends.enter_also(record, rename);
        legends.enter_effects(record, rename);
        legends.enter_values(record, rename);
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
            self.gate_labels.insert(old.clone(), label.clone());
            self.gates.insert(label, text);
        }
    }

    fn enter_also(&mut self, record: &Record, rename: Rename<'_>) {
        for (old, fields) in &record.also {
            let renamed =
                |(path, value): (&String, &String)| (rename.text(path), rename.text(value));
            let renamed: BTreeMap<String, String> = fields.iter().map(renamed).collect();
            if renamed == *fields {
                self.also.insert(old.clone(), renamed);
                continue;
            }
            let label = enter_also(&mut self.also, renamed);
            self.also_labels.insert(old.clone(), label);
        }
    }

    fn enter_values(&mut self, record: &Record, rename: Rename<'_>) {
        let cells = record
            .iter()
            .filter_map(|(_, _, cell)| cell.values.as_ref());
        let own: BTreeSet<&String> = cells.collect();
        for (old, values) in record.values.iter().flatten() {
            let renamed = values.iter().map(|(path, value)| {
                let name = |name: &str| rename.name(Axis::Actor, name).to_owned();
                (rename.text(path), value.map(|text| rename.text(text), name))
            });
            let renamed: Values = renamed.collect();
            if renamed == *values || !own.contains(old) {
                self.values.insert(old.clone(), renamed);
                continue;
            }
            let label = values::enter(&mut self.values, renamed);
            self.value_labels.insert(old.clone(), label);
        }
    }

    fn enter_effects(&mut self, record: &Record, rename: Rename<'_>) {
        for (old, change) in &record.effects {
            let renamed = rename.change(change);
            if renamed == *change {
                self.effects.insert(old.clone(), renamed);
                continue;
            }
            let act = (old.operation(), old.table());
            let label = enter_effect(&mut self.effects, act, renamed);
            self.effect_labels.insert(old.clone(), label);
        }
    }

    fn enter_shapes(&mut self, record: &Record, rename: Rename<'_>) {
        for (old, fields) in &record.shapes {
            let renamed = fields.iter().map(|field| rename.text(field)).collect();
            if renamed == *fields {
                self.shapes.insert(old.clone(), renamed);
                continue;
            }
            let label = enter_shape(&mut self.shapes, renamed);
            self.shape_labels.insert(old.clone(), label);
        }
    }

    fn cell(&self, cell: &Cell, rename: Rename<'_>) -> Cell {
        let Cell {
            decision,
            gate,
            headers,
            also,
            discloses: old,
            effects,
            probes,
            values,
            shape,
        } = cell;
        let discloses: Vec<String> = old.iter().map(|it| rename.identifier(it)).collect();
        Cell {
            decision: decision.clone(),
            gate: gate.as_ref().map(|gate| label(&self.gate_labels, gate)),
            headers: headers.clone(),
            also: also.as_ref().map(|also| label(&self.also_labels, also)),
            discloses: in_order(old, discloses),
            effects: match effects {
                Effects::NotObserved => Effects::NotObserved,
                Effects::Observed(old) => {
                    let labels = old.iter().map(|old| label(&self.effect_labels, old));
                    Effects::Observed(in_order(old, labels.collect()))
                }
            },
            probes: probes.clone(),
            values: values
                .as_ref()
                .map(|values| label(&self.value_labels, values)),
            shape: shape.as_ref().map(|shape| label(&self.shape_labels, shape)),
        }
    }
}

/// The label that stands for an old one.
fn label<L: Ord + Clone>(labels: &BTreeMap<L, L>, old: &L) -> L {
    labels.get(old).unwrap_or(old).clone()
}

/// Lists are sorted; what has another name has another place in one.
fn in_order<T: Ord>(old: &[T], mut new: Vec<T>) -> Vec<T> {
    if old != new {
        new.sort();
    }
    new
}
