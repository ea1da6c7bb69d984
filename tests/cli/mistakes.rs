//! Mistakes in which files a suite has, and in the names that it uses: each at its place, with the way out.

use insta::assert_snapshot;

use super::place::Place;

fn notes() -> Place {
    Place::with("notes")
}

/// What `list` says of a suite that is not valid; every other command reads suites the same way.
pub(crate) fn mistakes(place: &Place) -> String {
    place.run(&["list", "notes"]).error(2)
}

#[test]
fn three_typos_in_two_files_are_three_errors_each_with_the_name_that_was_meant() {
    let place = notes()
        .edit("notes/suite.yaml", "settle_ms", "setle_ms")
        .edit("notes/endpoints/note-delete.yaml", "owner.key", "onwer.key")
        .edit(
            "notes/endpoints/note-delete.yaml",
            "- owner's note",
            "- owners note",
        );
    assert_snapshot!(mistakes(&place), @r#"
    error: unknown target `owners note`
      --> notes/endpoints/note-delete.yaml:7:5
      |
    7 |   - owners note
      |     ^^^^^^^^^^^
      = help: did you mean `owner's note`?

    error: unknown symbol `onwer.key`
       --> notes/endpoints/note-delete.yaml:11:21
       |
    11 |     auth: { bearer: "{{ onwer.key }}" }
       |                     ^^^^^^^^^^^^^^^^^^
       = help: did you mean `owner.key`?

    error: unknown key `setle_ms`
      --> notes/suite.yaml:7:3
      |
    7 |   setle_ms: 0
      |   ^^^^^^^^
      = help: did you mean `settle_ms`?

    3 errors in 2 files
    "#);
}

#[test]
fn a_check_and_a_recording_refuse_an_invalid_suite_before_they_start_anything() {
    let place = Place::with("ping").edit("ping/world.yaml", "actors", "actor");
    let listed = place.run(&["list", "ping"]).error(2);
    for command in ["check", "record", "serve"] {
        assert_eq!(place.run(&[command, "ping"]).error(2), listed, "{command}");
    }
}

#[test]
fn an_unknown_kind_of_an_entity_an_actor_a_target_and_a_capture_is_named() {
    let place = notes()
        .edit(
            "notes/world.yaml",
            "  welcome:\n    kind: note",
            "  welcome:\n    kind: nota",
        )
        .edit(
            "notes/world.yaml",
            "  owner:\n    kind: user",
            "  owner:\n    kind: usr",
        )
        .edit(
            "notes/targets.yaml",
            "own note:\n    kind: note",
            "own note:\n    kind: letter",
        )
        .edit("notes/endpoints/note-share.yaml", "kind: user", "kind: use");
    assert_snapshot!(mistakes(&place), @r"
    error: unknown kind `use`
       --> notes/endpoints/note-share.yaml:10:16
       |
    10 |   new: { kind: use, from: { key: $.key } }
       |                ^^^
       = help: did you mean `user`?

    error: unknown kind `letter`
      --> notes/targets.yaml:3:11
      |
    3 |     kind: letter
      |           ^^^^^^
      = help: known: `user`, `note`

    error: unknown kind `nota`
       --> notes/world.yaml:38:11
       |
    38 |     kind: nota
       |           ^^^^
       = help: did you mean `note`?

    error: unknown kind `usr`
       --> notes/world.yaml:48:11
       |
    48 |     kind: usr
       |           ^^^
       = help: did you mean `user`?

    4 errors in 3 files
    ");
}

#[test]
fn an_unknown_parameter_of_an_entity_and_of_a_target_is_named() {
    let place = notes()
        .edit(
            "notes/world.yaml",
            "with: { role: admin }",
            "with: { rôle: admin }",
        )
        .edit(
            "notes/targets.yaml",
            "author: \"{{ owner.user_id }}\"",
            "writer: \"{{ owner.user_id }}\"",
        );
    assert_snapshot!(mistakes(&place), @r#"
    error: unknown parameter `writer`
      --> notes/targets.yaml:7:13
      |
    7 |     with: { writer: "{{ owner.user_id }}" }
      |             ^^^^^^
      = help: known: `author`

    error: unknown parameter `rôle`
       --> notes/world.yaml:44:13
       |
    44 |     with: { rôle: admin }
       |             ^^^^
       = help: did you mean `role`?

    2 errors in 2 files
    "#);
}

#[test]
fn an_actor_that_outranks_nobody_known_is_told_who_there_is() {
    let place = notes().edit("notes/world.yaml", "[admin, owner]", "[adnim, somebody]");
    assert_snapshot!(mistakes(&place), @r"
    error: unknown actor `adnim`
       --> notes/world.yaml:53:16
       |
    53 |     outranks: [adnim, somebody]
       |                ^^^^^
       = help: known: `admin`, `owner`, `anonymous`, `root`

    error: unknown actor `somebody`
       --> notes/world.yaml:53:23
       |
    53 |     outranks: [adnim, somebody]
       |                       ^^^^^^^^
       = help: known: `admin`, `owner`, `anonymous`, `root`

    2 errors
    ");
}

#[test]
fn an_actor_that_calls_in_no_cell_is_told_which_pattern_matches_none() {
    let calls = |patterns: &str| {
        let to = format!("  anonymous: {{ calls: [{patterns}] }}");
        mistakes(&notes().edit("notes/world.yaml", "  anonymous: {}", &to))
    };
    assert_snapshot!(calls("note-list, note-lits"), @r"
    error: the pattern matches no cell
       --> notes/world.yaml:50:35
       |
    50 |   anonymous: { calls: [note-list, note-lits] }
       |                                   ^^^^^^^^^
       = help: name an endpoint, or `ENDPOINT/TARGET`; `*` is any text

    1 error
    ");
    assert_snapshot!(calls("'note-[a'"), @r"
    error: `note-[a` is not a filter: unclosed character class; missing ']'
       --> notes/world.yaml:50:24
       |
    50 |   anonymous: { calls: ['note-[a'] }
       |                        ^^^^^^^^^

    1 error
    ");
}

#[test]
fn an_entity_cannot_have_a_name_that_templates_use_for_something_else() {
    let place = notes().edit("notes/world.yaml", "  welcome:", "  target:");
    assert_snapshot!(mistakes(&place), @r"
    error: the name `target` is taken
       --> notes/world.yaml:37:3
       |
    37 |   target:
       |   ^^^^^^
       = help: templates use `actor`, `target`, `cell`, `run`, `vars`, `name`, `request`, `now` for something else

    1 error
    ");
}

#[test]
fn a_symbol_that_the_kind_does_not_have_is_not_captured() {
    let place = notes().edit(
        "notes/endpoints/note-share.yaml",
        "key: $.key",
        "kee: $.key",
    );
    assert_snapshot!(mistakes(&place), @r"
    error: unknown symbol `kee`
       --> notes/endpoints/note-share.yaml:10:30
       |
    10 |   new: { kind: user, from: { kee: $.key } }
       |                              ^^^
       = help: did you mean `key`?

    1 error
    ");
}

#[test]
fn a_variable_that_the_suite_does_not_have_is_a_symbol_that_is_not_known() {
    let place = notes().edit(
        "notes/endpoints/note-delete.yaml",
        "vars.region",
        "vars.regoin",
    );
    assert_snapshot!(mistakes(&place), @r#"
    error: unknown symbol `vars.regoin`
      --> notes/endpoints/note-delete.yaml:4:24
      |
    4 |   headers: { x-region: "{{ vars.regoin }}" }
      |                        ^^^^^^^^^^^^^^^^^^^^
      = help: did you mean `vars.region`?

    1 error
    "#);
}

#[test]
fn a_target_has_no_symbol_that_none_of_the_endpoints_targets_has() {
    let place = notes().edit(
        "notes/endpoints/note-list.yaml",
        "target.query",
        "target.note_id",
    );
    assert_snapshot!(mistakes(&place), @r#"
    error: unknown symbol `target.note_id`
      --> notes/endpoints/note-list.yaml:4:10
      |
    4 |   query: "{{ target.note_id }}"
      |          ^^^^^^^^^^^^^^^^^^^^^^
      = help: known: `target.query`

    1 error
    "#);
}

#[test]
fn a_probe_cannot_use_what_its_endpoint_does_not_capture() {
    let place = notes().edit("notes/endpoints/note-delete.yaml", "owner.key", "new.key");
    assert_snapshot!(mistakes(&place), @r#"
    error: unknown symbol `new.key`
       --> notes/endpoints/note-delete.yaml:11:21
       |
    11 |     auth: { bearer: "{{ new.key }}" }
       |                     ^^^^^^^^^^^^^^^^

    1 error
    "#);
}

#[test]
fn a_file_that_is_missing_is_named() {
    let place = notes().remove("notes/targets.yaml");
    assert_snapshot!(mistakes(&place), @r"
    error: cannot read the file: No such file or directory (os error 2)
     --> notes/targets.yaml

    1 error
    ");
}

#[test]
fn a_suite_without_a_folder_of_endpoints_is_refused() {
    let place = notes().remove("notes/endpoints");
    assert_snapshot!(mistakes(&place), @r"
    error: cannot read the folder of endpoints: No such file or directory (os error 2)
     --> notes/endpoints

    1 error
    ");
}

#[test]
fn a_suite_whose_folder_of_endpoints_has_no_yaml_is_refused() {
    let place = notes()
        .remove("notes/endpoints")
        .write("notes/endpoints/README.md", "to do\n");
    assert_snapshot!(mistakes(&place), @r"
    error: the suite has no endpoint
     --> notes/endpoints
     = help: add endpoints/NAME.yaml

    1 error
    ");
}

#[test]
fn an_empty_folder_is_one_mistake() {
    let place = Place::empty().write("empty/.gitkeep", "");
    assert_snapshot!(place.run(&["check", "empty"]).error(2), @r"
    error: the folder has no `suite.yaml`
     --> empty
     = help: a suite is suite.yaml, world.yaml, targets.yaml and endpoints/NAME.yaml

    1 error
    ");
}

#[test]
fn a_mistyped_command_is_taken_for_a_suite_and_says_where_the_commands_are() {
    assert_snapshot!(Place::empty().run(&["chekc"]).error(2), @r"
    error: there is no such folder
     --> chekc
     = help: name a suite's folder, or a command: `authz-pin --help` lists them

    1 error
    ");
}

#[test]
fn where_there_is_no_suite_one_has_to_be_named() {
    assert_snapshot!(Place::empty().run(&["list"]).error(2), @r"
    error: there is no suite here
      = help: name its folder: authz-pin check FOLDER
    ");
}

#[test]
fn where_there_are_several_suites_one_has_to_be_named() {
    let place = Place::empty()
        .write("suites/a/suite.yaml", "name: a\n")
        .write("suites/b/suite.yaml", "name: b\n");
    assert_snapshot!(place.run(&["list"]).error(2), @r"
    error: `suites` has several suites
      = help: name one: authz-pin check suites/NAME
    ");
}

#[test]
fn the_suite_in_this_folder_and_the_only_one_in_suites_need_no_name() {
    let named = Place::with("ping").run(&["list", "ping"]).result();
    let place = Place::with("ping");
    let here = start_in(&place, "ping");
    assert_eq!(here, named);
    std::fs::create_dir(place.path("suites")).unwrap();
    std::fs::rename(place.path("ping"), place.path("suites/ping")).unwrap();
    assert_eq!(place.run(&["list"]).result(), named);
}

#[test]
fn of_several_suites_the_one_with_a_default_service_needs_no_name() {
    let place = Place::with("ping").write("suites/b/suite.yaml", "name: b\n");
    std::fs::rename(place.path("ping"), place.path("suites/ping")).unwrap();
    let with_default = std::fs::read_to_string(place.path("suites/ping/suite.yaml"))
        .unwrap()
        .replace(
            "service:\n",
            "service:\n  default: { launcher: reference-gateway }\n",
        );
    let place = place.write("suites/ping/suite.yaml", &with_default);
    let named = place.run(&["list", "suites/ping"]).result();
    assert_eq!(place.run(&["list"]).result(), named);
}

fn start_in(place: &Place, folder: &str) -> String {
    let mut command = place.command(&["list"]);
    command.current_dir(place.path(folder));
    super::place::end(super::place::start(&mut command)).result()
}

#[test]
fn a_json_path_with_brackets_in_brackets_is_refused() {
    let path = format!("$[?{}1{}]", "(".repeat(20), ")".repeat(20));
    let place = notes().edit("notes/suite.yaml", "$.error.type", &path);
    assert_snapshot!(mistakes(&place), @r"
    error: `$[?((((((((((((((((((((1))))))))))))))))))))]` has more than 16 brackets
       --> notes/suite.yaml:17:9
       |
    17 |   type: $[?((((((((((((((((((((1))))))))))))))))))))]
       |         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    1 error
    ");
}

#[test]
fn anchors_within_anchors_are_refused() {
    let open: Vec<String> = (0..60).map(|level| format!("&a{level} [")).collect();
    let text = format!("{}{}{}", open.concat(), "x,".repeat(2_000), "]".repeat(60));
    let message = mistakes(&notes().write("notes/targets.yaml", &text));
    assert_snapshot!(message.lines().next().unwrap_or_default(), @"error: the anchors of this file stand for more than 100000 values");
}
