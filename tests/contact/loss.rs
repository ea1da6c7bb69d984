//! Rows that belong to nobody of the run come back.

use crate::stage::{ITEMS, Stage, sql, suite};

/// Records and checks a call that two actors make, one of whom may.
#[track_caller]
fn comes_back(call: &str, effect: &str, more: &[&str]) {
    let stage = Stage::with(ITEMS, suite(&["alice", "denied"], &[("purge", sql(call))]));
    stage.records_and_checks(more);
    let record = stage.record("purge");
    assert!(
        record.effects("alice").contains(&effect.to_owned()),
        "{record:#?}"
    );
    assert!(record.changed_nothing("denied"), "{record:#?}");
}

#[test]
fn what_a_delete_of_all_rows_took_comes_back() {
    comes_back("delete from item", "delete item", &[]);
}

#[test]
fn what_a_truncate_took_comes_back() {
    comes_back("truncate item", "delete item", &[]);
}

#[test]
fn what_an_update_of_all_rows_changed_is_as_before() {
    comes_back("update item set name = 'hacked'", "update item", &[]);
}

#[test]
fn what_a_delete_of_rows_of_nobody_took_comes_back() {
    comes_back("delete from item where id like 'keep%'", "delete item", &[]);
}

#[test]
fn what_was_taken_comes_back_where_one_call_is_under_way_at_a_time() {
    let calls = [
        ("delete from item", "delete item"),
        ("update item set name = 'hacked'", "update item"),
        ("delete from item where id like 'keep%'", "delete item"),
    ];
    for (call, effect) in calls {
        comes_back(call, effect, &["--concurrency", "1"]);
    }
}

#[test]
fn each_of_two_who_may_is_seen_to_take_the_rows_of_nobody() {
    let actors = ["alice", "bob", "denied"];
    let calls = [
        ("all", sql("delete from item")),
        ("kept", sql("delete from item where id like 'keep%'")),
    ];
    let stage = Stage::with(ITEMS, suite(&actors, &calls));
    stage.records_and_checks(&[]);
    for (endpoint, _) in calls {
        let record = stage.record(endpoint);
        for actor in ["alice", "bob"] {
            assert_eq!(record.effects(actor), ["delete item"], "{record:#?}");
        }
        assert!(record.changed_nothing("denied"), "{record:#?}");
    }
}
