//! How a mistake looks on a terminal.

use std::collections::BTreeSet;
use std::fmt;

use super::{Diagnostic, Diagnostics, Excerpt, Position};

/// The most characters of a line that are shown: a minified file must not flood the terminal.
const SHOWN: usize = 120;
/// How much of a long line is shown before the mistake.
const BEFORE: usize = 60;

impl fmt::Display for Diagnostic {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let gutter = self.position.map_or(0, |at| at.line.to_string().len());
        let margin = " ".repeat(gutter + 1);
        write!(
            out,
            "error: {}\n{margin}--> {}",
            self.message,
            self.file.display()
        )?;
        if let Some(at) = self.position {
            write!(out, ":{}:{}", at.line, at.column)?;
            if let Some(excerpt) = &self.excerpt {
                excerpt.write(out, at, &margin)?;
            }
        }
        match &self.help {
            Some(help) => write!(out, "\n{margin}= help: {help}"),
            None => Ok(()),
        }
    }
}

impl Excerpt {
    fn write(&self, out: &mut fmt::Formatter<'_>, at: Position, margin: &str) -> fmt::Result {
        let (shown, before) = self.window(at.column);
        let room = shown.chars().count().saturating_sub(before);
        let carets = "^".repeat(self.width.min(room).max(1));
        let indent = " ".repeat(before);
        let line = at.line;
        write!(
            out,
            "\n{margin}|\n{line} | {shown}\n{margin}| {indent}{carets}"
        )
    }

    /// The part of the line that is shown and how many characters of it stand before the mistake.
    fn window(&self, column: usize) -> (String, usize) {
        let before = column.saturating_sub(1);
        if self.line.chars().count() <= SHOWN {
            return (self.line.trim_end().chars().map(tame).collect(), before);
        }
        let skipped = before.saturating_sub(BEFORE);
        let part = self.line.chars().skip(skipped).take(SHOWN).map(tame);
        if skipped == 0 {
            (part.collect(), before)
        } else {
            (
                std::iter::once('…').chain(part).collect(),
                before - skipped + 1,
            )
        }
    }
}

/// A tab would break the alignment of the carets, any other control character could drive the terminal.
fn tame(character: char) -> char {
    match character {
        '\t' => ' ',
        other if other.is_control() => char::REPLACEMENT_CHARACTER,
        other => other,
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sorted = self.sorted();
        for diagnostic in &sorted {
            write!(out, "{diagnostic}\n\n")?;
        }
        write!(out, "{}", summary(&sorted))
    }
}

impl Diagnostics {
    /// By file, then by position. What an alias repeats is one mistake: equal ones are shown once.
    fn sorted(&self) -> Vec<&Diagnostic> {
        let mut sorted: Vec<_> = self.iter().collect();
        sorted.sort_by_key(|diagnostic| (&diagnostic.file, diagnostic.position));
        sorted.dedup();
        sorted
    }
}

fn summary(sorted: &[&Diagnostic]) -> String {
    let files: BTreeSet<_> = sorted.iter().map(|diagnostic| &diagnostic.file).collect();
    match (sorted.len(), files.len()) {
        (1, _) => "1 error".to_owned(),
        (errors, 0 | 1) => format!("{errors} errors"),
        (errors, files) => format!("{errors} errors in {files} files"),
    }
}
