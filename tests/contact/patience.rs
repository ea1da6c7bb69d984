//! How long the tool waits for locks that somebody keeps, and how long others wait for it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use diesel_async::{AsyncPgConnection, SimpleAsyncConnection};
use serde_json::json;

use crate::base::{Base, lines, runtime};
use crate::place::Ended;
use crate::stage::{ITEMS, Stage, call, suite};

/// How long the tool tries to watch a table, and to undo.
const PATIENCE: Duration = Duration::from_secs(15);

/// How long it tries to take its triggers off.
const REMOVAL: Duration = Duration::from_secs(6);

/// What a run takes besides, on a loaded machine.
const SLACK: Duration = Duration::from_secs(9);

const WRITE: &str = "insert into item values ('{{ cell.tag }}', 'new')";

/// A run whose call takes long enough to do something meanwhile.
fn stage() -> Stage {
    let write = call(&json!({"sql": WRITE, "pause_ms": 1000}));
    Stage::with(ITEMS, suite(&["alice"], &[("write", write)]))
}

/// A session of the service, with its process.
fn session(base: &Base, sql: &str) -> (AsyncPgConnection, String) {
    let mut session = Base::session(&base.url());
    let pid = lines(&mut session, "select pg_backend_pid()::text as line").remove(0);
    runtime().block_on(session.batch_execute(sql)).unwrap();
    (session, pid)
}

#[track_caller]
fn took(start: Instant, patience: Duration) {
    let took = start.elapsed();
    assert!(took >= patience && took < patience + SLACK, "{took:?}");
}

#[track_caller]
fn names(ended: &Ended, texts: &[&str]) {
    for text in texts {
        assert!(ended.stderr.contains(text), "`{text}`: {}", ended.stderr);
    }
}

#[test]
fn a_table_that_somebody_keeps_locked_ends_a_run_after_fifteen_seconds() {
    let stage = stage();
    let (session, pid) = session(&stage.base, "begin; lock table item in row exclusive mode");
    let start = Instant::now();
    let ended = stage.run("check", &[]);
    took(start, PATIENCE);
    assert_eq!(ended.code, Some(3), "{ended:#?}");
    names(&ended, &["error", "locks are kept", "item", &pid]);
    assert_eq!(stage.toy.calls(), 0);
    drop(session);
}

#[test]
fn a_row_that_somebody_keeps_locked_ends_undo_after_fifteen_seconds_and_goes_with_a_clean() {
    let stage = stage();
    let before = stage.base.content();
    let mut run = stage.start("check", &[]);
    run.until(Duration::from_mins(1), |_| stage.toy.calls() > 0);
    let keep = "begin; select from item where id not like 'keep%' for update";
    let (session, pid) = session(&stage.base, keep);
    let start = Instant::now();
    let ended = run.end();
    // It undoes once more at its end.
    let took = start.elapsed();
    assert!(took >= PATIENCE && took < 2 * PATIENCE + SLACK, "{took:?}");
    assert_eq!(ended.code, Some(3), "{ended:#?}");
    names(
        &ended,
        &["waiting to undo", "error", "locks are kept", &pid],
    );
    drop(session);
    let end = format!("select pg_terminate_backend({pid})");
    stage.base.root_sql(&end);
    let ended = stage.clean();
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    stage.base.assert_is(&before, "clean");
}

#[test]
fn a_table_that_a_busy_session_reads_keeps_its_triggers_after_six_seconds() {
    let stage = stage();
    let before = stage.base.content();
    let mut run = stage.start("check", &[]);
    run.until(Duration::from_mins(1), |_| stage.toy.calls() > 0);
    let (mut session, pid) = session(&stage.base, "begin; select count(*) from item");
    let busy = runtime().spawn(async move { session.batch_execute("select pg_sleep(60)").await });
    let start = Instant::now();
    let ended = run.end();
    took(start, REMOVAL);
    assert_eq!(ended.code, Some(1), "there is no snapshot yet: {ended:#?}");
    names(
        &ended,
        &["the journal stays without effect", "`item`", &pid],
    );
    assert_eq!(stage.base.content(), before);
    stage
        .base
        .root_sql(&format!("select pg_terminate_backend({pid})"));
    assert!(runtime().block_on(busy).unwrap().is_err(), "it was ended");
    assert_eq!(stage.clean().code, Some(0));
    stage.base.assert_is(&before, "clean");
}

#[test]
fn the_tool_waits_for_half_of_a_low_deadlock_timeout() {
    for (timeout, patience) in [("100ms", "50"), ("1s", "150")] {
        let stage = stage();
        let name = &stage.base.name;
        stage.base.root_sql(&format!(
            "alter database {name} set deadlock_timeout = '{timeout}'"
        ));
        // A lock that the tool asks for and does not get.
        let (session, pid) = session(&stage.base, "begin; lock table item in row exclusive mode");
        let mut run = stage.start("check", &[]);
        let waits = "select waitstart::text || ' ' || extract(milliseconds from clock_timestamp() - waitstart)::int as line
            from pg_locks where not granted and relation = 'item'::regclass and waitstart is not null";
        let mut watcher = Base::session(&stage.base.root);
        let mut longest = BTreeMap::<String, u64>::new();
        run.until(Duration::from_secs(8), |_| {
            for line in lines(&mut watcher, waits) {
                let (since, waited) = line.rsplit_once(' ').unwrap();
                let known = longest.entry(since.to_owned()).or_default();
                *known = waited.parse::<u64>().unwrap().max(*known);
            }
            false
        });
        let mut longest: Vec<u64> = longest.into_values().collect();
        longest.sort_unstable();
        // A busy machine ends now and then a wait late; most of them end in time.
        let usual = longest.get(longest.len() / 2);
        let usual = usual.expect("it asked for no lock");
        assert!(
            *usual <= patience.parse::<u64>().unwrap() + 60,
            "{timeout}: {longest:?} ms"
        );
        let said = lines(&mut watcher, "select authz_pin.patience() as line");
        assert_eq!(said, [patience], "{timeout}");
        drop(session);
        stage
            .base
            .root_sql(&format!("select pg_terminate_backend({pid})"));
        let ended = run.end();
        assert_eq!(ended.code, Some(1), "there is no snapshot yet: {ended:#?}");
        assert_eq!(stage.base.traces(), Vec::<String>::new());
    }
}
