//! Whether the rules for texts can be used.

use super::Checker;
use crate::diagnostic::{Diagnostics, did_you_mean};
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
        for (index, pattern) in rule.endpoints.iter().enumerate() {
            let mut endpoints = suite.endpoints.iter();
            if !endpoints.any(|endpoint| pattern.is_match(&endpoint.name)) {
                let path = NodePath::from(["texts"])
                    .join(at)
                    .join("endpoints")
                    .join(index);
                let mistake = file.error_at(&path, "the pattern matches no endpoint");
                mistakes.push(mistake.help("name an endpoint of the suite; `*` is any text"));
            }
        }
    }
    mistakes
}
