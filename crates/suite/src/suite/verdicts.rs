//! What of a suite's files says how an answer becomes a verdict: rules, and presets by their names.

use authz_pin_record::record::Verdict;
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value as Json;

use super::compiled::{Glob, JsonPath, Regex};
use super::exchange::Source;

/// What decides of an answer: a preset, or a rule of the suite's own.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum VerdictSpec {
    /// A preset, by its name.
    Preset(Preset),
    /// A rule.
    #[serde(skip_serializing)]
    Rule(Box<VerdictRule>),
}

// A derived one would not say what is wrong with a rule.
impl<'de> Deserialize<'de> for VerdictSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spec = Json::deserialize(deserializer)?;
        let read = match spec {
            Json::String(_) => Preset::deserialize(spec).map(Self::Preset),
            rule => VerdictRule::deserialize(rule).map(|rule| Self::Rule(Box::new(rule))),
        };
        read.map_err(D::Error::custom)
    }
}

/// How services of one sort tell that they refuse, where the status does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Preset {
    /// Status 207 (RFC 4918, section 13): a verdict for each part, in JSON or XML.
    MultiStatus,
    /// A list of answers, each with a status of its own.
    Batch,
    /// GraphQL: `errors` without data refuse; errors beside data refuse their part of it.
    Graphql,
    /// The Model Context Protocol: a tool's result with `isError`.
    Mcp,
    /// JSON-RPC 2.0: `error` in place of `result`, one by one in a batch.
    JsonRpc,
    /// An envelope that says so: `ok: false`, `success: false`, `status: error`, an error code.
    OkFlag,
    /// A redirect to where one logs in, or to a page that says no.
    LoginRedirect,
    /// The login form in place of the page.
    LoginPage,
    /// A short text, or the title of a page, that says no.
    RefusalText,
    /// The status alone: none of the rules after it is tried.
    Status,
}

impl Preset {
    /// Those that are tried where a suite says nothing, in this order.
    pub const DEFAULT: [Self; 9] = [
        Self::MultiStatus,
        Self::Batch,
        Self::Graphql,
        Self::Mcp,
        Self::JsonRpc,
        Self::OkFlag,
        Self::LoginRedirect,
        Self::LoginPage,
        Self::RefusalText,
    ];

    /// The name in suites and records.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MultiStatus => "multi-status",
            Self::Batch => "batch",
            Self::Graphql => "graphql",
            Self::Mcp => "mcp",
            Self::JsonRpc => "json-rpc",
            Self::OkFlag => "ok-flag",
            Self::LoginRedirect => "login-redirect",
            Self::LoginPage => "login-page",
            Self::RefusalText => "refusal-text",
            Self::Status => "status",
        }
    }
}

/// What a suite has where it says nothing.
pub(super) fn default() -> Vec<VerdictSpec> {
    Preset::DEFAULT.map(VerdictSpec::Preset).into()
}

/// A rule: of an answer for which `when` holds, and `unless` does not, it decides the verdict.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VerdictRule {
    /// The rule's name, which records have beside the verdict.
    pub name: String,
    /// What must hold; without it the rule decides of every answer.
    #[serde(default)]
    pub when: ConditionSpec,
    /// What must not hold.
    pub unless: Option<ConditionSpec>,
    /// The verdict.
    pub verdict: RuledVerdict,
    /// Where the answer has the type of the refusal.
    #[serde(rename = "type")]
    pub kind: Option<Source>,
    /// Where the answer says which gate refused; without it where `refusal` says, or the whole body.
    pub message: Option<Source>,
}

/// What a rule can decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "they are the verdicts")]
pub enum RuledVerdict {
    Allowed,
    Redirected,
    Denied,
}

