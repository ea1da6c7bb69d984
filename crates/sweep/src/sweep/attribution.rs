//! Which cell a change belongs to: by the symbols in its row, else by those in its transaction.

use std::collections::{BTreeMap, BTreeSet};

use aho_corasick::AhoCorasick;
use authz_pin_database::background::Background;
use authz_pin_database::{Catalog, Change, Serial};
use authz_pin_record::observation::Operation;
use tracing::info;

use crate::symbols::Knowledge;

/// Changes by whom they belong to.
#[derive(Debug, Default)]
pub(super) struct Attributed {
    /// The effects by the number of their cell.
    pub(super) explained: Vec<(usize, Change)>,
    /// What the service writes by itself, but because of this run, or too late for the record of its cell.
    pub(super) background: Vec<Serial>,
    /// What other runs caused.
    pub(super) foreign: Vec<Serial>,
    /// What no symbol explains, or those of several cells.
    pub(super) unexplained: Vec<Change>,
    /// Rows that hold no value of the run and were found in a table that had not been watched.
    pub(super) found: Vec<Change>,
    /// The numbers of those effects that were written in one transaction with others of their kind that hold other cells'
    /// values or none: something collects such rows and writes them together.
    pub(super) collected: BTreeSet<Serial>,
}

impl Attributed {
    /// Whether calls of cells can have done any of it.
    pub(super) fn has_any(&self) -> bool {
        !self.explained.is_empty() || !self.unexplained.is_empty()
    }

    /// Says how much there was.
    pub(super) fn log(&self) {
        info!(
            effects = self.explained.len(),
            background = self.background.len(),
            unexplained = self.unexplained.len(),
            "waited for what calls write, and claimed it"
        );
    }
}

/// Whom the values in a change, or in a transaction, belong to.
#[derive(Debug, Default)]
struct Marks {
    cells: BTreeSet<usize>,
    own: bool,
    /// Of a cell that is done and recorded.
    late: bool,
    foreign: bool,
}

impl Marks {
    fn add(&mut self, other: &Self) {
        self.cells.extend(&other.cells);
        self.own |= other.own;
        self.late |= other.late;
        self.foreign |= other.foreign;
    }

    fn the_cell(&self) -> Option<usize> {
        match (self.cells.len(), self.cells.first()) {
            (1, cell) => cell.copied(),
            _ => None,
        }
    }
}

/// Reads whose values a change holds.
pub(super) struct Attribution<'a> {
    known: Knowledge<'a>,
    others: Option<AhoCorasick>,
    background: &'a Background,
    /// The tables, where changes come from comparing them.
    compared: Option<&'a Catalog>,
}

impl<'a> Attribution<'a> {
    /// `others` are the values that other runs made.
    pub(super) fn new(
        known: Knowledge<'a>,
        others: &BTreeSet<String>,
        background: &'a Background,
    ) -> Self {
        Self {
            known,
            // Without a pattern nothing matches, and so does what cannot be compiled.
            others: AhoCorasick::new(others).ok(),
            background,
            compared: None,
        }
    }

    /// The same of changes that come from comparing the tables. Of several cells that write one row only the last is seen, so
    /// that a row is a cell's where it was so before, or where its key says so.
    pub(super) fn comparing(mut self, catalog: Option<&'a Catalog>) -> Self {
        self.compared = catalog;
        self
    }

