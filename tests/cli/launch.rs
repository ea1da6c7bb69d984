//! Services that a suite starts by a command of its own.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::thread::sleep;
use std::time::{Duration, Instant};

use insta::assert_snapshot;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::place::{PATIENCE, Place, start};

/// The LiteLLM suite, whose service is started by a command line in place of the tool's own launcher.
fn with_a_command() -> Place {
    let tool = env!("CARGO_BIN_EXE_authz-pin");
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/suites/litellm");
    let command = format!(
        "echo $$ > pid; exec '{tool}' serve '{folder}' --port $PORT --database-url $DATABASE_URL \
         --var master_key=$MASTER_KEY"
    );
    let settings = format!(
        "    launcher: command\n    settings:\n      command: |-\n        {command}\n      environment: {{ MASTER_KEY: \"{{{{ vars.master_key }}}}\" }}\n  ready:"
    );
    let place = Place::with_litellm();
    let file = "suites/litellm/suite.yaml";
    let text = fs::read_to_string(place.path(file)).unwrap();
    let own = text.split("  default:\n").nth(1).unwrap();
    let own = own.split("  ready:").next().unwrap().to_owned() + "  ready:";
    place.edit(file, &own, &settings)
}

fn pid(place: &Place) -> Option<Pid> {
    let text = fs::read_to_string(place.path("suites/litellm/pid")).ok()?;
    text.trim().parse().ok().map(Pid::from_raw)
}

fn is_alive(process: Pid) -> bool {
    kill(process, None).is_ok()
}

#[test]
fn a_service_that_a_command_starts_is_swept_on_a_database_of_its_own_and_ends_with_the_run() {
    let place = with_a_command();
    let ended = place.run(&["check", "suites/litellm", "--filter", "key-info"]);
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    assert!(ended.stdout.contains("as pinned: 113 cells"), "{ended:#?}");
    assert!(!is_alive(pid(&place).unwrap()));
}

#[test]
fn a_service_that_a_command_starts_ends_with_the_tool_however_that_ends() {
    let place = with_a_command();
    let mut running = start(&mut place.command(&["check", "suites/litellm"]));
    let begun = Instant::now();
    let service = loop {
        assert!(begun.elapsed() < PATIENCE);
        if let Some(service) = pid(&place) {
            break service;
        }
        sleep(Duration::from_millis(10));
    };
    let tool = i32::try_from(running.id()).unwrap();
    kill(Pid::from_raw(tool), Signal::SIGKILL).unwrap();
    running.wait().unwrap();
    while is_alive(service) {
        assert!(begun.elapsed() < PATIENCE);
        sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_command_that_ends_is_told_with_what_it_printed_and_without_secrets() {
    let place = Place::with("ping").edit(
        "ping/suite.yaml",
        "service:\n",
        "variables:\n  key: { secret: true, default: s3cret }\nservice:\n  default:\n    launcher: command\n    settings:\n      \
         command: echo the key is $KEY, at $DATABASE_URL; exit 7\n      environment: { KEY: \"{{ vars.key }}\" }\n",
    );
    assert_snapshot!(place.run(&["check", "ping"]).error(3), @r"
    error: cannot start `command`: `echo the key is $KEY, at $DATABASE_URL; exit 7` ended with status 7; it printed:
    the key is <vars.key>, at <database.url>
      = help: the command runs in the suite's folder, and is to listen on $HOST:$PORT
    ");
}

#[test]
fn a_command_without_a_line_to_run_is_refused() {
    let place = Place::with("ping").edit(
        "ping/suite.yaml",
        "service:\n",
        "service:\n  default: { launcher: command, settings: { database: false } }\n",
    );
    assert_snapshot!(place.run(&["check", "ping"]).error(2), @r"
    error: cannot start `command`: missing field `command`
      = help: the settings of a command are `command`, `environment` and `database`
    ");
}

#[test]
fn a_command_is_told_of_each_further_database_and_shows_none_of_their_urls() {
    let place = Place::with("ping").edit(
        "ping/suite.yaml",
        "service:\n",
        "service:\n  databases: { audit: {}, users: {} }\n  default:\n    launcher: command\n    settings:\n      \
         command: echo $DATABASE_URL, $DATABASE_URL_AUDIT; env | grep -c ^DATABASE_URL; exit 7\n",
    );
    assert_snapshot!(place.run(&["check", "ping"]).error(3), @r"
    error: cannot start `command`: `echo $DATABASE_URL, $DATABASE_URL_AUDIT; env | grep -c ^DATABASE_URL; exit 7` ended with status 7; it printed:
    <database.url>, <database audit.url>
    3
      = help: the command runs in the suite's folder, and is to listen on $HOST:$PORT
    ");
}

#[test]
fn a_command_that_takes_files_is_told_their_paths() {
    let place = Place::with("ping").edit(
        "ping/suite.yaml",
        "service:\n",
        "service:\n  databases: { audit: {} }\n  default:\n    launcher: command\n    settings:\n      \
         command: echo ${DATABASE_PATH##*/}, ${DATABASE_PATH_AUDIT##*/}, $DATABASE_URL; exit 7\n      database: sqlite\n",
    );
    assert_snapshot!(place.run(&["check", "ping"]).error(3), @r"
    error: cannot start `command`: `echo ${DATABASE_PATH##*/}, ${DATABASE_PATH_AUDIT##*/}, $DATABASE_URL; exit 7` ended with status 7; it printed:
    service.db, service_audit.db, <database.url>
      = help: the command runs in the suite's folder, and is to listen on $HOST:$PORT
    ");
}

#[test]
fn a_command_gets_no_database_that_nobody_knows() {
    let place = Place::with("ping").edit(
        "ping/suite.yaml",
        "service:\n",
        "service:\n  default: { launcher: command, settings: { command: exit 7, database: mysql } }\n",
    );
    assert_snapshot!(place.run(&["check", "ping"]).error(2), @r"
    error: cannot start `command`: setting `database`: expected `true`, `false`, `postgres` or `sqlite`
      = help: the settings of a command are `command`, `environment` and `database`
    ");
}

/// A PostgreSQL in a folder that everybody may look into, of which each program is this script.
fn broken_postgres(script: &str) -> Place {
    let mut place = Place::with_litellm();
    for program in ["postgres", "initdb"] {
        let path = format!("bin/{program}");
        place = place.write(&path, script);
        fs::set_permissions(place.path(&path), Permissions::from_mode(0o755)).unwrap();
    }
    fs::set_permissions(place.path(""), Permissions::from_mode(0o755)).unwrap();
    place
}

fn error_of(place: &Place) -> String {
    let programs = place.path("bin").canonicalize().unwrap();
    let programs = programs.to_str().unwrap();
    let ended = place.run_with(&[("PG_BIN_DIR", programs)], &["check", "suites/litellm"]);
    ended.error(3).replace(programs, "BIN")
}

#[test]
fn a_postgres_that_cannot_be_run_is_told_with_the_systems_reason_and_a_remedy() {
    assert_snapshot!(error_of(&broken_postgres("#!/no/such/interpreter\n")), @"
    error: cannot run `BIN/postgres`: No such file or directory (os error 2)
      = help: mend that program, set PG_BIN_DIR to the directory of another `initdb` and `postgres`, or pass --database-url to use a running server
    ");
}

#[test]
fn a_postgres_that_fails_without_a_word_is_told_with_its_status() {
    assert_snapshot!(error_of(&broken_postgres("#!/bin/sh\nexit 3\n")), @"error: `BIN/postgres` failed (exit status: 3) and printed nothing");
}
