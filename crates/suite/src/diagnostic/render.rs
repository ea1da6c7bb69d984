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
    /// Keeps only what is shown: many mistakes in one huge line must not each keep a copy of it.
    pub(super) fn new(line: &str, column: usize, width: usize) -> Self {
        let before = column.saturating_sub(1);
        let long = line.chars().nth(SHOWN).is_some();
        let skipped = if long {
            before.saturating_sub(BEFORE)
        } else {
            0
        };
        let part = line.chars().skip(skipped).take(SHOWN).map(tame);
        let ellipsis = (skipped > 0).then_some('…');
        Self {
            shown: ellipsis.into_iter().chain(part).collect(),
            before: before - skipped + usize::from(ellipsis.is_some()),
            width,
        }
    }

    fn write(&self, out: &mut fmt::Formatter<'_>, at: Position, margin: &str) -> fmt::Result {
        let room = self.shown.chars().count().saturating_sub(self.before);
        let carets = "^".repeat(self.width.min(room).max(1));
        let source = format!("{} | {}", at.line, self.shown);
        let indent = " ".repeat(self.before);
        write!(out, "\n{margin}|\n{}", source.trim_end())?;
        write!(out, "\n{margin}| {indent}{carets}")
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
