//! The reference gateway: LiteLLM's key-management API with its authorization gates, in Rust.
//!
//! It answers as the proxy 1.85.1 does (statuses, error types, messages, bodies) and writes the same rows, so that a
//! suite can be tried, and its snapshots compared, without the real service. It is a reference of *behaviour*: what the
//! real service decides is here, how it decides it is not.
//!
//! A request takes one path: `server` routes it, `call` authenticates it and holds it against the route gate, a
//! module of `handlers` applies its own `gates` in the real order and reads or writes rows through `store`.
//! A [`Hole`] removes exactly one gate, to show what a sweep makes of it.

#![recursion_limit = "256"] // the answer of `/key/generate` is one `json!` of 49 fields

mod call;
mod caller;
mod database;
mod denial;
mod duration;
mod error;
mod fields;
mod gates;
mod handlers;
mod hole;
mod prepared;
mod python;
mod query;
mod rows;
#[expect(non_snake_case, reason = "the tables have LiteLLM's own names")]
mod schema;
mod server;
mod settings;
mod store;
mod wide;
mod wire;

pub use database::migrate;
pub use error::GatewayError;
pub use hole::{Hole, UnknownHole};
pub use server::Gateway;
pub use settings::{Settings, UpperBound};
