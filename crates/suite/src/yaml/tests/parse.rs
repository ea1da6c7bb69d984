//! What YAML means, and what of it is refused.

use super::{json, parsed, refusal};
use crate::yaml::NodePath;

#[test]
fn plain_scalars_mean_what_the_core_schema_says() {
    let text = "[yes, on, No, null, ~, true, FALSE, 12, -7, +3, 007, 0x1f, 0o17, 1.5, .5, 5., 1e3, 1_000, 2024-01-01, -0x1f, 18446744073709551615]";
    insta::assert_snapshot!(json(text), @r#"["yes","on","No",null,null,true,false,12,-7,3,7,31,15,1.5,0.5,5.0,1000.0,"1_000","2024-01-01","-0x1f",18446744073709551615]"#);
}

#[test]
fn quoted_and_block_scalars_are_texts() {
    insta::assert_snapshot!(json("a: \"1\"\nb: 'null'\nc: |\n  7\nd: >-\n  x\n  y\n"), @r#"{"a":"1","b":"null","c":"7\n","d":"x y"}"#);
}

#[test]
fn an_empty_file_says_nothing() {
    for text in ["", "\n\n", "# only a comment\n", "---\n", "\u{feff}"] {
        assert_eq!(json(text), "null", "{text:?}");
    }
}

#[test]
fn keys_keep_their_order() {
    assert_eq!(json("z: 1\na: 2\nm: 3"), r#"{"z":1,"a":2,"m":3}"#);
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_change_nothing() {
    let document = parsed("\u{feff}a: 1\r\nb:\r\n  - x\r\n");
    assert_eq!(document.value().to_string(), r#"{"a":1,"b":["x"]}"#);
    let at = document
        .position(&NodePath::root().join("b").join(0))
        .unwrap();
    assert_eq!((at.line, at.column), (3, 5));
}

#[test]
fn an_alias_is_a_copy_of_what_it_stands_for_and_a_key_only_if_that_is_a_text() {
    let text = "base: &base {a: [1, &two 2]}\ncopy: *base\nkey: {*two : x}";
    insta::assert_snapshot!(refusal(text), @r#"
    error: the key `2` is not a text
      --> suite/a.yaml:1:21
      |
    1 | base: &base {a: [1, &two 2]}
      |                     ^^^^^^
      = help: put it in quotes: `"2"`

    1 error
    "#);
    assert_eq!(json("a: &x {b: 1}\nc: *x"), r#"{"a":{"b":1},"c":{"b":1}}"#);
}

#[test]
fn duplicate_keys_are_refused_with_both_places() {
    insta::assert_snapshot!(refusal("a: 1\nb:\n  c: 1\n  d: 2\n  \"c\": 3\na: 4\n"), @r#"
    error: duplicate key `c`
      --> suite/a.yaml:5:3
      |
    5 |   "c": 3
      |   ^^^
      = help: it is already at 3:3

    error: duplicate key `a`
      --> suite/a.yaml:6:1
      |
    6 | a: 4
      | ^
      = help: it is already at 1:1

    2 errors
    "#);
}

#[test]
fn keys_that_are_no_texts_are_refused() {
    insta::assert_snapshot!(refusal("200: a\ntrue: b\n~: c\n? [x]\n: d\n? {y: 1}\n: e\n: f\n"), @r#"
    error: the key `200` is not a text
      --> suite/a.yaml:1:1
      |
    1 | 200: a
      | ^^^
      = help: put it in quotes: `"200"`

    error: the key `true` is not a text
      --> suite/a.yaml:2:1
      |
    2 | true: b
      | ^^^^
      = help: put it in quotes: `"true"`

    error: the key `~` is not a text
      --> suite/a.yaml:3:1
      |
    3 | ~: c
      | ^
      = help: put it in quotes: `"~"`

    error: a key must be a text, this one is a list
      --> suite/a.yaml:4:3
      |
    4 | ? [x]
      |   ^

    error: a key must be a text, this one is a map
      --> suite/a.yaml:6:3
      |
    6 | ? {y: 1}
      |   ^

    error: a key is missing here
      --> suite/a.yaml:8:1
      |
    8 | : f
      | ^

    6 errors
    "#);
}

#[test]
fn a_merge_key_is_refused_unless_it_is_in_quotes() {
    insta::assert_snapshot!(refusal("a: &a {b: 1}\nc:\n  <<: *a\n"), @r"
    error: merge keys (`<<`) are not supported
      --> suite/a.yaml:3:3
      |
    3 |   <<: *a
      |   ^^
      = help: write the keys out, or use an alias for a whole value

    1 error
    ");
    assert_eq!(json("\"<<\": 1"), r#"{"<<":1}"#);
}

#[test]
fn numbers_that_cannot_be_kept_are_refused() {
    insta::assert_snapshot!(refusal("- .nan\n- -.Inf\n- 1e999\n- 18446744073709551616\n"), @r"
    error: the number `.nan` is not finite
      --> suite/a.yaml:1:3
      |
    1 | - .nan
      |   ^^^^
      = help: if it is a text, put it in quotes

    error: the number `-.Inf` is not finite
      --> suite/a.yaml:2:3
      |
    2 | - -.Inf
      |   ^^^^^
      = help: if it is a text, put it in quotes

    error: the number `1e999` is too large
      --> suite/a.yaml:3:3
      |
    3 | - 1e999
      |   ^^^^^
      = help: if it is a text, put it in quotes

    error: the number `18446744073709551616` is too large
      --> suite/a.yaml:4:3
      |
    4 | - 18446744073709551616
      |   ^^^^^^^^^^^^^^^^^^^^
      = help: if it is a text, put it in quotes

    4 errors
    ");
}

#[test]
fn tags_are_refused() {
    insta::assert_snapshot!(refusal("a: !secret x\nb: !!str 5\n"), @r"
    error: tags such as `!secret` are not supported
      --> suite/a.yaml:1:4
      |
    1 | a: !secret x
      |    ^^^^^^^^^
      = help: leave the tag out; a value in quotes is a text

    error: tags such as `!!str` are not supported
      --> suite/a.yaml:2:4
      |
    2 | b: !!str 5
      |    ^^^^^^^
      = help: leave the tag out; a value in quotes is a text

    2 errors
    ");
}

#[test]
fn a_second_document_is_refused() {
    insta::assert_snapshot!(refusal("a: 1\n---\nb: 2\n"), @r"
    error: a second document starts here
      --> suite/a.yaml:2:1
      |
    2 | ---
      | ^^^
      = help: a file holds one document: move this one to a file of its own

    1 error
    ");
}

#[test]
fn an_alias_inside_its_own_anchor_is_refused() {
    insta::assert_snapshot!(refusal("a: &x [1, *x]"), @r"
    error: this alias stands for something that contains it
      --> suite/a.yaml:1:11
      |
    1 | a: &x [1, *x]
      |           ^^

    1 error
    ");
}

#[test]
fn an_alias_without_an_anchor_is_refused() {
    insta::assert_snapshot!(refusal("a: *nowhere"), @r"
    error: invalid YAML: while parsing node, found unknown anchor
      --> suite/a.yaml:1:4
      |
    1 | a: *nowhere
      |    ^

    1 error
    ");
}

#[test]
fn a_control_character_is_refused_instead_of_ending_the_file() {
    insta::assert_snapshot!(refusal("a: 1\nb: x\0\nc: 3"), @r"
    error: the character U+0000 is not allowed here
      --> suite/a.yaml:2:5
      |
    2 | b: x�
      |     ^
      = help: in a double-quoted text it can be written as `\u0000`

    1 error
    ");
}

#[test]
fn a_syntax_error_has_its_place() {
    insta::assert_snapshot!(refusal("a: 1\nb: c: d\n"), @r"
    error: invalid YAML: mapping values are not allowed in this context
      --> suite/a.yaml:2:5
      |
    2 | b: c: d
      |     ^

    1 error
    ");
}

#[test]
fn an_unclosed_bracket_has_its_place() {
    insta::assert_snapshot!(refusal("a: [1, 2\nb: 3\n"), @r"
    error: invalid YAML: illegal placement of ':' indicator
      --> suite/a.yaml:2:2
      |
    2 | b: 3
      |  ^
      = help: the `[` at 1:4 is still open here

    1 error
    ");
}

#[test]
fn a_tab_as_indentation_is_refused() {
    insta::assert_snapshot!(refusal("a:\n\t- b\n"), @r"
    error: invalid YAML: tabs disallowed within this context (block indentation)
      --> suite/a.yaml:2:2
      |
    2 |  - b
      |  ^

    1 error
    ");
}

#[test]
fn mistakes_before_a_syntax_error_are_reported_with_it() {
    insta::assert_snapshot!(refusal("a: 1\na: 2\nb: 'open\n"), @r"
    error: duplicate key `a`
      --> suite/a.yaml:2:1
      |
    2 | a: 2
      | ^
      = help: it is already at 1:1

    error: invalid YAML: while scanning a quoted scalar, found unexpected end of stream
      --> suite/a.yaml:3:4
      |
    3 | b: 'open
      |    ^

    2 errors
    ");
}
