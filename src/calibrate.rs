//! What two sweeps of the same service show differently, field by field, and the rule of the suite that would steady it.
//!
//! A status, a gate's type, the presence of an effect, what is disclosed and what a probe brings are what is pinned: no
//! rule is ever made for them.

mod background;
mod edit;
mod refusal;
mod wording;

use std::collections::BTreeSet;

use indexmap::IndexMap;
use serde_json::{Map, Value as Json};

use crate::observation::{ColumnChange, RowChange};
use crate::record::{Cell, Record, Scalar, Unprinted, Value, Visitor};
use crate::suite::{
    ExactText, Glob, HeaderPattern, JsonPath, PatternText, Suite, SuiteFile, TextRule,
    UnstableValue, subject,
};
use crate::sweep::{Answered, Own, Sweep};
use crate::text::{is_uuid, plain};

pub use background::{background, told};
pub use edit::{add, shown};

use background::together;

/// A field of a cell that is not the same in two sweeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unstable {
    /// The endpoint.
    pub endpoint: String,
    /// The cell as `target/actor`; of what no cell has, nothing.
    pub cell: String,
    /// The field: `status`, `body a.b[].c`, `insert Table.column.member`.
    pub field: String,
    /// What it was the first time.
    pub first: String,
    /// What it was the second time.
    pub second: String,
    /// The rule that would steady it.
    pub rule: Option<Rule>,
    /// Where the answer holds the value, which is steadied by capturing it there.
    pub answered: Option<Answered>,
}

/// A rule of a suite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule {
    /// An entry of `unstable_columns`.
    Column {
        /// `Table.column` or `Table.column.member`.
        key: String,
        /// What stands for the value.
        name: String,
    },
    /// An entry of `texts`.
    Text {
        /// What the service wrote the second time.
        from: String,
        /// What it wrote the first time.
        to: String,
    },
    /// An entry of `headers.ignore`.
    Header {
        /// A header's name, or `set-cookie=NAME`.
        name: String,
    },
    /// An entry of `texts` with a pattern.
    Pattern {
        /// The regular expression.
        pattern: String,
        /// Which of its groups are lists.
        lists: Vec<String>,
    },
    /// An entry of `refusal.ignore`.
    Ignore {
        /// The JSON path.
        path: String,
    },
    /// An entry of `values.unstable`.
    Value {
        /// The JSON path.
        at: String,
        /// What stands for the value.
        name: String,
        /// The endpoint's name.
        endpoint: String,
    },
    /// An entry of `masks` of a kind, in world.yaml: a text shows a known value in part.
    Mask {
        /// The kind whose value it is.
        kind: String,
        /// The mask's name.
        name: String,
        /// The mask as a template.
        template: String,
    },
    /// An entry of `background`.
    Background(Own),
    /// An entry of `endpoints` that has the calls of an endpoint made one at a time.
    Alone {
        /// The endpoint's name.
        endpoint: String,
    },
}

impl Rule {
    /// Whether the suite has it already, for that endpoint.
    fn is_in(&self, file: &SuiteFile, endpoint: &str) -> bool {
        let mut texts = file.texts.iter().filter(|rule| rule.is_for(endpoint));
        match self {
            Self::Column { key, .. } => file.unstable_columns.contains_key(key),
            Self::Text { from, .. } => texts.any(|rule| match rule {
                TextRule::Exact(rule) => rule.from == *from,
                TextRule::Pattern(_) => false,
            }),
            Self::Pattern { pattern, .. } => texts.any(|rule| match rule {
                TextRule::Exact(_) => false,
                TextRule::Pattern(rule) => rule.pattern.as_str() == pattern,
            }),
            Self::Ignore { path } => {
                let mut paths = file.refusal.ignore.iter();
                paths.any(|known| known.as_str() == path)
            }
            Self::Value { at, endpoint, .. } => {
                let mut rules = file.values.unstable.iter();
                rules.any(|rule| rule.at.as_str() == at && rule.is_for(endpoint))
            }
            Self::Mask { .. } => false,
            Self::Header { name } => !file.headers.lists(name),
            Self::Background(Own::Table(table)) => {
                let mut patterns = file.background.tables.iter();
                patterns.any(|pattern| pattern.is_match(table))
            }
            Self::Background(Own::Columns(columns)) => {
                file.background.columns.contains(&together(columns))
            }
            Self::Alone { endpoint } => {
                let spec = file.endpoints.get(endpoint.as_str());
                spec.is_some_and(|spec| spec.alone == Some(true))
            }
        }
    }

