//! What one cell showed.

use std::collections::BTreeSet;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fault::{Fault, Reply};

/// What one cell showed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Observation {
    /// The HTTP status; of a paged answer the first that is not a success. None where a fault came instead.
    pub status: Option<u16>,
    /// What came instead of an answer.
    pub fault: Option<Fault>,
    /// The refusal as the service words it, normalised, or where a redirect leads.
    pub gate: Option<String>,
    /// The identifiers that the response held, as `entity.field`.
    pub discloses: BTreeSet<String>,
    /// The field paths of a success body.
    pub shape: Option<BTreeSet<String>>,
    /// The row changes, or none where the database could not be observed.
    pub effects: Option<Vec<Effect>>,
    /// What each follow-up request brought.
    pub probes: IndexMap<String, Reply>,
}

/// What happened to a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names are SQL's")]
pub enum Operation {
    Insert,
    Update,
    Delete,
}

impl Operation {
    /// The operation as SQL and the record write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Insert => "insert",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

/// One row-level change of the database, by names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effect {
    /// What happened to the row.
    pub operation: Operation,
    /// The row's table.
    pub table: String,
    /// The row and its columns.
    pub change: RowChange,
}

/// Which row changed, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RowChange {
    /// The row by its primary key; of a table without one, nothing.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub row: String,
    /// The columns that an insert set, or `old -> new` of those that an update changed, sorted by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "columns")]
    #[schemars(with = "IndexMap<String, String>")]
    pub columns: Vec<(String, String)>,
}

impl RowChange {
    /// What the change says of a column.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&str> {
        let found = self.columns.iter().find(|(column, _)| column == name);
        found.map(|(_, text)| text.as_str())
    }
}

/// Columns are a list of pairs in memory, so that effects have an order, and a mapping in a file.
mod columns {
    use indexmap::IndexMap;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(
        columns: &[(String, String)],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_map(columns.iter().map(|(name, value)| (name, value)))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<(String, String)>, D::Error> {
        IndexMap::<String, String>::deserialize(deserializer)
            .map(|columns| columns.into_iter().collect())
    }
}
