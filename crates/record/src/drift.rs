//! Drift: how a record differs from another, cell by cell and in which direction.

mod cell;
mod group;
mod kinds;
mod layout;
mod more;
mod renames;
mod text;
mod values;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Serialize;

use crate::findings::{self, Finding};
use crate::kinds::Level;
use crate::record::Record;

use cell::of_cell;
use renames::Renames;

pub use cell::Side;
pub use group::{Cells, Group, group, line, row};
pub use kinds::{Kind, table};
pub use renames::pairs;
pub use renames::{Likeness, likeness, under_new_names};
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
    /// The kind of the finding that came.
    #[serde(skip)]
    pub finding: Option<findings::Kind>,
    /// What it was and what it is, field by field, where it is about several.
    #[serde(skip)]
    pub parts: Vec<Part>,
}

/// What a field was, and what it is; nothing on the side on which it was not.
pub type Part = (String, String);

/// Everything in which `new` differs from `old`, worst first, else in the records' order. An actor or a target that has
/// another name is one difference, and what else differs of it is told under its new name.
#[must_use]
pub fn between(old: &Record, new: &Record) -> Vec<Drift> {
    let renames = Renames::between(old, new);
    let old = &*renames.old;
    let mut drifts = renames.drifts;
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
                after.answer(),
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
            before.answer(),
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
        .chain(of_unobserved(old, new))
        .chain(of_values(old, new))
        .chain(layout::changed(old, new))
        .collect()
}

/// Of a table that is not observed any more nobody knows what calls write there, so it weighs as much as a write.
fn of_unobserved(old: &Record, new: &Record) -> Option<Drift> {
    let said = |this: &Record, other: &Record| {
        let tables = this.unobserved.difference(&other.unobserved);
        let tables = tables.map(|table| format!("`{table}` not observed"));
        tables.collect::<Vec<_>>().join(", ")
    };
    (old.unobserved != new.unobserved)
        .then(|| Drift::of_record(Kind::EffectChanged, said(old, new), said(new, old)))
}

