//! The tool meets a service as it is: one that truncates, remembers, sleeps, idles in a transaction, has rules, roles and
//! schemas of its own. Afterwards every table is equal, and what could not be is named.
//!
//! Each test drives the binary against a service that runs whatever SQL a call says.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail like the tests"
)]

mod arbitrary;
mod background;
mod base;
mod checkout;
mod compared;
mod data;
mod databases;
mod foreign;
mod idle;
mod interrupted;
mod late;
mod late_tables;
mod limits;
mod loss;
mod memory;
mod partitions;
mod patience;
mod planted;
mod pooler;
mod publication;
mod run;
mod schemas;
mod seeds;
mod shapes;
mod shared;
mod speed;
mod stage;
mod tls;
mod toy;
mod waiting;
mod writer;

#[expect(dead_code, reason = "the tests of the command line use the rest")]
#[path = "../cli/place.rs"]
mod place;
