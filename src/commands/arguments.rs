//! Argument groups that several commands share; each loads itself.

mod databases;

use std::collections::BTreeMap;
use std::env::VarError;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use authz_pin_suite::diagnostic::{list, quoted};
use authz_pin_suite::plan::{EndpointPlan, Filter, PlannedCell, Shard, plan};
use authz_pin_suite::snapshot;
use authz_pin_suite::suite::Suite;
use authz_pin_sweep::dry_run::nulls;
use authz_pin_sweep::har::Recording;
use authz_pin_sweep::service::Given;
use authz_pin_sweep::sweep::Options;
use clap::builder::FalseyValueParser;
use clap::{Args, ValueEnum};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value as Json;
use url::Url;

use super::{Failure, told};
use crate::exit::Exit;
use crate::review::{self, Pending};

pub(super) use databases::{DATABASE_PREFIX, DatabaseUrls};

/// Which snapshots.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Snapshots")]
pub struct SnapshotArgs {
    /// The folder of the snapshots [default: as `suite.yaml` says]
    #[arg(long, value_name = "FOLDER")]
    pub snapshots: Option<PathBuf>,
}

impl SnapshotArgs {
    /// Lets the suite's snapshots be in the given folder.
    pub fn apply(&self, suite: &mut Suite) -> Result<(), Failure> {
        if let Some(folder) = &self.snapshots {
            suite.file.snapshots = std::path::absolute(folder).map_err(Failure::path(folder))?;
        }
        Ok(())
    }
}

/// Prefix of the environment variables that set a suite's variables.
const VARIABLE_PREFIX: &str = "AUTHZ_PIN_VAR_";

/// Prefix of the environment variables that give the URLs which a suite has names for.
const URL_PREFIX: &str = "AUTHZ_PIN_BASE_URL_";

/// Which cells.
#[derive(Debug, Clone, Default, Args)]
pub struct SuiteArgs {
    /// The suite's folder [default: this folder, else the one in `suites`, of several the one with a default service]
    #[arg(value_name = "SUITE")]
    pub suite: Option<PathBuf>,
    /// Only cells that match ENDPOINT[/TARGET[/ACTOR]], with `*` for any characters; can be repeated
    #[arg(long, short, value_name = "PATTERN")]
    pub filter: Vec<String>,
    /// Only one of N parts of the endpoints, for jobs that run beside each other
    #[arg(long, value_name = "I/N")]
    pub shard: Option<Shard>,
}

impl SuiteArgs {
    /// Reads the suite.
    pub fn load(&self) -> Result<Suite, Failure> {
        load(self.suite.as_deref())
    }

    /// The cells that the filter and the shard select. A filter that selects none is a slip. A shard that has none is not,
    /// since there can be more jobs than endpoints: this is only told. A cell that cannot be called, since a value is null,
    /// is a mistake of the suite.
    pub fn plan<'a>(
        &self,
        suite: &'a Suite,
        err: &mut dyn Write,
    ) -> Result<Vec<EndpointPlan<'a>>, Failure> {
        let mut cells = self.filtered(suite)?;
        if let Some(shard) = self.shard {
            cells.retain(|plan| shard.has(&plan.endpoint.name));
            if cells.is_empty() {
                told(writeln!(
                    err,
                    "note: none of the endpoints is in shard {shard}"
                ))?;
            }
        }
        nulls(suite, &cells).into_result()?;
        Ok(cells)
    }

    /// Whether everything is selected.
    pub(super) fn is_whole(&self) -> bool {
        self.filter.is_empty() && self.shard.is_none()
    }

    /// The cells that the filter selects; none is a failure of its own.
    fn filtered<'a>(&self, suite: &'a Suite) -> Result<Vec<EndpointPlan<'a>>, Failure> {
        let cells = plan(suite, &Filter::new(&self.filter)?);
        // A pattern that selects nothing is a slip even where another one selects something.
        for pattern in &self.filter {
            if plan(suite, &Filter::new(std::slice::from_ref(pattern))?).is_empty() {
                return Err(no_cell(pattern));
            }
        }
        if cells.is_empty() {
            let failure = Failure::new(Exit::NothingSelected, "the suite has no cells");
            return Err(failure.help("give world.yaml an actor, and each endpoint a target"));
        }
        Ok(cells)
    }
}

