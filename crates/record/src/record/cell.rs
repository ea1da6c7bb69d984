//! One cell of a record: whose it is, and what it shows.

use std::collections::BTreeSet;
use std::fmt;
use std::hash::{Hash, Hasher};

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::labels::EffectLabel;
use super::probed::Probed;
use super::verdict::{Decision, Rule, Verdict};
use crate::fault::{Fault, Reply};

/// The place of a cell in its record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CellId {
    /// Upon which target the call was made.
    pub target: String,
    /// By whom.
    pub actor: String,
}

impl CellId {
    /// The cell of that target and actor.
    #[must_use]
    pub fn new(target: &str, actor: &str) -> Self {
        Self {
            target: target.to_owned(),
            actor: actor.to_owned(),
        }
    }

    /// Whether it is the cell of that target and actor.
    #[must_use]
    pub fn is(&self, target: &str, actor: &str) -> bool {
        self.target == target && self.actor == actor
    }
}

impl fmt::Display for CellId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.target, self.actor)
    }
}

/// One cell; the gate, the headers, the effects and the shape are labels of the record's legends.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(try_from = "CellText", into = "CellText")]
#[schemars(with = "CellText")]
pub struct Cell {
    /// Whether the service let the call through, and what it answered.
    pub decision: Decision,
    /// The gate that refused, or where a redirect leads.
    pub gate: Option<String>,
    /// What the headers say that those of other answers do not.
    pub headers: Option<String>,
    /// What the refusal tells besides.
    pub also: Option<String>,
    /// The identifiers that the response held.
    pub discloses: Vec<String>,
    /// The row changes.
    pub effects: Effects,
    /// What each follow-up request brought.
    pub probes: IndexMap<String, Probed>,
    /// What the fields of the body show that those of other answers do not.
    pub values: Option<String>,
    /// The fields of the body.
    pub shape: Option<String>,
}

/// By what tells most cells apart.
impl Hash for Cell {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let labels = (
            &self.gate,
            &self.headers,
            &self.also,
            &self.values,
            &self.shape,
        );
        (&self.decision, labels, &self.discloses).hash(state);
    }
}

impl Cell {
    /// A cell that shows nothing but its answer.
    #[must_use]
    pub fn new(decision: Decision) -> Self {
        Self {
            decision,
            gate: None,
            headers: None,
            also: None,
            discloses: Vec::new(),
            effects: Effects::default(),
            probes: IndexMap::new(),
            values: None,
            shape: None,
        }
    }

    /// Whether the service let the call through.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        self.decision.verdict()
    }

    /// Whether the call did what it was made for.
    #[must_use]
    pub fn is_allowed(&self) -> bool {
        self.verdict().is_allowed()
    }

    /// Whether the service answered and did not refuse.
    #[must_use]
    pub fn is_let_through(&self) -> bool {
        self.verdict().is_let_through()
    }

    /// Whether the service refused the call.
    #[must_use]
    pub fn is_denied(&self) -> bool {
        self.verdict().is_denied()
    }

    /// The HTTP status; none where there is a fault.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.decision.status()
    }

    /// The status, or what came instead of one.
    #[must_use]
    pub fn answer(&self) -> String {
        self.decision.reply().to_string()
    }

    /// Whether rows are known to have changed.
    #[must_use]
    pub fn wrote(&self) -> bool {
        self.effects.is_observed() && !self.effects.is_empty()
    }
}

/// The row changes of a cell.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(try_from = "EffectsText", into = "EffectsText")]
pub enum Effects {
    /// The labels of the changes, none where nothing changed.
    Observed(Vec<EffectLabel>),
    /// The database could not be observed.
    NotObserved,
}

impl Default for Effects {
    fn default() -> Self {
        Self::Observed(Vec::new())
    }
}

impl Effects {
    /// Whether the cell changed anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Observed(labels) if labels.is_empty())
    }

    /// Whether the database was observed.
    #[must_use]
    pub fn is_observed(&self) -> bool {
        matches!(self, Self::Observed(_))
    }

    /// The labels of the changes that were observed.
    #[must_use]
    pub fn labels(&self) -> &[EffectLabel] {
        match self {
            Self::Observed(labels) => labels,
            Self::NotObserved => &[],
        }
    }
}

/// What a record says where the database could not be observed.
pub(super) const NOT_OBSERVED: &str = "not observed";

/// The two forms of effects in a file: a list, or `not observed`.
#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
enum EffectsText {
    Labels(Vec<EffectLabel>),
    Text(String),
}

impl TryFrom<EffectsText> for Effects {
    type Error = String;

    fn try_from(text: EffectsText) -> Result<Self, String> {
        match text {
            EffectsText::Labels(labels) => Ok(Self::Observed(labels)),
            EffectsText::Text(text) if text == NOT_OBSERVED => Ok(Self::NotObserved),
            EffectsText::Text(text) => Err(format!(
                "`{text}` is neither a list of effects nor `{NOT_OBSERVED}`"
            )),
        }
    }
}

