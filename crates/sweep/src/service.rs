//! The service under test: given from outside, or started here on a database of its own.

mod command;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use authz_pin_database::blocking::{aside, in_place};
use authz_pin_database::embedded::{Cluster, EmbeddedError};
use authz_pin_database::{Address, DatabaseError, Engine, addresses, url_of_file};
use authz_pin_suite::diagnostic::did_you_mean;
use authz_pin_suite::suite::Suite;
use authz_pin_suite::template::{Scope, TemplateError, Templates};
use authz_pin_suite::world::{Class, Field, World, variables};
use futures::future::BoxFuture;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value as Json;
use tempfile::TempDir;
use url::Url;

use crate::http::{HttpError, Route, Tls, TlsError};
use crate::sweep::{NOBODY, Service, register_logins};
use crate::symbols::Registry;

pub use command::Command;

pub(crate) use command::{output as run_program, run as run_command};

/// A service that authz-pin can start.
pub trait Launch {
    /// The name that a suite calls it by.
    fn name(&self) -> &str;

    /// Which database it needs, if any.
    fn database(&self, _settings: &Json) -> Option<Engine> {
        Some(Engine::Postgres)
    }

    /// Starts it.
    fn launch(
        &self,
        place: Place<'_>,
        settings: Json,
    ) -> BoxFuture<'static, Result<Running, LaunchError>>;
}

/// What a service is started with.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// Where it listens; port 0 is any that is free.
    pub listen: SocketAddr,
    /// Its database, if it needs one.
    pub database_url: Option<&'a str>,
    /// Its further databases, by the names that the suite has for them.
    pub databases: &'a BTreeMap<String, SecretString>,
    /// The suite's folder.
    pub folder: &'a Path,
}

/// Why a launcher did not start its service, in its own words.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// The settings are not what the service takes.
    #[error("{message}")]
    Settings {
        /// What is wrong with them.
        message: String,
        /// What would be right.
        help: Option<String>,
    },
    /// The service did not start.
    #[error("{message}")]
    Start {
        /// What went wrong.
        message: String,
        /// What to do about it.
        help: Option<String>,
    },
}

impl LaunchError {
    /// The same with names in place of secrets that the service was started with, which it may print as it ends.
    fn without(mut self, variables: &BTreeMap<String, Field>, addresses: &[Address<'_>]) -> Self {
        let mut secrets = Registry::default();
        for (name, field) in variables {
            if field.class == Class::Secret {
                secrets.add_secret("vars", name, &field.value);
            }
        }
        let databases = addresses
            .iter()
            .map(|address| (&address.which, address.url));
        register_logins(&mut secrets, databases, []);
        let (Self::Settings { message, .. } | Self::Start { message, .. }) = &mut self;
        *message = secrets.build().name(message, NOBODY).text;
        self
    }

    fn help(&self) -> Option<String> {
        let (Self::Settings { help, .. } | Self::Start { help, .. }) = self;
        help.clone()
    }
}

/// A service that was started here.
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    /// How long its database must be quiet, where it is not what the suite says: zero for one that answers after all its
    /// writes.
    pub settle: Option<Duration>,
    /// Ends it.
    pub stop: BoxFuture<'static, ()>,
}

