//! A service that allows whoever has a credential, and refuses everybody else in the words that a test gives it.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::runtime::Runtime;

use super::place::{Ended, Place};
use super::served::{runtime, serve};

/// A media type and a body, by the number of the answer and the item that was asked for.
type Words = Box<dyn Fn(usize, &str) -> (&'static str, String) + Send>;

struct Inside {
    words: Mutex<Words>,
    is_open: AtomicBool,
    said: AtomicUsize,
}

/// The service, with a suite that calls it as somebody it knows and as a guest.
pub(crate) struct Wall {
    inside: Arc<Inside>,
    address: SocketAddr,
    pub(crate) place: Place,
    _runtime: Runtime,
}

const SUITE: &str = "name: wall
snapshots: snapshots
service: { ready: /health, settle_ms: 0 }
variables:
  key: { secret: true, default: \"k-{{ random(24) }}\" }
";

const WORLD: &str = "kinds:
  item:
    symbols:
      item_id: \"{{ random(6) }}-{{ run }}-{{ random(6) }}\"
entities: {}
actors:
  keeper: { auth: { bearer: \"{{ vars.key }}\" } }
  guest: {}
";

impl Wall {
    /// With a suite that reads refusals like this.
    pub(crate) fn new(refusal: &str) -> Self {
        let inside = Arc::new(Inside {
            words: Mutex::new(Box::new(|_, _| (JSON, String::new()))),
            is_open: AtomicBool::new(false),
            said: AtomicUsize::new(0),
        });
        let routes = Router::new()
            .route("/health", get(async || "well"))
            .route("/items/{id}", get(answer))
            .with_state(Arc::clone(&inside));
        let runtime = runtime();
        let endpoint =
            "request: { method: GET, path: \"/items/{{ target.item_id }}\" }\ntargets: [an item]\n";
        let place = Place::empty()
            .write("wall/suite.yaml", &format!("{SUITE}{refusal}"))
            .write("wall/world.yaml", WORLD)
            .write(
                "wall/targets.yaml",
                "targets: { an item: { kind: item } }\n",
            )
            .write("wall/endpoints/read.yaml", endpoint);
        Self {
            inside,
            address: serve(&runtime, routes),
            place,
            _runtime: runtime,
        }
    }

    /// Refuses in these words from now on.
    pub(crate) fn says(
        &self,
        words: impl Fn(usize, &str) -> (&'static str, String) + Send + 'static,
    ) -> &Self {
        *self.inside.words.lock().unwrap() = Box::new(words);
        self
    }

    /// Refuses the guest without a word from now on, and says the same to whoever has a credential.
    pub(crate) fn opens(self) -> Self {
        self.inside.is_open.store(true, Ordering::SeqCst);
        self
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        let url = format!("http://{}", self.address);
        self.place.run(&[arguments, &["--base-url", &url]].concat())
    }

    /// The record of the endpoint after what the service says now was accepted.
    pub(crate) fn recorded(&self) -> String {
        self.run(&["record", "wall"]).result();
        self.snapshot()
    }

    pub(crate) fn snapshot(&self) -> String {
        std::fs::read_to_string(self.place.path("wall/snapshots/read.snap")).unwrap()
    }

    /// The kinds of drift that a check tells.
    pub(crate) fn drift(&self) -> Vec<String> {
        let ended = self.run(&["check", "wall", "--format", "json"]);
        let report: serde_json::Value = serde_json::from_str(&ended.stdout).expect(&ended.stderr);
        let drifts = report["endpoints"][0]["drifts"].as_array().unwrap();
        let kinds = drifts.iter().map(|drift| drift["kind"].as_str().unwrap());
        kinds.map(str::to_owned).collect()
    }
}

async fn answer(
    State(inside): State<Arc<Inside>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    let is_known = headers.contains_key("authorization");
    let is_open = inside.is_open.load(Ordering::SeqCst);
    let status = match (is_known, is_open) {
        (true, false) => return "{}".into_response(),
        (false, true) => return (StatusCode::FORBIDDEN, "no").into_response(),
        (true, true) => StatusCode::OK,
        (false, false) => StatusCode::FORBIDDEN,
    };
    let number = inside.said.fetch_add(1, Ordering::SeqCst);
    let (media_type, body) = (inside.words.lock().unwrap())(number, &id);
    (status, [("content-type", media_type)], body).into_response()
}

pub(crate) const JSON: &str = "application/json";
pub(crate) const HTML: &str = "text/html; charset=utf-8";
pub(crate) const TEXT: &str = "text/plain";
