//! Snapshots that belong to no endpoint of the suite.

use insta::assert_snapshot;
use serde_json::{Value as Json, json};

use super::place::Place;
use super::review::names;
use super::shelf::Shelf;

/// A suite whose two endpoints are pinned, and of which one was removed then.
pub(crate) fn orphaned(shelf: &Shelf) -> Place {
    let place = Place::with("shelf");
    shelf.run(&place, &["record"]).result();
    place.remove("shelf/endpoints/book-lend.yaml")
}

const LEND: &str = "shelf/snapshots/book-lend.snap";

#[test]
fn a_snapshot_of_no_endpoint_fails_a_check_and_is_named() {
    let shelf = Shelf::start();
    let place = orphaned(&shelf);
    let ended = shelf.run(&place, &["check"]);
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    let said = "`--all` shows the matrices\n\nunreferenced-snapshot book-lend: a snapshot belongs to no endpoint of the suite\n    shelf/snapshots/book-lend.snap\n\nseen: 8 answers (8 JSON), no database\nnot seen: effects of 8 cells\nnot as pinned, 1 snapshot of no endpoint: 8 cells, 1 endpoint,";
    assert!(ended.stdout.contains(said), "{ended:#?}");
}

#[test]
fn what_waits_for_review_of_no_endpoint_is_named_as_well() {
    let shelf = Shelf::start();
    let place = orphaned(&shelf);
    let text = std::fs::read_to_string(place.path(LEND)).unwrap();
    let place = place
        .write("shelf/snapshots/book-burn.snap.new", &text)
        .remove(LEND);
    let ended = shelf.run(&place, &["check"]);
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    assert!(
        ended
            .stdout
            .contains("    shelf/snapshots/book-burn.snap.new\n"),
        "{ended:#?}"
    );
}

#[test]
fn a_check_that_only_warns_of_it_or_ignores_it_is_as_pinned() {
    let shelf = Shelf::start();
    let place = orphaned(&shelf);
    let warned = shelf
        .run(&place, &["check", "--unreferenced", "warn"])
        .result();
    assert!(
        warned.contains("unreferenced-snapshot book-lend"),
        "{warned}"
    );
    assert!(warned.contains("\nas pinned: "), "{warned}");
    let ignored = shelf
        .run(&place, &["check", "--unreferenced", "ignore"])
        .result();
    assert!(!ignored.contains("book-lend"), "{ignored}");
    assert!(place.path(LEND).exists());
}

#[test]
fn a_check_that_deletes_it_says_so() {
    let shelf = Shelf::start();
    let place = orphaned(&shelf);
    let deleted = shelf
        .run(&place, &["check", "--unreferenced", "delete"])
        .result();
    let said = "unreferenced-snapshot book-lend: a snapshot that belonged to no endpoint of the suite was deleted\n    shelf/snapshots/book-lend.snap\n";
    assert!(deleted.contains(said), "{deleted}");
    assert_eq!(names(&place), ["book-show.snap"]);
    shelf.run(&place, &["check"]).result();
}

#[test]
fn what_is_no_record_is_never_deleted() {
    let shelf = Shelf::start();
    let place = orphaned(&shelf).write(LEND, "---\nsource: x\n---\nhello\n");
    let kept = shelf.run(&place, &["check", "--unreferenced", "delete"]);
    assert_eq!(kept.code, Some(1), "{kept:#?}");
    assert!(
        kept.stdout.contains("    not deleted: it is no record\n"),
        "{kept:#?}"
    );
    assert!(place.path(LEND).exists());
}

#[test]
fn files_of_other_kinds_in_the_folder_belong_to_somebody_else() {
    let shelf = Shelf::start();
    let place = orphaned(&shelf)
        .remove(LEND)
        .write("shelf/snapshots/README.md", "hello")
        .write("shelf/snapshots/old/book-lend.snap", "hello");
    shelf.run(&place, &["check"]).result();
}

#[test]
fn a_filter_makes_no_snapshot_an_orphan_and_hides_none() {
    let shelf = Shelf::start();
    let place = Place::with("shelf");
    shelf.run(&place, &["record"]).result();
    let check = ["check", "--filter", "book-show"];
    shelf.run(&place, &check).result();
    let place = place.write("shelf/snapshots/gone.snap", "---\nsource: x\n---\nhello\n");
    let ended = shelf.run(&place, &check);
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    assert!(
        ended.stdout.contains("unreferenced-snapshot gone"),
        "{ended:#?}"
    );
}

#[test]
fn every_shard_names_it() {
    let shelf = Shelf::start();
    let place = orphaned(&shelf);
    for shard in ["1/2", "2/2"] {
        let ended = shelf.run(&place, &["check", "--shard", shard]);
        assert_eq!(ended.code, Some(1), "{ended:#?}");
        assert!(
            ended.stdout.contains("unreferenced-snapshot book-lend"),
            "{ended:#?}"
        );
    }
}

