//! Which operations of a service's OpenAPI document a suite sweeps.

use insta::assert_snapshot;
use serde_json::Value;

use super::place::{Ended, Place};
use super::stub::Stub;

const EXCLUDE: &str = "\
coverage:
  exclude:
    - { operation: \"* /health*\", reason: tells nothing about anybody }
";

const STRICT: &str = "\
coverage:
  strict: true
  exclude:
    - { operation: \"* /health*\", reason: tells nothing about anybody }
    - { operation: \"POST /notes\", reason: every user can write }
    - { operation: \"GET /notes/{note_id}\", reason: deprecated }
";

fn notes() -> Place {
    Place::with("notes")
}

fn with(place: Place, coverage: &str) -> Place {
    place.edit(
        "notes/suite.yaml",
        "name: notes\n",
        &format!("name: notes\n{coverage}"),
    )
}

fn coverage(place: &Place, arguments: &[&str]) -> Ended {
    let fixed = ["coverage", "notes", "--openapi", "notes/openapi.yaml"];
    let arguments: Vec<&str> = fixed.iter().chain(arguments).copied().collect();
    place.run(&arguments)
}

#[test]
fn a_missing_operation_comes_with_the_line_to_add() {
    assert_snapshot!(coverage(&with(notes(), EXCLUDE), &[]).result(), @r#"
    method   operations  swept  excluded  missing
    DELETE            1      1         0        0
    GET               3      1         1        1
    HEAD              1      0         1        0
    POST              2      1         0        1
    all               7      3         2        2

    missing, each with the line to add to the suite
      POST /notes           endpoints/post-notes.yaml: request: { method: POST, path: /notes }
      GET /notes/{note_id}  endpoints/get-notes-note-id.yaml: request: { method: GET, path: "/notes/{{ target.note_id }}" }

    excluded
      * /health*: tells nothing about anybody
        GET /health
        HEAD /health

    60.0 % swept: 7 operations, 3 swept, 2 excluded, 2 missing
    "#);
}

#[test]
fn coverage_for_a_program_has_every_operation_with_its_state() {
    let place = with(notes(), EXCLUDE);
    let json = coverage(&place, &["--format", "json"]).result();
    let mut report: Value = serde_json::from_str(&json).unwrap();
    let operations = report["operations"].take();
    let lines = std::iter::once(&report).chain(operations.as_array().unwrap());
    let lines: Vec<String> = lines.map(Value::to_string).collect();
    assert_snapshot!(lines.join("\n"), @r#"
    {"suite":"notes","openapi":"notes/openapi.yaml","percent":60.0,"totals":{"operations":7,"swept":3,"excluded":2,"missing":2},"methods":{"DELETE":{"operations":1,"swept":1,"excluded":0,"missing":0},"GET":{"operations":3,"swept":1,"excluded":1,"missing":1},"HEAD":{"operations":1,"swept":0,"excluded":1,"missing":0},"POST":{"operations":2,"swept":1,"excluded":0,"missing":1}},"operations":null,"not_in_document":[]}
    {"method":"GET","path":"/health","id":null,"tags":[],"deprecated":false,"parameters":[],"extra":false,"state":"excluded","by":"* /health*","reason":"tells nothing about anybody"}
    {"method":"HEAD","path":"/health","id":null,"tags":[],"deprecated":false,"parameters":[],"extra":false,"state":"excluded","by":"* /health*","reason":"tells nothing about anybody"}
    {"method":"GET","path":"/notes","id":"list_notes","tags":["notes"],"deprecated":false,"parameters":[{"name":"page","in":"query","required":false}],"extra":false,"state":"swept","endpoints":["note-list"]}
    {"method":"POST","path":"/notes","id":"write_note","tags":["notes"],"deprecated":false,"parameters":[],"extra":false,"state":"missing","add":"endpoints/post-notes.yaml: request: { method: POST, path: /notes }"}
    {"method":"GET","path":"/notes/{note_id}","id":"read_note","tags":[],"deprecated":true,"parameters":[{"name":"note_id","in":"path","required":true}],"extra":false,"state":"missing","add":"endpoints/get-notes-note-id.yaml: request: { method: GET, path: \"/notes/{{ target.note_id }}\" }"}
    {"method":"DELETE","path":"/notes/{note_id}","id":"delete_note","tags":[],"deprecated":false,"parameters":[{"name":"note_id","in":"path","required":true}],"extra":false,"state":"swept","endpoints":["note-delete"]}
    {"method":"POST","path":"/notes/{note_id}/share","id":"share_note","tags":[],"deprecated":false,"parameters":[],"extra":false,"state":"swept","endpoints":["note-share"]}
    "#);
}

#[test]
fn coverage_fails_only_below_the_percentage_that_was_asked_for() {
    let place = with(notes(), EXCLUDE);
    assert_eq!(coverage(&place, &["--fail-under", "60"]).code, Some(0));
    assert_eq!(coverage(&place, &["--fail-under", "60.1"]).code, Some(1));
    assert_eq!(coverage(&place, &["--fail-under", "100"]).code, Some(1));
}

#[test]
fn a_strict_suite_fails_when_an_operation_is_neither_swept_nor_excluded() {
    let place = with(notes(), STRICT);
    assert_eq!(coverage(&place, &["--fail-under", "100"]).code, Some(0));
    let grown = place.edit(
        "notes/openapi.yaml",
        "    delete:",
        "    put: {}\n    delete:",
    );
    let ended = coverage(&grown, &[]);
    assert_eq!(ended.code, Some(1));
    assert!(
        ended
            .stdout
            .contains("\n  PUT /notes/{note_id}  endpoints/put-notes-note-id.yaml: "),
        "{}",
        ended.stdout
    );
}

#[test]
fn an_endpoint_whose_operation_is_not_in_the_document_is_listed() {
    let place = notes().edit("notes/endpoints/note-share.yaml", "}}/share", "}}/shared");
    let result = coverage(&place, &[]).result();
    let listed = "\nin the suite, but not in the document\n  note-share  POST /notes/{{ target.note_id }}/shared\n";
    assert!(result.contains(listed), "{result}");
}

#[test]
fn an_exclusion_that_matches_nothing_is_a_mistake_at_its_place() {
    let place = with(
        notes(),
        "coverage:\n  exclude:\n    - operation: GET /healthz\n      reason: it is healthy\n",
    );
    assert_snapshot!(coverage(&place, &[]).error(2), @r"
    error: the service has no such operation
      --> notes/suite.yaml:5:18
      |
    5 |     - operation: GET /healthz
      |                  ^^^^^^^^^^^^
      = help: correct it or take it out: `*` stands for any characters

    1 error
    ");
}

#[test]
fn an_operation_that_the_document_hides_is_counted_as_its_own() {
    let extra = "coverage:\n  extra: [POST /notes/import, \"PURGE /notes/{note_id}\", GET /notes/export]\n  \
                 exclude: [{ operation: PURGE *, reason: the cache alone }]\n";
    let place = with(notes(), extra).edit(
        "notes/endpoints/note-list.yaml",
        "path: /notes",
        "path: /notes/export",
    );
    let result = coverage(&place, &[]).result();
    assert_snapshot!(result, @r#"
    method   operations  swept  excluded  missing
    DELETE            1      1         0        0
    GET               4      1         0        3
    HEAD              1      0         0        1
    POST              3      1         0        2
    PURGE             1      0         1        0
    all              10      3         1        6

    missing, each with the line to add to the suite
      GET /health           endpoints/get-health.yaml: request: { method: GET, path: /health }
      HEAD /health          endpoints/head-health.yaml: request: { method: HEAD, path: /health }
      GET /notes            endpoints/get-notes.yaml: request: { method: GET, path: /notes }
      POST /notes           endpoints/post-notes.yaml: request: { method: POST, path: /notes }
      GET /notes/{note_id}  endpoints/get-notes-note-id.yaml: request: { method: GET, path: "/notes/{{ target.note_id }}" }
      POST /notes/import    endpoints/post-notes-import.yaml: request: { method: POST, path: /notes/import }

    excluded
      PURGE *: the cache alone
        PURGE /notes/{note_id}

    counted as well: in `coverage.extra`, and not in the document
      POST /notes/import  missing
      PURGE /notes/{note_id}  excluded
      GET /notes/export  swept

    33.3 % swept: 10 operations, 3 swept, 1 excluded, 6 missing
    "#);
    let json = coverage(&place, &["--format", "json"]).result();
    let report: Value = serde_json::from_str(&json).unwrap();
    let operations = report["operations"].as_array().unwrap().iter();
    let extra: Vec<&Value> = operations.filter(|one| one["extra"] == true).collect();
    assert_eq!(extra.len(), 3, "{json}");
    assert_eq!(extra[2]["path"], "/notes/export");
    assert_eq!(extra[2]["endpoints"][0], "note-list");
}

#[test]
fn a_strict_suite_fails_when_a_hidden_operation_is_missing() {
    let strict = STRICT.replace("coverage:\n", "coverage:\n  extra: [GET /notes/export]\n");
    let ended = coverage(&with(notes(), &strict), &[]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
}

#[test]
fn a_hidden_operation_that_is_counted_already_is_a_mistake_at_its_place() {
    let extra = "coverage:\n  extra: [\"DELETE /notes/{id}\", GET /export, GET /export]\n";
    assert_snapshot!(coverage(&with(notes(), extra), &[]).error(2), @r#"
    error: this operation is counted already
      --> notes/suite.yaml:4:11
      |
    4 |   extra: ["DELETE /notes/{id}", GET /export, GET /export]
      |           ^^^^^^^^^^^^^^^^^^^^
      = help: take it out: the document has it, or it stands here twice

    error: this operation is counted already
      --> notes/suite.yaml:4:46
      |
    4 |   extra: ["DELETE /notes/{id}", GET /export, GET /export]
      |                                              ^^^^^^^^^^^
      = help: take it out: the document has it, or it stands here twice

    2 errors
    "#);
}

#[test]
fn a_hidden_operation_is_one_method_and_one_path() {
    let extra = "coverage:\n  extra: [GET /health*, /export, get /export]\n";
    assert_snapshot!(coverage(&with(notes(), extra), &[]).error(2), @"
    error: `GET /health*` is not the name of one operation
      --> notes/suite.yaml:4:11
      |
    4 |   extra: [GET /health*, /export, get /export]
      |           ^^^^^^^^^^^^
      = help: write a method and a path, such as `GET /teams/{team_id}/ui`

    error: `/export` is not the name of one operation
      --> notes/suite.yaml:4:25
      |
    4 |   extra: [GET /health*, /export, get /export]
      |                         ^^^^^^^
      = help: write a method and a path, such as `GET /teams/{team_id}/ui`

    error: `get /export` is not the name of one operation
      --> notes/suite.yaml:4:34
      |
    4 |   extra: [GET /health*, /export, get /export]
      |                                  ^^^^^^^^^^^
      = help: write a method and a path, such as `GET /teams/{team_id}/ui`

    3 errors
    ");
}

#[test]
fn an_exclusion_needs_an_operation_and_a_reason() {
    let place = with(
        notes(),
        "coverage:\n  exclude:\n    - { operation: /health, reason: \" \" }\n    - { operation: GET /health }\n",
    );
    assert_snapshot!(coverage(&place, &[]).error(2), @r#"
    error: `/health` is not an operation
      --> notes/suite.yaml:5:20
      |
    5 |     - { operation: /health, reason: " " }
      |                    ^^^^^^^
      = help: write a method and a path, such as `GET /health*`

    error: the reason is empty
      --> notes/suite.yaml:5:37
      |
    5 |     - { operation: /health, reason: " " }
      |                                     ^^^^
      = help: say why nobody has to sweep it

    error: missing key `reason`
      --> notes/suite.yaml:6:7
      |
    6 |     - { operation: GET /health }
      |       ^^
      = help: add `reason: ...`

    3 errors
    "#);
}

#[test]
fn a_document_that_cannot_be_read_is_named() {
    let run = |document| notes().run(&["coverage", "notes", "--openapi", document]);
    assert_snapshot!(run("nowhere.json").error(2), @"error: cannot read `nowhere.json`: No such file or directory (os error 2)");
    assert_snapshot!(run("notes/world.yaml").error(2), @r"
    error: the document has no `openapi: 3...`: it is not an OpenAPI 3 document
     --> notes/world.yaml

    1 error
    ");
    let place = notes().write("empty.json", r#"{"openapi": "3.1.0", "paths": {}}"#);
    let empty = place.run(&["coverage", "notes", "--openapi", "empty.json"]);
    assert_snapshot!(empty.error(2), @r"
    error: the OpenAPI document `empty.json` has no operation
      = help: say where the document is: with --openapi, or `coverage.openapi` in suite.yaml
    ");
}

#[test]
fn a_percentage_is_a_number_from_0_to_100() {
    assert_snapshot!(coverage(&notes(), &["--fail-under", "101"]).error(2), @r"
    error: invalid value '101' for '--fail-under <PERCENT>': expected a number from 0 to 100

    For more information, try '--help'.
    ");
}

#[test]
fn a_service_without_a_document_refuses_to_work() {
    let stub = Stub::start(&[404]);
    let url = format!("{}/openapi.json", stub.url());
    let error = notes()
        .run(&["coverage", "notes", "--openapi", &url])
        .error(3);
    assert_snapshot!(error.replace(&stub.url(), "http://stub"), @r"
    error: 404 from GET http://stub/openapi.json
      = help: say where the document is: with --openapi, or `coverage.openapi` in suite.yaml
    ");
    let error = notes()
        .run(&["coverage", "notes", "--openapi", &url])
        .error(3);
    assert_snapshot!(error.replace(&stub.url(), "http://stub"), @r"
    error: the document has no `openapi: 3...`: it is not an OpenAPI 3 document
     --> http://stub/openapi.json

    1 error
    ");
}

/// The stub is ready at once, and then has no document.
#[test]
fn the_document_is_where_the_suite_says() {
    let stub = Stub::start(&[200, 404]);
    let place = with(notes(), "coverage: { openapi: /docs/api.json }\n");
    let error = place
        .run(&["coverage", "notes", "--base-url", &stub.url()])
        .error(3);
    assert!(
        error.starts_with(&format!(
            "error: 404 from GET {}/docs/api.json\n",
            stub.url()
        )),
        "{error}"
    );
}

#[test]
fn the_suites_own_service_says_which_operations_it_has() {
    let result = Place::with_litellm().run(&["coverage"]).result();
    assert_snapshot!(result, @r"
    method   operations  swept  excluded  missing
    GET               4      2         2        0
    POST              6      6         0        0
    all              10      8         2        0

    excluded
      GET /health/liv*: answers everybody alike and shows nothing
        GET /health/liveliness
        GET /health/liveness

    100.0 % swept: 10 operations, 8 swept, 2 excluded, 0 missing
    ");
}
