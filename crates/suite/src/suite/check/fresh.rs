//! Whether the world can be made anew for each cell where an endpoint asks for that.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json};

use super::Checker;
use crate::suite::names::object;
use crate::yaml::NodePath;

/// What makes another value each time.
const GENERATORS: [&str; 3] = ["random(", "digits(", "uuid("];

/// What gives an actor a credential of its own.
const ISSUED: [&str; 4] = ["login", "jwt", "oauth2", "command"];

impl Checker<'_> {
    pub(super) fn fresh(&mut self) {
        let path = NodePath::from(["fresh"]);
        if self.get(&path) != Some(&Json::Bool(true)) {
            return;
        }
        let setup = NodePath::from(["setup"]);
        if !self.items(&setup).is_empty() {
            let message = "what `setup` makes is for all cells, and `fresh` makes a world for each";
            let help = "let the `setup` of a kind make it, and name a target of that kind";
            self.at_key(&setup, message.to_owned(), Some(help.to_owned()));
        }
        if self.is_nothing_made() {
            let message =
                "there is nothing to make anew: nobody in the world has a kind or logs in";
            self.at_key(&path, message.to_owned(), None);
        }
        for kind in self.kinds_of_members() {
            if let Some(symbol) = self.constant(&kind) {
                let message = format!("`{symbol}` of the kind `{kind}` is the same in each cell");
                let help = "put `{{ run }}` or `random(n)` into it, so that each cell has its own";
                self.at_key(&path, message, Some(help.to_owned()));
            }
        }
    }

    fn kinds_of_members(&self) -> BTreeSet<String> {
        let members = [self.declared.entities, self.declared.actors];
        let members = members.into_iter().flatten().flat_map(Map::values);
        let kinds = members.filter_map(|member| member.get("kind")?.as_str());
        kinds.map(str::to_owned).collect()
    }

    fn is_nothing_made(&self) -> bool {
        let Some(actors) = self.declared.actors else {
            return false;
        };
        let mut issued = actors.values().filter_map(|actor| actor.get("auth"));
        let is_issued = issued.any(|auth| ISSUED.iter().any(|key| auth.get(*key).is_some()));
        !is_issued && self.kinds_of_members().is_empty()
    }

    /// The first identifier or credential of a kind that nothing tells from that of the same entity elsewhere.
    fn constant(&self, kind: &str) -> Option<String> {
        let kind = self.declared.kinds?.get(kind)?;
        let mut own = BTreeSet::from(["run".to_owned()]);
        let sections = ["secrets", "symbols"].map(|section| object(kind.get(section)));
        for (name, template) in sections.into_iter().flatten().flatten() {
            if template
                .as_str()
                .is_some_and(|text| !self.is_own(text, &own))
            {
                return Some(name.clone());
            }
            own.insert(name.clone());
        }
        None
    }

    /// Whether a template makes another value in each cell, where these names have one. Of one that cannot be read
    /// something else is said.
    fn is_own(&self, text: &str, own: &BTreeSet<String>) -> bool {
        let Ok(names) = self.templates.names(text) else {
            return true;
        };
        names.iter().any(|name| own.contains(name))
            || GENERATORS.iter().any(|generator| text.contains(generator))
    }
}
