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
pub mod migrate;
pub mod pending_snapshots;
pub mod reason;
pub mod record;
pub mod reject;
pub mod review;
pub mod schema;
pub mod sensitivity;
pub mod serve;

use std::error::Error;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::Path;

use authz_pin_database::Leftover;
use authz_pin_database::guard::{GuardError, Refusal};
use authz_pin_database::{DatabaseError, file_of};
use authz_pin_record::chain::chain;
use authz_pin_record::record::ReadError;
use authz_pin_record::yaml;
use authz_pin_suite::diagnostic::{Diagnostic, Diagnostics, quoted};
use authz_pin_suite::plan::FilterError;
use authz_pin_suite::snapshot::SnapshotError;
use authz_pin_sweep::http::HttpError;
use authz_pin_sweep::service::{Launch, LaunchError, ServiceError};
use authz_pin_sweep::sweep::SweepError;

use crate::exit::Exit;

/// What a command works with.
pub struct Context<'a> {
    /// Where results go.
    pub out: &'a mut dyn Write,
    /// Where a person reads what else would be in the way of a program.
    pub err: &'a mut (dyn Write + Send),
    /// How many characters a line of results can have, where they go to a terminal.
    pub width: Option<usize>,
    /// The services that can be started.
    pub launchers: &'a [&'a dyn Launch],
}

/// A command that could not do its work. Its `Display` is what a person reads: the error with its causes, and the remedies.
#[derive(Debug)]
pub struct Failure {
    /// Of which kind it is; the exit code follows from that.
    pub exit: Exit,
    error: Box<dyn Error + Send + Sync>,
    help: Vec<String>,
}

/// What was being done when something else failed.
#[derive(Debug, thiserror::Error)]
#[error("{doing}")]
struct Doing {
    doing: String,
    source: Box<dyn Error + Send + Sync>,
}

impl Failure {
    /// A failure that has no cause but itself.
    fn new(exit: Exit, message: impl std::fmt::Display) -> Self {
        Self::of(exit, message.to_string())
    }

    /// A failure that is an error, whose causes are kept.
    fn of(exit: Exit, error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            exit,
            error: error.into(),
            help: Vec::new(),
        }
    }

    /// A failure with the error that caused it.
    fn because(
        exit: Exit,
        doing: impl Into<String>,
        cause: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        let (doing, source) = (doing.into(), cause.into());
        Self::of(exit, Doing { doing, source })
    }

    /// That a file which somebody named could not be worked on.
    fn file<'f>(task: &'f str, file: &'f Path) -> impl FnOnce(io::Error) -> Self + Copy + 'f {
        move |error| {
            let doing = format!("cannot {task} {}", quoted(&file.to_string_lossy()));
            Self::because(Exit::of_file(&error), doing, error)
        }
    }

    /// That a path cannot be told from where the tool runs.
    fn path(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        move |error| {
            let path = quoted(&path.to_string_lossy());
            let doing = format!("cannot resolve {path} from the working directory");
            Self::because(Exit::Io, doing, error)
        }
    }

    /// That nothing can be read from the terminal.
    fn terminal(error: io::Error) -> Self {
        Self::because(Exit::Io, "cannot read from the terminal", error)
    }

    fn help(self, help: impl Into<String>) -> Self {
        self.helps([help.into()])
    }

    fn helps(mut self, help: impl IntoIterator<Item = String>) -> Self {
        self.help.extend(help);
        self
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Diagnostics come with a heading and a help line of their own.
        if self.error.is::<Diagnostics>() {
            return write!(out, "{}", self.error);
        }
        write!(out, "error: {}", chain(self.error.as_ref()))?;
        self.help
            .iter()
            .try_for_each(|help| write!(out, "\n  = help: {help}"))
    }
}

impl From<Diagnostics> for Failure {
    fn from(mistakes: Diagnostics) -> Self {
        Self::of(Exit::Usage, mistakes)
    }
}

impl From<FilterError> for Failure {
    fn from(error: FilterError) -> Self {
        Self::of(Exit::Usage, error)
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
        let help = error.help();
        Self::of(exit, error).helps(help)
    }
}

