//! Endpoints, actors and targets that have another name in the suite.

use std::fs;

use insta::assert_snapshot;

use super::place::Place;
use super::review::names;
use super::shelf::Shelf;

/// The pinned suite.
fn pinned(shelf: &Shelf) -> Place {
    let place = Place::with("shelf");
    shelf.run(&place, &["record"]).result();
    place
}

/// Everywhere in these files one text in place of another.
fn replaced(mut place: Place, files: &[&str], from: &str, to: &str) -> Place {
    for file in files {
        let text = fs::read_to_string(place.path(file)).unwrap();
        assert!(text.contains(from), "{from} in {file}");
        place = place.write(file, &text.replace(from, to));
    }
    place
}

/// The lines of a check about what differs.
fn differences(shelf: &Shelf, place: &Place) -> String {
    let ended = shelf.run(place, &["check"]);
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    let (differences, _) = ended.stdout.rsplit_once("\n\nseen:").unwrap();
    differences.trim().to_owned()
}

fn moved(place: Place, from: &str, to: &str) -> Place {
    let text = fs::read_to_string(place.path(from)).unwrap();
    place.write(to, &text).remove(from)
}

const LEND: &str = "shelf/endpoints/book-lend.yaml";
const BORROW: &str = "shelf/endpoints/book-borrow.yaml";

