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
        let branches = self.alternatives(schema);
        if let Some(error) = self.bare_tag(&branches, node) {
            return vec![error];
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
            ([only], _) => self.check(only, node, owner),
            (several, Content::Map(entries))
                if several.iter().all(|branch| tag(branch).is_some()) =>
            {
                self.check_tagged(several, node, entries, owner)
            }
            (several, Content::Map(entries)) => match discriminator(several) {
                Some(key) => self.check_discriminated(several, key, node, entries, owner),
                None => self.closest(several, node, owner),
            },
            (several, Content::Scalar(value)) => match all_constants(several) {
                Some(allowed) if allowed.contains(&value) => Vec::new(),
                Some(allowed) => vec![self.unknown_value(&allowed, value, node)],
                None => self.closest(several, node, owner),
            },
            (several, Content::List(_)) => self.closest(several, node, owner),
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

    /// The word alone, where it needs a value of its own.
    fn bare_tag(&self, branches: &[&Value], node: &Node) -> Option<Diagnostic> {
        let Content::Scalar(Value::String(word)) = &node.content else {
            return None;
        };
        let is_word = branches.iter().any(|branch| {
            words::types(branch).any(|name| name == "string") && words::constants(branch).is_empty()
        });
        let is_tag = branches.iter().any(|branch| tag(branch) == Some(word));
        (is_tag && !is_word).then(|| {
            self.source
                .error(node.mark, format!("{} needs a value", quoted(word)))
                .help(format!("write {}", quoted(&format!("{word}: ..."))))
        })
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
                .map(|(name, entry)| {
                    self.source
                        .error(entry.key, format!("unknown key {}", quoted(name)))
                        .maybe_help(did_you_mean(name, tags().collect::<Vec<_>>()))
                })
                .collect(),
        }
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
        vec![self.unknown_value(&known, &kind, &entry.node)]
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

/// The values of all alternatives, if each spells its own out.
fn all_constants<'a>(branches: &[&'a Value]) -> Option<Vec<&'a Value>> {
    let each: Vec<_> = branches
        .iter()
        .map(|branch| words::constants(branch))
        .collect();
    each.iter()
        .all(|constants| !constants.is_empty())
        .then(|| each.concat())
}
