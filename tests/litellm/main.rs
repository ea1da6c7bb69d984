//! The LiteLLM suite on the reference gateway.

mod boundaries;
mod determinism;
mod facts;
mod holes;
mod pins;
mod support;
