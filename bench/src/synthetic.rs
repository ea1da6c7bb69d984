//! A suite of any size for the bare service.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;

/// How many of each there are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    pub(crate) actors: usize,
    pub(crate) targets: usize,
    pub(crate) actions: usize,
}

impl Size {
    pub(crate) fn cells(self) -> usize {
        self.actors * self.targets * self.actions
    }
}

/// The table of the things that are made for each cell, where there is a database.
pub(crate) const TABLE: &str =
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
    let applied: String = names
        .map(|number| format!("  - thing-{number}\n"))
        .collect();
    for action in 0..size.actions {
        let path = format!("/action-{action}/{{{{ target.id }}}}");
        let endpoint = format!("request: {{ method: GET, path: \"{path}\" }}\ntargets:\n{applied}");
        fs::write(
            folder.join(format!("endpoints/action-{action:03}.yaml")),
            endpoint,
        )?;
    }
    Ok(())
}
