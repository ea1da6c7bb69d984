//! Where the journal is, and so how it learns of changes.

use std::borrow::Cow;

/// Where the journal's tables and functions are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::postgres) enum Home {
    /// In a schema beside the service's. Triggers fill it, all runs share it, and it outlives a run that dies.
    Schema,
    /// In what is temporary of the run's own session, where the role may put no triggers on the tables: those are compared. It
    /// ends with the session.
    Session,
}

impl Home {
    /// A statement that names the journal's schema, as it is to be asked.
    pub(in crate::postgres) fn sql(self, statement: &str) -> Cow<'_, str> {
        match self {
            Self::Schema => Cow::Borrowed(statement),
            Self::Session => Cow::Owned(statement.replace("authz_pin.", "pg_temp.")),
        }
    }

    /// Whether the tables are compared.
    pub(in crate::postgres) fn compares(self) -> bool {
        self == Self::Session
    }
}
