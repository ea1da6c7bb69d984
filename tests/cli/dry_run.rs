//! A dry run shows what would be sent and written, and does neither.

use insta::assert_snapshot;
use serde_json::Value as Json;

use super::place::Place;

/// Nobody listens here; whoever connects, fails.
const NOWHERE: [&str; 4] = [
    "--base-url",
    "http://me:s3cret@127.0.0.1:1",
    "--database-url",
    "postgres://me:s3cret@127.0.0.1:1/notes_prod",
];

fn dry_run(command: &str, filter: &str, more: &[&str]) -> String {
    let fixed = [command, "notes", "--dry-run", "--filter", filter];
    let arguments: Vec<&str> = fixed.iter().chain(more).copied().collect();
    Place::with("notes").run(&arguments).result()
}

#[test]
fn a_dry_run_shows_rows_requests_and_probes_by_the_names_of_their_values() {
    let text = dry_run("check", "note-share/*/admin", &NOWHERE);
    // The journal's functions are many, and no promise.
    let is_code = |line: &&str| line.starts_with("  function ") || line.starts_with("  procedure ");
    let lines = text.lines().filter(|line| !is_code(line));
    assert_snapshot!(lines.collect::<Vec<_>>().join("\n"), @r#"
    Nothing is sent and nothing is written.

    suite     notes
    service   http://me:***@127.0.0.1:1/
    database  postgres://me:***@127.0.0.1:1/notes_prod

    while the run lasts, the database has:
      schema authz_pin
      table authz_pin.run
      table authz_pin.identifier
      table authz_pin.change
      index identifier_run on authz_pin.identifier
      index change_run on authz_pin.change
      triggers authz_pin_* on every table of every schema

    rows for the whole run:
      insert note {"note_id":"<welcome.note_id>","author":"<admin.user_id>","tags":[]}
      insert user {"user_id":"<admin.user_id>","token":"<admin.token>","role":"admin"}
      insert admin {"user_id":"<admin.user_id>","region":"<vars.region>"}
      insert user {"user_id":"<owner.user_id>","token":"<owner.token>","role":"member"}

    note-share/own note/admin
      insert note {"note_id":"<target.note_id>","author":"<actor.user_id>","tags":[]}
      POST /notes/<target.note_id>/share
        authorization: Bearer <actor.key>
        {"with":"<owner.user_id>","depth":1}
      probe new key: GET /me
        authorization: Bearer <new.key>

    1 cell, 2 requests without the pages after a first one
    "#);
}

#[test]
fn a_dry_run_shows_that_a_paged_answer_is_walked() {
    let text = dry_run("check", "note-list/*/anonymous", &[]);
    assert!(text.contains("  GET /notes?size=2&page=1..\n"), "{text}");
}

#[test]
fn a_dry_run_for_a_program_is_one_json_document_with_the_selected_cells() {
    let text = dry_run("check", "*/*/owner", &["--format", "json"]);
    let json: Json = serde_json::from_str(&text).unwrap();
    let keys: Vec<_> = json.as_object().unwrap().keys().collect();
    let expected = [
        "suite", "sweeps", "service", "database", "journal", "world", "cells",
    ];
    assert_eq!(keys, expected);
    let cells = json["cells"].as_array().unwrap();
    assert_eq!(cells.len(), 4);
    assert_snapshot!(cells[0], @r#"{"endpoint":"note-delete","target":"own note","actor":"owner","rows":[{"table":"note","values":{"note_id":"<target.note_id>","author":"<actor.user_id>","tags":[]}}],"request":{"method":"DELETE","path":"/notes/<target.note_id>","query":[],"headers":[["x-api-key","<actor.key>"],["x-region","<vars.region>"]]},"probes":{"owner's key":{"method":"GET","path":"/me","query":[],"headers":[["authorization","Bearer <actor.key>"]]}}}"#);
}

#[test]
fn a_dry_run_of_a_recording_says_that_it_is_done_twice() {
    let text = dry_run("record", "note-list", &[]);
    assert!(
        text.ends_with(
            "4 cells, 4 requests without the pages after a first one, and a cell of each kind and all that change rows once more with other values\n"
        ),
        "{text}"
    );
}

#[test]
fn a_dry_run_connects_to_nothing_and_shows_no_password() {
    for command in ["check", "record"] {
        let text = dry_run(command, "note-*", &NOWHERE);
        assert!(!text.contains("s3cret"), "{text}");
    }
}

#[test]
fn a_dry_run_writes_no_file() {
    let place = Place::with("notes");
    let before = place.files();
    place.run(&["record", "notes", "--dry-run"]).result();
    assert!(place.files() == before, "a file was written or changed");
}

#[test]
fn what_a_template_makes_without_a_name_is_shown_as_random() {
    let place = Place::with("notes").edit(
        "notes/endpoints/note-share.yaml",
        "    depth: 1\n",
        "    depth: \"{{ random(8) }}\"\n",
    );
    let arguments = [
        "check",
        "notes",
        "--dry-run",
        "--filter",
        "note-share/*/admin",
    ];
    let text = place.run(&arguments).result();
    assert!(
        text.contains(r#"{"with":"<owner.user_id>","depth":"<random>"}"#),
        "{text}"
    );
}

#[test]
fn a_dry_run_of_the_litellm_suite_shows_every_cell_and_no_secret_in_the_same_bytes_each_time() {
    let place = Place::with_litellm();
    let master_key = "master_key=sk-0123456789abcdef";
    let run = || {
        place
            .run(&["check", "--dry-run", "--var", master_key])
            .result()
    };
    let text = run();
    let cells = text.lines().filter(|line| line.starts_with("key-"));
    assert_eq!(cells.count(), 2106);
    assert!(text.contains("Bearer <vars.master_key>"), "{text}");
    // One target asks for a key by the cell's own name, which is no secret.
    let others = text.replace("sk-<cell.tag>", "");
    assert!(!others.contains("sk-"), "{others}");
    assert_eq!(run(), text);
}
