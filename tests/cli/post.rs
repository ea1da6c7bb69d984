//! A service of which each path answers in a way of its own, and in another one once its hole is open.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use authz_pin::template::random;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::place::{Ended, Place, checks};
use super::served::{runtime, serve};

const SUITE: &str = "
name: post
snapshots: snapshots
service: { ready: /health, settle_ms: 0 }
refusal: { message: $.error }
";

const WORLD: &str = r#"
kinds:
  person:
    parameters: { tenant: null }
    secrets: { token: "{{ random(24) }}" }
    symbols: { person_id: "{{ uuid() }}", number: "{{ digits(6) }}", mail: "Ann+{{ random(8) }}@example.org" }
    setup:
      - request:
          method: POST
          path: /people
          json: { token: "{{ token }}", person_id: "{{ person_id }}", number: "{{ number }}", mail: "{{ mail }}", tenant: "{{ tenant }}" }
  item:
    parameters: { token: null }
    symbols: { item_id: "{{ random(20) }}" }
    setup:
      - request: { method: POST, path: "/items/{{ item_id }}" }
        auth: { bearer: "{{ token }}" }
entities: {}
actors:
  owner: { kind: person, tenant: north, with: { tenant: north }, auth: { bearer: "{{ actor.token }}" } }
  stranger: { kind: person, tenant: south, with: { tenant: south }, auth: { bearer: "{{ actor.token }}" } }
  anonymous: {}
"#;

const TARGETS: &str = r#"
targets:
  an item: { kind: item, tenant: north, with: { token: "{{ owner.token }}" } }
"#;

/// What one path answers, and how its record differs once the hole is open: of each drift the kind, the actor, and both sides.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    request: &'static str,
    more: &'static str,
    asks_anybody: bool,
    answer: fn(&Call) -> Answer,
    pub(crate) drift: &'static [&'static str],
}

impl Row {
    pub(crate) const fn get(
        name: &'static str,
        answer: fn(&Call) -> Answer,
        drift: &'static [&'static str],
    ) -> Self {
        Self {
            name,
            request: "method: GET",
            more: "",
            asks_anybody: false,
            answer,
            drift,
        }
    }

    /// With what else the request is.
    pub(crate) const fn asked(self, request: &'static str) -> Self {
        Self { request, ..self }
    }

    /// With what else the endpoint's file says.
    pub(crate) const fn with(self, more: &'static str) -> Self {
        Self { more, ..self }
    }

    /// The path knows what to say to somebody without a credential.
    pub(crate) const fn asking_anybody(self) -> Self {
        Self {
            asks_anybody: true,
            ..self
        }
    }

    fn endpoint(&self) -> String {
        let Self {
            name,
            request,
            more,
            ..
        } = self;
        let path = format!("/rows/{name}/{{{{ target.item_id }}}}");
        format!("request: {{ {request}, path: \"{path}\" }}\ntargets: [an item]\n{more}\n")
    }
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Person {
    pub(crate) token: String,
    #[serde(rename = "person_id")]
    pub(crate) id: String,
    pub(crate) number: String,
    pub(crate) mail: String,
    tenant: String,
}

/// Who calls upon whose item.
pub(crate) struct Call {
    is_open: bool,
    pub(crate) caller: Option<Person>,
    pub(crate) owner: Person,
}

impl Call {
    /// Whether the caller is of the owner's tenant.
    pub(crate) fn is_own(&self) -> bool {
        let caller = self.caller.as_ref();
        caller.is_some_and(|caller| caller.tenant == self.owner.tenant)
    }

    /// The second answer for the owner, and with the hole open for the stranger.
    pub(crate) fn refused_or<T>(&self, refused: T, allowed: T) -> T {
        if self.is_own() || self.is_open && self.caller.is_some() {
            allowed
        } else {
            refused
        }
    }

    /// The second one for the stranger alone, with the hole open.
    pub(crate) fn closed_or<T>(&self, closed: T, open: T) -> T {
        if self.is_open && !self.is_own() {
            open
        } else {
            closed
        }
    }

