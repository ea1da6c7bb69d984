//! One cell on both sides of a comparison, and every aspect in which it differs.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json};

use super::more::{is_elsewhere, tells_more};
use super::values::Besides;
use super::{Drift, Kind, Part};
use crate::observation::{ColumnChange, RowChange};
use crate::record::{Cell, EffectLabel, Effects, Record, Values, Verdict, Visitor, is_leading};

/// A cell with the record whose legends explain it.
pub struct Side<'a> {
    /// The record that it is of.
    pub record: &'a Record,
    /// The cell.
    pub cell: &'a Cell,
}

impl Side<'_> {
    pub(crate) fn verdict(&self) -> Verdict {
        self.cell.verdict()
    }

    fn wrote_while_denied(&self) -> bool {
        self.cell.is_denied() && self.cell.wrote()
    }

    /// The text of the gate that refused.
    #[must_use]
    pub fn gate(&self) -> Option<&str> {
        self.record.gate_of(self.cell)
    }

    /// What the refusal tells besides.
    #[must_use]
    pub fn also(&self) -> BTreeMap<String, String> {
        self.record.also_of(self.cell)
    }

    /// What was answered, with the wording of the gate.
    pub(crate) fn answer(&self) -> String {
        self.gate().map_or_else(
            || self.cell.answer(),
            |gate| format!("{} {gate}", self.cell.answer()),
        )
    }

    /// The row changes by operation and table, since a label says nothing across records.
    #[must_use]
    pub fn effects(&self) -> BTreeMap<String, Vec<RowChange>> {
        let mut effects: BTreeMap<String, Vec<RowChange>> = BTreeMap::new();
        let Effects::Observed(labels) = &self.cell.effects else {
            return BTreeMap::from([("not observed".to_owned(), Vec::new())]);
        };
        for label in labels {
            let change = self.record.effects.get(label).cloned();
            let change = change.unwrap_or_else(|| unexplained(label));
            effects.entry(label.act()).or_default().push(change);
        }
        effects
    }

    /// The lines of headers.
    #[must_use]
    pub fn headers(&self) -> BTreeSet<String> {
        self.record.headers_of(self.cell)
    }

    /// What the fields of the body show.
    #[must_use]
    pub fn values(&self) -> Option<Values> {
        self.record.values_of(self.cell)
    }

    /// The shape of the body.
    #[must_use]
    pub fn shape(&self) -> Option<BTreeSet<String>> {
        let Some(label) = &self.cell.shape else {
            return None;
        };
        let fields = self.record.shapes.get(label).cloned();
        Some(fields.unwrap_or_else(|| BTreeSet::from([label.clone()])))
    }

    /// The symbols that the answer disclosed.
    #[must_use]
    pub fn discloses(&self) -> BTreeSet<String> {
        self.cell.discloses.iter().cloned().collect()
    }

    pub(crate) fn probes(&self) -> BTreeSet<String> {
        self.cell
            .probes
            .iter()
            .map(|(name, reply)| format!("{name}: {reply}"))
            .collect()
    }
}

/// Whether the value of a field of a refusal says anything.
fn tells(value: &str) -> bool {
    !["null", "false", "", "[]", "{}"].contains(&value)
}

/// A label that the legend does not explain stands for itself.
fn unexplained(label: &EffectLabel) -> RowChange {
    RowChange {
        row: label.to_string(),
        columns: Vec::new(),
    }
}

/// What a drift is about, besides its cell.
pub(super) struct Found {
    pub(super) kind: Kind,
    pub(super) was: String,
    pub(super) is: String,
    /// Field by field, where it is about several.
    pub(super) parts: Vec<Part>,
}

impl Found {
    fn new(kind: Kind, was: String, is: String) -> Self {
        Self {
            kind,
            was,
            is,
            parts: Vec::new(),
        }
    }

    pub(super) fn of_parts((kind, parts): (Kind, Vec<Part>)) -> Self {
        let side = |text: fn(&Part) -> &str| {
            let texts = parts.iter().map(text).filter(|text| !text.is_empty());
            texts.collect::<Vec<_>>().join(", ")
        };
        let (was, is) = (side(|part| &part.0), side(|part| &part.1));
        Self {
            kind,
            was,
            is,
            parts,
        }
    }
}

/// A cell that changes sides is one drift: what it discloses and writes on the other side follows from that. On the
/// same side each aspect is a drift of its own.
pub(super) fn of_cell(at: (&str, &str), old: &Side<'_>, new: &Side<'_>) -> Vec<Drift> {
    let changes = Changes { old, new };
    let found = changes.visit().flatten();
    let drift = |Found {
                     kind,
                     was,
                     is,
                     parts,
                 }| Drift {
        parts,
        ..Drift::of_cell(at, kind, was, is)
    };
    found.map(drift).collect()
}

