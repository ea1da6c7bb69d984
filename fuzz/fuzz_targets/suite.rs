//! A suite: any files are read or refused in words, and a suite that is read gives a world.

#![no_main]

use std::collections::BTreeMap;
use std::path::Path;

use authz_pin::plan::{Filter, plan};
use authz_pin::suite::Suite;
use authz_pin::template::Templates;
use authz_pin::world::World;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    match Suite::parse(Path::new("suite"), &files(text)) {
        Ok(suite) => used(&suite),
        Err(mistakes) => assert!(!mistakes.to_string().is_empty()),
    }
});

/// The files of a seed, each after a line `=== NAME`.
fn files(text: &str) -> BTreeMap<String, String> {
    let parts = text.split("=== ").skip(1);
    let file = |part: &str| {
        let (name, text) = part.split_once('\n')?;
        Some((name.to_owned(), text.to_owned()))
    };
    parts.filter_map(file).collect()
}

fn used(suite: &Suite) {
    let _ = plan(suite, &Filter::default());
    let templates = Templates::new();
    if let Ok(world) = World::draw(suite, &templates, &BTreeMap::new()) {
        let _ = world.rows(suite, &templates);
    }
}
