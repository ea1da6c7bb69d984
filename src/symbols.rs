//! Symbols on the way in: every known value in a text becomes its name, in one pass.

mod common;
mod retired;

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;
use std::ops::Range;
use std::sync::Arc;

use aho_corasick::{AhoCorasick, BuildError, Input, Match, MatchKind};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, percent_encode};
use serde_json::Value as Json;

use crate::world::{Class, Instance, World};

pub(crate) use common::is_common;
pub(crate) use retired::Retired;

/// What `encodeURIComponent` and most libraries leave as it is, besides letters and digits.
const UNRESERVED: &percent_encoding::AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Shorter pieces of Base64 are found by chance in any text.
const SHORTEST_BASE64: usize = 8;

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
    fn extent(&self, text: &str, from: usize, found: &Match) -> Option<Range<usize>> {
        (found.start() >= from).then(|| {
            if self.is_base64 {
                around(text, from, found.range())
            } else {
                found.range()
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
    patterns: Vec<String>,
    symbols: Vec<Vec<Symbol>>,
    index: HashMap<String, usize>,
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
        if value.is_empty() {
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
        let at = *self.index.entry(value.clone()).or_insert_with(|| {
            self.patterns.push(value);
            self.symbols.push(Vec::new());
            self.patterns.len() - 1
        });
        if let Some(symbols) = self.symbols.get_mut(at) {
            symbols.push(symbol.clone());
        }
    }

    /// Makes the automaton that finds all values in one pass.
    pub fn build(self) -> Result<Namer, BuildError> {
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(&self.patterns)?;
        Ok(Namer {
            automaton,
            is_number: self.numbers(),
            registry: self,
        })
    }

    /// By the number of their pattern: which values are only found as whole numbers.
    fn numbers(&self) -> Vec<bool> {
        let values = self.patterns.iter().zip(&self.symbols);
        values
            .map(|(value, symbols)| symbols.iter().all(|symbol| symbol.is_number(value)))
            .collect()
    }

    /// How many values are known.
    #[must_use]
    pub fn len(&self) -> usize {
        self.patterns.len()
    }

    /// Whether no value is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty() && self.common.is_empty()
    }
}

/// Replaces values by names.
pub struct Namer {
    automaton: AhoCorasick,
    is_number: Vec<bool>,
    registry: Registry,
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
        let mut pieces = Vec::new();
        let mut rest = 0;
        for found in self.found(text) {
            let Some(symbol) = self.choose(found.pattern().as_usize(), view) else {
                continue;
            };
            if let Some(part) = symbol.extent(text, rest, &found) {
                self.push_literal(&mut pieces, text, rest..part.start, view);
                pieces.push(symbol.piece(view));
                rest = part.end;
            }
        }
        self.push_literal(&mut pieces, text, rest..text.len(), view);
        pieces
    }

    /// What is no known value, but for words that are identifiers where they stand alone.
    fn push_literal<'t>(
        &self,
        pieces: &mut Vec<Piece<'t>>,
        text: &'t str,
        part: Range<usize>,
        view: View<'_>,
    ) {
        let mut rest = part.start;
        let literal = |from, to| {
            let text = text.get(from..to).filter(|text| !text.is_empty());
            text.map(Piece::Text)
        };
        if !self.registry.common.is_empty() {
            for word in common::words(text, part.clone()) {
                let symbols = text.get(word.clone());
                let symbols = symbols.and_then(|word| self.registry.common.get(word));
                if let Some(symbol) = symbols.and_then(|symbols| first(symbols, view)) {
                    pieces.extend(literal(rest, word.start));
                    pieces.push(symbol.piece(view));
                    rest = word.end;
                }
            }
        }
        pieces.extend(literal(rest, part.end));
    }

    /// Where known values stand in `text`.
    fn found<'t>(&'t self, text: &'t str) -> impl Iterator<Item = Match> + 't {
        let is_number = |pattern: usize| self.is_number.get(pattern).copied().unwrap_or(false);
        whole(&self.automaton, text, is_number)
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
            return match first(symbols, view).filter(|_| common::is_identifier(key)) {
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
            let is_whole = found.len() == text.len();
            self.is_any(&found, Symbol::is_secret)
                || is_whole && self.is_any(&found, Symbol::is_identifier)
        })
    }

    /// Whether any of the symbols whose value was found is one of these.
    fn is_any(&self, found: &Match, is: impl Fn(&Symbol) -> bool) -> bool {
        self.symbols(found).iter().any(is)
    }

    /// The symbols whose value was found.
    fn symbols(&self, found: &Match) -> &[Symbol] {
        let symbols = self.registry.symbols.get(found.pattern().as_usize());
        symbols.map_or(&[], Vec::as_slice)
    }

    /// The cells whose own symbols occur in `text`.
    #[must_use]
    pub fn cells_in(&self, text: &str) -> BTreeSet<usize> {
        let symbols = self.found(text).flat_map(|found| self.symbols(&found));
        let own = symbols.filter(|symbol| symbol.class != Class::Mask);
        own.filter_map(|symbol| {
            if let Owner::Cell(cell) = symbol.owner {
                Some(cell)
            } else {
                None
            }
        })
        .collect()
    }

    /// The values of cells: a run with many cells names values of few at a time, and of the others only remembers that
    /// they are its own. Those that hold the run's token say so themselves.
    pub(crate) fn retire(self, retired: &mut Retired) {
        let of_cell = |symbol: &Symbol| matches!(symbol.owner, Owner::Cell(_));
        let is_known = |symbol: &Symbol| of_cell(symbol) && symbol.class != Class::Mask;
        let Registry {
            patterns,
            symbols,
            run,
            ..
        } = self.registry;
        for (value, symbols) in patterns.iter().zip(symbols) {
            let is_own = run.is_empty() || !value.contains(&run);
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
    fn choose(&self, pattern: usize, view: View<'_>) -> Option<&Symbol> {
        first(self.registry.symbols.get(pattern)?, view)
    }
}

fn first<'s>(symbols: &'s [Symbol], view: View<'_>) -> Option<&'s Symbol> {
    symbols.iter().min_by_key(|symbol| match symbol.owner {
        Owner::Cell(cell) if cell == view.cell => 0,
        Owner::World | Owner::Run => 1,
        Owner::Cell(_) => 2,
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

/// Where values stand in `text`, the leftmost and longest. One that is a number (`is_number`, by its pattern) is not
/// found within a longer one.
fn whole<'t>(
    automaton: &'t AhoCorasick,
    text: &'t str,
    is_number: impl Fn(usize) -> bool + 't,
) -> impl Iterator<Item = Match> + 't {
    let mut from = 0;
    std::iter::from_fn(move || {
        loop {
            let found = automaton.find(Input::new(text).range(from..))?;
            if is_number(found.pattern().as_usize()) && is_piece_of_number(text, &found) {
                from = found.start() + 1;
            } else {
                from = found.end();
                return Some(found);
            }
        }
    })
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a digit stands before or behind what was found.
fn is_piece_of_number(text: &str, found: &Match) -> bool {
    let digit_at = |at: usize| text.as_bytes().get(at).is_some_and(u8::is_ascii_digit);
    found.start().checked_sub(1).is_some_and(digit_at) || digit_at(found.end())
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

    fn name(&self, view: View<'_>) -> String {
        let entity = match &self.owner {
            Owner::World if &*self.entity == view.actor => "actor",
            Owner::Cell(cell) if *cell != view.cell => "another cell",
            _ => &self.entity,
        };
        if entity.is_empty() {
            self.field.to_string()
        } else {
            format!("{entity}.{}", self.field)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const VIEW: View<'_> = View { cell: 0, actor: "" };

    /// A namer that knows what a database counted up for `owner`.
    fn counted(value: &str, class: Class) -> Namer {
        let mut registry = Registry::default();
        registry.add(value, Owner::World, "owner", "id", class);
        registry.build().unwrap()
    }

    #[test]
    fn an_identifier_of_many_digits_is_found_as_a_whole_number_only() {
        let named = |text: &str| counted("1100000031", Class::Symbol).name(text, VIEW).text;
        assert_eq!(
            named("1100000031 users/1100000031/ __user_1100000031__"),
            "<owner.id> users/<owner.id>/ __user_<owner.id>__"
        );
        assert_eq!(named("11100000031 11000000312"), "11100000031 11000000312");
    }

    #[test]
    fn a_number_of_many_digits_is_named_where_it_is_an_identifier_as_a_whole() {
        let mut disclosed = BTreeSet::new();
        let others = [json!(11_000_000_311_i64), json!(3.1), json!(-1_100_000_031)];
        let document = json!({"at": 1_100_000_031, "others": others, "text": "1100000031"});
        let counted = counted("1100000031", Class::Symbol);
        let named = counted.name_json(&document, VIEW, &mut disclosed);
        let expected = json!({"at": "<owner.id>", "others": others, "text": "<owner.id>"});
        assert_eq!(named, expected);
        assert_eq!(disclosed, BTreeSet::from(["owner.id".to_owned()]));
    }

    #[test]
    fn a_secret_of_digits_is_hidden_inside_a_longer_number() {
        let named = counted("4711", Class::Secret).name("1471100", VIEW);
        assert_eq!(named.text, "1<owner.id>00");
    }

    fn named(secret: &str, text: &str) -> String {
        let mut registry = Registry::default();
        registry.add(secret, Owner::World, "owner", "key", Class::Secret);
        registry.build().unwrap().name(text, VIEW).text
    }

    #[test]
    fn a_secret_is_named_in_base64_whatever_stands_around_it() {
        let secret = "sk-7hG2kPq9/Zx+4";
        for before in ["", "a", "ab", "abc", "user:"] {
            for behind in ["", "x", "xy", ":realm"] {
                let text = format!("{before}{secret}{behind}");
                for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
                    let echo = format!("got 'Basic {}==', no", engine.encode(&text));
                    assert_eq!(
                        named(secret, &echo),
                        "got 'Basic <owner.key>', no",
                        "{text}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_secret_of_eight_characters_of_base64_is_long_enough() {
        let text = STANDARD_NO_PAD.encode("p4ss12");
        assert_eq!(named("p4ss12", &text), "<owner.key>");
        let text = STANDARD_NO_PAD.encode("p4ss1");
        assert_eq!(named("p4ss1", &text), text);
    }

    #[test]
    fn a_secret_is_named_as_it_stands_in_urls_in_json_and_in_bytes() {
        let secret = "p@ss/w\"rd";
        let forms = [
            "p%40ss%2Fw%22rd",
            "p%40ss%2fw%22rd",
            "p@ss/w\\\"rd",
            "70407373",
        ];
        let text = |form: &str| named(secret, &format!("<{form}>"));
        assert_eq!(
            forms[..3].iter().map(|form| text(form)).collect::<Vec<_>>(),
            ["<<owner.key>>"; 3]
        );
        assert_eq!(
            named(secret, &format!("\\x{}", hex::encode(secret))),
            "\\x<owner.key>"
        );
        // A part of a secret is not the secret.
        assert_eq!(text(forms[3]), "<70407373>");
    }

    #[test]
    fn a_number_is_an_identifier_only_where_one_stands() {
        let mut registry = Registry::default();
        registry.add("17", Owner::Cell(0), "target", "id", Class::Symbol);
        registry.add("3", Owner::World, "plan", "id", Class::Symbol);
        registry.add("7abc-secret", Owner::World, "plan", "key", Class::Secret);
        let namer = registry.build().unwrap();
        let text = |text: &str| namer.name(text, VIEW).text;
        assert_eq!(text("x 17abc-secret"), "x 1<plan.key>");
        assert_eq!(
            text("project 17 is not yours"),
            "project <target.id> is not yours"
        );
        assert_eq!(text("/projects/17?x=2017"), "/projects/<target.id>?x=2017");
        for other in ["at 17:00:03.17", "1.17", "a-17", "v17", "17th"] {
            assert!(!text(other).contains("target.id>."), "{other}");
        }
        assert_eq!(text("1.17 a-17 v17 17th 17.5"), "1.17 a-17 v17 17th 17.5");
        let mut disclosed = BTreeSet::new();
        let body = serde_json::json!({
            "id": 17, "count": 17, "planId": "3", "version": "3", "project_ids": [3, 4, 17],
        });
        let shown = namer.name_json(&body, VIEW, &mut disclosed);
        let expected = serde_json::json!({
            "id": "<target.id>", "count": 17, "planId": "<plan.id>", "version": "3",
            "project_ids": ["<plan.id>", 4, "<target.id>"],
        });
        assert_eq!(shown, expected);
        assert_eq!(
            disclosed.into_iter().collect::<Vec<_>>(),
            ["plan.id", "target.id"]
        );
        // No row is a cell's because of a number in it.
        assert_eq!(namer.cells_in("{\"id\": 17}"), BTreeSet::new());
        assert!(!namer.knows("{\"id\": 17}"));
    }

    #[test]
    fn credentials_are_hidden_and_identifiers_left_as_they_are() {
        let mut registry = Registry::default();
        registry.add("sk-7hG2kPq9", Owner::World, "owner", "key", Class::Secret);
        registry.add("north-east-9", Owner::World, "owner", "id", Class::Symbol);
        let namer = registry.build().unwrap();
        let twice = STANDARD_NO_PAD.encode("sk-7hG2kPq9:sk-7hG2kPq9:sk-7hG2kPq9");
        assert_eq!(
            namer.hide(&format!(
                "north-east-9 sk-7hG2kPq9sk-7hG2kPq9, Basic {twice} sk-7hG2"
            )),
            "north-east-9 <secret><secret>, Basic <secret> sk-7hG2"
        );
    }

    #[test]
    fn a_number_that_is_no_identifier_is_left_alone() {
        let number = json!({"at": 1_100_000_031});
        for (owner, class) in [(Owner::World, Class::Mask), (Owner::Run, Class::Symbol)] {
            let mut registry = Registry::default();
            registry.add("1100000031", owner, "owner", "id", class);
            let namer = registry.build().unwrap();
            assert_eq!(namer.name_json(&number, VIEW, &mut BTreeSet::new()), number);
        }
    }

    #[test]
    fn a_secret_is_hidden_where_a_number_is_no_identifier() {
        let mut registry = Registry::default();
        registry.add("4711", Owner::Cell(0), "target", "id", Class::Symbol);
        registry.add("4711", Owner::World, "owner", "pin", Class::Secret);
        let namer = registry.build().unwrap();
        let shown = namer.name_json(&json!({"count": 4711}), VIEW, &mut BTreeSet::new());
        assert_eq!(shown, json!({"count": "<owner.pin>"}));
    }

    #[test]
    fn of_several_names_the_cells_own_comes_first_and_another_cells_last() {
        let mut registry = Registry::default();
        for owner in [Owner::Cell(1), Owner::World, Owner::Cell(0)] {
            let entity = if owner == Owner::World {
                "plan"
            } else {
                "target"
            };
            registry.add("north-east-9", owner, entity, "id", Class::Symbol);
        }
        registry.add(
            "south-west-3",
            Owner::Cell(1),
            "target",
            "id",
            Class::Symbol,
        );
        let namer = registry.build().unwrap();
        let seen_by = |cell| {
            let view = View { cell, actor: "" };
            namer.name("north-east-9 south-west-3", view).text
        };
        assert_eq!(seen_by(0), "<target.id> <another cell.id>");
        assert_eq!(seen_by(1), "<target.id> <target.id>");
        assert_eq!(seen_by(2), "<plan.id> <another cell.id>");
    }

    /// What a run has: a token, a user of the world, and of one cell an identifier, a mask, one that holds the token and
    /// one that the world has as well.
    fn of_a_run() -> Namer {
        let mut registry = Registry {
            run: "r7q2".to_owned(),
            ..Registry::default()
        };
        registry.add("r7q2", Owner::Run, "", "run", Class::Mask);
        registry.add("north-east-9", Owner::World, "owner", "id", Class::Symbol);
        registry.add("shared-by-both", Owner::World, "plan", "id", Class::Symbol);
        for value in ["tag-of-cell", "tag-r7q2-0", "shared-by-both"] {
            registry.add(value, Owner::Cell(3), "target", "id", Class::Symbol);
        }
        registry.add(
            "a-mask-of-cell",
            Owner::Cell(3),
            "target",
            "note",
            Class::Mask,
        );
        registry.build().unwrap()
    }

    #[test]
    fn a_text_is_known_and_a_cells_by_what_identifies_it() {
        let namer = of_a_run();
        let of_cell = |text| {
            (
                namer.knows(text),
                namer.cells_in(text).into_iter().collect(),
            )
        };
        assert_eq!(of_cell("x tag-of-cell"), (true, vec![3]));
        assert_eq!(of_cell("x north-east-9"), (true, vec![]));
        assert_eq!(of_cell("x r7q2"), (true, vec![]));
        assert_eq!(of_cell("x a-mask-of-cell"), (false, vec![]));
        assert_eq!(of_cell("x"), (false, vec![]));
    }

    #[test]
    fn the_last_two_batches_are_known() {
        let (now, before, retired) = (
            of_a_run(),
            counted("11000000317", Class::Symbol),
            Retired::default(),
        );
        let known = Knowledge {
            now: &now,
            before: &before,
            retired: &retired,
        };
        assert_eq!(known.cells_in("tag-of-cell"), BTreeSet::from([3]));
        assert!(known.knows("tag-of-cell") && known.knows("11000000317"));
        assert!(!known.knows("x"));
    }

    #[test]
    fn of_a_cell_that_is_done_only_its_own_identifiers_are_remembered() {
        let mut retired = Retired::default();
        of_a_run().retire(&mut retired);
        let values = [
            "tag-of-cell",
            "tag-r7q2-0",
            "north-east-9",
            "shared-by-both",
            "a-mask-of-cell",
        ];
        assert_eq!(
            retired.found_in(values.into_iter()),
            [true, false, false, false, false]
        );
        let (mut registry, mut retired) = (Registry::default(), Retired::default());
        registry.add("tag-of-cell", Owner::Cell(0), "cell", "tag", Class::Symbol);
        registry.build().unwrap().retire(&mut retired);
        assert_eq!(retired.found_in(["tag-of-cell"].into_iter()), [true]);
    }

    #[test]
    fn a_registry_is_empty_until_it_has_a_value_of_any_kind() {
        let [none, mut some, mut common] = [(); 3].map(|()| Registry::default());
        assert!(none.is_empty());
        some.add_tag(0, "tag-of-0");
        common.add_tag(0, "7");
        assert!(!some.is_empty() && !common.is_empty());
        assert_eq!(
            [none, some, common].map(|registry| registry.len()),
            [0, 1, 0]
        );
    }

    #[test]
    fn what_is_no_secret_is_named_only_as_it_is() {
        let mut registry = Registry::default();
        registry.add("north-east-9", Owner::World, "owner", "id", Class::Symbol);
        let text = format!("{} 1north-east-92", STANDARD_NO_PAD.encode("north-east-9"));
        let named = registry.build().unwrap().name(&text, VIEW).text;
        assert_eq!(named, "bm9ydGgtZWFzdC05 1<owner.id>2");
    }

    #[test]
    fn only_an_entitys_identifiers_and_credentials_are_disclosed() {
        let mut registry = Registry::default();
        let classes = [
            ("id", Class::Symbol),
            ("key", Class::Secret),
            ("note", Class::Mask),
        ];
        for (field, class) in classes {
            registry.add(
                &format!("world-{field}"),
                Owner::World,
                "owner",
                field,
                class,
            );
            registry.add(&format!("run-{field}"), Owner::Run, "vars", field, class);
        }
        registry.add("17", Owner::World, "plan", "note", Class::Mask);
        let namer = registry.build().unwrap();
        let view = View {
            cell: 0,
            actor: "owner",
        };
        let shown = namer.name(
            "world-id world-key world-note run-id run-key run-note",
            view,
        );
        assert_eq!(
            shown.text,
            "<actor.id> <actor.key> <actor.note> <vars.id> <vars.key> <vars.note>"
        );
        let expected = ["actor.id", "actor.key"].map(str::to_owned);
        assert_eq!(shown.disclosed, BTreeSet::from(expected));
        let mut disclosed = BTreeSet::new();
        let common = namer.name_json(&json!({"id": 17}), view, &mut disclosed);
        assert_eq!(
            (common, disclosed),
            (json!({"id": "<plan.note>"}), BTreeSet::new())
        );
    }
}
