//! Every exit code as a process gives it. The one of a bug, 70, has none to show: `src/main.rs` tests it.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::thread::sleep;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::place::{Ended, Place, end, start};
use super::raw::{After, JSON, Raw, respond};

/// A service whose `/ping` has the status, which each call makes greater by the step.
fn pinging(status: u16, step: u16) -> Raw {
    let status = AtomicU16::new(status);
    Raw::start(move |request, stream| match request.path() {
        "/ping" => respond(stream, status.fetch_add(step, Ordering::SeqCst), JSON, "{}"),
        _ => respond(stream, 200, "", ""),
    })
}

/// What the binary ends with, called in this place with this service.
fn code(place: &Place, arguments: &[&str], service: &Raw) -> Option<i32> {
    let url = service.url();
    place
        .run(&[arguments, &["ping", "--base-url", &url]].concat())
        .code
}

#[test]
fn as_pinned_is_0_and_what_is_new_or_differs_is_1() {
    let (place, sound) = (Place::with("ping"), pinging(200, 0));
    assert_eq!(code(&place, &["check"], &sound), Some(1));
    assert_eq!(code(&place, &["record"], &sound), Some(0));
    assert_eq!(code(&place, &["check"], &sound), Some(0));
    assert_eq!(code(&place, &["check"], &pinging(201, 0)), Some(1));
}

#[test]
fn what_says_too_little_is_6() {
    let (place, sound) = (Place::with("ping"), pinging(200, 0));
    let place = place.edit("ping/suite.yaml", "name: ping", "name: ping # FILL IN");
    assert_eq!(code(&place, &["check"], &sound), Some(6));
    assert_eq!(code(&place, &["record"], &sound), Some(6));
}

#[test]
fn a_suite_that_is_not_valid_is_2() {
    let place = Place::with("ping").edit("ping/endpoints/ping.yaml", "nothing", "something");
    assert_eq!(code(&place, &["check"], &pinging(200, 0)), Some(2));
}

#[test]
fn a_service_that_is_away_is_3() {
    // A port that a service had could be another test's by now.
    let gone = "http://127.0.0.1:1";
    let place = Place::with("ping");
    let arguments = ["check", "ping", "--base-url", gone];
    assert_eq!(place.run(&arguments).code, Some(3));
}

#[test]
fn a_filter_that_selects_nothing_is_4() {
    let arguments = ["check", "--filter", "pong"];
    assert_eq!(
        code(&Place::with("ping"), &arguments, &pinging(200, 0)),
        Some(4)
    );
}

#[test]
fn two_sweeps_with_different_records_are_5() {
    let place = Place::with("ping");
    assert_eq!(code(&place, &["record"], &pinging(200, 1)), Some(5));
    assert!(!place.path("ping/snapshots").exists(), "it was accepted");
}

#[test]
fn an_interrupt_is_130() {
    let is_asked = AtomicBool::new(false);
    let silent = Raw::start(move |request, stream| {
        if request.path() == "/ping" && !is_asked.swap(true, Ordering::SeqCst) {
            sleep(Duration::from_secs(3));
            return Ok(After::Close);
        }
        respond(stream, 200, "", "")
    });
    let arguments = ["check", "ping", "--base-url", &silent.url()];
    let place = Place::with("ping");
    let running = start(&mut place.command(&arguments));
    while !silent
        .asked()
        .iter()
        .any(|request| request.path() == "/ping")
    {
        sleep(Duration::from_millis(5));
    }
    kill(
        Pid::from_raw(running.id().try_into().unwrap()),
        Signal::SIGINT,
    )
    .unwrap();
    assert_eq!(end(running).code, Some(130));
}

/// What the binary ends with in a folder that is removed before it starts.
fn run_nowhere(place: &Place, arguments: &str) -> Ended {
    let started = place.command(&[]);
    let script = format!("rmdir ../gone && exec \"$0\" {arguments}");
    let mut shell = Command::new("/bin/sh");
    shell
        .args(["-c", &script])
        .arg(started.get_program())
        .current_dir(place.path("gone"));
    end(start(&mut shell))
}

#[cfg(target_os = "linux")]
#[test]
fn a_working_directory_that_is_gone_is_74_and_names_the_path_that_depends_on_it() {
    for (arguments, path) in [
        ("sensitivity ../ping --snapshots rel", "rel"),
        ("init foo", "foo"),
    ] {
        let place = Place::with("ping");
        std::fs::create_dir(place.path("gone")).unwrap();
        let suite = place.path("ping").to_str().unwrap().to_owned();
        let ended = run_nowhere(&place, &arguments.replace("../ping", &suite));
        assert_eq!(
            ended.error(74),
            format!(
                "error: cannot resolve `{path}` from the working directory: No such file or directory (os error 2)\n"
            )
        );
    }
}

#[test]
fn a_file_that_cannot_be_written_where_somebody_named_it_is_2() {
    let place = Place::empty().write("taken", "");
    let error = place.run(&["init", "taken"]).error(2);
    assert!(
        error.starts_with("error: cannot write `taken/") && error.ends_with("(os error 20)\n"),
        "{error}"
    );
}

#[test]
fn a_variable_of_the_environment_that_is_no_text_is_2_and_is_not_shown() {
    let place = Place::with("gates");
    let mut command = place.command(&["check", "gates", "--dry-run"]);
    command.env("AUTHZ_PIN_VAR_PASSWORD", OsStr::from_bytes(b"secret\xff"));
    assert_eq!(
        end(start(&mut command)).error(2),
        "error: the variable `AUTHZ_PIN_VAR_PASSWORD` of the environment is not valid UTF-8\n"
    );
}
