//! What waits for review is listed, accepted and rejected without a terminal.

use std::fs;
use std::path::Path;

use insta::assert_snapshot;

use super::place::Place;

const LIST: &str = "\
format: 2
endpoint: GET /notes
gates:
  no: 'auth_error: No'
cells:
  all notes:
    admin: {allowed: 200, discloses: [admin.user_id]}
    owner: {denied: 403, gate: no}
    anonymous: {denied: 401, gate: no}
    root: {denied: 403, gate: no}
";

/// Two actors more may list, and one of them sees who the admin is.
fn widened() -> String {
    LIST.replace("owner: {denied: 403, gate: no}", "owner: {allowed: 200}")
        .replace("root: {denied: 403, gate: no}", "root: {allowed: 200}")
        .replace("[admin.user_id]", "[admin.user_id, owner.user_id]")
}

/// Somebody less may list.
fn narrowed() -> String {
    LIST.replace(
        "allowed: 200, discloses: [admin.user_id]",
        "denied: 403, gate: no",
    )
}

/// A snapshot file as a check writes it.
pub(crate) fn snap(info: &str, content: &str) -> String {
    format!(
        "---\nsource: suites/notes\nexpression: record\ninfo:\n  authz_pin: 0.1.0\n  cells: 4\n{info}---\n{content}"
    )
}

/// What an earlier widening left.
const EARLIER: &str = "  reasons:
  - when: 2026-01-02
    drift:
    - 'widened all notes: admin: 403 -> 200'
    reason: admins list notes
";

/// Three snapshots that wait: one that widens, one that narrows, one that is new.
pub(crate) fn waiting() -> Place {
    Place::with("notes")
        .write("notes/snapshots/note-delete.snap", &snap("", LIST))
        .write(
            "notes/snapshots/note-delete.snap.new",
            &snap("", &narrowed()),
        )
        .write("notes/snapshots/note-list.snap", &snap(EARLIER, LIST))
        .write(
            "notes/snapshots/note-list.snap.new",
            &snap(EARLIER, &widened()),
        )
        .write("notes/snapshots/note-share.snap.new", &snap("", LIST))
}

/// A snapshot's file.
pub(crate) fn accepted(place: &Place, name: &str) -> String {
    let file = place.path(&format!("notes/snapshots/{name}.snap"));
    fs::read_to_string(file).unwrap()
}

/// The day on which a test runs is that of the last reason.
fn without_day(text: &str) -> String {
    let (before, after) = text.rsplit_once("when: ").unwrap();
    let (_, after) = after.split_once('\n').unwrap();
    format!("{before}when: DAY\n{after}")
}

pub(crate) fn names(place: &Place) -> Vec<String> {
    let files = place.files();
    let names = files.iter().filter_map(|(file, _)| {
        let folder: &Path = file.parent()?;
        folder
            .ends_with("snapshots")
            .then(|| file.file_name().unwrap().to_str().unwrap().to_owned())
    });
    names.collect()
}

