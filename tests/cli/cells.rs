//! One cell, explained.

use insta::assert_snapshot;
use serde_json::Value as Json;

use super::place::Place;
use super::review::waiting;

fn explain(place: &Place, cell: &str) -> String {
    place.run(&["explain", cell, "notes"]).result()
}

#[test]
fn a_cell_is_explained_with_its_call_its_answer_and_what_waits_for_review() {
    assert_snapshot!(explain(&waiting(), "note-list/all notes/owner"), @r"
    the call
    note-list/all notes/owner
      GET /notes?size=2&page=1..
        x-api-key: <actor.key>
      credential of owner: the header x-api-key

    accepted
      answer: 403 auth_error: No
      denied, by the status: 400 or above
      changed no row

    waits for review
      widened (deny): 403 auth_error: No -> 200
      answer: 200
      allowed, by the status: below 300
      changed no row
    ");
}

#[test]
fn a_cell_of_the_gateway_is_explained_with_rows_columns_findings_and_their_kinds() {
    let place = Place::with_litellm();
    let said = place
        .run(&["explain", "key-update-models/owner's key/proxy_admin"])
        .result();
    for text in [
        "POST /key/update",
        "authorization: Bearer <actor.key>",
        "credential of proxy_admin: a bearer token",
        "answer: 200",
        "allowed, by the status: below 300",
        "update LiteLLM_VerificationToken",
        "      models: ",
    ] {
        assert!(said.contains(text), "`{text}` in {said}");
    }
}

#[test]
fn a_cell_for_a_program_is_one_json_document() {
    let place = waiting();
    let cell = [
        "explain",
        "note-list/all notes/owner",
        "notes",
        "--format",
        "json",
    ];
    let json: Json = serde_json::from_str(&place.run(&cell).result()).unwrap();
    assert_eq!(json["actor"], "owner");
    assert_eq!(json["call"]["request"]["method"], "GET");
    assert_eq!(json["accepted"]["answer"], "403");
    assert_eq!(json["accepted"]["verdict"], "denied");
    assert_eq!(json["pending"]["verdict"], "allowed");
    assert_eq!(json["drift"][0]["kind"], "widened");
}

#[test]
fn a_cell_without_a_snapshot_has_a_call_all_the_same() {
    let said = explain(&Place::with("notes"), "note-list/all notes/owner");
    assert!(said.contains("GET "), "{said}");
    assert!(
        said.contains("nothing: this cell is in no snapshot"),
        "{said}"
    );
}

#[test]
fn names_with_slashes_are_found() {
    let place = Place::with("notes")
        .edit("notes/targets.yaml", "all notes:", "all/of the notes:")
        .edit(
            "notes/endpoints/note-list.yaml",
            "all notes",
            "all/of the notes",
        );
    let said = explain(&place, "note-list/all/of the notes/owner");
    assert!(said.contains("GET "), "{said}");
}

#[test]
fn a_name_that_is_none_is_answered_with_the_nearest_one() {
    let place = Place::with("notes");
    let error = |cell: &str| place.run(&["explain", cell, "notes"]).error(2);
    assert_snapshot!(error("note-lst/all notes/owner"), @r"
    error: unknown endpoint `note-lst`
      = help: did you mean `note-list`?
    ");
    assert_snapshot!(error("note-list/all note/owner"), @r"
    error: unknown target of `note-list` `all note`
      = help: did you mean `all notes`?
    ");
    assert_snapshot!(error("note-list/all notes/ownr"), @r"
    error: unknown actor `ownr`
      = help: did you mean `owner`?
    ");
    let markdown = [
        "explain",
        "note-list/all notes/owner",
        "notes",
        "--format",
        "markdown",
    ];
    assert_snapshot!(place.run(&markdown).error(2), @r"
    error: a cell is not explained as Markdown
      = help: only kinds are: --format human or --format json
    ");
}

#[test]
fn a_kind_is_explained_to_a_program_too() {
    let place = Place::empty();
    let kind = place
        .run(&["explain", "widened", "--format", "json"])
        .result();
    let kind: Json = serde_json::from_str(&kind).unwrap();
    assert_eq!(
        (&kind["id"], &kind["level"]),
        (&"widened".into(), &"deny".into())
    );
    let all = place.run(&["explain", "--format", "json"]).result();
    let all: Json = serde_json::from_str(&all).unwrap();
    assert!(all.as_array().unwrap().contains(&kind));
}
