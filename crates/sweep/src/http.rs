//! The service over HTTP: the one owner of the client.

mod answer;
mod anyone;
mod body;
mod call;
mod curl;
pub(crate) mod decode;
mod link;
mod pools;
mod presented;
mod route;
mod signing;
mod source;
mod tape;
mod target;
mod tls;
mod verbatim;

use authz_pin_suite::urls::shown;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::error::Error;
use std::io;
use std::sync::Arc;
use std::time::Duration;

pub use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Request};
use tokio::sync::Mutex;
use tokio::time::{Interval, MissedTickBehavior, interval};
use url::{Position, Url};

pub use answer::{Answer, Body, Document, Form, Redirect};
pub use call::Call;
pub use curl::Listens;
pub use presented::Presented;
pub use route::Route;
pub use tls::{Tls, TlsError};

pub(crate) use body::{Content, NamedPart, Payload};
pub(crate) use link::links;
pub(crate) use presented::Caller;
pub(crate) use tape::{Exchange, Origin, Purpose, Sent, Tape};
pub(crate) use tls::Pem;

use authz_pin_record::chain::{causes, chain};
use authz_pin_record::fault::Fault;
use authz_pin_suite::suite::Method;
use pools::{Clients, Pools};
use route::Site;
use tape::Begun;
use target::Target;

use crate::credential::Challenge;

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

/// A request that could not be sent at all. What comes instead of an answer is a [`Fault`].
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The client itself could not be made.
    #[error("cannot make an HTTP client: {0}")]
    Client(String),
    /// The service asks an actor for something that is not known here.
    #[error("{method} `{path}` cannot be answered for: {reason}")]
    Challenge {
        /// The method.
        method: &'static str,
        /// The path as the suite has it.
        path: String,
        /// What it asks for.
        reason: String,
    },
    /// A certificate that an actor presents cannot be used.
    #[error("{0}")]
    Certificate(String),
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

/// A client for one service. Its URL may hold a password, so it cannot be printed.
#[derive(Clone)]
pub struct Http {
    pools: Arc<Pools>,
    base: Site,
    others: BTreeMap<String, Site>,
    /// How long a request may take with its answer.
    timeout: Duration,
    /// Whether the service speaks HTTP/2 alone.
    http2: bool,
    /// When the next request may be sent, where there is a limit.
    pace: Option<Arc<Mutex<Interval>>>,
    /// Where what is sent is kept, if somebody wants to know.
    tape: Option<Arc<Tape>>,
    /// For how long a stream is read that need not end.
    patience: Duration,
}

/// How the client calls itself.
const NAME: &str = concat!("authz-pin/", env!("CARGO_PKG_VERSION"));

impl Http {
    /// A client for the service at `base`. The ambient environment's proxies are not used, and redirects not followed.
    ///
    /// A call that may change something has a connection of its own: what a service does to an idle one, such as closing
    /// it or sending more than it announced, cannot reach the call, which could not be made again. Calls of one actor with
    /// a safe method (RFC 9110, section 9.2.1) share connections, and no actor's calls share them with anybody else's.
    pub fn new(base: Url, timeout: Duration) -> Result<Self, HttpError> {
        Self::with(
            base,
            BTreeMap::new(),
            (&Tls::default(), &Route::default()),
            timeout,
        )
    }

    /// The same with other URLs of the service, by name, with certificates, and by another way than the direct one.
    pub fn with(
        base: Url,
        others: BTreeMap<String, Url>,
        (tls, route): (&Tls, &Route),
        timeout: Duration,
    ) -> Result<Self, HttpError> {
        // Fails only when a provider is installed already, which serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let base = Site::of(base);
        let others = others.into_iter();
        let others: BTreeMap<_, _> = others.map(|(name, url)| (name, Site::of(url))).collect();
        let is_secure = others.values().chain([&base]).any(Site::is_secure);
        let tls = is_secure.then_some(tls);
        Ok(Self {
            pools: Arc::new(Pools::new(tls, route, timeout)?),
            base,
            others,
            timeout,
            http2: route.http2,
            pace: None,
            tape: None,
            patience: timeout,
        })
    }

