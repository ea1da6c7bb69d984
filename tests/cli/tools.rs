//! What the tool writes for editors, shells and readers of manuals.

use std::fs;

use serde_json::Value;

use super::place::{Place, project};

fn schema(name: &str) -> Value {
    let text = Place::empty().run(&["schema", name]).result();
    serde_json::from_str(&text).unwrap()
}

fn read(place: &Place, file: &str) -> Value {
    let text = fs::read_to_string(place.path(file)).unwrap();
    serde_yaml::from_str(&text).unwrap()
}

#[test]
fn the_schemas_fit_the_files_of_a_suite_and_mark_a_mistake() {
    let place = Place::with("notes");
    for (name, file) in [
        ("suite", "suite.yaml"),
        ("world", "world.yaml"),
        ("targets", "targets.yaml"),
        ("endpoint", "endpoints/note-share.yaml"),
    ] {
        let schema = schema(name);
        let validator = jsonschema::validator_for(&schema).unwrap();
        let mut value = read(&place, &format!("notes/{file}"));
        assert!(validator.is_valid(&value), "{name}");
        value["misspelt"] = Value::Null;
        assert!(!validator.is_valid(&value), "{name}");
    }
}

#[test]
fn the_schemas_are_written_into_a_folder_or_printed_together() {
    let place = Place::empty();
    place.run(&["schema", "--out", "schemas"]).result();
    assert_eq!(place.files().len(), 4);
    let all: Value = serde_json::from_str(&place.run(&["schema"]).result()).unwrap();
    let written = fs::read_to_string(place.path("schemas/world.schema.json")).unwrap();
    let written: Value = serde_json::from_str(&written).unwrap();
    assert_eq!(all["world.schema.json"], written);
    assert_eq!(schema("world"), written);
}

#[test]
fn every_command_has_a_manual_page() {
    let place = Place::empty();
    let written = place.run(&["man", "--out", "man1"]).result();
    for name in [
        "authz-pin",
        "authz-pin-check",
        "authz-pin-init",
        "authz-pin-record",
    ] {
        assert!(written.contains(&format!("man1/{name}.1\n")), "{written}");
        let page = fs::read_to_string(place.path(&format!("man1/{name}.1"))).unwrap();
        assert!(
            page.contains(".SH NAME") && page.contains(".SH OPTIONS"),
            "{page}"
        );
    }
    let own = place.run(&["man"]).result();
    assert_eq!(
        own,
        fs::read_to_string(place.path("man1/authz-pin.1")).unwrap()
    );
}

#[test]
fn the_page_of_the_kinds_is_what_explain_prints() {
    let printed = Place::empty()
        .run(&["explain", "--format", "markdown"])
        .result();
    let page = fs::read_to_string(project().join("docs/kinds.md")).unwrap();
    assert!(
        page == printed,
        "docs/kinds.md is out of date: cargo run -- explain --format markdown > docs/kinds.md"
    );
}

#[test]
fn one_kind_is_explained_for_a_page_as_the_page_of_all_explains_it() {
    let one = Place::empty()
        .run(&["explain", "widened", "--format", "markdown"])
        .result();
    assert!(one.starts_with("\n### widened\n"), "{one}");
    let page = fs::read_to_string(project().join("docs/kinds.md")).unwrap();
    assert!(page.contains(&one), "{one}");
}