/// Reads the suite in a folder, or the one that is meant where none is given.
pub fn load(folder: Option<&Path>) -> Result<Suite, Failure> {
    let folder = match folder {
        Some(folder) => folder.to_owned(),
        None => default_folder(Path::new("."))?,
    };
    Ok(Suite::load(&folder)?)
}

fn no_cell(pattern: &str) -> Failure {
    let message = format!("no cell matches {}", quoted(pattern));
    Failure::new(Exit::NothingSelected, message)
        .help("`authz-pin list` shows the cells as ENDPOINT/TARGET/ACTOR")
}

/// Which of the snapshots that wait for review.
#[derive(Debug, Clone, Default, Args)]
pub struct PendingArgs {
    /// The suite's folder [default: this folder, else the one in `suites`, of several the one with a default service]
    #[arg(value_name = "SUITE")]
    suite: Option<PathBuf>,
    /// Only endpoints that match ENDPOINT, with `*` for any characters; can be repeated
    #[arg(long, short, value_name = "ENDPOINT")]
    filter: Vec<String>,
    #[command(flatten)]
    snapshots: SnapshotArgs,
}

impl PendingArgs {
    /// The snapshots that wait, in the order of their names; none is a failure of its own.
    pub fn load(&self) -> Result<Vec<Pending>, Failure> {
        let pending = self.list()?;
        if pending.is_empty() {
            let failure = Failure::new(Exit::NothingSelected, "no snapshot waits for review");
            return Err(failure.help("`authz-pin check` writes a `.snap.new` beside what differs"));
        }
        Ok(pending)
    }

    /// The suite that they are of.
    pub fn suite(&self) -> Result<Suite, Failure> {
        let mut suite = load(self.suite.as_deref())?;
        self.snapshots.apply(&mut suite)?;
        Ok(suite)
    }

    /// The snapshots that wait, in the order of their names. A pattern that selects none is a slip.
    pub fn list(&self) -> Result<Vec<Pending>, Failure> {
        self.list_of(&self.suite()?)
    }

    /// The same where the suite is read already.
    pub fn list_of(&self, suite: &Suite) -> Result<Vec<Pending>, Failure> {
        snapshot::admit(&suite.snapshots())?;
        let mut snapshots = snapshot::pending(&suite.snapshots())?;
        let renamed = review::renamed(suite, &snapshots)?;
        // What waited under an earlier name goes with that one.
        let is_former = |name: &str| renamed.values().any(|former| former.name() == name);
        snapshots.retain(|one| !is_former(&one.name()));
        for pattern in &self.filter {
            let filter = endpoints(std::slice::from_ref(pattern))?;
            if !snapshots.iter().any(|one| filter(&one.name())) {
                return Err(no_snapshot(pattern));
            }
        }
        let filter = endpoints(&self.filter)?;
        snapshots.retain(|one| filter(&one.name()));
        let pending = snapshots.into_iter().map(|one| {
            let former = renamed.get(&one.name());
            Pending::read(one, former, &suite.file.levels)
        });
        Ok(pending.collect::<Result<_, _>>()?)
    }
}

/// Whether an endpoint is one of those that any of the patterns matches.
fn endpoints(patterns: &[String]) -> Result<impl Fn(&str) -> bool + use<>, Failure> {
    if let Some(pattern) = patterns.iter().find(|pattern| pattern.contains('/')) {
        let message = format!("{} is about cells", quoted(pattern));
        return Err(Failure::new(Exit::Usage, message)
            .help("a snapshot holds a whole endpoint: filter by endpoints"));
    }
    let filter = Filter::new(patterns)?;
    Ok(move |endpoint: &str| {
        let none = String::new();
        filter.selects(&PlannedCell {
            endpoint: &endpoint.to_owned(),
            target: &none,
            actor: &none,
        })
    })
}

