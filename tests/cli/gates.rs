//! A service that says of every call what it has understood of its credential and its body.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use authz_pin::template::random;
use axum::body::Bytes;
use axum::extract::{Form, Multipart, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rcgen::PublicKeyData as _;
use ring::hmac;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RsaKeyPair,
    UnparsedPublicKey,
};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::served::{runtime, serve};

pub(crate) const PASSWORD: &str = "p:w ä nobody-knows-that";
const HMAC: &str = "nobody-knows-this";

/// What the service knows of the keys that tokens are signed with.
struct Keys {
    rsa: Vec<u8>,
    ecdsa: Vec<u8>,
}

#[derive(Default)]
struct Known {
    logins: Vec<String>,
    /// Who has a token, a session or what else was given at a login.
    given: BTreeMap<String, String>,
    lifetime: u64,
    slow: bool,
}

struct Gates {
    keys: Keys,
    known: Mutex<Known>,
}

type Shared = State<Arc<Gates>>;

pub(crate) struct Served {
    gates: Arc<Gates>,
    address: SocketAddr,
    /// The private keys, for the suite.
    pub(crate) rsa: String,
    pub(crate) ecdsa: String,
    _runtime: Runtime,
}

impl Served {
    pub(crate) fn start() -> Self {
        let rsa = include_str!("../fixtures/gates/rsa.pem").to_owned();
        let ecdsa = rcgen::KeyPair::generate().unwrap();
        let pair = PrivateKeyDer::from_pem_slice(rsa.as_bytes()).unwrap();
        let pair = RsaKeyPair::from_pkcs8(pair.secret_der()).unwrap();
        let keys = Keys {
            rsa: pair.public_key().as_ref().to_vec(),
            ecdsa: ecdsa.der_bytes().to_vec(),
        };
        let known = Known {
            lifetime: 3600,
            ..Known::default()
        };
        let gates = Arc::new(Gates {
            keys,
            known: Mutex::new(known),
        });
        let runtime = runtime();
        let address = serve(&runtime, routes().with_state(Arc::clone(&gates)));
        Self {
            gates,
            address,
            rsa,
            ecdsa: pem(&ecdsa.serialize_der()),
            _runtime: runtime,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Tokens live for so many seconds from now on, and the first calls take a moment.
    pub(crate) fn live_for(&self, seconds: u64) {
        let mut known = self.gates.known.lock().unwrap();
        (known.lifetime, known.slow) = (seconds, true);
    }

    /// Every token that was given.
    pub(crate) fn given(&self) -> Vec<String> {
        let known = self.gates.known.lock().unwrap();
        known.given.keys().cloned().collect()
    }

    /// Who logged in, in order.
    pub(crate) fn logins(&self) -> Vec<String> {
        std::mem::take(&mut self.gates.known.lock().unwrap().logins)
    }
}

fn pem(key: &[u8]) -> String {
    let text = STANDARD.encode(key);
    format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n")
}

fn routes() -> Router<Arc<Gates>> {
    Router::new()
        .route("/health", get(async || "well"))
        .route("/login", post(log_in))
        .route("/session", post(open_session))
        .route("/who", get(who))
        .route("/form", post(form))
        .route("/parts", post(parts))
        .route("/raw", put(raw))
        .route("/made", post(made))
        .route("/echo", get(echo))
        .route("/items", get(items))
        .route("/by-token", get(by_token))
        .route("/by-link", get(by_link))
}

fn refused(why: &str) -> Response {
    (StatusCode::UNAUTHORIZED, Json(json!({ "error": why }))).into_response()
}

fn header<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let cookies = header(headers, "cookie")?.split("; ");
    let mut pairs = cookies.filter_map(|pair| pair.split_once('='));
    pairs
        .find(|(other, _)| *other == name)
        .map(|(_, value)| value)
}

impl Gates {
    /// Who calls, and by what; else why nobody does.
    fn caller(&self, headers: &HeaderMap) -> Result<String, String> {
        let given = |token: &str| self.known.lock().unwrap().given.get(token).cloned();
        if let Some(session) = cookie(headers, "session") {
            let csrf = header(headers, "x-csrf").ok_or("no csrf")?;
            return match (given(session), given(csrf)) {
                (Some(who), Some(also)) if who == also => Ok(format!("session of {who}")),
                _ => Err("no such session".to_owned()),
            };
        }
        if cookie(headers, "one") == Some("first") && cookie(headers, "two") == Some(HMAC) {
            return Ok("cookies".to_owned());
        }
        if let Some(token) = header(headers, "x-token") {
            return self.signed(token);
        }
        let authorization = header(headers, "authorization").ok_or("no credential")?;
        if let Some(pair) = authorization.strip_prefix("Basic ") {
            let pair = String::from_utf8(STANDARD.decode(pair).unwrap()).unwrap();
            let (name, password) = pair.split_once(':').ok_or("no colon")?;
            if password != PASSWORD {
                return Err("wrong password".to_owned());
            }
            return Ok(format!("basic {}", name.split(' ').next().unwrap()));
        }
        let token = authorization.strip_prefix("Bearer ").ok_or("no scheme")?;
        match given(token) {
            Some(who) => Ok(format!("login of {who}")),
            None if token == HMAC => Ok("bearer".to_owned()),
            None => self.signed(token),
        }
    }

