//! What the rows that a call changed say.

use std::collections::{BTreeMap, BTreeSet};

use authz_pin_database::Catalog;
use authz_pin_database::Change;
use authz_pin_record::observation::{ColumnChange, Effect, Operation, RowChange};
use authz_pin_suite::suite::SuiteFile;
use serde_json::Value as Json;

use super::{moment, name_escaped};
use crate::symbols::{Namer, View};

/// Turns the changes of one cell into effects.
pub struct Effects<'a> {
    suite: &'a SuiteFile,
    catalog: &'a Catalog,
    namer: &'a Namer,
    view: View<'a>,
    /// Keys that no symbol explains, by table, in the order of the effects. A table has numbers of its own, so that one
    /// that begins to be written leaves the others' effects as they were.
    unknown: BTreeMap<String, Vec<String>>,
    /// The rows that were made, by table and key.
    made: BTreeSet<(&'a str, &'a str)>,
}

impl<'a> Effects<'a> {
    /// The effects of `changes` as the cell sees them.
    #[must_use]
    pub fn of(
        suite: &'a SuiteFile,
        catalog: &'a Catalog,
        namer: &'a Namer,
        view: View<'a>,
        changes: &'a [Change],
    ) -> Vec<Effect> {
        let inserts = changes
            .iter()
            .filter(|change| change.operation == Operation::Insert);
        let made = inserts.filter_map(|insert| {
            let key = catalog.key(&insert.table)?;
            Some((insert.table.as_str(), insert.new.get(key)?.as_str()?))
        });
        let mut effects = Self {
            suite,
            catalog,
            namer,
            view,
            unknown: BTreeMap::new(),
            made: made.collect(),
        };
        let mut changes: Vec<&Change> = changes.iter().collect();
        changes.sort_by(|a, b| (&a.table, a.operation, a.seq).cmp(&(&b.table, b.operation, b.seq)));
        changes
            .into_iter()
            .map(|change| effects.effect(change))
            .collect()
    }

    fn effect(&mut self, change: &Change) -> Effect {
        let row = match change.operation {
            Operation::Insert => self.row(change, &change.new),
            Operation::Delete => self.row(change, &change.old),
            Operation::Update => {
                let (old, new) = (self.row(change, &change.old), self.row(change, &change.new));
                if old == new {
                    old
                } else {
                    format!("{old} -> {new}")
                }
            }
        };
        Effect {
            operation: change.operation,
            table: change.table.clone(),
            change: RowChange {
                row,
                columns: self.columns(change),
            },
        }
    }

    /// A row by the values of its primary key.
    fn row(&mut self, change: &Change, image: &Json) -> String {
        let Some(table) = self.catalog.table(&change.table) else {
            return String::new();
        };
        let values = table
            .key
            .iter()
            .map(|column| self.value(change, column, image.get(column).unwrap_or(&Json::Null)));
        values.collect::<Vec<_>>().join(", ")
    }

    fn columns(&mut self, change: &Change) -> Vec<(String, ColumnChange)> {
        let table = self.catalog.table(&change.table);
        let images = [&change.old, &change.new].map(Json::as_object);
        let names: BTreeSet<&String> = images
            .iter()
            .flatten()
            .flat_map(|image| image.keys())
            .collect();
        let column = |name: &String| {
            let (old, new) = (change.old.get(name), change.new.get(name));
            let written = match change.operation {
                Operation::Insert => {
                    let default = table.and_then(|table| table.defaults.get(name));
                    let new =
                        new.filter(|value| !is_default(value, default.unwrap_or(&Json::Null)))?;
                    ColumnChange::Set(self.value(change, name, new))
                }
                Operation::Update if old == new => return None,
                Operation::Update => self.change(change, name, old?, new?),
                // The row is gone with all its columns: its key says which one it was.
                Operation::Delete => return None,
            };
            Some((name.clone(), written))
        };
        names.into_iter().filter_map(column).collect()
    }

    fn change(&mut self, change: &Change, column: &str, old: &Json, new: &Json) -> ColumnChange {
        let (old, new) = (
            self.value(change, column, old),
            self.value(change, column, new),
        );
        // A moment that moved says all there is to say by itself.
        if old == new {
            ColumnChange::Set(new)
        } else {
            ColumnChange::Changed { old, new }
        }
    }

