//! Records that are not stable, what is said of them, and the rules that steady them.

use std::fs;

use authz_pin::embedded::Cluster;
use insta::assert_snapshot;
use tokio::runtime::Runtime;

use super::clock;
use super::place::{Ended, Place};
use super::raw::Raw;

struct Unsteady {
    service: Raw,
    database: String,
    place: Place,
    _cluster: Cluster,
}

impl Unsteady {
    fn start(mode: &'static str) -> Self {
        let cluster = Cluster::start().unwrap();
        let runtime = Runtime::new().unwrap();
        let database = runtime.block_on(cluster.create_database("clock_test"));
        let database = database.unwrap();
        Self {
            service: clock::start(&database, mode),
            database,
            place: Place::with("clock"),
            _cluster: cluster,
        }
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        let url = self.service.url();
        let service = ["--base-url", &url, "--database-url", &self.database];
        self.place.run(&[arguments, &service].concat())
    }

    fn record(&self, arguments: &[&str]) -> Ended {
        // In an order of their own the calls would get other numbers.
        self.run(&[&["record", "clock", "--concurrency", "1"], arguments].concat())
    }

    fn suite(&self) -> String {
        fs::read_to_string(self.place.path("clock/suite.yaml")).unwrap()
    }

    /// Nothing is accepted, and the suite is as it was.
    fn is_untouched(&self) -> bool {
        let before = Place::with("clock");
        let before = fs::read_to_string(before.path("clock/suite.yaml")).unwrap();
        self.suite() == before && !self.place.path("clock/snapshots").exists()
    }
}

