//! What a run inserts has to show up in the journal; where it does not, nobody knows what calls do there.

use std::fs;

use crate::stage::{Stage, sql, suite};

const SCHEMA: &str = "
    create table item (id text primary key, name text);
    create table elsewhere (id text primary key, name text);
    create table audit (id text primary key);
    insert into item values ('keep', 'k');";

/// A call that writes to the table of its target and to another one.
const WRITE: &str =
    "update item set name = 'x' where id = 'keep'; insert into audit values ('{{ cell.tag }}')";

fn stage(rule: &str) -> Stage {
    let schema = format!("{SCHEMA} {rule};");
    Stage::with(
        &schema,
        suite(&["alice", "denied"], &[("write", sql(WRITE))]),
    )
}

#[test]
fn a_table_whose_seeds_go_elsewhere_is_not_observed_and_the_others_are() {
    let stage = stage(
        "create rule away as on insert to item do instead insert into elsewhere values (new.*)",
    );
    let ended = stage.ends("record", &[], 0);
    let line = ended
        .stderr
        .lines()
        .find(|line| line.contains("`item` does not show up"));
    assert!(
        line.is_some_and(|line| line.contains("not observed")),
        "{}",
        ended.stderr
    );
    let record = stage.record("write");
    assert_eq!(
        record.0["unobserved"],
        serde_json::json!(["item"]),
        "{record:#?}"
    );
    let effects = record.effects("alice");
    assert!(effects.contains(&"insert audit".to_owned()), "{record:#?}");
    stage.ends("check", &[], 0);
}

#[test]
fn a_table_that_is_not_observed_any_more_is_drift() {
    let stage = stage("select 1");
    stage.ends("record", &[], 0);
    assert!(stage.record("write").0["unobserved"].is_null());
    stage.base.owner_sql(
        "create rule away as on insert to item do instead insert into elsewhere values (new.*)",
    );
    let ended = stage.ends("check", &[], 1);
    assert!(
        ended.stdout.contains("`item` not observed"),
        "{}",
        ended.stdout
    );
    let proposal = stage.place.path("suite/snapshots/write.snap.new");
    assert!(fs::read_to_string(proposal).unwrap().contains("unobserved"));
}

#[test]
fn rows_that_a_trigger_of_the_service_swallows_are_said_not_to_be_there() {
    let swallow =
        "create function swallow() returns trigger language plpgsql as 'begin return null; end';
        create trigger swallow before insert on item for each row execute function swallow()";
    let stage = stage(swallow);
    let ended = stage.ends("record", &[], 0);
    let line = ended
        .stderr
        .lines()
        .find(|line| line.contains("came to be"));
    assert!(
        line.is_some_and(|line| line.contains("0 of the 2 rows")),
        "{}",
        ended.stderr
    );
    assert!(
        line.is_some_and(|line| line.contains("`item`")),
        "{}",
        ended.stderr
    );
    let record = stage.record("write");
    let effects = record.effects("alice");
    assert!(
        effects.contains(&"update item".to_owned()),
        "the journal shows the table: {record:#?}"
    );
    stage.ends("check", &[], 0);
}
