//! The text of a file, for pointing at parts of it.

use std::path::PathBuf;

use super::scalar;
use super::tree::{Content, Mark, Node};
use crate::diagnostic::{Diagnostic, Position};

#[derive(Debug, Clone)]
pub(super) struct Source {
    file: PathBuf,
    text: String,
    lines: Vec<String>,
}

impl Source {
    pub(super) fn new(file: PathBuf, text: String) -> Self {
        // Editors on Windows put a byte order mark; it is no part of the document and has no column.
        let text = match text.strip_prefix('\u{feff}') {
            Some(rest) => rest.to_owned(),
            None => text,
        };
        let lines = lines(&text).map(str::to_owned).collect();
        Self { file, text, lines }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn file(&self) -> &PathBuf {
        &self.file
    }

    pub(super) fn error(&self, mark: Mark, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(&self.file, message)
            .at(mark.position)
            .excerpt(self.line(mark.position.line), mark.width)
    }

    /// The user's own spelling of what is at a mark.
    pub(super) fn words(&self, mark: Mark) -> String {
        let line = self.line(mark.position.line);
        let skipped = mark.position.column.saturating_sub(1);
        line.chars().skip(skipped).take(mark.width).collect()
    }

    /// The spelling of a value: `1.10`, not `1.1`. An anchor before it is no part of it.
    pub(super) fn spelling(&self, node: &Node) -> String {
        let words = self.words(node.mark);
        match &node.content {
            Content::Scalar(value) if !value.is_string() => match scalar::resolve(&words) {
                Ok(same) if same == *value => words,
                _ => value.to_string(),
            },
            _ => words,
        }
    }

    fn line(&self, number: usize) -> &str {
        self.lines
            .get(number.saturating_sub(1))
            .map(String::as_str)
            .unwrap_or_default()
    }

    /// The first character that YAML does not allow as itself. A NUL would end the parser's input early.
    pub(super) fn forbidden_character(&self) -> Option<(Mark, char)> {
        self.lines.iter().zip(1..).find_map(|(text, line)| {
            let (character, column) = text
                .chars()
                .zip(1..)
                .find(|(found, _)| is_forbidden(*found))?;
            let position = Position { line, column };
            Some((Mark { position, width: 1 }, character))
        })
    }
}

/// Lines as YAML counts them: LF, CR LF and a lone CR all end one.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split('\n')
        .map(|line| line.strip_suffix('\r').unwrap_or(line))
        .flat_map(|line| line.split('\r'))
}

fn is_forbidden(character: char) -> bool {
    let control = character.is_control() && !matches!(character, '\t' | '\u{85}');
    control || matches!(character, '\u{fffe}' | '\u{ffff}' | '\u{feff}')
}