#[test]
fn an_endpoint_with_another_name_is_one_difference() {
    let shelf = Shelf::start();
    let place = moved(pinned(&shelf), LEND, BORROW);
    assert_snapshot!(differences(&shelf, &place), @r"
    renamed book-borrow
        - endpoint book-lend
        + endpoint book-borrow

    book-borrow PUT /books/{{ target.book_id }}/lend differs in no cell

    `--all` shows every matrix and the lines of the records; `authz-pin explain KIND` says what a kind means
    ");
    assert_snapshot!(place.run(&["pending-snapshots", "shelf"]).result(), @"book-borrow: renamed");
}

#[test]
fn accepting_it_removes_the_old_file_and_keeps_its_reasons() {
    let shelf = Shelf::start();
    let place = pinned(&shelf);
    let reasons = "  reasons:\n  - when: 2026-01-02\n    reason: as planned\n---\nformat";
    let place = place.edit("shelf/snapshots/book-lend.snap", "---\nformat", reasons);
    let place = moved(place, LEND, BORROW);
    differences(&shelf, &place);
    assert_snapshot!(place.run(&["accept", "shelf"]).result(), @"
    accepted shelf/snapshots/book-borrow.snap
    removed shelf/snapshots/book-lend.snap
    ");
    assert_eq!(names(&place), ["book-borrow.snap", "book-show.snap"]);
    let text = fs::read_to_string(place.path("shelf/snapshots/book-borrow.snap")).unwrap();
    assert!(text.contains("    reason: as planned\n"), "{text}");
    shelf.run(&place, &["check"]).result();
}

#[test]
fn a_recording_of_it_does_the_same() {
    let shelf = Shelf::start();
    let place = moved(pinned(&shelf), LEND, BORROW);
    let recorded = shelf.run(&place, &["record"]).result();
    assert!(
        recorded.contains(
            "accepted shelf/snapshots/book-borrow.snap\nremoved shelf/snapshots/book-lend.snap\n"
        ),
        "{recorded}"
    );
    assert_eq!(names(&place), ["book-borrow.snap", "book-show.snap"]);
}

#[test]
fn what_differs_beside_its_name_is_told_under_the_new_one() {
    let shelf = Shelf::start();
    let place = moved(
        pinned(&shelf),
        "shelf/endpoints/book-show.yaml",
        "shelf/endpoints/book-read.yaml",
    );
    shelf.set_open(true);
    let differences = differences(&shelf, &place);
    assert!(
        differences.contains("widened book-read  reader's book: visitor"),
        "{differences}"
    );
    assert!(
        differences.contains("    - endpoint book-show\n    + endpoint book-read\n"),
        "{differences}"
    );
    assert!(!differences.contains("cell-"), "{differences}");
}

#[test]
fn an_endpoint_that_could_have_had_two_names_is_not_guessed() {
    let shelf = Shelf::start();
    let place = pinned(&shelf);
    let text = fs::read_to_string(place.path("shelf/snapshots/book-lend.snap")).unwrap();
    let place = place.write("shelf/snapshots/book-give.snap", &text);
    let place = moved(place, LEND, BORROW);
    assert_snapshot!(differences(&shelf, &place), @"
    book-borrow PUT /books/{{ target.book_id }}/lend has no snapshot yet
                      librarian  reader  visitor  anonymous
    reader's book     200        403     403      401
    librarian's book  200        403     403      401

    * rows changed   ! finding   ~ differs from the snapshot
    `--all` shows every matrix and the lines of the records; `authz-pin explain KIND` says what a kind means

    unreferenced-snapshot book-give: a snapshot belongs to no endpoint of the suite
        shelf/snapshots/book-give.snap

    unreferenced-snapshot book-lend: a snapshot belongs to no endpoint of the suite
        shelf/snapshots/book-lend.snap
    ");
}

#[test]
fn an_actor_with_another_name_is_one_difference_with_its_identifiers() {
    let shelf = Shelf::start();
    let place = pinned(&shelf);
    let files = ["shelf/world.yaml", "shelf/targets.yaml"];
    let place = replaced(place, &files[..1], "  reader:", "  student:");
    let place = replaced(place, &files[1..], "reader.person_id", "student.person_id");
    assert_snapshot!(differences(&shelf, &place), @r"
    renamed book-lend, book-show
        - actor reader
        + actor student

    book-lend PUT /books/{{ target.book_id }}/lend differs in no cell
    book-show GET /books/{{ target.book_id }} differs in no cell

    `--all` shows every matrix and the lines of the records; `authz-pin explain KIND` says what a kind means
    ");
}

#[test]
fn a_target_with_another_name_is_one_difference() {
    let shelf = Shelf::start();
    let files = [
        "shelf/targets.yaml",
        "shelf/endpoints/book-show.yaml",
        "shelf/endpoints/book-lend.yaml",
    ];
    let place = replaced(pinned(&shelf), &files, "reader's book", "book of a reader");
    assert_snapshot!(differences(&shelf, &place), @r"
    renamed book-lend, book-show
        - target reader's book
        + target book of a reader

    book-lend PUT /books/{{ target.book_id }}/lend differs in no cell
    book-show GET /books/{{ target.book_id }} differs in no cell

    `--all` shows every matrix and the lines of the records; `authz-pin explain KIND` says what a kind means
    ");
}

#[test]
fn a_finding_of_what_has_another_name_is_the_same_finding() {
    let shelf = Shelf::open();
    let place = Place::with("shelf");
    shelf.run(&place, &["record", "--reason", "known"]).result();
    let place = replaced(place, &["shelf/world.yaml"], "  visitor:", "  guest:");
    let files = [
        "shelf/targets.yaml",
        "shelf/endpoints/book-show.yaml",
        "shelf/endpoints/book-lend.yaml",
    ];
    let place = replaced(place, &files, "reader's book", "book of a reader");
    let differences = differences(&shelf, &place);
    assert!(!differences.contains("finding"), "{differences}");
    assert!(differences.contains("- actor visitor\n"), "{differences}");
    let snapshot = fs::read_to_string(place.path("shelf/snapshots/book-show.snap")).unwrap();
    assert!(
        snapshot.contains("{kind: other-tenant-disclosed, target: reader's book, actor: visitor,"),
        "{snapshot}"
    );
}

#[test]
fn two_actors_that_are_treated_alike_are_not_guessed() {
    let shelf = Shelf::start();
    let place = pinned(&shelf);
    // What was one visitor is two now.
    let world = fs::read_to_string(place.path("shelf/world.yaml")).unwrap();
    let (before, rest) = world.split_once("  visitor:\n").unwrap();
    let (visitor, after) = rest.split_once("  anonymous").unwrap();
    let world = format!("{before}  guest:\n{visitor}  stranger:\n{visitor}  anonymous{after}");
    let place = place.write("shelf/world.yaml", &world);
    let differences = differences(&shelf, &place);
    assert!(!differences.contains("renamed"), "{differences}");
    assert!(
        differences.contains("cell-added book-show  reader's book: guest, stranger"),
        "{differences}"
    );
    assert!(
        differences.contains("cell-removed book-show  reader's book: visitor"),
        "{differences}"
    );
}
