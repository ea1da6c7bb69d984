//! A world that is made by requests, and what becomes of it.

use std::fs;
use std::time::{Duration, Instant};

use authz_pin::embedded::Cluster;
use insta::assert_snapshot;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::runtime::Runtime;

use super::desk::Served;
use super::place::{Place, end, start};

pub(super) fn desk() -> Place {
    Place::with("desk")
}

/// What a record says, without what stands above it.
fn record(place: &Place, name: &str) -> String {
    let file = place.path(&format!("desk/snapshots/{name}.snap"));
    let text = fs::read_to_string(file).unwrap();
    let (_, record) = text.split_once("\n---\n").unwrap();
    record.to_owned()
}

#[test]
fn a_service_without_a_database_is_swept_by_requests_alone_and_left_as_it_was() {
    let (service, place) = (Served::start(), desk());
    let url = service.url();
    place.run(&["record", "desk", "--base-url", &url]).result();
    assert_snapshot!(record(&place, "project-get"), @r"
    format: 2
    endpoint: GET /projects/{{ target.project_id }}
    gates:
      project-is-not-yours 47ed: project <target.project_id> is not yours
      project-is-not-yours 6a7a: project <project_id> is not yours
      who-are-you: who are you
    values:
      values 0146:
        id: <target.project_id>
        owner: <actor.page>
      values 1f07:
        id: <plan.project_id>
        owner: <actor.page>
      values 56b2:
        id: <plan.project_id>
        owner: <owner.page>
      values 6a70:
        id: <target.project_id>
        owner: <owner.page>
    shapes:
      body 4c79:
      - id
      - owner
    cells:
      owner's project:
        admin: {allowed: 200, discloses: [owner.page, target.project_id], effects: not observed, values: values 6a70, shape: body 4c79}
        owner: {allowed: 200, discloses: [actor.page, target.project_id], effects: not observed, values: values 0146, shape: body 4c79}
        other: {denied: 403, gate: project-is-not-yours 47ed, discloses: [target.project_id], effects: not observed}
        member: {denied: 403, gate: project-is-not-yours 47ed, discloses: [target.project_id], effects: not observed}
        anonymous: {denied: 401, gate: who-are-you, effects: not observed}
      the plan:
        admin: {allowed: 200, discloses: [owner.page, plan.project_id], effects: not observed, values: values 56b2, shape: body 4c79}
        owner: {allowed: 200, discloses: [actor.page, plan.project_id], effects: not observed, values: values 1f07, shape: body 4c79}
        other: {denied: 403, gate: project-is-not-yours 6a7a, discloses: [plan.project_id], effects: not observed}
        member: {denied: 403, gate: project-is-not-yours 6a7a, discloses: [plan.project_id], effects: not observed}
        anonymous: {denied: 401, gate: who-are-you, effects: not observed}
    ");
    assert_snapshot!(record(&place, "project-create"), @r"
    format: 2
    endpoint: POST /projects
    gates:
      who-are-you: who are you
    values:
      common:
        id: <new.project_id>
        owner: <actor.page>
      values 7eef:
        owner: admin
    shapes:
      body 4c79:
      - id
      - owner
    cells:
      own:
        admin: {allowed: 201, discloses: [new.project_id], effects: not observed, values: values 7eef, shape: body 4c79}
        owner: {allowed: 201, discloses: [actor.page, new.project_id], effects: not observed, shape: body 4c79}
        other: {allowed: 201, discloses: [actor.page, new.project_id], effects: not observed, shape: body 4c79}
        member: {allowed: 201, discloses: [actor.page, new.project_id], effects: not observed, shape: body 4c79}
        anonymous: {denied: 401, gate: who-are-you, effects: not observed}
    ");
    assert_eq!(service.paths(), Vec::<String>::new());
    let again = ["check", "desk", "--base-url", &url, "--concurrency", "1"];
    place.run(&again).result();
    assert_eq!(service.paths(), Vec::<String>::new());
}

/// A database of its own for the service.
struct Watched {
    service: Served,
    url: String,
    _cluster: Cluster,
}

impl Watched {
    fn start() -> Self {
        let cluster = Cluster::start().unwrap();
        let runtime = Runtime::new().unwrap();
        let url = runtime.block_on(cluster.create_database("desk_test"));
        let url = url.unwrap();
        Self {
            service: Served::with_database(&url),
            url,
            _cluster: cluster,
        }
    }
}

#[test]
fn what_a_setup_writes_is_no_effect_of_a_call_and_is_undone() {
    // How many there are by then depends on the order of the calls.
    let unstable = "unstable_columns: { sum.things: <count> }\nrefusal:";
    let place = desk().edit("desk/suite.yaml", "refusal:", unstable);
    let watched = Watched::start();
    let url = watched.service.url();
    let service = ["--base-url", &url, "--database-url", &watched.url];
    let run = |command| place.run(&[&[command, "desk"], &service[..]].concat());
    run("record").result();
    assert_snapshot!(record(&place, "project-get"), @r"
    format: 2
    endpoint: GET /projects/{{ target.project_id }}
    gates:
      project-is-not-yours 47ed: project <target.project_id> is not yours
      project-is-not-yours 6a7a: project <project_id> is not yours
      who-are-you: who are you
    values:
      values 0146:
        id: <target.project_id>
        owner: <actor.page>
      values 1f07:
        id: <plan.project_id>
        owner: <actor.page>
      values 56b2:
        id: <plan.project_id>
        owner: <owner.page>
      values 6a70:
        id: <target.project_id>
        owner: <owner.page>
    shapes:
      body 4c79:
      - id
      - owner
    cells:
      owner's project:
        admin: {allowed: 200, discloses: [owner.page, target.project_id], values: values 6a70, shape: body 4c79}
        owner: {allowed: 200, discloses: [actor.page, target.project_id], values: values 0146, shape: body 4c79}
        other: {denied: 403, gate: project-is-not-yours 47ed, discloses: [target.project_id]}
        member: {denied: 403, gate: project-is-not-yours 47ed, discloses: [target.project_id]}
        anonymous: {denied: 401, gate: who-are-you}
      the plan:
        admin: {allowed: 200, discloses: [owner.page, plan.project_id], values: values 56b2, shape: body 4c79}
        owner: {allowed: 200, discloses: [actor.page, plan.project_id], values: values 1f07, shape: body 4c79}
        other: {denied: 403, gate: project-is-not-yours 6a7a, discloses: [plan.project_id]}
        member: {denied: 403, gate: project-is-not-yours 6a7a, discloses: [plan.project_id]}
        anonymous: {denied: 401, gate: who-are-you}
    ");
    assert_snapshot!(record(&place, "project-delete"), @r"
    format: 2
    endpoint: DELETE /projects/{{ target.project_id }}
    gates:
      not-yours: not yours
      who-are-you: who are you
    effects:
      delete thing 28e1:
        row: /projects/<target.project_id>
      update sum e395:
        columns:
          things: <count>
    values: {}
    cells:
      owner's project:
        admin: {allowed: 204, effects: [delete thing 28e1, update sum e395]}
        owner: {allowed: 204, effects: [delete thing 28e1, update sum e395]}
        other: {denied: 403, gate: not-yours}
        member: {denied: 403, gate: not-yours}
        anonymous: {denied: 401, gate: who-are-you}
    ");
    assert_eq!(watched.service.rows(), (0, 0, 0));
    run("check").result();
    assert_eq!(watched.service.rows(), (0, 0, 0));
}

/// A service whose rows are referred to by others that hold nothing that anybody knows.
fn desk_with_trails(rules: &str) {
    let rules = format!(
        "unstable_columns: {{ sum.things: <count>, thing.number: <number>, trail.thing: <number> }}\n{rules}\nrefusal:"
    );
    let place = desk().edit("desk/suite.yaml", "refusal:", &rules);
    let watched = Watched::start();
    watched.service.keep_trails("public");
    let url = watched.service.url();
    let service = ["--base-url", &url, "--database-url", &watched.url];
    let ended = place.run(&[&["record", "desk"], &service[..]].concat());
    ended.result();
    assert_eq!(watched.service.rows(), (0, 0, 0));
}

#[test]
fn a_row_in_the_background_that_refers_to_what_the_run_made_goes_with_it() {
    desk_with_trails("background: { tables: [trail] }");
}

#[test]
fn what_calls_wrote_without_a_symbol_is_undone_with_what_it_refers_to() {
    desk_with_trails("");
}

#[test]
fn what_a_run_that_failed_could_not_undo_is_told() {
    let teardown = "    teardown:\n      - request: { method: DELETE, path: \"/users/{{ user_id }}\" }\n        auth: { actor: admin }\n";
    let place = desk()
        .edit("desk/world.yaml", "timeout_s: 10", "timeout_s: 0")
        .edit("desk/world.yaml", teardown, "")
        .edit("desk/suite.yaml", "service:\n", "service:\n  schemas: []\n");
    let watched = Watched::start();
    // Rows that the run does not watch refer to what it has made.
    watched.service.keep_trails("elsewhere");
    watched.service.have("never ready");
    let url = watched.service.url();
    let arguments = [
        "check",
        "desk",
        "--base-url",
        &url,
        "--database-url",
        &watched.url,
    ];
    let ended = place.run(&arguments);
    assert_snapshot!(ended.error(3), @r#"
    not watched: `elsewhere.trail` (its schema is not among those that the suite names)
    could not be undone: insert `thing` {"path":"<owner.page>"}: a row of `trail` refers to it, and is not as the run left it
    error: `owner` cannot be set up: step 2, GET `{{ page }}`: `{{ answer.body.state == 'ready' }}` was not true within 0 s, and the last answer was 200 {"state":"pending","key":"<its.key>"}
    "#);
}

#[test]
fn a_service_that_counts_gives_the_same_records_whatever_it_has_counted_to() {
    let unstable = "unstable_columns: { sum.things: <count> }\nrefusal:";
    let place = desk().edit("desk/suite.yaml", "refusal:", unstable);
    let watched = Watched::start();
    let url = watched.service.url();
    let service = ["--base-url", &url, "--database-url", &watched.url];
    let run = |command| place.run(&[&[command, "desk"], &service[..]].concat());
    run("record").result();
    for number in [200, 1000] {
        watched.service.count_from(number);
        run("check").result();
        assert_eq!(watched.service.rows(), (0, 0, 0));
    }
}

#[test]
fn a_setup_that_fails_is_told_with_its_step_and_without_a_secret_and_what_was_made_is_removed() {
    let (service, place) = (Served::start(), desk());
    service.have("no users");
    let ended = place.run(&["check", "desk", "--base-url", &service.url()]);
    assert_snapshot!(ended.error(3), @r#"error: `owner` cannot be set up: step 1, POST `/users`: 403 {"error":"only admin makes users","got":{"name":"<its.user_name>"}} <its.key>"#);
    assert_eq!(service.paths(), Vec::<String>::new());
}

#[test]
fn a_setup_that_fails_on_a_database_is_undone_as_well() {
    let (watched, place) = (Watched::start(), desk());
    watched.service.have("never ready");
    let place = place.edit("desk/world.yaml", "timeout_s: 10", "timeout_s: 0");
    let arguments = ["check", "desk", "--base-url", &watched.service.url()];
    let arguments = [&arguments[..], &["--database-url", &watched.url]].concat();
    let error = place.run(&arguments).error(3);
    assert_snapshot!(error, @r#"error: `owner` cannot be set up: step 2, GET `{{ page }}`: `{{ answer.body.state == 'ready' }}` was not true within 0 s, and the last answer was 200 {"state":"pending","key":"<its.key>"}"#);
    assert_eq!(watched.service.rows(), (0, 0, 0));
}

/// A desk with a step that would fail, sent only where `condition` holds.
fn desk_with_a_step_if(condition: &str) -> Place {
    let step = "capture: { project_id: $.id }";
    let nowhere = format!(
        "{step}\n      - when: \"{{{{ {condition} }}}}\"\n        request: {{ method: GET, path: /nowhere }}"
    );
    desk().edit("desk/world.yaml", step, &nowhere)
}

#[test]
fn a_step_is_sent_where_its_condition_holds() {
    let service = Served::start();
    let url = service.url();
    let arguments = ["record", "desk", "--base-url", &url];
    desk_with_a_step_if("not key").run(&arguments).result();
    let refused = desk_with_a_step_if("key").run(&arguments).error(3);
    assert!(refused.contains("step 2, GET `/nowhere`"), "{refused}");
}

#[test]
fn a_dry_run_leaves_out_the_steps_that_are_not_sent() {
    let dry = ["check", "desk", "--dry-run"];
    let shown = |condition: &str| desk_with_a_step_if(condition).run(&dry).result();
    assert!(!shown("not key").contains("/nowhere"));
    assert!(shown("key").contains("/nowhere"));
}

#[test]
fn a_name_in_a_condition_of_a_step_that_is_not_known_is_a_mistake() {
    let refused = desk_with_a_step_if("kex").run(&["list", "desk"]).error(2);
    assert!(refused.contains("kex"), "{refused}");
}

#[test]
fn a_setup_that_waits_in_vain_says_for_what_and_its_entity_is_removed() {
    let (service, place) = (Served::start(), desk());
    service.have("never ready");
    let place = place.edit("desk/world.yaml", "timeout_s: 10", "timeout_s: 0");
    let error = place
        .run(&["check", "desk", "--base-url", &service.url()])
        .error(3);
    assert_snapshot!(error, @r#"error: `owner` cannot be set up: step 2, GET `{{ page }}`: `{{ answer.body.state == 'ready' }}` was not true within 0 s, and the last answer was 200 {"state":"pending","key":"<its.key>"}"#);
    assert_eq!(service.paths(), Vec::<String>::new());
}

#[test]
fn what_cannot_be_removed_is_told_so_that_a_person_can() {
    let (service, place) = (Served::start(), desk());
    service.have("cannot delete");
    let filter = ["--filter", "project-create/own/owner"];
    let arguments = ["check", "desk", "--base-url", &service.url()];
    let ended = place.run(&[&arguments[..], &filter].concat());
    assert_eq!(ended.code, Some(3), "{ended:#?}");
    let paths = service.paths();
    assert_eq!(paths.len(), 6, "{paths:?}");
    for path in paths {
        let line = format!("DELETE {path}: 409 {{\"error\":\"in use\"}}");
        assert!(ended.stderr.contains(&line), "{line}\n{}", ended.stderr);
    }
    assert!(!ended.stderr.contains("dk-"), "{}", ended.stderr);
    assert!(ended.stderr.contains("correct the suite's `teardown`"));
}

#[test]
fn an_interrupted_run_removes_what_it_made_also_what_was_under_way() {
    let (service, place) = (Served::start(), desk());
    service.have("slow");
    let url = service.url();
    let child = start(&mut place.command(&["check", "desk", "--base-url", &url]));
    let pid = Pid::from_raw(child.id().try_into().unwrap());
    let begun = Instant::now();
    while service.started() == 0 {
        assert!(
            begun.elapsed() < Duration::from_secs(30),
            "nothing was sent"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
    kill(pid, Signal::SIGINT).unwrap();
    let ended = end(child);
    assert_eq!(ended.code, Some(130), "{ended:#?}");
    assert_eq!(service.started(), 1, "a step began after the interruption");
    assert_eq!(service.paths(), Vec::<String>::new());
    assert_eq!(service.removed(), 1, "the user was made and removed");
}

#[test]
fn an_interrupted_run_on_a_database_undoes_what_was_under_way() {
    let (watched, place) = (Watched::start(), desk());
    watched.service.have("slow");
    let arguments = ["check", "desk", "--base-url", &watched.service.url()];
    let arguments = [&arguments[..], &["--database-url", &watched.url]].concat();
    let child = start(&mut place.command(&arguments));
    let pid = Pid::from_raw(child.id().try_into().unwrap());
    let begun = Instant::now();
    while watched.service.started() == 0 {
        assert!(
            begun.elapsed() < Duration::from_secs(30),
            "nothing was sent"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
    kill(pid, Signal::SIGINT).unwrap();
    assert_eq!(end(child).code, Some(130));
    assert_eq!(watched.service.paths().len(), 1, "the user was made");
    assert_eq!(watched.service.rows(), (0, 0, 0));
}

#[test]
fn what_has_no_teardown_is_told_to_stay() {
    let place = desk();
    let world = fs::read_to_string(place.path("desk/world.yaml")).unwrap();
    let from = world
        .find("    teardown:\n      - request: { method: DELETE, path: \"/projects")
        .unwrap();
    let to = from + world[from..].find("\n\n").unwrap();
    let place = place.write(
        "desk/world.yaml",
        &(world[..from].to_owned() + &world[to..]),
    );
    let service = Served::start();
    let filter = ["--filter", "project-get/the plan/owner"];
    let arguments = ["check", "desk", "--base-url", &service.url()];
    let ended = place.run(&[&arguments[..], &filter].concat());
    let note = "what the setup of the kind `project` makes stays: it has no `teardown`";
    assert!(ended.stderr.contains(note), "{ended:#?}");
    assert_eq!(service.paths().len(), 1, "the plan");
}
