//! Whether the service let a call through: decided here, once per cell, and read everywhere else.

use std::collections::BTreeSet;
use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use crate::fault::{Fault, Reply};

/// Whether the service let a call through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It did.
    Allowed,
    /// It sent the caller elsewhere: to what was asked for, or to where one logs in.
    Redirected,
    /// It refused.
    Denied,
    /// There was no answer, so nobody knows.
    Fault,
}

impl Verdict {
    /// What a status says by itself: allowed below 300, redirected below 400, denied from there on.
    #[must_use]
    pub fn of_status(status: u16) -> Self {
        match status {
            ..300 => Self::Allowed,
            300..400 => Self::Redirected,
            400.. => Self::Denied,
        }
    }

    /// What an answer, or what came instead of one, says by itself.
    #[must_use]
    pub fn of(reply: Reply) -> Self {
        match reply {
            Reply::Status(status) => Self::of_status(status),
            Reply::Fault(_) => Self::Fault,
        }
    }

    /// The verdict as a record writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Redirected => "redirected",
            Self::Denied => "denied",
            Self::Fault => "fault",
        }
    }

    /// Whether the call did what it was made for.
    #[must_use]
    pub fn is_allowed(self) -> bool {
        self == Self::Allowed
    }

    /// Whether the service refused the call.
    #[must_use]
    pub fn is_denied(self) -> bool {
        self == Self::Denied
    }

    /// Whether the service answered and did not refuse. A redirect is not known to be a refusal.
    #[must_use]
    pub fn is_let_through(self) -> bool {
        matches!(self, Self::Allowed | Self::Redirected)
    }

    /// How far the service let the call through, the least first; none where nobody knows.
    #[must_use]
    pub(crate) fn reach(self) -> Option<u8> {
        match self {
            Self::Denied => Some(0),
            Self::Redirected => Some(1),
            Self::Allowed => Some(2),
            Self::Fault => None,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// What decided a verdict.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// The status of the answer, or that there was none.
    Status,
    /// A rule that has a name.
    Named(String),
}

/// The verdict of a cell, what decided it, and the answer that it was decided of.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Decision {
    verdict: Verdict,
    rule: Rule,
    reply: Reply,
    /// The parts of an answer that were refused, where others were not.
    refused: BTreeSet<String>,
}

impl Decision {
    /// Decides by the status alone.
    #[must_use]
    pub fn by_status(reply: Reply) -> Self {
        Self {
            verdict: Verdict::of(reply),
            rule: Rule::Status,
            reply,
            refused: BTreeSet::new(),
        }
    }

    /// What a rule decided of an answer. Where there is no answer, no rule decides.
    #[must_use]
    pub fn by_rule(rule: String, verdict: Verdict, status: u16) -> Self {
        Self {
            verdict,
            rule: Rule::Named(rule),
            reply: Reply::Status(status),
            refused: BTreeSet::new(),
        }
    }

    /// The same, but for these parts of the answer, which were refused.
    #[must_use]
    pub fn but_for(self, parts: impl IntoIterator<Item = String>) -> Self {
        let refused = parts.into_iter().collect();
        Self { refused, ..self }
    }

    /// Whether the service let the call through.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// What decided it.
    #[must_use]
    pub fn rule(&self) -> &Rule {
        &self.rule
    }

    /// What the call was answered.
    #[must_use]
    pub fn reply(&self) -> Reply {
        self.reply
    }

    /// The parts of an answer that were refused, where others were not.
    #[must_use]
    pub fn refused(&self) -> &BTreeSet<String> {
        &self.refused
    }

    /// The HTTP status; none where there is a fault.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self.reply {
            Reply::Status(status) => Some(status),
            Reply::Fault(_) => None,
        }
    }

    /// What came instead of an answer.
    #[must_use]
    pub fn fault(&self) -> Option<Fault> {
        match self.reply {
            Reply::Status(_) => None,
            Reply::Fault(fault) => Some(fault),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_a_success_a_redirect_or_a_refusal() {
        let verdicts = [200, 299, 300, 399, 400, 500].map(Verdict::of_status);
        let (allowed, redirected, denied) =
            (Verdict::Allowed, Verdict::Redirected, Verdict::Denied);
        assert_eq!(
            verdicts,
            [allowed, allowed, redirected, redirected, denied, denied]
        );
    }

    #[test]
    fn what_has_no_answer_is_neither_allowed_nor_denied() {
        let decision = Decision::by_status(Reply::Fault(Fault::TimedOut));
        let verdict = decision.verdict();
        assert_eq!(verdict, Verdict::Fault);
        assert!(!verdict.is_denied() && !verdict.is_let_through());
    }
}
