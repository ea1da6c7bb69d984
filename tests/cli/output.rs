//! Which stream has what, in which colours, and completions.

use std::fs::File;
use std::io::Read;
use std::process::{Command, Stdio};

use super::place::{Ended, Place, end, start};
use super::stub::Stub;

/// The first character of every colour.
const ESCAPE: char = '\u{1b}';

/// A check of the smallest suite.
pub(crate) fn check(environment: &[(&str, &str)], arguments: &[&str]) -> Ended {
    let stub = Stub::start(&[]);
    let url = stub.url();
    let arguments: Vec<&str> = ["check", "ping", "--base-url", &url]
        .iter()
        .chain(arguments)
        .copied()
        .collect();
    Place::with("ping").run_with(environment, &arguments)
}

#[test]
fn results_go_to_standard_output_and_progress_to_standard_error() {
    let ended = check(&[], &[]);
    assert!(ended.stderr.starts_with("swept ping: 1 cell"), "{ended:#?}");
    let heading = "ping GET /ping has no snapshot yet\n";
    assert!(ended.stdout.starts_with(heading), "{ended:#?}");
}

#[test]
fn a_file_gets_no_colours_unless_they_are_asked_for() {
    assert!(!check(&[], &[]).stdout.contains(ESCAPE));
    assert!(check(&[], &["--color", "always"]).stdout.contains(ESCAPE));
    assert!(
        check(&[("CLICOLOR_FORCE", "1")], &[])
            .stdout
            .contains(ESCAPE)
    );
}

#[test]
fn no_color_and_a_flag_take_colours_away_where_they_are_forced() {
    let forced = ("CLICOLOR_FORCE", "1");
    assert!(
        !check(&[forced, ("NO_COLOR", "1")], &[])
            .stdout
            .contains(ESCAPE)
    );
    assert!(
        !check(&[forced], &["--color", "never"])
            .stdout
            .contains(ESCAPE)
    );
    assert!(
        check(&[("NO_COLOR", "1")], &["--color", "always"])
            .stdout
            .contains(ESCAPE)
    );
}

#[test]
fn colours_change_nothing_but_colours() {
    let (plain, colored) = (
        check(&[], &[]).stdout,
        check(&[], &["--color", "always"]).stdout,
    );
    let stripped = anstream::adapter::strip_str(&colored).to_string();
    // The last line says how long the check took.
    let body = |text: &str| text.lines().take(8).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(body(&stripped), body(&plain));
}

#[test]
fn json_has_no_colours_even_where_they_are_asked_for() {
    let ended = check(&[], &["--format", "json", "--color", "always"]);
    serde_json::from_str::<serde_json::Value>(&ended.stdout).unwrap();
}

#[test]
fn completions_are_written_for_every_shell_and_name_the_commands() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = Place::empty().run(&["completions", shell]).result();
        for word in ["check", "record", "filter", "base-url"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
}

#[test]
fn bash_accepts_its_completions() {
    let place = Place::empty();
    let script = place.run(&["completions", "bash"]).result();
    let place = place.write("authz-pin.bash", &script);
    let mut bash = Command::new("bash");
    bash.arg("-n").arg(place.path("authz-pin.bash"));
    let ended = end(start(&mut bash));
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
}

#[test]
fn a_shell_that_is_not_known_is_told_which_are() {
    let error = Place::empty().run(&["completions", "bahs"]).error(2);
    assert!(
        error.contains("[possible values: bash, elvish, fish, powershell, zsh]"),
        "{error}"
    );
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    for arguments in [&["completions", "bash"][..], &["list"][..]] {
        let place = Place::with_litellm();
        let mut child = start(&mut place.command(arguments));
        let mut first = [0; 1];
        let mut stdout = child.stdout.take().unwrap();
        stdout.read_exact(&mut first).unwrap();
        drop(stdout);
        let ended = end(child);
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_said_and_is_no_panic() {
    for arguments in [["completions", "bash"], ["list", "ping"]] {
        let place = Place::with("ping");
        let full = File::options().write(true).open("/dev/full").unwrap();
        let mut command = place.command(&arguments);
        let child = command
            .stdout(Stdio::from(full))
            .stderr(Stdio::piped())
            .spawn();
        let error = end(child.unwrap()).error(74);
        assert_eq!(
            error,
            "error: cannot write the result: No space left on device (os error 28)\n"
        );
    }
}
