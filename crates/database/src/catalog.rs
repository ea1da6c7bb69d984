//! What the tables of a service look like.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value as Json;

use crate::error::DatabaseError;
use crate::which::Which;

/// What the tables of the service look like.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Catalog {
    tables: BTreeMap<String, Table>,
}

/// What is known of one table.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Table {
    /// The table with its schema, as SQL names it.
    pub relation: String,
    /// The name of the table that it is a partition of, or its own: changes are logged under this one.
    pub root: String,
    /// The columns of the primary key, in its order.
    pub key: Vec<String>,
    /// The columns that hold a date or a time.
    pub temporal: BTreeMap<String, Temporal>,
    /// How far the database's own time of day is ahead of UTC, in seconds.
    #[serde(default)]
    pub ahead_s: i64,
    /// The columns that the database numbers by itself.
    pub numbered: BTreeSet<String>,
    /// The columns that hold another table's key, each with that table.
    pub references: BTreeMap<String, String>,
    /// All columns.
    #[serde(default)]
    pub columns: BTreeSet<String>,
    /// What the columns hold that nobody sets, where that is a constant other than null.
    #[serde(default)]
    pub defaults: BTreeMap<String, Json>,
}

/// What a column of a date or a time holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Temporal {
    /// A day.
    Date,
    /// A moment.
    Moment,
    /// A moment without its time zone.
    Local,
    /// A time of any day.
    Time,
}

impl Table {
    /// Whether a column is of the primary key, or holds another table's.
    #[must_use]
    pub fn holds_key(&self, column: &str) -> bool {
        self.key.iter().any(|key| key == column) || self.references.contains_key(column)
    }
}

impl Catalog {
    /// A catalog of these tables.
    #[must_use]
    pub fn new(tables: BTreeMap<String, Table>) -> Self {
        Self { tables }
    }

    /// The same with the names that the tables have beside those of other databases.
    #[must_use]
    pub(crate) fn called(self, which: &Which) -> Self {
        if which.name().is_none() {
            return self;
        }
        let tables = self.tables.into_iter().map(|(name, table)| {
            let references = table.references.into_iter();
            let references = references.map(|(column, other)| (column, which.table(&other)));
            let root = which.table(&table.root);
            let references = references.collect();
            let table = Table {
                root,
                references,
                ..table
            };
            (which.table(&name), table)
        });
        let tables = tables.collect();
        Self { tables }
    }

    /// The tables of several databases together, the main one's first.
    pub fn of_all<'c>(
        all: impl IntoIterator<Item = (&'c Which, &'c Self)>,
    ) -> Result<Self, DatabaseError> {
        let mut tables: BTreeMap<String, Table> = BTreeMap::new();
        for (which, catalog) in all {
            if let Some(name) = which.name()
                && let Some(table) = tables.keys().find(|table| which.has(table))
            {
                let (name, table) = (name.to_owned(), table.clone());
                return Err(DatabaseError::Ambiguous { table, name });
            }
            tables.extend(catalog.tables.clone());
        }
        Ok(Self { tables })
    }

    /// The table of that name.
    #[must_use]
    pub fn table(&self, name: &str) -> Option<&Table> {
        self.tables.get(name)
    }

    /// The column that is the table's primary key, where it is one column.
    #[must_use]
    pub fn key(&self, table: &str) -> Option<&str> {
        match self.table(table)?.key.as_slice() {
            [key] => Some(key),
            _ => None,
        }
    }

    /// What a row has in the columns of its table's primary key.
    #[must_use]
    pub fn key_of(&self, table: &str, row: &Json) -> Json {
        let key = self.table(table).map(|table| &table.key);
        let key = key.into_iter().flatten();
        let key = key.filter_map(|column| Some((column.clone(), row.get(column)?.clone())));
        Json::Object(key.collect())
    }

    /// The table whose key, which the database numbers, `column` of `table` holds: its own, or one that it refers to.
    #[must_use]
    pub fn numbers<'a>(&'a self, table: &'a str, column: &str) -> Option<&'a str> {
        let is_numbered = |table: &str, column: &str| {
            let found = self.table(table);
            found.is_some_and(|found| found.key == [column] && found.numbered.contains(column))
        };
        if is_numbered(table, column) {
            return Some(table);
        }
        let other = self.table(table)?.references.get(column)?;
        is_numbered(other, self.key(other)?).then_some(other.as_str())
    }

    /// The names of columns that hold a key wherever they stand: the one column of a primary key, or a reference to one.
    pub fn of_keys(&self) -> impl Iterator<Item = &str> {
        let mut is_key: BTreeMap<&str, bool> = BTreeMap::new();
        for table in self.tables.values() {
            for column in &table.columns {
                let is_own = table.key.as_slice() == [column.as_str()];
                let is_one = is_own || table.references.contains_key(column);
                *is_key.entry(column).or_insert(true) &= is_one;
            }
        }
        let keys = is_key.into_iter().filter(|(_, is_key)| *is_key);
        keys.map(|(column, _)| column)
    }

    /// The tables' names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tables.keys().map(String::as_str)
    }
}