    /// Who is shown: the caller, and the owner once the hole is open.
    pub(crate) fn shown(&self) -> &Person {
        let caller = self.caller.as_ref().filter(|_| !self.is_open);
        caller.unwrap_or(&self.owner)
    }
}

/// An answer that is not sent yet.
pub(crate) struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Answer {
    pub(crate) fn new(media_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status: 200,
            headers: vec![("Content-Type", media_type.to_owned())],
            body: body.into(),
        }
    }

    pub(crate) fn empty(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    pub(crate) fn json(body: &Value) -> Self {
        Self::new("application/json", body.to_string())
    }

    pub(crate) fn page(body: &str) -> Self {
        Self::new("text/html; charset=utf-8", body)
    }

    pub(crate) fn xml(body: &str) -> Self {
        Self::new("text/xml", body)
    }

    pub(crate) fn text(body: &str) -> Self {
        Self::new("text/plain", body)
    }

    pub(crate) fn found(to: &str) -> Self {
        Self::empty(302).header("Location", to)
    }

    /// A refusal with a status of its own.
    pub(crate) fn no() -> Self {
        Self::json(&json!({"error": "no"})).status(403)
    }

    pub(crate) fn status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut response = Response::builder().status(self.status);
        for (name, value) in self.headers {
            response = response.header(name, value);
        }
        response.body(Body::from(self.body)).unwrap()
    }
}

pub(crate) fn done() -> Answer {
    Answer::json(&json!({}))
}

/// A refusal for the stranger; the owner is let in whatever the hole is.
pub(crate) fn refused(call: &Call, refusal: Answer) -> Answer {
    if call.is_own() { done() } else { refusal }
}

/// A token that says this of somebody.
pub(crate) fn jwt(claims: &Value) -> String {
    let [header, claims] = [json!({"alg": "none"}), claims.clone()]
        .map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
    format!("{header}.{claims}.{}", random(40))
}

struct Inside {
    rows: &'static [Row],
    is_open: AtomicBool,
    /// By their token.
    people: Mutex<BTreeMap<String, Person>>,
    /// The owner's token, by the item.
    items: Mutex<BTreeMap<String, String>>,
}

/// The service, with a suite of an endpoint for each row.
pub(crate) struct Post {
    inside: Arc<Inside>,
    address: SocketAddr,
    place: Place,
    _runtime: Runtime,
}

impl Post {
    /// With these lines in the suite.
    pub(crate) fn new(suite: &str, rows: &'static [Row]) -> Self {
        let inside = Arc::new(Inside {
            rows,
            is_open: AtomicBool::new(false),
            people: Mutex::default(),
            items: Mutex::default(),
        });
        let routes = Router::new()
            .route("/health", get(async || "well"))
            .route("/people", post(add_person))
            .route("/items/{id}", post(add_item))
            .route("/rows/{name}/{id}", any(answer))
            .with_state(Arc::clone(&inside));
        let runtime = runtime();
        let place = Place::empty()
            .write("post/suite.yaml", &format!("{SUITE}{suite}"))
            .write("post/world.yaml", WORLD)
            .write("post/targets.yaml", TARGETS);
        let place = rows.iter().fold(place, |place, row| {
            let file = format!("post/endpoints/{}.yaml", row.name);
            place.write(&file, &row.endpoint())
        });
        Self {
            inside,
            address: serve(&runtime, routes),
            place,
            _runtime: runtime,
        }
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        let url = format!("http://{}", self.address);
        self.place.run(&[arguments, &["--base-url", &url]].concat())
    }

    /// Records every row.
    pub(crate) fn record(&self) -> &Self {
        self.run(&["record", "post", "--reason", "so it is"])
            .result();
        self
    }

    pub(crate) fn snapshot(&self, name: &str) -> String {
        let file = self.place.path(&format!("post/snapshots/{name}.snap"));
        std::fs::read_to_string(file).unwrap()
    }

    pub(crate) fn open(&self) -> &Self {
        self.inside.is_open.store(true, Ordering::SeqCst);
        self
    }

