//! Names in place of values.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::ops::Range;

use authz_pin_suite::world::Class;
use serde_json::Value as Json;

use super::decode::{self, Decoded, Encoded};
use super::finder::LONG;
use super::places::Place;
use super::{Known, Named, Owner, Piece, Registry, Retired, Symbol, View, Whose, common};

/// How often a text is decoded: a token within another one has JSON in it.
const DEPTH: usize = 3;

/// A shorter secret can be in what was decoded by chance.
const SHORTEST_SECRET: usize = 6;

/// Fewer characters of a value are at the ends of others by chance.
const SHORTEST_MASK: usize = 4;

/// Replaces values by names.
pub struct Namer {
    /// Which values are only found as whole numbers, by their number.
    is_number: Vec<bool>,
    registry: Registry,
}

/// A known value that stands in a text.
#[derive(Clone)]
struct Hit<'n> {
    /// All that stands for it.
    range: Range<usize>,
    /// What the value is.
    symbols: &'n [Symbol],
    /// Whether the value could stand anywhere by chance.
    is_common: bool,
    /// Whether other values can be encoded in the same characters.
    is_of_run: bool,
}

impl Hit<'_> {
    fn is_secret(&self) -> bool {
        self.symbols.iter().any(Symbol::is_secret)
    }

    /// Whether it says nothing beside others.
    fn is_mask(&self) -> bool {
        let mut symbols = self.symbols.iter();
        symbols.all(|symbol| symbol.class == Class::Mask)
    }

    /// Whether it stands within what was decoded of a run of characters by more than chance, whatever is around it.
    fn is_meant(&self) -> bool {
        let length = self.range.len();
        !self.is_common && (length >= LONG || self.is_secret() && length >= SHORTEST_SECRET)
    }
}

/// Which values are looked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    /// Those that stand nowhere by chance.
    Own,
    /// Words that stand alone too.
    Common,
}

/// How a text is read.
#[derive(Clone, Copy)]
struct Reading<'r> {
    wanted: Wanted,
    /// How often it is decoded yet.
    depth: usize,
    /// The text itself, where it was decoded of another one.
    origin: Option<&'r Decoded>,
}

impl Reading<'_> {
    fn of(wanted: Wanted) -> Self {
        Self {
            wanted,
            depth: DEPTH,
            origin: None,
        }
    }
}

impl Registry {
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
}

impl Namer {
    /// Names every known value in `text`. Where several are encoded together, their names stand together.
    #[must_use]
    pub fn name(&self, text: &str, view: View<'_>) -> Named {
        self.name_wanted(text, view, Wanted::Common)
    }

    fn name_wanted(&self, text: &str, view: View<'_>, wanted: Wanted) -> Named {
        let mut named = Named::default();
        self.each_part(text, wanted, |part| match part {
            Part::Text(text) => named.text.push_str(text),
            Part::Values(hits) => {
                let is_alone = hits.len() == 1 || hits.iter().all(Hit::is_mask);
                let meant = hits.iter().filter(|hit| is_alone || !hit.is_mask());
                let symbols = meant.filter_map(|hit| first(hit.symbols, view));
                let told = symbols.map(|symbol| symbol.told(view, &mut named.disclosed));
                for name in told.collect::<BTreeSet<_>>() {
                    let _ = write!(named.text, "<{name}>");
                }
            }
        });
        named
    }

    /// Names the credentials in `text`, and leaves identifiers as they are.
    #[must_use]
    pub fn hide(&self, text: &str) -> String {
        let mut hidden = String::new();
        self.each_part(text, Wanted::Common, |part| match part {
            Part::Text(text) => hidden.push_str(text),
            Part::Values(hits) if hits.iter().any(Hit::is_secret) => hidden.push_str("<secret>"),
            Part::Values(hits) => {
                let range = hits.first().map(|hit| hit.range.clone());
                hidden.push_str(range.and_then(|range| text.get(range)).unwrap_or_default());
            }
        });
        hidden
    }

    /// A text as what stands in it literally and the known values between, by their names. Of values that are encoded
    /// together it has one: a credential, if one is among them.
    #[must_use]
    pub fn pieces<'t>(&self, text: &'t str, view: View<'_>) -> Vec<Piece<'t>> {
        self.pieces_of(text, view, Wanted::Common)
    }

