//! `authz-pin diff`: the classified drift between two snapshot files or folders.

use crate::report::groups::{self, Shown};
use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use authz_pin_record::drift::{self, Comparison, Drift, Group};
use authz_pin_record::record::{ReadError, Record, format1};
use authz_pin_suite::snapshot;
use clap::{Args, ValueEnum};
use serde::Serialize;

use super::{Context, Failure, not_a_record, written};
use crate::exit::Exit;
use crate::terminal::{self, HEADING, styled};

/// Examples for the help.
pub const EXAMPLES: &str = "\
Examples:
  authz-pin diff old.snap new.snap
  authz-pin diff releases/1.83.0 releases/1.84.0 releases/1.85.1 --format markdown
  INSTA_DIFF_TOOL='authz-pin diff --color always' cargo insta review";

/// Arguments of `diff`.
#[derive(Debug, Clone, Args)]
pub struct DiffArgs {
    /// The older snapshot, or a folder of them
    #[arg(value_name = "OLD")]
    old: PathBuf,
    /// The newer one; further ones are each compared with the one before
    #[arg(value_name = "NEW", required = true)]
    new: Vec<PathBuf>,
    /// The form of the result
    #[arg(long, value_enum, default_value_t)]
    format: DiffFormat,
    /// Show every difference, however long
    #[arg(long)]
    all: bool,
}

/// The form of a drift.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum DiffFormat {
    /// For a person at a terminal
    #[default]
    Human,
    /// For a program
    Json,
    /// For a page or a comment
    Markdown,
}

/// One step from an older to a newer snapshot or folder.
#[derive(Serialize)]
struct Step {
    old: PathBuf,
    new: PathBuf,
    drift: Vec<Group>,
}

impl Step {
    fn write(
        &self,
        format: DiffFormat,
        (is_headed, shown): (bool, Shown),
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let heading = format!("{} -> {}", name(&self.old), name(&self.new));
        if format == DiffFormat::Markdown {
            if is_headed {
                writeln!(out, "## {heading}\n")?;
            }
            return groups::markdown(out, &self.drift);
        }
        if is_headed {
            writeln!(out, "{}", styled(HEADING, &heading))?;
        }
        if self.drift.is_empty() {
            return writeln!(out, "no drift");
        }
        groups::human(out, &self.drift, shown)?;
        if shown.all {
            return Ok(());
        }
        groups::counts(out, &self.drift)
    }
}

/// Compares snapshots, or folders by the names of their snapshots, each with the one before.
pub fn run(args: &DiffArgs, context: &mut Context<'_>) -> Result<Exit, Failure> {
    if let Some(diff) = of_others(args)? {
        written(terminal::write_diff(context.out, &diff))?;
        return Ok(Exit::Drift);
    }
    // In insta's review somebody decides, who sees everything.
    let all = args.all || std::env::var_os(DIFF_TOOL).is_some();
    let width = context.width;
    let shown = Shown { all, width };
    let olds = std::iter::once(&args.old).chain(&args.new);
    let step = |(old, new): (&PathBuf, &PathBuf)| {
        let drift = groups(old, new)?;
        Ok(Step {
            old: old.clone(),
            new: new.clone(),
            drift,
        })
    };
    let steps = olds
        .zip(&args.new)
        .map(step)
        .collect::<Result<Vec<_>, Failure>>()?;
    if args.format == DiffFormat::Json {
        written(writeln!(context.out, "{}", serde_json::json!(steps)))?;
    } else {
        for step in &steps {
            let how = (steps.len() > 1, shown);
            written(step.write(args.format, how, context.out))?;
        }
    }
    let drifted = steps.iter().any(|step| !step.drift.is_empty());
    Ok(if drifted { Exit::Drift } else { Exit::AsPinned })
}

/// What insta calls its external diff tool by.
const DIFF_TOOL: &str = "INSTA_DIFF_TOOL";

/// In insta's review, the lines that differ between snapshots that are no records: it hands over every snapshot of a
/// project, and would have shown these itself.
fn of_others(args: &DiffArgs) -> Result<Option<String>, Failure> {
    let ([new], Some(_)) = (args.new.as_slice(), std::env::var_os(DIFF_TOOL)) else {
        return Ok(None);
    };
    if args.old.is_dir() || new.is_dir() {
        return Ok(None);
    }
    let is_record = |text: &str| text.trim().is_empty() || Record::parse(text).is_ok();
    let [old, new] = [snapshot::read_any(&args.old)?, snapshot::read_any(new)?];
    match drift::compare(Some(&old), &new) {
        Comparison::Changed { diff, .. } if !is_record(&old) || !is_record(&new) => Ok(Some(diff)),
        _ => Ok(None),
    }
}

fn name(path: &Path) -> String {
    path.file_name()
        .unwrap_or(path.as_os_str())
        .to_string_lossy()
        .into_owned()
}

/// The drift between two snapshots or folders, grouped. A snapshot that only one folder has is an endpoint whose cells
/// were all added or removed.
pub fn groups(old: &Path, new: &Path) -> Result<Vec<Group>, Failure> {
    let names: Vec<Option<String>> = match (old.is_dir(), new.is_dir()) {
        (true, true) => {
            let names = &names_of(old)? | &names_of(new)?;
            names.into_iter().map(Some).collect()
        }
        (false, false) => vec![None],
        _ => {
            return Err(
                Failure::new(Exit::Usage, "one is a folder and the other is not")
                    .help("compare two files or two folders"),
            );
        }
    };
    let mut drifts: Vec<(String, Vec<Drift>)> = Vec::new();
    for name in names {
        let file = |side: &Path| {
            name.as_ref()
                .map_or_else(|| side.to_owned(), |name| side.join(name))
        };
        let [before, after] = [
            record(&file(old), name.is_some())?,
            record(&file(new), name.is_some())?,
        ];
        let endpoint = match &name {
            Some(name) => name.trim_end_matches(".snap").to_owned(),
            None if after.endpoint.is_empty() => before.endpoint.clone(),
            None => after.endpoint.clone(),
        };
        drifts.push((endpoint, drift::between(&before, &after)));
    }
    Ok(drift::group(drifts.iter().map(|(endpoint, drifts)| {
        (endpoint.as_str(), drifts.clone())
    })))
}

/// The names of the accepted snapshots in a folder.
fn names_of(folder: &Path) -> Result<BTreeSet<String>, Failure> {
    let fail = Failure::file("read", folder);
    let entries = fs::read_dir(folder)
        .map_err(fail)?
        .collect::<Result<Vec<_>, _>>()
        .map_err(fail)?;
    let names = entries
        .into_iter()
        .map(|entry| entry.file_name().to_string_lossy().into_owned());
    Ok(names
        .filter(|name| {
            Path::new(name)
                .extension()
                .is_some_and(|ending| ending == "snap")
        })
        .collect())
}

/// The record in a file; in a folder, a file that is not there is a record without cells. So is an empty file, which is
/// what insta hands over for a snapshot that is new.
fn record(file: &Path, may_be_missing: bool) -> Result<Record, Failure> {
    if may_be_missing && !file.exists() {
        return Ok(Record::default());
    }
    let text = snapshot::read_any(file)?;
    if text.trim().is_empty() {
        return Ok(Record::default());
    }
    let record = match Record::parse(&text) {
        // Nothing is written, and before and after a migration can be compared.
        Err(ReadError::Older) => format1::read(&text),
        read => read,
    };
    record.map_err(|error| not_a_record(file, error))
}
