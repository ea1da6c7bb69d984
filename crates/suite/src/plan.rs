//! The plan: which cells are swept.

use std::collections::BTreeSet;
use std::str::FromStr;

use globset::{Glob, GlobMatcher};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::suite::{Actor, Endpoint, Suite};

/// One (endpoint, target, actor).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
// There can be a million of them, for as long as the run is, and a reference to a `String` is half of one to a `str`.
pub struct PlannedCell<'a> {
    /// The endpoint's name.
    pub endpoint: &'a String,
    /// The target's name.
    pub target: &'a String,
    /// The actor's name.
    pub actor: &'a String,
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

impl EndpointPlan<'_> {
    /// Whether it has all cells of its endpoint.
    #[must_use]
    pub fn is_whole(&self, suite: &Suite) -> bool {
        self.cells.len() == cells(suite, self.endpoint).count()
    }

    /// Whether an actor calls it.
    #[must_use]
    pub fn calls(&self, actor: &str) -> bool {
        self.cells.iter().any(|cell| cell.actor == actor)
    }
}

/// The actors whose credentials a run needs: those that call, and those whose credential a probe or a step of a setup
/// has.
#[must_use]
pub fn callers<'a>(suite: &'a Suite, plan: &[EndpointPlan<'a>]) -> BTreeSet<&'a str> {
    let kinds = &suite.world.kinds;
    let cells = || plan.iter().flat_map(|plan| &plan.cells);
    let targets = cells().filter_map(|cell| suite.kind_of_target(cell.target));
    let captured = plan
        .iter()
        .flat_map(|plan| plan.endpoint.spec.capture.values());
    let named = targets.chain(captured.map(|capture| &capture.kind));
    let world = suite.cast().filter_map(|member| member.kind);
    let own = plan.iter().map(|plan| &plan.endpoint.setup);
    let made = named
        .filter_map(|kind| kinds.get(kind))
        .chain(world)
        .chain(own);
    let steps = made.flat_map(|kind| kind.setup.iter().chain(&kind.teardown));
    let steps = steps.filter_map(|step| step.auth.as_ref()?.actor.as_deref());
    let probes = plan
        .iter()
        .flat_map(|plan| plan.endpoint.spec.probes.values());
    let probes = probes.filter_map(|probe| probe.auth.actor.as_deref());
    let actors = cells().map(|cell| cell.actor.as_str());
    actors.chain(steps).chain(probes).collect()
}

/// A filter that is not a pattern.
#[derive(Debug, thiserror::Error)]
#[error("`{pattern}` is not a filter: {reason}")]
pub struct FilterError {
    pattern: String,
    reason: String,
}

/// A pattern over `endpoint/target/actor`. One with fewer than three parts matches all below it: `key-update-*` is
/// `key-update-*/*/*`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub struct Pattern(GlobMatcher);

impl TryFrom<String> for Pattern {
    type Error = FilterError;

    fn try_from(pattern: String) -> Result<Self, FilterError> {
        let missing = 2usize.saturating_sub(pattern.matches('/').count());
        match Glob::new(&format!("{pattern}{}", "/*".repeat(missing))) {
            Ok(glob) => Ok(Self(glob.compile_matcher())),
            Err(error) => Err(FilterError {
                reason: error.kind().to_string(),
                pattern,
            }),
        }
    }
}

impl Pattern {
    /// Whether it matches the cell.
    #[must_use]
    pub fn matches(&self, cell: &PlannedCell<'_>) -> bool {
        self.is_match(&cell.to_string())
    }

    fn is_match(&self, name: &str) -> bool {
        self.0.is_match(name)
    }
}

/// Selects cells by patterns.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Filter {
    patterns: Vec<Pattern>,
}

impl Filter {
    /// A filter that selects what any of the patterns matches; without patterns, everything.
    pub fn new(patterns: &[String]) -> Result<Self, FilterError> {
        let patterns = patterns.iter().cloned().map(Pattern::try_from);
        Ok(Self {
            patterns: patterns.collect::<Result<_, _>>()?,
        })
    }

    /// Its patterns.
    #[must_use]
    pub fn patterns(&self) -> &[Pattern] {
        &self.patterns
    }

