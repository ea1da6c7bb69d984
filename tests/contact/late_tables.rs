//! A service that makes its table when it is first needed.

use serde_json::json;

use crate::stage::{ITEMS, Stage, call, sql, suite};

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

#[test]
fn rows_of_a_schema_that_is_made_during_a_run_are_gone_afterwards() {
    let call = call(&json!({"sql": [
        "select pg_advisory_xact_lock(7); create schema if not exists fresh;
         create table if not exists fresh.notes (id text primary key)",
        "insert into fresh.notes values ('{{ cell.tag }}')",
    ]}));
    let stage = Stage::with(SCHEMA, suite(&["alice", "denied"], &[("sign-up", call)]));
    let ended = stage.run("record", &[]);
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    assert!(ended.stderr.contains("fresh.notes"), "{}", ended.stderr);
    let record = stage.record("sign-up");
    assert_eq!(
        record.effects("alice"),
        ["insert fresh.notes"],
        "{record:#?}"
    );
    let rows = "select id as line from fresh.notes";
    assert_eq!(stage.base.lines(rows), Vec::<String>::new());
    assert_eq!(stage.base.traces(), Vec::<String>::new());
}

#[test]
fn rows_of_a_partition_that_is_made_during_a_run_are_gone_afterwards() {
    let schema = "
        create table item (id text primary key);
        create table event (id text, day int) partition by list (day);
        create table event_0 partition of event for values in (0);
        insert into event values ('old', 0);";
    let call = call(&json!({"sql": [
        "select pg_advisory_xact_lock(7); create table if not exists event_1 partition of event for values in (1)",
        "create temp table if not exists scratch (x int); insert into scratch values (1); drop table scratch;
         insert into event values ('{{ cell.tag }}', 1)",
    ]}));
    let stage = Stage::with(schema, suite(&["alice", "denied"], &[("log", call)]));
    for command in ["record", "check"] {
        let ended = stage.run(command, &[]);
        assert_eq!(ended.code, Some(0), "{command}: {ended:#?}");
        let rows = "select id as line from event";
        assert_eq!(stage.base.lines(rows), ["old"]);
        assert_eq!(stage.base.traces(), Vec::<String>::new());
    }
    let record = stage.record("log");
    assert_eq!(record.effects("alice"), ["insert event"], "{record:#?}");
}

#[test]
fn rows_of_a_table_that_was_not_watched_for_a_while_stay_and_the_run_says_so() {
    let schema = format!(
        "{ITEMS} create table other (id text primary key); insert into other values ('old1'), ('old2');"
    );
    let toggle = sql("alter table other disable trigger all; alter table other enable trigger all");
    let stage = Stage::with(&schema, suite(&["alice", "denied"], &[("toggle", toggle)]));
    let before = stage.base.content();
    let ended = stage.run("check", &[]);
    assert_eq!(stage.base.content(), before, "{ended:#?}");
    assert_eq!(ended.code, Some(3), "{ended:#?}");
    assert!(ended.stderr.contains("watch `other`"), "{ended:#?}");
    assert_eq!(stage.base.traces(), Vec::<String>::new());
}

#[test]
fn a_table_that_is_swapped_for_its_copy_keeps_its_rows() {
    let schema = format!(
        "{ITEMS} create table other (id text primary key); insert into other values ('old1'), ('old2');"
    );
    let swap = sql(
        "create table copy as select * from other; drop table other; alter table copy rename to other",
    );
    let stage = Stage::with(&schema, suite(&["alice"], &[("swap", swap)]));
    let ended = stage.run("check", &[]);
    let rows = "select id as line from other order by id";
    assert_eq!(stage.base.lines(rows), ["old1", "old2"], "{ended:#?}");
    assert!(ended.stderr.contains("`other`"), "{ended:#?}");
    assert_eq!(stage.base.traces(), Vec::<String>::new());
}
