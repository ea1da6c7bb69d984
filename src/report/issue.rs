//! What is not as pinned, each thing once and at one place of the suite, for forms that point at lines of files.

use std::borrow::Cow;

use authz_pin_record::causes::Cause;
use authz_pin_record::drift::{Cells, Comparison, Group, row, table};
use authz_pin_record::kinds::{Entry, Level};
use authz_pin_record::text::counted;
use authz_pin_suite::snapshot::Reason;
use authz_pin_suite::suite::Place;
use indexmap::IndexMap;

use super::{Outcome, Report};
use crate::asks::expired;
use crate::orphan::Orphan;

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
    /// The name of the endpoint, or of a snapshot that has none.
    pub(super) name: &'a str,
    pub(super) place: Cow<'a, Place>,
    /// The actors by target; what is said of an endpoint as a whole has none.
    pub(super) cells: Cells,
    /// The other endpoints of which the same is said.
    pub(super) others: IndexMap<String, Cells>,
    pub(super) was: String,
    pub(super) is: String,
    /// What else is said, where it is about no cells.
    pub(super) lines: Vec<String>,
}

/// Everything that is not as pinned, worst first; what differs in the same way in several endpoints stands once.
pub(super) fn all(report: &Report) -> Vec<Issue<'_>> {
    of_drifts(report, report.groups())
}

/// The same, endpoint by endpoint: what is said of one depends on no other.
pub(super) fn each(report: &Report) -> Vec<Issue<'_>> {
    let groups = report.endpoints.iter().flat_map(Outcome::groups);
    let mut groups: Vec<Group> = groups.collect();
    groups.sort_by_key(|group| group.kind);
    of_drifts(report, groups)
}

fn of_drifts(report: &Report, groups: Vec<Group>) -> Vec<Issue<'_>> {
    let whole = report.endpoints.iter().filter_map(Issue::of_endpoint);
    let groups = groups.into_iter();
    whole
        .chain(beside(report))
        .chain(groups.filter_map(|group| Issue::of_group(report, group)))
        .collect()
}

/// What is not as it should be beside what was swept.
pub(super) fn beside(report: &Report) -> impl Iterator<Item = Issue<'_>> {
    let outcomes = report.endpoints.iter();
    let expired = outcomes.flat_map(|it| it.expired.iter().map(|over| Issue::of_reason(it, over)));
    let open = report
        .open
        .iter()
        .flat_map(|cause| Issue::of_cause(report, cause));
    let orphans = report.orphans.iter().map(Issue::of_orphan);
    let inconclusive = Issue::of_inconclusive(report).into_iter();
    inconclusive.chain(expired).chain(open).chain(orphans)
}

