//! What stands above a snapshot's content: insta's own keys, and the facts under `info`.

use authz_pin_record::yaml;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::Info;

/// A header, with the keys of whoever wrote it.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(transparent)]
pub(super) struct Header(Map<String, Json>);

impl Header {
    pub(super) fn new(source: &str, info: &Info) -> Self {
        let keys = [
            ("source", source.into()),
            ("expression", "record".into()),
            ("info", serde_json::json!(info)),
        ];
        let keys = keys.into_iter();
        Self(keys.map(|(key, value)| (key.to_owned(), value)).collect())
    }

    pub(super) fn parse(text: &str) -> Result<Self, yaml::Error> {
        yaml::from_str(text)
    }

    pub(super) fn to_yaml(&self) -> Result<String, yaml::Error> {
        yaml::to_string(self)
    }

    /// What the content is of.
    pub(super) fn source(&self) -> Option<&str> {
        self.0.get("source")?.as_str()
    }

    /// The facts as they stand there, for a person.
    pub(super) fn info(&self) -> Option<&Json> {
        self.0.get("info")
    }

    /// The reasons for what was accepted earlier, oldest first.
    pub(super) fn reasons(&self) -> Vec<Json> {
        let reasons = self.info().and_then(|info| info.get("reasons")?.as_array());
        reasons.cloned().unwrap_or_default()
    }

    /// The header of an accepted snapshot: where in a test a difference was found is no fact about it.
    pub(super) fn accepted(mut self, reasons: Vec<Json>) -> Self {
        self.0.remove("assertion_line");
        if let Some(info) = self.facts(!reasons.is_empty()) {
            info.remove("reasons");
            if !reasons.is_empty() {
                info.insert("reasons".to_owned(), reasons.into());
            }
        }
        self
    }

    /// What is under `info`, made where it is needed: for insta it is optional, and can be anything.
    fn facts(&mut self, is_needed: bool) -> Option<&mut Map<String, Json>> {
        if is_needed && !self.info().is_some_and(Json::is_object) {
            self.0.insert("info".to_owned(), Map::new().into());
        }
        self.0.get_mut("info").and_then(Json::as_object_mut)
    }
}
