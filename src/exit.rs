//! Exit codes: one enum, one meaning each.

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
    /// A bug in the tool.
    Bug = 70,
    /// Somebody stopped the tool; what it did was undone. 128 + SIGINT, as shells have it.
    Interrupted = 130,
}

impl Termination for Exit {
    fn report(self) -> ExitCode {
        ExitCode::from(self as u8)
    }
}
