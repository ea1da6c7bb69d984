//! `authz-pin explain`: what a kind of drift or of finding means.

use clap::Args;

use super::{Context, Failure};
use crate::diagnostic::did_you_mean;
use crate::exit::Exit;
use crate::kinds::{self, Entry};
use crate::terminal::{HEADING, styled};

/// Examples for the help.
pub const EXAMPLES: &str = "\
Examples:
  authz-pin explain
  authz-pin explain wrote-while-denied";

/// Arguments of `explain`.
#[derive(Debug, Clone, Args)]
pub struct ExplainArgs {
    /// The kind; without it all are listed
    id: Option<String>,
}

/// Explains one kind, or lists them all.
pub fn run(args: &ExplainArgs, context: &mut Context<'_>) -> Result<Exit, Failure> {
    let Some(id) = &args.id else {
        for entry in kinds::all() {
            writeln!(context.out, "{:24} {}", entry.id, entry.title)?;
        }
        return Ok(Exit::AsPinned);
    };
    let entry = find(id)?;
    writeln!(context.out, "{}: {}", styled(HEADING, id), entry.title)?;
    for paragraph in [&entry.explanation].into_iter().chain(&entry.remedy) {
        writeln!(context.out, "\n{}", paragraph.trim_end())?;
    }
    let level = entry.level.as_str();
    writeln!(
        context.out,
        "\nLevel: {level}, unless `levels` in suite.yaml says otherwise."
    )?;
    Ok(Exit::AsPinned)
}

fn find(id: &str) -> Result<&'static Entry, Failure> {
    kinds::all().find(|entry| entry.id == id).ok_or_else(|| {
        let known = kinds::all().map(|entry| entry.id.as_str());
        let help = did_you_mean(id, known).unwrap_or_default();
        Failure::new(Exit::Usage, format!("unknown kind `{id}`")).help(help)
    })
}
