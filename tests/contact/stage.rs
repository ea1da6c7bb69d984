//! A suite, the service that it sweeps, and the service's database.

use std::fs;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::base::Base;
use crate::place::{Ended, Place};
use crate::run::Running;
use crate::toy::Toy;

/// Two rows that belong to nobody of the run.
pub(crate) const ITEMS: &str = "
    create table item (id text primary key, name text);
    insert into item values ('keep1', 'k'), ('keep2', 'k');";

pub(crate) struct Stage {
    pub(crate) base: Base,
    /// The service's database `audit`, where it has one.
    pub(crate) second: Option<Base>,
    pub(crate) toy: Toy,
    pub(crate) place: Place,
    /// Whom the tool connects as.
    role: String,
}

/// A call for the service's `POST /do`, for every actor on one fresh item.
pub(crate) fn call(body: &Value) -> Value {
    json!({"request": {"method": "POST", "path": "/do", "json": body}, "targets": ["it"]})
}

/// The same where the call is one message of SQL.
pub(crate) fn sql(text: &str) -> Value {
    call(&json!({ "sql": text }))
}

/// A suite whose target is a row of `item`, and whose actors are known to the service by their names.
pub(crate) fn suite(actors: &[&str], endpoints: &[(&str, Value)]) -> Place {
    let actors: Value = actors
        .iter()
        .map(|name| ((*name).to_owned(), json!({"auth": {"bearer": name}})))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let symbols = json!({"id": "{{ run }}-{{ random(8) }}"});
    let rows = json!([{"table": "item", "values": {"id": "{{ id }}"}}]);
    let world = json!({
        "kinds": {"item": {"symbols": symbols, "rows": rows}}, "entities": {}, "actors": actors,
    });
    let place = Place::empty()
        .write("suite/suite.yaml", SUITE)
        .write("suite/world.yaml", &world.to_string())
        .write("suite/targets.yaml", "targets: { it: { kind: item } }");
    endpoints.iter().fold(place, |place, (name, endpoint)| {
        place.write(
            &format!("suite/endpoints/{name}.yaml"),
            &endpoint.to_string(),
        )
    })
}

const SUITE: &str = "name: contact
snapshots: snapshots
service: { ready: /ready, settle_ms: 50 }
refusal: { message: $.error.message }
";

impl Stage {
    pub(crate) fn with(schema: &str, place: Place) -> Self {
        let base = Base::with(schema);
        let toy = Toy::start(&base.url(), &base.root);
        let role = base.owner.clone();
        Self {
            base,
            second: None,
            toy,
            place,
            role,
        }
    }

    /// A service with a second database, whose tables are those of `audit`.
    pub(crate) fn with_two(schema: &str, audit: &str, place: Place) -> Self {
        let (base, second) = (Base::with(schema), Base::with(audit));
        let toy = Toy::start_on_two(&base, &second);
        let role = base.owner.clone();
        let declared = "settle_ms: 50, databases: { audit: {} }";
        Self {
            base,
            second: Some(second),
            toy,
            place: place.edit("suite/suite.yaml", "settle_ms: 50", declared),
            role,
        }
    }

    /// The tool connects as this role from now on.
    pub(crate) fn as_role(&mut self, role: &str) {
        role.clone_into(&mut self.role);
    }

    pub(crate) fn more(mut self, keys: &str) -> Self {
        let text = self.suite_file() + keys;
        self.place = self.place.write("suite/suite.yaml", &text);
        self
    }

    pub(crate) fn suite_file(&self) -> String {
        fs::read_to_string(self.place.path("suite/suite.yaml")).unwrap()
    }

    pub(crate) fn command_in(&self, place: &Place, command: &str, more: &[&str]) -> Command {
        let url = self.toy.url();
        let databases = self.databases();
        let databases: Vec<&str> = databases.iter().map(String::as_str).collect();
        let service = [&["--base-url", &url], databases.as_slice()].concat();
        // What these services do is often a finding that takes a reason before it is pinned.
        let reason: &[&str] = match command {
            "record" => &["--reason", "the toy does so"],
            _ => &[],
        };
        place.command(&[&[command, "suite"], &service[..], reason, more].concat())
    }

