//! From what is known about a service to what a suite says.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;
use serde::Serialize;
use serde_json::{Map, Value as Json, json};

use super::names::{digest, file, identifier, singular, unique, words};
use super::source::{Access, Action, Source};
use crate::openapi::Form;
use crate::template::literal_text;

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
    /// What says who calls, where a suite cannot say it.
    pub unusual: Option<String>,
    /// Values given from outside.
    pub variables: Vec<Variable>,
    /// What identifiers are of.
    pub kinds: Vec<Kind>,
    /// What the paths of others lead through.
    pub entities: Vec<Entity>,
    /// Who calls.
    pub actors: Vec<Actor>,
    /// What is called upon.
    pub targets: Vec<Target>,
    /// What is called.
    pub endpoints: Vec<Endpoint>,
    /// Operations that no suite can call, as `METHOD /path`.
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
    pub parameters: IndexMap<String, Json>,
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
    /// The headers.
    pub headers: IndexMap<String, String>,
    /// The JSON body.
    pub json: Option<Json>,
    /// Fields that it could have as well.
    pub more: Vec<String>,
    /// The media type of a body that is not written.
    pub media: Option<String>,
    /// The names of the targets.
    pub targets: Vec<String>,
    /// Whether the tag of a cell is in the body.
    pub is_tagged: bool,
}

/// The name of the target of what is called upon nothing.
const NOTHING: &str = "nothing";
/// The tenants, and how the names of their entities end.
const TENANTS: [&str; 2] = ["a", "b"];

impl Draft {
    /// What a suite of that name says about a service.
    #[must_use]
    pub fn new(name: &str, source: Source) -> Self {
        let kinds = Kinds::of(&source.actions);
        let names = names(&source.actions);
        let endpoints = source.actions.iter().zip(names);
        let endpoints = endpoints.map(|(action, name)| kinds.endpoint(name, action));
        let mut endpoints: Vec<Endpoint> = endpoints.collect();
        endpoints.sort_by(|one, other| one.name.cmp(&other.name));
        let actors = actors(&source.access);
        let mut variables: Vec<Variable> = actors
            .iter()
            .filter_map(|actor| credential(actor, &source.access))
            .collect();
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
            unusual: match source.access {
                Access::Other(what) => Some(what),
                _ => None,
            },
            variables,
            entities: kinds.entities(),
            targets: kinds.targets(),
            kinds: kinds.kinds(),
            actors,
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
        auth: Some(auth(name, access)),
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
            auth: None,
            outranks: &[],
        },
    ]
}

fn auth(actor: &str, access: &Access) -> Json {
    let variable = format!("{{{{ vars.{actor}_{} }}}}", noun(access));
    match access {
        Access::Bearer | Access::Other(_) => json!({"bearer": variable}),
        Access::Basic => json!({"headers": {"Authorization": format!("Basic {variable}")}}),
        Access::Header(name) => json!({"headers": {name.as_str(): variable}}),
        Access::Cookie(name) => {
            json!({"headers": {"Cookie": format!("{}={variable}", literal_text(name))}})
        }
    }
}

fn noun(access: &Access) -> &'static str {
    match access {
        Access::Bearer | Access::Other(_) => "token",
        Access::Basic => "basic",
        Access::Header(_) => "key",
        Access::Cookie(_) => "cookie",
    }
}

fn credential(actor: &Actor, access: &Access) -> Option<Variable> {
    actor.auth.as_ref()?;
    let what = match access {
        Access::Bearer | Access::Other(_) => "the token of".to_owned(),
        Access::Basic => "NAME:PASSWORD in Base64, of".to_owned(),
        Access::Header(name) => format!("the value of the header {name}, of"),
        Access::Cookie(name) => format!("the value of the cookie {name}, of"),
    };
    Some(Variable {
        name: format!("{}_{}", actor.name, noun(access)),
        what: format!("{what} {}", actor.who),
    })
}

