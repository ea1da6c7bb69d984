//! authz-pin.

pub mod diagnostic;
pub mod yaml;
