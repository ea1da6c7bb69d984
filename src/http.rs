//! The service over HTTP: the one owner of the client.

mod body;
mod curl;
mod events;
mod link;
mod source;
mod tape;
mod tls;
mod within;

use std::collections::BTreeMap;
use std::error::Error;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, LOCATION};
pub use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Request, Response, retry};
use serde_json::Value as Json;
use tokio::sync::Mutex;
use tokio::time::{Interval, MissedTickBehavior, interval};
use url::Url;

pub use tls::{Tls, TlsError};

pub(crate) use body::{Content, NamedPart, Payload, is_media_type};
pub(crate) use link::links;
pub(crate) use tape::{Exchange, Origin, Purpose, Sent, Tape};

use tape::Begun;

use crate::chain::{causes, chain};
use crate::fault::Fault;
use crate::suite::{Method, RequestSpec};
use crate::template::{Scope, TemplateError, Templates};
use crate::text::plain;

/// How much of a body is read; a larger one is a fault, so that no answer takes all memory.
pub const LARGEST_BODY: usize = 16 * 1024 * 1024;

/// The pauses before a connection is tried again. What was sent is never sent again, since it may have changed
/// something; where no connection could be made, nothing was sent.
pub(crate) const PAUSES: [Duration; 4] = [
    Duration::from_millis(50),
    Duration::from_millis(250),
    Duration::from_secs(1),
    Duration::from_secs(4),
];

/// How long one try to connect may take, if the time for the whole request is not shorter.
const CONNECTING: Duration = Duration::from_secs(5);

/// A request that could not be sent at all. What comes instead of an answer is a [`Fault`].
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The client itself could not be made.
    #[error("cannot make an HTTP client: {0}")]
    Client(String),
    /// No connection.
    #[error("no answer from {method} {url}: {reason}")]
    Unreachable {
        /// The method.
        method: &'static str,
        /// The URL without what may be a secret.
        url: String,
        /// Why, in the client's words.
        reason: String,
    },
    /// An answer that is longer than what was asked for can be.
    #[error("the answer from GET {url} has more than {} MiB", limit >> 20)]
    TooLong {
        /// The URL without its query.
        url: String,
        /// How many bytes it may have.
        limit: usize,
    },
    /// The suite's path does not make a URL.
    #[error("`{0}` is not a path of a URL")]
    Path(String),
    /// The suite's request does not make one of HTTP.
    #[error("cannot make the request {method} `{path}`: {reason}")]
    Request {
        /// The method.
        method: &'static str,
        /// The path as the suite has it.
        path: String,
        /// Why, in the client's words.
        reason: String,
    },
}

/// A rendered request. It may hold credentials, so it cannot be printed.
pub struct Call {
    pub(crate) method: Method,
    /// Which other URL of the service it is sent to.
    pub(crate) url: Option<String>,
    /// The path as the suite has it: the rendered one may hold a credential.
    template: String,
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    credential: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    pub(crate) body: Payload,
    /// What it is for, where somebody wants to know.
    pub(crate) origin: Option<Origin>,
}

impl Call {
    /// Renders a request with the credential's headers.
    pub fn render(
        templates: &Templates,
        spec: &RequestSpec,
        credential: Vec<(String, String)>,
        scope: &Scope,
    ) -> Result<Self, TemplateError> {
        let mut headers = Vec::new();
        for (name, value) in &spec.headers {
            headers.push((name.clone(), templates.render_wire(value, scope)?));
        }
        Ok(Self {
            method: spec.method,
            url: spec.url.clone(),
            template: spec.path.clone(),
            path: templates.render_wire(&spec.path, scope)?,
            query: pairs(&templates.render_query(&spec.query, scope)?),
            credential,
            headers,
            body: Payload::render(templates, spec, scope)?,
            origin: None,
        })
    }

    /// The same call, with what it is for: with the number of a cell, if it is for one.
    #[must_use]
    pub(crate) fn of(mut self, purpose: Purpose, cell: Option<usize>) -> Self {
        self.origin = Some(Origin { purpose, cell });
        self
    }

    /// Whether a header of that name is the credential's.
    pub(crate) fn is_credential(&self, name: &str) -> bool {
        self.credential.iter().any(|(own, _)| own == name)
    }

    /// All headers, the credential's first.
    pub(crate) fn all_headers(&self) -> impl Iterator<Item = &(String, String)> {
        self.credential.iter().chain(&self.headers)
    }

