//! A gateway with a hole shows as exactly the cells that the hole opens.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use authz_pin::drift::{Comparison, Drift, between, compare};
use authz_pin::record::{Cell, Record, Value};
use authz_pin::snapshot::Snapshot;
use authz_pin::suite::Suite;
use authz_pin::sweep::Options;
use authz_pin_gateway::Hole;

use crate::support::{Fixture, suite};

/// The endpoints whose gates a hole is in.
fn endpoints(hole: Hole) -> &'static str {
    let name = hole.name();
    let of = |prefix: &str| name.starts_with(prefix);
    match name {
        "organization-membership" => {
            "key-{generate,service-account-generate,update-organization-id}"
        }
        "upper-bounds" => "key-{regenerate,update}-above-bounds",
        "delete" | "route-gate" => "key-delete",
        "silent-write-on-denied-update" => "key-update-models",
        "key-info" => "key-info",
        _ if of("generate") => "key-{generate,service-account-generate}",
        _ if of("list") => "key-list",
        _ if of("update") => "key-update-*",
        _ if of("regenerate") => "key-regenerate*",
        _ => panic!("which endpoints does `{name}` open?"),
    }
}

pub(crate) fn pinned(suite: &Suite, endpoint: &str) -> (String, Record) {
    let text = Snapshot::new(&suite.snapshots(), endpoint)
        .read()
        .unwrap()
        .unwrap();
    let record = Record::parse(&text).unwrap();
    (text, record)
}

/// `endpoint/target/actor: before -> after` for every cell that a hole changes.
async fn flips(hole: Hole) -> Vec<String> {
    let suite = suite();
    let all = suite.endpoints.iter();
    let all = all.map(|endpoint| (endpoint.name.clone(), pinned(&suite, &endpoint.name).1));
    let options = Options {
        pinned: Some(Arc::new(all.collect())),
        ..Options::default()
    };
    let swept = Fixture::with_holes(&[hole])
        .await
        .sweep(&suite, endpoints(hole), &options)
        .await;
    assert!(swept.inconclusive.is_empty(), "{hole} is no outage");
    let mut flips = Vec::new();
    for (endpoint, record) in &swept.records {
        let (_, old) = pinned(&suite, endpoint);
        let drifts = between(&old, record);
        for (target, actor, cell) in record.iter() {
            let before = old.cell_at(target, actor).unwrap();
            if drifts.iter().any(|drift| is_at(drift, target, actor)) {
                let wrote = if cell.effects.is_empty() {
                    ""
                } else {
                    ", writes"
                };
                flips.push(format!(
                    "{endpoint}/{target}/{actor}: {} -> {}{wrote}",
                    before.answer(),
                    cell.answer()
                ));
            }
        }
    }
    flips
}

/// Whether a cell is what differs, and not a finding about it, which can come of other cells.
fn is_at(drift: &Drift, target: &str, actor: &str) -> bool {
    let at = (drift.target.as_deref(), drift.actor.as_deref());
    at == (Some(target), Some(actor)) && !drift.kind.is_about_findings()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_gate_of_every_handler_is_reached_by_at_least_one_cell() {
    let mut seen = String::new();
    for hole in Hole::ALL {
        let flips = flips(*hole).await;
        assert!(!flips.is_empty(), "no cell notices that `{hole}` is open");
        let _ = writeln!(seen, "{hole}:\n  {}", flips.join("\n  "));
    }
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../../snapshots/holes");
    settings.set_prepend_module_to_snapshot(false);
    settings.bind(|| insta::assert_snapshot!("holes", seen));
}

/// The entities that the keys of a list name, where the cell has one.
fn listed(record: &Record, cell: &Cell) -> BTreeSet<String> {
    let values = record.values_of(cell).unwrap_or_default();
    let keys = values.get("keys[]");
    let sorts = keys.into_iter().flat_map(Value::sorts);
    sorts.map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_that_is_not_narrowed_shows_keys_of_others() {
    let suite = suite();
    let (_, old) = pinned(&suite, "key-list");
    for hole in [Hole::ListScope, Hole::ListFilter] {
        let options = Options::default();
        let fixture = Fixture::with_holes(&[hole]).await;
        let swept = fixture.sweep(&suite, "key-list", &options).await;
        let new = &swept.records["key-list"];
        let shows_more = new.iter().filter(|(target, actor, cell)| {
            let before = old.cell_at(target, actor).unwrap();
            !listed(new, cell).is_subset(&listed(&old, before))
        });
        assert!(shows_more.count() > 10, "{hole}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_open_gate_is_one_changed_line_per_affected_cell() {
    let suite = suite();
    let (old, before) = pinned(&suite, "key-regenerate");
    let fixture = Fixture::with_holes(&[Hole::RegenerateTeamMembership]).await;
    let record = &fixture
        .sweep(&suite, "key-regenerate", &Options::default())
        .await
        .records["key-regenerate"];
    let comparison = compare(Some(&old), &record.to_yaml().unwrap());
    let cells = comparison.cells();
    let Comparison::Changed { diff, .. } = comparison else {
        panic!("no drift")
    };

    let flipped = record
        .iter()
        .filter(|(target, actor, cell)| before.cell_at(target, actor) != Some(*cell));
    assert_eq!(cells.len(), flipped.count());
    let is_cell = |line: &&str| line.contains("{denied: ") || line.contains("{allowed: ");
    let added = diff
        .lines()
        .filter(|line| line.starts_with('+'))
        .filter(is_cell)
        .count();
    let removed = diff
        .lines()
        .filter(|line| line.starts_with('-'))
        .filter(is_cell)
        .count();
    assert_eq!((removed, added), (cells.len(), cells.len()), "{diff}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_write_on_a_denied_call_is_in_the_record() {
    let fixture = Fixture::with_holes(&[Hole::SilentWriteOnDeniedUpdate]).await;
    let swept = fixture
        .sweep(&suite(), "key-update-models", &Options::default())
        .await;
    let record = &swept.records["key-update-models"];
    let cell = record.cell_at("owner's key", "internal_user").unwrap();
    assert_eq!(cell.status(), Some(403));
    assert!(cell.wrote());
    let finding =
        "denied-but-wrote: on `owner's key`, internal_user was denied (403), and rows changed";
    assert!(
        record.findings.iter().any(|one| one.to_string() == finding),
        "{:#?}",
        record.findings
    );
}
