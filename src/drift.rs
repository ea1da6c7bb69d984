//! Drift: how a record differs from another, cell by cell and in which direction.

mod kinds;
mod layout;
mod report;
mod text;

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value as Json};

use crate::findings;
use crate::observation::RowChange;
use crate::record::{Cell, Effects, Record};

pub use kinds::{Kind, table};

use crate::kinds::Level;
pub use report::{Group, group, human, markdown};
pub use text::{Comparison, compare};

/// One difference between two records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Drift {
    /// In which direction.
    pub kind: Kind,
    /// How much it weighs.
    pub level: Level,
    /// The cell's target; a finding belongs to none.
    pub target: Option<String>,
    /// The cell's actor.
    pub actor: Option<String>,
    /// What it was.
    pub was: String,
    /// What it is.
    pub is: String,
}

/// Everything in which `new` differs from `old`, worst first, else in the records' order.
#[must_use]
pub fn between(old: &Record, new: &Record) -> Vec<Drift> {
    let mut drifts = Vec::new();
    for (target, actor, cell) in new.iter() {
        let after = Side { record: new, cell };
        match old.cell_at(target, actor) {
            Some(before) => drifts.extend(of_cell(
                (target, actor),
                &Side {
                    record: old,
                    cell: before,
                },
                &after,
            )),
            None => drifts.push(Drift::of_cell(
                (target, actor),
                Kind::CellAdded,
                "not swept".to_owned(),
                after.verdict(),
            )),
        }
    }
    for (target, actor, cell) in old
        .iter()
        .filter(|(target, actor, _)| new.cell_at(target, actor).is_none())
    {
        let before = Side { record: old, cell };
        drifts.push(Drift::of_cell(
            (target, actor),
            Kind::CellRemoved,
            before.verdict(),
            "not swept".to_owned(),
        ));
    }
    drifts.extend(of_findings(old, new));
    drifts.extend(of_record(old, new));
    drifts.sort_by_key(|drift| drift.kind);
    drifts
}

/// What differs in a record as a whole. One that is not there has all its cells added or removed, and nothing else.
fn of_record(old: &Record, new: &Record) -> Vec<Drift> {
    let nothing = Record::default();
    if *old == nothing || *new == nothing {
        return Vec::new();
    }
    let renamed = (old.endpoint != new.endpoint).then(|| {
        let [was, is] = [old, new].map(|record| record.endpoint.clone());
        Drift::of_record(Kind::EndpointChanged, was, is)
    });
    renamed
        .into_iter()
        .chain(layout::changed(old, new))
        .collect()
}

impl Drift {
    /// A difference that is no single cell's.
    fn of_record(kind: Kind, was: String, is: String) -> Self {
        Self {
            kind,
            level: kind.level(),
            target: None,
            actor: None,
            was,
            is,
        }
    }

    fn of_cell((target, actor): (&str, &str), kind: Kind, was: String, is: String) -> Self {
        Self {
            target: Some(target.to_owned()),
            actor: Some(actor.to_owned()),
            ..Self::of_record(kind, was, is)
        }
    }

    /// The same with the weight that a suite gives to its kind, or to the kind of its finding.
    #[must_use]
    pub fn weighed(mut self, levels: &IndexMap<String, Level>) -> Self {
        let finding = findings::kind_of(&self.is).map(findings::Kind::id);
        let given = finding.and_then(|id| levels.get(&id));
        if let Some(level) = given.or_else(|| levels.get(&self.kind.id())) {
            self.level = *level;
        }
        self
    }
}

/// On which side of its gates the service stands. Without an answer nobody knows.
#[derive(PartialEq, Eq)]
enum Stand {
    Allowed,
    Denied,
    Unknown,
}

/// A cell with the record whose legends explain it.
struct Side<'a> {
    record: &'a Record,
    cell: &'a Cell,
}