    /// Attributes changes. A transaction whose rows hold the symbols of one cell was made for that cell, so rows beside
    /// them that hold none (what a trigger logs, a counter) are the cell's as well.
    pub(super) fn attribute(&self, changes: Vec<Change>) -> Attributed {
        let marks = self.marks(&changes);
        let transactions = by_transaction(&changes, &marks);
        let collected = collected(&changes, &marks);
        let mut attributed = Attributed::default();
        for (change, marks) in changes.into_iter().zip(marks) {
            let Some(transaction) = transactions.get(&change.transaction) else {
                continue;
            };
            if change.is_adopted && !marks.own && !transaction.own {
                attributed.found.push(change);
            } else if self.background.has(&change) {
                if marks.own {
                    attributed.background.push(change.seq);
                }
            } else if !marks.own && (marks.foreign || transaction.foreign && !transaction.own) {
                attributed.foreign.push(change.seq);
            } else {
                let owner = if marks.cells.is_empty() {
                    transaction
                } else {
                    &marks
                };
                let cell = owner.the_cell();
                match cell.filter(|cell| !self.is_anybodys(&change, *cell)) {
                    Some(cell) => {
                        if collected.contains(&Kind::of(&change)) {
                            attributed.collected.insert(change.seq);
                        }
                        attributed.explained.push((cell, change));
                    }
                    None if cell.is_none() && owner.cells.is_empty() && owner.late => {
                        attributed.background.push(change.seq);
                    }
                    None => attributed.unexplained.push(change),
                }
            }
        }
        attributed
    }

    /// The changes that this run caused beyond doubt, whichever cell did.
    pub(super) fn own(&self, changes: &[Change]) -> Vec<Serial> {
        let marks = self.marks(changes);
        let transactions = by_transaction(changes, &marks);
        let is_own = |(change, marks): &(&Change, &Marks)| {
            let transaction = transactions.get(&change.transaction);
            marks.own || !marks.foreign && transaction.is_some_and(|marks| marks.own)
        };
        let own = changes.iter().zip(&marks).filter(is_own);
        own.map(|(change, _)| change.seq).collect()
    }

    /// Whether comparing tells too little of a change: others can have written its row before this cell.
    fn is_anybodys(&self, change: &Change, cell: usize) -> bool {
        let Some(catalog) = self.compared else {
            return false;
        };
        let identity = if change.old.is_null() {
            catalog.key_of(&change.table, &change.new).to_string()
        } else {
            change.old.to_string()
        };
        self.marks_in(&identity).the_cell() != Some(cell)
    }

    fn marks(&self, changes: &[Change]) -> Vec<Marks> {
        let texts: Vec<String> = changes.iter().map(Change::text).collect();
        let mut marks: Vec<Marks> = texts.iter().map(|text| self.marks_in(text)).collect();
        let strange = |marks: &Marks| !marks.own && !marks.foreign;
        let unknown = texts.iter().zip(&marks);
        let unknown = unknown.filter_map(|(text, marks)| strange(marks).then_some(text.as_str()));
        let late = self.known.retired.found_in(unknown);
        for (marks, late) in marks.iter_mut().filter(|marks| strange(marks)).zip(late) {
            (marks.own, marks.late) = (late, late);
        }
        marks
    }

    fn marks_in(&self, text: &str) -> Marks {
        let others = self.others.as_ref();
        let whose = self.known.whose(text);
        Marks {
            cells: whose.cells,
            own: whose.is_of_run,
            late: false,
            foreign: others.is_some_and(|others| others.is_match(text)),
        }
    }
}

fn by_transaction(changes: &[Change], marks: &[Marks]) -> BTreeMap<Serial, Marks> {
    let mut transactions: BTreeMap<Serial, Marks> = BTreeMap::new();
    for (change, marks) in changes.iter().zip(marks) {
        transactions
            .entry(change.transaction)
            .or_default()
            .add(marks);
    }
    transactions
}

/// What one transaction did to one table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Kind {
    transaction: Serial,
    operation: Operation,
    table: String,
}

impl Kind {
    fn of(change: &Change) -> Self {
        Self {
            transaction: change.transaction,
            operation: change.operation,
            table: change.table.clone(),
        }
    }
}

