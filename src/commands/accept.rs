//! `authz-pin accept`: what differs becomes the snapshot, without a review.

use clap::Args;

use super::arguments::PendingArgs;
use super::reason::ReasonArgs;
use super::{Context, Failure, written};
use crate::exit::Exit;
use crate::review::Pending;

/// What the help of `accept` ends with.
pub const EXAMPLES: &str = "\
A widening is every drift that weighs `deny`, as the tool or the suite says, every new finding of
that level, and what cannot be classified. Why it was accepted is kept in the snapshot's header, and
is never compared.

Examples:
  Accept all that waits:
    authz-pin accept
  Accept what opens a gate that was meant to open:
    authz-pin accept --filter key-info --reason 'org admins see the keys of their teams (#412)'";

/// Arguments of `accept`.
#[derive(Debug, Clone, Args)]
pub struct AcceptArgs {
    #[command(flatten)]
    reason: ReasonArgs,
    #[command(flatten)]
    pending: PendingArgs,
}

/// Accepts the snapshots that wait for review: all, or none if one of them takes a reason that was not given.
pub fn run(args: &AcceptArgs, context: &mut Context<'_>) -> Result<Exit, Failure> {
    let pending = args.pending.load()?;
    let said = args.reason.said();
    if said.is_none() {
        nothing_asks(&pending)?;
    }
    for one in &pending {
        let former = one.snapshot.former_files();
        one.accept(said.as_ref())?;
        let file = one.snapshot.file().display();
        written(writeln!(context.out, "accepted {file}"))?;
        for file in former {
            written(writeln!(context.out, "removed {}", file.display()))?;
        }
    }
    Ok(Exit::AsPinned)
}

fn nothing_asks(pending: &[Pending]) -> Result<(), Failure> {
    let asks = pending.iter().flat_map(|one| {
        let name = one.snapshot.name();
        let line = move |what: String| format!("\n  {name}: {what}");
        one.asks().into_iter().map(line)
    });
    let asks: String = asks.collect();
    if asks.is_empty() {
        return Ok(());
    }
    let message = format!("what weighs `deny` takes a reason, and nothing was accepted:{asks}");
    Err(Failure::new(Exit::Usage, message)
        .help("say why with --reason TEXT, or leave these endpoints out with --filter"))
}
