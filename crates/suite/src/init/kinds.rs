//! The kinds that the paths of a service name, what there is of each, and what is called upon.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;
use serde_json::{Map, Value as Json, json};

use super::access::{auth, nouns};
use super::draft::{Endpoint, Entity, Fresh, Kind, Target};
use super::made::{Made, made, made_by_name};
use super::named::{Named, Place};
use super::names::{unique, words};
use super::path::{Identifier, Paths, parameters, template};
use super::source::{Access, Action};
use crate::openapi::Form;

/// The name of the target of what is called upon nothing.
const NOTHING: &str = "nothing";
/// The tenants, each with the actor that makes its entities.
const TENANTS: [(&str, &str); 2] = [("a", "admin"), ("b", "outsider")];

/// One kind while it is found out.
#[derive(Debug, Default)]
struct Known {
    symbols: IndexMap<String, Form>,
    /// What the paths to it lead through, by the name of the parameter.
    through: IndexMap<Identifier, String>,
    made: Option<Made>,
}

/// The kinds that the paths of actions name.
pub(super) struct Kinds<'a> {
    known: IndexMap<String, Known>,
    missing: BTreeMap<String, String>,
    /// The kinds of what calls make.
    fresh: BTreeMap<String, String>,
    access: &'a Access,
    paths: Paths,
    /// What actions name beside their paths, by the action's title.
    named: BTreeMap<String, Named>,
}

impl<'a> Kinds<'a> {
    pub(super) fn of(actions: &[Action], access: &'a Access) -> Self {
        let mut kinds = Self {
            known: IndexMap::new(),
            missing: BTreeMap::new(),
            fresh: BTreeMap::new(),
            access,
            paths: Paths::of(actions.iter().map(|action| action.path.as_str())),
            named: BTreeMap::new(),
        };
        for action in actions {
            kinds.name(action);
        }
        kinds.name_by_fields(actions);
        for action in actions {
            kinds.lead(action);
        }
        kinds.make(actions);
        let mut taken: BTreeSet<String> = kinds.known.keys().cloned().collect();
        for (kind, known) in &kinds.known {
            let missing = unique(&format!("missing_{kind}"), &mut taken);
            kinds.missing.insert(kind.clone(), missing);
            if known.made.is_some() {
                let fresh = unique(&format!("new_{kind}"), &mut taken);
                kinds.fresh.insert(kind.clone(), fresh);
            }
        }
        kinds
    }

    /// Each identifier of the path is of a kind.
    fn name(&mut self, action: &Action) {
        for (name, identifier) in self.paths.identifiers(&action.path) {
            let form = action.forms.get(name).copied().unwrap_or_default();
            let symbols = &mut self.known.entry(identifier.kind).or_default().symbols;
            let old = symbols.entry(identifier.symbol).or_insert(form);
            if *old == Form::Text {
                *old = form;
            }
        }
    }

    /// So is what else a call names, where its path names nothing.
    fn name_by_fields(&mut self, actions: &[Action]) {
        let of_paths: BTreeSet<String> = self.known.keys().cloned().collect();
        for action in actions {
            if !self.paths.identifiers(&action.path).is_empty() {
                continue;
            }
            let Some(named) = Named::of(action, &of_paths) else {
                continue;
            };
            let Identifier { kind, symbol } = named.identifier.clone();
            let symbols = &mut self.known.entry(kind).or_default().symbols;
            symbols.entry(symbol).or_insert(named.form);
            self.named.insert(action.title(), named);
        }
    }

    /// The last identifier of the path is reached through the others.
    fn lead(&mut self, action: &Action) {
        let mut path = self.paths.identifiers(&action.path);
        let last = path.pop().map(|(_, last)| last);
        if let Some(kind) = last.and_then(|last| self.known.get_mut(&last.kind)) {
            for (_, through) in path {
                kind.lead_through(through);
            }
        }
    }

    /// What a request makes, the first one that does.
    fn make(&mut self, actions: &[Action]) {
        for action in actions {
            let Some((kind, made)) = made(action, actions, &self.paths) else {
                continue;
            };
            if let Some(known) = self.known.get_mut(&kind) {
                known.made.get_or_insert(made);
            }
        }
        let known = self.known.iter_mut();
        for (kind, known) in known.filter(|(_, known)| known.made.is_none()) {
            let symbol = known.symbols.keys().next().cloned().unwrap_or_default();
            known.made = actions
                .iter()
                .find_map(|action| made_by_name(action, kind, &symbol));
        }
    }

