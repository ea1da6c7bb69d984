//! The suites of `examples` as far as they can be looked at without their servers; `examples/verify.sh` sweeps real ones.

use std::fs;
use std::path::PathBuf;

use authz_pin::plan::{Filter, plan};
use authz_pin::record::{Record, Rule};
use authz_pin::snapshot::read_any;
use authz_pin::suite::Suite;

use super::place::{Place, project};

const EXAMPLES: [&str; 2] = ["graphql", "mcp"];

fn folder(example: &str) -> PathBuf {
    project().join("examples").join(example)
}

fn suite(example: &str) -> Suite {
    Suite::load(&folder(example)).unwrap()
}

fn record(example: &str, endpoint: &str) -> Record {
    let file = folder(example).join(format!("snapshots/{endpoint}.snap"));
    Record::parse(&read_any(&file).unwrap()).unwrap()
}

/// Each cell of the suite, by its names.
fn planned(suite: &Suite) -> Vec<String> {
    let plans = plan(suite, &Filter::default());
    let cells = plans.iter().flat_map(|plan| &plan.cells);
    cells.map(ToString::to_string).collect()
}

fn recorded(example: &str) -> Vec<String> {
    let files = fs::read_dir(folder(example).join("snapshots")).unwrap();
    let names = files.map(|file| file.unwrap().path().file_stem().unwrap().to_owned());
    let cells = names.flat_map(|name| {
        let name = name.to_str().unwrap().to_owned();
        let record = record(example, &name);
        let cells = record
            .iter()
            .map(|(target, actor, _)| format!("{name}/{target}/{actor}"));
        cells.collect::<Vec<_>>()
    });
    cells.collect()
}

#[test]
fn each_cell_of_an_example_is_recorded_and_no_other() {
    for example in EXAMPLES {
        let (mut planned, mut recorded) = (planned(&suite(example)), recorded(example));
        planned.sort();
        recorded.sort();
        assert_eq!(planned, recorded, "{example}");
    }
}

#[test]
fn the_page_says_how_large_the_examples_are() {
    let page = fs::read_to_string(project().join("docs/protocols.md")).unwrap();
    for example in EXAMPLES {
        let suite = suite(example);
        let (endpoints, actors) = (suite.endpoints.len(), suite.world.actors.len());
        let cells = planned(&suite).len();
        let said = format!("{endpoints} endpoints, {actors} actors, {cells} cells");
        let row = page
            .lines()
            .find(|line| line.starts_with(&format!("| `examples/{example}`")));
        assert!(row.unwrap().contains(&said), "{example} has {said}");
    }
}

/// A hole opens what is closed: a cell that it widens is refused in the records, and by what the list says.
#[test]
fn what_a_hole_of_an_example_widens_is_refused_in_its_records() {
    for example in EXAMPLES {
        for hole in fs::read_dir(folder(example).join("holes")).unwrap() {
            let list = fs::read_to_string(hole.unwrap().path()).unwrap();
            for line in list.lines() {
                assert!(is_closed(example, line), "{example}: {line}");
            }
        }
    }
}

/// Of `ENDPOINT/TARGET/ACTOR RULE ...`; a call that is `shown` more was allowed before.
fn is_closed(example: &str, line: &str) -> bool {
    let (endpoint, rest) = line.split_once('/').unwrap();
    let (target, rest) = rest.split_once('/').unwrap();
    let mut words = rest.split(' ');
    let (actor, rule) = (words.next().unwrap(), words.next().unwrap());
    let record = record(example, endpoint);
    let mut cells = record.iter();
    let (_, _, cell) = cells
        .find(|cell| (cell.0, cell.1) == (target, actor))
        .unwrap();
    match rule {
        "shown" => cell.is_allowed(),
        rule => {
            let told = Rule::Named(rule.to_owned());
            cell.is_denied() && *cell.decision.rule() == told
        }
    }
}

#[test]
fn what_the_records_of_the_examples_could_not_show_is_explained() {
    for example in EXAMPLES {
        let folder = folder(example);
        let folder = folder.to_str().unwrap();
        let place = Place::empty();
        let said = place
            .run(&["sensitivity", folder, "--fail-under", "100"])
            .result();
        assert!(said.contains(" explained, 0 open\n"), "{example}: {said}");
    }
}
