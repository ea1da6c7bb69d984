//! Exit codes: one enum, one meaning each.

use std::io;
use std::process::{ExitCode, Termination};

/// How the tool ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Everything is as pinned.
    AsPinned = 0,
    /// A record differs from its snapshot, or has none yet, a snapshot belongs to no endpoint, the time of a reason is over, a
    /// pinned finding is one to fail on, or less is swept or noticed than was asked for.
    Drift = 1,
    /// The command line or the suite is not valid, or the database that it names is not one for tests.
    Usage = 2,
    /// The service or the database could not be reached or refused to work.
    Unreachable = 3,
    /// The filter selects no cell, or nothing waits for review.
    NothingSelected = 4,
    /// The same sweep gave two different records.
    Unstable = 5,
    /// What was answered says nothing of authorization, or not enough: a credential does not work, the service was not well,
    /// nobody was allowed anything, or the suite is a draft.
    Inconclusive = 6,
    /// For `git bisect run`: the check said nothing of this commit, so another one is to be tried.
    Untold = 125,
    /// A bug in the tool.
    Bug = 70,
    /// What was asked for is valid, and the result could not be written, or the terminal, the working directory or the disk
    /// could not be used. As `sysexits.h` has it.
    Io = 74,
    /// Somebody stopped the tool; what it did was undone. 128 + SIGINT, as shells have it.
    Interrupted = 130,
}

impl Exit {
    /// What the failure of work on a file says that somebody named: a wrong name is a slip of theirs, and a full disk is not.
    #[must_use]
    pub fn of_file(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound
            | io::ErrorKind::PermissionDenied
            | io::ErrorKind::ReadOnlyFilesystem
            | io::ErrorKind::AlreadyExists
            | io::ErrorKind::NotADirectory
            | io::ErrorKind::IsADirectory
            | io::ErrorKind::DirectoryNotEmpty
            | io::ErrorKind::InvalidFilename
            | io::ErrorKind::InvalidInput
            | io::ErrorKind::InvalidData => Self::Usage,
            _ => Self::Io,
        }
    }
}

impl Termination for Exit {
    fn report(self) -> ExitCode {
        ExitCode::from(self as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_name_is_a_slip_and_a_full_disk_is_not() {
        let of = |kind: io::ErrorKind| Exit::of_file(&kind.into());
        assert_eq!(of(io::ErrorKind::NotFound), Exit::Usage);
        assert_eq!(of(io::ErrorKind::PermissionDenied), Exit::Usage);
        assert_eq!(of(io::ErrorKind::StorageFull), Exit::Io);
        assert_eq!(of(io::ErrorKind::BrokenPipe), Exit::Io);
        assert_eq!(Exit::Io as u8, 74);
    }
}