/// Everything that an issue can be an instance of.
pub(super) fn rules() -> Vec<Rule> {
    let of_endpoints = [no_snapshot(), other_text()].into_iter();
    of_endpoints
        .chain(table().iter().map(Rule::from))
        .chain([no_endpoint(), reason_over(), says_too_little()])
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

/// A text none of whose further lines begins with words of its own.
pub(super) fn behind_marks(text: &str) -> String {
    text.replace('\n', "\n| ")
}

/// What was and what is, as lines of a diff.
pub(super) fn change(was: &str, is: &str) -> String {
    let sides = [('-', was), ('+', is)].into_iter();
    let said = sides.filter(|(_, text)| !text.is_empty());
    let lines = said.map(|(sign, text)| format!("{sign} {}", behind_marks(text)));
    lines.collect::<Vec<_>>().join("\n")
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
        Some(Self::about(outcome, of_whole(outcome)?, Vec::new()))
    }

    fn of_reason(outcome: &'a Outcome, over: &Reason) -> Self {
        let lines = std::iter::once(expired(over)).chain(over.about());
        Self::about(outcome, reason_over(), lines.collect())
    }

    /// A finding that is pinned, in each endpoint that has it.
    fn of_cause(report: &'a Report, cause: &'a Cause) -> impl Iterator<Item = Self> {
        let entry = cause.kind.entry();
        let endpoints = cause.endpoints.iter();
        endpoints.filter_map(move |(name, cells)| {
            let mut outcomes = report.endpoints.iter();
            let outcome = outcomes.find(|outcome| outcome.name == *name)?;
            let rule = Rule {
                level: cause.level,
                ..entry?.into()
            };
            Some(Self {
                cells: cells.clone(),
                ..Self::about(outcome, rule, vec![cause.finding.clone()])
            })
        })
    }

    /// It is about no endpoint; forms that point at a file point at the first one.
    fn of_inconclusive(report: &'a Report) -> Option<Self> {
        let place = report.endpoints.first().map(|outcome| &outcome.place);
        (!report.inconclusive.is_empty()).then(|| Self {
            rule: says_too_little(),
            name: &report.suite,
            place: place.map_or(Cow::Owned(Place::default()), Cow::Borrowed),
            cells: Cells::new(),
            others: IndexMap::new(),
            was: String::new(),
            is: String::new(),
            lines: report.inconclusive.clone(),
        })
    }

    fn about(outcome: &'a Outcome, rule: Rule, lines: Vec<String>) -> Self {
        Self {
            rule,
            name: &outcome.name,
            place: Cow::Borrowed(&outcome.place),
            cells: Cells::new(),
            others: IndexMap::new(),
            was: String::new(),
            is: String::new(),
            lines,
        }
    }

    fn of_orphan(orphan: &'a Orphan) -> Self {
        let place = Place {
            file: orphan.files.first().cloned().unwrap_or_default(),
            ..Place::default()
        };
        Self {
            rule: Rule {
                level: orphan.level,
                title: orphan.title(),
                ..no_endpoint()
            },
            name: &orphan.name,
            place: Cow::Owned(place),
            cells: Cells::new(),
            others: IndexMap::new(),
            was: String::new(),
            is: String::new(),
            lines: orphan.lines(),
        }
    }

    fn of_group(report: &'a Report, group: Group) -> Option<Self> {
        let is = group.is.clone() + &group.like_it();
        let mut others = group.endpoints;
        let (name, cells) = others.shift_remove_index(0)?;
        let mut outcomes = report.endpoints.iter();
        let outcome = outcomes.find(|outcome| outcome.name == name)?;
        let rule = Rule {
            level: group.level,
            ..group.kind.entry()?.into()
        };
        Some(Self {
            cells,
            others,
            was: group.was,
            is,
            ..Self::about(outcome, rule, Vec::new())
        })
    }

    /// The endpoint, and how many others there are.
    pub(super) fn names(&self) -> String {
        match self.others.len() {
            0 => self.name.to_owned(),
            others => format!("{} and {}", self.name, counted(others, "other endpoint")),
        }
    }

    /// The line of the suite's file: that of the first target.
    pub(super) fn line(&self) -> usize {
        let target = self.cells.keys().next();
        self.place.line_of(target.map(String::as_str))
    }

    /// What else is said, the cells, a target per line, then what was and what is.
    pub(super) fn details(&self) -> Vec<String> {
        let rows = self.cells.iter().map(row);
        let others = self.others.iter().flat_map(|(name, cells)| {
            let name = if cells.is_empty() {
                name.clone()
            } else {
                format!("{name}:")
            };
            let rows = cells.iter().map(|cells| format!("  {}", row(cells)));
            std::iter::once(name).chain(rows)
        });
        let change = Some(change(&self.was, &self.is)).filter(|text| !text.is_empty());
        let rows = self.lines.iter().cloned().chain(rows).chain(others);
        rows.chain(change).collect()
    }

    /// The same as a text; where there is nothing to say, what the kind means.
    pub(super) fn text(&self) -> String {
        match self.details().as_slice() {
            [] => self.rule.explanation.replace('\n', " "),
            lines => lines.join("\n"),
        }
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

fn no_endpoint() -> Rule {
    Rule {
        id: "unreferenced-snapshot".to_owned(),
        level: Level::Deny,
        title: "a snapshot belongs to no endpoint of the suite",
        explanation: "What it pins is compared with nothing. If the endpoint was removed, delete the file, or let \
                      `--unreferenced delete` do it; if its file is missing, restore it.",
    }
}

fn reason_over() -> Rule {
    Rule {
        id: "reason-over".to_owned(),
        level: Level::Deny,
        title: "the time of a reason is over",
        explanation: "Something was accepted until a day that is over. Mend the service, or record the endpoint again with \
                      another reason.",
    }
}

fn says_too_little() -> Rule {
    Rule {
        id: "inconclusive".to_owned(),
        level: Level::Deny,
        title: "what was answered does not say enough",
        explanation: "A credential does not work, the service was not well, nobody was allowed anything, or the suite is a \
                      draft. What is as pinned may be so for that reason alone.",
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
