//! authz-pin.
