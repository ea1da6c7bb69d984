//! A service that writes after it has answered, later than the run waits.

use std::time::Duration;

use serde_json::{Value, json};

use crate::place::Ended;
use crate::run::Running;
use crate::stage::{Stage, call, sql, suite};

const SCHEMA: &str = "
    create table item (id text primary key, name text);
    create table audit (id text primary key);
    create table other (id text primary key);
    insert into item values ('keep', 'k');";

/// Undo goes on for this long after it has undone a batch: what is written meanwhile is late.
const SLOW_UNDO: &str = "
    alter function authz_pin.undo(text, bigint) rename to undo_and_go_on;
    create function authz_pin.undo(which text, wanted bigint) returns bigint language plpgsql as $$
      declare remaining bigint;
      begin
        remaining := authz_pin.undo_and_go_on(which, wanted);
        perform pg_sleep(1.2);
        return remaining;
      end $$";

/// A call that writes a row of nobody so long after its answer. The answer takes its time, so that a test can do something
/// before.
fn late(after: u64) -> Value {
    call(&json!({
        "sql": "select 'slow'", "pause_ms": 700,
        "late": "insert into other values (gen_random_uuid()::text)", "late_ms": after,
    }))
}

/// A check whose undo is slow from its first call on.
fn checked_slowly(stage: &Stage) -> Ended {
    let mut run = stage.start("check", &[]);
    let is_called = run.until(Duration::from_mins(1), |_| stage.toy.has_heard("slow"));
    assert!(is_called, "{}", run.stderr());
    stage.base.owner_sql(SLOW_UNDO);
    let ended = run.end();
    assert_eq!(ended.code, Some(1), "there is no snapshot yet: {ended:#?}");
    ended
}

#[track_caller]
fn says(ended: &Ended, texts: &[&str]) {
    let is_said = |line: &str| texts.iter().all(|text| line.contains(text));
    assert!(
        ended.stderr.lines().any(is_said),
        "{texts:?}: {}",
        ended.stderr
    );
}

#[test]
fn what_is_written_between_two_endpoints_is_undone_and_said() {
    let calls = [("first", late(600)), ("second", sql("select 'second'"))];
    let stage = Stage::with(SCHEMA, suite(&["alice"], &calls));
    let before = stage.base.content();
    let ended = checked_slowly(&stage);
    says(
        &ended,
        &[
            "insert `other`",
            "after its endpoint was over",
            "in no record",
            "settle_ms",
        ],
    );
    stage.base.assert_is(&before, "check");
}

#[test]
fn what_is_written_after_a_cell_that_was_swept_alone_is_that_cells_and_makes_the_others_wait() {
    let stage = Stage::with(SCHEMA, suite(&["alice", "bob"], &[("first", late(600))]))
        .more("endpoints: { first: { alone: true } }\n");
    let before = stage.base.content();
    let ended = checked_slowly(&stage);
    says(
        &ended,
        &["first", "after the service was idle", "settle_ms"],
    );
    stage.base.assert_is(&before, "check");
    let proposal = stage.place.path("suite/snapshots/first.snap.new");
    let proposal = std::fs::read_to_string(proposal).unwrap();
    assert!(proposal.contains("insert other"), "{proposal}");
}

/// A service that writes a row of nobody while the run waits for what comes late, after an endpoint of this kind.
fn checked_at_the_end(more: &str) -> (Stage, Vec<String>, Ended) {
    let stage = Stage::with(SCHEMA, suite(&["alice"], &[("first", late(1200))])).more(&format!(
        "background: {{ tables: [audit], wait_s: 3 }}\n{more}"
    ));
    let before = stage.base.content();
    let ended = stage.run("check", &[]);
    assert_eq!(ended.code, Some(1), "there is no snapshot yet: {ended:#?}");
    says(&ended, &["waiting 3 s for what the service writes late"]);
    (stage, before, ended)
}

#[test]
fn what_is_written_at_the_end_of_a_run_that_is_alone_is_undone() {
    let (stage, before, ended) = checked_at_the_end("");
    assert!(!ended.stderr.contains("nothing explains"), "{ended:#?}");
    stage.base.assert_is(&before, "check");
}

#[test]
fn what_is_written_while_no_endpoint_is_swept_stays_and_is_said_with_its_table_and_number() {
    let (stage, before, ended) = checked_at_the_end("endpoints: { first: { clean: true } }\n");
    says(
        &ended,
        &["nothing explains", "no endpoint was swept", "1 of `other`"],
    );
    assert_eq!(
        stage.base.lines("select count(*)::text as line from other"),
        ["1"]
    );
    stage.base.owner_sql("delete from other");
    stage.base.assert_is(&before, "check");
}

#[test]
fn what_a_clean_endpoint_writes_unexplained_beside_another_run_stays_and_is_named() {
    let unclean = sql("insert into other values ('loose')");
    let stage = Stage::with(SCHEMA, suite(&["alice"], &[("unclean", unclean)]))
        .more("endpoints: { '*': { clean: true } }\n");
    let before = stage.base.content();
    let slow = call(&json!({"sql": "select 'slow'", "pause_ms": 4000}));
    let beside =
        suite(&["alice"], &[("slow", slow)]).write("suite/suite.yaml", &stage.suite_file());
    let mut other = Running::start(&mut stage.command_in(&beside, "check", &[]));
    let is_there = other.until(Duration::from_mins(1), |_| stage.toy.has_heard("slow"));
    assert!(is_there, "{}", other.stderr());
    let ended = stage.run("check", &[]);
    assert_eq!(ended.code, Some(3), "{ended:#?}");
    says(
        &ended,
        &["insert `other`", r#"{"id":"loose"}"#, "nothing explains it"],
    );
    let other = other.end();
    assert_eq!(other.code, Some(3), "it may have made it: {other:#?}");
    says(
        &other,
        &["insert `other`", r#"{"id":"loose"}"#, "nothing explains it"],
    );
    assert_eq!(stage.base.lines("select id as line from other"), ["loose"]);
    stage.base.owner_sql("delete from other");
    stage.base.assert_is(&before, "check");
}

#[test]
fn a_run_that_is_interrupted_while_it_waits_for_late_writes_undoes_what_is_there() {
    let write = sql("insert into item values ('{{ cell.tag }}')");
    let stage = Stage::with(SCHEMA, suite(&["alice"], &[("write", write)]))
        .more("background: { tables: [audit], wait_s: 80 }\n");
    let before = stage.base.content();
    let mut run: Running = stage.start("check", &[]);
    let waits = run.until(Duration::from_mins(1), |run| {
        run.stderr().contains("waiting 80 s")
    });
    assert!(waits, "{}", run.stderr());
    run.interrupt();
    let ended = run.end_within(Duration::from_secs(20));
    assert_eq!(ended.code, Some(1), "its result is there: {ended:#?}");
    stage.base.assert_is(&before, "interrupted");
}
