//! Drift as a person reads it: what differs in the same way stands together.

use std::collections::BTreeSet;
use std::io::{self, Write};

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Serialize;

use super::{Drift, Kind};
use crate::kinds::Level;
use crate::terminal::{DENIED, FAINT, NOTABLE, styled};
use crate::text::counted;

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

    /// The endpoints, each with how many of its cells differ.
    fn counts(&self) -> String {
        let counts = self.endpoints.iter();
        let counts = counts.map(|(endpoint, cells)| format!("{endpoint} ({})", count(cells)));
        counts.collect::<Vec<_>>().join(", ")
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

    /// Where it is, as lines behind a terminal's word for the kind.
    fn headed(&self) -> Vec<String> {
        let places = self.places();
        let place = |(endpoints, cells): &(String, String)| match cells.as_str() {
            "" => endpoints.clone(),
            cells => format!("{endpoints}  {cells}"),
        };
        if let [only] = places.as_slice() {
            return vec![place(only)];
        }
        let cells = counted(self.count(), "cell");
        let endpoints = counted(self.endpoints.len(), "endpoint");
        let shown = if places.len() > SHOWN {
            vec![self.counts()]
        } else {
            places.iter().map(place).collect()
        };
        let shown = shown.into_iter().map(|line| format!("    {line}"));
        std::iter::once(format!("{cells} of {endpoints}"))
            .chain(shown)
            .collect()
    }

    /// What was and what is, each behind its sign.
    fn change(&self) -> impl Iterator<Item = String> {
        let sides = [('-', &self.was), ('+', &self.is)].into_iter();
        let said = sides.filter(|(_, text)| !text.is_empty());
        // A service that says several lines begins none of them.
        said.map(|(sign, text)| format!("    {sign} {}", text.replace('\n', "\n    | ")))
    }
}

/// Of how many endpoints a terminal shows the cells.
const SHOWN: usize = 3;

/// Writes groups for a terminal.
pub fn human(out: &mut dyn Write, groups: &[Group]) -> io::Result<()> {
    for group in groups {
        let style = match group.level {
            Level::Deny => DENIED,
            Level::Warn => NOTABLE,
            Level::Allow => FAINT,
        };
        let mut lines = group.headed().into_iter().chain(group.change());
        write!(out, "{} ", styled(style, &group.kind.id()))?;
        lines.try_for_each(|line| writeln!(out, "{line}"))?;
    }
    Ok(())
}

/// Writes groups as Markdown: a section per kind, a table row per group and place.
pub fn markdown(out: &mut dyn Write, groups: &[Group]) -> io::Result<()> {
    if groups.is_empty() {
        return writeln!(out, "No drift.");
    }
    for of_kind in groups.chunk_by(|a, b| a.kind == b.kind) {
        let Some(first) = of_kind.first() else {
            continue;
        };
        let title = first
            .kind
            .entry()
            .map(|entry| entry.title.as_str())
            .unwrap_or_default();
        let cells = distinct_cells(of_kind);
        let count = if cells == 0 {
            String::new()
        } else {
            format!(" ({cells} cells)")
        };
        writeln!(out, "**{}**: {title}{count}\n", first.kind.id())?;
        writeln!(out, "| was | is | endpoints | cells |\n|---|---|---|---|")?;
        for group in of_kind {
            let mut change = [&group.was, &group.is].map(|text| escaped(text));
            for (endpoints, cells) in group.places() {
                let [was, is] = &change;
                writeln!(out, "| {was} | {is} | {endpoints} | {} |", escaped(&cells))?;
                // The same change at another place.
                change = [String::new(), String::new()];
            }
        }
        writeln!(out)?;
    }
    Ok(())
}

/// How many cells groups are about, each once.
fn distinct_cells(groups: &[Group]) -> usize {
    let endpoints = groups.iter().flat_map(|group| &group.endpoints);
    let cells = endpoints.flat_map(|(endpoint, cells)| {
        let cells = cells.iter();
        cells.flat_map(move |(target, actors)| {
            actors.iter().map(move |actor| (endpoint, target, actor))
        })
    });
    cells.collect::<BTreeSet<_>>().len()
}

