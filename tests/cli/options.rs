//! Variables, settings and other options that are not what the suite or the tool knows.

use insta::assert_snapshot;

use super::place::Place;

fn notes(arguments: &[&str]) -> String {
    let arguments: Vec<&str> = ["check", "notes"]
        .iter()
        .chain(arguments)
        .copied()
        .collect();
    Place::with("notes").run(&arguments).error(2)
}

/// A check of one cell with a setting of the reference gateway.
fn setting(setting: &str) -> String {
    Place::with_litellm()
        .run(&[
            "check",
            "-f",
            "key-info/own credential/owner",
            "--setting",
            setting,
        ])
        .error(2)
}

#[test]
fn a_variable_that_the_suite_does_not_have_is_told_which_it_has() {
    assert_snapshot!(notes(&["--var", "regoin=south"]), @r"
    error: the suite has no variable `regoin`
      = help: known: `root_key`, `region`
    ");
    assert_snapshot!(notes(&["--var", "password=s3cret"]), @r"
    error: the suite has no variable `password`
      = help: known: `root_key`, `region`
    ");
}

#[test]
fn a_suite_without_variables_takes_none() {
    assert_snapshot!(Place::with("ping").run(&["check", "ping", "--var", "region=south"]).error(2), @r"
    error: the suite has no variable `region`
      = help: it has none at all
    ");
}

#[test]
fn a_variable_needs_a_name_and_a_value() {
    assert_snapshot!(notes(&["--var", "region"]), @"error: invalid value for '--var <NAME=VALUE>': expected NAME=VALUE");
}

#[test]
fn a_setting_that_the_reference_gateway_does_not_have_is_told_which_it_has() {
    assert_snapshot!(setting("mastr_key=sk-1"), @r#"
    error: cannot start `reference-gateway`: unknown setting `mastr_key`, expected one of `master_key`, `upperbound_key_generate_params`, `holes`
      = help: a setting is JSON, or text: --setting 'holes=["key-info"]'
    "#);
}

#[test]
fn a_setting_of_a_wrong_type_says_what_was_expected() {
    assert_snapshot!(setting("holes=delete"), @r#"
    error: cannot start `reference-gateway`: setting `holes`: invalid type: string "delete", expected a list
      = help: a setting is JSON, or text: --setting 'holes=["key-info"]'
    "#);
    assert_snapshot!(setting(r#"upperbound_key_generate_params={"tpm_limit":"many"}"#), @r#"
    error: cannot start `reference-gateway`: setting `upperbound_key_generate_params.tpm_limit`: invalid type: string "many", expected a whole number
      = help: a setting is JSON, or text: --setting 'holes=["key-info"]'
    "#);
}

#[test]
fn a_hole_that_does_not_exist_is_told_the_one_that_was_meant() {
    assert_snapshot!(setting(r#"holes=["key-inof"]"#), @r"
    error: cannot start `reference-gateway`: unknown hole `key-inof`
      = help: did you mean `key-info`?
    ");
}

#[test]
fn a_hole_that_is_like_no_other_is_told_all_of_them() {
    let error = setting(r#"holes=["barn-door"]"#);
    assert!(error.contains("unknown hole `barn-door`"), "{error}");
    assert!(
        error.contains("= help: known: ") && error.contains("upper-bounds"),
        "{error}"
    );
}

#[test]
fn settings_are_for_a_service_that_is_started() {
    assert_snapshot!(notes(&["--setting", "a=1", "--base-url", "http://127.0.0.1:1"]), @r"
    error: the argument '--setting <NAME=VALUE>' cannot be used with '--base-url <[NAME=]URL>'

    Usage: authz-pin check --setting <NAME=VALUE> <SUITE>

    For more information, try '--help'.
    ");
}

#[test]
fn an_option_that_does_not_exist_is_told_the_one_that_was_meant() {
    assert_snapshot!(notes(&["--filtre", "note-list"]), @r"
    error: unexpected argument '--filtre' found

      tip: a similar argument exists: '--filter'

    Usage: authz-pin check --filter <PATTERN> <SUITE>

    For more information, try '--help'.
    ");
}

#[test]
fn an_option_for_every_command_can_stand_before_and_after_it() {
    let place = Place::with("ping");
    let before = place.run(&["--color", "never", "list", "ping"]).result();
    assert_eq!(
        place.run(&["list", "ping", "--color", "never"]).result(),
        before
    );
}

#[test]
fn an_option_of_a_check_does_not_stand_before_another_command_unread() {
    let place = Place::with("ping");
    assert_snapshot!(place.run(&["--filter", "*", "list", "ping"]).error(2), @r"
    error: '--filter <PATTERN>' has to come after the command 'list'

    Usage: authz-pin [OPTIONS] [SUITE]
           authz-pin [OPTIONS] <COMMAND>

    For more information, try '--help'.
    ");
    assert_snapshot!(place.run(&["ping", "list"]).error(2), @r"
    error: '[SUITE]' has to come after the command 'list'

    Usage: authz-pin [OPTIONS] [SUITE]
           authz-pin [OPTIONS] <COMMAND>

    For more information, try '--help'.
    ");
}

#[test]
fn the_options_of_a_check_need_no_command() {
    let place = Place::with("ping");
    let arguments = ["ping", "--base-url", "http://127.0.0.1:1", "--wait", "0"];
    let named: Vec<&str> = ["check"].iter().chain(&arguments).copied().collect();
    assert_eq!(place.run(&arguments).error(3), place.run(&named).error(3));
}

#[test]
fn a_concurrency_of_zero_is_refused() {
    assert_snapshot!(notes(&["--concurrency", "0"]), @r"
    error: invalid value '0' for '--concurrency <N>': 0 is not in 1..=1024

    For more information, try '--help'.
    ");
}

#[test]
fn a_format_that_does_not_exist_is_told_which_do() {
    assert_snapshot!(notes(&["--format", "yaml"]), @r"
    error: invalid value 'yaml' for '--format <FORMAT>'
      [possible values: human, json]

    For more information, try '--help'.
    ");
}

#[test]
fn cleaning_needs_to_be_told_which_database() {
    assert_snapshot!(Place::empty().run(&["clean"]).error(2), @r"
    error: the following required arguments were not provided:
      --database-url <[NAME=]URL>

    Usage: authz-pin clean --database-url <[NAME=]URL>

    For more information, try '--help'.
    ");
}