/// A cell on both sides, and what differs in each aspect.
struct Changes<'a> {
    old: &'a Side<'a>,
    new: &'a Side<'a>,
}

impl Changes<'_> {
    fn is_same_side(&self) -> bool {
        self.old.verdict() == self.new.verdict()
    }

    /// What was answered then and now.
    fn answers(&self, kind: Kind) -> Vec<Found> {
        let (was, is) = (self.old.answer(), self.new.answer());
        if was != is {
            return vec![Found::new(kind, was, is)];
        }
        // A rule can decide otherwise of the same answer.
        let told = |side: &Side<'_>| format!("{} {}", side.verdict(), side.answer());
        vec![Found::new(kind, told(self.old), told(self.new))]
    }

    /// A part of an answer that is not refused any more is let through, as a whole answer is.
    fn parts(&self) -> Vec<Found> {
        let [old, new] = [self.old, self.new].map(|side| side.cell.decision.refused());
        let (opened, closed) = (old - new, new - old);
        let refused = |parts: &BTreeSet<String>| format!("{} refused", joined(parts));
        let let_through = |parts: &BTreeSet<String>| format!("{} let through", joined(parts));
        let widened = (!opened.is_empty())
            .then(|| Found::new(Kind::Widened, refused(&opened), let_through(&opened)));
        let narrowed = (!closed.is_empty())
            .then(|| Found::new(Kind::Narrowed, let_through(&closed), refused(&closed)));
        widened.into_iter().chain(narrowed).collect()
    }

    /// How another answer on the same side is called.
    fn other_answer(&self) -> Kind {
        let [was, is] = [self.old, self.new].map(|side| side.gate().unwrap_or_default());
        match self.new.verdict() {
            Verdict::Fault => Kind::FaultChanged,
            Verdict::Redirected if was != is => Kind::RedirectChanged,
            Verdict::Denied if is_elsewhere(was, is) => Kind::RedirectChanged,
            Verdict::Denied if tells_more(was, is) => Kind::RefusalTellsMore,
            Verdict::Denied => Kind::GateChanged,
            // The gate of what is allowed is that of its parts which are not.
            Verdict::Allowed if !self.is_same_status() => Kind::StatusChanged,
            Verdict::Allowed if tells_more(was, is) => Kind::RefusalTellsMore,
            Verdict::Allowed if was != is => Kind::GateChanged,
            Verdict::Allowed | Verdict::Redirected => Kind::StatusChanged,
        }
    }

    fn is_same_status(&self) -> bool {
        let [was, is] = [self.old, self.new].map(|side| side.cell.decision.reply());
        was == is
    }
}

