//! Row changes, as databases log them.

use std::collections::BTreeSet;

use authz_pin_record::observation::Operation;
use serde_json::Value as Json;

use crate::which::Serial;

/// One row change as the database logged it.
#[derive(Debug, Clone)]
pub struct Change {
    /// The change's number; later changes of the same database have higher ones.
    pub seq: Serial,
    /// The transaction that made it.
    pub transaction: Serial,
    /// The row's table.
    pub table: String,
    /// What happened to the row.
    pub operation: Operation,
    /// The row before.
    pub old: Json,
    /// The row after.
    pub new: Json,
    /// When it was made.
    pub clock: Clock,
    /// Whether the row was found in a table that had not been watched, and can be the copy of one that was there before.
    pub is_adopted: bool,
}

/// When a change was made, by the clock of its database, in microseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Clock {
    /// When the run began that the change belongs to.
    pub began: i64,
    /// When it was made.
    pub at: i64,
}

impl Change {
    /// What was done to which table.
    #[must_use]
    pub fn kind(&self) -> String {
        format!("{} `{}`", self.operation.as_str(), self.table)
    }

    /// The columns that an update changed.
    #[must_use]
    pub fn changed(&self) -> BTreeSet<String> {
        let (Some(old), Some(new)) = (self.old.as_object(), self.new.as_object()) else {
            return BTreeSet::new();
        };
        let is_changed = |(column, value): &(&String, &Json)| old.get(*column) != Some(*value);
        let changed = new.iter().filter(is_changed);
        changed.map(|(column, _)| column.clone()).collect()
    }

    /// Both images as one text, to look for symbols in.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{} {}", self.old, self.new)
    }
}
