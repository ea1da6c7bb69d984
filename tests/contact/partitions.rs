//! A service that attaches, detaches and makes partitions while a run watches its tables.

use serde_json::json;

use crate::stage::{Recorded, Stage, call, suite};

const EVENTS: &str = "
    create table item (id text primary key);
    create table event (id text, day int) partition by list (day);
    create table event_0 partition of event for values in (0);
    create table event_1 (id text, day int);
    insert into event values ('old0', 0);
    insert into event_1 values ('old1', 1);";

/// What is done to the tables, once, and then to their rows. What is done to a row of nobody is the caller's, since a row of the
/// caller's is written in the same transaction.
fn stage(schema: &str, change: &str, rows: &str) -> Stage {
    let change = format!("select pg_advisory_xact_lock(7); {change}");
    let body = json!({"sql": [change, rows]});
    Stage::with(schema, suite(&["alice", "denied"], &[("log", call(&body))]))
}

/// Records and checks. Tables that the service attached or made stay so, and their rows are those of before.
#[track_caller]
fn passes(stage: &Stage) -> Recorded {
    let rows = "select tableoid::regclass || ' ' || id as line from event
        union all select tableoid::regclass || ' ' || id from event_1 where not exists (select from pg_inherits where inhrelid = 'event_1'::regclass)
        order by 1";
    let before = stage.base.lines(rows);
    for command in ["record", "check"] {
        let ended = stage.run(command, &[]);
        assert_eq!(ended.code, Some(0), "{command}: {ended:#?}");
        assert!(!ended.stderr.contains("not observed"), "{ended:#?}");
        assert_eq!(stage.base.lines(rows), before, "{command}: {ended:#?}");
        assert_eq!(stage.base.traces(), Vec::<String>::new(), "{command}");
    }
    stage.record("log")
}

/// Every effect of a call, the same ones as often as they were logged.
fn all_effects(record: &Recorded, actor: &str) -> Vec<String> {
    let effects = record.cell(actor)["effects"].as_array();
    let effects = effects.into_iter().flatten();
    let words = |effect: &serde_json::Value| {
        let text = effect.as_str().unwrap().split(' ');
        text.take(2).collect::<Vec<_>>().join(" ")
    };
    effects.map(words).collect()
}

const ATTACH: &str = "do $$ begin
    if not exists (select from pg_inherits where inhrelid = 'event_1'::regclass) then
      alter table event attach partition event_1 for values in (1);
    end if;
  end $$";

#[test]
fn a_table_that_is_attached_during_a_run_is_logged_once_and_its_rows_are_undone() {
    let rows = "insert into event values ('{{ cell.tag }}', 1); insert into event_1 values ('{{ cell.tag }} too', 1);
        update event set id = 'changed' where id = 'old1'; delete from event where id = 'old0'";
    let record = passes(&stage(EVENTS, ATTACH, rows));
    assert_eq!(
        all_effects(&record, "alice"),
        [
            "delete event",
            "insert event",
            "insert event",
            "update event"
        ],
        "{record:#?}"
    );
}

#[test]
fn a_partitioned_table_that_is_attached_during_a_run_is_logged_once() {
    let schema = format!(
        "{EVENTS} drop table event_1; create table event_1 (id text, day int) partition by list (day);
         create table event_1_1 partition of event_1 for values in (1); insert into event_1 values ('old1', 1);"
    );
    let rows = "insert into event values ('{{ cell.tag }}', 1); update event set id = 'changed' where id = 'old1'";
    let record = passes(&stage(&schema, ATTACH, rows));
    assert_eq!(
        all_effects(&record, "alice"),
        ["insert event", "update event"],
        "{record:#?}"
    );
}

#[test]
fn a_partition_that_is_detached_during_a_run_is_logged_and_its_rows_are_undone() {
    let schema = format!("{EVENTS} alter table event attach partition event_1 for values in (1);");
    let detach = "do $$ begin
        if exists (select from pg_inherits where inhrelid = 'event_1'::regclass) then
          alter table event detach partition event_1;
        end if;
      end $$";
    let rows = "insert into event_1 values ('{{ cell.tag }}', 1); update event_1 set id = 'changed' where id = 'old1'";
    let stage = stage(&schema, detach, rows);
    let ended = stage.run("check", &[]);
    assert_eq!(ended.code, Some(1), "there is no snapshot yet: {ended:#?}");
    let rows = "select id as line from event_1";
    assert_eq!(stage.base.lines(rows), ["old1"]);
    let record = passes(&stage);
    assert_eq!(
        all_effects(&record, "alice"),
        ["insert event_1", "update event_1"],
        "{record:#?}"
    );
}

#[test]
fn rows_of_a_table_that_is_filled_and_then_attached_are_gone_afterwards() {
    let fill = "create table if not exists event_2 (id text, day int); insert into event_2 values ('{{ cell.tag }}', 2);
        do $$ begin
          if not exists (select from pg_inherits where inhrelid = 'event_2'::regclass) then
            alter table event attach partition event_2 for values in (2);
          end if;
        end $$";
    let rows = "insert into event values ('{{ cell.tag }} too', 2)";
    let record = passes(&stage(EVENTS, fill, rows));
    assert_eq!(
        all_effects(&record, "alice"),
        ["insert event", "insert event"],
        "{record:#?}"
    );
}
