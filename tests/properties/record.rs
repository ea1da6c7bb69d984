//! Records: what is written reads back.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::hash::Hash;
use std::sync::Arc;

use authz_pin::fault::{Fault, Reply};
use authz_pin::observation::RowChange;
use authz_pin::record::{Cell, Effects, Record};
use authz_pin::snapshot::{Info, Snapshot};
use indexmap::IndexMap;
use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::support::{cases, text};

fn change() -> impl Strategy<Value = RowChange> {
    (text(), btree_map(text(), text(), 0..3)).prop_map(|(row, columns)| RowChange {
        row,
        columns: columns.into_iter().collect(),
    })
}

fn effects() -> impl Strategy<Value = Effects> {
    prop_oneof![
        vec(text(), 0..3).prop_map(Effects::Observed),
        Just(Effects::NotObserved)
    ]
}

fn map<K: From<String> + Eq + Hash + Debug, T: Debug>(
    values: impl Strategy<Value = T>,
) -> impl Strategy<Value = IndexMap<K, T>> {
    vec((text().prop_map(K::from), values), 0..4).prop_map(IndexMap::from_iter)
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

fn cell() -> impl Strategy<Value = Cell> {
    let parts = (
        reply(),
        option::of(text()),
        vec(text(), 0..3),
        effects(),
        map(reply()),
        option::of(text()),
    );
    parts.prop_map(|(reply, gate, discloses, effects, probes, shape)| Cell {
        status: match reply {
            Reply::Status(status) => Some(status),
            Reply::Fault(_) => None,
        },
        fault: match reply {
            Reply::Status(_) => None,
            Reply::Fault(fault) => Some(fault),
        },
        gate,
        discloses,
        effects,
        probes,
        shape,
    })
}

type Legends = (
    BTreeMap<String, String>,
    BTreeMap<String, RowChange>,
    BTreeMap<String, BTreeSet<String>>,
);

fn legends() -> impl Strategy<Value = Legends> {
    (
        btree_map(text(), text(), 0..3),
        btree_map(text(), change(), 0..3),
        btree_map(text(), btree_set(text(), 0..3), 0..3),
    )
}

pub(crate) fn record() -> impl Strategy<Value = Record> {
    let parts = (
        text(),
        legends(),
        map(map(cell().prop_map(Arc::new))),
        btree_set(text(), 0..3),
        vec(text(), 0..3),
    );
    parts.prop_map(
        |(endpoint, (gates, effects, shapes), cells, unobserved, findings)| Record {
            endpoint,
            gates,
            effects,
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
        status: Some(200),
        probes: IndexMap::from([(name.clone(), Reply::Status(200))]),
        ..Cell::default()
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
        findings: vec!["\n".to_owned()],
        ..Record::default()
    };
    assert_eq!(through_a_snapshot(&record), record);
}
