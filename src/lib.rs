//! authz-pin pins what an HTTP service really does about authorization.
//!
//! One straight pipeline, a module per stage, in the order in which to read them:
//!
//! [`suite`] -> [`plan`] -> [`world`] -> [`sweep`] -> [`database`] -> [`record`] -> [`drift`] -> [`report`] -> [`exit`]

pub mod asks;
pub mod commands;
pub mod coverage;
pub mod exit;
pub mod explain;
pub mod orphan;
pub mod pins;
pub mod report;
pub mod review;
pub mod sensitivity;
pub mod share;
pub mod terminal;

pub use authz_pin_database as database;
pub use authz_pin_database::{embedded, guard};
pub use authz_pin_record::{
    causes, chain, digest, drift, fault, findings, kinds, observation, record,
};
pub use authz_pin_suite::{
    diagnostic, init, openapi, plan, snapshot, suite, template, world, yaml,
};
pub use authz_pin_sweep::{
    calibrate, dry_run, har, http, invariants, observe, seen, service, stop, sweep, symbols,
};
