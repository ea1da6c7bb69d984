//! A service that writes by itself into tables that the suite does not name.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::memory::remembers_with;
use crate::place::Ended;
use crate::run::TICK;
use crate::stage::{ITEMS, Stage, call, sql, suite};

const OUTBOX: &str = "create table outbox (id text primary key, body text);";

/// After how long without a call, and how often then, the service writes by itself: longer than a call is under way.
const IDLE: Duration = Duration::from_millis(1500);

/// So long the suite has the service watched.
const LATE: &str = "background: { wait_s: 5 }\n";

const HEARTBEAT: &str = "insert into outbox values (gen_random_uuid()::text, md5(random()::text))";

const ACTORS: [&str; 4] = ["alice", "bob", "carol", "denied"];

const ENDPOINTS: [&str; 2] = ["one", "two"];

/// Two endpoints, which are called in this order.
fn stage(body: &Value) -> Stage {
    let endpoints = ENDPOINTS.map(|name| (name, call(body)));
    Stage::with(&format!("{ITEMS}{OUTBOX}"), suite(&ACTORS, &endpoints)).more(LATE)
}

/// Runs a command while the service writes: when it hears the call of this number, and while nothing is called.
fn beside(stage: &Stage, (write, at): (&str, usize), arguments: &[&str]) -> Ended {
    stage.toy.forget();
    let is_over = AtomicBool::new(false);
    scope(|scope| {
        scope.spawn(|| {
            let (mut heard, mut since) = (0, Instant::now());
            while !is_over.load(Ordering::Relaxed) {
                sleep(TICK);
                let calls = stage.toy.calls();
                let is_due = heard < at && calls >= at || heard > 0 && since.elapsed() > IDLE;
                if calls != heard || is_due {
                    (heard, since) = (calls, Instant::now());
                }
                if is_due {
                    stage.base.owner_sql(write);
                }
            }
        });
        let (command, more) = arguments.split_first().unwrap();
        let ended = stage.run(command, more);
        is_over.store(true, Ordering::Relaxed);
        ended
    })
}

#[track_caller]
fn no_cell_wrote(stage: &Stage, actors: &[&str]) {
    for endpoint in ENDPOINTS {
        let record = stage.record(endpoint);
        for actor in actors {
            assert!(record.changed_nothing(actor), "{actor}: {record:#?}");
        }
    }
}

#[test]
fn what_the_service_writes_by_itself_is_no_effect_and_is_told() {
    let stage = stage(&json!({"sql": "select 1", "pause_ms": 100}));
    let ended = beside(&stage, (HEARTBEAT, 1), &["record"]);
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    no_cell_wrote(&stage, &ACTORS);
    let proposed = "proposed background: tables: [outbox]";
    assert!(ended.stderr.contains(proposed), "{ended:#?}");
    assert!(!ended.stderr.contains("one cell at a time"), "{ended:#?}");
    let ended = beside(&stage, (HEARTBEAT, 1), &["check"]);
    assert_eq!(ended.code, Some(0), "{ended:#?}");
}

#[test]
fn a_denied_call_that_writes_what_the_service_also_writes_keeps_its_finding() {
    let hole = "insert into outbox values (gen_random_uuid()::text, 'by a call')";
    let stage = stage(&json!({"sql": "select 1", "hole": hole, "pause_ms": 100}));
    let ended = beside(&stage, (HEARTBEAT, 1), &["record"]);
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    no_cell_wrote(&stage, &["alice", "bob", "carol"]);
    for endpoint in ENDPOINTS {
        let record = stage.record(endpoint);
        let effects = record.cell("denied")["effects"].as_array();
        assert_eq!(effects.map(Vec::len), Some(1), "{record:#?}");
        assert_eq!(record.effects("denied"), ["insert outbox"], "{record:#?}");
        assert!(
            record.has_finding("denied-but-wrote", "denied"),
            "{record:#?}"
        );
    }
    // A rule would drop what the call writes.
    assert!(!ended.stderr.contains("\nproposed"), "{ended:#?}");
    let ended = beside(&stage, (HEARTBEAT, 1), &["check"]);
    assert_eq!(ended.code, Some(0), "{ended:#?}");
}

/// Rows of a table that the tool does not see are moved, four at a time, as an outbox is filled.
const FLUSH: &str = "
    with moved as (
      delete from calm.pending where n in (select n from calm.pending order by n limit 4) returning body
    ) insert into outbox select gen_random_uuid()::text, body from moved";

const PENDING: &str = "
    create schema calm; create table calm.pending (n serial, body text); grant usage on schema calm to public;
    grant all on calm.pending to public; grant all on sequence calm.pending_n_seq to public;";

#[test]
fn rows_with_values_of_calls_that_the_service_collects_and_writes_late_are_no_effects() {
    let log = "insert into calm.pending (body) values ('{{ cell.tag }}')";
    let stage = stage(&json!({"sql": log, "hole": log}));
    stage.base.root_sql(PENDING);
    let ended = beside(&stage, (FLUSH, 5), &["record"]);
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    no_cell_wrote(&stage, &ACTORS);
    let proposed = "proposed background: tables: [outbox]";
    assert!(ended.stderr.contains(proposed), "{ended:#?}");
}

#[test]
fn a_service_that_remembers_its_first_calls_keeps_its_finding_where_it_writes_the_table_by_itself()
{
    let stage = remembers_with(
        "create table account (key text primary key, name text not null, admin boolean not null default false,
          seen int not null default 0);
        insert into account values ('of-nobody', 'nobody');",
    )
    .more(LATE);
    let seen = "update account set seen = seen + 1 where key = 'of-nobody'";
    let ended = beside(&stage, (seen, 1), &["record"]);
    assert_eq!(ended.code, Some(5), "{ended:#?}");
    assert!(!stage.has_record("become-admin"));
    assert!(
        ended
            .stderr
            .contains("the first calls did update `account`"),
        "{ended:#?}"
    );
}

#[test]
fn calibration_puts_into_the_background_what_the_service_writes_by_itself() {
    let stage = stage(&json!({"sql": "select 1", "pause_ms": 100}));
    let ended = beside(&stage, (HEARTBEAT, 1), &["record", "--calibrate"]);
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    let suite: Value = serde_yaml::from_str(&stage.suite_file()).unwrap();
    let background = json!({"tables": ["outbox"], "wait_s": 5});
    assert_eq!(suite["background"], background, "{suite}");
    assert_eq!(suite["endpoints"], Value::Null, "{suite}");
    let ended = beside(&stage, (HEARTBEAT, 1), &["check"]);
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    assert!(!ended.stderr.contains("proposed"), "{ended:#?}");
}

#[test]
fn a_pattern_in_the_background_that_matches_no_table_is_told_and_no_mistake() {
    let place = suite(&["alice"], &[("me", sql("select 1"))]);
    let stage = Stage::with(&format!("{ITEMS}{OUTBOX}"), place)
        .more("background: { tables: [out*, item, Daily*, log] }\n");
    let ended = stage.ends("record", &[], 0);
    let told = "background.tables: the service has no table `Daily*`, `log`\n";
    assert!(ended.stderr.contains(told), "{ended:#?}");
}