    /// The arguments that say where the databases are.
    fn databases(&self) -> Vec<String> {
        let main = self.base.url_of(&self.role);
        let second = self.second.iter();
        let second = second.map(|base| format!("audit={}", base.url()));
        let urls = std::iter::once(main).chain(second);
        urls.flat_map(|url| ["--database-url".to_owned(), url])
            .collect()
    }

    /// All rows, in both databases where there are two.
    pub(crate) fn content(&self) -> (Vec<String>, Vec<String>) {
        let second = self.second.as_ref().map(Base::content);
        (self.base.content(), second.unwrap_or_default())
    }

    /// Nothing of the tool is left, and every table is what it was.
    #[track_caller]
    pub(crate) fn assert_is(&self, before: &(Vec<String>, Vec<String>), when: &str) {
        self.base.assert_is(&before.0, when);
        if let Some(second) = &self.second {
            second.assert_is(&before.1, &format!("{when}, `audit`"));
        }
    }

    pub(crate) fn start(&self, command: &str, more: &[&str]) -> Running {
        Running::start(&mut self.command_in(&self.place, command, more))
    }

    pub(crate) fn start_into(&self, command: &str, more: &[&str], stdout: Stdio) -> Running {
        Running::start_into(&mut self.command_in(&self.place, command, more), stdout)
    }

    pub(crate) fn run(&self, command: &str, more: &[&str]) -> Ended {
        self.start(command, more).end()
    }

    pub(crate) fn clean(&self) -> Ended {
        let databases = self.databases();
        let databases: Vec<&str> = databases.iter().map(String::as_str).collect();
        let arguments = [&["clean"], databases.as_slice()].concat();
        let mut command = self.place.command(&arguments);
        Running::start(&mut command).end()
    }

    /// Runs a command that has to end with this code, and leave every table as it was.
    #[track_caller]
    pub(crate) fn ends(&self, command: &str, more: &[&str], code: i32) -> Ended {
        let before = self.content();
        let ended = self.run(command, more);
        assert_eq!(ended.code, Some(code), "{command}: {ended:#?}");
        self.assert_is(&before, command);
        ended
    }

    /// Records and checks, after each of which every table is as it was.
    #[track_caller]
    pub(crate) fn records_and_checks(&self, more: &[&str]) {
        self.ends("record", more, 0);
        self.ends("check", more, 0);
    }

    pub(crate) fn has_record(&self, endpoint: &str) -> bool {
        let file = format!("suite/snapshots/{endpoint}.snap");
        self.place.path(&file).exists()
    }

    /// What was accepted.
    #[track_caller]
    pub(crate) fn record(&self, endpoint: &str) -> Recorded {
        let file = self.place.path(&format!("suite/snapshots/{endpoint}.snap"));
        let text = fs::read_to_string(file).unwrap();
        let (_, record) = text.split_once("\n---\n").unwrap();
        Recorded(serde_yaml::from_str(record).unwrap())
    }
}

/// A record as data.
#[derive(Debug)]
pub(crate) struct Recorded(pub(crate) Value);

impl Recorded {
    pub(crate) fn cell(&self, actor: &str) -> &Value {
        &self.0["cells"]["it"][actor]
    }

    pub(crate) fn status(&self, actor: &str) -> Option<u64> {
        let cell = self.cell(actor);
        let verdicts = ["allowed", "redirected", "denied"];
        verdicts.iter().find_map(|verdict| cell[verdict].as_u64())
    }

    /// The effects of the actor's call, each as its operation and table.
    pub(crate) fn effects(&self, actor: &str) -> Vec<String> {
        let effects = self.cell(actor)["effects"].as_array();
        let short = |effect: &Value| {
            let words = effect.as_str().unwrap().split(' ');
            words.take(2).collect::<Vec<_>>().join(" ")
        };
        let mut effects: Vec<_> = effects.into_iter().flatten().map(short).collect();
        effects.dedup();
        effects
    }

    /// Whether there is a finding of that kind about the actor's call.
    pub(crate) fn has_finding(&self, kind: &str, actor: &str) -> bool {
        let findings = self.0["findings"].as_array();
        let mut findings = findings.into_iter().flatten();
        findings.any(|finding| finding["kind"] == kind && finding["actor"] == actor)
    }

    /// Whether the actor's call was observed and changed nothing.
    pub(crate) fn changed_nothing(&self, actor: &str) -> bool {
        self.cell(actor)["effects"].is_null() && self.status(actor).is_some()
    }
}
