//! Drift as a person reads it: what differs in the same way stands together.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Serialize;

use super::{Drift, Kind};
use crate::kinds::Level;

/// Cells of an endpoint, as the actors by target; what is about the endpoint as a whole has none.
pub type Cells = IndexMap<String, Vec<String>>;

/// The cells that differ in the same way, whichever endpoint they are of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Group {
    /// In which direction.
    pub kind: Kind,
    /// How much it weighs.
    pub level: Level,
    /// What it was.
    pub was: String,
    /// What it is.
    pub is: String,
    /// The actors by target, of each endpoint.
    pub endpoints: IndexMap<String, Cells>,
}

impl Group {
    /// How many cells there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.endpoints.values().map(count).sum()
    }

    /// Where it is, a line for each endpoint; endpoints that differ in the same cells share one.
    #[must_use]
    pub fn places(&self) -> Vec<(String, String)> {
        let mut places: Vec<(String, String)> = Vec::new();
        for (endpoint, cells) in &self.endpoints {
            let cells = line(cells);
            match places.iter_mut().find(|(_, known)| *known == cells) {
                Some((endpoints, _)) => {
                    endpoints.push_str(", ");
                    endpoints.push_str(endpoint);
                }
                None => places.push((endpoint.clone(), cells)),
            }
        }
        places
    }
}

fn count(cells: &Cells) -> usize {
    cells.values().map(Vec::len).sum()
}

/// Cells as a line.
#[must_use]
pub fn line(cells: &Cells) -> String {
    cells.iter().map(row).collect::<Vec<_>>().join("; ")
}

/// The cells of one target.
#[must_use]
pub fn row((target, actors): (&String, &Vec<String>)) -> String {
    format!("{target}: {}", actors.join(", "))
}

/// What is told of a drift: its kind, what was and what is.
type Key = (Kind, String, String);

/// Groups by what they say, in the order of their first cells.
#[derive(Default)]
struct Groups(IndexMap<Key, Group>);

/// Puts together what differs in the same way, worst first, else in the endpoints' order. What came or went in forty
/// answers stands once, whatever else each of them shows.
#[must_use]
pub fn group<'a>(drifts: impl IntoIterator<Item = (&'a str, Vec<Drift>)>) -> Vec<Group> {
    let (mut wholes, mut parts) = (Groups::default(), Groups::default());
    for (endpoint, drifts) in drifts {
        for drift in drifts {
            if drift.parts.is_empty() {
                wholes.enter(endpoint, &drift, (&drift.was, &drift.is));
            }
            for (was, is) in &drift.parts {
                parts.enter(endpoint, &drift, (was, is));
            }
        }
    }
    let wholes = wholes.0.into_values();
    let mut groups: Vec<Group> = wholes.chain(together(parts)).collect();
    groups.sort_by_key(|group| group.kind);
    groups
}

impl Groups {
    fn enter(&mut self, endpoint: &str, drift: &Drift, (was, is): (&str, &str)) {
        let key = (drift.kind, was.to_owned(), is.to_owned());
        let group = self.0.entry(key).or_insert_with(|| Group {
            kind: drift.kind,
            level: drift.level,
            was: was.to_owned(),
            is: is.to_owned(),
            endpoints: IndexMap::new(),
        });
        let cells = group.endpoints.entry(endpoint.to_owned()).or_default();
        if let (Some(target), Some(actor)) = (&drift.target, &drift.actor) {
            let actors = cells.entry(target.clone()).or_default();
            actors.push(actor.clone());
        }
    }
}

/// Fields that differ in the same cells are one thing.
fn together(parts: Groups) -> Vec<Group> {
    let mut all: Vec<Group> = Vec::new();
    for part in parts.0.into_values() {
        let is_there =
            |known: &&mut Group| known.kind == part.kind && known.endpoints == part.endpoints;
        match all.iter_mut().find(is_there) {
            Some(known) => known.add(&part),
            None => all.push(part),
        }
    }
    all
}

impl Group {
    fn add(&mut self, other: &Self) {
        for (text, more) in [(&mut self.was, &other.was), (&mut self.is, &other.is)] {
            if text.is_empty() || text == more {
                text.clone_from(more);
            } else if !more.is_empty() {
                text.push_str(", ");
                text.push_str(more);
            }
        }
    }
}
