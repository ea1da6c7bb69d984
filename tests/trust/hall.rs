//! A service of notes that knows two callers by their tokens or by sessions that they open, and the suite that sweeps it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::place::{Ended, Place};
use super::served::{runtime, serve};

/// How the service behaves beside what it always does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Plain,
    /// A call of `/logout` ends the credential that it has.
    LogsOut,
    /// The same, and it is refused with 403 from then on.
    Expires,
    /// A session is good for one call.
    Rotates,
    /// Bob's login is answered like any other, and opens no session.
    RefusesBobsLogin,
    /// The same, and who is not known is sent away to log in.
    SendsAway,
    /// The notes of the path `/notes` are refused to alice like to nobody.
    RefusesAlice,
    /// Every call is allowed, whoever makes it.
    AllowsEverybody,
    /// A caller who has a call under way is answered 409.
    OneAtATime,
    /// Each of the first calls of `/copies` is answered 503.
    Hiccups,
    /// Every call of `/copies` is answered 503.
    BreaksCopies,
    /// Every call is answered 503 but those that ask whether it is ready.
    IsOut,
    /// Each of the first calls of `/copies` is answered as if its caller were nobody.
    LosesItsDatabase,
    /// The first call of `/copies/free` by nobody is, in other words than the later ones, with the same status.
    LosesItsTokens,
    /// More than some calls a second are answered 429.
    Limits,
    /// Every call of `/copies` is answered 429.
    AlwaysLimits,
    /// The list of notes has a next page for ever.
    Endless,
}

#[derive(Default)]
struct Memory {
    sessions: BTreeMap<String, &'static str>,
    ended: BTreeSet<String>,
    busy: BTreeSet<&'static str>,
    hiccups: usize,
    calls: Vec<std::time::Instant>,
}

struct Hall {
    mode: Mutex<Mode>,
    memory: Mutex<Memory>,
}

/// The service on a port of its own.
pub(crate) struct Served {
    hall: Arc<Hall>,
    address: SocketAddr,
    _runtime: Runtime,
}

/// How many calls a hiccup takes.
const HICCUPS: usize = 6;

/// How many calls a second the service takes where it limits them.
const A_SECOND: usize = 20;

impl Served {
    pub(crate) fn start(mode: Mode) -> Self {
        let runtime = runtime();
        let hall = Arc::new(Hall {
            mode: Mutex::new(mode),
            memory: Mutex::default(),
        });
        let routes = Router::new().fallback(answer).with_state(Arc::clone(&hall));
        let address = serve(&runtime, routes);
        Self {
            hall,
            address,
            _runtime: runtime,
        }
    }

    /// Lets it behave otherwise, and forget what it knows of earlier calls.
    pub(crate) fn turn(&self, mode: Mode) {
        *self.hall.mode.lock().unwrap() = mode;
        *self.hall.memory.lock().unwrap() = Memory::default();
    }

    pub(crate) fn calls(&self) -> usize {
        self.hall.memory.lock().unwrap().calls.len()
    }

    /// Runs a command on a suite with tokens that work.
    pub(crate) fn run(&self, place: &Place, arguments: &[&str]) -> Ended {
        self.run_as(place, "t-alice", "t-bob", arguments)
    }

    pub(crate) fn run_as(
        &self,
        place: &Place,
        alice: &str,
        bob: &str,
        arguments: &[&str],
    ) -> Ended {
        let url = format!("http://{}", self.address);
        let arguments = [
            &arguments[..1],
            &["hall", "--base-url", &url],
            &arguments[1..],
        ]
        .concat();
        let tokens = [("AUTHZ_PIN_VAR_ALICE", alice), ("AUTHZ_PIN_VAR_BOB", bob)];
        place.run_with(&tokens, &arguments)
    }
}

fn bearer(headers: &HeaderMap) -> &str {
    let value = headers.get(header::AUTHORIZATION);
    let value = value.and_then(|value| value.to_str().ok());
    value
        .and_then(|value| value.strip_prefix("Bearer "))
        .unwrap_or_default()
}

fn error(status: u16, text: &str) -> Response {
    let status = StatusCode::from_u16(status).unwrap();
    (status, axum::Json(json!({ "error": text }))).into_response()
}

fn ok(body: Value) -> Response {
    axum::Json(body).into_response()
}

