//! Endpoints whose calls change their own caller, which is therefore made anew for each cell.

use std::fs;

use insta::assert_snapshot;

use super::club::Served;
use super::place::{Ended, Place};

fn doors() -> Place {
    Place::with("doors")
}

/// The same where members are made by requests.
fn doors_by_requests() -> Place {
    let world = "kinds:
  member:
    secrets:
      token: null
    symbols:
      title: \"{{ run }}-{{ name }}\"
      member_id: null
    setup:
      - request: { method: POST, path: /members, json: { name: \"{{ title }}\" } }
        auth: { actor: admin }
        capture: { member_id: $.id, token: $.token }
    teardown:
      - request: { method: DELETE, path: \"/members/{{ member_id }}\" }
        auth: { actor: admin }

entities:";
    let place = doors();
    let text = fs::read_to_string(place.path("doors/world.yaml")).unwrap();
    let (_, rest) = text.split_once("entities:").unwrap();
    place.write("doors/world.yaml", &format!("{world}{rest}"))
}

fn record(place: &Place, name: &str) -> String {
    let file = place.path(&format!("doors/snapshots/{name}.snap"));
    let text = fs::read_to_string(file).unwrap();
    let (_, record) = text.split_once("\n---\n").unwrap();
    record.to_owned()
}

fn run(service: &Served, place: &Place, command: &[&str]) -> Ended {
    let (url, database) = (service.url(), &service.database_url);
    let service = ["doors", "--base-url", &url, "--database-url", database];
    place.run(&[&command[..1], &service, &command[1..]].concat())
}

/// Records, and checks one cell after the other and in another order.
fn swept(place: &Place) {
    let service = Served::start();
    let before = service.rows();
    for command in [
        &["record"][..],
        &["check", "--concurrency", "1"],
        &["check", "--concurrency", "16", "--shuffle", "7"],
    ] {
        let ended = run(&service, place, command);
        assert_eq!(ended.code, Some(0), "{ended:#?}");
        assert!(!ended.stderr.contains("one cell at a time"), "{ended:#?}");
        assert_eq!(service.rows(), before, "{command:?}");
    }
}

#[test]
fn a_call_that_changes_its_own_caller_harms_no_other_cell() {
    let place = doors();
    swept(&place);
    assert_snapshot!(record(&place, "logout"), @r"
    format: 2
    endpoint: POST /logout
    gates:
      who-are-you: who are you
    effects:
      delete session 6f4f:
        row: <actor.session>
    values: {}
    cells:
      itself:
        admin: {allowed: 204}
        owner: {allowed: 204, effects: [delete session 6f4f]}
        other: {allowed: 204}
        anonymous: {denied: 401, gate: who-are-you}
      itself for a friend:
        admin: {allowed: 204}
        owner: {allowed: 204, effects: [delete session 6f4f]}
        other: {allowed: 204}
        anonymous: {denied: 401, gate: who-are-you}
    findings:
    - {kind: allowed-without-effect, target: itself, actor: admin, detail: 'was allowed (204), and nothing changed'}
    - {kind: world-changed, target: itself, actor: owner, detail: changed session <actor.session>}
    - {kind: allowed-without-effect, target: itself, actor: other, detail: 'was allowed (204), and nothing changed'}
    - {kind: allowed-without-effect, target: itself for a friend, actor: admin, detail: 'was allowed (204), and nothing changed'}
    - {kind: world-changed, target: itself for a friend, actor: owner, detail: changed session <actor.session>}
    - {kind: allowed-without-effect, target: itself for a friend, actor: other, detail: 'was allowed (204), and nothing changed'}
    ");
    assert_snapshot!(record(&place, "me-delete"), @r"
    format: 2
    endpoint: DELETE /me
    gates:
      who-are-you: who are you
    effects:
      delete member acc0:
        row: <actor.member_id>
      delete session 6f4f:
        row: <actor.session>
    values: {}
    cells:
      itself:
        owner: {allowed: 204, effects: [delete member acc0, delete session 6f4f], probes: {friend: 200, other: 200}}
        other: {allowed: 204, effects: [delete member acc0], probes: {friend: 200, other: 401}}
        anonymous: {denied: 401, gate: who-are-you, probes: {friend: 200, other: 200}}
      itself for a friend:
        owner: {allowed: 204, effects: [delete member acc0, delete session 6f4f], probes: {friend: 200, other: 200}}
        other: {allowed: 204, effects: [delete member acc0], probes: {friend: 200, other: 401}}
        anonymous: {denied: 401, gate: who-are-you, probes: {friend: 200, other: 200}}
    findings:
    - {kind: world-changed, target: itself, actor: owner, detail: 'changed member <actor.member_id>, session <actor.session>'}
    - {kind: world-changed, target: itself, actor: other, detail: changed member <actor.member_id>}
    - {kind: world-changed, target: itself for a friend, actor: owner, detail: 'changed member <actor.member_id>, session <actor.session>'}
    - {kind: world-changed, target: itself for a friend, actor: other, detail: changed member <actor.member_id>}
    ");
    assert_snapshot!(record(&place, "me-promote"), @r"
    format: 2
    endpoint: PATCH /me
    gates:
      who-are-you: who are you
    effects:
      update member 7382:
        row: <actor.member_id>
        columns:
          role: {old: member, new: admin}
    values:
      common:
        id: <actor.member_id>
        role: admin
    shapes:
      body 9445:
      - id
      - role
    cells:
      itself:
        owner: {allowed: 200, discloses: [actor.member_id], effects: [update member 7382], shape: body 9445}
        other: {allowed: 200, discloses: [actor.member_id], effects: [update member 7382], shape: body 9445}
        anonymous: {denied: 401, gate: who-are-you}
      itself for a friend:
        owner: {allowed: 200, discloses: [actor.member_id], effects: [update member 7382], shape: body 9445}
        other: {allowed: 200, discloses: [actor.member_id], effects: [update member 7382], shape: body 9445}
        anonymous: {denied: 401, gate: who-are-you}
    findings:
    - {kind: world-changed, target: itself, actor: owner, detail: changed member <actor.member_id>}
    - {kind: world-changed, target: itself, actor: other, detail: changed member <actor.member_id>}
    - {kind: world-changed, target: itself for a friend, actor: owner, detail: changed member <actor.member_id>}
    - {kind: world-changed, target: itself for a friend, actor: other, detail: changed member <actor.member_id>}
    ");
}

#[test]
fn callers_that_are_made_by_requests_give_the_same_records() {
    let (by_rows, by_requests) = (doors(), doors_by_requests());
    let service = Served::start();
    run(&service, &by_rows, &["record"]).result();
    swept(&by_requests);
    for name in ["logout", "me-delete", "me-promote"] {
        assert_eq!(record(&by_rows, name), record(&by_requests, name), "{name}");
    }
}

#[test]
fn without_it_the_second_call_has_no_caller_any_more() {
    let place = doors()
        .edit("doors/endpoints/logout.yaml", "fresh: true\n", "")
        .remove("doors/endpoints/me-delete.yaml")
        .remove("doors/endpoints/me-promote.yaml");
    let service = Served::start();
    let ended = run(&service, &place, &["record", "--concurrency", "1"]);
    assert!(ended.stderr.contains("one cell at a time"), "{ended:#?}");
}

#[test]
fn without_a_database_the_worlds_of_cells_are_removed_by_requests() {
    let place = doors_by_requests().edit(
        "doors/world.yaml",
        "  friend:\n    kind: member\n",
        "  friend:\n    kind: member\n  stranger:\n    kind: member\n",
    );
    let service = Served::start();
    let url = service.url();
    place.run(&["record", "doors", "--base-url", &url]).result();
    let left = service.rows();
    let left = left.iter().filter(|row| row.starts_with("member "));
    assert_eq!(left.count(), 1, "the one that was there before");
}

#[test]
fn a_dry_run_shows_the_world_of_a_cell() {
    let database = "postgres://me@127.0.0.1:1/club_test";
    let service = [
        "--base-url",
        "http://127.0.0.1:1",
        "--database-url",
        database,
    ];
    let dry = [
        "check",
        "doors",
        "--dry-run",
        "--filter",
        "me-promote/itself/owner",
    ];
    let text = doors().run(&[&dry[..], &service].concat()).result();
    let from = text.find("me-promote/itself/owner").unwrap();
    assert_snapshot!(&text[from..], @r#"
    me-promote/itself/owner
      insert member {"id":"<friend.member_id>","token":"<friend.token>","role":"member"}
      insert member {"id":"<actor.member_id>","token":"<actor.token>","role":"member"}
      insert member {"id":"<other.member_id>","token":"<other.token>","role":"member"}
      setup: POST /sessions
        {"token":"<actor.token>"}
      PATCH /me
        authorization: Bearer <actor.session>
        {"role":"admin","friend":null}

    1 cell, 3 requests without the pages after a first one
    "#);
    let text = doors_by_requests()
        .run(&[&dry[..], &service].concat())
        .result();
    let from = text.find("me-promote/itself/owner").unwrap();
    assert_snapshot!(&text[from..], @r#"
    me-promote/itself/owner
      setup: POST /members
        authorization: Bearer <vars.admin_token>
        {"name":"<friend.title>"}
      setup: POST /members
        authorization: Bearer <vars.admin_token>
        {"name":"<actor.title>"}
      setup: POST /members
        authorization: Bearer <vars.admin_token>
        {"name":"<other.title>"}
      setup: POST /sessions
        {"token":"<actor.token>"}
      teardown: DELETE /members/<other.member_id>
        authorization: Bearer <vars.admin_token>
      teardown: DELETE /members/<actor.member_id>
        authorization: Bearer <vars.admin_token>
      teardown: DELETE /members/<friend.member_id>
        authorization: Bearer <vars.admin_token>
      PATCH /me
        authorization: Bearer <actor.session>
        {"role":"admin","friend":null}

    1 cell, 15 requests without the pages after a first one
    "#);
}

#[test]
fn fresh_callers_that_cannot_be_made_are_a_mistake() {
    let place = doors()
        .edit(
            "doors/world.yaml",
            "\"{{ run }}-{{ name }}\"",
            "\"the {{ name }}\"",
        )
        .edit(
            "doors/endpoints/me-delete.yaml",
            "fresh: true",
            "fresh: sometimes",
        )
        .edit(
            "doors/endpoints/me-promote.yaml",
            "fresh: true",
            "fresh: true\nsetup:\n  - request: { method: POST, path: /seats }",
        );
    assert_snapshot!(place.run(&["list", "doors"]).error(2), @r"
    error: `member_id` of the kind `member` is the same in each cell
      --> doors/endpoints/logout.yaml:2:1
      |
    2 | fresh: true
      | ^^^^^
      = help: put `{{ run }}` or `random(n)` into it, so that each cell has its own

    error: expected `true` or `false`, found the text `sometimes`
      --> doors/endpoints/me-delete.yaml:2:8
      |
    2 | fresh: sometimes
      |        ^^^^^^^^^

    error: `member_id` of the kind `member` is the same in each cell
      --> doors/endpoints/me-promote.yaml:2:1
      |
    2 | fresh: true
      | ^^^^^
      = help: put `{{ run }}` or `random(n)` into it, so that each cell has its own

    error: what `setup` makes is for all cells, and `fresh` makes a world for each
      --> doors/endpoints/me-promote.yaml:3:1
      |
    3 | setup:
      | ^^^^^
      = help: let the `setup` of a kind make it, and name a target of that kind

    4 errors in 3 files
    ");
}
