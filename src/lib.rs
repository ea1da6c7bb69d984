//! authz-pin pins what an HTTP service really does about authorization.
//!
//! One straight pipeline, a module per stage, in the order in which to read them:
//!
//! [`suite`] -> [`plan`] -> [`world`] -> [`sweep`] -> [`journal`] -> [`record`] -> [`drift`] -> [`report`] -> [`exit`]

pub mod asks;
mod blocking;
pub mod calibrate;
pub mod causes;
pub mod chain;
pub mod commands;
mod conclusive;
pub mod coverage;
mod credential;
pub mod database;
pub mod diagnostic;
pub mod drift;
pub mod dry_run;
pub mod embedded;
pub mod exit;
pub mod explain;
pub mod fault;
mod file;
pub mod findings;
pub mod guard;
pub mod har;
pub mod http;
pub mod init;
pub mod journal;
pub mod kinds;
pub mod observation;
pub mod observe;
pub mod openapi;
pub mod orphan;
pub mod pins;
pub mod plan;
mod provision;
pub mod record;
pub mod report;
pub mod review;
pub mod seen;
pub mod sensitivity;
pub mod service;
pub mod share;
mod shared;
pub mod snapshot;
pub mod stop;
pub mod suite;
pub mod sweep;
pub mod symbols;
pub mod template;
pub mod terminal;
mod tether;
mod text;
mod verdicts;
pub mod world;
pub mod yaml;