    /// That what is recorded is as pinned with the hole closed, and differs as each row says with the hole open.
    pub(crate) fn opens(&self) -> &Self {
        for _ in 0..checks() {
            self.run(&["check", "post"]).result();
        }
        let ended = self.open().run(&["check", "post", "--format", "json"]);
        assert_eq!(ended.code, Some(1), "{ended:#?}");
        let report: Value = serde_json::from_str(&ended.stdout).unwrap();
        let told = told(&report);
        let others: Vec<_> = self
            .inside
            .rows
            .iter()
            .filter(|row| told[row.name] != row.drift)
            .map(|row| format!("{}: {:#?}", row.name, told[row.name]))
            .collect();
        assert!(others.is_empty(), "{}", others.join("\n"));
        self
    }

    /// That what differs is not accepted without a reason.
    pub(crate) fn takes_a_reason(&self) {
        let error = self.place.run(&["accept", "post"]).error(2);
        for row in self.inside.rows {
            let name = format!("\n  {}", row.name);
            assert!(error.contains(&name), "{} in {error}", row.name);
        }
    }
}

/// A text without its middle, if it is long.
fn short(text: &str) -> String {
    let all: Vec<char> = text.chars().collect();
    if all.len() <= 90 {
        return text.to_owned();
    }
    let (start, end) = (&all[..40], &all[all.len() - 30..]);
    format!(
        "{}...{}",
        start.iter().collect::<String>(),
        end.iter().collect::<String>()
    )
}

/// One drift, with the rule that had told the refusal where it did not stay one.
fn line(endpoint: &Value, drift: &Value) -> String {
    let text = |key: &str| drift[key].as_str().unwrap_or_default();
    let [kind, actor, was, is] = ["kind", "actor", "was", "is"].map(text);
    let before = &endpoint["before"]["cells"][text("target")][actor]["by"];
    let by = before.as_str().filter(|_| kind == "widened");
    let by = by.map(|by| format!(" by {by}")).unwrap_or_default();
    format!("{kind} {actor}{by}: {} -> {}", short(was), short(is))
}

/// How each record differs.
fn told(report: &Value) -> BTreeMap<&str, Vec<String>> {
    let endpoints = report["endpoints"].as_array().unwrap().iter();
    let told = endpoints.map(|endpoint| {
        let drifts = endpoint["drifts"].as_array().unwrap().iter();
        (
            endpoint["name"].as_str().unwrap(),
            drifts.map(|drift| line(endpoint, drift)).collect(),
        )
    });
    told.collect()
}

fn token(headers: &HeaderMap) -> Option<&str> {
    headers
        .get("authorization")?
        .to_str()
        .ok()?
        .strip_prefix("Bearer ")
}

async fn add_person(State(inside): State<Arc<Inside>>, Json(person): Json<Person>) -> Json<Value> {
    let mut people = inside.people.lock().unwrap();
    people.insert(person.token.clone(), person);
    Json(json!({}))
}

async fn add_item(
    State(inside): State<Arc<Inside>>,
    Path(item): Path<String>,
    headers: HeaderMap,
) -> Json<Value> {
    let owner = token(&headers).unwrap().to_owned();
    inside.items.lock().unwrap().insert(item, owner);
    Json(json!({}))
}

async fn answer(
    State(inside): State<Arc<Inside>>,
    Path((name, item)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let people = inside.people.lock().unwrap();
    let caller = token(&headers).and_then(|token| people.get(token).cloned());
    let row = inside.rows.iter().find(|row| row.name == name).unwrap();
    if caller.is_none() && !row.asks_anybody {
        let body = Json(json!({"error": "who are you"}));
        return (StatusCode::UNAUTHORIZED, body).into_response();
    }
    let owner = people[&inside.items.lock().unwrap()[&item]].clone();
    let is_open = inside.is_open.load(Ordering::SeqCst);
    (row.answer)(&Call {
        is_open,
        caller,
        owner,
    })
    .into_response()
}
