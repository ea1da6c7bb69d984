//! From what is known about a service to what a suite says.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;
use serde::Serialize;
use serde_json::{Map, Value as Json};

use super::access::{auth, common, nouns, without_own};
use super::kinds::Kinds;
use super::names::{digest, file, unique, words};
use super::source::{Access, Action, Source};

/// A suite before it is written.
#[derive(Debug, Serialize)]
pub struct Draft {
    /// The suite's name.
    pub name: String,
    /// A path that answers everybody with a success.
    pub ready: String,
    /// Whether that is known, and not only a guess.
    pub is_ready_known: bool,
    /// The path of the OpenAPI document.
    pub openapi: Option<String>,
    /// The JSON path of the message of a refusal.
    pub refusal: Option<String>,
    /// Where the service is.
    pub base_url: Option<String>,
    /// The operation that takes a name and a password, and gives a credential.
    pub login: Option<String>,
    /// Values given from outside.
    pub variables: Vec<Variable>,
    /// What identifiers are of.
    pub kinds: Vec<Kind>,
    /// What the paths of others lead through.
    pub entities: Vec<Entity>,
    /// Who calls.
    pub actors: Vec<Actor>,
    /// Names of what callers have to show as well.
    pub unknown: Vec<String>,
    /// What is called upon.
    pub targets: Vec<Target>,
    /// What is called.
    pub endpoints: Vec<Endpoint>,
    /// Operations that the draft leaves out, as `METHOD /path`.
    pub impossible: Vec<String>,
}

/// A value given from outside.
#[derive(Debug, Serialize)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// What it is.
    pub what: String,
}

/// What an identifier is of.
#[derive(Debug, Serialize)]
pub struct Kind {
    /// Its name.
    pub name: String,
    /// The same in words.
    pub label: String,
    /// The kind of one that does not exist.
    pub missing: String,
    /// Identifiers by name, as templates.
    pub symbols: IndexMap<String, String>,
    /// What the paths to it lead through: parameters, all null.
    pub through: IndexMap<String, Json>,
    /// Identifiers of one that exists: those that a request makes have no template.
    pub own_symbols: IndexMap<String, Option<String>>,
    /// Parameters of one that exists: whose credential makes it.
    pub own_parameters: IndexMap<String, Json>,
    /// The kind of what calls make.
    pub fresh: Option<Fresh>,
    /// The request that makes one.
    pub setup: Option<Json>,
    /// Whether it is only a guess where the answer has the identifier.
    pub is_guess: bool,
    /// The request that removes one.
    pub teardown: Option<Json>,
}

/// What an identifier is of that a call makes.
#[derive(Debug, Serialize)]
pub struct Fresh {
    /// Its name.
    pub name: String,
    /// Identifiers by name, all captured.
    pub symbols: IndexMap<String, Json>,
    /// The request that removes one.
    pub teardown: Option<Json>,
}

/// Something that exists for the whole run.
#[derive(Debug, Serialize)]
pub struct Entity {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: String,
    /// Its tenant.
    pub tenant: &'static str,
    /// Its parameters.
    pub with: Map<String, Json>,
}

/// Who calls.
#[derive(Debug, Serialize)]
pub struct Actor {
    /// Its name.
    pub name: &'static str,
    /// Who that is.
    pub who: &'static str,
    /// Its tenant.
    pub tenant: Option<&'static str>,
    /// Its credential.
    pub auth: Option<Json>,
    /// Whom it is meant to outrank.
    pub outranks: &'static [&'static str],
}

/// What is called upon.
#[derive(Debug, Serialize)]
pub struct Target {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: String,
    /// Its tenant.
    pub tenant: Option<&'static str>,
    /// Its parameters.
    pub with: Map<String, Json>,
}