    /// Whether the filter selects the cell.
    #[must_use]
    pub fn selects(&self, cell: &PlannedCell<'_>) -> bool {
        if self.patterns.is_empty() {
            return true;
        }
        let name = cell.to_string();
        self.patterns.iter().any(|pattern| pattern.is_match(&name))
    }
}

/// One of several parts of a suite, for jobs that run beside each other. The unit is the endpoint, since a snapshot holds
/// a whole one, and its name alone says which part it is in: jobs need nothing from each other, and an endpoint more
/// moves no other one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    number: u64,
    of: u64,
}

/// A shard that is none.
#[derive(Debug, thiserror::Error)]
#[error("it is not of the form I/N, where I is from 1 to N")]
pub struct ShardError;

impl FromStr for Shard {
    type Err = ShardError;

    fn from_str(text: &str) -> Result<Self, ShardError> {
        let (number, of) = text.split_once('/').ok_or(ShardError)?;
        let (number, of) = (number.parse(), of.parse());
        match (number, of) {
            (Ok(number), Ok(of)) if (1..=of).contains(&number) => Ok(Self { number, of }),
            _ => Err(ShardError),
        }
    }
}

impl std::fmt::Display for Shard {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}/{}", self.number, self.of)
    }
}

impl Shard {
    /// Whether the endpoint is in this part.
    #[must_use]
    pub fn has(self, endpoint: &str) -> bool {
        let digest = Sha256::digest(endpoint.as_bytes());
        let place = digest
            .iter()
            .take(8)
            .fold(0, |place: u64, byte| place << 8 | u64::from(*byte));
        place % self.of == self.number - 1
    }
}

/// Every actor meets every target of every endpoint, unless it says in which cells it calls; the filter leaves out what was
/// not asked for.
#[must_use]
pub fn plan<'a>(suite: &'a Suite, filter: &Filter) -> Vec<EndpointPlan<'a>> {
    let cells = |endpoint: &'a Endpoint| {
        let cells = cells(suite, endpoint).filter(|cell| filter.selects(cell));
        let mut cells: Vec<_> = cells.collect();
        cells.shrink_to_fit();
        EndpointPlan { endpoint, cells }
    };
    suite
        .endpoints
        .iter()
        .map(cells)
        .filter(|plan| !plan.cells.is_empty())
        .collect()
}

/// Every cell of an endpoint.
pub(crate) fn cells<'a>(
    suite: &'a Suite,
    endpoint: &'a Endpoint,
) -> impl Iterator<Item = PlannedCell<'a>> {
    let row = move |target: &'a String| {
        let cell = move |(actor, spec): (&'a String, &'a Actor)| {
            let cell = PlannedCell {
                endpoint: &endpoint.name,
                target,
                actor,
            };
            spec.calls_in(&cell).then_some(cell)
        };
        suite.world.actors.iter().filter_map(cell)
    };
    endpoint.spec.targets.iter().flat_map(row)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_is_a_number_and_of_how_many() {
        for text in ["", "1", "0/2", "3/2", "1/0", "x/2", "1/x", "-1/2", "1/2/3"] {
            assert!(text.parse::<Shard>().is_err(), "{text}");
        }
        let shard: Shard = "2/3".parse().unwrap();
        assert_eq!((shard.number, shard.of), (2, 3));
    }

    #[test]
    fn an_endpoint_is_in_the_same_one_shard_on_every_machine() {
        let shards = |of: u64| (1..=of).map(move |number| Shard { number, of });
        for of in 1..=7 {
            let has = shards(of).filter(|shard| shard.has("key-info"));
            assert_eq!(has.count(), 1, "of {of}");
        }
        let places = ["key-info", "key-list", "key-update"].map(|name| {
            let shard = shards(4).find(|shard| shard.has(name));
            shard.unwrap().number
        });
        assert_eq!(places, [2, 4, 3]);
    }

    fn selects(pattern: &str) -> bool {
        let [endpoint, target, actor] =
            ["key-update-models", "own key", "owner"].map(str::to_owned);
        let cell = PlannedCell {
            endpoint: &endpoint,
            target: &target,
            actor: &actor,
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
