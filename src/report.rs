//! The report: what a check found, as one model, and every form of it.
//!
//! A form is a function of the report and nothing else. To add one, write its module and its line in [`FORMS`].

mod findings;
pub mod github;
pub mod groups;
pub mod html;
pub mod human;
mod issue;
pub mod json;
pub mod junit;
pub mod markdown;
pub mod sarif;
#[cfg(test)]
mod tests;

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use authz_pin_record::causes::Cause;
use authz_pin_record::drift::{self, Comparison, Drift, Group};
use authz_pin_record::kinds::Level;
use authz_pin_record::record::Record;
use authz_pin_record::text::counted;
use authz_pin_suite::diagnostic::{list, quoted};
use authz_pin_suite::file;
use authz_pin_suite::snapshot::Reason;
use authz_pin_suite::suite::Place;
use authz_pin_sweep::seen::Seen;
use authz_pin_sweep::sweep::Calls;
use schemars::JsonSchema;
use serde::Serialize;

use crate::orphan::Orphan;
use crate::terminal;

pub use findings::{FailOn, FindingCounts, Findings};

/// Everything that a check found.
#[derive(Debug)]
pub struct Report {
    /// The suite's name.
    pub suite: String,
    /// When the check ended. With the totals this is all that differs between two checks of the same service.
    pub made: SystemTime,
    /// The numbers of the run.
    pub totals: Totals,
    /// What was seen of the service.
    pub seen: Seen,
    /// Why what was seen does not say enough, in words; nothing, if it does.
    pub inconclusive: Vec<String>,
    /// What was found of each endpoint, in the suite's order.
    pub endpoints: Vec<Outcome>,
    /// The findings on which a check fails although they are pinned.
    pub open: Vec<Cause>,
    /// The snapshots that belong to no endpoint of the suite.
    pub orphans: Vec<Orphan>,
}

/// One endpoint's record and how it compares to its snapshot.
#[derive(Debug)]
pub struct Outcome {
    /// The endpoint's name.
    pub name: String,
    /// Where the suite has it; the file is relative to the working directory where it is below it.
    pub place: Place,
    /// The accepted record, where it is another one that can be read. A check of some cells has only these.
    pub before: Option<Record>,
    /// What was observed.
    pub now: Record,
    /// How it differs from the snapshot.
    pub comparison: Comparison,
    /// What the snapshot says of the findings.
    pub findings: Findings,
    /// The reasons of the snapshot that are over.
    pub expired: Vec<Reason>,
    /// How to repeat the call of each cell.
    pub calls: Calls,
}

/// The numbers of a run.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
pub struct Totals {
    /// How many cells were swept.
    pub cells: usize,
    /// How many requests were sent.
    pub requests: usize,
    /// How long the run took, its services' start included.
    pub seconds: f64,
}

impl Totals {
    /// The numbers of a run that took `elapsed`.
    #[must_use]
    pub fn new(cells: usize, requests: usize, elapsed: Duration) -> Self {
        let seconds = (elapsed.as_secs_f64() * 1000.0).round() / 1000.0;
        Self {
            cells,
            requests,
            seconds,
        }
    }
}

impl Report {
    /// How many endpoints are not as pinned.
    #[must_use]
    pub fn differing(&self) -> usize {
        let differs = |outcome: &&Outcome| outcome.comparison != Comparison::Same;
        self.endpoints.iter().filter(differs).count()
    }

