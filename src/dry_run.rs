//! What a run would send and write, worked out without a connection to anything.
//!
//! Every text goes through the symbols, so that no value of the run is shown, only its name. All of it is drawn twice:
//! where the two drawings differ, a template made something random that no symbol names, shown as `<random>`.

mod agree;
mod side;
mod text;

use std::collections::{BTreeMap, BTreeSet};

use agree::agree_all;
use side::Side;

use indexmap::IndexMap;
use secrecy::ExposeSecret;
use serde::Serialize;
use serde_json::Value as Json;

use crate::credential::headers;
use crate::database::redacted;
use crate::http::{Call, shown};
use crate::journal::STATEMENTS;
use crate::plan::{EndpointPlan, PlannedCell, callers};
use crate::service::Given;
use crate::suite::{CaptureSpec, Credential, Endpoint, Kind, RequestSpec, StepSpec, Suite};
use crate::sweep::{NOBODY, SweepError};
use crate::symbols::{Registry, View};
use crate::template::{Fields, Scope, TemplateError, Templates, Value, random};
use crate::world::{Class, Field, Instance, Row, Scratch, World, order};

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
    /// The requests that would make the world, by whom they make.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub setup: IndexMap<String, Steps>,
    /// The requests of the endpoints' own setups, by endpoint.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub endpoints: IndexMap<String, Steps>,
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
    /// Those that take it back; none where the journal does that.
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
        let one = Drawing::new(suite, given, &callers)?;
        let other = Drawing::new(suite, given, &callers)?;
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
            journal,
            world,
            setup,
            endpoints,
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
        (None, None) => "an embedded one, made for the run".to_owned(),
    }
}

fn journal(suite: &Suite, given: &Given) -> Vec<String> {
    if given.database_url.is_none() && given.base_url.is_some() {
        return Vec::new();
    }
    let schema = &suite.file.service.schema;
    let triggers = format!("triggers authz_pin_* on every table of the schema {schema}");
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
    rows: Vec<Row>,
    /// The requests that make the world, by whom they make.
    made: IndexMap<&'a str, Calls>,
    /// What actors would be given by logins, or signed for them.
    tokens: BTreeMap<&'a str, Instance>,
    /// Whether there is no journal, so that what requests make is taken back by requests.
    has_teardown: bool,
}

/// What logins would give and what would be signed, with made up values.
fn tokens(suite: &Suite) -> BTreeMap<&str, Instance> {
    let tokens = suite.world.actors.iter().filter_map(|(name, actor)| {
        let auth = actor.auth.as_ref()?;
        let login = auth.login.iter().flat_map(|login| login.capture.keys());
        let jwt = auth.jwt.iter().map(|_| "jwt");
        let names = login.map(String::as_str).chain(jwt);
        let secret = |name: &str| {
            let (value, class) = (random(24), Class::Secret);
            (name.to_owned(), Field { value, class })
        };
        let mut instance = Instance::default();
        instance.fields = names.map(secret).collect();
        Some((name.as_str(), instance))
    });
    tokens.collect()
}

/// The requests of one setup and its teardown.
#[derive(Default)]
struct Calls {
    setup: Vec<Call>,
    teardown: Vec<Call>,
}

/// A cell's target, and the requests that make it.
type Target = (Scratch, Calls);

impl<'a> Drawing<'a> {
    fn new(suite: &'a Suite, given: &Given, callers: &BTreeSet<&str>) -> Result<Self, SweepError> {
        let templates = Templates::for_made_up();
        let world = World::draw(suite, &templates, &given.variables)?;
        let mut drawing = Self {
            suite,
            templates,
            world,
            rows: Vec::new(),
            made: IndexMap::new(),
            tokens: tokens(suite),
            has_teardown: given.database_url.is_none() && given.base_url.is_some(),
        };
        drawing.make_world()?;
        drawing.log_in(callers)?;
        Ok(drawing)
    }

    fn make_world(&mut self) -> Result<(), SweepError> {
        for member in order(self.suite, &self.templates) {
            if self.suite.has_setup() {
                self.world.prepare(self.suite, &self.templates, &member)?;
            }
            self.rows
                .extend(self.world.rows_of(&self.templates, &member)?);
            let Some(kind) = member.kind.filter(|kind| !kind.setup.is_empty()) else {
                continue;
            };
            let base = self.world.scope_for(member.name);
            let entity = self.world.entities.get(member.name);
            let mut entity = entity.cloned().unwrap_or_default();
            let calls = self.steps(kind, &base, &mut entity)?;
            self.world.settle(self.suite, member.name, entity);
            self.made.insert(member.name, calls);
        }
        Ok(())
    }

    /// The logins, after the world is made.
    fn log_in(&mut self, callers: &BTreeSet<&str>) -> Result<(), SweepError> {
        let actors = self.suite.world.actors.keys();
        for name in actors.filter(|name| callers.contains(name.as_str())) {
            let Some(login) = self
                .suite
                .auth_of(name)
                .and_then(|auth| auth.login.as_ref())
            else {
                continue;
            };
            let scope = self.world.scope_of_actor(name);
            let credential = self.headers(login.auth.as_ref(), &scope)?;
            let call = Call::render(&self.templates, &login.request, credential, &scope)?;
            let calls = self.made.entry(name.as_str()).or_default();
            calls.setup.push(call);
        }
        Ok(())
    }

    /// The requests of a setup, whose captures are made up, and those of its teardown.
    fn steps(&self, kind: &Kind, base: &Scope, entity: &mut Instance) -> Result<Calls, SweepError> {
        let mut calls = Calls::default();
        for step in &kind.setup {
            let call = self.step(step, &entity.within(base))?;
            let Some(call) = call else { continue };
            calls.setup.push(call);
            let made_up = step.capture.keys().map(|name| (name.clone(), random(24)));
            entity.learn(&self.templates, kind, base, &made_up.collect())?;
        }
        for step in kind.teardown.iter().filter(|_| self.has_teardown) {
            calls
                .teardown
                .extend(self.step(step, &entity.within(base))?);
        }
        Ok(calls)
    }

