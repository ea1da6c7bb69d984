//! `authz-pin record`: sweep twice, refuse what is not stable, accept.

use clap::Args;

use super::arguments::{Format, ServiceArgs, SnapshotArgs, SuiteArgs, SweepArgs};
use super::check::{is_whole, print_dry_run, source, sweep_once};
use super::{Context, Failure, all_removed, nothing_left};
use crate::drift::{self, Comparison};
use crate::dry_run::DryRun;
use crate::exit::Exit;
use crate::record::Record;
use crate::snapshot::{Info, Snapshot};

/// What the help of `record` ends with.
pub const EXAMPLES: &str = "\
Examples:
  Accept what the suite's own service does now:
    authz-pin record
  Accept it for some endpoints only:
    authz-pin record --filter 'key-update-*'";

/// Arguments of `record`.
#[derive(Debug, Clone, Args)]
pub struct RecordArgs {
    #[command(flatten)]
    suite: SuiteArgs,
    #[command(flatten)]
    service: ServiceArgs,
    #[command(flatten)]
    sweep: SweepArgs,
    #[command(flatten)]
    snapshots: SnapshotArgs,
    /// Print what would be sent and written, and do neither: nothing is connected to
    #[arg(long, help_heading = "Output")]
    dry_run: bool,
}

/// Sweeps twice, each time with different symbols, and accepts the records if both sweeps gave the same ones.
pub async fn run(args: &RecordArgs, context: &mut Context<'_>) -> Result<Exit, Failure> {
    let mut suite = args.suite.load()?;
    args.snapshots.apply(&mut suite)?;
    let plan = args.suite.plan(&suite, context.err)?;
    if let Some(part) = plan.iter().find(|plan| !is_whole(&suite, plan)) {
        let failure = Failure::new(
            Exit::Usage,
            format!(
                "the filter selects only some cells of `{}`",
                part.endpoint.name
            ),
        );
        return Err(failure.help("a snapshot holds a whole endpoint: filter by endpoints"));
    }
    let given = args.service.resolve(&suite)?;
    if args.dry_run {
        return print_dry_run(
            &DryRun::new(&suite, &plan, &given, 2)?,
            Format::Human,
            context,
        );
    }
    let options = (&args.sweep).into();
    let first = sweep_once(&suite, &plan, &given, &options, context).await?;
    let second = sweep_once(&suite, &plan, &given, &options, context).await?;
    nothing_left(&first.leftovers)?;
    all_removed(&first.left)?;
    nothing_left(&second.leftovers)?;
    all_removed(&second.left)?;
    let mut accepted = Vec::new();
    for (plan, (name, record)) in plan.iter().zip(&first.records) {
        let text = record.to_yaml()?;
        let again = second
            .records
            .get(name)
            .map(Record::to_yaml)
            .transpose()?
            .unwrap_or_default();
        if let Comparison::Changed { diff, .. } = drift::compare(Some(&text), &again) {
            let message = format!("two sweeps of `{name}` differ, nothing was accepted:\n{diff}");
            let help = "add a rule under `texts` or `unstable_columns` of suite.yaml, or raise `service.settle_ms`";
            return Err(Failure::new(Exit::Unstable, message.trim_end()).help(help));
        }
        accepted.push((
            Snapshot::new(&suite.snapshots(), name),
            text,
            Info::new(plan.cells.len()),
        ));
    }
    for (snapshot, text, info) in &accepted {
        snapshot.accept(text, &source(&suite), info)?;
        writeln!(context.out, "accepted {}", snapshot.file().display())?;
    }
    Ok(Exit::AsPinned)
}
