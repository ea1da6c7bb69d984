//! A world that is made by requests, and what becomes of it.

use std::fs;

use insta::assert_snapshot;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::desk::Served;
use super::place::{Place, end, start};

fn desk() -> Place {
    Place::with("desk")
}

#[test]
fn a_service_without_a_database_is_swept_by_requests_alone_and_left_as_it_was() {
    let (service, place) = (Served::start(), desk());
    let url = service.url();
    place.run(&["record", "desk", "--base-url", &url]).result();
    let record = |name: &str| {
        let file = format!("desk/snapshots/{name}.snap");
        fs::read_to_string(place.path(&file)).unwrap()
    };
    assert_snapshot!(record("project-get"), @"");
    assert_snapshot!(record("project-create"), @"");
    assert_eq!(service.paths(), Vec::<String>::new());
    place.run(&["check", "desk", "--base-url", &url]).result();
    assert_eq!(service.paths(), Vec::<String>::new());
}
