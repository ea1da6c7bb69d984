use std::fmt::Write as _;

use super::*;

fn read_text(text: &str) -> Result<Vec<Operation>, String> {
    read(Path::new("api.json"), text.as_bytes()).map_err(|errors| errors.to_string())
}

fn titles(text: &str) -> Vec<String> {
    let operations = read_text(text).unwrap();
    let title = |known: &Operation| format!("{} {}", known.method, known.path);
    operations.iter().map(title).collect()
}

fn refusal(text: &str) -> String {
    let error = read_text(text).unwrap_err();
    error.lines().next().unwrap_or_default().to_owned()
}

#[test]
fn an_operation_has_the_parameters_of_its_path_and_its_own_go_before() {
    let text = r##"{"openapi": "3.0.3", "paths": {"/key/{key}": {
        "parameters": [{"name": "key", "in": "path"}, {"name": "page", "in": "query", "required": true}],
        "get": {"operationId": "key", "tags": ["keys"], "deprecated": true, "responses": {"200": {}},
                "parameters": [{"name": "page", "in": "query"}, {"name": "x", "in": "header"}, {"$ref": "#/components/parameters/all"}]}}},
        "components": {"parameters": {"all": {"name": "all", "in": "query"}}}}"##;
    let operations = read_text(text).unwrap();
    insta::assert_snapshot!(serde_json::json!(operations), @r#"[{"method":"GET","path":"/key/{key}","id":"key","tags":["keys"],"deprecated":true,"parameters":[{"name":"page","in":"query","required":false},{"name":"all","in":"query","required":false},{"name":"key","in":"path","required":true}]}]"#);
}

#[test]
fn a_document_in_yaml_is_the_same_with_statuses_as_numbers() {
    let yaml = "openapi: 3.1.0\npaths:\n  x-note: [1]\n  /a:\n    post:\n      responses:\n        200: {description: yes}\n    get: {}\n";
    assert_eq!(titles(yaml), ["GET /a", "POST /a"]);
}

#[test]
fn a_path_item_can_refer_to_another_of_the_same_document() {
    let text = r##"{"openapi": "3.1.0", "paths": {"/a": {"$ref": "#/components/pathItems/a", "get": {}}, "/b": {"$ref": "#/paths/~1a"}},
        "components": {"pathItems": {"a": {"get": {}, "post": {}}}}}"##;
    let expected = ["GET /a", "POST /a", "GET /b", "POST /b"];
    assert_eq!(titles(text), expected);
}

#[test]
fn references_that_lead_in_a_circle_or_out_of_the_document_are_refused() {
    let circle = r##"{"openapi": "3.1.0", "paths": {"/a": {"$ref": "#/paths/~1b"}, "/b": {"$ref": "#/paths/~1a"}}}"##;
    assert_eq!(
        refusal(circle),
        "error: the references of path `/a` go round in circles or too far"
    );
    let outside =
        r#"{"openapi": "3.1.0", "paths": {"/a": {"$ref": "http://localhost/other.json#/a"}}}"#;
    assert_eq!(
        refusal(outside),
        "error: path `/a` refers to `http://localhost/other.json#/a`, which is not in the document"
    );
}

#[test]
fn a_parameter_that_refers_to_itself_is_left_out() {
    let text = r##"{"openapi": "3.1.0", "paths": {"/a": {"get": {"parameters": [{"$ref": "#/components/parameters/a"}]}}},
        "components": {"parameters": {"a": {"$ref": "#/components/parameters/a"}}}}"##;
    assert_eq!(read_text(text).unwrap()[0].parameters, []);
}

#[test]
fn what_is_no_openapi_3_document_is_named() {
    let texts = [
        "{}",
        r#"{"swagger": "2.0"}"#,
        r#"{"openapi": "4.0"}"#,
        r#"{"openapi": 3"#,
        r#"{"openapi": "3.1.0", "paths": {"/a": 1}}"#,
        "",
        "<html></html>",
    ];
    insta::assert_snapshot!(texts.map(refusal).join("\n"), @r#"
    error: the document has no `openapi: 3...`: it is not an OpenAPI 3 document
    error: the document has no `openapi: 3...`: it is not an OpenAPI 3 document
    error: OpenAPI `4.0` is not supported: only 3.0 and 3.1 are
    error: invalid type: integer `3`, expected a string
    error: invalid type: integer `1`, expected a path item
    error: invalid type: null, expected an OpenAPI document
    error: invalid type: string "<html></html>", expected an OpenAPI document
    "#);
}

#[test]
fn null_is_as_good_as_nothing() {
    let text = r#"{"openapi": "3.0.0", "components": null, "paths": {"/a": {"get": {"tags": null, "deprecated": null, "parameters": null}, "put": null}}}"#;
    assert_eq!(titles(text), ["GET /a"]);
    assert_eq!(
        read_text(r#"{"openapi": "3.0.0", "paths": null}"#).unwrap(),
        []
    );
}

#[test]
fn a_document_that_is_too_long_is_refused() {
    let long = format!("{{{}", " ".repeat(MAX_BYTES));
    assert_eq!(refusal(&long), "error: the document has more than 64 MiB");
    let long = "#".repeat(MAX_YAML_BYTES + 1);
    assert_eq!(refusal(&long), "error: the document has more than 16 MiB");
}

/// Each path is short, and stands for as much as the item that it refers to.
#[test]
fn references_that_stand_for_too_much_are_refused() {
    let mut text = format!(
        r#"{{"openapi": "3.1.0", "components": {{"pathItems": {{"a": {{"get": {{"tags": ["{}"]}}}}}}}}, "paths": {{"/": {{}}"#,
        "x".repeat(1 << 20)
    );
    for path in 0..100 {
        let _ = write!(
            text,
            r##","/{path}": {{"$ref": "#/components/pathItems/a"}}"##
        );
    }
    text.push_str("}}");
    assert_eq!(
        refusal(&text),
        "error: the references of the document stand for too much"
    );
}

#[test]
fn deep_nesting_is_passed_over_or_refused() {
    let deep = |open: &str, close: &str| {
        let (open, close) = (open.repeat(100_000), close.repeat(100_000));
        read_text(&format!(
            r#"{{"openapi": "3.1.0", "x": {open}{close}, "paths": {{}}}}"#
        ))
    };
    assert!(deep("[", "]").is_err() || deep("[", "]").unwrap().is_empty());
    assert!(read_text(&format!("openapi: 3.1.0\nx: {}", "[".repeat(1_000_000))).is_err());
}
