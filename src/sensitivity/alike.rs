//! Whether two actors were answered alike.

use std::collections::{BTreeMap, BTreeSet};

use authz_pin_record::drift::Side;
use authz_pin_record::observation::RowChange;
use authz_pin_record::record::{Cell, Record, Values, Visitor};

/// Whether two actors, each with its cell of the same target, were answered alike.
///
/// In its own cell an actor is `actor`, and in that of another one it has its name. Of two that see each other, each
/// therefore holds a name that the other does not hold, which is no difference: `other` stands for it here.
pub(super) fn are_alike(record: &Record, one: (&str, &Cell), other: (&str, &Cell)) -> bool {
    let ((one, cell), (other, with)) = (one, other);
    let same = Same {
        one: Seen {
            side: Side { record, cell },
            other,
        },
        other: Seen {
            side: Side { record, cell: with },
            other: one,
        },
    };
    cell == with || same.visit().all(|is_same| is_same)
}

/// Whether two cells are the same in each aspect.
struct Same<'a> {
    one: Seen<'a>,
    other: Seen<'a>,
}

impl Same<'_> {
    fn in_cells<T: PartialEq>(&self, aspect: impl Fn(&Cell) -> &T) -> bool {
        aspect(self.one.side.cell) == aspect(self.other.side.cell)
    }
}

impl Visitor for Same<'_> {
    type Found = bool;

    fn verdict(&self) -> bool {
        self.in_cells(|cell| &cell.decision)
    }

    fn status(&self) -> bool {
        self.one.side.cell.status() == self.other.side.cell.status()
    }

    fn gate(&self) -> bool {
        self.one.gate() == self.other.gate()
    }

    fn headers(&self) -> bool {
        self.in_cells(|cell| &cell.headers)
    }

    fn also(&self) -> bool {
        self.one.also() == self.other.also()
    }

    fn effects(&self) -> bool {
        self.one.effects() == self.other.effects()
    }

    fn discloses(&self) -> bool {
        self.one.discloses() == self.other.discloses()
    }

    fn probes(&self) -> bool {
        self.in_cells(|cell| &cell.probes)
    }

    fn values(&self) -> bool {
        self.one.values() == self.other.values()
    }

    fn shape(&self) -> bool {
        self.in_cells(|cell| &cell.shape)
    }
}

/// A cell, with `other` in place of one of the names that it holds.
struct Seen<'a> {
    side: Side<'a>,
    other: &'a str,
}

impl Seen<'_> {
    fn renamed(&self, text: &str) -> String {
        text.replace(&format!("<{}.", self.other), "<other.")
    }

    fn gate(&self) -> Option<String> {
        self.side.gate().map(|text| self.renamed(text))
    }

    fn also(&self) -> BTreeMap<String, String> {
        let all = self.side.also().into_iter();
        all.map(|(path, value)| (path, self.renamed(&value)))
            .collect()
    }

    fn values(&self) -> Option<Values> {
        let all = self.side.values()?.into_iter();
        let name = |name: &str| {
            let is_other = name == self.other;
            if is_other { "other" } else { name }.to_owned()
        };
        let all = all.map(|(path, value)| (path, value.map(|text| self.renamed(text), name)));
        Some(all.collect())
    }

    /// With their number, since two can have one name then.
    fn discloses(&self) -> (usize, BTreeSet<String>) {
        let all = self.side.discloses();
        let renamed = all.iter().map(|symbol| disclosed(symbol, self.other));
        (self.side.cell.discloses.len(), renamed.collect())
    }

    fn effects(&self) -> BTreeMap<String, Vec<RowChange>> {
        let all = self.side.effects().into_iter();
        all.map(|(name, changes)| (name, rows(changes, |text| self.renamed(text))))
            .collect()
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
        for (_, written) in &mut change.columns {
            *written = written.map(&renamed);
        }
    }
    changes.sort_by(|one, other| (&one.row, &one.columns).cmp(&(&other.row, &other.columns)));
    changes
}
