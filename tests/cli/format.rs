//! Mistakes in how a suite's files are written: each at its place, with the way out.

use insta::assert_snapshot;

use super::mistakes::mistakes;
use super::place::Place;

fn notes() -> Place {
    Place::with("notes")
}

#[test]
fn values_of_a_wrong_type_say_what_was_expected() {
    let place = notes()
        .edit("notes/suite.yaml", "settle_ms: 0", "settle_ms: soon")
        .edit("notes/suite.yaml", "secret: true", "secret: yes")
        .edit(
            "notes/endpoints/note-list.yaml",
            "targets:\n  - all notes",
            "targets: all notes",
        );
    assert_snapshot!(mistakes(&place), @r"
    error: expected a list, found the text `all notes`
      --> notes/endpoints/note-list.yaml:5:10
      |
    5 | targets: all notes
      |          ^^^^^^^^^
      = help: a list of one is `[all notes]`

    error: expected a whole number, found the text `soon`
      --> notes/suite.yaml:7:14
      |
    7 |   settle_ms: soon
      |              ^^^^

    error: expected `true` or `false`, found the text `yes`
       --> notes/suite.yaml:11:13
       |
    11 |     secret: yes
       |             ^^^

    3 errors in 2 files
    ");
}

#[test]
fn a_method_in_small_letters_is_told_how_it_is_written() {
    let place = notes().edit(
        "notes/endpoints/note-share.yaml",
        "method: POST",
        "method: post",
    );
    assert_snapshot!(mistakes(&place), @r"
    error: `post` is not a method
      --> notes/endpoints/note-share.yaml:2:11
      |
    2 |   method: post
      |           ^^^^
      = help: did you mean `POST`?

    1 error
    ");
}

#[test]
fn a_key_that_is_missing_is_named() {
    let place = notes().edit("notes/suite.yaml", "  ready: /health\n", "");
    assert_snapshot!(mistakes(&place), @r"
    error: missing key `ready`
      --> notes/suite.yaml:5:1
      |
    5 | service:
      | ^^^^^^^
      = help: add `ready: ...`

    1 error
    ");
}

#[test]
fn a_key_that_is_there_twice_is_refused() {
    let place = notes().edit(
        "notes/world.yaml",
        "  welcome:\n",
        "  welcome: { kind: note }\n  welcome:\n",
    );
    assert_snapshot!(mistakes(&place), @r"
    error: duplicate key `welcome`
       --> notes/world.yaml:38:3
       |
    38 |   welcome:
       |   ^^^^^^^
       = help: it is already at 37:3

    1 error
    ");
}

#[test]
fn a_broken_template_is_shown_with_what_is_wrong_in_it() {
    let place = notes()
        .edit(
            "notes/world.yaml",
            "\"{{ key | sha256 }}\"",
            "\"{{ key | sha256 \"",
        )
        .edit(
            "notes/endpoints/note-delete.yaml",
            "/{{ target.note_id }}",
            "/{{ target. }}",
        );
    assert_snapshot!(mistakes(&place), @r#"
    error: template `/notes/{{ target. }}`: unexpected end of variable block, expected identifier or integer
      --> notes/endpoints/note-delete.yaml:3:9
      |
    3 |   path: /notes/{{ target. }}
      |         ^^^^^^^^^^^^^^^^^^^^

    error: template `{{ key | sha256 `: unexpected end of input, expected end of variable block
      --> notes/world.yaml:9:14
      |
    9 |       token: "{{ key | sha256 "
      |              ^^^^^^^^^^^^^^^^^^

    2 errors in 2 files
    "#);
}

#[test]
fn a_filter_that_does_not_exist_is_a_mistake_of_the_template() {
    let place = notes().edit("notes/world.yaml", "key | sha256", "key | sha265");
    assert_snapshot!(mistakes(&place), @r#"
    error: template `{{ key | sha265 }}`: there is no filter `sha265`
      --> notes/world.yaml:9:14
      |
    9 |       token: "{{ key | sha265 }}"
      |              ^^^^^^^^^^^^^^^^^^^^
      = help: did you mean `sha256`?

    1 error
    "#);
}

#[test]
fn a_broken_json_path_is_shown_with_an_example_of_a_good_one() {
    let place = notes()
        .edit("notes/suite.yaml", "$.error.message", "error.message")
        .edit("notes/endpoints/note-list.yaml", "$.pages", "$.[pages")
        .edit("notes/endpoints/note-share.yaml", "key: $.key", "key: $key");
    assert_snapshot!(mistakes(&place), @r"
    error: `$.[pages` is not a JSON path: at position 2, in dot member name, must start with lowercase alpha or '_'
      --> notes/endpoints/note-list.yaml:9:10
      |
    9 |   total: $.[pages
      |          ^^^^^^^^
      = help: write a path as of RFC 9535, for instance `$.error.message`

    error: `$key` is not a JSON path: at position 1, parser error
       --> notes/endpoints/note-share.yaml:10:35
       |
    10 |   new: { kind: user, from: { key: $key } }
       |                                   ^^^^
       = help: write a path as of RFC 9535, for instance `$.error.message`

    error: `error.message` is not a JSON path: at position 0, parser error
       --> notes/suite.yaml:18:12
       |
    18 |   message: error.message
       |            ^^^^^^^^^^^^^
       = help: write a path as of RFC 9535, for instance `$.error.message`

    3 errors in 3 files
    ");
}

#[test]
fn broken_yaml_is_refused_where_it_breaks() {
    let place = notes().edit("notes/targets.yaml", "{ size: 2 } }", "{ size: 2 }");
    assert_snapshot!(mistakes(&place), @r"
    error: invalid YAML: while parsing a flow mapping, did not find expected ',' or '}'
       --> notes/targets.yaml:10:1
       |
    10 |
       | ^
       = help: the `{` at 9:11 is still open here

    1 error
    ");
}

#[test]
fn an_empty_file_is_told_what_it_needs() {
    let place = notes().write("notes/targets.yaml", "");
    assert_snapshot!(mistakes(&place), @r"
    error: the file is empty
      --> notes/targets.yaml:1:1
      |
    1 |
      | ^

    1 error
    ");
}

#[test]
fn a_file_that_is_not_text_is_refused() {
    let place = notes();
    std::fs::write(place.path("notes/targets.yaml"), [0xff, 0xfe, 0x00]).unwrap();
    assert_snapshot!(mistakes(&place), @r"
    error: cannot read the file: stream did not contain valid UTF-8
     --> notes/targets.yaml

    1 error
    ");
}

#[test]
fn the_fixtures_themselves_are_valid() {
    for suite in ["notes", "ping"] {
        Place::with(suite).run(&["list", suite]).result();
    }
}