    fn signed(&self, token: &str) -> Result<String, String> {
        let parts: Vec<&str> = token.split('.').collect();
        let [header, claims, signature] = parts.as_slice() else {
            return Err("no token".to_owned());
        };
        let decode = |text: &str| {
            URL_SAFE_NO_PAD
                .decode(text)
                .map_err(|error| error.to_string())
        };
        let text = format!("{header}.{claims}");
        let (text, signature) = (text.as_bytes(), decode(signature)?);
        let read = |bytes: Vec<u8>| serde_json::from_slice::<Value>(&bytes).unwrap();
        let (header, claims) = (read(decode(header)?), read(decode(claims)?));
        let is_signed = match header["alg"].as_str() {
            Some("HS256") => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, HMAC.as_bytes());
                hmac::verify(&key, text, &signature).is_ok() && header["kid"] == "k1"
            }
            Some("RS256") => UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &self.keys.rsa)
                .verify(text, &signature)
                .is_ok(),
            Some("ES256") => UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &self.keys.ecdsa)
                .verify(text, &signature)
                .is_ok(),
            _ => false,
        };
        let now = chrono::Utc::now().timestamp();
        match (is_signed, claims["exp"].as_i64(), claims["iat"].as_i64()) {
            (true, Some(end), Some(start)) if start <= now && now < end => {
                Ok(format!("token of {}", claims["sub"].as_str().unwrap()))
            }
            _ => Err("a wrong token".to_owned()),
        }
    }

    fn give(&self, who: &str) -> String {
        let token = format!("t-{}", random(20));
        let mut known = self.known.lock().unwrap();
        known.given.insert(token.clone(), who.to_owned());
        token
    }
}

async fn log_in(State(gates): Shared, Form(form): Form<BTreeMap<String, String>>) -> Response {
    if form["password"] != PASSWORD {
        return refused(&format!("not with {}", form["password"]));
    }
    gates
        .known
        .lock()
        .unwrap()
        .logins
        .push(form["user"].clone());
    let lifetime = gates.known.lock().unwrap().lifetime;
    let token = gates.give(&form["user"]);
    Json(json!({"access_token": token, "expires_in": lifetime})).into_response()
}

async fn open_session(
    State(gates): Shared,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    let caller = gates.caller(&headers);
    if caller.as_deref() != Ok("basic client") {
        return refused("only the client");
    }
    let user = body["user"].as_str().unwrap();
    gates.known.lock().unwrap().logins.push(user.to_owned());
    let (session, csrf) = (gates.give(user), gates.give(user));
    let headers = [
        ("location", "/".to_owned()),
        ("set-cookie", format!("session={session}; HttpOnly")),
        ("x-csrf", format!("csrf {csrf}")),
    ];
    (StatusCode::SEE_OTHER, headers).into_response()
}

