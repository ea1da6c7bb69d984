//! Suites to start from: whatever a document or a recording holds, what is made of it is a suite.

use std::collections::BTreeMap;
use std::path::Path;

use authz_pin::init::{self, Draft, Source};
use authz_pin::openapi;
use authz_pin::plan::{Filter, plan};
use authz_pin::suite::Suite;
use authz_pin::template::Templates;
use authz_pin::world::World;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

use super::support::{bytes, cases, mutated, read, soon, text};

/// Writes the suite of a source, reads it back, and draws a world where it has no setup.
fn written(name: &str, source: Source) -> BTreeMap<String, String> {
    let actions = source.actions.len();
    let draft = Draft::new(name, source);
    let files = init::files(&draft).unwrap();
    let suite = Suite::parse(Path::new("suite"), &files);
    let suite = suite.map_err(|mistakes| mistakes.to_string()).unwrap();
    assert_eq!(suite.file.name, name);
    assert_eq!(suite.endpoints.len(), actions);
    let cells: usize = plan(&suite, &Filter::default())
        .iter()
        .map(|one| one.cells.len())
        .sum();
    assert!(cells >= actions * 4);
    let given = suite
        .file
        .variables
        .keys()
        .map(|name| (name.clone(), format!("value of {name}").into()));
    World::draw(&suite, &Templates::new(), &given.collect()).unwrap();
    files
}

fn of_openapi(bytes: &[u8]) -> Option<BTreeMap<String, String>> {
    let api = openapi::describe(Path::new("api"), bytes).ok()?;
    let source = Source::from(api);
    (!source.actions.is_empty()).then(|| written("made", source))
}

fn of_har(bytes: &[u8]) -> Option<BTreeMap<String, String>> {
    let recording = init::read_har(bytes).ok()?;
    Some(written("made", recording.source))
}

/// A name that could be part of a path, or of a body, and is often odd.
fn name() -> impl Strategy<Value = String> {
    let odd = [
        "id", "name", "run", "actor", "target", "if", "{", "}", "{{ x }}", "{% x %}", "a_id",
        "user_id", "x-y", "größe", "名", "2fa", "key", "*", "?", "#", "a b", "_", "team",
    ];
    prop_oneof![text(), select(odd.to_vec()).prop_map(str::to_owned)]
}

fn path() -> impl Strategy<Value = String> {
    let segment = prop_oneof![name(), name().prop_map(|name| format!("{{{name}}}"))];
    vec(segment, 0..4).prop_map(|segments| {
        let segments = segments.iter().flat_map(|segment| ["/", segment]);
        segments.collect()
    })
}

fn schema() -> impl Strategy<Value = Value> {
    let kinds = [
        "string", "integer", "number", "boolean", "object", "array", "null", "odd",
    ];
    let leaf = prop_oneof![
        select(kinds.to_vec()).prop_map(|kind| json!({"type": kind})),
        (text(), select(&["example", "default", "const"][..]))
            .prop_map(|(text, key)| json!({key: text})),
        select(
            &[
                "#/components/schemas/a",
                "#/components/schemas/b",
                "#",
                "#/x",
                ""
            ][..]
        )
        .prop_map(|to| json!({"$ref": to})),
        text().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!({"example": {"n": number}})),
        any::<u64>()
            .prop_map(|number| json!({"minimum": number, "type": "integer", "maxLength": number})),
    ];
    leaf.prop_recursive(3, 20, 4, |inner| {
        prop_oneof![
            (vec((name(), inner.clone()), 0..4), vec(name(), 0..3)).prop_map(|(fields, required)| {
                let names: Vec<&String> = fields.iter().map(|(name, _)| name).collect();
                let mut all: Vec<Value> = names.into_iter().map(|name| json!(name)).collect();
                all.extend(required.into_iter().map(Value::from));
                json!({"properties": fields.into_iter().collect::<Map<_, _>>(), "required": all})
            }),
            inner.clone().prop_map(|items| json!({"type": "array", "items": items})),
            (vec(inner, 0..3), select(&["allOf", "oneOf", "anyOf"][..])).prop_map(|(parts, key)| json!({key: parts})),
        ]
    })
}

fn operation() -> impl Strategy<Value = Value> {
    let parameter = (
        name(),
        select(&["path", "query", "header", "cookie"][..]),
        schema(),
    );
    let parameter = parameter.prop_map(|(name, place, schema)| json!({"name": name, "in": place, "required": true, "schema": schema}));
    let media = select(
        &[
            "application/json",
            "application/x-www-form-urlencoded",
            "text/plain",
            "a\nb",
        ][..],
    );
    (proptest::option::of(name()), text(), vec(parameter, 0..3), media, schema(), schema()).prop_map(
        |(id, summary, parameters, media, body, answer)| {
            json!({
                "operationId": id, "summary": summary, "parameters": parameters,
                "requestBody": {"content": {media: {"schema": body}}},
                "responses": {"200": {"content": {"application/json": {"schema": answer}}}, "403": {"$ref": "#/components/schemas/a"}},
            })
        },
    )
}

