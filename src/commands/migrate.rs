//! `authz-pin migrate`: records of an older format, written in the one of this version.

use std::path::{Path, PathBuf};

use authz_pin_record::text::counted;
use authz_pin_suite::snapshot::{self, Migration, Snapshot};
use clap::Args;

use super::arguments::load;
use super::{Context, Failure, not_a_record, written};
use crate::exit::Exit;

/// What the help of `migrate` ends with.
pub const EXAMPLES: &str = "\
What was accepted says the same afterwards, and keeps its header with all reasons. What waits for
review is rewritten as well. Files that hold no record stay as they are, and nothing is written if
one of the records cannot be read.

Examples:
  Rewrite the snapshots of the suite:
    authz-pin migrate
  Rewrite those of several folders, whatever suite they are of:
    authz-pin migrate --snapshots snapshots --snapshots releases/1.0
  See what would be rewritten:
    authz-pin migrate --dry-run";

/// Arguments of `migrate`.
#[derive(Debug, Clone, Args)]
pub struct MigrateArgs {
    /// The suite's folder [default: this folder, else the one in `suites`, of several the one with a default service]
    #[arg(value_name = "SUITE", conflicts_with = "snapshots")]
    suite: Option<PathBuf>,
    /// A folder of snapshots; can be repeated [default: as `suite.yaml` says]
    #[arg(long, value_name = "FOLDER")]
    snapshots: Vec<PathBuf>,
    /// Say what would be rewritten, and write nothing
    #[arg(long)]
    dry_run: bool,
}

/// Rewrites every record of an older format, once all of them are read.
pub fn run(args: &MigrateArgs, context: &mut Context<'_>) -> Result<Exit, Failure> {
    let mut found = Vec::new();
    for folder in args.folders()? {
        for file in snapshot::all(&folder)?.iter().flat_map(Snapshot::files) {
            found.push((read(&file)?, file));
        }
    }
    let mut counts = Counts::default();
    for (migration, file) in found {
        match migration {
            Migration::Current => counts.current += 1,
            Migration::NoRecord => counts.others += 1,
            Migration::Rewritten(_) if args.dry_run => {
                counts.rewritten += 1;
                written(writeln!(context.out, "would rewrite {}", file.display()))?;
            }
            Migration::Rewritten(text) => {
                snapshot::rewrite(&file, &text)?;
                counts.rewritten += 1;
                written(writeln!(context.out, "rewrote {}", file.display()))?;
            }
        }
    }
    written(writeln!(context.out, "{}", counts.told(args.dry_run)))?;
    Ok(Exit::AsPinned)
}

fn read(file: &Path) -> Result<Migration, Failure> {
    snapshot::migration(file)?.map_err(|error| not_a_record(file, error))
}

impl MigrateArgs {
    fn folders(&self) -> Result<Vec<PathBuf>, Failure> {
        if self.snapshots.is_empty() {
            return Ok(vec![load(self.suite.as_deref())?.snapshots()]);
        }
        if let Some(missing) = self.snapshots.iter().find(|folder| !folder.is_dir()) {
            let message = format!("`{}` is no folder", missing.display());
            return Err(Failure::new(Exit::Usage, message));
        }
        Ok(self.snapshots.clone())
    }
}

/// How many files became what.
#[derive(Default)]
struct Counts {
    rewritten: usize,
    current: usize,
    others: usize,
}

impl Counts {
    fn told(&self, is_dry: bool) -> String {
        let verb = if is_dry { "would rewrite" } else { "rewrote" };
        let rewritten = format!("{verb} {}", counted(self.rewritten, "record"));
        let current =
            (self.current > 0).then(|| format!("{} of this format already", self.current));
        let others = counted(self.others, "file");
        let others = (self.others > 0).then(|| format!("left {others} without a record"));
        let all = [Some(rewritten), current, others];
        all.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}
