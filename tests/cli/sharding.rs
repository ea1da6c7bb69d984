//! A suite that is swept in parts, by jobs that know nothing of each other.

use std::collections::BTreeSet;
use std::path::PathBuf;

use insta::assert_snapshot;
use serde_json::{Value as Json, json};

use super::place::{Ended, Place};
use super::stub::Stub;

/// A shard without endpoints, where no service and no database is: `ping` is in the other one.
const EMPTY: [&str; 5] = ["ping", "--shard", "1/2", "--base-url", "http://127.0.0.1:1"];

/// What a command says of a shard without endpoints, where it says it, as long as it does not fail.
fn of_an_empty_shard(command: &str, more: &[&str]) -> Ended {
    let arguments = [&[command], &EMPTY[..], more].concat();
    let ended = Place::with("ping").run(&arguments);
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    assert_eq!(
        ended.stderr,
        "note: none of the endpoints is in shard 1/2\n"
    );
    ended
}

/// Six endpoints of one cell each.
fn six() -> Place {
    let endpoint = "request: { method: GET, path: /ping }\ntargets: [nothing]\n";
    ["a", "b", "c", "d", "e"]
        .iter()
        .fold(Place::with("ping"), |place, name| {
            place.write(&format!("ping/endpoints/{name}.yaml"), endpoint)
        })
}

fn proposed(place: &Place) -> BTreeSet<(PathBuf, Vec<u8>)> {
    let files = place.files().into_iter();
    files
        .filter(|(file, _)| file.extension().is_some_and(|extension| extension == "new"))
        .map(|(file, content)| (file.file_name().unwrap().into(), content))
        .collect()
}

#[test]
fn every_endpoint_is_in_one_shard_whatever_the_filter_is() {
    let place = Place::with_litellm();
    let list = |arguments: &[&str]| place.run(&[&["list"], arguments].concat()).result();
    for filter in ["*", "key-*/owner*"] {
        let filter = ["--filter", filter];
        let all = list(&filter);
        for of in [1, 2, 3, 7] {
            let shards = (1..=of).map(|number| format!("{number}/{of}"));
            let parts: Vec<String> = shards
                .map(|shard| list(&[&filter[..], &["--shard", &shard]].concat()))
                .collect();
            let lines: BTreeSet<&str> = parts.iter().flat_map(|part| part.lines()).collect();
            assert_eq!(lines, all.lines().collect(), "of {of}");
            let count: usize = parts.iter().map(|part| part.lines().count()).sum();
            assert_eq!(count, all.lines().count(), "of {of}");
        }
    }
}

#[test]
fn what_the_shards_write_is_what_one_run_writes() {
    let stub = Stub::start(&[]);
    let check = |place: &Place, arguments: &[&str]| {
        let url = stub.url();
        let arguments = [&["check", "ping", "--base-url", &url], arguments].concat();
        assert_eq!(place.run(&arguments).code, Some(1));
    };
    let (whole, one, other) = (six(), six(), six());
    check(&whole, &[]);
    check(&one, &["--shard", "1/2"]);
    check(&other, &["--shard", "2/2"]);
    let (one, other) = (proposed(&one), proposed(&other));
    assert!(!one.is_empty() && !other.is_empty());
    assert_eq!(&one | &other, proposed(&whole));
    assert!(one.is_disjoint(&other));
}

#[test]
fn a_shard_without_endpoints_is_as_pinned_and_still_reports() {
    let place = Place::with("ping");
    let arguments = [
        "check",
        "ping",
        "--base-url",
        "http://127.0.0.1:1",
        "--report",
        "junit=junit.xml",
    ];
    let ended = (1..=2).map(|number| {
        let shard = format!("{number}/2");
        place
            .run(&[&arguments[..], &["--shard", &shard]].concat())
            .code
    });
    // The one endpoint is in one of the two, where no service is.
    assert_eq!(ended.collect::<BTreeSet<_>>(), [Some(0), Some(3)].into());
    assert!(place.path("junit.xml").exists());
}

#[test]
fn a_check_of_a_shard_without_endpoints_says_so_beside_its_sum() {
    let sum = "as pinned: 0 cells, 0 endpoints, 0 requests, 0 pinned findings";
    let human = of_an_empty_shard("check", &[]).stdout;
    assert!(human.contains(sum), "{human}");
    let json = of_an_empty_shard("check", &["--format", "json"]).stdout;
    let json: Json = serde_json::from_str(&json).unwrap();
    assert_eq!(json["endpoints"], json!([]));
}

#[test]
fn a_recording_of_a_shard_without_endpoints_accepts_nothing() {
    assert_eq!(of_an_empty_shard("record", &[]).stdout, "");
}

#[test]
fn a_dry_run_of_a_shard_without_endpoints_shows_neither_rows_nor_a_journal() {
    let database = "postgres://me@127.0.0.1:1/notes";
    let dry_run = ["--dry-run", "--database-url", database];
    assert_snapshot!(of_an_empty_shard("check", &dry_run).stdout, @r"
    Nothing is sent and nothing is written.

    suite     ping
    service   http://127.0.0.1:1/
    database  postgres://me@127.0.0.1:1/notes

    0 cells, 0 requests without the pages after a first one
    ");
}

#[test]
fn a_list_of_a_shard_without_endpoints_has_no_lines() {
    let list = ["list", "ping", "--shard", "1/2"];
    let ended = Place::with("ping").run(&list);
    assert_eq!(
        ended.stderr,
        "note: none of the endpoints is in shard 1/2\n"
    );
    assert_eq!(ended.result(), "");
}

#[test]
fn a_filter_that_selects_nothing_is_a_slip_in_a_shard_too() {
    let list = ["list", "ping", "--shard", "1/2", "--filter", "pong"];
    let error = Place::with("ping").run(&list).error(4);
    assert!(
        error.starts_with("error: no cell matches `pong`\n"),
        "{error}"
    );
}

#[test]
fn a_recording_of_a_shard_accepts_the_endpoints_of_this_shard() {
    let stub = Stub::start(&[]);
    let place = six();
    let listed = place
        .run(&["list", "ping", "--shard", "1/2"])
        .result()
        .lines()
        .count();
    let record = [
        "record",
        "ping",
        "--shard",
        "1/2",
        "--base-url",
        &stub.url(),
    ];
    let recorded = place.run(&record).result();
    assert_eq!(recorded.matches("\naccepted ").count(), listed);
    let check = ["check", "ping", "--shard", "1/2", "--base-url", &stub.url()];
    place.run(&check).result();
}

#[test]
fn a_shard_that_is_none_is_a_slip() {
    for shard in ["0/3", "x/3", "1/0", "3"] {
        let error = Place::with("ping")
            .run(&["list", "--shard", shard])
            .error(2);
        let expected = format!("error: invalid value '{shard}' for '--shard <I/N>': ");
        assert!(error.starts_with(&expected), "{error}");
    }
    let error = Place::with("ping")
        .run(&["list", "--shard", "3/2"])
        .error(2);
    assert_snapshot!(error, @r"
    error: invalid value '3/2' for '--shard <I/N>': it is not of the form I/N, where I is from 1 to N

    For more information, try '--help'.
    ");
}