    /// Why the service is not as pinned, a reason each; of a service that is there are none.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        let orphans = self.orphans.iter();
        let orphans = orphans.filter(|orphan| orphan.level == Level::Deny).count();
        let expired = self.endpoints.iter().map(|it| it.expired.len()).sum();
        let counts = [
            (self.differing(), "endpoint", " not as pinned"),
            (expired, "reason", " of which the time is over"),
            (self.open.len(), "open finding", ""),
            (orphans, "snapshot", " of no endpoint"),
        ];
        let counts = counts.into_iter().filter(|(count, ..)| *count > 0);
        counts
            .map(|(count, what, how)| format!("{}{how}", counted(count, what)))
            .collect()
    }

    /// How many findings there are, by what the snapshots say of them.
    #[must_use]
    pub fn findings(&self) -> FindingCounts {
        FindingCounts::of(self.endpoints.iter().map(|outcome| &outcome.findings))
    }

    /// What differs, put together where it differs in the same way, worst first.
    #[must_use]
    pub fn groups(&self) -> Vec<Group> {
        let drifts = |outcome: &'_ Outcome| outcome.drifts().to_vec();
        let endpoints = self.endpoints.iter();
        drift::group(endpoints.map(|outcome| (outcome.name.as_str(), drifts(outcome))))
    }
}

impl Outcome {
    /// The method and the path.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.now.endpoint
    }

    /// What differs, put together where it differs in the same way and cell by cell: a cell's fields stay together.
    fn groups(&self) -> Vec<Group> {
        let drifts = self.drifts().iter();
        let whole = drifts.map(|drift| Drift {
            parts: Vec::new(),
            ..drift.clone()
        });
        drift::group([(self.name.as_str(), whole.collect())])
    }

    /// What the differences mean, worst first.
    #[must_use]
    pub fn drifts(&self) -> &[Drift] {
        match &self.comparison {
            Comparison::Changed { drifts, .. } => drifts,
            Comparison::Same | Comparison::New => &[],
        }
    }

    /// How to repeat the call of a cell.
    #[must_use]
    pub fn call(&self, target: &str, actor: &str) -> Option<&str> {
        self.calls.get(target)?.get(actor).map(String::as_str)
    }
}

/// A form of the report.
pub type Form = fn(&mut dyn Write, &Report) -> io::Result<()>;

/// The forms that a file can have, by name.
pub const FORMS: &[(&str, Form)] = &[
    (COMMANDS, github::write),
    ("html", html::write),
    ("json", json::write),
    ("junit", junit::write),
    ("markdown", markdown::write),
    ("sarif", sarif::write),
];

/// The form that is made of commands to whatever reads the log.
const COMMANDS: &str = "github";

/// Where a report is written to, and in which form.
#[derive(Debug, Clone)]
pub struct Destination {
    form: Form,
    is_commands: bool,
    to: To,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum To {
    Stdout,
    File(PathBuf),
}

impl std::str::FromStr for Destination {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = list(FORMS.iter().map(|(name, _)| *name));
        let parts = text.split_once('=');
        let (name, file) =
            parts.ok_or_else(|| format!("expected FORMAT=FILE, with a FORMAT of {known}"))?;
        let form = FORMS.iter().find(|(form, _)| *form == name);
        let (_, form) = form.ok_or_else(|| {
            let name = quoted(name);
            format!("{name} is not a form of a report, known: {known}")
        })?;
        let to = match file {
            "" => return Err("expected a file after `=`".to_owned()),
            "-" => To::Stdout,
            file => To::File(file.into()),
        };
        Ok(Self {
            form: *form,
            is_commands: name == COMMANDS,
            to,
        })
    }
}

impl Destination {
    /// Whether the report goes to standard output.
    #[must_use]
    pub fn is_stdout(&self) -> bool {
        self.to == To::Stdout
    }

    /// Writes the report, to `stdout` or to the file. Whoever opens the file meanwhile sees what was there before.
    pub fn write(&self, report: &Report, stdout: &mut dyn Write) -> io::Result<()> {
        match &self.to {
            To::Stdout if self.is_commands => {
                stdout.flush()?;
                (self.form)(&mut terminal::commands(), report)
            }
            To::Stdout => (self.form)(stdout, report),
            To::File(file) => file::write(file, |file| {
                let mut out = BufWriter::new(file);
                (self.form)(&mut out, report)?;
                out.flush()
            }),
        }
    }
}

impl std::fmt::Display for Destination {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.to {
            To::Stdout => out.write_str("-"),
            To::File(file) => write!(out, "{}", file.display()),
        }
    }
}
