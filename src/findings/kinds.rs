//! The kinds of findings, as data.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use crate::drift::Level;
use crate::yaml;

/// Which invariant is broken. The order is the table's: worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "`kinds.yaml` says what each one is")]
pub enum Kind {
    DeniedButWrote,
    OthersSecretDisclosed,
    SecretAtRest,
    OtherTenantDisclosed,
    AnonymousAllowed,
    WorldChanged,
    Inversion,
    DeniedEverywhere,
    ServerError,
    NoAnswer,
    AllowedWithoutEffect,
    StatusDiffers,
}

/// What is to be said of a kind.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The kind.
    pub id: Kind,
    /// Its weight where it comes.
    pub level: Level,
    /// One line.
    pub title: String,
    /// What it means.
    pub explanation: String,
    /// What to do about it.
    pub remedy: String,
}

/// The table, worst first. It is part of the program, and a test reads it.
#[must_use]
pub fn table() -> &'static [Entry] {
    static TABLE: LazyLock<Vec<Entry>> =
        LazyLock::new(|| yaml::from_str(include_str!("kinds.yaml")).unwrap_or_default());
    &TABLE
}

impl Kind {
    /// What the table says of the kind.
    #[must_use]
    pub fn entry(self) -> Option<&'static Entry> {
        table().iter().find(|entry| entry.id == self)
    }

    /// The kind's name in texts.
    #[must_use]
    pub fn id(self) -> String {
        let id = serde_json::to_value(self).ok();
        id.and_then(|id| id.as_str().map(str::to_owned))
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_every_kind_once_and_in_the_order_of_the_type() {
        let kinds: Vec<Kind> = table().iter().map(|entry| entry.id).collect();
        assert_eq!(kinds.len(), Kind::StatusDiffers as usize + 1);
        assert!(
            kinds.is_sorted() && kinds.windows(2).all(|pair| pair[0] != pair[1]),
            "{kinds:?}"
        );
    }
}
