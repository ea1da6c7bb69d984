//! Values that may be one of several things: which of them was meant.

use indexmap::IndexMap;
use serde_json::Value;

use super::{Explainer, words};
use crate::diagnostic::{Diagnostic, did_you_mean, list, quoted};
use crate::yaml::tree::{Content, Entry, Mark, Node};

impl<'a> Explainer<'a> {
    pub(super) fn check_choice(
        &self,
        schema: &'a Value,
        node: &Node,
        owner: Mark,
    ) -> Vec<Diagnostic> {
        let mut branches = self.alternatives(schema);
        let is_null = |branch: &&Value| words::types(branch).eq(["null"]);
        if branches.iter().any(is_null) && matches!(node.content, Content::Scalar(Value::Null)) {
            return Vec::new();
        }
        branches.retain(|branch| !is_null(branch));
        if let [only] = branches.as_slice() {
            return self.check(only, node, owner);
        }
        if let Some(errors) = self.check_word(&branches, node, owner) {
            return errors;
        }
        let fitting: Vec<_> = branches
            .iter()
            .copied()
            .filter(|branch| words::accepts(branch, node))
            .collect();
        match (fitting.as_slice(), &node.content) {
            ([], _) => {
                let types = branches.iter().flat_map(|branch| words::types(branch));
                vec![self.wrong_type(&words::one_of(types), node, owner)]
            }
            (maps, Content::Map(entries)) if maps.iter().all(|branch| tag(branch).is_some()) => {
                self.check_tagged(&branches, node, entries, owner)
            }
            ([only], _) => self.check(only, node, owner),
            (several, Content::Map(entries)) => match discriminator(several) {
                Some(key) => self.check_discriminated(several, key, node, entries, owner),
                None => self.closest(several, node, owner),
            },
            (several, _) => self.closest(several, node, owner),
        }
    }

