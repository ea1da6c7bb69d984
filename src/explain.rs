//! One cell, in one place: the call as the suite says it, what the snapshots have of the answer, and what that means.

mod text;

use std::collections::{BTreeMap, BTreeSet};

use authz_pin_record::drift::{self, Drift, Side};
use authz_pin_record::findings;
use authz_pin_record::kinds::Level;
use authz_pin_record::observation::RowChange;
use authz_pin_record::record::{Cell, CellId, Probed, Record, Rule, Values, Verdict};
use authz_pin_suite::plan::{Filter, PlannedCell, plan};
use authz_pin_suite::suite::{Credential, Suite};
use authz_pin_suite::template::random;
use authz_pin_sweep::dry_run::{CellRun, DryRun};
use authz_pin_sweep::service::Given;
use indexmap::IndexMap;
use serde::Serialize;

use authz_pin_suite::snapshot::{Reason, Snapshot, SnapshotError};

/// Everything that is known of one cell without calling anything.
#[derive(Debug, Serialize)]
pub struct Explanation {
    /// The endpoint's name.
    pub endpoint: String,
    /// The target's name.
    pub target: String,
    /// The actor's name.
    pub actor: String,
    /// How the actor says who it is.
    pub credential: String,
    /// What would be sent and written for it.
    pub call: Option<CellRun>,
    /// Why that cannot be said.
    pub no_call: Option<String>,
    /// What was accepted.
    pub accepted: Option<Shown>,
    /// What waits for review.
    pub pending: Option<Shown>,
    /// How that differs from what was accepted, worst first.
    pub drift: Vec<Drift>,
    /// Why things were accepted that are about this cell, oldest first.
    pub reasons: Vec<Reason>,
}

/// What a record shows of a cell.
#[derive(Debug, Serialize)]
pub struct Shown {
    /// The status, or what came instead of an answer.
    pub answer: String,
    /// On which side of its gates the service stands.
    pub verdict: Verdict,
    /// What decided that.
    pub rule: String,
    /// The parts of the answer that were refused, where others were not.
    pub refused: BTreeSet<String>,
    /// The refusal in the service's words, or where a redirect leads.
    pub gate: Option<String>,
    /// What the headers say of access.
    pub headers: BTreeSet<String>,
    /// What the refusal tells besides, by the paths of its fields.
    pub also: BTreeMap<String, String>,
    /// The identifiers in the answer.
    pub discloses: Vec<String>,
    /// What the fields of the body show, where values are recorded.
    pub values: Values,
    /// The fields of the body.
    pub fields: BTreeSet<String>,
    /// The rows that changed, by operation and table.
    pub effects: BTreeMap<String, Vec<RowChange>>,
    /// The tables whose changes were not observed.
    pub unobserved: BTreeSet<String>,
    /// What each follow-up request brought.
    pub probes: IndexMap<String, Probed>,
    /// What breaks an invariant.
    pub findings: Vec<Finding>,
}

/// A finding, with what its kind means.
#[derive(Debug, Serialize)]
pub struct Finding {
    /// The kind's name.
    pub kind: String,
    /// How much it weighs in this suite.
    pub level: Option<Level>,
    /// What was found.
    pub what: String,
    /// The kind in one line.
    pub title: String,
    /// What it means.
    pub explanation: String,
    /// What to do about it.
    pub remedy: Option<String>,
}

impl Explanation {
    /// Explains a cell of a suite.
    pub fn of(suite: &Suite, cell: &PlannedCell<'_>, given: &Given) -> Result<Self, SnapshotError> {
        let snapshot = Snapshot::new(&suite.snapshots(), cell.endpoint);
        let (accepted, pending) = (snapshot.record()?, snapshot.pending_record()?);
        let shown = |record: &Option<Record>| Shown::of(suite, record.as_ref()?, cell);
        let (request, no_request) = match call(suite, cell, given) {
            Ok(request) => (request, None),
            Err(error) => (None, Some(error)),
        };
        Ok(Self {
            endpoint: cell.endpoint.clone(),
            target: cell.target.clone(),
            actor: cell.actor.clone(),
            credential: credential(suite.auth_of(cell.actor)),
            call: request,
            no_call: no_request,
            accepted: shown(&accepted),
            pending: shown(&pending),
            drift: drift_of(suite, cell, accepted.as_ref().zip(pending.as_ref())),
            reasons: reasons(&snapshot.reasons()?, cell, accepted.as_ref()),
        })
    }
}

