//! An OpenAPI document: any bytes are read or refused, and coverage can be reported of what was read.

#![no_main]

use std::path::Path;
use std::sync::LazyLock;

use authz_pin::coverage::{self, Coverage};
use authz_pin::openapi;
use authz_pin::suite::Suite;
use libfuzzer_sys::fuzz_target;

static SUITE: LazyLock<Suite> = LazyLock::new(|| {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../suites/litellm");
    Suite::load(Path::new(folder)).expect("the suite of the project")
});

fuzz_target!(|data: &[u8]| {
    let operations = match openapi::read(Path::new("api"), data) {
        Ok(operations) => operations,
        Err(mistakes) => return assert!(!mistakes.to_string().is_empty()),
    };
    let coverage = Coverage::of(operations, &SUITE);
    let mut out = Vec::new();
    coverage::human(&mut out, &coverage).expect("memory takes all");
    coverage::json(&mut out, "suite", "api", &coverage).expect("memory takes all");
});
