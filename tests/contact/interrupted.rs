//! A run that is interrupted leaves nothing, whatever it was about to do.

use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};

use diesel_async::SimpleAsyncConnection;

use crate::base::{Base, lines, runtime};
use crate::run::wait_for;
use crate::stage::{ITEMS, Stage, call, sql, suite};

const SCHEMA: &str = "
    create table item (id text primary key, name text);
    create table account (id bigint generated always as identity primary key, name text not null);
    create table role (account bigint not null references account on delete cascade, name text);
    insert into account (name) values ('of nobody');
    insert into role select id, 'admin' from account;";

/// What holds no value of the run refers to what does, in a transaction of its own.
fn make_user() -> Value {
    call(&json!({"sql": [
        "insert into account (name) values ('{{ cell.tag }}')",
        "insert into role select id, 'user' from account where name = '{{ cell.tag }}'",
    ], "pause_ms": 30}))
}

const ACTORS: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];

/// Interrupts a run so many milliseconds after so many of its calls have come in, or after it said so.
fn interrupts(moments: &[(usize, u64)]) {
    let stage = Stage::with(SCHEMA, suite(&ACTORS, &[("make-user", make_user())]));
    let before = stage.base.content();
    let mut interrupted = 0;
    for (calls, pause) in moments {
        let when = format!("{pause} ms after call {calls}");
        stage.toy.forget();
        let mut run = stage.start("check", &["--concurrency", "4"]);
        run.until(Duration::from_mins(1), |_| stage.toy.calls() >= *calls);
        sleep(Duration::from_millis(*pause));
        run.interrupt();
        let ended = run.end();
        // A run can be over by then.
        let is_interrupted = ended.code == Some(130);
        assert!(
            is_interrupted || ended.code == Some(1),
            "{when}: {ended:#?}"
        );
        interrupted += usize::from(is_interrupted);
        wait_for("the service is idle", || stage.toy.is_idle());
        stage.base.assert_is(&before, &when);
    }
    assert!(interrupted > 0, "{moments:?}");
}

#[test]
fn a_run_that_is_interrupted_while_it_makes_its_first_calls_leaves_no_row() {
    interrupts(&[(1, 0), (1, 15), (4, 0), (8, 0)]);
}

#[test]
fn a_run_that_is_interrupted_while_it_repeats_its_calls_leaves_no_row() {
    interrupts(&[(8, 10), (8, 60), (9, 0), (10, 40), (12, 0), (16, 0)]);
}

#[test]
fn a_run_that_is_interrupted_as_soon_as_it_says_that_it_repeats_leaves_no_row() {
    let stage = Stage::with(SCHEMA, suite(&ACTORS, &[("make-user", make_user())]));
    let before = stage.base.content();
    let mut run = stage.start("check", &[]);
    let repeats = run.until(Duration::from_mins(1), |run| {
        run.stderr().contains("one cell at a time") || stage.toy.calls() > ACTORS.len()
    });
    run.interrupt();
    let ended = run.end();
    // One that repeats nothing is over by then.
    let code = if repeats { 130 } else { 1 };
    assert_eq!(ended.code, Some(code), "{ended:#?}");
    wait_for("the service is idle", || stage.toy.is_idle());
    stage.base.assert_is(&before, "interrupted");
}

#[test]
fn a_run_that_is_interrupted_as_soon_as_its_journal_is_there_leaves_no_journal() {
    let stage = Stage::with(SCHEMA, suite(&ACTORS, &[("make-user", make_user())]));
    let before = stage.base.content();
    let mut session = Base::session(&stage.base.root);
    let journal = "select nspname::text as line from pg_namespace where nspname = 'authz_pin'";
    for pause in [0, 2, 5, 10, 20] {
        let mut run = stage.start("check", &[]);
        let is_there = run.until(Duration::from_mins(1), |_| {
            !lines(&mut session, journal).is_empty()
        });
        assert!(is_there, "{}", run.stderr());
        sleep(Duration::from_millis(pause));
        run.interrupt();
        let ended = run.end();
        assert_eq!(ended.code, Some(130), "{pause} ms: {ended:#?}");
        wait_for("the service is idle", || stage.toy.is_idle());
        stage.base.assert_is(&before, "interrupted");
    }
}

#[test]
fn a_run_that_is_interrupted_while_its_end_undoes_says_that_undo_goes_on_and_leaves_nothing() {
    let kind = |name: &str| {
        let rows = json!([{"table": "item", "values": {"id": "{{ id }}", "name": name}}]);
        json!({"symbols": {"id": "{{ run }}-{{ random(8) }}"}, "rows": rows})
    };
    let world = json!({
        "kinds": {"item": kind("scratch"), "whole": kind("world")},
        "entities": {"whole": {"kind": "whole"}},
        "actors": {"alice": {"auth": {"bearer": "alice"}}},
    });
    let write = sql("insert into item values ('{{ cell.tag }}')");
    let place =
        suite(&["alice"], &[("write", write)]).write("suite/world.yaml", &world.to_string());
    let stage = Stage::with(ITEMS, place);
    let before = stage.base.content();
    let mut run = stage.start("check", &[]);
    run.until(Duration::from_mins(1), |_| stage.toy.calls() > 0);
    // A row of the world, which only the end of the run undoes.
    let mut session = Base::session(&stage.base.url());
    let keep = "begin; select from item where name = 'world' for update";
    runtime().block_on(session.batch_execute(keep)).unwrap();
    let waits = run.until(Duration::from_secs(30), |run| {
        run.stderr().contains("waiting to undo")
    });
    assert!(waits, "{}", run.stderr());
    run.interrupt();
    let is_heard = run.until(Duration::from_secs(3), |run| {
        run.stderr().contains("goes on")
    });
    assert!(is_heard, "{}", run.stderr());
    assert!(!run.is_over(), "{}", run.stderr());
    runtime()
        .block_on(session.batch_execute("rollback"))
        .unwrap();
    let ended = run.end();
    assert_eq!(ended.code, Some(1), "its result is there: {ended:#?}");
    stage.base.assert_is(&before, "interrupted");
}
