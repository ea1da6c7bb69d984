//! What a run would send and write, worked out without a connection to anything.
//!
//! Every text goes through the symbols, so that no value of the run is shown, only its name. All of it is drawn twice:
//! where the two drawings differ, a template made something random that no symbol names, shown as `<random>`.

mod agree;
mod cast;
mod notes;
mod nulls;
mod side;
mod text;

use agree::agree_all;
use authz_pin_database::postgres::journal::STATEMENTS;
use authz_pin_database::redacted;
use authz_pin_suite::plan::{EndpointPlan, PlannedCell, callers};
use authz_pin_suite::suite::{Endpoint, Suite};
use authz_pin_suite::urls::shown;
use authz_pin_suite::world::{Instance, Row};
use cast::{Aim, Calls, Cast};
use futures::executor::block_on;
use notes::Notes;
use side::Side;

pub use nulls::nulls;

use indexmap::IndexMap;
use secrecy::ExposeSecret;
use serde::Serialize;
use serde_json::Value as Json;

use crate::http::Call;
use crate::service::Given;
use crate::sweep::{NOBODY, SweepError};
use crate::symbols::{Registry, View};

/// Everything that a run would do.
#[derive(Debug, Serialize)]
pub struct DryRun {
    /// The suite's name.
    pub suite: String,
    /// How often all of it would be done, each time with other values.
    pub sweeps: usize,
    /// The service that would be called.
    pub service: String,
    /// The database that would be written to.
    pub database: String,
    /// The further ones, by the names that the suite has for them.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub databases: IndexMap<String, String>,
    /// What would be made in the database for the time of the run.
    pub journal: Vec<String>,
    /// The rows that would be there for the whole run, in the order of their insertion.
    pub world: Vec<Insert>,
    /// The requests that would make the world, by whom they make.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub setup: IndexMap<String, Steps>,
    /// The requests of the endpoints' own setups, by endpoint.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub endpoints: IndexMap<String, Steps>,
    /// What would make the service read its database again, after each batch that changed something and at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reset: Option<Reset>,
    /// The cells, in the order of the suite.
    pub cells: Vec<CellRun>,
}

/// How the service would be made to read its database again.
#[derive(Debug, Serialize)]
pub struct Reset {
    /// The request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<Request>,
    /// The line for the shell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
}

/// A row that would be inserted.
#[derive(Debug, Serialize)]
pub struct Insert {
    /// The table.
    pub table: String,
    /// The columns that are set; the others take the database's default.
    pub values: Json,
}

/// What one cell would do.
#[derive(Debug, Serialize)]
pub struct CellRun {
    /// The endpoint's name.
    pub endpoint: String,
    /// The target's name.
    pub target: String,
    /// The actor's name.
    pub actor: String,
    /// The rows that would be inserted before the call.
    pub rows: Vec<Insert>,
    /// The requests that would make the target, and those that would take it back, with what the call makes if it is allowed.
    #[serde(skip_serializing_if = "Steps::is_empty")]
    pub steps: Steps,
    /// The call.
    pub request: Request,
    /// The requests after it, by the probe's name.
    pub probes: IndexMap<String, Request>,
}

/// The requests that make something and those that take it back.
#[derive(Debug, Default, Serialize)]
pub struct Steps {
    /// Those that make it.
    pub setup: Vec<Request>,
    /// Those that take it back.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub teardown: Vec<Request>,
}

/// One request.
#[derive(Debug, Serialize)]
pub struct Request {
    /// The method.
    pub method: &'static str,
    /// Which other URL of the service it is sent to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The path.
    pub path: String,
    /// The query's parameters.
    pub query: Vec<(String, String)>,
    /// The query's parameter that would count the pages, from 1 to the one that the answer names as the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pages: Option<String>,
    /// The headers, the credential's first.
    pub headers: Vec<(String, String)>,
    /// The JSON body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub json: Option<Json>,
    /// Any other body: what its parts are called, and what is in them. A body as it is has one part without a name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub body: Vec<(String, String)>,
}

