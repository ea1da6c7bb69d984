//! A service with a second database: what is written there is recorded, undone and told as well.

use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::base::Base;
use crate::foreign::unseen;
use crate::place::{Ended, Place};
use crate::run::{Running, wait_for};
use crate::stage::{ITEMS, Stage, call, suite};

/// Two rows that belong to nobody of the run, in the second database.
const TRAIL: &str = "
    create table trail (id bigint generated always as identity primary key, what text, at timestamptz default now());
    insert into trail (what) values ('keep1'), ('keep2');";

/// What the second database is asked to write down for a cell.
const NOTE: &str = "insert into trail (what) values ('{{ cell.tag }}')";

fn two(endpoints: &[(&str, Value)]) -> Stage {
    Stage::with_two(ITEMS, TRAIL, suite(&["alice", "denied"], endpoints))
}

/// A call that writes into both, and lets its caller wait.
fn both(pause_ms: u64) -> Value {
    let main = "insert into item values ('{{ cell.tag }}', 'new')";
    call(&json!({"sql": main, "second": {"sql": NOTE}, "pause_ms": pause_ms}))
}

/// What is said on standard error that has these texts in one line.
#[track_caller]
fn says(ended: &Ended, texts: &[&str]) {
    let mut lines = ended.stderr.lines();
    let said = lines.any(|line| texts.iter().all(|text| line.contains(text)));
    assert!(said, "{texts:?} in {}", ended.stderr);
}

#[test]
fn what_a_call_writes_into_both_databases_is_recorded_and_undone() {
    let stage = two(&[("act", both(0))]);
    stage.records_and_checks(&[]);
    let record = stage.record("act");
    assert_eq!(
        record.effects("alice"),
        ["insert audit:trail", "insert item"],
        "{record:#?}"
    );
    let text = record.0.to_string();
    assert!(
        text.contains("<new 1>") && text.contains("<within the run>"),
        "{text}"
    );
}

#[test]
fn what_a_denied_caller_writes_only_into_the_second_database_is_a_finding() {
    let hole = call(&json!({"sql": "select 1", "second": {"hole": NOTE}}));
    let stage = two(&[("act", hole)]);
    stage.records_and_checks(&[]);
    let record = stage.record("act");
    assert_eq!(record.effects("denied"), ["insert audit:trail"]);
    assert!(record.changed_nothing("alice"), "{record:#?}");
    assert!(
        record.has_finding("denied-but-wrote", "denied"),
        "{record:#?}"
    );
}

#[test]
fn rows_of_nobody_that_a_call_deletes_in_the_second_database_come_back() {
    let purge = call(&json!({"sql": "delete from item", "second": {"sql": "delete from trail"}}));
    let stage = two(&[("purge", purge)]);
    stage.records_and_checks(&[]);
    let effects = stage.record("purge").effects("alice");
    assert_eq!(effects, ["delete audit:trail", "delete item"]);
}

#[test]
fn a_change_of_the_second_database_that_no_symbol_explains_is_seen_where_each_call_is_alone() {
    let count =
        call(&json!({"sql": "select 1", "second": {"sql": "update trail set what = what || '!'"}}));
    let stage = two(&[("count", count)]);
    let ended = stage.ends("record", &[], 0);
    says(&ended, &["count", "writes to `audit:trail`"]);
    let record = stage.record("count");
    assert_eq!(record.effects("alice"), ["update audit:trail"]);
    assert!(record.changed_nothing("denied"), "{record:#?}");
}

#[test]
fn a_suite_names_tables_of_the_second_database_as_its_records_do() {
    let calls = call(&json!({"sql": "select 1", "second": {"sql": [
        "insert into trail (what) values ('{{ cell.tag }}')",
        "insert into beat (what) values ('{{ cell.tag }}')",
        "update trail set seen = clock_timestamp() where what = '{{ cell.tag }}'",
    ]}}));
    let schema = format!(
        "{TRAIL} create table beat (what text); alter table trail add seen timestamptz, add roll text default gen_random_uuid();"
    );
    let place = suite(&["alice", "denied"], &[("act", calls)]);
    let stage = Stage::with_two(ITEMS, &schema, place).more(
        "background: { tables: [\"audit:beat\"], columns: [audit:trail.seen] }\nunstable_columns: { audit:trail.roll: <roll> }\n",
    );
    stage.records_and_checks(&[]);
    let record = stage.record("act");
    assert_eq!(
        record.effects("alice"),
        ["insert audit:trail"],
        "{record:#?}"
    );
    let text = record.0.to_string();
    assert!(text.contains("<roll>"), "{text}");
}

