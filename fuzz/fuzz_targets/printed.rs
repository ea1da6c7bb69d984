//! Two answers of a service: whatever they say, no line that is printed of them begins with their words, and no character of
//! theirs steers a terminal.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/properties/printing.rs"]
mod printing;

fuzz_target!(|texts: (&str, &str)| {
    let faults = printing::faults(texts.0, texts.1);
    assert!(faults.is_empty(), "{faults:#?}");
});
