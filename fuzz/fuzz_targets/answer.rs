//! An answer of a service: whatever it says, no value of the run gets into what is kept of it.

#![no_main]

use std::path::Path;
use std::sync::LazyLock;

use authz_pin::http::{Answer, Body, HeaderMap};
use authz_pin::observe;
use authz_pin::suite::{Suite, SuiteFile};
use authz_pin::symbols::{Namer, Registry, View};
use authz_pin::world::{Class, Field, Instance};
use libfuzzer_sys::fuzz_target;

/// Some overlap with others, begin like them or are a part of them.
const VALUES: [(usize, Class, &str); 6] = [
    (0, Class::Secret, "sk-abababab"),
    (0, Class::Symbol, "ababab-user"),
    (1, Class::Secret, "sk-ababababab"),
    (1, Class::Symbol, "b-user-b-user"),
    (0, Class::Mask, "sk-...abab"),
    (1, Class::Secret, "p\"ss\\word é"),
];

const VIEW: View<'static> = View {
    cell: 0,
    actor: "owner",
};

static SUITE: LazyLock<SuiteFile> = LazyLock::new(|| {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../suites/litellm");
    Suite::load(Path::new(folder)).expect("the suite of the project").file
});

static NAMER: LazyLock<Namer> = LazyLock::new(|| {
    let mut registry = Registry::default();
    for (cell, class, value) in VALUES {
        let value = value.to_owned();
        let mut instance = Instance::default();
        instance.fields.insert("key".to_owned(), Field { value, class });
        registry.add_cell_entity(cell, "target", &instance);
    }
    registry.build()
});

fuzz_target!(|data: &[u8]| {
    let Some((first, bytes)) = data.split_first() else {
        return;
    };
    let status = if first % 2 == 0 { 200 } else { 403 };
    let body = Body::read(bytes);
    named(&String::from_utf8_lossy(bytes));
    let shown = observe::answer(&SUITE, "key-info", &NAMER, VIEW, &Answer { status, body, redirect: None, url: None, headers: HeaderMap::new() });
    let gate = shown.gate.into_iter();
    let told = shown.also.into_iter().flat_map(|(path, value)| [path, value]);
    let values = shown.values.into_iter().flatten().flat_map(|(path, value)| [path, value.to_string()]);
    let kept = gate.chain(told).chain(values).chain(shown.headers).chain(shown.discloses).chain(shown.shape.into_iter().flatten());
    kept.for_each(|text| assert!(!leaks(&text), "{text}"));
});

fn named(text: &str) {
    let once = NAMER.name(text, VIEW);
    assert!(!leaks(&once.text), "{}", once.text);
    assert_eq!(NAMER.name(&once.text, VIEW).text, once.text);
}

fn leaks(text: &str) -> bool {
    VALUES.iter().any(|(_, _, value)| text.contains(value))
}
