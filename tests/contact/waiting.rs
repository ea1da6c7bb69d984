//! A run that has to wait for another one says so, and can be told to stop.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::json;

use crate::place::Place;
use crate::run::Running;
use crate::stage::{ITEMS, Stage, call, sql, suite};

/// How soon somebody who looks at the terminal has to know.
const SOON: Duration = Duration::from_secs(3);

/// The backends that hold an advisory lock.
const HOLDERS: &str =
    "select distinct pid::text as line from pg_locks where locktype = 'advisory' and granted
    and database = (select oid from pg_database where datname = current_database())";

/// Two suites on one database, the first of which has an endpoint that has to be alone, and its run in the middle of it.
fn stopped_while_alone() -> (Stage, Running) {
    let mut slow = call(&json!({"sql": "select 'slow'", "pause_ms": 700}));
    let step = json!({"method": "POST", "path": "/do", "json": {"sql": "select 'step'"}});
    slow["setup"] = json!([{"request": step, "auth": {"bearer": "alice"}}]);
    let stage = Stage::with(ITEMS, suite(&["alice", "denied"], &[("slow", slow)]));
    let mut alone = stage.start("check", &[]);
    let is_alone = alone.until(Duration::from_mins(1), |_| stage.toy.has_heard("slow"));
    assert!(is_alone, "{}", alone.stderr());
    alone.signal(Signal::SIGSTOP);
    (stage, alone)
}

/// Another run on the same database, in a folder of its own.
fn other(stage: &Stage) -> (Place, Running) {
    let quick = sql("insert into item values ('{{ cell.tag }}')");
    let other = suite(&["alice", "denied"], &[("quick", quick)]);
    let run = Running::start(&mut stage.command_in(&other, "check", &[]));
    (other, run)
}

#[test]
fn a_run_that_waits_for_another_says_for_which() {
    let (stage, alone) = stopped_while_alone();
    let mut names = stage.base.lines(HOLDERS);
    names.push(alone.id().to_string());
    let (_folder, mut waits) = other(&stage);
    let says = waits.until(SOON, |run| {
        let said = run.stderr();
        said.contains("another run") && names.iter().any(|name| said.contains(name.as_str()))
    });
    let said = waits.stderr();
    waits.signal(Signal::SIGINT);
    alone.signal(Signal::SIGCONT);
    assert!(says, "none of {names:?} in `{said}`");
}

#[test]
fn a_run_that_is_interrupted_while_it_waits_for_another_leaves_nothing() {
    let (stage, alone) = stopped_while_alone();
    let runs = "select token as line from authz_pin.run order by 1";
    let holder = stage.base.lines(runs);
    assert_eq!(holder.len(), 1);
    let (_folder, mut waits) = other(&stage);
    // Only then is it known to listen to signals.
    let is_waiting = waits.until(Duration::from_secs(20), |run| {
        run.stderr().contains("another run")
    });
    assert!(is_waiting, "it waits for nobody: {}", waits.stderr());
    let asked = Instant::now();
    waits.signal(Signal::SIGINT);
    let ended = waits.end();
    let took = asked.elapsed();
    let left = stage.base.lines(runs);
    alone.signal(Signal::SIGCONT);
    assert_eq!(ended.code, Some(130), "{ended:#?}");
    assert!(took < SOON, "{took:?}");
    assert_eq!(left, holder, "its entry stays");
    let ended = alone.end();
    assert_eq!(ended.code, Some(1), "there is no snapshot yet: {ended:#?}");
    assert_eq!(stage.base.traces(), Vec::<String>::new());
}
