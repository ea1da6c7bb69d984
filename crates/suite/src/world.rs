//! The world of one run: every entity with the values that this run made for it, and its rows.

mod order;

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value as Json};

use crate::suite::{Kind, Member, RowSpec, Suite, Target};
use crate::template::{Fields, Scope, TemplateError, Templates, Value, random, to_value};

pub use order::order;

pub use crate::suite::Class;

/// One symbol of an entity.
#[derive(Clone)]
pub struct Field {
    /// The value, unique to the run.
    pub value: String,
    /// What the value is.
    pub class: Class,
}

/// An entity with the values made or captured for it.
#[derive(Clone, Default)]
pub struct Instance {
    /// The symbols by name.
    pub fields: IndexMap<String, Field>,
    with: BTreeMap<String, Value>,
}

impl Instance {
    /// Draws the symbols of an entity of `kind`. What the service makes is not there yet, nor what follows from it.
    pub fn draw(templates: &Templates, kind: &Kind, base: &Scope) -> Result<Self, TemplateError> {
        let mut instance = Self::default();
        instance.derive(templates, kind, &mut base.clone())?;
        Ok(instance)
    }

    /// Binds what a step of the setup captured, and draws what waited for it.
    pub fn learn(
        &mut self,
        templates: &Templates,
        kind: &Kind,
        base: &Scope,
        captured: &BTreeMap<String, String>,
    ) -> Result<(), TemplateError> {
        let mut scope = base.clone();
        scope.extend(self.scope());
        for (name, _, class) in kind.fields() {
            if let Some(value) = captured.get(name) {
                self.set(&mut scope, name, value.clone(), class);
            }
        }
        self.derive(templates, kind, &mut scope)
    }

    fn derive(
        &mut self,
        templates: &Templates,
        kind: &Kind,
        scope: &mut Scope,
    ) -> Result<(), TemplateError> {
        let is_complete = kind.fields().all(|(_, template, _)| template.is_some());
        for (name, template, class) in kind.fields() {
            let Some(template) = template.filter(|_| !self.fields.contains_key(name)) else {
                continue;
            };
            if !is_complete && self.lacks(kind, &*templates.names(template)?) {
                continue;
            }
            let value = templates.render_text(template, scope)?;
            self.set(scope, name, value, class);
        }
        Ok(())
    }

    /// Whether any of the names is a symbol of the kind that has no value yet.
    fn lacks(&self, kind: &Kind, names: &BTreeSet<String>) -> bool {
        let is_missing = |name: &str| !self.fields.contains_key(name);
        kind.fields()
            .any(|(name, ..)| names.contains(name) && is_missing(name))
    }

    /// The first symbol of the kind that has no value.
    #[must_use]
    pub fn missing<'k>(&self, kind: &'k Kind) -> Option<&'k str> {
        let mut names = kind.fields().map(|(name, ..)| name);
        names.find(|name| !self.fields.contains_key(*name))
    }

    /// The symbols without the first ones, which were known before.
    #[must_use]
    pub fn after(&self, known: usize) -> Self {
        let fields = self.fields.iter().skip(known);
        Self {
            fields: fields
                .map(|(name, field)| (name.clone(), field.clone()))
                .collect(),
            with: BTreeMap::new(),
        }
    }

    /// Binds captured values to an entity of `kind` and derives the symbols that follow from them.
    pub fn bind(
        templates: &Templates,
        kind: &Kind,
        captured: &BTreeMap<String, String>,
    ) -> Result<Self, TemplateError> {
        let mut instance = Self::default();
        let mut scope = Scope::default();
        for (name, template, class) in kind.fields() {
            if let Some(value) = captured.get(name) {
                instance.set(&mut scope, name, value.clone(), class);
            } else if let Some(template) = template
                && instance.derives(&*templates.names(template)?)
            {
                let value = templates.render_text(template, &scope)?;
                instance.set(&mut scope, name, value, class);
            }
        }
        Ok(instance)
    }

    /// Sets the parameters: the kind's defaults, then the entity's own.
    pub fn parameterise(
        &mut self,
        templates: &Templates,
        kind: Option<&Kind>,
        with: &IndexMap<String, Json>,
        scope: &Scope,
    ) -> Result<(), TemplateError> {
        let defaults = kind.into_iter().flat_map(|kind| &kind.parameters);
        for (name, template) in defaults.chain(with) {
            let value = match template {
                Json::String(text) => templates.evaluate(text, scope)?,
                other => to_value(&templates.render(other, scope)?),
            };
            self.with.insert(name.clone(), value);
        }
        Ok(())
    }

    /// The rows of the entity.
    pub fn rows(
        &self,
        templates: &Templates,
        kind: &Kind,
        base: &Scope,
    ) -> Result<Vec<Row>, TemplateError> {
        let mut rows = Vec::new();
        if kind.rows.is_empty() {
            return Ok(rows);
        }
        let scope = self.within(base);
        for spec in &kind.rows {
            if templates.wants(spec.when.as_deref(), &scope)? {
                rows.push(Row::render(templates, spec, &scope)?);
            }
        }
        Ok(rows)
    }

    /// The entity as templates see it.
    #[must_use]
    pub fn scope(&self) -> Fields {
        let fields = self
            .fields
            .iter()
            .map(|(name, field)| (name.clone(), Value::from(&field.value)));
        fields.chain(self.with.clone()).collect()
    }

    fn set(&mut self, scope: &mut Scope, name: &str, value: String, class: Class) {
        scope.insert(name, Value::from(&value));
        self.fields.insert(name.to_owned(), Field { value, class });
    }

    /// The names that the entity's own templates can use.
    #[must_use]
    pub fn within(&self, base: &Scope) -> Scope {
        let mut scope = base.clone();
        scope.extend(self.scope());
        scope
    }

    /// Whether a template with these names follows from what is bound.
    fn derives(&self, names: &BTreeSet<String>) -> bool {
        !names.is_empty() && names.iter().all(|name| self.fields.contains_key(name))
    }
}

