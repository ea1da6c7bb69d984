//! Where numbers are identifiers, as a suite says.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::compiled::{CompileError, is_a_text};

/// Where a number is an identifier of the run, besides the keys and columns whose names say so.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IdsSpec {
    /// Keys of answers, as `badge`, `members[]` for the items of a list, `data.author`, or `$.author` from the root on.
    #[serde(default)]
    pub at: Vec<IdPath>,
    /// Keys where it is none, although the name says so.
    #[serde(default)]
    pub never: Vec<IdPath>,
}

/// A place in an answer, by the keys that lead there.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct IdPath {
    text: String,
    /// The keys from the last one on, each with whether an item of its list is meant.
    keys: Vec<(String, bool)>,
    is_from_root: bool,
}

impl IdPath {
    /// The keys from the last one on, each with whether an item of its list is meant.
    pub fn keys(&self) -> impl Iterator<Item = (&str, bool)> {
        self.keys
            .iter()
            .map(|(key, is_item)| (key.as_str(), *is_item))
    }

    /// Whether no key is before the first one.
    #[must_use]
    pub fn is_from_root(&self) -> bool {
        self.is_from_root
    }
}

impl TryFrom<String> for IdPath {
    type Error = CompileError;

    fn try_from(text: String) -> Result<Self, CompileError> {
        let (path, is_from_root) = match text.strip_prefix("$.") {
            Some(path) => (path, true),
            None => (text.as_str(), false),
        };
        let key = |key: &str| {
            let bare = key.strip_suffix("[]").or_else(|| key.strip_suffix("[*]"));
            let name = bare.unwrap_or(key);
            let is_name = !name.is_empty() && !name.contains(['[', ']', '*', '$', '\'', '"']);
            is_name.then(|| (name.to_owned(), bare.is_some()))
        };
        let keys: Option<Vec<_>> = path.rsplit('.').map(key).collect();
        let keys = keys.ok_or_else(|| CompileError {
            message: format!("`{text}` is not a place of identifiers"),
            help: Some("write keys with points between them, and `[]` for the items of a list: `members[].user`"),
        })?;
        Ok(Self {
            text,
            keys,
            is_from_root,
        })
    }
}

is_a_text!(IdPath, |path| &path.text);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_place_is_a_mistake() {
        for text in ["", "$", "$..id", "a[0]", "a['b']", "[]", "a."] {
            assert!(IdPath::try_from(text.to_owned()).is_err(), "{text}");
        }
    }
}