fn document() -> impl Strategy<Value = Value> {
    let method = select(&["get", "post", "delete", "head"][..]);
    let item = vec((method, operation()), 1..3).prop_map(|entries| {
        entries
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect::<Map<_, _>>()
    });
    let schemes = (select(&["http", "apiKey", "oauth2"][..]), select(&["header", "cookie", "query"][..]), name())
        .prop_map(|(kind, place, name)| json!({"s": {"type": kind, "in": place, "name": name, "scheme": "basic"}}));
    (vec((path(), item), 1..5), schema(), schema(), schemes, text()).prop_map(|(paths, a, b, schemes, url)| {
        let paths: Map<String, Value> = paths.into_iter().map(|(path, item)| (path, Value::Object(item))).collect();
        json!({
            "openapi": "3.1.0", "info": {"title": url}, "servers": [{"url": format!("http{url}")}], "paths": paths,
            "components": {"schemas": {"a": a, "b": b}, "securitySchemes": schemes},
        })
    })
}

/// A call with a secret in every place that is one of a secret, and beside it in places that are not.
fn recording(secret: &str, path: &str, field: &str) -> Value {
    let body = json!({
        "password": secret, "nested": {"client_secret": [secret]}, field: format!("before {secret} after"), secret: 1,
    });
    json!({"log": {"entries": [{
        "request": {
            "method": "POST", "url": format!("https://example.com{path}/{secret}?token={secret}&q={secret}"),
            "headers": [{"name": "Authorization", "value": format!("Bearer {secret}")}, {"name": "Cookie", "value": format!("a={secret}; b=1")},
                {"name": "X-Api-Key", "value": secret}, {"name": "X-Other", "value": secret}],
            "postData": {"mimeType": "application/json", "text": body.to_string()},
        },
        "response": {"status": 200, "headers": [{"name": "Set-Cookie", "value": format!("c={secret}; Path=/")}],
            "content": {"mimeType": "application/json", "text": json!({"id": 1, "token": secret}).to_string()}},
    }]}})
}

proptest! {
    #![proptest_config(cases(60))]

    #[test]
    fn any_document_becomes_a_suite(document in document()) {
        of_openapi(document.to_string().as_bytes());
    }

    #[test]
    fn no_secret_of_a_recording_is_in_the_suite(secret in "[A-Za-z0-9_.-]{8,40}", path in path(), field in name()) {
        let recording = recording(&secret, &path, &field);
        let files = of_har(recording.to_string().as_bytes()).unwrap_or_default();
        let own = files.iter().filter(|(name, _)| !name.starts_with(".authz-pin/"));
        for (name, text) in own {
            // A short word of the suite itself can be equal by chance, but not one of this length and form.
            let is_word = "recorded_password client_secret application".contains(&secret);
            prop_assert!(is_word || !(text.contains(&secret) || name.contains(&secret)), "{name}\n{text}");
        }
    }

    #[test]
    fn any_name_can_be_that_of_a_suite(name in text()) {
        written(&name, init::example());
    }

    #[test]
    fn any_bytes_are_a_recording_or_refused(bytes in bytes()) {
        of_har(&bytes);
        of_openapi(&bytes);
    }
}

proptest! {
    #![proptest_config(cases(60))]

    #[test]
    fn a_changed_document_becomes_a_suite_or_is_refused(text in mutated(vec![
        read("tests/fixtures/openapi/clubs-3.0.yaml"), read("tests/fixtures/openapi/shop-3.1.json"), read("tests/fixtures/notes/openapi.yaml"),
    ])) {
        of_openapi(text.as_bytes());
    }

    #[test]
    fn a_changed_recording_becomes_a_suite_or_is_refused(text in mutated(vec![recording("s3cr3t-value-1", "/teams/17", "x").to_string()])) {
        of_har(text.as_bytes());
    }
}

#[test]
fn schemas_that_hold_each_other_end_soon() {
    let schemas: Map<String, Value> = (0..40)
        .map(|n| {
            let parts: Vec<Value> = (0..40)
                .map(|m| json!({"$ref": format!("#/components/schemas/s{m}")}))
                .collect();
            let fields: Map<String, Value> = (0..40)
                .map(|m| (format!("f{m}"), parts[m].clone()))
                .collect();
            let required: Vec<&String> = fields.keys().collect();
            (
                format!("s{n}"),
                json!({"required": required, "properties": fields, "allOf": parts, "oneOf": parts}),
            )
        })
        .collect();
    let document = json!({"openapi": "3.0.0", "components": {"schemas": schemas},
        "paths": {"/a": {"post": {"requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/s0"}}}}}}}});
    let files = soon(move || of_openapi(document.to_string().as_bytes()));
    assert!(files.unwrap().values().map(String::len).sum::<usize>() < 1_000_000);
}
