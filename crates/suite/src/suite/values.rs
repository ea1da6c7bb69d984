//! Which values of successes a record has, and in which form.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;

use super::compiled::{Glob, JsonPath};

/// What records have of the values of successes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ValuesSpec {
    /// In which form values stand in a record.
    #[serde(default)]
    pub show: Show,
    /// The same for endpoints, by their names; `*` stands for any characters. Of several patterns that match, the last one
    /// decides.
    #[serde(default)]
    pub endpoints: IndexMap<Glob, Show>,
    /// Values that are other ones each time, and what stands for them.
    #[serde(default)]
    pub unstable: Vec<UnstableValue>,
    /// Lists whose items are the service's own, such as what it can do, and are told apart though they name nobody.
    #[serde(default)]
    pub items: Vec<ItemsSpec>,
}

/// A list whose items are told apart by what one of their fields says.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ItemsSpec {
    /// Where the list is, as a JSON path.
    pub at: JsonPath,
    /// What an item is called, as a JSON path within the item.
    pub by: JsonPath,
    /// The endpoints that it is for, as patterns of their names; all, if nothing is said.
    #[serde(default)]
    pub endpoints: Vec<Glob>,
}

/// In which form values stand in a record.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Show {
    /// Not at all: of a success only the fields are compared.
    Nothing,
    /// As digests: no value is in clear, not even a number.
    Digest,
    /// In clear where a value is true or false, null, a number or a short text of words, and not under the name of a secret.
    /// Anything else is a digest.
    #[default]
    Clear,
}

/// A value that is another one each time.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UnstableValue {
    /// Where it is, as a JSON path.
    pub at: JsonPath,
    /// What stands for it, such as `<number>`. That there is a value is still compared.
    #[serde(rename = "as", default = "unstable")]
    pub name: String,
    /// The endpoints that it is for, as patterns of their names; all, if nothing is said.
    #[serde(default)]
    pub endpoints: Vec<Glob>,
}

fn unstable() -> String {
    "<unstable>".to_owned()
}

impl ValuesSpec {
    /// Whether any endpoint's values are recorded.
    #[must_use]
    pub fn is_recorded(&self) -> bool {
        let mut all = self.endpoints.values().chain([&self.show]);
        all.any(|show| *show != Show::Nothing)
    }

    /// What of that endpoint's values is shown.
    #[must_use]
    pub fn shown_of(&self, endpoint: &str) -> Show {
        let mut own = self.endpoints.iter().rev();
        let own = own.find(|(pattern, _)| pattern.is_match(endpoint));
        own.map_or(self.show, |(_, show)| *show)
    }
}

impl ItemsSpec {
    /// Whether it is about the answers of that endpoint.
    #[must_use]
    pub fn is_for(&self, endpoint: &str) -> bool {
        Glob::all_or_any(&self.endpoints, endpoint)
    }
}

impl UnstableValue {
    /// Whether it is about the answers of that endpoint.
    #[must_use]
    pub fn is_for(&self, endpoint: &str) -> bool {
        Glob::all_or_any(&self.endpoints, endpoint)
    }
}
