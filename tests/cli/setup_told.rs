//! What is told of setups: by a dry run, of mistakes in them, and of a service that refuses.

use insta::assert_snapshot;

use super::desk::{PASSWORD, Served};
use super::setup::desk;

#[test]
fn a_dry_run_shows_the_requests_of_setups_by_the_names_of_their_values() {
    let arguments = [
        "check",
        "desk",
        "--dry-run",
        "--filter",
        "project-*/own*/owner",
    ];
    let somewhere = ["--base-url", "http://127.0.0.1:1"];
    let text = desk().run(&[&arguments[..], &somewhere].concat()).result();
    assert_snapshot!(text, @r#"
    Nothing is sent and nothing is written.

    suite     desk
    service   http://127.0.0.1:1/
    database  none is given: effects are not observed

    requests for the whole run:
    owner
      setup: POST /users
        authorization: Basic <vars.admin_password>
        {"name":"<owner.user_name>"}
      setup: GET <owner.page>
        authorization: Basic <vars.admin_password>
      teardown: DELETE <owner.page>
        authorization: Basic <vars.admin_password>
    plan
      setup: POST /projects
        x-key: <owner.key>
        {"name":"<plan.title>"}
      teardown: DELETE /projects/<plan.project_id>
        authorization: Basic <vars.admin_password>
    other
      setup: POST /users
        authorization: Basic <vars.admin_password>
        {"name":"<other.user_name>"}
      setup: GET <other.page>
        authorization: Basic <vars.admin_password>
      teardown: DELETE <other.page>
        authorization: Basic <vars.admin_password>
    member
      setup: POST /users
        authorization: Basic <vars.admin_password>
        {"name":"<member.user_name>"}
      setup: GET <member.page>
        authorization: Basic <vars.admin_password>
      teardown: DELETE <member.page>
        authorization: Basic <vars.admin_password>

    project-create
      setup: POST /notes
        authorization: Basic <vars.admin_password>
        {"text":"for <run>"}
      teardown: DELETE /notes/<setup.note_id>
        authorization: Basic <vars.admin_password>

    project-create/own/owner
      teardown: DELETE /projects/<new.project_id>
        authorization: Basic <vars.admin_password>
      POST /projects
        x-key: <actor.key>
        {"name":"<cell.tag>","note":"<setup.note_id>"}

    project-delete/owner's project/owner
      setup: POST /projects
        x-key: <actor.key>
        {"name":"<target.title>"}
      teardown: DELETE /projects/<target.project_id>
        authorization: Basic <vars.admin_password>
      DELETE /projects/<target.project_id>
        x-key: <actor.key>

    project-get/owner's project/owner
      setup: POST /projects
        x-key: <actor.key>
        {"name":"<target.title>"}
      teardown: DELETE /projects/<target.project_id>
        authorization: Basic <vars.admin_password>
      GET /projects/<target.project_id>
        x-key: <actor.key>

    3 cells, 21 requests without the pages after a first one
    "#);
    assert!(!text.contains(PASSWORD), "{text}");
}

#[test]
fn a_dry_run_shows_an_identifier_that_has_to_be_a_number() {
    let place = desk().edit(
        "desk/world.yaml",
        "json: { name: \"{{ title }}\" }",
        "json: { name: \"{{ title }}\", owner: \"{{ owner | int }}\", rank: \"{{ '7' | int }}\" }",
    );
    let place = place
        .edit(
            "desk/world.yaml",
            "    parameters:\n      key: null",
            "    parameters:\n      key: null\n      owner: null",
        )
        .edit(
            "desk/world.yaml",
            "with: { key: \"{{ owner.key }}\" }",
            "with: { key: \"{{ owner.key }}\", owner: \"{{ owner.user_id }}\" }",
        );
    let arguments = [
        "check",
        "desk",
        "--dry-run",
        "--filter",
        "project-get/the plan/admin",
    ];
    let somewhere = ["--base-url", "http://127.0.0.1:1"];
    let text = place.run(&[&arguments[..], &somewhere].concat()).result();
    let body = r#"{"name":"<plan.title>","owner":"<owner.user_id>","rank":7}"#;
    assert!(text.contains(body), "{text}");
}

#[test]
fn a_parameter_with_the_name_of_an_actor_does_not_mean_that_actor() {
    let order = |name: &str| {
        let named = format!("    parameters:\n      {name}: null");
        let place = desk()
            .edit(
                "desk/world.yaml",
                "    parameters:\n      key: null",
                &named,
            )
            .edit(
                "desk/world.yaml",
                "x-key: \"{{ key }}\"",
                &format!("x-key: \"{{{{ {name} }}}}\""),
            )
            .edit(
                "desk/world.yaml",
                "with: { key:",
                &format!("with: {{ {name}:"),
            )
            .edit(
                "desk/targets.yaml",
                "with: { key:",
                &format!("with: {{ {name}:"),
            );
        let somewhere = ["--base-url", "http://127.0.0.1:1"];
        let text = place.run(&[&["check", "desk", "--dry-run"], &somewhere[..]].concat());
        let text = text.result();
        let at = |who: &str| text.find(&format!("\n{who}\n"));
        at("plan") < at("member")
    };
    assert!(order("key") && order("member"));
}

#[test]
fn only_those_log_in_whose_credential_a_run_needs() {
    let logs_in = |filter| {
        let arguments = ["check", "desk", "--dry-run", "--filter", filter];
        let somewhere = ["--base-url", "http://127.0.0.1:1"];
        let ended = desk().run(&[&arguments[..], &somewhere].concat());
        ended.result().contains("POST /sessions")
    };
    assert!(logs_in("project-get/the plan/member") && !logs_in("project-get/the plan/owner"));
}

#[test]
fn a_setup_that_is_refused_for_its_number_is_told_with_what_helps() {
    let (service, place) = (Served::start(), desk());
    service.have("too many");
    let ended = place.run(&["check", "desk", "--base-url", &service.url()]);
    assert_snapshot!(ended.error(3), @r#"
    error: `owner` cannot be set up: step 1, POST `/users`: 429 {"error":"too many requests"}
      = help: the service limits how often it is asked: raise that limit on the test instance
    "#);
}

#[test]
fn a_column_in_the_background_has_its_table_before_it() {
    let rule = "background: { columns: [seen_at] }\nrefusal:";
    let place = desk().edit("desk/suite.yaml", "refusal:", rule);
    assert_snapshot!(place.run(&["list", "desk"]).error(2), @r##"
    error: `seen_at` is not a column
       --> desk/suite.yaml:11:25
       |
    11 | background: { columns: [seen_at] }
       |                         ^^^^^^^
       = help: write the table and the column, such as `tokens.seen_at`

    1 error
    "##);
}

#[test]
fn rows_that_need_what_a_setup_captures_are_a_mistake() {
    let rows = "    rows:\n      - { table: thing, values: { path: \"{{ page }}\", owner: \"{{ user_id }}\" } }\n    setup:\n      - request: { method: POST, path: /users,";
    let setup = "    setup:\n      - request: { method: POST, path: /users,";
    let place = desk().edit("desk/world.yaml", setup, rows);
    assert_snapshot!(place.run(&["list", "desk"]).error(2), @r##"
    error: `user_id` has no value yet: `setup` captures it, after the rows
       --> desk/world.yaml:12:62
       |
    12 |       - { table: thing, values: { path: "{{ page }}", owner: "{{ user_id }}" } }
       |                                                              ^^^^^^^^^^^^^^^^
       = help: give these rows to a kind of their own, and the value to its parameter

    1 error
    "##);
}

#[test]
fn mistakes_in_setups_are_found_before_anything_is_sent() {
    let place = desk()
        .edit("desk/world.yaml", "project_id: $.id", "projct_id: $.id")
        .edit("desk/world.yaml", "{ cookie: key }", "{ cookie: key, header: X-Key }")
        .edit("desk/world.yaml", "match: \"/users/(.+)\"", "match: \"/users/(.+\"")
        .edit("desk/world.yaml", "{ key: \"{{ owner.key }}\" }", "{ key: \"{{ owner.kez }}\" }")
        .edit("desk/world.yaml", "answer.body.state", "answr.body.state")
        .edit(
            "desk/world.yaml",
            "    teardown:\n      - request: { method: DELETE, path: \"/users/{{ user_id }}\" }\n        auth: { actor: admin }",
            "    teardown:\n      - request: { method: DELETE, path: \"/users/{{ user_id }}\" }\n        auth: { actor: admni }",
        );
    assert_snapshot!(place.run(&["list", "desk"]).error(2), @r#"
    error: nothing gives the symbol `project_id` of the kind `project` a value
      --> desk/targets.yaml:3:11
      |
    3 |     kind: project
      |           ^^^^^^^
      = help: give it a template, or let a step of the kind's `setup` capture it

    error: `/users/(.+` is not a regular expression: error: unclosed group
       --> desk/world.yaml:16:47
       |
    16 |           user_id: { header: Location, match: "/users/(.+" }
       |                                               ^^^^^^^^^^^^^

    error: `header` and `cookie` cannot both be the part of the answer
       --> desk/world.yaml:17:16
       |
    17 |           key: { cookie: key, header: X-Key }
       |                ^^
       = help: give exactly one of `json`, `header`, `cookie`, `css`, `body`

    error: unknown symbol `answr.body.state`
       --> desk/world.yaml:20:24
       |
    20 |         poll: { until: "{{ answr.body.state == 'ready' }}", every_ms: 5, timeout_s: 10 }
       |                        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    error: unknown actor `admni`
       --> desk/world.yaml:23:24
       |
    23 |         auth: { actor: admni }
       |                        ^^^^^
       = help: did you mean `admin`?

    error: `projct_id` is not a symbol that can be captured
       --> desk/world.yaml:34:20
       |
    34 |         capture: { projct_id: $.id }
       |                    ^^^^^^^^^
       = help: declare it among the kind's secrets, symbols or masks, and without a template: `NAME: null`

    error: nothing gives the symbol `project_id` of the kind `project` a value
       --> desk/world.yaml:41:11
       |
    41 |     kind: project
       |           ^^^^^^^
       = help: give it a template, or let a step of the kind's `setup` capture it

    error: unknown symbol `owner.kez`
       --> desk/world.yaml:42:18
       |
    42 |     with: { key: "{{ owner.kez }}" }
       |                  ^^^^^^^^^^^^^^^^^^
       = help: did you mean `owner.key`?

    8 errors in 2 files
    "#);
}
