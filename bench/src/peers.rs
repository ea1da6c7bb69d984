//! The same reads by a sweep, by a load generator (`oha`) and by `pytest-authz-matrix`, on one service in one run.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use authz_pin::database::postgres::Database;
use authz_pin::embedded::Options;
use authz_pin::suite::Suite;
use authz_pin::sweep::Service;
use authz_pin::template::Templates;
use authz_pin::world::{Row, World};
use secrecy::ExposeSecret;
use serde_json::{Value as Json, json};
use tokio::process::Command;

use crate::litellm::{ServedGateway, read_matrix};
use crate::synthetic::Size;
use crate::{Result, alone, bare, run, synthetic};

/// How many requests the load generator sends to a service of ours.
const LOAD: usize = 20_000;

/// How many contracts the other tool sweeps, each with every actor on every actor's key or thing.
const CONTRACTS: usize = 20;

/// What is read: a path with the name of what is read in it, which each actor can read its own of.
pub(crate) struct Reads {
    pub(crate) base_url: String,
    /// `{resource}` stands for a name.
    pub(crate) path: &'static str,
    /// Names and keys.
    pub(crate) actors: Vec<(String, String)>,
    pub(crate) resources: Vec<String>,
}

pub(crate) async fn on_bare() -> Result<Json> {
    let base_url = format!("http://{}", bare::start().await?);
    let folder = tempfile::tempdir()?;
    let size = Size {
        actors: 100,
        targets: 100,
        actions: 10,
    };
    synthetic::write(folder.path(), size, false)?;
    let mut measured = run::measured(folder.path(), &run::service(&base_url, None)?).await?;
    let actors = (0..12).map(|number| (format!("actor_{number}"), format!("actor-{number}-x")));
    let reads = Reads {
        base_url,
        path: "/action-1/{resource}",
        actors: actors.collect(),
        resources: (0..12).map(|number| format!("thing-{number}-x")).collect(),
    };
    beside(&mut measured, &reads).await?;
    Ok(measured)
}

pub(crate) async fn on_gateway(endpoints: usize) -> Result<Json> {
    let gateway = ServedGateway::start(&Options::from_env()).await?;
    let service = gateway.service()?;
    let mut measured = key_info(&service, endpoints).await?;
    measured["rows"] = rows_of_key_info(&service).await?.into();
    let seed = Seed::insert(&service, 1).await?;
    beside(&mut measured, &seed.reads).await?;
    Ok(measured)
}

/// On a proxy that somebody started, beside the load generator alone: the cells of the other tool would say nothing but
/// how long the proxy takes.
pub(crate) async fn on_proxy(service: &Service, endpoints: usize) -> Result<Json> {
    let mut measured = key_info(service, endpoints).await?;
    let requests = usize::try_from(measured["requests"].as_u64().unwrap_or_default())?;
    // A sweep reads another key in each cell, and the proxy is slower where it has not seen a key before.
    let seed = Seed::insert(service, requests).await?;
    let load = load(&seed.reads, requests).await;
    seed.remove().await?;
    measured["load"] = load?;
    Ok(measured)
}

/// Sweeps the read matrix of `GET /key/info`.
async fn key_info(service: &Service, endpoints: usize) -> Result<Json> {
    let folder = tempfile::tempdir()?;
    read_matrix(folder.path(), endpoints)?;
    run::measured(folder.path(), service).await
}

/// What the rows of a cell of that matrix take alone.
async fn rows_of_key_info(service: &Service) -> Result<f64> {
    let folder = tempfile::tempdir()?;
    read_matrix(folder.path(), 1)?;
    alone::rows(folder.path(), service).await
}

/// Worlds of the read matrix in a database, for tools that insert nothing.
struct Seed {
    database: Database,
    rows: Vec<Row>,
    reads: Reads,
}

