//! Symbols on the way in: every known value in a text becomes its name, in one pass.

mod common;
mod decode;
mod finder;
mod forms;
mod namer;
mod places;
mod retired;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use authz_pin_record::text::is_digits;
use chrono::Utc;
use smallvec::{SmallVec, smallvec};

use authz_pin_suite::world::{Class, Instance, World};
use finder::{Finder, LONG};

pub(crate) use common::is_common;
pub use namer::Namer;
pub(crate) use places::{Places, is_of_identifier};
pub(crate) use retired::{Earlier, Retired};

/// A known value, without it.
pub(crate) struct Known {
    pub(crate) entity: String,
    pub(crate) field: String,
    /// How many characters it has.
    pub(crate) length: usize,
}

/// Who a symbol belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Owner {
    /// The run: its namespace and the variables given from outside.
    Run,
    /// An entity of the world.
    World,
    /// One cell, by its number within the sweep.
    Cell(usize),
    /// The world that was made for one cell alone.
    Fresh(usize),
}

impl Owner {
    /// The cell that it belongs to alone.
    fn cell(&self) -> Option<usize> {
        match self {
            Self::Cell(cell) | Self::Fresh(cell) => Some(*cell),
            Self::Run | Self::World => None,
        }
    }
}

#[derive(Debug, Clone)]
struct Symbol {
    owner: Owner,
    entity: Arc<str>,
    field: Arc<str>,
    class: Class,
    /// Whether the value is looked for as a piece of Base64.
    is_base64: bool,
}

impl Symbol {
    /// What a database or a service counts up, such as `1073`: only the whole number is the identifier. A credential is
    /// hidden wherever it stands.
    fn is_number(&self, value: &str) -> bool {
        !self.is_secret() && is_digits(value)
    }

    fn is_secret(&self) -> bool {
        self.class == Class::Secret
    }

    fn is_identifier(&self) -> bool {
        self.class == Class::Symbol && self.owner != Owner::Run
    }
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
#[derive(Clone, Default)]
pub struct Registry {
    values: Finder<String>,
    /// What each of the values is, by its number.
    symbols: Vec<SmallVec<[Symbol; 1]>>,
    run: String,
    /// The values that can stand anywhere by chance, which are looked for only where an identifier is.
    common: HashMap<String, Vec<Symbol>>,
    /// Where one is.
    places: Arc<Places>,
    /// When the run began, in microseconds since 1970.
    began: i64,
}

impl Registry {
    /// The values of a world.
    #[must_use]
    pub fn of_world(world: &World) -> Self {
        let mut registry = Self {
            run: world.run.clone(),
            began: Utc::now().timestamp_micros(),
            ..Self::default()
        };
        registry.add(&world.run, Owner::Run, "", "run", Class::Mask);
        for (name, field) in &world.variables {
            registry.add(&field.value, Owner::Run, "vars", name, field.class);
        }
        for (entity, instance) in &world.entities {
            registry.add_instance(&Owner::World, entity, instance);
        }
        registry
    }

    /// The same values, of which those that can stand anywhere by chance are identifiers at these places.
    #[must_use]
    pub(crate) fn at(self, places: Places) -> Self {
        let places = Arc::new(places);
        Self { places, ..self }
    }

    /// Adds symbols of an entity of the world.
    pub fn add_world_entity(&mut self, entity: &str, instance: &Instance) {
        self.add_instance(&Owner::World, entity, instance);
    }

    /// Adds an entity of one cell: its target, or one that its answer bound.
    pub fn add_cell_entity(&mut self, cell: usize, entity: &str, instance: &Instance) {
        self.add_instance(&Owner::Cell(cell), entity, instance);
    }

    /// Adds the values of a world that was made for one cell alone.
    pub fn add_fresh_world(&mut self, cell: usize, world: &World) {
        self.add(&world.run, Owner::Fresh(cell), "", "run", Class::Mask);
        for (entity, instance) in &world.entities {
            self.add_fresh_entity(cell, entity, instance);
        }
    }