/// A part of a path.
#[derive(Debug, PartialEq, Eq)]
enum Piece<'a> {
    Text(&'a str),
    Parameter(&'a str),
}

fn pieces(path: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, after)) = after.split_once('}') else {
            break;
        };
        pieces.extend([Piece::Text(before), Piece::Parameter(name)]);
        rest = after;
    }
    pieces.push(Piece::Text(rest));
    pieces
}

/// An identifier in a path: what it is of, and what it is called.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Identifier {
    kind: String,
    symbol: String,
}

/// Names that say nothing about what they are names of.
const GENERIC: [&str; 12] = [
    "id",
    "uuid",
    "guid",
    "pk",
    "key",
    "slug",
    "name",
    "code",
    "number",
    "identifier",
    "ref",
    "oid",
];
/// How the names of identifiers end.
const ENDINGS: [&str; 8] = [
    "_id", "_uuid", "_guid", "_pk", "_key", "_slug", "_name", "_ids",
];
/// Names that templates, or the engine, use for something else.
const TAKEN: [&str; 20] = [
    "actor", "target", "cell", "run", "vars", "name", "if", "in", "is", "not", "and", "or", "else",
    "true", "false", "none", "null", "loop", "self", "random",
];

impl Identifier {
    /// `{team_id}` is the `team_id` of a `team`, and so is `{id}` after `/teams/`.
    fn of(name: &str, before: &str) -> Self {
        let name = identifier(name.split(':').next().unwrap_or_default())
            .unwrap_or_else(|| "id".to_owned());
        let collection = words(before).last().map(|word| singular(word));
        let collection =
            collection.filter(|word| word.starts_with(|c: char| c.is_ascii_alphabetic()));
        if GENERIC.contains(&name.as_str()) {
            let kind = collection.unwrap_or_else(|| "item".to_owned());
            return Self {
                symbol: format!("{kind}_{name}"),
                kind: free(kind),
            };
        }
        let stem = ENDINGS.iter().find_map(|ending| name.strip_suffix(ending));
        let of_collection = || collection.filter(|word| name.starts_with(word.as_str()));
        let kind = stem.map(str::to_owned).or_else(of_collection);
        Self {
            kind: free(kind.unwrap_or_else(|| name.clone())),
            symbol: free(name),
        }
    }
}

fn free(name: String) -> String {
    if TAKEN.contains(&name.as_str()) {
        format!("{name}_id")
    } else {
        name
    }
}

/// The identifiers in a path, in their order.
fn identifiers(path: &str) -> Vec<(&str, Identifier)> {
    let mut before = "";
    let mut found = Vec::new();
    for piece in pieces(path) {
        match piece {
            Piece::Text(text) => before = text,
            Piece::Parameter(name) => {
                found.push((
                    name,
                    Identifier::of(
                        name,
                        before
                            .trim_end_matches('/')
                            .rsplit('/')
                            .next()
                            .unwrap_or_default(),
                    ),
                ));
                before = "";
            }
        }
    }
    found
}

/// One kind while it is found out.
#[derive(Debug, Default)]
struct Known {
    symbols: IndexMap<String, Form>,
    /// What the paths to it lead through, by the name of the parameter.
    through: IndexMap<Identifier, String>,
}

#[derive(Debug)]
struct Kinds {
    known: IndexMap<String, Known>,
    missing: BTreeMap<String, String>,
}

impl Kinds {
    fn of(actions: &[Action]) -> Self {
        let mut known = IndexMap::<String, Known>::new();
        for action in actions {
            for (name, identifier) in identifiers(&action.path) {
                let form = action.forms.get(name).copied().unwrap_or_default();
                let symbols = &mut known.entry(identifier.kind).or_default().symbols;
                let old = symbols.entry(identifier.symbol).or_insert(form);
                if *old == Form::Text {
                    *old = form;
                }
            }
        }
        for action in actions {
            let mut path = identifiers(&action.path);
            let last = path.pop().map(|(_, last)| last);
            if let Some(kind) = last.and_then(|last| known.get_mut(&last.kind)) {
                path.into_iter()
                    .for_each(|(_, through)| kind.lead_through(through));
            }
        }
        let mut taken: BTreeSet<String> = known.keys().cloned().collect();
        let missing = known
            .keys()
            .map(|kind| (kind.clone(), unique(&format!("missing_{kind}"), &mut taken)));
        Self {
            missing: missing.collect(),
            known,
        }
    }

