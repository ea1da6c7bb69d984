//! The forms of a report, each as a check of a service with a hole writes it, and against the schema of its format.

use std::sync::LazyLock;

use serde_json::Value as Json;
use uppsala::XsdValidator;

use super::output::check;
use super::place::{Place, project};
use super::stub::Stub;

const FORMS: [&str; 5] = ["github", "json", "junit", "markdown", "sarif"];

/// Two targets in which the hole shows, and one endpoint in which it does not.
const CHECK: [&str; 9] = [
    "check",
    "--filter",
    "key-info/key of team gamma",
    "--filter",
    "key-info/owner's key",
    "--filter",
    "key-list/*/owner",
    "--setting",
    r#"holes=["key-info"]"#,
];

/// What one check wrote.
struct Written(Place);

impl Written {
    fn by(place: Place, arguments: &[&str]) -> Self {
        Self::ended(1, place, arguments)
    }

    fn ended(code: i32, place: Place, arguments: &[&str]) -> Self {
        let reports = FORMS.map(|form| format!("--report={form}=out/{form}"));
        let reports = reports.iter().map(String::as_str);
        let arguments: Vec<&str> = arguments.iter().copied().chain(reports).collect();
        let ended = place.run(&arguments);
        assert_eq!(ended.code, Some(code), "{ended:#?}");
        Self(place)
    }

    fn text(&self, form: &str) -> String {
        std::fs::read_to_string(self.0.path("out").join(form)).unwrap()
    }

    fn json(&self, form: &str) -> Json {
        serde_json::from_str(&self.text(form)).unwrap()
    }
}

/// Starting a service takes longer than all that is asked of the forms, so one check serves these tests.
fn of_a_hole() -> &'static Written {
    static WRITTEN: LazyLock<Written> =
        LazyLock::new(|| Written::by(Place::with_litellm(), &CHECK));
    &WRITTEN
}

fn of_a_new_suite() -> Written {
    let stub = Stub::start(&[]);
    Written::by(
        Place::with("ping"),
        &["check", "ping", "--base-url", &stub.url()],
    )
}

#[test]
fn annotations_stand_at_the_lines_of_the_suite() {
    let written = of_a_hole();
    let text = written.text("github");
    let place = text.split("file=").nth(1).unwrap();
    let (file, rest) = place.split_once(",line=").unwrap();
    let line: usize = rest.split(',').next().unwrap().parse().unwrap();
    let suite = std::fs::read_to_string(written.0.path(file)).unwrap();
    assert_eq!(suite.lines().nth(line - 1), Some("  - owner's key"));
    insta::assert_snapshot!(text);
}

#[test]
fn a_comment_begins_with_the_verdict_and_what_widened() {
    insta::assert_snapshot!(of_a_hole().text("markdown"));
}

#[test]
fn each_cell_is_a_test_case_that_fails_where_the_cell_drifted() {
    let text = of_a_hole().text("junit");
    assert_eq!(broken_junit(&text), [""; 0]);
    insta::assert_snapshot!(without_time(&text));
}

#[test]
fn code_scanning_gets_a_rule_per_kind_and_a_result_per_group() {
    let log = of_a_hole().json("sarif");
    assert_eq!(
        broken("tests/schemas/sarif-schema-2.1.0.json", &log),
        [""; 0]
    );
    insta::assert_snapshot!(serde_json::to_string_pretty(&log["runs"][0]["results"]).unwrap());
}

#[test]
fn code_scanning_sees_the_same_log_in_every_run() {
    let again = Written::by(Place::with_litellm(), &CHECK);
    assert_eq!(again.text("sarif"), of_a_hole().text("sarif"));
}

#[test]
fn the_json_form_keeps_its_schema() {
    let schema = "docs/schemas/report.schema.json";
    assert_eq!(broken(schema, &of_a_hole().json("json")), [""; 0]);
    assert_eq!(broken(schema, &of_a_new_suite().json("json")), [""; 0]);
}

