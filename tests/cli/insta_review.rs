//! The classified drift inside insta's own review.
//!
//! It takes cargo-insta, so `tests/review/run` installs it and runs these.

use std::path::Path;
use std::process::Command;

use insta::assert_snapshot;
use vt100::Color;

use super::place::Place;
use super::review::{names, waiting};
use super::screen::Screen;

/// A package that has the snapshots, since cargo-insta looks for those of packages.
fn package() -> Place {
    let manifest =
        "[package]\nname = \"notes\"\nversion = \"1.0.0\"\nedition = \"2024\"\n[workspace]\n";
    let package = waiting().write("notes/Cargo.toml", manifest);
    package.write("notes/src/lib.rs", "")
}

fn review(place: &Place) -> Screen {
    let insta = std::env::var_os("AUTHZ_PIN_CARGO_INSTA").expect("tests/review/run sets it");
    let tool = Path::new(env!("CARGO_BIN_EXE_authz-pin"));
    let mut command = Command::new(insta);
    command
        .args(["insta", "review"])
        .current_dir(place.path("notes"))
        .envs(std::env::vars_os())
        .env_remove("CI")
        .env(
            "INSTA_DIFF_TOOL",
            format!("{} diff --color always", tool.display()),
        );
    Screen::start(&command)
}

/// What the menu ends with.
const LAST: &str = "to all remaining snapshots";

/// What a review shows of one snapshot.
fn shown(screen: &mut Screen, place: &Place) -> String {
    let text = screen.wait_for(LAST);
    text.replace(place.path("notes").to_str().unwrap(), "PACKAGE")
}

#[test]
#[ignore = "takes cargo-insta: tests/review/run"]
fn instas_review_shows_the_classified_drift_in_colours() {
    let place = package();
    let mut screen = review(&place);
    screen.wait_for("[1/3]");
    screen.wait_for(LAST);
    screen.press("s");
    screen.wait_for("[2/3]");
    assert_snapshot!(shown(&mut screen, &place), @r#"
    Reviewing [2/3] notes@1.0.0:
    Snapshot file: snapshots/note-list.snap
    Snapshot: note-list.snap
    Source: PACKAGE
    ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
    Expression: record
    ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
    authz_pin: 0.1.0
    cells: 4
    reasons:
      - when: 2026-01-02
        drift:
          - "widened all notes: admin: 403 -> 200"
        reason: admins list notes
    ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
    widened GET /notes  all notes: owner, root
        - 403 auth_error: No
        + 200
    disclosure-widened GET /notes  all notes: admin
        - not disclosed
        + owner.user_id


      a accept     keep the new snapshot
      r reject     retain the old snapshot
      s skip       keep both for now
      i hide info  toggles extended snapshot info
      d hide diff  toggle snapshot diff

      Tip: Use uppercase A/R/S to apply to all remaining snapshots
    "#);
    assert_eq!(screen.color("widened GET"), Color::Idx(1));
    screen.press("a");
    screen.wait_for("[3/3]");
    assert_snapshot!(shown(&mut screen, &place), @"
    Reviewing [3/3] notes@1.0.0:
    Snapshot file: snapshots/note-share.snap
    Snapshot: note-share.snap
    Source: PACKAGE
    ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
    Expression: record
    ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
    authz_pin: 0.1.0
    cells: 4
    ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
    cell-added GET /notes  all notes: admin
        - not swept
        + 200
    cell-added GET /notes  all notes: owner, root
        - not swept
        + 403 auth_error: No
    cell-added GET /notes  all notes: anonymous
        - not swept
        + 401 auth_error: No


      a accept     keep the new snapshot
      r reject     reject the new snapshot
      s skip       keep both for now
      i hide info  toggles extended snapshot info
      d hide diff  toggle snapshot diff

      Tip: Use uppercase A/R/S to apply to all remaining snapshots
    ");
    screen.press("r");
    let (status, text) = screen.end();
    assert!(status.success(), "{text}");
    assert_eq!(
        names(&place),
        ["note-delete.snap", "note-delete.snap.new", "note-list.snap"]
    );
}

#[test]
#[ignore = "takes cargo-insta: tests/review/run"]
fn what_cargo_insta_accepts_keeps_the_earlier_reasons() {
    let place = package();
    let mut screen = review(&place);
    screen.wait_for(LAST);
    screen.press("A");
    let (status, text) = screen.end();
    assert!(status.success(), "{text}");
    let accepted = super::review::accepted(&place, "note-list");
    assert_snapshot!(accepted, @r#"
    ---
    source: suites/notes
    expression: record
    info:
      authz_pin: 0.1.0
      cells: 4
      reasons:
        - when: 2026-01-02
          drift:
            - "widened all notes: admin: 403 -> 200"
          reason: admins list notes
    ---
    format: 2
    endpoint: GET /notes
    gates:
      no: 'auth_error: No'
    cells:
      all notes:
        admin: {allowed: 200, discloses: [admin.user_id, owner.user_id]}
        owner: {allowed: 200}
        anonymous: {denied: 401, gate: no}
        root: {allowed: 200}
    "#);
}