/// What stands for a text that differs between two drawings.
const RANDOM: &str = "<random>";

impl DryRun {
    /// Works out what so many sweeps of the plan would do.
    pub fn new(
        suite: &Suite,
        plan: &[EndpointPlan<'_>],
        given: &Given,
        sweeps: usize,
    ) -> Result<Self, SweepError> {
        let callers = callers(suite, plan);
        let one = Cast::make(suite, &given.variables, &callers)?;
        let other = Cast::make(suite, &given.variables, &callers)?;
        let (mut cells, mut endpoints) = (Vec::new(), IndexMap::new());
        for endpoint in plan {
            let ((steps, own), (other_steps, others)) =
                (one.cells(endpoint)?, other.cells(endpoint)?);
            cells.extend(agree_all(own, &others, CellRun::agree));
            if !steps.is_empty() {
                endpoints.insert(endpoint.endpoint.name.clone(), steps.agree(&other_steps));
            }
        }
        // Where a shard is without endpoints, nothing is connected to.
        let (journal, (world, setup)) = match plan {
            [] => Default::default(),
            _ => (journal(suite, given), one.agreed_world(&other)),
        };
        Ok(Self {
            suite: suite.file.name.clone(),
            sweeps,
            service: service(suite, given),
            database: database(given),
            databases: databases(suite, given),
            journal,
            world,
            setup,
            endpoints,
            reset: reset(suite, given, &one)?,
            cells,
        })
    }

    /// How many requests there would be, but for the pages after the first.
    #[must_use]
    pub fn requests(&self) -> usize {
        let cells = self.cells.iter();
        let fired: usize = cells.map(|cell| 1 + cell.probes.len()).sum();
        let steps = self.cells.iter().map(|cell| &cell.steps);
        let steps = steps
            .chain(self.setup.values())
            .chain(self.endpoints.values());
        fired + steps.map(Steps::len).sum::<usize>()
    }
}

fn service(suite: &Suite, given: &Given) -> String {
    match (&given.base_url, &suite.file.service.default) {
        (Some(url), _) => shown(url),
        (None, Some(default)) => format!("{}, started for the run", default.launcher),
        (None, None) => "none is given".to_owned(),
    }
}

fn database(given: &Given) -> String {
    match (&given.database_url, &given.base_url) {
        (Some(url), _) => redacted(url.expose_secret()),
        (None, Some(_)) => "none is given: effects are not observed".to_owned(),
        (None, None) => EMBEDDED.to_owned(),
    }
}

fn databases(suite: &Suite, given: &Given) -> IndexMap<String, String> {
    let names = suite.file.service.databases.keys();
    let all = names.map(|name| {
        let where_it_is = match (given.databases.get(name), has_database(given)) {
            (Some(url), _) => redacted(url.expose_secret()),
            (None, true) if given.database_url.is_none() => EMBEDDED.to_owned(),
            (None, _) => "none is given: it is not watched".to_owned(),
        };
        (name.clone(), where_it_is)
    });
    all.collect()
}

const EMBEDDED: &str = "an embedded one, made for the run";

/// Whether there would be a main database.
fn has_database(given: &Given) -> bool {
    given.database_url.is_some() || given.base_url.is_none()
}

fn journal(suite: &Suite, given: &Given) -> Vec<String> {
    if !has_database(given) {
        return Vec::new();
    }
    let service = &suite.file.service;
    let triggers = triggers(&service.schema, service.schemas.as_deref());
    let watched =
        |name: &String| given.databases.contains_key(name) || given.database_url.is_none();
    let further = service.databases.iter().filter(|(name, _)| watched(name));
    let further = further.map(|(name, spec)| {
        let triggers = self::triggers(&spec.schema, spec.schemas.as_deref());
        format!("the same in the database {name}, with {triggers}")
    });
    journal_objects().chain([triggers]).chain(further).collect()
}

fn triggers(schema: &String, others: Option<&[String]>) -> String {
    let schemas = match others {
        None => "every schema".to_owned(),
        Some(others) => {
            let own = std::iter::once(schema);
            let all: Vec<&str> = own.chain(others).map(String::as_str).collect();
            format!("the schemas {}", all.join(", "))
        }
    };
    format!("triggers authz_pin_* on every table of {schemas}")
}

/// The journal's own statements say what they make.
fn journal_objects() -> impl Iterator<Item = String> {
    let made = STATEMENTS
        .iter()
        .flat_map(|sql| sql.lines())
        .filter_map(made);
    std::iter::once("schema authz_pin".to_owned()).chain(made)
}

/// What a statement of the journal makes: `table authz_pin.run`.
fn made(line: &str) -> Option<String> {
    let rest = line.trim_start().strip_prefix("create ")?;
    let rest = rest.split(['(', ';']).next()?;
    Some(
        rest.replace("if not exists ", "")
            .replace("or replace ", "")
            .trim()
            .to_owned(),
    )
}

impl Cast<'_> {
    fn agreed_world(&self, other: &Self) -> (Vec<Insert>, IndexMap<String, Steps>) {
        let (own, others) = (self.registry(), other.registry());
        let (own, others) = (own.build(), others.build());
        // From nobody's side: no actor has this name, and no cell this number.
        let side = |namer| Side {
            namer,
            view: NOBODY,
        };
        let (one, another) = (side(&own), side(&others));
        let rows = |side: Side<'_>, rows: &[Row]| -> Vec<Insert> {
            rows.iter().map(|row| side.insert(row)).collect()
        };
        let inserts = agree_all(
            rows(one, &self.scene.rows.borrow()),
            &rows(another, &other.scene.rows.borrow()),
            Insert::agree,
        );
        let steps = self.made.iter().zip(other.made.values());
        let steps = steps.map(|((name, calls), others)| {
            let steps = one.steps(calls).agree(&another.steps(others));
            (name.clone(), steps)
        });
        (inserts, steps.collect())
    }

    fn cells(&self, plan: &EndpointPlan<'_>) -> Result<(Steps, Vec<CellRun>), SweepError> {
        let mut registry = self.registry();
        let own = self.set_endpoint_up(&plan.endpoint.setup)?;
        let setup = own.as_ref().map(|(setup, _)| setup);
        if let Some(setup) = setup {
            registry.add_world_entity("setup", setup);
        }
        let mut targets = Vec::new();
        for (number, cell) in plan.cells.iter().enumerate() {
            let target = self.target(plan.endpoint, number, cell, setup, &mut registry);
            targets.extend(target.map_err(|error| error.of(cell))?);
        }
        let namer = registry.build();
        let cells = plan.cells.iter().zip(&targets).enumerate();
        let cells = cells.map(|(number, (cell, target))| {
            let view = View {
                cell: number,
                actor: cell.actor,
            };
            let side = Side {
                namer: &namer,
                view,
            };
            let cell_run = self.cell(plan.endpoint, cell, target, side);
            cell_run.map_err(|error| error.of(cell))
        });
        let nobody = Side {
            namer: &namer,
            view: NOBODY,
        };
        let steps = own.map(|(_, calls)| nobody.steps(&calls));
        Ok((steps.unwrap_or_default(), cells.collect::<Result<_, _>>()?))
    }

    /// The target of one cell, and what a success would bind.
    fn target(
        &self,
        endpoint: &Endpoint,
        number: usize,
        cell: &PlannedCell<'_>,
        setup: Option<&Instance>,
        registry: &mut Registry,
    ) -> Result<Option<Aim>, SweepError> {
        let Some(target) = self.suite.targets.get(cell.target) else {
            return Ok(None);
        };
        let aim = self.aim((endpoint, target), (number, cell), setup);
        let mut aim = block_on(aim)?;
        let bound = block_on(self.bind(endpoint, number, &mut aim))?;
        if let Some(fresh) = &aim.fresh {
            registry.add_fresh_world(number, &fresh.scene.world.borrow());
            for (actor, secrets) in &*fresh.scene.issues.unknown.borrow() {
                registry.add_fresh_entity(number, actor, secrets);
            }
        }
        registry.add_tag(number, &aim.scratch.tag);
        registry.add_cell_entity(number, "target", &aim.scratch.target);
        for (name, instance) in &bound {
            registry.add_cell_entity(number, name, instance);
        }
        Ok(Some(aim))
    }

    fn cell(
        &self,
        endpoint: &Endpoint,
        cell: &PlannedCell<'_>,
        aim: &Aim,
        side: Side<'_>,
    ) -> Result<CellRun, SweepError> {
        let (templates, scope) = (&self.templates, &aim.scratch.scope);
        let (notes, fresh) = (Notes::default(), aim.fresh.as_ref());
        let provision = self.provision(&notes);
        let credential = provision.headers_of(cell.actor, scope, fresh)?;
        let request = &endpoint.spec.request;
        let rendered = Call::render(templates, request, credential, scope)?;
        let mut request = side.request(&rendered);
        let pages = endpoint.spec.pages.as_ref();
        let counted = pages.filter(|pages| pages.total.is_some());
        request.pages = counted.and_then(|pages| pages.query.clone());
        let mut probes = IndexMap::new();
        for (name, probe) in &endpoint.spec.probes {
            // As in a sweep: a probe whose credential does not exist is not made.
            if let Ok(credential) = provision.headers_in(&probe.auth, cell, scope, fresh) {
                let asked = Call::render(templates, &probe.request, credential, scope)?;
                probes.insert(name.clone(), side.request(&asked));
            }
        }
        Ok(CellRun {
            endpoint: cell.endpoint.to_owned(),
            target: cell.target.to_owned(),
            actor: cell.actor.to_owned(),
            rows: aim
                .scratch
                .rows
                .iter()
                .map(|row| side.insert(row))
                .collect(),
            steps: side.steps(&aim.calls),
            request,
            probes,
        })
    }
}

