//! Connections: each actor has its own, so that what a service binds to a connection, or to a TLS session, never reaches
//! anybody else.

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, Proxy, retry};
use rustls::client::Resumption;

use super::presented::Caller;
use super::route::Route;
use super::tls::{Identity, Tls, Trust};
use super::{HttpError, NAME, reason, verbatim};

/// How long a connection is kept without a call. Services close idle ones too, most of them after seconds, and what is
/// sent at that moment is lost.
const IDLE: Duration = Duration::from_millis(500);

/// How long one try to connect may take, if the time for the whole request is not shorter.
const CONNECTING: Duration = Duration::from_secs(5);

/// How many idle connections there are in all at most. A process may mostly have 1,024 open files, and on some systems 256.
const IDLE_IN_ALL: usize = 128;

/// How many TLS sessions one actor may take up again.
const SESSIONS: usize = 8;

/// The clients of a run, one for each caller, made when it first calls.
pub(super) struct Pools {
    maker: Maker,
    /// Has a connection for each request, and takes up no session.
    nobody: Clients,
    callers: Mutex<Callers>,
}

/// By caller, and by the socket that it calls where there is no address.
type Callers = HashMap<Caller, HashMap<Option<Arc<Path>>, Clients>>;

/// The clients of one caller.
#[derive(Clone)]
pub(super) struct Clients {
    /// Keeps its connections, for calls that change nothing.
    pub(super) kept: Client,
    /// Has a connection for each request.
    pub(super) own: Client,
}

/// What makes clients.
struct Maker {
    timeout: Duration,
    /// How TLS is done, where any URL needs it.
    trust: Option<Trust>,
    /// How many idle connections each caller may keep.
    idle: AtomicUsize,
    route: Route,
}

impl Pools {
    pub(super) fn new(
        tls: Option<&Tls>,
        route: &Route,
        timeout: Duration,
    ) -> Result<Self, HttpError> {
        let trust = tls.map(Tls::trust).transpose();
        let trust = trust.map_err(|error| HttpError::Client(error.to_string()))?;
        let maker = Maker {
            timeout,
            trust,
            idle: IDLE_IN_ALL.into(),
            route: route.clone(),
        };
        let own = maker.client(0, &Resumption::disabled(), (None, None))?;
        Ok(Self {
            maker,
            nobody: Clients {
                kept: own.clone(),
                own,
            },
            callers: Mutex::default(),
        })
    }

    /// Lets so many actors share the number of idle connections, before the first of them calls.
    pub(super) fn share(&self, actors: usize) {
        let idle = (IDLE_IN_ALL / actors.max(1)).max(1);
        self.maker.idle.store(idle, Ordering::Relaxed);
    }

    /// The clients of a caller. Of a suite with more actors than there may be idle connections, those who come last keep none.
    pub(super) fn of(
        &self,
        caller: &Caller,
        socket: Option<&Arc<Path>>,
    ) -> Result<Clients, HttpError> {
        if caller.actor.is_none() {
            return self.passing(caller, socket);
        }
        let mut callers = self.callers.lock().unwrap_or_else(PoisonError::into_inner);
        let socket_of_it = socket.cloned();
        let known = callers
            .get(caller)
            .and_then(|of_caller| of_caller.get(&socket_of_it));
        if let Some(known) = known {
            return Ok(known.clone());
        }
        if callers.values().map(HashMap::len).sum::<usize>() >= IDLE_IN_ALL {
            return self.passing(caller, socket);
        }
        let made = self.maker.clients(caller, socket, &self.nobody)?;
        let of_caller = callers.entry(caller.clone()).or_default();
        of_caller.insert(socket_of_it, made.clone());
        Ok(made)
    }

    /// A client that hands over its connections, in the version of HTTP that is written there.
    pub(super) fn handing_over(
        &self,
        caller: &Caller,
        socket: Option<&Arc<Path>>,
    ) -> Result<Client, HttpError> {
        let identity = self.maker.identity(caller)?;
        let by = (identity.as_ref(), socket);
        let builder = self.maker.builder(0, &Resumption::disabled(), by)?;
        let builder = builder.http1_only().connector_layer(verbatim::hands_over());
        builder.build().map_err(failed)
    }

