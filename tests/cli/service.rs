//! A service that is not there, not ready, or not one at all.

use std::net::TcpListener;

use insta::assert_snapshot;

use super::place::Place;
use super::stub::Stub;

/// A port that only root could listen on, and that nobody does.
const CLOSED: &str = "http://127.0.0.1:1";

#[test]
fn a_service_that_is_not_there_is_said_with_what_was_tried_and_what_to_do() {
    let place = Place::with("ping");
    let error = place
        .run(&["check", "ping", "--base-url", CLOSED, "--wait", "0"])
        .error(3);
    assert_snapshot!(error, @r"
    error: the service is not ready: no answer from GET http://127.0.0.1:1/health: Connection refused (os error 111) (1 try in 0 s)
      = help: start the service, give it longer with --wait, or correct --base-url or `service.ready` of the suite
    ");
}

#[test]
fn a_recording_of_a_service_that_is_not_there_fails_in_the_same_way() {
    let place = Place::with("ping");
    let arguments = |command| [command, "ping", "--base-url", CLOSED, "--wait", "0"];
    assert_eq!(
        place.run(&arguments("record")).error(3),
        place.run(&arguments("check")).error(3)
    );
}

#[test]
fn the_error_of_a_service_that_is_not_there_shows_no_password_of_its_url() {
    let place = Place::with("ping");
    let error = place
        .run(&[
            "check",
            "ping",
            "--base-url",
            "http://me:s3cret@127.0.0.1:1",
            "--wait",
            "0",
        ])
        .error(3);
    assert!(error.contains("me:***@127.0.0.1"), "{error}");
    assert!(!error.contains("s3cret"), "{error}");
}

#[test]
fn a_service_that_is_never_ready_is_asked_for_as_long_as_one_waits() {
    let stub = Stub::start(&[503; 1000]);
    let place = Place::with("ping");
    let error = place
        .run(&["check", "ping", "--base-url", &stub.url(), "--wait", "1"])
        .error(3);
    let error = error.replace(&stub.address(), "127.0.0.1:PORT");
    let (before, after) = error.split_once(" (").unwrap();
    assert_eq!(
        before,
        "error: the service is not ready: 503 from GET http://127.0.0.1:PORT/health"
    );
    let (tries, after) = after.split_once(' ').unwrap();
    assert!(tries.parse::<u32>().unwrap() > 2, "{error}");
    assert!(after.starts_with("tries in "), "{error}");
}

#[test]
fn a_service_that_is_ready_late_is_waited_for() {
    let stub = Stub::start(&[503, 503, 503]);
    let place = Place::with("ping");
    let ended = place.run(&["check", "ping", "--base-url", &stub.url()]);
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    assert!(
        ended.stdout.contains("ping has no snapshot yet"),
        "{ended:#?}"
    );
}

#[test]
fn a_service_that_accepts_and_never_answers_is_not_waited_for_forever() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap().to_string();
    let place = Place::with("ping");
    let url = format!("http://{address}");
    let error = place
        .run(&["check", "ping", "--base-url", &url, "--wait", "0"])
        .error(3);
    assert_snapshot!(error.replace(&address, "127.0.0.1:PORT"), @r"
    error: the service is not ready: no answer from GET http://127.0.0.1:PORT/health: timed out (1 try in 5 s)
      = help: start the service, give it longer with --wait, or correct --base-url or `service.ready` of the suite
    ");
}

#[test]
fn a_base_url_that_is_no_http_url_is_refused() {
    for url in ["localhost:4000", "127.0.0.1:4000", "ftp://localhost"] {
        let error = Place::with("ping")
            .run(&["check", "ping", "--base-url", url])
            .error(2);
        let expected = format!(
            "error: invalid value '{url}' for '--base-url <URL>': expected a URL such as http://localhost:4000\n"
        );
        assert!(error.starts_with(&expected), "{error}");
    }
}

#[test]
fn a_suite_without_a_service_of_its_own_needs_a_base_url() {
    assert_snapshot!(Place::with("ping").run(&["check", "ping"]).error(2), @r"
    error: the suite `ping` has no service of its own to start
      = help: give a service's URL with --base-url, or name a launcher under `service.default` of suite.yaml
    ");
}

#[test]
fn a_launcher_that_does_not_exist_is_told_which_do() {
    let place = Place::with("ping").edit(
        "ping/suite.yaml",
        "service:\n",
        "service:\n  default: { launcher: refrence-gateway }\n",
    );
    assert_snapshot!(place.run(&["check", "ping"]).error(2), @r"
    error: unknown launcher `refrence-gateway`
      = help: did you mean `reference-gateway`?
    ");
}

#[test]
fn the_environment_gives_the_base_url_and_a_flag_overrules_it() {
    let stub = Stub::start(&[]);
    let place = Place::with("ping");
    let environment = [("AUTHZ_PIN_BASE_URL", CLOSED)];
    place
        .run_with(&environment, &["check", "ping", "--wait", "0"])
        .error(3);
    let ended = place.run_with(&environment, &["check", "ping", "--base-url", &stub.url()]);
    assert_eq!(ended.code, Some(1), "{ended:#?}");
}
