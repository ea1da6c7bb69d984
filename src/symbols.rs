//! Symbols on the way in: every known value in a text becomes its name, in one pass.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;

use aho_corasick::{AhoCorasick, BuildError, MatchKind};
use serde_json::Value as Json;

use crate::world::{Class, Instance, World};

/// Who a symbol belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Owner {
    /// The run: its namespace and the variables given from outside.
    Run,
    /// An entity of the world.
    World,
    /// One cell, by its number within the sweep.
    Cell(usize),
}

#[derive(Debug, Clone)]
struct Symbol {
    owner: Owner,
    entity: String,
    field: String,
    class: Class,
}

/// From whose side a text is read: names depend on it (`<actor.key>`, `<target.key>`).
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// The cell's number within the sweep.
    pub cell: usize,
    /// The cell's actor.
    pub actor: &'a str,
}

/// A text in which every known value is replaced by its name.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Named {
    /// The text.
    pub text: String,
    /// The identifiers that it disclosed, as `entity.field`.
    pub disclosed: BTreeSet<String>,
}

/// A part of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece<'t> {
    /// What no symbol explains.
    Text(&'t str),
    /// A known value.
    Symbol {
        /// Its name, as `entity.field`.
        name: String,
        /// Whether who reads it learns an identifier.
        discloses: bool,
    },
}

/// Collects the known values.
#[derive(Default)]
pub struct Registry {
    patterns: Vec<String>,
    symbols: Vec<Vec<Symbol>>,
    index: HashMap<String, usize>,
}

impl Registry {
    /// The values of a world.
    #[must_use]
    pub fn of_world(world: &World) -> Self {
        let mut registry = Self::default();
        registry.add(&world.run, Owner::Run, "", "run", Class::Mask);
        for (name, field) in &world.variables {
            registry.add(&field.value, Owner::Run, "vars", name, field.class);
        }
        for (entity, instance) in &world.entities {
            registry.add_instance(&Owner::World, entity, instance);
        }
        registry
    }

    /// Adds an entity of one cell: its target, or one that its answer bound.
    pub fn add_cell_entity(&mut self, cell: usize, entity: &str, instance: &Instance) {
        self.add_instance(&Owner::Cell(cell), entity, instance);
    }

    /// Adds the value that is unique to a cell.
    pub fn add_tag(&mut self, cell: usize, tag: &str) {
        self.add(tag, Owner::Cell(cell), "cell", "tag", Class::Symbol);
    }

    fn add_instance(&mut self, owner: &Owner, entity: &str, instance: &Instance) {
        for (field, drawn) in &instance.fields {
            self.add(&drawn.value, owner.clone(), entity, field, drawn.class);
        }
    }

    fn add(&mut self, value: &str, owner: Owner, entity: &str, field: &str, class: Class) {
        if value.is_empty() {
            return;
        }
        let at = *self.index.entry(value.to_owned()).or_insert_with(|| {
            self.patterns.push(value.to_owned());
            self.symbols.push(Vec::new());
            self.patterns.len() - 1
        });
        if let Some(symbols) = self.symbols.get_mut(at) {
            symbols.push(Symbol {
                owner,
                entity: entity.to_owned(),
                field: field.to_owned(),
                class,
            });
        }
    }

    /// Makes the automaton that finds all values in one pass.
    pub fn build(&self) -> Result<Namer, BuildError> {
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(&self.patterns)?;
        Ok(Namer {
            automaton,
            symbols: self.symbols.clone(),
        })
    }

    /// How many values are known.
    #[must_use]
    pub fn len(&self) -> usize {
        self.patterns.len()
    }

    /// Whether no value is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }
}

/// Replaces values by names.
pub struct Namer {
    automaton: AhoCorasick,
    symbols: Vec<Vec<Symbol>>,
}

