//! The suite: a folder of YAML that says who calls, what is called upon, and how.
//!
//! [`Suite::load`](suite::Suite::load) reads one with every mistake of every file at once, each at its place. [`plan`] makes
//! the cells of a run of it, [`world`] draws the values of its entities with the expressions of [`template`]. Nothing here
//! asks a service or a database. [`snapshot`] keeps what was accepted of a suite,
//! [`init`] drafts one of what is known about a service.

pub mod diagnostic;
pub mod file;
pub mod init;
pub mod openapi;
pub mod operations;
pub mod place;
pub mod plan;
pub mod secrets;
pub mod sendable;
pub mod snapshot;
pub mod suite;
pub mod tables;
pub mod template;
pub mod urls;
pub mod world;
pub mod yaml;
