//! The sweep: every cell of a suite called upon a running service, and what came of it as records.
//!
//! [`sweep::sweep`] does it; [`service`] starts a service or takes one that runs, [`symbols`] gives values their names,
//! [`observe`] makes a cell of an answer, [`invariants`] says what in it is a finding. [`dry_run`] works out what a run would
//! send without a connection, [`calibrate`] what two runs of the same service differ in.

pub mod again;
pub mod calibrate;
pub mod conclusive;
mod credential;
pub mod dry_run;
pub mod har;
pub mod http;
pub mod invariants;
pub mod observe;
mod provision;
pub mod seen;
pub mod service;
pub mod shared;
pub mod stop;
pub mod sweep;
pub mod symbols;
mod verdicts;
