//! The number of the record's format, which stands before all else, and what becomes of a record of another one.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Record;
use crate::findings::Kind;
use crate::yaml;

/// The format that this version reads and writes.
pub const FORMAT: u64 = 2;

/// The key of the number.
const KEY: &str = "format";

/// That a record has the format of this version: there are no others in memory.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Format;

impl Serialize for Format {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(FORMAT)
    }
}

impl<'de> Deserialize<'de> for Format {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u64::deserialize(deserializer)? {
            FORMAT => Ok(Self),
            other => Err(D::Error::custom(format!(
                "the format {other} is not {FORMAT}"
            ))),
        }
    }
}

impl JsonSchema for Format {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Format".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "const": FORMAT })
    }
}

/// Why a text is not read as a record.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It is a record of before there was a number.
    #[error("the record has format 1, and this authz-pin reads format {FORMAT}")]
    Older,
    /// It is a record of a later version.
    #[error("the record has format {0}, and this authz-pin reads format {FORMAT}")]
    Newer(u64),
    /// It has a finding of a kind that another version may know.
    #[error("this authz-pin knows no kind of finding `{0}`")]
    Kind(String),
    /// It is no record.
    #[error(transparent)]
    Yaml(#[from] yaml::Error),
}

impl ReadError {
    /// Whether another version of the tool may read it.
    #[must_use]
    pub fn is_of_another_version(&self) -> bool {
        !matches!(self, Self::Yaml(_))
    }
}

impl Record {
    /// Reads a record. The number of its format is looked at first.
    pub fn parse(text: &str) -> Result<Self, ReadError> {
        admit(text)?;
        yaml::from_str(text).map_err(|error| unknown_kind(text).unwrap_or(ReadError::Yaml(error)))
    }
}

/// Whether a text has the format of this version, as far as that can be told without reading all of it.
pub fn admit(text: &str) -> Result<(), ReadError> {
    match number(text) {
        Some(FORMAT) => Ok(()),
        Some(number) if number > FORMAT => Err(ReadError::Newer(number)),
        Some(_) => Err(ReadError::Older),
        None if is_unnumbered(text) => Err(ReadError::Older),
        // What is wrong with it, the parser says.
        None => Ok(()),
    }
}

/// The number, which is a line of its own wherever it stands: somebody may have sorted the keys.
fn number(text: &str) -> Option<u64> {
    let mut numbers = text.lines().filter_map(|line| value(line, KEY));
    numbers.next()?.parse().ok()
}

/// Whether it has the keys of a record, and no number.
fn is_unnumbered(text: &str) -> bool {
    let has = |key: &str| text.lines().any(|line| value(line, key).is_some());
    has("endpoint") && has("cells") && !has(KEY)
}

fn value<'t>(line: &'t str, key: &str) -> Option<&'t str> {
    let value = line.strip_prefix(key)?.strip_prefix(':')?;
    (value.is_empty() || value.starts_with(' ')).then(|| value.trim())
}

/// The kind that keeps a text from being a record, if it is that.
fn unknown_kind(text: &str) -> Option<ReadError> {
    #[derive(Deserialize)]
    struct Kinds {
        findings: Vec<OfKind>,
    }
    #[derive(Deserialize)]
    struct OfKind {
        kind: String,
    }
    let kinds: Kinds = yaml::from_str(text).ok()?;
    let kinds = kinds.findings.into_iter().map(|finding| finding.kind);
    let mut unknown = kinds.filter(|kind| Kind::named(kind).is_none());
    unknown.next().map(ReadError::Kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> ReadError {
        Record::parse(text).unwrap_err()
    }

    #[test]
    fn the_number_is_looked_at_before_anything_else() {
        assert!(matches!(
            error("endpoint: GET /\ncells: {}\n"),
            ReadError::Older
        ));
        let newer = "format: 3\nendpoint: GET /\nwhat: nobody knows\n";
        assert!(matches!(error(newer), ReadError::Newer(3)));
        let sorted = "endpoint: GET /\nformat: 3\n";
        assert!(matches!(error(sorted), ReadError::Newer(3)));
        assert!(Record::parse("endpoint: GET /\nformat: 2\n").is_ok());
    }

    #[test]
    fn what_is_no_record_is_not_an_older_one() {
        for text in ["", "no record", "a: 1\n", "format: two\nendpoint: GET /\n"] {
            assert!(!error(text).is_of_another_version(), "{text}");
        }
    }

    #[test]
    fn a_kind_that_is_not_known_is_named() {
        let text = "format: 2\nendpoint: GET /\nfindings:\n- {kind: too-kind, detail: x}\n";
        assert_eq!(
            error(text).to_string(),
            "this authz-pin knows no kind of finding `too-kind`"
        );
    }
}