    /// The same, where so many actors call: all together they keep no more idle connections than one.
    #[must_use]
    pub fn shared_by(self, actors: usize) -> Self {
        self.pools.share(actors);
        self
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

    /// The same, which reads a stream for no longer than this.
    #[must_use]
    pub fn streaming(self, patience: Duration) -> Self {
        Self { patience, ..self }
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
        let url = self.site_of(call).shown.clone();
        tape.keep(call, url, &begun, &sent);
        sent
    }

    async fn send_now(&self, call: &Call) -> Result<Result<Answer, Fault>, HttpError> {
        let clients = self.clients(call)?;
        let sent = self.send_over(&clients, call, None).await?;
        match call.challenged(&sent)? {
            Some(challenge) => self.send_over(&clients, call, Some(&challenge)).await,
            None => Ok(sent),
        }
    }

    /// The clients of whoever calls.
    fn clients(&self, call: &Call) -> Result<Clients, HttpError> {
        let socket = self.site_of(call).socket.as_ref();
        self.pools.of(call.caller(), socket)
    }

    async fn send_over(
        &self,
        clients: &Clients,
        call: &Call,
        challenge: Option<&Challenge>,
    ) -> Result<Result<Answer, Fault>, HttpError> {
        if call.method.is_safe() {
            let sent = self
                .connect_and_send(&clients.kept, call, challenge)
                .await?;
            if !sent.as_ref().is_err_and(|fault| fault.is_broken()) {
                return Ok(sent);
            }
        }
        self.connect_and_send(&clients.own, call, challenge).await
    }

    async fn connect_and_send(
        &self,
        client: &Client,
        call: &Call,
        challenge: Option<&Challenge>,
    ) -> Result<Result<Answer, Fault>, HttpError> {
        for pause in PAUSES {
            match self.send_once(client, call, challenge).await {
                Err(HttpError::Unreachable { .. }) => tokio::time::sleep(pause).await,
                sent => return sent,
            }
        }
        self.send_once(client, call, challenge).await
    }

    async fn send_once(
        &self,
        client: &Client,
        call: &Call,
        challenge: Option<&Challenge>,
    ) -> Result<Result<Answer, Fault>, HttpError> {
        let target = self.target(call)?;
        let mut request = request(client, call, target.url)?;
        call.sign(&mut request, challenge).await?;
        let sent = match &target.verbatim {
            None => match client.execute(request).await {
                Ok(response) => Ok(answer::read(response, self.patience).await),
                Err(error) => Err(error),
            },
            Some(line) => {
                let client = self.handing_over(call)?;
                let sent = verbatim::send(&client, request, (line, self.patience));
                // In a box: what few calls need takes no room in the future of each.
                let sent = Box::pin(tokio::time::timeout(self.timeout, sent)).await;
                sent.unwrap_or(Ok(Err(Fault::TimedOut)))
            }
        };
        match sent {
            Ok(sent) => Ok(sent.map(|answer| call.unseen(answer))),
            Err(error) if error.is_connect() => Err(HttpError::Unreachable {
                method: call.method.as_str(),
                url: format!("{}{}", self.site_of(call).shown, call.template),
                reason: reason(&error),
            }),
            Err(error) => Ok(Err(fault(&error, Fault::Closed))),
        }
    }

    /// Where a call goes.
    fn target(&self, call: &Call) -> Result<Target, HttpError> {
        let target = Target::of(&self.site_of(call).url, call);
        let target = target.ok_or_else(|| HttpError::Path(call.template.clone()))?;
        let reason = match target.verbatim {
            Some(_) if self.http2 => "`service.http2`",
            Some(_) if call.is_signed() => "a credential that is made of the request",
            _ => return Ok(target),
        };
        Err(call.unsendable(format!(
            "{reason} takes no path with `..`, `\\` or another part that a URL has otherwise"
        )))
    }

    /// A client whose connections are handed over to whoever writes a request itself.
    fn handing_over(&self, call: &Call) -> Result<Client, HttpError> {
        let socket = self.site_of(call).socket.as_ref();
        self.pools.handing_over(call.caller(), socket)
    }

    /// Gets the bytes at `path` without any credential, and gives up on an answer with more than `limit` of them.
    /// What is in an encoding that cannot be decoded stays as it is.
    pub async fn get_bytes(&self, path: &str, limit: usize) -> Result<(u16, Vec<u8>), HttpError> {
        let url = self.url(path)?;
        let fail = |error: reqwest::Error| HttpError::Unreachable {
            method: Method::Get.as_str(),
            url: shown(&url),
            reason: reason(&error),
        };
        let own = self
            .pools
            .of(&Caller::default(), self.base.socket.as_ref())?
            .own;
        let mut response = own.get(url.clone()).send().await.map_err(fail)?;
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(fail)? {
            if bytes.len() + chunk.len() > limit {
                let url = shown(&url);
                return Err(HttpError::TooLong { url, limit });
            }
            bytes.extend_from_slice(&chunk);
        }
        let status = response.status().as_u16();
        let decoded = decode::decoded(response.headers(), &bytes).ok();
        let decoded = decoded.map(Cow::into_owned);
        Ok((status, decoded.unwrap_or(bytes)))
    }

    /// Whether `path` answers with a success, without any credential; else what it does, in words.
    pub async fn ready(&self, path: &str) -> Result<(), String> {
        let call = Call::get(path);
        let told = |error: HttpError| chain(&error);
        let own = self.clients(&call).map_err(told)?.own;
        let sent = self.send_once(&own, &call, None).await.map_err(told)?;
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

    /// The URL of the service as it was given, which may hold a password.
    pub(crate) fn base_url(&self) -> &Url {
        &self.base.given
    }

    /// The URL of `path` on the service.
    pub fn url(&self, path: &str) -> Result<Url, HttpError> {
        let below = format!("/{}", path.trim_start_matches('/'));
        let target = Target::new(&self.base.url, &below, &[]);
        let target = target.ok_or_else(|| HttpError::Path(path.to_owned()))?;
        Ok(target.url)
    }

    /// The URL that a call is relative to. That the suite has it was checked when it was read.
    fn site_of(&self, call: &Call) -> &Site {
        let other = call.url.as_ref().and_then(|name| self.others.get(name));
        other.unwrap_or(&self.base)
    }

    /// Where the service of a call listens.
    pub(crate) fn listens(&self, call: &Call) -> Listens {
        match self.site_of(call).socket {
            Some(_) => Listens::OnSocket,
            None => Listens::OnAddress,
        }
    }

    /// The call of the page that an answer's link leads to, if there is one on the same service.
    pub(crate) fn linked(&self, call: &Call, answer: &Answer, relation: &str) -> Option<Call> {
        let base = &self.site_of(call).url;
        let from = Target::new(base, &call.path, &[])?.url;
        let link = answer.link(relation)?;
        let to = from.join(&link).ok()?;
        if to.origin() != base.origin() {
            return None;
        }
        let target =
            link::written(&link).unwrap_or(&to[Position::BeforePath..Position::AfterQuery]);
        let path = target.strip_prefix(base.path().trim_end_matches('/'))?;
        Some(call.of_path(path.to_owned()))
    }
}

fn request(client: &Client, call: &Call, url: Url) -> Result<Request, HttpError> {
    let method = reqwest::Method::from_bytes(call.method.as_str().as_bytes()).unwrap_or_default();
    let mut request = client.request(method, url);
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
    let request = request.build();
    request.map_err(|error| call.unsendable(reason(&error)))
}

/// What came instead of an answer; where the client has no more to say than that it broke, `otherwise`.
fn fault(error: &reqwest::Error, otherwise: Fault) -> Fault {
    let is_malformed = |cause: &(dyn Error + 'static)| {
        let kind = cause.downcast_ref::<io::Error>().map(io::Error::kind);
        cause.downcast_ref().is_some_and(hyper::Error::is_parse)
            // The client itself ends what breaks the rules of HTTP/2.
            || cause.downcast_ref().is_some_and(h2::Error::is_library)
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

/// The innermost cause: the outer ones only repeat the URL.
fn reason(error: &reqwest::Error) -> String {
    let cause = causes(error).last();
    cause.map_or_else(|| error.to_string(), ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

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
            let call = Call::get("/keys").with_query("size", "2");
            let next = http.linked(&call, &answer, "next")?;
            Some(Target::of(&http.base.url, &next)?.url.to_string())
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
