//! The run: each replay in turn, then the proof that everything is green without them.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use authz_pin_suite::diagnostic::Diagnostics;
use authz_pin_suite::snapshot::SnapshotError;
use thiserror::Error;

use crate::check::{build, check};
use crate::page;
use crate::table::{self, Table};
use crate::tree::Tree;

/// What a run is to do.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Only these replays; all, if there are none.
    pub only: Vec<String>,
    /// Pin what is seen instead of comparing it.
    pub bless: bool,
    /// Write the page, and replay nothing.
    pub page: bool,
}

/// Why something could not be done.
#[derive(Debug, Error)]
pub enum Failure {
    /// The table or the suite is not valid.
    #[error("{0}")]
    Invalid(#[from] Diagnostics),
    /// An id that the table does not have.
    #[error("there is no replay `{0}`\nhelp: the replays are: {1}")]
    Unknown(String, String),
    /// The patch is not for this HEAD.
    #[error(
        "the patch `{}` no longer applies to HEAD\n{reason}\nhelp: bring the old behaviour back by hand and write the \
         patch anew with `git diff`", file.display()
    )]
    Patch {
        /// The patch, below the project's root.
        file: PathBuf,
        /// What git says.
        reason: String,
    },
    /// Another run is going on.
    #[error("another replay of this project is running")]
    Busy,
    /// Git refuses.
    #[error("git: {0}")]
    Git(String),
    /// What does not compile.
    #[error("the build failed\n{0}")]
    Build(String),
    /// A check that neither passed nor drifted.
    #[error("the check failed\n{0}")]
    Check(String),
    /// A snapshot that cannot be read.
    #[error("{0}")]
    Snapshot(#[from] SnapshotError),
    /// A file, a folder or a program.
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// What came of one replay.
#[derive(Debug)]
pub enum Verdict {
    /// Without a patch no cell flipped.
    Green,
    /// Exactly the pinned cells flipped.
    AsPinned(usize),
    /// What flipped is pinned now.
    Blessed(usize),
    /// Nothing flipped: the suite does not notice.
    Unnoticed,
    /// Other cells flipped than the pinned ones.
    Differs {
        /// Pinned, and not seen.
        missing: Vec<String>,
        /// Seen, and not pinned.
        unexpected: Vec<String>,
    },
    /// It could not be replayed.
    Failed(Failure),
}

impl Verdict {
    fn of(pinned: &[String], seen: &[String]) -> Self {
        if seen.is_empty() {
            return Self::Unnoticed;
        }
        let sets = [pinned, seen].map(|cells| cells.iter().collect::<BTreeSet<_>>());
        let [pinned, seen] = &sets;
        let lacking = |some: &BTreeSet<&String>, other: &BTreeSet<&String>| -> Vec<String> {
            some.difference(other).map(|cell| (*cell).clone()).collect()
        };
        match (lacking(pinned, seen), lacking(seen, pinned)) {
            (missing, unexpected) if missing.is_empty() && unexpected.is_empty() => {
                Self::AsPinned(seen.len())
            }
            (missing, unexpected) => Self::Differs {
                missing,
                unexpected,
            },
        }
    }

    /// Whether it is as it should be.
    #[must_use]
    pub fn is_good(&self) -> bool {
        matches!(self, Self::Green | Self::AsPinned(_) | Self::Blessed(_))
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Green => write!(f, "green"),
            Self::AsPinned(cells) => write!(f, "{} flipped, as pinned", count(*cells)),
            Self::Blessed(cells) => write!(f, "{} flipped, pinned now", count(*cells)),
            Self::Unnoticed => write!(f, "NOT NOTICED: no cell flipped"),
            Self::Differs {
                missing,
                unexpected,
            } => {
                let (missing, unexpected) = (missing.len(), unexpected.len());
                write!(
                    f,
                    "DIFFERS: {missing} pinned and not seen, {unexpected} seen and not pinned"
                )
            }
            Self::Failed(_) => write!(f, "FAILED"),
        }
    }
}

fn count(cells: usize) -> String {
    format!("{cells} cell{}", if cells == 1 { "" } else { "s" })
}

/// One line of the summary.
#[derive(Debug)]
struct Line {
    name: String,
    verdict: Verdict,
    took: Duration,
}

/// Runs the replays of the project at `root`; true if all is as pinned.
pub async fn run(root: &Path, options: &Options, out: &mut dyn Write) -> Result<bool, Failure> {
    if options.page {
        write_page(root)?;
        return Ok(true);
    }
    let start = Instant::now();
    let ids = selected(&Table::read(root)?, &options.only)?;
    let tree = Tree::of_head(root)?;
    writeln!(out, "building HEAD, and checking that it is green")?;
    let mut lines = vec![line("HEAD", green(&tree).await, start)];
    // On a red HEAD nothing that follows would mean anything.
    if lines.iter().all(|line| line.verdict.is_good()) {
        for (index, id) in ids.iter().enumerate() {
            write!(out, "{}/{} {id}: ", index + 1, ids.len())?;
            out.flush()?;
            let begun = Instant::now();
            let verdict = replay(root, &tree, id, options.bless).await;
            let line = line(id, verdict, begun);
            writeln!(out, "{} ({:.1} s)", line.verdict, line.took.as_secs_f64())?;
            details(out, &line.verdict)?;
            lines.push(line);
        }
        let begun = Instant::now();
        writeln!(out, "checking that HEAD is green again")?;
        lines.push(line("HEAD again", green(&tree).await, begun));
    }
    if options.bless {
        write_page(root)?;
    }
    summary(out, &lines, start.elapsed())
}