    /// Clients that keep nothing.
    fn passing(&self, caller: &Caller, socket: Option<&Arc<Path>>) -> Result<Clients, HttpError> {
        if caller.certificate.is_none() && socket.is_none() {
            return Ok(self.nobody.clone());
        }
        let identity = self.maker.identity(caller)?;
        let by = (identity.as_ref(), socket);
        let own = self.maker.client(0, &Resumption::disabled(), by)?;
        Ok(Clients {
            kept: own.clone(),
            own,
        })
    }
}

impl Maker {
    fn clients(
        &self,
        caller: &Caller,
        socket: Option<&Arc<Path>>,
        nobody: &Clients,
    ) -> Result<Clients, HttpError> {
        let sessions = Resumption::in_memory_sessions(SESSIONS);
        let identity = self.identity(caller)?;
        let by = (identity.as_ref(), socket);
        let idle = self.idle.load(Ordering::Relaxed);
        Ok(Clients {
            kept: self.client(idle, &sessions, by)?,
            own: match (&self.trust, socket) {
                // Without TLS nothing is left of a request whose connection is closed.
                (None, None) => nobody.own.clone(),
                _ => self.client(0, &sessions, by)?,
            },
        })
    }

    /// The certificate of a caller, which can only be presented where there is TLS.
    fn identity(&self, caller: &Caller) -> Result<Option<Identity>, HttpError> {
        let identity = match (&caller.certificate, &self.trust) {
            (None, _) => return Ok(None),
            (Some(own), Some(trust)) => trust.identity(own),
            (Some(_), None) => Err(
                "an `auth.certificate` is presented to a URL that is `https`, and there is none"
                    .to_owned(),
            ),
        };
        identity.map(Some).map_err(HttpError::Certificate)
    }

    fn client(
        &self,
        idle: usize,
        sessions: &Resumption,
        by: (Option<&Identity>, Option<&Arc<Path>>),
    ) -> Result<Client, HttpError> {
        let builder = self.builder(idle, sessions, by)?;
        builder.build().map_err(failed)
    }

    fn builder(
        &self,
        idle: usize,
        sessions: &Resumption,
        (own, socket): (Option<&Identity>, Option<&Arc<Path>>),
    ) -> Result<ClientBuilder, HttpError> {
        let mut builder = self.secured(Client::builder(), sessions, own)?.no_proxy();
        if let Some(url) = &self.route.proxy {
            builder = builder.proxy(Proxy::all(url.clone()).map_err(failed)?);
        }
        if let Some(socket) = socket {
            builder = builder.unix_socket(&**socket);
        }
        if self.route.http2 {
            builder = builder.http2_prior_knowledge();
        }
        Ok(builder
            .redirect(Policy::none())
            .retry(retry::never())
            .pool_max_idle_per_host(idle)
            .pool_idle_timeout(IDLE)
            .connect_timeout(CONNECTING.min(self.timeout / 2))
            .timeout(self.timeout)
            .user_agent(NAME))
    }

    fn secured(
        &self,
        builder: ClientBuilder,
        sessions: &Resumption,
        own: Option<&Identity>,
    ) -> Result<ClientBuilder, HttpError> {
        let Some(trust) = &self.trust else {
            // To read whom the system trusts takes milliseconds, and nobody asks.
            return Ok(builder.tls_certs_only([]));
        };
        let config = trust.config(sessions.clone(), own);
        let config = config.map_err(|error| HttpError::Client(error.to_string()))?;
        Ok(builder.tls_backend_preconfigured(config))
    }
}

#[expect(clippy::needless_pass_by_value, reason = "an error to be mapped")]
fn failed(error: reqwest::Error) -> HttpError {
    HttpError::Client(reason(&error))
}
