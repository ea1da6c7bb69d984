//! Suites.

use std::collections::BTreeMap;
use std::path::Path;

use authz_pin::suite::Suite;
use authz_pin::template::Templates;
use authz_pin::world::World;
use proptest::prelude::*;

use super::support::{bomb, bytes, cases, mutated, read, soon};

const FILES: [&str; 4] = [
    "suite.yaml",
    "world.yaml",
    "targets.yaml",
    "endpoints/note-share.yaml",
];

fn notes() -> BTreeMap<String, String> {
    let text = |file: &str| read(&format!("tests/fixtures/notes/{file}"));
    FILES.map(|file| (file.to_owned(), text(file))).into()
}

/// Reads a suite, and draws a world where it is one.
fn used(texts: &BTreeMap<String, String>) -> Result<(), String> {
    let suite = Suite::parse(Path::new("suite"), texts).map_err(|mistakes| mistakes.to_string())?;
    let world = World::draw(&suite, &Templates::new(), &BTreeMap::new());
    world.map(|_| ()).map_err(|error| error.to_string())
}

fn used_with(file: &str, text: &str) -> Result<(), String> {
    let mut texts = notes();
    texts.insert(file.to_owned(), text.to_owned());
    used(&texts)
}

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn a_changed_file_is_read_or_refused_in_words((at, text) in (0..FILES.len()).prop_flat_map(|at| (Just(at), mutated(vec![notes()[FILES[at]].clone()])))) {
        if let Err(message) = used_with(FILES[at], &text) {
            prop_assert!(message.len() > 10, "{message}");
        }
    }

    #[test]
    fn any_bytes_are_refused_in_words(at in 0..FILES.len(), bytes in bytes()) {
        let message = used_with(FILES[at], &String::from_utf8_lossy(&bytes));
        prop_assert!(message.is_err_and(|message| message.len() > 10));
    }
}

proptest! {
    #![proptest_config(cases(40))]

    #[test]
    fn a_changed_file_of_the_litellm_suite_is_read_or_refused(text in mutated(vec![read("suites/litellm/world.yaml"), read("suites/litellm/suite.yaml"), read("suites/litellm/targets.yaml")])) {
        let mut texts = notes();
        for (file, part) in [("world.yaml", "kinds:"), ("suite.yaml", "name:"), ("targets.yaml", "targets:")] {
            if text.contains(part) {
                texts.insert(file.to_owned(), text.clone());
            }
        }
        let _ = used(&texts);
    }
}

#[test]
fn the_suite_that_is_changed_is_one() {
    used(&notes()).unwrap();
}

#[test]
fn aliases_of_aliases_are_refused_soon() {
    let bomb = bomb("", 20);
    let message = soon(move || used_with("world.yaml", &bomb)).unwrap_err();
    assert!(message.contains("stand for more than"), "{message}");
}

/// Each anchor would keep a copy of all that the ones within keep.
#[test]
fn anchors_within_anchors_are_refused_soon() {
    let opening = (0..60).map(|level| format!("&a{level} ["));
    let opening = opening.collect::<Vec<_>>().concat();
    let bomb = format!("{opening}{}{}", "x, ".repeat(100_000), "]".repeat(60));
    let message = soon(move || used_with("targets.yaml", &bomb)).unwrap_err();
    assert!(message.contains("stand for more than"), "{message}");
}

#[test]
fn brackets_without_end_are_refused_soon() {
    for open in ["[", "{a: ", "- ", "? ", "{", "[{"] {
        let text = open.repeat(200_000);
        assert!(soon(move || used_with("suite.yaml", &text)).is_err());
    }
}

#[test]
fn templates_that_loop_for_long_are_no_reason_to_wait() {
    let loops = "{% for a in range(99999) %}".repeat(8) + &"{% endfor %}".repeat(8);
    let big = "{{ 'x' * 99999999 }}{{ random(1) }}".repeat(20);
    for text in [loops, big] {
        let suite = notes()["suite.yaml"].replace("default: north", &format!("default: {text:?}"));
        let _ = soon(move || used_with("suite.yaml", &suite));
    }
}

#[test]
fn a_json_path_of_brackets_is_refused_soon() {
    for (open, close) in [("(", ")"), ("!(", ")"), ("@[?", "]"), ("(!", ")")] {
        for depth in [7, 15, 10_000] {
            let path = format!("$[?{}1{}]", open.repeat(depth), close.repeat(depth));
            let suite = notes()["suite.yaml"].replace("$.error.type", &format!("{path:?}"));
            let _ = soon(move || used_with("suite.yaml", &suite));
        }
    }
}
