//! What a suite can begin with: of any document or recording that can be read, what is made is a suite.

#![no_main]

use std::path::Path;

use authz_pin::init::{self, Draft, Source};
use authz_pin::openapi;
use authz_pin::suite::Suite;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let document = openapi::describe(Path::new("api"), data).ok();
    let recording = init::read_har(data).ok();
    let sources = document
        .map(Source::from)
        .into_iter()
        .chain(recording.map(|recording| recording.source));
    for source in sources.filter(|source| !source.actions.is_empty()) {
        let actions = source.actions.len();
        let files = init::files(&Draft::new("made", source)).expect("every page can be filled in");
        match Suite::parse(Path::new("made"), &files) {
            Ok(suite) => assert_eq!(suite.endpoints.len(), actions),
            Err(mistakes) => panic!("{mistakes}"),
        }
    }
});
