//! What is not as pinned, each thing once and at one place of the suite, for forms that point at lines of files.

use indexmap::IndexMap;

use super::{Outcome, Report};
use crate::drift::{Comparison, Group, table};
use crate::kinds::{Entry, Level};

/// What an issue is an instance of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rule {
    pub(super) id: String,
    pub(super) level: Level,
    /// One line.
    pub(super) title: &'static str,
    /// What it means and what to do.
    pub(super) explanation: &'static str,
}

/// Something that is not as pinned.
#[derive(Debug, Clone)]
pub(super) struct Issue<'a> {
    pub(super) rule: Rule,
    pub(super) outcome: &'a Outcome,
    /// The actors by target; what is said of an endpoint as a whole has none.
    pub(super) cells: IndexMap<String, Vec<String>>,
    pub(super) was: String,
    pub(super) is: String,
}

/// Everything that is not as pinned, worst first.
pub(super) fn all(report: &Report) -> Vec<Issue<'_>> {
    let whole = report.endpoints.iter().filter_map(Issue::of_endpoint);
    let groups = report.groups();
    let groups = groups.into_iter();
    whole
        .chain(groups.filter_map(|group| Issue::of_group(report, group)))
        .collect()
}

/// Everything that an issue can be an instance of.
pub(super) fn rules() -> Vec<Rule> {
    let of_endpoints = [no_snapshot(), other_text()];
    of_endpoints
        .into_iter()
        .chain(table().iter().map(Rule::from))
        .collect()
}

/// The rule that an endpoint breaks as a whole, where no drift says it.
pub(super) fn of_whole(outcome: &Outcome) -> Option<Rule> {
    match &outcome.comparison {
        Comparison::New => Some(no_snapshot()),
        Comparison::Changed { drifts, .. } if drifts.is_empty() => Some(other_text()),
        Comparison::Changed { .. } | Comparison::Same => None,
    }
}

/// What was and what is, as lines of a diff.
pub(super) fn change(was: &str, is: &str) -> String {
    let sides = [('-', was), ('+', is)].into_iter();
    let said = sides.filter(|(_, text)| !text.is_empty());
    let lines: Vec<String> = said.map(|(sign, text)| format!("{sign} {text}")).collect();
    lines.join("\n")
}

impl From<&'static Entry> for Rule {
    fn from(entry: &'static Entry) -> Self {
        Self {
            id: entry.id.clone(),
            level: entry.level,
            title: &entry.title,
            explanation: entry.explanation.trim_end(),
        }
    }
}

impl<'a> Issue<'a> {
    fn of_endpoint(outcome: &'a Outcome) -> Option<Self> {
        Some(Self {
            rule: of_whole(outcome)?,
            outcome,
            cells: IndexMap::new(),
            was: String::new(),
            is: String::new(),
        })
    }

    fn of_group(report: &'a Report, group: Group) -> Option<Self> {
        let mut endpoints = report.endpoints.iter();
        Some(Self {
            rule: Rule {
                level: group.level,
                ..group.kind.entry()?.into()
            },
            outcome: endpoints.find(|outcome| outcome.name == group.endpoint)?,
            cells: group.cells,
            was: group.was,
            is: group.is,
        })
    }

    /// The line of the suite's file: that of the first target.
    pub(super) fn line(&self) -> usize {
        let target = self.cells.keys().next();
        self.outcome.place.line_of(target.map(String::as_str))
    }

    /// The cells, a target per line, then what was and what is.
    pub(super) fn text(&self) -> String {
        let row =
            |(target, actors): (&String, &Vec<String>)| format!("{target}: {}", actors.join(", "));
        let rows = self.cells.iter().map(row);
        let change = Some(change(&self.was, &self.is)).filter(|text| !text.is_empty());
        let lines: Vec<String> = rows.chain(change).collect();
        if lines.is_empty() {
            return self.rule.explanation.replace('\n', " ");
        }
        lines.join("\n")
    }
}

fn no_snapshot() -> Rule {
    Rule {
        id: "no-snapshot".to_owned(),
        level: Level::Deny,
        title: "an endpoint has no snapshot yet",
        explanation: "Nothing is pinned of this endpoint. Review what was recorded, and accept it.",
    }
}

fn other_text() -> Rule {
    Rule {
        id: "other-text".to_owned(),
        level: Level::Deny,
        title: "a snapshot differs as text only",
        explanation: "The record differs from its snapshot, though in no cell, or the snapshot cannot be read as a record. \
                      Look at the lines that differ.",
    }
}