    pub(super) fn kinds(&self) -> Vec<Kind> {
        let known = self.known.iter();
        known.map(|(name, kind)| self.kind(name, kind)).collect()
    }

    fn kind(&self, name: &str, kind: &Known) -> Kind {
        let own = |noun: &str| format!("{{{{ {} }}}}", kind.maker(noun));
        let auth = auth(self.access, &own);
        let through = kind.through.values();
        let through: IndexMap<_, _> = through.map(|name| (name.clone(), Json::Null)).collect();
        let makers = kind.made.iter().flat_map(|_| nouns(self.access));
        let makers = makers.map(|(noun, _)| (kind.maker(&noun), Json::Null));
        let made = kind.made.as_ref();
        Kind {
            name: name.to_owned(),
            label: label(name),
            missing: self.missing.get(name).cloned().unwrap_or_default(),
            symbols: kind
                .symbols
                .iter()
                .map(|(name, form)| (name.clone(), drawn(*form).to_owned()))
                .collect(),
            own_symbols: kind.own_symbols(),
            own_parameters: through.clone().into_iter().chain(makers).collect(),
            through,
            fresh: made.and_then(|made| self.fresh(name, kind, made)),
            setup: made.map(|made| kind.setup(made, &auth, &self.paths)),
            is_guess: made.is_some_and(|made| made.is_guess),
            teardown: made.and_then(|made| kind.teardown(made, &auth, &self.paths)),
        }
    }

    /// The kind of what a call makes, which is captured. Whoever made it, only one actor can remove it, if that one may.
    fn fresh(&self, name: &str, kind: &Known, made: &Made) -> Option<Fresh> {
        let path = self.paths.identifiers(&made.action.path).is_empty();
        let admin = auth(self.access, &|noun| format!("{{{{ vars.admin_{noun} }}}}"));
        let removal = made.removed.as_ref().filter(|_| path);
        let removal = removal.and_then(|_| kind.teardown(made, &admin, &self.paths));
        let symbols = made
            .captures
            .keys()
            .map(|symbol| (symbol.clone(), Json::Null));
        Some(Fresh {
            name: self.fresh.get(name)?.clone(),
            symbols: symbols.collect(),
            teardown: removal,
        })
    }

    /// What a success of an action binds.
    fn capture(&self, action: &Action) -> Option<Json> {
        let is_it = |made: &Made| made.action.title() == action.title();
        let mut known = self.known.iter();
        let (name, kind) = known.find(|(_, kind)| kind.made.as_ref().is_some_and(is_it))?;
        let from = &kind.made.as_ref()?.captures;
        Some(json!({"new": {"kind": self.fresh.get(name)?, "from": from}}))
    }

    /// What others are called upon within: one of each tenant.
    pub(super) fn entities(&self) -> Vec<Entity> {
        let through = self.known.values().flat_map(|kind| kind.through.keys());
        let through: BTreeSet<&String> = through.map(|one| &one.kind).collect();
        let kinds = self.known.iter().filter(|(name, _)| through.contains(name));
        let of = |(name, kind): (&String, &Known)| {
            TENANTS.map(|(tenant, actor)| Entity {
                name: format!("{name}_{tenant}"),
                kind: name.clone(),
                tenant,
                with: self.with(kind, tenant, actor),
            })
        };
        kinds.flat_map(of).collect()
    }

    /// Of each kind that is called upon: one of the callers' own tenant, one of another, and one that does not exist.
    pub(super) fn targets(&self) -> Vec<Target> {
        let of = |(name, kind): (&String, &Known)| {
            let [own, other, missing] = names_of_targets(name);
            let there = [own, other]
                .into_iter()
                .zip(TENANTS)
                .map(|(target, (tenant, actor))| Target {
                    name: target,
                    kind: name.clone(),
                    tenant: Some(tenant),
                    with: self.with(kind, tenant, actor),
                });
            let missing = Target {
                name: missing,
                kind: self.missing.get(name).cloned().unwrap_or_default(),
                tenant: None,
                with: kind.within("a"),
            };
            there.chain([missing]).collect::<Vec<_>>()
        };
        self.known.iter().flat_map(of).collect()
    }

