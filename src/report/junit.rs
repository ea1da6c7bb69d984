//! The report as `JUnit` XML, as Jenkins reads it: a test suite per endpoint, a test case per cell.

use std::io::{self, Write};
use std::time::Duration;

use authz_pin_record::drift::Drift;
use authz_pin_record::findings::Finding;
use authz_pin_record::kinds::Level;
use indexmap::IndexMap;
use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};

use super::issue::{self, Issue, Rule, behind_marks, change};
use super::{Outcome, Report};

/// Writes the document.
pub fn write(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    let mut document = quick_junit::Report::new(format!("authz-pin {}", report.suite));
    document.set_time(Duration::from_secs_f64(report.totals.seconds));
    let suites = report.endpoints.iter();
    document.add_test_suites(suites.map(|outcome| suite(report, outcome)));
    let is_swept = |issue: &Issue<'_>| report.endpoints.iter().any(|it| it.name == issue.name);
    let others = issue::beside(report).filter(|issue| !is_swept(issue));
    document.add_test_suites(others.map(|issue| other(&report.suite, &issue)));
    let text = document.to_string().map_err(io::Error::other)?;
    out.write_all(without_skipped(&text).as_bytes())
}

/// Of the root, which comes first, Jenkins's schema knows no number of skipped tests. Nothing is skipped here, and in a
/// name this cannot stand, since quotes are escaped there.
fn without_skipped(text: &str) -> String {
    text.replacen(" skipped=\"0\"", "", 1)
}

/// What is said of one cell, or of none.
#[derive(Default)]
struct Notes<'a> {
    drifts: Vec<&'a Drift>,
    findings: Vec<&'a Finding>,
}

/// The target and the actor.
type At<'a> = Option<(&'a str, &'a str)>;

fn suite(report: &Report, outcome: &Outcome) -> TestSuite {
    let class = format!("{}.{}", report.suite, outcome.name);
    let cases = notes(outcome).into_iter();
    let cases = cases.map(|(at, notes)| case(at, &notes));
    let whole = issue::of_whole(outcome).map(|rule| whole(&rule));
    let beside = issue::beside(report).filter(|issue| issue.name == outcome.name);
    let beside = beside.map(|issue| beside_case(issue.lines.first(), &issue));
    let mut suite = TestSuite::new(outcome.name.as_str());
    let cases = whole.into_iter().chain(beside).chain(cases);
    suite.add_test_cases(cases.map(|mut case| {
        case.set_classname(class.as_str());
        case
    }));
    suite
}

/// What is about no endpoint that was swept.
fn other(name: &str, issue: &Issue<'_>) -> TestSuite {
    let mut case = beside_case(None, issue);
    case.set_classname(format!("{name}.{}", issue.name));
    let mut suite = TestSuite::new(issue.name);
    suite.add_test_case(case);
    suite
}

/// An endpoint can have several of one kind, which their first lines tell apart.
fn beside_case(line: Option<&String>, issue: &Issue<'_>) -> TestCase {
    let status = match issue.rule.level {
        Level::Allow => TestCaseStatus::success(),
        _ => failure(&issue.rule.id, issue.rule.title, issue.text()),
    };
    TestCase::new(line.unwrap_or(&issue.rule.id).as_str(), status)
}

/// Every cell that was swept, also where nothing is to be said of it, and those that were not and should have been.
fn notes(outcome: &Outcome) -> IndexMap<At<'_>, Notes<'_>> {
    let cells = outcome.now.iter();
    let mut all: IndexMap<At<'_>, Notes<'_>> = cells
        .map(|(target, actor, _)| (Some((target, actor)), Notes::default()))
        .collect();
    for drift in outcome.drifts() {
        let at = drift.target.as_deref().zip(drift.actor.as_deref());
        all.entry(at).or_default().drifts.push(drift);
    }
    for finding in &outcome.now.findings {
        let cell = finding.cell.as_ref();
        let at = cell.map(|cell| (cell.target.as_str(), cell.actor.as_str()));
        all.entry(at).or_default().findings.push(finding);
    }
    all
}

fn case(at: At<'_>, notes: &Notes<'_>) -> TestCase {
    let name = at.map_or_else(
        || "findings".to_owned(),
        |(target, actor)| format!("{actor} on {target}"),
    );
    let is_failure = |drift: &&&Drift| drift.level != Level::Allow;
    let failures: Vec<&Drift> = notes.drifts.iter().filter(is_failure).copied().collect();
    let harmless = notes.drifts.iter().filter(|drift| !is_failure(drift));
    let said = harmless.map(|drift| lines(drift));
    let said: Vec<String> = said
        .chain(
            notes
                .findings
                .iter()
                .map(|finding| behind_marks(&finding.cause())),
        )
        .collect();
    let mut case = TestCase::new(name, status(&failures));
    if !said.is_empty() {
        case.set_system_out(said.join("\n"));
    }
    case
}

fn status(failures: &[&Drift]) -> TestCaseStatus {
    let Some(worst) = failures.first() else {
        return TestCaseStatus::success();
    };
    let title = worst.kind.entry().map(|entry| entry.title.as_str());
    let texts: Vec<String> = failures.iter().map(|drift| lines(drift)).collect();
    failure(
        &worst.kind.id(),
        title.unwrap_or_default(),
        texts.join("\n"),
    )
}

fn lines(drift: &Drift) -> String {
    format!("{}\n{}", drift.kind.id(), change(&drift.was, &drift.is))
}

fn whole(rule: &Rule) -> TestCase {
    let text = rule.explanation.to_owned();
    TestCase::new("snapshot", failure(&rule.id, rule.title, text))
}

fn failure(kind: &str, message: &str, text: String) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status.set_type(kind);
    status.set_message(message);
    status.set_description(text);
    status
}

#[cfg(test)]
mod tests {
    use super::super::tests::large;
    use super::*;
    use authz_pin_record::drift::Kind;

    #[test]
    fn a_name_keeps_what_the_root_loses() {
        let mut report = large(1, 1, &[Kind::Widened]);
        " skipped=\"0\"".clone_into(&mut report.suite);
        let mut out = Vec::new();
        write(&mut out, &report).unwrap();
        let text = String::from_utf8(out).unwrap();
        let root = text.lines().nth(1).unwrap();
        assert!(
            root.starts_with("<testsuites name=\"authz-pin  skipped=&quot;0&quot;\" tests="),
            "{root}"
        );
        assert!(!root.contains("skipped=\"0"), "{root}");
    }
}
