//! OpenAPI documents, 3.0 and 3.1, in JSON or YAML, as a list of operations.
//!
//! A document comes from a service, so it may be anything: it is read with bounds on its size, its depth and on what
//! its references stand for. What is not needed here is never kept.

mod describe;
mod example;
mod raw;

use std::path::Path;

use serde::Serialize;

use crate::diagnostic::{Diagnostic, Diagnostics, Position, quoted};
use crate::yaml::Document;

pub use describe::{Api, Described, Example, Form, Scheme, Way, describe};
use raw::{PathItem, RawDocument, RawParameter};

/// A longer document is refused.
pub const MAX_BYTES: usize = 64 << 20;
/// A longer one in YAML is refused: every value keeps its place in the text.
pub const MAX_YAML_BYTES: usize = 16 << 20;
/// How many operations a document may have once its references are followed.
const MAX_OPERATIONS: usize = 100_000;
/// What a name costs besides its bytes.
const EACH: usize = 32;
/// How many references in a row are followed.
const MAX_REFERENCES: usize = 16;

/// A method and a path template of a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Operation {
    /// The method, in capitals.
    pub method: &'static str,
    /// The path template: `/key/{key}/regenerate`.
    pub path: String,
    /// The `operationId`.
    pub id: Option<String>,
    /// The tags.
    pub tags: Vec<String>,
    /// Whether it should no longer be used.
    pub deprecated: bool,
    /// The parameters in the path and the query.
    pub parameters: Vec<Parameter>,
}

impl Operation {
    /// One of which only the name is known.
    #[must_use]
    pub fn named(method: &'static str, path: &str) -> Self {
        Self {
            method,
            path: path.to_owned(),
            id: None,
            tags: Vec::new(),
            deprecated: false,
            parameters: Vec::new(),
        }
    }

    /// How many bytes its names take.
    fn size(&self) -> usize {
        let names = self.parameters.iter().map(|known| known.name.len());
        let tags = self.tags.iter().map(String::len);
        let lists = names.chain(tags).map(|bytes| bytes + EACH).sum::<usize>();
        self.path.len() + self.id.as_ref().map_or(0, String::len) + lists
    }
}

/// A parameter of an operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Parameter {
    /// The name.
    pub name: String,
    /// Where it stands.
    #[serde(rename = "in")]
    pub place: Place,
    /// Whether a call has to have it.
    pub required: bool,
}

/// Where a parameter stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// In the path.
    Path,
    /// In the query.
    Query,
}

/// Reads the operations of a document, in its order; `file` only names it.
pub fn read(file: &Path, bytes: &[u8]) -> Result<Vec<Operation>, Diagnostics> {
    let document = parse(file, bytes)?;
    is_openapi(&document).map_err(|message| Diagnostic::new(file, message))?;
    let mut reader = Reader::new(&document);
    reader
        .operations()
        .map_err(|message| Diagnostic::new(file, message).into())
}

fn parse(file: &Path, bytes: &[u8]) -> Result<RawDocument, Diagnostics> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
    if first == Some(&b'{') {
        is_short(file, bytes, MAX_BYTES, None)?;
        return serde_json::from_slice(bytes).map_err(|error| not_json(file, &error).into());
    }
    let remedy = "write it as JSON, of which more can be read";
    is_short(file, bytes, MAX_YAML_BYTES, Some(remedy))?;
    let text = std::str::from_utf8(bytes)
        .map_err(|_| Diagnostic::new(file, "the document is neither JSON nor YAML"))?;
    Document::parse_foreign(file, text.to_owned())?.decode_plainly()
}

fn is_short(
    file: &Path,
    bytes: &[u8],
    limit: usize,
    remedy: Option<&str>,
) -> Result<(), Diagnostics> {
    if bytes.len() <= limit {
        return Ok(());
    }
    let message = format!("the document has more than {} MiB", limit >> 20);
    let mistake = Diagnostic::new(file, message);
    Err(mistake.maybe_help(remedy.map(str::to_owned)).into())
}

fn not_json(file: &Path, error: &serde_json::Error) -> Diagnostic {
    let position = Position {
        line: error.line(),
        column: error.column(),
    };
    let whole = error.to_string();
    let message = whole.split(" at line ").next().unwrap_or_default();
    Diagnostic::new(file, message).at(position)
}

fn is_openapi(document: &RawDocument) -> Result<(), String> {
    match document.openapi.as_deref() {
        Some(version) if version.starts_with("3.") => Ok(()),
        Some(version) => Err(format!(
            "OpenAPI {} is not supported: only 3.0 and 3.1 are",
            quoted(version)
        )),
        None => Err("the document has no `openapi: 3...`: it is not an OpenAPI 3 document".into()),
    }
}

