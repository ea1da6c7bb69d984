//! The table, the patches, the pins, the suite and the page agree. Nothing is built here.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail like the tests")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use authz_pin_suite::plan::{Filter, plan};
use authz_pin_suite::suite::Suite;
use replay::check::SUITE;
use replay::flips::parts;
use replay::page;
use replay::releases::look_up;
use replay::table::{FOLDER, Table, patch, read_pins};

fn root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap().to_owned()
}

fn ids() -> Vec<String> {
    Table::read(&root()).unwrap().replays.into_keys().collect()
}

#[test]
fn every_replay_has_a_patch_and_pins_and_there_are_no_others() {
    let files = fs::read_dir(root().join(FOLDER)).unwrap();
    let files = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let expected = ids().into_iter();
    let expected = expected.flat_map(|id| [format!("{id}.patch"), format!("{id}.cells")]);
    assert_eq!(
        files.collect::<BTreeSet<_>>(),
        expected.chain(["replays.yaml".to_owned()]).collect()
    );
}

#[test]
fn every_replay_pins_cells_of_the_suites_plan() {
    let suite = Suite::load(&root().join(SUITE)).unwrap();
    let planned = plan(&suite, &Filter::default());
    let cells = planned.iter().flat_map(|endpoint| &endpoint.cells);
    let cells: BTreeSet<String> = cells.map(ToString::to_string).collect();
    for id in ids() {
        let pins = read_pins(&root(), &id).unwrap();
        assert!(!pins.is_empty(), "`{id}` pins no cell");
        for pin in pins {
            let (cell, _) = parts(&pin).unwrap();
            assert!(cells.contains(cell), "`{id}` pins `{pin}`");
        }
    }
}

#[test]
fn every_patch_changes_the_gateway_alone() {
    for id in ids() {
        let text = fs::read_to_string(patch(&root(), &id)).unwrap();
        let files = text.lines().filter_map(|line| line.strip_prefix("+++ b/"));
        let elsewhere = files.filter(|file| !file.starts_with("gateway/src/"));
        assert_eq!(elsewhere.collect::<Vec<_>>(), [""; 0], "in `{id}`");
    }
}

#[test]
fn every_patch_applies() {
    for id in ids() {
        let mut apply = Command::new("git");
        apply.current_dir(root()).args(["apply", "--check"]);
        let output = apply.arg(patch(&root(), &id)).output().unwrap();
        let reason = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "{FOLDER}/{id}.patch no longer applies; bring the old behaviour back by hand and write it anew with \
             `git diff`\n{reason}"
        );
    }
}

/// A release has more bugs than one, so not every cell has to be as in the replay: where a second bug lets the call pass
/// what the replay still stops at, it is neither as replayed nor as fixed. But none may be as fixed.
#[test]
fn the_releases_between_which_a_fix_is_show_the_bug_and_its_end() {
    for (id, replay) in Table::read(&root()).unwrap().replays {
        let pins = read_pins(&root(), &id).unwrap();
        let Some(between) = replay.between else {
            continue;
        };
        let old = look_up(&root(), &between.without, &pins).unwrap();
        let new = look_up(&root(), &between.with, &pins).unwrap();
        assert_eq!(new.fixed, new.recorded(), "`{id}` in {}", between.with);
        assert!(
            old.fixed == 0 && old.replayed * 2 > old.recorded(),
            "`{id}` in {}: {old:?}",
            between.without
        );
    }
}

#[test]
fn the_page_is_what_the_table_and_the_pins_make_of_it() {
    let page = page::page(&root()).unwrap();
    let file = fs::read_to_string(root().join(page::FILE)).unwrap();
    assert_eq!(
        file.replace("\r\n", "\n"),
        page,
        "`cargo run -p replay -- --bless` writes it"
    );
}