fn no_snapshot(pattern: &str) -> Failure {
    let message = format!(
        "no snapshot that waits for review matches {}",
        quoted(pattern)
    );
    Failure::new(Exit::NothingSelected, message)
        .help("`authz-pin pending-snapshots` lists those that wait")
}

fn default_folder(here: &Path) -> Result<PathBuf, Failure> {
    if here.join("suite.yaml").is_file() {
        return Ok(here.to_owned());
    }
    let entries = std::fs::read_dir(here.join("suites"))
        .into_iter()
        .flatten()
        .flatten();
    let mut folders: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|folder| folder.join("suite.yaml").is_file())
        .collect();
    // Of several, the one that runs as it is: the others need a service that is given, and can be named with it.
    if folders.len() > 1
        && folders
            .iter()
            .any(|folder| Suite::has_default_service(folder))
    {
        folders.retain(|folder| Suite::has_default_service(folder));
    }
    match folders.as_slice() {
        [folder] => Ok(folder.strip_prefix(here).unwrap_or(folder).to_owned()),
        [_, ..] => Err(Failure::new(Exit::Usage, "`suites` has several suites")
            .help("name one: authz-pin check suites/NAME")),
        [] => Err(Failure::new(Exit::Usage, "there is no suite here")
            .help("name its folder: authz-pin check FOLDER")),
    }
}

/// Where the service is.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Service")]
pub struct ServiceArgs {
    /// The service's URL; without it the suite's own default service is started. NAME=URL gives another URL that the suite has a name for; can be repeated
    #[arg(
        long,
        env = "AUTHZ_PIN_BASE_URL",
        value_name = "[NAME=]URL",
        hide_env_values = true
    )]
    #[arg(conflicts_with = "setting")]
    pub base_url: Vec<SecretString>,
    /// A proxy to send all requests through, for somebody who looks at them; those of the environment are not used
    #[arg(long, value_name = "URL")]
    pub proxy: Option<SecretString>,
    /// How long the service at --base-url may take until it is ready
    #[arg(long, value_name = "SECONDS", default_value_t = WAIT)]
    pub wait: u64,
    /// The database to sweep although it does not look like one for tests, by its name; of several each has to be named, with commas between or by repeating this
    #[arg(
        long,
        env = "AUTHZ_PIN_ALLOW_DATABASE",
        value_name = "NAME",
        value_delimiter = ',',
        hide_env_values = true
    )]
    pub allow_database: Vec<String>,
    /// Sweep although a publication for all tables sends its subscribers the rows that the journal logs
    #[arg(
        long,
        env = "AUTHZ_PIN_ALLOW_PUBLICATION",
        value_parser = FalseyValueParser::new(),
        hide_env_values = true
    )]
    pub allow_publication: bool,
    #[command(flatten)]
    own: OwnServiceArgs,
}

/// Long enough for a service that starts beside the tool, short enough for somebody who waits for an error.
const WAIT: u64 = 5;

impl Default for ServiceArgs {
    fn default() -> Self {
        Self {
            base_url: Vec::new(),
            proxy: None,
            wait: WAIT,
            allow_database: Vec::new(),
            allow_publication: false,
            own: OwnServiceArgs::default(),
        }
    }
}

