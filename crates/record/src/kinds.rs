//! What is said of kinds, of drift as of findings: tables in YAML that are part of the program.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::yaml;

/// How much a kind weighs; what weighs most comes first.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Look at it before anything else.
    Deny,
    /// Look at it.
    Warn,
    /// Good to know.
    Allow,
}

impl Level {
    /// The level as files write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deny => "deny",
            Self::Warn => "warn",
            Self::Allow => "allow",
        }
    }
}

/// What is to be said of a kind.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The kind's name in texts.
    pub id: String,
    /// Its weight where a suite says nothing else.
    pub level: Level,
    /// One line.
    pub title: String,
    /// What it means.
    pub explanation: String,
    /// What to do about it, where the explanation does not say that.
    pub remedy: Option<String>,
}

/// Reads a table of the program. Without it every kind would be one that nobody knows.
#[expect(
    clippy::panic,
    reason = "the tables are part of the program: one that cannot be read is a bug of it"
)]
pub(crate) fn read(table: &str) -> Vec<Entry> {
    yaml::from_str(table).unwrap_or_else(|error| panic!("a table of kinds cannot be read: {error}"))
}

/// A kind's name in texts.
#[expect(clippy::panic, reason = "a kind is an enum without fields")]
pub(crate) fn id(kind: impl Serialize) -> String {
    match serde_json::to_value(kind) {
        Ok(Json::String(id)) => id,
        other => panic!("a kind without a name: {other:?}"),
    }
}

/// What a table says of a kind.
pub(crate) fn entry(table: &'static [Entry], kind: impl Serialize) -> Option<&'static Entry> {
    let id = id(kind);
    table.iter().find(|entry| entry.id == id)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use serde::de::DeserializeOwned;

    /// The kinds of a table, in its order.
    pub(crate) fn kinds_of<K: DeserializeOwned>(table: &[Entry]) -> Vec<K> {
        let kind = |entry: &Entry| serde_json::from_value(entry.id.as_str().into()).unwrap();
        table.iter().map(kind).collect()
    }

    #[test]
    #[should_panic(expected = "a table of kinds cannot be read: ")]
    fn a_table_that_cannot_be_read_is_not_an_empty_one() {
        read("- { id: wrote-while-denied, level: loud }");
    }
}
