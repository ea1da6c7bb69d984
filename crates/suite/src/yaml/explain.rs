//! Why a document is not what it should be: the schema and the tree walked side by side.
//!
//! Only explains. A keyword that is not known here makes an explanation less precise, never a document invalid.

mod choice;
mod words;

use indexmap::IndexMap;
use serde_json::{Map, Value};

use super::source::Source;
use super::tree::{Content, Entry, Mark, Node};
use crate::diagnostic::{Diagnostic, Diagnostics, did_you_mean, nearest, quoted};

pub(super) fn mistakes(source: &Source, schema: &Value, root: &Node) -> Diagnostics {
    if matches!(root.content, Content::Scalar(Value::Null)) {
        return source.error(root.mark, "the file is empty").into();
    }
    let explainer = Explainer { source, schema };
    explainer
        .check(schema, root, root.mark)
        .into_iter()
        .collect()
}

struct Explainer<'a> {
    source: &'a Source,
    schema: &'a Value,
}

impl<'a> Explainer<'a> {
    /// `owner` is where the mistake of leaving something out belongs: the key of the value.
    fn check(&self, schema: &'a Value, node: &Node, owner: Mark) -> Vec<Diagnostic> {
        let schema = self.resolve(schema);
        let allowed = words::constants(schema);
        if !allowed.is_empty() {
            return self.check_listed(&allowed, node, owner);
        }
        if !words::accepts(schema, node) {
            let error = self.wrong_type(&words::expected(schema), node, owner);
            return vec![error.maybe_help(words::keys_hint(schema, node))];
        }
        let mut errors = match &node.content {
            Content::Scalar(value) => self.check_range(schema, value, node),
            Content::List(items) => self.check_list(schema, items, node),
            Content::Map(entries) => self.check_map(schema, entries, owner),
        };
        if words::branches(schema).next().is_some() {
            errors.extend(self.check_choice(schema, node, owner));
        }
        for part in words::parts(schema) {
            errors.extend(self.check(part, node, owner));
        }
        errors
    }

    /// Follows references; a bound instead of a cycle check, as no type refers to itself that often.
    fn resolve(&self, schema: &'a Value) -> &'a Value {
        let mut found = schema;
        for _ in 0..32 {
            let target = found.get("$ref").and_then(Value::as_str);
            match target.and_then(|target| self.schema.pointer(target.strip_prefix('#')?)) {
                Some(next) => found = next,
                None => break,
            }
        }
        found
    }

    fn wrong_type(&self, expected: &str, node: &Node, owner: Mark) -> Diagnostic {
        let raw = self.source.spelling(node);
        let message = format!("expected {expected}, found {}", words::found(node, &raw));
        // An empty value has no characters to point at: its key has.
        let mark = match node.content {
            Content::Scalar(Value::Null) => owner,
            _ => node.mark,
        };
        self.source
            .error(mark, message)
            .maybe_help(words::remedy(expected, node, &raw))
    }

    fn check_range(&self, schema: &Value, value: &Value, node: &Node) -> Vec<Diagnostic> {
        words::out_of_range(schema, value)
            .map(|(message, help)| self.source.error(node.mark, message).help(help))
            .into_iter()
            .collect()
    }

    /// A value that must be one of those that the schema spells out.
    fn check_listed(&self, allowed: &[&Value], node: &Node, owner: Mark) -> Vec<Diagnostic> {
        match &node.content {
            Content::Scalar(value) if allowed.contains(&value) => Vec::new(),
            Content::Scalar(value) if !value.is_null() => {
                let known: Vec<_> = allowed.iter().map(|value| words::text(value)).collect();
                vec![self.unknown_value(node, known.iter().map(String::as_str))]
            }
            _ => {
                let known: Vec<_> = allowed.iter().map(|value| words::text(value)).collect();
                let error = self.wrong_type("a text", node, owner);
                vec![error.maybe_help(did_you_mean("", known.iter().map(String::as_str)))]
            }
        }
    }

    fn unknown_value<'b>(
        &self,
        node: &Node,
        known: impl Iterator<Item = &'b str> + Clone,
    ) -> Diagnostic {
        let found = words::text(&node.to_value());
        self.source
            .error(node.mark, format!("unknown value {}", quoted(&found)))
            .maybe_help(did_you_mean(&found, known))
    }

    fn check_list(&self, schema: &'a Value, items: &[Node], node: &Node) -> Vec<Diagnostic> {
        let first = schema.get("prefixItems").and_then(Value::as_array);
        let first: &[Value] = first.map(Vec::as_slice).unwrap_or_default();
        let rest = schema.get("items");
        let mut errors: Vec<_> = items
            .iter()
            .enumerate()
            .filter_map(|(index, item)| Some((first.get(index).or(rest)?, item)))
            .flat_map(|(schema, item)| self.check(schema, item, item.mark))
            .collect();
        if let Some(message) = words::wrong_length(schema, items.len()) {
            errors.push(self.source.error(node.mark, message));
        }
        errors
    }

    fn check_map(
        &self,
        schema: &'a Value,
        entries: &IndexMap<String, Entry>,
        owner: Mark,
    ) -> Vec<Diagnostic> {
        let mut errors = Vec::new();
        let mut meant = Vec::new();
        for (name, entry) in entries {
            match words::property(schema, name) {
                Some(Value::Bool(false)) => {
                    let known = words::properties(schema);
                    meant.extend(nearest(name, words::names(known)));
                    errors.push(self.unknown_key(known, name, entry));
                }
                Some(inner) => errors.extend(self.check(inner, &entry.node, entry.key)),
                None => {}
            }
        }
        // A misspelt key is one mistake, not an unknown key and a missing one.
        let missing = words::required(schema)
            .filter(|name| !entries.contains_key(*name) && !meant.contains(name));
        errors.extend(missing.map(|name| self.missing_key(name, owner)));
        errors
    }

    fn unknown_key(
        &self,
        known: Option<&Map<String, Value>>,
        name: &str,
        entry: &Entry,
    ) -> Diagnostic {
        self.source
            .error(entry.key, format!("unknown key {}", quoted(name)))
            .maybe_help(did_you_mean(name, words::names(known)))
    }

    fn missing_key(&self, name: &str, owner: Mark) -> Diagnostic {
        self.source
            .error(owner, format!("missing key {}", quoted(name)))
            .help(format!("add {}", quoted(&format!("{name}: ..."))))
    }
}
