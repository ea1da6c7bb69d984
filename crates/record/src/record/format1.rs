//! The format of before there was a number, for `authz-pin migrate`, and for `diff`, which compares before and after: findings and columns were sentences,
//! and a cell had its status and no verdict.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use indexmap::IndexMap;
use serde::Deserialize;

use super::format::Format;
use super::labels::EffectLabel;
use super::verdict::Decision;
use super::{Cell, Effects, ReadError, Record};
use crate::fault::{Fault, Reply};
use crate::findings::{Finding, Kind};
use crate::observation::{ColumnChange, Operation, RowChange};
use crate::yaml;

/// Reads a record of that format.
pub fn read(text: &str) -> Result<Record, ReadError> {
    let old: OldRecord = yaml::from_str(text)?;
    let effects = old.effects.into_iter().map(|(label, change)| {
        let change = change.typed(label.operation());
        (label, change)
    });
    let mut record = Record {
        format: Format,
        endpoint: old.endpoint,
        unobserved: old.unobserved,
        gates: old.gates,
        headers: BTreeMap::new(),
        effects: effects.collect(),
        shapes: old.shapes,
        cells: old.cells.into_iter().map(typed_row).collect(),
        ..Record::default()
    };
    let findings = old.findings.iter().map(|text| finding(&record, text));
    record.findings = findings.collect::<Result<_, _>>()?;
    Ok(record)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OldRecord {
    endpoint: String,
    #[serde(default)]
    unobserved: BTreeSet<String>,
    #[serde(default)]
    gates: BTreeMap<String, String>,
    #[serde(default)]
    effects: BTreeMap<EffectLabel, OldChange>,
    #[serde(default)]
    shapes: BTreeMap<String, BTreeSet<String>>,
    #[serde(default)]
    cells: IndexMap<String, IndexMap<String, OldCell>>,
    #[serde(default)]
    findings: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OldCell {
    status: Option<u16>,
    fault: Option<Fault>,
    gate: Option<String>,
    #[serde(default)]
    discloses: Vec<String>,
    #[serde(default)]
    effects: Effects,
    #[serde(default)]
    probes: IndexMap<String, Reply>,
    shape: Option<String>,
}

#[derive(Deserialize)]
struct OldChange {
    #[serde(default)]
    row: String,
    #[serde(default)]
    columns: IndexMap<String, String>,
}

type OldRow = (String, IndexMap<String, OldCell>);

fn typed_row((target, row): OldRow) -> (String, IndexMap<Arc<str>, Arc<Cell>>) {
    let cells = row.into_iter();
    let cells = cells.map(|(actor, cell)| (actor.into(), Arc::new(cell.typed())));
    (target, cells.collect())
}

impl OldCell {
    fn typed(self) -> Cell {
        let fault = || Reply::Fault(self.fault.unwrap_or(Fault::Closed));
        let reply = self.status.map_or_else(fault, Reply::Status);
        Cell {
            gate: self.gate,
            discloses: self.discloses,
            effects: self.effects,
            probes: self
                .probes
                .into_iter()
                .map(|(name, reply)| (name, reply.into()))
                .collect(),
            shape: self.shape,
            ..Cell::new(Decision::by_status(reply))
        }
    }
}

impl OldChange {
    fn typed(self, operation: Operation) -> RowChange {
        let columns = self.columns.into_iter();
        let columns = columns.map(|(name, text)| (name, column(operation, text)));
        RowChange {
            row: self.row,
            columns: columns.collect(),
        }
    }
}

/// What stood between the two values of a column that an update changed.
const ARROW: &str = " -> ";

/// Only an update has two values. Where these have arrows themselves, each is taken to have as many.
fn column(operation: Operation, text: String) -> ColumnChange {
    let arrows: Vec<usize> = text.match_indices(ARROW).map(|(at, _)| at).collect();
    let middle = arrows.get(arrows.len() / 2);
    let middle = middle.filter(|_| operation == Operation::Update);
    let parts = middle.and_then(|at| text.split_at_checked(*at));
    let parts = parts.and_then(|(old, rest)| Some((old, rest.strip_prefix(ARROW)?)));
    match parts {
        Some((old, new)) => ColumnChange::Changed {
            old: old.to_owned(),
            new: new.to_owned(),
        },
        None => ColumnChange::Set(text),
    }
}

/// A finding was `kind: actor on `target` how`, of names that can hold any of this: those that the record's cells have
/// are recognised.
fn finding(record: &Record, text: &str) -> Result<Finding, ReadError> {
    let (id, rest) = text.split_once(": ").unwrap_or((text, ""));
    let kind = Kind::named(id).ok_or_else(|| ReadError::Kind(id.to_owned()))?;
    let cells = record.iter().filter_map(|(target, actor, _)| {
        let detail = rest.strip_prefix(&format!("{actor} on `{target}` "))?;
        Some(((target, actor), detail))
    });
    // One name can begin with all of another one, and then the longer one is meant.
    let cell = cells.min_by_key(|(_, detail)| detail.len());
    let cell = cell.filter(|_| kind.is_about_cells());
    Ok(match cell {
        Some((at, detail)) => Finding::of_cell(kind, at, detail.to_owned()),
        None => Finding::of_record(kind, rest.to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drift;
    use crate::record::CellId;

    const OLD: &str = r#"endpoint: POST /x
gates:
  no: 'auth_error: No'
effects:
  insert log 1a2b:
    columns:
      line: 'moved <actor.key> -> elsewhere'
  update key store 3c4d:
    row: <target.token>
    columns:
      models: '[] -> ["pinned"]'
      note: 'a -> b -> c -> d'
      seen: <timestamp>
cells:
  'odd` name':
    alice: {status: 200, effects: [insert log 1a2b, update key store 3c4d]}
    'odd on `a`': {status: 403, gate: no}
  'odd` name` is denied':
    alice: {status: 302, gate: no}
    'odd on `a`': {fault: timed out, effects: not observed}
findings:
- 'secret-at-rest: alice on `odd` name` stored <actor.key> in log.line'
- 'no-answer: odd on `a` on `odd` name` is denied` got no answer (timed out)'
- 'status-differs: `no` refuses with 302 and 403'
- 'credential-ended: alice on `odd` name` was'
"#;

    #[test]
    fn a_finding_is_about_a_cell_that_the_record_has() {
        let record = read(OLD).unwrap();
        let cells: Vec<_> = record.findings.iter().map(|one| one.cell.clone()).collect();
        let expected = [
            Some(CellId::new("odd` name", "alice")),
            Some(CellId::new("odd` name` is denied", "odd on `a`")),
            None,
            None,
        ];
        assert_eq!(cells, expected);
        let details = record.findings.iter().map(|one| one.detail.as_str());
        let expected = [
            "stored <actor.key> in log.line",
            "got no answer (timed out)",
            "`no` refuses with 302 and 403",
            "alice on `odd` name` was",
        ];
        assert!(details.eq(expected), "{:?}", record.findings);
    }

    #[test]
    fn only_an_update_has_an_old_value() {
        let record = read(OLD).unwrap();
        let columns = record
            .effects
            .into_values()
            .flat_map(|change| change.columns);
        let columns: Vec<ColumnChange> = columns.map(|(_, change)| change).collect();
        let changed = |old: &str, new: &str| ColumnChange::Changed {
            old: old.to_owned(),
            new: new.to_owned(),
        };
        let expected = [
            ColumnChange::Set("moved <actor.key> -> elsewhere".to_owned()),
            changed("[]", r#"["pinned"]"#),
            changed("a -> b", "c -> d"),
            ColumnChange::Set("<timestamp>".to_owned()),
        ];
        assert_eq!(columns, expected);
    }

    #[test]
    fn what_is_read_is_written_in_the_new_format_and_nothing_drifts() {
        let record = read(OLD).unwrap();
        let text = record.to_yaml().unwrap();
        let again = Record::parse(&text).unwrap();
        assert_eq!(again, record, "{text}");
        assert_eq!(drift::between(&record, &again), []);
    }

    #[test]
    fn a_kind_that_is_not_known_is_an_error() {
        let old = OLD.replace("no-answer", "no-idea");
        let error = read(&old).unwrap_err();
        assert!(matches!(error, ReadError::Kind(kind) if kind == "no-idea"));
    }
}
