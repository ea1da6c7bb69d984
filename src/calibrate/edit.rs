//! Rules that are added to a suite.yaml, of which every other byte stays as it is.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value as Json, json};

use super::Rule;
use crate::diagnostic::Position;
use crate::suite::SuiteFile;
use crate::yaml::{Document, NodePath, inline};

/// A rule, and why it is there.
type Reasoned = (Rule, String);

/// The text of a suite.yaml with rules added, each with a comment; none where the file is written in a way that leaves no
/// room for them, so that a person has to.
#[must_use]
pub fn add(file: &Path, text: &str, rules: &[Reasoned]) -> Option<String> {
    let mut edited = text.to_owned();
    for section in SECTIONS {
        let own = of_section(rules, section);
        if !own.is_empty() {
            edited = with(file, &edited, section, &own)?;
        }
    }
    is_right(file, text, &edited, rules).then_some(edited)
}

/// The rules as they would be written.
#[must_use]
pub fn shown(rules: &[Reasoned]) -> String {
    let mut out = String::new();
    for section in SECTIONS {
        let own = of_section(rules, section);
        if !own.is_empty() {
            out.extend([section, ":\n", &lines(&own, "  ", "\n")]);
        }
    }
    out
}

fn of_section<'a>(rules: &'a [Reasoned], section: &str) -> Vec<&'a Reasoned> {
    let is_own = |(rule, _): &&Reasoned| section_of(rule) == section;
    rules.iter().filter(is_own).collect()
}

const SECTIONS: [&str; 3] = ["texts", "unstable_columns", "endpoints"];

fn section_of(rule: &Rule) -> &'static str {
    match rule {
        Rule::Text { .. } => "texts",
        Rule::Column { .. } => "unstable_columns",
        Rule::Alone { .. } => "endpoints",
    }
}

fn entry((rule, because): &Reasoned) -> String {
    match rule {
        Rule::Column { key, name } => pair(key, &json!(name)),
        Rule::Alone { endpoint } => pair(endpoint, &json!({"alone": true})),
        Rule::Text { from, to } => inline(&json!({"from": from, "to": to, "because": because})),
    }
}

/// What stands within the braces of a map on one line.
fn pair(key: &str, value: &Json) -> String {
    let pair = inline(&json!({key: value}));
    let pair = pair
        .strip_prefix("{ ")
        .and_then(|pair| pair.strip_suffix(" }"));
    pair.unwrap_or_default().to_owned()
}

/// Entries of a block, each on a line below its comment.
fn lines(rules: &[&Reasoned], indent: &str, end: &str) -> String {
    let line = |rule: &&Reasoned| {
        let dash = if matches!(rule.0, Rule::Text { .. }) {
            "- "
        } else {
            ""
        };
        format!(
            "{indent}# {}{end}{indent}{dash}{}{end}",
            rule.1,
            entry(rule)
        )
    };
    rules.iter().map(line).collect()
}

/// Entries of a list or a map in brackets, each on a line below its comment.
fn flow_lines(rules: &[&Reasoned], end: &str) -> String {
    let line = |rule: &&Reasoned| format!("{end}    # {}{end}    {},", rule.1, entry(rule));
    let lines: String = rules.iter().map(line).collect();
    format!("{lines}{end}    ")
}

fn with(file: &Path, text: &str, section: &str, rules: &[&Reasoned]) -> Option<String> {
    let document = Document::parse(file, text.to_owned()).ok()?;
    let end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let Some(start) = document.position(&NodePath::from([section])) else {
        let gap = if text.ends_with('\n') { "" } else { end };
        let lines = lines(rules, "  ", end);
        return Some(format!("{text}{gap}{end}{section}:{end}{lines}"));
    };
    let at = offset(text, start);
    if text.get(at..)?.starts_with(['{', '[']) {
        return Some(inserted(text, at + 1, &flow_lines(rules, end)));
    }
    let lines = lines(rules, &indent(text, start), end);
    let at = block_end(&document, text, section);
    let gap = if text.get(..at)?.ends_with('\n') {
        ""
    } else {
        end
    };
    Some(inserted(text, at, &format!("{gap}{lines}")))
}

fn inserted(text: &str, at: usize, part: &str) -> String {
    let (before, after) = text.split_at_checked(at).unwrap_or((text, ""));
    format!("{before}{part}{after}")
}

/// How many bytes stand before a position.
fn offset(text: &str, position: Position) -> usize {
    let before: usize = text
        .split_inclusive('\n')
        .take(position.line - 1)
        .map(str::len)
        .sum();
    let line = text.get(before..).unwrap_or_default();
    let line = line.strip_prefix('\u{feff}').map_or(line, |rest| rest);
    let mark = text.get(before..).map_or(0, str::len) - line.len();
    let inside: usize = line
        .chars()
        .take(position.column - 1)
        .map(char::len_utf8)
        .sum();
    before + mark + inside
}

