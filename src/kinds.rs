//! What is said of kinds, of drift as of findings: tables in YAML that are part of the program.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{drift, findings, yaml};

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

/// Every kind, those of drift first, each group worst first.
pub fn all() -> impl Iterator<Item = &'static Entry> + Clone {
    drift::table().iter().chain(findings::table())
}

/// Reads a table; a test sees to it that it can be read.
pub(crate) fn read(table: &str) -> Vec<Entry> {
    yaml::from_str(table).unwrap_or_default()
}

/// A kind's name in texts.
pub(crate) fn id(kind: impl Serialize) -> String {
    let id = serde_json::to_value(kind).ok();
    id.and_then(|id| id.as_str().map(str::to_owned))
        .unwrap_or_default()
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
    use std::collections::BTreeSet;

    /// The kinds of a table, in its order.
    pub(crate) fn kinds_of<K: DeserializeOwned>(table: &[Entry]) -> Vec<K> {
        let kind = |entry: &Entry| serde_json::from_value(entry.id.as_str().into()).unwrap();
        table.iter().map(kind).collect()
    }

    #[test]
    fn no_name_stands_for_two_kinds() {
        let names: BTreeSet<&str> = all().map(|entry| entry.id.as_str()).collect();
        assert_eq!(names.len(), all().count());
    }
}
