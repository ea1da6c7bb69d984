//! Tables and columns that the service writes by itself, whatever is called.

use std::collections::BTreeSet;

use globset::{Glob, GlobSet, GlobSetBuilder};
use indexmap::IndexMap;
use serde_json::Value as Json;

use crate::database::Catalog;
use crate::journal::Change;
use crate::suite::{BackgroundSpec, Together};

/// The suite's background tables.
pub(crate) struct Background {
    tables: GlobSet,
    /// Columns, each set with those that change together.
    columns: Vec<BTreeSet<String>>,
    unmarked: IndexMap<String, IndexMap<String, Json>>,
}

impl Background {
    pub(crate) fn of(spec: &BackgroundSpec) -> Self {
        let columns = spec.columns.iter().map(Together::columns);
        Self {
            tables: globs(&spec.tables),
            columns: columns
                .map(|columns| columns.iter().cloned().collect())
                .collect(),
            unmarked: spec.unmarked.clone(),
        }
    }

    /// Whether it is a background table.
    pub(crate) fn is_table(&self, table: &str) -> bool {
        self.tables.is_match(table)
    }

    /// The tables as SQL names them.
    pub(super) fn relations(&self, catalog: &Catalog) -> Vec<String> {
        let tables = catalog.names().filter(|table| self.is_table(table));
        let tables = tables.filter_map(|table| catalog.table(table));
        tables.map(|table| table.relation.clone()).collect()
    }

    /// Whether the change is to a background table, or an update of background columns alone.
    pub(super) fn has(&self, change: &Change) -> bool {
        self.is_table(&change.table) || self.is_of_columns(change)
    }

    fn is_of_columns(&self, change: &Change) -> bool {
        if self.columns.is_empty() {
            return false;
        }
        let (Some(old), Some(new)) = (change.old.as_object(), change.new.as_object()) else {
            return false;
        };
        let changed = new
            .iter()
            .filter(|(column, value)| old.get(*column) != Some(value));
        let changed: BTreeSet<String> = changed
            .map(|(column, _)| format!("{}.{column}", change.table))
            .collect();
        let is_background = |column: &String| {
            let mut sets = self.columns.iter();
            sets.any(|set| set.contains(column) && set.is_subset(&changed))
        };
        !changed.is_empty() && changed.iter().all(is_background)
    }

    /// Whether the suite says of such a row that it comes from the run although it holds no symbol.
    pub(super) fn has_unmarked(&self, change: &Change) -> bool {
        let row = if change.new.is_null() {
            &change.old
        } else {
            &change.new
        };
        let matches = |columns: &IndexMap<String, Json>| {
            columns
                .iter()
                .all(|(column, value)| row.get(column) == Some(value))
        };
        self.is_table(&change.table) && self.unmarked.get(&change.table).is_some_and(matches)
    }
}

/// A pattern that is not one matches nothing.
fn globs(tables: &[String]) -> GlobSet {
    let mut set = GlobSetBuilder::new();
    for glob in tables.iter().filter_map(|table| Glob::new(table).ok()) {
        set.add(glob);
    }
    set.build().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::Which;
    use crate::observation::Operation;
    use serde_json::json;

    fn background() -> Background {
        let spec = json!({"tables": ["Log*"], "unmarked": {"Logs": {"key": "None"}}});
        Background::of(&serde_json::from_value(spec).unwrap())
    }

    fn change(table: &str, new: Json) -> Change {
        Change {
            seq: Which::default().serial(1),
            transaction: Which::default().serial(1),
            table: table.to_owned(),
            operation: Operation::Insert,
            old: Json::Null,
            new,
            is_adopted: false,
        }
    }

    #[test]
    fn an_unmarked_row_has_every_column_as_the_suite_says() {
        let background = background();
        assert!(background.has_unmarked(&change("Logs", json!({"key": "None", "id": 1}))));
        assert!(!background.has_unmarked(&change("Logs", json!({"key": "k"}))));
        assert!(!background.has_unmarked(&change("Log2", json!({"key": "None"}))));
    }

    #[test]
    fn an_update_of_background_columns_alone_is_in_the_background() {
        let spec = json!({"columns": ["Token.seen"]});
        let background = Background::of(&serde_json::from_value(spec).unwrap());
        let update = |old: Json, new: Json| Change {
            operation: Operation::Update,
            old,
            ..change("Token", new)
        };
        let seen = |seen, name| json!({"seen": seen, "name": name});
        assert!(background.has(&update(seen(1, "a"), seen(2, "a"))));
        assert!(!background.has(&update(seen(1, "a"), seen(2, "b"))));
        assert!(!background.has(&update(seen(1, "a"), seen(1, "a"))));
        assert!(!background.has(&change("Token", seen(1, "a"))));
    }

    #[test]
    fn columns_that_change_together_are_in_the_background_only_together() {
        let spec = json!({"columns": [["Token.seen", "Token.updated"]]});
        let background = Background::of(&serde_json::from_value(spec).unwrap());
        let update = |new: Json| Change {
            operation: Operation::Update,
            old: json!({"seen": 1, "updated": 1, "name": "a"}),
            ..change("Token", new)
        };
        assert!(background.has(&update(json!({"seen": 2, "updated": 2, "name": "a"}))));
        assert!(!background.has(&update(json!({"seen": 2, "updated": 2, "name": "b"}))));
        assert!(!background.has(&update(json!({"seen": 1, "updated": 2, "name": "a"}))));
    }

    #[test]
    fn a_star_stands_for_any_characters_of_a_tables_name() {
        assert!(background().is_table("Logs2") && !background().is_table("Blogs"));
    }
}
