//! The suite's default service, to try things on.

use std::collections::BTreeMap;
use std::fs::read_to_string;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::{Duration, Instant};

use insta::assert_snapshot;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use percent_encoding::percent_decode_str;

use super::place::{Place, end, start};

/// A service that is ended with the test, however that ends.
struct Served {
    process: Option<Child>,
    printed: BTreeMap<String, String>,
}

impl Served {
    fn start(place: &Place) -> Self {
        let mut process = start(&mut place.command(&["serve", "--port", "0"]));
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let printed = lines.by_ref().take(3).map(|line| {
            let line = line.unwrap();
            let (name, value) = line.split_once('=').expect("NAME=VALUE");
            (name.to_owned(), value.to_owned())
        });
        let printed = printed.collect();
        Self {
            process: Some(process),
            printed,
        }
    }

    fn value(&self, name: &str) -> &str {
        self.printed.get(name).unwrap()
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(self.process.as_ref().unwrap().id().try_into().unwrap())
    }

    /// The directory of the database server, which the database's URL has as its host.
    fn directory(&self) -> PathBuf {
        let url = self.value("AUTHZ_PIN_DATABASE_URL");
        let (_, rest) = url.split_once("://").unwrap();
        let (host, _) = rest.split_once('/').unwrap();
        let (_, host) = host.split_once('@').unwrap();
        let (host, _) = host.rsplit_once(':').unwrap();
        PathBuf::from(percent_decode_str(host).decode_utf8().unwrap().as_ref())
    }

    fn end(mut self, signal: Signal) -> super::place::Ended {
        kill(self.pid(), signal).unwrap();
        end(self.process.take().unwrap())
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }
}

#[test]
fn a_served_service_says_how_to_reach_it_and_that_is_enough_for_a_check() {
    let place = Place::with_litellm();
    let served = Served::start(&place);
    let names: Vec<_> = served.printed.keys().collect();
    let expected = [
        "AUTHZ_PIN_BASE_URL",
        "AUTHZ_PIN_DATABASE_URL",
        "AUTHZ_PIN_VAR_MASTER_KEY",
    ];
    assert_eq!(names, expected);
    let answer = get(served.value("AUTHZ_PIN_BASE_URL"), "/health/liveliness");
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");

    let printed = served.printed.iter();
    let environment: Vec<_> = printed
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let arguments = ["check", "--filter", "key-info/own credential/owner"];
    place.run_with(&environment, &arguments).result();
}

#[test]
fn an_interrupted_service_ends_well_and_leaves_no_server_and_no_directory() {
    let served = Served::start(&Place::with_litellm());
    let directory = served.directory();
    let postmaster = server_of(&directory);
    assert!(kill(postmaster, None).is_ok());

    let ended = served.end(Signal::SIGINT);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    until(|| kill(postmaster, None).is_err());
    until(|| !directory.exists());
}

#[test]
fn a_service_that_is_told_to_end_ends_well() {
    let served = Served::start(&Place::with_litellm());
    assert_eq!(served.end(Signal::SIGTERM).code, Some(0));
}

#[test]
fn a_port_that_is_taken_is_said_with_the_way_out() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let error = Place::with_litellm()
        .run(&["serve", "--port", &port])
        .error(3);
    assert_snapshot!(error.replace(&port, "PORT"), @r"
    error: cannot start `reference-gateway`: cannot listen on `127.0.0.1:PORT`: Address already in use (os error 98)
      = help: choose another --port; 0 takes a free one
    ");
}

#[test]
fn a_service_that_is_there_already_is_not_served() {
    let url = "http://127.0.0.1:1";
    let error = Place::with_litellm()
        .run(&["serve", "--base-url", url])
        .error(2);
    assert!(
        error.starts_with("error: unexpected argument '--base-url' found"),
        "{error}"
    );
}

fn server_of(directory: &Path) -> Pid {
    let file = read_to_string(directory.join("data/postmaster.pid")).unwrap();
    Pid::from_raw(file.lines().next().unwrap().parse().unwrap())
}

fn get(base_url: &str, path: &str) -> String {
    let address = base_url.trim_start_matches("http://").trim_end_matches('/');
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn until(condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(
            start.elapsed() < Duration::from_secs(20),
            "it did not happen in time"
        );
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_served_service_says_where_each_further_database_is() {
    let place = Place::with_litellm().edit(
        "suites/litellm/suite.yaml",
        "  ready:",
        "  databases: { audit: {} }\n  ready:",
    );
    let served = Served::start(&place);
    let url = served.value("AUTHZ_PIN_DATABASE_URL_AUDIT");
    assert!(url.ends_with("/service_audit"), "{url}");
    served.end(Signal::SIGINT);
}
