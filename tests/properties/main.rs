//! What holds for any input: nothing panics, hangs or takes all memory, what is written reads back, and no secret gets
//! through.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail like the tests"
)]

mod answer;
mod drift;
mod fresh;
mod init;
mod openapi;
mod printed;
mod printing;
mod record;
mod sensitivity;
mod snapshot;
mod suite;
mod support;
mod values;