/// A text inside a cell of a Markdown table. Symbols look like HTML tags, so they are escaped too.
fn escaped(text: &str) -> String {
    text.replace('|', "\\|")
        .replace('<', "&lt;")
        .replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drift(actor: &str) -> Drift {
        let [target, was, is] = ["own key", "403 a | <b>", "200"].map(str::to_owned);
        Drift {
            kind: Kind::Widened,
            level: Level::Deny,
            target: Some(target),
            actor: Some(actor.to_owned()),
            was,
            is,
            finding: None,
            parts: Vec::new(),
        }
    }

    #[test]
    fn what_differs_in_the_same_way_stands_together() {
        let groups = group([("key-update", vec![drift("owner"), drift("admin")])]);
        assert_eq!(groups.len(), 1);
        let mut out = Vec::new();
        markdown(&mut out, &groups).unwrap();
        let text = String::from_utf8(out).unwrap();
        let row = "| 403 a \\| &lt;b> | 200 | key-update | own key: owner, admin |";
        assert!(text.contains(row), "{text}");
        assert!(
            text.starts_with("**widened**: a call that was denied is allowed (2 cells)"),
            "{text}"
        );
    }

    fn said(write: impl Fn(&mut dyn Write, &[Group]) -> io::Result<()>, drift: Drift) -> String {
        let mut out = Vec::new();
        write(&mut out, &group([("key-update", vec![drift])])).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_terminal_has_what_was_and_what_is_where_there_is_any() {
        let widened = styled(DENIED, "widened");
        assert_eq!(
            said(human, drift("owner")),
            format!("{widened} key-update  own key: owner\n    - 403 a | <b>\n    + 200\n")
        );
        let new = Drift {
            was: String::new(),
            ..drift("owner")
        };
        assert_eq!(
            said(human, new),
            format!("{widened} key-update  own key: owner\n    + 200\n")
        );
    }

    /// A field that shows a value, of an actor's cell.
    fn shown(actor: &str, fields: &[&str]) -> Drift {
        let part = |field: &&str| (format!("{field}: <none>"), format!("{field}: 1"));
        Drift {
            kind: Kind::ValueShown,
            parts: fields.iter().map(part).collect(),
            ..drift(actor)
        }
    }

    #[test]
    fn a_field_that_comes_in_many_answers_stands_once() {
        let groups = group([
            (
                "key-info",
                vec![shown("owner", &["pay", "rank"]), shown("admin", &["pay"])],
            ),
            (
                "key-list",
                vec![shown("owner", &["pay", "rank"]), shown("admin", &["pay"])],
            ),
            ("key-new", vec![shown("owner", &["pay", "name"])]),
        ]);
        let mut out = Vec::new();
        human(&mut out, &groups).unwrap();
        let kind = styled(DENIED, "value-shown");
        assert_eq!(
            String::from_utf8(out).unwrap(),
            format!(
                "{kind} 5 cells of 3 endpoints\n    key-info, key-list  own key: owner, admin\n    key-new  own key: owner\n    \
                 - pay: <none>\n    + pay: 1\n\
                 {kind} key-info, key-list  own key: owner\n    - rank: <none>\n    + rank: 1\n\
                 {kind} key-new  own key: owner\n    - name: <none>\n    + name: 1\n"
            )
        );
        let fields = group([("key-info", vec![shown("owner", &["pay", "rank"])])]);
        let [fields] = fields.as_slice() else {
            panic!("{fields:?}")
        };
        assert_eq!(fields.is, "pay: 1, rank: 1");
    }

    #[test]
    fn what_is_about_no_cell_has_no_count_of_them() {
        let of_endpoint = Drift {
            target: None,
            actor: None,
            ..drift("")
        };
        let text = said(markdown, of_endpoint);
        assert!(
            text.starts_with("**widened**: a call that was denied is allowed\n"),
            "{text}"
        );
    }

    #[test]
    fn what_is_of_one_kind_stands_under_one_title() {
        let narrowed = Drift {
            kind: Kind::Narrowed,
            ..drift("owner")
        };
        let groups = group([
            ("key-update", vec![drift("owner"), narrowed]),
            ("key-delete", vec![drift("owner")]),
        ]);
        let mut out = Vec::new();
        markdown(&mut out, &groups).unwrap();
        let text = String::from_utf8(out).unwrap();
        let titles: Vec<&str> = text.lines().filter(|line| line.starts_with("**")).collect();
        let [widened, narrowed] = titles.as_slice() else {
            panic!("{text}")
        };
        assert!(widened.starts_with("**widened**") && widened.ends_with("(2 cells)"));
        assert!(narrowed.starts_with("**narrowed**") && narrowed.ends_with("(1 cells)"));
    }
}