    /// Whether another one is for the same thing: a column has one name, and a text one other.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Column { key, .. }, Self::Column { key: other, .. }) => key == other,
            (Self::Pattern { pattern, .. }, Self::Pattern { pattern: other, .. }) => {
                pattern == other
            }
            (
                Self::Text { from, to },
                Self::Text {
                    from: other,
                    to: back,
                },
            ) => from == other || (from == back && to == other),
            _ => self == other,
        }
    }

    /// Whether it stands in suite.yaml.
    #[must_use]
    pub fn is_of_the_suite(&self) -> bool {
        !matches!(self, Self::Mask { .. })
    }

    /// Makes it one of the suite's.
    pub fn apply(&self, file: &mut SuiteFile, because: &str) {
        match self {
            Self::Column { key, name } => {
                file.unstable_columns.insert(key.clone(), name.clone());
            }
            Self::Text { from, to } => file.texts.push(TextRule::Exact(ExactText {
                from: from.clone(),
                to: to.clone(),
                because: because.to_owned(),
            })),
            Self::Pattern { pattern, lists } => {
                let rule = pattern.clone().try_into().map(|pattern| PatternText {
                    pattern,
                    lists: lists.clone(),
                    endpoints: Vec::new(),
                    because: because.to_owned(),
                });
                file.texts.extend(rule.map(TextRule::Pattern));
            }
            Self::Ignore { path } => {
                let path = JsonPath::try_from(path.clone());
                file.refusal.ignore.extend(path);
            }
            Self::Value { at, name, endpoint } => {
                let rule = JsonPath::try_from(at.clone()).map(|at| UnstableValue {
                    at,
                    name: name.clone(),
                    endpoints: Glob::of_name(endpoint).into_iter().collect(),
                });
                file.values.unstable.extend(rule);
            }
            Self::Mask { .. } => {}
            Self::Header { name } => {
                file.headers.ignore.extend(HeaderPattern::of_name(name));
            }
            Self::Background(Own::Table(table)) => {
                file.background.tables.extend(Glob::of_name(table));
            }
            Self::Background(Own::Columns(columns)) => {
                file.background.columns.push(together(columns));
            }
            Self::Alone { endpoint } => {
                if let Ok(name) = Glob::of_name(endpoint) {
                    file.endpoints.entry(name).or_default().alone = Some(true);
                }
            }
        }
    }
}

/// Every field in which the records of two sweeps differ, in their order. A rule that the suite has already does not help.
#[must_use]
pub fn unstable(suite: &Suite, first: &Sweep, second: &Sweep) -> Vec<Unstable> {
    let (nothing, no_texts) = (Record::default(), Unprinted::default());
    let mut found = Vec::new();
    for (endpoint, record) in &first.records {
        let pair = Pair {
            suite,
            endpoint,
            first: record,
            second: second.records.get(endpoint).unwrap_or(&nothing),
            texts: [first, second].map(|sweep| sweep.unprinted.get(endpoint).unwrap_or(&no_texts)),
        };
        found.extend(pair.unstable());
    }
    for one in &mut found {
        let is_new = |rule: &Rule| !rule.is_in(&suite.file, &one.endpoint);
        one.rule = one.rule.take().filter(is_new);
        // A credential that is new each time is no column to look away from.
        if let Some(Rule::Column { key, .. }) = &one.rule {
            let columns = first.answered.get(&one.endpoint);
            one.answered = columns.and_then(|columns| columns.get(key)).cloned();
            one.rule = one.rule.take().filter(|_| one.answered.is_none());
        }
    }
    found
}