/// A service that could not be reached or started.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// The suite has no default service.
    #[error("the suite `{0}` has no service of its own to start")]
    NoDefault(String),
    /// Nobody knows the suite's launcher.
    #[error("unknown launcher `{launcher}`")]
    UnknownLauncher {
        /// The launcher's name in the suite.
        launcher: String,
        /// The launchers that there are.
        known: Vec<String>,
    },
    /// The launcher failed.
    #[error("cannot start `{launcher}`")]
    Launch {
        /// The launcher's name.
        launcher: String,
        /// Why.
        #[source]
        reason: LaunchError,
    },
    /// The service never became ready.
    #[error("the service is not ready: {last} ({} in {seconds} s)", times(*tries))]
    NotReady {
        /// The last answer or failure, with what was asked.
        last: String,
        /// How often it was asked.
        tries: usize,
        /// For how long.
        seconds: u64,
    },
    /// The embedded PostgreSQL did not start.
    #[error(transparent)]
    Embedded(#[from] EmbeddedError),
    /// There is no folder for the database's file.
    #[error("no folder for a database")]
    NoFolder(#[source] std::io::Error),
    /// The given database could not be used.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The client could not be made.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The launcher's settings could not be rendered.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// A URL that the suite has a name for was not given.
    #[error("the suite's `service.urls.{0}` has no value")]
    NoUrl(String),
    /// Certificates cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The started service's address is not a URL.
    #[error("`{0}` is not an address")]
    Address(String),
}

impl ServiceError {
    /// What to do about it.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        match self {
            Self::NoDefault(_) => Some(
                "give a service's URL with --base-url, or name a launcher under `service.default` of suite.yaml"
                    .to_owned(),
            ),
            Self::UnknownLauncher { known, .. } if known.is_empty() => {
                Some("this build has no service of its own; give one with --base-url".to_owned())
            }
            Self::UnknownLauncher { launcher, known } => {
                did_you_mean(launcher, known.iter().map(String::as_str))
            }
            Self::NotReady { last, .. } if last.contains(UNTRUSTED) => Some(
                "trust whoever signed that certificate, such as a proxy, with `service.tls.ca` of suite.yaml"
                    .to_owned(),
            ),
            Self::NotReady { .. } => Some(
                "start the service, give it longer with --wait, or correct --base-url or `service.ready` of the suite"
                    .to_owned(),
            ),
            Self::NoUrl(name) => Some(format!("give one with --base-url {name}=URL")),
            Self::Launch { reason, .. } => reason.help(),
            Self::Embedded(error) => error.help(),
            _ => None,
        }
    }
}

/// How the client begins to say that it does not trust a certificate.
const UNTRUSTED: &str = "invalid peer certificate";

fn times(tries: usize) -> String {
    match tries {
        1 => "1 try".to_owned(),
        tries => format!("{tries} tries"),
    }
}

/// What was given from outside.
#[derive(Debug, Clone, Default)]
pub struct Given {
    /// The service's URL; without it the suite's default service is started.
    pub base_url: Option<Url>,
    /// Other URLs of the service, by the names that the suite has for them.
    pub urls: BTreeMap<String, Url>,
    /// The main database's URL; without it the default service gets an embedded one, and all further ones that the suite has.
    pub database_url: Option<SecretString>,
    /// Those of further databases, by the names that the suite has for them.
    pub databases: BTreeMap<String, SecretString>,
    /// The suite's variables.
    pub variables: BTreeMap<String, SecretString>,
    /// Settings of the default service, over those of the suite.
    pub settings: BTreeMap<String, Json>,
    /// The names of databases that may be swept whatever they look like.
    pub allow_database: Vec<String>,
    /// Whether the subscribers of a publication for all tables may get the rows that the journal logs.
    pub allow_publication: bool,
    /// Where the default service listens.
    pub listen: Option<SocketAddr>,
    /// A proxy that all requests go through.
    pub proxy: Option<Url>,
    /// How long a service that was not started here may take until it is ready.
    pub wait: Duration,
}

/// A service that is ready to be swept, with what was started for it.
pub struct Started {
    /// How the service is reached.
    pub service: Service,
    running: Option<Running>,
    home: Option<Home>,
}

/// How long a service that was started here may take until it is ready.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long it may take for one answer: what accepts a connection and says nothing is not ready.
const ANSWER: Duration = Duration::from_secs(5);
/// The first pause between two questions; it doubles.
const PAUSE: Duration = Duration::from_millis(5);

impl Started {
    /// Reaches the given service, or starts the suite's own.
    pub async fn new(
        suite: &Suite,
        given: &Given,
        launchers: &[&dyn Launch],
    ) -> Result<Self, ServiceError> {
        let started = match &given.base_url {
            Some(base_url) => Self::outside(suite, given, base_url.clone())?,
            None => Self::own(suite, given, launchers).await?,
        };
        let patience = match started.running {
            Some(_) => PATIENCE,
            None => given.wait,
        };
        started.wait_until_ready(suite, patience).await?;
        Ok(started)
    }

