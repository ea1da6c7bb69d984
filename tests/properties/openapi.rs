//! OpenAPI documents.

use std::path::Path;

use authz_pin::coverage::{self, Coverage};
use authz_pin::openapi;
use authz_pin::suite::Suite;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

use super::support::{bytes, cases, mutated, project, read, soon, text};

/// Reads a document, and reports its coverage where it is one.
fn used(bytes: &[u8]) -> Result<Coverage, String> {
    let operations = openapi::read(Path::new("api"), bytes).map_err(|error| error.to_string())?;
    let suite = Suite::load(&project().join("tests/fixtures/notes")).unwrap();
    let coverage = Coverage::of(operations, &suite);
    let mut out = Vec::new();
    coverage::human(&mut out, &coverage).unwrap();
    assert!(!out.contains(&0x9b) || std::str::from_utf8(&out).is_ok());
    coverage::json(&mut out, "suite", "api", &coverage).unwrap();
    Ok(coverage)
}

fn reference() -> impl Strategy<Value = Value> {
    let names = [
        "#/components/pathItems/a",
        "#/components/pathItems/b",
        "#/paths/~1a",
        "#/paths/~1b",
        "#/components/parameters/a",
        "#/",
        "#",
        "",
        "other.json#/a",
    ];
    select(names.to_vec()).prop_map(Value::from)
}

fn parameter() -> impl Strategy<Value = Value> {
    let place = select(&["path", "query", "header", "body"][..]);
    prop_oneof![
        (text(), place).prop_map(|(name, place)| json!({"name": name, "in": place})),
        reference().prop_map(|reference| json!({"$ref": reference})),
    ]
}

fn item() -> impl Strategy<Value = Value> {
    let operation = (text(), vec(text(), 0..3), vec(parameter(), 0..3)).prop_map(
        |(id, tags, parameters)| json!({"operationId": id, "tags": tags, "parameters": parameters}),
    );
    let method = select(&["get", "post", "x-a", "trace", "summary"][..]);
    let entries = vec((method, operation), 0..3);
    (entries, proptest::option::of(reference())).prop_map(|(entries, reference)| {
        let named = entries
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value));
        let mut item: Map<String, Value> = named.collect();
        item.extend(reference.map(|reference| ("$ref".to_owned(), reference)));
        Value::Object(item)
    })
}

fn escaped(json: &str) -> String {
    let escape = |c: char| match c {
        '\u{7f}'..='\u{9f}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => {
            format!("\\u{:04x}", u32::from(c))
        }
        other => other.to_string(),
    };
    json.chars().map(escape).collect::<Vec<_>>().concat()
}

fn document() -> impl Strategy<Value = Value> {
    (item(), item(), item(), item(), parameter(), text()).prop_map(
        |(a, b, c, d, parameter, path)| {
            json!({
                "openapi": "3.1.0",
                "paths": {"/a": a, "/b": b, path: c.clone()},
                "components": {"pathItems": {"a": c, "b": d}, "parameters": {"a": parameter}},
            })
        },
    )
}

proptest! {
    #![proptest_config(cases(100))]

    #[test]
    fn references_of_any_kind_are_followed_or_refused(document in document()) {
        let _ = used(document.to_string().as_bytes());
    }

    #[test]
    fn a_document_is_the_same_in_json_and_in_yaml(document in document()) {
        let read = |text: &str| openapi::read(Path::new("api"), text.as_bytes()).ok();
        let json = document.to_string();
        // The comment makes it YAML, which does not allow all characters as themselves.
        let yaml = format!("# the same\n{}", escaped(&json));
        prop_assert_eq!(read(&json), read(&yaml));
    }

    #[test]
    fn a_changed_document_is_read_or_refused(text in mutated(vec![read("tests/fixtures/notes/openapi.yaml")])) {
        let _ = used(text.as_bytes());
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in bytes()) {
        prop_assert!(used(&bytes).is_err());
    }
}

proptest! {
    #![proptest_config(cases(20))]

    #[test]
    fn a_changed_document_of_the_gateway_is_read_or_refused(text in mutated(vec![read("gateway/src/handlers/openapi.json")])) {
        let _ = used(text.as_bytes());
    }
}

#[test]
fn brackets_without_end_are_refused_soon() {
    for open in [
        "[",
        "{\"a\":",
        "{",
        "{\"paths\":",
        "- ",
        "? ",
        "a: [",
        "{\"x\":[{\"<<\":",
    ] {
        let text = open.repeat(100_000);
        assert!(soon(move || used(text.as_bytes()).is_err()));
    }
}

/// One long line, so that whatever looks at the line of each value shows.
#[test]
fn a_long_line_of_yaml_is_read_soon() {
    let entries = (0..30_000).map(|n| format!("{n}: {{\"<<\": 1}}, "));
    let entries = entries.collect::<Vec<_>>().concat();
    let text = format!("openapi: 3.1.0\npaths: {{}}\nx: {{{entries}}}\n");
    soon(move || used(text.as_bytes()).unwrap());
}