impl Namer {
    /// Names every known value in `text`.
    #[must_use]
    pub fn name(&self, text: &str, view: View<'_>) -> Named {
        let mut named = Named::default();
        for piece in self.pieces(text, view) {
            match piece {
                Piece::Text(text) => named.text.push_str(text),
                Piece::Symbol { name, discloses } => {
                    let _ = write!(named.text, "<{name}>");
                    if discloses {
                        named.disclosed.insert(name);
                    }
                }
            }
        }
        named
    }

    /// A text as what stands in it literally and the known values between, by their names.
    #[must_use]
    pub fn pieces<'t>(&self, text: &'t str, view: View<'_>) -> Vec<Piece<'t>> {
        let mut pieces = Vec::new();
        let mut rest = 0;
        let literal = |from, to| {
            let text = text.get(from..to).filter(|text| !text.is_empty());
            text.map(Piece::Text)
        };
        for found in self.automaton.find_iter(text) {
            pieces.extend(literal(rest, found.start()));
            rest = found.end();
            let symbol = self.choose(found.pattern().as_usize(), view);
            pieces.extend(symbol.map(|symbol| symbol.piece(view)));
        }
        pieces.extend(literal(rest, text.len()));
        pieces
    }

    /// Names every known value in the texts and keys of `json`, and collects what it discloses.
    pub fn name_json(&self, json: &Json, view: View<'_>, disclosed: &mut BTreeSet<String>) -> Json {
        let mut text = |text: &str| {
            let named = self.name(text, view);
            disclosed.extend(named.disclosed);
            named.text
        };
        match json {
            Json::String(value) => Json::String(text(value)),
            Json::Array(items) => items
                .iter()
                .map(|item| self.name_json(item, view, disclosed))
                .collect(),
            Json::Object(map) => {
                let entries = map
                    .iter()
                    .map(|(key, value)| (text(key), value))
                    .collect::<Vec<_>>();
                entries
                    .into_iter()
                    .map(|(key, value)| (key, self.name_json(value, view, disclosed)))
                    .collect()
            }
            other => other.clone(),
        }
    }

    /// The cells whose own symbols occur in `text`.
    #[must_use]
    pub fn cells_in(&self, text: &str) -> BTreeSet<usize> {
        let symbols = self
            .automaton
            .find_iter(text)
            .filter_map(|found| self.symbols.get(found.pattern().as_usize()));
        let own = symbols
            .flatten()
            .filter(|symbol| symbol.class != Class::Mask);
        own.filter_map(|symbol| {
            if let Owner::Cell(cell) = symbol.owner {
                Some(cell)
            } else {
                None
            }
        })
        .collect()
    }

    /// Whether `text` has any value of this run.
    #[must_use]
    pub fn knows(&self, text: &str) -> bool {
        let symbols = self
            .automaton
            .find_iter(text)
            .filter_map(|found| self.symbols.get(found.pattern().as_usize()));
        symbols
            .flatten()
            .any(|symbol| symbol.class != Class::Mask || symbol.field == "run")
    }

    /// One value can have several names: the cell's own come first, then the world's, then other cells'.
    fn choose(&self, pattern: usize, view: View<'_>) -> Option<&Symbol> {
        self.symbols
            .get(pattern)?
            .iter()
            .min_by_key(|symbol| match symbol.owner {
                Owner::Cell(cell) if cell == view.cell => 0,
                Owner::World | Owner::Run => 1,
                Owner::Cell(_) => 2,
            })
    }
}

impl Symbol {
    fn piece(&self, view: View<'_>) -> Piece<'static> {
        Piece::Symbol {
            name: self.name(view),
            discloses: self.class != Class::Mask && self.owner != Owner::Run,
        }
    }

    fn name(&self, view: View<'_>) -> String {
        let entity = match &self.owner {
            Owner::World if self.entity == view.actor => "actor",
            Owner::Cell(cell) if *cell != view.cell => "another cell",
            _ => &self.entity,
        };
        if entity.is_empty() {
            self.field.clone()
        } else {
            format!("{entity}.{}", self.field)
        }
    }
}
