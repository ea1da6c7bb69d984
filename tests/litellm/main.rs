//! The LiteLLM suite on the reference gateway.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a helper of a test that cannot go on fails the test"
)]

mod boundaries;
mod determinism;
mod ends;
mod facts;
mod holes;
mod pins;
mod planted;
mod rights;
mod support;
mod tables;