    fn kinds(&self) -> Vec<Kind> {
        let known = self.known.iter();
        known
            .map(|(name, kind)| Kind {
                name: name.clone(),
                label: label(name),
                missing: self.missing.get(name).cloned().unwrap_or_default(),
                symbols: kind
                    .symbols
                    .iter()
                    .map(|(name, form)| (name.clone(), drawn(*form).to_owned()))
                    .collect(),
                parameters: kind
                    .through
                    .values()
                    .map(|name| (name.clone(), Json::Null))
                    .collect(),
            })
            .collect()
    }

    /// What others are called upon within: one of each tenant.
    fn entities(&self) -> Vec<Entity> {
        let through: BTreeSet<&String> = self
            .known
            .values()
            .flat_map(|kind| kind.through.keys())
            .map(|one| &one.kind)
            .collect();
        let kinds = self.known.iter().filter(|(name, _)| through.contains(name));
        kinds
            .flat_map(|(name, kind)| {
                TENANTS.map(|tenant| Entity {
                    name: format!("{name}_{tenant}"),
                    kind: name.clone(),
                    tenant,
                    with: kind.with(tenant),
                })
            })
            .collect()
    }

    /// Of each kind that is called upon: one of the callers' own tenant, one of another, and one that does not exist.
    fn targets(&self) -> Vec<Target> {
        let kinds = self.known.iter();
        kinds
            .flat_map(|(name, kind)| {
                let [own, other, missing] = names_of_targets(name);
                let target = |name: String, kind_of: &str, tenant| Target {
                    name,
                    kind: kind_of.to_owned(),
                    tenant: Some(tenant),
                    with: kind.with(tenant),
                };
                let none = Target {
                    tenant: None,
                    ..target(
                        missing,
                        self.missing.get(name).map_or("", String::as_str),
                        "a",
                    )
                };
                [target(own, name, "a"), target(other, name, "b"), none]
            })
            .collect()
    }

    fn endpoint(&self, name: String, action: &Action) -> Endpoint {
        let path = identifiers(&action.path);
        let last = path.last().map(|(_, last)| last.clone());
        let kind = last.as_ref().and_then(|last| self.known.get(&last.kind));
        let end = path.len().saturating_sub(1);
        let symbols: Vec<String> = path
            .iter()
            .enumerate()
            .map(|(at, (_, one))| match kind {
                Some(kind) if at < end => kind.through.get(one).unwrap_or(&one.symbol).clone(),
                _ => one.symbol.clone(),
            })
            .collect();
        let recorded: Vec<(&String, &String)> = path
            .iter()
            .zip(&symbols)
            .filter_map(|((name, _), symbol)| Some((action.recorded.get(*name)?, symbol)))
            .collect();
        let body = action.body.as_ref();
        let is_json = |media: &str| media.ends_with("json") || media == "*/*";
        let json = body
            .filter(|body| is_json(&body.media))
            .and_then(|body| body.value.as_ref());
        Endpoint {
            name,
            summary: action.summary.clone(),
            operation: action.title(),
            method: action.method.clone(),
            path: rooted(&template(&action.path, &symbols)),
            query: action.query.clone(),
            headers: action.headers.clone(),
            json: json.map(|json| with_targets(json, "", &recorded)),
            more: body.map(|body| body.more.clone()).unwrap_or_default(),
            media: body
                .filter(|_| json.is_none())
                .map(|body| body.media.clone()),
            targets: last.map_or_else(
                || vec![NOTHING.to_owned()],
                |last| names_of_targets(&last.kind).to_vec(),
            ),
            is_tagged: json.is_some_and(|json| json.to_string().contains("cell.tag")),
        }
    }
}

