//! One build and one check of a tree.

use std::env;
use std::path::Path;
use std::process::Output;

use authz_pin_record::record::Record;
use authz_pin_suite::snapshot::Snapshot;
use authz_pin_suite::suite::Suite;
use serde::Deserialize;
use tokio::process::Command;

use crate::flips::flips;
use crate::run::Failure;
use crate::tree::Tree;

/// The suite that is replayed, below a tree's root.
pub const SUITE: &str = "suites/litellm";

/// What `authz-pin check --format json` says, as far as it is read here.
#[derive(Deserialize)]
struct Report {
    endpoints: Vec<Endpoint>,
}

#[derive(Deserialize)]
struct Endpoint {
    name: String,
    drift: String,
    record: Record,
}

/// Builds the tool and the gateway of a tree.
pub async fn build(tree: &Tree) -> Result<(), Failure> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build
        .args(["build", "--locked", "--quiet", "--bin", "authz-pin"])
        .env("CARGO_TARGET_DIR", tree.build())
        // Nobody debugs these builds.
        .env("CARGO_PROFILE_DEV_DEBUG", "none");
    let output = run(&mut build, tree.path()).await?;
    if output.status.success() {
        Ok(())
    } else {
        Err(Failure::Build(stderr(&output)))
    }
}

/// Sweeps the suite on a tree's own gateway: every cell that differs from the tree's snapshots, as a flip.
pub async fn check(tree: &Tree) -> Result<Vec<String>, Failure> {
    let mut check = Command::new(tree.build().join("debug/authz-pin"));
    check.args(["check", SUITE, "--format", "json"]);
    let output = run(&mut check, tree.path()).await?;
    match output.status.code() {
        Some(0 | 1) => read(&output.stdout, tree),
        _ => Err(Failure::Check(stderr(&output))),
    }
}

fn read(stdout: &[u8], tree: &Tree) -> Result<Vec<String>, Failure> {
    let report: Report = serde_json::from_slice(stdout)
        .map_err(|error| Failure::Check(format!("cannot read the report: {error}")))?;
    let suite = Suite::load(&tree.path().join(SUITE))?;
    let mut all = Vec::new();
    for endpoint in report
        .endpoints
        .iter()
        .filter(|endpoint| endpoint.drift != "none")
    {
        all.extend(of_endpoint(endpoint, &suite)?);
    }
    Ok(all)
}

fn of_endpoint(endpoint: &Endpoint, suite: &Suite) -> Result<Vec<String>, Failure> {
    let name = &endpoint.name;
    let text = Snapshot::new(&suite.snapshots(), name)
        .read()?
        .unwrap_or_default();
    let Ok(before) = Record::parse(&text) else {
        return Ok(vec![format!("{name}: has no snapshot")]);
    };
    let flips = flips(name, &before, &endpoint.record);
    // A legend may differ although no label does: a gate's label is only its first words.
    if flips.is_empty() {
        return Ok(vec![format!("{name}: differs beside its cells")]);
    }
    Ok(flips)
}

async fn run(command: &mut Command, folder: &Path) -> Result<Output, Failure> {
    // What the user has set for a service of their own must not be swept instead.
    for (name, _) in env::vars_os() {
        if name.to_string_lossy().starts_with("AUTHZ_PIN_") {
            command.env_remove(name);
        }
    }
    Ok(command
        .current_dir(folder)
        .kill_on_drop(true)
        .output()
        .await?)
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).trim().to_owned()
}
