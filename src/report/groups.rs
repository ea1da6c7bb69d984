//! Drift on a terminal and as Markdown: what differs in the same way stands together.

use std::collections::BTreeSet;
use std::io::{self, Write};

use authz_pin_record::drift::Group;
use authz_pin_record::kinds::Level;
use authz_pin_record::text::{counted, short};
use indexmap::IndexSet;
use tabled::builder::Builder;
use tabled::settings::{Padding, Style};

use crate::terminal::{DENIED, FAINT, NOTABLE, styled};

/// How much of a report a terminal shows.
#[derive(Debug, Clone, Copy, Default)]
pub struct Shown {
    /// Whether all of it: every difference, every matrix, and the lines of the records.
    pub all: bool,
    /// How many characters a line can have; without it a line is as long as it is.
    pub width: Option<usize>,
}

impl Shown {
    /// As much of a line as fits behind an indent.
    pub(super) fn fitting(self, line: &str, indent: usize) -> String {
        let width = self.width.filter(|_| !self.all);
        let most = width.map_or(usize::MAX, |width| width.saturating_sub(indent + 3));
        short(line, most).into_owned()
    }
}

/// How many blanks stand between two columns.
pub(super) const GAP: usize = 2;

/// How many lines of differences are shown, so that they and the rest fit on a screen.
const LINES: usize = 44;

/// Of how many endpoints a terminal shows the cells.
const SHOWN: usize = 3;

/// Writes groups for a terminal: those that fit on a screen, worst first, or all.
pub fn human(out: &mut dyn Write, groups: &[Group], shown: Shown) -> io::Result<()> {
    let (mut free, mut told) = (LINES, 0);
    for group in groups {
        let lines = block(group, shown);
        if !shown.all && told > 0 && lines.len() > free {
            break;
        }
        free = free.saturating_sub(lines.len());
        told += 1;
        lines.iter().try_for_each(|line| writeln!(out, "{line}"))?;
    }
    match groups.len() - told {
        0 => Ok(()),
        left => {
            let text = format!("and {left} more, which `--all` shows");
            writeln!(out, "{}", styled(FAINT, &text))
        }
    }
}

/// A group as the lines of a terminal.
fn block(group: &Group, shown: Shown) -> Vec<String> {
    let id = group.kind.id();
    let mut lines = headed(group).into_iter();
    let first = lines.next().unwrap_or_default();
    let first = shown.fitting(&first, id.len() + 1);
    let rest = lines.chain(change(group, shown));
    let rest = rest.map(|line| shown.fitting(&line, 0));
    std::iter::once(format!("{} {first}", styled(style(group.level), &id)))
        .chain(rest)
        .collect()
}

/// How what weighs so much stands out.
pub(super) fn style(level: Level) -> anstyle::Style {
    match level {
        Level::Deny => DENIED,
        Level::Warn => NOTABLE,
        Level::Allow => FAINT,
    }
}

/// Writes a line for each kind, where there are several.
pub fn counts(out: &mut dyn Write, groups: &[Group]) -> io::Result<()> {
    let kinds: Vec<&[Group]> = groups.chunk_by(|a, b| a.kind == b.kind).collect();
    if kinds.len() < 2 {
        return Ok(());
    }
    let mut table = Builder::default();
    for of_kind in kinds {
        let Some(first) = of_kind.first() else {
            continue;
        };
        let title = first.kind.entry().map(|entry| entry.title.as_str());
        let cells = match distinct_cells(of_kind) {
            0 => String::new(),
            cells => counted(cells, "cell"),
        };
        table.push_record([
            styled(style(first.level), &first.kind.id()),
            cells,
            title.unwrap_or_default().to_owned(),
        ]);
    }
    writeln!(out)?;
    grid(out, table)
}

/// Writes a table without lines, and without blanks at the ends of its rows.
pub(super) fn grid(out: &mut dyn Write, table: Builder) -> io::Result<()> {
    let mut table = table.build();
    table
        .with(Style::blank().remove_vertical())
        .with(Padding::new(0, GAP, 0, 0));
    let table = table.to_string();
    let mut rows = table.lines().map(str::trim_end);
    rows.try_for_each(|row| writeln!(out, "{row}"))
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
            let mut change = texts(group).map(|texts| {
                let texts: Vec<String> = texts.into_iter().map(escaped).collect();
                texts.join("<br>")
            });
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

/// All that was, and all that is.
fn texts(group: &Group) -> [IndexSet<&str>; 2] {
    let first = (group.was.as_str(), group.is.as_str());
    let alike = group.alike.iter();
    let alike = alike.map(|(was, is)| (was.as_str(), is.as_str()));
    let (was, is) = std::iter::once(first).chain(alike).unzip();
    [was, is]
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

/// The endpoints, each with how many of its cells differ.
fn cells_of_each(group: &Group) -> String {
    let counts = group.endpoints.iter();
    let counts = counts.map(|(endpoint, cells)| {
        format!(
            "{endpoint} ({})",
            cells.values().map(Vec::len).sum::<usize>()
        )
    });
    counts.collect::<Vec<_>>().join(", ")
}

/// Where it is, as lines behind a terminal's word for the kind.
fn headed(group: &Group) -> Vec<String> {
    let places = group.places();
    let place = |(endpoints, cells): &(String, String)| match cells.as_str() {
        "" => endpoints.clone(),
        cells => format!("{endpoints}  {cells}"),
    };
    if let [only] = places.as_slice() {
        return vec![place(only)];
    }
    let cells = counted(group.count(), "cell");
    let endpoints = counted(group.endpoints.len(), "endpoint");
    let shown = if places.len() > SHOWN {
        vec![cells_of_each(group)]
    } else {
        places.iter().map(place).collect()
    };
    let shown = shown.into_iter().map(|line| format!("    {line}"));
    std::iter::once(format!("{cells} of {endpoints}"))
        .chain(shown)
        .collect()
}

/// What was and what is, each behind its sign.
fn change(group: &Group, shown: Shown) -> Vec<String> {
    let first = (group.was.clone(), group.is.clone());
    let alike = group.alike.iter().filter(|_| shown.all).cloned();
    let mut lines: Vec<String> = std::iter::once(first)
        .chain(alike)
        .flat_map(sides)
        .collect();
    if let Some(last) = lines.last_mut().filter(|_| !shown.all) {
        last.push_str(&group.like_it());
    }
    lines
}

/// Each side that says anything, as lines. A service that says several lines begins none of them.
fn sides((was, is): (String, String)) -> Vec<String> {
    let sides = [('-', was), ('+', is)].into_iter();
    let said = sides.filter(|(_, text)| !text.is_empty());
    let texts = said.map(|(sign, text)| format!("    {sign} {}", text.replace('\n', "\n    | ")));
    texts
        .flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use authz_pin_record::drift::{Drift, Kind, group};

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

    /// A terminal without a width.
    fn human(out: &mut dyn Write, groups: &[Group]) -> io::Result<()> {
        super::human(out, groups, Shown::default())
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
