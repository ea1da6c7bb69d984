//! What a run would send and write, worked out without a connection to anything.
//!
//! Every text goes through the symbols, so that no value of the run is shown, only its name. All of it is drawn twice:
//! where the two drawings differ, a template made something random that no symbol names, shown as `<random>`.

mod text;

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;
use secrecy::ExposeSecret;
use serde::Serialize;
use serde_json::{Map, Value as Json};

use crate::database::redacted;
use crate::http::{Call, shown};
use crate::journal::STATEMENTS;
use crate::plan::{EndpointPlan, PlannedCell};
use crate::service::Given;
use crate::suite::{CaptureSpec, Credential, Endpoint, RequestSpec, Suite};
use crate::sweep::{NOBODY, SweepError, namer};
use crate::symbols::{Namer, Registry, View};
use crate::template::{Templates, Value, random};
use crate::world::{Instance, Row, Scratch, World, headers};

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
    /// What would be made in the database for the time of the run.
    pub journal: Vec<String>,
    /// The rows that would be there for the whole run, in the order of their insertion.
    pub world: Vec<Insert>,
    /// The cells, in the order of the suite.
    pub cells: Vec<CellRun>,
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
    /// The call.
    pub request: Request,
    /// The requests after it, by the probe's name.
    pub probes: IndexMap<String, Request>,
}

/// One request.
#[derive(Debug, Serialize)]
pub struct Request {
    /// The method.
    pub method: &'static str,
    /// The path.
    pub path: String,
    /// The query's parameters.
    pub query: Vec<(String, String)>,
    /// The query's parameter that would count the pages, from 1 to the one that the answer names as the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pages: Option<String>,
    /// The headers, the credential's first.
    pub headers: Vec<(String, String)>,
    /// The body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub json: Option<Json>,
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
        let one = Drawing::new(suite, given)?;
        let other = Drawing::new(suite, given)?;
        let mut cells = Vec::new();
        for endpoint in plan {
            let drawn = one.cells(endpoint)?.into_iter().zip(other.cells(endpoint)?);
            cells.extend(drawn.map(|(one, other)| one.agree(&other)));
        }
        // Where a shard is without endpoints, nothing is connected to.
        let (journal, world) = match plan {
            [] => Default::default(),
            _ => (journal(suite, given), one.world_inserts(&other)?),
        };
        Ok(Self {
            suite: suite.file.name.clone(),
            sweeps,
            service: service(suite, given),
            database: database(given),
            journal,
            world,
            cells,
        })
    }

    /// How many requests there would be, but for the pages after the first.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.cells.iter().map(|cell| 1 + cell.probes.len()).sum()
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
        (None, None) => "an embedded one, made for the run".to_owned(),
    }
}

fn journal(suite: &Suite, given: &Given) -> Vec<String> {
    if given.database_url.is_none() && given.base_url.is_some() {
        return Vec::new();
    }
    let schema = &suite.file.service.schema;
    let triggers = format!(
        "triggers authz_pin_journal and authz_pin_truncate on every table of the schema {schema}"
    );
    journal_objects().chain([triggers]).collect()
}

/// The journal's own statements say what they make.
fn journal_objects() -> impl Iterator<Item = String> {
    STATEMENTS
        .iter()
        .flat_map(|sql| sql.lines())
        .filter_map(made)
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
    suite: &'a Suite,
    templates: Templates,
    world: World,
}

impl<'a> Drawing<'a> {
    fn new(suite: &'a Suite, given: &Given) -> Result<Self, SweepError> {
        let templates = Templates::new();
        let world = World::draw(suite, &templates, &given.variables)?;
        Ok(Self {
            suite,
            templates,
            world,
        })
    }

    fn world_inserts(&self, other: &Self) -> Result<Vec<Insert>, SweepError> {
        let (one, other) = (self.world_rows()?, other.world_rows()?);
        Ok(agree_all(one, &other, Insert::agree))
    }

    fn world_rows(&self) -> Result<Vec<Insert>, SweepError> {
        let namer = namer(Registry::of_world(&self.world))?;
        // From nobody's side: no actor has this name, and no cell this number.
        let side = Side {
            namer: &namer,
            view: NOBODY,
        };
        let rows = self.world.rows(self.suite, &self.templates)?;
        Ok(rows.iter().map(|row| side.insert(row)).collect())
    }

    fn cells(&self, plan: &EndpointPlan<'_>) -> Result<Vec<CellRun>, SweepError> {
        let mut registry = Registry::of_world(&self.world);
        let mut scratches = Vec::new();
        for (number, cell) in plan.cells.iter().enumerate() {
            scratches.extend(self.scratch(plan.endpoint, number, cell, &mut registry)?);
        }
        let namer = namer(registry)?;
        let cells = plan.cells.iter().zip(&scratches).enumerate();
        cells
            .map(|(number, (cell, scratch))| {
                let view = View {
                    cell: number,
                    actor: cell.actor,
                };
                let side = Side {
                    namer: &namer,
                    view,
                };
                self.cell(plan.endpoint, cell, scratch, side)
            })
            .collect()
    }

    /// The target of one cell, and what a success would bind.
    fn scratch(
        &self,
        endpoint: &Endpoint,
        number: usize,
        cell: &PlannedCell<'_>,
        registry: &mut Registry,
    ) -> Result<Option<Scratch>, SweepError> {
        let Some(target) = self.suite.targets.get(cell.target) else {
            return Ok(None);
        };
        let target = (cell.target, target);
        let mut scratch =
            Scratch::make(self.suite, &self.templates, &self.world, target, cell.actor)?;
        registry.add_tag(number, &scratch.tag);
        registry.add_cell_entity(number, "target", &scratch.target);
        for (name, spec) in &endpoint.spec.capture {
            if let Some(bound) = self.bound(spec)? {
                registry.add_cell_entity(number, name, &bound);
                scratch.scope.insert(name, Value::from(bound.scope()));
            }
        }
        Ok(Some(scratch))
    }