impl Seed {
    /// As many worlds as have that many actors together.
    async fn insert(service: &Service, keys: usize) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        read_matrix(folder.path(), 1)?;
        let suite = Suite::load(folder.path()).map_err(|error| error.to_string())?;
        let templates = Templates::new();
        let (mut actors, mut rows, mut resources) = (Vec::new(), Vec::new(), Vec::new());
        while resources.len() < keys {
            let world = World::draw(&suite, &templates, &service.variables)?;
            rows.extend(world.rows(&suite, &templates)?);
            let key = |name| Some(world.entities.get(name)?.fields.get("key")?.value.clone());
            let everywhere = suite.world.actors.iter();
            actors = everywhere
                .filter(|(_, actor)| actor.calls.is_none())
                .filter_map(|(name, _)| Some((name.clone(), key(name)?)))
                .collect();
            resources.extend(actors.iter().map(|(_, key)| key.clone()));
        }
        let url = service.database_url.as_ref().ok_or("no database")?;
        let mut database = Database::connect(url.expose_secret(), "public").await?;
        let catalog = database.catalog().await?;
        database.insert(&rows, &catalog).await?;
        let reads = Reads {
            base_url: service.base_url.as_str().trim_end_matches('/').to_owned(),
            path: "/key/info?key={resource}",
            actors,
            resources,
        };
        Ok(Self {
            database,
            rows,
            reads,
        })
    }

    async fn remove(mut self) -> Result<()> {
        let catalog = self.database.catalog().await?;
        Ok(self.database.delete(&self.rows, &catalog).await?)
    }
}

/// Adds what the peers do.
async fn beside(measured: &mut Json, reads: &Reads) -> Result<()> {
    measured["load"] = load(reads, LOAD).await?;
    measured["client"] = alone::client(reads).await?.into();
    measured["peer"] = matrix(reads).await?;
    Ok(())
}

/// The requests per second of the load generator, by which one actor after the other reads things in any order.
async fn load(reads: &Reads, requests: usize) -> Result<Json> {
    let each = requests / reads.actors.len();
    let (mut actors, mut seconds) = (0.0, 0.0);
    for (number, (_, key)) in reads.actors.iter().enumerate() {
        // Other things than the actor before, where there are as many.
        let things = reads.resources.iter().cycle().skip(number * each);
        let things = things.take(each.min(reads.resources.len()));
        seconds += generate(reads, key, things, each).await?;
        actors += 1.0;
    }
    Ok(json!({"requests_per_second": actors / seconds}))
}

/// How many seconds a request takes the load generator, of that many.
async fn generate<'a>(
    reads: &Reads,
    key: &str,
    things: impl Iterator<Item = &'a String>,
    requests: usize,
) -> Result<f64> {
    let folder = tempfile::tempdir()?;
    let urls = folder.path().join("urls");
    let path = |thing| reads.path.replace("{resource}", thing);
    let lines = things.map(|thing| format!("{}{}\n", reads.base_url, path(thing)));
    fs::write(&urls, lines.collect::<String>())?;
    let mut command = Command::new("oha");
    command
        .args(["--no-tui", "--output-format", "json"])
        .args(["-n", &requests.to_string()])
        .args(["-c", &run::CONCURRENCY.to_string()])
        .args(["-H", &format!("authorization: Bearer {key}")])
        .arg("--urls-from-file")
        .arg(&urls);
    let report: Json =
        serde_json::from_slice(&stdout(&mut command, "`cargo install --locked oha`").await?)?;
    let answers = &report["statusCodeDistribution"];
    let count = |status: &str| answers[status].as_u64().unwrap_or_default();
    // What the actor may not read, what is no key in the database, or that nobody knows the actor is an answer as well.
    if ["200", "401", "403", "404"].map(count).iter().sum::<u64>() != requests as u64 {
        return Err(format!("the load generator was answered with {answers}").into());
    }
    let rate = report["summary"]["requestsPerSec"].as_f64();
    Ok(1.0 / rate.ok_or("the load generator reports no rate")?)
}

