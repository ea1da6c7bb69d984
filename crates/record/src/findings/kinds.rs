//! The kinds of findings, as data.

use std::sync::LazyLock;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kinds::{self, Entry};

/// Which invariant is broken. The order is the table's: worst first.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "FindingKind")]
#[expect(missing_docs, reason = "`kinds.yaml` says what each one is")]
pub enum Kind {
    DeniedButWrote,
    OthersSecretDisclosed,
    SecretAtRest,
    OtherTenantDisclosed,
    OpenToEverybody,
    AnonymousAllowed,
    UnrepeatedWrite,
    WorldChanged,
    Inversion,
    DeniedEverywhere,
    CredentialEnded,
    ServerError,
    NoAnswer,
    AllowedWithoutEffect,
    StatusDiffers,
}

/// The table, worst first. It is part of the program, and a test reads it.
#[must_use]
pub fn table() -> &'static [Entry] {
    static TABLE: LazyLock<Vec<Entry>> = LazyLock::new(|| kinds::read(include_str!("kinds.yaml")));
    &TABLE
}

impl Kind {
    /// What the table says of the kind.
    #[must_use]
    pub fn entry(self) -> Option<&'static Entry> {
        kinds::entry(table(), self)
    }

    /// The kind that has that name in texts, if it is one.
    #[must_use]
    pub(crate) fn named(id: &str) -> Option<Self> {
        serde_json::from_value(id.into()).ok()
    }

    /// Whether findings of the kind are about one cell each.
    #[must_use]
    pub(crate) fn is_about_cells(self) -> bool {
        match self {
            Self::DeniedButWrote
            | Self::OthersSecretDisclosed
            | Self::SecretAtRest
            | Self::OtherTenantDisclosed
            | Self::AnonymousAllowed
            | Self::WorldChanged
            | Self::Inversion
            | Self::ServerError
            | Self::NoAnswer
            | Self::AllowedWithoutEffect => true,
            Self::OpenToEverybody
            | Self::UnrepeatedWrite
            | Self::DeniedEverywhere
            | Self::CredentialEnded
            | Self::StatusDiffers => false,
        }
    }

    /// The kind's name in texts.
    #[must_use]
    pub fn id(self) -> String {
        kinds::id(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::tests::kinds_of;

    #[test]
    fn the_table_has_every_kind_once_and_in_the_order_of_the_type() {
        let kinds: Vec<Kind> = kinds_of(table());
        assert_eq!(kinds.len(), Kind::StatusDiffers as usize + 1);
        assert!(
            kinds.is_sorted() && kinds.windows(2).all(|pair| pair[0] != pair[1]),
            "{kinds:?}"
        );
    }
}
