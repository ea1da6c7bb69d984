//! Values, settings and rules of the service's own database.

use crate::stage::{Stage, sql, suite};

const JSON: &str = r#"
    create table item (id text primary key, name text, j json);
    insert into item values ('odd1', 'k', '"\u0000"'), ('odd2', 'k', '1e200000'), ('odd3', 'k', '{"a": ["\ud800", 1e-200000]}');"#;

/// The call succeeds as it does without the tool, and is undone.
#[track_caller]
fn keeps_json(call: &str, effect: &str) {
    let stage = Stage::with(JSON, suite(&["alice", "denied"], &[("odd", sql(call))]));
    stage.records_and_checks(&[]);
    let record = stage.record("odd");
    assert_eq!(record.status("alice"), Some(200), "{record:#?}");
    assert!(
        record.effects("alice").contains(&effect.to_owned()),
        "{record:#?}"
    );
}

#[test]
fn json_with_a_null_character_is_written_as_without_the_tool() {
    keeps_json(
        r#"update item set j = '"\u0000"' where id = '{{ target.id }}'"#,
        "update item",
    );
}

#[test]
fn what_else_changes_in_a_row_that_comes_to_hold_such_json_is_recorded() {
    let change = r#"update item set name = 'new', j = '"\u0000"' where id = 'odd2'"#;
    let stage = Stage::with(JSON, suite(&["alice"], &[("odd", sql(change))]));
    stage.records_and_checks(&[]);
    let record = stage.record("odd").0;
    let effects = record["effects"].as_object().unwrap();
    let [effect] = effects.values().collect::<Vec<_>>()[..] else {
        panic!("{record:#}");
    };
    // A name for the key, and not a row without one.
    assert_eq!(effect["row"], "<new 1>", "{record:#}");
    let columns = effect["columns"].as_object().unwrap();
    assert_eq!(
        columns.keys().collect::<Vec<_>>(),
        ["j", "name"],
        "{record:#}"
    );
}

#[test]
fn a_json_number_that_no_numeric_holds_is_written_as_without_the_tool() {
    keeps_json(
        "update item set j = '1e200000' where id = '{{ target.id }}'",
        "update item",
    );
}

#[test]
fn a_row_that_holds_such_json_can_be_changed_and_is_restored() {
    keeps_json(
        "update item set name = '{{ cell.tag }}' where id like 'odd%'",
        "update item",
    );
}

#[test]
fn a_row_that_holds_such_json_can_be_deleted_and_is_restored() {
    keeps_json("delete from item where id like 'odd%'", "delete item");
}

#[test]
fn rows_whose_defaults_hold_such_json_can_be_seeded() {
    let schema = r#"
        create type pair as (a json, b int);
        create table item (id text primary key, many json[] not null default array['"\u0000"'::json, '1e200000'],
          pair pair default row('"\u0000"', 1), name text);
        insert into item values ('keep1');"#;
    let call = sql("update item set name = 'x' where id in ('{{ target.id }}', 'keep1')");
    let stage = Stage::with(schema, suite(&["alice", "denied"], &[("odd", call)]));
    stage.records_and_checks(&[]);
    let record = stage.record("odd");
    assert_eq!(record.effects("alice"), ["update item"], "{record:#?}");
}

#[test]
fn a_database_whose_sessions_are_those_of_a_replica_is_watched_all_the_same() {
    let call = sql("insert into item values ('{{ cell.tag }}', 'new')");
    let stage = Stage::with(
        crate::stage::ITEMS,
        suite(&["alice", "denied"], &[("write", call)]),
    );
    let name = &stage.base.name;
    stage.base.root_sql(&format!(
        "alter database {name} set session_replication_role = replica"
    ));
    stage.records_and_checks(&[]);
    let record = stage.record("write");
    assert_eq!(record.effects("alice"), ["insert item"], "{record:#?}");
}

/// Calls on a table with rules of the service's own.
#[track_caller]
fn undoes_with_rules(rules: &str, call: &str, effects: &[&str]) {
    let schema = format!(
        "create table item (id text primary key, name text, deleted boolean not null default false);
         create table log (what text);
         insert into item values ('keep1', 'k'), ('keep2', 'k'); insert into log values ('old');
         {rules}"
    );
    let stage = Stage::with(&schema, suite(&["alice", "denied"], &[("act", sql(call))]));
    stage.records_and_checks(&[]);
    let record = stage.record("act");
    let seen = record.effects("alice");
    for effect in effects {
        assert!(seen.contains(&(*effect).to_owned()), "{record:#?}");
    }
    assert!(record.changed_nothing("denied"), "{record:#?}");
}

#[test]
fn rows_that_a_rule_only_marks_as_deleted_are_undone() {
    undoes_with_rules(
        "create rule soft as on delete to item do instead update item set deleted = true where id = old.id;",
        "delete from item where id = '{{ target.id }}'",
        &["update item"],
    );
}

#[test]
fn rows_that_a_rule_inserts_beside_others_are_undone() {
    undoes_with_rules(
        "create rule trail as on insert to item do also insert into log values ('made ' || new.id);",
        "insert into item values ('{{ cell.tag }}'); delete from item where id = 'keep1'",
        &["insert item", "insert log", "delete item"],
    );
}

#[test]
fn rows_that_a_rule_inserts_beside_an_update_are_undone() {
    undoes_with_rules(
        "create rule trail as on update to item do also insert into log values ('changed ' || new.id);",
        "update item set name = '{{ cell.tag }}' where id in ('{{ target.id }}', 'keep1')",
        &["update item", "insert log"],
    );
}
