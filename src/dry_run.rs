//! What a run would send and write, worked out without a connection to anything.
//!
//! Every text goes through the symbols, so that no value of the run is shown, only its name. All of it is drawn twice:
//! where the two drawings differ, a template made something random that no symbol names, shown as `<random>`.

mod agree;
mod cast;
mod nulls;
mod side;
mod text;

use std::collections::{BTreeMap, BTreeSet};

use agree::agree_all;
use cast::{Calls, Cast, Maker};
use side::Side;

pub use nulls::nulls;

use indexmap::IndexMap;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde_json::Value as Json;

use crate::credential::headers;
use crate::database::redacted;
use crate::http::{Call, shown};
use crate::journal::STATEMENTS;
use crate::plan::{EndpointPlan, PlannedCell, callers};
use crate::service::Given;
use crate::suite::{CaptureSpec, Endpoint, Suite};
use crate::sweep::{NOBODY, SweepError};
use crate::symbols::{Registry, View};
use crate::template::{Templates, Value, random};
use crate::world::{Instance, Row, Scratch, World};

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
    /// The requests that would make the target.
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
        let one = Drawing::new(suite, &given.variables, &callers)?;
        let other = Drawing::new(suite, &given.variables, &callers)?;
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
    let rest = line.strip_prefix("create ")?;
    let rest = rest.split(['(', ';']).next()?;
    Some(
        rest.replace("if not exists ", "")
            .replace("or replace ", "")
            .trim()
            .to_owned(),
    )
}

/// One drawing of a run's values.
struct Drawing<'a> {
    maker: Maker<'a>,
    /// The world of the run.
    cast: Cast<'a>,
}

/// A cell's target, the requests that make it, and the cell's own world, where it has one.
struct Aim<'a> {
    scratch: Scratch,
    calls: Calls,
    fresh: Option<Cast<'a>>,
}

impl<'a> Drawing<'a> {
    fn new(
        suite: &'a Suite,
        variables: &BTreeMap<String, SecretString>,
        callers: &BTreeSet<&str>,
    ) -> Result<Self, SweepError> {
        let templates = Templates::for_made_up();
        let world = World::draw(suite, &templates, variables)?;
        let maker = Maker { suite, templates };
        let cast = maker.cast(world, callers)?;
        Ok(Self { maker, cast })
    }

