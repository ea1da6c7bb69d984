//! `authz-pin pending-snapshots`: what waits for review.

use std::io::{self, Write};

use clap::Args;
use serde_json::{Value as Json, json};

use super::arguments::{Format, PendingArgs};
use super::{Context, Failure, to_its_end};
use crate::exit::Exit;
use crate::orphan::{Orphan, Orphans, Unreferenced};
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

/// Lists the snapshots that wait for review, a line for each, with the kinds of their drift, then those that belong to no
/// endpoint of the suite, whether anything of them waits or not.
pub fn run(args: &PendingSnapshotsArgs, context: &mut Context<'_>) -> Result<Exit, Failure> {
    let suite = args.pending.suite()?;
    let pending = args.pending.list_of(&suite)?;
    let renamed = pending.iter().filter_map(|one| {
        let former = one.snapshot.former()?;
        Some((one.snapshot.name(), former))
    });
    let orphans = Orphans::of(&suite)?.without(&renamed.collect(), |_| false);
    let orphans = orphans.settle(Unreferenced::Warn)?;
    let is_orphan = |one: &&Pending| {
        let mut orphans = orphans.iter();
        orphans.any(|orphan| orphan.name == one.snapshot.name())
    };
    let pending: Vec<&Pending> = pending.iter().filter(|one| !is_orphan(one)).collect();
    to_its_end(match args.format {
        Format::Human => human(context.out, &pending, &orphans),
        Format::Json => {
            let pending = pending.into_iter().map(object);
            let all: Vec<Json> = pending.chain(orphans.iter().map(orphan)).collect();
            writeln!(context.out, "{}", json!(all))
        }
    })?;
    Ok(Exit::AsPinned)
}

fn human(out: &mut dyn Write, pending: &[&Pending], orphans: &[Orphan]) -> io::Result<()> {
    for one in pending {
        writeln!(out, "{}: {}", one.snapshot.name(), kinds(one))?;
    }
    for orphan in orphans {
        let files = orphan.lines().join(", ");
        writeln!(
            out,
            "{}: belongs to no endpoint of the suite: {files}",
            orphan.name
        )?;
    }
    Ok(())
}

fn orphan(orphan: &Orphan) -> Json {
    json!({
        "name": orphan.name,
        "files": orphan.files,
        "unreferenced": true,
    })
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
        "takes_reason": !pending.asks().is_empty(),
        "unreferenced": false,
        "drift": pending.drift,
    })
}
