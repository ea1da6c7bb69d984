//! Drift as a person reads it: what differs in the same way stands together.

use std::io::{self, Write};

use indexmap::IndexMap;
use serde::Serialize;

use super::{Drift, Kind};
use crate::kinds::Level;
use crate::terminal::{DENIED, FAINT, NOTABLE, styled};

/// The cells of one endpoint that differ in the same way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Group {
    /// In which direction.
    pub kind: Kind,
    /// How much it weighs.
    pub level: Level,
    /// The endpoint's name.
    pub endpoint: String,
    /// What it was.
    pub was: String,
    /// What it is.
    pub is: String,
    /// The actors by target; a finding has none.
    pub cells: IndexMap<String, Vec<String>>,
}

impl Group {
    /// How many cells there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.cells.values().map(Vec::len).sum()
    }

    /// The cells as a line.
    #[must_use]
    pub fn cells(&self) -> String {
        let row =
            |(target, actors): (&String, &Vec<String>)| format!("{target}: {}", actors.join(", "));
        self.cells.iter().map(row).collect::<Vec<_>>().join("; ")
    }
}

/// Puts together what differs in the same way, worst first, else in the endpoints' order.
#[must_use]
pub fn group<'a>(drifts: impl IntoIterator<Item = (&'a str, Vec<Drift>)>) -> Vec<Group> {
    let mut groups: IndexMap<(Kind, String, String, String), Group> = IndexMap::new();
    for (endpoint, drifts) in drifts {
        for drift in drifts {
            let key = (
                drift.kind,
                endpoint.to_owned(),
                drift.was.clone(),
                drift.is.clone(),
            );
            let group = groups.entry(key).or_insert_with(|| Group {
                kind: drift.kind,
                level: drift.level,
                endpoint: endpoint.to_owned(),
                was: drift.was,
                is: drift.is,
                cells: IndexMap::new(),
            });
            if let (Some(target), Some(actor)) = (drift.target, drift.actor) {
                group.cells.entry(target).or_default().push(actor);
            }
        }
    }
    let mut groups: Vec<Group> = groups.into_values().collect();
    groups.sort_by_key(|group| group.kind);
    groups
}

/// Writes groups for a terminal.
pub fn human(out: &mut dyn Write, groups: &[Group]) -> io::Result<()> {
    for group in groups {
        let style = match group.level {
            Level::Deny => DENIED,
            Level::Warn => NOTABLE,
            Level::Allow => FAINT,
        };
        let cells = Some(group.cells()).filter(|cells| !cells.is_empty());
        let cells = cells.map(|cells| format!("  {cells}"));
        let kind = styled(style, &group.kind.id());
        let cells = cells.unwrap_or_default();
        writeln!(out, "{kind} {}{cells}", group.endpoint)?;
        for (sign, text) in [('-', &group.was), ('+', &group.is)]
            .into_iter()
            .filter(|(_, text)| !text.is_empty())
        {
            writeln!(out, "    {sign} {text}")?;
        }
    }
    Ok(())
}

/// Writes groups as Markdown: a section per kind, a table row per group.
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
        let cells: usize = of_kind.iter().map(Group::count).sum();
        let count = if cells == 0 {
            String::new()
        } else {
            format!(" ({cells} cells)")
        };
        writeln!(out, "**{}**: {title}{count}\n", first.kind.id())?;
        writeln!(out, "| endpoint | cells | was | is |\n|---|---|---|---|")?;
        for group in of_kind {
            let [cells, was, is] =
                [group.cells(), group.was.clone(), group.is.clone()].map(|text| escaped(&text));
            writeln!(out, "| {} | {cells} | {was} | {is} |", group.endpoint)?;
        }
        writeln!(out)?;
    }
    Ok(())
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
        }
    }

    #[test]
    fn what_differs_in_the_same_way_stands_together() {
        let groups = group([("key-update", vec![drift("owner"), drift("admin")])]);
        assert_eq!(groups.len(), 1);
        let mut out = Vec::new();
        markdown(&mut out, &groups).unwrap();
        let text = String::from_utf8(out).unwrap();
        let row = "| key-update | own key: owner, admin | 403 a \\| &lt;b> | 200 |";
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