    /// Adds symbols of an entity of such a world.
    pub fn add_fresh_entity(&mut self, cell: usize, entity: &str, instance: &Instance) {
        self.add_instance(&Owner::Fresh(cell), entity, instance);
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

    /// Adds a credential that the tool itself uses, which no suite names.
    pub fn add_secret(&mut self, entity: &str, field: &str, value: &str) {
        self.add(value, Owner::Run, entity, field, Class::Secret);
    }

    /// What can be decoded is found in other encodings by decoding the text; the other forms are looked for as values.
    fn add(&mut self, value: &str, owner: Owner, entity: &str, field: &str, class: Class) {
        if value.is_empty() || class == Class::Word {
            return;
        }
        let mut symbol = Symbol {
            owner,
            entity: entity.into(),
            field: field.into(),
            class,
            is_base64: false,
        };
        if class != Class::Secret && symbol.owner != Owner::Run && is_common(value) {
            let symbols = self.common.entry(value.to_owned());
            return symbols.or_default().push(symbol);
        }
        self.enter(value.to_owned(), &symbol);
        if class == Class::Mask {
            return;
        }
        for form in forms::of_uuid(value) {
            self.enter(form, &symbol);
        }
        if !forms::is_decoded(value) && (class == Class::Secret || value.len() >= LONG) {
            self.enter(hex::encode(value), &symbol);
            symbol.is_base64 = true;
            for piece in forms::base64_pieces(value) {
                self.enter(piece, &symbol);
            }
        }
    }

    fn enter(&mut self, value: String, symbol: &Symbol) {
        let at = self.values.add(value);
        match self.symbols.get_mut(at) {
            Some(symbols) => symbols.push(symbol.clone()),
            None => self.symbols.push(smallvec![symbol.clone()]),
        }
    }

    /// Whether no value is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.symbols.is_empty() && self.common.is_empty()
    }
}

/// Everything that a run knows at one moment: names for the values of the last two batches of cells, since what is written
/// late is read with the next one, and that the values of all others are the run's.
#[derive(Clone, Copy)]
pub(crate) struct Knowledge<'a> {
    pub(crate) now: &'a Namer,
    pub(crate) before: &'a Namer,
    pub(crate) retired: &'a Retired,
}

impl Knowledge<'_> {
    /// Whose values that can be named `text` has.
    pub(crate) fn whose(self, text: &str) -> Whose {
        let mut whose = self.now.whose(text);
        let before = self.before.whose(text);
        whose.cells.extend(before.cells);
        whose.is_of_run |= before.is_of_run;
        whose
    }
}

/// Whose values a text has.
#[derive(Debug, Default)]
pub(crate) struct Whose {
    /// The cells whose own symbols occur in it.
    pub(crate) cells: BTreeSet<usize>,
    /// Whether it has any value of this run.
    pub(crate) is_of_run: bool,
}

impl Symbol {
    fn discloses(&self) -> bool {
        self.class != Class::Mask && self.owner != Owner::Run
    }

    /// The name; what it discloses is added.
    fn told(&self, view: View<'_>, disclosed: &mut BTreeSet<String>) -> String {
        let name = self.name(view);
        if self.discloses() {
            disclosed.insert(name.clone());
        }
        name
    }

    fn is_of(&self, actor: &str) -> bool {
        !actor.is_empty() && &*self.entity == actor
    }

    fn name(&self, view: View<'_>) -> String {
        let entity = match &self.owner {
            Owner::Cell(cell) | Owner::Fresh(cell) if *cell != view.cell => "another cell",
            Owner::World | Owner::Fresh(_) if self.is_of(view.actor) => "actor",
            _ => &self.entity,
        };
        if entity.is_empty() {
            self.field.to_string()
        } else {
            format!("{entity}.{}", self.field)
        }
    }
}
