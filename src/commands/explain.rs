//! `authz-pin explain`: what a kind of drift or of finding means.

use std::io::{self, Write};

use clap::{Args, ValueEnum};

use super::{Context, Failure, to_its_end};
use crate::diagnostic::did_you_mean;
use crate::exit::Exit;
use crate::kinds::{self, Entry};
use crate::terminal::{HEADING, styled};
use crate::{drift, findings};

/// Examples for the help.
pub const EXAMPLES: &str = "\
Examples:
  authz-pin explain
  authz-pin explain wrote-while-denied";

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
    /// The kind; without it all are listed
    id: Option<String>,
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
}

/// Explains one kind, or lists them all.
pub fn run(args: &ExplainArgs, context: &mut Context<'_>) -> Result<Exit, Failure> {
    let entry = args.id.as_deref().map(find).transpose()?;
    let out = &mut *context.out;
    to_its_end(match (args.format, entry) {
        (ExplainFormat::Human, Some(entry)) => human(out, entry),
        (ExplainFormat::Human, None) => titles(out),
        (ExplainFormat::Markdown, Some(entry)) => markdown(out, entry),
        (ExplainFormat::Markdown, None) => page(out),
    })?;
    Ok(Exit::AsPinned)
}

fn find(id: &str) -> Result<&'static Entry, Failure> {
    kinds::all().find(|entry| entry.id == id).ok_or_else(|| {
        let known = kinds::all().map(|entry| entry.id.as_str());
        let help = did_you_mean(id, known).unwrap_or_default();
        Failure::new(Exit::Usage, format!("unknown kind `{id}`")).help(help)
    })
}

fn titles(out: &mut dyn Write) -> io::Result<()> {
    kinds::all().try_for_each(|entry| writeln!(out, "{:24} {}", entry.id, entry.title))
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
