//! A world as it would be made: its values, its rows, and the requests that make it.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;

use crate::credential::headers;
use crate::http::Call;
use crate::plan::PlannedCell;
use crate::suite::{Credential, Kind, StepSpec, Suite};
use crate::sweep::SweepError;
use crate::symbols::Registry;
use crate::template::{Fields, Scope, TemplateError, Templates, Value, random};
use crate::world::{Class, Field, Instance, Row, World, order};

/// The requests of one setup and its teardown.
#[derive(Default)]
pub(super) struct Calls {
    pub(super) setup: Vec<Call>,
    pub(super) teardown: Vec<Call>,
}

/// One world, that of the run or that of one cell.
pub(super) struct Cast<'a> {
    pub(super) world: World,
    pub(super) rows: Vec<Row>,
    /// The requests that make it, by whom they make.
    pub(super) made: IndexMap<&'a str, Calls>,
    /// What actors would be given by logins, or signed for them.
    pub(super) tokens: BTreeMap<&'a str, Instance>,
}

impl Cast<'_> {
    /// The requests that make it and those that take it back, in their order.
    pub(super) fn calls(&mut self) -> Calls {
        let mut all = Calls::default();
        let mut teardowns = Vec::new();
        for (_, calls) in self.made.drain(..) {
            all.setup.extend(calls.setup);
            teardowns.push(calls.teardown);
        }
        // What was made last is taken back first.
        all.teardown.extend(teardowns.into_iter().rev().flatten());
        all
    }
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

/// What makes worlds.
pub(super) struct Maker<'a> {
    pub(super) suite: &'a Suite,
    pub(super) templates: Templates,
}

impl<'a> Maker<'a> {
    /// The world of the run.
    pub(super) fn cast(
        &self,
        world: World,
        callers: &BTreeSet<&str>,
    ) -> Result<Cast<'a>, SweepError> {
        self.make(world, tokens(self.suite), callers)
    }

    /// The world of one cell, beside that of the run.
    pub(super) fn fresh(
        &self,
        shared: &Cast<'a>,
        number: usize,
        cell: &PlannedCell<'_>,
        registry: &mut Registry,
    ) -> Result<Cast<'a>, SweepError> {
        let world = shared.world.anew(self.suite, &self.templates)?;
        let mut given = shared.tokens.clone();
        let own = tokens(self.suite);
        given.extend(own.into_iter().filter(|(name, _)| {
            let is_caller = *name == cell.actor.as_str();
            is_caller || self.suite.is_made(name)
        }));
        let cast = self.make(world, given, &BTreeSet::from([cell.actor.as_str()]))?;
        registry.add_fresh_world(number, &cast.world);
        for (actor, tokens) in &cast.tokens {
            registry.add_fresh_entity(number, actor, tokens);
        }
        Ok(cast)
    }

    fn make(
        &self,
        world: World,
        tokens: BTreeMap<&'a str, Instance>,
        callers: &BTreeSet<&str>,
    ) -> Result<Cast<'a>, SweepError> {
        let mut cast = Cast {
            world,
            rows: Vec::new(),
            made: IndexMap::new(),
            tokens,
        };
        self.make_members(&mut cast)?;
        self.log_in(&mut cast, callers)?;
        Ok(cast)
    }

    fn make_members(&self, cast: &mut Cast<'a>) -> Result<(), SweepError> {
        for member in order(self.suite, &self.templates) {
            if self.suite.has_setup() {
                cast.world.prepare(self.suite, &self.templates, &member)?;
            }
            let rows = cast.world.rows_of(&self.templates, &member)?;
            cast.rows.extend(rows);
            let Some(kind) = member.kind.filter(|kind| !kind.setup.is_empty()) else {
                continue;
            };
            let base = cast.world.scope_for(member.name);
            let entity = cast.world.entities.get(member.name);
            let mut entity = entity.cloned().unwrap_or_default();
            let calls = self.steps(cast, kind, &base, &mut entity);
            let calls = calls.map_err(|error| error.of(format!("`{}`", member.name)))?;
            cast.world.settle(self.suite, member.name, entity);
            cast.made.insert(member.name, calls);
        }
        Ok(())
    }

    /// The logins, after the world is made.
    fn log_in(&self, cast: &mut Cast<'a>, callers: &BTreeSet<&str>) -> Result<(), SweepError> {
        let actors = self.suite.world.actors.keys();
        for name in actors.filter(|name| callers.contains(name.as_str())) {
            let auth = self.suite.auth_of(name);
            let Some(login) = auth.and_then(|auth| auth.login.as_ref()) else {
                continue;
            };
            let scope = cast.world.scope_of_actor(name);
            let credential = self.headers(cast, login.auth.as_ref(), &scope);
            let call = credential.and_then(|credential| {
                Call::render(&self.templates, &login.request, credential, &scope)
            });
            let of_login = |error| SweepError::from(error).of(format!("the login of `{name}`"));
            let call = call.map_err(of_login)?;
            let calls = cast.made.entry(name.as_str()).or_default();
            calls.setup.push(call);
        }
        Ok(())
    }

    /// The requests of a setup, whose captures are made up, and those of its teardown.
    pub(super) fn steps(
        &self,
        cast: &Cast<'_>,
        kind: &Kind,
        base: &Scope,
        entity: &mut Instance,
    ) -> Result<Calls, SweepError> {
        let mut calls = Calls::default();
        for step in &kind.setup {
            let call = self.step(cast, step, &entity.within(base))?;
            let Some(call) = call else { continue };
            calls.setup.push(call);
            let made_up = step.capture.keys().map(|name| (name.clone(), random(24)));
            entity.learn(&self.templates, kind, base, &made_up.collect())?;
        }
        for step in &kind.teardown {
            let call = self.step(cast, step, &entity.within(base))?;
            calls.teardown.extend(call);
        }
        Ok(calls)
    }

    /// The request of a step, where it is sent at all.
    fn step(
        &self,
        cast: &Cast<'_>,
        step: &StepSpec,
        scope: &Scope,
    ) -> Result<Option<Call>, SweepError> {
        if !self.templates.wants(step.when.as_deref(), scope)? {
            return Ok(None);
        }
        let credential = self.headers(cast, step.auth.as_ref(), scope)?;
        let call = Call::render(&self.templates, &step.request, credential, scope)?;
        Ok(Some(call))
    }

    pub(super) fn headers(
        &self,
        cast: &Cast<'_>,
        auth: Option<&Credential>,
        scope: &Scope,
    ) -> Result<Vec<(String, String)>, TemplateError> {
        let Some(actor) = auth.and_then(|auth| auth.actor.as_ref()) else {
            return headers(&self.templates, auth, scope, &Fields::new());
        };
        let own = self.suite.auth_of(actor);
        let scope = cast.world.scope_of_actor(actor);
        headers(&self.templates, own, &scope, &self.issued(cast, actor))
    }

    /// What an actor would be given, with made up values.
    pub(super) fn issued(&self, cast: &Cast<'_>, actor: &str) -> Fields {
        let tokens = cast.tokens.get(actor).map(Instance::scope);
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
}