#[test]
fn what_waits_is_listed_with_the_kinds_of_its_drift() {
    let place = waiting();
    assert_snapshot!(place.run(&["pending-snapshots", "notes"]).result(), @"
    note-delete: narrowed
    note-list: widened, disclosure-widened
    note-share: new
    ");
    let one = [
        "pending-snapshots",
        "notes",
        "--filter",
        "*-list",
        "--format",
        "json",
    ];
    assert_snapshot!(place.run(&one).result(), @r#"[{"name":"note-list","file":"notes/snapshots/note-list.snap.new","new":false,"takes_reason":true,"unreferenced":false,"drift":[{"kind":"widened","level":"deny","was":"403 auth_error: No","is":"200","endpoints":{"note-list":{"all notes":["owner","root"]}}},{"kind":"disclosure-widened","level":"deny","was":"not disclosed","is":"owner.user_id","endpoints":{"note-list":{"all notes":["admin"]}}}]}]"#);
}

#[test]
fn accepting_a_widening_without_a_reason_is_refused_and_accepts_nothing() {
    let place = waiting();
    let before = place.files();
    assert_snapshot!(place.run(&["accept", "notes"]).error(2), @"
    error: what weighs `deny` takes a reason, and nothing was accepted:
      note-list: widened all notes: owner, root: 403 auth_error: No -> 200
      note-list: disclosure-widened all notes: admin: not disclosed -> owner.user_id
      = help: say why with --reason TEXT, or leave these endpoints out with --filter
    ");
    assert!(place.files() == before);
}

#[test]
fn a_reason_is_kept_with_the_earlier_ones() {
    let place = waiting();
    let reason = "notes are for everybody: see #7";
    assert_snapshot!(place.run(&["accept", "notes", "--reason", reason]).result(), @"
    accepted notes/snapshots/note-delete.snap
    accepted notes/snapshots/note-list.snap
    accepted notes/snapshots/note-share.snap
    ");
    assert_eq!(
        names(&place),
        ["note-delete.snap", "note-list.snap", "note-share.snap"]
    );
    assert_snapshot!(without_day(&accepted(&place, "note-list")), @"
    ---
    source: suites/notes
    expression: record
    info:
      authz_pin: 0.1.0
      cells: 4
      reasons:
      - when: 2026-01-02
        drift:
        - 'widened all notes: admin: 403 -> 200'
        reason: admins list notes
      - when: DAY
        drift:
        - 'widened all notes: owner, root: 403 auth_error: No -> 200'
        - 'disclosure-widened all notes: admin: not disclosed -> owner.user_id'
        reason: 'notes are for everybody: see #7'
    ---
    format: 2
    endpoint: GET /notes
    gates:
      no: 'auth_error: No'
    cells:
      all notes:
        admin: {allowed: 200, discloses: [admin.user_id, owner.user_id]}
        owner: {allowed: 200}
        anonymous: {denied: 401, gate: no}
        root: {allowed: 200}
    ");
}

#[test]
fn what_does_not_widen_takes_no_reason_and_keeps_none() {
    let place = waiting();
    let arguments = [
        "accept",
        "notes",
        "--filter",
        "note-delete",
        "--filter",
        "note-share",
    ];
    place.run(&arguments).result();
    assert_eq!(accepted(&place, "note-delete"), snap("", &narrowed()));
    assert_eq!(accepted(&place, "note-share"), snap("", LIST));
    assert!(place.path("notes/snapshots/note-list.snap.new").exists());
}

#[test]
fn what_is_no_record_takes_a_reason_since_nobody_knows_what_it_allows() {
    let place = waiting().write("notes/snapshots/note-list.snap.new", &snap("", "hello\n"));
    let arguments = ["accept", "notes", "--filter", "note-list"];
    assert_snapshot!(place.run(&arguments).error(2), @"
    error: what weighs `deny` takes a reason, and nothing was accepted:
      note-list: not classified, since it is not a record
      = help: say why with --reason TEXT, or leave these endpoints out with --filter
    ");
}

#[test]
fn an_empty_reason_is_none() {
    let arguments = ["accept", "notes", "--reason", " "];
    assert_snapshot!(waiting().run(&arguments).error(2), @"
    error: invalid value ' ' for '--reason <TEXT>': it is empty

    For more information, try '--help'.
    ");
}

#[test]
fn rejecting_leaves_the_snapshots_as_they_are() {
    let place = waiting();
    let arguments = ["reject", "notes", "--filter", "note-[ls]*"];
    assert_snapshot!(place.run(&arguments).result(), @"
    rejected notes/snapshots/note-list.snap.new
    rejected notes/snapshots/note-share.snap.new
    ");
    assert_eq!(
        names(&place),
        ["note-delete.snap", "note-delete.snap.new", "note-list.snap"]
    );
    assert_eq!(accepted(&place, "note-delete"), snap("", LIST));
}

#[test]
fn where_nothing_waits_nothing_is_selected() {
    let place = Place::with("notes");
    for command in ["review", "accept", "reject"] {
        let error = place.run(&[command, "notes"]).error(4);
        assert!(
            error.starts_with("error: no snapshot waits for review\n"),
            "{error}"
        );
    }
    assert_eq!(place.run(&["pending-snapshots", "notes"]).result(), "");
}

#[test]
fn a_filter_that_selects_nothing_or_only_cells_is_a_slip() {
    let place = waiting();
    let none = ["reject", "notes", "--filter", "note-*", "--filter", "notes"];
    assert_snapshot!(place.run(&none).error(4), @"
    error: no snapshot that waits for review matches `notes`
      = help: `authz-pin pending-snapshots` lists those that wait
    ");
    let cells = ["accept", "notes", "--filter", "note-list/*/owner"];
    assert_snapshot!(place.run(&cells).error(2), @"
    error: `note-list/*/owner` is about cells
      = help: a snapshot holds a whole endpoint: filter by endpoints
    ");
}

#[test]
fn a_review_without_a_terminal_names_the_ways_out() {
    assert_snapshot!(waiting().run(&["review", "notes"]).error(2), @"
    error: a review takes a terminal, and here is none
      = help: `authz-pin pending-snapshots` lists what waits; `authz-pin accept` and `authz-pin reject` decide without a terminal
    ");
}

/// insta asserts on a file only if it can read its header.
#[test]
fn insta_reads_a_snapshot_that_has_reasons() {
    let place = waiting();
    let reason = "it's \"fine\": - {a} # no comment, <b>\n---\nand ü";
    place.run(&["accept", "notes", "--reason", reason]).result();
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(place.path("notes/snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.bind(|| assert_snapshot!("note-list", widened()));
}

#[test]
fn in_instas_review_what_is_no_record_is_a_text_that_differs() {
    let place = Place::empty()
        .write("a.old.snap", "one\ntwo\n")
        .write("a.new.snap", "one\n2\n");
    let insta = [("INSTA_DIFF_TOOL", "authz-pin diff")];
    let ended = place.run_with(&insta, &["diff", "a.old.snap", "a.new.snap"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(1), ""));
    assert_snapshot!(ended.stdout, @"
    @@ 
     one
    -two
    +2
    ");
    place.run(&["diff", "a.old.snap", "a.new.snap"]).error(2);
}

#[test]
fn a_record_that_had_none_before_is_cells_that_were_added() {
    let place = Place::empty()
        .write("a.old.snap", "")
        .write("a.new.snap", LIST);
    let ended = place.run(&["diff", "a.old.snap", "a.new.snap"]);
    assert_snapshot!(ended.stdout, @"
    cell-added GET /notes  all notes: admin
        - not swept
        + 200
    cell-added GET /notes  all notes: owner, root
        - not swept
        + 403 auth_error: No
    cell-added GET /notes  all notes: anonymous
        - not swept
        + 401 auth_error: No
    ");
}
