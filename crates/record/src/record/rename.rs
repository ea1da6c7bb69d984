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
            gates: legends.gates.entries,
            // They name nobody, but the caller and the target as such.
            headers: self.headers.clone(),
            also: legends.also.entries,
            effects: legends.effects.entries,
            values: self.values.as_ref().map(|_| legends.values.entries),
            shapes: legends.shapes.entries,
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

/// A legend under the new name, with the labels that have become other ones by those that they had.
struct Legend<L, T> {
    entries: BTreeMap<L, T>,
    labels: BTreeMap<L, L>,
}

impl<L: Ord + Clone, T: PartialEq> Legend<L, T> {
    /// What has another name in it is entered anew, and gets another label by that.
    fn of<'r>(
        old: impl IntoIterator<Item = (&'r L, &'r T)>,
        renamed: impl Fn(&T) -> T,
        enter: impl Fn(&mut BTreeMap<L, T>, &L, T) -> L,
    ) -> Self
    where
        L: 'r,
        T: 'r,
    {
        let (mut entries, mut labels) = (BTreeMap::new(), BTreeMap::new());
        for (old, entry) in old {
            let renamed = renamed(entry);
            if renamed == *entry {
                entries.insert(old.clone(), renamed);
            } else {
                let label = enter(&mut entries, old, renamed);
                labels.insert(old.clone(), label);
            }
        }
        Self { entries, labels }
    }

    /// The label that stands for an old one.
    fn label(&self, old: &L) -> L {
        self.labels.get(old).unwrap_or(old).clone()
    }
}

/// All legends under the new name.
struct Legends {
    gates: Legend<String, String>,
    also: Legend<String, BTreeMap<String, String>>,
    effects: Legend<EffectLabel, RowChange>,
    values: Legend<String, Values>,
    shapes: Legend<String, BTreeSet<String>>,
}

impl Legends {
    fn of(record: &Record, rename: Rename<'_>) -> Self {
        let text = |text: &String| rename.text(text);
        let fields = |fields: &BTreeMap<String, String>| {
            let fields = fields.iter();
            fields
                .map(|(path, value)| (text(path), text(value)))
                .collect()
        };
        Self {
            gates: gates(record, rename),
            also: Legend::of(&record.also, fields, |legend, _, also| {
                enter_also(legend, also)
            }),
            effects: Legend::of(
                &record.effects,
                |change| rename.change(change),
                |legend, old, change| enter_effect(legend, (old.operation(), old.table()), change),
            ),
            values: shown(record, rename),
            shapes: Legend::of(
                &record.shapes,
                |fields| fields.iter().map(text).collect(),
                |legend, _, fields| enter_shape(legend, fields),
            ),
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
            gate: gate.as_ref().map(|gate| self.gates.label(gate)),
            headers: headers.clone(),
            also: also.as_ref().map(|also| self.also.label(also)),
            discloses: in_order(old, discloses),
            effects: match effects {
                Effects::NotObserved => Effects::NotObserved,
                Effects::Observed(old) => {
                    let labels = old.iter().map(|old| self.effects.label(old));
                    Effects::Observed(in_order(old, labels.collect()))
                }
            },
            probes: probes.clone(),
            values: values.as_ref().map(|values| self.values.label(values)),
            shape: shape.as_ref().map(|shape| self.shapes.label(shape)),
        }
    }
}

/// The labels of gates depend on what the others say.
fn gates(record: &Record, rename: Rename<'_>) -> Legend<String, String> {
    let texts: Vec<String> = record.gates.values().map(|it| rename.text(it)).collect();
    let labels = if texts.iter().eq(record.gates.values()) {
        BTreeMap::new()
    } else {
        let anew = gate_labels(texts.iter().map(String::as_str));
        let label = |(old, text): (&String, &String)| {
            let label = anew.get(text).unwrap_or(old).clone();
            (old.clone(), label)
        };
        record.gates.keys().zip(&texts).map(label).collect()
    };
    let label = |old: &String| labels.get(old).unwrap_or(old).clone();
    Legend {
        entries: record.gates.keys().map(label).zip(texts).collect(),
        labels,
    }
}

/// What answers have in common keeps its label.
fn shown(record: &Record, rename: Rename<'_>) -> Legend<String, Values> {
    let labels = record
        .iter()
        .filter_map(|(_, _, cell)| cell.values.as_ref());
    let own: BTreeSet<&String> = labels.collect();
    let name = |name: &str| rename.name(Axis::Actor, name).to_owned();
    let text = |text: &str| rename.text(text);
    let renamed = |values: &Values| {
        let values = values.iter();
        values
            .map(|(path, value)| (text(path), value.map(text, name)))
            .collect()
    };
    let legend = record.values.iter().flatten();
    Legend::of(legend, renamed, |legend, old, values| {
        if own.contains(old) {
            return values::enter(legend, values);
        }
        legend.insert(old.clone(), values);
        old.clone()
    })
}

/// Lists are sorted; what has another name has another place in one.
fn in_order<T: Ord>(old: &[T], mut new: Vec<T>) -> Vec<T> {
    if old != new {
        new.sort();
    }
    new
}
