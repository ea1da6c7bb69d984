//! Services that know who calls by the connection: nobody is taken for somebody else, whoever called before.

use std::collections::HashMap;
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use super::place::{Ended, Place, end, start};
use super::raw::{JSON, Raw, Request, respond};

/// Who a service takes a connection for, when a request on it says who it is from.
#[derive(Clone, Copy)]
enum Binding {
    /// The last who said so.
    Last,
    /// The first, and whatever else is said counts for nothing.
    First,
}

/// A service with a suite that calls it as many.
struct Desk {
    service: Raw,
    place: Place,
    /// Whether everybody is let in who says who it is.
    is_open: Arc<AtomicBool>,
    /// Every connection that a request came by.
    connections: Arc<Mutex<HashMap<SocketAddr, usize>>>,
}

const SUITE: &str = "name: desk
snapshots: snapshots
service: { ready: /health, settle_ms: 0 }
refusal: { message: $.error }
";

/// Who may read: only they have a name that begins like this.
const MEMBER: &str = "member";

fn of_bearer(request: &Request) -> Option<String> {
    let header = request.header("authorization")?;
    Some(header.strip_prefix("Bearer ")?.to_owned())
}

fn of_query(request: &Request) -> Option<String> {
    let (_, name) = request.path().split_once("?password=")?;
    Some(name.to_owned())
}

