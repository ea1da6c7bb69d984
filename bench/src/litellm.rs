//! The LiteLLM suite and a read matrix made of it, on the reference gateway.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use authz_pin::embedded::{self, Cluster};
use authz_pin::suite::Suite;
use authz_pin::sweep::Service;
use authz_pin_gateway::{Gateway, Settings};
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use crate::{Result, run};

const MASTER_KEY: &str = "sk-benchmark-0123456789abcdef";

/// A gateway with a server of its own.
pub(crate) struct ServedGateway {
    pub(crate) gateway: Gateway,
    pub(crate) database_url: String,
    _cluster: Cluster,
}

impl ServedGateway {
    pub(crate) async fn start(options: &embedded::Options) -> Result<Self> {
        let cluster = Cluster::start_with(options)?;
        let database_url = cluster.create_database("service").await?;
        let mut settings: Settings = serde_json::from_value(default_settings()?)?;
        MASTER_KEY.clone_into(&mut settings.master_key);
        let gateway = Gateway::start("127.0.0.1:0".parse()?, &database_url, settings).await?;
        Ok(Self {
            gateway,
            database_url,
            _cluster: cluster,
        })
    }

    pub(crate) fn service(&self) -> Result<Service> {
        let url = format!("http://{}", self.gateway.address());
        service(&url, &self.database_url, MASTER_KEY)
    }
}

/// How a sweep reaches a gateway or a proxy.
pub(crate) fn service(base_url: &str, database_url: &str, master_key: &str) -> Result<Service> {
    let mut service = run::service(base_url, Some(database_url))?;
    service.variables = [("master_key".to_owned(), master_key.into())].into();
    Ok(service)
}

pub(crate) fn suite() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../suites/litellm")
}

/// The settings that the suite has for a gateway.
fn default_settings() -> Result<Json> {
    let suite = Suite::load(&suite()).map_err(|error| error.to_string())?;
    let launcher = suite.file.service.default;
    Ok(launcher.ok_or("the suite starts no service")?.settings)
}

/// All cells of the suite, and how long the server and the gateway take to start: with what an earlier start left in the
/// cache or, `cold`, without.
pub(crate) async fn whole(cold: bool) -> Result<Json> {
    let empty = cold.then(empty_folder).transpose()?;
    let options = match &empty {
        Some(empty) => embedded::Options::from_env().cache_dir(empty.path()),
        None => embedded::Options::from_env(),
    };
    let start = Instant::now();
    let gateway = ServedGateway::start(&options).await?;
    let start = start.elapsed();
    let mut measured = run::measured(&suite(), &gateway.service()?).await?;
    measured["start"] = json!(start.as_secs_f64());
    Ok(measured)
}

/// Where the server's user gets to.
fn empty_folder() -> Result<TempDir> {
    let everybody = fs::Permissions::from_mode(0o755);
    Ok(tempfile::Builder::new().permissions(everybody).tempdir()?)
}

/// How often each target of the suite is in an endpoint of the read matrix.
const COPIES: usize = 12;

/// The suite with nothing but `GET /key/info`, that many times, each with all its targets several times. Actors that
/// call in a few cells only call in one.
pub(crate) fn read_matrix(folder: &Path, endpoints: usize) -> Result<()> {
    fs::create_dir_all(folder.join("endpoints"))?;
    fs::copy(suite().join("suite.yaml"), folder.join("suite.yaml"))?;
    let read = |file| -> Result<Json> {
        let text = fs::read_to_string(suite().join(file))?;
        Ok(serde_yaml::from_str(&text)?)
    };
    let mut world = read("world.yaml")?;
    for (_, actor) in world["actors"].as_object_mut().into_iter().flatten() {
        if !actor["calls"].is_null() {
            actor["calls"] = json!(["key-info-000/own credential 0"]);
        }
    }
    // JSON is YAML.
    fs::write(folder.join("world.yaml"), world.to_string())?;
    let (mut targets, mut endpoint) = (read("targets.yaml")?, read("endpoints/key-info.yaml")?);
    let mut names = Vec::new();
    for name in endpoint["targets"].as_array().into_iter().flatten() {
        let target = targets["targets"][name.as_str().unwrap_or_default()].clone();
        for copy in 0..COPIES {
            let name = format!("{} {copy}", name.as_str().unwrap_or_default());
            targets["targets"][&name] = target.clone();
            names.push(name);
        }
    }
    endpoint["targets"] = json!(names);
    fs::write(folder.join("targets.yaml"), targets.to_string())?;
    for number in 0..endpoints {
        let file = folder.join(format!("endpoints/key-info-{number:03}.yaml"));
        fs::write(file, endpoint.to_string())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_read_matrix_is_a_suite() {
        let folder = tempfile::tempdir().expect("a folder");
        read_matrix(folder.path(), 2).expect("a suite");
        let suite = Suite::load(folder.path());
        let suite = suite
            .map_err(|error| error.to_string())
            .expect("no mistake");
        assert_eq!(suite.endpoints.len(), 2);
    }
}
