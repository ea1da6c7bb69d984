//! Drift as a person reads it: what differs in the same way stands together.

use std::collections::BTreeSet;

use indexmap::{IndexMap, IndexSet};
use schemars::JsonSchema;
use serde::Serialize;

use super::{Drift, Kind, Part};
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
    /// What else was and is by the same cause: refusals that name other values, such as the caller's role, the same field of
    /// other entities, other findings of the kind.
    #[serde(skip_serializing_if = "IndexSet::is_empty")]
    pub alike: IndexSet<Part>,
    /// The actors by target, of each endpoint.
    pub endpoints: IndexMap<String, Cells>,
}

impl Group {
    /// How many cells there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.endpoints.values().map(count).sum()
    }

    /// How much else there is by the same cause, to be said behind what is.
    #[must_use]
    pub fn like_it(&self) -> String {
        match self.alike.len() {
            0 => String::new(),
            alike => format!(" (and {alike} alike)"),
        }
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

/// Puts together what differs in the same way, worst first, else in the endpoints' order; where nothing became wider, what
/// became narrower is first. What came or went in forty answers stands once, whatever else each of them shows.
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
    // A fix is told as one: its refusals lead, and what follows from them comes after.
    let is_wider = groups.iter().any(|group| group.kind.is_wider());
    groups.sort_by_key(|group| (is_wider || group.kind != Kind::Narrowed, group.kind));
    groups
}

impl Groups {
    fn enter(&mut self, endpoint: &str, drift: &Drift, (was, is): (&str, &str)) {
        let key = (drift.kind, form(drift.kind, was), form(drift.kind, is));
        let group = self.0.entry(key).or_insert_with(|| Group {
            kind: drift.kind,
            level: drift.level,
            was: was.to_owned(),
            is: is.to_owned(),
            alike: IndexSet::new(),
            endpoints: IndexMap::new(),
        });
        group.also((was, is));
        let cells = group.endpoints.entry(endpoint.to_owned()).or_default();
        if let (Some(target), Some(actor)) = (&drift.target, &drift.actor) {
            let actors = cells.entry(target.clone()).or_default();
            actors.push(actor.clone());
        }
    }
}

/// What texts of one cause have in common.
fn form(kind: Kind, text: &str) -> String {
    match kind {
        Kind::Widened | Kind::Narrowed | Kind::GateChanged | Kind::StatusChanged => worded(text),
        Kind::DisclosureWidened | Kind::DisclosureNarrowed => fields(text),
        Kind::FindingAdded | Kind::FindingRemoved => {
            let id = text.split_once(": ").map(|(id, _)| id);
            id.unwrap_or(text).to_owned()
        }
        _ => text.to_owned(),
    }
}

/// Symbols without whose they are, where that is an entity of the world: the team of one tenant is disclosed as is that of
/// another, and what is another cell's never as what is the caller's own.
fn fields(symbols: &str) -> String {
    let fields = symbols.split(", ");
    let fields = fields.map(|symbol| match symbol.split_once('.') {
        Some(("actor" | "target" | "cell" | "another cell", _)) => symbol,
        _ => symbol.rsplit('.').next().unwrap_or(symbol),
    });
    let fields: BTreeSet<&str> = fields.collect();
    fields.into_iter().collect::<Vec<_>>().join(", ")
}

/// A refusal without what its words are about: what a `name=` names, symbols, and numbers behind the status.
fn worded(text: &str) -> String {
    let (status, text) = text.split_once(' ').unwrap_or((text, ""));
    let words = text.split_whitespace().map(|word| {
        let name = word.split_once('=').map(|(name, _)| name);
        let word = name.unwrap_or(word);
        let is_value = word.starts_with('<') || word.starts_with(|c: char| c.is_ascii_digit());
        if is_value { "" } else { word }
    });
    std::iter::once(status)
        .chain(words)
        .collect::<Vec<_>>()
        .join(" ")
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
    /// Adds what was and is by the same cause, where it is not the same.
    fn also(&mut self, (was, is): (&str, &str)) {
        if self.was != was || self.is != is {
            self.alike.insert((was.to_owned(), is.to_owned()));
        }
    }

    fn add(&mut self, other: &Self) {
        for (text, more) in [(&mut self.was, &other.was), (&mut self.is, &other.is)] {
            if text.is_empty() || text == more {
                text.clone_from(more);
            } else if !more.is_empty() {
                text.push_str(", ");
                text.push_str(more);
            }
        }
        self.alike.extend(other.alike.iter().cloned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drift(actor: &str, kind: Kind, was: &str, is: &str) -> Drift {
        Drift::of_cell(("key", actor), kind, was.to_owned(), is.to_owned())
    }

    #[test]
    fn refusals_that_differ_in_what_they_name_are_one() {
        let refused =
            |role: &str| format!("403 not allowed. Your role={role} of <actor.team> at 17");
        let [one, other] = ["admin", "member"].map(refused);
        let groups = group([(
            "key-info",
            vec![
                drift("a", Kind::Widened, &one, "200"),
                drift("b", Kind::Widened, &other, "200"),
                drift(
                    "c",
                    Kind::Widened,
                    "401 not allowed. Your role=admin",
                    "200",
                ),
            ],
        )]);
        let [first, second] = groups.as_slice() else {
            panic!("{groups:?}")
        };
        assert_eq!((first.count(), &first.was), (2, &one));
        assert!(first.alike.iter().eq(&[(other, "200".to_owned())]));
        assert_eq!((second.count(), second.alike.len()), (1, 0));
    }

    #[test]
    fn the_same_field_of_two_tenants_is_one_disclosure() {
        let shown = |actor, symbol| {
            let parts = vec![("not disclosed".to_owned(), symbol)];
            Drift {
                parts,
                ..drift(actor, Kind::DisclosureWidened, "", "")
            }
        };
        let symbols = [
            "a.team_id",
            "b.team_id",
            "b.user_id",
            "actor.user_id",
            "another cell.user_id",
        ];
        let actors = ["v", "w", "x", "y", "z"].into_iter();
        let drifts = actors.zip(symbols.map(str::to_owned));
        let drifts = drifts.map(|(actor, symbol)| shown(actor, symbol)).collect();
        let groups = group([("key-info", drifts)]);
        let texts: Vec<String> = groups
            .iter()
            .map(|it| it.is.clone() + &it.like_it())
            .collect();
        let expected = [
            "a.team_id (and 1 alike)",
            "b.user_id",
            "actor.user_id",
            "another cell.user_id",
        ];
        assert_eq!(texts, expected);
    }

    #[test]
    fn what_became_narrower_is_first_where_nothing_became_wider() {
        let kinds = |drifts: Vec<Drift>| {
            let groups = group([("key-info", drifts)]).into_iter();
            groups.map(|group| group.kind).collect::<Vec<_>>()
        };
        let fix = vec![
            drift("a", Kind::FindingAdded, "", "inversion: a caller is denied"),
            drift("a", Kind::Narrowed, "200", "403"),
        ];
        assert_eq!(kinds(fix.clone()), [Kind::Narrowed, Kind::FindingAdded]);
        let also = drift("b", Kind::DisclosureWidened, "", "owner.id");
        let wider = [fix, vec![also]].concat();
        assert_eq!(
            kinds(wider),
            [Kind::DisclosureWidened, Kind::FindingAdded, Kind::Narrowed]
        );
    }
}
