//! Any program as a service: started by a shell, ended with the run.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use authz_pin_database::blocking::{aside, in_place};
use authz_pin_database::tether::{Tether, tail};
use authz_pin_database::{Engine, file_of};
use futures::FutureExt;
use futures::future::BoxFuture;
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::Value as Json;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{Launch, LaunchError, Place, Running};
use crate::http::LARGEST_BODY;

/// The script that ties the service's life to ours.
const SCRIPT: &str = include_str!("command.sh");
/// How long a service may take until it listens.
const PATIENCE: Duration = Duration::from_mins(1);
/// The pause between two looks.
const TICK: Duration = Duration::from_millis(10);

/// The settings of the launcher `command`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// A line for the shell, run in the suite's folder. `HOST` and `PORT` in its environment say where to listen,
    /// `DATABASE_URL` which database it has, and `DATABASE_URL_<NAME>` which further ones; of a file `DATABASE_PATH` has the path.
    command: String,
    /// More of its environment.
    #[serde(default)]
    environment: BTreeMap<String, String>,
    /// Which database it is given.
    #[serde(default)]
    database: DatabaseSetting,
}

/// Which database a service is given: `true` or `postgres`, `sqlite`, or `false`.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "Json")]
struct DatabaseSetting(Option<Engine>);

impl Default for DatabaseSetting {
    fn default() -> Self {
        Self(Some(Engine::Postgres))
    }
}

impl TryFrom<Json> for DatabaseSetting {
    type Error = &'static str;

    fn try_from(setting: Json) -> Result<Self, Self::Error> {
        match (setting.as_bool(), setting.as_str()) {
            (Some(true), _) | (_, Some("postgres")) => Ok(Self::default()),
            (_, Some("sqlite")) => Ok(Self(Some(Engine::Sqlite))),
            (Some(false), _) => Ok(Self(None)),
            _ => Err("expected `true`, `false`, `postgres` or `sqlite`"),
        }
    }
}

/// Starts whatever a suite says.
#[derive(Debug, Clone, Copy)]
pub struct Command;

impl Launch for Command {
    fn name(&self) -> &'static str {
        "command"
    }

    fn database(&self, settings: &Json) -> Option<Engine> {
        let setting = settings.get("database").cloned();
        let setting = setting.map(DatabaseSetting::try_from);
        // A mistake is told when the service is started.
        setting
            .unwrap_or_else(|| Ok(DatabaseSetting::default()))
            .ok()?
            .0
    }

    fn launch(
        &self,
        place: Place<'_>,
        settings: Json,
    ) -> BoxFuture<'static, Result<Running, LaunchError>> {
        let program = Planned::new(place, &settings);
        async move {
            let program = program?;
            let mut program = aside(move || program.start()).await?;
            program.wait_until_it_listens().await?;
            Ok(Running {
                address: program.address,
                settle: None,
                stop: aside(move || drop(program)).boxed(),
            })
        }
        .boxed()
    }
}

/// A service that is to be started.
struct Planned {
    command: String,
    environment: Vec<(String, String)>,
    listen: SocketAddr,
    folder: PathBuf,
}

/// A started service.
struct Program {
    _shell: Tether,
    command: String,
    address: SocketAddr,
    log: PathBuf,
    _folder: TempDir,
}

impl Planned {
    fn new(place: Place<'_>, settings: &Json) -> Result<Self, LaunchError> {
        let settings = read(settings)?;
        let main = place.database_url.filter(|_| settings.database.0.is_some());
        let main = main.into_iter().flat_map(|url| told("", url));
        let further = place.databases.iter();
        let further = further.flat_map(|(name, url)| {
            told(&format!("_{}", name.to_uppercase()), url.expose_secret())
        });
        // What the suite says counts more.
        let environment = main.chain(further);
        Ok(Self {
            command: settings.command,
            environment: environment.chain(settings.environment).collect(),
            listen: place.listen,
            folder: place.folder.to_owned(),
        })
    }

    fn start(self) -> Result<Program, LaunchError> {
        let address = free(self.listen).map_err(|error| failed("cannot listen", &error))?;
        let folder = tempfile::tempdir().map_err(|error| failed("no place for a log", &error))?;
        let log = folder.path().join("log");
        let mut shell = std::process::Command::new("/bin/sh");
        shell
            .args(["-c", SCRIPT, "authz-pin-service", &self.command])
            .arg(&log)
            .env("HOST", address.ip().to_string())
            .env("PORT", address.port().to_string())
            .envs(self.environment)
            .current_dir(self.folder);
        let shell =
            Tether::spawn(&mut shell).map_err(|error| failed("cannot run /bin/sh", &error))?;
        Ok(Program {
            _shell: shell,
            command: self.command,
            address,
            log,
            _folder: folder,
        })
    }
}

impl Program {
    async fn wait_until_it_listens(&mut self) -> Result<(), LaunchError> {
        let start = Instant::now();
        while !self.listens().await {
            if let Some(status) = status_of(&self.log).await {
                return Err(self.failed(&format!("ended with status {status}")).await);
            }
            if start.elapsed() > PATIENCE {
                let (address, seconds) = (self.address, PATIENCE.as_secs());
                let how = format!("does not listen on {address} after {seconds} s");
                return Err(self.failed(&how).await);
            }
            tokio::time::sleep(TICK).await;
        }
        Ok(())
    }

