//! The command line: parse, run, map to an exit code.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use replay::run::{Options, run};

const EXIT_CODES: &str = "\
Exit codes:
  0    every replay flips exactly its pinned cells, and HEAD is green
  1    one does not
  2    nothing could be replayed
  130  interrupted; the temporary worktree is gone";

/// Brings historic authorization bugs back, one at a time, and shows which cells of the suite notice.
///
/// Patches a temporary git worktree of HEAD, builds it and sweeps the suite there; the working tree is never touched.
/// The table, the patches and the pins are those of the working tree, in `replays/`.
#[derive(Parser)]
#[command(name = "replay", max_term_width = 120, after_help = EXIT_CODES)]
struct Cli {
    /// Only this replay; can be given several times
    #[arg(long, value_name = "ID")]
    only: Vec<String>,
    /// Pin what flips, instead of comparing it, and write docs/replays.md
    #[arg(long)]
    bless: bool,
    /// Write docs/replays.md from the table and the pins, and replay nothing
    #[arg(long, conflicts_with_all = ["only", "bless"])]
    page: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let Cli { only, bless, page } = Cli::parse();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let options = Options { only, bless, page };
    let mut out = io::stdout();
    // Whichever ends first: a run that is dropped removes its worktree and kills what it started.
    let outcome = tokio::select! {
        outcome = async { run(&root.canonicalize()?, &options, &mut out).await } => Some(outcome),
        () = authz_pin_sweep::stop::asked() => None,
    };
    match outcome {
        Some(Ok(true)) => ExitCode::SUCCESS,
        Some(Ok(false)) => ExitCode::from(1),
        Some(Err(failure)) => {
            drop(writeln!(io::stderr(), "error: {failure}"));
            ExitCode::from(2)
        }
        None => ExitCode::from(130),
    }
}