impl Desk {
    fn new(binding: Binding, members: usize, strangers: usize) -> Self {
        let bound = Arc::new(Mutex::new(HashMap::<SocketAddr, String>::new()));
        let connections = Arc::<Mutex<HashMap<SocketAddr, usize>>>::default();
        let (is_open, counted) = (Arc::new(AtomicBool::new(false)), Arc::clone(&connections));
        let opened = Arc::clone(&is_open);
        let answer = move |request: &Request, stream: &mut TcpStream| {
            let peer = stream.peer_addr()?;
            if request.path() == "/health" {
                return respond(stream, 200, "", "");
            }
            *counted.lock().unwrap().entry(peer).or_default() += 1;
            let mut bound = bound.lock().unwrap();
            if let Some(name) = of_bearer(request).or_else(|| of_query(request)) {
                match binding {
                    Binding::Last => drop(bound.insert(peer, name)),
                    Binding::First => drop(bound.entry(peer).or_insert(name)),
                }
            }
            let known = bound.get(&peer);
            let is_member = known.is_some_and(|name| name.starts_with(MEMBER));
            match known {
                None => respond(stream, 401, JSON, r#"{"error": "who?"}"#),
                _ if is_member || opened.load(Ordering::SeqCst) => {
                    respond(stream, 200, JSON, r#"{"x": 1}"#)
                }
                _ => respond(stream, 403, JSON, r#"{"error": "no"}"#),
            }
        };
        let names = (0..members)
            .map(|n| format!("{MEMBER}{n}"))
            .chain((0..strangers).map(|n| format!("stranger{n}")));
        let actors: Vec<String> = names
            .map(|name| format!("  {name}: {{ auth: {{ bearer: {name} }} }}\n"))
            .collect();
        let actors = actors.concat();
        let place = Place::empty()
            .write("desk/suite.yaml", SUITE)
            .write(
                "desk/world.yaml",
                &format!("kinds:\n  thing: {{}}\nentities: {{}}\nactors:\n{actors}  anonymous: {{}}\n"),
            )
            .write(
                "desk/targets.yaml",
                "targets: { one: { kind: thing }, another: { kind: thing }, a third: { kind: thing } }\n",
            );
        Self {
            service: Raw::start(answer),
            place,
            is_open,
            connections,
        }
    }

    fn with(mut self, endpoint: &str, request: &str) -> Self {
        let text = format!("request: {request}\ntargets: [one, another, a third]\n");
        let file = format!("desk/endpoints/{endpoint}.yaml");
        self.place = self.place.write(&file, &text);
        self
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        let url = self.service.url();
        let all = [arguments, &["desk", "--base-url", &url]].concat();
        self.place.run(&all)
    }

    /// What the record of an endpoint has of statuses, each with those who got it.
    fn recorded(&self, endpoint: &str) -> String {
        let file = format!("desk/snapshots/{endpoint}.snap");
        std::fs::read_to_string(self.place.path(&file)).unwrap()
    }

    /// Every sweep says the same: it was pinned, and is as pinned while nothing opens.
    fn is_steady(&self) {
        assert_eq!(self.run(&["record"]).code, Some(0));
        for _ in 0..super::place::checks() {
            let ended = self.run(&["check"]);
            assert_eq!(ended.code, Some(0), "{ended:#?}");
        }
    }

    /// Whoever says who it is, is let in.
    fn opens(&self) -> Ended {
        self.is_open.store(true, Ordering::SeqCst);
        self.run(&["check"])
    }
}

#[test]
fn who_a_connection_is_taken_for_is_nobody_else() {
    for binding in [Binding::Last, Binding::First] {
        let desk = Desk::new(binding, 3, 1)
            .with("a", "{ method: GET, path: /a }")
            .with("b", "{ method: GET, path: /b }")
            .with("c", "{ method: GET, path: /c }");
        desk.is_steady();
        for endpoint in ["a", "b", "c"] {
            let record = desk.recorded(endpoint);
            assert!(record.contains("anonymous: {denied: 401"), "{record}");
            assert!(record.contains("stranger0: {denied: 403"), "{record}");
        }
        let ended = desk.opens();
        assert_eq!(ended.code, Some(1), "{ended:#?}");
        assert!(ended.stdout.contains("widened"), "{ended:#?}");
        let told = ended.stdout.lines().filter(|line| line.contains("widened"));
        assert!(told.clone().count() > 0);
        assert!(!ended.stdout.contains("widened anonymous"), "{ended:#?}");
    }
}

#[test]
fn a_request_with_a_credential_of_its_own_has_a_connection_of_its_own() {
    // Whoever calls says who it is in the query, and is that for as long as the connection lasts.
    let desk = Desk::new(Binding::Last, 1, 1)
        .with(
            "enter",
            "{ method: GET, path: /enter, query: { password: member0 } }",
        )
        .with("read", "{ method: GET, path: /read }");
    desk.is_steady();
    let record = desk.recorded("read");
    assert!(record.contains("anonymous: {denied: 401"), "{record}");
    let ended = desk.opens();
    assert!(ended.stdout.contains("widened"), "{ended:#?}");
}

#[test]
fn steps_and_probes_with_their_own_credential_leave_no_connection_to_anybody() {
    let desk = Desk::new(Binding::Last, 1, 1);
    let setup = "kinds:
  thing:
    setup:
      - request: { method: GET, path: /a }
        auth: { bearer: member-of-the-setup }
      - request: { method: GET, path: /a }
        auth: { actor: member0 }
entities: {}
actors:
  member0: { auth: { bearer: member0 } }
  stranger0: { auth: { bearer: stranger0 } }
  anonymous: {}
";
    let desk = Desk {
        place: desk.place.write("desk/world.yaml", setup).write(
            "desk/endpoints/a.yaml",
            "request: { method: GET, path: /a }
targets: [one, another, a third]
probes:
  after:
    request: { method: GET, path: /a }
    auth: { bearer: member-of-the-probe }
",
        ),
        ..desk
    };
    desk.is_steady();
    let record = desk.recorded("a");
    assert!(record.contains("anonymous: {denied: 401"), "{record}");
    assert!(desk.opens().stdout.contains("widened"));
}

#[test]
fn calls_of_one_actor_that_only_read_share_connections() {
    let desk = Desk::new(Binding::Last, 2, 0).with("a", "{ method: GET, path: /a }");
    let ended = desk.run(&["check", "--concurrency", "1"]);
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    let connections = desk.connections.lock().unwrap();
    let calls: usize = connections.values().sum();
    assert!(connections.len() < calls, "{connections:?}");
}

#[test]
fn a_hundred_actors_need_no_more_files_than_a_small_system_allows() {
    let desk = Desk::new(Binding::Last, 149, 1).with("a", "{ method: GET, path: /a }");
    let url = desk.service.url();
    let line = format!(
        "ulimit -n 200 && exec {} check desk --base-url {url} --concurrency 32",
        env!("CARGO_BIN_EXE_authz-pin")
    );
    let mut command = std::process::Command::new("/bin/sh");
    let command = command
        .args(["-c", &line])
        .current_dir(desk.place.path("."));
    let ended = end(start(command));
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    assert!(ended.stdout.contains("453 cells"), "{ended:#?}");
}
