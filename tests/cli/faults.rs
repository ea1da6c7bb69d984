//! Faults of a service: recorded as what they are, each in its own cell.

use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::Duration;

use insta::assert_snapshot;
use serde_json::Value as Json;

use super::faulty;
use super::place::{Ended, Place, end, start};
use super::raw::{After, JSON, Raw, respond};

/// A service elsewhere, which nobody should come to.
fn elsewhere() -> Raw {
    Raw::start(|_, stream| respond(stream, 200, JSON, "{}"))
}

fn check(place: &Place, service: &Raw, arguments: &[&str]) -> Ended {
    let url = service.url();
    let arguments = [&["check", "faults", "--base-url", &url], arguments].concat();
    place.run(&arguments)
}

/// The record of an endpoint as a check proposes it, without the facts of the run.
fn proposed(place: &Place, endpoint: &str) -> String {
    let file = place.path(&format!("faults/snapshots/{endpoint}.snap.new"));
    let text = std::fs::read_to_string(file).unwrap();
    text.split_once("\n---\n").unwrap().1.to_owned()
}

#[test]
fn every_fault_is_recorded_in_its_own_cell_whatever_the_concurrency() {
    let elsewhere = elsewhere();
    let service = faulty::start(&elsewhere.url());
    let records = ["1", "16"].map(|concurrency| {
        let place = Place::with("faults");
        let ended = check(&place, &service, &["--concurrency", concurrency]);
        assert_eq!(ended.code, Some(1), "{ended:#?}");
        ["call", "probe"].map(|endpoint| proposed(&place, endpoint))
    });
    assert_eq!(records[0], records[1]);
    let [call, probe] = &records[0];
    assert_snapshot!("call", call);
    assert_snapshot!("probe", probe);
    assert!(elsewhere.asked().is_empty(), "a redirect was followed");
    let once = service
        .asked()
        .iter()
        .filter(|r| r.path().ends_with("/close"))
        .count();
    assert_eq!(once, 2 * 2, "a call was repeated, or left out");
}

#[test]
fn a_cell_without_an_answer_is_shown_to_people_and_programs() {
    let service = faulty::start("");
    let place = Place::with("faults");
    let filter = ["--filter", "call/a close"];
    let human = check(&place, &service, &filter).stdout;
    assert!(human.contains("a close  fault!  fault!"), "{human}");
    let json = check(
        &place,
        &service,
        &[&filter[..], &["--format", "json"]].concat(),
    );
    let json: Json = serde_json::from_str(&json.stdout).unwrap();
    let cell = &json["endpoints"][0]["record"]["cells"]["a close"]["owner"];
    assert_eq!(cell["fault"], "connection closed");
    assert_eq!(cell["allowed"], Json::Null);
    assert_eq!(cell["denied"], Json::Null);
}

#[test]
fn a_service_that_begins_to_give_no_answer_has_drifted() {
    let is_silent = Arc::new(AtomicBool::new(false));
    let silent = Arc::clone(&is_silent);
    let service = Raw::start(move |request, stream| {
        if request.path() == "/ping" && silent.load(Ordering::SeqCst) {
            return Ok(After::Close);
        }
        respond(stream, 200, JSON, "{}")
    });
    let place = Place::with("ping");
    let url = service.url();
    place.run(&["record", "ping", "--base-url", &url]).result();
    is_silent.store(true, Ordering::SeqCst);
    let ended = place.run(&["check", "ping", "--base-url", &url]);
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    let drift = "fault-changed ping  nothing: anonymous\n    - 200\n    + connection closed\n";
    assert!(ended.stdout.contains(drift), "{}", ended.stdout);
    let finding = "+ no-answer: a caller got no answer (connection closed)";
    assert!(ended.stdout.contains(finding), "{}", ended.stdout);
}

