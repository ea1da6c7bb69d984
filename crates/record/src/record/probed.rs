//! What a follow-up request brought: a status, or what came instead of one, and the rule that decided otherwise of it.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::verdict::{Decision, Rule, Verdict};
use crate::fault::Reply;

/// What a follow-up request brought.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Probed(Decision);

impl From<Decision> for Probed {
    fn from(decision: Decision) -> Self {
        // Of parts only a cell tells.
        Self(decision.but_for([]))
    }
}

impl From<Reply> for Probed {
    fn from(reply: Reply) -> Self {
        Self(Decision::by_status(reply))
    }
}

impl fmt::Display for Probed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.rule() {
            Rule::Status => write!(out, "{}", self.0.reply()),
            Rule::Named(rule) => {
                write!(out, "{} {} by {rule}", self.0.reply(), self.0.verdict())
            }
        }
    }
}

impl Serialize for Probed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.rule() {
            Rule::Status => self.0.reply().serialize(serializer),
            Rule::Named(_) => serializer.collect_str(self),
        }
    }
}

/// A reply in a file, or a text with the rule that decided.
#[derive(Deserialize)]
#[serde(untagged)]
enum ProbedText {
    Reply(Reply),
    Ruled(String),
}

impl<'de> Deserialize<'de> for Probed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match ProbedText::deserialize(deserializer)? {
            ProbedText::Reply(reply) => Ok(reply.into()),
            ProbedText::Ruled(text) => ruled(&text).ok_or_else(|| {
                D::Error::custom(format!("`{text}` is nothing that a probe brings"))
            }),
        }
    }
}

/// `200 denied by graphql`: neither a status nor a verdict has a space in it, so that a rule can have any.
fn ruled(text: &str) -> Option<Probed> {
    let (status, rest) = text.split_once(' ')?;
    let (verdict, rule) = rest.split_once(" by ")?;
    let mut verdicts = [Verdict::Allowed, Verdict::Redirected, Verdict::Denied].into_iter();
    let verdict = verdicts.find(|one| one.as_str() == verdict)?;
    let decision = Decision::by_rule(rule.to_owned(), verdict, status.parse().ok()?);
    Some(decision.into())
}

impl JsonSchema for Probed {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Probed".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let reply = Reply::json_schema(generator);
        json_schema!({ "anyOf": [reply, { "type": "string" }] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::Fault;

    #[test]
    fn what_a_probe_brought_reads_back_as_it_is_written() {
        let by_rule = Decision::by_rule("errors by name".to_owned(), Verdict::Denied, 200);
        let all: [(Probed, &str); 3] = [
            (Reply::Status(401).into(), "401"),
            (Reply::Fault(Fault::Closed).into(), "\"connection closed\""),
            (by_rule.into(), "\"200 denied by errors by name\""),
        ];
        for (probed, text) in all {
            assert_eq!(serde_json::to_string(&probed).unwrap(), text);
            assert_eq!(serde_json::from_str::<Probed>(text).unwrap(), probed);
        }
        assert!(serde_json::from_str::<Probed>("\"200 maybe by x\"").is_err());
    }
}
