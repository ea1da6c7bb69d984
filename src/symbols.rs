//! Symbols on the way in: every known value in a text becomes its name, in one pass.

mod common;
mod finder;
mod retired;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;
use std::ops::Range;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, percent_encode};
use serde_json::Value as Json;

use crate::world::{Class, Instance, World};
use finder::{Finder, Found};

pub(crate) use common::{is_common, is_identifier};
pub(crate) use retired::Retired;

/// What `encodeURIComponent` and most libraries leave as it is, besides letters and digits.
const UNRESERVED: &percent_encoding::AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Shorter pieces of Base64 are found by chance in any text.
const SHORTEST_BASE64: usize = 8;

/// Fewer characters of a value are at the ends of others by chance.
const SHORTEST_MASK: usize = 4;

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

    /// The part of `text` that its name stands for. None where that part of Base64 was named before: one can hold a value
    /// more than once.
    fn extent(&self, text: &str, from: usize, found: &Found) -> Option<Range<usize>> {
        (found.range.start >= from).then(|| {
            if self.is_base64 {
                around(text, from, found.range.clone())
            } else {
                found.range.clone()
            }
        })
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
    symbols: Vec<Vec<Symbol>>,
    run: String,
    /// The values that can stand anywhere by chance, which are looked for only where an identifier is.
    common: HashMap<String, Vec<Symbol>>,
}

impl Registry {
    /// The values of a world.
    #[must_use]
    pub fn of_world(world: &World) -> Self {
        let mut registry = Self {
            run: world.run.clone(),
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

    /// A credential is looked for in other forms too: services echo headers and URLs as they got them.
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
        if class == Class::Secret {
            for form in encoded(value) {
                self.enter(form, &symbol);
            }
            symbol.is_base64 = true;
            for piece in base64_pieces(value) {
                self.enter(piece, &symbol);
            }
        }
    }

    fn enter(&mut self, value: String, symbol: &Symbol) {
        let at = self.values.add(value);
        match self.symbols.get_mut(at) {
            Some(symbols) => symbols.push(symbol.clone()),
            None => self.symbols.push(vec![symbol.clone()]),
        }
    }

    /// Makes what names the values.
    #[must_use]
    pub fn build(self) -> Namer {
        let values = self.values.values().zip(&self.symbols);
        let is_number = values
            .map(|(value, symbols)| symbols.iter().all(|symbol| symbol.is_number(value)))
            .collect();
        Namer {
            is_number,
            registry: self,
        }
    }

    /// Whether no value is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.symbols.is_empty() && self.common.is_empty()
    }
}

/// A known value, without it.
pub(crate) struct Known {
    pub(crate) entity: String,
    pub(crate) field: String,
    /// How many characters it has.
    pub(crate) length: usize,
}

/// Replaces values by names.
pub struct Namer {
    /// Which values are only found as whole numbers, by their number.
    is_number: Vec<bool>,
    registry: Registry,
}

impl Namer {
    /// Names every known value in `text`.
    #[must_use]
    pub fn name(&self, text: &str, view: View<'_>) -> Named {
        let mut named = Named::default();
        self.each_piece(text, (view, true), &mut |piece| match piece {
            Piece::Text(text) => named.text.push_str(text),
            Piece::Symbol { name, discloses } => {
                let _ = write!(named.text, "<{name}>");
                if discloses {
                    named.disclosed.insert(name);
                }
            }
        });
        named
    }

    /// Names the credentials in `text`, and leaves identifiers as they are.
    #[must_use]
    pub fn hide(&self, text: &str) -> String {
        let mut hidden = String::new();
        let mut rest = 0;
        let literal = |from, to| text.get(from..to).unwrap_or_default();
        for found in self.found(text) {
            let Some(symbol) = self
                .symbols(&found)
                .iter()
                .find(|symbol| symbol.is_secret())
            else {
                continue;
            };
            if let Some(part) = symbol.extent(text, rest, &found) {
                hidden.push_str(literal(rest, part.start));
                hidden.push_str("<secret>");
                rest = part.end;
            }
        }
        hidden.push_str(literal(rest, text.len()));
        hidden
    }

    /// A text as what stands in it literally and the known values between, by their names.
    #[must_use]
    pub fn pieces<'t>(&self, text: &'t str, view: View<'_>) -> Vec<Piece<'t>> {
        self.pieces_under("id", text, view)
    }