/// What one side does not record cannot be compared.
fn of_values(old: &Record, new: &Record) -> Option<Drift> {
    let said = |record: &Record| {
        let said = match record.values {
            Some(_) => "values recorded",
            None => "values not recorded",
        };
        said.to_owned()
    };
    let has_one = old.values.is_some() != new.values.is_some();
    has_one.then(|| Drift::of_record(Kind::ValuesRecorded, said(old), said(new)))
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
            finding: None,
            parts: Vec::new(),
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
        let finding = self.finding.map(findings::Kind::id);
        let given = finding.and_then(|id| levels.get(&id));
        if let Some(level) = given.or_else(|| levels.get(&self.kind.id())) {
            self.level = *level;
        }
        self
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

fn of_finding(kind: Kind, finding: &Finding) -> Drift {
    let cell = finding.cell.as_ref();
    let come = (kind == Kind::FindingAdded).then_some(finding.kind);
    let (was, is) = match come {
        Some(_) => (String::new(), finding.sentence()),
        None => (finding.sentence(), String::new()),
    };
    let level = come.and_then(findings::Kind::entry);
    Drift {
        level: level.map_or(kind.level(), |entry| entry.level),
        target: cell.map(|cell| cell.target.clone()),
        actor: cell.map(|cell| cell.actor.clone()),
        finding: come,
        ..Drift::of_record(kind, was, is)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "format: 2\nendpoint: POST /x\ngates:\n  no: 'auth_error: No'\ncells:\n  t:\n    \
        a: {denied: 403, gate: no}\n    b: {allowed: 200, discloses: [b.id], probes: {key: 200}}\n    c: {gate: no, denied: 403}\n";

    fn drifts(old: &str, new: &str) -> Vec<Drift> {
        match compare(Some(old), new) {
            Comparison::Changed { drifts, .. } => drifts,
            _ => Vec::new(),
        }
    }

    fn kinds(old: &str, new: &str) -> Vec<String> {
        drifts(old, new)
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
            "{denied: 403, gate: no}",
            "{allowed: 200, discloses: [a.id]}",
        );
        let Comparison::Changed { diff, drifts } = compare(Some(OLD), &new) else {
            panic!("no drift")
        };
        assert!(
            diff.contains(
                "-    a: {denied: 403, gate: no}\n+    a: {allowed: 200, discloses: [a.id]}\n"
            ),
            "{diff}"
        );
        assert_eq!(drifts.len(), 1);
        let at = (drifts[0].target.as_deref(), drifts[0].actor.as_deref());
        assert_eq!(at, (Some("t"), Some("a")));
        assert_eq!(kinds(OLD, &new), ["widened a: 403 auth_error: No -> 200"]);
        assert_eq!(kinds(&new, OLD), ["narrowed a: 200 -> 403 auth_error: No"]);
    }

    #[test]
    fn a_fault_that_comes_goes_or_changes_is_one_drift_and_no_flip() {
        let fault = OLD.replace("{denied: 403, gate: no}", "{fault: timed out}");
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
    fn a_redirect_is_between_a_refusal_and_a_success() {
        let denied = "{denied: 403, gate: no}";
        let to = |place: &str, gate: &str| {
            let legend = format!("gates:\n  to: redirect to {place}\n");
            OLD.replacen(denied, &format!("{{redirected: 302, gate: {gate}}}"), 1)
                .replace("gates:\n", &legend)
        };
        let login = to("/login", "to");
        let home = to("/home", "to");
        let allowed = login.replace("{redirected: 302, gate: to}", "{allowed: 200}");
        let refused = login.replace("{redirected: 302, gate: to}", denied);
        let kind = |old: &str, new: &str| {
            let drifts = drifts(old, new).into_iter();
            let kinds = drifts.map(|drift| drift.kind);
            kinds
                .filter(|kind| *kind != Kind::LayoutChanged)
                .collect::<Vec<_>>()
        };
        assert_eq!(kind(&refused, &login), [Kind::Widened]);
        assert_eq!(kind(&login, &allowed), [Kind::Widened]);
        assert_eq!(kind(&allowed, &login), [Kind::Narrowed]);
        assert_eq!(kind(&login, &refused), [Kind::Narrowed]);
        assert_eq!(kind(&login, &home), [Kind::RedirectChanged]);
    }

    #[test]
    fn a_rule_that_decides_otherwise_of_the_same_answer_is_told() {
        let by = |verdict: &str| format!("{{{verdict}: 200, by: errors}}");
        let (denied, allowed) = (by("denied"), by("allowed"));
        let old = OLD.replacen("{denied: 403, gate: no}", &denied, 1);
        let new = old.replace(&denied, &allowed);
        assert_eq!(kinds(&old, &new), ["widened a: denied 200 -> allowed 200"]);
        let by_status = new.replace(&allowed, "{allowed: 200}");
        assert_eq!(kinds(&new, &by_status).len(), 1);
        assert!(kinds(&new, &by_status)[0].starts_with("layout-changed"));
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
            .replace("{denied: 403, gate: no}", "{denied: 403, gate: no, effects: [update T 1a2b]}")
            .replace("cells:", "effects:\n  update T 1a2b:\n    row: <target.id>\n    columns: {spend: {old: '0', new: '1'}}\ncells:");
        assert_eq!(
            kinds(OLD, &new),
            ["wrote-while-denied a: nothing -> update T"]
        );
        assert_eq!(kinds(&new, OLD), ["effect-changed a: update T -> nothing"]);
    }

    #[test]
    fn of_a_row_that_changes_otherwise_only_the_columns_that_differ_are_named() {
        let with = |columns: &str| {
            OLD.replace("{allowed: 200, ", "{allowed: 200, effects: [update T 1a2b], ").replace(
                "cells:",
                &format!("effects:\n  update T 1a2b:\n    row: <target.id>\n    columns: {columns}\ncells:"),
            )
        };
        let (old, new) = (
            with("{a: {old: '0', new: '1'}, b: {old: '1', new: '2'}}"),
            with("{a: {old: '0', new: '1'}, b: {old: '1', new: '3'}}"),
        );
        assert_eq!(
            kinds(&old, &new),
            ["effect-changed b: update T {b: 1 -> 2} -> update T {b: 1 -> 3}"]
        );
    }

    #[test]
    fn cells_and_findings_come_and_go() {
        let new = OLD.replace("    a: {denied: 403", "    d: {denied: 404")
            + "findings:\n- {kind: inversion, detail: b}\n";
        let expected = [
            "finding-added :  -> inversion: b",
            "cell-added d: not swept -> 404 auth_error: No",
            "cell-removed a: 403 auth_error: No -> not swept",
        ];
        assert_eq!(kinds(OLD, &new), expected);
    }

    #[test]
    fn a_finding_is_its_cells_and_weighs_what_its_kind_does() {
        let new = format!(
            "{OLD}findings:\n- {{kind: inversion, target: t, actor: a, detail: 'is denied (403) where allowed: b'}}\n"
        );
        let [come, gone] =
            [(OLD, &*new), (&*new, OLD)].map(|(old, new)| drifts(old, new).pop().expect("a drift"));
        let finding = "inversion: a caller is denied (403) where allowed: b".to_owned();
        let added = Drift {
            kind: Kind::FindingAdded,
            level: Level::Warn,
            target: Some("t".to_owned()),
            actor: Some("a".to_owned()),
            was: String::new(),
            is: finding.clone(),
            finding: Some(findings::Kind::Inversion),
            parts: Vec::new(),
        };
        assert_eq!(come, added);
        let removed = Drift {
            kind: Kind::FindingRemoved,
            level: Level::Allow,
            was: finding,
            is: String::new(),
            finding: None,
            ..added
        };
        assert_eq!(gone, removed);
    }

    #[test]
    fn a_record_that_comes_or_goes_is_its_cells_and_nothing_else() {
        let (nothing, record) = (Record::default(), Record::parse(OLD).unwrap());
        let kinds = |old, new| {
            let drifts = between(old, new);
            drifts.iter().map(|drift| drift.kind).collect::<Vec<_>>()
        };
        assert_eq!(kinds(&nothing, &record), [Kind::CellAdded; 3]);
        assert_eq!(kinds(&record, &nothing), [Kind::CellRemoved; 3]);
    }

    #[test]
    fn a_missing_last_line_end_is_no_drift() {
        assert_eq!(compare(Some(OLD.trim_end()), OLD), Comparison::Same);
        assert_eq!(compare(None, OLD), Comparison::New);
    }
}
