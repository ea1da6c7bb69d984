//! Labels: short names of what is long, which depend on the content alone.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

use crate::digest::sha256_hex;
use crate::observation::{Operation, RowChange};

/// The label of a row change: what happened to a row of which table, and a digest of the rest.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(try_from = "LabelText", into = "String")]
pub struct EffectLabel {
    operation: Operation,
    table: String,
    digest: String,
}

impl EffectLabel {
    /// The label of such a change, with the first digits of a digest.
    #[must_use]
    pub fn new(operation: Operation, table: &str, digest: &str) -> Self {
        Self {
            operation,
            table: table.to_owned(),
            digest: digest.to_owned(),
        }
    }

    /// What happened to the row.
    #[must_use]
    pub fn operation(&self) -> Operation {
        self.operation
    }

    /// The row's table.
    #[must_use]
    pub fn table(&self) -> &str {
        &self.table
    }

    /// What happened to which table, for a person.
    #[must_use]
    pub fn act(&self) -> String {
        format!("{} {}", self.operation.as_str(), self.table)
    }
}

impl fmt::Display for EffectLabel {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operation = self.operation.as_str();
        write!(out, "{operation} {} {}", self.table, self.digest)
    }
}

/// As in a file: the operations by their names.
impl Ord for EffectLabel {
    fn cmp(&self, other: &Self) -> Ordering {
        fn key(label: &EffectLabel) -> (&str, &str, &str) {
            (label.operation.as_str(), &label.table, &label.digest)
        }
        key(self).cmp(&key(other))
    }
}

impl PartialOrd for EffectLabel {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl From<EffectLabel> for String {
    fn from(label: EffectLabel) -> Self {
        label.to_string()
    }
}

/// A label in a file.
#[derive(Deserialize)]
struct LabelText(String);

/// Neither an operation nor a digest has a space in it, so that a table can have any.
impl TryFrom<LabelText> for EffectLabel {
    type Error = String;

    fn try_from(LabelText(text): LabelText) -> Result<Self, String> {
        let read = || {
            let (operation, rest) = text.split_once(' ')?;
            let (table, digest) = rest.rsplit_once(' ')?;
            let operation = Operation::ALL
                .into_iter()
                .find(|it| it.as_str() == operation)?;
            (!digest.is_empty()).then(|| Self::new(operation, table, digest))
        };
        read().ok_or_else(|| {
            format!("`{text}` is no effect: it takes an operation, a table and a digest")
        })
    }
}

impl JsonSchema for EffectLabel {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "EffectLabel".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        String::json_schema(generator)
    }
}

/// Enters a row change, of that operation on that table.
pub(super) fn enter_effect(
    effects: &mut BTreeMap<EffectLabel, RowChange>,
    (operation, table): (Operation, &str),
    change: RowChange,
) -> EffectLabel {
    let columns = change.columns.iter();
    let columns: Vec<(&str, String)> = columns
        .map(|(name, change)| (name.as_str(), change.to_string()))
        .collect();
    let content = format!("{}\n{columns:?}", change.row);
    let label = |digest: &str| EffectLabel::new(operation, table, digest);
    enter(effects, label, &content, change)
}

/// Enters the fields of a body.
pub(super) fn enter_shape(
    shapes: &mut BTreeMap<String, BTreeSet<String>>,
    fields: BTreeSet<String>,
) -> String {
    let content: Vec<&str> = fields.iter().map(String::as_str).collect();
    let content = content.join("\n");
    enter(shapes, |digest| format!("body {digest}"), &content, fields)
}

/// Enters what a refusal tells besides its gate.
pub(super) fn enter_also(
    also: &mut BTreeMap<String, BTreeMap<String, String>>,
    fields: BTreeMap<String, String>,
) -> String {
    let content = format!("{fields:?}");
    enter(also, |digest| format!("more {digest}"), &content, fields)
}

/// Enters a value into a legend under what `label` makes of a digest of its content, and gives the label. Four digits do,
/// but for two contents that share them: then the later one has more.
pub(super) fn enter<L: Ord + Clone, T: PartialEq>(
    legend: &mut BTreeMap<L, T>,
    label: impl Fn(&str) -> L,
    content: &str,
    value: T,
) -> L {
    let digest = sha256_hex(content);
    let mut labels = (DIGITS..digest.len()).map(|digits| label(&first(&digest, digits)));
    let is_free = |label: &L| legend.get(label).is_none_or(|taken| *taken == value);
    let label = labels.find(is_free).unwrap_or_else(|| label(&digest));
    legend.insert(label.clone(), value);
    label
}

/// How many digits of a digest make a label.
const DIGITS: usize = 4;

fn first(digest: &str, digits: usize) -> String {
    digest.chars().take(digits).collect()
}

/// A digest of a gate's wording.
fn digest(content: &str) -> String {
    first(&sha256_hex(content), DIGITS)
}

/// How many words and characters of a gate's wording make its label.
const LABEL_WORDS: usize = 9;
const LABEL_LENGTH: usize = 56;

/// A readable label for each wording; wordings that begin alike are told apart by a digest.
pub(super) fn gate_labels<'a>(texts: impl Iterator<Item = &'a str>) -> BTreeMap<String, String> {
    let texts: BTreeSet<&str> = texts.collect();
    let mut by_label: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for text in texts {
        by_label.entry(slug(text)).or_default().push(text);
    }
    let label = |(slug, texts): (String, Vec<&str>)| {
        let alone = texts.len() == 1;
        let label = move |text: &str| {
            if alone {
                slug.clone()
            } else {
                format!("{slug} {}", digest(text))
            }
        };
        texts
            .into_iter()
            .map(|text| (text.to_owned(), label(text)))
            .collect::<Vec<_>>()
    };
    by_label.into_iter().flat_map(label).collect()
}

/// The first words of a gate's message, without symbols and punctuation.
fn slug(text: &str) -> String {
    let message = text.split_once(": ").map_or(text, |(_, message)| message);
    let spoken = message
        .split('<')
        .map(|part| part.split_once('>').map_or(part, |(_, after)| after))
        .collect::<String>();
    let lower = spoken.to_ascii_lowercase().replace('\'', "");
    let words = lower
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty());
    let mut slug = String::new();
    for word in words.take(LABEL_WORDS) {
        if slug.len() + word.len() + 1 > LABEL_LENGTH {
            break;
        }
        if !slug.is_empty() {
            slug.push('-');
        }
        slug.push_str(word);
    }
    if slug.is_empty() {
        "refused".to_owned()
    } else {
        slug
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gates_that_begin_alike_get_labels_of_their_own() {
        let labels = gate_labels(["e: not allowed for A", "e: not allowed for A!"].into_iter());
        let labels: BTreeSet<_> = labels.into_values().collect();
        assert_eq!(labels.len(), 2);
    }

    #[test]
    fn contents_that_share_a_digests_first_digits_keep_labels_of_their_own() {
        let mut legend = BTreeMap::new();
        let label = |digest: &str| format!("body {digest}");
        let taken = enter(&mut legend, label, "a", 1);
        assert_eq!(enter(&mut legend, label, "a", 1), taken);
        let other = enter(&mut legend, label, "a", 2);
        assert!(
            other.starts_with(&taken) && other.len() == taken.len() + 1,
            "{other}"
        );
    }

    #[test]
    fn a_label_is_the_first_words_without_symbols_and_punctuation() {
        assert_eq!(
            slug("auth_error: {'error': 'Not for <user_id>, sorry'}"),
            "error-not-for-sorry"
        );
        assert_eq!(slug("<actor.key>"), "refused");
    }
}
