//! A hole for each kind of drift and each kind of finding: it fires its own kind, and no neighbour.

use std::collections::BTreeSet;

use authz_pin::embedded::Cluster;
use authz_pin::{drift, findings};
use serde_json::Value as Json;

use super::letters::Letters;
use super::place::{Place, checks};

/// Where the difference between two runs is made.
enum Plant {
    /// In the service, by the kind's own name.
    Service,
    /// In a file of the suite or of its snapshots: what it has once, and what it gets instead.
    File(&'static str, &'static str, &'static str),
}

use Plant::{File, Service};

/// A hole for a kind, with everything that a check says of it: what drifted, and what was found besides.
type Hole = (
    &'static str,
    Plant,
    &'static [&'static str],
    &'static [&'static str],
);

/// A drift without any other; only where the cell itself breaks an invariant a finding comes with it.
const DRIFTS: [Hole; 30] = [
    ("widened", Service, &["widened"], &[]),
    (
        "wrote-while-denied",
        Service,
        &["finding-added", "wrote-while-denied"],
        &["denied-but-wrote"],
    ),
    ("disclosure-widened", Service, &["disclosure-widened"], &[]),
    (
        "finding-added",
        File(
            "letters/world.yaml",
            "with: { club: a, rank: reader }",
            "with: { club: a, rank: reader }\n    outranks: [writer]",
        ),
        &["finding-added"],
        &["inversion"],
    ),
    ("list-shows-more", Service, &["list-shows-more"], &[]),
    ("value-shown", Service, &["value-shown"], &[]),
    ("flag-turned", Service, &["flag-turned"], &[]),
    ("refusal-tells-more", Service, &["refusal-tells-more"], &[]),
    ("probe-changed", Service, &["probe-changed"], &[]),
    ("effect-changed", Service, &["effect-changed"], &[]),
    (
        "fault-changed",
        Service,
        &["fault-changed", "finding-added"],
        &["no-answer"],
    ),
    ("redirect-changed", Service, &["redirect-changed"], &[]),
    ("narrowed", Service, &["narrowed"], &[]),
    ("gate-changed", Service, &["gate-changed"], &[]),
    ("status-changed", Service, &["status-changed"], &[]),
    ("header-changed", Service, &["header-changed"], &[]),
    (
        "disclosure-narrowed",
        Service,
        &["disclosure-narrowed"],
        &[],
    ),
    ("refusal-tells-less", Service, &["refusal-tells-less"], &[]),
    ("list-shows-less", Service, &["list-shows-less"], &[]),
    ("value-hidden", Service, &["value-hidden"], &[]),
    ("value-changed", Service, &["value-changed"], &[]),
    (
        "values-recorded",
        File("letters/suite.yaml", "shelf: clear", "shelf: nothing"),
        &["values-recorded"],
        &[],
    ),
    (
        "finding-removed",
        File(
            "letters/world.yaml",
            "outranks: [writer, stranger]",
            "outranks: [writer]",
        ),
        &["finding-removed"],
        &[],
    ),
    ("shape-changed", Service, &["shape-changed"], &[]),
    (
        "cell-added",
        File(
            "letters/endpoints/write.yaml",
            "  - writer's letter",
            "  - writer's letter\n  - chair's letter",
        ),
        &["cell-added"],
        &[],
    ),
    (
        "cell-removed",
        File("letters/endpoints/read.yaml", "  - writer's letter\n", ""),
        &["cell-removed"],
        &[],
    ),
    (
        "renamed",
        File("letters/world.yaml", "  reader:\n", "  subscriber:\n"),
        &["renamed"],
        &[],
    ),
    (
        "endpoint-changed",
        File(
            "letters/endpoints/read.yaml",
            "path: /letters/",
            "path: /letter/",
        ),
        &["endpoint-changed"],
        &[],
    ),
    (
        "layout-changed",
        File(
            "letters/endpoints/read.yaml",
            "  - writer's letter\n  - stranger's letter",
            "  - stranger's letter\n  - writer's letter",
        ),
        &["layout-changed"],
        &[],
    ),
    (
        "unreadable",
        File(
            "letters/snapshots/read.snap",
            "endpoint: ",
            "<<<<<<< HEAD\nendpoint: ",
        ),
        &["unreadable"],
        &[],
    ),
];

