//! What a recording pins, told before it is accepted, with reasons for findings of level deny.

use std::fs;

use insta::assert_snapshot;
use serde_json::{Value as Json, json};

use super::place::Place;
use super::review::names;
use super::screen::Screen;
use super::shelf::Shelf;

const SHOW: &str = "shelf/snapshots/book-show.snap";
const WITH_REASON: [&str; 3] = ["record", "--reason", "known: #7"];

fn header(place: &Place) -> String {
    let text = fs::read_to_string(place.path(SHOW)).unwrap();
    let (header, _) = text.split_once("\n---\n").unwrap();
    let header = header.replace(env!("CARGO_PKG_VERSION"), "VERSION");
    let (before, after) = header.split_once("when: ").unwrap_or((&header, ""));
    match after.split_once('\n') {
        Some((_, after)) => format!("{before}when: DAY\n{after}"),
        None => header.clone(),
    }
}

/// An open shelf whose records are pinned with a reason.
fn pinned() -> (Shelf, Place) {
    let (shelf, place) = (Shelf::open(), Place::with("shelf"));
    shelf.run(&place, &WITH_REASON).result();
    (shelf, place)
}

#[test]
fn a_recording_tells_what_it_pins_before_it_accepts() {
    let (shelf, place) = (Shelf::open(), Place::with("shelf"));
    assert_snapshot!(shelf.run(&place, &WITH_REASON).result(), @"
    pins 16 cells of 2 endpoints: book-lend (8), book-show (8)
      deny other-tenant-disclosed: of south was shown reader.person_id
          book-show  reader's book: visitor
      effects are not observed in 16 cells: what these calls write is not pinned
      on all targets every actor was answered alike by: book-lend, book-show
      4 cells were swept once: each shows what another cell of its endpoint shows that was swept twice, and changes no row
      seen: 16 answers (16 JSON), no database
      not seen: effects of 16 cells
    accepted shelf/snapshots/book-lend.snap
    accepted shelf/snapshots/book-show.snap
    ");
}

#[test]
fn credentials_that_are_of_no_use_are_told() {
    let shelf = Shelf::start();
    let place = Place::with("shelf").edit(
        "shelf/world.yaml",
        "  anonymous: {}",
        "  idle:\n    kind: person\n    auth: { headers: { x-key: \"{{ actor.key }}\" } }\n    calls: [\"book-lend\"]\n  anonymous: {}",
    );
    let record = ["record", "--filter", "book-show"];
    let recorded = shelf.run(&place, &record).result();
    assert!(recorded.contains("\n  no findings\n"), "{recorded}");
    assert!(
        recorded.contains("  no recorded cell used the credentials of: idle\n"),
        "{recorded}"
    );
    assert!(
        recorded.contains("  allowed nowhere are the credentials of: visitor\n"),
        "{recorded}"
    );
}

#[test]
fn a_finding_of_level_deny_without_a_reason_is_refused_and_nothing_is_written() {
    let (shelf, place) = (Shelf::open(), Place::with("shelf"));
    let before = place.files();
    let ended = shelf.run(&place, &["record", "--filter", "book-*"]);
    assert_eq!(ended.code, Some(2), "{ended:#?}");
    assert_eq!(ended.stdout, "");
    let error = ended.stderr.split_once("error: ").unwrap().1;
    assert_snapshot!(error, @"
    what weighs `deny` takes a reason, and nothing was accepted:
      deny other-tenant-disclosed: of south was shown reader.person_id
          book-show  reader's book: visitor
      = help: mend the service, or say why it is pinned: authz-pin record shelf --filter 'book-*' --reason TEXT, for a while with --until DAY
    ");
    assert!(place.files() == before);
}

#[test]
fn the_reason_is_kept_in_the_snapshots_header_with_its_cells() {
    let (_, place) = pinned();
    assert_snapshot!(header(&place), @"
    ---
    source: suites/shelf
    expression: record
    info:
      authz_pin: VERSION
      cells: 8
      reasons:
      - when: DAY
        finding: 'other-tenant-disclosed: of south was shown reader.person_id'
        cells:
          reader's book:
          - visitor
        reason: 'known: #7'
    ");
    let lend = fs::read_to_string(place.path("shelf/snapshots/book-lend.snap")).unwrap();
    assert!(!lend.contains("reasons"), "{lend}");
}

#[test]
fn a_second_recording_asks_only_for_what_has_no_reason_yet() {
    let (shelf, place) = pinned();
    shelf.run(&place, &["record"]).result();
    let place = place.edit(
        "shelf/world.yaml",
        "  anonymous: {}",
        "  stranger:\n    kind: person\n    tenant: south\n    with: { role: visitor }\n    auth: { headers: { x-key: \"{{ actor.key }}\", x-role: \"{{ actor.role }}\" } }\n  anonymous: {}",
    );
    let ended = shelf.run(&place, &["record"]);
    assert_eq!(ended.code, Some(2), "{ended:#?}");
    let said = "  deny other-tenant-disclosed: of south was shown reader.person_id\n      book-show  reader's book: stranger\n  = help";
    assert!(ended.stderr.contains(said), "{ended:#?}");
    shelf
        .run(&place, &["record", "--reason", "the same"])
        .result();
    let text = fs::read_to_string(place.path(SHOW)).unwrap();
    assert_eq!(text.matches("  finding: ").count(), 2, "{text}");
}

#[test]
fn a_finding_that_the_snapshot_had_before_there_were_reasons_takes_none() {
    let (shelf, place) = pinned();
    let text = fs::read_to_string(place.path(SHOW)).unwrap();
    let (before, rest) = text.split_once("  reasons:\n").unwrap();
    let (_, after) = rest.split_once("\n---\n").unwrap();
    let place = place.write(SHOW, &format!("{before}---\n{after}"));
    shelf.run(&place, &["check"]).result();
    shelf.run(&place, &["record"]).result();
}

#[test]
fn at_a_terminal_the_reason_is_asked_for() {
    let (shelf, place) = (Shelf::open(), Place::with("shelf"));
    let record = ["record", "shelf", "--base-url", &shelf.url()];
    let mut screen = Screen::start(&place.command(&record));
    let question = "Why is this accepted? An empty line accepts nothing of all.";
    let asked = screen.wait_for(question);
    assert!(
        asked.contains("deny other-tenant-disclosed: of south was shown"),
        "{asked}"
    );
    screen.press("\n");
    let (status, text) = screen.end();
    assert_eq!(status.exit_code(), 2, "{text}");
    assert!(!place.path("shelf/snapshots").exists());

    let mut screen = Screen::start(&place.command(&record));
    screen.wait_for(question);
    screen.press("because of #7\n");
    let (status, text) = screen.end();
    assert_eq!(status.exit_code(), 0, "{text}");
    assert!(
        header(&place).contains("reason: 'because of #7'"),
        "{}",
        header(&place)
    );
}

#[test]
fn a_reason_whose_time_is_over_fails_a_check_and_is_named() {
    let (shelf, place) = (Shelf::open(), Place::with("shelf"));
    shelf
        .run(
            &place,
            &[&WITH_REASON[..], &["--until", "2999-01-31"]].concat(),
        )
        .result();
    shelf.run(&place, &["check"]).result();
    let place = place.edit(SHOW, "until: 2999-01-31", "until: 2026-01-31");
    let ended = shelf.run(&place, &["check"]);
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    let (said, _) = ended.stdout.rsplit_once(": 16 cells").unwrap();
    assert_snapshot!(said, @"
    `--all` shows the matrices

    reason-over book-show: the time of a reason is over
        a reason was given until 2026-01-31: known: #7
        other-tenant-disclosed: of south was shown reader.person_id  reader's book: visitor

    seen: 16 answers (16 JSON), no database
    not seen: effects of 16 cells
    not as pinned, 1 reason of which the time is over
    ");
    let json = shelf.run(&place, &["check", "--format", "json"]).stdout;
    let json: Json = serde_json::from_str(&json).unwrap();
    assert_eq!(
        json["endpoints"][1]["expired_reasons"][0]["until"],
        "2026-01-31"
    );

    let ended = shelf.run(&place, &["record"]);
    assert_eq!(ended.code, Some(2), "{ended:#?}");
    let said = "\n  a reason was given until 2026-01-31: known: #7\n      book-show  other-tenant-disclosed";
    assert!(ended.stderr.contains(said), "{ended:#?}");
    shelf
        .run(
            &place,
            &["record", "--reason", "still known", "--until", "2999-02-01"],
        )
        .result();
    shelf.run(&place, &["check"]).result();
}

#[test]
fn a_reason_whose_time_is_over_is_of_no_matter_once_the_finding_is_gone() {
    let (shelf, place) = (Shelf::open(), Place::with("shelf"));
    shelf
        .run(
            &place,
            &[&WITH_REASON[..], &["--until", "2999-01-31"]].concat(),
        )
        .result();
    shelf.set_open(false);
    shelf.run(&place, &["record"]).result();
    let place = place.edit(SHOW, "until: 2999-01-31", "until: 2026-01-31");
    shelf.run(&place, &["check"]).result();
}

#[test]
fn a_day_that_is_over_or_is_none_is_refused() {
    for (day, why) in [
        ("2026-01-31", "that day is over"),
        ("soon", "expected a day such as 2027-01-31"),
    ] {
        let error = Place::with("shelf")
            .run(&["record", "--reason", "x", "--until", day])
            .error(2);
        let expected = format!("error: invalid value '{day}' for '--until <DAY>': {why}");
        assert!(error.starts_with(&expected), "{error}");
    }
}

#[test]
fn accepting_a_new_finding_of_level_deny_takes_a_reason_as_well() {
    let (shelf, place) = (Shelf::open(), Place::with("shelf"));
    assert_eq!(shelf.run(&place, &["check"]).code, Some(1));
    assert_snapshot!(place.run(&["accept", "shelf"]).error(2), @"
    error: what weighs `deny` takes a reason, and nothing was accepted:
      book-show: other-tenant-disclosed: of south was shown reader.person_id (reader's book: visitor)
      = help: say why with --reason TEXT, or leave these endpoints out with --filter
    ");
    let accept = [
        "accept",
        "shelf",
        "--reason",
        "known: #7",
        "--until",
        "2999-01-31",
    ];
    place.run(&accept).result();
    assert_eq!(names(&place), ["book-lend.snap", "book-show.snap"]);
    assert_snapshot!(header(&place), @"
    ---
    source: suites/shelf
    expression: record
    info:
      authz_pin: VERSION
      cells: 8
      reasons:
      - when: DAY
        finding: 'other-tenant-disclosed: of south was shown reader.person_id'
        cells:
          reader's book:
          - visitor
        reason: 'known: #7'
        until: 2999-01-31
    ");
    shelf.run(&place, &["check"]).result();
}

#[test]
fn a_check_can_fail_on_what_is_pinned() {
    let (shelf, place) = pinned();
    shelf.run(&place, &["check"]).result();
    let ended = shelf.run(&place, &["check", "--fail-on", "findings"]);
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    let (said, _) = ended.stdout.rsplit_once(": 16 cells").unwrap();
    assert_snapshot!(said, @"
    `--all` shows the matrices

    other-tenant-disclosed book-show: a response named something of another tenant
        other-tenant-disclosed: of south was shown reader.person_id
        reader's book: visitor

    seen: 16 answers (16 JSON), no database
    not seen: effects of 16 cells
    not as pinned, 1 open finding
    ");
    let forms = ["github", "junit", "markdown", "sarif"];
    let reports = forms.map(|form| format!("--report={form}=out/{form}"));
    let reports = reports.iter().map(String::as_str);
    let check = ["check", "--fail-on", "findings=warn", "--format", "json"];
    let check: Vec<&str> = check.into_iter().chain(reports).collect();
    let json: Json = serde_json::from_str(&shelf.run(&place, &check).stdout).unwrap();
    let open = json!([{
        "finding": "other-tenant-disclosed: of south was shown reader.person_id",
        "level": "deny",
        "endpoints": {"book-show": {"reader's book": ["visitor"]}},
    }]);
    assert_eq!(json["open_findings"], open);
    for form in forms {
        let text = fs::read_to_string(place.path("out").join(form)).unwrap();
        assert!(text.contains("other-tenant-disclosed"), "{form}: {text}");
    }
    shelf.set_open(false);
    shelf.run(&place, &["record"]).result();
    shelf
        .run(&place, &["check", "--fail-on", "findings=allow"])
        .result();
    let error = place
        .run(&["check", "shelf", "--fail-on", "drift"])
        .error(2);
    assert!(
        error.contains("expected `findings`, or `findings=LEVEL`"),
        "{error}"
    );
}

/// What the sum of a check says of findings.
fn findings(shelf: &Shelf, place: &Place, arguments: &[&str]) -> (String, Json) {
    let check = [&["check"], arguments].concat();
    let said = shelf.run(place, &check).stdout;
    let (_, said) = said.rsplit_once(" requests, ").unwrap();
    let (said, _) = said.rsplit_once(" in ").unwrap();
    let json = shelf
        .run(place, &[&check[..], &["--format", "json"]].concat())
        .stdout;
    let json: Json = serde_json::from_str(&json).unwrap();
    (said.to_owned(), json["findings"].clone())
}

fn counts(pinned: usize, new: usize, gone: usize, not_compared: usize) -> Json {
    json!({"pinned": pinned, "new": new, "gone": gone, "not_compared": not_compared})
}

#[test]
fn findings_are_counted_by_what_the_snapshot_says_of_them() {
    let (shelf, place) = (Shelf::open(), Place::with("shelf"));
    let said = findings(&shelf, &place, &[]);
    assert_eq!(
        said,
        ("0 pinned findings, 1 new".to_owned(), counts(0, 1, 0, 0))
    );
    shelf.run(&place, &WITH_REASON).result();
    let said = findings(&shelf, &place, &[]);
    assert_eq!(said, ("1 pinned finding".to_owned(), counts(1, 0, 0, 0)));
    let part = ["--filter", "book-show/*/visitor"];
    let said = findings(&shelf, &place, &part);
    assert_eq!(said, ("1 pinned finding".to_owned(), counts(1, 0, 0, 0)));
    shelf.set_open(false);
    let said = findings(&shelf, &place, &[]);
    assert_eq!(
        said,
        ("0 pinned findings, 1 gone".to_owned(), counts(0, 0, 1, 0))
    );
    shelf.run(&place, &["record"]).result();
    shelf.set_open(true);
    let said = findings(&shelf, &place, &part);
    assert_eq!(
        said,
        (
            "0 pinned findings, 1 not compared".to_owned(),
            counts(0, 0, 0, 1)
        )
    );
}

#[test]
fn only_the_first_recording_of_a_suite_says_what_to_do_next() {
    let (shelf, place) = (Shelf::start(), Place::with("shelf"));
    let next = "next: authz-pin check shelf compares with what was accepted\nnext: authz-pin sensitivity shelf says what no cell would show\n";
    let first = shelf.run(&place, &["record"]);
    assert!(first.stderr.ends_with(next), "{first:#?}");
    let second = shelf.run(&place, &["record"]);
    assert!(!second.stderr.contains("next: "), "{second:#?}");
}

#[test]
fn cells_that_show_what_others_show_are_swept_once_and_told() {
    let (shelf, place) = (Shelf::start(), Place::with("shelf"));
    let recorded = shelf.run(&place, &["record"]).result();
    let told = recorded.lines().find(|line| line.contains("swept once"));
    let (count, _) = told.unwrap().trim().split_once(" cell").unwrap();
    let count: usize = count.parse().unwrap();
    assert_eq!(shelf.calls(), 2 * 16 - count);
    // Of each endpoint somebody is refused and somebody is not, and everybody calls again.
    assert!((4..=10).contains(&count), "{recorded}");
}
