//! Why a database could not be used.

use authz_pin_suite::urls::shown;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;
use url::Url;

use crate::which::Which;

/// A database that could not be used.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// No connection.
    #[error("cannot connect to the database `{url}`: {reason}")]
    Unreachable {
        /// Where, without the password.
        url: String,
        /// Why, in the driver's words.
        reason: String,
    },
    /// A pooler hands connections on between transactions.
    #[error(
        "between here and the database `{url}` is a pooler that lends connections for a transaction or a statement only: locks and settings of a run would reach the transactions of others"
    )]
    Pooled {
        /// Where, without the password.
        url: String,
    },
    /// The journal in the database is not one that this version can read.
    #[error(
        "the database has a journal of another version of authz-pin: `authz-pin clean` of that version undoes what it left"
    )]
    OtherJournal,
    /// The journal in the database belongs to somebody else, whose functions would run with our rights.
    #[error(
        "the schema `authz_pin` of the database belongs to the role `{owner}`, and not to the one that connects"
    )]
    ForeignJournal {
        /// The role.
        owner: String,
    },
    /// A publication sends the journal's rows to its subscribers.
    #[error(
        "the publication `{name}` is for all tables: its subscribers would get the images of rows that the journal logs"
    )]
    Published {
        /// The publication.
        name: String,
    },
    /// Somebody keeps locks.
    #[error("cannot {task}, since locks are kept: {holders}")]
    Locked {
        /// What was to be done.
        task: String,
        /// The tables, and the sessions in the way.
        holders: String,
    },
    /// One database was given under two names.
    #[error("it is one of the service's other databases as well")]
    Twice,
    /// A table of the main database cannot be told from one of another.
    #[error(
        "the table `{table}` of the main database is called as one of the database `{name}` would be"
    )]
    Ambiguous {
        /// The table.
        table: String,
        /// The other database.
        name: String,
    },
    /// There are rows for a database of which no URL was given.
    #[error("the suite has rows for `{table}`, and no URL of the database `{name}` was given")]
    Absent {
        /// The table.
        table: String,
        /// The database.
        name: String,
    },
    /// It happened in one of the service's further databases.
    #[error("the database `{name}`")]
    In {
        /// The name that the suite has for it.
        name: String,
        /// What happened.
        source: Box<DatabaseError>,
    },
    /// The database answered something that is not understood. What is not known is never taken for nothing.
    #[error("cannot read {what} of the database")]
    Undecoded {
        /// What was asked for.
        what: &'static str,
        /// Why not.
        source: serde_json::Error,
    },
    /// Rows cannot be written as JSON.
    #[error("cannot write rows as JSON")]
    Rows(#[source] serde_json::Error),
    /// A statement failed.
    #[error("the database refused to {task}")]
    Refused {
        /// What was to be done.
        task: String,
        /// Why, in the database's words.
        #[source]
        source: diesel::result::Error,
    },
}

impl DatabaseError {
    /// The URL is kept without its password.
    pub(crate) fn unreachable(url: &str, reason: String) -> Self {
        Self::Unreachable {
            url: redacted(url),
            reason,
        }
    }

    pub(crate) fn locked(task: impl Into<String>, holders: impl Into<String>) -> Self {
        Self::Locked {
            task: task.into(),
            holders: holders.into(),
        }
    }

    /// The same, of this database.
    #[must_use]
    pub fn of(self, which: &Which) -> Self {
        match (which.name(), self) {
            (Some(name), source) if !matches!(source, Self::In { .. }) => Self::In {
                name: name.to_owned(),
                source: Box::new(source),
            },
            (_, error) => error,
        }
    }

    /// Whether a statement failed or its answer was not understood: such an error can repeat values.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        match self {
            Self::In { source, .. } => source.is_refused(),
            error => matches!(error, Self::Refused { .. } | Self::Undecoded { .. }),
        }
    }

    pub(crate) fn refused(task: impl Into<String>) -> impl FnOnce(diesel::result::Error) -> Self {
        |source| Self::Refused {
            task: task.into(),
            source,
        }
    }
}

/// What the database answered as JSON. What does not decode is an error, and never nothing.
pub(crate) fn decoded<T: DeserializeOwned>(
    what: &'static str,
    answer: Json,
) -> Result<T, DatabaseError> {
    serde_json::from_value(answer).map_err(|source| DatabaseError::Undecoded { what, source })
}

/// A database URL without its password.
#[must_use]
pub fn redacted(url: &str) -> String {
    // The query can hold a password as well.
    Url::parse(url).map_or_else(|_| "(not a URL)".to_owned(), |url| shown(&url))
}
