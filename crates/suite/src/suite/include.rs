//! A world of several files: `world.yaml`, and what it includes, so that suites can share it.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use indexmap::IndexMap;
use serde_json::{Map, Value as Json};

use crate::diagnostic::{Diagnostic, Diagnostics, quoted};
use crate::yaml::{Document, NodePath};

/// The keys whose names are those of all files.
const SECTIONS: [&str; 3] = ["kinds", "entities", "actors"];

/// Where texts of files come from.
type Texts<'t> = &'t dyn Fn(&Path) -> io::Result<String>;

/// The names of all files with what they stand for, by section.
type Merged = IndexMap<&'static str, Map<String, Json>>;

/// The files of a world.
pub(super) struct World {
    /// The suite's own file.
    pub(super) own: Document,
    /// Those that are included, each before the files that include it.
    pub(super) included: Vec<Document>,
    /// What all of them have, by section.
    pub(super) merged: Merged,
}

impl World {
    /// Reads what a suite's own file includes.
    pub(super) fn of(own: Document, texts: Texts<'_>) -> Result<Self, Diagnostics> {
        let mut reader = Reader {
            texts,
            way: vec![resolved(own.file())],
            included: IndexMap::new(),
        };
        reader.includes_of(&own)?;
        let included: Vec<Document> = reader.included.into_values().collect();
        let merged = merged(included.iter().chain([&own]))?;
        Ok(Self {
            own,
            included,
            merged,
        })
    }

    /// The sections that a file on its own has to have, and has not. A misspelt key is one mistake, and not two.
    pub(super) fn lacks(document: &Document) -> impl Iterator<Item = &'static str> {
        let keys = document.value().as_object();
        let known = |key: &String| SECTIONS.contains(&key.as_str());
        let is_alone = keys.is_some_and(|keys| keys.keys().all(known));
        let lacks = move |section: &&str| keys.is_some_and(|keys| !keys.contains_key(*section));
        SECTIONS.into_iter().filter(lacks).filter(move |_| is_alone)
    }

    /// All files in the order in which they count.
    pub(super) fn documents(&self) -> impl Iterator<Item = &Document> {
        self.included.iter().chain([&self.own])
    }
}

struct Reader<'t> {
    texts: Texts<'t>,
    /// The files that are being read, each included by the one before.
    way: Vec<PathBuf>,
    included: IndexMap<PathBuf, Document>,
}

impl Reader<'_> {
    fn includes_of(&mut self, document: &Document) -> Result<(), Diagnostics> {
        let names = document.value().get("include").and_then(Json::as_array);
        let mut mistakes = Diagnostics::new();
        for (index, name) in names.into_iter().flatten().enumerate() {
            // What is no text is told when the file is decoded.
            if let Some(name) = name.as_str() {
                let at = NodePath::from(["include"]).join(index);
                mistakes.absorb(self.include(document, &at, name));
            }
        }
        mistakes.into_result()
    }

    fn include(&mut self, by: &Document, at: &NodePath, name: &str) -> Result<(), Diagnostics> {
        let file = plain(by.file().parent().unwrap_or(Path::new("")).join(name));
        let id = resolved(&file);
        if self.way.contains(&id) {
            let mistake = by.error_at(at, "the file is included by itself");
            return Err(mistake.help("take it out: it is read already").into());
        }
        if self.included.contains_key(&id) {
            return Ok(());
        }
        let text = (self.texts)(&file).map_err(|error| {
            let message = format!("cannot read the included file {}: {error}", quoted(name));
            by.error_at(at, message)
                .help("a path begins at the folder of the file that includes it")
        })?;
        let document = Document::parse(&file, text)?;
        self.way.push(id.clone());
        self.includes_of(&document)?;
        self.way.pop();
        self.included.insert(id, document);
        Ok(())
    }
}

/// One path for one file, so far as it is known.
fn resolved(file: &Path) -> PathBuf {
    fs::canonicalize(file).unwrap_or_else(|_| shortened(file))
}

/// The shorter path, unless a link makes that another file.
fn plain(file: PathBuf) -> PathBuf {
    let short = shortened(&file);
    let is_same = fs::canonicalize(&short).ok() == fs::canonicalize(&file).ok();
    if is_same { short } else { file }
}

/// A path without `..` where a folder stands before it.
pub(super) fn shortened(path: &Path) -> PathBuf {
    let mut short = PathBuf::new();
    for component in path.components() {
        let is_below = matches!(short.components().next_back(), Some(Component::Normal(_)));
        match component {
            Component::CurDir => {}
            Component::ParentDir if is_below => {
                short.pop();
            }
            other => short.push(other),
        }
    }
    short
}

fn merged<'d>(documents: impl Iterator<Item = &'d Document>) -> Result<Merged, Diagnostics> {
    let mut sections = Merged::new();
    let mut places: IndexMap<(&str, String), &Document> = IndexMap::new();
    let mut mistakes = Diagnostics::new();
    for document in documents {
        for section in SECTIONS {
            let Some(own) = document.value().get(section).and_then(Json::as_object) else {
                continue;
            };
            let all = sections.entry(section).or_default();
            for (name, value) in own {
                if let Some(before) = places.get(&(section, name.clone())) {
                    mistakes.push(twice(before, document, section, name));
                    continue;
                }
                places.insert((section, name.clone()), document);
                all.insert(name.clone(), value.clone());
            }
        }
    }
    mistakes.into_result()?;
    Ok(sections)
}

fn twice(before: &Document, document: &Document, section: &str, name: &str) -> Diagnostic {
    let path = NodePath::from([section, name]);
    let line = before.key_position(&path).map_or(1, |at| at.line);
    let place = format!("{}:{line}", before.file().display());
    let message = format!("{} of `{section}` is in two files", quoted(name));
    let mistake = document.error_at_key(&path, message);
    mistake.help(format!(
        "the other one is at {place}; give one of them another name"
    ))
}
