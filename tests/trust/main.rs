//! The tool distrusts its own green: what a run could not know is said, ends with an exit code of its own, and is never
//! pinned.
//!
//! Each test drives the binary against a service that is told by the test how it behaves.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail like the tests"
)]

mod credentials;
mod doubt;
mod drafts;
mod hall;

#[expect(dead_code, reason = "the tests of the command line use the rest")]
#[path = "../cli/place.rs"]
mod place;
#[path = "../cli/served.rs"]
mod served;