/// What calls wrote when they were made together, and not when each was made alone.
#[must_use]
pub fn unrepeated(endpoint: &str, lost: &[String]) -> Unstable {
    Unstable {
        endpoint: endpoint.to_owned(),
        cell: "all cells".to_owned(),
        field: "effects".to_owned(),
        first: lost.join(", "),
        second: "fewer or none of the same calls, each made alone".to_owned(),
        rule: Some(Rule::Alone {
            endpoint: endpoint.to_owned(),
        }),
        answered: None,
    }
}

/// The records of one endpoint.
struct Pair<'a> {
    suite: &'a Suite,
    endpoint: &'a str,
    first: &'a Record,
    second: &'a Record,
    /// The texts of refusals as a whole, of both sweeps.
    texts: [&'a Unprinted; 2],
}

/// A field, what it was, what it is, and the rule for it.
type Found = (String, String, String, Option<Rule>);

impl Pair<'_> {
    fn unstable(&self) -> Vec<Unstable> {
        let mut found = Vec::new();
        for (target, actor, first) in self.first.iter() {
            let second = self.second.cell_at(target, actor);
            let of_cell = match second {
                Some(second) => {
                    let twice = Twice {
                        pair: self,
                        target,
                        first,
                        second,
                    };
                    twice.visit().flatten().collect()
                }
                None => vec![not_swept(first)],
            };
            let of_cell = of_cell.into_iter();
            found.extend(of_cell.map(|one| self.named(format!("{target}/{actor}"), one)));
        }
        if found.is_empty() && self.first != self.second {
            found.push(self.named(String::new(), self.rest()));
        }
        found
    }

    fn named(&self, cell: String, (field, first, second, rule): Found) -> Unstable {
        Unstable {
            endpoint: self.endpoint.to_owned(),
            cell,
            field,
            first,
            second,
            rule,
            answered: None,
        }
    }

    /// What differs although no cell does.
    fn rest(&self) -> Found {
        let [first, second] = [self.first, self.second].map(|record| {
            let findings = record.findings.iter().map(ToString::to_string);
            findings.collect::<Vec<_>>().join("; ")
        });
        let field = if first == second {
            "layout"
        } else {
            "findings"
        };
        (field.to_owned(), first, second, None)
    }

    /// Whether two texts are of one gate: their types are the same, where the suite says what a type is.
    fn is_same_gate(&self, was: &str, is: &str) -> bool {
        let kind = |text: &str| text.split_once(": ").map(|(kind, _)| kind.to_owned());
        let has_both = !was.is_empty() && !is.is_empty();
        has_both && (self.suite.file.refusal.kind.is_none() || kind(was) == kind(is))
    }
}

/// A cell of both sweeps, and what differs in each aspect.
struct Twice<'a> {
    pair: &'a Pair<'a>,
    target: &'a str,
    first: &'a Cell,
    second: &'a Cell,
}

impl Twice<'_> {
    fn texts(&self, text: impl Fn(&Record, &Cell) -> String) -> [String; 2] {
        [
            text(self.pair.first, self.first),
            text(self.pair.second, self.second),
        ]
    }
}

/// What stands for a value that varies, by what it is.
fn kind_of(was: Option<&Value>, is: Option<&Value>) -> &'static str {
    let both = |is_it: fn(&Value) -> bool| was.is_some_and(is_it) && is.is_some_and(is_it);
    if both(|value| matches!(value, Value::One(Scalar::Number(_)))) {
        "<number>"
    } else if both(|value| matches!(value, Value::One(Scalar::Text(_)))) {
        "<text>"
    } else {
        "<unstable>"
    }
}

impl Twice<'_> {
    fn of_value(&self, path: &str, [was, is]: [Option<&Value>; 2]) -> Found {
        let text =
            |value: Option<&Value>| value.map_or("not there".to_owned(), ToString::to_string);
        let rule = refusal::json_path(path).map(|at| Rule::Value {
            at,
            name: kind_of(was, is).to_owned(),
            endpoint: self.pair.endpoint.to_owned(),
        });
        (format!("value {path}"), text(was), text(is), rule)
    }
}

