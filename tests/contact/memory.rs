//! A service that remembers what it has written, and does not write it again.

use serde_json::{Value, json};

use crate::place::Place;
use crate::stage::Stage;

const ACCOUNTS: &str = "
    create table account (key text primary key, name text not null, admin boolean not null default false);
    insert into account values ('of-nobody', 'nobody');";

const ALONE: &str = "endpoints: { become-admin: { alone: true } }\n";

fn remembers() -> Stage {
    remembers_with(ACCOUNTS)
}

/// Two actors by rows, each of whom makes itself an administrator.
pub(crate) fn remembers_with(accounts: &str) -> Stage {
    let rows = json!([{"table": "account", "values": {"key": "{{ key }}", "name": "{{ run }} {{ name }}"}}]);
    let user = json!({"secrets": {"key": "{{ random(24) }}"}, "rows": rows});
    let actor = json!({"kind": "user", "auth": {"bearer": "{{ actor.key }}"}});
    let world =
        json!({"kinds": {"user": user}, "entities": {}, "actors": {"a": actor, "b": actor}});
    let endpoint =
        json!({"request": {"method": "POST", "path": "/become-admin"}, "targets": ["it"]});
    let place = Place::empty()
        .write(
            "suite/suite.yaml",
            "name: contact\nsnapshots: snapshots\nservice: { ready: /ready, settle_ms: 50 }\n",
        )
        .write("suite/world.yaml", &world.to_string())
        .write("suite/targets.yaml", "targets: { it: {} }")
        .write("suite/endpoints/become-admin.yaml", &endpoint.to_string());
    Stage::with(accounts, place)
}

/// Both are seen to change their rows.
#[track_caller]
fn shows_the_updates(stage: &Stage) {
    let record = stage.record("become-admin");
    for actor in ["a", "b"] {
        assert_eq!(record.effects(actor), ["update account"], "{record:#?}");
    }
}

#[test]
fn what_only_a_first_try_writes_is_never_dropped_from_a_record() {
    let stage = remembers();
    let ended = stage.ends("record", &[], 5);
    assert!(!stage.has_record("become-admin"));
    for text in ["become-admin", "account"] {
        assert!(ended.stderr.contains(text), "{text}: {}", ended.stderr);
    }
}

#[test]
fn an_endpoint_that_is_declared_alone_is_called_once_and_its_writes_are_recorded() {
    let stage = remembers().more(ALONE);
    stage.ends("record", &[], 0);
    shows_the_updates(&stage);
    assert_eq!(stage.toy.calls(), 4, "two calls in each of two sweeps");
    stage.ends("check", &[], 0);
}

#[test]
fn calibration_declares_an_endpoint_alone_whose_first_try_is_not_repeated() {
    let stage = remembers();
    stage.ends("record", &["--calibrate"], 0);
    let suite: Value = serde_yaml::from_str(&stage.suite_file()).unwrap();
    assert_eq!(suite["endpoints"]["become-admin"]["alone"], true, "{suite}");
    shows_the_updates(&stage);
    stage.ends("check", &[], 0);
}