/// One row to insert. It may hold credentials, so it cannot be printed.
#[derive(Clone, PartialEq)]
pub struct Row {
    /// The table.
    pub table: String,
    /// The columns that are set.
    pub values: Map<String, Json>,
}

impl Row {
    fn render(templates: &Templates, spec: &RowSpec, scope: &Scope) -> Result<Self, TemplateError> {
        let column = |(name, template): (&String, &Json)| {
            Ok((name.clone(), templates.render(template, scope)?))
        };
        let values = spec
            .values
            .iter()
            .map(column)
            .collect::<Result<_, TemplateError>>()?;
        Ok(Self {
            table: spec.table.clone(),
            values,
        })
    }
}

/// Everything that exists for the whole run.
pub struct World {
    /// The namespace of this run: every identifier that it makes contains it.
    pub run: String,
    /// The values given from outside.
    pub variables: BTreeMap<String, Field>,
    /// The entities and the actors by name.
    pub entities: IndexMap<String, Instance>,
    /// All names of the world, and the actors as their cells see them: made once, for all cells.
    shared: Value,
    actors: BTreeMap<String, Value>,
}

/// Random small letters and digits: services fold the case of what they take for the address of a mail.
fn folded(n: usize) -> String {
    random(n).to_lowercase()
}

/// How many characters tell the world of a cell from that of another.
const OWN: usize = 6;

/// How often a world is drawn again when two of its values are equal by chance (masked forms are short).
const DRAWS: usize = 16;

/// A world whose values are all different, if it can be drawn.
fn distinct(draw: impl Fn() -> Result<World, TemplateError>) -> Result<World, TemplateError> {
    let mut world = draw()?;
    for _ in 1..DRAWS {
        if world.is_distinct() {
            break;
        }
        world = draw()?;
    }
    Ok(world)
}

impl World {
    /// Draws the world of `suite`.
    pub fn draw(
        suite: &Suite,
        templates: &Templates,
        given: &BTreeMap<String, SecretString>,
    ) -> Result<Self, TemplateError> {
        distinct(|| {
            let run = format!("ap{}", folded(10));
            let variables = variables(suite, templates, given)?;
            Self::draw_once(suite, templates, run, variables)
        })
    }

    /// A world of the same run with other values, for one cell. Its `run` begins with the run's token and goes on with
    /// characters of its own, so that what follows from nothing else differs between two cells as well.
    pub fn anew(&self, suite: &Suite, templates: &Templates) -> Result<Self, TemplateError> {
        distinct(|| {
            let run = format!("{}{}", self.run, folded(OWN));
            Self::draw_once(suite, templates, run, self.variables.clone())
        })
    }

    fn draw_once(
        suite: &Suite,
        templates: &Templates,
        run: String,
        variables: BTreeMap<String, Field>,
    ) -> Result<Self, TemplateError> {
        let mut scope = Scope::from([
            ("run", Value::from(&run)),
            ("vars", Value::from(field_values(&variables))),
        ]);
        let mut entities = IndexMap::new();
        for Member { name, kind, .. } in suite.cast() {
            scope.insert("name", Value::from(name));
            let instance = kind.map_or_else(
                || Ok(Instance::default()),
                |kind| Instance::draw(templates, kind, &scope),
            )?;
            entities.insert(name.to_owned(), instance);
        }
        let mut world = Self {
            run,
            variables,
            entities,
            shared: Value::default(),
            actors: BTreeMap::new(),
        };
        world.publish(suite);
        world.parameterise(suite, templates)?;
        world.publish(suite);
        Ok(world)
    }