impl Visitor for Twice<'_> {
    type Found = Vec<Found>;

    /// Of another verdict the status is told, which is what people look for.
    fn verdict(&self) -> Vec<Found> {
        if self.first.decision == self.second.decision {
            return Vec::new();
        }
        let [was, is] = self.texts(|_, cell| cell.answer());
        vec![("status".to_owned(), was, is, None)]
    }

    /// A status is part of what is decided.
    fn status(&self) -> Vec<Found> {
        Vec::new()
    }

    fn gate(&self) -> Vec<Found> {
        let [was, is] = self.texts(|record, cell| {
            let gate = record.gate_of(cell);
            gate.unwrap_or_default().to_owned()
        });
        if was == is {
            return Vec::new();
        }
        let is_same = self.first.decision == self.second.decision;
        let is_same = is_same && self.pair.is_same_gate(&was, &is);
        self.of_wording("gate", [&was, &is], is_same)
    }

    /// The fields beside the message, one by one.
    fn also(&self) -> Vec<Found> {
        let [was, is] = [
            self.pair.first.also_of(self.first),
            self.pair.second.also_of(self.second),
        ];
        let paths: BTreeSet<&String> = was.keys().chain(is.keys()).collect();
        let differ = paths
            .into_iter()
            .filter(|path| was.get(*path) != is.get(*path));
        differ
            .flat_map(|path| self.of_field(path, [was.get(path), is.get(path)]))
            .collect()
    }

    /// One that comes and goes, or says something else each time, is told by its name.
    fn headers(&self) -> Vec<Found> {
        let was = self.pair.first.headers_of(self.first);
        let is = self.pair.second.headers_of(self.second);
        let differing = was.symmetric_difference(&is);
        let subjects: BTreeSet<String> = differing.map(|line| subject(line)).collect();
        let of = |name: String| {
            let [was, is] = [&was, &is].map(|lines| of_subject(lines, &name));
            let rule = Rule::Header { name: name.clone() };
            (format!("header {name}"), was, is, Some(rule))
        };
        subjects.into_iter().map(of).collect()
    }

    fn effects(&self) -> Vec<Found> {
        let was = effects(self.pair.first, self.first);
        let is = effects(self.pair.second, self.second);
        let names: BTreeSet<&String> = was.keys().chain(is.keys()).collect();
        let none = Vec::new();
        let of = |name: &&String| {
            let [was, is] = [&was, &is].map(|effects| effects.get(*name).unwrap_or(&none));
            of_table(name, was, is)
        };
        names.iter().flat_map(of).collect()
    }

    fn discloses(&self) -> Vec<Found> {
        let lists = [self.first, self.second].map(|cell| cell.discloses.iter().cloned().collect());
        sets("discloses", lists)
    }

    fn probes(&self) -> Vec<Found> {
        let probes = [self.first, self.second].map(|cell| {
            let probes = cell.probes.iter();
            probes
                .map(|(name, reply)| format!("{name}: {reply}"))
                .collect()
        });
        sets("probes", probes)
    }

    /// Path by path: a value that is another one each time has a kind there.
    fn values(&self) -> Vec<Found> {
        let was = self.pair.first.values_of(self.first).unwrap_or_default();
        let is = self.pair.second.values_of(self.second).unwrap_or_default();
        let paths: BTreeSet<&String> = was.keys().chain(is.keys()).collect();
        let differ = paths.into_iter();
        let differ = differ.filter(|path| was.get(*path) != is.get(*path));
        differ
            .map(|path| self.of_value(path, [was.get(path), is.get(path)]))
            .collect()
    }

    fn shape(&self) -> Vec<Found> {
        let shapes = [
            shape(self.pair.first, self.first),
            shape(self.pair.second, self.second),
        ];
        sets("body", shapes)
    }
}

