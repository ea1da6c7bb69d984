//! The record as text: YAML with one line per cell.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde::Serialize;

use super::cell::NOT_OBSERVED;
use super::{Cell, Effects, Format, Probed, Record, Rule, Scalar, Value, Values};
use crate::findings::Finding;
use crate::observation::{ColumnChange, RowChange};
use crate::yaml;

impl Record {
    /// Writes the record: the number of its format, then legends, one line per cell, one line per finding.
    pub fn to_yaml(&self) -> Result<String, yaml::Error> {
        let mut text = yaml::to_string(&Head::of(self))?;
        if !self.effects.is_empty() {
            text.push_str("effects:\n");
        }
        for (label, change) in &self.effects {
            effect(&mut text, &label.to_string(), change)?;
        }
        if let Some(legend) = &self.values {
            values(&mut text, legend)?;
        }
        if !self.shapes.is_empty() {
            text.push_str(&yaml::to_string(&Shapes::of(self))?);
        }
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
            let _ = writeln!(text, "- {}", finding.line());
        }
        Ok(text)
    }
}

/// What stands before the effects.
#[derive(Serialize)]
struct Head<'a> {
    format: Format,
    endpoint: &'a str,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    unobserved: &'a BTreeSet<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    gates: &'a BTreeMap<String, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    headers: &'a BTreeMap<String, BTreeSet<String>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    also: &'a BTreeMap<String, BTreeMap<String, String>>,
}

impl<'a> Head<'a> {
    fn of(record: &'a Record) -> Self {
        Self {
            format: record.format,
            endpoint: &record.endpoint,
            unobserved: &record.unobserved,
            gates: &record.gates,
            headers: &record.headers,
            also: &record.also,
        }
    }
}

#[derive(Serialize)]
struct Shapes<'a> {
    shapes: &'a BTreeMap<String, BTreeSet<String>>,
}

impl<'a> Shapes<'a> {
    fn of(record: &'a Record) -> Self {
        Self {
            shapes: &record.shapes,
        }
    }
}

/// A row change: a column is one line, as a cell is.
fn effect(text: &mut String, label: &str, change: &RowChange) -> Result<(), yaml::Error> {
    let RowChange { row, columns } = change;
    let _ = write!(text, "  {}", block_key(label, "\n  ")?);
    if row.is_empty() && columns.is_empty() {
        text.push_str(" {}");
    }
    text.push('\n');
    if !row.is_empty() {
        let _ = writeln!(text, "    row: {}", block(row)?);
    }
    if !columns.is_empty() {
        text.push_str("    columns:\n");
    }
    for (column, change) in columns {
        let change = match change {
            ColumnChange::Set(value) => block(value)?,
            ColumnChange::Changed { old, new } => {
                format!("{{old: {}, new: {}}}", flow(old), flow(new))
            }
        };
        let _ = writeln!(text, "      {} {change}", block_key(column, "\n      ")?);
    }
    Ok(())
}

/// The values of fields: one is a line.
fn values(text: &mut String, legend: &BTreeMap<String, Values>) -> Result<(), yaml::Error> {
    if legend.is_empty() {
        text.push_str("values: {}\n");
        return Ok(());
    }
    text.push_str("values:\n");
    for (label, values) in legend {
        let _ = writeln!(text, "  {}", block_key(label, "\n  ")?);
        for (path, value) in values {
            let path = block_key(path, "\n    ")?;
            let _ = writeln!(text, "    {path} {}", value_line(value)?);
        }
    }
    Ok(())
}

fn value_line(value: &Value) -> Result<String, yaml::Error> {
    let inline = |scalar: &Scalar| match scalar {
        Scalar::Text(text) => flow(text),
        other => other.to_string(),
    };
    Ok(match value {
        Value::One(Scalar::Text(text)) => block(text)?,
        Value::One(other) => other.to_string(),
        Value::Several(all) => {
            let all: Vec<String> = all.iter().map(inline).collect();
            format!("[{}]", all.join(", "))
        }
        Value::Items(classes) => {
            let classes = classes.iter();
            let classes: Vec<String> = classes
                .map(|(sort, count)| format!("{} {count}", key(sort, "")))
                .collect();
            format!("{{{}}}", classes.join(", "))
        }
    })
}

/// A text where nothing follows it on its line, as the rest of the file has it.
fn block(text: &str) -> Result<String, yaml::Error> {
    let written = yaml::to_string(text)?;
    let line = written.trim_end_matches('\n');
    // What would take several lines is escaped instead.
    let is_escaped = |c: char| c.is_control() || is_unreadable(c);
    if line.contains('\n') || text.contains(is_escaped) {
        return Ok(quoted(text));
    }
    Ok(line.to_owned())
}

