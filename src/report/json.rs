//! The report as one JSON document, whose schema is `docs/schemas/report.schema.json`.

use std::io::{self, Write};

use authz_pin_record::causes::Cause;
use authz_pin_record::drift::{Comparison, Drift, Group};
use authz_pin_record::record::Record;
use authz_pin_suite::snapshot::Reason;
use authz_pin_sweep::seen::Seen;
use authz_pin_sweep::sweep::Calls;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde::Serialize;

use super::{FindingCounts, Outcome, Report, Totals};
use crate::orphan::Orphan;

/// What a check found.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "A report of authz-pin")]
struct Document<'a> {
    /// The suite's name.
    suite: &'a str,
    #[serde(flatten)]
    totals: Totals,
    /// What was seen of the service.
    seen: &'a Seen,
    /// Why what was seen does not say enough; nothing, if it does.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    inconclusive: &'a [String],
    /// How many findings there are, by what the snapshots say of them.
    findings: FindingCounts,
    /// What differs, put together where it differs in the same way, whichever endpoint it is of; worst first.
    groups: Vec<Group>,
    /// What was found of each endpoint, in the suite's order.
    endpoints: Vec<Endpoint<'a>>,
    /// The findings on which the check fails although they are pinned (`--fail-on`).
    open_findings: &'a [Cause],
    /// The snapshots that belong to no endpoint of the suite.
    unreferenced: &'a [Orphan],
}

/// One endpoint's record and how it compares to its snapshot.
#[derive(Serialize, JsonSchema)]
struct Endpoint<'a> {
    /// The endpoint's name.
    name: &'a str,
    /// Whether the record differs from the snapshot.
    drift: State,
    /// The cells that differ, as `target/actor`.
    changed_cells: Vec<String>,
    /// What the differences mean, worst first.
    drifts: &'a [Drift],
    /// What was observed.
    record: &'a Record,
    /// The reasons of the snapshot that are over.
    #[serde(skip_serializing_if = "<[Reason]>::is_empty")]
    expired_reasons: &'a [Reason],
    /// The accepted record, where it is another one, under the names that actors and targets have now.
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<&'a Record>,
    /// How to repeat the calls of the cells that changed.
    #[serde(skip_serializing_if = "Calls::is_empty")]
    calls: Calls,
}

/// Whether a record differs from its snapshot.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum State {
    /// It is as pinned.
    None,
    /// It has no snapshot yet.
    New,
    /// It differs.
    Changed,
}

impl<'a> Endpoint<'a> {
    fn of(outcome: &'a Outcome) -> Self {
        Self {
            name: &outcome.name,
            drift: match &outcome.comparison {
                Comparison::Same => State::None,
                Comparison::New => State::New,
                Comparison::Changed { .. } => State::Changed,
            },
            changed_cells: outcome
                .comparison
                .cells()
                .iter()
                .map(ToString::to_string)
                .collect(),
            drifts: outcome.drifts(),
            record: &outcome.now,
            expired_reasons: &outcome.expired,
            before: outcome.before.as_ref(),
            calls: changed_calls(outcome),
        }
    }
}

fn changed_calls(outcome: &Outcome) -> Calls {
    let mut calls = Calls::new();
    for drift in outcome.drifts() {
        let (Some(target), Some(actor)) = (&drift.target, &drift.actor) else {
            continue;
        };
        if let Some(call) = outcome.call(target, actor) {
            let row = calls.entry(target.clone()).or_default();
            row.insert(actor.clone(), call.to_owned());
        }
    }
    calls
}

/// Writes everything as one document.
pub fn write(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    let document = Document {
        suite: &report.suite,
        totals: report.totals,
        seen: &report.seen,
        inconclusive: &report.inconclusive,
        findings: report.findings(),
        groups: report.groups(),
        endpoints: report.endpoints.iter().map(Endpoint::of).collect(),
        open_findings: &report.open,
        unreferenced: &report.orphans,
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)
}

/// The schema of the document.
#[must_use]
pub fn schema() -> Schema {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    settings.into_generator().into_root_schema_for::<Document>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_that_is_published_is_that_of_the_types() {
        let published = include_str!("../../docs/schemas/report.schema.json");
        let schema = serde_json::to_string_pretty(&schema()).unwrap();
        assert!(
            published.trim_end() == schema,
            "cargo run --example report_schema > docs/schemas/report.schema.json"
        );
    }
}
