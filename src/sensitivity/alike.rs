//! Whether two actors were answered alike.

use std::collections::{BTreeMap, BTreeSet};

use crate::drift::Side;
use crate::observation::RowChange;
use crate::record::{Cell, Record};

/// Whether two actors, each with its cell of the same target, were answered alike.
///
/// In its own cell an actor is `actor`, and in that of another one it has its name. Of two that see each other, each
/// therefore holds a name that the other does not hold, which is no difference: `other` stands for it here.
pub(super) fn are_alike(record: &Record, one: (&str, &Cell), other: (&str, &Cell)) -> bool {
    let ((one, cell), (other, with)) = (one, other);
    cell == with
        || has_the_form_of(cell, with)
            && Seen::by(record, cell, other) == Seen::by(record, with, one)
}

/// Whether what holds no name of anybody is the same.
fn has_the_form_of(cell: &Cell, other: &Cell) -> bool {
    let form = |cell: &Cell| (cell.status, cell.fault, cell.discloses.len());
    form(cell) == form(other) && cell.shape == other.shape && cell.probes == other.probes
}

/// What holds names, with `other` in place of one of them.
#[derive(PartialEq)]
struct Seen {
    gate: Option<String>,
    discloses: BTreeSet<String>,
    effects: BTreeMap<String, Vec<RowChange>>,
}

impl Seen {
    fn by(record: &Record, cell: &Cell, other: &str) -> Self {
        let side = Side { record, cell };
        let symbol = format!("<{other}.");
        let renamed = |text: &str| text.replace(&symbol, "<other.");
        Self {
            gate: side.gate().map(renamed),
            discloses: side
                .discloses()
                .into_iter()
                .map(|symbol| disclosed(&symbol, other))
                .collect(),
            effects: side
                .effects()
                .into_iter()
                .map(|(name, changes)| (name, rows(changes, renamed)))
                .collect(),
        }
    }
}

fn disclosed(symbol: &str, other: &str) -> String {
    let field = symbol.strip_prefix(other);
    let field = field.and_then(|rest| rest.strip_prefix('.'));
    field.map_or_else(|| symbol.to_owned(), |field| format!("other.{field}"))
}

/// The changes in an order that does not depend on what is renamed in them.
fn rows(mut changes: Vec<RowChange>, renamed: impl Fn(&str) -> String) -> Vec<RowChange> {
    for change in &mut changes {
        change.row = renamed(&change.row);
        for (_, value) in &mut change.columns {
            *value = renamed(value);
        }
    }
    changes.sort_by(|one, other| (&one.row, &one.columns).cmp(&(&other.row, &other.columns)));
    changes
}
