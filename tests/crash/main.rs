//! Whatever dies in the middle of a run, the database is afterwards what it was before.
//!
//! The tool, the service and the database server are processes of their own here, so that each can be killed alone.
//! CONTRIBUTING.md has the environment variables that make these tests longer.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail like the tests"
)]

mod arena;
mod database;
mod killed;
mod server;
mod service;
mod together;

#[expect(dead_code, reason = "the tests of the command line use the rest")]
#[path = "../cli/place.rs"]
mod place;
