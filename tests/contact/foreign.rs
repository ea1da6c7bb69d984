//! What somebody else did to the run's rows is left alone, and named with the reason.

use serde_json::json;

use crate::place::Ended;
use crate::stage::{ITEMS, Stage, call, suite};

/// Runs SQL on a table that no trigger of the tool sees, and leaves the triggers as they were.
pub(crate) fn unseen(table: &str, sql: &str) -> String {
    format!(
        "do $do$ declare t record; was jsonb; begin
           select jsonb_agg(jsonb_build_array(tgrelid::regclass::text, tgname, tgenabled)) into was
           from pg_trigger where tgname like 'authz%' and tgrelid = '{table}'::regclass;
           for t in select * from jsonb_array_elements(was) loop
             execute format('alter table %s disable trigger %I', t.value ->> 0, t.value ->> 1);
           end loop;
           {sql};
           for t in select * from jsonb_array_elements(was) where value ->> 2 <> 'D' loop
             execute format('alter table %s enable %s trigger %I', t.value ->> 0,
               case t.value ->> 2 when 'A' then 'always' when 'R' then 'replica' else '' end, t.value ->> 1);
           end loop;
         end $do$"
    )
}

/// A check of one cell, in which this happens.
fn checked(schema: &str, body: &serde_json::Value) -> (Stage, Ended) {
    let stage = Stage::with(schema, suite(&["alice"], &[("act", call(body))]));
    let ended = stage.run("check", &[]);
    assert_eq!(ended.code, Some(3), "{ended:#?}");
    assert_eq!(stage.base.traces(), Vec::<String>::new());
    (stage, ended)
}

/// The lines of the error that are about the row with this key.
#[track_caller]
fn about<'e>(ended: &'e Ended, key: &str) -> Vec<&'e str> {
    let lines = ended.stderr.lines();
    let lines: Vec<_> = lines
        .skip_while(|line| !line.starts_with("error"))
        .collect();
    let is_named = lines
        .iter()
        .any(|line| line.contains("item") && line.contains(key));
    assert!(is_named, "{}", ended.stderr);
    lines
}

#[test]
fn a_row_that_somebody_else_changed_meanwhile_is_theirs_and_named() {
    let theirs = unseen("item", "update item set name = 'theirs' where id = 'keep1'");
    let body =
        json!({"sql": "update item set name = 'ours' where id like 'keep%'", "foreign": theirs});
    let (stage, ended) = checked(ITEMS, &body);
    let lines = about(&ended, "keep1").join("\n");
    assert!(lines.contains("changed"), "{lines}");
    assert!(!lines.contains("keep2"), "{lines}");
    let names = "select id || ' ' || name as line from item order by 1";
    assert_eq!(stage.base.lines(names), ["keep1 theirs", "keep2 k"]);
}

#[test]
fn what_the_database_refuses_to_put_back_is_told_in_its_own_words() {
    let check = "alter table item add constraint no_keep check (id <> 'keep1') not valid";
    let body = json!({"sql": ["delete from item where id like 'keep%'",
        format!("alter table item drop constraint if exists no_keep; {check}")]});
    let (stage, ended) = checked(ITEMS, &body);
    let lines = about(&ended, "keep1").join("\n");
    assert!(lines.contains("23514"), "{lines}");
    assert!(lines.contains("no_keep"), "{lines}");
    assert!(!lines.contains("somebody else"), "{lines}");
    let ids = "select id as line from item order by 1";
    assert_eq!(stage.base.lines(ids), ["keep2"]);
}

#[test]
fn a_row_of_the_runs_that_a_row_out_of_reach_refers_to_is_named_with_what_refers_to_it() {
    let refer = "insert into theirs.hold select id from item where name = 'held'";
    let made = "insert into item values ('{{ cell.tag }}', 'held')";
    let body = json!({"sql": made, "foreign": refer});
    let stage = Stage::with(ITEMS, suite(&["alice"], &[("act", call(&body))]));
    stage
        .base
        .root_sql("create schema theirs; create table theirs.hold (item text references item)");
    let ended = stage.run("check", &[]);
    assert_eq!(ended.code, Some(3), "{ended:#?}");
    let lines = about(&ended, "id").join("\n");
    assert!(lines.contains("23503"), "{lines}");
    assert!(lines.contains("hold"), "{lines}");
}
