//! Which runs are alive, and which of them sweep: locks of the operating system on small files beside the database, which end
//! with the process that has them.
//!
//! The database's own file is never opened here: who closes such a file lets go of all the locks that SQLite has on it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use crate::error::DatabaseError;
use crate::run::Presence;

/// The lock files of one run.
pub(super) struct Locks {
    base: PathBuf,
    token: String,
    /// Held while the run is alive.
    alive: File,
    /// Held while it sweeps.
    sweep: File,
    /// Held, shared, while it waits to sweep.
    wait: File,
}

const SWEEP: &str = "sweep";
const WAIT: &str = "wait";

/// A lock file beside a database.
fn beside(base: &Path, name: &str) -> PathBuf {
    let mut path = base.as_os_str().to_owned();
    path.push(format!(".authz-pin-{name}"));
    path.into()
}

fn open(base: &Path, name: &str) -> Result<File, DatabaseError> {
    let path = beside(base, name);
    let opened = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path);
    opened.map_err(|error| failed(&path, &error))
}

fn failed(path: &Path, error: &io::Error) -> DatabaseError {
    DatabaseError::Unreachable {
        url: path.display().to_string(),
        reason: error.to_string(),
    }
}

/// Whether the lock was had.
fn is_had(base: &Path, name: &str, lock: Result<(), TryLockError>) -> Result<bool, DatabaseError> {
    match lock {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(failed(&beside(base, name), &error)),
    }
}

impl Locks {
    /// Takes the lock of a run that begins, while no other run begins or ends.
    pub(super) fn begin(base: &Path, token: &str) -> Result<Self, DatabaseError> {
        let alive = open(base, token)?;
        if !is_had(base, token, alive.try_lock())? {
            return Err(DatabaseError::Twice);
        }
        Ok(Self {
            base: base.to_owned(),
            token: token.to_owned(),
            alive,
            sweep: open(base, SWEEP)?,
            wait: open(base, WAIT)?,
        })
    }

    /// Whether the run sweeps now, together with others or alone.
    pub(super) fn enter(&self, presence: Presence) -> Result<bool, DatabaseError> {
        let lock = match presence {
            Presence::Shared => self.sweep.try_lock_shared(),
            Presence::Alone => self.sweep.try_lock(),
        };
        is_had(&self.base, SWEEP, lock)
    }

    pub(super) fn leave(&self) -> Result<(), DatabaseError> {
        let left = self.sweep.unlock();
        left.map_err(|error| failed(&beside(&self.base, SWEEP), &error))
    }

    /// Says to the others that it waits, or does no longer.
    pub(super) fn wait(&self, waits: bool) -> Result<(), DatabaseError> {
        if waits {
            // Who has the lock for a moment only looks.
            is_had(&self.base, WAIT, self.wait.try_lock_shared()).map(drop)
        } else {
            let left = self.wait.unlock();
            left.map_err(|error| failed(&beside(&self.base, WAIT), &error))
        }
    }

    /// Whether another run waits.
    pub(super) fn is_wanted(&self) -> Result<bool, DatabaseError> {
        let is_free = is_had(&self.base, WAIT, self.wait.try_lock())?;
        if is_free {
            self.wait(false)?;
        }
        Ok(!is_free)
    }

    /// Ends the run.
    pub(super) fn end(self) -> Result<(), DatabaseError> {
        let path = beside(&self.base, &self.token);
        remove(&path)?;
        self.alive.unlock().map_err(|error| failed(&path, &error))
    }
}

/// The lock of a run that has died, and none of one that is alive.
pub(super) fn of_dead(base: &Path, token: &str) -> Result<Option<File>, DatabaseError> {
    let file = open(base, token)?;
    let is_dead = is_had(base, token, file.try_lock())?;
    Ok(is_dead.then_some(file))
}

/// Takes away what a dead run had.
pub(super) fn forget(base: &Path, token: &str) -> Result<(), DatabaseError> {
    remove(&beside(base, token))
}

/// Takes away all that runs had, while none is there, begins or ends: one that was killed as it began has left its own.
pub(super) fn remove_all(base: &Path) -> Result<(), DatabaseError> {
    strays(base)?.iter().try_for_each(|path| remove(path))
}

/// The lock files that there are beside a database.
pub(super) fn strays(base: &Path) -> Result<Vec<PathBuf>, DatabaseError> {
    let directory = base.parent().unwrap_or(Path::new("/"));
    let start = beside(base, "");
    let start = start.file_name().unwrap_or_default().as_encoded_bytes();
    let entries = std::fs::read_dir(directory).map_err(|error| failed(directory, &error))?;
    let mut strays = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| failed(directory, &error))?;
        if entry.file_name().as_encoded_bytes().starts_with(start) {
            strays.push(entry.path());
        }
    }
    Ok(strays)
}

fn remove(path: &Path) -> Result<(), DatabaseError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(path, &error)),
        _ => Ok(()),
    }
}
