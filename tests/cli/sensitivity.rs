//! What the records of a suite could not show.

use insta::assert_snapshot;
use serde_json::Value;

use super::place::{Ended, Place};

const DELETE: &str = "\
format: 2
endpoint: DELETE /notes/{{ target.note_id }}
gates:
  not-yours: 'forbidden: not yours'
  who-are-you: 'unauthorized: who are you'
effects:
  delete note 1a2b: {row: <target.note_id>}
cells:
  own note:
    admin: {allowed: 204, effects: [delete note 1a2b]}
    owner: {allowed: 204, effects: [delete note 1a2b]}
    anonymous: {denied: 401, gate: who-are-you}
    root: {allowed: 204, effects: [delete note 1a2b]}
  owner's note:
    admin: {denied: 403, gate: not-yours}
    owner: {allowed: 204, effects: [delete note 1a2b]}
    anonymous: {denied: 401, gate: who-are-you}
    root: {denied: 403, gate: not-yours}
";

const LIST: &str = "\
format: 2
endpoint: GET /notes
cells:
  all notes:
    admin: {allowed: 200}
    owner: {allowed: 200}
    anonymous: {allowed: 200}
    root: {allowed: 200}
";

const SHARE: &str = "\
format: 2
endpoint: POST /notes/{{ target.note_id }}/share
gates:
  not-today: 'unavailable: not today'
cells:
  own note:
    admin: {denied: 403, gate: not-today}
    owner: {denied: 403, gate: not-today}
    anonymous: {denied: 403, gate: not-today}
    root: {denied: 403, gate: not-today}
";

const EXPLAINED: &str = "\
sensitivity:
  explained:
    - what: answers of note-list
      because: everybody may see the list
    - { what: actors admin ~ root, because: root is an administrator }
";

fn snapshot(record: &str) -> String {
    format!("---\nsource: notes\nexpression: record\n---\n{record}")
}

fn notes() -> Place {
    Place::with("notes")
        .write("notes/snapshots/note-delete.snap", &snapshot(DELETE))
        .write("notes/snapshots/note-list.snap", &snapshot(LIST))
        .write("notes/snapshots/note-share.snap", &snapshot(SHARE))
}

fn with(place: Place, sensitivity: &str) -> Place {
    let name = "name: notes\n";
    place.edit("notes/suite.yaml", name, &format!("{name}{sensitivity}"))
}

fn sensitivity(place: &Place, arguments: &[&str]) -> Ended {
    let fixed = ["sensitivity", "notes"];
    let arguments: Vec<&str> = fixed.iter().chain(arguments).copied().collect();
    place.run(&arguments)
}