    /// The parameters of one that belongs to a tenant, and is made by an actor of it.
    fn with(&self, kind: &Known, tenant: &str, actor: &str) -> Map<String, Json> {
        let mut with = kind.within(tenant);
        if kind.made.is_some() {
            let makers = nouns(self.access).into_iter();
            with.extend(makers.map(|(noun, _)| {
                let variable = format!("{{{{ vars.{actor}_{noun} }}}}");
                (kind.maker(&noun), variable.into())
            }));
        }
        with
    }

    pub(super) fn endpoint(&self, name: String, action: &Action) -> Endpoint {
        let path = self.paths.identifiers(&action.path);
        let last = path.last().map(|(_, last)| last.kind.clone());
        let kind = last.as_ref().and_then(|last| self.known.get(last));
        let end = path.len().saturating_sub(1);
        let symbol = |(at, (_, one)): (usize, &(&str, Identifier))| match kind {
            Some(kind) if at < end => kind.through.get(one).unwrap_or(&one.symbol).clone(),
            _ => one.symbol.clone(),
        };
        let symbols: Vec<String> = path.iter().enumerate().map(symbol).collect();
        let body = action.body.as_ref();
        let sent = action.sent();
        let endpoint = Endpoint {
            name,
            summary: action.summary.clone(),
            operation: action.title(),
            method: action.method.clone(),
            path: template(&action.path, "target.", &symbols),
            query: action.query.clone(),
            more_query: action.more_query.clone(),
            headers: action.headers.clone(),
            is_tagged: sent
                .as_ref()
                .is_some_and(|(_, body)| body.to_string().contains("cell.tag")),
            capture: self.capture(action),
            media: body
                .filter(|_| sent.is_none())
                .map(|body| body.media.clone()),
            sent: sent.map(|(key, body)| {
                (
                    key,
                    with_symbols(&body, "", "target.", &recorded(action, &symbols)),
                )
            }),
            more: body.map(|body| body.more.clone()).unwrap_or_default(),
            targets: last.map_or_else(
                || vec![NOTHING.to_owned()],
                |last| names_of_targets(&last).to_vec(),
            ),
        };
        match self.named.get(&action.title()) {
            Some(named) => endpoint.upon(named),
            None => endpoint,
        }
    }
}

impl Endpoint {
    /// The same upon what a parameter or a field names.
    fn upon(mut self, named: &Named) -> Self {
        let value = named.value(&named.identifier.symbol);
        match (named.place, &mut self.sent) {
            (Place::Query, _) => {
                self.more_query.retain(|name| *name != named.name);
                self.query.insert(named.name.clone(), value);
            }
            (Place::Json | Place::Form, Some((_, Json::Object(body)))) => {
                self.more.retain(|name| *name != named.name);
                body.insert(named.name.clone(), value);
            }
            (Place::Json | Place::Form, _) => return self,
        }
        let sent = self.sent.as_ref().map(|(_, body)| body.to_string());
        self.is_tagged = sent.is_some_and(|sent| sent.contains("cell.tag"));
        self.targets = names_of_targets(&named.identifier.kind).to_vec();
        self
    }
}

impl Known {
    fn lead_through(&mut self, through: Identifier) {
        if self.through.contains_key(&through) {
            return;
        }
        let taken = self.symbols.keys().chain(self.through.values());
        let mut taken: BTreeSet<String> = taken.cloned().collect();
        let name = if self.symbols.contains_key(&through.symbol) {
            format!("parent_{}", through.symbol)
        } else {
            through.symbol.clone()
        };
        let name = unique(&name, &mut taken);
        self.through.insert(through, name);
    }

    /// Where it is, for one that belongs to a tenant.
    fn within(&self, tenant: &str) -> Map<String, Json> {
        let entity = |one: &Identifier| format!("{{{{ {}_{tenant}.{} }}}}", one.kind, one.symbol);
        let through = self.through.iter();
        through
            .map(|(one, name)| (name.clone(), entity(one).into()))
            .collect()
    }

    /// A name that no symbol and no other parameter has.
    fn own(&self, name: &str) -> String {
        let taken = self.symbols.keys().chain(self.through.values());
        unique(name, &mut taken.cloned().collect())
    }

    /// The parameter that is a part of the credential that makes one.
    fn maker(&self, noun: &str) -> String {
        self.own(&format!("maker_{noun}"))
    }

    /// The symbol that is in whatever one is made with.
    fn tag(&self) -> String {
        self.own("tag")
    }