async fn answer(State(hall): State<Arc<Hall>>, request: Request) -> Response {
    let mode = *hall.mode.lock().unwrap();
    let path = request.uri().path().to_owned();
    if path == "/health" {
        return ok(json!({}));
    }
    let token = bearer(request.headers()).to_owned();
    if let Some(answer) = hall.disturbed(mode, &path, &token) {
        return answer;
    }
    let Some(caller) = hall.caller(mode, &token, &path) else {
        if mode == Mode::Expires && hall.has_ended(&token) {
            return error(403, "your session is over");
        }
        if mode == Mode::SendsAway {
            return (StatusCode::FOUND, [(header::LOCATION, "/login")]).into_response();
        }
        return error(401, "who are you?");
    };
    if mode == Mode::OneAtATime && caller != "nobody" {
        if !hall.memory.lock().unwrap().busy.insert(caller) {
            return error(409, "you have a call under way");
        }
        tokio::time::sleep(Duration::from_millis(60)).await;
        hall.memory.lock().unwrap().busy.remove(caller);
    }
    hall.allowed(mode, request.method(), &path, caller, &token)
}

impl Hall {
    /// What is answered before anybody asks who calls.
    fn disturbed(&self, mode: Mode, path: &str, token: &str) -> Option<Response> {
        let mut memory = self.memory.lock().unwrap();
        let now = std::time::Instant::now();
        memory.calls.push(now);
        let recent = memory
            .calls
            .iter()
            .filter(|call| now - **call < Duration::from_secs(1));
        if mode == Mode::Limits && recent.count() > A_SECOND {
            let slow_down = [("retry-after", "1")];
            return Some((StatusCode::TOO_MANY_REQUESTS, slow_down, "{}").into_response());
        }
        if mode == Mode::IsOut {
            return Some(error(503, "no"));
        }
        if !path.starts_with("/copies") {
            return None;
        }
        let is_of_nobody = token.is_empty() && path == "/copies/free";
        if mode == Mode::LosesItsTokens && !is_of_nobody {
            return None;
        }
        memory.hiccups += 1;
        let is_first = memory.hiccups <= HICCUPS;
        match mode {
            Mode::LosesItsTokens if memory.hiccups == 1 => {
                Some(error(401, "cannot reach the database"))
            }
            Mode::AlwaysLimits => Some(error(429, "slow down")),
            Mode::BreaksCopies => Some(error(503, "cannot copy")),
            Mode::Hiccups if is_first => Some(error(503, "wait")),
            Mode::LosesItsDatabase if is_first => Some(error(401, "cannot reach the database")),
            _ => None,
        }
    }

    fn has_ended(&self, token: &str) -> bool {
        self.memory.lock().unwrap().ended.contains(token)
    }

    fn caller(&self, mode: Mode, token: &str, path: &str) -> Option<&'static str> {
        let mut memory = self.memory.lock().unwrap();
        let by_token = match token {
            "t-alice" => Some("alice"),
            "t-bob" => Some("bob"),
            _ => None,
        };
        let known = match mode {
            Mode::Rotates if by_token.is_none() => memory.sessions.remove(token),
            _ => by_token.or_else(|| memory.sessions.get(token).copied()),
        };
        match mode {
            Mode::AllowsEverybody => Some(known.unwrap_or("nobody")),
            Mode::RefusesAlice if path.starts_with("/notes") => {
                known.filter(|caller| *caller != "alice")
            }
            _ => known.filter(|_| !memory.ended.contains(token)),
        }
    }

    fn allowed(
        &self,
        mode: Mode,
        method: &Method,
        path: &str,
        caller: &'static str,
        token: &str,
    ) -> Response {
        let mut memory = self.memory.lock().unwrap();
        match (method.as_str(), path) {
            ("POST", "/login") => {
                let session = format!("s-{}", memory.calls.len());
                let is_refused = matches!(mode, Mode::RefusesBobsLogin | Mode::SendsAway);
                if !is_refused || caller != "bob" {
                    memory.sessions.insert(session.clone(), caller);
                }
                ok(json!({ "session": session }))
            }
            ("POST", "/logout") => {
                if matches!(mode, Mode::LogsOut | Mode::Expires) {
                    memory.ended.insert(token.to_owned());
                }
                StatusCode::NO_CONTENT.into_response()
            }
            ("GET", "/list") if mode == Mode::Endless => {
                ok(json!({ "items": [1], "next": "more" }))
            }
            ("GET", "/list") => ok(json!({ "items": [1] })),
            ("GET", "/admin") => error(403, "not even you"),
            // Alice's notes are not bob's.
            (_, path)
                if path.ends_with("/hers") && caller == "bob" && mode != Mode::AllowsEverybody =>
            {
                error(403, "it is hers")
            }
            (_, path) => ok(json!({ "path": path })),
        }
    }
}

