//! What is made by requests is the same in a dry run and in a run.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use authz_pin::template::random;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, Method};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::place::Place;
use super::served::{runtime, serve};

const SUITE: &str = "\
name: depot
snapshots: snapshots
service: { ready: /health, settle_ms: 0 }
refusal: { message: $.error }
";

/// Whoever is made is removed by one of them, a thing is made by somebody who logs in first, and so is everybody by an actor
/// from outside.
const WORLD: &str = "\
kinds:
  person:
    parameters: { rank: low }
    secrets: { key: null }
    symbols: { title: \"{{ run }}-{{ name }}\", person_id: null }
    setup:
      - request: { method: POST, path: /people, json: { name: \"{{ title }}\" } }
        auth: { actor: chief }
        capture: { person_id: $.id, key: $.key }
      - when: \"{{ rank == 'high' }}\"
        request: { method: POST, path: \"/people/{{ person_id }}/rank\", headers: { x-why: it is asked for } }
        auth: { actor: chief }
    teardown:
      - request: { method: DELETE, path: \"/people/{{ person_id }}\" }
        auth: { actor: owner }
  thing:
    symbols: { thing_id: null }
    setup:
      - request: { method: POST, path: /things }
        auth: { actor: keeper }
        capture: { thing_id: $.id }
    teardown:
      - request: { method: DELETE, path: \"/things/{{ thing_id }}\" }
        auth: { actor: owner }
  ticket:
    symbols: { ticket_id: \"{{ run }}-{{ random(6) }}\" }
    teardown:
      - request: { method: DELETE, path: \"/tickets/{{ ticket_id }}\" }

entities:
  shelf: { kind: thing }

actors:
  chief:
    calls: []
    auth:
      login: { request: { method: POST, path: /sessions, json: { who: chief } }, capture: { token: $.token } }
  owner:
    kind: person
    with: { rank: high }
    calls: [leave, take]
    auth: { headers: { x-key: \"{{ actor.key }}\" } }
  keeper:
    kind: person
    calls: []
    auth:
      login:
        request: { method: POST, path: /sessions, headers: { x-key: \"{{ actor.key }}\" } }
        capture: { token: $.token }
        expires_in: 600
  signer:
    kind: person
    calls: [sign]
    auth: { jwt: { algorithm: HS256, key: \"{{ actor.key }}\", claims: { sub: \"{{ actor.person_id }}\" } } }
  watcher:
    kind: person
    calls: []
    auth:
      login:
        request: { method: POST, path: /sessions, json: { id: \"{{ actor.person_id }}\" } }
        capture: { token: $.token }
      headers: { x-token: \"{{ login.token }}\" }
";

const TARGETS: &str = "targets:\n  a thing: { kind: thing }\n  a ticket: { kind: ticket }\n";

const TAKE: &str = "\
request: { method: POST, path: \"/calls/{{ target.thing_id }}/{{ setup.note_id }}\" }
setup:
  - request: { method: POST, path: /notes }
    auth: { actor: chief }
    capture: { note_id: $.id }
teardown:
  - request: { method: DELETE, path: \"/notes/{{ note_id }}\" }
    auth: { actor: watcher }
targets: [a thing]
capture:
  copy: { kind: thing, from: { thing_id: $.id } }
";

const LEAVE: &str = "\
request: { method: POST, path: \"/calls/{{ target.thing_id }}\" }
fresh: true
targets: [a thing]
probes:
  watcher: { request: { method: POST, path: /probes }, auth: { actor: watcher } }
";

const SIGN: &str = "\
request: { method: POST, path: \"/calls/{{ target.ticket_id }}\" }
targets: [a ticket]
";

fn depot() -> Place {
    Place::empty()
        .write("depot/suite.yaml", SUITE)
        .write("depot/world.yaml", WORLD)
        .write("depot/targets.yaml", TARGETS)
        .write("depot/endpoints/leave.yaml", LEAVE)
        .write("depot/endpoints/sign.yaml", SIGN)
        .write("depot/endpoints/take.yaml", TAKE)
}

/// What is known of a request before its values are: the method, the path with `#` for each of them, and the names of the
/// headers that the suite gives it.
type Shape = (String, String, Vec<String>);

fn shape<'h>(method: &str, path: &str, headers: impl Iterator<Item = &'h str>) -> Shape {
    let word = |part: &str| ["rank", "gold"].contains(&part);
    let parts = path.split('/').enumerate();
    let parts = parts.map(|(at, part)| if at < 2 || word(part) { part } else { "#" });
    let path = parts.collect::<Vec<_>>().join("/");
    let names = headers.filter(|name| *name == "authorization" || name.starts_with("x-"));
    let mut names: Vec<String> = names.map(str::to_owned).collect();
    names.sort();
    (method.to_owned(), path, names)
}

fn purpose(shape: &Shape) -> &'static str {
    let (method, path, _) = shape;
    match (method.as_str(), path.split('/').nth(1).unwrap()) {
        ("DELETE", _) => "teardown",
        (_, "sessions") => "login",
        (_, "calls") => "call",
        (_, "probes") => "probe",
        _ => "setup",
    }
}

fn by_purpose(all: Vec<Shape>) -> BTreeMap<&'static str, Vec<Shape>> {
    let mut sorted = BTreeMap::<_, Vec<Shape>>::new();
    for shape in all {
        sorted.entry(purpose(&shape)).or_default().push(shape);
    }
    sorted
}

/// A service that does whatever it is asked, and keeps what that was.
struct Served {
    asked: Asked,
    address: SocketAddr,
    _runtime: Runtime,
}

type Asked = Arc<Mutex<Vec<Shape>>>;

impl Served {
    fn start() -> Self {
        let asked = Asked::default();
        let routes = Router::new()
            .route("/health", get(async || "well"))
            .fallback(answer)
            .with_state(Arc::clone(&asked));
        let runtime = runtime();
        let address = serve(&runtime, routes);
        Self {
            asked,
            address,
            _runtime: runtime,
        }
    }

    /// What a check of a suite sends.
    fn asked_by(&self, place: &Place, suite: &str) -> Vec<Shape> {
        let url = format!("http://{}", self.address);
        let ended = place.run(&["check", suite, "--base-url", &url]);
        assert!(!ended.stderr.contains("error: "), "{ended:#?}");
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

async fn answer(
    State(asked): State<Asked>,
    method: Method,
    headers: HeaderMap,
    request: Request,
) -> Json<Value> {
    let names = headers.keys().map(HeaderName::as_str);
    let shape = shape(method.as_str(), request.uri().path(), names);
    asked.lock().unwrap().push(shape);
    let [id, key, token] = ["i", "k", "t"].map(|kind| format!("{kind}-{}", random(16)));
    Json(json!({ "id": id, "key": key, "token": token }))
}

/// What a check would send, in the order in which a run sends it.
fn told(place: &Place, suite: &str) -> Vec<Shape> {
    let dry = [
        "check",
        suite,
        "--dry-run",
        "--format",
        "json",
        "--base-url",
        "http://127.0.0.1:1",
    ];
    let dry: Value = serde_json::from_str(&place.run(&dry).result()).unwrap();
    let nothing = serde_json::Map::new();
    let world = dry["setup"].as_object().unwrap_or(&nothing);
    let mut all = Vec::new();
    world
        .values()
        .for_each(|steps| all.extend(shapes(&steps["setup"])));
    for cell in dry["cells"].as_array().unwrap() {
        // Each endpoint has one cell here.
        let own = &dry["endpoints"][cell["endpoint"].as_str().unwrap()];
        for made in [own, &cell["steps"]] {
            all.extend(shapes(&made["setup"]));
        }
        all.push(shape_of(&cell["request"]));
        all.extend(cell["probes"].as_object().unwrap().values().map(shape_of));
        for made in [&cell["steps"], own] {
            all.extend(shapes(&made["teardown"]));
        }
    }
    let backwards = world.values().rev();
    backwards.for_each(|steps| all.extend(shapes(&steps["teardown"])));
    all
}

fn shapes(requests: &Value) -> Vec<Shape> {
    requests
        .as_array()
        .into_iter()
        .flatten()
        .map(shape_of)
        .collect()
}

fn shape_of(request: &Value) -> Shape {
    let text = |value: &'static str| request[value].as_str().unwrap();
    let headers = request["headers"].as_array().unwrap().iter();
    let names = headers.map(|pair| pair[0].as_str().unwrap());
    shape(text("method"), text("path"), names)
}

/// What a dry run shows of the cells that match, or of the whole world.
fn shown(place: &Place, filter: &str) -> String {
    let dry = ["check", "depot", "--dry-run", "--filter", filter];
    let somewhere = ["--base-url", "http://127.0.0.1:1"];
    place.run(&[&dry[..], &somewhere].concat()).result()
}

/// What is shown below a line, up to the next empty one.
fn below<'t>(text: &'t str, line: &str) -> &'t str {
    let (_, rest) = text.split_once(&format!("\n{line}\n")).unwrap();
    rest.split("\n\n").next().unwrap()
}

#[test]
fn a_dry_run_shows_what_a_run_sends_in_the_same_order_for_each_purpose() {
    let place = depot();
    let (told, sent) = (
        told(&place, "depot"),
        Served::start().asked_by(&place, "depot"),
    );
    let (told, sent) = (by_purpose(told), by_purpose(sent));
    let purposes: Vec<_> = sent.keys().copied().collect();
    assert_eq!(purposes, ["call", "login", "probe", "setup", "teardown"]);
    for (purpose, sent) in &sent {
        assert_eq!(&told[purpose], sent, "{purpose}");
    }
    assert_eq!(told.len(), sent.len());
}

#[test]
fn a_dry_run_removes_an_actor_with_the_credential_that_its_own_setup_gave_it() {
    let text = shown(&depot(), "take/*/owner");
    let owner = "  teardown: DELETE /people/<owner.person_id>\n    x-key: <owner.key>\n";
    assert!(text.contains(owner), "{text}");
}

#[test]
fn a_dry_run_shows_a_login_that_a_setup_needs_before_that_setup() {
    let text = shown(&depot(), "take/*/owner");
    let world = text.split_once("requests for the whole run:\n").unwrap().1;
    assert!(
        world.starts_with("chief\n  setup: POST /sessions\n"),
        "{text}"
    );
}

#[test]
fn a_dry_run_shows_the_logins_of_those_whom_the_world_of_a_cell_asks_about_and_needs() {
    let text = shown(&depot(), "leave/*/owner");
    let cell = below(&text, "leave/a thing/owner");
    let steps = cell.lines().filter(|line| line.starts_with("  setup: "));
    let steps: Vec<&str> = steps.map(|line| &line["  setup: ".len()..]).collect();
    let logins = steps
        .iter()
        .filter(|step| **step == "POST /sessions")
        .count();
    // The keeper for the shelf, and the watcher for the probe; the chief is not made anew.
    assert_eq!(logins, 2, "{cell}");
    assert_eq!(
        steps[steps.len() - 2..],
        ["POST /sessions", "POST /things"],
        "{cell}"
    );
}

#[test]
fn a_dry_run_removes_nothing_that_no_request_has_made() {
    let text = shown(&depot(), "sign/*/signer");
    assert!(text.contains("POST /calls/<target.ticket_id>"), "{text}");
    assert!(!text.contains("DELETE /tickets"), "{text}");
}

#[test]
fn a_dry_run_removes_what_a_call_makes_before_what_was_made_for_it() {
    let text = shown(&depot(), "take/*/owner");
    let cell = below(&text, "take/a thing/owner");
    let removed = cell
        .lines()
        .filter_map(|line| line.strip_prefix("  teardown: "));
    assert_eq!(
        removed.collect::<Vec<_>>(),
        [
            "DELETE /things/<copy.thing_id>",
            "DELETE /things/<target.thing_id>"
        ],
        "{cell}"
    );
}

#[test]
fn where_logins_alone_are_sent_parameters_see_those_of_others_in_both() {
    let world = "\
kinds:
  customer:
    parameters: { tier: none }
    symbols: { customer_id: \"{{ run }}-{{ name }}\" }
entities: {}
actors:
  buyer:
    kind: customer
    with: { tier: gold }
    calls: []
    auth:
      login:
        request: { method: POST, path: /sessions, json: { who: \"{{ actor.customer_id }}\" } }
        capture: { token: $.token }
  visitor:
    kind: customer
    with: { tier: \"{{ buyer.tier | default('no') }}\" }
    auth: { headers: { x-who: \"{{ actor.customer_id }}\" } }
";
    let cart = "request: { method: POST, path: \"/calls/{{ actor.tier }}\" }\ntargets: [the shop]\nprobes:\n  buyer: { request: { method: POST, path: /probes }, auth: { actor: buyer } }\n";
    let place = Place::empty()
        .write("shop/suite.yaml", SUITE)
        .write("shop/world.yaml", world)
        .write("shop/targets.yaml", "targets: { the shop: {} }\n")
        .write("shop/endpoints/cart.yaml", cart);
    let told = told(&place, "shop");
    assert_eq!(told[1].1, "/calls/gold");
    assert_eq!(told, Served::start().asked_by(&place, "shop"));
}