    /// An entity as an answer would bind it, with made up values.
    fn bound(&self, spec: &CaptureSpec) -> Result<Option<Instance>, SweepError> {
        let Some(kind) = self.suite.world.kinds.get(&spec.kind) else {
            return Ok(None);
        };
        let captured: BTreeMap<String, String> = spec
            .from
            .keys()
            .map(|symbol| (symbol.clone(), random(24)))
            .collect();
        Ok(Some(Instance::bind(&self.templates, kind, &captured)?))
    }

    fn cell(
        &self,
        endpoint: &Endpoint,
        cell: &PlannedCell<'_>,
        scratch: &Scratch,
        side: Side<'_>,
    ) -> Result<CellRun, SweepError> {
        let actor = self.suite.world.actors.get(cell.actor);
        let auth = actor.and_then(|actor| actor.auth.as_ref());
        let mut request = self.request(&endpoint.spec.request, auth, scratch, side)?;
        request.pages = endpoint
            .spec
            .pages
            .as_ref()
            .map(|pages| pages.query.clone());
        let mut probes = IndexMap::new();
        for (name, probe) in &endpoint.spec.probes {
            // As in a sweep: a probe whose credential does not exist is not made.
            if headers(&self.templates, Some(&probe.auth), &scratch.scope).is_ok() {
                let probe = self.request(&probe.request, Some(&probe.auth), scratch, side)?;
                probes.insert(name.clone(), probe);
            }
        }
        Ok(CellRun {
            endpoint: cell.endpoint.to_owned(),
            target: cell.target.to_owned(),
            actor: cell.actor.to_owned(),
            rows: scratch.rows.iter().map(|row| side.insert(row)).collect(),
            request,
            probes,
        })
    }

    fn request(
        &self,
        spec: &RequestSpec,
        auth: Option<&Credential>,
        scratch: &Scratch,
        side: Side<'_>,
    ) -> Result<Request, SweepError> {
        let credential = headers(&self.templates, auth, &scratch.scope)?;
        let call = Call::render(&self.templates, spec, credential, &scratch.scope)?;
        Ok(side.request(&call))
    }
}

/// Names values from the side of one cell.
#[derive(Clone, Copy)]
struct Side<'a> {
    namer: &'a Namer,
    view: View<'a>,
}

impl Side<'_> {
    fn insert(&self, row: &Row) -> Insert {
        Insert {
            table: row.table.clone(),
            values: self.json(&Json::Object(row.values.clone())),
        }
    }

    fn request(&self, call: &Call) -> Request {
        Request {
            method: call.method.as_str(),
            path: self.text(&call.path),
            query: self.pairs(&call.query),
            pages: None,
            headers: self.pairs(call.all_headers()),
            json: call.json.as_ref().map(|json| self.json(json)),
        }
    }

    fn pairs<'p>(
        &self,
        pairs: impl IntoIterator<Item = &'p (String, String)>,
    ) -> Vec<(String, String)> {
        pairs
            .into_iter()
            .map(|(name, value)| (self.text(name), self.text(value)))
            .collect()
    }

    fn text(&self, text: &str) -> String {
        self.namer.name(text, self.view).text
    }

    fn json(&self, json: &Json) -> Json {
        self.namer.name_json(json, self.view, &mut BTreeSet::new())
    }
}

impl CellRun {
    fn agree(self, other: &Self) -> Self {
        let probes = self.probes.into_iter().zip(other.probes.values());
        Self {
            rows: agree_all(self.rows, &other.rows, Insert::agree),
            request: self.request.agree(&other.request),
            probes: probes
                .map(|((name, one), other)| (name, one.agree(other)))
                .collect(),
            ..self
        }
    }
}

impl Insert {
    fn agree(self, other: &Self) -> Self {
        Self {
            values: agree_json(self.values, &other.values),
            ..self
        }
    }
}

impl Request {
    fn agree(self, other: &Self) -> Self {
        let json = self.json.zip(other.json.as_ref());
        Self {
            path: agree_text(self.path, &other.path),
            query: agree_all(self.query, &other.query, agree_pair),
            headers: agree_all(self.headers, &other.headers, agree_pair),
            json: json.map(|(one, other)| agree_json(one, other)),
            ..self
        }
    }
}

fn agree_all<T>(one: Vec<T>, other: &[T], agree: impl Fn(T, &T) -> T) -> Vec<T> {
    let pairs = one.into_iter().zip(other);
    pairs.map(|(one, other)| agree(one, other)).collect()
}

fn agree_pair(one: (String, String), other: &(String, String)) -> (String, String) {
    (agree_text(one.0, &other.0), agree_text(one.1, &other.1))
}

fn agree_text(one: String, other: &str) -> String {
    if one == other { one } else { RANDOM.to_owned() }
}

fn agree_json(one: Json, other: &Json) -> Json {
    match (one, other) {
        (one, other) if one == *other => one,
        (Json::Array(one), Json::Array(other)) if one.len() == other.len() => {
            Json::Array(agree_all(one, other, agree_json))
        }
        (Json::Object(one), Json::Object(other)) if one.len() == other.len() => {
            Json::Object(agree_map(one, other))
        }
        _ => Json::from(RANDOM),
    }
}

fn agree_map(one: Map<String, Json>, other: &Map<String, Json>) -> Map<String, Json> {
    let pairs = one.into_iter().zip(other);
    pairs
        .map(|((key, one), (other_key, other))| {
            (agree_text(key, other_key), agree_json(one, other))
        })
        .collect()
}

#[cfg(test)]
mod tests {
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