impl ServiceArgs {
    /// Resolves flags and environment, and refuses variables that the suite does not have.
    pub fn resolve(&self, suite: &Suite) -> Result<Given, Failure> {
        let mut given = self.own.resolve(suite)?;
        for text in &self.base_url {
            match named_url(text) {
                Some((name, url)) => {
                    let known = &suite.file.service.urls;
                    if !known.contains_key(&name) {
                        return Err(no_url(&name, known.keys().map(String::as_str)));
                    }
                    given.urls.insert(name, http_url(&url)?);
                }
                None if given.base_url.is_some() => {
                    let message = "the service has one URL without a name";
                    return Err(Failure::new(Exit::Usage, message).help(
                        "give others as --base-url NAME=URL, with a name of `service.urls`",
                    ));
                }
                None => given.base_url = Some(http_url(text)?),
            }
        }
        for name in suite.file.service.urls.keys() {
            let variable = format!("{URL_PREFIX}{}", name.to_uppercase());
            if !given.urls.contains_key(name)
                && let Some(url) = environment(&variable)?
            {
                given.urls.insert(name.clone(), http_url(&url)?);
            }
        }
        let proxy = self.proxy.as_ref().map(proxy_url).transpose()?;
        Ok(Given {
            proxy,
            wait: Duration::from_secs(self.wait),
            // As with the database's URL: a CI may leave it empty.
            allow_database: self
                .allow_database
                .iter()
                .filter(|name| !name.is_empty())
                .cloned()
                .collect(),
            allow_publication: self.allow_publication,
            ..given
        })
    }
}

/// How the suite's own service is started.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Service")]
pub struct OwnServiceArgs {
    /// The service's database, as `postgres://USER:PASSWORD@HOST/DATABASE` or `sqlite:FILE`. NAME=URL gives another database that the suite has a name for; can be repeated
    #[arg(
        long,
        env = "AUTHZ_PIN_DATABASE_URL",
        value_name = "[NAME=]URL",
        hide_env_values = true
    )]
    database_url: Vec<SecretString>,
    /// A variable of the suite; `AUTHZ_PIN_VAR_<NAME>` in the environment does the same and keeps a secret out of the process list
    #[arg(long, value_name = "NAME=VALUE")]
    var: Vec<SecretString>,
    /// A setting of the suite's default service, as JSON or text
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    setting: Vec<(String, String)>,
}

impl OwnServiceArgs {
    /// Resolves flags and environment, and refuses variables that the suite does not have.
    pub fn resolve(&self, suite: &Suite) -> Result<Given, Failure> {
        let known = &suite.file.variables;
        let given = self.var.iter().map(variable);
        let given: Vec<(String, SecretString)> = given.collect::<Result<_, _>>()?;
        if let Some((name, _)) = given.iter().find(|(name, _)| !known.contains_key(name)) {
            return Err(no_variable(name, known.keys().map(String::as_str)));
        }
        let mut variables = BTreeMap::<String, SecretString>::new();
        for name in known.keys() {
            let value = environment(&format!("{VARIABLE_PREFIX}{}", name.to_uppercase()))?;
            variables.extend(value.map(|value| (name.clone(), value)));
        }
        variables.extend(given);
        let setting = |(name, value): &(String, String)| (name.clone(), json_or_text(value));
        let urls = DatabaseUrls::of(&self.database_url, suite)?;
        Ok(Given {
            database_url: urls.main,
            databases: urls.further,
            variables,
            settings: self.setting.iter().map(setting).collect(),
            ..Given::default()
        })
    }
}

/// A variable of the environment. One that is no text is not taken for one that is not set.
fn environment(name: &str) -> Result<Option<SecretString>, Failure> {
    match std::env::var(name) {
        Ok(value) => Ok(Some(value.into())),
        Err(VarError::NotPresent) => Ok(None),
        // The error would show the value.
        Err(VarError::NotUnicode(_)) => {
            let message = format!("the variable `{name}` of the environment is not valid UTF-8");
            Err(Failure::new(Exit::Usage, message))
        }
    }
}

