//! The recorded LiteLLM releases, and the page that shows how they drift.

#![expect(
    clippy::unwrap_used,
    reason = "a helper of a test that cannot go on fails the test"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use authz_pin::plan::{Filter, plan};
use authz_pin::record::Record;
use authz_pin::snapshot::read_any;
use authz_pin::suite::Suite;

const PAGE: &str = "docs/litellm-releases.md";

/// The page's line between what a person wrote and what `releases/page` writes.
const MARK: &str = "<!-- authz-pin diff -->\n";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The folders of the releases, relative to the project's, oldest first.
fn releases() -> Vec<PathBuf> {
    let folder = Path::new("releases/litellm");
    let entries = fs::read_dir(root().join(folder)).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort_by_key(|name| {
        name.split('.')
            .map(|part| part.parse::<u32>().unwrap())
            .collect::<Vec<_>>()
    });
    names.into_iter().map(|name| folder.join(name)).collect()
}

fn snapshots(folder: &Path) -> Vec<(String, Record)> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let read = |file: PathBuf| {
        let record = Record::parse(&read_any(&file).unwrap()).unwrap();
        (
            file.file_stem().unwrap().to_string_lossy().into_owned(),
            record,
        )
    };
    files.into_iter().map(read).collect()
}

#[test]
fn at_least_five_releases_are_recorded_and_each_has_every_cell_of_the_suite() {
    let suite = Suite::load(&root().join("suites/litellm")).unwrap();
    let cells: Vec<(String, usize)> = plan(&suite, &Filter::default())
        .iter()
        .map(|plan| (plan.endpoint.name.clone(), plan.cells.len()))
        .collect();
    assert!(releases().len() >= 5);
    for release in releases() {
        let mut recorded: Vec<(String, usize)> = snapshots(&root().join(&release))
            .into_iter()
            .map(|(name, record)| (name, record.iter().count()))
            .collect();
        recorded.sort();
        let mut cells = cells.clone();
        cells.sort();
        assert_eq!(recorded, cells, "{}", release.display());
    }
}

#[test]
fn the_release_that_the_reference_gateway_follows_has_the_gateways_records() {
    let recorded = snapshots(&root().join("releases/litellm/1.85.1"));
    assert_eq!(recorded, snapshots(&root().join("snapshots/litellm")));
}

#[test]
fn the_page_of_the_releases_is_what_diff_writes() {
    let mut diff = Command::new(env!("CARGO_BIN_EXE_authz-pin"));
    let output = diff
        .current_dir(root())
        .args(["diff", "--format", "markdown"])
        .args(releases())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "the releases differ");
    let written = String::from_utf8(output.stdout).unwrap();
    let page = fs::read_to_string(root().join(PAGE)).unwrap();
    let (_, below) = page.split_once(MARK).unwrap();
    assert!(
        below.trim_end() == written.trim_end(),
        "{PAGE} is out of date: run releases/page"
    );
}
