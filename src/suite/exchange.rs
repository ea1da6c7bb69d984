//! What of a suite's files is about HTTP: requests, credentials, steps, and where in an answer a value is.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value as Json;

use crate::world::leaves;

/// A request as templates.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestSpec {
    /// The method.
    pub method: Method,
    /// The path.
    pub path: String,
    /// The query: a mapping, or one expression that gives one.
    #[serde(default)]
    pub query: Json,
    /// Headers besides the credential's.
    #[serde(default)]
    pub headers: IndexMap<String, String>,
    /// The JSON body.
    pub json: Option<Json>,
}

/// An HTTP method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
#[expect(missing_docs, reason = "the names are the methods")]
pub enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl RequestSpec {
    /// Every template of the request.
    pub(crate) fn texts(&self, texts: &mut impl FnMut(&str)) {
        texts(&self.path);
        leaves(&self.query, texts);
        self.headers.values().for_each(|value| texts(value));
        self.json.iter().for_each(|json| leaves(json, texts));
    }
}

impl Method {
    /// The method as it is on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }

    /// Whether a call only reads, as the method promises it.
    #[must_use]
    pub fn is_safe(self) -> bool {
        self == Self::Get
    }
}

/// How to walk a paged answer: the query parameter counts from 1 to the number that the first page names.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PagesSpec {
    /// The query parameter that takes the page's number.
    pub query: String,
    /// The JSON path of the number of pages.
    pub total: String,
}

/// One request of a setup or a teardown.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepSpec {
    /// The request is sent only if this renders to something true.
    pub when: Option<String>,
    /// The request.
    pub request: RequestSpec,
    /// The credential that it carries.
    pub auth: Option<Credential>,
    /// The symbols that the answer holds, by where it has their value.
    #[serde(default)]
    pub capture: IndexMap<String, Source>,
    /// The statuses that are no failure; without them every success, in a teardown also 404 and 410.
    #[serde(default)]
    pub expect: Vec<u16>,
    /// Sends the request again until the answer is as it should be.
    pub poll: Option<PollSpec>,
}

/// How long to ask a service that works in the background.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PollSpec {
    /// What must be true, with `answer.status` and `answer.body`.
    pub until: String,
    /// The pause between two requests, in milliseconds.
    #[serde(default = "every")]
    pub every_ms: u64,
    /// How long to ask in all, in seconds.
    #[serde(default = "patience")]
    pub timeout_s: u64,
}

fn every() -> u64 {
    500
}

fn patience() -> u64 {
    60
}

/// Where an answer has a value: a JSON path, or a part that is named.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Source {
    /// The JSON path of the value in the body.
    Path(String),
    /// Another part of the answer.
    Part(PartSpec),
}

/// One part of an answer, and what of it is the value.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PartSpec {
    /// The JSON path of the value in the body.
    pub json: Option<String>,
    /// The header whose value it is.
    pub header: Option<String>,
    /// The cookie that the answer sets.
    pub cookie: Option<String>,
    /// A regular expression: the value is what its first group matches, or all that it matches.
    #[serde(rename = "match")]
    pub pattern: Option<String>,
}

/// A credential on the wire.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Credential {
    /// The token of an `Authorization: Bearer` header.
    pub bearer: Option<String>,
    /// The name and the password of an `Authorization: Basic` header.
    pub basic: Option<Basic>,
    /// The cookies of a `Cookie` header.
    #[serde(default)]
    pub cookies: IndexMap<String, String>,
    /// Other headers.
    #[serde(default)]
    pub headers: IndexMap<String, String>,
    /// An actor whose credential it is; for the requests of a setup and a teardown.
    pub actor: Option<String>,
}

/// A name and a password.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Basic {
    /// The name.
    pub username: String,
    /// The password.
    pub password: String,
}

impl Credential {
    /// Every template of the credential.
    pub(crate) fn texts(&self, texts: &mut impl FnMut(&str)) {
        self.bearer.iter().for_each(|bearer| texts(bearer));
        if let Some(basic) = &self.basic {
            texts(&basic.username);
            texts(&basic.password);
        }
        self.cookies.values().for_each(|value| texts(value));
        self.headers.values().for_each(|value| texts(value));
    }
}
