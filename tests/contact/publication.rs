//! A database whose rows are published to somebody else.

use crate::place::Ended;
use crate::run::Running;
use crate::stage::{ITEMS, Stage, sql, suite};

fn published() -> Stage {
    let calls = [
        (
            "rename",
            sql("update item set name = 'x' where id = '{{ target.id }}'"),
        ),
        ("purge", sql("delete from item where id like 'keep%'")),
    ];
    let stage = Stage::with(ITEMS, suite(&["alice", "denied"], &calls));
    stage
        .base
        .root_sql("set client_min_messages = error; create publication everything for all tables");
    stage
}

#[track_caller]
fn names_the_flag(ended: &Ended) {
    for text in ["everything", "--allow-publication"] {
        assert!(ended.stderr.contains(text), "{text}: {}", ended.stderr);
    }
}

#[test]
fn a_publication_of_all_tables_is_refused_before_anything_is_written() {
    let stage = published();
    for command in ["check", "record"] {
        names_the_flag(&stage.ends(command, &[], 2));
    }
    assert_eq!(stage.toy.calls(), 0);
}

#[test]
fn a_publication_of_all_tables_that_is_allowed_keeps_nothing_from_being_undone() {
    let stage = published();
    stage.records_and_checks(&["--allow-publication"]);
    let record = stage.record("purge");
    assert_eq!(record.effects("alice"), ["delete item"], "{record:#?}");
}

#[test]
fn a_publication_of_all_tables_can_be_allowed_by_the_environment() {
    let stage = published();
    let before = stage.base.content();
    let mut command = stage.command_in(&stage.place, "record", &[]);
    let ended = Running::start(command.env("AUTHZ_PIN_ALLOW_PUBLICATION", "true")).end();
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    stage.base.assert_is(&before, "record");
    let mut command = stage.command_in(&stage.place, "check", &[]);
    let ended = Running::start(command.env("AUTHZ_PIN_ALLOW_PUBLICATION", "false")).end();
    assert_eq!(ended.code, Some(2), "{ended:#?}");
}

#[test]
fn rows_without_a_key_whose_updates_are_published_are_restored() {
    let schema = format!(
        "{ITEMS} create table trail (what text, at int); insert into trail values ('old', 1), ('old', 1), ('old', 2);"
    );
    let calls = [
        ("add", sql("insert into trail values ('{{ cell.tag }}', 3)")),
        (
            "purge",
            sql("insert into item values ('{{ cell.tag }}'); delete from trail where at = 1"),
        ),
    ];
    let stage = Stage::with(&schema, suite(&["alice", "denied"], &calls));
    stage.base.root_sql(
        "set client_min_messages = error; create publication trails for table trail with (publish = 'insert, update')",
    );
    stage.records_and_checks(&[]);
    let record = stage.record("purge");
    let effects = record.effects("alice");
    assert!(effects.contains(&"delete trail".to_owned()), "{record:#?}");
}

#[test]
fn rows_without_a_key_whose_deletes_are_published_are_taken_away_again() {
    let schema =
        format!("{ITEMS} create table trail (what text); insert into trail values ('old');");
    let call = sql("insert into trail values ('{{ cell.tag }}')");
    let stage = Stage::with(&schema, suite(&["alice", "denied"], &[("add", call)]));
    stage
        .base
        .root_sql("set client_min_messages = error; create publication trails for table trail");
    stage.records_and_checks(&[]);
    let record = stage.record("add");
    assert_eq!(record.effects("alice"), ["insert trail"], "{record:#?}");
}
