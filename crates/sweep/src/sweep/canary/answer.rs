//! What an answer says of the caller's credential.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use authz_pin_record::observation::Observation;
use authz_pin_record::record::{Cell, Decision, Record, Verdict};
use regex::Regex;

use authz_pin_suite::plan::PlannedCell;

/// What a call was answered, as far as it tells who was allowed what. Two are the same in whose words nothing differs but what
/// varies by itself.
#[derive(Clone, Default)]
pub(in crate::sweep) struct Said {
    decision: Option<Decision>,
    pub(in crate::sweep) gate: Option<String>,
}

impl PartialEq for Said {
    fn eq(&self, other: &Self) -> bool {
        let [own, others] = [self, other].map(|said| said.gate.as_deref().map(wording));
        self.decision == other.decision && own == others
    }
}

impl Eq for Said {}

/// What varies in the words of one refusal: how long something takes, and what was drawn or counted for this call.
#[expect(clippy::unwrap_used, reason = "the pattern is a constant")]
static VARYING: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?ix) \b \d+ (?: \.\d+ )? \s? (?: [mu\u{b5}n]?s | sec(?:onds?)? | min(?:utes?)? | hours? | milliseconds? ) \b
        | \b (?P<of> (?: request | req | trace | correlation | incident | reference | ref | ticket | event | ray ) [\s_-]* (?:id | no\.? | number)? [\s:=\#]* ) (?: \d+ | [0-9a-z][\w-]* \d [\w-]* ) \b
        | \b (?: [0-9a-f]{8} (?: -? [0-9a-f]{4} ){3} -? [0-9a-f]{12} | [0-9a-f]{12,} ) \b",
    )
    .unwrap()
});

/// The words of a refusal without what varies in them. A code of an error stays: it tells gates apart.
pub(super) fn wording(gate: &str) -> String {
    VARYING.replace_all(gate, "$of<varying>").into_owned()
}

impl From<&Observation> for Said {
    fn from(answer: &Observation) -> Self {
        Self {
            decision: answer.decision.clone(),
            gate: answer.gate.clone(),
        }
    }
}

impl Said {
    /// Whether the service said something of the call at all.
    pub(in crate::sweep) fn is_answer(&self) -> bool {
        !matches!(self.status(), None | Some(429 | 502..=504))
    }

    pub(super) fn is_refusal(&self) -> bool {
        matches!(self.verdict(), Verdict::Redirected | Verdict::Denied)
    }

    fn is_success(&self) -> bool {
        self.verdict().is_allowed()
    }

    fn verdict(&self) -> Verdict {
        let decision = self.decision.as_ref();
        decision.map_or(Verdict::Fault, Decision::verdict)
    }

    /// The status; none where there is no answer.
    pub(in crate::sweep) fn status(&self) -> Option<u16> {
        self.decision.as_ref().and_then(Decision::status)
    }
}

/// What an actor was answered, and what callers whom the service does not know were.
#[derive(Clone)]
pub(super) struct Answers {
    pub(super) own: Said,
    pub(super) strangers: Vec<Said>,
}

impl Answers {
    /// Whether the actor was allowed what a stranger is not.
    pub(super) fn is_allowed(&self) -> bool {
        self.own.is_success() && !self.strangers.iter().any(Said::is_success)
    }

    /// Whether the service knows the actor: it was allowed what a stranger is not, or refused in another way. RFC 9110, section
    /// 15.5.2: 401 is for a credential that is missing or not valid.
    pub(super) fn is_known(&self) -> bool {
        let is_other = !self.strangers.is_empty() && !self.is_as_a_stranger();
        self.is_allowed() || (is_other && self.own.status().is_some_and(|status| status != 401))
    }

    /// Whether the actor, who was known, is now answered like nobody. What is allowed to everybody says nothing.
    pub(super) fn is_dead(&self) -> bool {
        self.own.is_refusal()
            && self.own.is_answer()
            && (self.own.status() == Some(401) || self.is_as_a_stranger())
    }

    fn is_as_a_stranger(&self) -> bool {
        self.strangers.contains(&self.own)
    }

    /// What the call was answered, for a person.
    pub(super) fn told(&self, cell: &PlannedCell<'_>) -> String {
        let decision = self.own.decision.as_ref();
        let status = decision.map(|decision| decision.reply().to_string());
        let status = status.unwrap_or_default();
        let gate = self.own.gate.as_deref().unwrap_or_default();
        format!("{}: {cell} is answered {status} {gate}", cell.actor)
    }
}

/// What a snapshot says of an actor's call, and of those of strangers.
pub(super) struct Pinning<'r> {
    own: &'r Cell,
    strangers: Vec<&'r Cell>,
}

impl<'r> Pinning<'r> {
    pub(super) fn of(
        strangers: &BTreeSet<&str>,
        record: &'r Record,
        cell: &PlannedCell<'_>,
    ) -> Option<Self> {
        let strangers = strangers.iter();
        Some(Self {
            own: record.cell_at(cell.target, cell.actor)?,
            strangers: strangers
                .filter_map(|other| record.cell_at(cell.target, other))
                .collect(),
        })
    }

    /// Whether the call tells the actor from a stranger, and how.
    pub(super) fn tells(&self) -> Option<Telling> {
        if self.own.is_allowed() {
            let is_public = self.strangers.iter().any(|cell| cell.is_allowed());
            return (!is_public).then_some(Telling::Allowed);
        }
        let said = |cell: &Cell| (cell.decision.clone(), cell.gate.as_deref().map(wording));
        let is_other = |cell: &&Cell| said(cell) != said(self.own);
        let is_refused = self.own.is_denied() && self.own.status() != Some(401);
        let is_told = !self.strangers.is_empty() && self.strangers.iter().all(is_other);
        (is_refused && is_told).then_some(Telling::Refused)
    }
}

/// How a call tells an actor from a stranger.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Telling {
    /// The actor was allowed it, and a stranger was not.
    Allowed,
    /// The actor was refused in another way.
    Refused,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_varies_in_the_words_of_a_refusal_tells_nobody_apart() {
        let pairs = [
            (
                "not yours, try again in 8 s",
                "not yours, try again in 12 s",
            ),
            ("not yours (took 3.2ms)", "not yours (took 14ms)"),
            (
                "not yours, request id: ab12-7",
                "not yours, request id: cd34-9",
            ),
            ("not yours, request 17", "not yours, request 18"),
            (
                "no: 2b1d0a9e-1111-4222-8333-444455556666",
                "no: 9c1d0a9e-1111-4222-8333-444455556677",
            ),
        ];
        for (one, other) in pairs {
            assert_eq!(wording(one), wording(other));
        }
        let others = [
            ("1001: no", "1002: no"),
            ("error code 401", "error code 403"),
            ("request denied", "request refused"),
            ("needs role admin", "needs role owner"),
        ];
        for (one, other) in others {
            assert_ne!(wording(one), wording(other));
        }
    }
}
