//! The cells of all endpoints, as the questions look at them.

use std::collections::HashSet;
use std::sync::Arc;

use authz_pin_record::record::Cell;
use indexmap::{IndexMap, IndexSet};

use super::Pinned;
use super::alike::are_alike;

/// The records of a suite, with the actors and the targets that they name, in their order.
pub(super) struct Grid<'a> {
    pub(super) pinned: &'a [Pinned],
    pub(super) actors: IndexSet<&'a str>,
    /// The rows of each target, one for each endpoint that has it.
    pub(super) targets: IndexMap<&'a str, Vec<Row<'a>>>,
}

impl<'a> Grid<'a> {
    pub(super) fn of(pinned: &'a [Pinned]) -> Self {
        let mut targets = IndexMap::<_, Vec<_>>::new();
        for row in pinned.iter().flat_map(rows) {
            targets.entry(row.target).or_default().push(row);
        }
        let cells = pinned.iter().flat_map(rows).flat_map(Row::cells);
        Self {
            pinned,
            actors: cells.map(|(actor, _)| actor).collect(),
            targets,
        }
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = Row<'a>> + use<'a> {
        self.pinned.iter().flat_map(rows)
    }

    /// The row that shows the most different answers.
    pub(super) fn most_telling(&self) -> Option<Row<'a>> {
        // Of equals, `min_by_key` takes the first.
        self.rows()
            .min_by_key(|row| std::cmp::Reverse(row.answers()))
    }

    /// A row of another endpoint whose target this one could have as well: it is listed beside one that this one has.
    pub(super) fn to_borrow(
        &self,
        pinned: &Pinned,
        is_wanted: impl Fn(Row<'a>) -> bool,
    ) -> Option<Row<'a>> {
        let own = &pinned.record.cells;
        let is_like_own = |row: &Row<'_>| {
            let mut beside = row.pinned.record.cells.keys();
            beside.any(|target| own.contains_key(target))
        };
        let goes_with_own = |target: &str| {
            let rows = self.targets.get(target);
            rows.is_some_and(|rows| rows.iter().any(is_like_own))
        };
        self.rows().find(|row| {
            !own.contains_key(row.target) && is_wanted(*row) && goes_with_own(row.target)
        })
    }
}

/// The cells of one target of an endpoint.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    pub(super) pinned: &'a Pinned,
    pub(super) target: &'a str,
    cells: &'a IndexMap<Arc<str>, Arc<Cell>>,
}

pub(super) fn rows(pinned: &Pinned) -> impl Iterator<Item = Row<'_>> {
    let cells = pinned.record.cells.iter();
    cells.map(move |(target, cells)| Row {
        pinned,
        target,
        cells,
    })
}

impl<'a> Row<'a> {
    pub(super) fn endpoint(self) -> &'a str {
        &self.pinned.endpoint
    }

    pub(super) fn cells(self) -> impl Iterator<Item = (&'a str, &'a Cell)> {
        let cells = self.cells.iter();
        cells.map(|(actor, cell)| (&**actor, &**cell))
    }

    pub(super) fn cell(self, actor: &str) -> Option<&'a Cell> {
        self.cells.get(actor).map(|cell| &**cell)
    }

    /// Whether one of the cells is like that.
    pub(super) fn has(self, is_meant: impl Fn(&Cell) -> bool) -> bool {
        self.cells.values().any(|cell| is_meant(cell))
    }

    /// How many different answers there are.
    pub(super) fn answers(self) -> usize {
        self.cells.values().collect::<HashSet<_>>().len()
    }

    /// Whether two actors were answered alike; none where one of them has no cell.
    pub(super) fn is_alike_for(self, one: &str, other: &str) -> Option<bool> {
        let cells = ((one, self.cell(one)?), (other, self.cell(other)?));
        Some(are_alike(&self.pinned.record, cells.0, cells.1))
    }

    /// Whether all actors were answered alike.
    pub(super) fn is_uniform(self) -> bool {
        let actors: Vec<&str> = self.cells().map(|(actor, _)| actor).collect();
        pairs(&actors).all(|(one, other)| self.is_alike_for(one, other) != Some(false))
    }
}

/// Every two of the items, in their order.
pub(super) fn pairs<T: Copy>(items: &[T]) -> impl Iterator<Item = (T, T)> {
    let with_later = move |(at, one): (usize, &T)| {
        let one = *one;
        items.iter().skip(at + 1).map(move |other| (one, *other))
    };
    items.iter().enumerate().flat_map(with_later)
}