/// How an actor says who it is, without any value.
fn credential(auth: Option<&Credential>) -> String {
    let Some(auth) = auth else {
        return "none".to_owned();
    };
    let on_the_wire = [
        auth.bearer.as_ref().map(|_| "a bearer token".to_owned()),
        auth.basic
            .as_ref()
            .map(|_| "a name and a password".to_owned()),
        names("cookie", &auth.cookies),
        names("header", &auth.headers),
        names("query parameter", &auth.query),
        auth.digest
            .as_ref()
            .map(|_| "an answer to a challenge (Digest)".to_owned()),
        auth.aws
            .as_ref()
            .map(|_| "a signature (AWS, version 4)".to_owned()),
        auth.certificate
            .as_ref()
            .map(|_| "a certificate".to_owned()),
    ];
    let on_the_wire: Vec<String> = on_the_wire.into_iter().flatten().collect();
    let login = match (&auth.oauth2, &auth.login) {
        (Some(_), _) => Some(", given by an OAuth 2.0 server"),
        (None, login) => login.as_ref().map(|_| ", given by a login"),
    };
    let command = auth.command.as_ref().map(|_| ", given by a command");
    let jwt = auth.jwt.as_ref().map(|_| ", signed by authz-pin");
    let how = [login, command, jwt].map(Option::unwrap_or_default);
    format!("{}{}", on_the_wire.join(", "), how.concat())
}

fn names(what: &str, all: &IndexMap<String, String>) -> Option<String> {
    let names: Vec<&str> = all.keys().map(String::as_str).collect();
    (!names.is_empty()).then(|| format!("the {what} {}", names.join(", ")))
}

/// What would be sent and written. Nothing is: so a variable that was not given is made up.
fn call(suite: &Suite, cell: &PlannedCell<'_>, given: &Given) -> Result<Option<CellRun>, String> {
    let mut given = given.clone();
    for (name, variable) in &suite.file.variables {
        if variable.default.is_none() {
            let made_up = || random(24).into();
            given.variables.entry(name.clone()).or_insert_with(made_up);
        }
    }
    let mut plan = plan(suite, &Filter::default());
    plan.retain(|plan| &plan.endpoint.name == cell.endpoint);
    for plan in &mut plan {
        plan.cells.retain(|other| other == cell);
    }
    let run = DryRun::new(suite, &plan, &given, 1).map_err(|error| error.to_string())?;
    Ok(run.cells.into_iter().next())
}

impl Shown {
    fn of(suite: &Suite, record: &Record, cell: &PlannedCell<'_>) -> Option<Self> {
        let own = record.cell_at(cell.target, cell.actor)?;
        let Cell {
            decision: _,
            gate: _,
            headers: _,
            also: _,
            discloses,
            effects: _,
            probes,
            values: _,
            shape: _,
        } = own;
        let side = Side { record, cell: own };
        Some(Self {
            answer: own.answer(),
            verdict: own.verdict(),
            rule: rule_of(own),
            refused: own.decision.refused().clone(),
            gate: side.gate().map(str::to_owned),
            headers: side.headers(),
            also: side.also(),
            discloses: discloses.clone(),
            values: side.values().unwrap_or_default(),
            fields: side.shape().unwrap_or_default(),
            effects: side.effects(),
            unobserved: record.unobserved.clone(),
            probes: probes.clone(),
            findings: findings_of(record, cell)
                .map(|finding| Finding::of(suite, finding))
                .collect(),
        })
    }
}

/// What decided the verdict of a cell.
fn rule_of(cell: &Cell) -> String {
    let text = match (cell.decision.rule(), cell.verdict()) {
        (Rule::Named(name), _) => return format!("the rule `{name}`"),
        (Rule::Status, Verdict::Allowed) => "the status: below 300",
        (Rule::Status, Verdict::Redirected) => "the status: from 300 to 399",
        (Rule::Status, Verdict::Denied) => "the status: 400 or above",
        (Rule::Status, Verdict::Fault) => "no answer: it is neither allowed nor denied",
    };
    text.to_owned()
}

/// The findings about a cell.
fn findings_of<'r>(
    record: &'r Record,
    cell: &PlannedCell<'_>,
) -> impl Iterator<Item = &'r findings::Finding> {
    let own = CellId::new(cell.target, cell.actor);
    let findings = record.findings.iter();
    findings.filter(move |finding| finding.cell.as_ref() == Some(&own))
}

