//! Where an endpoint, a request and a credential stand in the suite's files, for whoever points at them.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use indexmap::IndexMap;

use crate::diagnostic::Position;
use crate::yaml::{Document, NodePath};

/// The file of an endpoint, and the lines in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// The file, as the suite's folder was given.
    pub file: PathBuf,
    /// The line of the list of targets, counted from 1.
    pub line: usize,
    /// The line of each target.
    pub targets: IndexMap<String, usize>,
}

impl Place {
    /// Where a document has its targets.
    pub(crate) fn of(document: &Document) -> Self {
        let list = NodePath::from(["targets"]);
        let key = document.key_position(&list);
        let names = document.value().get("targets").and_then(|it| it.as_array());
        let target = |(index, name): (usize, &serde_json::Value)| {
            let position = document.position(&list.join(index))?;
            Some((name.as_str()?.to_owned(), position.line))
        };
        Self {
            file: document.file().to_owned(),
            line: key.map_or(1, |position| position.line),
            targets: names
                .into_iter()
                .flatten()
                .enumerate()
                .filter_map(target)
                .collect(),
        }
    }

    /// The line of a target; of one that is no longer listed, where it was listed.
    #[must_use]
    pub fn line_of(&self, target: Option<&str>) -> usize {
        let line = target.and_then(|target| self.targets.get(target));
        // Lines count from 1, also where nothing is known.
        line.copied().unwrap_or(self.line).max(1)
    }
}

/// A place in one of the suite's files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spot {
    /// The file, as the suite's folder was given.
    pub file: Arc<Path>,
    /// Where in it.
    pub position: Position,
}

impl fmt::Display for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Position { line, column } = self.position;
        write!(f, "{}:{line}:{column}", self.file.display())
    }
}

/// Where the parts of a request or a credential stand; nowhere in one that no file has.
#[derive(Debug, Clone, Default)]
pub struct Parts {
    file: Option<Arc<Path>>,
    /// By the keys on the way to them, with points between.
    positions: IndexMap<String, Position>,
}

impl Parts {
    /// Where what a document has at `path` has each of these, and each entry of those that are maps.
    pub(crate) fn of(document: &Document, path: &NodePath, parts: &[&str]) -> Self {
        let mut found = Self {
            file: Some(document.file().into()),
            positions: IndexMap::new(),
        };
        for part in parts {
            let at = path.join(*part);
            found.add(document, &at, (*part).to_owned());
            let inner = document.get(&at).and_then(|inner| inner.as_object());
            for key in inner.into_iter().flat_map(|inner| inner.keys()) {
                found.add(document, &at.join(key.as_str()), format!("{part}.{key}"));
            }
        }
        found
    }

    fn add(&mut self, document: &Document, at: &NodePath, name: String) {
        let position = document.key_position(at);
        self.positions
            .extend(position.map(|position| (name, position)));
    }

    /// Where a part stands.
    #[must_use]
    pub fn spot(&self, part: &str) -> Option<Spot> {
        Some(Spot {
            file: Arc::clone(self.file.as_ref()?),
            position: *self.positions.get(part)?,
        })
    }
}

#[cfg(test)]
mod tests {

    use super::*;

    #[test]
    fn a_target_stands_in_its_line_and_an_unknown_one_where_targets_are_listed() {
        let text = "# A comment.\nrequest: {}\ntargets:\n  - own key\n\n  - \"owner's key\"\n";
        let document = Document::parse(Path::new("endpoints/x.yaml"), text.to_owned()).unwrap();
        let place = Place::of(&document);
        let lines = [Some("own key"), Some("owner's key"), Some("gone"), None];
        assert_eq!(lines.map(|target| place.line_of(target)), [4, 6, 3, 3]);
        assert_eq!(Place::default().line_of(None), 1);
    }
}