    fn parameterise(&mut self, suite: &Suite, templates: &Templates) -> Result<(), TemplateError> {
        let scope = self.scope();
        let has_setup = suite.has_setup();
        for Member { name, kind, with } in suite.cast() {
            if let Some(instance) = self.entities.get_mut(name) {
                let given = instance.parameterise(templates, kind, with, &scope);
                // What waits for a value that the service makes has its turn when that is there.
                if !has_setup {
                    given?;
                }
            }
        }
        Ok(())
    }

    /// Gives a member its parameters, some of which may have waited for what the setup of others captured.
    pub fn prepare(
        &mut self,
        suite: &Suite,
        templates: &Templates,
        member: &Member<'_>,
    ) -> Result<(), TemplateError> {
        let scope = self.scope();
        if let Some(instance) = self.entities.get_mut(member.name) {
            instance.parameterise(templates, member.kind, member.with, &scope)?;
        }
        self.publish(suite);
        Ok(())
    }

    /// Lets everybody see a member as its setup has made it.
    pub fn settle(&mut self, suite: &Suite, name: &str, instance: Instance) {
        self.entities.insert(name.to_owned(), instance);
        self.publish(suite);
    }

    fn publish(&mut self, suite: &Suite) {
        let mut scope = Scope::from([
            ("run", Value::from(&self.run)),
            ("vars", Value::from(field_values(&self.variables))),
        ]);
        for (name, instance) in &self.entities {
            scope.insert(name, Value::from(instance.scope()));
        }
        self.shared = scope.to_value();
        self.actors = self.actors_of(suite);
    }

    fn is_distinct(&self) -> bool {
        let values = self
            .entities
            .values()
            .flat_map(|instance| instance.fields.values());
        let mut seen = BTreeSet::new();
        values.into_iter().all(|field| seen.insert(&field.value))
    }

    /// The names that exist before there is a world: the variables.
    #[must_use]
    pub fn outside(variables: &BTreeMap<String, Field>) -> Scope {
        Scope::from([("vars", Value::from(field_values(variables)))])
    }

    /// The rows of the world in the order of the suite.
    pub fn rows(&self, suite: &Suite, templates: &Templates) -> Result<Vec<Row>, TemplateError> {
        let rows = suite.cast().map(|member| self.rows_of(templates, &member));
        Ok(rows.collect::<Result<Vec<_>, _>>()?.concat())
    }

    /// The rows of one member of the world.
    pub fn rows_of(
        &self,
        templates: &Templates,
        member: &Member<'_>,
    ) -> Result<Vec<Row>, TemplateError> {
        match (member.kind, self.entities.get(member.name)) {
            (Some(kind), Some(instance)) => {
                instance.rows(templates, kind, &self.scope_for(member.name))
            }
            _ => Ok(Vec::new()),
        }
    }

    /// The names that a member's own templates can use, without its symbols.
    #[must_use]
    pub fn scope_for(&self, name: &str) -> Scope {
        let mut scope = self.scope();
        scope.insert("name", Value::from(name));
        scope
    }

    /// The names that templates outside any cell can use.
    #[must_use]
    pub fn scope(&self) -> Scope {
        Scope::on(&self.shared)
    }

    /// The actors by name, as templates of their cells see them.
    fn actors_of(&self, suite: &Suite) -> BTreeMap<String, Value> {
        let of = |name: &String| self.entities.get(name).map(Instance::scope);
        let names = suite.world.actors.keys();
        // What an actor lacks but another actor has is null.
        let nothing: Fields = names
            .clone()
            .filter_map(of)
            .flat_map(Fields::into_keys)
            .map(|field| (field, Value::from(())))
            .collect();
        let actor = |name: &String| {
            let mut own = nothing.clone();
            own.extend(of(name).unwrap_or_default());
            own.insert("name".to_owned(), Value::from(name));
            (name.clone(), Value::from(own))
        };
        names.map(actor).collect()
    }

    /// The names that templates of a cell with this actor can use.
    #[must_use]
    pub fn scope_of_actor(&self, actor: &str) -> Scope {
        let mut scope = self.scope();
        scope.insert("actor", self.actor(actor));
        scope
    }

    /// An actor as templates of its cells see it.
    #[must_use]
    pub fn actor(&self, name: &str) -> Value {
        self.actors.get(name).cloned().unwrap_or_default()
    }
}

