//! A role that may put no triggers on the tables compares them, and sees what triggers see.

use std::time::Duration;

use serde_json::json;

use crate::run::wait_for;
use crate::stage::{ITEMS, Stage, sql, suite};

const SCHEMA: &str = "
    create table item (id text primary key, name text, x int generated always as identity);
    insert into item (id, name) values ('keep1', 'k'), ('keep2', 'k');
    create table owner (id bigint generated always as identity primary key, name text not null);
    create table member (owner bigint not null references owner on delete cascade, name text);
    insert into owner (name) values ('of nobody');
    insert into member select id, 'admin' from owner;
    create table log (line text);
    create table seen (item text);
    create function audit() returns trigger language plpgsql
      as 'begin insert into seen values (new.id); return null; end';
    create trigger audit after update on item for each row execute function audit();";

/// Calls to rows of the run and of others, marked and not, in one statement and in several.
fn calls() -> Vec<(&'static str, serde_json::Value)> {
    vec![
        (
            "change",
            sql("update item set name = 'x' where id = '{{ target.id }}'"),
        ),
        (
            "change-others",
            sql("update item set name = '{{ cell.tag }}' where id like 'keep%'"),
        ),
        (
            "delete",
            sql("delete from item where id = '{{ target.id }}'"),
        ),
        (
            "delete-of-others",
            sql("delete from item where id like 'keep%'"),
        ),
        (
            "log",
            sql("insert into log values ('{{ cell.tag }}'), ('x')"),
        ),
        ("log-unmarked", sql("insert into log values ('x')")),
        (
            "make-owner",
            sql("insert into owner (name) values ('{{ cell.tag }}');
                insert into member select id, 'user' from owner where name = '{{ cell.tag }}'"),
        ),
        (
            "remove-owner",
            sql("delete from owner where name = 'of nobody'"),
        ),
    ]
}

/// The stage, and a role that may do with its rows what the suite needs, and no more.
fn stage(more: &str) -> (Stage, String) {
    let endpoints = calls();
    let stage = Stage::with(SCHEMA, suite(&["alice", "bob", "denied"], &endpoints));
    let role = format!("guest_{}", stage.base.name);
    stage.base.root_sql(&format!(
        "create role {role} login;
        grant select, insert, update, delete on all tables in schema public to {role}; {more}"
    ));
    (stage, role)
}

#[test]
fn comparing_the_tables_gives_the_records_of_triggers_and_undoes_what_calls_did() {
    let (mut stage, role) = stage("");
    let before = stage.base.content();
    stage.ends("record", &[], 0);
    stage.base.assert_is(&before, "watched");
    stage.as_role(&role);
    for concurrency in ["1", "16"] {
        let ended = stage.ends("check", &["--concurrency", concurrency], 0);
        assert!(ended.stderr.contains("are compared"), "{}", ended.stderr);
        let not_seen = "not seen: what calls made and took back, since the tables were compared";
        assert!(ended.stdout.contains(not_seen), "{}", ended.stdout);
        stage.base.assert_is(&before, "compared");
    }
    let record = stage.record("remove-owner");
    assert!(!record.effects("alice").is_empty(), "{record:#?}");
}

#[test]
fn a_table_that_cannot_be_compared_is_named_in_the_records() {
    let (mut stage, role) = stage("");
    stage.base.owner_sql(
        "insert into log select 'old' from generate_series(1, 10001);
        alter table member enable row level security",
    );
    stage.as_role(&role);
    let before = stage.base.content();
    let ended = stage.run("record", &[]);
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    for text in [
        "`log` (it holds more than 10,000 rows",
        "`member` (row security",
    ] {
        assert!(ended.stderr.contains(text), "{text}: {}", ended.stderr);
    }
    let record = stage.record("change");
    assert_eq!(record.0["unobserved"], json!(["log", "member"]));
    assert!(!record.effects("alice").is_empty(), "{record:#?}");
    // What calls did to these two stays, and nothing else.
    let others = |rows: Vec<String>| -> Vec<String> {
        let rows = rows.into_iter();
        rows.filter(|row| !row.starts_with("log") && !row.starts_with("member"))
            .collect()
    };
    assert_eq!(others(stage.base.content()), others(before));
}

#[test]
fn a_large_table_of_the_targets_is_not_observed_and_the_rows_of_the_run_go_again() {
    let (mut stage, role) = stage("");
    stage.base.owner_sql(
        "insert into item (id, name) select 'old' || i, 'k' from generate_series(1, 10001) i",
    );
    stage.as_role(&role);
    let items = || {
        stage.base.lines("select count(*)::text as line from item where id not like 'keep%' and id not like 'old%'")
    };
    stage.ends("record", &["--filter", "change"], 0);
    assert_eq!(stage.record("change").0["unobserved"], json!(["item"]));
    assert_eq!(items(), ["0"]);
}

#[test]
fn an_interrupted_run_that_compares_takes_its_own_rows_away() {
    let mut stage = Stage::with(
        ITEMS,
        suite(
            &["a", "b", "c", "d"],
            &[("read", sql("select pg_sleep(0.2)"))],
        ),
    );
    let before = stage.base.content();
    let role = format!("guest_{}", stage.base.name);
    stage.base.root_sql(&format!(
        "create role {role} login; grant select, insert, update, delete on all tables in schema public to {role}"
    ));
    stage.as_role(&role);
    let mut run = stage.start("check", &["--concurrency", "2"]);
    run.until(Duration::from_mins(1), |_| stage.toy.calls() >= 2);
    run.interrupt();
    let ended = run.end();
    assert_eq!(ended.code, Some(130), "{ended:#?}");
    wait_for("the service is idle", || stage.toy.is_idle());
    stage.base.assert_is(&before, "interrupted");
}

#[test]
fn what_the_role_may_not_put_back_is_told_in_the_words_of_the_database() {
    let endpoints = [(
        "change",
        sql("update item set name = 'x' where id = 'keep1'"),
    )];
    let mut stage = Stage::with(ITEMS, suite(&["alice"], &endpoints));
    let role = format!("guest_{}", stage.base.name);
    stage.base.root_sql(&format!(
        "create role {role} login; grant select, insert, delete on item to {role}"
    ));
    stage.as_role(&role);
    let ended = stage.run("check", &[]);
    assert_eq!(ended.code, Some(3), "{ended:#?}");
    assert!(
        ended.stderr.contains("permission denied for table item"),
        "{ended:#?}"
    );
}
