//! The record as text: YAML with one line per cell.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde::Serialize;

use super::{Cell, Effects, NOT_OBSERVED, Record};
use crate::observation::RowChange;
use crate::yaml;

impl Record {
    /// Writes the record: legends first, one line per cell, findings last.
    pub fn to_yaml(&self) -> Result<String, yaml::Error> {
        let mut text = yaml::to_string(&Legends::of(self))?;
        text.push_str("cells:\n");
        for (target, row) in &self.cells {
            let _ = writeln!(text, "  {}", key(target, "\n  "));
            for (actor, cell) in row {
                let _ = writeln!(text, "    {} {}", key(actor, "\n    "), cell.line());
            }
        }
        if !self.findings.is_empty() {
            text.push_str("findings:\n");
        }
        for finding in &self.findings {
            text.push_str(&item(finding)?);
        }
        Ok(text)
    }
}

#[derive(Serialize)]
struct Legends<'a> {
    endpoint: &'a str,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    unobserved: &'a BTreeSet<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    gates: &'a BTreeMap<String, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    effects: &'a BTreeMap<String, RowChange>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    shapes: &'a BTreeMap<String, BTreeSet<String>>,
}

impl<'a> Legends<'a> {
    fn of(record: &'a Record) -> Self {
        Self {
            endpoint: &record.endpoint,
            unobserved: &record.unobserved,
            gates: &record.gates,
            effects: &record.effects,
            shapes: &record.shapes,
        }
    }
}

/// A finding as an item of a list. One of several lines is quoted, since the line ends at a snapshot's end are no content.
fn item(finding: &str) -> Result<String, yaml::Error> {
    if finding.contains(char::is_control) {
        return Ok(format!("- {}\n", scalar(finding)));
    }
    yaml::to_string(&[finding])
}

impl Effects {
    fn flow(&self) -> String {
        match self {
            Self::Observed(labels) => list(labels),
            Self::NotObserved => NOT_OBSERVED.to_owned(),
        }
    }
}

impl Cell {
    /// The cell as one line of YAML.
    #[must_use]
    pub fn line(&self) -> String {
        let answered = match self.fault {
            Some(_) => "fault",
            None => "status",
        };
        let mut parts = vec![format!("{answered}: {}", self.verdict())];
        parts.extend(
            self.gate
                .iter()
                .map(|gate| format!("gate: {}", scalar(gate))),
        );
        if !self.discloses.is_empty() {
            parts.push(format!("discloses: {}", list(&self.discloses)));
        }
        if !self.effects.is_empty() {
            parts.push(format!("effects: {}", self.effects.flow()));
        }
        if !self.probes.is_empty() {
            let probes = self
                .probes
                .iter()
                .map(|(name, reply)| format!("{} {reply}", key(name, "")));
            parts.push(format!(
                "probes: {{{}}}",
                probes.collect::<Vec<_>>().join(", ")
            ));
        }
        parts.extend(
            self.shape
                .iter()
                .map(|shape| format!("shape: {}", scalar(shape))),
        );
        format!("{{{}}}", parts.join(", "))
    }
}

fn list(items: &[String]) -> String {
    format!(
        "[{}]",
        items
            .iter()
            .map(|item| scalar(item))
            .collect::<Vec<_>>()
            .join(", ")
    )
}

/// A text as a key with its colon. YAML takes a long one only if it is marked, and the colon begins a line of its own
/// in a block.
fn key(text: &str, before_colon: &str) -> String {
    let key = scalar(text);
    if key.len() > MAX_KEY {
        format!("? {key}{before_colon}:")
    } else {
        format!("{key}:")
    }
}

/// How many bytes a key may have that is not marked.
const MAX_KEY: usize = 1_000;

/// A text as a plain YAML scalar where that reads back as the same text, else double-quoted as in JSON.
fn scalar(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || " _./<>*()'-".contains(c);
    let word = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '<')
        && text.chars().all(plain)
        && !text.ends_with(' ');
    let reserved = [
        "true", "false", "null", "yes", "no", "on", "off", "y", "n", ".nan", ".inf",
    ];
    if word && !reserved.contains(&text.to_ascii_lowercase().as_str()) {
        text.to_owned()
    } else {
        quoted(text)
    }
}

/// As in JSON, whose escapes YAML has too. What JSON leaves as it is and YAML would read as the end of a line, or not at
/// all, is escaped as well.
fn quoted(text: &str) -> String {
    let json = serde_json::Value::from(text).to_string();
    let unreadable = |c: char| {
        matches!(
            c,
            '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'
        )
    };
    let mut out = String::with_capacity(json.len());
    for character in json.chars() {
        if unreadable(character) {
            let _ = write!(out, "\\u{:04x}", u32::from(character));
        } else {
            out.push(character);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_yaml_would_read_as_something_else_are_quoted() {
        let texts = ["no", "12", "a: b", "owner's key", "<new.key>"].map(scalar);
        assert_eq!(
            texts,
            ["\"no\"", "\"12\"", "\"a: b\"", "owner's key", "<new.key>"]
        );
    }

    #[test]
    fn line_ends_of_every_alphabet_are_written_as_escapes() {
        let texts = ["a\nb", "\u{85}", "\u{2028}x", "\u{7f}", "é"].map(scalar);
        assert_eq!(
            texts,
            [
                r#""a\nb""#,
                r#""\u0085""#,
                r#""\u2028x""#,
                r#""\u007f""#,
                r#""é""#
            ]
        );
    }
}