fn block_key(text: &str, before_colon: &str) -> Result<String, yaml::Error> {
    let key = block(text)?;
    Ok(marked(&key, before_colon))
}

impl Finding {
    /// The finding as one line of YAML.
    #[must_use]
    pub fn line(&self) -> String {
        let mut parts = vec![format!("kind: {}", self.kind.id())];
        if let Some(cell) = &self.cell {
            parts.push(format!("target: {}", flow(&cell.target)));
            parts.push(format!("actor: {}", flow(&cell.actor)));
        }
        parts.push(format!("detail: {}", flow(&self.detail)));
        format!("{{{}}}", parts.join(", "))
    }
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
        let Self {
            decision,
            gate,
            headers,
            also,
            discloses,
            effects,
            probes,
            values,
            shape,
        } = self;
        let mut parts = vec![format!("{}: {}", decision.verdict(), decision.reply())];
        if let Rule::Named(rule) = decision.rule() {
            parts.push(format!("by: {}", scalar(rule)));
        }
        if !decision.refused().is_empty() {
            parts.push(format!("refused: {}", list(decision.refused())));
        }
        parts.extend(gate.iter().map(|gate| format!("gate: {}", scalar(gate))));
        parts.extend(headers.iter().map(|it| format!("headers: {}", scalar(it))));
        parts.extend(also.iter().map(|also| format!("also: {}", scalar(also))));
        if !discloses.is_empty() {
            parts.push(format!("discloses: {}", list(discloses)));
        }
        if !effects.is_empty() {
            parts.push(format!("effects: {}", effects.flow()));
        }
        if !probes.is_empty() {
            let probes = probes
                .iter()
                .map(|(name, brought)| format!("{} {}", key(name, ""), reply(brought)));
            parts.push(format!(
                "probes: {{{}}}",
                probes.collect::<Vec<_>>().join(", ")
            ));
        }
        parts.extend(values.iter().map(|it| format!("values: {}", scalar(it))));
        parts.extend(
            shape
                .iter()
                .map(|shape| format!("shape: {}", scalar(shape))),
        );
        format!("{{{}}}", parts.join(", "))
    }
}

/// A status is a number, and anything else a text.
fn reply(brought: &Probed) -> String {
    let text = brought.to_string();
    match text.parse::<u16>() {
        Ok(_) => text,
        Err(_) => scalar(&text),
    }
}

fn list<'i>(items: impl IntoIterator<Item = &'i (impl ToString + 'i)>) -> String {
    let items = items.into_iter().map(|item| scalar(&item.to_string()));
    format!("[{}]", items.collect::<Vec<_>>().join(", "))
}

/// A text as a key with its colon. YAML takes a long one only if it is marked, and the colon begins a line of its own
/// in a block.
fn key(text: &str, before_colon: &str) -> String {
    marked(&scalar(text), before_colon)
}

/// A key with its colon.
fn marked(key: &str, before_colon: &str) -> String {
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
    if is_word(text) {
        text.to_owned()
    } else {
        quoted(text)
    }
}

/// The same, but single-quoted where nothing has to be escaped: sentences and values have double quotes in them.
fn flow(text: &str) -> String {
    if is_word(text) {
        return text.to_owned();
    }
    if text.contains(|c: char| c.is_control() || is_unreadable(c)) {
        return quoted(text);
    }
    format!("'{}'", text.replace('\'', "''"))
}

/// Whether YAML reads a text that is not quoted as the same text.
fn is_word(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || " _./<>*()'-".contains(c);
    let word = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '<')
        && text.chars().all(plain)
        && !text.ends_with(' ');
    let reserved = [
        "true", "false", "null", "yes", "no", "on", "off", "y", "n", ".nan", ".inf",
    ];
    word && !reserved.contains(&text.to_ascii_lowercase().as_str())
}

/// As in JSON, whose escapes YAML has too. What JSON leaves as it is and YAML would read as the end of a line, or not at
/// all, is escaped as well.
fn quoted(text: &str) -> String {
    let json = serde_json::Value::from(text).to_string();
    let mut out = String::with_capacity(json.len());
    for character in json.chars() {
        if is_unreadable(character) {
            let _ = write!(out, "\\u{:04x}", u32::from(character));
        } else {
            out.push(character);
        }
    }
    out
}

/// What JSON leaves as it is, and YAML would not.
fn is_unreadable(c: char) -> bool {
    matches!(
        c,
        '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'
    )
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