    fn outside(suite: &Suite, given: &Given, base_url: Url) -> Result<Self, ServiceError> {
        let templates = Templates::new();
        let variables = variables(suite, &templates, &given.variables)?;
        let (urls, tls) = reached(suite, given, &templates, &World::outside(&variables))?;
        let service = Service {
            base_url,
            urls,
            tls,
            route: route(suite, given),
            database_url: given.database_url.clone(),
            databases: given.databases.clone(),
            settle: Duration::from_millis(suite.file.service.settle_ms),
            ephemeral: false,
            variables: kept(variables),
        };
        Ok(Self {
            service,
            running: None,
            home: None,
        })
    }

    async fn own(
        suite: &Suite,
        given: &Given,
        launchers: &[&dyn Launch],
    ) -> Result<Self, ServiceError> {
        let default = suite.file.service.default.as_ref();
        let spec = default.ok_or_else(|| ServiceError::NoDefault(suite.file.name.clone()))?;
        let launcher = find(launchers, &spec.launcher)?;
        // The variables are drawn here, so that the service and the sweep get the same ones.
        let templates = Templates::new();
        let variables = variables(suite, &templates, &given.variables)?;
        let mut settings = templates.render(&spec.settings, &World::outside(&variables))?;
        if let Some(settings) = settings.as_object_mut() {
            settings.extend(given.settings.clone());
        }
        let (urls, tls) = reached(suite, given, &templates, &World::outside(&variables))?;
        let databases = match (&given.database_url, launcher.database(&settings)) {
            (Some(_), _) => Databases::given(suite, given).await?,
            (None, None) => Databases::default(),
            (None, Some(engine)) => Databases::new(suite, engine).await?,
        };
        let listen = given
            .listen
            .unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 0)));
        let fail = |reason: LaunchError| ServiceError::Launch {
            launcher: spec.launcher.clone(),
            reason: reason.without(&variables, &databases.addresses(suite)),
        };
        let main = databases.main.as_ref();
        let place = Place {
            listen,
            database_url: main.map(ExposeSecret::expose_secret),
            databases: &databases.further,
            folder: &suite.folder,
        };
        let running = launcher.launch(place, settings).await.map_err(fail)?;
        let base_url = format!("http://{}", running.address);
        let service = Service {
            base_url: Url::parse(&base_url).map_err(|_| ServiceError::Address(base_url))?,
            urls,
            tls,
            route: route(suite, given),
            database_url: databases.main,
            databases: databases.further,
            settle: running
                .settle
                .unwrap_or(Duration::from_millis(suite.file.service.settle_ms)),
            ephemeral: databases.home.is_some(),
            variables: kept(variables),
        };
        Ok(Self {
            service,
            running: Some(running),
            home: databases.home,
        })
    }

    /// Asks until the service says that it is ready, with growing pauses.
    async fn wait_until_ready(
        &self,
        suite: &Suite,
        patience: Duration,
    ) -> Result<(), ServiceError> {
        let timeout = Duration::from_secs(suite.file.service.timeout_s).min(ANSWER);
        let http = self.service.http(timeout)?;
        let path = &suite.file.service.ready;
        http.url(path)?;
        let start = Instant::now();
        let mut pause = PAUSE;
        let mut tries = 0;
        loop {
            tries += 1;
            let Err(last) = http.ready(path).await else {
                return Ok(());
            };
            if start.elapsed() + pause > patience {
                return Err(ServiceError::NotReady {
                    last,
                    tries,
                    seconds: start.elapsed().as_secs(),
                });
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(1));
        }
    }

    /// Ends what was started here.
    pub async fn stop(self) {
        if let Some(running) = self.running {
            running.stop.await;
        }
        aside(move || drop(self.home)).await;
    }
}

/// By which way the service is reached.
fn route(suite: &Suite, given: &Given) -> Route {
    Route {
        proxy: given.proxy.clone(),
        http2: suite.file.service.http2,
    }
}

/// The suite's variables as they were drawn, so that everything of the run has the same ones.
fn kept(variables: BTreeMap<String, Field>) -> BTreeMap<String, SecretString> {
    let variables = variables.into_iter();
    variables
        .map(|(name, field)| (name, field.value.into()))
        .collect()
}