#[test]
fn calibration_makes_rules_for_columns_of_the_second_database() {
    let schema = format!("{TRAIL} alter table trail add roll text default gen_random_uuid();");
    let note = call(&json!({"sql": "select 1", "second": {"sql": NOTE}}));
    let stage = Stage::with_two(ITEMS, &schema, suite(&["alice"], &[("act", note)]));
    stage.ends("record", &["--calibrate"], 0);
    let text = stage.suite_file();
    assert!(text.contains("audit:trail.roll"), "{text}");
    stage.ends("check", &[], 0);
}

/// A suite whose targets have a row in each of the databases.
fn seeded(rows: &str) -> Stage {
    let read = call(
        &json!({"sql": "update item set name = 'x' where id = '{{ target.id }}'",
        "second": {"sql": "update trail set what = what || '-seen' where what = '{{ target.id }}'"}}),
    );
    let stage = two(&[("see", read)]);
    let world = stage.place.path("suite/world.yaml");
    let text = std::fs::read_to_string(&world).unwrap();
    let mut world: Value = serde_json::from_str(&text).unwrap();
    let row = json!({"table": rows, "values": {"what": "{{ id }}"}});
    world["kinds"]["item"]["rows"]
        .as_array_mut()
        .unwrap()
        .push(row);
    std::fs::write(stage.place.path("suite/world.yaml"), world.to_string()).unwrap();
    stage
}

#[test]
fn rows_of_a_suite_are_inserted_into_the_second_database_and_undone() {
    let stage = seeded("audit:trail");
    stage.records_and_checks(&[]);
    let record = stage.record("see");
    assert_eq!(
        record.effects("alice"),
        ["update audit:trail", "update item"],
        "{record:#?}"
    );
    let ended = stage.ends("check", &["--dry-run"], 0);
    for text in [
        "audit:trail",
        "          audit: postgres://",
        "the same in the database audit",
    ] {
        assert!(ended.stdout.contains(text), "{text}: {}", ended.stdout);
    }
}

#[test]
fn rows_for_a_database_without_a_url_are_refused_with_the_remedy() {
    let mut stage = seeded("audit:trail");
    let second = stage.second.take();
    let before = second.as_ref().map(Base::content);
    let ended = stage.ends("check", &[], 2);
    says(&ended, &["rows for `audit:trail`"]);
    says(&ended, &["--database-url audit=URL"]);
    assert_eq!(second.as_ref().map(Base::content), before);
}

#[test]
fn rows_of_a_database_that_the_suite_does_not_have_are_a_mistake() {
    let stage = seeded("adit:trail");
    let ended = stage.ends("check", &[], 2);
    says(&ended, &["unknown database `adit`"]);
    says(&ended, &["did you mean `audit`?"]);
}

#[test]
fn a_database_without_a_url_is_said_once_to_be_not_watched() {
    let mut stage = two(&[("act", both(0))]);
    let second = stage.second.take().unwrap();
    let ended = stage.ends("check", &[], 1);
    let said = "not watched: the database `audit`, no URL was given";
    assert_eq!(ended.stderr.matches(said).count(), 1, "{}", ended.stderr);
    // What nobody watches stays.
    let kept = "select count(*)::text as line from trail";
    assert_eq!(second.lines(kept), ["3"]);
}

#[test]
fn a_row_of_the_second_database_that_somebody_else_changed_is_theirs_and_named() {
    let theirs = unseen("trail", "update trail set what = 'theirs' where id = 1");
    let act = call(&json!({"sql": "update item set name = 'ours'",
        "second": {"sql": "update trail set what = 'ours'", "foreign": theirs}}));
    let place = suite(&["alice"], &[("act", act)]);
    let stage = Stage::with_two(ITEMS, TRAIL, place);
    let (main, _) = stage.content();
    let ended = stage.run("check", &[]);
    assert_eq!(ended.code, Some(3), "{ended:#?}");
    says(
        &ended,
        &["update `audit:trail` {\"id\":1}", "not as the run left it"],
    );
    stage.base.assert_is(&main, "main");
    let second = stage.second.as_ref().unwrap();
    assert_eq!(second.traces(), Vec::<String>::new());
    let what = "select what as line from trail order by id";
    assert_eq!(second.lines(what), ["theirs", "keep2"]);
}

#[test]
fn a_run_that_is_interrupted_leaves_nothing_in_either_database() {
    let stage = two(&[("act", both(200))]);
    let before = stage.content();
    for pause in [0, 30, 120] {
        stage.toy.forget();
        let mut run = stage.start("check", &[]);
        assert!(run.until(Duration::from_mins(1), |_| stage.toy.calls() > 0));
        std::thread::sleep(Duration::from_millis(pause));
        run.interrupt();
        let ended = run.end();
        assert_eq!(ended.code, Some(130), "{pause}: {ended:#?}");
        wait_for("the service is idle", || stage.toy.is_idle());
        stage.assert_is(&before, "interrupted");
    }
}

