//! The report as one JSON document.

use std::io::{self, Write};

use serde::Serialize;

use super::{Outcome, Report, Totals};
use crate::drift::{Comparison, Drift};
use crate::record::Record;
use crate::sweep::Calls;

#[derive(Serialize)]
struct Document<'a> {
    suite: &'a str,
    #[serde(flatten)]
    totals: Totals,
    endpoints: Vec<Endpoint<'a>>,
}

#[derive(Serialize)]
struct Endpoint<'a> {
    name: &'a str,
    drift: &'static str,
    changed_cells: Vec<String>,
    drifts: &'a [Drift],
    record: &'a Record,
    /// The accepted record, where it is another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<&'a Record>,
    /// How to repeat the calls of the cells that changed.
    #[serde(skip_serializing_if = "Calls::is_empty")]
    calls: Calls,
}

impl<'a> Endpoint<'a> {
    fn of(outcome: &'a Outcome) -> Self {
        Self {
            name: &outcome.name,
            drift: match &outcome.comparison {
                Comparison::Same => "none",
                Comparison::New => "new",
                Comparison::Changed { .. } => "changed",
            },
            changed_cells: outcome.comparison.cells(),
            drifts: outcome.drifts(),
            record: &outcome.now,
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
        endpoints: report.endpoints.iter().map(Endpoint::of).collect(),
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)
}