#[test]
fn a_shard_without_endpoints_is_valid_in_every_form() {
    let check = ["check", "ping", "--shard", "1/2"];
    let written = Written::ended(0, Place::with("ping"), &check);
    assert_eq!(broken_junit(&written.text("junit")), [""; 0]);
    let sarif = "tests/schemas/sarif-schema-2.1.0.json";
    assert_eq!(broken(sarif, &written.json("sarif")), [""; 0]);
    let report = "docs/schemas/report.schema.json";
    assert_eq!(broken(report, &written.json("json")), [""; 0]);
    assert_eq!(written.text("github"), "");
    insta::assert_snapshot!(written.text("markdown"), @r"
    ## authz-pin: ping is as pinned

    0 endpoints, 0 cells; 0 requests, 0 pinned findings.
    ");
}

#[test]
fn an_endpoint_without_a_snapshot_is_a_failure_in_every_form() {
    let written = of_a_new_suite();
    assert_eq!(broken_junit(&written.text("junit")), [""; 0]);
    let log = written.json("sarif");
    assert_eq!(
        broken("tests/schemas/sarif-schema-2.1.0.json", &log),
        [""; 0]
    );
    assert_eq!(log["runs"][0]["results"][0]["ruleId"], "no-snapshot");
    let forms = ["github", "junit", "markdown"].map(|form| without_time(&written.text(form)));
    insta::assert_snapshot!(forms.join("\n"));
}

#[test]
fn the_schemas_refuse_what_is_not_of_the_format() {
    let text = of_a_hole().text("junit");
    for (from, to) in [
        ("<testcase name=", "<testcase nome="),
        ("<failure ", "<failure colour=\"red\" "),
        ("<testcase ", "<case/><testcase "),
        ("<testsuites ", "<testsuites skipped=\"0\" "),
        (" time=\"", " time=\"soon "),
    ] {
        assert!(text.contains(from), "{from}");
        let broken = text.replacen(from, to, 1);
        assert_ne!(broken_junit(&broken), [""; 0], "{to}");
    }
    let mut log = of_a_hole().json("sarif");
    log["runs"][0]["results"][0]["level"] = "deny".into();
    assert_ne!(
        broken("tests/schemas/sarif-schema-2.1.0.json", &log),
        [""; 0]
    );
    let mut report = of_a_hole().json("json");
    report["endpoints"][0]["drift"] = "some".into();
    assert_ne!(broken("docs/schemas/report.schema.json", &report), [""; 0]);
}

#[test]
fn a_report_on_standard_output_is_alone_there() {
    let ended = check(&[], &["--report", "github=-"]);
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    let place = "::error file=ping/endpoints/ping.yaml,line=";
    assert!(ended.stdout.starts_with(place), "{ended:#?}");
    assert_eq!(ended.stdout.lines().count(), 1);
    assert!(
        ended.stderr.contains("ping has no snapshot yet"),
        "{ended:#?}"
    );
}

#[test]
fn two_reports_do_not_fit_on_standard_output() {
    for other in [["--report", "json=-"], ["--format", "json"]] {
        let arguments = [&["--report", "github=-"][..], &other[..]].concat();
        insta::allow_duplicates! {
            insta::assert_snapshot!(check(&[], &arguments).error(2), @r"
            error: standard output can hold one report
              = help: write the others to files
            ");
        }
    }
}

/// What keeps a JSON document from being valid.
fn broken(schema: &str, document: &Json) -> Vec<String> {
    let schema = std::fs::read_to_string(project().join(schema)).unwrap();
    // One pattern of SARIF's schema has a bracket too many and is no regular expression; an erratum mends it so.
    let schema = schema.replace("[a-zA-Z]{2}]?$", "[a-zA-Z]{2}$");
    let schema: Json = serde_json::from_str(&schema).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors = validator.iter_errors(document);
    errors.map(|error| error.to_string()).collect()
}

fn broken_junit(text: &str) -> Vec<String> {
    let schema = project().join("tests/schemas/junit-10.xsd");
    let schema = std::fs::read_to_string(schema).unwrap();
    let validator = XsdValidator::from_schema(&uppsala::parse(&schema).unwrap()).unwrap();
    let errors = validator.validate(&uppsala::parse(text).unwrap());
    errors.iter().map(ToString::to_string).collect()
}

/// All that differs between two runs.
fn without_time(text: &str) -> String {
    let mut parts = text.split(" time=\"");
    let first = parts.next().unwrap_or_default().to_owned();
    let rest = parts.map(|part| part.split_once('"').unwrap_or_default().1);
    first + &rest.collect::<String>()
}