const SUITE: &str = "name: hall
snapshots: snapshots
service: { ready: /health }
variables:
  alice: { secret: true }
  bob: { secret: true }
refusal: { message: $.error }
";

/// Two actors who are known, each with this text of its own, and two who are not.
fn actors(own: &str) -> String {
    let known = ["alice", "bob"].map(|name| format!("  {name}:\n{}", own.replace("NAME", name)));
    let [alice, bob] = known;
    format!(
        "actors:\n{alice}{bob}  anonymous: {{}}\n  unknown:\n    auth: {{ bearer: '{{{{ random(12) }}}}' }}\n"
    )
}

const TOKEN: &str = "    auth: { bearer: '{{ vars.NAME }}' }
";

const SESSION: &str = "    auth:
      login:
        request: { method: POST, path: /login }
        auth: { bearer: '{{ vars.NAME }}' }
        capture: { session: $.session }
      bearer: '{{ login.session }}'
";

/// A request makes its session, as it would make the actor.
const MADE: &str = "    kind: user
    with: { token: '{{ vars.NAME }}' }
    auth: { bearer: '{{ actor.session }}' }
";

const USER: &str = "kinds:
  user:
    parameters: { token: null }
    secrets: { session: null }
    setup:
      - request: { method: POST, path: /login }
        auth: { bearer: '{{ token }}' }
        capture: { session: $.session }
";

const TARGETS: &str = "targets:
  hers: { with: { name: hers } }
  theirs: { with: { name: theirs } }
  free: { with: { name: free } }
";

/// An endpoint: its file's name and its request.
pub(crate) type Endpoint = (&'static str, &'static str);

pub(crate) const NOTES: Endpoint = ("notes", "{ method: GET, path: '/notes/{{ target.name }}' }");
pub(crate) const MORE: Endpoint = (
    "more",
    "{ method: GET, path: '/notes/more/{{ target.name }}' }",
);
pub(crate) const COPIES: Endpoint = (
    "copies",
    "{ method: GET, path: '/copies/{{ target.name }}' }",
);
pub(crate) const EDIT: Endpoint = ("edit", "{ method: PUT, path: '/copies/{{ target.name }}' }");
/// Its name comes first, and so do its calls.
pub(crate) const LOGOUT: Endpoint = ("auth-logout", "{ method: POST, path: /logout }");
pub(crate) const LIST: Endpoint = (
    "list",
    "{ method: GET, path: /list }\npages: { query: after, next: $.next }",
);
/// The same before all others.
pub(crate) const ALL: Endpoint = ("all", LIST.1);
pub(crate) const ADMIN: Endpoint = ("admin", "{ method: GET, path: /admin }");

/// A suite whose actors have tokens.
pub(crate) fn with_tokens(endpoints: &[Endpoint]) -> Place {
    suite("kinds: {}\n", TOKEN, endpoints)
}

/// A suite whose actors log in.
pub(crate) fn with_sessions(endpoints: &[Endpoint]) -> Place {
    suite("kinds: {}\n", SESSION, endpoints)
}

/// A suite whose actors are made by requests.
pub(crate) fn with_made(endpoints: &[Endpoint]) -> Place {
    suite(USER, MADE, endpoints)
}

fn suite(kinds: &str, own: &str, endpoints: &[Endpoint]) -> Place {
    let world = format!("{kinds}entities: {{}}\n{}", actors(own));
    let place = Place::empty()
        .write("hall/suite.yaml", SUITE)
        .write("hall/world.yaml", &world)
        .write("hall/targets.yaml", TARGETS);
    endpoints.iter().fold(place, |place, (name, request)| {
        let targets = if *name == "auth-logout" {
            "[free]"
        } else {
            "[hers, theirs, free]"
        };
        let text = format!("request: {request}\ntargets: {targets}\n");
        place.write(&format!("hall/endpoints/{name}.yaml"), &text)
    })
}

/// A service that does nothing unusual, and what was recorded of it.
pub(crate) fn recorded(place: Place) -> (Served, Place) {
    let service = Served::start(Mode::Plain);
    service.run(&place, &["record"]).result();
    (service, place)
}

/// The record that was accepted.
pub(crate) fn record(place: &Place, name: &str) -> String {
    let text = fs::read_to_string(place.path(&format!("hall/snapshots/{name}.snap"))).unwrap();
    text.split_once("\n---\n").unwrap().1.to_owned()
}

/// The names of the files of snapshots, accepted and proposed.
pub(crate) fn snapshots(place: &Place) -> Vec<String> {
    let Ok(files) = fs::read_dir(place.path("hall/snapshots")) else {
        return Vec::new();
    };
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}
