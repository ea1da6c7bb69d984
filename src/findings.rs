//! Findings: observations that break an invariant. They are recorded, not judged.

use crate::record::{Cell, Record};
use crate::suite::Suite;

/// The findings of one record, in the record's order.
#[must_use]
pub fn of(suite: &Suite, record: &Record) -> Vec<String> {
    let mut findings = Vec::new();
    for (target, actor, cell) in record.iter() {
        findings.extend(no_answer(target, actor, cell));
        findings.extend(denied_but_wrote(target, actor, cell));
        findings.extend(server_error(target, actor, cell));
        findings.extend(anonymous_allowed(suite, target, actor, cell));
        findings.extend(inversions(suite, record, target, actor, cell));
    }
    findings
}

fn no_answer(target: &str, actor: &str, cell: &Cell) -> Option<String> {
    let fault = cell.fault?;
    Some(about(
        "no-answer",
        target,
        actor,
        &format!("got no answer ({fault})"),
    ))
}

fn denied_but_wrote(target: &str, actor: &str, cell: &Cell) -> Option<String> {
    (cell.is_denied() && !cell.effects.is_empty() && cell.effects.is_observed()).then(|| {
        about(
            "denied-but-wrote",
            target,
            actor,
            &format!("was denied ({}), and rows changed", cell.verdict()),
        )
    })
}

fn server_error(target: &str, actor: &str, cell: &Cell) -> Option<String> {
    cell.status.filter(|status| *status >= 500).map(|status| {
        about(
            "server-error",
            target,
            actor,
            &format!("made the service fail ({status})"),
        )
    })
}

fn anonymous_allowed(suite: &Suite, target: &str, actor: &str, cell: &Cell) -> Option<String> {
    let anonymous = suite
        .world
        .actors
        .get(actor)
        .is_some_and(|actor| actor.auth.is_none());
    (anonymous && cell.is_allowed()).then(|| {
        about(
            "anonymous-allowed",
            target,
            actor,
            &format!("was allowed ({})", cell.verdict()),
        )
    })
}

fn inversions(
    suite: &Suite,
    record: &Record,
    target: &str,
    actor: &str,
    cell: &Cell,
) -> Option<String> {
    let below = &suite.world.actors.get(actor)?.outranks;
    let allowed: Vec<&str> = below
        .iter()
        .filter(|other| record.cell_at(target, other).is_some_and(Cell::is_allowed))
        .map(String::as_str)
        .collect();
    (cell.is_denied() && !allowed.is_empty()).then(|| {
        about(
            "inversion",
            target,
            actor,
            &format!(
                "is denied ({}) where allowed: {}",
                cell.verdict(),
                allowed.join(", ")
            ),
        )
    })
}

/// How a finding begins, so that a report can tell which cell it is about.
#[must_use]
pub fn subject(target: &str, actor: &str) -> String {
    format!("{actor} on `{target}` ")
}

fn about(kind: &str, target: &str, actor: &str, what: &str) -> String {
    format!("{kind}: {}{what}", subject(target, actor))
}

/// The cell that a finding is about: what it says without it, the target and the actor. The inverse of how a finding is
/// written.
#[must_use]
pub fn parse(finding: &str) -> Option<(String, &str, &str)> {
    let (kind, rest) = finding.split_once(": ")?;
    let (actor, rest) = rest.split_once(" on `")?;
    let (target, what) = rest.split_once("` ")?;
    Some((format!("{kind}: {what}"), target, actor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_can_be_read_back() {
        let finding = about(
            "inversion",
            "owner's key",
            "org_admin",
            "is denied (401) where allowed: owner",
        );
        let what = "inversion: is denied (401) where allowed: owner".to_owned();
        assert_eq!(parse(&finding), Some((what, "owner's key", "org_admin")));
        assert_eq!(parse("something else"), None);
    }
}
