//! A service that makes its table when it is first needed.

use serde_json::json;

use crate::stage::{Stage, call, suite};

const SCHEMA: &str = "
    create table item (id text primary key);
    create table catalogue (name text primary key);";

/// The table, what the service knows of it, and a row in it, each a transaction of its own.
fn login() -> serde_json::Value {
    call(&json!({"sql": [
        "select pg_advisory_xact_lock(7); create table if not exists sessions (token text primary key, usr text)",
        "insert into catalogue values ('sessions') on conflict do nothing",
        "insert into sessions values (md5(random()::text), '{{ cell.tag }}')",
    ]}))
}

#[test]
fn rows_of_a_table_that_is_made_during_a_run_are_recorded_and_gone_afterwards() {
    let stage = Stage::with(
        SCHEMA,
        suite(&["alice", "bob", "denied"], &[("login", login())]),
    )
    .more("unstable_columns: { sessions.token: <token> }\n");
    let ended = stage.run("record", &[]);
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    assert!(ended.stderr.contains("sessions"), "{}", ended.stderr);
    let record = stage.record("login");
    for actor in ["alice", "bob"] {
        let effects = record.effects(actor);
        assert!(
            effects.contains(&"insert sessions".to_owned()),
            "{record:#?}"
        );
    }
    let rows = "select usr as line from sessions";
    assert_eq!(stage.base.lines(rows), Vec::<String>::new());
    assert_eq!(stage.base.traces(), Vec::<String>::new());
    let ended = stage.run("check", &[]);
    assert_eq!(ended.code, Some(0), "the record holds: {ended:#?}");
    assert_eq!(stage.base.lines(rows), Vec::<String>::new());
}

#[test]
fn a_check_that_sees_a_table_being_made_names_it_and_leaves_it_empty() {
    let stage = Stage::with(SCHEMA, suite(&["alice", "denied"], &[("login", login())]));
    let ended = stage.run("check", &[]);
    assert_eq!(ended.code, Some(1), "there is no snapshot yet: {ended:#?}");
    assert!(ended.stderr.contains("sessions"), "{}", ended.stderr);
    let rows = "select usr as line from sessions";
    assert_eq!(stage.base.lines(rows), Vec::<String>::new());
    assert_eq!(stage.base.traces(), Vec::<String>::new());
}