/// The suite's variables: as given, else by their default. Those with neither are not defined.
pub fn variables(
    suite: &Suite,
    templates: &Templates,
    given: &BTreeMap<String, SecretString>,
) -> Result<BTreeMap<String, Field>, TemplateError> {
    let mut variables = BTreeMap::new();
    for (name, variable) in &suite.file.variables {
        let value = match (given.get(name), &variable.default) {
            (Some(value), _) => value.expose_secret().to_owned(),
            (None, Some(default)) => templates.render_text(default, &Scope::default())?,
            (None, None) => continue,
        };
        let class = variable.class();
        variables.insert(name.clone(), Field { value, class });
    }
    Ok(variables)
}

fn field_values(variables: &BTreeMap<String, Field>) -> Fields {
    variables
        .iter()
        .map(|(name, field)| (name.clone(), Value::from(&field.value)))
        .collect()
}

/// The target of one cell: its scratch entity, and the names that the cell's templates can use.
pub struct Scratch {
    /// A value that is unique to the cell.
    pub tag: String,
    /// The scratch entity.
    pub target: Instance,
    /// The rows to insert before the call.
    pub rows: Vec<Row>,
    /// The identifiers of the cell's own world, where it has one.
    pub world_symbols: Vec<String>,
    /// The names that the cell's templates can use.
    pub scope: Scope,
}

impl Scratch {
    /// Makes the target of one cell. `setup` is what the endpoint's own setup captured.
    pub fn make(
        suite: &Suite,
        templates: &Templates,
        world: &World,
        setup: Option<&Instance>,
        target: (&str, &Target),
        actor: &str,
    ) -> Result<Self, TemplateError> {
        let (name, spec) = target;
        let tag = format!("{}-{}", world.run, folded(10));
        let mut scope = world.scope_of_actor(actor);
        if let Some(setup) = setup {
            scope.insert("setup", Value::from(setup.scope()));
        }
        let cell = Fields::from([("tag".to_owned(), Value::from(&tag))]);
        scope.insert("cell", Value::from(cell));
        let kind = spec
            .kind
            .as_ref()
            .and_then(|kind| suite.world.kinds.get(kind));
        let mut drawing = scope.clone();
        drawing.insert("name", Value::from(name));
        let mut target = kind.map_or_else(
            || Ok(Instance::default()),
            |kind| Instance::draw(templates, kind, &drawing),
        )?;
        target.parameterise(templates, kind, &spec.with, &scope)?;
        let rows = kind.map_or_else(
            || Ok(Vec::new()),
            |kind| target.rows(templates, kind, &drawing),
        )?;
        scope.insert("target", Value::from(target.scope()));
        Ok(Self {
            tag,
            target,
            rows,
            world_symbols: Vec::new(),
            scope,
        })
    }

    /// The identifiers that were drawn for the cell.
    #[must_use]
    pub fn identifiers(&self) -> Vec<String> {
        let fields = self.target.fields.values();
        let symbols = fields.filter(|field| field.class == Class::Symbol);
        let own = symbols.map(|field| field.value.clone());
        own.chain(self.world_symbols.iter().cloned()).collect()
    }

    /// The names that the target's own templates can use, without its symbols.
    #[must_use]
    pub fn base(&self, name: &str) -> Scope {
        let mut base = self.scope.clone();
        base.insert("name", Value::from(name));
        base
    }

    /// Lets the cell's templates see the target as its setup has made it.
    pub fn settle(&mut self, target: Instance) {
        self.scope.insert("target", Value::from(target.scope()));
        self.target = target;
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn a_runs_token_is_the_same_where_a_service_folds_case() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/ping");
        let suite = Suite::load(Path::new(folder)).unwrap();
        for _ in 0..20 {
            let world = World::draw(&suite, &Templates::new(), &BTreeMap::new()).unwrap();
            assert_eq!(world.run, world.run.to_lowercase());
        }
    }

    #[test]
    fn the_world_of_a_cell_has_the_runs_token_and_values_of_its_own() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/notes");
        let (suite, templates) = (Suite::load(Path::new(folder)).unwrap(), Templates::new());
        let world = World::draw(&suite, &templates, &BTreeMap::new()).unwrap();
        let [one, other] = [(); 2].map(|()| world.anew(&suite, &templates).unwrap());
        let values = |world: &World| -> BTreeSet<String> {
            let instances = world.entities.values();
            let fields = instances.flat_map(|instance| instance.fields.values());
            let own = fields.filter(|field| field.class != Class::Mask);
            own.map(|field| field.value.clone()).collect()
        };
        assert!(one.run.starts_with(&world.run) && one.run != other.run);
        assert!(values(&one).is_disjoint(&values(&world)));
        assert!(values(&one).is_disjoint(&values(&other)));
        let variables = |world: &World| -> Vec<String> {
            let fields = world.variables.values();
            fields.map(|field| field.value.clone()).collect()
        };
        assert_eq!(variables(&one), variables(&world));
    }
}
