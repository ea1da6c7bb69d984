//! authz-pin.

pub mod embedded;
