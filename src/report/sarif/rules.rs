//! The rules: the kinds of drift, the kinds of finding, and what an endpoint as a whole can be.

use authz_pin_record::drift::Kind;
use authz_pin_record::findings;
use indexmap::IndexMap;

use crate::report::issue::{self, Issue, Rule};

/// Every rule by its id.
pub(super) fn all() -> IndexMap<String, Rule> {
    let findings = findings::table().iter().map(Rule::from);
    let rules = issue::rules().into_iter().chain(findings);
    rules.map(|rule| (rule.id.clone(), rule)).collect()
}

/// The rule of an issue: of a finding that came, its own kind says more than that one came.
pub(super) fn of<'a>(rules: &IndexMap<String, Rule>, issue: &'a Issue<'_>) -> &'a str {
    let own = issue.is.split_once(": ").map(|(kind, _)| kind);
    let is_finding = issue.rule.id == Kind::FindingAdded.id();
    own.filter(|kind| is_finding && rules.contains_key(*kind))
        .unwrap_or(&issue.rule.id)
}