/// The cells per second of the other tool, its own start included.
async fn matrix(reads: &Reads) -> Result<Json> {
    let folder = tempfile::tempdir()?;
    let cells = write_matrix(folder.path(), reads)?;
    let start = std::time::Instant::now();
    let mut command = Command::new("python3");
    command
        .args(["-m", "pytest", "-q", "-p", "no:cacheprovider"])
        .current_dir(folder.path());
    let said = stdout(&mut command, "`pip install pytest-authz-matrix`").await?;
    let seconds = start.elapsed().as_secs_f64();
    let said = String::from_utf8_lossy(&said);
    if !said.contains(&format!("{cells} passed")) {
        return Err(format!("not all {cells} cells passed:\n{said}").into());
    }
    Ok(json!({"cells": cells, "seconds": seconds}))
}

async fn stdout(command: &mut Command, install: &str) -> Result<Vec<u8>> {
    let output = command.output().await;
    let output = output.map_err(|error| format!("{error}: {install} first"))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = [output.stdout, output.stderr].concat();
    Err(format!(
        "{}\n  = help: {install} first",
        String::from_utf8_lossy(&said)
    )
    .into())
}

/// A client with one connection that it keeps, which is the fastest that the standard library has.
const CONFTEST: &str = r#"import http.client
import pytest

class Client:
    def __init__(self, key):
        self.connection = http.client.HTTPConnection(ADDRESS)
        self.headers = {"authorization": "Bearer " + key}

    def get(self, path, **_):
        self.connection.request("GET", path, headers=self.headers)
        answer = self.connection.getresponse()
        answer.status_code = answer.status
        answer.read()
        return answer

@pytest.fixture
def things():
    return THINGS
"#;

/// Writes the same reads for the other tool, and says how many cells they are. Any status that is an answer passes: an
/// assertion that fails would cost it more.
fn write_matrix(folder: &Path, reads: &Reads) -> Result<usize> {
    let things: serde_json::Map<String, Json> = (0..)
        .zip(&reads.resources)
        .map(|(number, resource)| (format!("r{number}"), json!({"pk": resource})))
        .collect();
    let address = reads.base_url.trim_start_matches("http://");
    let mut conftest = format!(
        "ADDRESS = {address:?}\nTHINGS = {}\n{CONFTEST}",
        json!(things)
    );
    for (name, key) in &reads.actors {
        let _ = write!(
            conftest,
            "\n@pytest.fixture(scope=\"session\")\ndef {name}_client():\n    return Client({key:?})\n"
        );
    }
    fs::write(folder.join("conftest.py"), conftest)?;
    let clients = reads
        .actors
        .iter()
        .map(|(name, _)| (name.clone(), json!(format!("{name}_client"))));
    let row: serde_json::Map<String, Json> = things
        .keys()
        .map(|thing| (thing.clone(), json!("answer")))
        .collect();
    let matrix = reads
        .actors
        .iter()
        .map(|(name, _)| (name.clone(), json!(row)));
    let contract = json!({
        "method": "GET", "path": reads.path, "resource": "thing",
        "matrix": matrix.collect::<serde_json::Map<_, _>>(),
    });
    let contracts = (0..CONTRACTS).map(|number| (format!("read.n{number}"), contract.clone()));
    let document = json!({
        "version": 1,
        "outcomes": {"answer": [200, 400, 401, 403, 404]},
        "actors": clients.collect::<serde_json::Map<_, _>>(),
        "resources": {"thing": {"fixture": "things"}},
        "contracts": contracts.collect::<serde_json::Map<_, _>>(),
    });
    // JSON is YAML.
    fs::write(folder.join("authz-matrix.yml"), document.to_string())?;
    let tests = (0..CONTRACTS).map(|number| {
        format!("@pytest.mark.authz_contract(\"read.n{number}\")\ndef test_{number}(authz_case):\n    authz_case.run()\n\n")
    });
    fs::write(
        folder.join("test_reads.py"),
        format!("import pytest\n\n{}", tests.collect::<String>()),
    )?;
    Ok(reads.actors.len() * reads.resources.len() * CONTRACTS)
}