#[test]
fn a_service_that_dies_ends_the_run() {
    let service = Raw::start(|request, stream| match request.path() {
        "/health" => respond(stream, 200, "", ""),
        _ => Ok(After::Die),
    });
    let error = check(&Place::with("faults"), &service, &["--filter", "probe"]).error(3);
    let error = error.replace(&service.address(), "127.0.0.1:PORT");
    // Whether a call was under way when it died is up to chance.
    let known = [
        "error: the service is no longer ready: no answer from GET http://127.0.0.1:PORT/health: ",
        "error: the service is no longer ready: no answer from POST http://127.0.0.1:PORT/notes/{{ target.note_id }}/good: ",
        "error: no answer from POST http://127.0.0.1:PORT/notes/{{ target.note_id }}/good: ",
    ];
    assert!(
        known.iter().any(|known| error.starts_with(known)),
        "{error}"
    );
}

#[test]
fn a_probe_that_the_service_failed_at_is_asked_again() {
    let failed = Mutex::new(0);
    let service = Raw::start(move |request, stream| {
        let is_probe = request.line.starts_with("GET") && request.path() != "/health";
        let mut failed = failed.lock().unwrap();
        if is_probe && *failed < 2 {
            *failed += 1;
            // A fault, and a failure.
            return match *failed {
                1 => Ok(After::Close),
                _ => respond(
                    stream,
                    500,
                    JSON,
                    r#"{"error": "no connection to the database"}"#,
                ),
            };
        }
        respond(stream, 200, JSON, "{}")
    });
    let place = Place::with("faults");
    let ended = check(&place, &service, &["--filter", "probe"]);
    assert_eq!(ended.code, Some(1), "there is no snapshot yet: {ended:#?}");
    let record = proposed(&place, "probe");
    let cells = record.matches("{allowed: 200").count();
    let answered = record.matches("probes: {owner's key: 200}").count();
    assert!(cells > 2 && answered == cells, "{record}");
}

#[test]
fn a_service_that_answers_nobody_any_more_ends_the_run() {
    let is_first = AtomicBool::new(true);
    let service = Raw::start(move |_, stream| {
        if is_first.swap(false, Ordering::SeqCst) {
            return respond(stream, 200, "", "");
        }
        sleep(Duration::from_secs(20));
        Ok(After::Close)
    });
    let error = check(
        &Place::with("faults"),
        &service,
        &["--filter", "probe/an answer"],
    )
    .error(3);
    assert_snapshot!(error.replace(&service.address(), "127.0.0.1:PORT"), @"error: the service is no longer ready: no answer from GET http://127.0.0.1:PORT/health: timed out; it did not answer probe/an answer/owner, probe/an answer/anonymous");
}

#[test]
fn a_service_that_is_away_for_a_moment_is_asked_again() {
    let ready = Raw::start(|_, stream| respond(stream, 200, "", "").map(|_| After::Die));
    let address = ready.address();
    let place = Place::with("ping");
    let mut command = place.command(&["check", "ping", "--base-url", &ready.url()]);
    let running = start(&mut command);
    while ready.asked().is_empty() {
        sleep(Duration::from_millis(5));
    }
    drop(ready);
    sleep(Duration::from_millis(150));
    let back = TcpListener::bind(address).unwrap();
    let back = Raw::on(back, |_, stream| respond(stream, 200, JSON, "{}"));
    let ended = end(running);
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    assert_eq!(back.asked().len(), 1);
}

/// The largest resident size of a process while it runs.
#[cfg(target_os = "linux")]
fn peak(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

#[cfg(target_os = "linux")]
#[test]
fn an_answer_of_200_mb_takes_little_memory() {
    let service = faulty::start("");
    let place = Place::with("faults");
    let url = service.url();
    let arguments = [
        "check",
        "faults",
        "--base-url",
        &url,
        "--filter",
        "call/200 MB*",
    ];
    let running = start(&mut place.command(&arguments));
    let process = running.id();
    let peaks = std::thread::spawn(move || {
        let mut highest = 0;
        while let Some(now) = peak(process) {
            highest = now;
            sleep(Duration::from_millis(2));
        }
        highest
    });
    let ended = end(running);
    assert!(ended.stdout.contains("4 cells"), "{ended:#?}");
    let highest = peaks.join().unwrap();
    println!("peak {highest} kB");
    assert!(highest > 1_000 && highest < 250_000, "{highest} kB");
}
