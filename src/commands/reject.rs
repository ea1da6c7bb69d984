//! `authz-pin reject`: what differs goes, and the snapshots stay as they are.

use clap::Args;

use super::arguments::PendingArgs;
use super::{Context, Failure, written};
use crate::exit::Exit;

/// What the help of `reject` ends with.
pub const EXAMPLES: &str = "\
Examples:
  Reject all that waits:
    authz-pin reject
  Reject it for some endpoints only:
    authz-pin reject --filter 'key-update-*'";

/// Arguments of `reject`.
#[derive(Debug, Clone, Args)]
pub struct RejectArgs {
    #[command(flatten)]
    pending: PendingArgs,
}

/// Removes what waits for review.
pub fn run(args: &RejectArgs, context: &mut Context<'_>) -> Result<Exit, Failure> {
    for one in args.pending.load()? {
        one.snapshot.settle()?;
        let file = one.snapshot.pending();
        written(writeln!(context.out, "rejected {}", file.display()))?;
    }
    Ok(Exit::AsPinned)
}