/// The lines about one header, or one cookie.
fn of_subject(lines: &BTreeSet<String>, name: &str) -> String {
    let lines = lines.iter().filter(|line| subject(line) == name);
    let lines: Vec<&str> = lines.map(String::as_str).collect();
    if lines.is_empty() {
        "not there".to_owned()
    } else {
        lines.join(", ")
    }
}

/// That only the first sweep has the cell.
fn not_swept(first: &Cell) -> Found {
    let (was, is) = (first.answer(), "not swept".to_owned());
    ("status".to_owned(), was, is, None)
}

/// The fields of a cell's body.
fn shape(record: &Record, cell: &Cell) -> BTreeSet<String> {
    record.shape_of(cell).cloned().unwrap_or_default()
}

/// The row changes of a cell by operation and table.
fn effects<'a>(record: &'a Record, cell: &'a Cell) -> IndexMap<String, Vec<&'a RowChange>> {
    let mut found = IndexMap::<String, Vec<&RowChange>>::new();
    for label in cell.effects.labels() {
        let changes = found.entry(label.act()).or_default();
        changes.extend(record.effects.get(label));
    }
    found
}

/// What differs between the changes of one kind to one table. As many of them are the same ones.
fn of_table(name: &str, was: &[&RowChange], is: &[&RowChange]) -> Vec<Found> {
    if was.len() != is.len() {
        let count = |changes: &[&RowChange]| format!("{} rows", changes.len());
        return vec![(name.to_owned(), count(was), count(is), None)];
    }
    let is_new = |change: &&&RowChange| !was.contains(*change);
    let is_gone = |change: &&&RowChange| !is.contains(*change);
    let gone = was.iter().filter(is_gone);
    let pairs = gone.zip(is.iter().filter(is_new));
    pairs.flat_map(|(was, is)| of_row(name, was, is)).collect()
}

fn of_row(name: &str, was: &RowChange, is: &RowChange) -> Vec<Found> {
    let table = name.split_once(' ').map_or(name, |(_, table)| table);
    let columns = was.columns.iter().chain(&is.columns);
    let names: BTreeSet<&String> = columns.map(|(column, _)| column).collect();
    let mut found = Vec::new();
    for column in names {
        match (was.column(column), is.column(column)) {
            (Some(was), Some(is)) if was != is => {
                found.extend(of_column(name, table, column, was, is));
            }
            (Some(_), Some(_)) => {}
            (was, is) => {
                let text = |change: Option<&ColumnChange>| {
                    change.map_or_else(|| "not set".to_owned(), ToString::to_string)
                };
                let [was, is] = [was, is].map(text);
                found.push((format!("{name}.{column}"), was, is, None));
            }
        }
    }
    // A key that a column explains is steady with it.
    if found.is_empty() && was.row != is.row {
        found.push((format!("{name} key"), was.row.clone(), is.row.clone(), None));
    }
    found
}

/// The column as a whole, or those members of its JSON object that differ.
fn of_column(
    name: &str,
    table: &str,
    column: &str,
    was: &ColumnChange,
    is: &ColumnChange,
) -> Vec<Found> {
    let members = members(was, is);
    if members.is_empty() {
        let rule = column_rule(format!("{table}.{column}"), was.written(), is.written());
        return vec![(
            format!("{name}.{column}"),
            was.to_string(),
            is.to_string(),
            Some(rule),
        )];
    }
    let found = members.into_iter().map(|(member, was, is)| {
        let rule = column_rule(format!("{table}.{column}.{member}"), &was, &is);
        (format!("{name}.{column}.{member}"), was, is, Some(rule))
    });
    found.collect()
}

/// The members in which JSON objects differ that have the same ones; none where they are not such.
fn members(was: &ColumnChange, is: &ColumnChange) -> Vec<(String, String, String)> {
    let (Some(was), Some(is)) = (objects(was), objects(is)) else {
        return Vec::new();
    };
    if was.len() != is.len() {
        return Vec::new();
    }
    let mut found = IndexMap::<String, (String, String)>::new();
    for (was, is) in was.iter().zip(&is) {
        if !was.keys().eq(is.keys()) {
            return Vec::new();
        }
        let differs = was
            .iter()
            .filter(|(member, value)| is.get(*member) != Some(*value));
        for (member, value) in differs {
            let other = is.get(member).unwrap_or(&Json::Null);
            found
                .entry(member.clone())
                .or_insert_with(|| (plain(value), plain(other)));
        }
    }
    found
        .into_iter()
        .map(|(member, (was, is))| (member, was, is))
        .collect()
}

