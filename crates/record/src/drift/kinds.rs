//! The kinds of drift, as data.

use std::sync::LazyLock;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kinds::{self, Entry, Level};

/// In which direction a record went. The order is the table's: worst first.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "`kinds.yaml` says what each one is")]
pub enum Kind {
    Widened,
    WroteWhileDenied,
    DisclosureWidened,
    FindingAdded,
    ListShowsMore,
    ValueShown,
    FlagTurned,
    RefusalTellsMore,
    ProbeChanged,
    EffectChanged,
    FaultChanged,
    RedirectChanged,
    Narrowed,
    GateChanged,
    StatusChanged,
    HeaderChanged,
    DisclosureNarrowed,
    RefusalTellsLess,
    ListShowsLess,
    ValueHidden,
    ValueChanged,
    ValuesRecorded,
    FindingRemoved,
    ShapeChanged,
    CellAdded,
    CellRemoved,
    Renamed,
    EndpointChanged,
    LayoutChanged,
    Unreadable,
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

    /// How much the kind weighs where a suite says nothing else.
    #[must_use]
    pub fn level(self) -> Level {
        self.entry().map_or(Level::Deny, |entry| entry.level)
    }

    /// Whether somebody can do or see more than before.
    #[must_use]
    pub fn is_wider(self) -> bool {
        matches!(
            self,
            Self::Widened
                | Self::WroteWhileDenied
                | Self::DisclosureWidened
                | Self::ListShowsMore
                | Self::ValueShown
                | Self::FlagTurned
                | Self::RefusalTellsMore
        )
    }

    /// Whether the kind is about what the record says of its cells, not about a cell.
    #[must_use]
    pub fn is_about_findings(self) -> bool {
        matches!(self, Self::FindingAdded | Self::FindingRemoved)
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
        assert_eq!(kinds.len(), Kind::Unreadable as usize + 1);
        assert!(
            kinds.is_sorted() && kinds.windows(2).all(|pair| pair[0] != pair[1]),
            "{kinds:?}"
        );
    }

    #[test]
    fn a_kinds_name_is_its_id_in_the_table() {
        assert_eq!(Kind::WroteWhileDenied.id(), "wrote-while-denied");
    }
}
