//! Nulls that a request has no way to say: in its path, its query and its headers.
//!
//! They are looked for before anything is sent or written, by rendering what could hold one.

use std::collections::{BTreeMap, BTreeSet};

use authz_pin_record::text::leaves;
use authz_pin_suite::diagnostic::{Diagnostic, Diagnostics, Position, list};
use authz_pin_suite::plan::{EndpointPlan, PlannedCell, callers};
use authz_pin_suite::suite::{Endpoint, RequestSpec, Suite, Target, Texts};
use authz_pin_suite::template::{Scope, TemplateError, Templates, is_word, random};
use authz_pin_suite::world::Instance;
use indexmap::IndexMap;
use secrecy::SecretString;

use super::cast::Cast;
use super::notes::Notes;
use crate::http::{Call, Presented};
use crate::sweep::SweepError;
use crate::symbols::Registry;

/// Every null that the cells of the plan would have to send. What fails otherwise is for the run to say.
#[must_use]
pub fn nulls(suite: &Suite, plan: &[EndpointPlan<'_>]) -> Diagnostics {
    let drawn = Cast::make(suite, &made_up(suite), &callers(suite, plan));
    match drawn {
        Ok(cast) => plan.iter().flat_map(|plan| cast.nulls(plan)).collect(),
        Err(error) => of_world(suite, &error).into_iter().collect(),
    }
}

/// Values for the variables that a run has to be given.
fn made_up(suite: &Suite) -> BTreeMap<String, SecretString> {
    let variables = suite.file.variables.iter();
    let open = variables.filter(|(_, variable)| variable.default.is_none());
    open.map(|(name, _)| (name.clone(), random(24).into()))
        .collect()
}

/// A null in what makes the world.
fn of_world(suite: &Suite, error: &SweepError) -> Option<Diagnostic> {
    let SweepError::Values { of, error } = error else {
        return None;
    };
    let message = format!("{}: {of} cannot be made", said(error)?);
    Some(Diagnostic::new(suite.folder.join("world.yaml"), message).help(HELP_WITH_WORLD))
}

const HELP_WITH_WORLD: &str = "give it a value, or leave the request out with `when`";
const HELP_WITH_CELLS: &str = "give it a value, or let them not call there: `calls` in world.yaml";

/// What is null, and where.
fn said(error: &TemplateError) -> Option<String> {
    let null = error.null.as_ref()?;
    Some(format!("`{null}` is null in `{}`", error.template))
}

/// The error of a template that somebody else's error is about.
fn of_template(error: SweepError) -> Option<TemplateError> {
    match error {
        SweepError::Template(error) | SweepError::Values { error, .. } => Some(error),
        _ => None,
    }
}

impl Cast<'_> {
    fn nulls(&self, plan: &EndpointPlan<'_>) -> Vec<Diagnostic> {
        let endpoint = plan.endpoint;
        let setup = match self.set_endpoint_up(&endpoint.setup) {
            Ok(setup) => setup.map(|(setup, _)| setup),
            Err(error) => {
                let said = of_template(error).as_ref().and_then(said);
                let of_setup = |said| at(endpoint, None, format!("{said}: `setup` cannot be sent"));
                return said.map(of_setup).into_iter().collect();
            }
        };
        let setup = setup.as_ref();
        // The actors that cannot call, by what is null for them.
        let mut unable: IndexMap<(&String, String), Vec<&str>> = IndexMap::new();
        for cell in self.suspects(plan) {
            for error in self.errors(endpoint, cell, setup) {
                let said = said(&error).map(|said| (cell.target, said));
                let actors = said.map(|said| unable.entry(said).or_default());
                if let Some(actors) = actors.filter(|actors| !actors.contains(&cell.actor.as_str()))
                {
                    actors.push(cell.actor);
                }
            }
        }
        let unable = unable.into_iter();
        let unable = unable.map(|((target, said), actors)| {
            let cells = format!("`{}/{target}`", endpoint.name);
            let actors = list(actors.into_iter());
            let message = format!("{said}: {cells} cannot be called by {actors}");
            at(endpoint, Some(target), message)
        });
        unable.collect()
    }

    /// What of a cell cannot be rendered.
    fn errors(
        &self,
        endpoint: &Endpoint,
        cell: &PlannedCell<'_>,
        setup: Option<&Instance>,
    ) -> Vec<TemplateError> {
        let mut registry = Registry::default();
        let aim = match self.target(endpoint, 0, cell, setup, &mut registry) {
            Ok(Some(aim)) => aim,
            Ok(None) => return Vec::new(),
            Err(error) => return of_template(error).into_iter().collect(),
        };
        let (templates, scope) = (&self.templates, &aim.scratch.scope);
        let (notes, fresh) = (Notes::default(), aim.fresh.as_ref());
        let provision = self.provision(&notes);
        let mut errors = Vec::new();
        errors.extend(provision.headers_of(cell.actor, scope, fresh).err());
        let probes = || endpoint.spec.probes.values();
        let requests = probes().map(|probe| &probe.request);
        for request in std::iter::once(&endpoint.spec.request).chain(requests) {
            errors.extend(Call::render(templates, request, Presented::default(), scope).err());
        }
        let credentials =
            probes().map(|probe| provision.headers_in(&probe.auth, cell, scope, fresh));
        errors.extend(credentials.filter_map(Result::err));
        errors
    }

    /// The cells in which a null can stand. There can be a million cells, most of which hold none.
    fn suspects<'p>(&self, plan: &'p EndpointPlan<'_>) -> Vec<&'p PlannedCell<'p>> {
        let suite = self.suite;
        let texts = texts(plan.endpoint);
        let mut targets = BTreeMap::new();
        let mut actors = BTreeMap::new();
        let mut is_suspect = |cell: &PlannedCell<'_>| {
            let of_target = targets.entry(cell.target.clone()).or_insert_with(|| {
                let target = suite.targets.get(cell.target);
                target.is_some_and(|target| self.is_target_suspect(target, &texts))
            });
            let of_actor = actors
                .entry(cell.actor.clone())
                .or_insert_with(|| self.is_actor_suspect(plan.endpoint, cell.actor, &texts));
            *of_target || *of_actor
        };
        let cells = plan.cells.iter();
        cells.filter(|cell| is_suspect(cell)).collect()
    }

    /// Whether a null of the target can stand in the texts, or in those that make it.
    fn is_target_suspect(&self, target: &Target, texts: &BTreeSet<String>) -> bool {
        let (suite, templates) = (self.suite, &self.templates);
        let kind = target.kind.as_ref();
        let kind = kind.and_then(|kind| suite.world.kinds.get(kind));
        let is_drawn =
            |name: &str| kind.is_some_and(|kind| kind.fields().any(|(symbol, ..)| symbol == name));
        let own = |name: &String| {
            let field = name.strip_prefix("target.");
            field.is_some_and(|field| !is_drawn(field))
        };
        let steps = kind
            .into_iter()
            .flat_map(|kind| kind.setup.iter().chain(&kind.teardown));
        let mut made = BTreeSet::new();
        for step in steps {
            step.request
                .iter()
                .for_each(|request| wire(request, &mut made));
            step.auth.iter().for_each(|auth| {
                auth.texts(&mut |text| {
                    made.insert(text.to_owned());
                });
            });
        }
        let scope = self.scope();
        let is_step_suspect = |name: &String| {
            !is_drawn(name) && name != "name" && !is_a_word(templates, name, &scope)
        };
        any(templates, texts, own) || any(templates, &made, is_step_suspect)
    }

    /// Whether a null that does not depend on the target can stand in the texts, or in the actor's credential.
    fn is_actor_suspect(&self, endpoint: &Endpoint, actor: &str, texts: &BTreeSet<String>) -> bool {
        let templates = &self.templates;
        let mut texts = texts.clone();
        if let Some(auth) = self.suite.auth_of(actor) {
            auth.texts(&mut |text| {
                texts.insert(text.to_owned());
            });
        }
        let scope = self.scene.world.borrow().scope_of_actor(actor);
        any(templates, &texts, |name: &String| {
            let head = name.split('.').next().unwrap_or_default();
            // What an answer binds has texts, or nothing at all.
            let is_bound = endpoint.spec.capture.contains_key(head);
            head != "target" && !is_bound && !is_a_word(templates, name, &scope)
        })
    }
}

