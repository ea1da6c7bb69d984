//! One service on PostgreSQL and on a file of SQLite: what the tool records of it is the same.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail like the tests"
)]

mod notes;
mod session;

#[expect(dead_code, reason = "the tests of the command line use the rest")]
#[path = "../cli/place.rs"]
mod place;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::Value;

use notes::Notes;
use place::{Ended, Place};
use session::Dialect;

const DIALECTS: [Dialect; 2] = [Dialect::Postgres, Dialect::Sqlite];

/// In which values the records may differ: each dialect writes some values in its own way.
const DIFFERENCES: [&str; 1] = [
    // A number with a point that is whole.
    "note-star: effects update note columns weight new: 3 | 3.0",
];

const ENDPOINTS: [&str; 8] = [
    "note-create",
    "note-delete",
    "note-get",
    "note-list",
    "note-star",
    "ticket-close",
    "ticket-get",
    "ticket-open",
];

/// A suite in a folder, and the service that it is about.
struct Stage {
    place: Place,
    notes: Notes,
}

impl Stage {
    fn on(dialect: Dialect) -> Self {
        let place = Place::with("dialects");
        let notes = Notes::start(dialect);
        Self { place, notes }
    }

    fn run(&self, command: &str, more: &[&str]) -> Ended {
        let (url, database) = (self.notes.url(), self.notes.database_url());
        let arguments = [
            command,
            "dialects",
            "--base-url",
            &url,
            "--database-url",
            &database,
        ];
        self.place.run(&[&arguments, more].concat())
    }

    /// Runs a command that has to end with this code and leave every row as it was.
    #[track_caller]
    fn ends(&self, command: &str, more: &[&str], code: i32) -> Ended {
        let before = self.notes.content();
        let ended = self.run(command, more);
        assert_eq!(ended.code, Some(code), "{command}: {ended:#?}");
        assert_eq!(self.notes.content(), before, "{command}");
        ended
    }

    fn record(&self, endpoint: &str) -> Value {
        let file = format!("dialects/snapshots/{endpoint}.snap");
        let text = fs::read_to_string(self.place.path(&file)).unwrap();
        let (_, record) = text.split_once("\n---\n").unwrap();
        serde_yaml::from_str(record).unwrap()
    }
}

#[test]
fn what_is_recorded_is_checked_and_undone_in_both() {
    for dialect in DIALECTS {
        let stage = Stage::on(dialect);
        stage.ends("record", &["--reason", "what the service does"], 0);
        stage.ends("check", &[], 0);
    }
}

#[test]
fn the_records_of_both_say_the_same_but_for_the_values_that_are_listed() {
    let [postgres, sqlite] = DIALECTS.map(|dialect| {
        let stage = Stage::on(dialect);
        stage.ends("record", &["--reason", "what the service does"], 0);
        ENDPOINTS.map(|endpoint| stage.record(endpoint))
    });
    let mut found = BTreeSet::new();
    for ((endpoint, one), other) in ENDPOINTS.iter().zip(&postgres).zip(&sqlite) {
        differences(endpoint, one, other, &mut found);
    }
    let listed = DIFFERENCES.map(str::to_owned).into();
    assert_eq!(found, listed);
}

#[test]
fn a_hole_is_the_same_drift_in_both() {
    let [postgres, sqlite] = DIALECTS.map(|dialect| {
        let stage = Stage::on(dialect);
        stage.ends("record", &["--reason", "what the service does"], 0);
        stage.notes.open_hole();
        let ended = stage.ends("check", &["--format", "json"], 1);
        let report: Value = serde_json::from_str(&ended.stdout).unwrap();
        let groups = report["groups"].as_array().unwrap().iter();
        let said = groups.map(|group| format!("{} {}", group["kind"], group["endpoints"]));
        said.collect::<BTreeSet<_>>()
    });
    let is_widened = |said: &String| said.starts_with("\"widened\"") && said.contains("bob");
    assert!(postgres.iter().any(is_widened), "{postgres:?}");
    assert_eq!(postgres, sqlite);
}

/// Everything in which two records differ, each as the endpoint, what it is about, and both sides.
fn differences(endpoint: &str, one: &Value, other: &Value, found: &mut BTreeSet<String>) {
    let (one, other) = (unlabelled(one), unlabelled(other));
    let places: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
    for place in places {
        let [one, other] = [&one, &other].map(|all| all.get(place).cloned().unwrap_or_default());
        if one != other {
            let [one, other] = [one, other].map(|values| values.join(" and "));
            found.insert(format!("{endpoint}: {place}: {one} | {other}"));
        }
    }
}

/// A record as places and values. Labels end with a digest of what they stand for, which differs with a value: what two of
/// one name stand for is at one place.
fn unlabelled(record: &Value) -> BTreeMap<String, Vec<String>> {
    let mut lines = Vec::new();
    walk("", record, &mut lines);
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (place, value) in lines {
        all.entry(place).or_default().push(value);
    }
    for values in all.values_mut() {
        values.sort();
    }
    all
}

fn walk(place: &str, value: &Value, lines: &mut Vec<(String, String)>) {
    let below = |key: &str| format!("{place} {}", plain(key)).trim().to_owned();
    match value {
        Value::Object(map) => map
            .iter()
            .for_each(|(key, value)| walk(&below(key), value, lines)),
        Value::Array(items) => {
            let mut items: Vec<String> = items.iter().map(|item| plain(&text(item))).collect();
            items.sort();
            lines.push((place.to_owned(), items.join(", ")));
        }
        value => lines.push((place.to_owned(), plain(&text(value)))),
    }
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// A text without the digest at its end: `insert note 3fa1` is `insert note`.
fn plain(text: &str) -> String {
    let is_digest = |word: &str| word.len() == 4 && word.chars().all(|c| c.is_ascii_hexdigit());
    match text.rsplit_once(' ') {
        Some((label, word)) if is_digest(word) => label.to_owned(),
        _ => text.to_owned(),
    }
}
