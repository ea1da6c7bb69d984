//! Row changes as the journal's queries give them.

use authz_pin_record::observation::Operation;
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Bool, Jsonb, Nullable, Text};
use serde_json::Value as Json;

use crate::change::{Change, Clock};
use crate::error::{DatabaseError, decoded};
use crate::which::Which;

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

impl Logged {
    /// The change.
    pub(super) fn change(self, which: &Which) -> Result<Change, DatabaseError> {
        let operation: Operation = decoded("a change in the journal", self.op.into())?;
        let [old, new] = [self.old, self.new].map(Option::unwrap_or_default);
        Ok(Change {
            seq: which.serial(self.seq),
            transaction: which.serial(self.transaction),
            table: which.table(&self.tbl),
            operation,
            old,
            new,
            clock: Clock {
                began: self.began,
                at: self.at,
            },
            is_adopted: self.is_adopted,
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
            chain(&logged.change(&Which::default()).unwrap_err()),
            "cannot read a change in the journal of the database: unknown variant `truncate`, expected one of `insert`, `update`, `delete`"
        );
    }
}