/// What is called.
#[derive(Debug, Serialize)]
pub struct Endpoint {
    /// The name of its file.
    pub name: String,
    /// What it is for.
    pub summary: Option<String>,
    /// The operation as the document has it.
    pub operation: String,
    /// The method.
    pub method: String,
    /// The path, as a template.
    pub path: String,
    /// The query.
    pub query: Map<String, Json>,
    /// Parameters that the query could have as well.
    pub more_query: Vec<String>,
    /// The headers.
    pub headers: IndexMap<String, String>,
    /// The key of the body, and the body.
    pub sent: Option<(&'static str, Json)>,
    /// Fields that it could have as well.
    pub more: Vec<String>,
    /// The media type of a body that is not written.
    pub media: Option<String>,
    /// What a success binds.
    pub capture: Option<Json>,
    /// The names of the targets.
    pub targets: Vec<String>,
    /// Whether the tag of a cell is in the body.
    pub is_tagged: bool,
}

impl Draft {
    /// What a suite of that name says about a service.
    #[must_use]
    pub fn new(name: &str, source: Source) -> Self {
        let kinds = Kinds::of(&source.actions, &source.access);
        let names = names(&source.actions);
        let endpoints = source.actions.iter().zip(names);
        let endpoints = endpoints.map(|(action, name)| kinds.endpoint(name, action));
        let mut endpoints: Vec<Endpoint> = endpoints.collect();
        endpoints.sort_by(|one, other| one.name.cmp(&other.name));
        let actors = actors(&source.access);
        let mut variables = variables(&actors, &source.access);
        variables.extend(source.secrets.iter().map(|name| Variable {
            name: name.clone(),
            what: "stands for a secret of what was recorded".to_owned(),
        }));
        Self {
            name: name.to_owned(),
            is_ready_known: source.ready.is_some(),
            ready: source.ready.unwrap_or_else(|| "/".to_owned()),
            openapi: source.openapi,
            refusal: source.refusal,
            base_url: source.base_url,
            login: source.login,
            variables,
            entities: kinds.entities(),
            targets: kinds.targets(),
            kinds: kinds.kinds(),
            actors,
            unknown: source.unknown,
            endpoints,
            impossible: source.impossible,
        }
    }
}

fn actors(access: &Access) -> Vec<Actor> {
    let actor = |name, who, tenant, outranks| Actor {
        name,
        who,
        tenant: Some(tenant),
        auth: Some(auth(access, &|noun| {
            format!("{{{{ vars.{name}_{noun} }}}}")
        })),
        outranks,
    };
    vec![
        actor(
            "admin",
            "somebody who may do everything in tenant a",
            "a",
            &["member"],
        ),
        actor(
            "member",
            "somebody of tenant a without special rights",
            "a",
            &[],
        ),
        actor("outsider", "somebody of another tenant", "b", &[]),
        Actor {
            name: "anonymous",
            who: "nobody: a call without a credential",
            tenant: None,
            auth: without_own(access),
            outranks: &[],
        },
    ]
}

fn variables(actors: &[Actor], access: &Access) -> Vec<Variable> {
    let callers = actors.iter().filter(|actor| actor.tenant.is_some());
    let of = |actor: &Actor| {
        let (name, who) = (actor.name, actor.who);
        let variable = move |(noun, what): (String, String)| Variable {
            name: format!("{name}_{noun}"),
            what: format!("{what} of {who}"),
        };
        nouns(access).into_iter().map(variable)
    };
    let common = common(access).into_iter();
    let common = common.map(|(name, what)| Variable {
        name,
        what: format!("{what} the same for all"),
    });
    common.chain(callers.flat_map(of)).collect()
}

/// A name for each action: by its own name, or by its method and path where it has none or another one has the same.
fn names(actions: &[Action]) -> Vec<String> {
    // A name in another script than ours is none for a file.
    let is_usable = |id: &String| !words(id).is_empty();
    let own = |action: &Action| {
        let id = without_path(action.id.as_deref()?, action);
        Some(id).filter(is_usable).map(|id| file(&id))
    };
    let own: Vec<String> = actions
        .iter()
        .map(|action| own(action).unwrap_or_default())
        .collect();
    let by_path: Vec<String> = actions.iter().map(|action| file(&action.title())).collect();
    let count = |names: &[String]| {
        let mut counts = BTreeMap::<String, usize>::new();
        for name in names {
            *counts.entry(name.clone()).or_default() += 1;
        }
        counts
    };
    let (own_counts, path_counts) = (count(&own), count(&by_path));
    let is_single = |counts: &BTreeMap<String, usize>, name: &String| {
        !name.is_empty() && counts.get(name) == Some(&1)
    };
    let mut taken = BTreeSet::new();
    let mut names = Vec::new();
    for (action, (own, by_path)) in actions.iter().zip(own.iter().zip(&by_path)) {
        let name = match () {
            () if is_single(&own_counts, own) => own.clone(),
            () if is_single(&path_counts, by_path) => by_path.clone(),
            () => format!("{by_path}-{}", digest(&action.title())),
        };
        names.push(unique(&name, &mut taken));
    }
    names
}

/// Some frameworks put the path and the method into an operation's own name: `read_team_teams__team_id__get`.
fn without_path(id: &str, action: &Action) -> String {
    let word = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    let path: String = action.path.chars().map(word).collect();
    let end = format!("{path}_{}", action.method.to_ascii_lowercase());
    id.strip_suffix(&end)
        .filter(|rest| !rest.is_empty())
        .unwrap_or(id)
        .to_owned()
}
