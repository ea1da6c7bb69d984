//! A service that says something of access in its headers, and more than it should once its hole is open.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use authz_pin::template::random;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::{any, delete, get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::served::{runtime, serve};

/// What no record may hold: the service says it in every answer of one path, and no suite names it.
pub(crate) const SECRET: &str = "9f2c4b7ad01e55f8b3c6";

#[derive(Default)]
struct Heads {
    hole: AtomicBool,
    /// Users by their token: the id and the tenant.
    users: Mutex<BTreeMap<String, (String, String)>>,
    /// Whose an item is.
    items: Mutex<BTreeMap<String, String>>,
}

pub(crate) struct Served {
    heads: Arc<Heads>,
    address: SocketAddr,
    _runtime: Runtime,
}

impl Served {
    pub(crate) fn start() -> Self {
        let heads = Arc::<Heads>::default();
        let routes = Router::new()
            .route("/health", get(async || "ok"))
            .route("/users", post(add_user))
            .route("/items", post(add_item))
            .route("/users/{id}", delete(async || "gone"))
            .route("/items/{id}", delete(async || "gone"))
            .route("/cases/{case}/{id}", any(case))
            .with_state(Arc::clone(&heads));
        let runtime = runtime();
        let address = serve(&runtime, routes);
        Self {
            heads,
            address,
            _runtime: runtime,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn open_hole(&self) {
        self.heads.hole.store(true, Ordering::SeqCst);
    }
}

fn token(headers: &HeaderMap) -> String {
    let bearer = headers.get("authorization");
    let bearer = bearer.and_then(|it| it.to_str().ok()?.strip_prefix("Bearer "));
    bearer.unwrap_or_default().to_owned()
}

async fn add_user(State(heads): State<Arc<Heads>>, Json(sent): Json<Value>) -> Json<Value> {
    let (id, token) = (random(20), random(24));
    let tenant = sent["tenant"].as_str().unwrap().to_owned();
    let mut users = heads.users.lock().unwrap();
    users.insert(token.clone(), (id.clone(), tenant));
    Json(json!({"id": id, "token": token}))
}

async fn add_item(State(heads): State<Arc<Heads>>, headers: HeaderMap) -> Json<Value> {
    let id = random(20);
    let mut items = heads.items.lock().unwrap();
    items.insert(id.clone(), token(&headers));
    Json(json!({"id": id}))
}

/// Who calls upon whose item.
struct Call {
    is_open: bool,
    item: String,
    /// The caller's token and id, if the service knows it.
    caller: Option<(String, String)>,
    is_of_tenant: bool,
    owner: (String, String),
    /// How many users there have been: the first sweep makes three.
    users: usize,
}

async fn case(
    State(heads): State<Arc<Heads>>,
    Path((case, item)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let users = heads.users.lock().unwrap();
    let owner = heads.items.lock().unwrap()[&item].clone();
    let own = token(&headers);
    let (owner_id, tenant) = users[&owner].clone();
    let caller = users.get(&own);
    let call = Call {
        is_open: heads.hole.load(Ordering::SeqCst),
        item,
        is_of_tenant: caller.is_some_and(|(_, other)| *other == tenant),
        caller: caller.map(|(id, _)| (own, id.clone())),
        owner: (owner, owner_id),
        users: users.len(),
    };
    let (status, headers, body) = call.answer(&case);
    let mut response = Response::builder().status(status);
    // What is another thing each time.
    response = response
        .header("X-Request-Id", random(16))
        .header("Server-Timing", format!("db;dur={}", random(2)));
    for (name, value) in headers {
        response = response.header(name, value);
    }
    response.body(Body::from(body)).unwrap()
}

type Answer = (StatusCode, Vec<(&'static str, String)>, String);

const JSON: (&str, &str) = ("Content-Type", "application/json");

fn headers(pairs: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
    pairs
        .iter()
        .map(|(name, value)| (*name, (*value).to_owned()))
        .collect()
}

fn found(to: &str, body: &str) -> Answer {
    let body = body.to_owned();
    (StatusCode::FOUND, headers(&[("Location", to)]), body)
}

impl Call {
    /// The first text with the hole closed, the other one with it open.
    fn either<'t>(&self, closed: &'t str, open: &'t str) -> &'t str {
        if self.is_open { open } else { closed }
    }

    fn answer(&self, case: &str) -> Answer {
        match case {
            "unsteady" if self.users > 3 => Self::allowed(&[], "{}"),
            "unsteady" => Self::allowed(&[("X-Shard", "1"), ("Set-Cookie", "lb=1")], "{}"),
            _ if case.starts_with("redirect-") => self.redirect(case),
            "leak-refused" | "challenge" | "challenges" | "realm" | "allow" | "media-type" => {
                self.refusal(case)
            }
            _ => self.success(case),
        }
    }

    /// What the owner's tenant is allowed, others are sent away from.
    fn redirect(&self, case: &str) -> Answer {
        let page = "<html><body>Found. Redirecting to <a href=\"/in\">/in</a></body></html>";
        match case {
            "redirect-flash" => {
                let said = self.is_of_tenant || self.is_open && self.caller.is_some();
                let state = random(24);
                let said = if said { "saved" } else { "denied" };
                found(&format!("/list?state={state}&flash={said}"), "")
            }
            _ if self.is_of_tenant => Self::allowed(&[], "{\"iban\": 1}"),
            "redirect-data" => found("/", self.either("", "{\"iban\": 1}")),
            "redirect-page" => found("/in", self.either(page, "<p>Balance: 17</p>")),
            "redirect-elsewhere" => found(self.either("/in", "https://elsewhere.example/in"), ""),
            _ => found(self.either("/#/denied", "/#/home"), ""),
        }
    }

    fn allowed(more: &[(&'static str, &str)], body: &str) -> Answer {
        let mut all = headers(more);
        all.push((JSON.0, JSON.1.to_owned()));
        (StatusCode::OK, all, body.to_owned())
    }

    fn refusal(&self, case: &str) -> Answer {
        if self.is_of_tenant {
            return Self::allowed(&[], "{\"page\": 1}");
        }
        let is_known = self.caller.is_some();
        let status = if is_known {
            StatusCode::FORBIDDEN
        } else {
            StatusCode::UNAUTHORIZED
        };
        let unauthorized = |challenge: &str| {
            let challenge = headers(&[("WWW-Authenticate", challenge)]);
            (StatusCode::UNAUTHORIZED, challenge, String::new())
        };
        let (owner_token, owner_id) = &self.owner;
        match case {
            "challenge" if is_known => unauthorized(self.either(
                "Bearer error=\"insufficient_scope\"",
                "Bearer error=\"invalid_token\"",
            )),
            "challenge" => unauthorized("Bearer"),
            "challenges" => unauthorized(&format!(
                "Digest nonce=\"{}\", realm=\"a, b\", {}",
                random(20),
                self.either("Bearer scope=\"read\"", "Basic realm=\"a, b\"")
            )),
            "realm" => unauthorized(&format!(
                "Bearer realm=\"{}\"",
                self.either("items", owner_id)
            )),
            "allow" => {
                let allow = self.either("GET, HEAD", "DELETE, HEAD, GET");
                let allow = headers(&[("Allow", allow)]);
                (StatusCode::METHOD_NOT_ALLOWED, allow, String::new())
            }
            "media-type" => {
                let media = self.either("application/problem+json", "text/html; charset=UTF-8");
                let media = headers(&[("Content-Type", media)]);
                (status, media, "{\"error\": \"no\"}".to_owned())
            }
            _ if is_known && self.is_open => {
                let cookie = format!("session={owner_token}");
                let leak = headers(&[("X-Owner", owner_id), ("Set-Cookie", &cookie)]);
                (status, leak, "{\"error\": \"no\"}".to_owned())
            }
            _ => (status, headers(&[JSON]), "{\"error\": \"no\"}".to_owned()),
        }
    }

    fn success(&self, case: &str) -> Answer {
        let Some((own_token, own_id)) = &self.caller else {
            let body = "{\"error\": \"who are you\"}".to_owned();
            return (StatusCode::UNAUTHORIZED, headers(&[JSON]), body);
        };
        let (owner_token, owner_id) = &self.owner;
        let created = format!("/items/{}", self.either(&random(12), &self.item));
        match case {
            "created" => {
                let location = headers(&[("Location", &created)]);
                (StatusCode::CREATED, location, String::new())
            }
            "others-cookie" => {
                let token = self.either(own_token, owner_token);
                let cookie = format!("session={token}; HttpOnly");
                Self::allowed(&[("Set-Cookie", &cookie)], "{}")
            }
            "cookie-flags" => {
                let flags =
                    self.either("; HttpOnly; Secure; SameSite=Lax", "; Domain=.example.org");
                let cookie = format!("sid={}; Path=/; Max-Age=60{flags}", random(20));
                Self::allowed(&[("Set-Cookie", &cookie)], "{}")
            }
            "etag" => {
                let tag = format!("\"v-{}\"", self.either(own_id, owner_id));
                Self::allowed(&[("ETag", &tag)], "{}")
            }
            "link" => {
                let after = self.either(own_id, owner_id);
                let link = format!("</cases?after={after}>; rel=\"next\", </cases>; rel=first");
                Self::allowed(&[("Link", &link)], "{}")
            }
            "cors" => {
                let origin = self.either("https://app.example.org", "https://evil.example.org");
                let pairs = [
                    ("Access-Control-Allow-Origin", origin),
                    ("Access-Control-Allow-Credentials", "true"),
                ];
                Self::allowed(&pairs, "{}")
            }
            "cache" => {
                let cache = self.either("private, no-store", "public, max-age=600");
                let vary = self.either("Cookie, Accept", "Accept");
                Self::allowed(&[("Cache-Control", cache), ("Vary", vary)], "{}")
            }
            "refresh" => {
                let to = format!("1; url={}", self.either("/in?to=denied", "/in?to=saved"));
                Self::allowed(&[("Refresh", &to)], "{}")
            }
            _ => Self::allowed(
                &[
                    ("Set-Cookie", &format!("{SECRET}={SECRET}; Path=/{SECRET}")),
                    ("Location", &format!("/{SECRET}?{SECRET}={SECRET}#{SECRET}")),
                    (
                        "WWW-Authenticate",
                        &format!("{SECRET} a=\"{SECRET}\", b={SECRET}"),
                    ),
                    ("Cache-Control", &format!("private=\"{SECRET}\"")),
                    (
                        "Access-Control-Allow-Origin",
                        &format!("https://{SECRET}.example"),
                    ),
                    ("Allow", SECRET),
                    ("Content-Language", SECRET),
                    ("ETag", SECRET),
                    ("Link", &format!("<{SECRET}>; rel={SECRET}; title={SECRET}")),
                    ("Refresh", &format!("0; url=/?{SECRET}={SECRET}")),
                    ("X-Token", SECRET),
                ],
                "{}",
            ),
        }
    }
}
