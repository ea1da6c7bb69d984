//! Tables and columns that the service writes by itself, whatever is called.

use std::collections::BTreeSet;

use authz_pin_suite::suite::{BackgroundSpec, Glob, Together};
use indexmap::IndexMap;
use serde_json::Value as Json;

use crate::catalog::Catalog;
use crate::change::Change;

/// The suite's background tables.
pub struct Background {
    tables: Vec<Glob>,
    /// Columns, each set with those that change together.
    columns: Vec<BTreeSet<String>>,
    unmarked: IndexMap<String, IndexMap<String, Json>>,
}

impl Background {
    /// What the suite says of them.
    pub fn of(spec: &BackgroundSpec) -> Self {
        let columns = spec.columns.iter().map(Together::columns);
        Self {
            tables: spec.tables.clone(),
            columns: columns
                .map(|columns| columns.iter().cloned().collect())
                .collect(),
            unmarked: spec.unmarked.clone(),
        }
    }

    /// Whether it is a background table.
    #[must_use]
    pub fn is_table(&self, table: &str) -> bool {
        self.tables.iter().any(|pattern| pattern.is_match(table))
    }

    /// Those of the suite's patterns that match no table.
    pub fn unmatched(&self, catalog: &Catalog) -> Vec<String> {
        let matches_any = |pattern: &&Glob| catalog.names().any(|table| pattern.is_match(table));
        let unmatched = self.tables.iter().filter(|pattern| !matches_any(pattern));
        unmatched.map(Glob::to_string).collect()
    }

    /// The tables as SQL names them.
    #[must_use]
    pub fn relations(&self, catalog: &Catalog) -> Vec<String> {
        let tables = catalog.names().filter(|table| self.is_table(table));
        let tables = tables.filter_map(|table| catalog.table(table));
        tables.map(|table| table.relation.clone()).collect()
    }

    /// Whether the change is to a background table, or an update of background columns alone.
    #[must_use]
    pub fn has(&self, change: &Change) -> bool {
        self.is_table(&change.table) || self.is_of_columns(change)
    }

    fn is_of_columns(&self, change: &Change) -> bool {
        if self.columns.is_empty() {
            return false;
        }
        let changed = change.changed().into_iter();
        let changed: BTreeSet<String> = changed
            .map(|column| format!("{}.{column}", change.table))
            .collect();
        let is_background = |column: &String| {
            let mut sets = self.columns.iter();
            sets.any(|set| set.contains(column) && set.is_subset(&changed))
        };
        !changed.is_empty() && changed.iter().all(is_background)
    }

    /// Whether the suite says of such a row that it comes from the run although it holds no symbol.
    #[must_use]
    pub fn has_unmarked(&self, change: &Change) -> bool {
        let row = if change.new.is_null() {
            &change.old
        } else {
            &change.new
        };
        let matches = |columns: &IndexMap<String, Json>| {
            let mut columns = columns.iter();
            columns.all(|(column, value)| member(row, column) == Some(value))
        };
        self.is_table(&change.table) && self.unmarked.get(&change.table).is_some_and(matches)
    }
}

/// The value of a column, or of a member of its JSON as `column.member`.
fn member<'r>(row: &'r Json, column: &str) -> Option<&'r Json> {
    row.get(column).or_else(|| {
        let (column, path) = column.split_once('.')?;
        let mut members = path.split('.');
        members.try_fold(row.get(column)?, |value, member| value.get(member))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::which::Which;
    use authz_pin_record::observation::Operation;
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
            clock: crate::change::Clock::default(),
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
    fn an_unmarked_row_is_also_told_by_a_member_of_its_json() {
        let spec = json!({"tables": ["Log"], "unmarked": {"Log": {"call.by.key": ""}}});
        let background = Background::of(&serde_json::from_value(spec).unwrap());
        let by = |key: &str| change("Log", json!({"call": {"by": {"key": key}}}));
        assert!(background.has_unmarked(&by("")));
        assert!(!background.has_unmarked(&by("k")));
        assert!(!background.has_unmarked(&change("Log", json!({"call": null}))));
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
    fn a_pattern_that_matches_no_table_is_known() {
        let spec = json!({"tables": ["Log*", "Logs", "Job*", "Audit"]});
        let background = Background::of(&serde_json::from_value(spec).unwrap());
        let table = json!({"relation": "", "root": "", "key": [], "temporal": {}, "numbered": [], "references": {}});
        let catalog = json!({"tables": {"Logs": table, "Audit": table, "Item": table}});
        let catalog = serde_json::from_value(catalog).unwrap();
        assert_eq!(background.unmatched(&catalog), ["Job*"]);
    }

    #[test]
    fn a_star_stands_for_any_characters_of_a_tables_name() {
        assert!(background().is_table("Logs2") && !background().is_table("Blogs"));
    }
}
