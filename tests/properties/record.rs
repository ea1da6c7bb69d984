//! Records: what is written reads back.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::hash::Hash;
use std::sync::Arc;

use authz_pin::fault::{Fault, Reply};
use authz_pin::findings::{Finding, Kind};
use authz_pin::observation::{ColumnChange, Operation, RowChange};
use authz_pin::record::{
    Cell, CellId, Count, Decision, EffectLabel, Effects, Format, Probed, Record, Scalar, Value,
    Values, Verdict, format1,
};
use authz_pin::snapshot::{Info, Snapshot};
use indexmap::IndexMap;
use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Number, Value as Json, json};

use super::support::{cases, text};

/// A name that looks like the text around it, or any text.
fn name() -> impl Strategy<Value = String> {
    let pieces = select(vec![
        "`",
        " on `",
        "` ",
        ": ",
        " -> ",
        "'",
        "\"",
        "\n",
        "\u{202e}",
        "\u{200f}",
        ", ",
        "{",
        "}",
        "[",
        "- ",
        "#",
        "format: 2",
        "inversion",
        "not observed",
        "a",
        "é",
    ]);
    prop_oneof![text(), vec(pieces, 0..6).prop_map(|pieces| pieces.concat()),]
}

fn column() -> impl Strategy<Value = ColumnChange> {
    prop_oneof![
        name().prop_map(ColumnChange::Set),
        (name(), name()).prop_map(|(old, new)| ColumnChange::Changed { old, new }),
    ]
}

fn change() -> impl Strategy<Value = RowChange> {
    (name(), btree_map(name(), column(), 0..3)).prop_map(|(row, columns)| RowChange {
        row,
        columns: columns.into_iter().collect(),
    })
}

fn label() -> impl Strategy<Value = EffectLabel> {
    let operation = select(Operation::ALL.to_vec());
    (operation, name(), "[0-9a-f]{4,6}")
        .prop_map(|(operation, table, digest)| EffectLabel::new(operation, &table, &digest))
}

fn effects() -> impl Strategy<Value = Effects> {
    prop_oneof![
        vec(label(), 0..3).prop_map(Effects::Observed),
        Just(Effects::NotObserved)
    ]
}

fn finding() -> impl Strategy<Value = Finding> {
    let kinds = vec![
        Kind::DeniedButWrote,
        Kind::SecretAtRest,
        Kind::Inversion,
        Kind::DeniedEverywhere,
        Kind::StatusDiffers,
    ];
    let cell = option::of((name(), name()));
    (select(kinds), cell, name()).prop_map(|(kind, cell, detail)| Finding {
        kind,
        cell: cell.map(|(target, actor)| CellId { target, actor }),
        detail,
    })
}

fn map<K: From<String> + Eq + Hash + Debug, T: Debug>(
    values: impl Strategy<Value = T>,
) -> impl Strategy<Value = IndexMap<K, T>> {
    vec((name().prop_map(K::from), values), 0..4).prop_map(IndexMap::from_iter)
}

fn fault() -> impl Strategy<Value = Fault> {
    select(vec![
        Fault::TimedOut,
        Fault::Closed,
        Fault::NotHttp,
        Fault::TooLarge,
        Fault::EndedEarly,
    ])
}

/// A status, or what came instead of an answer.
fn reply() -> impl Strategy<Value = Reply> {
    prop_oneof![
        any::<u16>().prop_map(Reply::Status),
        fault().prop_map(Reply::Fault)
    ]
}

fn decision() -> impl Strategy<Value = Decision> {
    let verdicts = vec![Verdict::Allowed, Verdict::Redirected, Verdict::Denied];
    prop_oneof![
        reply().prop_map(Decision::by_status),
        (name(), select(verdicts), any::<u16>(), vec(name(), 0..3)).prop_map(
            |(rule, verdict, status, parts)| {
                Decision::by_rule(rule, verdict, status).but_for(parts)
            }
        ),
    ]
}