#[test]
fn what_is_open_comes_with_what_to_add() {
    assert_snapshot!(sensitivity(&with(notes(), EXPLAINED), &[]).result(), @r"
    about    questions  noticed  explained  open
    answers          3        1          1     1
    table            1        1          0     0
    gate             3        2          0     1
    actors           6        5          1     0
    effects          2        1          0     1
    targets          1        1          0     0
    all             16       11          2     3

    open, each with what to add to the suite
      answers of note-share: every actor got the same answer
        add an actor or a target with which a call of `note-share` is allowed, such as `owner's note`, upon which `note-delete` tells actors apart
      gate not-today of note-share: it stops 4 cells, and no call of the endpoint is allowed
        add a target, an actor or other parameters with which a call of `note-share` is allowed
      effects of note-share: no call of `POST /notes/{{ target.note_id }}/share` changed a row
        add an actor or a target with which a call of `note-share` is allowed

    explained
      answers of note-list: everybody may see the list
      actors admin ~ root: root is an administrator

    78.5 % noticed: 16 questions, 11 noticed, 2 explained, 3 open
    ");
}

#[test]
fn sensitivity_for_a_program_has_every_gap() {
    let json = sensitivity(&with(notes(), EXPLAINED), &["--format", "json"]).result();
    let mut report: Value = serde_json::from_str(&json).unwrap();
    let gaps = report["gaps"].take();
    let lines = std::iter::once(&report).chain(gaps.as_array().unwrap());
    let lines: Vec<String> = lines.map(Value::to_string).collect();
    assert_snapshot!(lines.join("\n"), @r#"
    {"suite":"notes","percent":78.5,"totals":{"questions":16,"noticed":11,"explained":2,"open":3},"kinds":{"answers":{"questions":3,"noticed":1,"explained":1,"open":1},"table":{"questions":1,"noticed":1,"explained":0,"open":0},"gate":{"questions":3,"noticed":2,"explained":0,"open":1},"actors":{"questions":6,"noticed":5,"explained":1,"open":0},"effects":{"questions":2,"noticed":1,"explained":0,"open":1},"targets":{"questions":1,"noticed":1,"explained":0,"open":0}},"gaps":null,"not_observed":[]}
    {"kind":"answers","what":"answers of note-list","cells":4,"seen":"every actor got the same answer","add":"an actor or a target with which a call of `note-list` is refused","because":"everybody may see the list"}
    {"kind":"answers","what":"answers of note-share","cells":4,"seen":"every actor got the same answer","add":"an actor or a target with which a call of `note-share` is allowed, such as `owner's note`, upon which `note-delete` tells actors apart"}
    {"kind":"gate","what":"gate not-today of note-share","cells":4,"seen":"it stops 4 cells, and no call of the endpoint is allowed","add":"a target, an actor or other parameters with which a call of `note-share` is allowed"}
    {"kind":"actors","what":"actors admin ~ root","cells":4,"seen":"both got the same answers upon all 4 targets","add":"a target that is only `admin`'s, say on `note-delete`, where `owner's note` shows 3 different answers, or leave one of both out","because":"root is an administrator"}
    {"kind":"effects","what":"effects of note-share","cells":4,"seen":"no call of `POST /notes/{{ target.note_id }}/share` changed a row","add":"an actor or a target with which a call of `note-share` is allowed"}
    "#);
}

#[test]
fn sensitivity_fails_only_below_the_percentage_that_was_asked_for() {
    let place = with(notes(), EXPLAINED);
    assert_eq!(sensitivity(&place, &[]).code, Some(0));
    assert_eq!(sensitivity(&place, &["--fail-under", "50"]).code, Some(0));
    assert_eq!(sensitivity(&place, &["--fail-under", "100"]).code, Some(1));
}

#[test]
fn an_explanation_of_what_is_not_open_is_a_mistake_at_its_place() {
    let place = with(
        notes(),
        "sensitivity:\n  explained:\n    - { what: actors admin ~ root, because: x }\n    - what: table note\n      because: it is guarded\n",
    );
    assert_snapshot!(sensitivity(&place, &[]).error(2), @r"
    error: nothing that the records leave open is called that
      --> notes/suite.yaml:6:13
      |
    6 |     - what: table note
      |             ^^^^^^^^^^
      = help: take it out, or name what `authz-pin sensitivity` lists as open

    1 error
    ");
}

#[test]
fn an_explanation_of_other_snapshots_is_passed_over() {
    let place = with(
        notes(),
        "sensitivity: { explained: [{ what: table note, because: x }] }\n",
    );
    assert_eq!(sensitivity(&place, &[]).code, Some(2));
    let others = sensitivity(&place, &["--snapshots", "notes/snapshots"]);
    assert_eq!(others.code, Some(0));
}

#[test]
fn an_explanation_needs_a_name_and_a_reason() {
    let place = with(
        notes(),
        "sensitivity:\n  explained:\n    - { what: table note, because: \" \" }\n    - { what: table note }\n",
    );
    assert_snapshot!(sensitivity(&place, &[]).error(2), @r#"
    error: the reason is empty
      --> notes/suite.yaml:5:36
      |
    5 |     - { what: table note, because: " " }
      |                                    ^^^^
      = help: say why no cell has to show it

    error: missing key `because`
      --> notes/suite.yaml:6:7
      |
    6 |     - { what: table note }
      |       ^^
      = help: add `because: ...`

    2 errors
    "#);
}

#[test]
fn an_endpoint_without_a_record_is_named() {
    let place = notes().remove("notes/snapshots/note-list.snap");
    assert_snapshot!(sensitivity(&place, &[]).error(1), @r"
    error: the endpoint `note-list` has no snapshot
      = help: `authz-pin record` writes it
    ");
}

#[test]
fn a_snapshot_that_is_no_record_is_named() {
    let place = notes().write("notes/snapshots/note-list.snap", &snapshot("cells: 1\n"));
    let error = sensitivity(&place, &[]).error(2);
    assert!(
        error.starts_with("error: `notes/snapshots/note-list.snap` is not a record: "),
        "{error}"
    );
}

#[test]
fn effects_that_were_not_observed_are_not_asked_for() {
    let unobserved = SHARE.replace("not-today}", "not-today, effects: not observed}");
    let place = notes().write("notes/snapshots/note-share.snap", &snapshot(&unobserved));
    let result = sensitivity(&place, &[]).result();
    let said = "\nnot asked what they write, since effects were not observed\n  note-share\n";
    assert!(result.contains(said), "{result}");
}

#[test]
fn the_litellm_suite_leaves_nothing_open() {
    let ended = Place::with_litellm().run(&["sensitivity", "--fail-under", "100"]);
    assert_snapshot!(ended.result(), @r"
    about    questions  noticed  explained  open
    answers         21       21          0     0
    table            4        4          0     0
    gate           182      182          0     0
    actors         262      262          0     0
    effects         19       19          0     0
    targets        548      546          2     0
    all           1036     1034          2     0

    explained
      targets for itself ~ with a rotation that is off: a rotation that is off is meant to be none
      targets own key with a grace period of nothing ~ own key with a new key: neither is meant to leave the old key anything, and a record names every new key alike

    100.0 % noticed: 1036 questions, 1034 noticed, 2 explained, 0 open
    ");
}