/// Whether a text has such a name, or makes a null by itself.
fn any(
    templates: &Templates,
    texts: &BTreeSet<String>,
    is_suspect: impl Fn(&String) -> bool,
) -> bool {
    texts.iter().any(|text| {
        let names = templates.names(text);
        let mut names = names.iter().flat_map(|names| names.iter());
        text.to_lowercase().contains("none") || names.any(&is_suspect)
    })
}

/// Whether a name has a value that is a text, a number or a truth value, in any cell.
fn is_a_word(templates: &Templates, name: &str, scope: &Scope) -> bool {
    let head = name.split('.').next().unwrap_or_default();
    // What a run or a cell has of its own is text.
    if ["run", "vars", "cell", "setup", "login", "jwt"].contains(&head) {
        return true;
    }
    let value = templates.evaluate(&format!("{{{{ {name} }}}}"), scope);
    value.is_ok_and(|value| is_word(&value))
}

/// The texts of an endpoint that have no way to say null.
fn texts(endpoint: &Endpoint) -> BTreeSet<String> {
    let mut texts = BTreeSet::new();
    wire(&endpoint.spec.request, &mut texts);
    for probe in endpoint.spec.probes.values() {
        wire(&probe.request, &mut texts);
        probe.auth.texts(&mut |text| {
            texts.insert(text.to_owned());
        });
    }
    texts
}

fn wire(request: &RequestSpec, texts: &mut BTreeSet<String>) {
    let mut add = |text: &str| {
        texts.insert(text.to_owned());
    };
    add(&request.path);
    let headers = request.headers.values().flatten();
    headers.flat_map(Texts::all).for_each(|value| add(value));
    leaves(&request.query, &mut add);
}

fn at(endpoint: &Endpoint, target: Option<&str>, message: String) -> Diagnostic {
    let place = &endpoint.place;
    let line = place.line_of(target);
    let mistake = Diagnostic::new(&place.file, message).at(Position { line, column: 1 });
    mistake.help(if target.is_some() {
        HELP_WITH_CELLS
    } else {
        HELP_WITH_WORLD
    })
}
