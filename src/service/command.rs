//! Any program as a service: started by a shell, ended with the run.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::future::BoxFuture;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value as Json;
use tempfile::TempDir;

use super::{Launch, LaunchError, Place, Running};
use crate::tether::{Tether, tail};

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
    /// `DATABASE_URL` which database it has, and `DATABASE_URL_<NAME>` which further ones.
    command: String,
    /// More of its environment.
    #[serde(default)]
    environment: BTreeMap<String, String>,
    /// Whether it is given a database.
    #[serde(default = "yes")]
    database: bool,
}

fn yes() -> bool {
    true
}

/// Starts whatever a suite says.
#[derive(Debug, Clone, Copy)]
pub struct Command;

impl Launch for Command {
    fn name(&self) -> &'static str {
        "command"
    }

    fn needs_database(&self, settings: &Json) -> bool {
        settings.get("database") != Some(&Json::Bool(false))
    }

    fn launch(
        &self,
        place: Place<'_>,
        settings: Json,
    ) -> BoxFuture<'static, Result<Running, LaunchError>> {
        let program = Program::start(place, &settings);
        async move {
            let mut program = program?;
            program.wait_until_it_listens().await?;
            Ok(Running {
                address: program.address,
                settle: None,
                stop: async move { drop(program) }.boxed(),
            })
        }
        .boxed()
    }
}

/// A started service.
struct Program {
    _shell: Tether,
    command: String,
    address: SocketAddr,
    log: PathBuf,
    _folder: TempDir,
}

impl Program {
    fn start(place: Place<'_>, settings: &Json) -> Result<Self, LaunchError> {
        let settings = read(settings)?;
        let address = free(place.listen).map_err(|error| failed("cannot listen", &error))?;
        let folder = tempfile::tempdir().map_err(|error| failed("no place for a log", &error))?;
        let log = folder.path().join("log");
        let database = place.database_url.filter(|_| settings.database);
        let mut shell = std::process::Command::new("/bin/sh");
        shell
            .args(["-c", SCRIPT, "authz-pin-service", &settings.command])
            .arg(&log)
            .env("HOST", address.ip().to_string())
            .env("PORT", address.port().to_string())
            .envs(database.map(|url| ("DATABASE_URL", url)))
            .envs(place.databases.iter().map(of_database))
            .envs(&settings.environment)
            .current_dir(place.folder);
        let shell =
            Tether::spawn(&mut shell).map_err(|error| failed("cannot run /bin/sh", &error))?;
        Ok(Self {
            _shell: shell,
            command: settings.command,
            address,
            log,
            _folder: folder,
        })
    }

    async fn wait_until_it_listens(&mut self) -> Result<(), LaunchError> {
        let start = Instant::now();
        while TcpStream::connect_timeout(&self.address, TICK).is_err() {
            if let Some(status) = status(&self.log) {
                return Err(self.failed(&format!("ended with status {status}")));
            }
            if start.elapsed() > PATIENCE {
                let (address, seconds) = (self.address, PATIENCE.as_secs());
                return Err(self.failed(&format!("does not listen on {address} after {seconds} s")));
            }
            tokio::time::sleep(TICK).await;
        }
        Ok(())
    }

    fn failed(&self, how: &str) -> LaunchError {
        LaunchError::Start {
            message: format!("`{}` {how}; {}", self.command, said(&self.log)),
            help: Some(
                "the command runs in the suite's folder, and is to listen on $HOST:$PORT"
                    .to_owned(),
            ),
        }
    }
}

/// What says to a service where one of its further databases is.
fn of_database((name, url): (&String, &SecretString)) -> (String, String) {
    let variable = format!("DATABASE_URL_{}", name.to_uppercase());
    (variable, url.expose_secret().to_owned())
}

/// Runs a line for the shell to its end, with all that it starts, in `folder` and with `environment` besides ours. What it
/// prints is a part of the error, if it fails or takes longer than `patience`.
pub(crate) async fn run(
    command: &str,
    folder: &Path,
    environment: &[(&str, &str)],
    patience: Duration,
) -> Result<(), String> {
    let place = tempfile::tempdir().map_err(|error| format!("no place for a log: {error}"))?;
    let log = place.path().join("log");
    let mut shell = std::process::Command::new("/bin/sh");
    shell
        .args(["-c", SCRIPT, "authz-pin-command", command])
        .arg(&log)
        .envs(environment.iter().copied())
        .current_dir(folder);
    let shell =
        Tether::spawn(&mut shell).map_err(|error| format!("cannot run /bin/sh: {error}"))?;
    let start = Instant::now();
    let how = loop {
        match status(&log).as_deref() {
            Some("0") => return Ok(()),
            Some(status) => break format!("ended with status {status}"),
            None if start.elapsed() > patience => {
                break format!("has not ended after {} s", patience.as_secs());
            }
            None => tokio::time::sleep(TICK).await,
        }
    };
    drop(shell);
    Err(format!("{how}; {}", said(&log)))
}

/// The status of a command that has ended.
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
