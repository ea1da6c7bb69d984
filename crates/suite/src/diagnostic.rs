//! What is wrong in a file that somebody wrote: the message, the place, the remedy.
//!
//! Nothing here prints: a [`Diagnostic`] renders itself through `Display`, and [`Diagnostics`] is the error
//! type of everything that reports *all* mistakes at once instead of the first one.

mod render;
mod suggest;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

pub use suggest::list;
pub use suggest::{did_you_mean, nearest, quoted};

/// A place in a text file. Both numbers count from 1; the column counts characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The character in the line.
    pub column: usize,
}

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The file that has the mistake.
    pub file: PathBuf,
    /// Where in the file, if the mistake has a place.
    pub position: Option<Position>,
    /// What is wrong: lower case, no full stop, the user's own words in backticks.
    pub message: String,
    /// The remedy.
    pub help: Option<String>,
    excerpt: Option<Excerpt>,
}

/// The line that the position is in, kept because the file may be gone or changed when the mistake is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Excerpt {
    shown: String,
    /// How many characters of `shown` stand before the mistake.
    before: usize,
    width: usize,
}

impl Diagnostic {
    /// A mistake in `file`.
    pub fn new(file: impl Into<PathBuf>, message: impl Into<String>) -> Self {
        Self {
            file: file.into(),
            position: None,
            message: message.into(),
            help: None,
            excerpt: None,
        }
    }

    /// Places the mistake.
    #[must_use]
    pub fn at(mut self, position: Position) -> Self {
        self.position = Some(position);
        self
    }

    /// Adds the remedy.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds the remedy if there is one.
    #[must_use]
    pub fn maybe_help(self, help: Option<String>) -> Self {
        match help {
            Some(help) => self.help(help),
            None => self,
        }
    }

    /// Shows the line that the position is in, with `width` characters from there on underlined.
    #[must_use]
    pub fn excerpt(mut self, line: &str, width: usize) -> Self {
        let column = self.position.map_or(1, |position| position.column);
        self.excerpt = Some(Excerpt::new(line, column, width));
        self
    }
}

/// All mistakes found in one go, over any number of files.
///
/// Collect into it, then `errors.into_result()?`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diagnostics(Vec<Diagnostic>);

impl Diagnostics {
    /// No mistakes so far.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.0.push(diagnostic);
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many mistakes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The mistakes in the order they were found.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.0.iter()
    }

    /// Success if nothing is wrong, else itself as the error.
    pub fn into_result(self) -> Result<(), Self> {
        if self.is_empty() { Ok(()) } else { Err(self) }
    }

    /// Keeps the value of a success; of a failure keeps the mistakes, so that the next file is read all the same.
    pub fn absorb<T>(&mut self, result: Result<T, Self>) -> Option<T> {
        result.map_err(|errors| self.extend(errors)).ok()
    }
}

impl std::error::Error for Diagnostics {}

impl From<Diagnostic> for Diagnostics {
    fn from(diagnostic: Diagnostic) -> Self {
        Self(vec![diagnostic])
    }
}

impl Extend<Diagnostic> for Diagnostics {
    fn extend<I: IntoIterator<Item = Diagnostic>>(&mut self, diagnostics: I) {
        self.0.extend(diagnostics);
    }
}

impl FromIterator<Diagnostic> for Diagnostics {
    fn from_iter<I: IntoIterator<Item = Diagnostic>>(diagnostics: I) -> Self {
        Self(diagnostics.into_iter().collect())
    }
}

impl IntoIterator for Diagnostics {
    type Item = Diagnostic;
    type IntoIter = std::vec::IntoIter<Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