impl Known {
    fn lead_through(&mut self, through: Identifier) {
        if self.through.contains_key(&through) {
            return;
        }
        let mut taken: BTreeSet<String> = self
            .symbols
            .keys()
            .chain(self.through.values())
            .cloned()
            .collect();
        let name = if self.symbols.contains_key(&through.symbol) {
            format!("parent_{}", through.symbol)
        } else {
            through.symbol.clone()
        };
        let name = unique(&name, &mut taken);
        self.through.insert(through, name);
    }

    /// The parameters of one that belongs to a tenant.
    fn with(&self, tenant: &str) -> Map<String, Json> {
        let through = self.through.iter();
        through
            .map(|(one, name)| {
                (
                    name.clone(),
                    json!(format!("{{{{ {}_{tenant}.{} }}}}", one.kind, one.symbol)),
                )
            })
            .collect()
    }
}

fn label(kind: &str) -> String {
    kind.replace('_', " ")
}

fn names_of_targets(kind: &str) -> [String; 3] {
    let label = label(kind);
    [
        format!("own {label}"),
        format!("other {label}"),
        format!("{label} that does not exist"),
    ]
}

fn drawn(form: Form) -> &'static str {
    match form {
        Form::Text => "{{ run }}-{{ random(8) }}",
        Form::Number => "{{ digits(9) }}",
        Form::Uuid => "{{ uuid() }}",
    }
}

/// The path with the target's identifiers in place of its parameters.
fn template(path: &str, symbols: &[String]) -> String {
    let mut symbols = symbols.iter();
    let part = |piece: Piece<'_>| match piece {
        Piece::Text(text) => text.replace('{', "{{ '{' }}"),
        Piece::Parameter(_) => {
            let symbol = symbols.next().map(String::as_str).unwrap_or_default();
            format!("{{{{ target.{symbol} }}}}")
        }
    };
    pieces(path).into_iter().map(part).collect()
}

fn rooted(path: &str) -> String {
    if path.starts_with('/') {
        path.to_owned()
    } else {
        format!("/{path}")
    }
}

/// A recorded body that names what the path names as well, by the target's symbols.
fn with_targets(json: &Json, name: &str, recorded: &[(&String, &String)]) -> Json {
    let text = match json {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) if words(name).last().is_some_and(|word| word == "id") => {
            Some(number.to_string())
        }
        _ => None,
    };
    let is_long =
        |text: &str| text.len() >= 6 || words(name).last().is_some_and(|word| word == "id");
    let found = text.and_then(|text| {
        let mut same = recorded
            .iter()
            .filter(|(value, _)| **value == text && is_long(value));
        same.next()
            .map(|(_, symbol)| format!("{{{{ target.{symbol} }}}}"))
    });
    match (found, json) {
        (Some(found), _) => found.into(),
        (None, Json::Array(items)) => items
            .iter()
            .map(|item| with_targets(item, name, recorded))
            .collect(),
        (None, Json::Object(map)) => map
            .iter()
            .map(|(key, value)| (key.clone(), with_targets(value, key, recorded)))
            .collect(),
        (None, other) => other.clone(),
    }
}

/// A name for each action: by its own name, or by its method and path where it has none or another one has the same.
fn names(actions: &[Action]) -> Vec<String> {
    let own = actions.iter().map(|action| {
        action
            .id
            .as_deref()
            .map(|id| file(&without_path(id, action)))
    });
    let own: Vec<String> = own.map(Option::unwrap_or_default).collect();
    let by_path: Vec<String> = actions.iter().map(|action| file(&action.title())).collect();
    let count = |names: &[String]| {
        let mut counts = BTreeMap::<String, usize>::new();
        names
            .iter()
            .for_each(|name| *counts.entry(name.clone()).or_default() += 1);
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
