//! What two sweeps of the same service show differently, field by field, and the rule of the suite that would steady it.
//!
//! A status, a gate's type, the presence of an effect, what is disclosed and what a probe brings are what is pinned: no
//! rule is ever made for them.

mod background;
mod edit;
mod effects;
mod refusal;
mod values;
mod wording;

use std::collections::{BTreeSet, HashSet};

use crate::again::Cells;
use crate::sweep::{Answered, Own, Sweep};

pub use background::{background, told};
pub use edit::{add, shown};

use authz_pin_record::record::{Cell, Record, Unprinted, Visitor};
use authz_pin_suite::suite::{
    ExactText, Glob, HeaderPattern, JsonPath, PatternText, Suite, SuiteFile, TextRule,
    UnstableValue, subject,
};
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

impl Unstable {
    /// Whether the rule names a kind of values other than flags: it takes no decision, since that there is a value is still
    /// compared.
    #[must_use]
    pub fn has_rule_of_a_value(&self) -> bool {
        matches!(&self.rule, Some(Rule::Value { name, .. }) if name != values::FLAG)
    }

    /// Whether the rule stands in suite.yaml.
    #[must_use]
    pub fn has_rule_of_the_suite(&self) -> bool {
        self.rule.as_ref().is_some_and(Rule::is_of_the_suite)
    }
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
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
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

    /// The one endpoint whose records it changes, if it is for one.
    #[must_use]
    pub fn endpoint(&self) -> Option<&str> {
        match self {
            Self::Value { endpoint, .. } | Self::Alone { endpoint } => Some(endpoint),
            _ => None,
        }
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

/// Every field in which the records of two sweeps differ, in their order, of the cells that were to be swept `twice`. A rule
/// that the suite has already does not help.
#[must_use]
pub fn unstable(suite: &Suite, first: &Sweep, second: &Sweep, twice: &Cells<'_>) -> Vec<Unstable> {
    let (nothing, no_texts) = (Record::default(), Unprinted::default());
    let no_cells = HashSet::new();
    let mut found = Vec::new();
    for (endpoint, record) in &first.records {
        let pair = Pair {
            suite,
            endpoint,
            first: record,
            second: second.records.get(endpoint).unwrap_or(&nothing),
            texts: [first, second].map(|sweep| sweep.unprinted.get(endpoint).unwrap_or(&no_texts)),
            twice: twice.get(endpoint.as_str()).unwrap_or(&no_cells),
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
    /// The cells that were to be swept twice.
    twice: &'a HashSet<(&'a str, &'a str)>,
}

/// A field, what it was, what it is, and the rule for it.
type Found = (String, String, String, Option<Rule>);

impl Pair<'_> {
    fn unstable(&self) -> Vec<Unstable> {
        let mut found = Vec::new();
        let mut is_whole = true;
        for (target, actor, first) in self.first.iter() {
            if !self.twice.contains(&(target, actor)) {
                is_whole = false;
                continue;
            }
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
        if found.is_empty() && is_whole && self.first != self.second {
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
        self.of_effects()
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
        self.of_values()
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
