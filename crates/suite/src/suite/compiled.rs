//! Texts of a suite that are compiled when it is read: JSON paths, regular expressions and patterns of names.
//!
//! A text that does not compile is a mistake of the suite, at its place in the file; nothing is compiled again later.

use std::borrow::Borrow;

use globset::GlobMatcher;
use serde::Deserialize;
use serde_json::Value as Json;

use crate::diagnostic::quoted;

/// How many brackets a JSON path may have: its parser recurses, and tries again what is in brackets.
const MAX_BRACKETS: usize = 16;

/// A text of a suite that does not compile.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct CompileError {
    pub(super) message: String,
    /// What to write instead.
    pub(crate) help: Option<&'static str>,
}

impl CompileError {
    pub(super) fn of_regex(text: &str, error: &regex::Error) -> Self {
        let reason = error.to_string();
        let reason = reason.lines().last().unwrap_or_default().trim();
        Self {
            message: format!("{} is not a regular expression: {reason}", quoted(text)),
            help: None,
        }
    }
}

/// A JSON path (RFC 9535).
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct JsonPath {
    text: String,
    path: serde_json_path::JsonPath,
}

impl JsonPath {
    /// Every value there.
    pub fn values_in<'j>(&self, body: &'j Json) -> impl Iterator<Item = &'j Json> {
        self.path.query(body).all().into_iter()
    }

    /// The first value there.
    #[must_use]
    pub fn value_in<'j>(&self, body: &'j Json) -> Option<&'j Json> {
        self.path.query(body).first()
    }

    /// Every value there, with its place as a JSON pointer.
    #[must_use]
    pub fn all_in<'j>(&self, body: &'j Json) -> Vec<(String, &'j Json)> {
        let found = self.path.query_located(body);
        let found = found.into_iter();
        found
            .map(|node| (node.location().to_json_pointer(), node.node()))
            .collect()
    }

    /// Puts another value in place of every one there.
    pub fn replace_in(&self, body: &mut Json, with: &Json) {
        let places: Vec<String> = self
            .all_in(body)
            .into_iter()
            .map(|(place, _)| place)
            .collect();
        for place in places {
            if let Some(value) = body.pointer_mut(&place) {
                value.clone_from(with);
            }
        }
    }

    /// The first value there, as a text; null is none.
    #[must_use]
    pub fn text_in(&self, body: &Json) -> Option<String> {
        match self.value_in(body)? {
            Json::Null => None,
            Json::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        }
    }
}

impl TryFrom<String> for JsonPath {
    type Error = CompileError;

    fn try_from(text: String) -> Result<Self, CompileError> {
        if text.matches(['(', '[', '!']).count() > MAX_BRACKETS {
            return Err(CompileError {
                message: format!("{} has more than {MAX_BRACKETS} brackets", quoted(&text)),
                help: None,
            });
        }
        match serde_json_path::JsonPath::parse(&text) {
            Ok(path) => Ok(Self { text, path }),
            Err(error) => Err(CompileError {
                message: format!("`{text}` is not a JSON path: {error}"),
                help: Some("write a path as of RFC 9535, for instance `$.error.message`"),
            }),
        }
    }
}

/// A regular expression.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct Regex(regex::Regex);

impl Regex {
    /// Whether it matches somewhere in a text.
    #[must_use]
    pub fn is_match(&self, text: &str) -> bool {
        self.0.is_match(text)
    }

    /// What its first group matches in a text, or all that it matches if it has no group.
    #[must_use]
    pub fn part_of<'t>(&self, text: &'t str) -> Option<&'t str> {
        let found = self.0.captures(text)?;
        let found = found.get(1).or_else(|| found.get(0))?;
        Some(found.as_str())
    }
}

impl TryFrom<String> for Regex {
    type Error = CompileError;

    fn try_from(text: String) -> Result<Self, CompileError> {
        let made = regex::Regex::new(&text).map(Self);
        made.map_err(|error| CompileError::of_regex(&text, &error))
    }
}

/// A CSS selector.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct Css(String);

impl TryFrom<String> for Css {
    type Error = CompileError;

    fn try_from(text: String) -> Result<Self, CompileError> {
        match check_selector(&text) {
            Ok(()) => Ok(Self(text)),
            Err(help) => Err(CompileError {
                message: format!("{} is not a CSS selector", quoted(&text)),
                help,
            }),
        }
    }
}

/// Whether a text is a selector; a failure can have a remedy.
#[cfg(feature = "pages")]
fn check_selector(text: &str) -> Result<(), Option<&'static str>> {
    scraper::Selector::parse(text).map(drop).map_err(|_| None)
}

