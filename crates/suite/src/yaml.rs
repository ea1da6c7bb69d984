//! The one owner of YAML: what people write is read with every mistake reported at its place, what the tool
//! writes is written and read back plainly.
//!
//! `serde` alone decides whether a document is valid. The schema of the type is only used to *explain* a
//! refusal: all mistakes at once, in the words of the file.

mod build;
mod explain;
mod path;
mod scalar;
mod source;
#[cfg(test)]
mod tests;
mod tree;
mod write;

use std::path::Path;

use schemars::{JsonSchema, schema_for};
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_path_to_error::{Path as SerdePath, Segment};

pub use path::{NodePath, Step};
pub use serde_yaml::Error;
pub use write::{block, comment, inline};

use crate::diagnostic::{Diagnostic, Diagnostics, Position};
use source::Source;
use tree::{Mark, Node};

/// Whose rules a document follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dialect {
    /// Those of a suite: what is unusual is a mistake.
    Ours,
    /// Those of others: what is unusual is read as it is meant.
    Foreign,
}

/// A parsed file that still knows where everything in it stands.
#[derive(Debug, Clone)]
pub struct Document {
    source: Source,
    root: Node,
    value: Value,
}

impl Document {
    /// Reads and parses a file.
    pub fn read(file: &Path) -> Result<Self, Diagnostics> {
        let text = std::fs::read_to_string(file)
            .map_err(|error| Diagnostic::new(file, format!("cannot read the file: {error}")))?;
        Self::parse(file, text)
    }

    /// Parses the text of a file; `file` only names it.
    ///
    /// Plain scalars mean what the YAML 1.2 core schema says. Aliases are replaced by copies of what they stand
    /// for. Refused, never dropped: duplicate keys, keys that are no texts, merge keys, tags, numbers that are
    /// not finite, a second document.
    pub fn parse(file: &Path, text: String) -> Result<Self, Diagnostics> {
        Self::parse_as(Dialect::Ours, file, text)
    }

    /// Parses a document that was not written for this tool: tags are left out, keys that are numbers are texts, and
    /// so are numbers that are too large.
    pub fn parse_foreign(file: &Path, text: String) -> Result<Self, Diagnostics> {
        Self::parse_as(Dialect::Foreign, file, text)
    }

    fn parse_as(dialect: Dialect, file: &Path, text: String) -> Result<Self, Diagnostics> {
        let source = Source::new(file.to_owned(), text);
        let root = build::tree(&source, dialect)?;
        let value = root.to_value();
        Ok(Self {
            source,
            root,
            value,
        })
    }

    /// The file's path, as it was given.
    #[must_use]
    pub fn file(&self) -> &Path {
        self.source.file()
    }

    /// What the document says.
    #[must_use]
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// The value at `path`.
    #[must_use]
    pub fn get(&self, path: &NodePath) -> Option<&Value> {
        let mut steps = path.steps().iter();
        steps.try_fold(&self.value, |value, step| match step {
            Step::Key(key) => value.get(key),
            Step::Index(index) => value.get(index),
        })
    }

    /// Where a value begins.
    #[must_use]
    pub fn position(&self, path: &NodePath) -> Option<Position> {
        Some(self.walk(path)?.1.mark.position)
    }

    /// Where the key of a value stands.
    #[must_use]
    pub fn key_position(&self, path: &NodePath) -> Option<Position> {
        Some(self.walk(path)?.0?.position)
    }

    /// The document as a `T`, or everything that keeps it from being one.
    pub fn decode<T: DeserializeOwned + JsonSchema>(&self) -> Result<T, Diagnostics> {
        serde_path_to_error::deserialize(&self.value).map_err(|error| {
            let schema = schema_for!(T);
            let explained = explain::mistakes(&self.source, schema.as_value(), &self.root);
            if explained.is_empty() {
                let path = node_path(error.path());
                Diagnostics::from(self.error_at(&path, error.inner().to_string()))
            } else {
                explained
            }
        })
    }

    /// The document as a `T` that has no schema, or the first thing that keeps it from being one.
    pub fn decode_plainly<T: DeserializeOwned>(&self) -> Result<T, Diagnostics> {
        serde_path_to_error::deserialize(&self.value).map_err(|error| {
            let path = node_path(error.path());
            self.error_at(&path, error.inner().to_string()).into()
        })
    }

    /// A mistake in the value at `path`, or in what is nearest to it.
    pub fn error_at(&self, path: &NodePath, message: impl Into<String>) -> Diagnostic {
        let (_, node) = self.nearest(path);
        self.source.error(node.mark, message)
    }

    /// A mistake in the key of the value at `path`; where there is no key, in the value.
    pub fn error_at_key(&self, path: &NodePath, message: impl Into<String>) -> Diagnostic {
        let (key, node) = self.nearest(path);
        self.source.error(key.unwrap_or(node.mark), message)
    }

    fn walk(&self, path: &NodePath) -> Option<(Option<Mark>, &Node)> {
        path.steps()
            .iter()
            .try_fold((None, &self.root), |(_, node), step| node.child(step))
    }

    /// As far down the path as the document goes.
    fn nearest(&self, path: &NodePath) -> (Option<Mark>, &Node) {
        let mut reached = (None, &self.root);
        for step in path.steps() {
            match reached.1.child(step) {
                Some(child) => reached = child,
                None => break,
            }
        }
        reached
    }
}

fn node_path(path: &SerdePath) -> NodePath {
    path.iter()
        .map_while(|segment| match segment {
            Segment::Seq { index } => Some(Step::Index(*index)),
            Segment::Map { key } | Segment::Enum { variant: key } => Some(Step::from(key)),
            Segment::Unknown => None,
        })
        .collect()
}
