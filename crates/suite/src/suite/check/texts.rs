//! Whether the rules for texts can be used.

use super::Checker;
use crate::diagnostic::{Diagnostic, Diagnostics, did_you_mean};
use crate::suite::{Glob, Suite, TextPattern, TextRule};
use crate::yaml::{Document, NodePath};

impl Checker<'_> {
    /// Every pattern has to compile, and every list to be one of its groups.
    pub(super) fn rules_of_texts(&mut self, path: &NodePath) {
        for item in self.items(path) {
            let pattern = item.join("pattern");
            self.compiles::<TextPattern>(&pattern);
            for endpoint in self.items(&item.join("endpoints")) {
                self.compiles::<Glob>(&endpoint);
            }
            let Some(Ok(pattern)) = self.text(&pattern).map(TextPattern::try_from) else {
                continue;
            };
            for list in self.items(&item.join("lists")) {
                let name = self.text(&list).filter(|name| !pattern.has_group(name));
                let Some(name) = name else { continue };
                let message = format!("the pattern has no group `{name}`");
                let groups: Vec<&str> = pattern.groups().collect();
                let help = did_you_mean(&name, groups);
                let mistake = self.document.error_at(&list, message);
                self.mistakes.push(mistake.maybe_help(help));
            }
        }
    }
}

/// Patterns of endpoints that match none, once everything else fits together.
pub(in crate::suite) fn endpoints_of_texts(suite: &Suite, file: &Document) -> Diagnostics {
    let mut mistakes = Diagnostics::new();
    for (at, rule) in suite.file.texts.iter().enumerate() {
        let TextRule::Pattern(rule) = rule else {
            continue;
        };
        let path = NodePath::from(["texts"]).join(at);
        mistakes.extend(unmatched(suite, file, &path, &rule.endpoints));
    }
    mistakes
}

/// The same of patterns for values.
pub(in crate::suite) fn endpoints_of_values(suite: &Suite, file: &Document) -> Diagnostics {
    let mut mistakes = Diagnostics::new();
    let values = NodePath::from(["values"]);
    for pattern in suite.file.values.endpoints.keys() {
        let path = values.join("endpoints").join(pattern.as_str());
        mistakes.extend(matches_none(suite, pattern).then(|| no_endpoint(file, &path)));
    }
    for (at, rule) in suite.file.values.unstable.iter().enumerate() {
        let path = values.join("unstable").join(at);
        mistakes.extend(unmatched(suite, file, &path, &rule.endpoints));
    }
    for (at, rule) in suite.file.values.items.iter().enumerate() {
        let path = values.join("items").join(at);
        mistakes.extend(unmatched(suite, file, &path, &rule.endpoints));
    }
    mistakes
}

/// The patterns of a rule's `endpoints` that match none.
fn unmatched(suite: &Suite, file: &Document, rule: &NodePath, patterns: &[Glob]) -> Diagnostics {
    let patterns = patterns.iter().enumerate();
    let unmatched = patterns.filter(|(_, pattern)| matches_none(suite, pattern));
    let mistakes = unmatched.map(|(at, _)| no_endpoint(file, &rule.join("endpoints").join(at)));
    mistakes.collect()
}

fn matches_none(suite: &Suite, pattern: &Glob) -> bool {
    let mut endpoints = suite.endpoints.iter();
    !endpoints.any(|endpoint| pattern.is_match(&endpoint.name))
}

fn no_endpoint(file: &Document, path: &NodePath) -> Diagnostic {
    let mistake = file.error_at(path, "the pattern matches no endpoint");
    mistake.help("name an endpoint of the suite; `*` is any text")
}
