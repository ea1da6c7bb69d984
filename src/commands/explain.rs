//! `authz-pin explain`: what a kind of drift or of finding means, or one cell.

mod cell;

use std::io::{self, Write};
use std::path::PathBuf;

use authz_pin_record::every_kind;
use authz_pin_record::kinds::Entry;
use authz_pin_record::{drift, findings};
use authz_pin_suite::diagnostic::did_you_mean;
use clap::{Args, ValueEnum};

use super::arguments::{SnapshotArgs, load};
use super::{Context, Failure, to_its_end};
use crate::exit::Exit;
use crate::terminal::{HEADING, styled};

/// Examples for the help.
pub const EXAMPLES: &str = "\
Examples:
  authz-pin explain
  authz-pin explain wrote-while-denied
  Everything that the suite and its snapshots say of one cell:
    authz-pin explain \"key-info/owner's key/team_admin\"";

/// What the page of all kinds begins with.
const INTRODUCTION: &str = "\
# Kinds of drift and of findings

This page is what `authz-pin explain --format markdown` prints.

Everything that a check finds is of a kind, and every kind has a level: `deny` is to be looked at before anything else,
and accepting such a drift takes a reason; `warn` is to be looked at; `allow` is good to know. `levels` in `suite.yaml`
gives a kind another level.
";

/// Arguments of `explain`.
#[derive(Debug, Clone, Args)]
pub struct ExplainArgs {
    /// A kind, or a cell as ENDPOINT/TARGET/ACTOR; without it all kinds are listed
    #[arg(value_name = "KIND|CELL")]
    id: Option<String>,
    /// The suite's folder, for a cell [default: as for `check`]
    #[arg(value_name = "SUITE")]
    suite: Option<PathBuf>,
    #[command(flatten)]
    snapshots: SnapshotArgs,
    /// The form of the result
    #[arg(long, value_enum, default_value_t)]
    format: ExplainFormat,
}

/// The form of an explanation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum ExplainFormat {
    /// For a person at a terminal
    #[default]
    Human,
    /// For a page, where all kinds are explained
    Markdown,
    /// For a program
    Json,
}

/// Explains one kind, or lists them all.
pub fn run(args: &ExplainArgs, context: &mut Context<'_>) -> Result<Exit, Failure> {
    if let Some(name) = args.id.as_deref().filter(|id| id.contains('/')) {
        return cell(args, name, context);
    }
    let entry = args.id.as_deref().map(find).transpose()?;
    let out = &mut *context.out;
    to_its_end(match (args.format, entry) {
        (ExplainFormat::Human, Some(entry)) => human(out, entry),
        (ExplainFormat::Human, None) => titles(out),
        (ExplainFormat::Markdown, Some(entry)) => markdown(out, entry),
        (ExplainFormat::Markdown, None) => page(out),
        (ExplainFormat::Json, Some(entry)) => writeln!(out, "{}", serde_json::json!(entry)),
        (ExplainFormat::Json, None) => {
            let all: Vec<&Entry> = every_kind().collect();
            writeln!(out, "{}", serde_json::json!(all))
        }
    })?;
    Ok(Exit::AsPinned)
}

fn cell(args: &ExplainArgs, name: &str, context: &mut Context<'_>) -> Result<Exit, Failure> {
    if args.format == ExplainFormat::Markdown {
        let failure = Failure::new(Exit::Usage, "a cell is not explained as Markdown");
        return Err(failure.help("only kinds are: --format human or --format json"));
    }
    let mut suite = load(args.suite.as_deref())?;
    args.snapshots.apply(&mut suite)?;
    cell::run(&suite, name, args.format == ExplainFormat::Json, context)
}

fn find(id: &str) -> Result<&'static Entry, Failure> {
    every_kind().find(|entry| entry.id == id).ok_or_else(|| {
        let known = every_kind().map(|entry| entry.id.as_str());
        let help = did_you_mean(id, known).unwrap_or_default();
        Failure::new(Exit::Usage, format!("unknown kind `{id}`")).help(help)
    })
}

fn titles(out: &mut dyn Write) -> io::Result<()> {
    every_kind().try_for_each(|entry| writeln!(out, "{:24} {}", entry.id, entry.title))
}

fn human(out: &mut dyn Write, entry: &Entry) -> io::Result<()> {
    writeln!(out, "{}: {}", styled(HEADING, &entry.id), entry.title)?;
    paragraphs(out, entry)?;
    let level = entry.level.as_str();
    writeln!(
        out,
        "\nLevel: {level}, unless `levels` in suite.yaml says otherwise."
    )
}

fn paragraphs(out: &mut dyn Write, entry: &Entry) -> io::Result<()> {
    let mut texts = [&entry.explanation].into_iter().chain(&entry.remedy);
    texts.try_for_each(|text| writeln!(out, "\n{}", text.trim_end()))
}

fn markdown(out: &mut dyn Write, entry: &Entry) -> io::Result<()> {
    writeln!(out, "\n### {}\n", entry.id)?;
    writeln!(out, "**{}**: {}", entry.level.as_str(), entry.title)?;
    paragraphs(out, entry)
}

fn page(out: &mut dyn Write) -> io::Result<()> {
    out.write_all(INTRODUCTION.as_bytes())?;
    let drift = "## Drift\n\nHow a record differs from its snapshot, worst first.";
    let findings = "## Findings\n\nWhat breaks an invariant, worst first.";
    for (heading, table) in [(drift, drift::table()), (findings, findings::table())] {
        writeln!(out, "\n{heading}\n\n| kind | level | |\n|---|---|---|")?;
        for Entry {
            id, level, title, ..
        } in table
        {
            writeln!(out, "| [{id}](#{id}) | {} | {title} |", level.as_str())?;
        }
        table.iter().try_for_each(|entry| markdown(out, entry))?;
    }
    Ok(())
}