    /// The same call with one more query parameter.
    #[must_use]
    pub fn with_query(&self, name: &str, value: &str) -> Self {
        let mut query = self.query.clone();
        query.push((name.to_owned(), value.to_owned()));
        Self {
            query,
            path: self.path.clone(),
            ..self.again()
        }
    }

    /// The same call of another path, with the query that this one has.
    #[must_use]
    fn of_path(&self, path: String) -> Self {
        Self {
            path,
            query: Vec::new(),
            ..self.again()
        }
    }

    /// The same call.
    pub(crate) fn again(&self) -> Self {
        Self {
            method: self.method,
            url: self.url.clone(),
            template: self.template.clone(),
            path: self.path.clone(),
            query: self.query.clone(),
            credential: self.credential.clone(),
            headers: self.headers.clone(),
            body: self.body.clone(),
            origin: self.origin,
        }
    }
}

/// A mapping as query parameters; a list repeats its parameter, null leaves it out.
fn pairs(query: &Json) -> Vec<(String, String)> {
    let entries = query.as_object().into_iter().flatten();
    let items = entries.flat_map(|(name, value)| match value {
        Json::Array(items) => items.iter().map(|item| (name, item)).collect(),
        other => vec![(name, other)],
    });
    items
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| (name.clone(), plain(value)))
        .collect()
}

/// What the service answered. It may hold credentials, so it cannot be printed.
#[derive(Clone, PartialEq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Where a redirect leads.
    pub redirect: Option<Redirect>,
    /// The URL that answered, where it is known.
    pub url: Option<Url>,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Body,
}

/// Where a redirect leads. Nobody goes there.
#[derive(Clone, PartialEq)]
pub struct Redirect {
    /// The location as the service wrote it.
    pub location: String,
}

/// A body, as JSON where it is JSON.
#[derive(Clone, PartialEq)]
pub enum Body {
    /// JSON.
    Json(Json),
    /// Anything else; bytes that are not UTF-8 are replaced.
    Text(String),
}

impl Body {
    /// The JSON, where it is that.
    #[must_use]
    pub fn json(&self) -> Option<&Json> {
        match self {
            Self::Json(json) => Some(json),
            Self::Text(_) => None,
        }
    }

    /// The body that these bytes are.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Self {
        serde_json::from_slice(bytes).map_or_else(
            |_| Self::Text(String::from_utf8_lossy(bytes).into_owned()),
            Self::Json,
        )
    }
}

impl Answer {
    /// Whether the status is a success.
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The body where it is JSON.
    #[must_use]
    pub fn json(&self) -> Option<&Json> {
        self.body.json()
    }

    /// The media type without its parameters, in small letters.
    pub(crate) fn media_type(&self) -> String {
        let full = self.header("content-type").unwrap_or_default();
        let own = full.split(';').next().unwrap_or_default();
        own.trim().to_ascii_lowercase()
    }
}

/// A client for one service. Its URL may hold a password, so it cannot be printed.
#[derive(Clone)]
pub struct Http {
    /// Keeps its connections, for calls that change nothing.
    kept: reqwest::Client,
    /// Has a connection for each request.
    own: reqwest::Client,
    base: Url,
    others: BTreeMap<String, Url>,
    /// When the next request may be sent, where there is a limit.
    pace: Option<Arc<Mutex<Interval>>>,
    /// Where what is sent is kept, if somebody wants to know.
    tape: Option<Arc<Tape>>,
}

/// How long a connection is kept without a call. Services close idle ones too, most of them after seconds, and what is
/// sent at that moment is lost.
const IDLE: Duration = Duration::from_millis(500);

impl Http {
    /// A client for the service at `base`. The ambient environment's proxies are not used, and redirects not followed.
    ///
    /// A call that may change something has a connection of its own: what a service does to an idle one, such as closing
    /// it or sending more than it announced, cannot reach the call, which could not be made again. Calls with a safe
    /// method (RFC 9110, section 9.2.1) share connections.
    pub fn new(base: Url, timeout: Duration) -> Result<Self, HttpError> {
        Self::with(base, BTreeMap::new(), &Tls::default(), timeout)
    }

