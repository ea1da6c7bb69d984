//! `authz-pin explain`: what a kind of drift means.

use clap::Args;

use super::{Context, Failure};
use crate::diagnostic::did_you_mean;
use crate::drift::{Entry, table};
use crate::exit::Exit;
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

/// Explains one kind of drift, or lists them all, worst first.
pub fn run(args: &ExplainArgs, context: &mut Context<'_>) -> Result<Exit, Failure> {
    let Some(id) = &args.id else {
        for entry in table() {
            writeln!(context.out, "{:20} {}", entry.id.id(), entry.title)?;
        }
        return Ok(Exit::AsPinned);
    };
    let entry = find(id)?;
    writeln!(
        context.out,
        "{}: {}\n\n{}",
        styled(HEADING, id),
        entry.title,
        entry.explanation.trim_end()
    )?;
    Ok(Exit::AsPinned)
}

fn find(id: &str) -> Result<&'static Entry, Failure> {
    table()
        .iter()
        .find(|entry| entry.id.id() == id)
        .ok_or_else(|| {
            let known: Vec<String> = table().iter().map(|entry| entry.id.id()).collect();
            let help = did_you_mean(id, known.iter().map(String::as_str)).unwrap_or_default();
            Failure::new(Exit::Usage, format!("unknown kind `{id}`")).help(help)
        })
}
