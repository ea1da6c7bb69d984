//! The commands: one file each, with its arguments and one function.

pub mod accept;
pub mod arguments;
pub mod check;
pub mod clean;
pub mod completions;
pub mod coverage;
pub mod diff;
mod document;
pub mod explain;
pub mod init;
pub mod list;
pub mod man;
pub mod pending_snapshots;
pub mod reason;
pub mod record;
pub mod reject;
pub mod review;
pub mod schema;
pub mod sensitivity;
pub mod serve;

use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::Path;

use crate::database::DatabaseError;
use crate::diagnostic::Diagnostics;
use crate::exit::Exit;
use crate::guard::{GuardError, Refusal};
use crate::http::HttpError;
use crate::journal::Leftover;
use crate::plan::FilterError;
use crate::service::{Launch, LaunchError, ServiceError};
use crate::snapshot::SnapshotError;
use crate::sweep::SweepError;
use crate::yaml;

/// What a command works with.
pub struct Context<'a> {
    /// Where results go.
    pub out: &'a mut dyn Write,
    /// Where a person reads what else would be in the way of a program.
    pub err: &'a mut dyn Write,
    /// The services that can be started.
    pub launchers: &'a [&'a dyn Launch],
}

/// A command that could not do its work.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub exit: Exit,
    /// What went wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl Failure {
    fn new(exit: Exit, message: impl std::fmt::Display) -> Self {
        Self {
            exit,
            message: message.to_string(),
            help: None,
        }
    }

    fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Diagnostics come with a heading and a help line of their own.
        if self.message.starts_with("error") {
            return write!(out, "{}", self.message);
        }
        write!(out, "error: {}", self.message)?;
        self.help
            .iter()
            .try_for_each(|help| write!(out, "\n  = help: {help}"))
    }
}

impl From<Diagnostics> for Failure {
    fn from(mistakes: Diagnostics) -> Self {
        Self::new(Exit::Usage, mistakes)
    }
}

impl From<FilterError> for Failure {
    fn from(error: FilterError) -> Self {
        Self::new(Exit::Usage, error)
    }
}

impl From<ServiceError> for Failure {
    fn from(error: ServiceError) -> Self {
        let exit = match error {
            ServiceError::Database(error) => return error.into(),
            ServiceError::NoDefault(_)
            | ServiceError::UnknownLauncher { .. }
            | ServiceError::Http(HttpError::Path(_))
            | ServiceError::NoUrl(_)
            | ServiceError::Address(_)
            | ServiceError::Tls(_)
            | ServiceError::Launch {
                reason: LaunchError::Settings { .. },
                ..
            }
            | ServiceError::Template(_) => Exit::Usage,
            _ => Exit::Unreachable,
        };
        Self {
            exit,
            help: error.help(),
            message: error.to_string(),
        }
    }
}

impl From<SweepError> for Failure {
    fn from(error: SweepError) -> Self {
        let failure = Self::new(Exit::Unreachable, &error);
        match error {
            SweepError::NoDatabase => Self {
                exit: Exit::Usage,
                ..failure
            }
            .help("give the service's database with --database-url"),
            SweepError::Template(_)
            | SweepError::Values { .. }
            | SweepError::Http(HttpError::Path(_) | HttpError::Request { .. }) => Self {
                exit: Exit::Usage,
                ..failure
            },
            SweepError::Unwell(_) => Self {
                exit: Exit::Inconclusive,
                ..failure
            },
            SweepError::Interrupted => Self {
                exit: Exit::Interrupted,
                ..failure
            },
            SweepError::Database(error) => error.into(),
            SweepError::Setup {
                status: Some(429), ..
            } => failure.help(
                "the service limits how often it is asked: raise that limit on the test instance",
            ),
            SweepError::Reset { .. } => failure.help(
                "everything in the database is undone; correct `service.reset` of suite.yaml",
            ),
            SweepError::Http(_)
            | SweepError::Gone(_)
            | SweepError::Refused(_)
            | SweepError::Setup { .. } => failure,
        }
    }
}

