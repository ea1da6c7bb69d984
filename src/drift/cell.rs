//! One cell on both sides of a comparison, and every aspect in which it differs.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json};

use super::{Drift, Kind};
use crate::observation::RowChange;
use crate::record::{Cell, Effects, Record, act_of};

/// On which side of its gates the service stands. Without an answer nobody knows.
#[derive(PartialEq, Eq)]
pub(crate) enum Stand {
    Allowed,
    Denied,
    Unknown,
}

/// A cell with the record whose legends explain it.
pub(crate) struct Side<'a> {
    pub(crate) record: &'a Record,
    pub(crate) cell: &'a Cell,
}

impl Side<'_> {
    pub(crate) fn stand(&self) -> Stand {
        match (self.cell.is_allowed(), self.cell.is_denied()) {
            (true, _) => Stand::Allowed,
            (_, true) => Stand::Denied,
            _ => Stand::Unknown,
        }
    }

    fn wrote_while_denied(&self) -> bool {
        let effects = &self.cell.effects;
        self.cell.is_denied() && effects.is_observed() && !effects.is_empty()
    }

    pub(crate) fn gate(&self) -> Option<&str> {
        let label = self.cell.gate.as_ref()?;
        Some(self.record.gates.get(label).map_or(label, String::as_str))
    }

    pub(crate) fn verdict(&self) -> String {
        self.gate().map_or_else(
            || self.cell.verdict(),
            |gate| format!("{} {gate}", self.cell.verdict()),
        )
    }

    /// The row changes by operation and table, since a label says nothing across records.
    pub(crate) fn effects(&self) -> BTreeMap<String, Vec<RowChange>> {
        let mut effects: BTreeMap<String, Vec<RowChange>> = BTreeMap::new();
        let Effects::Observed(labels) = &self.cell.effects else {
            return BTreeMap::from([("not observed".to_owned(), Vec::new())]);
        };
        for label in labels {
            let change = self.record.effects.get(label).cloned();
            let change = change.unwrap_or_else(|| unexplained(label));
            effects
                .entry(act_of(label).to_owned())
                .or_default()
                .push(change);
        }
        effects
    }

    pub(crate) fn shape(&self) -> Option<BTreeSet<String>> {
        let Some(label) = &self.cell.shape else {
            return None;
        };
        let fields = self.record.shapes.get(label).cloned();
        Some(fields.unwrap_or_else(|| BTreeSet::from([label.clone()])))
    }

    pub(crate) fn discloses(&self) -> BTreeSet<String> {
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

/// A label that the legend does not explain stands for itself.
fn unexplained(label: &str) -> RowChange {
    RowChange {
        row: label.to_owned(),
        columns: Vec::new(),
    }
}

/// What a drift is about, besides its cell: the kind, what was and what is.
type Aspect = (Kind, String, String);

/// A cell that changes sides is one drift: what it discloses and writes on the other side follows from that. On the
/// same side each aspect is a drift of its own.
pub(super) fn of_cell(at: (&str, &str), old: &Side<'_>, new: &Side<'_>) -> Vec<Drift> {
    let mut aspects: Vec<Aspect> = verdict(old, new)
        .into_iter()
        .chain(effects(old, new))
        .collect();
    if old.stand() == new.stand() {
        aspects.extend(disclosures(old, new));
        let change = |kind, (was, is)| (kind, was, is);
        aspects.extend(
            changed(&old.probes(), &new.probes()).map(|texts| change(Kind::ProbeChanged, texts)),
        );
        aspects.extend(shapes(old, new).map(|texts| change(Kind::ShapeChanged, texts)));
    }
    aspects
        .into_iter()
        .map(|(kind, was, is)| Drift::of_cell(at, kind, was, is))
        .collect()
}

fn verdict(old: &Side<'_>, new: &Side<'_>) -> Option<Aspect> {
    let kind = match (old.stand(), new.stand()) {
        (Stand::Unknown, _) | (_, Stand::Unknown) => Kind::FaultChanged,
        (Stand::Denied, Stand::Allowed) => Kind::Widened,
        (Stand::Allowed, Stand::Denied) => Kind::Narrowed,
        (Stand::Denied, Stand::Denied) => Kind::GateChanged,
        (Stand::Allowed, Stand::Allowed) => Kind::StatusChanged,
    };
    (old.verdict() != new.verdict()).then(|| (kind, old.verdict(), new.verdict()))
}

fn effects(old: &Side<'_>, new: &Side<'_>) -> Option<Aspect> {
    let (before, after) = (old.effects(), new.effects());
    if new.wrote_while_denied() && !old.wrote_while_denied() {
        let writes = after.into_keys().collect();
        return Some((
            Kind::WroteWhileDenied,
            "nothing".to_owned(),
            joined(&writes),
        ));
    }
    let is_changed = old.stand() == new.stand() && before != after;
    is_changed.then(|| {
        (
            Kind::EffectChanged,
            joined(&beside(&before, &after)),
            joined(&beside(&after, &before)),
        )
    })
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
        .map(|(column, value)| format!("{column}: {}", narrowed(value, other.column(column))))
        .collect();
    let row = (this.row != other.row).then(|| format!(" {}", this.row));
    let columns = (!columns.is_empty()).then(|| format!(" {{{}}}", columns.join(", ")));
    row.into_iter().chain(columns).collect()
}

/// Of a JSON object, the members that the other one has not or has otherwise.
fn narrowed(value: &str, other: Option<&str>) -> String {
    let object = |text: &str| serde_json::from_str::<Map<String, Json>>(text).ok();
    let (Some(mut members), Some(others)) = (object(value), other.and_then(object)) else {
        return value.to_owned();
    };
    members.retain(|name, member| others.get(name) != Some(member));
    Json::Object(members).to_string()
}

fn disclosures(old: &Side<'_>, new: &Side<'_>) -> impl Iterator<Item = Aspect> {
    let (gone, come) = (
        &old.discloses() - &new.discloses(),
        &new.discloses() - &old.discloses(),
    );
    let not = || "not disclosed".to_owned();
    let widened = (!come.is_empty()).then(|| (Kind::DisclosureWidened, not(), joined(&come)));
    let narrowed = (!gone.is_empty()).then(|| (Kind::DisclosureNarrowed, joined(&gone), not()));
    widened.into_iter().chain(narrowed)
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
    fn of_two_json_objects_only_the_members_that_differ_are_named() {
        let narrow = narrowed(r#"{"a":1,"b":2,"c":3}"#, Some(r#"{"a":1,"b":3}"#));
        assert_eq!(narrow, r#"{"b":2,"c":3}"#);
        assert_eq!(narrowed("0 -> 1", Some("0 -> 2")), "0 -> 1");
    }
}
