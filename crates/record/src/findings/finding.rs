//! One finding, as a type.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Kind;
use crate::record::CellId;

/// An observation that breaks an invariant. What a file says is read with its record and nowhere else.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize, JsonSchema,
)]
#[serde(try_from = "FindingText", into = "FindingText")]
#[schemars(with = "FindingText")]
pub struct Finding {
    /// Which invariant is broken.
    pub kind: Kind,
    /// The cell that it is about; one about no single cell has none.
    pub cell: Option<CellId>,
    /// How it is broken. Of a cell the actor is the subject.
    pub detail: String,
}

impl Finding {
    /// About a cell.
    #[must_use]
    pub fn of_cell(kind: Kind, (target, actor): (&str, &str), detail: String) -> Self {
        Self {
            kind,
            cell: Some(CellId::new(target, actor)),
            detail,
        }
    }

    /// About no single cell.
    #[must_use]
    pub fn of_record(kind: Kind, detail: String) -> Self {
        Self {
            kind,
            cell: None,
            detail,
        }
    }

    /// What it says without its cell: the kind and the cause. What one mistake of a service does in many cells is the same.
    #[must_use]
    pub fn cause(&self) -> String {
        format!("{}: {}", self.kind.id(), self.detail)
    }

    /// The same as a sentence, with a subject in place of the cell's actor.
    #[must_use]
    pub fn sentence(&self) -> String {
        match &self.cell {
            Some(_) => format!("{}: a caller {}", self.kind.id(), self.detail),
            None => self.cause(),
        }
    }

    /// Whether it is about that cell.
    #[must_use]
    pub fn is_about(&self, target: &str, actor: &str) -> bool {
        self.cell
            .as_ref()
            .is_some_and(|cell| cell.is(target, actor))
    }
}

/// As people read it.
impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cell {
            None => out.write_str(&self.cause()),
            Some(CellId { target, actor }) => {
                let (kind, detail) = (self.kind.id(), &self.detail);
                write!(out, "{kind}: on `{target}`, {actor} {detail}")
            }
        }
    }
}

/// A finding in a file.
#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct FindingText {
    /// Which invariant is broken.
    kind: Kind,
    /// The target of the cell that it is about; one about no single cell has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    target: Option<String>,
    /// The actor of the cell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    actor: Option<String>,
    /// How it is broken.
    detail: String,
}

impl TryFrom<FindingText> for Finding {
    type Error = &'static str;

    fn try_from(text: FindingText) -> Result<Self, &'static str> {
        let cell = match (text.target, text.actor) {
            (Some(target), Some(actor)) => Some(CellId { target, actor }),
            (None, None) => None,
            _ => return Err("a finding has both a `target` and an `actor`, or neither"),
        };
        Ok(Self {
            kind: text.kind,
            cell,
            detail: text.detail,
        })
    }
}

impl From<Finding> for FindingText {
    fn from(finding: Finding) -> Self {
        let cell = finding.cell.map(|cell| (cell.target, cell.actor));
        let (target, actor) = cell.unzip();
        Self {
            kind: finding.kind,
            target,
            actor,
            detail: finding.detail,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_of_an_odd_name_is_one_of_that_name() {
        let at = ("odd` name: on `x` ", "who -> what");
        let finding = Finding::of_cell(Kind::Inversion, at, "is denied: so".to_owned());
        let json = serde_json::to_value(&finding).unwrap();
        assert_eq!(json["target"], at.0);
        assert_eq!(serde_json::from_value::<Finding>(json).unwrap(), finding);
        assert_eq!(finding.cause(), "inversion: is denied: so");
        assert_eq!(finding.sentence(), "inversion: a caller is denied: so");
        let text = "inversion: on `odd` name: on `x` `, who -> what is denied: so";
        assert_eq!(finding.to_string(), text);
    }

    #[test]
    fn half_a_cell_is_none() {
        let half = serde_json::json!({"kind": "inversion", "target": "t", "detail": "x"});
        assert!(serde_json::from_value::<Finding>(half).is_err());
    }
}