/// What somebody else changed is left alone, and is for a person to look at.
fn nothing_left(leftovers: &[Leftover]) -> Result<(), Failure> {
    if leftovers.is_empty() {
        return Ok(());
    }
    let mut message = format!("{} changes could not be undone:", leftovers.len());
    for leftover in leftovers.iter().take(LEFTOVERS_SHOWN) {
        let _ = write!(message, "\n  {leftover}");
    }
    if leftovers.len() > LEFTOVERS_SHOWN {
        message.push_str("\n  ...");
    }
    Err(Failure::new(Exit::Unreachable, message)
        .help("look at these rows: they are as they were left by whoever changed them last"))
}

const LEFTOVERS_SHOWN: usize = 20;

/// What requests made and no request could remove is for a person to look at.
fn all_removed(left: &[String]) -> Result<(), Failure> {
    if left.is_empty() {
        return Ok(());
    }
    let mut message = format!(
        "{} things that the run made are left in the service:",
        left.len()
    );
    for left in left.iter().take(LEFTOVERS_SHOWN) {
        let _ = write!(message, "\n  {left}");
    }
    if left.len() > LEFTOVERS_SHOWN {
        message.push_str("\n  ...");
    }
    Err(Failure::new(Exit::Unreachable, message)
        .help("remove them by hand, or correct the suite's `teardown`"))
}

impl From<DatabaseError> for Failure {
    fn from(error: DatabaseError) -> Self {
        let failure = Self::new(Exit::Unreachable, &error);
        match error {
            DatabaseError::Unreachable { .. } => {
                failure.help("start the database, or correct --database-url")
            }
            DatabaseError::ForeignJournal { .. } => failure.help(
                "connect as that role if the journal is its own; else have the schema dropped: nothing in it was run",
            ),
            DatabaseError::Published { .. } => Self {
                exit: Exit::Usage,
                ..failure
            }
            .help("if they may have them: --allow-publication"),
            DatabaseError::Locked { .. } => {
                failure.help("end that session or its transaction, and run again")
            }
            DatabaseError::Twice => Self {
                exit: Exit::Usage,
                ..failure
            }
            .help("give each database once, and under `service.databases` only those that are others"),
            DatabaseError::Ambiguous { .. } => Self {
                exit: Exit::Usage,
                ..failure
            }
            .help("give the database another name under `service.databases` of suite.yaml"),
            DatabaseError::Absent { name, .. } => Self {
                exit: Exit::Usage,
                ..failure
            }
            .help(format!("give one with --database-url {name}=URL")),
            DatabaseError::In { source, .. } => {
                let of = Self::from(*source);
                Self {
                    message: failure.message,
                    ..of
                }
            }
            DatabaseError::Refused { .. } | DatabaseError::OtherJournal | DatabaseError::Catalog(_) => {
                failure
            }
        }
    }
}

impl From<GuardError> for Failure {
    fn from(error: GuardError) -> Self {
        let (exit, refusal) = match error {
            GuardError::Database(error) => return error.into(),
            GuardError::Refused(refusal @ Refusal::ReadOnly { .. }) => (Exit::Unreachable, refusal),
            GuardError::Refused(refusal) => (Exit::Usage, refusal),
        };
        Self::new(exit, &refusal).help(refusal.help())
    }
}

impl From<SnapshotError> for Failure {
    fn from(error: SnapshotError) -> Self {
        Self::new(Exit::Usage, error)
    }
}

fn not_a_record(file: &Path, error: &yaml::Error) -> Failure {
    Failure::new(
        Exit::Usage,
        format!("`{}` is not a record: {error}", file.display()),
    )
}

impl From<yaml::Error> for Failure {
    fn from(error: yaml::Error) -> Self {
        Self::new(Exit::Bug, error)
    }
}

/// A reader that has seen enough (`authz-pin list | head`) is no failure.
fn to_its_end(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::new(Exit::Usage, format!("cannot write the result: {error}"))
    }
}