/// The object that was set, or those that were changed: one side can be no object.
fn objects(change: &ColumnChange) -> Option<Vec<Map<String, Json>>> {
    let parse = |text: &String| serde_json::from_str::<Map<String, Json>>(text).ok();
    let all: Vec<_> = match change {
        ColumnChange::Set(new) => parse(new).into_iter().collect(),
        ColumnChange::Changed { old, new } => [old, new].into_iter().filter_map(parse).collect(),
    };
    Some(all).filter(|all| !all.is_empty())
}

fn column_rule(key: String, was: &str, is: &str) -> Rule {
    let both = |is_it: fn(&str) -> bool| is_it(was) && is_it(is);
    let name = match () {
        () if both(is_moment) => "<timestamp>",
        () if both(is_uuid) => "<uuid>",
        () if both(is_number) => "<number>",
        () => "<unstable>",
    };
    Rule::Column {
        key,
        name: name.to_owned(),
    }
}

fn is_number(text: &str) -> bool {
    text.parse::<f64>().is_ok()
}

fn is_moment(text: &str) -> bool {
    let digits = |range| {
        text.get(range)
            .is_some_and(|part: &str| part.bytes().all(|b| b.is_ascii_digit()))
    };
    let is = |at: usize, wanted: &[u8]| {
        text.as_bytes()
            .get(at)
            .is_some_and(|byte| wanted.contains(byte))
    };
    digits(0..4) && is(4, b"-") && digits(5..7) && is(7, b"-") && digits(8..10) && is(10, b"T ")
}

/// What only one of two sets has, as one field where both have a name for it.
fn sets(field: &str, [was, is]: [BTreeSet<String>; 2]) -> Vec<Found> {
    let of = |name: &String| {
        let [was, is] = [&was, &is].map(|set| {
            if set.contains(name) {
                "there"
            } else {
                "not there"
            }
        });
        (
            format!("{field} {name}"),
            was.to_owned(),
            is.to_owned(),
            None,
        )
    };
    was.symmetric_difference(&is).map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_unstable_by_its_members() {
        let set = |text: &str| ColumnChange::Set(text.to_owned());
        let changed = |new: &str| ColumnChange::Changed {
            old: r#"{"n": 1}"#.to_owned(),
            new: new.to_owned(),
        };
        let found = members(
            &set(r#"{"a": 1, "at": "x"}"#),
            &set(r#"{"a": 1, "at": "y"}"#),
        );
        assert_eq!(found, [("at".to_owned(), "x".to_owned(), "y".to_owned())]);
        let updated = members(&changed(r#"{"n": 2}"#), &changed(r#"{"n": 3}"#));
        assert_eq!(updated, [("n".to_owned(), "2".to_owned(), "3".to_owned())]);
        assert_eq!(members(&set(r#"{"a": 1}"#), &set(r#"{"b": 1}"#)), []);
        assert_eq!(members(&set("1"), &set("2")), []);
    }

    #[test]
    fn the_name_of_a_value_says_what_it_is() {
        let name = |was: &str, is: &str| match column_rule(String::new(), was, is) {
            Rule::Column { name, .. } => name,
            _ => String::new(),
        };
        assert_eq!(
            name("2026-01-31T12:00:00", "2026-01-31 12:00:01"),
            "<timestamp>"
        );
        assert_eq!(name("2", "3"), "<number>");
        assert_eq!(name("a", "1"), "<unstable>");
        let [one, other] = [
            "2b1d0a9e-1111-4222-8333-444455556666",
            "2b1d0a9e-1111-4222-8333-444455556667",
        ];
        assert_eq!(name(one, other), "<uuid>");
    }
}
