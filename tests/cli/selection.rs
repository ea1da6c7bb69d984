//! Which cells a filter selects, and how they are listed.

use insta::assert_snapshot;

use super::place::Place;

fn list(arguments: &[&str]) -> super::place::Ended {
    let arguments: Vec<&str> = ["list", "notes"].iter().chain(arguments).copied().collect();
    Place::with("notes").run(&arguments)
}

#[test]
fn a_list_has_one_cell_a_line_in_the_order_of_the_suite() {
    assert_snapshot!(list(&["--filter", "note-delete/*/o*", "-f", "*/*/root"]).result(), @r"
    note-delete/own note/owner
    note-delete/own note/root
    note-delete/owner's note/owner
    note-delete/owner's note/root
    note-list/all notes/root
    note-share/own note/root
    ");
}

#[test]
fn without_a_filter_every_actor_meets_every_target_of_every_endpoint() {
    assert_eq!(list(&[]).result().lines().count(), 4 * (2 + 1 + 1));
}

#[test]
fn an_actor_that_says_where_it_calls_calls_nowhere_else() {
    let place = Place::with("notes").edit(
        "notes/world.yaml",
        "  anonymous: {}",
        "  anonymous: { calls: [note-list, \"note-*/own note\"] }",
    );
    assert_snapshot!(place.run(&["list", "notes", "--filter", "*/*/anonymous"]).result(), @r"
    note-delete/own note/anonymous
    note-list/all notes/anonymous
    note-share/own note/anonymous
    ");
    // The endpoint is whole without the cells in which it does not call.
    place
        .run(&["record", "notes", "--dry-run", "--filter", "note-delete"])
        .result();
}

#[test]
fn a_list_for_a_program_is_one_json_array() {
    assert_snapshot!(list(&["-f", "note-list/*/anonymous", "--format", "json"]).result(), @r#"[{"endpoint":"note-list","target":"all notes","actor":"anonymous"}]"#);
}

#[test]
fn a_filter_that_selects_nothing_is_an_exit_code_of_its_own() {
    assert_snapshot!(list(&["--filter", "note-delet"]).error(4), @r"
    error: no cell matches `note-delet`
      = help: `authz-pin list` shows the cells as ENDPOINT/TARGET/ACTOR
    ");
    for command in ["check", "record"] {
        let place = Place::with("notes");
        place
            .run(&[command, "notes", "--filter", "note-delet"])
            .error(4);
    }
}

#[test]
fn a_filter_that_selects_nothing_is_not_hidden_by_another_that_does() {
    let error = list(&["-f", "note-list", "-f", "note-delet"]).error(4);
    assert!(
        error.starts_with("error: no cell matches `note-delet`\n"),
        "{error}"
    );
}

#[test]
fn a_suite_without_actors_has_nothing_to_select() {
    let place =
        Place::with("ping").edit("ping/world.yaml", "actors:\n  anonymous: {}", "actors: {}");
    assert_snapshot!(place.run(&["list", "ping"]).error(4), @r"
    error: the suite has no cells
      = help: give world.yaml an actor, and each endpoint a target
    ");
}

#[test]
fn a_filter_that_is_no_pattern_says_what_is_wrong_with_it() {
    assert_snapshot!(list(&["--filter", "note-[a"]).error(2), @"error: `note-[a` is not a filter: unclosed character class; missing ']'");
    assert_snapshot!(list(&["--filter", "note-{a"]).error(2), @"error: `note-{a` is not a filter: unclosed alternate group; missing '}' (maybe escape '{' with '[{]'?)");
}

#[test]
fn a_recording_needs_whole_endpoints() {
    let place = Place::with("notes");
    let error = place
        .run(&["record", "notes", "--filter", "note-delete/*/owner"])
        .error(2);
    assert_snapshot!(error, @r"
    error: the filter selects only some cells of `note-delete`
      = help: a snapshot holds a whole endpoint: filter by endpoints
    ");
}
