//! Row changes as the database logs them.

use std::collections::BTreeSet;

use authz_pin_record::observation::Operation;
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Bool, Jsonb, Nullable, Text};
use serde_json::Value as Json;

use crate::database::{DatabaseError, Serial, Which, decoded};

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

#[derive(QueryableByName)]
pub(super) struct Logged {
    #[diesel(sql_type = BigInt)]
    seq: i64,
    #[diesel(sql_type = BigInt)]
    transaction: i64,
    #[diesel(sql_type = Text)]
    tbl: String,
    #[diesel(sql_type = Text)]
    op: String,
    #[diesel(sql_type = Nullable<Jsonb>)]
    old: Option<Json>,
    #[diesel(sql_type = Nullable<Jsonb>)]
    new: Option<Json>,
    #[diesel(sql_type = Bool)]
    is_adopted: bool,
    #[diesel(sql_type = BigInt)]
    began: i64,
    #[diesel(sql_type = BigInt)]
    at: i64,
}

impl Change {
    /// What this database has logged.
    pub(super) fn of(which: &Which, logged: Logged) -> Result<Self, DatabaseError> {
        let operation: Operation = decoded("a change in the journal", logged.op.into())?;
        let [old, new] = [logged.old, logged.new].map(Option::unwrap_or_default);
        Ok(Self {
            seq: which.serial(logged.seq),
            transaction: which.serial(logged.transaction),
            table: which.table(&logged.tbl),
            operation,
            old,
            new,
            clock: Clock {
                began: logged.began,
                at: logged.at,
            },
            is_adopted: logged.is_adopted,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use authz_pin_record::chain::chain;

    #[test]
    fn a_change_of_a_kind_that_is_not_known_is_not_a_row_that_was_deleted() {
        let logged = Logged {
            seq: 1,
            transaction: 1,
            tbl: "note".to_owned(),
            op: "truncate".to_owned(),
            old: None,
            new: None,
            is_adopted: false,
            began: 0,
            at: 0,
        };
        assert_eq!(
            chain(&Change::of(&Which::default(), logged).unwrap_err()),
            "cannot read a change in the journal of the database: unknown variant `truncate`, expected one of `insert`, `update`, `delete`"
        );
    }
}
