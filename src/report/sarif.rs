//! The report as SARIF 2.1.0, for code scanning: a rule per kind of drift and of finding, a result per group of drifts.
//!
//! The types are the few of the format that are written. `serde-sarif`, which has all of them, generates these from the
//! schema whenever it is built, and takes seven crates to do so.

mod rules;

use std::io::{self, Write};
use std::path::Path;

use authz_pin_record::drift::row;
use authz_pin_record::kinds::Level;
use authz_pin_record::text::RESERVED_IN_PATH;
use indexmap::IndexMap;
use percent_encoding::utf8_percent_encode;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::Report;
use super::issue::{self, Issue, Rule};

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

#[derive(Serialize)]
struct Log {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run {
    tool: Tool,
    automation_details: AutomationDetails,
    column_kind: &'static str,
    results: Vec<Finding>,
}

#[derive(Serialize)]
struct Tool {
    driver: Driver,
}

#[derive(Serialize)]
struct Driver {
    name: &'static str,
    version: &'static str,
    rules: Vec<Descriptor>,
}

#[derive(Serialize)]
struct AutomationDetails {
    id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    id: String,
    short_description: Message,
    full_description: Message,
    help: Message,
    default_configuration: Configuration,
}

#[derive(Serialize)]
struct Configuration {
    level: &'static str,
}

#[derive(Serialize)]
struct Message {
    text: String,
}

/// What SARIF calls a result.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Finding {
    rule_id: String,
    rule_index: usize,
    level: &'static str,
    message: Message,
    locations: [Location; 1],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_locations: Vec<Location>,
    partial_fingerprints: Fingerprints,
}

/// The version is that of what goes into it.
#[derive(Serialize)]
struct Fingerprints {
    #[serde(rename = "authzPin/v1")]
    drift: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    physical_location: PhysicalLocation,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Message>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation {
    artifact_location: ArtifactLocation,
    region: Region,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ArtifactLocation {
    uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    uri_base_id: Option<&'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: usize,
}

/// Writes the log of one run.
pub fn write(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    let rules: IndexMap<String, Rule> = rules::all();
    // Whoever closes a result of one endpoint has said nothing of another one, so each has a result of its own.
    let issues = issue::each(report);
    let results = issues
        .iter()
        .map(|issue| finding(&report.suite, &rules, issue));
    let run = Run {
        results: results.collect(),
        // A run of another suite does not close what this one found.
        automation_details: AutomationDetails {
            id: format!("authz-pin/{}/", report.suite),
        },
        column_kind: "unicodeCodePoints",
        tool: Tool {
            driver: Driver {
                name: "authz-pin",
                version: env!("CARGO_PKG_VERSION"),
                rules: rules.into_values().map(descriptor).collect(),
            },
        },
    };
    let log = Log {
        schema: SCHEMA,
        version: "2.1.0",
        runs: [run],
    };
    serde_json::to_writer_pretty(&mut *out, &log)?;
    writeln!(out)
}

fn descriptor(rule: Rule) -> Descriptor {
    let review = "Review with `cargo insta review` or `authz-pin review`.";
    Descriptor {
        help: message(format!("{}\n\n{review}", rule.explanation)),
        id: rule.id,
        short_description: message(rule.title),
        full_description: message(rule.explanation),
        default_configuration: Configuration {
            level: name(rule.level),
        },
    }
}

fn message(text: impl Into<String>) -> Message {
    Message { text: text.into() }
}

fn name(level: Level) -> &'static str {
    match level {
        Level::Deny => "error",
        Level::Warn => "warning",
        Level::Allow => "note",
    }
}

fn finding(suite: &str, rules: &IndexMap<String, Rule>, issue: &Issue<'_>) -> Finding {
    let id = rules::of(rules, issue);
    let endpoint = issue.name;
    Finding {
        rule_index: rules.get_index_of(id).unwrap_or_default(),
        rule_id: id.to_owned(),
        level: name(issue.rule.level),
        message: message(format!(
            "{endpoint}: {}\n{}",
            issue.rule.title,
            issue.text()
        )),
        locations: [location(issue, issue.line(), None)],
        related_locations: others(issue),
        partial_fingerprints: Fingerprints {
            drift: fingerprint(suite, issue),
        },
    }
}

/// The other targets, each at its line.
fn others(issue: &Issue<'_>) -> Vec<Location> {
    let line = |target: &str| issue.place.line_of(Some(target));
    let others = issue.cells.iter().skip(1);
    let other =
        |cells: (&String, &Vec<String>)| location(issue, line(cells.0), Some(message(row(cells))));
    others.map(other).collect()
}

fn location(issue: &Issue<'_>, line: usize, message: Option<Message>) -> Location {
    Location {
        physical_location: PhysicalLocation {
            artifact_location: artifact(&issue.place.file),
            region: Region { start_line: line },
        },
        message,
    }
}

/// A file below the working directory is named from there, as those want it who look at a repository.
fn artifact(file: &Path) -> ArtifactLocation {
    let path = utf8_percent_encode(&file.to_string_lossy(), RESERVED_IN_PATH).to_string();
    if file.is_absolute() {
        return ArtifactLocation {
            uri: format!("file://{path}"),
            uri_base_id: None,
        };
    }
    ArtifactLocation {
        uri: path,
        uri_base_id: Some("%SRCROOT%"),
    }
}

/// The same in every run that shows the same drift, whichever cells it shows it in: one cell more is no other issue.
fn fingerprint(suite: &str, issue: &Issue<'_>) -> String {
    let parts = [suite, issue.name, &issue.rule.id, &issue.was, &issue.is];
    let lines = issue.lines.iter().map(String::as_str);
    let parts: Vec<&str> = parts.into_iter().chain(lines).collect();
    hex::encode(Sha256::digest(parts.join("\0")))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{large, written};
    use super::*;
    use authz_pin_record::drift::{Comparison, Kind};

    /// What is told of the first endpoint of so many, each of which shows a field less than the one before.
    fn told_of_the_first(endpoints: usize) -> Vec<String> {
        let mut report = large(endpoints, 2, &[Kind::ValueShown]);
        for (number, outcome) in report.endpoints.iter_mut().enumerate() {
            let Comparison::Changed { drifts, .. } = &mut outcome.comparison else {
                panic!("no drift")
            };
            let fields = ["pay", "rank", "team"].into_iter().skip(number);
            let parts: Vec<_> = fields
                .map(|field| (format!("{field}: <none>"), format!("{field}: 1")))
                .collect();
            for drift in drifts {
                drift.parts.clone_from(&parts);
            }
        }
        let log: serde_json::Value = serde_json::from_str(&written(write, &report)).unwrap();
        let results = log["runs"][0]["results"].as_array().unwrap();
        let of_first = results.iter().filter(|result| {
            result["message"]["text"]
                .as_str()
                .unwrap()
                .starts_with("endpoint-0:")
        });
        of_first.map(ToString::to_string).collect()
    }

    #[test]
    fn what_is_told_of_an_endpoint_depends_on_no_other() {
        let alone = told_of_the_first(1);
        assert_eq!(alone.len(), 2);
        assert_eq!(told_of_the_first(3), alone);
    }

    #[test]
    fn a_file_is_a_uri_below_the_working_directory_or_of_the_machine() {
        let uri = |file: &str| artifact(Path::new(file)).uri;
        assert_eq!(uri("suites/a b/é%.yaml"), "suites/a%20b/%C3%A9%25.yaml");
        assert_eq!(uri("/tmp/x:y.yaml"), "file:///tmp/x%3Ay.yaml");
    }
}
