//! What most answers have in common, and what most of a status have besides.
//!
//! What is common is what more than half have: so one answer that is like no other changes its own line alone, as another
//! actor or target does.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Cell, Record};

/// The entry of what is common to answers of every status.
pub(super) const COMMON: &str = "common";

/// The entry of what is common to answers of a status besides.
pub(super) fn common_of(status: u16) -> String {
    format!("{COMMON} {status}")
}

/// What answers have in common.
pub(super) struct Common<T> {
    all: BTreeSet<T>,
    by_status: BTreeMap<u16, BTreeSet<T>>,
}

/// In what an answer is not like the others.
pub(super) struct Own<T> {
    /// What only it has.
    pub(super) besides: BTreeSet<T>,
    /// What is common and it has not.
    pub(super) missing: BTreeSet<T>,
}

/// How many answers of a status there are, and how many of them have an item.
struct Counts<'a, T> {
    answers: usize,
    items: BTreeMap<&'a T, usize>,
}

impl<T: Ord + Clone> Counts<'_, T> {
    fn common(&self) -> BTreeSet<T> {
        let most = self.items.iter();
        let most = most.filter(|(_, count)| **count * 2 > self.answers);
        most.map(|(item, _)| (*item).clone()).collect()
    }
}

impl<T: Ord + Clone> Common<T> {
    /// Of answers by their status, so many of each. What came instead of an answer has nothing in common.
    pub(super) fn of<'a>(
        answers: impl Iterator<Item = (Option<u16>, usize, &'a BTreeSet<T>)>,
    ) -> Self
    where
        T: 'a,
    {
        let mut counts = BTreeMap::<u16, Counts<'a, T>>::new();
        for (status, number, items) in answers {
            let Some(status) = status else { continue };
            let count = counts.entry(status).or_insert_with(|| Counts {
                answers: 0,
                items: BTreeMap::new(),
            });
            count.answers += number;
            for item in items {
                *count.items.entry(item).or_default() += number;
            }
        }
        let by_status = counts.iter();
        let mut by_status: BTreeMap<u16, BTreeSet<T>> = by_status
            .map(|(status, count)| (*status, count.common()))
            .collect();
        let all = by_status.values().cloned();
        let all = all.reduce(|one, other| &one & &other).unwrap_or_default();
        for items in by_status.values_mut() {
            items.retain(|item| !all.contains(item));
        }
        Self { all, by_status }
    }

    /// What a legend says that answers have in common, for answers of these statuses.
    pub(super) fn of_legend<E>(
        legend: &BTreeMap<String, E>,
        statuses: impl Iterator<Item = u16>,
        items: impl Fn(&E) -> BTreeSet<T>,
    ) -> Self {
        let of = |label: &str| legend.get(label).map(&items).unwrap_or_default();
        let by_status = statuses.map(|status| (status, of(&common_of(status))));
        Self {
            all: of(COMMON),
            by_status: by_status.collect(),
        }
    }

    /// The entries that are not empty.
    pub(super) fn entries(&self) -> impl Iterator<Item = (String, &BTreeSet<T>)> {
        let by_status = self.by_status.iter();
        let by_status = by_status.map(|(status, items)| (common_of(*status), items));
        let entries = std::iter::once((COMMON.to_owned(), &self.all)).chain(by_status);
        entries.filter(|(_, items)| !items.is_empty())
    }

    /// In what an answer is not like the others of its status.
    pub(super) fn own(&self, status: Option<u16>, items: BTreeSet<T>) -> Own<T> {
        let of_status = status.and_then(|status| self.by_status.get(&status));
        let Some(of_status) = of_status else {
            return Own {
                besides: items,
                missing: BTreeSet::new(),
            };
        };
        let common = || self.all.iter().chain(of_status);
        Own {
            missing: common()
                .filter(|item| !items.contains(item))
                .cloned()
                .collect(),
            besides: items
                .into_iter()
                .filter(|item| !self.all.contains(item) && !of_status.contains(item))
                .collect(),
        }
    }
}

/// A status, and the label of what an answer has of its own.
pub(super) type Sort = (Option<u16>, Option<String>);

/// An aspect of which a legend has what answers have in common.
#[derive(Clone, Copy)]
pub(super) struct Shared {
    /// The sort of a cell; none of one that has nothing of the aspect.
    pub(super) sort: fn(&Cell) -> Option<Sort>,
    /// Where the cell has the label.
    pub(super) label: fn(&mut Cell) -> &mut Option<String>,
}

/// What the answers of a record show, each sort once, with how many there are.
pub(super) struct Sorts<T>(BTreeMap<Sort, (usize, BTreeSet<T>)>);

impl<T: Ord + Clone> Sorts<T> {
    pub(super) fn common(&self) -> Common<T> {
        let sorts = self.0.iter();
        Common::of(sorts.map(|((status, _), (count, items))| (*status, *count, items)))
    }

    /// The same, or what another record's legend has for it.
    pub(super) fn common_as<E>(
        &self,
        other: Option<&BTreeMap<String, E>>,
        items: impl Fn(&E) -> BTreeSet<T>,
    ) -> Common<T> {
        let Some(legend) = other else {
            return self.common();
        };
        let statuses = self.0.keys().filter_map(|(status, _)| *status);
        Common::of_legend(legend, statuses, items)
    }

    /// The labels that the sorts get.
    pub(super) fn labels(
        self,
        mut enter: impl FnMut(Option<u16>, BTreeSet<T>) -> Option<String>,
    ) -> BTreeMap<Sort, Option<String>> {
        let sorts = self.0.into_iter();
        let labels = sorts.map(|(sort, (_, items))| {
            let label = enter(sort.0, items);
            (sort, label)
        });
        labels.collect()
    }
}

/// The entries of a legend that an answer of that status has in common with others.
pub(super) fn of_status<E>(
    legend: &BTreeMap<String, E>,
    status: Option<u16>,
) -> impl Iterator<Item = &E> {
    let labels = status.map(|status| [COMMON.to_owned(), common_of(status)]);
    let labels = labels.into_iter().flatten();
    labels.filter_map(|label| legend.get(&label))
}

impl Record {
    /// The entries of the aspect's legend that stand for what some cell has.
    pub(super) fn used_of(&self, aspect: Shared) -> BTreeSet<String> {
        let mut used = BTreeSet::new();
        for (status, label) in self.iter().filter_map(|(_, _, cell)| (aspect.sort)(cell)) {
            used.extend(label);
            used.extend(status.map(common_of));
            used.extend(status.map(|_| COMMON.to_owned()));
        }
        used
    }

    /// What the cells show of an aspect.
    pub(super) fn sorts<T: Ord>(
        &self,
        aspect: Shared,
        shown: impl Fn(&Cell) -> BTreeSet<T>,
    ) -> Sorts<T> {
        let mut sorts = BTreeMap::new();
        for (_, _, cell) in self.iter() {
            if let Some(sort) = (aspect.sort)(cell) {
                let known = sorts.entry(sort);
                let (count, _) = known.or_insert_with(|| (0, shown(cell)));
                *count += 1;
            }
        }
        Sorts(sorts)
    }

    /// Gives cells other labels.
    pub(super) fn relabel(&mut self, aspect: Shared, labels: &BTreeMap<Sort, Option<String>>) {
        for cell in self.cells.values_mut().flat_map(|row| row.values_mut()) {
            let sort = (aspect.sort)(cell);
            let found = sort.and_then(|sort| Some((labels.get(&sort)?, sort.1)));
            if let Some((label, was)) = found
                && *label != was
            {
                (aspect.label)(Arc::make_mut(cell)).clone_from(label);
            }
        }
    }
}