    /// The same of what stands under a key: what could stand anywhere by chance is an identifier only where the key says so.
    pub(crate) fn pieces_under<'t>(
        &self,
        key: &str,
        text: &'t str,
        view: View<'_>,
    ) -> Vec<Piece<'t>> {
        let mut pieces = Vec::new();
        let side = (view, is_identifier(key));
        self.each_piece(text, side, &mut |piece| pieces.push(piece));
        pieces
    }

    fn each_piece<'t>(
        &self,
        text: &'t str,
        side: (View<'_>, bool),
        take: &mut impl FnMut(Piece<'t>),
    ) {
        let mut rest = 0;
        for found in self.found(text) {
            let Some(symbol) = self.choose(found.value, side.0) else {
                continue;
            };
            if let Some(part) = symbol.extent(text, rest, &found) {
                self.literal(text, rest..part.start, side, take);
                take(symbol.piece(side.0));
                rest = part.end;
            }
        }
        self.literal(text, rest..text.len(), side, take);
    }

    /// What is no known value, but for words that are identifiers where they stand alone, if they can be.
    fn literal<'t>(
        &self,
        text: &'t str,
        part: Range<usize>,
        (view, has_common): (View<'_>, bool),
        take: &mut impl FnMut(Piece<'t>),
    ) {
        let mut rest = part.start;
        let literal = |from, to| {
            let text = text.get(from..to).filter(|text| !text.is_empty());
            text.map(Piece::Text)
        };
        if has_common && !self.registry.common.is_empty() {
            for word in common::words(text, part.clone()) {
                let symbols = text.get(word.clone());
                let symbols = symbols.and_then(|word| self.registry.common.get(word));
                if let Some(symbol) = symbols.and_then(|symbols| first(symbols, view)) {
                    literal(rest, word.start).map(&mut *take);
                    take(symbol.piece(view));
                    rest = word.end;
                }
            }
        }
        literal(rest, part.end).map(take);
    }

    /// Where known values stand in `text`.
    fn found<'t>(&'t self, text: &'t str) -> impl Iterator<Item = Found> + 't {
        let is_number = |value: usize| self.is_number.get(value).copied().unwrap_or(false);
        self.registry.values.find(text, is_number)
    }

    /// Names every known value in the texts and keys of `json`, and collects what it discloses. A number is left alone,
    /// unless it holds a secret or is an identifier as a whole: a piece of it would be one by chance.
    pub fn name_json(&self, json: &Json, view: View<'_>, disclosed: &mut BTreeSet<String>) -> Json {
        self.name_member("", json, view, disclosed)
    }

    /// The same for what stands under a key: a number, or a text that is nothing but one, is an identifier where the key
    /// says so.
    pub(crate) fn name_member(
        &self,
        key: &str,
        json: &Json,
        view: View<'_>,
        disclosed: &mut BTreeSet<String>,
    ) -> Json {
        if !self.registry.common.is_empty()
            && let Some(value) = common::text_of(json)
            && let Some(symbols) = self.registry.common.get(&value)
            && !self.has_secret(&value)
        {
            return match first(symbols, view).filter(|_| is_identifier(key)) {
                Some(symbol) => Json::String(symbol.named(view, disclosed)),
                None => json.clone(),
            };
        }
        let mut text = |text: &str| {
            let named = self.name(text, view);
            disclosed.extend(named.disclosed);
            named.text
        };
        match json {
            Json::String(value) => Json::String(text(value)),
            Json::Array(items) => items
                .iter()
                .map(|item| self.name_member(key, item, view, disclosed))
                .collect(),
            Json::Object(map) => {
                let entries = map
                    .iter()
                    .map(|(key, value)| (text(key), key, value))
                    .collect::<Vec<_>>();
                entries
                    .into_iter()
                    .map(|(name, key, value)| (name, self.name_member(key, value, view, disclosed)))
                    .collect()
            }
            Json::Number(number) if self.is_known_number(&number.to_string()) => {
                Json::String(text(&number.to_string()))
            }
            other => other.clone(),
        }
    }

    fn has_secret(&self, text: &str) -> bool {
        let mut found = self.found(text);
        found.any(|found| self.is_any(&found, Symbol::is_secret))
    }

    fn is_known_number(&self, text: &str) -> bool {
        self.found(text).any(|found| {
            let is_whole = found.range.len() == text.len();
            self.is_any(&found, Symbol::is_secret)
                || is_whole && self.is_any(&found, Symbol::is_identifier)
        })
    }

    /// The identifier or credential that begins and ends like this, and is longer: of which this may be a mask.
    pub(crate) fn masked(&self, head: &str, tail: &str) -> Option<Known> {
        let known = head.len() + tail.len();
        if known < SHORTEST_MASK {
            return None;
        }
        let mut values = self.registry.values.values().zip(&self.registry.symbols);
        values.find_map(|(value, symbols)| {
            let is_masked = value.len() > known && value.starts_with(head) && value.ends_with(tail);
            let is_own = |symbol: &&Symbol| {
                symbol.class != Class::Mask && symbol.owner != Owner::Run && !symbol.is_base64
            };
            let symbol = symbols.iter().find(is_own).filter(|_| is_masked)?;
            Some(Known {
                entity: symbol.entity.to_string(),
                field: symbol.field.to_string(),
                length: value.chars().count(),
            })
        })
    }

    /// Whether any of the symbols whose value was found is one of these.
    fn is_any(&self, found: &Found, is: impl Fn(&Symbol) -> bool) -> bool {
        self.symbols(found).iter().any(is)
    }

    /// The symbols whose value was found.
    fn symbols(&self, found: &Found) -> &[Symbol] {
        let symbols = self.registry.symbols.get(found.value);
        symbols.map_or(&[], Vec::as_slice)
    }

    /// The cells whose own symbols occur in `text`.
    #[must_use]
    pub fn cells_in(&self, text: &str) -> BTreeSet<usize> {
        let symbols = self.found(text).flat_map(|found| self.symbols(&found));
        let own = symbols.filter(|symbol| symbol.class != Class::Mask);
        own.filter_map(|symbol| symbol.owner.cell()).collect()
    }

    /// The values of cells: a run with many cells names values of few at a time, and of the others only remembers that
    /// they are its own. Those that hold the run's token say so themselves.
    pub(crate) fn retire(&self, retired: &mut Retired) {
        let of_cell = |symbol: &Symbol| symbol.owner.cell().is_some();
        let is_known = |symbol: &Symbol| of_cell(symbol) && symbol.class != Class::Mask;
        let Registry {
            values,
            symbols,
            run,
            ..
        } = &self.registry;
        for (value, symbols) in values.values().zip(symbols) {
            let is_own = run.is_empty() || !value.contains(run);
            if is_own && symbols.iter().all(of_cell) && symbols.iter().any(is_known) {
                retired.add(value);
            }
        }
    }

    /// Whether `text` has any value of this run.
    #[must_use]
    pub fn knows(&self, text: &str) -> bool {
        let mut symbols = self.found(text).flat_map(|found| self.symbols(&found));
        symbols.any(|symbol| symbol.class != Class::Mask || &*symbol.field == "run")
    }

    /// One value can have several names: the cell's own come first, then the world's, then other cells'.
    fn choose(&self, value: usize, view: View<'_>) -> Option<&Symbol> {
        first(self.registry.symbols.get(value)?, view)
    }
}

fn first<'s>(symbols: &'s [Symbol], view: View<'_>) -> Option<&'s Symbol> {
    symbols
        .iter()
        .min_by_key(|symbol| match symbol.owner.cell() {
            Some(cell) if cell == view.cell => 0,
            None => 1,
            Some(_) => 2,
        })
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
    /// The cells whose own symbols occur in `text`.
    pub(crate) fn cells_in(self, text: &str) -> BTreeSet<usize> {
        let mut cells = self.now.cells_in(text);
        cells.extend(self.before.cells_in(text));
        cells
    }

    /// Whether `text` has a value that can be named.
    pub(crate) fn knows(self, text: &str) -> bool {
        self.now.knows(text) || self.before.knows(text)
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A credential as it stands in a URL, in a JSON text within a text, and in a column of bytes.
fn encoded(secret: &str) -> BTreeSet<String> {
    let json = Json::from(secret).to_string();
    let forms = [
        percent_encode(secret.as_bytes(), UNRESERVED).to_string(),
        percent_encode(secret.as_bytes(), NON_ALPHANUMERIC).to_string(),
        json.trim_matches('"').to_owned(),
        hex::encode(secret),
    ];
    let lower = forms.clone().map(|form| lower_escapes(&form));
    forms
        .into_iter()
        .chain(lower)
        .filter(|form| form != secret)
        .collect()
}

/// `%2F` -> `%2f`.
fn lower_escapes(text: &str) -> String {
    let mut parts = text.split('%');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| match part.split_at_checked(2) {
        Some((escape, rest)) => format!("{text}%{}{rest}", escape.to_lowercase()),
        None => format!("{text}%{part}"),
    })
}

/// The characters that are the same whatever stands around the secret in what was encoded. Three bytes are four
/// characters, so there are three ways in which it can lie.
fn base64_pieces(secret: &str) -> BTreeSet<String> {
    let mut pieces = BTreeSet::new();
    for (before, skip) in [(0, 0), (1, 2), (2, 3)] {
        let bytes = [&vec![0; before], secret.as_bytes()].concat();
        let whole = bytes.len() * 8 / 6;
        for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
            let text = engine.encode(&bytes);
            pieces.extend(text.get(skip..whole).map(str::to_owned));
        }
    }
    pieces.retain(|piece| piece.len() >= SHORTEST_BASE64);
    pieces
}

/// The whole Base64 text around a piece of it, but nothing before `from`.
fn around(text: &str, from: usize, piece: Range<usize>) -> Range<usize> {
    let is_other = |c: char| !(c.is_ascii_alphanumeric() || "+/-_=".contains(c));
    let before = text.get(from..piece.start).unwrap_or_default();
    let behind = text.get(piece.end..).unwrap_or_default();
    let start = before.trim_end_matches(|c| !is_other(c)).len();
    let end = behind.find(is_other).unwrap_or(behind.len());
    from + start..piece.end + end
}

impl Symbol {
    fn piece(&self, view: View<'_>) -> Piece<'static> {
        Piece::Symbol {
            name: self.name(view),
            discloses: self.discloses(),
        }
    }

    fn discloses(&self) -> bool {
        self.class != Class::Mask && self.owner != Owner::Run
    }

    /// The name as it stands in a text; what it discloses is added.
    fn named(&self, view: View<'_>, disclosed: &mut BTreeSet<String>) -> String {
        let name = self.name(view);
        let named = format!("<{name}>");
        if self.discloses() {
            disclosed.insert(name);
        }
        named
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