/// What cannot be sent, at its place in the suite.
fn at_its_place(error: &SweepError) -> Option<Diagnostic> {
    let (SweepError::Template(cause) | SweepError::Values { error: cause, .. }) = error else {
        return None;
    };
    let spot = cause.spot.as_ref()?;
    let mistake = Diagnostic::new(&*spot.file, error.to_string()).at(spot.position);
    Some(mistake.maybe_help(cause.help.clone()))
}

impl From<SweepError> for Failure {
    fn from(error: SweepError) -> Self {
        if let Some(mistake) = at_its_place(&error) {
            return Diagnostics::from(mistake).into();
        }
        let (exit, help) = match &error {
            SweepError::Database(error) => of_database(error),
            SweepError::NoDatabase => {
                let help = "give the service's database with --database-url";
                (Exit::Usage, Some(help.to_owned()))
            }
            SweepError::Template(_)
            | SweepError::Values { .. }
            | SweepError::Http(
                HttpError::Path(_) | HttpError::Request { .. } | HttpError::Certificate(_),
            ) => (Exit::Usage, None),
            SweepError::Unwell(_) => (Exit::Inconclusive, None),
            SweepError::Interrupted => (Exit::Interrupted, None),
            SweepError::Setup {
                status: Some(429), ..
            } => {
                let help = "the service limits how often it is asked: raise that limit on the test instance";
                (Exit::Unreachable, Some(help.to_owned()))
            }
            SweepError::Reset { .. } => {
                let help =
                    "everything in the database is undone; correct `service.reset` of suite.yaml";
                (Exit::Unreachable, Some(help.to_owned()))
            }
            SweepError::Http(_)
            | SweepError::Gone(_)
            | SweepError::Refused(_)
            | SweepError::Setup { .. } => (Exit::Unreachable, None),
        };
        Self::of(exit, error).helps(help)
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
        let (exit, help) = of_database(&error);
        Self::of(exit, error).helps(help)
    }
}

/// Of which kind it is that a database could not be used, and what to do about it.
fn of_database(error: &DatabaseError) -> (Exit, Option<String>) {
    let (exit, help) = match error {
        DatabaseError::In { source, .. } => return of_database(source),
        DatabaseError::Absent { name, .. } => {
            let help = format!("give one with --database-url {name}=URL");
            return (Exit::Usage, Some(help));
        }
        DatabaseError::Unreachable { url, .. } if file_of(url).is_some() => (
            Exit::Unreachable,
            "give the path of the service's database, which the service makes, as `sqlite:PATH`",
        ),
        DatabaseError::Unreachable { url, .. } if !url.contains("://") => (
            Exit::Unreachable,
            "write --database-url as `postgres://USER:PASSWORD@HOST/DATABASE` or `sqlite:PATH`",
        ),
        DatabaseError::Unreachable { .. } => (
            Exit::Unreachable,
            "start the database, or correct --database-url",
        ),
        DatabaseError::Pooled { .. } => (
            Exit::Unreachable,
            "give the server itself with --database-url, or a pool in session mode (`pool_mode = session` of PgBouncer)",
        ),
        DatabaseError::ForeignJournal { .. } => (
            Exit::Unreachable,
            "connect as that role if the journal is its own; else have the schema dropped: nothing in it was run",
        ),
        DatabaseError::Published { .. } => {
            (Exit::Usage, "if they may have them: --allow-publication")
        }
        DatabaseError::Locked { .. } => (
            Exit::Unreachable,
            "end that session or its transaction, and run again",
        ),
        DatabaseError::Twice => (
            Exit::Usage,
            "give each database once, and under `service.databases` only those that are others",
        ),
        DatabaseError::Ambiguous { .. } => (
            Exit::Usage,
            "give the database another name under `service.databases` of suite.yaml",
        ),
        DatabaseError::Refused { .. }
        | DatabaseError::OtherJournal
        | DatabaseError::Undecoded { .. }
        | DatabaseError::Rows(_) => return (Exit::Unreachable, None),
    };
    (exit, Some(help.to_owned()))
}