/// Conditions over an answer, of which all have to hold.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConditionSpec {
    /// The status: `200`, a class as `2xx`, or a list of these.
    pub status: Option<OneOrMore<StatusSpec>>,
    /// The media type without its parameters; `*` stands for any characters.
    pub media_type: Option<Glob>,
    /// Headers that the answer has, with their values; `*` stands for any characters.
    #[serde(default)]
    pub headers: IndexMap<String, Glob>,
    /// JSON paths at which the body has a value that is equal to this one, or to one of these.
    #[serde(default)]
    pub json: IndexMap<JsonPath, OneOrMore<Json>>,
    /// JSON paths at which the body has a value other than null.
    #[serde(default)]
    pub exists: Vec<JsonPath>,
    /// A regular expression that matches somewhere in the body.
    pub text: Option<Regex>,
}

/// One value, or a list of them.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(untagged)]
pub enum OneOrMore<T> {
    /// One.
    One(T),
    /// Any of these.
    More(Vec<T>),
}

impl<T> OneOrMore<T> {
    /// All of them.
    #[must_use]
    pub fn all(&self) -> &[T] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::More(more) => more,
        }
    }
}

// A derived one would not say what is wrong with an entry.
impl<'de, T: serde::de::DeserializeOwned> Deserialize<'de> for OneOrMore<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = match Json::deserialize(deserializer)? {
            Json::Array(items) => {
                let items = items.into_iter().map(T::deserialize);
                items.collect::<Result<_, _>>().map(Self::More)
            }
            one => T::deserialize(one).map(Self::One),
        };
        read.map_err(D::Error::custom)
    }
}

/// A status, or a class of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[schemars(untagged)]
pub enum StatusSpec {
    /// This one.
    One(u16),
    /// Those whose first digit it is.
    #[schemars(with = "String")]
    Class(u16),
}

impl StatusSpec {
    /// Whether it is that status, or of that class.
    #[must_use]
    pub fn has(self, status: u16) -> bool {
        match self {
            Self::One(one) => one == status,
            Self::Class(class) => status / 100 == class,
        }
    }
}

impl<'de> Deserialize<'de> for StatusSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = match Json::deserialize(deserializer)? {
            Json::String(text) => text,
            other => other.to_string(),
        };
        let class = text.strip_suffix("xx").and_then(|class| class.parse().ok());
        let class = class
            .filter(|class| (1..6).contains(class))
            .map(Self::Class);
        let one = text.parse().ok().filter(|one| (100..600).contains(one));
        class.or(one.map(Self::One)).ok_or_else(|| {
            D::Error::custom(format!(
                "`{text}` is no status: write 200, or `2xx` for a class"
            ))
        })
    }
}

impl From<RuledVerdict> for Verdict {
    fn from(verdict: RuledVerdict) -> Self {
        match verdict {
            RuledVerdict::Allowed => Self::Allowed,
            RuledVerdict::Redirected => Self::Redirected,
            RuledVerdict::Denied => Self::Denied,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(spec: Json) -> Result<VerdictSpec, String> {
        serde_json::from_value(spec).map_err(|error| error.to_string())
    }

    #[test]
    fn a_preset_is_called_in_a_suite_as_in_a_record() {
        for preset in [Preset::DEFAULT.as_slice(), &[Preset::Status]].concat() {
            assert_eq!(serde_json::to_value(preset).unwrap(), preset.as_str());
        }
    }

    #[test]
    fn what_is_wrong_with_a_rule_is_said() {
        let error = read(json!("graph")).unwrap_err();
        assert!(error.contains("unknown variant `graph`"), "{error}");
        let rule = |when: Json| read(json!({"name": "x", "verdict": "denied", "when": when}));
        assert!(rule(json!({"status": ["2xx", 404]})).is_ok());
        let error = rule(json!({"status": "2x"})).unwrap_err();
        assert!(error.contains("`2x` is no status"), "{error}");
        let error = rule(json!({"json": {"ok": false}})).unwrap_err();
        assert!(error.contains("`ok` is not a JSON path"), "{error}");
        let error = rule(json!({"text": "("})).unwrap_err();
        assert!(error.contains("is not a regular expression"), "{error}");
    }
}
