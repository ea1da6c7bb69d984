//! Records of another format: refused by their number, and rewritten by `migrate`.

use std::fs;

use super::place::Place;
use super::review::{accepted, snap};

/// As it was written before a record's format had a number.
const OLD: &str = "\
endpoint: GET /notes
gates:
  not-yours: 'auth_error: No'
effects:
  update note 1a2b:
    row: <target.note_id>
    columns:
      text: 'before -> after'
cells:
  all notes:
    admin: {status: 200, discloses: [admin.user_id], effects: [update note 1a2b]}
    owner: {status: 403, gate: not-yours}
    anonymous: {status: 302}
    root: {fault: timed out}
findings:
- 'inversion: owner on `all notes` is denied (403) where allowed: admin'
- 'no-answer: root on `all notes` got no answer (timed out)'
";

const NEW: &str = "\
format: 2
endpoint: GET /notes
gates:
  not-yours: 'auth_error: No'
effects:
  update note 1a2b:
    row: <target.note_id>
    columns:
      text: {old: before, new: after}
cells:
  all notes:
    admin: {allowed: 200, discloses: [admin.user_id], effects: [update note 1a2b]}
    owner: {denied: 403, gate: not-yours}
    anonymous: {redirected: 302}
    root: {fault: timed out}
findings:
- {kind: inversion, target: all notes, actor: owner, detail: 'is denied (403) where allowed: admin'}
- {kind: no-answer, target: all notes, actor: root, detail: got no answer (timed out)}
";

const REASONS: &str = "  reasons:
  - when: 2026-01-02
    finding: 'inversion: is denied (403) where allowed: admin'
    cells:
      all notes:
      - owner
    reason: 'known: #12'
";

const BEFORE: &str = "before/note-list.snap";
const FILE: &str = "notes/snapshots/note-list.snap";

fn older() -> Place {
    Place::with("notes")
        .write(FILE, &snap(REASONS, OLD))
        .write("notes/snapshots/note-list.snap.new", &snap("", OLD))
        .write("notes/snapshots/other.snap", "---\nsource: x\n---\nhello\n")
}

#[test]
fn a_record_of_an_older_format_is_rewritten_with_its_header_and_what_waits() {
    let place = older();
    let told = place.run(&["migrate", "notes"]).result();
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(lines.len(), 3, "{told}");
    assert!(lines[0].ends_with("note-list.snap"), "{told}");
    assert!(lines[1].ends_with("note-list.snap.new"), "{told}");
    assert_eq!(lines[2], "rewrote 2 records, left 1 file without a record");
    assert_eq!(accepted(&place, "note-list"), snap(REASONS, NEW));
    let pending = fs::read_to_string(place.path("notes/snapshots/note-list.snap.new"));
    assert_eq!(pending.unwrap(), snap("", NEW));
}

#[test]
fn what_was_rewritten_stays_as_it_is() {
    let place = older();
    place.run(&["migrate", "notes"]).result();
    let again = place.run(&["migrate", "notes"]).result();
    assert_eq!(
        again,
        "rewrote 0 records, 2 of this format already, left 1 file without a record\n"
    );
    assert_eq!(accepted(&place, "note-list"), snap(REASONS, NEW));
}

#[test]
fn a_dry_run_of_migrate_writes_nothing() {
    let place = older();
    let told = place.run(&["migrate", "--snapshots", "notes/snapshots", "--dry-run"]);
    let told = told.result();
    assert!(told.starts_with("would rewrite notes/snapshots/"), "{told}");
    assert_eq!(accepted(&place, "note-list"), snap(REASONS, OLD));
}

#[test]
fn every_command_that_reads_records_refuses_an_older_one_and_says_what_rewrites_it() {
    let place = older();
    let url = ["--base-url", "http://localhost:9"];
    let commands = [
        [&["check", "notes"][..], &url].concat(),
        [&["record", "notes"][..], &url].concat(),
        vec!["accept", "notes"],
        vec!["pending-snapshots", "notes"],
        vec!["sensitivity", "notes"],
    ];
    for command in commands {
        let ended = place.run(&command);
        let said = format!("{command:?}: {}", ended.stderr);
        assert_eq!(ended.code, Some(2), "{said}");
        assert!(said.contains("note-list.snap"), "{said}");
        assert!(said.contains("the record has format 1"), "{said}");
        assert!(said.contains("`authz-pin migrate --snapshots "), "{said}");
    }
    assert_eq!(accepted(&place, "note-list"), snap(REASONS, OLD));
}

#[test]
fn a_diff_between_before_and_after_a_migration_says_that_nothing_drifted() {
    let place = older();
    let before = fs::read_to_string(place.path(FILE)).unwrap();
    let place = place.write(BEFORE, &before);
    place.run(&["migrate", "notes"]).result();
    let ended = place.run(&["diff", BEFORE, FILE]);
    assert_eq!(ended.result(), "no drift\n");
    let other = before.replacen("200", "403", 1);
    assert_ne!(other, before);
    let place = place.write(BEFORE, &other);
    let ended = place.run(&["diff", BEFORE, FILE]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stdout.contains("widened"), "{ended:?}");
}

#[test]
fn a_record_of_a_newer_format_is_left_to_a_newer_tool() {
    let newer = "format: 7\nsomething: else\n";
    let place = Place::with("notes").write(FILE, &snap("", newer));
    for command in [&["accept", "notes"][..], &["migrate", "notes"]] {
        let ended = place.run(command);
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(ended.stderr.contains("has format 7"), "{ended:?}");
        assert!(ended.stderr.contains("or a later one"), "{ended:?}");
    }
    assert_eq!(accepted(&place, "note-list"), snap("", newer));
}

#[test]
fn a_finding_of_an_unknown_kind_is_named_with_its_file() {
    let unknown = NEW.replace("no-answer", "no-idea");
    let place = Place::with("notes").write(FILE, &snap("", &unknown));
    let ended = place.run(&["diff", FILE, FILE]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    for part in ["note-list.snap", "no kind of finding `no-idea`"] {
        assert!(ended.stderr.contains(part), "{ended:?}");
    }
}

#[test]
fn nothing_is_rewritten_where_one_record_cannot_be_read() {
    let odd = OLD.replace("no-answer", "no-idea");
    let place = older().write("notes/snapshots/note-share.snap", &snap("", &odd));
    let ended = place.run(&["migrate", "notes"]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.stderr.contains("note-share.snap"), "{ended:?}");
    assert!(ended.stderr.contains("`no-idea`"), "{ended:?}");
    assert_eq!(accepted(&place, "note-list"), snap(REASONS, OLD));
}