impl Side<'_> {
    fn stand(&self) -> Stand {
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

    fn gate(&self) -> Option<&str> {
        let label = self.cell.gate.as_ref()?;
        Some(self.record.gates.get(label).map_or(label, String::as_str))
    }

    fn verdict(&self) -> String {
        self.gate().map_or_else(
            || self.cell.verdict(),
            |gate| format!("{} {gate}", self.cell.verdict()),
        )
    }

    /// The row changes by operation and table, since a label says nothing across records.
    fn effects(&self) -> BTreeMap<String, Vec<RowChange>> {
        let mut effects: BTreeMap<String, Vec<RowChange>> = BTreeMap::new();
        let Effects::Observed(labels) = &self.cell.effects else {
            return BTreeMap::from([("not observed".to_owned(), Vec::new())]);
        };
        for label in labels {
            let name = label
                .rsplit_once(' ')
                .map_or(label.as_str(), |(name, _)| name);
            let change = self.record.effects.get(label).cloned();
            let change = change.unwrap_or_else(|| unexplained(label));
            effects.entry(name.to_owned()).or_default().push(change);
        }
        effects
    }

    fn shape(&self) -> Option<BTreeSet<String>> {
        let Some(label) = &self.cell.shape else {
            return None;
        };
        let fields = self.record.shapes.get(label).cloned();
        Some(fields.unwrap_or_else(|| BTreeSet::from([label.clone()])))
    }

    fn discloses(&self) -> BTreeSet<String> {
        self.cell.discloses.iter().cloned().collect()
    }

    fn probes(&self) -> BTreeSet<String> {
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
fn of_cell(at: (&str, &str), old: &Side<'_>, new: &Side<'_>) -> Vec<Drift> {
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

fn of_findings(old: &Record, new: &Record) -> Vec<Drift> {
    let gone = old
        .findings
        .iter()
        .filter(|finding| !new.findings.contains(finding));
    let come = new
        .findings
        .iter()
        .filter(|finding| !old.findings.contains(finding));
    let come = come.map(|finding| of_finding(Kind::FindingAdded, finding));
    come.chain(gone.map(|finding| of_finding(Kind::FindingRemoved, finding)))
        .collect()
}

fn of_finding(kind: Kind, finding: &str) -> Drift {
    let (what, target, actor) = match findings::parse(finding) {
        Some((what, target, actor)) => (what, Some(target.to_owned()), Some(actor.to_owned())),
        None => (finding.to_owned(), None, None),
    };
    let (was, is) = match kind {
        Kind::FindingAdded => (String::new(), what),
        _ => (what, String::new()),
    };
    let level = findings::kind_of(finding).and_then(findings::Kind::entry);
    let level = level.filter(|_| kind == Kind::FindingAdded);
    Drift {
        level: level.map_or(kind.level(), |entry| entry.level),
        target,
        actor,
        ..Drift::of_record(kind, was, is)
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
    use super::text::read_and_compare;
    use super::*;

    const OLD: &str = "endpoint: POST /x\ngates:\n  no: 'auth_error: No'\ncells:\n  t:\n    \
        a: {status: 403, gate: no}\n    b: {status: 200, discloses: [b.id], probes: {key: 200}}\n    c: {gate: no, status: 403}\n";

    fn kinds(old: &str, new: &str) -> Vec<String> {
        let drifts = read_and_compare(old, new);
        drifts
            .into_iter()
            .map(|drift| {
                format!(
                    "{} {}: {} -> {}",
                    drift.kind.id(),
                    drift.actor.unwrap_or_default(),
                    drift.was,
                    drift.is
                )
            })
            .collect()
    }

    #[test]
    fn a_flipped_cell_is_one_changed_line_and_one_drift() {
        let new = OLD.replace(
            "{status: 403, gate: no}",
            "{status: 200, discloses: [a.id]}",
        );
        let Comparison::Changed { diff, drifts } = compare(Some(OLD), &new) else {
            panic!("no drift")
        };
        assert!(
            diff.contains(
                "-    a: {status: 403, gate: no}\n+    a: {status: 200, discloses: [a.id]}\n"
            ),
            "{diff}"
        );
        assert_eq!(drifts.len(), 1);
        assert_eq!(kinds(OLD, &new), ["widened a: 403 auth_error: No -> 200"]);
        assert_eq!(kinds(&new, OLD), ["narrowed a: 200 -> 403 auth_error: No"]);
    }

    #[test]
    fn a_fault_that_comes_goes_or_changes_is_one_drift_and_no_flip() {
        let fault = OLD.replace("{status: 403, gate: no}", "{fault: timed out}");
        let other = fault.replace("timed out", "connection closed");
        let denied = "403 auth_error: No";
        assert_eq!(
            [
                kinds(OLD, &fault),
                kinds(&fault, OLD),
                kinds(&fault, &other)
            ]
            .concat(),
            [
                format!("fault-changed a: {denied} -> timed out"),
                format!("fault-changed a: timed out -> {denied}"),
                "fault-changed a: timed out -> connection closed".to_owned(),
            ]
        );
    }

    #[test]
    fn on_the_same_side_each_aspect_is_a_drift_of_its_own() {
        let new = OLD.replace(
            "discloses: [b.id], probes: {key: 200}",
            "discloses: [c.id], probes: {key: 401}",
        );
        let expected = [
            "disclosure-widened b: not disclosed -> c.id",
            "probe-changed b: key: 200 -> key: 401",
            "disclosure-narrowed b: b.id -> not disclosed",
        ];
        assert_eq!(kinds(OLD, &new), expected);
    }

    #[test]
    fn another_wording_of_the_same_label_is_another_gate() {
        let new = OLD.replace("auth_error: No", "auth_error: Never");
        assert_eq!(
            kinds(OLD, &new),
            ["a", "c"].map(|actor| format!(
                "gate-changed {actor}: 403 auth_error: No -> 403 auth_error: Never"
            ))
        );
    }

    #[test]
    fn a_denied_call_that_begins_to_write_is_worse_than_another_effect() {
        let new = OLD
            .replace("{status: 403, gate: no}", "{status: 403, gate: no, effects: [update T 1a2b]}")
            .replace("cells:", "effects:\n  update T 1a2b:\n    row: <target.id>\n    columns: {spend: 0 -> 1}\ncells:");
        assert_eq!(
            kinds(OLD, &new),
            ["wrote-while-denied a: nothing -> update T"]
        );
        assert_eq!(kinds(&new, OLD), ["effect-changed a: update T -> nothing"]);
    }

    #[test]
    fn of_a_row_that_changes_otherwise_only_the_columns_that_differ_are_named() {
        let with = |columns: &str| {
            OLD.replace("{status: 200, ", "{status: 200, effects: [update T 1a2b], ").replace(
                "cells:",
                &format!("effects:\n  update T 1a2b:\n    row: <target.id>\n    columns: {columns}\ncells:"),
            )
        };
        let (old, new) = (
            with("{a: 0 -> 1, b: 1 -> 2}"),
            with("{a: 0 -> 1, b: 1 -> 3}"),
        );
        assert_eq!(
            kinds(&old, &new),
            ["effect-changed b: update T {b: 1 -> 2} -> update T {b: 1 -> 3}"]
        );
    }

    #[test]
    fn of_two_json_objects_only_the_members_that_differ_are_named() {
        let narrow = narrowed(r#"{"a":1,"b":2,"c":3}"#, Some(r#"{"a":1,"b":3}"#));
        assert_eq!(narrow, r#"{"b":2,"c":3}"#);
        assert_eq!(narrowed("0 -> 1", Some("0 -> 2")), "0 -> 1");
    }

    #[test]
    fn cells_and_findings_come_and_go() {
        let new = OLD.replace("    a:", "    d:") + "findings:\n- 'inversion: b'\n";
        let expected = [
            "finding-added :  -> inversion: b",
            "cell-added d: not swept -> 403 auth_error: No",
            "cell-removed a: 403 auth_error: No -> not swept",
        ];
        assert_eq!(kinds(OLD, &new), expected);
    }

    #[test]
    fn a_missing_last_line_end_is_no_drift() {
        assert_eq!(compare(Some(OLD.trim_end()), OLD), Comparison::Same);
        assert_eq!(compare(None, OLD), Comparison::New);
    }
}