fn no_variable<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Failure {
    let message = format!("the suite has no variable {}", quoted(name));
    Failure::new(Exit::Usage, message).help(match list(known).as_str() {
        "" => "it has none at all".to_owned(),
        known => format!("known: {known}"),
    })
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// A variable. Read here and not by the parser of arguments, whose error would show the value.
fn variable(text: &SecretString) -> Result<(String, SecretString), Failure> {
    let (name, value) = pair(text.expose_secret()).map_err(|expected| {
        Failure::new(
            Exit::Usage,
            format!("invalid value for '--var <NAME=VALUE>': {expected}"),
        )
    })?;
    Ok((name, value.into()))
}

/// `NAME=URL` as its parts; a URL has no `=` before its colon.
fn named_url(text: &SecretString) -> Option<(String, SecretString)> {
    let (name, url) = text.expose_secret().split_once('=')?;
    let is_name = !name.is_empty() && !name.contains([':', '/', '?']);
    is_name.then(|| (name.to_owned(), url.into()))
}

fn no_url<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Failure {
    let message = format!("the suite has no URL {}", quoted(name));
    Failure::new(Exit::Usage, message).help(match list(known).as_str() {
        "" => "name it under `service.urls` of suite.yaml".to_owned(),
        known => format!("known: {known}"),
    })
}

/// The URL of a service. Read here for the same reason.
fn proxy_url(text: &SecretString) -> Result<Url, Failure> {
    let url = Url::parse(text.expose_secret()).ok();
    let url = url.filter(|url| matches!(url.scheme(), "http" | "https"));
    url.ok_or_else(|| {
        let message = "the value of '--proxy <URL>' is not the URL of a proxy";
        Failure::new(Exit::Usage, message).help("give one such as http://localhost:8080")
    })
}

fn http_url(text: &SecretString) -> Result<Url, Failure> {
    let text = text.expose_secret();
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(url),
        Ok(url) if url.scheme() == "unix" && !url.path().is_empty() => Ok(url),
        _ => {
            let shown = text
                .rsplit_once('@')
                .map_or_else(|| text.to_owned(), |(_, host)| format!("***@{host}"));
            let message = format!(
                "invalid value '{shown}' for '--base-url <URL>': expected a URL such as http://localhost:4000"
            );
            Err(Failure::new(Exit::Usage, message))
        }
    }
}

fn json_or_text(text: &str) -> Json {
    serde_json::from_str(text).unwrap_or_else(|_| Json::from(text))
}

/// How to sweep.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Sweep")]
pub struct SweepArgs {
    /// How many calls are under way at once; changes nothing in the records
    #[arg(long, short, default_value_t = 16, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub concurrency: u16,
    /// Send at most so many requests a second, setups and probes included
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub rate_limit: Option<u32>,
    /// Fire each endpoint's cells in an order drawn from this number; changes nothing in the records
    #[arg(long, value_name = "SEED")]
    pub shuffle: Option<u64>,
    /// Write what was sent and answered to a HAR file that only you can read, with names in place of the run's values
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub har: Option<PathBuf>,
}

impl Default for SweepArgs {
    fn default() -> Self {
        Self {
            concurrency: 16,
            rate_limit: None,
            shuffle: None,
            har: None,
        }
    }
}

impl SweepArgs {
    /// Where what is sent is kept, if a file for it was named.
    pub(super) fn recording(&self) -> Option<Arc<Recording>> {
        self.har.as_ref().map(|_| Arc::default())
    }

    /// Writes what was sent, if anything was.
    pub(super) fn write_har(&self, recording: Option<&Arc<Recording>>) -> Result<(), Failure> {
        let sent = recording.filter(|recording| recording.has_begun());
        let (Some(file), Some(recording)) = (&self.har, sent) else {
            return Ok(());
        };
        recording.write(file).map_err(|error| {
            let message = format!("cannot write `{}`: {error}", file.display());
            Failure::new(Exit::Usage, message)
        })
    }
}

impl From<&SweepArgs> for Options {
    fn from(args: &SweepArgs) -> Self {
        Self {
            concurrency: args.concurrency.into(),
            shuffle: args.shuffle,
            rate_limit: args.rate_limit,
            calls: false,
            pinned: None,
            har: args.recording(),
            compared: false,
        }
    }
}

/// The form of a result.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For a person.
    #[default]
    Human,
    /// For a program.
    Json,
}
