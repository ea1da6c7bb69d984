//! Which names the templates of a suite can use, read from its documents as they are.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use serde_json::{Map, Value as Json};

use super::load::Documents;
use crate::yaml::Document;

/// Fields by name; none where it is not known which there are.
pub(super) type Fields = Option<BTreeSet<String>>;

/// Names that a template can use; those with fields can only be used with one of them.
#[derive(Clone, Default)]
pub(super) struct Names {
    /// Those that many templates can use, collected once.
    shared: Option<Rc<Self>>,
    known: BTreeMap<String, Fields>,
    /// Whether there may be others, since what declares them could not be read.
    open: bool,
    /// Names that have a value only later.
    later: BTreeSet<String>,
}

impl Names {
    /// The same names and others.
    fn beside(shared: &Rc<Self>) -> Self {
        Self {
            open: shared.open,
            shared: Some(Rc::clone(shared)),
            ..Self::default()
        }
    }

    fn get(&self, name: &str) -> Option<&Fields> {
        let shared = || self.shared.as_ref()?.get(name);
        self.known.get(name).or_else(shared)
    }

    fn all(&self) -> BTreeMap<&String, &Fields> {
        let shared = self.shared.as_ref().map(|shared| shared.all());
        let mut all = shared.unwrap_or_default();
        all.extend(&self.known);
        all
    }

    pub(super) fn with_fields(mut self, name: &str, fields: Fields) -> Self {
        self.known.insert(name.to_owned(), fields);
        self
    }

    pub(super) fn with(mut self, names: impl IntoIterator<Item = String>) -> Self {
        self.known
            .extend(names.into_iter().map(|name| (name, None)));
        self
    }

    fn with_fields_of(self, specs: Option<&Map<String, Json>>, declared: &Declared<'_>) -> Self {
        let open = self.open || specs.is_none();
        let names = Self { open, ..self };
        let specs = specs.into_iter().flatten();
        specs.fold(names, |names, (name, spec)| {
            names.with_fields(name, declared.fields(spec))
        })
    }

    /// The same where these have no value yet.
    pub(super) fn before(self, later: Fields) -> Self {
        let later = later.unwrap_or_default();
        Self { later, ..self }
    }

    /// Whether `name` (dotted) has no value yet.
    pub(super) fn is_later(&self, name: &str) -> bool {
        let head = name.split('.').next().unwrap_or_default();
        self.later.contains(head)
    }

