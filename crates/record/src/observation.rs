//! What one cell showed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fault::Reply;
use crate::record::{Decision, Probed, Values, Verdict};

/// What one cell showed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Observation {
    /// Whether the service let the call through; of a paged answer, as decided of the first that is not a success. None
    /// before there is an answer.
    pub decision: Option<Decision>,
    /// The refusal as the service words it, normalised, or where a redirect leads.
    pub gate: Option<String>,
    /// What the headers say of access, a line each.
    pub headers: BTreeSet<String>,
    /// What a refusal tells besides, by the paths of its fields.
    pub also: BTreeMap<String, String>,
    /// The identifiers that the response held, as `entity.field`.
    pub discloses: BTreeSet<String>,
    /// What the body of a success or of a redirect shows in its fields; none where values are not recorded.
    pub values: Option<Values>,
    /// The field paths of the body of a success or of a redirect.
    pub shape: Option<BTreeSet<String>>,
    /// The row changes, or none where the database could not be observed.
    pub effects: Option<Vec<Effect>>,
    /// What each follow-up request brought.
    pub probes: IndexMap<String, Probed>,
}

impl Observation {
    /// One that shows nothing but its answer.
    #[must_use]
    pub fn of(reply: Reply) -> Self {
        Self {
            decision: Some(Decision::by_status(reply)),
            ..Self::default()
        }
    }

    /// Adds what one answer of several was: the last one counts, but for what an earlier one refused in part.
    pub fn answered(&mut self, decision: Decision, gate: Option<String>) {
        let earlier = self
            .decision
            .take()
            .filter(|_| decision.verdict().is_allowed());
        let Some(earlier) = earlier.filter(|earlier| !earlier.refused().is_empty()) else {
            (self.decision, self.gate) = (Some(decision), gate);
            return;
        };
        let refused = earlier.refused() | decision.refused();
        let gates: BTreeSet<String> = self.gate.take().into_iter().chain(gate).collect();
        self.gate = Some(gates.into_iter().collect::<Vec<_>>().join("; "));
        self.decision = Some(earlier.but_for(refused));
    }

    /// The HTTP status; none where there is no answer.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.decision.as_ref().and_then(Decision::status)
    }

    /// Whether the service let the call through, as far as that is known.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let decision = self.decision.as_ref();
        decision.map_or(Verdict::Fault, Decision::verdict)
    }
}

/// What happened to a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names are SQL's")]
pub enum Operation {
    Insert,
    Update,
    Delete,
}

impl Operation {
    /// All there are.
    pub const ALL: [Self; 3] = [Self::Insert, Self::Update, Self::Delete];

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
#[serde(deny_unknown_fields)]
pub struct RowChange {
    /// The row by its primary key; of a table without one, nothing.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub row: String,
    /// The columns that were written, sorted by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "columns")]
    #[schemars(with = "IndexMap<String, ColumnChange>")]
    pub columns: Vec<(String, ColumnChange)>,
}

impl RowChange {
    /// What the change says of a column.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&ColumnChange> {
        let found = self.columns.iter().find(|(column, _)| column == name);
        found.map(|(_, change)| change)
    }
}

/// What was written to a column.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(untagged, deny_unknown_fields)]
pub enum ColumnChange {
    /// The value that an insert set, or that an update set where what was there has the same name: a moment that moved.
    Set(String),
    /// What an update found and what it left.
    Changed {
        /// What was there.
        old: String,
        /// What is there now.
        new: String,
    },
}

impl ColumnChange {
    /// The value that the column has now.
    #[must_use]
    pub fn written(&self) -> &str {
        match self {
            Self::Set(new) | Self::Changed { new, .. } => new,
        }
    }

    /// The same with other values in place of its own.
    #[must_use]
    pub fn map(&self, value: impl Fn(&str) -> String) -> Self {
        match self {
            Self::Set(new) => Self::Set(value(new)),
            Self::Changed { old, new } => Self::Changed {
                old: value(old),
                new: value(new),
            },
        }
    }
}

impl fmt::Display for ColumnChange {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Set(new) => out.write_str(new),
            Self::Changed { old, new } => write!(out, "{old} -> {new}"),
        }
    }
}

/// Columns are a list of pairs in memory, so that effects have an order, and a mapping in a file.
mod columns {
    use indexmap::IndexMap;
    use serde::{Deserialize, Deserializer, Serializer};

    use super::ColumnChange;

    pub(super) fn serialize<S: Serializer>(
        columns: &[(String, ColumnChange)],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_map(columns.iter().map(|(name, change)| (name, change)))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<(String, ColumnChange)>, D::Error> {
        IndexMap::<String, ColumnChange>::deserialize(deserializer)
            .map(|columns| columns.into_iter().collect())
    }
}
