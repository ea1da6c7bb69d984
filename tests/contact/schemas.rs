//! A service with a schema for each tenant.

use serde_json::json;

use crate::place::Ended;
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

/// The line in which a run says what it does not watch.
fn not_watched(ended: &Ended) -> &str {
    let mut lines = ended.stderr.lines();
    lines
        .find(|line| line.contains("not watched"))
        .unwrap_or_default()
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
    assert!(
        record.has_finding("denied-but-wrote", "denied"),
        "{record:#?}"
    );
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

#[test]
fn only_the_schemas_that_a_suite_names_are_watched_and_the_others_are_named() {
    let mut stage = tenants();
    let text = stage
        .suite_file()
        .replace("settle_ms: 50", "settle_ms: 50, schemas: [blue]");
    stage.place = stage.place.write("suite/suite.yaml", &text);
    stage
        .base
        .owner_sql("create schema green; create table green.notes (id text)");
    let ended = stage.ends("record", &[], 0);
    let line = not_watched(&ended);
    assert!(
        line.contains("`green.notes` (its schema is not among those that the suite names)"),
        "{line}"
    );
    assert!(!line.contains("blue") && !line.contains("item"), "{line}");
    let record = stage.record("note");
    assert_eq!(
        record.effects("denied"),
        ["insert blue.notes"],
        "{record:#?}"
    );
    stage.ends("check", &[], 0);
}

#[test]
fn tables_of_extensions_foreign_tables_and_event_triggers_are_named_as_not_watched() {
    let stage = tenants();
    let owner = &stage.base.owner;
    stage.base.root_sql(&format!(
        "create table member (id text); alter table member owner to {owner}; alter extension plpgsql add table member;
         create foreign data wrapper nothing; create server nowhere foreign data wrapper nothing;
         create foreign table far (id text) server nowhere; alter foreign table far owner to {owner};
         create function noted() returns event_trigger language plpgsql as 'begin end';
         create event trigger notes on ddl_command_end execute function noted()"
    ));
    let ended = stage.ends("record", &[], 0);
    let line = not_watched(&ended);
    for text in [
        "`member` (of the extension `plpgsql`)",
        "`far` (a foreign table)",
        "what the event trigger `notes` writes because of the journal",
    ] {
        assert!(line.contains(text), "{text}: {}", ended.stderr);
    }
    stage.ends("check", &[], 0);
}
