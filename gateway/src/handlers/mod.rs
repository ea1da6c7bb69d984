//! The endpoints: each asks its gates in the real order, then reads or writes.

pub(crate) mod delete;
pub(crate) mod generate;
pub(crate) mod info;
pub(crate) mod list;
pub(crate) mod openapi;
pub(crate) mod regenerate;
pub(crate) mod service_account;
pub(crate) mod update;

mod alias;
mod changes;
