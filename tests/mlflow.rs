//! The MLflow suite as far as it can be looked at without an MLflow; `scripts/mlflow/verify.sh` sweeps a real one.

#![expect(
    clippy::unwrap_used,
    reason = "a helper of a test that cannot go on fails the test"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use authz_pin::plan::{Filter, plan};
use authz_pin::record::Record;
use authz_pin::snapshot::read_any;
use authz_pin::suite::Suite;
use regex::Regex;

/// As docs/mlflow.md says.
const ENDPOINTS: usize = 65;
const CELLS: usize = 840;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn suite() -> Suite {
    Suite::load(&root().join("suites/mlflow")).unwrap()
}

fn snapshots() -> BTreeMap<String, PathBuf> {
    let entries = fs::read_dir(root().join("snapshots/mlflow")).unwrap();
    entries
        .map(|entry| entry.unwrap().path())
        .map(|file| (file.file_stem().unwrap().to_str().unwrap().to_owned(), file))
        .collect()
}

fn cells(suite: &Suite) -> Vec<(String, usize)> {
    let plans = plan(suite, &Filter::default());
    plans
        .iter()
        .map(|plan| (plan.endpoint.name.clone(), plan.cells.len()))
        .collect()
}

#[test]
fn the_suite_has_the_endpoints_and_cells_that_its_page_says() {
    let suite = suite();
    let cells = cells(&suite);
    let sum: usize = cells.iter().map(|(_, cells)| cells).sum();
    assert_eq!((cells.len(), sum), (ENDPOINTS, CELLS));
    let page = fs::read_to_string(root().join("docs/mlflow.md")).unwrap();
    let said = format!(
        "{ENDPOINTS} endpoints, {} actors, {CELLS} cells",
        suite.world.actors.len()
    );
    assert!(page.contains(&said), "docs/mlflow.md does not say `{said}`");
}

#[test]
fn list_prints_a_line_for_each_cell() {
    let mut list = Command::new(env!("CARGO_BIN_EXE_authz-pin"));
    let output = list
        .current_dir(root())
        .args(["list", "suites/mlflow"])
        .output()
        .unwrap();
    assert!(output.status.success());
    assert_eq!(
        output.stdout.split(|byte| *byte == b'\n').count() - 1,
        CELLS
    );
}

#[test]
fn each_endpoint_has_a_snapshot_with_every_cell_and_no_snapshot_is_left_over() {
    let recorded: Vec<(String, usize)> = snapshots()
        .into_iter()
        .map(|(name, file)| {
            let record = Record::parse(&read_any(&file).unwrap()).unwrap();
            (name, record.iter().count())
        })
        .collect();
    let mut cells = cells(&suite());
    cells.sort();
    assert_eq!(recorded, cells);
}

/// A password, a hash, an id or a moment is a long word with digits; a label's digest has four characters, and that of a long
/// text stands in brackets.
#[test]
fn no_snapshot_holds_a_value_of_the_run() {
    let digest = Regex::new("<(?:texts?|hidden) [0-9a-f]{8}>").unwrap();
    let is_value = |word: &&str| word.len() >= 8 && word.chars().any(|c| c.is_ascii_digit());
    for (name, file) in snapshots() {
        let text = fs::read_to_string(&file).unwrap();
        let (_, record) = text.split_once("\n---\n").unwrap();
        let record = digest.replace_all(record, "<text>");
        let words = record.split(|c: char| !c.is_ascii_alphanumeric());
        let values: Vec<&str> = words.filter(is_value).collect();
        assert_eq!(values, Vec::<&str>::new(), "{name}");
        assert!(!record.contains("scrypt"), "{name}");
    }
}

/// The world is made by requests alone, so that nothing of MLflow's tables has to be known.
#[test]
fn the_world_has_no_rows() {
    let kinds = suite().world.kinds;
    assert!(kinds.values().all(|kind| kind.rows.is_empty()));
}

#[test]
fn what_the_records_could_not_show_is_explained() {
    let mut sensitivity = Command::new(env!("CARGO_BIN_EXE_authz-pin"));
    let output = sensitivity
        .current_dir(root())
        .args(["sensitivity", "suites/mlflow", "--fail-under", "100"])
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}");
    assert!(said.contains(" explained, 0 open\n"), "{said}");
}
