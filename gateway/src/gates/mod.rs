//! The gates: each answers one question about a call, and refuses in the real service's words.

pub(crate) mod keys;
pub(crate) mod organization;
pub(crate) mod route;
pub(crate) mod team;
pub(crate) mod upper_bound;