    /// All alternatives, those inside alternatives included: an optional choice is one choice.
    fn alternatives(&self, schema: &'a Value) -> Vec<&'a Value> {
        words::branches(schema)
            .map(|branch| self.resolve(branch))
            .flat_map(|branch| {
                if is_only_a_choice(branch) {
                    self.alternatives(branch)
                } else {
                    vec![branch]
                }
            })
            .collect()
    }

    /// One word out of those that the alternatives spell out. `None`: other texts are possible too, or it is no text.
    fn check_word(
        &self,
        branches: &[&'a Value],
        node: &Node,
        owner: Mark,
    ) -> Option<Vec<Diagnostic>> {
        let allowed: Vec<_> = branches
            .iter()
            .flat_map(|branch| words::constants(branch))
            .collect();
        if branches.iter().all(|branch| is_listed(branch)) {
            return Some(self.check_listed(&allowed, node, owner));
        }
        let Content::Scalar(value @ Value::String(word)) = &node.content else {
            return None;
        };
        let tags: Vec<_> = branches.iter().filter_map(|branch| tag(branch)).collect();
        let is_open = branches
            .iter()
            .any(|branch| !is_listed(branch) && words::accepts(branch, node));
        if is_open || (tags.is_empty() && allowed.is_empty()) {
            return None;
        }
        if allowed.contains(&value) {
            return Some(Vec::new());
        }
        if tags.contains(&word.as_str()) {
            return Some(vec![self.bare_tag(word, node)]);
        }
        let known = allowed.iter().filter_map(|value| value.as_str());
        Some(vec![
            self.unknown_value(node, known.chain(tags.iter().copied())),
        ])
    }

    fn bare_tag(&self, word: &str, node: &Node) -> Diagnostic {
        self.source
            .error(node.mark, format!("{} needs a value", quoted(word)))
            .help(format!("write {}", quoted(&format!("{word}: ..."))))
    }

    /// A map of one key, and the key says which alternative it is.
    fn check_tagged(
        &self,
        branches: &[&'a Value],
        node: &Node,
        entries: &IndexMap<String, Entry>,
        owner: Mark,
    ) -> Vec<Diagnostic> {
        let tags = || branches.iter().filter_map(|branch| tag(branch));
        let named = |name: &str| branches.iter().find(|branch| tag(branch) == Some(name));
        let mut known = entries.keys().filter(|name| named(name).is_some());
        match (known.next(), known.next()) {
            (Some(first), Some(second)) => {
                let message = format!(
                    "{} and {} exclude each other",
                    quoted(first),
                    quoted(second)
                );
                vec![self.source.error(owner, message).help("keep one of them")]
            }
            (Some(name), None) => named(name)
                .map(|branch| self.check(branch, node, owner))
                .unwrap_or_default(),
            (None, _) if entries.is_empty() => {
                let message = format!("expected one of the keys {}", list(tags()));
                vec![self.source.error(owner, message)]
            }
            (None, _) => entries
                .iter()
                .map(|(name, entry)| self.unknown_tag(branches, name, entry))
                .collect(),
        }
    }

    fn unknown_tag(&self, branches: &[&'a Value], name: &str, entry: &Entry) -> Diagnostic {
        let is_word = |branch: &&Value| words::constants(branch).contains(&&Value::from(name));
        if branches.iter().any(is_word) {
            let error = self
                .source
                .error(entry.key, format!("{} takes no value", quoted(name)));
            return error.help(format!("write {} alone", quoted(name)));
        }
        let tags: Vec<_> = branches.iter().filter_map(|branch| tag(branch)).collect();
        self.source
            .error(entry.key, format!("unknown key {}", quoted(name)))
            .maybe_help(did_you_mean(name, tags))
    }

    /// A map in which the value of one key says which alternative it is.
    fn check_discriminated(
        &self,
        branches: &[&'a Value],
        key: &str,
        node: &Node,
        entries: &IndexMap<String, Entry>,
        owner: Mark,
    ) -> Vec<Diagnostic> {
        let Some(entry) = entries.get(key) else {
            return vec![self.missing_key(key, owner)];
        };
        let kind = entry.node.to_value();
        let constants = |branch: &'a Value| {
            words::property(branch, key)
                .map(words::constants)
                .unwrap_or_default()
        };
        let chosen = branches
            .iter()
            .find(|branch| constants(branch).contains(&&kind));
        if let Some(branch) = chosen {
            return self.check(branch, node, owner);
        }
        let known: Vec<_> = branches
            .iter()
            .flat_map(|branch| constants(branch))
            .collect();
        self.check_listed(&known, &entry.node, entry.key)
    }

    /// Nothing tells which was meant: the one with the fewest mistakes.
    fn closest(&self, branches: &[&'a Value], node: &Node, owner: Mark) -> Vec<Diagnostic> {
        branches
            .iter()
            .map(|branch| self.check(branch, node, owner))
            .min_by_key(Vec::len)
            .unwrap_or_default()
    }
}

fn is_only_a_choice(schema: &Value) -> bool {
    words::properties(schema).is_none() && words::branches(schema).next().is_some()
}

/// The key of a map of exactly that one key, where the key and not its value tells what the map is.
fn tag(branch: &Value) -> Option<&str> {
    let known = words::properties(branch)?;
    let mut required = words::required(branch);
    match (known.len(), required.next(), required.next()) {
        (1, Some(name), None) => {
            let inner = known.get(name)?;
            words::constants(inner).is_empty().then_some(name)
        }
        _ => None,
    }
}

/// The key whose value is spelled out in every alternative.
fn discriminator<'a>(branches: &[&'a Value]) -> Option<&'a str> {
    let (first, _) = branches.split_first()?;
    words::names(words::properties(first)).find(|name| {
        branches.iter().all(|branch| {
            words::property(branch, name).is_some_and(|schema| !words::constants(schema).is_empty())
        })
    })
}

/// Whether the schema spells its values out.
fn is_listed(schema: &Value) -> bool {
    !words::constants(schema).is_empty()
}