impl Finding {
    fn of(suite: &Suite, finding: &findings::Finding) -> Self {
        let entry = finding.kind.entry();
        let id = finding.kind.id();
        let given = suite.file.levels.get(&id).copied();
        Self {
            level: given.or(entry.map(|entry| entry.level)),
            title: entry.map_or_else(String::new, |entry| entry.title.clone()),
            explanation: entry.map_or_else(String::new, |entry| entry.explanation.clone()),
            remedy: entry.and_then(|entry| entry.remedy.clone()),
            kind: id,
            what: finding.detail.clone(),
        }
    }
}

fn drift_of(
    suite: &Suite,
    cell: &PlannedCell<'_>,
    records: Option<(&Record, &Record)>,
) -> Vec<Drift> {
    let Some((old, new)) = records else {
        return Vec::new();
    };
    let is_own = |drift: &Drift| {
        drift.target.as_ref() == Some(cell.target) && drift.actor.as_ref() == Some(cell.actor)
    };
    let own = drift::between(old, new).into_iter().filter(is_own);
    own.map(|drift| drift.weighed(&suite.file.levels)).collect()
}

/// The reasons that are about a cell: about a finding of it, or about drift of it.
fn reasons(all: &[Reason], cell: &PlannedCell<'_>, record: Option<&Record>) -> Vec<Reason> {
    let findings = record.into_iter();
    let findings: Vec<_> = findings
        .flat_map(|record| findings_of(record, cell))
        .collect();
    let is_about = |reason: &&Reason| {
        let mut findings = findings.iter();
        findings.any(|finding| reason.is_about(finding))
            || reason.drift.iter().any(|line| names_cell(line, cell))
    };
    all.iter().filter(is_about).cloned().collect()
}

/// Whether a line of a reason, such as `widened own key: owner, admin; new key: owner: 403 -> 200`, names a cell.
fn names_cell(line: &str, cell: &PlannedCell<'_>) -> bool {
    let row = format!("{}: ", cell.target);
    let starts = line.match_indices(&row);
    let mut rows = starts.filter(|(at, _)| {
        let before = line.get(..*at).unwrap_or_default();
        let kind = before.strip_suffix(' ');
        before.ends_with("; ") || kind.is_some_and(|kind| !kind.contains(' '))
    });
    rows.any(|(at, _)| {
        let actors = line.get(at + row.len()..).unwrap_or_default();
        let end = actors.find([';', ':']).unwrap_or(actors.len());
        let mut actors = actors.get(..end).unwrap_or_default().split(", ");
        actors.any(|actor| actor == cell.actor)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use authz_pin_record::fault::Fault;
    use authz_pin_record::fault::Reply;
    use authz_pin_record::record::Decision;

    #[test]
    fn a_reason_for_drift_is_about_the_cells_of_its_line() {
        let line = "widened own key: owner, admin; new key: member: 403 no: owner -> 200";
        let names = |target: &str, actor: &str| {
            let (target, actor) = (target.to_owned(), actor.to_owned());
            names_cell(
                line,
                &PlannedCell {
                    endpoint: &String::new(),
                    target: &target,
                    actor: &actor,
                },
            )
        };
        assert!(names("own key", "owner") && names("own key", "admin"));
        assert!(names("new key", "member"));
        for (target, actor) in [
            ("own key", "member"),
            ("key", "owner"),
            ("new key", "owner"),
            ("no", "owner"),
        ] {
            assert!(!names(target, actor), "{target} {actor}");
        }
    }

    #[test]
    fn what_decides_is_said_of_every_answer() {
        let said = [200, 302, 400]
            .map(|status| rule_of(&Cell::new(Decision::by_status(Reply::Status(status)))));
        assert_eq!(
            said,
            [
                "the status: below 300",
                "the status: from 300 to 399",
                "the status: 400 or above"
            ]
        );
        let fault = Decision::by_status(Reply::Fault(Fault::Closed));
        assert!(rule_of(&Cell::new(fault)).starts_with("no answer"));
        let named = Decision::by_rule("graphql".to_owned(), Verdict::Denied, 200);
        assert_eq!(rule_of(&Cell::new(named)), "the rule `graphql`");
    }
}