async fn who(State(gates): Shared, headers: HeaderMap) -> Response {
    match gates.caller(&headers) {
        Ok(who) => (StatusCode::OK, Json(BTreeMap::from([(who, 1)]))).into_response(),
        Err(why) => refused(&why),
    }
}

/// A field for each thing that was understood, since a record keeps the names of fields.
fn understood(things: impl IntoIterator<Item = String>) -> Response {
    let things: BTreeMap<String, u8> = things.into_iter().map(|thing| (thing, 1)).collect();
    Json(things).into_response()
}

async fn form(State(gates): Shared, Form(pairs): Form<Vec<(String, String)>>) -> Response {
    let is_slow = gates.known.lock().unwrap().slow;
    if is_slow {
        tokio::time::sleep(Duration::from_millis(1200)).await;
    }
    understood(
        pairs
            .into_iter()
            .map(|(name, value)| format!("{name}={value}")),
    )
}

async fn parts(mut parts: Multipart) -> Response {
    let mut things = Vec::new();
    while let Some(part) = parts.next_field().await.unwrap() {
        let (name, file) = (
            part.name().map(str::to_owned),
            part.file_name().map(str::to_owned),
        );
        let media_type = part.content_type().map(str::to_owned);
        let content = part.bytes().await.unwrap();
        let content = String::from_utf8(content.to_vec()).unwrap_or_else(|_| hex::encode(&content));
        things.push(format!("{name:?} {file:?} {media_type:?} {content:?}"));
    }
    understood(things)
}

async fn raw(headers: HeaderMap, body: Bytes) -> Response {
    let media_type = header(&headers, "content-type").unwrap_or_default();
    let content = String::from_utf8(body.to_vec()).unwrap_or_else(|_| hex::encode(&body));
    understood([format!("{media_type}: {content}")])
}

async fn made(State(gates): Shared) -> Response {
    let [first, second, third] = ["first", "second", "third"].map(|name| gates.give(name));
    let headers = [
        ("x-token", format!("is {first}, keep it")),
        ("set-cookie", format!("token={second}; Path=/")),
    ];
    let body = json!({"url": format!("/sessions/{third}"), "again": [first, second]});
    (StatusCode::CREATED, headers, Json(body)).into_response()
}

async fn echo(State(gates): Shared, headers: HeaderMap) -> Response {
    who(State(gates), headers).await
}

/// Seven items.
const ITEMS: std::ops::Range<usize> = 0..7;

fn page(from: usize, count: usize) -> Vec<BTreeMap<String, usize>> {
    let items = ITEMS.skip(from).take(count);
    items
        .map(|item| BTreeMap::from([(format!("item {item}"), item)]))
        .collect()
}

type Asked = Query<BTreeMap<String, String>>;

fn number(asked: &Asked, name: &str) -> usize {
    asked.get(name).map_or(0, |text| text.parse().unwrap())
}

async fn items(asked: Asked) -> Response {
    let items = page(number(&asked, "offset"), number(&asked, "limit").min(3));
    Json(json!({ "items": items })).into_response()
}

async fn by_token(asked: Asked) -> Response {
    let from = asked
        .get("cursor")
        .map_or(0, |text| text[2..].parse().unwrap());
    let next = (from + 3 < ITEMS.end).then(|| format!("c-{}", from + 3));
    Json(json!({"items": page(from, 3), "next": next})).into_response()
}

async fn by_link(asked: Asked) -> Response {
    let from = number(&asked, "from");
    let body = Json(json!({ "items": page(from, 3) }));
    let first = "</by-link>; rel=\"first\"";
    if from + 3 < ITEMS.end {
        let next = format!(
            "{first}, </by-link?from={}&x=a,b>; title=\"a, b\"; rel=next",
            from + 3
        );
        return ([("link", next)], body).into_response();
    }
    ([("link", first)], body).into_response()
}
