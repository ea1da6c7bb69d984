//! `authz-pin review` as somebody at a terminal meets it.

use insta::assert_snapshot;
use vt100::Color;

use super::place::Place;
use super::review::{accepted, names, waiting};
use super::screen::Screen;

const RED: Color = Color::Idx(1);
const GREEN: Color = Color::Idx(2);

fn review(place: &Place, arguments: &[&str]) -> Screen {
    let arguments: Vec<&str> = ["review", "notes"]
        .iter()
        .chain(arguments)
        .copied()
        .collect();
    Screen::start(&place.command(&arguments))
}

/// What the menu ends with.
const LAST: &str = "^C changes nothing";

#[test]
fn a_review_shows_the_classified_drift_and_the_keys() {
    let place = waiting();
    let mut screen = review(&place, &["--filter", "note-list"]);
    assert_snapshot!(screen.wait_for(LAST), @"
    Reviewing [1/1] note-list
    Snapshot file: notes/snapshots/note-list.snap

    widened note-list  all notes: owner, root
        - 403 auth_error: No
        + 200
    disclosure-widened note-list  all notes: admin
        - not disclosed
        + owner.user_id

      a accept     keep the new snapshot
      r reject     retain the old snapshot
      s skip       keep both for now
      i show info  toggles extended snapshot info
      d show diff  toggle snapshot diff

      Tip: Use uppercase A/R/S to apply to all remaining snapshots; ^C changes nothing
    ");
    assert_eq!(
        [screen.color("widened"), screen.color("a accept")],
        [RED, GREEN]
    );
    screen.press("s");
    screen.end();
}

#[test]
fn the_text_and_the_header_are_shown_on_demand_and_hidden_again() {
    let place = waiting();
    let mut screen = review(&place, &["--filter", "note-list"]);
    screen.wait_for_all(&["show diff", LAST]);
    screen.press("d");
    assert_snapshot!(screen.wait_for_all(&["hide diff", LAST]), @"
    Reviewing [1/1] note-list
    Snapshot file: notes/snapshots/note-list.snap

    widened note-list  all notes: owner, root
        - 403 auth_error: No
        + 200
    disclosure-widened note-list  all notes: admin
        - not disclosed
        + owner.user_id

    @@ all notes
       all notes:
    -    admin: {allowed: 200, discloses: [admin.user_id]}
    -    owner: {denied: 403, gate: no}
    +    admin: {allowed: 200, discloses: [admin.user_id, owner.user_id]}
    +    owner: {allowed: 200}
         anonymous: {denied: 401, gate: no}
    -    root: {denied: 403, gate: no}
    +    root: {allowed: 200}

      a accept     keep the new snapshot
      r reject     retain the old snapshot
      s skip       keep both for now
      i show info  toggles extended snapshot info
      d hide diff  toggle snapshot diff

      Tip: Use uppercase A/R/S to apply to all remaining snapshots; ^C changes nothing
    ");
    assert_eq!(screen.color("+    owner"), GREEN);
    screen.press("di");
    assert_snapshot!(screen.wait_for_all(&["hide info", "show diff", LAST]), @"
    Reviewing [1/1] note-list
    Snapshot file: notes/snapshots/note-list.snap

    authz_pin: 0.1.0
    cells: 4
    reasons:
    - when: 2026-01-02
      drift:
      - 'widened all notes: admin: 403 -> 200'
      reason: admins list notes

    widened note-list  all notes: owner, root
        - 403 auth_error: No
        + 200
    disclosure-widened note-list  all notes: admin
        - not disclosed
        + owner.user_id

      a accept     keep the new snapshot
      r reject     retain the old snapshot
      s skip       keep both for now
      i hide info  toggles extended snapshot info
      d show diff  toggle snapshot diff

      Tip: Use uppercase A/R/S to apply to all remaining snapshots; ^C changes nothing
    ");
    screen.press("s");
    screen.end();
}

#[test]
fn what_is_new_shows_all_of_its_cells() {
    let place = waiting();
    let mut screen = review(&place, &["--filter", "note-share"]);
    assert_snapshot!(screen.wait_for(LAST), @"
    Reviewing [1/1] note-share
    Snapshot file: notes/snapshots/note-share.snap

    new: there is no snapshot yet
    cell-added note-share  all notes: admin
        - not swept
        + 200
    cell-added note-share  all notes: owner, root
        - not swept
        + 403 auth_error: No
    cell-added note-share  all notes: anonymous
        - not swept
        + 401 auth_error: No

      a accept     keep the new snapshot
      r reject     reject the new snapshot
      s skip       keep both for now
      i show info  toggles extended snapshot info
      d show diff  toggle snapshot diff

      Tip: Use uppercase A/R/S to apply to all remaining snapshots; ^C changes nothing
    ");
    screen.press("r");
    screen.end();
    assert!(
        !names(&place)
            .iter()
            .any(|name| name.starts_with("note-share"))
    );
}

#[test]
fn a_widening_is_accepted_with_a_reason_and_what_was_skipped_still_waits() {
    let place = waiting();
    let mut screen = review(&place, &[]);
    screen.wait_for_all(&["[1/3] note-delete", LAST]);
    screen.press(" ");
    screen.wait_for_all(&["[2/3] note-list", LAST]);
    screen.press("a");
    assert_snapshot!(last_lines(&screen.wait_for("\n>"), 3), @"

    Why is the widening of note-list accepted? An empty line goes back.
    >
    ");
    screen.press("members may list, see #7\r");
    screen.wait_for_all(&["[3/3] note-share", LAST]);
    screen.press("\r");
    let (status, text) = screen.end();
    assert!(status.success(), "{status}");
    assert_snapshot!(text, @"
    review finished
    accepted:
      notes/snapshots/note-list.snap
      notes/snapshots/note-share.snap
    skipped:
      notes/snapshots/note-delete.snap
    ");
    assert_eq!(
        names(&place),
        [
            "note-delete.snap",
            "note-delete.snap.new",
            "note-list.snap",
            "note-share.snap"
        ]
    );
    assert!(accepted(&place, "note-list").ends_with("root: {allowed: 200}\n"));
    assert!(accepted(&place, "note-list").contains("    reason: 'members may list, see #7'\n"));
}

#[test]
fn without_a_reason_a_widening_is_not_accepted() {
    let place = waiting();
    let before = place.files();
    let mut screen = review(&place, &["--filter", "note-list"]);
    screen.wait_for(LAST);
    screen.press("a");
    screen.wait_for("\n>");
    screen.press("\r");
    // The keys are asked for again.
    screen.press("d");
    screen.wait_for_all(&["hide diff", LAST]);
    screen.press("s");
    screen.end();
    assert!(place.files() == before);
}

#[test]
fn an_upper_case_key_is_for_all_that_remain() {
    let place = waiting();
    let mut screen = review(&place, &[]);
    screen.wait_for_all(&["[1/3]", LAST]);
    screen.press("\x1b");
    screen.wait_for_all(&["[2/3]", LAST]);
    screen.press("A");
    screen.wait_for("\n>");
    screen.press("as planned\r");
    let (status, text) = screen.end();
    assert!(status.success(), "{status}");
    assert_snapshot!(text, @"
    review finished
    accepted:
      notes/snapshots/note-list.snap
      notes/snapshots/note-share.snap
    rejected:
      notes/snapshots/note-delete.snap
    ");
    assert_eq!(
        names(&place),
        ["note-delete.snap", "note-list.snap", "note-share.snap"]
    );
}

#[test]
fn an_interrupt_leaves_everything_as_it_was_also_what_was_decided_before() {
    let place = waiting();
    let before = place.files();
    let mut screen = review(&place, &[]);
    screen.wait_for_all(&["[1/3]", LAST]);
    screen.press("a");
    screen.wait_for_all(&["[2/3]", LAST]);
    screen.press("\x03");
    let (status, text) = screen.end();
    assert_eq!(status.exit_code(), 130, "{text}");
    let error = "error: interrupted, and nothing was accepted or rejected";
    assert!(text.ends_with(error), "{text}");
    assert!(place.files() == before);
}

#[test]
fn an_interrupt_where_a_reason_is_asked_for_leaves_everything_as_it_was() {
    let place = waiting();
    let before = place.files();
    let mut screen = review(&place, &["--filter", "note-list"]);
    screen.wait_for(LAST);
    screen.press("a");
    screen.wait_for("\n>");
    screen.press("because\x03");
    let (status, _) = screen.end();
    assert_eq!(status.signal(), Some("Interrupt"));
    assert!(place.files() == before);
}

fn last_lines(text: &str, count: usize) -> String {
    let skipped = text.lines().count().saturating_sub(count);
    let lines: Vec<&str> = text.lines().skip(skipped).collect();
    lines.join("\n")
}
