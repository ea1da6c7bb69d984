//! Services that remember what was undone, and how a suite makes them forget it.

use std::time::{Duration, Instant};

use insta::assert_snapshot;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::club::Served;
use super::place::{Ended, Place, end, start};

/// What makes the service read its database again.
const RESET: &str = "
  reset:
    request: { method: POST, path: /reset }
    auth: { actor: admin }
    expect: [204]";

fn club() -> Place {
    Place::with("club")
}

fn club_with_reset(reset: &str) -> Place {
    let ready = "ready: /health";
    club().edit("club/suite.yaml", ready, &format!("{ready}{reset}"))
}

/// A club whose members and seats are removed by requests.
fn club_with_teardowns() -> Place {
    let member = "capture: { member_id: $.id, token: $.token }\n";
    let removal = "    teardown:
      - request: { method: DELETE, path: \"/members/{{ member_id }}\" }
        auth: { actor: admin }\n";
    let seat = "      seat_id: null\n";
    let leave = "    teardown:
      - request: { method: DELETE, path: \"/seats/{{ seat_id }}\" }
        auth: { actor: admin }\n";
    club()
        .edit("club/world.yaml", member, &format!("{member}{removal}"))
        .edit("club/world.yaml", seat, &format!("{seat}{leave}"))
}

fn run(service: &Served, place: &Place, command: &str) -> Ended {
    let (url, database) = (service.url(), &service.database_url);
    place.run(&[
        command,
        "club",
        "--base-url",
        &url,
        "--database-url",
        database,
    ])
}

/// Why a run failed, but for which of the service's sessions keeps the journal's triggers from being taken off.
fn failure(ended: Ended) -> String {
    let lines = ended.error(3);
    let lines = lines.lines();
    let lines = lines.filter(|line| !line.starts_with("the journal stays"));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_service_that_remembers_what_was_undone_is_told_to_need_a_reset() {
    let (service, place) = (Served::start(), club());
    let before = service.rows();
    let ended = run(&service, &place, "record");
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    let told = ended
        .stderr
        .lines()
        .filter(|line| line.contains("remembers"));
    // Those of the first of two sweeps.
    assert_snapshot!(told.take(2).collect::<Vec<_>>().join("\n"), @r"
    me-get/itself/owner: answered 200 before, and 200 with another content after everything was undone: the service remembers what was undone; give the suite a `service.reset`, or `teardown`s that make it forget
    me-get/itself/other: answered 200 before, and 200 with another content after everything was undone: the service remembers what was undone; give the suite a `service.reset`, or `teardown`s that make it forget
    ");
    assert_eq!(service.rows(), before);
}

#[test]
fn a_reset_by_a_request_makes_a_service_forget_what_was_undone() {
    let (service, place) = (Served::start(), club_with_reset(RESET));
    let before = service.rows();
    for command in ["record", "check"] {
        let ended = run(&service, &place, command);
        assert_eq!(ended.code, Some(0), "{ended:#?}");
        assert!(!ended.stderr.contains("remembers"), "{ended:#?}");
        assert_eq!(service.rows(), before, "{command}");
        assert_eq!(service.seats(), 1, "{command}");
    }
    // After the batch of `seat-take`, and at the end: of each of three sweeps.
    assert_eq!(service.resets(), 6);
}

#[test]
fn teardowns_make_a_service_forget_what_its_journal_undoes() {
    let (service, place) = (Served::start(), club_with_teardowns());
    let before = service.rows();
    for command in ["record", "check"] {
        let ended = run(&service, &place, command);
        assert_eq!(ended.code, Some(0), "{ended:#?}");
        assert!(!ended.stderr.contains("remembers"), "{ended:#?}");
        assert_eq!(service.rows(), before, "{command}");
        assert_eq!(service.seats(), 1, "{command}");
    }
}

#[test]
fn a_teardown_that_is_refused_is_told_once_and_its_rows_are_undone() {
    let (service, place) = (Served::start(), club_with_teardowns());
    let before = service.rows();
    service.have("no leaving");
    run(&service, &place, "record").result();
    let ended = run(&service, &place, "check");
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    let told = ended
        .stderr
        .lines()
        .filter(|line| line.contains("teardown,"));
    assert_snapshot!(told.collect::<Vec<_>>().join("\n"), @r#"teardown, DELETE `/seats/{{ seat_id }}`: 409 {"error":"seat <another cell.seat_id> is nailed down"}; its rows are undone all the same"#);
    assert_eq!(service.rows(), before);
}

#[test]
fn a_reset_by_a_command_runs_in_the_suites_folder_and_knows_where_the_service_is() {
    let place = club_with_reset("\n  reset: { command: echo \"$HOST $PORT\" >> resets.txt }");
    let service = Served::start();
    run(&service, &place, "record").result();
    let resets = std::fs::read_to_string(place.path("club/resets.txt")).unwrap();
    let address = service.url().replace("http://", "").replace(':', " ");
    let lines: Vec<&str> = resets.lines().collect();
    assert_eq!(lines, [address.as_str(); 4]);
}

#[test]
fn a_reset_that_fails_ends_the_run_after_undoing_and_without_a_secret() {
    let (service, place) = (Served::start(), club_with_reset(RESET));
    let before = service.rows();
    service.have("no reset");
    assert_snapshot!(failure(run(&service, &place, "record")), @r#"
    swept me-get: 4 cells
    error: the service cannot be reset: POST `/reset`: 500 {"error":"not now, <vars.admin_token>"}
      = help: everything in the database is undone; correct `service.reset` of suite.yaml
    "#);
    assert_eq!(service.rows(), before);
}

#[test]
fn a_run_that_is_interrupted_resets_the_service_when_its_rows_are_undone() {
    let (service, place) = (Served::start(), club_with_reset(RESET));
    let before = service.rows();
    service.have("slow");
    let (url, database) = (service.url(), &service.database_url);
    let service_of = ["--base-url", &url, "--database-url", database];
    let arguments = [&["check", "club"][..], &service_of].concat();
    let child = start(&mut place.command(&arguments));
    let pid = Pid::from_raw(child.id().try_into().unwrap());
    let begun = Instant::now();
    while service.seats() == 1 {
        assert!(begun.elapsed() < Duration::from_secs(30), "no call came");
        std::thread::sleep(Duration::from_millis(5));
    }
    kill(pid, Signal::SIGINT).unwrap();
    assert_eq!(end(child).code, Some(130));
    assert_eq!(service.seats(), 1);
    let rows = service.rows().into_iter();
    // What the service writes then is nobody's any more.
    let rows = rows.filter(|row| !row.starts_with("reset "));
    assert_eq!(rows.collect::<Vec<_>>(), before);
}

#[test]
fn a_command_that_fails_shows_what_it_printed_without_a_secret() {
    let command = "\n  reset: { command: \"echo so nobody-knows-this; exit 7\" }";
    let (service, place) = (Served::start(), club_with_reset(command));
    assert_snapshot!(failure(run(&service, &place, "record")), @r"
    swept me-get: 4 cells
    error: the service cannot be reset: `echo so <vars.admin_token>; exit 7`: ended with status 7; it printed: so <vars.admin_token>
      = help: everything in the database is undone; correct `service.reset` of suite.yaml
    ");
}

#[test]
fn a_command_that_does_not_end_is_ended() {
    let command = "\n  timeout_s: 1\n  reset: { command: sleep 60 }";
    let (service, place) = (Served::start(), club_with_reset(command));
    let error = run(&service, &place, "record").error(3);
    assert!(error.contains("has not ended after 1 s"), "{error}");
}

#[test]
fn a_dry_run_shows_the_reset() {
    let database = "postgres://me@127.0.0.1:1/club_test";
    let service = [
        "--base-url",
        "http://127.0.0.1:1",
        "--database-url",
        database,
    ];
    let dry = ["check", "club", "--dry-run"];
    let text = club_with_reset(RESET)
        .run(&[&dry[..], &service].concat())
        .result();
    let from = text.find("after each batch").unwrap();
    let shown = text[from..].lines().take(3).collect::<Vec<_>>().join("\n");
    assert_snapshot!(shown, @r"
    after each batch that changed something, and at the end:
      reset: POST /reset
        authorization: Bearer <vars.admin_token>
    ");
}

#[test]
fn a_reset_that_cannot_be_done_is_a_mistake() {
    let wrong = "
  reset:
    request: { method: POST, path: \"/reset/{{ owner.token }}\" }
    command: reload
    auth: { actor: owner }";
    assert_snapshot!(club_with_reset(wrong).run(&["list", "club"]).error(2), @r#"
    error: `request` and `command` cannot both be the way to reset the service
      --> club/suite.yaml:7:5
      |
    7 |     request: { method: POST, path: "/reset/{{ owner.token }}" }
      |     ^
      = help: give exactly one of `request`, `command`

    error: unknown symbol `owner.token`
      --> club/suite.yaml:7:36
      |
    7 |     request: { method: POST, path: "/reset/{{ owner.token }}" }
      |                                    ^^^^^^^^^^^^^^^^^^^^^^^^^^^
      = help: known: `run`, `vars.admin_token`

    error: `owner` is undone before the service is reset for the last time
      --> club/suite.yaml:9:20
      |
    9 |     auth: { actor: owner }
      |                    ^^^^^
      = help: name an actor without a kind and a login, or give the credential itself

    3 errors
    "#);
}
