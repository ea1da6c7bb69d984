//! Checks of a part of the LiteLLM suite on the service that it starts by itself.

use serde_json::{Value as Json, json};

use super::place::Place;

fn check(place: &Place, arguments: &[&str]) -> Json {
    let arguments: Vec<&str> = ["check", "--format", "json"]
        .iter()
        .chain(arguments)
        .copied()
        .collect();
    let ended = place.run(&arguments);
    assert!(matches!(ended.code, Some(0 | 1)), "{ended:#?}");
    serde_json::from_str(&ended.stdout).unwrap()
}

#[test]
fn a_check_for_a_program_is_one_json_document_with_totals_and_endpoints() {
    let place = Place::with_litellm();
    let report = check(&place, &["--filter", "key-info"]);
    assert_eq!(
        keys(&report),
        [
            "suite",
            "cells",
            "requests",
            "seconds",
            "seen",
            "findings",
            "groups",
            "endpoints",
            "open_findings",
            "unreferenced"
        ]
    );
    assert_eq!(report["suite"], "litellm");
    assert_eq!(report["cells"], listed(&place, "key-info"));
    let endpoints = report["endpoints"].as_array().unwrap();
    assert_eq!(endpoints.len(), 1);
    assert_eq!(
        keys(&endpoints[0]),
        ["name", "drift", "changed_cells", "drifts", "record"]
    );
    assert_eq!(endpoints[0]["name"], "key-info");
    assert_eq!(endpoints[0]["drift"], "none");
    assert_eq!(endpoints[0]["record"]["endpoint"], "GET /key/info");
}

#[test]
fn a_check_of_some_cells_compares_only_these_and_writes_nothing() {
    let place = Place::with_litellm();
    let before = place.files();
    let report = check(&place, &["--filter", "key-delete/own*/owner"]);
    assert_eq!(report["cells"], listed(&place, "key-delete/own*/owner"));
    assert_eq!(report["endpoints"][0]["drift"], "none", "{report:#}");
    assert!(place.files() == before, "a file was written or changed");
}

#[test]
fn a_hole_in_some_cells_is_drift_in_these_and_writes_nothing() {
    let place = Place::with_litellm();
    let before = place.files();
    let filter = "key-info/key of team gamma/cross_org_user";
    let report = check(
        &place,
        &["--filter", filter, "--setting", r#"holes=["key-info"]"#],
    );
    assert_eq!(report["endpoints"][0]["drift"], "changed");
    let changed = json!(["key of team gamma/cross_org_user"]);
    assert_eq!(report["endpoints"][0]["changed_cells"], changed);
    assert!(place.files() == before, "a file was written or changed");
}

#[test]
fn a_whole_endpoint_that_differs_is_proposed_beside_its_snapshot() {
    let place = Place::with_litellm();
    let snapshot = place.path("snapshots/litellm/key-info.snap");
    let text = std::fs::read_to_string(&snapshot).unwrap();
    std::fs::write(&snapshot, text.replacen("allowed: 200", "allowed: 204", 1)).unwrap();
    let proposed = place.path("snapshots/litellm/key-info.snap.new");
    let ended = place.run(&["check", "--filter", "key-info"]);
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    assert!(
        ended
            .stdout
            .contains("key-info GET /key/info differs in 1 cell\n"),
        "{ended:#?}"
    );
    assert!(proposed.exists());

    // What was proposed goes when the snapshot is right again.
    std::fs::write(&snapshot, text).unwrap();
    place.run(&["check", "--filter", "key-info"]).result();
    assert!(!proposed.exists());
}

/// How many cells a filter selects.
fn listed(place: &Place, filter: &str) -> usize {
    let list = place.run(&["list", "--filter", filter]).result();
    list.lines().count()
}

fn keys(json: &Json) -> Vec<&str> {
    let object = json.as_object().unwrap();
    object.keys().map(String::as_str).collect()
}