/// A finding without any other; what changed so that it is there has drifted too.
const FINDINGS: [Hole; 13] = [
    (
        "denied-but-wrote",
        Service,
        &["finding-added", "wrote-while-denied"],
        &["denied-but-wrote"],
    ),
    (
        "others-secret-disclosed",
        Service,
        &["disclosure-widened", "finding-added"],
        &["others-secret-disclosed"],
    ),
    (
        "secret-at-rest",
        Service,
        &["effect-changed", "finding-added"],
        &["secret-at-rest"],
    ),
    (
        "other-tenant-disclosed",
        Service,
        &["disclosure-widened", "finding-added"],
        &["other-tenant-disclosed"],
    ),
    (
        "anonymous-allowed",
        Service,
        &["finding-added", "widened"],
        &["anonymous-allowed"],
    ),
    (
        "unrepeated-write",
        Service,
        &["finding-added"],
        &["unrepeated-write"],
    ),
    (
        "world-changed",
        Service,
        &["effect-changed", "finding-added"],
        &["world-changed"],
    ),
    (
        "inversion",
        Service,
        &["finding-added", "narrowed"],
        &["inversion"],
    ),
    (
        "denied-everywhere",
        Service,
        &["finding-added", "gate-changed"],
        &["denied-everywhere"],
    ),
    (
        "server-error",
        Service,
        &["finding-added", "gate-changed"],
        &["server-error"],
    ),
    (
        "no-answer",
        Service,
        &["fault-changed", "finding-added"],
        &["no-answer"],
    ),
    (
        "allowed-without-effect",
        Service,
        &["effect-changed", "finding-added"],
        &["allowed-without-effect"],
    ),
    (
        "status-differs",
        Service,
        &["finding-added", "gate-changed"],
        &["status-differs"],
    ),
];

/// Findings that come with others, or that this service cannot be the reason of. `trust::credentials` has services for them.
const ELSEWHERE: [&str; 2] = ["credential-ended", "open-to-everybody"];

/// The service, its database, and what is pinned while it has no hole.
struct Scene {
    service: Letters,
    database_url: String,
    pinned: Place,
    _cluster: Cluster,
}

impl Scene {
    async fn start() -> Self {
        let cluster = Cluster::start().unwrap();
        let database_url = cluster.create_database("letters_test").await.unwrap();
        let url = database_url.clone();
        let service = tokio::task::spawn_blocking(move || Letters::start(&url));
        let scene = Self {
            service: service.await.unwrap(),
            database_url,
            pinned: Place::with("letters"),
            _cluster: cluster,
        };
        scene.run(&scene.pinned, &["record", "letters"]);
        scene
    }

    fn run(&self, place: &Place, arguments: &[&str]) -> (Option<i32>, String) {
        let url = self.service.url();
        let where_to = ["--base-url", &url, "--database-url", &self.database_url];
        let ended = place.run(&[arguments, &where_to].concat());
        assert!(matches!(ended.code, Some(0 | 1)), "{ended:#?}");
        (ended.code, ended.stdout)
    }

    /// What a check of a service with the hole says: the kinds of drift, and of the findings that came.
    fn fired(&self, (id, plant, ..): &Hole) -> [BTreeSet<String>; 2] {
        let place = match plant {
            Service => self.pinned.copy(),
            File(file, from, to) => self.pinned.copy().edit(file, from, to),
        };
        self.service
            .have(if matches!(plant, Service) { id } else { "" });
        let (_, report) = self.run(&place, &["check", "letters", "--format", "json"]);
        kinds(&serde_json::from_str(&report).unwrap())
    }
}

fn kinds(report: &Json) -> [BTreeSet<String>; 2] {
    let endpoints = report["endpoints"].as_array().unwrap().iter();
    let drifts: Vec<&Json> = endpoints
        .flat_map(|endpoint| endpoint["drifts"].as_array().unwrap())
        .collect();
    let kinds = drifts.iter().map(|drift| drift["kind"].as_str().unwrap());
    let added = drifts
        .iter()
        .filter(|drift| drift["kind"] == "finding-added");
    let findings = added.map(|drift| drift["is"].as_str().unwrap().split(':').next().unwrap());
    [
        kinds.map(str::to_owned).collect(),
        findings.map(str::to_owned).collect(),
    ]
}

fn set(kinds: &[&str]) -> BTreeSet<String> {
    kinds.iter().map(|kind| (*kind).to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_hole_fires_its_own_kind_and_no_neighbour() {
    let scene = Scene::start().await;
    for _ in 0..checks() {
        assert_eq!(scene.run(&scene.pinned, &["check", "letters"]).0, Some(0));
    }
    let others: Vec<String> = DRIFTS
        .iter()
        .chain(&FINDINGS)
        .filter_map(|hole| {
            let (fired, (id, _, drifts, findings)) = (scene.fired(hole), hole);
            (fired != [set(drifts), set(findings)]).then(|| format!("{id} fired {fired:?}"))
        })
        .collect();
    assert_eq!(others, [""; 0]);
}

#[test]
fn each_kind_has_a_hole() {
    let ids = |holes: &[Hole]| holes.iter().map(|hole| hole.0).collect::<Vec<_>>();
    let of = |table: &'static [authz_pin::kinds::Entry]| {
        table
            .iter()
            .map(|entry| entry.id.as_str())
            .collect::<Vec<_>>()
    };
    assert_eq!(ids(&DRIFTS), of(drift::table()));
    let mut findings = of(findings::table());
    findings.retain(|id| !ELSEWHERE.contains(id));
    assert_eq!(ids(&FINDINGS), findings);
}
