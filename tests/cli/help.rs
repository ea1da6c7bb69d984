//! What the tool says about itself.

use super::place::Place;

/// Help is kept in files, one for each command, since it is long and read as a whole.
fn pin(name: &str, arguments: &[&str]) {
    let help = Place::empty().run(arguments).result();
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../../snapshots/cli");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_description(format!("authz-pin {}", arguments.join(" ")));
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, help));
}

#[test]
fn the_help_of_the_tool_names_every_command_and_exit_code() {
    pin("help", &["--help"]);
}

#[test]
fn the_short_help_of_the_tool_fits_on_a_screen() {
    pin("help-short", &["-h"]);
}

#[test]
fn every_command_has_a_help_of_its_own() {
    for command in commands() {
        pin(&format!("help-{command}"), &[&command, "--help"]);
    }
}

#[test]
fn every_command_explains_each_of_its_options() {
    for command in commands() {
        let help = Place::empty().run(&[&command, "-h"]).result();
        let options = help
            .lines()
            .filter(|line| line.trim_start().starts_with('-'));
        for option in options {
            let explained = option.trim_start().contains("  ");
            assert!(explained || option.len() > 40, "{command}: {option}");
        }
    }
}

#[test]
fn the_version_is_the_one_of_the_package() {
    let expected = concat!("authz-pin ", env!("CARGO_PKG_VERSION"), "\n");
    assert_eq!(Place::empty().run(&["--version"]).result(), expected);
    assert_eq!(Place::empty().run(&["-V"]).result(), expected);
}

/// The commands as the help lists them.
fn commands() -> Vec<String> {
    let help = Place::empty().run(&["-h"]).result();
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let names = commands
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.strip_prefix("  ")?.split(' ').next())
        .filter(|name| !["", "help"].contains(name))
        .map(str::to_owned);
    let names: Vec<_> = names.collect();
    assert!(names.contains(&"check".to_owned()), "{help}");
    names
}