/// What stands before the first entry in its line, without the dash of a list.
fn indent(text: &str, start: Position) -> String {
    let line = text.lines().nth(start.line - 1).unwrap_or_default();
    line.chars().take_while(|c| *c == ' ').collect()
}

/// Where the last line of a section ends: before the next key of the file, and before what belongs to that one.
fn block_end(document: &Document, text: &str, section: &str) -> usize {
    let map = document.value().as_object();
    let keys = map
        .into_iter()
        .flatten()
        .map(|(key, _)| NodePath::from([key.as_str()]));
    let positions: Vec<Position> = keys
        .filter_map(|path| document.key_position(&path))
        .collect();
    let own = document.key_position(&NodePath::from([section]));
    let next = positions
        .into_iter()
        .filter(|position| Some(*position) > own)
        .min();
    let end = next.map_or(usize::MAX, |position| position.line - 1);
    let lines: Vec<&str> = text.split_inclusive('\n').take(end).collect();
    let is_between = |line: &&&str| line.trim().is_empty() || line.starts_with('#');
    let between = lines.iter().rev().take_while(is_between).count();
    lines
        .iter()
        .take(lines.len() - between)
        .map(|line| line.len())
        .sum()
}

/// Whether the edited text says what the old one said and the rules.
fn is_right(file: &Path, old: &str, new: &str, rules: &[Reasoned]) -> bool {
    let read = |text: &str| Document::parse(file, text.to_owned()).ok();
    let (Some(old), Some(new)) = (read(old), read(new)) else {
        return false;
    };
    let (Ok(mut was), Ok(is)) = (old.decode::<SuiteFile>(), new.decode::<SuiteFile>()) else {
        return false;
    };
    for (rule, because) in rules {
        rule.apply(&mut was, because);
    }
    let texts = |file: &SuiteFile| -> Vec<(String, String)> {
        let rules = file.texts.iter();
        rules
            .map(|rule| (rule.from.clone(), rule.to.clone()))
            .collect()
    };
    let others = [&old, &new].map(|document| others(document.value()));
    others[0] == others[1]
        && was.unstable_columns == is.unstable_columns
        && was.endpoints == is.endpoints
        && BTreeSet::from_iter(texts(&was)) == BTreeSet::from_iter(texts(&is))
}

/// What is not in a section for rules.
fn others(value: &Json) -> Vec<(&String, &Json)> {
    let entries = value.as_object().into_iter().flatten();
    let others = entries.filter(|(key, _)| !SECTIONS.contains(&key.as_str()));
    others.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "name: a\nsnapshots: b\nservice: { ready: / }\n";

    fn rules() -> Vec<Reasoned> {
        let column = Rule::Column {
            key: "note.stamp".to_owned(),
            name: "<number>".to_owned(),
        };
        let text = Rule::Text {
            from: "b, a".to_owned(),
            to: "a, b".to_owned(),
        };
        vec![
            (column, "new each time".to_owned()),
            (text, "both were seen".to_owned()),
        ]
    }

    fn added(text: &str) -> Option<String> {
        add(Path::new("suite.yaml"), text, &rules())
    }

    /// What was there is there still, in its order.
    fn keeps(old: &str, new: &str) -> bool {
        let mut rest = new;
        old.split_inclusive('\n').all(|line| {
            let found = rest.find(line);
            rest = found
                .and_then(|at| rest.get(at + line.len()..))
                .unwrap_or_default();
            found.is_some()
        })
    }

    #[test]
    fn rules_are_added_to_sections_as_they_are_written() {
        let block = format!(
            "{HEAD}\n# Of columns.\nunstable_columns:\n    a.b: <x> # why\n    # last\n\n# Of texts.\ntexts:\n- from: x\n  to: z\n  because: y\n\n# The end.\nlevels: {{}}\n"
        );
        let texts = [
            HEAD.to_owned(),
            HEAD.trim_end().to_owned(),
            block.clone(),
            block.replace('\n', "\r\n"),
            format!("{HEAD}unstable_columns: {{ a.b: <x> }} # one\ntexts: []\n"),
            format!("{HEAD}texts: [{{ from: x, to: z, because: y }}]\nunstable_columns: {{}}"),
        ];
        for text in texts {
            let new = added(&text).unwrap();
            assert!(new.contains("# new each time"), "{new}");
        }
        let new = added(&block).unwrap();
        assert!(keeps(&block, &new), "{new}");
        insta::assert_snapshot!(new, @r#"
        name: a
        snapshots: b
        service: { ready: / }

        # Of columns.
        unstable_columns:
            a.b: <x> # why
            # last
            # new each time
            note.stamp: <number>

        # Of texts.
        texts:
        - from: x
          to: z
          because: y
        # both were seen
        - { from: "b, a", to: "a, b", because: both were seen }

        # The end.
        levels: {}
        "#);
    }

    #[test]
    fn a_section_that_is_null_is_left_to_a_person() {
        assert_eq!(added(&format!("{HEAD}texts: null\n")), None);
    }
}
