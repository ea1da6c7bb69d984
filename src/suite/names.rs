//! Which names the templates of a suite can use, read from its documents as they are.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json};

use super::load::Documents;
use crate::yaml::Document;

/// Names that a template can use; those with fields can only be used with one of them.
#[derive(Clone, Default)]
pub(super) struct Names(BTreeMap<String, Option<BTreeSet<String>>>);

impl Names {
    pub(super) fn with_fields(mut self, name: &str, fields: BTreeSet<String>) -> Self {
        self.0.insert(name.to_owned(), Some(fields));
        self
    }

    pub(super) fn with(mut self, names: impl IntoIterator<Item = String>) -> Self {
        self.0.extend(names.into_iter().map(|name| (name, None)));
        self
    }

    /// Whether `name` (dotted) is known; if not, the names it could have been.
    pub(super) fn resolve(&self, name: &str) -> Result<(), Vec<String>> {
        let mut parts = name.split('.');
        let head = parts.next().unwrap_or_default();
        match (self.0.get(head), parts.next()) {
            (None, rest) => Err(self
                .0
                .iter()
                .flat_map(|(name, fields)| dotted(name, fields.as_ref(), rest.is_some()))
                .collect()),
            (Some(Some(fields)), Some(field)) if !fields.contains(field) => {
                Err(dotted(head, Some(fields), true))
            }
            _ => Ok(()),
        }
    }
}

fn dotted(name: &str, fields: Option<&BTreeSet<String>>, nested: bool) -> Vec<String> {
    match fields {
        Some(fields) if nested => fields
            .iter()
            .map(|field| format!("{name}.{field}"))
            .collect(),
        _ => vec![name.to_owned()],
    }
}

/// What the documents declare.
pub(super) struct Declared<'a> {
    pub(super) kinds: Option<&'a Map<String, Json>>,
    pub(super) entities: Option<&'a Map<String, Json>>,
    pub(super) actors: Option<&'a Map<String, Json>>,
    pub(super) targets: Option<&'a Map<String, Json>>,
    variables: Option<&'a Map<String, Json>>,
}

impl<'a> Declared<'a> {
    pub(super) fn of(documents: &'a Documents) -> Self {
        let get = |document: &'a Option<Document>, key| object(document.as_ref()?.value().get(key));
        Self {
            kinds: get(&documents.world, "kinds"),
            entities: get(&documents.world, "entities"),
            actors: get(&documents.world, "actors"),
            targets: get(&documents.targets, "targets"),
            variables: get(&documents.suite, "variables"),
        }
    }

    /// The symbols of a kind, without its parameters.
    pub(super) fn symbols(&self, kind: &str) -> BTreeSet<String> {
        self.of_kind(kind, &["secrets", "symbols", "masks"])
    }

    /// The parameters of a kind.
    pub(super) fn parameters(&self, kind: &str) -> BTreeSet<String> {
        self.of_kind(kind, &["parameters"])
    }

    fn of_kind(&self, kind: &str, sections: &[&str]) -> BTreeSet<String> {
        let kind = self.kinds.and_then(|kinds| kinds.get(kind));
        sections
            .iter()
            .flat_map(|section| keys(object(kind.and_then(|kind| kind.get(section)))))
            .collect()
    }

    /// The fields of an entity, an actor or a target: its kind's symbols and its parameters.
    pub(super) fn fields(&self, spec: &Json) -> BTreeSet<String> {
        let mut fields: BTreeSet<String> = keys(object(spec.get("with"))).collect();
        if let Some(kind) = spec.get("kind").and_then(Json::as_str) {
            fields.extend(self.symbols(kind));
            fields.extend(self.parameters(kind));
        }
        fields
    }

    /// The names that exist for the whole run.
    pub(super) fn world(&self) -> Names {
        let names = Names::default()
            .with(["run".to_owned()])
            .with_fields("vars", keys(self.variables).collect());
        let cast = self.entities.into_iter().chain(self.actors).flatten();
        cast.fold(names, |names, (name, spec)| {
            names.with_fields(name, self.fields(spec))
        })
    }

    /// The names of one cell: the actor has what any actor has.
    pub(super) fn cell(&self) -> Names {
        let mut actor: BTreeSet<String> = self
            .actors
            .into_iter()
            .flatten()
            .flat_map(|(_, spec)| self.fields(spec))
            .collect();
        actor.insert("name".to_owned());
        self.world()
            .with_fields("actor", actor)
            .with_fields("cell", BTreeSet::from(["tag".to_owned()]))
    }

    /// The names that an endpoint's request can use: those of the cell and what any of its targets has.
    pub(super) fn request(&self, endpoint: &Json) -> Names {
        let named = endpoint
            .get("targets")
            .and_then(Json::as_array)
            .into_iter()
            .flatten()
            .filter_map(Json::as_str);
        let specs = named.filter_map(|name| self.targets?.get(name));
        self.cell()
            .with_fields("target", specs.flat_map(|spec| self.fields(spec)).collect())
    }

    /// The names that an endpoint's probes can use: those of its request and what it captures.
    pub(super) fn probes(&self, endpoint: &Json) -> Names {
        let captures = object(endpoint.get("capture")).into_iter().flatten();
        captures.fold(self.request(endpoint), |names, (name, spec)| {
            names.with_fields(name, self.fields(spec))
        })
    }
}

pub(super) fn object(value: Option<&Json>) -> Option<&Map<String, Json>> {
    value?.as_object()
}

fn keys(map: Option<&Map<String, Json>>) -> impl Iterator<Item = String> {
    map.into_iter().flat_map(|map| map.keys().cloned())
}