impl Visitor for Changes<'_> {
    type Found = Vec<Found>;

    /// Whoever gets further than before is let in.
    fn verdict(&self) -> Vec<Found> {
        let kind = match (self.old.verdict().reach(), self.new.verdict().reach()) {
            _ if self.is_same_side() => return self.parts(),
            (Some(before), Some(after)) if before < after => Kind::Widened,
            (Some(_), Some(_)) => Kind::Narrowed,
            (None, _) | (_, None) => Kind::FaultChanged,
        };
        self.answers(kind)
    }

    fn status(&self) -> Vec<Found> {
        if !self.is_same_side() || self.is_same_status() {
            return Vec::new();
        }
        self.answers(self.other_answer())
    }

    /// Another gate with another status is one drift, which the status tells.
    fn gate(&self) -> Vec<Found> {
        let is_told = !self.is_same_side() || !self.is_same_status() || !self.parts().is_empty();
        if is_told || self.old.gate() == self.new.gate() {
            return Vec::new();
        }
        self.answers(self.other_answer())
    }

    fn headers(&self) -> Vec<Found> {
        if !self.is_same_side() {
            return Vec::new();
        }
        let [old, new] = [self.old, self.new].map(Side::headers);
        let [old, new] = [old, new].map(|lines| {
            let (leading, others) = lines.into_iter().partition(|line| is_leading(line));
            [leading, others]
        });
        let kinds = [Kind::RedirectChanged, Kind::HeaderChanged];
        let pairs = kinds.into_iter().zip(old.iter().zip(&new));
        let found = pairs.filter_map(|(kind, (old, new))| {
            let (was, is) = changed(old, new)?;
            Some(Found::new(kind, was, is))
        });
        found.collect()
    }

    /// Whoever is refused by another gate is told other things by it: only a field that no refusal had counts then.
    fn also(&self) -> Vec<Found> {
        if !self.is_same_side() {
            return Vec::new();
        }
        let (before, mut after) = (self.old.also(), self.new.also());
        let is_same_gate = self.is_same_status() && self.old.gate() == self.new.gate();
        let mut gone = before.clone();
        let is_news = |others: &BTreeMap<String, String>, path: &str, value: &str| {
            others
                .get(path)
                .is_none_or(|other| is_same_gate && other != value)
        };
        gone.retain(|path, value| is_news(&after, path, value));
        after.retain(|path, value| is_news(&before, path, value));
        let come = after;
        let is_same = come.is_empty() && gone.is_empty();
        let kind = if come.values().any(|value| tells(value)) {
            Kind::RefusalTellsMore
        } else if is_same_gate && !is_same {
            Kind::RefusalTellsLess
        } else {
            return Vec::new();
        };
        let [was, is] = [gone, come].map(|fields| {
            let fields = fields.iter();
            joined(
                &fields
                    .map(|(path, value)| format!("{path}: {value}"))
                    .collect(),
            )
        });
        vec![Found::new(kind, was, is)]
    }

    fn effects(&self) -> Vec<Found> {
        let (before, after) = (self.old.effects(), self.new.effects());
        if self.new.wrote_while_denied() && !self.old.wrote_while_denied() {
            // What the call wrote when it was allowed is no news.
            let news = after.into_keys().filter(|act| !before.contains_key(act));
            let news: BTreeSet<String> = news.collect();
            let found = (!news.is_empty())
                .then(|| Found::new(Kind::WroteWhileDenied, "nothing".to_owned(), joined(&news)));
            return found.into_iter().collect();
        }
        if !self.is_same_side() || before == after {
            return Vec::new();
        }
        let (was, is) = (beside(&before, &after), beside(&after, &before));
        vec![Found::new(Kind::EffectChanged, joined(&was), joined(&is))]
    }

    fn discloses(&self) -> Vec<Found> {
        if !self.is_same_side() {
            return Vec::new();
        }
        let [old, new] = [self.old, self.new].map(Side::discloses);
        let (gone, come) = (&old - &new, &new - &old);
        let not = || "not disclosed".to_owned();
        let widened = (!come.is_empty()).then(|| Found {
            parts: come.iter().map(|name| (not(), name.clone())).collect(),
            ..Found::new(Kind::DisclosureWidened, not(), joined(&come))
        });
        let narrowed = (!gone.is_empty()).then(|| Found {
            parts: gone.iter().map(|name| (name.clone(), not())).collect(),
            ..Found::new(Kind::DisclosureNarrowed, joined(&gone), not())
        });
        widened.into_iter().chain(narrowed).collect()
    }

    fn probes(&self) -> Vec<Found> {
        if !self.is_same_side() {
            return Vec::new();
        }
        let changed = changed(&self.old.probes(), &self.new.probes());
        let changed = changed.map(|(was, is)| Found::new(Kind::ProbeChanged, was, is));
        changed.into_iter().collect()
    }

    fn values(&self) -> Vec<Found> {
        let (Some(old), Some(new)) = (self.old.values(), self.new.values()) else {
            return Vec::new();
        };
        // What an answer says as a whole or in part, once it is let through, follows from that.
        if !self.is_same_side() || !self.parts().is_empty() {
            return Vec::new();
        }
        let [had, has] = [self.old, self.new].map(|side| side.shape().unwrap_or_default());
        let [before, after] = [self.old, self.new].map(Side::discloses);
        let besides = Besides {
            kept: &had & &has,
            gone: &before - &after,
            come: &after - &before,
        };
        besides.between(&old, &new)
    }

    fn shape(&self) -> Vec<Found> {
        if !self.is_same_side() {
            return Vec::new();
        }
        let changed = shapes(self.old, self.new);
        let kind = if self.new.verdict() == Verdict::Redirected && has_more(self.old, self.new) {
            Kind::RefusalTellsMore
        } else {
            Kind::ShapeChanged
        };
        let [had, has] = [self.old, self.new].map(|side| side.shape().unwrap_or_default());
        let gone = had
            .difference(&has)
            .map(|field| (field.clone(), String::new()));
        let come = has
            .difference(&had)
            .map(|field| (String::new(), field.clone()));
        let changed = changed.map(|(was, is)| Found {
            parts: gone.chain(come).collect(),
            ..Found::new(kind, was, is)
        });
        changed.into_iter().collect()
    }
}

