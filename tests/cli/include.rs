//! Suites that share a world.

use insta::assert_snapshot;

use super::place::{Ended, Place};

const WORLD: &str = "include: [../notes/world.yaml]\n";

/// Beside the suite `notes` another one with one of its endpoints, and with its world.
fn two() -> Place {
    let copied = |place: Place, name: &str| {
        let text = std::fs::read_to_string(place.path(&format!("notes/{name}"))).unwrap();
        place.write(&format!("lists/{name}"), &text)
    };
    let files = ["suite.yaml", "endpoints/note-list.yaml"];
    let place = files.into_iter().fold(Place::with("notes"), copied);
    place
        .edit("lists/suite.yaml", "name: notes", "name: lists")
        .write(
            "lists/targets.yaml",
            "targets: { all notes: { with: { query: { size: 2 } } } }",
        )
        .write("lists/world.yaml", WORLD)
}

fn list(place: &Place, suite: &str) -> Ended {
    place.run(&["list", suite])
}

#[test]
fn two_suites_share_one_world() {
    let place = two();
    assert_snapshot!(list(&place, "lists").result(), @"
    note-list/all notes/admin
    note-list/all notes/owner
    note-list/all notes/anonymous
    note-list/all notes/root
    ");
    assert_eq!(list(&place, "notes").code, Some(0));
}

#[test]
fn calls_of_a_shared_actor_need_an_endpoint_only_in_the_suite_of_their_own() {
    let calls = "  anonymous: { calls: [note-delete] }";
    let place = two().edit("notes/world.yaml", "  anonymous: {}", calls);
    let listed = list(&place, "lists").result();
    assert!(!listed.contains("anonymous"), "{listed}");
    assert_eq!(list(&place, "notes").code, Some(0));
    std::fs::remove_file(place.path("notes/endpoints/note-delete.yaml")).unwrap();
    let ended = list(&place, "notes");
    assert_eq!(ended.code, Some(2));
    assert!(
        ended.stderr.contains("the pattern matches no cell"),
        "{ended:?}"
    );
    assert!(ended.stderr.contains("notes/world.yaml:50:24"), "{ended:?}");
    // What the suite itself says of an actor is about its own endpoints.
    let own = "actors: { guest: { calls: [note-delete] } }\n";
    let place = two().write("lists/world.yaml", &format!("{WORLD}{own}"));
    let ended = list(&place, "lists");
    assert!(ended.stderr.contains("lists/world.yaml:2:28"), "{ended:?}");
}

#[test]
fn names_of_one_file_can_be_used_in_another() {
    let own = "entities: { extra: { kind: note, with: { author: \"{{ owner.user_id }}\" } } }\n\
               actors: { boss: { kind: user, outranks: [admin], auth: { bearer: \"{{ actor.key }}\" } } }\n";
    let place = two().write("lists/world.yaml", &format!("{WORLD}{own}"));
    let listed = list(&place, "lists").result();
    assert!(listed.contains("boss"), "{listed}");
}

#[test]
fn a_file_that_is_included_twice_counts_once() {
    let place = two()
        .write("lists/more.yaml", "include: [../notes/world.yaml]\n")
        .write(
            "lists/world.yaml",
            "include: [more.yaml, ../lists/../notes/world.yaml]\n",
        );
    assert_eq!(
        list(&place, "lists").result(),
        list(&two(), "lists").result()
    );
}

#[test]
fn a_name_of_two_files_is_a_mistake_with_both_places() {
    let own = "actors:\n  owner: {}\nkinds:\n  note: {}\n";
    let place = two().write("lists/world.yaml", &format!("{WORLD}{own}"));
    assert_snapshot!(list(&place, "lists").error(2), @"
    error: `owner` of `actors` is in two files
      --> lists/world.yaml:3:3
      |
    3 |   owner: {}
      |   ^^^^^
      = help: the other one is at notes/world.yaml:47; give one of them another name

    error: `note` of `kinds` is in two files
      --> lists/world.yaml:5:3
      |
    5 |   note: {}
      |   ^^^^
      = help: the other one is at notes/world.yaml:24; give one of them another name

    2 errors
    ");
}

#[test]
fn a_file_that_includes_itself_is_a_mistake_at_its_place() {
    let place = two().edit(
        "notes/world.yaml",
        "kinds:\n  user",
        "include:\n  - ../lists/world.yaml\nkinds:\n  user",
    );
    assert_snapshot!(list(&place, "lists").error(2), @"
    error: the file is included by itself
      --> notes/world.yaml:2:5
      |
    2 |   - ../lists/world.yaml
      |     ^^^^^^^^^^^^^^^^^^^
      = help: take it out: it is read already

    1 error
    ");
    let place = two().write("lists/world.yaml", "include: [world.yaml]\n");
    assert_snapshot!(list(&place, "lists").error(2), @"
    error: the file is included by itself
      --> lists/world.yaml:1:11
      |
    1 | include: [world.yaml]
      |           ^^^^^^^^^^
      = help: take it out: it is read already

    1 error
    ");
}

#[test]
fn a_file_that_is_not_there_is_a_mistake_at_its_place() {
    let place = two().write(
        "lists/world.yaml",
        "include:\n  - ../notes/wrld.yaml\n  - 5\n",
    );
    assert_snapshot!(list(&place, "lists").error(2), @"
    error: cannot read the included file `../notes/wrld.yaml`: No such file or directory (os error 2)
      --> lists/world.yaml:2:5
      |
    2 |   - ../notes/wrld.yaml
      |     ^^^^^^^^^^^^^^^^^^
      = help: a path begins at the folder of the file that includes it

    1 error
    ");
    let place = two().write("lists/world.yaml", "include: ../notes/world.yaml\n");
    assert_snapshot!(list(&place, "lists").error(2), @"
    error: expected a list, found the text `../notes/world.yaml`
      --> lists/world.yaml:1:10
      |
    1 | include: ../notes/world.yaml
      |          ^^^^^^^^^^^^^^^^^^^
      = help: a list of one is `[../notes/world.yaml]`

    1 error
    ");
}

#[test]
fn a_mistake_of_an_included_file_is_told_with_its_own_place() {
    let place = two().edit("notes/world.yaml", "kind: note", "kind: nota");
    assert_snapshot!(list(&place, "lists").error(2), @"
    error: unknown kind `nota`
       --> notes/world.yaml:38:11
       |
    38 |     kind: nota
       |           ^^^^
       = help: did you mean `note`?

    1 error
    ");
}

#[test]
fn a_world_without_other_files_has_every_section() {
    let place = two().write("lists/world.yaml", "kinds: {}\nentities: {}\n");
    assert_snapshot!(list(&place, "lists").error(2), @"
    error: missing key `actors`
      --> lists/world.yaml:1:1
      |
    1 | kinds: {}
      | ^

    1 error
    ");
    let place = two().write("lists/world.yaml", "kinds: {}\nactrs: {}\n");
    assert_snapshot!(list(&place, "lists").error(2), @"
    error: unknown key `actrs`
      --> lists/world.yaml:2:1
      |
    2 | actrs: {}
      | ^^^^^
      = help: did you mean `actors`?

    1 error
    ");
}