    fn value(&mut self, change: &Change, column: &str, value: &Json) -> String {
        if let Some(name) = self
            .suite
            .unstable_columns
            .get(&format!("{}.{column}", change.table))
        {
            return name.clone();
        }
        let table = self.catalog.table(&change.table);
        if let Some(table) = table
            && let Some(temporal) = table.temporal.get(column)
            && let Some(value) = value.as_str()
        {
            return moment::told(value, *temporal, change.clock, table.ahead_s);
        }
        let value = &self.steady(change, column, value);
        let nobody = &mut BTreeSet::new();
        let named = if table.is_some_and(|table| table.holds_key(column)) {
            self.namer.name_key(value, self.view, nobody)
        } else {
            self.namer.name_member(column, value, self.view, nobody)
        };
        match named {
            // What is no text has this text too.
            Json::String(text) if *value == text && text == "null" => format!("\"{text}\""),
            Json::String(text) if *value == text => self.unnamed(&change.table, column, text),
            Json::String(text) => text,
            Json::Number(number) => self.counted(&change.table, column, number.to_string()),
            other => name_escaped(self.namer, self.view, other.to_string()),
        }
    }

    /// A text that no symbol explains: as the key of a row that the cell made it is another one in every run.
    fn unnamed(&mut self, table: &str, column: &str, text: String) -> String {
        let catalog = self.catalog;
        let Some(found) = catalog.table(table) else {
            return text;
        };
        if found.key.iter().any(|key| key == column) {
            return self.number(table, text);
        }
        let referred = found.references.get(column);
        match referred.filter(|other| self.made.contains(&(other.as_str(), text.as_str()))) {
            Some(other) => self.number(other, text),
            None => text,
        }
    }

    /// A number that no symbol explains: what the database counts up is another one in every run.
    fn counted(&mut self, table: &str, column: &str, number: String) -> String {
        match self.catalog.numbers(table, column) {
            Some(table) => self.number(table, number),
            None => number,
        }
    }

    /// A column that holds a JSON object, or the text of one, with its unstable members replaced.
    fn steady(&self, change: &Change, column: &str, value: &Json) -> Json {
        let prefix = format!("{}.{column}.", change.table);
        let rules = &self.suite.unstable_columns;
        let rules = rules
            .iter()
            .filter_map(|(rule, name)| Some((rule.strip_prefix(&prefix)?, name)));
        let rules: Vec<(&str, &String)> = rules.collect();
        let object = match value {
            Json::String(text) if !rules.is_empty() => serde_json::from_str(text).ok(),
            other => other.as_object().cloned(),
        };
        let Some(mut object) = object.filter(|_| !rules.is_empty()) else {
            return value.clone();
        };
        for (member, name) in rules {
            if let Some(value) = object.get_mut(member).filter(|value| !value.is_null()) {
                *value = Json::from(name.as_str());
            }
        }
        Json::Object(object)
    }

    /// `<new 1>` for the first key of a table that no symbol explains, and so on.
    fn number(&mut self, table: &str, value: String) -> String {
        let keys = self.unknown.entry(table.to_owned()).or_default();
        let known = keys.iter().position(|key| *key == value);
        let at = known.unwrap_or_else(|| {
            keys.push(value);
            keys.len() - 1
        });
        format!("<new {}>", at + 1)
    }
}