/// Follows the references of one document.
struct Reader<'a> {
    document: &'a RawDocument,
    operations: Vec<Operation>,
    /// How many bytes of names may still be copied: short references can stand for much.
    left: usize,
}

impl<'a> Reader<'a> {
    fn new(document: &'a RawDocument) -> Self {
        Self {
            document,
            operations: Vec::new(),
            left: MAX_BYTES,
        }
    }

    fn operations(&mut self) -> Result<Vec<Operation>, String> {
        for (path, item) in &self.document.paths.0 {
            for item in self.chain(path, item)? {
                self.add(path, item)?;
            }
        }
        Ok(std::mem::take(&mut self.operations))
    }

    /// The path item and what it refers to.
    fn chain(&self, path: &str, item: &'a PathItem) -> Result<Vec<&'a PathItem>, String> {
        let mut chain = vec![item];
        let mut last = item;
        while let Some(reference) = &last.reference {
            if chain.len() > MAX_REFERENCES {
                return Err(format!(
                    "the references of path {} go round in circles or too far",
                    quoted(path)
                ));
            }
            last = self.path_item(reference).ok_or_else(|| {
                let (path, reference) = (quoted(path), quoted(reference));
                format!("path {path} refers to {reference}, which is not in the document")
            })?;
            chain.push(last);
        }
        Ok(chain)
    }

    /// What is said beside a reference goes before what is referred to.
    fn add(&mut self, path: &str, item: &PathItem) -> Result<(), String> {
        for (method, raw) in item.operations() {
            let is_known = |known: &Operation| known.path == path && known.method == method;
            let recent = self.operations.iter().rev().take(raw::METHODS.len());
            if recent.into_iter().any(is_known) {
                continue;
            }
            let lists = [raw.parameters.as_slice(), item.parameters.as_slice()];
            self.spend(lists.iter().map(|list| list.len() * EACH).sum())?;
            let operation = Operation {
                method,
                path: path.to_owned(),
                id: raw.id.clone(),
                tags: raw.tags.clone(),
                deprecated: raw.deprecated,
                parameters: self.parameters(&lists),
            };
            self.spend(operation.size())?;
            self.operations.push(operation);
        }
        if self.operations.len() > MAX_OPERATIONS {
            return Err(format!(
                "the document has more than {MAX_OPERATIONS} operations"
            ));
        }
        Ok(())
    }

    fn spend(&mut self, bytes: usize) -> Result<(), String> {
        let left = self.left.checked_sub(bytes);
        self.left = left.ok_or("the references of the document stand for too much")?;
        Ok(())
    }

    /// Those of the operation go before those of its path. What refers to nothing is left out.
    fn parameters(&self, lists: &[&[RawParameter]]) -> Vec<Parameter> {
        let mut found: Vec<Parameter> = Vec::new();
        for raw in lists.iter().copied().flatten() {
            let Some(parameter) = self.parameter(raw) else {
                continue;
            };
            let is_same =
                |known: &Parameter| known.name == parameter.name && known.place == parameter.place;
            if !found.iter().any(is_same) {
                found.push(parameter);
            }
        }
        found
    }

    fn parameter(&self, raw: &RawParameter) -> Option<Parameter> {
        let mut raw = raw;
        for _ in 0..MAX_REFERENCES {
            match &raw.reference {
                Some(reference) => raw = self.referred_parameter(reference)?,
                None => break,
            }
        }
        let place = match raw.place.as_deref()? {
            "path" => Place::Path,
            "query" => Place::Query,
            _ => return None,
        };
        Some(Parameter {
            name: raw.name.clone()?,
            place,
            required: raw.required || place == Place::Path,
        })
    }

    fn path_item(&self, reference: &str) -> Option<&'a PathItem> {
        let (section, name) = pointer(reference)?;
        match section {
            "paths" => self.document.paths.0.get(&name),
            "components/pathItems" => self.document.components.path_items.0.get(&name),
            _ => None,
        }
    }

    fn referred_parameter(&self, reference: &str) -> Option<&'a RawParameter> {
        let (section, name) = pointer(reference)?;
        let parameters = &self.document.components.parameters;
        (section == "components/parameters").then(|| parameters.0.get(&name))?
    }
}

/// `#/paths/~1key~1info` -> `paths` and `/key/info`.
fn pointer(reference: &str) -> Option<(&str, String)> {
    let (section, name) = reference.strip_prefix("#/")?.rsplit_once('/')?;
    let name = percent_encoding::percent_decode_str(name).decode_utf8_lossy();
    Some((section, name.replace("~1", "/").replace("~0", "~")))
}

#[cfg(test)]
mod tests;
