//! A service with a schema for each tenant.

use serde_json::json;

use crate::stage::{ITEMS, Stage, call, suite};

fn tenants() -> Stage {
    let schema = format!(
        "{ITEMS} create schema blue; create table blue.notes (id text primary key, item text);
         insert into blue.notes values ('old', 'k');"
    );
    let hole = "insert into blue.notes values ('{{ cell.tag }}', '{{ target.id }}')";
    let note = call(&json!({"sql": "select 1", "hole": hole}));
    Stage::with(&schema, suite(&["alice", "denied"], &[("note", note)]))
}

#[test]
fn what_a_denied_caller_writes_into_another_schema_is_a_finding() {
    let stage = tenants();
    stage.ends("record", &[], 0);
    let record = stage.record("note");
    assert_eq!(
        record.effects("denied"),
        ["insert blue.notes"],
        "{record:#?}"
    );
    assert!(record.changed_nothing("alice"), "{record:#?}");
    let findings = record.0["findings"].to_string();
    assert!(findings.contains("denied-but-wrote: denied"), "{findings}");
    stage.ends("check", &[], 0);
}

#[test]
fn a_schema_whose_tables_are_not_the_roles_is_named_as_not_watched() {
    let stage = tenants();
    stage
        .base
        .root_sql("create schema green; create table green.notes (id text)");
    let ended = stage.ends("record", &[], 0);
    let line = ended.stderr.lines().find(|line| line.contains("green"));
    assert!(
        line.is_some_and(|line| line.contains("not watched")),
        "{}",
        ended.stderr
    );
}
