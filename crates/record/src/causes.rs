//! Findings, folded by their kind and their cause: what one mistake of a service does in many cells is one thing to decide.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Serialize;

use crate::drift::{self, Cells};
use crate::findings::{self, Finding};
use crate::kinds::Level;

/// Findings of one kind and cause, wherever they are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Cause {
    /// The kind.
    #[serde(skip)]
    pub kind: findings::Kind,
    /// The kind and the cause, as `kind: cause`.
    pub finding: String,
    /// How much it weighs.
    pub level: Level,
    /// The endpoints, each with the actors by target; a finding about no single cell has none.
    pub endpoints: IndexMap<String, Cells>,
}

/// The findings of these endpoints, worst first, else in their order.
#[must_use]
pub fn causes<'a>(
    findings: impl IntoIterator<Item = (&'a str, &'a Finding)>,
    levels: &IndexMap<String, Level>,
) -> Vec<Cause> {
    let mut causes: IndexMap<String, Cause> = IndexMap::new();
    for (endpoint, finding) in findings {
        let what = finding.cause();
        let cause = causes.entry(what.clone()).or_insert_with(|| Cause {
            kind: finding.kind,
            level: level(finding.kind, levels),
            finding: what,
            endpoints: IndexMap::new(),
        });
        let cells = cause.endpoints.entry(endpoint.to_owned()).or_default();
        if let Some(cell) = &finding.cell {
            let actors = cells.entry(cell.target.clone()).or_default();
            actors.push(cell.actor.clone());
        }
    }
    let mut causes: Vec<Cause> = causes.into_values().collect();
    causes.sort_by_key(|cause| (cause.level, cause.kind));
    causes
}

/// How much findings of a kind weigh, as the suite says, else the tool.
#[must_use]
pub fn level(kind: findings::Kind, levels: &IndexMap<String, Level>) -> Level {
    let given = levels.get(&kind.id());
    let given = given.or_else(|| levels.get(&drift::Kind::FindingAdded.id()));
    let own = || kind.entry().map(|it| it.level);
    given.copied().or_else(own).unwrap_or(Level::Deny)
}

impl Cause {
    /// What it says and where, a line for each endpoint.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let places = self.endpoints.iter().map(|(endpoint, cells)| {
            let cells = drift::line(cells);
            format!("    {endpoint}  {cells}").trim_end().to_owned()
        });
        let first = format!("{} {}", self.level.as_str(), self.finding);
        std::iter::once(first).chain(places).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_the_same_cause_is_one_and_what_weighs_most_is_first() {
        use findings::Kind::{DeniedEverywhere, Inversion, OtherTenantDisclosed};
        let shown = |at| Finding::of_cell(OtherTenantDisclosed, at, "of n was shown y.id".into());
        let denied = "is denied (403) where allowed: y".to_owned();
        let findings = [
            ("a", Finding::of_cell(Inversion, ("t", "x"), denied)),
            ("a", shown(("t", "x"))),
            ("b", shown(("u", "x"))),
            ("b", shown(("u", "z"))),
            (
                "b",
                Finding::of_record(DeniedEverywhere, "x is refused".into()),
            ),
        ];
        let findings = findings
            .iter()
            .map(|(endpoint, finding)| (*endpoint, finding));
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
        let finding = findings::Kind::Inversion;
        assert_eq!(level(finding, &IndexMap::new()), Level::Warn);
        assert_eq!(level(finding, &levels("inversion")), Level::Allow);
        assert_eq!(level(finding, &levels("finding-added")), Level::Allow);
    }
}
