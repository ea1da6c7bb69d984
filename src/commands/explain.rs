//! `authz-pin explain`: what a kind of drift or of finding means.

use clap::Args;

use super::{Context, Failure};
use crate::diagnostic::did_you_mean;
use crate::drift::{self, Level};
use crate::exit::Exit;
use crate::findings;
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

/// What is said of a kind, of drift or of findings.
struct Text {
    id: String,
    title: &'static str,
    level: Level,
    paragraphs: Vec<&'static str>,
}

/// Every kind, those of drift first, each group worst first.
fn texts() -> Vec<Text> {
    let drift = drift::table().iter().map(|entry| Text {
        id: entry.id.id(),
        title: &entry.title,
        level: entry.level,
        paragraphs: vec![&entry.explanation],
    });
    let findings = findings::table().iter().map(|entry| Text {
        id: entry.id.id(),
        title: &entry.title,
        level: entry.level,
        paragraphs: vec![&entry.explanation, &entry.remedy],
    });
    drift.chain(findings).collect()
}

/// Explains one kind, or lists them all.
pub fn run(args: &ExplainArgs, context: &mut Context<'_>) -> Result<Exit, Failure> {
    let Some(id) = &args.id else {
        for text in texts() {
            writeln!(context.out, "{:24} {}", text.id, text.title)?;
        }
        return Ok(Exit::AsPinned);
    };
    let text = find(id)?;
    writeln!(context.out, "{}: {}", styled(HEADING, id), text.title)?;
    for paragraph in &text.paragraphs {
        writeln!(context.out, "\n{}", paragraph.trim_end())?;
    }
    let level = text.level.as_str();
    writeln!(
        context.out,
        "\nLevel: {level}, unless `levels` in suite.yaml says otherwise."
    )?;
    Ok(Exit::AsPinned)
}

fn find(id: &str) -> Result<Text, Failure> {
    let found = texts().into_iter().find(|text| text.id == *id);
    found.ok_or_else(|| {
        let known: Vec<String> = texts().into_iter().map(|text| text.id).collect();
        let help = did_you_mean(id, known.iter().map(String::as_str)).unwrap_or_default();
        Failure::new(Exit::Usage, format!("unknown kind `{id}`")).help(help)
    })
}