fn cell() -> impl Strategy<Value = Cell> {
    let parts = (
        decision(),
        option::of(name()),
        option::of(name()),
        option::of(name()),
        vec(name(), 0..3),
        effects(),
        map(decision().prop_map(Probed::from)),
        option::of(name()),
        option::of(name()),
    );
    parts.prop_map(
        |(decision, gate, headers, also, discloses, effects, probes, values, shape)| Cell {
            decision,
            gate,
            headers,
            also,
            discloses,
            effects,
            probes,
            values,
            shape,
        },
    )
}

/// A label of headers, or one of what answers have in common.
fn name_of_headers() -> impl Strategy<Value = String> {
    let common = select(vec!["common", "common 200", "common 403"]);
    prop_oneof![name(), common.prop_map(str::to_owned)]
}

fn scalar() -> impl Strategy<Value = Scalar> {
    prop_oneof![
        Just(Scalar::Null),
        any::<bool>().prop_map(Scalar::Flag),
        any::<i64>().prop_map(|number| Scalar::Number(number.into())),
        any::<f64>()
            .prop_filter_map("a number of JSON", Number::from_f64)
            .prop_map(Scalar::Number),
        name().prop_map(Scalar::Text),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let count = prop_oneof![
        any::<u64>().prop_map(Count::Exactly),
        Just(Count::AtLeastOne)
    ];
    prop_oneof![
        scalar().prop_map(Value::One),
        btree_set(scalar(), 0..3).prop_map(Value::Several),
        btree_map(name(), count, 0..3).prop_map(Value::Items),
    ]
}

fn values() -> impl Strategy<Value = Option<BTreeMap<String, Values>>> {
    option::of(btree_map(
        name_of_headers(),
        btree_map(name(), value(), 0..3),
        0..3,
    ))
}

type Legends = (
    BTreeMap<String, String>,
    BTreeMap<String, BTreeSet<String>>,
    BTreeMap<String, BTreeMap<String, String>>,
    BTreeMap<EffectLabel, RowChange>,
    Option<BTreeMap<String, Values>>,
    BTreeMap<String, BTreeSet<String>>,
);

fn legends() -> impl Strategy<Value = Legends> {
    (
        btree_map(name(), name(), 0..3),
        btree_map(name_of_headers(), btree_set(name(), 0..3), 0..3),
        btree_map(name(), btree_map(name(), name(), 0..3), 0..3),
        btree_map(label(), change(), 0..3),
        values(),
        btree_map(name(), btree_set(name(), 0..3), 0..3),
    )
}

pub(crate) fn record() -> impl Strategy<Value = Record> {
    let parts = (
        name(),
        legends(),
        map(map(cell().prop_map(Arc::new))),
        btree_set(name(), 0..3),
        vec(finding(), 0..3),
    );
    parts.prop_map(
        |(
            endpoint,
            (gates, headers, also, effects, values, shapes),
            cells,
            unobserved,
            findings,
        )| Record {
            format: Format,
            endpoint,
            gates,
            headers,
            also,
            effects,
            values,
            shapes,
            cells,
            unobserved,
            findings,
        },
    )
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn a_record_reads_back_as_it_was_written(record in record()) {
        let text = record.to_yaml().unwrap();
        let read = Record::parse(&text);
        prop_assert!(read.is_ok(), "{read:?}\n{text}");
        prop_assert_eq!(read.unwrap(), record, "{}", text);
    }

    #[test]
    fn a_cell_is_one_line(cell in cell()) {
        let line = cell.line();
        let ends = ['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'];
        prop_assert!(!line.contains(ends), "{line}");
    }

    #[test]
    fn a_finding_is_one_line_that_reads_back(finding in finding()) {
        let line = finding.line();
        let ends = ['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'];
        prop_assert!(!line.contains(ends), "{line}");
        prop_assert_eq!(serde_yaml::from_str::<Finding>(&line).unwrap(), finding, "{}", line);
    }

    #[test]
    fn a_record_is_the_same_in_a_report(record in record()) {
        let json = serde_json::to_string(&record).unwrap();
        prop_assert_eq!(serde_json::from_str::<Record>(&json).unwrap(), record, "{}", json);
    }

    #[test]
    fn a_finding_of_an_older_record_is_about_the_cell_that_it_names(record in record()) {
        let of_cells = record.iter().map(|(target, actor, _)| Finding {
            kind: Kind::ServerError,
            cell: Some(CellId::new(target, actor)),
            detail: "made the service fail (500)".to_owned(),
        });
        let findings: Vec<Finding> = of_cells.collect();
        let older = older(&record, &findings);
        let read = format1::read(&older);
        prop_assert!(read.is_ok(), "{read:?}\n{older}");
        let read = read.unwrap().findings;
        // Two cells can be called so that their findings are the same text.
        let texts = |findings: &[Finding]| findings.iter().map(as_before).collect::<Vec<_>>();
        prop_assert_eq!(texts(&read), texts(&findings), "{}", older);
        let is_swept = |cell: &CellId| record.cell_at(&cell.target, &cell.actor).is_some();
        prop_assert!(read.iter().all(|one| one.cell.as_ref().is_some_and(is_swept)), "{:?}", read);
    }
}

/// A finding of a cell as it was written then.
fn as_before(finding: &Finding) -> String {
    let (kind, detail) = (finding.kind.id(), &finding.detail);
    let cell = finding.cell.as_ref();
    cell.map_or_else(
        || finding.cause(),
        |cell| format!("{kind}: {} on `{}` {detail}", cell.actor, cell.target),
    )
}

/// The cells of a record and these findings, as they were written before a record's format had a number.
fn older(record: &Record, findings: &[Finding]) -> String {
    let row = |row: &IndexMap<Arc<str>, Arc<Cell>>| {
        let cells = row
            .keys()
            .map(|actor| (actor.to_string(), json!({"status": 500})));
        Json::Object(cells.collect())
    };
    let cells = record
        .cells
        .iter()
        .map(|(target, cells)| (target.clone(), row(cells)));
    let texts: Vec<String> = findings.iter().map(as_before).collect();
    let cells = Json::Object(cells.collect());
    let record = json!({"endpoint": "GET /", "cells": cells, "findings": texts});
    serde_yaml::to_string(&record).unwrap()
}

/// The record that is read from a file which holds the accepted record.
fn through_a_snapshot(record: &Record) -> Record {
    let folder = tempfile::tempdir().unwrap();
    let snapshot = Snapshot::new(folder.path(), "x");
    let text = record.to_yaml().unwrap();
    snapshot.accept(&text, "suite", &Info::new(1), &[]).unwrap();
    Record::parse(&snapshot.read().unwrap().unwrap()).unwrap()
}

proptest! {
    #![proptest_config(cases(40))]

    #[test]
    fn a_snapshot_reads_back_as_it_was_accepted(record in record()) {
        prop_assert_eq!(through_a_snapshot(&record), record);
    }
}

/// YAML takes a longer key only where it is marked as one.
#[test]
fn a_long_name_reads_back() {
    let name = "a".repeat(2_000);
    let cell = Cell {
        probes: IndexMap::from([(name.clone(), Reply::Status(200).into())]),
        ..Cell::new(Decision::by_status(Reply::Status(200)))
    };
    let record = Record {
        cells: IndexMap::from([(name.clone(), IndexMap::from([(name.into(), cell.into())]))]),
        ..Record::default()
    };
    assert_eq!(Record::parse(&record.to_yaml().unwrap()).unwrap(), record);
}

/// The line ends at the end of a snapshot are not part of its content.
#[test]
fn a_finding_of_line_ends_is_kept_in_a_snapshot() {
    let record = Record {
        findings: vec![Finding {
            kind: Kind::StatusDiffers,
            cell: None,
            detail: "\n".to_owned(),
        }],
        ..Record::default()
    };
    assert_eq!(through_a_snapshot(&record), record);
}
