//! What survives of the reference gateway's mutants when the pinned matrix is their test.
//!
//! `cargo mutants` changes the gateway's source in one place at a time and runs `tests/pinned.rs`, which sweeps the
//! LiteLLM suite on what came of it. A mutant that passes is a change to who may do what that the matrix does not
//! notice, unless [`triage`] says why it is none.

pub mod triage;
