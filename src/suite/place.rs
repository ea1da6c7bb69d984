//! Where an endpoint stands in the suite's files, for whoever points at it.

use std::path::PathBuf;

use indexmap::IndexMap;

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
    pub(super) fn of(document: &Document) -> Self {
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

#[cfg(test)]
mod tests {
    use std::path::Path;

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