/// How the service would be made to read its database again.
fn reset(suite: &Suite, given: &Given, cast: &Cast<'_>) -> Result<Option<Reset>, SweepError> {
    let is_undone = has_database(given);
    let Some(spec) = suite.file.service.reset.as_ref().filter(|_| is_undone) else {
        return Ok(None);
    };
    let notes = Notes::default();
    let mut reset = Reset {
        request: None,
        command: spec.command.clone(),
    };
    if let Some(request) = &spec.request {
        let scope = cast.scope();
        let provision = cast.provision(&notes);
        let credential = block_on(provision.credential(spec.auth.as_ref(), &scope, None))?;
        let call = Call::render(&cast.templates, request, credential, &scope)?;
        let namer = cast.registry().build();
        let side = Side {
            namer: &namer,
            view: NOBODY,
        };
        reset.request = Some(side.request(&call));
    }
    Ok(Some(reset))
}

#[cfg(test)]
mod tests {
    use super::agree::agree_json;
    use super::*;
    use serde_json::json;

    #[test]
    fn what_two_drawings_do_not_agree_on_is_random() {
        let one = json!({"a": "x", "b": ["y", 1], "c": [1]});
        let other = json!({"a": "z", "b": ["y", 2], "c": [1, 2]});
        let expected = json!({"a": RANDOM, "b": ["y", RANDOM], "c": RANDOM});
        assert_eq!(agree_json(one, &other), expected);
    }

    #[test]
    fn what_the_journal_makes_is_read_from_its_statements() {
        let made: Vec<String> = journal_objects().collect();
        for expected in [
            "schema authz_pin",
            "table authz_pin.change",
            "function authz_pin.log_change",
        ] {
            assert!(made.contains(&expected.to_owned()), "{made:?}");
        }
    }
}