impl From<GuardError> for Failure {
    fn from(error: GuardError) -> Self {
        let (exit, refusal) = match error {
            GuardError::Database(error) => return error.into(),
            GuardError::Refused(refusal @ Refusal::ReadOnly { .. }) => (Exit::Unreachable, refusal),
            GuardError::Refused(refusal) => (Exit::Usage, refusal),
        };
        let help = refusal.help();
        Self::of(exit, refusal).help(help)
    }
}

impl From<SnapshotError> for Failure {
    fn from(error: SnapshotError) -> Self {
        let (exit, help) = match &error {
            SnapshotError::File { source, .. } => (Exit::of_file(source), None),
            SnapshotError::Version { file, source } => {
                (Exit::Usage, Some(other_version(file, source)))
            }
            SnapshotError::Format(_) | SnapshotError::Header { .. } => (Exit::Usage, None),
        };
        Self::of(exit, error).helps(help)
    }
}

/// What to do about a record of another version.
fn other_version(file: &Path, error: &ReadError) -> String {
    let folder = file.parent().unwrap_or(Path::new("."));
    match error {
        ReadError::Older => format!(
            "`authz-pin migrate --snapshots {}` rewrites all records of that folder, and keeps what they say",
            folder.display()
        ),
        _ => "use the authz-pin that wrote it, or a later one".to_owned(),
    }
}

fn not_a_record(file: &Path, error: ReadError) -> Failure {
    if error.is_of_another_version() {
        return SnapshotError::Version {
            file: file.to_owned(),
            source: error,
        }
        .into();
    }
    let doing = format!("`{}` is not a record", file.display());
    Failure::because(Exit::Usage, doing, error)
}

impl From<yaml::Error> for Failure {
    fn from(error: yaml::Error) -> Self {
        Self::of(Exit::Bug, error)
    }
}

/// What came of writing a result.
fn written(written: io::Result<()>) -> Result<(), Failure> {
    written.map_err(|error| Failure::because(Exit::Io, "cannot write the result", error))
}

/// The same where a reader that has seen enough (`authz-pin list | head`) is no failure.
fn to_its_end(result: io::Result<()>) -> Result<(), Failure> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => written(result),
    }
}

/// What came of writing what is for a person, besides a result.
fn told(told: io::Result<()>) -> Result<(), Failure> {
    told.map_err(|error| Failure::because(Exit::Io, "cannot write to standard error", error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full() -> io::Error {
        io::ErrorKind::StorageFull.into()
    }

    #[test]
    fn a_failure_is_told_with_its_causes_and_every_remedy() {
        let failure = Failure::because(Exit::Io, "cannot write the result", full());
        assert_eq!(
            failure.help("make room").help("or wait").to_string(),
            "error: cannot write the result: no storage space\n  = help: make room\n  = help: or wait"
        );
    }

    #[test]
    fn a_snapshot_that_cannot_be_written_is_no_mistake_where_the_disk_is_full() {
        let refused = |source: io::Error| SnapshotError::File {
            task: "write",
            file: "a.snap".into(),
            source,
        };
        let failure = Failure::from(refused(full()));
        assert_eq!(failure.exit, Exit::Io);
        assert_eq!(
            failure.to_string(),
            "error: cannot write `a.snap`: no storage space"
        );
        let denied = refused(io::ErrorKind::PermissionDenied.into());
        assert_eq!(Failure::from(denied).exit, Exit::Usage);
    }

    #[test]
    fn a_closed_pipe_is_no_failure_only_where_a_reader_has_seen_enough() {
        let closed = || Err(io::ErrorKind::BrokenPipe.into());
        assert!(to_its_end(closed()).is_ok());
        assert_eq!(written(closed()).unwrap_err().exit, Exit::Io);
    }

    #[test]
    fn an_error_of_a_further_database_has_the_remedy_of_its_cause() {
        let twice = DatabaseError::In {
            name: "audit".to_owned(),
            source: Box::new(DatabaseError::Twice),
        };
        assert_eq!(
            Failure::from(SweepError::Database(twice)).to_string(),
            "error: the database `audit`: it is one of the service's other databases as well\n  = help: give each database \
             once, and under `service.databases` only those that are others"
        );
    }
}