/// Whether a column holds what it holds where nobody says anything. A number has several forms.
fn is_default(value: &Json, default: &Json) -> bool {
    match (value.as_f64(), default.as_f64()) {
        (Some(value), Some(default)) => value.to_bits() == default.to_bits(),
        _ => value == default,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::symbols::Registry;
    use authz_pin_database::Clock;
    use authz_pin_database::Which;
    use serde_json::json;

    fn insert(seq: i64, table: &str, new: Json) -> Change {
        Change {
            seq: Which::default().serial(seq),
            transaction: Which::default().serial(1),
            table: table.to_owned(),
            operation: Operation::Insert,
            old: Json::Null,
            new,
            clock: Clock::default(),
            is_adopted: false,
        }
    }

    fn texts(effect: &Effect) -> Vec<(&str, String)> {
        let columns = effect.change.columns.iter();
        columns
            .map(|(name, change)| (name.as_str(), change.to_string()))
            .collect()
    }

    /// The effects of a cell whose symbols nobody knows.
    fn effects(catalog: &Catalog, changes: &[Change]) -> Vec<Effect> {
        let suite = json!({"name": "x", "snapshots": "x", "service": {"ready": "/"}});
        let suite = serde_json::from_value(suite).unwrap();
        let namer = Registry::default().build();
        Effects::of(
            &suite,
            catalog,
            &namer,
            View { cell: 0, actor: "" },
            changes,
        )
    }

    #[test]
    fn keys_that_the_database_counts_are_numbers_of_the_cell() {
        let catalog: Catalog = serde_json::from_value(json!({"tables": {
            "role": {"relation": "", "root": "", "key": ["id"], "temporal": {}, "numbered": ["id"], "references": {}},
            "grant": {"relation": "", "root": "", "key": ["id"], "temporal": {}, "numbered": ["id"], "references": {"role": "role"}},
        }}))
        .unwrap();
        let changes = [
            insert(1, "role", json!({"id": 71, "level": 3})),
            insert(2, "role", json!({"id": 72})),
            insert(3, "grant", json!({"id": 72, "role": 72})),
        ];
        let shown = |effect: Effect| format!("{} {:?}", effect.change.row, texts(&effect));
        let shown: Vec<String> = effects(&catalog, &changes).into_iter().map(shown).collect();
        assert_eq!(
            shown,
            [
                r#"<new 1> [("id", "<new 1>"), ("role", "<new 1>")]"#,
                r#"<new 2> [("id", "<new 2>"), ("level", "3")]"#,
                r#"<new 1> [("id", "<new 1>")]"#,
            ]
        );
    }

    #[test]
    fn a_row_that_refers_to_one_of_the_same_cell_names_it() {
        let catalog: Catalog = serde_json::from_value(json!({"tables": {
            "budget": {"relation": "", "root": "", "key": ["id"], "temporal": {}, "numbered": [], "references": {}},
            "account": {"relation": "", "root": "", "key": ["id"], "temporal": {}, "numbered": [], "references": {"budget": "budget", "old": "budget"}},
        }}))
        .unwrap();
        let changes = [
            insert(1, "budget", json!({"id": "b-71"})),
            insert(
                2,
                "account",
                json!({"id": "a-9", "budget": "b-71", "old": "b-1"}),
            ),
        ];
        let columns: Vec<String> = effects(&catalog, &changes)
            .into_iter()
            .map(|effect| format!("{:?}", texts(&effect)))
            .collect();
        assert_eq!(
            columns,
            [
                r#"[("budget", "<new 1>"), ("id", "<new 1>"), ("old", "b-1")]"#,
                r#"[("id", "<new 1>")]"#,
            ]
        );
    }

    /// What is told of a row of a table whose columns have defaults.
    fn told(row: Json) -> Vec<(String, String)> {
        let catalog: Catalog = serde_json::from_value(json!({"tables": {"key": {
            "relation": "", "root": "", "key": [], "temporal": {}, "numbered": [], "references": {},
            "defaults": {"spend": 0, "models": [], "is_open": false},
        }}}))
        .unwrap();
        let effects = effects(&catalog, &[insert(1, "key", row)]);
        let all = effects.iter().flat_map(|effect| texts(effect));
        all.map(|(name, text)| (name.to_owned(), text)).collect()
    }

    #[test]
    fn columns_that_hold_what_the_database_gives_them_are_left_out() {
        let row = json!({"spend": 0.0, "models": [], "is_open": false, "note": null});
        assert_eq!(told(row), []);
    }

    #[test]
    fn columns_that_hold_nothing_are_told_where_the_database_gives_them_something_else() {
        let row = json!({"spend": null, "models": null, "note": "", "quota": 0, "all": [], "is_open": true, "info": {}});
        let told: Vec<String> = told(row)
            .into_iter()
            .map(|(name, text)| format!("{name}={text}"))
            .collect();
        assert_eq!(
            told,
            [
                "all=[]",
                "info={}",
                "is_open=true",
                "models=null",
                "note=",
                "quota=0",
                "spend=null"
            ]
        );
    }

    #[test]
    fn a_text_is_not_taken_for_nothing() {
        assert_eq!(
            told(json!({"note": "null"})),
            [("note".to_owned(), "\"null\"".to_owned())]
        );
    }
}
