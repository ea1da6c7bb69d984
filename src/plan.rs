//! The plan: which cells are swept.

use globset::{Glob, GlobMatcher};
use serde::Serialize;

use crate::suite::{Endpoint, Suite};

/// One (endpoint, target, actor).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct PlannedCell<'a> {
    /// The endpoint's name.
    pub endpoint: &'a str,
    /// The target's name.
    pub target: &'a str,
    /// The actor's name.
    pub actor: &'a str,
}

impl std::fmt::Display for PlannedCell<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}/{}/{}", self.endpoint, self.target, self.actor)
    }
}

/// The cells of one endpoint, in the suite's order.
#[derive(Debug, Clone)]
pub struct EndpointPlan<'a> {
    /// The endpoint.
    pub endpoint: &'a Endpoint,
    /// Its cells.
    pub cells: Vec<PlannedCell<'a>>,
}

/// A filter that is not a pattern.
#[derive(Debug, thiserror::Error)]
#[error("`{pattern}` is not a filter: {reason}")]
pub struct FilterError {
    pattern: String,
    reason: String,
}

/// Selects cells by patterns over `endpoint/target/actor`.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    patterns: Vec<GlobMatcher>,
}

impl Filter {
    /// A filter that selects what any of the patterns matches; without patterns, everything. A pattern with fewer than
    /// three parts matches all below it: `key-update-*` is `key-update-*/*/*`.
    pub fn new(patterns: &[String]) -> Result<Self, FilterError> {
        let compile = |pattern: &String| {
            let missing = 2usize.saturating_sub(pattern.matches('/').count());
            let fail = |error: globset::Error| FilterError {
                pattern: pattern.clone(),
                reason: error.kind().to_string(),
            };
            Glob::new(&format!("{pattern}{}", "/*".repeat(missing)))
                .map(|glob| glob.compile_matcher())
                .map_err(fail)
        };
        Ok(Self {
            patterns: patterns.iter().map(compile).collect::<Result<_, _>>()?,
        })
    }

    /// Whether the filter selects the cell.
    #[must_use]
    pub fn selects(&self, cell: &PlannedCell<'_>) -> bool {
        let name = cell.to_string();
        self.patterns.is_empty() || self.patterns.iter().any(|pattern| pattern.is_match(&name))
    }
}

/// Every actor meets every target of every endpoint; the filter leaves out what was not asked for.
#[must_use]
pub fn plan<'a>(suite: &'a Suite, filter: &Filter) -> Vec<EndpointPlan<'a>> {
    let cells = |endpoint: &'a Endpoint| EndpointPlan {
        endpoint,
        cells: cells(suite, endpoint, filter),
    };
    suite
        .endpoints
        .iter()
        .map(cells)
        .filter(|plan| !plan.cells.is_empty())
        .collect()
}

fn cells<'a>(suite: &'a Suite, endpoint: &'a Endpoint, filter: &Filter) -> Vec<PlannedCell<'a>> {
    let row = |target: &'a str| {
        suite.world.actors.keys().map(move |actor| PlannedCell {
            endpoint: &endpoint.name,
            target,
            actor,
        })
    };
    endpoint
        .spec
        .targets
        .iter()
        .flat_map(|target| row(target))
        .filter(|cell| filter.selects(cell))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selects(pattern: &str) -> bool {
        let cell = PlannedCell {
            endpoint: "key-update-models",
            target: "own key",
            actor: "owner",
        };
        Filter::new(&[pattern.to_owned()]).unwrap().selects(&cell)
    }

    #[test]
    fn a_pattern_with_fewer_parts_matches_all_below_it() {
        assert!(
            selects("key-update-*") && selects("key-update-models/own*") && selects("*/*/owner")
        );
        assert!(!selects("key-delete") && !selects("*/*/own"));
    }

    #[test]
    fn a_broken_pattern_is_named() {
        let error = Filter::new(&["key-[".to_owned()]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`key-[/*/*` is not a filter: unclosed character class; missing ']'"
                .replace("key-[/*/*", "key-[")
        );
    }
}