    /// The same with other URLs of the service, by name, and with certificates.
    pub fn with(
        base: Url,
        others: BTreeMap<String, Url>,
        tls: &Tls,
        timeout: Duration,
    ) -> Result<Self, HttpError> {
        // Fails only when a provider is installed already, which serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let builder = || {
            let mut urls = others.values().chain([&base]);
            if urls.any(|url| url.scheme() == "https") {
                tls.apply(reqwest::Client::builder())
            } else {
                // To read whom the system trusts takes milliseconds, and nobody asks.
                reqwest::Client::builder().tls_certs_only([])
            }
        };
        let client = |connections| {
            builder()
                .no_proxy()
                .redirect(Policy::none())
                .retry(retry::never())
                .pool_max_idle_per_host(connections)
                .pool_idle_timeout(IDLE)
                .connect_timeout(CONNECTING.min(timeout / 2))
                .timeout(timeout)
                .user_agent(concat!("authz-pin/", env!("CARGO_PKG_VERSION")))
                .build()
                .map_err(|error| HttpError::Client(reason(&error)))
        };
        Ok(Self {
            kept: client(usize::MAX)?,
            own: client(0)?,
            base,
            others,
            pace: None,
            tape: None,
        })
    }

    /// The same, with at most so many requests a second.
    #[must_use]
    pub fn paced(mut self, rate: Option<u32>) -> Self {
        self.pace = rate.map(|rate| {
            let mut pace = interval(Duration::from_secs(1) / rate.max(1));
            pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
            Arc::new(Mutex::new(pace))
        });
        self
    }

    /// The same, with a place where what is sent is kept.
    #[must_use]
    pub(crate) fn taped(self, tape: Option<Arc<Tape>>) -> Self {
        Self { tape, ..self }
    }

    /// Sends one request and reads its answer. It is made again where no connection can be made, and where a kept
    /// connection broke under a call that changes nothing.
    pub async fn send(&self, call: &Call) -> Result<Result<Answer, Fault>, HttpError> {
        if let Some(pace) = &self.pace {
            pace.lock().await.tick().await;
        }
        let Some(tape) = &self.tape else {
            return self.send_now(call).await;
        };
        let begun = Begun::now();
        let sent = self.send_now(call).await;
        let url = shown(self.base_of(call)).trim_end_matches('/').to_owned();
        tape.keep(call, url, &begun, &sent);
        sent
    }

    async fn send_now(&self, call: &Call) -> Result<Result<Answer, Fault>, HttpError> {
        if call.method.is_safe() {
            let sent = self.connect_and_send(&self.kept, call).await?;
            if !sent.as_ref().is_err_and(|fault| fault.is_broken()) {
                return Ok(sent);
            }
        }
        self.connect_and_send(&self.own, call).await
    }

    async fn connect_and_send(
        &self,
        client: &reqwest::Client,
        call: &Call,
    ) -> Result<Result<Answer, Fault>, HttpError> {
        for pause in PAUSES {
            match self.send_once(client, call).await {
                Err(HttpError::Unreachable { .. }) => tokio::time::sleep(pause).await,
                sent => return sent,
            }
        }
        self.send_once(client, call).await
    }

    async fn send_once(
        &self,
        client: &reqwest::Client,
        call: &Call,
    ) -> Result<Result<Answer, Fault>, HttpError> {
        match client.execute(self.request(call)?).await {
            Ok(response) => Ok(read(response).await),
            Err(error) if error.is_connect() => Err(HttpError::Unreachable {
                method: call.method.as_str(),
                url: format!(
                    "{}{}",
                    shown(self.base_of(call)).trim_end_matches('/'),
                    call.template
                ),
                reason: reason(&error),
            }),
            Err(error) => Ok(Err(fault(&error, Fault::Closed))),
        }
    }

    fn request(&self, call: &Call) -> Result<Request, HttpError> {
        let url = joined(self.base_of(call), &call.path);
        let url = url.map_err(|_| HttpError::Path(call.template.clone()))?;
        let method =
            reqwest::Method::from_bytes(call.method.as_str().as_bytes()).unwrap_or_default();
        let mut request = self.own.request(method, url);
        if !call.query.is_empty() {
            request = request.query(&call.query);
        }
        for (name, value) in call.all_headers() {
            request = match HeaderValue::try_from(value) {
                Ok(mut value) => {
                    value.set_sensitive(true);
                    request.header(name, value)
                }
                // Fails below, with the reason.
                Err(_) => request.header(name, value),
            };
        }
        let is_type = |(name, _): &(String, String)| name.eq_ignore_ascii_case("content-type");
        let has_type = call.all_headers().any(is_type);
        let request = call.body.attach(request, has_type);
        request.build().map_err(|error| HttpError::Request {
            method: call.method.as_str(),
            path: call.template.clone(),
            reason: reason(&error),
        })
    }

    /// Gets the bytes at `path` without any credential, and gives up on an answer with more than `limit` of them.
    pub async fn get_bytes(&self, path: &str, limit: usize) -> Result<(u16, Vec<u8>), HttpError> {
        let url = self.url(path)?;
        let fail = |error: reqwest::Error| HttpError::Unreachable {
            method: Method::Get.as_str(),
            url: shown(&url),
            reason: reason(&error),
        };
        let mut response = self.own.get(url.clone()).send().await.map_err(fail)?;
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(fail)? {
            if bytes.len() + chunk.len() > limit {
                let url = shown(&url);
                return Err(HttpError::TooLong { url, limit });
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok((response.status().as_u16(), bytes))
    }

    /// Whether `path` answers with a success, without any credential; else what it does, in words.
    pub async fn ready(&self, path: &str) -> Result<(), String> {
        let call = Call {
            method: Method::Get,
            url: None,
            template: path.to_owned(),
            path: path.to_owned(),
            query: Vec::new(),
            credential: Vec::new(),
            headers: Vec::new(),
            body: Payload::Nothing,
            origin: None,
        };
        let sent = self
            .send_once(&self.own, &call)
            .await
            .map_err(|error| chain(&error))?;
        let url = || {
            self.url(path)
                .map_or_else(|_| path.to_owned(), |url| shown(&url))
        };
        match sent {
            Ok(answer) if answer.is_success() => Ok(()),
            Ok(answer) => Err(format!("{} from GET {}", answer.status, url())),
            Err(fault) => Err(format!("no answer from GET {}: {fault}", url())),
        }
    }

    /// The URL of `path` on the service.
    pub fn url(&self, path: &str) -> Result<Url, HttpError> {
        joined(&self.base, path)
    }

    /// The URL that a call is relative to. That the suite has it was checked when it was read.
    fn base_of(&self, call: &Call) -> &Url {
        let other = call.url.as_ref().and_then(|name| self.others.get(name));
        other.unwrap_or(&self.base)
    }

    /// The call of the page that an answer's link leads to, if there is one on the same service.
    pub(crate) fn linked(&self, call: &Call, answer: &Answer, relation: &str) -> Option<Call> {
        let base = self.base_of(call);
        let from = joined(base, &call.path).ok()?;
        let to = from.join(&answer.link(relation)?).ok()?;
        let path = to.path().strip_prefix(base.path().trim_end_matches('/'))?;
        if to.origin() != base.origin() {
            return None;
        }
        let query = to.query().map(|query| format!("?{query}"));
        Some(call.of_path(format!("{path}{}", query.unwrap_or_default())))
    }
}

fn joined(base: &Url, path: &str) -> Result<Url, HttpError> {
    let inner = path.trim_start_matches('/');
    // What begins like this cannot lead to another host, so that the host need not be read anew for each call.
    let joined = if inner.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        base.join(&format!("{}/{inner}", base.path().trim_end_matches('/')))
    } else {
        Url::parse(&format!("{}/{inner}", base.as_str().trim_end_matches('/')))
    };
    joined.map_err(|_| HttpError::Path(path.to_owned()))
}

