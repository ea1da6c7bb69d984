//! `authz-pin sensitivity`: what the records of a suite could not show.

use std::path::PathBuf;

use authz_pin_record::record::Record;
use authz_pin_suite::diagnostic::{Diagnostics, nearest, quoted};
use authz_pin_suite::snapshot::{self, Snapshot};
use authz_pin_suite::suite::{Endpoint, Suite};
use authz_pin_suite::yaml::{Document, NodePath};
use clap::Args;

use super::arguments::{Format, SnapshotArgs, load};
use super::{Context, Failure, not_a_record, to_its_end};
use crate::exit::Exit;
use crate::sensitivity::{self, Pinned, Sensitivity};
use crate::share;

/// What the help of `sensitivity` ends with.
pub const EXAMPLES: &str = "\
What is left on purpose is explained in suite.yaml, by its name in the list:
  sensitivity:
    explained:
      - { what: \"actors editor ~ reviewer\", because: both have the same role }

Examples:
  See what a change of the service could do that no cell would show:
    authz-pin sensitivity
  Fail a build whose suite leaves something open:
    authz-pin sensitivity --fail-under 100";

/// Arguments of `sensitivity`.
#[derive(Debug, Clone, Args)]
pub struct SensitivityArgs {
    /// The suite's folder [default: this folder, else the one in `suites`, of several the one with a default service]
    #[arg(value_name = "SUITE")]
    suite: Option<PathBuf>,
    /// Fail if less than this part of the questions that are not explained is noticed
    #[arg(long, value_name = "PERCENT", value_parser = share::percent)]
    fail_under: Option<f64>,
    /// The form of the result
    #[arg(long, value_enum, default_value_t, help_heading = "Output")]
    format: Format,
    #[command(flatten)]
    snapshots: SnapshotArgs,
}

/// Asks the snapshots of a suite what they would show. Nothing is called.
pub fn run(args: &SensitivityArgs, context: &mut Context<'_>) -> Result<Exit, Failure> {
    let mut suite = load(args.suite.as_deref())?;
    args.snapshots.apply(&mut suite)?;
    snapshot::admit(&suite.snapshots())?;
    let pinned = pinned(&suite)?;
    let sensitivity = Sensitivity::of(&pinned, &suite.file.sensitivity.explained);
    // What is explained is what the suite's own snapshots leave open; others can leave less.
    if args.snapshots.snapshots.is_none() && !sensitivity.idle.is_empty() {
        return Err(idle(&suite, &sensitivity).into());
    }
    to_its_end(match args.format {
        Format::Human => sensitivity::human(context.out, &sensitivity),
        Format::Json => sensitivity::json(context.out, &suite.file.name, &sensitivity),
    })?;
    let share = sensitivity.totals().share();
    let is_under = |percent| share.is_under(percent);
    Ok(if args.fail_under.is_some_and(is_under) {
        Exit::Drift
    } else {
        Exit::AsPinned
    })
}

/// The records of all endpoints. One that is missing could answer questions that would seem open.
fn pinned(suite: &Suite) -> Result<Vec<Pinned>, Failure> {
    let folder = suite.snapshots();
    let read = |endpoint: &Endpoint| {
        let snapshot = Snapshot::new(&folder, &endpoint.name);
        let record = snapshot.read()?.ok_or_else(|| no_record(&endpoint.name))?;
        Ok(Pinned {
            endpoint: endpoint.name.clone(),
            record: Record::parse(&record).map_err(|error| not_a_record(snapshot.file(), error))?,
        })
    };
    suite.endpoints.iter().map(read).collect()
}

fn no_record(endpoint: &str) -> Failure {
    let message = format!("the endpoint {} has no snapshot", quoted(endpoint));
    Failure::new(Exit::Drift, message).help("`authz-pin record` writes it")
}

/// An explanation of what is not open hides that the records have come to show it, or that it is misspelt.
fn idle(suite: &Suite, sensitivity: &Sensitivity) -> Diagnostics {
    let document = match Document::read(&suite.folder.join("suite.yaml")) {
        Ok(document) => document,
        Err(mistakes) => return mistakes,
    };
    let explanations = NodePath::from(["sensitivity", "explained"]);
    let mistake = |number: &usize| {
        let what = suite.file.sensitivity.explained.get(*number);
        let what = what.map_or("", |explanation| &explanation.what);
        let meant = nearest(what, sensitivity.open().map(|gap| gap.what.as_str()));
        let help = meant.map_or_else(
            || "take it out, or name what `authz-pin sensitivity` lists as open".to_owned(),
            |meant| format!("did you mean {}?", quoted(meant)),
        );
        let path = explanations.join(*number).join("what");
        let message = "nothing that the records leave open is called that";
        document.error_at(&path, message).help(help)
    };
    sensitivity.idle.iter().map(mistake).collect()
}
