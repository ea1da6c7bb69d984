//! What can go wrong with an embedded server, and what to do about it.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Output};
use std::time::Duration;

/// Why there is no embedded `PostgreSQL` server, or not the database asked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmbeddedError {
    /// No directory has `initdb` and `postgres`.
    #[error("no PostgreSQL server found in {}", list(searched))]
    NoBinaries {
        /// Where they were looked for.
        searched: Vec<PathBuf>,
    },
    /// The pinned release could not be downloaded.
    #[error("no PostgreSQL server found, and release {version} could not be downloaded: {reason}")]
    Download {
        /// The release's version.
        version: &'static str,
        /// What the download said.
        reason: String,
    },
    /// We are root, and there is no other user to run the server as.
    #[error(
        "PostgreSQL does not run as root, and there is no user `postgres` or `nobody` to run it as"
    )]
    NoAccount,
    /// The user that runs the server cannot get at something it needs.
    #[error("`{path}` is out of reach for {user}, who runs the server")]
    OutOfReach {
        /// What it needs.
        path: PathBuf,
        /// Who needs it.
        user: String,
    },
    /// A directory that we would trust was made by, or is open to, somebody else.
    #[error("`{path}` is not a directory of our own that only we can write to")]
    NotOurs {
        /// The directory.
        path: PathBuf,
    },
    /// No place for the server's files.
    #[error("no directory for the server's files: tried {}", list(tried))]
    NoRoom {
        /// The directories tried.
        tried: Vec<PathBuf>,
    },
    /// A file or directory could not be worked on.
    #[error("cannot {doing} `{path}`")]
    File {
        /// What was tried.
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A program could not be run at all.
    #[error("cannot run `{program}`")]
    Run {
        /// The program.
        program: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A program ran and failed.
    #[error("`{program}` failed{}", said(*status, output))]
    Failed {
        /// The program.
        program: PathBuf,
        /// How it ended.
        status: ExitStatus,
        /// What it printed.
        output: String,
    },
    /// The server ended instead of getting ready.
    #[error("the PostgreSQL server ended before it was ready; its log ends with:\n{log}")]
    Ended {
        /// The log's last lines.
        log: String,
    },
    /// The server did not get ready in time.
    #[error("the PostgreSQL server was not ready after {} s; its log ends with:\n{log}", patience.as_secs())]
    NotReady {
        /// How long we waited.
        patience: Duration,
        /// The log's last lines.
        log: String,
    },
    /// The server refused a connection.
    #[error("cannot connect to the embedded PostgreSQL server")]
    Connect(#[source] diesel::ConnectionError),
    /// The server refused a statement.
    #[error("the embedded PostgreSQL server refused to {doing}")]
    Query {
        /// What the statement was for.
        doing: String,
        /// What the server said.
        source: diesel::result::Error,
    },
    /// No async runtime could be made.
    #[error("cannot start an async runtime")]
    Runtime(#[source] io::Error),
}

impl EmbeddedError {
    /// A program that failed with this output.
    pub(super) fn failed(program: &Path, output: &Output) -> Self {
        let printed = [output.stdout.as_slice(), &output.stderr].concat();
        Self::Failed {
            program: program.to_owned(),
            status: output.status,
            output: String::from_utf8_lossy(&printed).into_owned(),
        }
    }

    /// What the user can do about it.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        let help = match self {
            Self::NoBinaries { .. } | Self::Download { .. } => {
                "install PostgreSQL's server (Debian, Ubuntu: `apt install postgresql`; Fedora: `dnf install \
                 postgresql-server`; macOS: `brew install postgresql`), set PG_BIN_DIR to the directory of `initdb` \
                 and `postgres`, or pass --database-url to use a running server"
            }
            Self::Run { .. } => {
                "mend that program, set PG_BIN_DIR to the directory of another `initdb` and `postgres`, or pass \
                 --database-url to use a running server"
            }
            Self::NoAccount => {
                "add a user `postgres`, run as another user than root, or pass --database-url"
            }
            Self::OutOfReach { .. } => {
                "open the path and what is above it to that user, or choose another place"
            }
            Self::NotOurs { .. } => "remove it, or choose another cache directory",
            Self::NoRoom { .. } => {
                "choose a data directory that exists, has 256 MB free, can be written by the user that runs the \
                 server, and has a path short enough for a socket (50 bytes)"
            }
            _ => return None,
        };
        Some(help.to_owned())
    }
}

/// Says of an `io::Error` what was being done to which path.
pub(super) trait InPath<T> {
    fn in_path(self, doing: &'static str, path: &Path) -> Result<T, EmbeddedError>;
}

impl<T> InPath<T> for io::Result<T> {
    fn in_path(self, doing: &'static str, path: &Path) -> Result<T, EmbeddedError> {
        self.map_err(|source| EmbeddedError::File {
            doing,
            path: path.to_owned(),
            source,
        })
    }
}

/// What a program printed as it failed; where that is nothing, how it ended.
fn said(status: ExitStatus, output: &str) -> String {
    match output.trim_end() {
        "" => format!(" ({status}) and printed nothing"),
        output => format!(":\n{output}"),
    }
}

fn list(paths: &[PathBuf]) -> String {
    let paths: Vec<_> = paths
        .iter()
        .map(|path| format!("`{}`", path.display()))
        .collect();
    paths.join(", ")
}
