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
        self.run(&[&["record", "clock"], arguments].concat())
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
    assert_snapshot!(unsteady.record(&[]).error(5), @"");
    assert!(unsteady.is_untouched());
}

#[test]
fn calibration_adds_rules_for_columns_and_keeps_every_other_line() {
    let unsteady = Unsteady::start("columns");
    let before = unsteady.suite();
    assert_snapshot!(unsteady.record(&["--calibrate"]).result(), @"");
    let after = unsteady.suite();
    assert_snapshot!(after, @"");
    let mut rest = after.lines();
    assert!(before.lines().all(|line| rest.any(|other| other == line)));
    unsteady.run(&["check", "clock"]).result();
}

#[test]
fn calibration_adds_rules_for_texts_of_which_there_are_two() {
    let unsteady = Unsteady::start("texts");
    assert_snapshot!(unsteady.record(&[]).error(5), @"");
    assert_snapshot!(unsteady.record(&["--calibrate"]).result(), @"");
    assert!(unsteady.suite().ends_with(
        "levels: {}\n\ntexts:\n  # differs between two sweeps of write a note/one\n  - { from: \"['b', 'a']\", to: \"['a', 'b']\", because: differs between two sweeps of write a note/one }\n"
    ), "{}", unsteady.suite());
    unsteady.run(&["check", "clock"]).result();
}

#[test]
fn a_text_that_is_new_each_time_is_not_calibrated() {
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
    assert_snapshot!(errors.join("\n"), @"");
}