    /// The same of what stands under a key: what could stand anywhere by chance is an identifier only where the key says so.
    pub(crate) fn pieces_under<'t>(
        &self,
        key: &str,
        text: &'t str,
        view: View<'_>,
    ) -> Vec<Piece<'t>> {
        let registry = &self.registry;
        let is_identifier =
            !registry.common.is_empty() && registry.places.has(Place::ROOT.member(key));
        let wanted = if is_identifier {
            Wanted::Common
        } else {
            Wanted::Own
        };
        self.pieces_of(text, view, wanted)
    }

    fn pieces_of<'t>(&self, text: &'t str, view: View<'_>, wanted: Wanted) -> Vec<Piece<'t>> {
        let mut pieces = Vec::new();
        self.each_part(text, wanted, |part| match part {
            Part::Text(text) => pieces.push(Piece::Text(text)),
            Part::Values(hits) => {
                let hit = hits.iter().find(|hit| hit.is_secret()).or(hits.first());
                let symbol = hit.and_then(|hit| first(hit.symbols, view));
                pieces.extend(symbol.map(|symbol| Piece::Symbol {
                    name: symbol.name(view),
                    discloses: symbol.discloses(),
                }));
            }
        });
        pieces
    }

    fn each_part<'t>(&self, text: &'t str, wanted: Wanted, mut take: impl FnMut(Part<'t, '_, '_>)) {
        let hits = self.hits(text, Reading::of(wanted));
        let mut rest = 0;
        let literal = |range| text.get(range).filter(|text: &&str| !text.is_empty());
        for together in hits.chunk_by(|one, other| one.range == other.range) {
            let Some(Hit { range, .. }) = together.first() else {
                continue;
            };
            literal(rest..range.start).map(Part::Text).map(&mut take);
            take(Part::Values(together));
            rest = range.end;
        }
        literal(rest..text.len()).map(Part::Text).map(take);
    }

    /// Where known values stand in `text`, the leftmost and longest, in their order.
    fn hits(&self, text: &str, how: Reading<'_>) -> Vec<Hit<'_>> {
        let mut hits = self.direct(text);
        let encoded = if how.depth > 0 {
            decode::decoded(text, how.origin)
        } else {
            Encoded::default()
        };
        for decoded in &encoded.parts {
            self.add_decoded(decoded, text, how, &mut hits);
        }
        // What is decoded has the words as well, and no number of an escape.
        if how.wanted == Wanted::Common && !encoded.has_escapes {
            hits.extend(self.words(text));
        }
        if hits.len() > 1 && arrange(&mut hits) {
            self.add_between(text, how, &mut hits);
        }
        hits
    }

    /// Adds the values between those that were found: one that overlaps another can have hidden them.
    fn add_between<'n>(&'n self, text: &str, how: Reading<'_>, hits: &mut Vec<Hit<'n>>) {
        let how = Reading {
            origin: None,
            ..how
        };
        let mut between = Vec::new();
        let mut rest = 0;
        let end = text.len()..text.len();
        for range in hits.iter().map(|hit| hit.range.clone()).chain([end]) {
            let gap = text.get(rest..range.start).unwrap_or_default();
            let found = self.hits(gap, how).into_iter();
            between.extend(found.map(|hit| Hit {
                range: rest + hit.range.start..rest + hit.range.end,
                ..hit
            }));
            rest = range.end;
        }
        hits.extend(between);
        hits.sort_by_key(|hit| hit.range.start);
    }

    /// Values as they are.
    fn direct(&self, text: &str) -> Vec<Hit<'_>> {
        let is_number = |value: usize| self.is_number.get(value).copied().unwrap_or(false);
        let found = self.registry.values.find(text, is_number);
        let hits = found.map(|found| {
            let symbols = self.registry.symbols.get(found.value);
            let symbols = symbols.map_or(&[][..], |symbols| symbols.as_slice());
            let is_of_run = symbols.iter().all(|symbol| symbol.is_base64);
            let range = if is_of_run {
                decode::whole(text, found.range)
            } else {
                found.range
            };
            Hit {
                range,
                symbols,
                is_common: false,
                is_of_run,
            }
        });
        hits.collect()
    }

    /// Words that are identifiers where they stand alone.
    fn words(&self, text: &str) -> impl Iterator<Item = Hit<'_>> {
        let common = &self.registry.common;
        let words = (!common.is_empty()).then(|| common::words(text));
        words.into_iter().flatten().filter_map(|range| {
            let symbols = common.get(text.get(range.clone())?)?;
            Some(Hit {
                range,
                symbols,
                is_common: true,
                is_of_run: false,
            })
        })
    }

    /// Adds the values in a decoded part of `text`.
    fn add_decoded<'n>(
        &'n self,
        decoded: &Decoded,
        text: &str,
        how: Reading<'_>,
        hits: &mut Vec<Hit<'n>>,
    ) {
        let is_of_run = decoded.is_of_run();
        let wants_common = how.wanted == Wanted::Common && !self.registry.common.is_empty();
        let mut found = self.hits(
            &decoded.text,
            Reading {
                depth: how.depth - 1,
                origin: Some(decoded),
                ..how
            },
        );
        if found.is_empty() && !wants_common {
            return;
        }
        let json = decoded.json();
        let is_meant = |hit: &Hit<'_>| {
            let is_in_json = json.is_some() && !hit.is_common;
            let is_typed = || common::is_typed(&decoded.text, &hit.range);
            !is_of_run || is_in_json || hit.is_meant() || is_typed()
        };
        found.retain(is_meant);
        if let Some(json) = json.filter(|_| wants_common) {
            let mut symbols = Vec::new();
            self.common_in(&json, Place::ROOT, &mut symbols);
            found.extend(symbols.into_iter().map(|symbols| Hit {
                range: 0..decoded.text.len(),
                symbols,
                is_common: true,
                is_of_run,
            }));
        }
        hits.extend(found.into_iter().map(|hit| Hit {
            range: decoded.place(text, &hit.range),
            is_of_run: is_of_run || hit.is_of_run,
            ..hit
        }));
    }

    /// The values of a document that could stand anywhere by chance, and are where an identifier is.
    fn common_in<'n>(&'n self, json: &Json, place: Place<'_>, found: &mut Vec<&'n [Symbol]>) {
        match json {
            Json::Array(items) => items
                .iter()
                .for_each(|item| self.common_in(item, place.item(), found)),
            Json::Object(map) => map
                .iter()
                .for_each(|(key, value)| self.common_in(value, place.member(key), found)),
            other => found.extend(self.common(other, place)),
        }
    }

    /// What a number is, or a text that could stand anywhere by chance, if an identifier stands there.
    fn common(&self, json: &Json, place: Place<'_>) -> Option<&[Symbol]> {
        let symbols = self.registry.common.get(&*common::text_of(json)?)?;
        let is_identifier = self.registry.places.has(place);
        is_identifier.then_some(symbols.as_slice())
    }

    /// When the run began, in microseconds since 1970.
    pub(crate) fn began(&self) -> i64 {
        self.registry.began
    }

    /// Names every known value in the texts and keys of `json`, and collects what it discloses. A number is left alone,
    /// unless it holds a secret or is an identifier as a whole: a piece of it would be one by chance.
    pub fn name_json(&self, json: &Json, view: View<'_>, disclosed: &mut BTreeSet<String>) -> Json {
        self.name_at(Place::ROOT, json, view, disclosed)
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
        self.name_at(Place::ROOT.member(key), json, view, disclosed)
    }

    /// The same for the value of a column that holds a key: an identifier, whatever the column is called.
    pub(crate) fn name_key(
        &self,
        json: &Json,
        view: View<'_>,
        disclosed: &mut BTreeSet<String>,
    ) -> Json {
        if !self.is_common(json) {
            return self.name_at(Place::ROOT, json, view, disclosed);
        }
        let symbols = common::text_of(json).and_then(|text| self.registry.common.get(&*text));
        match symbols.and_then(|symbols| first(symbols, view)) {
            Some(symbol) => Json::String(format!("<{}>", symbol.told(view, disclosed))),
            None => json.clone(),
        }
    }

    fn name_at(
        &self,
        place: Place<'_>,
        json: &Json,
        view: View<'_>,
        disclosed: &mut BTreeSet<String>,
    ) -> Json {
        if self.is_common(json) {
            let symbols = self.common(json, place);
            return match symbols.and_then(|symbols| first(symbols, view)) {
                Some(symbol) => Json::String(format!("<{}>", symbol.told(view, disclosed))),
                None => json.clone(),
            };
        }
        let mut text = |text: &str| {
            let named = self.name(text, view);
            disclosed.extend(named.disclosed);
            named.text
        };
        match json {
            Json::String(value) => Json::String(match self.document(value) {
                Some(inner) => self.name_document(value, &inner, (view, disclosed)),
                None => text(value),
            }),
            Json::Array(items) => items
                .iter()
                .map(|item| self.name_at(place.item(), item, view, disclosed))
                .collect(),
            Json::Object(map) => {
                let entries = map
                    .iter()
                    .map(|(key, value)| (text(key), key, value))
                    .collect::<Vec<_>>();
                let named = entries.into_iter().map(|(name, key, value)| {
                    (
                        name,
                        self.name_at(place.member(key), value, view, disclosed),
                    )
                });
                named.collect()
            }
            Json::Number(number) if self.is_known_number(&number.to_string()) => {
                Json::String(text(&number.to_string()))
            }
            other => other.clone(),
        }
    }

    /// The document that a text is, where that is an object or a list, and there are values that could stand anywhere by chance.
    fn document(&self, text: &str) -> Option<Json> {
        let is_one = text.trim_start().starts_with(['{', '[']) && !self.registry.common.is_empty();
        is_one.then(|| serde_json::from_str(text).ok())?
    }

    /// Names what is in a text that is a document itself. A number in it is an identifier where its place says so, too.
    fn name_document(
        &self,
        text: &str,
        inner: &Json,
        (view, disclosed): (View<'_>, &mut BTreeSet<String>),
    ) -> String {
        let mut common = Vec::new();
        self.common_in(inner, Place::ROOT, &mut common);
        if !common.is_empty() {
            return self.name_json(inner, view, disclosed).to_string();
        }
        let named = self.name_wanted(text, view, Wanted::Own);
        disclosed.extend(named.disclosed);
        named.text
    }

    /// Whether it is a value that could stand anywhere by chance, and no secret.
    fn is_common(&self, json: &Json) -> bool {
        let common = &self.registry.common;
        !common.is_empty()
            && common::text_of(json)
                .is_some_and(|value| common.contains_key(&*value) && !self.has_secret(&value))
    }

    fn has_secret(&self, text: &str) -> bool {
        self.direct(text).iter().any(Hit::is_secret)
    }

    fn is_known_number(&self, text: &str) -> bool {
        self.direct(text).iter().any(|hit| {
            let is_whole = hit.range.len() == text.len();
            hit.is_secret() || is_whole && hit.symbols.iter().any(Symbol::is_identifier)
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

    /// The cells whose own symbols occur in `text`.
    #[must_use]
    pub fn cells_in(&self, text: &str) -> BTreeSet<usize> {
        self.whose(text).cells
    }

    /// Whether `text` has any value of this run.
    #[must_use]
    pub fn knows(&self, text: &str) -> bool {
        self.whose(text).is_of_run
    }

    /// Whose values `text` has.
    pub(super) fn whose(&self, text: &str) -> Whose {
        let hits = self.hits(text, Reading::of(Wanted::Own));
        let mut whose = Whose::default();
        for symbol in hits.iter().flat_map(|hit| hit.symbols) {
            let is_mask = symbol.class == Class::Mask;
            let cell = symbol.owner.cell().filter(|_| !is_mask);
            whose.cells.extend(cell);
            whose.is_of_run |= !is_mask || &*symbol.field == "run";
        }
        whose
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
}

/// A part of a text: what no value explains, or values that stand there, of which there are several where they are encoded
/// together.
enum Part<'t, 'h, 'n> {
    Text(&'t str),
    Values(&'h [Hit<'n>]),
}

/// Leaves of those that overlap the leftmost and longest one; what is encoded together stays together. A secret is never left out
/// for what is none: it joins that one, which then reaches as far. Says whether one that is left out goes on behind another.
fn arrange(hits: &mut Vec<Hit<'_>>) -> bool {
    let order = |hit: &Hit<'_>| (hit.range.start, Reverse(hit.range.end), hit.is_of_run);
    hits.sort_by_key(order);
    let mut kept: Vec<Hit<'_>> = Vec::with_capacity(hits.len());
    let mut goes_on = false;
    for mut hit in hits.drain(..) {
        let last = kept.last().map_or(0..0, |last| last.range.clone());
        let is_of_run = kept.last().is_some_and(|last| last.is_of_run);
        let is_together = hit.is_of_run && is_of_run && hit.range == last;
        if hit.range.start >= last.end || is_together {
            kept.push(hit);
            continue;
        }
        let together = || kept.iter().rev().take_while(|one| one.range == last);
        if hit.is_secret() && !together().any(Hit::is_secret) {
            let (from, end) = (kept.len() - together().count(), last.end.max(hit.range.end));
            hit.range = last.start..end;
            kept.push(hit);
            kept.iter_mut()
                .skip(from)
                .for_each(|one| one.range.end = end);
        } else {
            goes_on |= hit.range.end > last.end;
        }
    }
    *hits = kept;
    goes_on
}

/// One value can have several names: the cell's own come first, then the world's, then other cells'.
fn first<'s>(symbols: &'s [Symbol], view: View<'_>) -> Option<&'s Symbol> {
    symbols
        .iter()
        .min_by_key(|symbol| match symbol.owner.cell() {
            Some(cell) if cell == view.cell => 0,
            None => 1,
            Some(_) => 2,
        })
}