/// What transactions did to tables by rows that do not all hold the values of the same cells.
fn collected(changes: &[Change], marks: &[Marks]) -> BTreeSet<Kind> {
    let mut owners: BTreeMap<Kind, BTreeSet<(&BTreeSet<usize>, bool)>> = BTreeMap::new();
    for (change, marks) in changes.iter().zip(marks) {
        let of_kind = owners.entry(Kind::of(change)).or_default();
        of_kind.insert((&marks.cells, marks.late));
    }
    let collected = owners.into_iter().filter(|(_, owners)| owners.len() > 1);
    collected.map(|(kind, _)| kind).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::symbols::{Registry, Retired};
    use authz_pin_database::Table;
    use serde_json::{Value as Json, json};

    /// Changes as (transaction, table, what the row holds), numbered from 1.
    fn attributed(changes: &[(i64, &str, &str)]) -> (Attributed, Vec<i64>) {
        let (attributed, own) = attributed_in(changes.iter().map(|change| (0, *change)));
        (attributed, own.iter().map(|own| own.number).collect())
    }

    /// The same of several databases, by their places.
    fn attributed_in<'c>(
        changes: impl IntoIterator<Item = (usize, (i64, &'c str, &'c str))>,
    ) -> (Attributed, Vec<Serial>) {
        let namer = |cell: usize, tag| {
            let mut registry = Registry::default();
            registry.add_tag(cell, tag);
            registry.build()
        };
        let mut retired = Retired::default();
        namer(9, "tag-of-done").retire(&mut retired);
        let others = BTreeSet::from(["theirs".to_owned()]);
        let background =
            Background::of(&serde_json::from_value(json!({"tables": ["Log"]})).unwrap());
        let known = Knowledge {
            now: &namer(1, "tag-of-1"),
            before: &namer(0, "tag-of-0"),
            retired: &retired,
        };
        let attribution = Attribution::new(known, &others, &background);
        let changes: Vec<Change> = (1..).zip(changes).map(change).collect();
        let own = attribution.own(&changes);
        (attribution.attribute(changes), own)
    }

    fn change(
        (number, (place, (transaction, table, text))): (i64, (usize, (i64, &str, &str))),
    ) -> Change {
        let serial = |number| Serial { place, number };
        Change {
            seq: serial(number),
            transaction: serial(transaction),
            table: table.to_owned(),
            operation: Operation::Insert,
            old: Json::Null,
            new: json!({"text": text}),
            clock: authz_pin_database::Clock::default(),
            is_adopted: false,
        }
    }

    fn cells(attributed: &Attributed) -> Vec<(i64, usize)> {
        let explained = attributed.explained.iter();
        explained
            .map(|(cell, change)| (change.seq.number, *cell))
            .collect()
    }

    fn unexplained(attributed: &Attributed) -> Vec<i64> {
        let unexplained = attributed.unexplained.iter();
        unexplained.map(|change| change.seq.number).collect()
    }

    fn numbers(serials: &[Serial]) -> Vec<i64> {
        serials.iter().map(|serial| serial.number).collect()
    }

    #[test]
    fn a_change_is_the_cells_whose_symbols_it_holds() {
        let (attributed, own) = attributed(&[(1, "T", "tag-of-0"), (2, "T", "by tag-of-1")]);
        assert_eq!(cells(&attributed), [(1, 0), (2, 1)]);
        assert_eq!(own, [1, 2]);
    }

    #[test]
    fn a_change_without_symbols_is_explained_by_its_transaction() {
        let (attributed, own) = attributed(&[
            (1, "Audit", "a trigger's"),
            (1, "T", "tag-of-1"),
            (2, "Audit", "a cron's"),
        ]);
        assert_eq!(cells(&attributed), [(1, 1), (2, 1)]);
        assert_eq!(unexplained(&attributed), [3]);
        assert_eq!(own, [1, 2]);
    }

    #[test]
    fn where_tables_are_compared_a_row_is_a_cells_only_if_its_key_says_so() {
        let others = BTreeSet::new();
        let background = Background::of(&serde_json::from_value(json!({})).unwrap());
        let namer = |cell: usize, tag| {
            let mut registry = Registry::default();
            registry.add_tag(cell, tag);
            registry.build()
        };
        let known = Knowledge {
            now: &namer(1, "tag-of-1"),
            before: &namer(0, "tag-of-0"),
            retired: &Retired::default(),
        };
        let table = Table {
            key: vec!["id".to_owned()],
            ..Table::default()
        };
        let catalog = Catalog::new(BTreeMap::from([("T".to_owned(), table)]));
        let attribution = Attribution::new(known, &others, &background).comparing(Some(&catalog));
        let change = |number, old, new| Change {
            old,
            new,
            ..change((number, (0, (number, "T", ""))))
        };
        let attributed = attribution.attribute(vec![
            change(1, Json::Null, json!({"id": "tag-of-0", "name": "n"})),
            change(2, Json::Null, json!({"id": "theme", "name": "tag-of-0"})),
            change(
                3,
                json!({"id": "tag-of-1"}),
                json!({"id": "tag-of-1", "name": "n"}),
            ),
            change(
                4,
                json!({"id": "keep"}),
                json!({"id": "keep", "name": "tag-of-1"}),
            ),
        ]);
        assert_eq!(cells(&attributed), [(1, 0), (3, 1)]);
        assert_eq!(unexplained(&attributed), [2, 4]);
    }

    #[test]
    fn a_transaction_of_another_database_with_the_same_number_explains_nothing() {
        let (attributed, own) = attributed_in([
            (0, (7, "T", "tag-of-1")),
            (1, (7, "audit:Log", "no symbol")),
        ]);
        assert_eq!(cells(&attributed), [(1, 1)]);
        assert_eq!(unexplained(&attributed), [2]);
        assert_eq!(numbers(&own), [1]);
    }

    #[test]
    fn a_transaction_for_two_cells_explains_nothing_more_than_the_rows_do() {
        let (attributed, own) =
            attributed(&[(1, "T", "tag-of-0"), (1, "T", "tag-of-1"), (1, "Sum", "2")]);
        assert_eq!(cells(&attributed), [(1, 0), (2, 1)]);
        assert_eq!(unexplained(&attributed), [3]);
        assert_eq!(own, [1, 2, 3]);
    }

    #[test]
    fn what_comes_after_the_record_of_its_cell_is_the_runs_and_no_effect() {
        let (attributed, own) = attributed(&[
            (1, "T", "tag-of-done"),
            (1, "Audit", "a trigger's"),
            (2, "T", "tag-of-0 after tag-of-done"),
        ]);
        assert_eq!(numbers(&attributed.background), [1, 2]);
        assert_eq!(cells(&attributed), [(3, 0)]);
        assert_eq!(own, [1, 2, 3]);
    }

    #[test]
    fn rows_of_several_cells_in_one_transaction_and_table_are_collected() {
        let (attributed, _) = attributed(&[
            (1, "T", "tag-of-0"),
            (1, "T", "tag-of-1"),
            (2, "T", "tag-of-1"),
            (2, "Sum", "2"),
            (3, "T", "tag-of-0"),
            (3, "T", "of nobody"),
            (4, "T", "tag-of-0"),
            (4, "T", "tag-of-done"),
        ]);
        let collected: Vec<Serial> = attributed.collected.into_iter().collect();
        assert_eq!(numbers(&collected), [1, 2, 5, 6, 7, 8]);
    }

    #[test]
    fn a_row_with_two_cells_symbols_is_never_guessed_at() {
        let (attributed, _) = attributed(&[(1, "T", "tag-of-0 tag-of-1")]);
        assert_eq!(unexplained(&attributed), [1]);
    }

    #[test]
    fn what_another_run_caused_is_foreign_with_its_whole_transaction() {
        let (attributed, own) = attributed(&[
            (1, "T", "theirs"),
            (1, "Audit", "a trigger's"),
            (2, "T", "tag-of-0 theirs"),
        ]);
        assert_eq!(numbers(&attributed.foreign), [1, 2]);
        assert_eq!(cells(&attributed), [(3, 0)]);
        assert_eq!(own, [3]);
    }

    #[test]
    fn a_background_row_is_no_effect_and_undone_only_if_it_is_the_runs() {
        let (attributed, own) = attributed(&[(1, "Log", "tag-of-0"), (2, "Log", "a heartbeat")]);
        assert_eq!(numbers(&attributed.background), [1]);
        assert_eq!(
            (cells(&attributed).len(), unexplained(&attributed).len()),
            (0, 0)
        );
        assert_eq!(own, [1]);
    }
}
