//! A planted pair: two gateways that differ in one gate, which the hand-written matrix of LiteLLM's maintainers cannot
//! see and this suite can.
//!
//! Their matrix has 113 scenarios: eight actors, and for each endpoint the actor's own key, one of its team and one of
//! another organization (BerriAI/litellm, `tests/proxy_behavior/management/test_key_*.py` as of their first version).
//! Here each scenario is the cell that asks the same, and *more* of it is compared than they compare: the whole record
//! of the cell, so that what is the same here is the same there.

use authz_pin::drift::{Drift, Kind, between};
use authz_pin::record::Record;
use authz_pin::sweep::Options;
use authz_pin_gateway::Hole;
use indexmap::IndexMap;

use crate::holes::pinned;
use crate::support::{Fixture, suite};

/// Their eight actors, in the order of the columns below.
const ACTORS: [&str; 8] = [
    "proxy_admin",
    "org_admin",
    "team_admin",
    "internal_user",
    "owner",
    "unrelated_same_org",
    "cross_org_user",
    "service_account",
];

/// What they ask of an endpoint with a target: the expected status by actor, 0 where they do not ask.
type Row = (&'static str, &'static str, [u16; 8]);

const SCENARIOS: [Row; 16] = [
    (
        "key-generate",
        "for itself",
        [200, 401, 200, 200, 200, 200, 200, 200],
    ),
    (
        "key-generate",
        "for team alpha",
        [200, 401, 200, 401, 0, 0, 400, 0],
    ),
    (
        "key-generate",
        "for team beta",
        [200, 401, 400, 400, 0, 0, 401, 0],
    ),
    (
        "key-info",
        "own credential",
        [200, 200, 200, 200, 200, 200, 200, 200],
    ),
    (
        "key-info",
        "owner's key",
        [200, 403, 200, 200, 200, 200, 403, 200],
    ),
    (
        "key-info",
        "cross-org user's key",
        [200, 403, 403, 403, 403, 403, 200, 403],
    ),
    (
        "key-list",
        "default view",
        [200, 200, 200, 200, 200, 200, 200, 200],
    ),
    (
        "key-update-models",
        "own key made by an admin",
        [200, 401, 403, 403, 403, 403, 403, 403],
    ),
    (
        "key-update-models",
        "owner's key",
        [200, 401, 403, 403, 0, 403, 403, 403],
    ),
    (
        "key-update-models",
        "cross-org user's key",
        [200, 401, 403, 0, 403, 0, 401, 403],
    ),
    (
        "key-regenerate",
        "own key made by an admin",
        [200, 401, 200, 200, 200, 200, 200, 200],
    ),
    (
        "key-regenerate",
        "owner's key",
        [200, 401, 200, 401, 0, 401, 401, 401],
    ),
    (
        "key-regenerate",
        "cross-org user's key",
        [200, 401, 401, 0, 401, 0, 401, 401],
    ),
    (
        "key-delete",
        "own key made by an admin",
        [200, 401, 200, 200, 200, 200, 200, 200],
    ),
    (
        "key-delete",
        "owner's key",
        [200, 401, 200, 403, 0, 403, 403, 403],
    ),
    (
        "key-delete",
        "cross-org user's key",
        [200, 401, 403, 0, 403, 0, 200, 403],
    ),
];

/// `endpoint, target, actor, status` of each of their scenarios.
fn scenarios() -> impl Iterator<Item = (&'static str, &'static str, &'static str, u16)> {
    SCENARIOS
        .into_iter()
        .flat_map(|(endpoint, target, statuses)| {
            let asked = ACTORS.into_iter().zip(statuses);
            asked
                .filter(|(_, status)| *status != 0)
                .map(move |(actor, status)| (endpoint, target, actor, status))
        })
}

#[test]
fn each_of_their_scenarios_is_a_cell_of_this_suite_with_the_status_that_they_expect() {
    let suite = suite();
    let endpoints = SCENARIOS.map(|(endpoint, ..)| endpoint);
    let record = |endpoint| (endpoint, pinned(&suite, endpoint).1);
    let records: IndexMap<&str, Record> = endpoints.into_iter().map(record).collect();
    assert_eq!(scenarios().count(), 113);
    for (endpoint, target, actor, status) in scenarios() {
        let cell = records[endpoint].cell_at(target, actor).unwrap();
        assert_eq!(cell.status(), Some(status), "{endpoint}/{target}/{actor}");
    }
}

/// With this hole everybody takes over everybody else's personal key: a new secret for it, and the old one is dead.
const PLANTED: Hole = Hole::RegenerateOwnership;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gate_whose_removal_their_matrix_cannot_see_drifts_here() {
    let swept = Fixture::with_holes(&[PLANTED])
        .await
        .sweep(&suite(), "*", &Options::default())
        .await;
    let (theirs, ours): (Vec<Line>, Vec<Line>) =
        drifts(&swept.records).into_iter().partition(|line| {
            scenarios().any(|(endpoint, target, actor, _)| line.is_of(endpoint, target, actor))
        });
    assert!(theirs.is_empty(), "{theirs:#?}");
    let widened: Vec<String> = ours
        .into_iter()
        .filter(|line| line.drift.kind == Kind::Widened && line.endpoint == "key-regenerate")
        .map(|line| {
            line.drift.actor.unwrap_or_default() + " on " + &line.drift.target.unwrap_or_default()
        })
        .collect();
    assert_eq!(
        widened,
        [
            "team_admin on owner's personal key",
            "internal_user on owner's personal key",
            "unrelated_same_org on owner's personal key",
            "service_account on owner's personal key",
            "cross_org_user on owner's personal key",
            "permitted_member on key of team theta",
            "permitted_member_and_org_admin on key of team theta",
        ]
    );
}

/// One difference, and the endpoint that it is at.
#[derive(Debug)]
struct Line {
    endpoint: String,
    drift: Drift,
}

impl Line {
    fn is_of(&self, endpoint: &str, target: &str, actor: &str) -> bool {
        self.endpoint == endpoint
            && self.drift.target.as_deref() == Some(target)
            && self.drift.actor.as_deref() == Some(actor)
    }
}

/// Everything in which the records differ from the snapshots.
fn drifts(records: &IndexMap<String, Record>) -> Vec<Line> {
    let suite = suite();
    let of = |(endpoint, record): (&String, &Record)| {
        let (_, before) = pinned(&suite, endpoint);
        let drifts = between(&before, record).into_iter();
        let endpoint = endpoint.clone();
        drifts.map(move |drift| Line {
            endpoint: endpoint.clone(),
            drift,
        })
    };
    records.iter().flat_map(of).collect()
}
