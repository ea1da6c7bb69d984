//! Reports in files, for a person and for programs.

use std::fs;
use std::path::Path;

use serde_json::{Value as Json, json};

use super::place::{Ended, Place};
use super::stub::Stub;

/// A master key that nobody could have drawn by chance.
const PLANTED: &str = "sk-planted-master-key-0123456789";
const HOLE: &str = r#"holes=["key-info"]"#;

/// A check of the one endpoint of the fixture `ping`.
fn ping(place: &Place, reports: &[&str]) -> Ended {
    let stub = Stub::start(&[]);
    let url = stub.url();
    let mut arguments = vec!["check", "ping", "--base-url", &url];
    for report in reports {
        arguments.extend(["--report", report]);
    }
    place.run(&arguments)
}

/// A check of the gateway with a hole, where the master key is planted.
fn hole(place: &Place, reports: &[&str]) {
    let mut arguments = vec!["check", "--filter", "key-info", "--setting", HOLE];
    for report in reports {
        arguments.extend(["--report", report]);
    }
    let ended = place.run_with(&[("AUTHZ_PIN_VAR_MASTER_KEY", PLANTED)], &arguments);
    assert_eq!(ended.code, Some(1), "{ended:#?}");
}

fn read(place: &Place, file: &str) -> String {
    fs::read_to_string(place.path(file)).unwrap()
}

fn parsed(text: &str) -> Json {
    serde_json::from_str(text).unwrap()
}

/// A block of JSON in a page.
fn block(page: &str, id: &str) -> Json {
    let start = format!("<script type=\"application/json\" id=\"{id}\">");
    let (_, rest) = page.split_once(&start).unwrap();
    parsed(rest.split_once("</script>").unwrap().0)
}

#[test]
fn reports_are_written_where_there_is_drift_into_folders_that_are_made() {
    let place = Place::with_litellm();
    hole(
        &place,
        &["html=out/new/report.html", "json=out/report.json"],
    );
    assert!(read(&place, "out/new/report.html").starts_with("<!doctype html>"));
    let report = parsed(&read(&place, "out/report.json"));
    assert_eq!(report["endpoints"][0]["drift"], "changed");
    let others = fs::read_dir(place.path("out")).unwrap().count();
    assert_eq!(others, 2, "a half file was left");
}

#[test]
fn a_report_as_json_has_what_was_before_and_how_to_repeat_what_changed() {
    let place = Place::with_litellm();
    hole(&place, &["json=report.json"]);
    let report = parsed(&read(&place, "report.json"));
    let endpoint = &report["endpoints"][0];
    let cell = |record: &str| &endpoint[record]["cells"]["owner's key"]["org_admin"];
    assert_eq!(
        (&cell("before")["denied"], &cell("record")["allowed"]),
        (&json!(403), &json!(200))
    );
    let expected = r#"curl "$BASE_URL/key/info" --url-query "key=$TARGET_KEY" -H "authorization: Bearer $ACTOR_KEY""#;
    assert_eq!(endpoint["calls"]["owner's key"]["org_admin"], expected);
    let unchanged = &endpoint["calls"]["owner's key"]["owner"];
    assert!(unchanged.is_null(), "{unchanged}");
}

#[test]
fn no_report_holds_a_secret() {
    let place = Place::with_litellm();
    hole(&place, &["html=report.html", "json=report.json"]);
    for file in ["report.html", "report.json"] {
        let text = read(&place, file);
        assert!(!text.contains(PLANTED), "{file}");
        let keys = text.split("sk-").skip(1);
        let drawn = keys.filter(|rest| {
            let length = rest.chars().take_while(char::is_ascii_alphanumeric).count();
            length >= 16
        });
        assert_eq!(drawn.count(), 0, "{file}");
    }
}

#[test]
fn the_page_loads_nothing() {
    let place = Place::with_litellm();
    hole(&place, &["html=report.html"]);
    let page = read(&place, "report.html");
    for sign in ["http://", "https://", " src=", "url(", "@import"] {
        assert!(!page.contains(sign), "{sign}");
    }
    assert!(page.contains("default-src 'none'"));
}

#[test]
fn only_the_facts_of_the_run_differ_between_two_pages() {
    let place = Place::with_litellm();
    hole(&place, &["html=first.html"]);
    hole(&place, &["html=second.html"]);
    let facts = |page: &str| {
        let is_fact = |line: &&str| line.contains("id=\"run\"");
        page.lines().find(is_fact).unwrap().to_owned()
    };
    let [first, second] = ["first.html", "second.html"].map(|file| read(&place, file));
    assert!(first.replace(&facts(&first), "") == second.replace(&facts(&second), ""));
    let names = block(&first, "run");
    let names: Vec<&String> = names.as_object().unwrap().keys().collect();
    assert_eq!(names, ["version", "made", "requests", "seconds"]);
}

#[test]
fn a_text_of_the_service_or_of_the_suite_cannot_leave_its_place_in_the_page() {
    let name = "</script><script>alert(1)</script>";
    let place =
        Place::with("ping").edit("ping/suite.yaml", "name: ping", &format!("name: '{name}'"));
    let ended = ping(&place, &["html=report.html"]);
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    let page = read(&place, "report.html");
    assert!(!page.contains(name));
    assert_eq!(block(&page, "data")["suite"], name);
}

#[test]
fn the_document_in_a_file_is_the_one_on_standard_output() {
    let place = Place::with("ping");
    let stub = Stub::start(&[]);
    let url = stub.url();
    let ended = place.run(&[
        "check",
        "ping",
        "--base-url",
        &url,
        "--format",
        "json",
        "--report",
        "json=report.json",
    ]);
    assert_eq!(ended.stdout, read(&place, "report.json"));
}

#[test]
fn a_form_that_is_not_known_is_told_which_are() {
    let error = ping(&Place::with("ping"), &["pdf=report.pdf"]).error(2);
    assert!(
        error.contains("invalid value 'pdf=report.pdf' for '--report <FORMAT=FILE>': `pdf` is not a form of a report, known: `github`, `html`, `json`, `junit`, `markdown`, `sarif`"),
        "{error}"
    );
}

#[test]
fn a_report_needs_a_form_and_a_file() {
    for (value, reason) in [
        (
            "report.html",
            "expected FORMAT=FILE, with a FORMAT of `github`, `html`, `json`, `junit`, `markdown`, `sarif`",
        ),
        ("html=", "expected a file after `=`"),
    ] {
        let error = ping(&Place::with("ping"), &[value]).error(2);
        assert!(error.contains(reason), "{error}");
    }
}

#[test]
fn a_report_that_cannot_be_written_is_an_error_that_names_the_file() {
    let place = Place::with("ping").write("taken", "a file");
    let error = ping(&place, &["html=taken/report.html"]);
    assert_eq!(error.code, Some(2), "{error:#?}");
    let expected = "error: cannot write the report `taken/report.html`: ";
    assert!(error.stderr.contains(expected), "{error:#?}");
    assert!(Path::new(&place.path("taken")).is_file());
}