#[test]
fn every_column_that_is_not_stable_is_named_with_its_rule() {
    let unsteady = Unsteady::start("columns");
    assert_snapshot!(unsteady.record(&[]).error(5), @r#"
    swept write: 2 cells
    swept write: 2 cells
    error: two sweeps of the same service differ, nothing was accepted:
      write: update note.meta.at
        a note/one: 2026-01-31T12:00:10 / 2026-01-31T12:00:12
        a note/two: 2026-01-31T12:00:11 / 2026-01-31T12:00:13
      write: update note.stamp
        a note/one: 0 -> 1000 / 0 -> 1002
        a note/two: 0 -> 1001 / 0 -> 1003
      write: update note.state.n
        a note/one: 0 / 2
        a note/two: 1 / 3
      = help: add to suite.yaml, or let `--calibrate` do it:
    unstable_columns:
      # not the same in two sweeps of write/a note/one
      note.meta.at: <timestamp>
      # not the same in two sweeps of write/a note/one
      note.stamp: <number>
      # not the same in two sweeps of write/a note/one
      note.state.n: <number>
    "#);
    assert!(unsteady.is_untouched());
}

#[test]
fn calibration_adds_rules_for_columns_and_keeps_every_other_line() {
    let unsteady = Unsteady::start("columns");
    let before = unsteady.suite();
    assert_snapshot!(unsteady.record(&["--calibrate"]).result(), @"
    pins 2 cells of 1 endpoint: write (2)
      warn anonymous-allowed: was allowed (200)
          write  a note: one, two
      seen: 2 answers (2 JSON), changes in 2 tables
    added to clock/suite.yaml:
    unstable_columns:
      # not the same in two sweeps of write/a note/one
      note.meta.at: <timestamp>
      # not the same in two sweeps of write/a note/one
      note.stamp: <number>
      # not the same in two sweeps of write/a note/one
      note.state.n: <number>

    accepted clock/snapshots/write.snap
    ");
    let after = unsteady.suite();
    assert_snapshot!(after, @r#"
    # A service that never shows the same twice: what it shows is up to the test.
    name: clock
    snapshots: snapshots

    service:
      ready: /health
      settle_ms: 0

    # Where a refusal says why.
    refusal:
      type: $.type
      message: $.error

    # Columns that are new each time.
    unstable_columns:
      note.seen: <timestamp> # by a trigger
      # not the same in two sweeps of write/a note/one
      note.meta.at: <timestamp>
      # not the same in two sweeps of write/a note/one
      note.stamp: <number>
      # not the same in two sweeps of write/a note/one
      note.state.n: <number>

    # Nothing weighs more than the tool says.
    levels: {}
    "#);
    let mut rest = after.lines();
    assert!(before.lines().all(|line| rest.any(|other| other == line)));
    unsteady.run(&["check", "clock"]).result();
}

#[test]
fn calibration_adds_a_list_for_entries_in_another_order() {
    let unsteady = Unsteady::start("texts");
    assert_snapshot!(unsteady.record(&[]).error(5), @r#"
    swept write: 2 cells
    swept write: 2 cells
    error: two sweeps of the same service differ, nothing was accepted:
      write: gate
        a note/one: denied: only ['a', 'b'] may / denied: only ['b', 'a'] may
        a note/two: denied: only ['a', 'b'] may / denied: only ['b', 'a'] may
      = help: add to suite.yaml, or let `--calibrate` do it:
    texts:
      # not the same in two sweeps of write/a note/one
      - { pattern: "^only \\[(?<list>[^\\]]*)\\] may$", lists: [list], because: not the same in two sweeps of write/a note/one }
    "#);
    assert_snapshot!(unsteady.record(&["--calibrate"]).result(), @r#"
    pins 2 cells of 1 endpoint: write (2)
      no findings
      seen: 2 answers (2 JSON), changes in 2 tables
      not seen: what an allowed call does of `write`
    added to clock/suite.yaml:
    texts:
      # not the same in two sweeps of write/a note/one
      - { pattern: "^only \\[(?<list>[^\\]]*)\\] may$", lists: [list], because: not the same in two sweeps of write/a note/one }

    accepted clock/snapshots/write.snap
    "#);
    assert!(unsteady.suite().ends_with(
        "levels: {}\n\ntexts:\n  # not the same in two sweeps of write/a note/one\n  - { pattern: \"^only \\\\[(?<list>[^\\\\]]*)\\\\] may$\", lists: [list], because: not the same in two sweeps of write/a note/one }\n"
    ), "{}", unsteady.suite());
    unsteady.run(&["check", "clock"]).result();
}

#[test]
fn words_that_are_new_each_time_are_not_calibrated() {
    let unsteady = Unsteady::start("new texts");
    let error = unsteady.record(&["--calibrate"]).error(5);
    assert!(error.contains("these rules did not do"), "{error}");
    assert!(unsteady.is_untouched());
}

#[test]
fn what_is_pinned_is_never_calibrated() {
    let errors = ["status", "types", "effects", "fields"].map(|mode| {
        let unsteady = Unsteady::start(mode);
        let error = unsteady.record(&["--calibrate"]).error(5);
        assert!(unsteady.is_untouched(), "{mode}");
        format!("{mode}\n{error}")
    });
    assert_snapshot!(errors.join("\n"), @"
    status
    swept write: 2 cells
    swept write: 2 cells
    error: two sweeps of the same service differ, nothing was accepted:
      write: status
        a note/one: 200 / 403
        a note/two: 200 / 403
      write: gate
        a note/one:  / denied: no
        a note/two:  / denied: no
      = help: no rule is made for what is pinned: raise `service.settle_ms`, name the table under `background`, or mend the service

    types
    swept write: 2 cells
    swept write: 2 cells
    error: two sweeps of the same service differ, nothing was accepted:
      write: gate
        a note/one: early: denied for now / late: denied for now
        a note/two: early: denied for now / late: denied for now
      = help: no rule is made for what is pinned: raise `service.settle_ms`, name the table under `background`, or mend the service

    effects
    swept write: 2 cells
    swept write: 2 cells
    error: two sweeps of the same service differ, nothing was accepted:
      write: update note
        a note/one: 0 rows / 1 rows
        a note/two: 0 rows / 1 rows
      = help: no rule is made for what is pinned: raise `service.settle_ms`, name the table under `background`, or mend the service

    fields
    swept write: 2 cells
    swept write: 2 cells
    error: two sweeps of the same service differ, nothing was accepted:
      write: body note.even
        a note/one: there / not there
        a note/two: there / not there
      write: body note.odd
        a note/one: not there / there
        a note/two: not there / there
      = help: no rule is made for what is pinned: raise `service.settle_ms`, name the table under `background`, or mend the service
    ");
}