#[test]
fn it_is_not_deleted_while_an_endpoint_that_may_be_its_new_name_was_not_swept() {
    let shelf = Shelf::start();
    let place = orphaned(&shelf);
    let lend = "request: { method: PUT, path: '/books/{{ target.book_id }}/lend' }\ntargets: [reader's book, librarian's book]\n";
    let place = place.write("shelf/endpoints/book-borrow.yaml", lend);
    let check = ["check", "--filter", "book-show", "--unreferenced", "delete"];
    let kept = shelf.run(&place, &check);
    assert_eq!(kept.code, Some(1), "{kept:#?}");
    let said = "    not deleted: `book-borrow` has no snapshot and was not swept, and it can be an earlier name of it\n";
    assert!(kept.stdout.contains(said), "{kept:#?}");
    assert!(place.path(LEND).exists());
}

#[test]
fn it_is_in_every_form_of_the_report() {
    let shelf = Shelf::start();
    let place = orphaned(&shelf);
    let forms = ["github", "html", "json", "junit", "markdown", "sarif"];
    let reports = forms.map(|form| format!("--report={form}=out/{form}"));
    let reports = reports.iter().map(String::as_str);
    let check: Vec<&str> = ["check"].into_iter().chain(reports).collect();
    let ended = shelf.run(&place, &check);
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    let text = |form: &str| std::fs::read_to_string(place.path("out").join(form)).unwrap();
    let json: Json = serde_json::from_str(&text("json")).unwrap();
    let files = json!(["shelf/snapshots/book-lend.snap"]);
    let orphan = json!({"name": "book-lend", "files": files, "level": "deny", "deleted": false});
    assert_eq!(json["unreferenced"], json!([orphan]));
    let sarif: Json = serde_json::from_str(&text("sarif")).unwrap();
    let result = &sarif["runs"][0]["results"][0];
    assert_eq!(result["ruleId"], "unreferenced-snapshot");
    let place_of = &result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
    assert_eq!(place_of, "shelf/snapshots/book-lend.snap");
    assert_snapshot!(text("github"), @"::error file=shelf/snapshots/book-lend.snap,line=1,title=unreferenced-snapshot in book-lend::a snapshot belongs to no endpoint of the suite%0Ashelf/snapshots/book-lend.snap");
    assert_snapshot!(text("markdown"), @"
    ## authz-pin: shelf is **not** as pinned

    1 endpoint, 8 cells; 24 requests, 0 pinned findings.

    - **book-lend**: a snapshot belongs to no endpoint of the suite: `shelf/snapshots/book-lend.snap`

    seen: 8 answers (8 JSON), no database

    not seen: effects of 8 cells

    Review with `cargo insta review` or `authz-pin review`; `authz-pin explain KIND` says what a kind of drift means.
    ");
    let junit = text("junit");
    let case = "<testcase name=\"unreferenced-snapshot\" classname=\"shelf.book-lend\">";
    assert!(junit.contains(case), "{junit}");
    let html = text("html");
    assert!(
        html.contains(
            r#""beside":[{"id":"unreferenced-snapshot","level":"deny","name":"book-lend","#
        ),
        "{html}"
    );
}

#[test]
fn a_recording_names_it_and_deletes_it_where_that_is_asked_for() {
    let shelf = Shelf::start();
    let place = orphaned(&shelf);
    let named = shelf.run(&place, &["record"]);
    assert_eq!(named.code, Some(0), "{named:#?}");
    let said = "note: book-lend: a snapshot belongs to no endpoint of the suite\n    shelf/snapshots/book-lend.snap\n  = help: restore the endpoint's file, or delete the snapshot with --unreferenced delete\n";
    assert!(named.stderr.contains(said), "{named:#?}");
    assert_eq!(
        shelf
            .run(&place, &["record", "--unreferenced", "reject"])
            .code,
        Some(1)
    );
    let deleted = shelf.run(&place, &["record", "--unreferenced", "delete"]);
    assert_eq!(deleted.code, Some(0), "{deleted:#?}");
    assert_eq!(names(&place), ["book-show.snap"]);
}

#[test]
fn what_waits_is_listed_with_the_snapshots_of_no_endpoint() {
    let shelf = Shelf::start();
    let place = orphaned(&shelf);
    assert_snapshot!(place.run(&["pending-snapshots", "shelf"]).result(), @"book-lend: belongs to no endpoint of the suite: shelf/snapshots/book-lend.snap");
    let json = place
        .run(&["pending-snapshots", "shelf", "--format", "json"])
        .result();
    let json: Json = serde_json::from_str(&json).unwrap();
    let files = json!(["shelf/snapshots/book-lend.snap"]);
    assert_eq!(
        json,
        json!([{"name": "book-lend", "files": files, "unreferenced": true}])
    );
}