    /// The request of a step, where it is sent at all.
    fn step(&self, step: &StepSpec, scope: &Scope) -> Result<Option<Call>, SweepError> {
        if !self.templates.wants(step.when.as_deref(), scope)? {
            return Ok(None);
        }
        let credential = self.headers(step.auth.as_ref(), scope)?;
        let call = Call::render(&self.templates, &step.request, credential, scope)?;
        Ok(Some(call))
    }

    fn headers(
        &self,
        auth: Option<&Credential>,
        scope: &Scope,
    ) -> Result<Vec<(String, String)>, TemplateError> {
        let Some(actor) = auth.and_then(|auth| auth.actor.as_ref()) else {
            return headers(&self.templates, auth, scope, &Fields::new());
        };
        let own = self.suite.auth_of(actor);
        let scope = self.world.scope_of_actor(actor);
        headers(&self.templates, own, &scope, &self.issued(actor))
    }

    /// What an actor would be given, with made up values.
    fn issued(&self, actor: &str) -> Fields {
        let tokens = self.tokens.get(actor).map(Instance::scope);
        let tokens = tokens.unwrap_or_default();
        let mut names = Fields::new();
        if let Some(auth) = self.suite.auth_of(actor) {
            let jwt = auth.jwt.as_ref().and_then(|_| tokens.get("jwt").cloned());
            names.extend(jwt.map(|jwt| ("jwt".to_owned(), jwt)));
            let login = auth.login.as_ref();
            names.extend(login.map(|_| ("login".to_owned(), Value::from(tokens))));
        }
        names
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
            rows(one, &self.rows),
            &rows(another, &other.rows),
            Insert::agree,
        );
        let steps = self.made.iter().zip(other.made.values());
        let steps = steps.map(|((name, calls), others)| {
            let steps = one.steps(calls).agree(&another.steps(others));
            ((*name).to_owned(), steps)
        });
        (inserts, steps.collect())
    }

    fn registry(&self) -> Registry {
        let mut registry = Registry::of_world(&self.world);
        for (actor, tokens) in &self.tokens {
            registry.add_world_entity(actor, tokens);
        }
        registry
    }

    fn cells(&self, plan: &EndpointPlan<'_>) -> Result<(Steps, Vec<CellRun>), SweepError> {
        let mut registry = self.registry();
        let mut setup = Instance::default();
        let kind = &plan.endpoint.setup;
        let own = self.steps(kind, &self.world.scope(), &mut setup)?;
        registry.add_world_entity("setup", &setup);
        let setup = (!kind.setup.is_empty()).then_some(&setup);
        let mut targets = Vec::new();
        for (number, cell) in plan.cells.iter().enumerate() {
            targets.extend(self.target(plan.endpoint, number, cell, setup, &mut registry)?);
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
            self.cell(plan.endpoint, cell, target, side)
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
    ) -> Result<Option<Target>, SweepError> {
        let Some(target) = self.suite.targets.get(cell.target) else {
            return Ok(None);
        };
        let kind = target.kind.as_ref();
        let kind = kind.and_then(|kind| self.suite.world.kinds.get(kind));
        let (templates, target) = (&self.templates, (cell.target.as_str(), target));
        let mut scratch = Scratch::make(
            self.suite,
            templates,
            &self.world,
            setup,
            target,
            cell.actor,
        )?;
        let mut calls = Calls::default();
        if let Some(kind) = kind {
            let (base, mut made) = (scratch.base(cell.target), scratch.target.clone());
            calls = self.steps(kind, &base, &mut made)?;
            scratch.settle(made);
        }
        registry.add_tag(number, &scratch.tag);
        registry.add_cell_entity(number, "target", &scratch.target);
        for (name, spec) in &endpoint.spec.capture {
            if let Some(bound) = self.bound(spec)? {
                registry.add_cell_entity(number, name, &bound);
                scratch.scope.insert(name, Value::from(bound.scope()));
            }
        }
        Ok(Some((scratch, calls)))
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
        (scratch, calls): &Target,
        side: Side<'_>,
    ) -> Result<CellRun, SweepError> {
        let (auth, issued) = (self.suite.auth_of(cell.actor), self.issued(cell.actor));
        let credential = headers(&self.templates, auth, &scratch.scope, &issued)?;
        let request = &endpoint.spec.request;
        let rendered = Call::render(&self.templates, request, credential, &scratch.scope)?;
        let mut request = side.request(&rendered);
        let pages = endpoint.spec.pages.as_ref();
        let counted = pages.filter(|pages| pages.total.is_some());
        request.pages = counted.and_then(|pages| pages.query.clone());
        let mut probes = IndexMap::new();
        for (name, probe) in &endpoint.spec.probes {
            // As in a sweep: a probe whose credential does not exist is not made.
            if self.headers(Some(&probe.auth), &scratch.scope).is_ok() {
                let probe = self.request(&probe.request, Some(&probe.auth), scratch, side)?;
                probes.insert(name.clone(), probe);
            }
        }
        Ok(CellRun {
            endpoint: cell.endpoint.to_owned(),
            target: cell.target.to_owned(),
            actor: cell.actor.to_owned(),
            rows: scratch.rows.iter().map(|row| side.insert(row)).collect(),
            steps: side.steps(calls),
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
        let credential = self.headers(auth, &scratch.scope)?;
        let call = Call::render(&self.templates, spec, credential, &scratch.scope)?;
        Ok(side.request(&call))
    }
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