    fn agreed_world(&self, other: &Self) -> (Vec<Insert>, IndexMap<String, Steps>) {
        let (own, others) = (self.registry().build(), other.registry().build());
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
            rows(one, &self.cast.rows),
            &rows(another, &other.cast.rows),
            Insert::agree,
        );
        let steps = self.cast.made.iter().zip(other.cast.made.values());
        let steps = steps.map(|((name, calls), others)| {
            let steps = one.steps(calls).agree(&another.steps(others));
            ((*name).to_owned(), steps)
        });
        (inserts, steps.collect())
    }

    fn registry(&self) -> Registry {
        let mut registry = Registry::of_world(&self.cast.world);
        for (actor, tokens) in &self.cast.tokens {
            registry.add_world_entity(actor, tokens);
        }
        registry
    }

    fn cells(&self, plan: &EndpointPlan<'_>) -> Result<(Steps, Vec<CellRun>), SweepError> {
        let mut registry = self.registry();
        let mut setup = Instance::default();
        let kind = &plan.endpoint.setup;
        let scope = self.cast.world.scope();
        let own = self.maker.steps(&self.cast, kind, &scope, &mut setup)?;
        registry.add_world_entity("setup", &setup);
        let setup = (!kind.setup.is_empty()).then_some(&setup);
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
        Ok((nobody.steps(&own), cells.collect::<Result<_, _>>()?))
    }

    /// The target of one cell, and what a success would bind.
    fn target(
        &self,
        endpoint: &Endpoint,
        number: usize,
        cell: &PlannedCell<'_>,
        setup: Option<&Instance>,
        registry: &mut Registry,
    ) -> Result<Option<Aim<'a>>, SweepError> {
        let (suite, templates) = (self.maker.suite, &self.maker.templates);
        let Some(target) = suite.targets.get(cell.target) else {
            return Ok(None);
        };
        let mut fresh = None;
        if endpoint.spec.fresh {
            fresh = Some(self.maker.fresh(&self.cast, number, cell, registry)?);
        }
        let cast = fresh.as_ref().unwrap_or(&self.cast);
        let kind = target.kind.as_ref();
        let kind = kind.and_then(|kind| suite.world.kinds.get(kind));
        let target = (cell.target.as_str(), target);
        let mut scratch = Scratch::make(suite, templates, &cast.world, setup, target, cell.actor)?;
        let mut calls = Calls::default();
        if let Some(kind) = kind {
            let (base, mut made) = (scratch.base(cell.target), scratch.target.clone());
            calls = self.maker.steps(cast, kind, &base, &mut made)?;
            scratch.settle(made);
        }
        if let Some(fresh) = &mut fresh {
            join(fresh, &mut scratch, &mut calls);
        }
        registry.add_tag(number, &scratch.tag);
        registry.add_cell_entity(number, "target", &scratch.target);
        for (name, spec) in &endpoint.spec.capture {
            if let Some(bound) = self.bound(spec)? {
                registry.add_cell_entity(number, name, &bound);
                scratch.scope.insert(name, Value::from(bound.scope()));
            }
        }
        Ok(Some(Aim {
            scratch,
            calls,
            fresh,
        }))
    }

    /// An entity as an answer would bind it, with made up values.
    fn bound(&self, spec: &CaptureSpec) -> Result<Option<Instance>, SweepError> {
        let Some(kind) = self.maker.suite.world.kinds.get(&spec.kind) else {
            return Ok(None);
        };
        let captured: BTreeMap<String, String> = spec
            .from
            .keys()
            .map(|symbol| (symbol.clone(), random(24)))
            .collect();
        Ok(Some(Instance::bind(
            &self.maker.templates,
            kind,
            &captured,
        )?))
    }

    fn cell(
        &self,
        endpoint: &Endpoint,
        cell: &PlannedCell<'_>,
        aim: &Aim<'_>,
        side: Side<'_>,
    ) -> Result<CellRun, SweepError> {
        let (templates, scope) = (&self.maker.templates, &aim.scratch.scope);
        let cast = aim.fresh.as_ref().unwrap_or(&self.cast);
        let auth = self.maker.suite.auth_of(cell.actor);
        let issued = self.maker.issued(cast, cell.actor);
        let credential = headers(templates, auth, scope, &issued)?;
        let request = &endpoint.spec.request;
        let rendered = Call::render(templates, request, credential, scope)?;
        let mut request = side.request(&rendered);
        let pages = endpoint.spec.pages.as_ref();
        let counted = pages.filter(|pages| pages.total.is_some());
        request.pages = counted.and_then(|pages| pages.query.clone());
        let mut probes = IndexMap::new();
        for (name, probe) in &endpoint.spec.probes {
            // As in a sweep: a probe whose credential does not exist is not made.
            if let Ok(credential) = self.maker.headers(cast, Some(&probe.auth), scope) {
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

/// What makes a cell's own world comes before its target.
fn join(fresh: &mut Cast<'_>, scratch: &mut Scratch, calls: &mut Calls) {
    scratch.rows.splice(0..0, std::mem::take(&mut fresh.rows));
    let mut world = fresh.calls();
    world.setup.append(&mut calls.setup);
    calls.teardown.append(&mut world.teardown);
    calls.setup = world.setup;
}

/// How the service would be made to read its database again.
fn reset(suite: &Suite, given: &Given, drawing: &Drawing<'_>) -> Result<Option<Reset>, SweepError> {
    let is_undone = has_database(given);
    let Some(spec) = suite.file.service.reset.as_ref().filter(|_| is_undone) else {
        return Ok(None);
    };
    let (maker, cast) = (&drawing.maker, &drawing.cast);
    let namer = drawing.registry().build();
    let side = Side {
        namer: &namer,
        view: NOBODY,
    };
    let scope = cast.world.scope();
    let mut reset = Reset {
        request: None,
        command: spec.command.clone(),
    };
    if let Some(request) = &spec.request {
        let credential = maker.headers(cast, spec.auth.as_ref(), &scope)?;
        let call = Call::render(&maker.templates, request, credential, &scope)?;
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