/// Reads an answer to its end, or as far as answers are read.
async fn read(mut response: Response) -> Result<Answer, Fault> {
    let status = response.status().as_u16();
    let redirect = redirect(&response);
    let url = Some(response.url().clone());
    let headers = std::mem::take(response.headers_mut());
    let body = match response.content_length() {
        Some(length) if length > LARGEST_BODY as u64 => return Err(Fault::TooLarge),
        // What comes in one piece is read where it lies.
        Some(_) => body(&headers, &response.bytes().await.map_err(ended)?),
        None => body(&headers, &limited(response).await?),
    };
    Ok(Answer {
        status,
        redirect,
        url,
        headers,
        body,
    })
}

/// The body that these bytes are, where they have the media type that the headers say.
fn body(headers: &HeaderMap, bytes: &[u8]) -> Body {
    let own = headers.get(CONTENT_TYPE);
    let is_stream = own.is_some_and(|own| own.as_bytes().starts_with(b"text/event-stream"));
    let messages = is_stream.then(|| events::messages(bytes)).flatten();
    let body = messages.map_or_else(|| Body::read(bytes), Body::Json);
    let media_type = || own.and_then(|own| own.to_str().ok()).unwrap_or_default();
    match body {
        Body::Text(text) => {
            let within = within::json(media_type(), bytes);
            within.map_or(Body::Text(text), Body::Json)
        }
        json @ Body::Json(_) => json,
    }
}