    fn own_symbols(&self) -> IndexMap<String, Option<String>> {
        let captured = |name: &String| {
            self.made
                .as_ref()
                .is_some_and(|made| made.captures.contains_key(name))
        };
        let template = |(name, form): (&String, &Form)| {
            (
                name.clone(),
                (!captured(name)).then(|| drawn(*form).to_owned()),
            )
        };
        let mut symbols: IndexMap<_, _> = self.symbols.iter().map(template).collect();
        if self.made.as_ref().is_some_and(Made::is_tagged) {
            symbols.insert(self.tag(), Some(drawn(Form::Text).to_owned()));
        }
        symbols
    }

    fn setup(&self, made: &Made, auth: &Json, paths: &Paths) -> Json {
        let action = &made.action;
        let path = paths.identifiers(&action.path);
        let symbol =
            |(_, one): &(&str, Identifier)| self.through.get(one).unwrap_or(&one.symbol).clone();
        let symbols: Vec<String> = path.iter().map(symbol).collect();
        let mut request = Map::new();
        request.insert("method".to_owned(), action.method.clone().into());
        request.insert(
            "path".to_owned(),
            template(&action.path, "", &symbols).into(),
        );
        if !action.query.is_empty() {
            request.insert("query".to_owned(), self.tagged(&json!(action.query)));
        }
        if !action.headers.is_empty() {
            request.insert("headers".to_owned(), self.tagged(&json!(action.headers)));
        }
        if let Some((key, body)) = action.sent() {
            let body = with_symbols(&body, "", "", &recorded(action, &symbols));
            request.insert(key.to_owned(), self.tagged(&body));
        }
        json!({"request": request, "auth": auth, "capture": made.captures})
    }

    fn teardown(&self, made: &Made, auth: &Json, paths: &Paths) -> Option<Json> {
        let path = made.removed.as_ref()?;
        let identifiers = paths.identifiers(path);
        let end = identifiers.len().saturating_sub(1);
        let symbol = |(at, (_, one)): (usize, &(&str, Identifier))| match self.through.get(one) {
            Some(name) if at < end => name.clone(),
            _ => one.symbol.clone(),
        };
        let symbols: Vec<String> = identifiers.iter().enumerate().map(symbol).collect();
        let path = template(path, "", &symbols);
        Some(json!({"request": {"method": "DELETE", "path": path}, "auth": auth}))
    }

    /// There is no cell where something is made for one.
    fn tagged(&self, json: &Json) -> Json {
        match json {
            Json::String(text) => text.replace("cell.tag", &self.tag()).into(),
            Json::Array(items) => items.iter().map(|item| self.tagged(item)).collect(),
            Json::Object(map) => map
                .iter()
                .map(|(key, value)| (key.clone(), self.tagged(value)))
                .collect(),
            other => other.clone(),
        }
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

/// The identifiers that stood in the path when it was recorded, with the symbols that stand there now.
fn recorded<'a>(action: &'a Action, symbols: &'a [String]) -> Vec<(&'a str, &'a str)> {
    let path = parameters(&action.path).into_iter().zip(symbols);
    let value = |((name, _), symbol): ((&str, &str), &'a String)| {
        Some((action.recorded.get(name)?.as_str(), symbol.as_str()))
    };
    path.filter_map(value).collect()
}

/// A recorded body, with symbols for what its path names as well; `of` is what they are of, with a dot.
fn with_symbols(json: &Json, name: &str, of: &str, recorded: &[(&str, &str)]) -> Json {
    let below = |value: &Json, name: &str| with_symbols(value, name, of, recorded);
    match json {
        Json::Array(items) => items.iter().map(|item| below(item, name)).collect(),
        Json::Object(map) => map
            .iter()
            .map(|(key, value)| (key.clone(), below(value, key)))
            .collect(),
        other => symbol_for(other, name, recorded).map_or_else(
            || other.clone(),
            |symbol| match other {
                Json::Number(_) => format!("{{{{ {of}{symbol} | int }}}}").into(),
                _ => format!("{{{{ {of}{symbol} }}}}").into(),
            },
        ),
    }
}

/// The symbol of what a field names; a short value could be anything, unless the field is one of an id.
fn symbol_for<'a>(value: &Json, name: &str, recorded: &[(&str, &'a str)]) -> Option<&'a str> {
    let is_id = words(name).last().is_some_and(|word| word == "id");
    let text = match value {
        Json::String(text) if is_id || text.len() >= 6 => text.clone(),
        Json::Number(number) if is_id => number.to_string(),
        _ => return None,
    };
    let same = recorded.iter().find(|(known, _)| *known == text);
    same.map(|(_, symbol)| *symbol)
}