/// A run that was killed while calls were under way, some time after they had written.
fn killed() -> (Stage, (Vec<String>, Vec<String>)) {
    let stage = two(&[("act", both(400))]);
    let before = stage.content();
    let mut run = stage.start("check", &[]);
    assert!(run.until(Duration::from_mins(1), |_| stage.toy.calls() > 0));
    std::thread::sleep(Duration::from_millis(150));
    run.signal(Signal::SIGKILL);
    run.end();
    wait_for("the service is idle", || stage.toy.is_idle());
    assert_ne!(
        stage.content(),
        before,
        "it was killed too late or too early"
    );
    (stage, before)
}

/// Cleans until the server has missed the connections of the run that was killed.
fn cleaned(stage: &Stage) -> Ended {
    let mut ended = stage.clean();
    while ended.code == Some(0) && ended.stdout.contains("under way") {
        ended = stage.clean();
    }
    ended
}

#[test]
fn a_clean_undoes_in_both_databases_what_a_run_did_that_was_killed() {
    let (stage, before) = killed();
    let ended = cleaned(&stage);
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    assert_eq!(
        ended.stdout.lines().last(),
        Some("the database `audit`: clean")
    );
    stage.assert_is(&before, "cleaned");
}

#[test]
fn a_clean_of_a_database_that_is_not_there_keeps_no_other_from_being_cleaned() {
    let (stage, before) = killed();
    let (main, second) = (stage.base.url(), stage.second.as_ref().unwrap().url());
    let nowhere = "absent=postgres://me:s3cret@127.0.0.1:1/db";
    let second = format!("second={second}");
    let urls = [nowhere, &main, &second].map(|url| ["--database-url", url]);
    let clean = [&["clean"], urls.as_flattened()].concat();
    wait_for("the server has missed the run", || {
        let ended = Running::start(&mut stage.place.command(&clean)).end();
        assert_eq!(ended.code, Some(3), "{ended:#?}");
        says(&ended, &["the database `absent`: cannot connect"]);
        assert!(!ended.stderr.contains("s3cret"), "{ended:#?}");
        !ended.stdout.contains("under way")
    });
    stage.assert_is(&before, "cleaned");
}

#[test]
fn the_next_run_undoes_in_both_databases_what_a_run_did_that_was_killed() {
    let (stage, before) = killed();
    let ended = stage.run("check", &[]);
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    wait_for("nothing of it is left", || {
        stage.base.traces().is_empty() || cleaned(&stage).code == Some(0)
    });
    stage.assert_is(&before, "checked");
}

/// Ends the tool's session on a database, in the middle of a call.
const END: &str = "select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and application_name like 'authz-pin ap%'";

/// A run whose calls do this besides writing a row ends with 3, and all is undone by a clean at the latest.
fn loses(act: &Value, looks: impl Fn(&Ended, &Stage, &(Vec<String>, Vec<String>))) {
    let stage = Stage::with_two(ITEMS, TRAIL, suite(&["alice"], &[("act", call(act))]));
    let before = stage.content();
    let ended = stage.run("check", &[]);
    assert_eq!(ended.code, Some(3), "{ended:#?}");
    looks(&ended, &stage, &before);
    let ended = cleaned(&stage);
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    stage.assert_is(&before, "cleaned");
}

const WRITE: &str = "insert into item values ('{{ cell.tag }}', 'new')";

#[test]
fn a_second_database_that_is_lost_keeps_nothing_of_the_first_from_being_undone() {
    let act = json!({"sql": WRITE, "second": {"sql": NOTE, "foreign": END}});
    loses(&act, |ended, stage, before| {
        says(ended, &["error: the database `audit`:"]);
        stage.base.assert_is(&before.0, "the first");
    });
}

#[test]
fn a_first_database_that_is_lost_keeps_nothing_of_the_second_from_being_undone() {
    let act = json!({"sql": WRITE, "foreign": END, "second": {"sql": NOTE}});
    loses(&act, |_, stage, before| {
        let second = stage.second.as_ref().unwrap();
        second.assert_is(&before.1, "the second");
    });
}

#[test]
fn two_runs_at_once_on_two_databases_end_and_leave_nothing() {
    let stage = two(&[("act", both(50)), ("more", both(50))]);
    stage.ends("record", &[], 0);
    let before = stage.content();
    let other = stage.place.copy();
    let runs = [&stage.place, &other];
    let runs = runs.map(|place| Running::start(&mut stage.command_in(place, "check", &[])));
    for ended in runs.map(Running::end) {
        assert_eq!(ended.code, Some(0), "{ended:#?}");
    }
    stage.assert_is(&before, "both");
}