/// The other URLs of the service, and the certificates that the suite names.
fn reached(
    suite: &Suite,
    given: &Given,
    templates: &Templates,
    scope: &Scope,
) -> Result<(BTreeMap<String, Url>, Tls), ServiceError> {
    let mut urls = BTreeMap::new();
    for (name, template) in &suite.file.service.urls {
        let url = match (given.urls.get(name), template) {
            (Some(url), _) => url.clone(),
            (None, None) => return Err(ServiceError::NoUrl(name.clone())),
            (None, Some(template)) => {
                let text = templates.render_text(template, scope)?;
                Url::parse(&text).map_err(|_| ServiceError::Address(template.clone()))?
            }
        };
        urls.insert(name.clone(), url);
    }
    for template in suite.token_urls() {
        let text = templates.render_text(template, scope)?;
        let url = Url::parse(&text).map_err(|_| ServiceError::Address(template.clone()))?;
        urls.insert(template.clone(), url);
    }
    let spec = &suite.file.service.tls;
    let tls = in_place(|| Tls::read(&suite.folder, spec, templates, scope))?;
    Ok((urls, tls))
}

fn find<'a>(launchers: &[&'a dyn Launch], name: &str) -> Result<&'a dyn Launch, ServiceError> {
    let found = launchers.iter().find(|launcher| launcher.name() == name);
    found.copied().ok_or_else(|| ServiceError::UnknownLauncher {
        launcher: name.to_owned(),
        known: launchers
            .iter()
            .map(|launcher| launcher.name().to_owned())
            .collect(),
    })
}

/// Where databases are that end with the run.
enum Home {
    /// An embedded server.
    Postgres(Cluster),
    /// A folder for files.
    Sqlite(TempDir),
}

impl Home {
    fn new(engine: Engine) -> Result<Self, ServiceError> {
        Ok(match engine {
            Engine::Postgres => Self::Postgres(Cluster::start()?),
            Engine::Sqlite => Self::Sqlite(tempfile::tempdir().map_err(ServiceError::NoFolder)?),
        })
    }

    /// The URL of a new database.
    async fn create(&self, name: &str) -> Result<String, ServiceError> {
        match self {
            Self::Postgres(cluster) => Ok(cluster.create_database(name).await?),
            // The service makes the file, or the first who connects.
            Self::Sqlite(folder) => {
                let file = folder.path().join(name).with_extension("db");
                Ok(url_of_file(&file))
            }
        }
    }
}

/// The databases that a service is started on.
#[derive(Default)]
struct Databases {
    /// Where they are, if they were made for the run.
    home: Option<Home>,
    main: Option<SecretString>,
    further: BTreeMap<String, SecretString>,
}

impl Databases {
    /// Those that were given. A launcher says less of a database that is not there, or waits for it forever.
    async fn given(suite: &Suite, given: &Given) -> Result<Self, ServiceError> {
        for address in given.addresses(suite) {
            address.connect().await?;
        }
        Ok(Self {
            home: None,
            main: given.database_url.clone(),
            further: given.databases.clone(),
        })
    }

    /// New ones: one for each that the suite has.
    async fn new(suite: &Suite, engine: Engine) -> Result<Self, ServiceError> {
        let home = aside(move || Home::new(engine)).await?;
        let main = home.create("service").await?;
        let mut further = BTreeMap::new();
        for name in suite.file.service.databases.keys() {
            let url = home.create(&format!("service_{name}")).await?;
            further.insert(name.clone(), url.into());
        }
        Ok(Self {
            home: Some(home),
            main: Some(main.into()),
            further,
        })
    }

    fn addresses<'s>(&'s self, suite: &'s Suite) -> Vec<Address<'s>> {
        addresses(&suite.file.service, self.main.as_ref(), &self.further)
    }
}

impl Given {
    /// Where the databases are that were given.
    #[must_use]
    pub fn addresses<'s>(&'s self, suite: &'s Suite) -> Vec<Address<'s>> {
        addresses(
            &suite.file.service,
            self.database_url.as_ref(),
            &self.databases,
        )
    }
}