fn write_page(root: &Path) -> Result<(), Failure> {
    Ok(fs::write(root.join(page::FILE), page::page(root)?)?)
}

fn selected(table: &Table, only: &[String]) -> Result<Vec<String>, Failure> {
    let ids: Vec<String> = table.replays.keys().cloned().collect();
    if let Some(unknown) = only.iter().find(|id| !ids.contains(id)) {
        return Err(Failure::Unknown(unknown.clone(), ids.join(", ")));
    }
    let wanted = |id: &String| only.is_empty() || only.contains(id);
    Ok(ids.into_iter().filter(wanted).collect())
}

fn line(name: &str, verdict: Result<Verdict, Failure>, begun: Instant) -> Line {
    Line {
        name: name.to_owned(),
        verdict: verdict.unwrap_or_else(Verdict::Failed),
        took: begun.elapsed(),
    }
}

/// The tree without any patch: no cell may flip.
async fn green(tree: &Tree) -> Result<Verdict, Failure> {
    tree.restore()?;
    build(tree).await?;
    let unexpected = check(tree).await?;
    if unexpected.is_empty() {
        return Ok(Verdict::Green);
    }
    let missing = Vec::new();
    Ok(Verdict::Differs {
        missing,
        unexpected,
    })
}

async fn replay(root: &Path, tree: &Tree, id: &str, bless: bool) -> Result<Verdict, Failure> {
    tree.restore()?;
    tree.apply(&table::patch(root, id))?;
    build(tree).await?;
    let seen = check(tree).await?;
    if bless && !seen.is_empty() {
        table::write_pins(root, id, &seen)?;
        return Ok(Verdict::Blessed(seen.len()));
    }
    Ok(Verdict::of(&table::read_pins(root, id)?, &seen))
}

fn details(out: &mut dyn Write, verdict: &Verdict) -> io::Result<()> {
    match verdict {
        Verdict::Differs {
            missing,
            unexpected,
        } => {
            let signed = missing.iter().map(|cell| ('-', cell));
            let mut signed = signed.chain(unexpected.iter().map(|cell| ('+', cell)));
            signed.try_for_each(|(sign, cell)| writeln!(out, "  {sign} {cell}"))
        }
        Verdict::Failed(failure) => writeln!(out, "error: {failure}"),
        _ => Ok(()),
    }
}

fn summary(out: &mut dyn Write, lines: &[Line], took: Duration) -> Result<bool, Failure> {
    let width = lines
        .iter()
        .map(|line| line.name.len())
        .max()
        .unwrap_or_default();
    writeln!(out)?;
    for line in lines {
        let (name, seconds) = (&line.name, line.took.as_secs_f64());
        writeln!(out, "{name:width$}  {seconds:6.1} s  {}", line.verdict)?;
    }
    for line in lines.iter().filter(|line| line.name.starts_with("HEAD")) {
        details(out, &line.verdict)?;
    }
    let bad = lines.iter().filter(|line| !line.verdict.is_good()).count();
    let verdict = match bad {
        0 => "all as pinned".to_owned(),
        n => format!("{n} not as pinned"),
    };
    writeln!(out, "\n{verdict}, in {:.0} s", took.as_secs_f64())?;
    Ok(bad == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn exactly_the_pinned_cells_are_as_pinned_in_any_order() {
        let verdict = Verdict::of(&cells(&["a", "b"]), &cells(&["b", "a"]));
        assert!(matches!(verdict, Verdict::AsPinned(2)));
    }

    #[test]
    fn a_replay_that_nobody_notices_is_not_good_even_without_pins() {
        assert!(!Verdict::of(&[], &[]).is_good());
    }

    #[test]
    fn missing_and_unexpected_cells_are_told_apart() {
        let Verdict::Differs {
            missing,
            unexpected,
        } = Verdict::of(&cells(&["a", "b"]), &cells(&["b", "c"]))
        else {
            panic!("as pinned")
        };
        assert_eq!((missing, unexpected), (cells(&["a"]), cells(&["c"])));
    }

    #[test]
    fn an_unknown_replay_is_refused_with_those_there_are() {
        let table = Table { replays: [].into() };
        let failure = selected(&table, &cells(&["x"])).unwrap_err();
        assert!(failure.to_string().starts_with("there is no replay `x`"));
    }

    #[test]
    fn a_patch_that_does_not_apply_is_named() {
        let failure = Failure::Patch {
            file: "replays/x.patch".into(),
            reason: "why".into(),
        };
        assert_eq!(
            failure.to_string(),
            "the patch `replays/x.patch` no longer applies to HEAD\nwhy\nhelp: bring the old behaviour back by hand \
             and write the patch anew with `git diff`"
        );
    }
}