/// A run whose suite calls the second database the main one, and the main one `first`.
fn the_other_way_round(stage: &Stage, place: &Place) -> Running {
    let (main, second) = (stage.base.url(), stage.second.as_ref().unwrap().url());
    let (url, first) = (stage.toy.url(), format!("first={main}"));
    let service = ["check", "suite", "--base-url", &url];
    let databases = ["--database-url", &second, "--database-url", &first];
    Running::start(&mut place.command(&[service, databases].concat()))
}

#[test]
fn runs_whose_suites_lock_the_databases_in_another_order_end_as_well() {
    let stage = two(&[("act", both(100)), ("more", both(100))]);
    let before = stage.content();
    let other = stage.place.copy();
    let other = other
        .edit("suite/suite.yaml", "audit: {}", "first: {}")
        .edit(
            "suite/world.yaml",
            "\"item\",\"values\"",
            "\"first:item\",\"values\"",
        );
    let one = stage.start("check", &[]);
    let another = the_other_way_round(&stage, &other);
    for ended in [one, another].map(Running::end) {
        assert_eq!(ended.code, Some(1), "{ended:#?}");
    }
    stage.assert_is(&before, "both");
}

#[test]
fn one_database_that_is_given_under_two_names_is_refused_and_left_as_it_was() {
    let mut stage = two(&[("act", both(0))]);
    stage.second = None;
    let again = format!("audit={}", stage.base.url());
    let ended = stage.ends("check", &["--database-url", &again], 2);
    says(
        &ended,
        &["the database `audit`: it is one of the service's other databases"],
    );
    assert_eq!(stage.toy.calls(), 0);
}

#[test]
fn a_second_database_that_is_not_there_leaves_nothing_in_the_first() {
    let mut stage = two(&[("act", both(0))]);
    stage.second = None;
    let nowhere = "audit=postgres://me:s3cret@127.0.0.1:1/db";
    let ended = stage.ends("check", &["--database-url", nowhere], 3);
    says(&ended, &["error: the database `audit`: cannot connect"]);
    assert!(!ended.stderr.contains("s3cret"), "{ended:#?}");
}

#[test]
fn a_journal_that_cannot_be_made_in_the_second_database_leaves_none_in_the_first() {
    let stage = two(&[("act", both(0))]);
    let second = stage.second.as_ref().unwrap();
    second
        .owner_sql("create schema authz_pin; comment on schema authz_pin is 'of another version'");
    let before = stage.base.content();
    let ended = stage.run("check", &[]);
    assert_eq!(ended.code, Some(3), "{ended:#?}");
    says(
        &ended,
        &["the database `audit`: the database has a journal of another version"],
    );
    stage.base.assert_is(&before, "the first");
    assert_eq!(stage.toy.calls(), 0);
}

#[test]
fn each_database_is_judged_before_anything_is_written_to_any() {
    let stage = two(&[("act", both(0))]);
    let second = stage.second.as_ref().unwrap();
    let name = second.name.replace("test", "prod");
    let rename = format!("alter database {} rename to {name}", second.name);
    stage.base.root_sql(&rename);
    let url = second.url().replace(&second.name, &name);
    let mut stage = stage;
    let back = format!(
        "alter database {name} rename to {}",
        second_name(&mut stage)
    );
    let given = format!("audit={url}");
    let refused = stage.ends("check", &["--database-url", &given], 2);
    says(&refused, &[&name, "does not look like one for tests"]);
    let one = ["--database-url", &given, "--allow-database", &name];
    let refused = stage.ends("check", &one, 2);
    says(
        &refused,
        &[&format!("the database is `{}`", stage.base.name)],
    );
    assert_eq!(stage.toy.calls(), 0);
    let both = format!("{},{name}", stage.base.name);
    let allowed = ["--database-url", &given, "--allow-database", &both];
    // Let in; but the service does not find the database by its new name, so that nobody is allowed anything.
    stage.ends("check", &allowed, 6);
    stage.base.root_sql(&back);
}

/// Lets the stage know of no second database any more, and gives its name.
fn second_name(stage: &mut Stage) -> String {
    stage.second.take().unwrap().name
}

#[test]
fn a_second_database_whose_role_may_not_watch_is_told_and_effects_are_not_observed() {
    let mut stage = two(&[("act", both(0))]);
    let second = stage.second.take().unwrap();
    let role = format!("stranger_{}", second.name);
    second.root_sql(&format!("create role {role} login"));
    let url = format!("audit={}", second.url_of(&role));
    let ended = stage.ends("record", &["--database-url", &url], 0);
    says(
        &ended,
        &["the database `audit`: the database's role owns neither"],
    );
    let record = stage.record("act");
    assert_eq!(
        record.cell("alice")["effects"],
        "not observed",
        "{record:#?}"
    );
}