    /// Whether `name` (dotted) is known; if not, the names it could have been.
    pub(super) fn resolve(&self, name: &str) -> Result<(), Vec<String>> {
        let mut parts = name.split('.');
        let head = parts.next().unwrap_or_default();
        match (self.get(head), parts.next()) {
            (None, _) if self.open => Ok(()),
            (None, rest) => Err(self
                .all()
                .into_iter()
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

/// What the documents declare. What could not be read is none, and then nothing is said of the names that it declares:
/// one mistake is reported once.
pub(super) struct Declared<'a> {
    pub(super) kinds: Option<&'a Map<String, Json>>,
    pub(super) entities: Option<&'a Map<String, Json>>,
    pub(super) actors: Option<&'a Map<String, Json>>,
    pub(super) targets: Option<&'a Map<String, Json>>,
    variables: Fields,
    /// The names of the service's other URLs.
    pub(super) urls: Fields,
    /// The names of its further databases.
    pub(super) databases: Fields,
    /// What the setups of endpoints capture.
    set_up: BTreeSet<String>,
    world: OnceCell<Rc<Names>>,
    cell: OnceCell<Rc<Names>>,
    caller: OnceCell<Rc<Names>>,
}

impl Documents {
    /// The names below a key of `service`.
    fn in_service(&self, key: &str) -> Fields {
        let service = self.suite.as_ref()?.value().get("service");
        let names = object(service.and_then(|service| service.get(key)));
        Some(keys(names).collect())
    }
}

impl<'a> Declared<'a> {
    pub(super) fn of(documents: &'a Documents) -> Self {
        let get = |document: &'a Option<Document>, key| object(document.as_ref()?.value().get(key));
        let in_world = |key| documents.world.as_ref()?.merged.get(key);
        Self {
            kinds: in_world("kinds"),
            entities: in_world("entities"),
            actors: in_world("actors"),
            targets: get(&documents.targets, "targets"),
            variables: documents
                .suite
                .as_ref()
                .map(|document| keys(object(document.value().get("variables"))).collect()),
            urls: documents.in_service("urls"),
            databases: documents.in_service("databases"),
            set_up: documents
                .endpoints
                .iter()
                .flat_map(|(_, document)| steps_captures(document.value().get("setup")))
                .collect(),
            world: OnceCell::new(),
            cell: OnceCell::new(),
            caller: OnceCell::new(),
        }
    }

    /// The symbols of a kind, without its parameters.
    pub(super) fn symbols(&self, kind: &str) -> Fields {
        self.of_kind(kind, &["secrets", "symbols", "masks"])
    }

    /// The parameters of a kind.
    pub(super) fn parameters(&self, kind: &str) -> Fields {
        self.of_kind(kind, &["parameters"])
    }

    /// The symbols of a kind that have no template.
    pub(super) fn captured(&self, kind: &str) -> Fields {
        let kind = self.kinds?.get(kind)?;
        let sections = ["secrets", "symbols", "masks"];
        let symbols = sections
            .iter()
            .filter_map(|section| object(kind.get(section)));
        let open = symbols.flatten().filter(|(_, template)| template.is_null());
        Some(open.map(|(name, _)| name.clone()).collect())
    }

    /// The first symbol of a kind that has no template and that no step of its setup captures.
    pub(super) fn never_captured(&self, kind: &str) -> Option<String> {
        let steps = self.kinds?.get(kind)?.get("setup");
        let given = steps_captures(steps);
        let mut open = self.captured(kind)?.into_iter();
        open.find(|name| !given.contains(name))
    }

    fn of_kind(&self, kind: &str, sections: &[&str]) -> Fields {
        let kind = self.kinds?.get(kind)?;
        let names = sections
            .iter()
            .flat_map(|section| keys(object(kind.get(section))));
        Some(names.collect())
    }

    /// The fields of an entity, an actor or a target: its kind's symbols and its parameters.
    pub(super) fn fields(&self, spec: &Json) -> Fields {
        let mut fields: BTreeSet<String> = keys(object(spec.get("with"))).collect();
        if let Some(kind) = spec.get("kind").and_then(Json::as_str) {
            fields.extend(self.symbols(kind)?);
            fields.extend(self.parameters(kind)?);
        }
        Some(fields)
    }

    /// What any of the specs has.
    fn fields_of_any<'s>(&self, specs: impl Iterator<Item = &'s Json>) -> Fields {
        let sets: Option<Vec<_>> = specs.map(|spec| self.fields(spec)).collect();
        Some(sets?.into_iter().flatten().collect())
    }

    /// The names that exist before there is a run.
    pub(super) fn vars(&self) -> Names {
        Names::default().with_fields("vars", self.variables.clone())
    }

    /// The names that exist for the whole run.
    pub(super) fn world(&self) -> Names {
        let world = || {
            Names::default()
                .with(["run".to_owned()])
                .with_fields("vars", self.variables.clone())
                .with_fields_of(self.entities, self)
                .with_fields_of(self.actors, self)
        };
        Names::beside(self.world.get_or_init(|| Rc::new(world())))
    }

    /// The names of one cell.
    pub(super) fn cell(&self) -> Names {
        let cell = || {
            let cell = Some(BTreeSet::from(["tag".to_owned()]));
            self.caller().with_fields("cell", cell)
        };
        Names::beside(self.cell.get_or_init(|| Rc::new(cell())))
    }

    /// The names of one actor: it has what any actor has.
    pub(super) fn caller(&self) -> Names {
        let caller = || {
            let actor = self.actors.and_then(|actors| {
                let mut fields = self.fields_of_any(actors.values())?;
                fields.insert("name".to_owned());
                Some(fields)
            });
            self.world().with_fields("actor", actor)
        };
        Names::beside(self.caller.get_or_init(|| Rc::new(caller())))
    }

    /// The names that a target can use: those of the cell and what any endpoint's setup captures.
    pub(super) fn target(&self) -> Names {
        self.cell()
            .with_fields("setup", Some(self.set_up.iter().cloned().collect()))
    }

    /// The names that an endpoint's request can use: those of the cell and what any of its targets has.
    pub(super) fn request(&self, endpoint: &Json) -> Names {
        let names = self
            .cell()
            .with_fields("target", self.fields_of_targets(endpoint));
        match endpoint.get("setup") {
            None => names,
            steps => names.with_fields("setup", Some(steps_captures(steps))),
        }
    }

    /// The names that an endpoint's own setup can use, besides what its steps capture.
    pub(super) fn set_up(&self, endpoint: &Json) -> Names {
        self.world().with(steps_captures(endpoint.get("setup")))
    }

    fn fields_of_targets(&self, endpoint: &Json) -> Fields {
        let names = endpoint.get("targets")?.as_array()?.iter();
        let specs: Option<Vec<_>> = names
            .map(|name| self.targets?.get(name.as_str()?))
            .collect();
        self.fields_of_any(specs?.into_iter())
    }

    /// The names that an endpoint's probes can use: those of its request and what it captures.
    pub(super) fn probes(&self, endpoint: &Json) -> Names {
        match endpoint.get("capture") {
            None => self.request(endpoint),
            captures => self
                .request(endpoint)
                .with_fields_of(object(captures), self),
        }
    }
}

/// What the steps of a setup capture.
pub(super) fn steps_captures(steps: Option<&Json>) -> BTreeSet<String> {
    let steps = steps.and_then(Json::as_array).into_iter().flatten();
    steps
        .flat_map(|step| keys(object(step.get("capture"))))
        .collect()
}

pub(super) fn object(value: Option<&Json>) -> Option<&Map<String, Json>> {
    value?.as_object()
}

fn keys(map: Option<&Map<String, Json>>) -> impl Iterator<Item = String> {
    map.into_iter().flat_map(|map| map.keys().cloned())
}
