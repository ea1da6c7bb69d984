//! Faults of a service: recorded as what they are, each in its own cell.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
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