    async fn listens(&self) -> bool {
        let connection = timeout(TICK, TcpStream::connect(self.address));
        matches!(connection.await, Ok(Ok(_)))
    }

    async fn failed(&self, how: &str) -> LaunchError {
        let log = self.log.clone();
        let said = aside(move || said(&log)).await;
        LaunchError::Start {
            message: format!("`{}` {how}; {said}", self.command),
            help: Some(
                "the command runs in the suite's folder, and is to listen on $HOST:$PORT"
                    .to_owned(),
            ),
        }
    }
}

/// What says to a service where one of its databases is: the URL, and of a file its path, since each library has a URL of its
/// own for files.
fn told(name: &str, url: &str) -> impl Iterator<Item = (String, String)> + use<> {
    let path = file_of(url).map(|path| path.display().to_string());
    let path = path.map(|path| (format!("DATABASE_PATH{name}"), path));
    std::iter::once((format!("DATABASE_URL{name}"), url.to_owned())).chain(path)
}

/// Runs a line for the shell to its end, with all that it starts, in `folder` and with `environment` besides ours. What it
/// prints is a part of the error, if it fails or takes longer than `patience`.
pub(crate) async fn run(
    command: &str,
    folder: &Path,
    environment: &[(&str, &str)],
    patience: Duration,
) -> Result<(), String> {
    let place = in_place(tempfile::tempdir);
    let place = place.map_err(|error| format!("no place for a log: {error}"))?;
    let log = place.path().join("log");
    to_its_end(command, (folder, environment), patience, (&log, &log)).await
}

/// The same for its standard output, which can be secret: only what else it prints is a part of the error.
pub(crate) async fn output(
    command: &str,
    folder: &Path,
    environment: &[(&str, &str)],
    patience: Duration,
) -> Result<Vec<u8>, String> {
    let place = in_place(tempfile::tempdir);
    let place = place.map_err(|error| format!("has no place for its output: {error}"))?;
    let (log, output) = (place.path().join("log"), place.path().join("output"));
    let files = (log.as_path(), output.as_path());
    to_its_end(command, (folder, environment), patience, files).await?;
    let length = in_place(|| std::fs::metadata(&output).map_or(0, |file| file.len()));
    if length > LARGEST_BODY as u64 {
        return Err(format!("prints more than {} MiB", LARGEST_BODY >> 20));
    }
    let read = in_place(|| std::fs::read(&output));
    read.map_err(|error| format!("has an output that cannot be read: {error}"))
}

async fn to_its_end(
    command: &str,
    (folder, environment): (&Path, &[(&str, &str)]),
    patience: Duration,
    (log, output): (&Path, &Path),
) -> Result<(), String> {
    let mut shell = std::process::Command::new("/bin/sh");
    shell
        .args(["-c", SCRIPT, "authz-pin-command", command])
        .args([log, output])
        .envs(environment.iter().copied())
        .current_dir(folder);
    let shell = in_place(|| Tether::spawn(&mut shell));
    let shell = shell.map_err(|error| format!("cannot run /bin/sh: {error}"))?;
    let start = Instant::now();
    let how = loop {
        match status_of(log).await.as_deref() {
            Some("0") => return Ok(()),
            Some(status) => break format!("ended with status {status}"),
            None if start.elapsed() > patience => {
                break format!("has not ended after {} s", patience.as_secs());
            }
            None => tokio::time::sleep(TICK).await,
        }
    };
    aside(move || drop(shell)).await;
    Err(format!("{how}; {}", in_place(|| said(log))))
}

/// The status of a command, once it has ended.
async fn status_of(log: &Path) -> Option<String> {
    let log = log.to_owned();
    aside(move || status(&log)).await
}

fn status(log: &Path) -> Option<String> {
    let status = std::fs::read_to_string(log.with_extension("status")).ok()?;
    status.strip_suffix('\n').map(str::to_owned)
}

/// What a command printed last.
fn said(log: &Path) -> String {
    match tail(log).as_str() {
        "" => "it printed nothing".to_owned(),
        tail => format!("it printed:\n{tail}"),
    }
}

fn read(settings: &Json) -> Result<Settings, LaunchError> {
    serde_path_to_error::deserialize(settings).map_err(|error| LaunchError::Settings {
        message: match error.path().to_string().as_str() {
            "." => error.inner().to_string(),
            path => format!("setting `{path}`: {}", error.inner()),
        },
        help: Some(
            "the settings of a command are `command`, `environment` and `database`".to_owned(),
        ),
    })
}

/// An address that nobody listens on: the one that is wanted, or with any free port.
fn free(listen: SocketAddr) -> std::io::Result<SocketAddr> {
    TcpListener::bind(listen)?.local_addr()
}

fn failed(what: &str, error: &std::io::Error) -> LaunchError {
    LaunchError::Start {
        message: format!("{what}: {error}"),
        help: None,
    }
}