impl From<Effects> for EffectsText {
    fn from(effects: Effects) -> Self {
        match effects {
            Effects::Observed(labels) => Self::Labels(labels),
            Effects::NotObserved => Self::Text(NOT_OBSERVED.to_owned()),
        }
    }
}

/// A cell in a file: its first key is the verdict.
#[derive(Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CellText {
    /// The status of an answer that was allowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    allowed: Option<u16>,
    /// The status of an answer that sent the caller elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    redirected: Option<u16>,
    /// The status of a refusal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    denied: Option<u16>,
    /// What came instead of an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fault: Option<Fault>,
    /// The rule that decided, where it was not the status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    by: Option<String>,
    /// The parts of an answer that were refused, where others were not.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    refused: BTreeSet<String>,
    /// The gate that refused, or where a redirect leads.
    #[serde(default)]
    gate: Option<String>,
    /// What the headers say that those of other answers do not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    headers: Option<String>,
    /// What the refusal tells besides.
    #[serde(default)]
    also: Option<String>,
    /// The identifiers that the response held.
    #[serde(default)]
    discloses: Vec<String>,
    /// The row changes.
    #[serde(default)]
    effects: Effects,
    /// What each follow-up request brought.
    #[serde(default)]
    probes: IndexMap<String, Probed>,
    /// What the fields of the body show that those of other answers do not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    values: Option<String>,
    /// The fields of the body.
    #[serde(default)]
    shape: Option<String>,
}

impl CellText {
    fn decision(&mut self) -> Result<Decision, String> {
        let status = |verdict, status: Option<u16>| Some((verdict, Reply::Status(status?)));
        let all = [
            status(Verdict::Allowed, self.allowed),
            status(Verdict::Redirected, self.redirected),
            status(Verdict::Denied, self.denied),
            self.fault
                .map(|fault| (Verdict::Fault, Reply::Fault(fault))),
        ];
        let mut all = all.into_iter().flatten();
        let (Some((verdict, reply)), None) = (all.next(), all.next()) else {
            return Err("a cell has one of `allowed`, `redirected`, `denied`, `fault`".to_owned());
        };
        if self.by.is_none() && !self.refused.is_empty() {
            return Err("parts are `refused` only where `by` names a rule that says so".to_owned());
        }
        match (self.by.take(), reply) {
            (None, _) if Verdict::of(reply) == verdict => Ok(Decision::by_status(reply)),
            (None, _) => Err(format!(
                "{reply} is not `{verdict}`, unless `by` names a rule that says so"
            )),
            (Some(rule), Reply::Status(status)) => {
                let refused = std::mem::take(&mut self.refused);
                Ok(Decision::by_rule(rule, verdict, status).but_for(refused))
            }
            (Some(_), Reply::Fault(_)) => Err("no rule decides of a `fault`".to_owned()),
        }
    }

    /// The same with what the decision says.
    fn decided(mut self, decision: &Decision) -> Self {
        let status = decision.status();
        match decision.verdict() {
            Verdict::Allowed => self.allowed = status,
            Verdict::Redirected => self.redirected = status,
            Verdict::Denied => self.denied = status,
            Verdict::Fault => self.fault = decision.fault(),
        }
        if let Rule::Named(rule) = decision.rule() {
            self.by = Some(rule.clone());
        }
        self.refused.clone_from(decision.refused());
        self
    }
}

impl TryFrom<CellText> for Cell {
    type Error = String;

    fn try_from(mut text: CellText) -> Result<Self, String> {
        Ok(Self {
            decision: text.decision()?,
            gate: text.gate,
            headers: text.headers,
            also: text.also,
            discloses: text.discloses,
            effects: text.effects,
            probes: text.probes,
            values: text.values,
            shape: text.shape,
        })
    }
}

impl From<Cell> for CellText {
    fn from(cell: Cell) -> Self {
        let Cell {
            decision,
            gate,
            headers,
            also,
            discloses,
            effects,
            probes,
            values,
            shape,
        } = cell;
        let text = Self {
            gate,
            headers,
            also,
            discloses,
            effects,
            probes,
            values,
            shape,
            ..Self::default()
        };
        text.decided(&decision)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Cell, String> {
        crate::yaml::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn a_cell_has_one_verdict() {
        for text in ["{}", "{allowed: 200, denied: 403}", "{gate: no}"] {
            let error = read(text).unwrap_err();
            assert!(error.contains("a cell has one of `allowed`"), "{error}");
        }
    }

    #[test]
    fn a_verdict_that_the_status_does_not_say_takes_a_rule() {
        let error = read("{denied: 200}").unwrap_err();
        assert!(error.contains("200 is not `denied`"), "{error}");
        let cell = read("{denied: 200, by: errors of GraphQL}").unwrap();
        assert!(cell.is_denied());
        assert_eq!(cell.line(), "{denied: 200, by: errors of GraphQL}");
        assert!(read("{fault: timed out, by: x}").is_err());
        assert!(read("{allowed: 200, refused: [a]}").is_err());
        let part = "{allowed: 200, by: graphql, refused: [a, b]}";
        assert_eq!(read(part).unwrap().line(), part);
    }
}
