//! Why a sweep could not be done.

use authz_pin_database::DatabaseError;
use authz_pin_suite::template::TemplateError;

use crate::http::HttpError;

/// A sweep that could not be done.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// The service did not answer.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The service was there, and is no longer.
    #[error("the service is no longer ready: {0}")]
    Gone(String),
    /// The database could not be used.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// A statement failed, in the database's words, with names in place of known values.
    #[error("{0}")]
    Refused(String),
    /// A template of the suite failed with this run's values.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// The same, where it is known of what.
    #[error("{of}: {error}")]
    Values {
        /// A cell, or a member of the world.
        of: String,
        /// Which template, and why.
        error: TemplateError,
    },
    /// The suite inserts rows, and there is no database to insert them into.
    #[error("the suite's world has rows, and no database was given")]
    NoDatabase,
    /// A step of a setup failed.
    #[error("{step}: {reason}")]
    Setup {
        /// Which one.
        step: String,
        /// The status by which the service refused it.
        status: Option<u16>,
        /// What the service did, with names in place of known values.
        reason: String,
    },
    /// The service does not answer what it has answered before.
    #[error("the service is not well, nothing was swept:\n  {}", .0.join("\n  "))]
    Unwell(Vec<String>),
    /// The service could not be made to read its database again.
    #[error("the service cannot be reset: {step}: {reason}")]
    Reset {
        /// What was done.
        step: String,
        /// What came of it, with names in place of known values.
        reason: String,
    },
    /// Somebody stopped the run, and what it did was undone.
    #[error("interrupted")]
    Interrupted,
}

impl SweepError {
    /// The same where a template failed, with what it is of.
    pub(crate) fn of(self, of: impl std::fmt::Display) -> Self {
        match self {
            Self::Template(error) => Self::Values {
                of: of.to_string(),
                error,
            },
            other => other,
        }
    }
}