/// What `these` effects have that the others have not: the name alone of what only they have, and of a single change on
/// both sides the columns that differ.
fn beside(
    these: &BTreeMap<String, Vec<RowChange>>,
    others: &BTreeMap<String, Vec<RowChange>>,
) -> BTreeSet<String> {
    let text = |(name, changes): (&String, &Vec<RowChange>)| match (
        changes.as_slice(),
        others.get(name).map(Vec::as_slice),
    ) {
        (_, None) => Some(name.clone()),
        (this, Some(other)) if this == other => None,
        ([this], Some([other])) => Some(format!("{name}{}", differing(this, other))),
        (this, Some(_)) => Some(format!("{name} ({} rows)", this.len())),
    };
    these.iter().filter_map(text).collect()
}

fn differing(this: &RowChange, other: &RowChange) -> String {
    let columns = this
        .columns
        .iter()
        .filter(|column| !other.columns.contains(column));
    let columns: Vec<String> = columns
        .map(|(column, change)| format!("{column}: {}", narrowed(change, other.column(column))))
        .collect();
    let row = (this.row != other.row).then(|| format!(" {}", this.row));
    let columns = (!columns.is_empty()).then(|| format!(" {{{}}}", columns.join(", ")));
    row.into_iter().chain(columns).collect()
}

/// Of a JSON object that was set, the members that the other one has not or has otherwise.
fn narrowed(change: &ColumnChange, other: Option<&ColumnChange>) -> String {
    let object = |change: &ColumnChange| match change {
        ColumnChange::Set(text) => serde_json::from_str::<Map<String, Json>>(text).ok(),
        ColumnChange::Changed { .. } => None,
    };
    let (Some(mut members), Some(others)) = (object(change), other.and_then(object)) else {
        return change.to_string();
    };
    members.retain(|name, member| others.get(name) != Some(member));
    Json::Object(members).to_string()
}

/// Whether a body has a field that it had not, or is one where there was none.
fn has_more(old: &Side<'_>, new: &Side<'_>) -> bool {
    let (before, after) = (old.shape(), new.shape());
    match (before, after) {
        (None, Some(_)) => true,
        (Some(before), Some(after)) => !after.is_subset(&before),
        (_, None) => false,
    }
}

/// A body without fields is another thing than none.
fn shapes(old: &Side<'_>, new: &Side<'_>) -> Option<(String, String)> {
    let text = |shape: &Option<_>| if shape.is_some() { "a body" } else { "no body" }.to_owned();
    let (before, after) = (old.shape(), new.shape());
    match changed(
        &before.clone().unwrap_or_default(),
        &after.clone().unwrap_or_default(),
    ) {
        None if before != after => Some((text(&before), text(&after))),
        fields => fields,
    }
}

fn changed(old: &BTreeSet<String>, new: &BTreeSet<String>) -> Option<(String, String)> {
    (old != new).then(|| (joined(&(old - new)), joined(&(new - old))))
}

fn joined(items: &BTreeSet<String>) -> String {
    if items.is_empty() {
        return "nothing".to_owned();
    }
    items
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn effects_that_are_the_same_on_both_sides_are_not_named() {
        let rows = |row: &str, name: &str, count: usize| {
            let row = RowChange {
                row: row.to_owned(),
                columns: Vec::new(),
            };
            (name.to_owned(), vec![row; count])
        };
        let these = [rows("a", "insert key", 1), rows("a", "delete key", 2)].into();
        let same = [rows("a", "insert key", 1), rows("a", "delete key", 2)].into();
        assert_eq!(beside(&these, &same), BTreeSet::new());
        let fewer = [rows("a", "insert key", 1), rows("a", "delete key", 1)].into();
        assert_eq!(
            beside(&these, &fewer),
            ["delete key (2 rows)".to_owned()].into()
        );
        assert_eq!(
            beside(&these, &[rows("a", "insert key", 1)].into()),
            ["delete key".to_owned()].into()
        );
    }

    #[test]
    fn a_text_that_ends_like_nothing_says_something() {
        assert!(tells("role=admin, errors: []") && tells("owner: "));
        assert!(
            ["null", "false", "", "[]", "{}"]
                .iter()
                .all(|value| !tells(value))
        );
    }

    #[test]
    fn of_two_json_objects_only_the_members_that_differ_are_named() {
        let set = |text: &str| ColumnChange::Set(text.to_owned());
        let (one, other) = (set(r#"{"a":1,"b":2,"c":3}"#), set(r#"{"a":1,"b":3}"#));
        assert_eq!(narrowed(&one, Some(&other)), r#"{"b":2,"c":3}"#);
        let changed = |new: &str| ColumnChange::Changed {
            old: "0".to_owned(),
            new: new.to_owned(),
        };
        assert_eq!(narrowed(&changed("1"), Some(&changed("2"))), "0 -> 1");
    }
}
