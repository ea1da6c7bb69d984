//! A miniature of the suite's types: every shape that a suite file uses.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Endpoint {
    method: Method,
    path: String,
    #[serde(default)]
    request: Option<Request>,
    #[serde(default)]
    targets: Vec<String>,
    #[serde(default)]
    probes: IndexMap<String, Probe>,
    #[serde(default)]
    steps: Vec<Action>,
    #[serde(default)]
    auth: Option<Auth>,
    #[serde(default)]
    level: Level,
    #[serde(default)]
    window: Option<(u8, u8)>,
    #[serde(default)]
    name: Name,
    #[serde(default)]
    on_error: Option<Action>,
    #[serde(default)]
    only: Vec<Probe>,
    #[serde(default)]
    login: Option<Login>,
}

/// One required key, and yet no alternative named by its key.
#[derive(Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields)]
struct Login {
    token: String,
}

/// With documented variants its schema has one branch per variant, without it one list.
#[derive(Debug, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "UPPERCASE")]
enum Method {
    /// Reads.
    Get,
    /// Writes.
    Post,
    Delete,
}

#[derive(Debug, Default, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "lowercase")]
enum Level {
    #[default]
    Deny,
    Warn,
    Allow,
}

#[derive(Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields)]
struct Request {
    body: serde_json::Value,
    #[serde(default)]
    retries: u8,
    #[serde(default)]
    before: Option<Box<Request>>,
}

#[derive(Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields)]
struct Probe {
    expect: u16,
    #[serde(default)]
    ratio: Option<f64>,
}

#[derive(Debug, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Action {
    Wait,
    Sleep(u32),
    Capture { key: String },
    Call(Request),
}

#[derive(Debug, Deserialize, JsonSchema, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
enum Auth {
    Anonymous,
    Bearer { token: String },
}

/// A type with a rule of its own that no schema tells.
#[derive(Debug, Default, Deserialize, JsonSchema, Serialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct Name(String);

impl TryFrom<String> for Name {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        if name.contains(' ') {
            return Err(format!("the name `{name}` has a blank in it"));
        }
        Ok(Self(name))
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

impl Clone for Name {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}
