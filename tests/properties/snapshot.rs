//! Snapshot files.

use authz_pin::drift;
use authz_pin::record::Record;
use authz_pin::snapshot;
use proptest::prelude::*;

use super::support::{bomb, bytes, cases, mutated, read, soon};

/// Reads a snapshot and compares it with another; what was read is written and read again.
fn used(text: &str) {
    let content = snapshot::content(text).unwrap_or_else(|| text.to_owned());
    let Ok(record) = Record::parse(&content) else {
        return;
    };
    let written = record.to_yaml().unwrap();
    assert_eq!(Record::parse(&written).unwrap(), record, "{written}");
    assert_eq!(drift::between(&record, &record), []);
    let other = Record::parse("format: 2\nendpoint: GET /\n").unwrap();
    let _ = drift::between(&other, &record);
    let _ = drift::compare(Some(&content), &written);
}

proptest! {
    #![proptest_config(cases(100))]

    #[test]
    fn a_changed_snapshot_is_read_or_refused(text in mutated(vec![read("snapshots/litellm/key-info.snap"), read("snapshots/litellm/key-update-models.snap")])) {
        used(&text);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in bytes()) {
        used(&String::from_utf8_lossy(&bytes));
    }
}

#[test]
fn aliases_of_aliases_are_refused_soon() {
    let bomb = format!("format: 2\nendpoint: x\ngates:\n{}", bomb("  ", 30));
    soon(move || used(&bomb));
}

#[test]
fn brackets_without_end_are_refused_soon() {
    for open in [
        "[", "{a: ", "- ", "? ", "{", "[{", "!a ", "&a ", "'", "\"", "|\n", "%",
    ] {
        let text = open.repeat(200_000);
        soon(move || used(&text));
    }
}
