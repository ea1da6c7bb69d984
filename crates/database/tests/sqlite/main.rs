//! SQLite as the database of a service: real files, and a second connection that plays the service.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test may stop at once"
)]

mod attribution;
mod conflicts;
mod guard;
mod killed;
mod kinds;
mod others;
mod property;
mod references;
mod schema;
mod service;
mod speed;
mod together;
mod values;
