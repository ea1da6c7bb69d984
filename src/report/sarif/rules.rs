//! The rules: the kinds of drift, the kinds of finding, and what an endpoint as a whole can be.

use indexmap::IndexMap;

use crate::drift::{Kind, Level};
use crate::report::issue::{self, Issue, Rule};

/// The kinds of finding: the id, what it is, and what it means. `src/findings.rs` finds them.
const FINDINGS: [(&str, &str, &str); 5] = [
    (
        "no-answer",
        "a call got no answer",
        "The call timed out, its connection was closed, or what came was no whole HTTP answer.",
    ),
    (
        "denied-but-wrote",
        "a denied call changed rows",
        "The service refused the call and changed the database all the same.",
    ),
    (
        "server-error",
        "a call made the service fail",
        "The service answered with a status of 500 or above: a failure where there should be a decision.",
    ),
    (
        "anonymous-allowed",
        "a call without a credential is allowed",
        "Anybody can do what this call does.",
    ),
    (
        "inversion",
        "an actor is denied where another that it outranks is allowed",
        "Whoever is meant to have more rights has fewer here, so that one of the two is a mistake.",
    ),
];

/// Every rule by its id.
pub(super) fn all() -> IndexMap<String, Rule> {
    let findings = FINDINGS.into_iter().map(finding);
    let rules = issue::rules().into_iter().chain(findings);
    rules.map(|rule| (rule.id.clone(), rule)).collect()
}

fn finding((id, title, explanation): (&str, &'static str, &'static str)) -> Rule {
    Rule {
        id: id.to_owned(),
        // As much as a finding that comes.
        level: Kind::FindingAdded
            .entry()
            .map_or(Level::Deny, |entry| entry.level),
        title,
        explanation,
    }
}

/// The rule of an issue: of a finding that came, its own kind says more than that one came.
pub(super) fn of<'a>(rules: &IndexMap<String, Rule>, issue: &'a Issue<'_>) -> &'a str {
    let own = issue.is.split_once(": ").map(|(kind, _)| kind);
    let is_finding = issue.rule.id == Kind::FindingAdded.id();
    own.filter(|kind| is_finding && rules.contains_key(*kind))
        .unwrap_or(&issue.rule.id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_finding_has_a_rule() {
        let source = include_str!("../../findings.rs");
        let code = source.split("#[cfg(test)]").next().unwrap();
        let kinds: Vec<&str> = code
            .lines()
            .filter_map(|line| line.trim().strip_prefix('"')?.strip_suffix("\","))
            .filter(|word| !word.contains(' '))
            .collect();
        assert!(kinds.contains(&"inversion"), "{kinds:?}");
        let rules = all();
        let missing = kinds.iter().filter(|kind| !rules.contains_key(**kind));
        assert_eq!(missing.collect::<Vec<_>>(), [&""; 0]);
    }
}
