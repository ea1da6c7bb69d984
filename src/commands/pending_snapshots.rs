//! `authz-pin pending-snapshots`: what waits for review.

use clap::Args;
use serde_json::{Value as Json, json};

use super::arguments::{Format, PendingArgs};
use super::{Context, Failure, to_its_end};
use crate::exit::Exit;
use crate::review::Pending;

/// What the help of `pending-snapshots` ends with.
pub const EXAMPLES: &str = "\
Examples:
  See what waits, and of what kind it is:
    authz-pin pending-snapshots
  Read all of it in a program:
    authz-pin pending-snapshots --format json";

/// Arguments of `pending-snapshots`.
#[derive(Debug, Clone, Args)]
pub struct PendingSnapshotsArgs {
    #[command(flatten)]
    pending: PendingArgs,
    /// The form of the result
    #[arg(long, value_enum, default_value_t, help_heading = "Output")]
    format: Format,
}

/// Lists the snapshots that wait for review, a line for each, with the kinds of their drift.
pub fn run(args: &PendingSnapshotsArgs, context: &mut Context<'_>) -> Result<Exit, Failure> {
    let pending = args.pending.list()?;
    to_its_end(match args.format {
        Format::Human => pending
            .iter()
            .try_for_each(|one| writeln!(context.out, "{}: {}", one.snapshot.name(), kinds(one))),
        Format::Json => {
            let pending: Vec<Json> = pending.iter().map(object).collect();
            writeln!(context.out, "{}", json!(pending))
        }
    })?;
    Ok(Exit::AsPinned)
}

/// The kinds of drift, worst first and each once.
fn kinds(pending: &Pending) -> String {
    let Some(drift) = &pending.drift else {
        return "not classified, since it is not a record".to_owned();
    };
    if pending.is_new() {
        return "new".to_owned();
    }
    let mut kinds: Vec<String> = drift.iter().map(|group| group.kind.id()).collect();
    kinds.dedup();
    kinds.join(", ")
}

fn object(pending: &Pending) -> Json {
    json!({
        "name": pending.snapshot.name(),
        "file": pending.snapshot.pending(),
        "new": pending.is_new(),
        "takes_reason": !pending.widenings().is_empty(),
        "drift": pending.drift,
    })
}
