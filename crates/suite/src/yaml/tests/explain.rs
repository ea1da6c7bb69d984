//! Why a document is no endpoint.

use super::{mistakes, parsed, types::Endpoint};

#[test]
fn a_sound_file_decodes() {
    let text = "method: POST\npath: /key/update\nrequest: { body: { a: [1] }, before: { body: null } }\n\
                probes: { still works: { expect: 200, ratio: 1 } }\n\
                steps: [wait, sleep: 3, capture: { key: k }]\nauth: { kind: bearer, token: t }\nwindow: [1, 2]\n";
    let endpoint = parsed(text).decode::<Endpoint>().unwrap();
    insta::assert_snapshot!(serde_json::to_string(&endpoint).unwrap(), @r#"{"method":"POST","path":"/key/update","request":{"body":{"a":[1]},"retries":0,"before":{"body":null,"retries":0,"before":null}},"targets":[],"probes":{"still works":{"expect":200,"ratio":1.0}},"steps":["wait",{"sleep":3},{"capture":{"key":"k"}}],"auth":{"kind":"bearer","token":"t"},"level":"deny","window":[1,2],"name":"","on_error":null,"only":[],"login":null}"#);
}

#[test]
fn three_mistakes_are_reported_together_in_file_order() {
    insta::assert_snapshot!(mistakes("methd: POST\npath: 7\ntargets:\n  - own key\n  - [x]\n"), @r#"
    error: unknown key `methd`
      --> suite/a.yaml:1:1
      |
    1 | methd: POST
      | ^^^^^
      = help: did you mean `method`?

    error: expected a text, found the number `7`
      --> suite/a.yaml:2:7
      |
    2 | path: 7
      |       ^
      = help: put it in quotes: `"7"`

    error: expected a text, found a list
      --> suite/a.yaml:5:5
      |
    5 |   - [x]
      |     ^

    3 errors
    "#);
}

#[test]
fn a_misspelt_required_key_is_one_mistake() {
    insta::assert_snapshot!(mistakes("methd: GET\npath: /\n"), @r"
    error: unknown key `methd`
      --> suite/a.yaml:1:1
      |
    1 | methd: GET
      | ^^^^^
      = help: did you mean `method`?

    1 error
    ");
}

#[test]
fn an_unknown_key_unlike_any_other_lists_the_known_ones() {
    insta::assert_snapshot!(mistakes("method: GET\npath: /\nprobes:\n  a: { expect: 1, colour: red }\n"), @r"
    error: unknown key `colour`
      --> suite/a.yaml:4:19
      |
    4 |   a: { expect: 1, colour: red }
      |                   ^^^^^^
      = help: known: `expect`, `ratio`

    1 error
    ");
}

#[test]
fn a_missing_key_points_at_the_key_of_its_map() {
    insta::assert_snapshot!(mistakes("path: /\nprobes:\n  still works:\n    ratio: 0.5\n"), @r"
    error: missing key `method`
      --> suite/a.yaml:1:1
      |
    1 | path: /
      | ^
      = help: add `method: ...`

    error: missing key `expect`
      --> suite/a.yaml:3:3
      |
    3 |   still works:
      |   ^^^^^^^^^^^
      = help: add `expect: ...`

    2 errors
    ");
}

#[test]
fn an_empty_file_is_no_map() {
    insta::assert_snapshot!(mistakes("# nothing\n"), @r"
    error: the file is empty
      --> suite/a.yaml:1:1
      |
    1 | # nothing
      | ^

    1 error
    ");
}

#[test]
fn a_value_of_the_wrong_kind_says_what_was_expected_and_found() {
    insta::assert_snapshot!(mistakes("method: GET\npath: 1.10\ntargets: own key\nprobes:\nsteps: { a: 1 }\n"), @r#"
    error: expected a text, found the number `1.10`
      --> suite/a.yaml:2:7
      |
    2 | path: 1.10
      |       ^^^^
      = help: put it in quotes: `"1.10"`

    error: expected a list, found the text `own key`
      --> suite/a.yaml:3:10
      |
    3 | targets: own key
      |          ^^^^^^^
      = help: a list of one is `[own key]`

    error: expected a map, found nothing
      --> suite/a.yaml:4:1
      |
    4 | probes:
      | ^^^^^^
      = help: an empty map is `{}`

    error: expected a list, found a map
      --> suite/a.yaml:5:8
      |
    5 | steps: { a: 1 }
      |        ^^

    4 errors
    "#);
}

#[test]
fn a_text_where_a_number_belongs_loses_its_quotes() {
    insta::assert_snapshot!(mistakes("method: GET\npath: yes\nprobes: { a: { expect: '200' }, b: { expect: ok } }\n"), @r"
    error: expected a whole number, found the text `200`
      --> suite/a.yaml:3:24
      |
    3 | probes: { a: { expect: '200' }, b: { expect: ok } }
      |                        ^^^^^^
      = help: leave the quotes out: `200`

    error: expected a whole number, found the text `ok`
      --> suite/a.yaml:3:46
      |
    3 | probes: { a: { expect: '200' }, b: { expect: ok } }
      |                                              ^^

    2 errors
    ");
}

#[test]
fn a_number_out_of_bounds_says_the_bound() {
    insta::assert_snapshot!(mistakes("method: GET\npath: /\nrequest: { body: 1, retries: 256 }\nprobes: { a: { expect: -1 }, b: { expect: 1.5 } }\n"), @r"
    error: `256` is too large
      --> suite/a.yaml:3:30
      |
    3 | request: { body: 1, retries: 256 }
      |                              ^^^
      = help: the most is `255`

    error: `-1` is too small
      --> suite/a.yaml:4:24
      |
    4 | probes: { a: { expect: -1 }, b: { expect: 1.5 } }
      |                        ^^
      = help: the least is `0`

    error: expected a whole number, found the number `1.5`
      --> suite/a.yaml:4:43
      |
    4 | probes: { a: { expect: -1 }, b: { expect: 1.5 } }
      |                                           ^^^

    3 errors
    ");
}

#[test]
fn an_unknown_value_has_the_nearest_known_one() {
    insta::assert_snapshot!(mistakes("method: get\npath: /\nlevel: wran\n"), @r"
    error: unknown value `get`
      --> suite/a.yaml:1:9
      |
    1 | method: get
      |         ^^^
      = help: did you mean `GET`?

    error: unknown value `wran`
      --> suite/a.yaml:3:8
      |
    3 | level: wran
      |        ^^^^
      = help: did you mean `warn`?

    2 errors
    ");
}

#[test]
fn an_unknown_value_unlike_any_other_lists_the_known_ones() {
    insta::assert_snapshot!(mistakes("method: FETCH\npath: /\nlevel: 3\nsteps: [fly]\non_error: 5\nauth: { kind: }\n"), @r"
    error: unknown value `FETCH`
      --> suite/a.yaml:1:9
      |
    1 | method: FETCH
      |         ^^^^^
      = help: known: `DELETE`, `GET`, `POST`

    error: unknown value `3`
      --> suite/a.yaml:3:8
      |
    3 | level: 3
      |        ^
      = help: known: `deny`, `warn`, `allow`

    error: unknown value `fly`
      --> suite/a.yaml:4:9
      |
    4 | steps: [fly]
      |         ^^^
      = help: known: `wait`, `sleep`, `capture`, `call`

    error: expected a text or a map, found the number `5`
      --> suite/a.yaml:5:11
      |
    5 | on_error: 5
      |           ^

    error: expected a text, found nothing
      --> suite/a.yaml:6:9
      |
    6 | auth: { kind: }
      |         ^^^^
      = help: known: `anonymous`, `bearer`

    5 errors
    ");
}

#[test]
fn mistakes_inside_an_optional_map_are_precise() {
    insta::assert_snapshot!(mistakes("method: GET\npath: /\nrequest:\n  body: x\n  before:\n    bdy: y\n    retries: many\n"), @r"
    error: unknown key `bdy`
      --> suite/a.yaml:6:5
      |
    6 |     bdy: y
      |     ^^^
      = help: did you mean `body`?

    error: expected a whole number, found the text `many`
      --> suite/a.yaml:7:14
      |
    7 |     retries: many
      |              ^^^^

    2 errors
    ");
}

#[test]
fn a_list_of_the_wrong_length_says_the_right_one() {
    insta::assert_snapshot!(mistakes("method: GET\npath: /\nwindow: [1, x, 3]\n"), @r"
    error: expected at most 2 items, found 3
      --> suite/a.yaml:3:9
      |
    3 | window: [1, x, 3]
      |         ^

    error: expected a whole number, found the text `x`
      --> suite/a.yaml:3:13
      |
    3 | window: [1, x, 3]
      |             ^

    2 errors
    ");
}

#[test]
fn an_empty_value_says_what_belongs_there() {
    insta::assert_snapshot!(mistakes("method:\npath:\nonly:\n  -\n  - expect:\n"), @r#"
    error: expected a text, found nothing
      --> suite/a.yaml:1:1
      |
    1 | method:
      | ^^^^^^
      = help: known: `DELETE`, `GET`, `POST`

    error: expected a text, found nothing
      --> suite/a.yaml:2:1
      |
    2 | path:
      | ^^^^
      = help: an empty text is `""`

    error: expected a map, found nothing
      --> suite/a.yaml:4:4
      |
    4 |   -
      |    ^
      = help: its keys: `expect`, `ratio`

    error: expected a whole number, found nothing
      --> suite/a.yaml:5:5
      |
    5 |   - expect:
      |     ^^^^^^

    4 errors
    "#);
}

#[test]
fn a_rule_that_no_schema_tells_is_reported_at_its_value() {
    insta::assert_snapshot!(mistakes("method: GET\npath: /\nname: two words\n"), @r"
    error: the name `two words` has a blank in it
      --> suite/a.yaml:3:7
      |
    3 | name: two words
      |       ^^^^^^^^^

    1 error
    ");
}
