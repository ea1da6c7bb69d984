//! A suite of any size for the bare service.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;

use authz_pin::embedded::Cluster;
use diesel_async::{AsyncConnection, AsyncPgConnection, SimpleAsyncConnection};
use serde_json::Value as Json;

use crate::{Result, bare, run};

/// How many of each there are.
#[derive(Clone, Copy)]
pub(crate) struct Size {
    pub(crate) actors: usize,
    pub(crate) targets: usize,
    pub(crate) actions: usize,
}

/// The table of the things that are made for each cell, where there is a database.
const TABLE: &str =
    "create table thing (id text primary key, owner text not null, title text not null)";

const SUITE: &str = "name: synthetic
snapshots: snapshots
service:
  ready: /health
  settle_ms: 0
refusal:
  message: $.error.message
";

const KINDS: &str = r#"kinds:
  actor:
    secrets:
      key: "{{ name }}-{{ random(12) }}"
  thing:
    symbols:
      id: "{{ name }}-{{ random(12) }}"
"#;

const ROWS: &str = r#"    rows:
      - table: thing
        values: { id: "{{ id }}", owner: nobody, title: A thing }
"#;

/// Writes the suite into a folder.
pub(crate) fn write(folder: &Path, size: Size, has_database: bool) -> io::Result<()> {
    fs::create_dir_all(folder.join("endpoints"))?;
    fs::write(folder.join("suite.yaml"), SUITE)?;
    let rows = if has_database { ROWS } else { "" };
    let mut world = format!("{KINDS}{rows}entities: {{}}\nactors:\n");
    for actor in 0..size.actors {
        let auth = r#"{ bearer: "{{ actor.key }}" }"#;
        let _ = writeln!(world, "  actor-{actor}: {{ kind: actor, auth: {auth} }}");
    }
    fs::write(folder.join("world.yaml"), world)?;
    let names = 0..size.targets;
    let target = |number| format!("  thing-{number}: {{ kind: thing }}\n");
    let targets: String = names.clone().map(target).collect();
    fs::write(folder.join("targets.yaml"), format!("targets:\n{targets}"))?;
    let applied: Vec<String> = names.map(|number| format!("thing-{number}")).collect();
    let applied = applied.join(", ");
    for action in 0..size.actions {
        let path = format!("/action-{action}/{{{{ target.id }}}}");
        let endpoint =
            format!("request: {{ method: GET, path: \"{path}\" }}\ntargets: [{applied}]\n");
        fs::write(
            folder.join(format!("endpoints/action-{action:03}.yaml")),
            endpoint,
        )?;
    }
    Ok(())
}

/// A hundred actors and targets, and that many actions.
pub(crate) async fn scale(actions: usize, has_database: bool) -> Result<Json> {
    let size = Size {
        actors: 100,
        targets: 100,
        actions,
    };
    let folder = tempfile::tempdir()?;
    write(folder.path(), size, has_database)?;
    let address = format!("http://{}", bare::start().await?);
    if !has_database {
        return run::measured(folder.path(), &run::service(&address, None)?).await;
    }
    let cluster = Cluster::start()?;
    let url = cluster.create_database("things").await?;
    let mut connection = AsyncPgConnection::establish(&url).await?;
    connection.batch_execute(TABLE).await?;
    run::measured(folder.path(), &run::service(&address, Some(&url))?).await
}
