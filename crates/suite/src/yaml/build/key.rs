//! The keys of a map: texts, each once.

use indexmap::IndexMap;
use serde_json::Value;

use super::Key;
use crate::diagnostic::{Diagnostic, Diagnostics, quoted};
use crate::yaml::Dialect;
use crate::yaml::source::Source;
use crate::yaml::tree::{Content, Entry, Node};

/// How a key is read.
pub(super) struct Reading<'a> {
    pub(super) source: &'a Source,
    pub(super) dialect: Dialect,
    /// Whether it is `<<` without quotes; in quotes it is a key like any other.
    pub(super) is_merge: bool,
}

impl Reading<'_> {
    /// The key that a node is, or the mistake that it is.
    pub(super) fn read(&self, node: &Node, errors: &mut Diagnostics) -> Key {
        match &node.content {
            Content::Scalar(Value::String(name)) if !self.is_merge => {
                return Key::Known(name.clone(), node.mark);
            }
            // An OpenAPI document has its statuses as keys, which are written as numbers.
            Content::Scalar(value) if self.dialect == Dialect::Foreign && !value.is_string() => {
                return Key::Known(value.to_string(), node.mark);
            }
            content => errors.push(refusal(self.source, node, content)),
        }
        Key::Invalid
    }
}

/// Adds an entry; of two with the same key the first one stays.
pub(super) fn insert(
    source: &Source,
    entries: &mut IndexMap<String, Entry>,
    name: String,
    entry: Entry,
    errors: &mut Diagnostics,
) {
    if let Some(first) = entries.get(&name) {
        let at = first.key.position;
        let message = format!("duplicate key {}", quoted(&name));
        let help = format!("it is already at {}:{}", at.line, at.column);
        errors.push(source.error(entry.key, message).help(help));
    } else {
        entries.insert(name, entry);
    }
}

fn refusal(source: &Source, node: &Node, content: &Content) -> Diagnostic {
    let words = source.spelling(node);
    match content {
        Content::Scalar(Value::String(_)) => source
            .error(node.mark, "merge keys (`<<`) are not supported")
            .help("write the keys out, or use an alias for a whole value"),
        Content::Scalar(Value::Null) if source.words(node.mark).starts_with(':') => {
            source.error(node.mark, "a key is missing here")
        }
        Content::Scalar(_) => source
            .error(
                node.mark,
                format!("the key {} is not a text", quoted(&words)),
            )
            .help(format!(
                "put it in quotes: {}",
                quoted(&format!("\"{words}\""))
            )),
        Content::List(_) => source.error(node.mark, "a key must be a text, this one is a list"),
        Content::Map(_) => source.error(node.mark, "a key must be a text, this one is a map"),
    }
}