/// A build that reads no pages takes no selectors.
#[cfg(not(feature = "pages"))]
fn check_selector(_: &str) -> Result<(), Option<&'static str>> {
    Err(Some("build with the feature `pages`, which reads them"))
}

/// A pattern of names or texts, with `*` for any characters.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct Glob(GlobMatcher);

impl Glob {
    /// The pattern that matches this name alone.
    pub fn of_name(name: &str) -> Result<Self, CompileError> {
        globset::escape(name).try_into()
    }

    /// Whether it matches all of a text.
    #[must_use]
    pub fn is_match(&self, text: &str) -> bool {
        self.0.is_match(text)
    }

    /// Whether a rule is for a name that these patterns are of; without any it is for all names.
    pub(super) fn all_or_any(patterns: &[Self], name: &str) -> bool {
        patterns.is_empty() || patterns.iter().any(|pattern| pattern.is_match(name))
    }
}

impl TryFrom<String> for Glob {
    type Error = CompileError;

    fn try_from(text: String) -> Result<Self, CompileError> {
        match globset::Glob::new(&text) {
            Ok(glob) => Ok(Self(glob.compile_matcher())),
            Err(error) => Err(CompileError {
                message: format!("{} is not a pattern: {}", quoted(&text), error.kind()),
                help: None,
            }),
        }
    }
}

/// What texts that are compiled have in common: each is the text that the suite has, and a text for its schema.
macro_rules! is_a_text {
    ($type:ident, $text:expr) => {
        impl $type {
            /// The text as the suite has it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                let text: fn(&Self) -> &str = $text;
                text(self)
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                out.write_str(self.as_str())
            }
        }

        // The schema of a list that can be left out says so only of what can be written.
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl PartialEq for $type {
            fn eq(&self, other: &Self) -> bool {
                self.as_str() == other.as_str()
            }
        }

        impl Eq for $type {}

        impl std::hash::Hash for $type {
            fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
                self.as_str().hash(state);
            }
        }

        impl schemars::JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                String::schema_name()
            }

            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                String::json_schema(generator)
            }
        }
    };
}

pub(super) use is_a_text;

is_a_text!(JsonPath, |path| &path.text);
is_a_text!(Regex, |regex| regex.0.as_str());
is_a_text!(Css, |css| &css.0);
is_a_text!(Glob, |glob| glob.0.glob().glob());

// A pattern is found by its text, where it is the key of a map.
impl Borrow<str> for Glob {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn path(text: &str) -> JsonPath {
        text.to_owned().try_into().unwrap()
    }

    #[test]
    fn a_json_path_gives_the_first_value_as_a_text_and_nothing_for_null() {
        let body = json!({"id": 7, "name": "x", "gone": null, "all": [1, 2]});
        let text = |at: &str| path(at).text_in(&body);
        assert_eq!(text("$.id").unwrap(), "7");
        assert_eq!(text("$.name").unwrap(), "x");
        assert_eq!(text("$.all[*]").unwrap(), "1");
        assert_eq!(text("$.gone").or(text("$.nothing")), None);
    }

    #[test]
    fn what_does_not_compile_is_named() {
        let path = JsonPath::try_from("error".to_owned()).unwrap_err();
        assert!(path.to_string().starts_with("`error` is not a JSON path: "));
        let brackets = JsonPath::try_from(format!("${}", "[0]".repeat(17))).unwrap_err();
        assert!(brackets.to_string().ends_with(" has more than 16 brackets"));
        let regex = Regex::try_from("(a".to_owned()).unwrap_err();
        assert_eq!(
            regex.to_string(),
            "`(a` is not a regular expression: error: unclosed group"
        );
        let css = Css::try_from("a >".to_owned()).unwrap_err();
        assert_eq!(css.to_string(), "`a >` is not a CSS selector");
        let glob = Glob::try_from("audit[".to_owned()).unwrap_err();
        assert_eq!(
            glob.to_string(),
            "`audit[` is not a pattern: unclosed character class; missing ']'"
        );
    }

    #[test]
    fn a_pattern_is_found_by_its_text() {
        let glob = Glob::try_from("key-*".to_owned()).unwrap();
        let map = indexmap::IndexMap::from([(glob, 1)]);
        assert_eq!(map.get("key-*"), Some(&1));
        assert_eq!(map.get("key-info"), None);
    }

    #[cfg(feature = "pages")]
    #[test]
    fn a_selector_is_checked_when_it_is_read() {
        assert!(Css::try_from("a[b]".to_owned()).is_ok());
        assert!(Css::try_from("a >".to_owned()).is_err());
    }
}