/// A body that does not say how long it is.
async fn limited(mut response: Response) -> Result<Vec<u8>, Fault> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(ended)? {
        if bytes.len() + chunk.len() > LARGEST_BODY {
            return Err(Fault::TooLarge);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

#[expect(clippy::needless_pass_by_value, reason = "an error to be mapped")]
fn ended(error: reqwest::Error) -> Fault {
    fault(&error, Fault::EndedEarly)
}

fn redirect(response: &Response) -> Option<Redirect> {
    let is_redirect = response.status().is_redirection();
    let location = response.headers().get(LOCATION).filter(|_| is_redirect)?;
    let location = String::from_utf8_lossy(location.as_bytes()).into_owned();
    Some(Redirect { location })
}

/// What came instead of an answer; where the client has no more to say than that it broke, `otherwise`.
fn fault(error: &reqwest::Error, otherwise: Fault) -> Fault {
    let is_malformed = |cause: &(dyn Error + 'static)| {
        let kind = cause.downcast_ref::<io::Error>().map(io::Error::kind);
        cause.downcast_ref().is_some_and(hyper::Error::is_parse)
            || matches!(
                kind,
                Some(io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData)
            )
    };
    match error {
        error if error.is_timeout() => Fault::TimedOut,
        error if causes(error).any(is_malformed) => Fault::NotHttp,
        _ => otherwise,
    }
}

/// A URL without what may be a secret: its query, and a password in it.
#[must_use]
pub fn shown(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    if url.password().is_some() {
        // Fails only for URLs that cannot have a password.
        let _ = url.set_password(Some("***"));
    }
    url.to_string()
}

/// The innermost cause: the outer ones only repeat the URL.
fn reason(error: &reqwest::Error) -> String {
    let cause = causes(error).last();
    cause.map_or_else(|| error.to_string(), ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_query_is_a_mapping_whose_nulls_are_left_out() {
        let query = pairs(&json!({"page": 1, "team_id": null, "sort": ["a", "b"], "all": true}));
        let query: Vec<_> = query
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        assert_eq!(query, ["page=1", "sort=a", "sort=b", "all=true"]);
    }

    #[test]
    fn a_shown_url_has_neither_password_nor_query() {
        let url = Url::parse("http://me:secret@localhost:1/key/info?key=sk-1").unwrap();
        assert_eq!(shown(&url), "http://me:***@localhost:1/key/info");
    }

    #[test]
    fn a_link_is_followed_on_the_same_service_only() {
        let base = Url::parse("https://localhost/api").unwrap();
        let http = Http::new(base, Duration::from_secs(1)).unwrap();
        let next = |link: &str| {
            let link = format!("<{link}>; rel=next");
            let answer = Answer {
                status: 200,
                redirect: None,
                url: None,
                headers: HeaderMap::from_iter([(reqwest::header::LINK, link.parse().unwrap())]),
                body: Body::Text(String::new()),
            };
            let call = Call {
                method: Method::Get,
                url: None,
                template: String::new(),
                path: "/keys".to_owned(),
                query: vec![("size".to_owned(), "2".to_owned())],
                credential: Vec::new(),
                headers: Vec::new(),
                body: Payload::Nothing,
                origin: None,
            };
            let next = http.linked(&call, &answer, "next")?;
            Some(http.request(&next).unwrap().url().to_string())
        };
        let expected = "https://localhost/api/keys?page=2";
        for link in ["?page=2", "/api/keys?page=2", expected] {
            assert_eq!(next(link).as_deref(), Some(expected), "{link}");
        }
        for link in [
            "https://other/api/keys",
            "http://localhost/api/keys",
            "/other",
        ] {
            assert_eq!(next(link), None, "{link}");
        }
    }

    #[test]
    fn a_path_is_joined_to_a_base_with_a_path_of_its_own() {
        let http = Http::new(
            Url::parse("http://localhost:1/api/").unwrap(),
            Duration::from_secs(1),
        )
        .unwrap();
        assert_eq!(
            http.url("/key/info").unwrap().as_str(),
            "http://localhost:1/api/key/info"
        );
    }
}
