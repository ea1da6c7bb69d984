//! Findings, folded by their kind and their cause: what one mistake of a service does in many cells is one thing to decide.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Serialize;

use crate::drift;
use crate::findings;
use crate::kinds::Level;

/// Findings of one kind and cause, wherever they are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Cause {
    /// The kind and the cause, as `kind: cause`.
    pub finding: String,
    /// How much it weighs.
    pub level: Level,
    /// The endpoints, each with the actors by target; a finding about no single cell has none.
    pub endpoints: IndexMap<String, IndexMap<String, Vec<String>>>,
}

/// The findings of these endpoints, worst first, else in their order.
#[must_use]
pub fn causes<'a>(
    findings: impl IntoIterator<Item = (&'a str, &'a str)>,
    levels: &IndexMap<String, Level>,
) -> Vec<Cause> {
    let mut causes: IndexMap<String, Cause> = IndexMap::new();
    for (endpoint, finding) in findings {
        let (what, at) = split(finding);
        let cause = causes.entry(what.clone()).or_insert_with(|| Cause {
            level: level(finding, levels),
            finding: what,
            endpoints: IndexMap::new(),
        });
        let cells = cause.endpoints.entry(endpoint.to_owned()).or_default();
        if let Some((target, actor)) = at {
            let actors = cells.entry(target.to_owned()).or_default();
            actors.push(actor.to_owned());
        }
    }
    let mut causes: Vec<Cause> = causes.into_values().collect();
    causes.sort_by_key(|cause| (cause.level, findings::kind_of(&cause.finding)));
    causes
}

/// What a finding says without its cell, and the target and the actor of that.
pub(crate) fn split(finding: &str) -> (String, Option<(&str, &str)>) {
    match findings::parse(finding) {
        Some((what, target, actor)) => (what, Some((target, actor))),
        None => (finding.to_owned(), None),
    }
}

/// How much a finding weighs, as the suite says, else the tool; one of a kind that is not known weighs most.
#[must_use]
pub fn level(finding: &str, levels: &IndexMap<String, Level>) -> Level {
    let kind = findings::kind_of(finding);
    let given = kind.and_then(|kind| levels.get(&kind.id()));
    let given = given.or_else(|| levels.get(&drift::Kind::FindingAdded.id()));
    let own = || kind.and_then(findings::Kind::entry).map(|it| it.level);
    given.copied().or_else(own).unwrap_or(Level::Deny)
}

impl Cause {
    /// What it says and where, a line for each endpoint.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let places = self.endpoints.iter().map(|(endpoint, cells)| {
            let cells = cells_of(cells);
            format!("    {endpoint}  {cells}").trim_end().to_owned()
        });
        let first = format!("{} {}", self.level.as_str(), self.finding);
        std::iter::once(first).chain(places).collect()
    }
}

/// Cells as a line.
pub(crate) fn cells_of(cells: &IndexMap<String, Vec<String>>) -> String {
    let row =
        |(target, actors): (&String, &Vec<String>)| format!("{target}: {}", actors.join(", "));
    cells.iter().map(row).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_the_same_cause_is_one_and_what_weighs_most_is_first() {
        let findings = [
            ("a", "inversion: x on `t` is denied (403) where allowed: y"),
            ("a", "other-tenant-disclosed: x on `t` of n was shown y.id"),
            ("b", "other-tenant-disclosed: x on `u` of n was shown y.id"),
            ("b", "other-tenant-disclosed: z on `u` of n was shown y.id"),
            ("b", "denied-everywhere: x is refused"),
        ];
        let causes = causes(findings, &IndexMap::new());
        let lines: Vec<String> = causes.iter().flat_map(Cause::lines).collect();
        let expected = [
            "deny other-tenant-disclosed: of n was shown y.id",
            "    a  t: x",
            "    b  u: x, z",
            "warn inversion: is denied (403) where allowed: y",
            "    a  t: x",
            "warn denied-everywhere: x is refused",
            "    b",
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn a_suites_weight_goes_before_the_tools() {
        let levels = |kind: &str| IndexMap::from([(kind.to_owned(), Level::Allow)]);
        let finding = "inversion: x on `t` is denied";
        assert_eq!(level(finding, &IndexMap::new()), Level::Warn);
        assert_eq!(level(finding, &levels("inversion")), Level::Allow);
        assert_eq!(level(finding, &levels("finding-added")), Level::Allow);
        assert_eq!(level("something new: x", &IndexMap::new()), Level::Deny);
    }
}
