//! Limits that the role has for its sessions, none of which is for the tool's own.

use std::time::Duration;

use serde_json::json;

use crate::run::Running;
use crate::stage::{ITEMS, Stage, call, sql, suite};

impl Stage {
    fn limit(&self, limit: &str) {
        let owner = &self.base.owner;
        self.base
            .root_sql(&format!("alter role {owner} set {limit}"));
    }
}

#[test]
fn a_limit_for_idle_sessions_ends_no_run_whose_calls_take_longer() {
    let slow =
        call(&json!({"sql": "insert into item values ('{{ cell.tag }}')", "pause_ms": 1500}));
    let stage = Stage::with(ITEMS, suite(&["alice", "denied"], &[("slow", slow)]));
    stage.limit("idle_session_timeout = '500ms'");
    stage.records_and_checks(&[]);
}

/// Three runs at once, one of which has to be alone, under this limit.
#[track_caller]
fn takes_turns(limit: &str) {
    let quick =
        call(&json!({"sql": "insert into item values ('{{ cell.tag }}')", "pause_ms": 300}));
    let mut alone = call(&json!({"sql": "select 'slow'", "pause_ms": 700}));
    let step = json!({"method": "POST", "path": "/do", "json": {"sql": "select 'step'"}});
    alone["setup"] = json!([{"request": step, "auth": {"bearer": "alice"}}]);
    let stage = Stage::with(ITEMS, suite(&["alice", "denied"], &[("alone", alone)]));
    let others = suite(&["alice", "denied"], &[("quick", quick)]);
    let before = stage.base.content();
    for place in [&stage.place, &others] {
        let ended = Running::start(&mut stage.command_in(place, "record", &[])).end();
        assert_eq!(ended.code, Some(0), "{ended:#?}");
    }
    stage.limit(limit);
    stage.toy.forget();
    let mut first = stage.start("check", &[]);
    first.until(Duration::from_mins(1), |_| stage.toy.has_heard("slow"));
    let again = others.copy();
    let more =
        [&others, &again].map(|place| Running::start(&mut stage.command_in(place, "check", &[])));
    for run in [first].into_iter().chain(more) {
        let ended = run.end();
        assert_eq!(ended.code, Some(0), "{limit}: {ended:#?}");
    }
    stage.base.assert_is(&before, limit);
}

#[test]
fn a_limit_for_locks_ends_no_run_that_waits_for_another() {
    takes_turns("lock_timeout = '200ms'");
}

#[test]
fn a_limit_for_statements_ends_no_run_that_waits_for_another() {
    takes_turns("statement_timeout = '250ms'");
}

#[test]
fn a_limit_for_idle_transactions_ends_no_run() {
    let call = sql("insert into item values ('{{ cell.tag }}')");
    let stage = Stage::with(ITEMS, suite(&["alice", "denied"], &[("write", call)]));
    stage.limit("idle_in_transaction_session_timeout = '50ms'");
    stage.records_and_checks(&[]);
}

#[test]
fn settings_of_the_role_change_neither_a_record_nor_what_is_undone() {
    let schema = "
        create table item (id text primary key, at timestamptz default now(), day date default '2026-02-01',
          price float8 default 0.1, span interval default '1 day -2 hours', raw bytea default '\\x5c00');
        insert into item values ('keep1'), ('keep\\2');";
    let both = "insert into item values ('{{ cell.tag }}'); delete from item where id like 'keep%'";
    let calls = [
        (
            "change",
            sql("update item set price = -0.0 where id = '{{ target.id }}'"),
        ),
        ("move", sql(both)),
    ];

    let stage = Stage::with(schema, suite(&["alice", "denied"], &calls));
    let before = stage.base.content();
    let run = |command: &str| {
        let ended = stage.run(command, &[]);
        assert_eq!(ended.code, Some(0), "{command}: {ended:#?}");
        stage.base.assert_is(&before, command);
    };
    run("record");
    for setting in [
        "search_path = pg_temp",
        "datestyle = 'SQL, DMY'",
        "intervalstyle = 'sql_standard'",
        "timezone = 'Pacific/Chatham'",
        "extra_float_digits = -15",
        "bytea_output = 'escape'",
        "standard_conforming_strings = off",
        "default_transaction_isolation = 'serializable'",
        "check_function_bodies = off",
        "quote_all_identifiers = on",
        "transform_null_equals = on",
    ] {
        stage.limit(setting);
    }
    run("check");
}

#[test]
fn the_tools_own_sessions_have_no_limits_and_compile_no_plans() {
    let settings = [
        "jit",
        "lock_timeout",
        "statement_timeout",
        "idle_session_timeout",
    ];
    let columns = settings.map(|name| format!(", {name} text default current_setting('{name}')"));
    let schema = format!(
        "create table item (id text primary key{})",
        columns.concat()
    );
    let slow = call(&json!({"sql": "select 'slow'", "pause_ms": 600}));
    let stage = Stage::with(&schema, suite(&["alice"], &[("look", slow)]));
    for limit in [
        "jit = on",
        "lock_timeout = '11s'",
        "statement_timeout = '12s'",
        "idle_session_timeout = '13s'",
    ] {
        stage.limit(limit);
    }
    let mut run = stage.start("check", &[]);
    run.until(Duration::from_mins(1), |_| stage.toy.has_heard("slow"));
    // What the run seeds has the settings of its session as the columns' defaults.
    let seeded = "select concat_ws(' ', jit, lock_timeout, statement_timeout, idle_session_timeout) as line from item";
    let seen = stage.base.lines(seeded);
    assert_eq!(run.end().code, Some(1), "there is no snapshot yet");
    assert_eq!(seen, ["off 0 0 0"]);
}
