//! Places, and mistakes that later stages find.

use std::path::Path;

use super::parsed;
use crate::diagnostic::{Diagnostics, Position};
use crate::yaml::{Document, NodePath};

const TEXT: &str = "world:\n  teams:\n    - name: alpha\n    - { name: beta }\n";

fn at(line: usize, column: usize) -> Position {
    Position { line, column }
}

#[test]
fn every_value_and_every_key_has_a_place() {
    let document = parsed(TEXT);
    let beta = NodePath::root()
        .join("world")
        .join("teams")
        .join(1)
        .join("name");
    assert_eq!(document.position(&beta), Some(at(4, 15)));
    assert_eq!(document.key_position(&beta), Some(at(4, 9)));
    assert_eq!(document.position(&NodePath::root()), Some(at(1, 1)));
    assert_eq!(document.key_position(&NodePath::root()), None);
    assert_eq!(document.position(&NodePath::from(["world", "orgs"])), None);
    assert_eq!(beta.to_string(), "world.teams[1].name");
}

#[test]
fn a_mistake_found_later_points_at_its_value() {
    let path = NodePath::root()
        .join("world")
        .join("teams")
        .join(0)
        .join("name");
    let error = parsed(TEXT).error_at(&path, "the team `alpha` has no organization");
    insta::assert_snapshot!(error.help("add `organization: a`"), @r"
    error: the team `alpha` has no organization
      --> suite/a.yaml:3:13
      |
    3 |     - name: alpha
      |             ^^^^^
      = help: add `organization: a`
    ");
}

#[test]
fn a_mistake_found_later_points_at_its_key() {
    let path = NodePath::from(["world", "teams"]);
    insta::assert_snapshot!(parsed(TEXT).error_at_key(&path, "too many teams"), @r"
    error: too many teams
      --> suite/a.yaml:2:3
      |
    2 |   teams:
      |   ^^^^^
    ");
}

#[test]
fn a_mistake_in_what_is_not_there_points_at_the_nearest_that_is() {
    let path = NodePath::from(["world", "orgs", "a"]);
    insta::assert_snapshot!(parsed(TEXT).error_at_key(&path, "no organization `a`"), @r"
    error: no organization `a`
      --> suite/a.yaml:1:1
      |
    1 | world:
      | ^^^^^
    ");
}

#[test]
fn mistakes_of_several_files_are_reported_together() {
    let text = "a: 1\na: 2\n";
    let mut errors = Diagnostics::new();
    for file in ["b.yaml", "a.yaml"] {
        errors.absorb(Document::parse(Path::new(file), text.to_owned()));
    }
    insta::assert_snapshot!(errors, @r"
    error: duplicate key `a`
      --> a.yaml:2:1
      |
    2 | a: 2
      | ^
      = help: it is already at 1:1

    error: duplicate key `a`
      --> b.yaml:2:1
      |
    2 | a: 2
      | ^
      = help: it is already at 1:1

    2 errors in 2 files
    ");
}

#[test]
fn a_file_that_is_not_there_is_an_error_without_a_place() {
    insta::assert_snapshot!(Document::read(Path::new("nowhere/a.yaml")).unwrap_err(), @r"
    error: cannot read the file: No such file or directory (os error 2)
     --> nowhere/a.yaml

    1 error
    ");
}

#[test]
fn a_long_line_is_cropped_around_the_mistake() {
    let names = |prefix| {
        let entries: Vec<_> = (0..40).map(|n| format!("{prefix}{n}: 1")).collect();
        entries.join(", ")
    };
    let text = format!("{{ {}, x: 1, x: 2, {} }}", names("a"), names("b"));
    insta::assert_snapshot!(super::refusal(&text), @r"
    error: duplicate key `x`
      --> suite/a.yaml:1:319
      |
    1 | …3: 1, a34: 1, a35: 1, a36: 1, a37: 1, a38: 1, a39: 1, x: 1, x: 2, b0: 1, b1: 1, b2: 1, b3: 1, b4: 1, b5: 1, b6: 1, b7: 1
      |                                                              ^
      = help: it is already at 1:313

    1 error
    ");
}

#[test]
fn an_alias_does_not_repeat_a_mistake() {
    let errors = super::mistakes("method: GET\npath: /\nprobes:\n  a: &a { expct: 1 }\n  b: *a\n");
    assert_eq!(errors.matches("unknown key").count(), 1);
}
