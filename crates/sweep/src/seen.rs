//! What a run saw of its service, and what it did not: silence about the rest is a claim.

use std::collections::{BTreeMap, BTreeSet};

use authz_pin_record::record::Record;
use authz_pin_record::text::counted;
use authz_pin_suite::diagnostic::list;
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Serialize;

use crate::http::{Answer, Body, Form};

/// What a run saw.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Seen {
    /// How many answers to the calls had a body of which kind: `JSON`, `nothing`, or the media type, also ` as bytes` or ` as a text`.
    pub bodies: BTreeMap<String, usize>,
    /// How many of them were compared as a whole, since no fields of them could be read.
    #[serde(skip)]
    unread: BTreeMap<Unread, usize>,
    /// How many tables were watched; none where no database was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tables: Option<usize>,
    /// Whether tables were compared, so that what a call made and took back was not seen.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub compared: bool,
    /// How many cells have effects that were not observed.
    pub not_observed: usize,
    /// The tables whose changes were not observed, though those of others were.
    pub unobserved: BTreeSet<String>,
    /// The endpoints of which no call was allowed, so that nothing is known of what one does.
    pub never_allowed: Vec<String>,
    /// How many cells are in no record, since what they were answered says nothing.
    pub left_out: usize,
    /// The actors of whom no call shows whether their credential works.
    pub unproven: Vec<String>,
}

impl Seen {
    /// Counts an answer.
    pub(crate) fn answer(&mut self, answer: &Answer) {
        let unread = Unread::of(answer);
        let kind = unread
            .as_ref()
            .map_or_else(|| kind_of(answer), ToString::to_string);
        *self.bodies.entry(kind).or_default() += 1;
        if let Some(unread) = unread {
            *self.unread.entry(unread).or_default() += 1;
        }
    }

    /// Counts what the records do not show.
    pub(crate) fn count_gaps(&mut self, records: &IndexMap<String, Record>) {
        self.not_observed = records.values().map(Record::not_observed).sum();
        let unobserved = records.values().flat_map(|record| &record.unobserved);
        self.unobserved = unobserved.cloned().collect();
        let is_allowed = |record: &Record| record.iter().any(|(_, _, cell)| cell.is_let_through());
        let never = records.iter().filter(|(_, record)| !is_allowed(record));
        self.never_allowed = never.map(|(name, _)| name.clone()).collect();
    }

    /// Whether all effects of all cells were observed.
    #[must_use]
    pub fn has_all_effects(&self) -> bool {
        self.not_observed == 0 && self.unobserved.is_empty()
    }

    /// What was not seen, each in words.
    fn gaps(&self) -> Vec<String> {
        let cells = |count: usize| (count > 0).then(|| counted(count, "cell"));
        let effects = cells(self.not_observed).map(|cells| format!("effects of {cells}"));
        let tables = named(&self.unobserved).map(|tables| format!("changes in {tables}"));
        let left_out = cells(self.left_out).map(|cells| format!("{cells} that are left out"));
        let never = named(&self.never_allowed);
        let never = never.map(|names| format!("what an allowed call does of {names}"));
        let unproven = named(&self.unproven);
        let unproven = unproven.map(|names| format!("whether the credentials of {names} work"));
        let fleeting = "what calls made and took back, since the tables were compared";
        let fleeting = self.compared.then(|| fleeting.to_owned());
        let gaps = [effects, tables, fleeting, left_out, never, unproven];
        let unread = self.unread.iter().map(|(unread, count)| unread.gap(*count));
        gaps.into_iter().flatten().chain(unread).collect()
    }

    /// What was seen and what was not, a line each for a person.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let all: usize = self.bodies.values().sum();
        let kinds = self.bodies.iter();
        let kinds: Vec<String> = kinds
            .map(|(kind, count)| format!("{count} {kind}"))
            .collect();
        let kinds = if kinds.is_empty() {
            String::new()
        } else {
            format!(" ({})", kinds.join(", "))
        };
        let tables = self
            .tables
            .map(|tables| format!("changes in {}", counted(tables, "table")));
        let tables = tables.unwrap_or_else(|| "no database".to_owned());
        let mut lines = vec![format!("seen: {}{kinds}, {tables}", counted(all, "answer"))];
        let gaps = self.gaps();
        if !gaps.is_empty() {
            lines.push(format!("not seen: {}", gaps.join("; ")));
        }
        lines
    }
}

fn named<'n>(names: impl IntoIterator<Item = &'n String>) -> Option<String> {
    let names = list(names.into_iter().map(String::as_str));
    (!names.is_empty()).then_some(names)
}

/// A body that is compared as a whole, by its media type.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Unread {
    /// It is no text.
    Bytes(String),
    /// It is not what its media type says, so it is a text.
    Malformed(String),
}

impl Unread {
    fn of(answer: &Answer) -> Option<Self> {
        let known = || media_type(answer);
        match &answer.body {
            Body::Document(document) if document.form == Form::Bytes => Some(Self::Bytes(
                known().unwrap_or_else(|| "no media type".to_owned()),
            )),
            Body::Text(_) if answer.is_malformed() => {
                Some(Self::Malformed(known().unwrap_or_default()))
            }
            _ => None,
        }
    }

    /// That so many were not read, in words.
    fn gap(&self, count: usize) -> String {
        match self {
            Self::Bytes(_) => format!("what is in {count} {self}"),
            Self::Malformed(media_type) => {
                format!("the fields of {count} {media_type} (malformed, so read as a text)")
            }
        }
    }
}

impl std::fmt::Display for Unread {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bytes(media_type) => write!(out, "{media_type} as bytes"),
            Self::Malformed(media_type) => write!(out, "{media_type} as a text"),
        }
    }
}

/// The kind of a body that is read, of which no part but the media type is shown.
fn kind_of(answer: &Answer) -> String {
    match &answer.body {
        Body::Json(_) => "JSON".to_owned(),
        Body::Text(text) if text.is_empty() => "nothing".to_owned(),
        Body::Document(_) | Body::Text(_) => {
            media_type(answer).unwrap_or_else(|| "text without a media type".to_owned())
        }
    }
}

/// The media type, where it has the form of one (RFC 9110, section 8.3.1).
fn media_type(answer: &Answer) -> Option<String> {
    let value = answer.media_type();
    let is_token =
        |part: &str| !part.is_empty() && part.len() < LONGEST && part.chars().all(is_token_char);
    let (kind, form) = value.split_once('/')?;
    (is_token(kind) && is_token(form)).then_some(value)
}

fn is_token_char(char: char) -> bool {
    char.is_ascii_alphanumeric() || matches!(char, '+' | '-' | '.')
}

/// The longest part of a media type that is shown, in characters.
const LONGEST: usize = 64;
