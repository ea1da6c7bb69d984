//! Rules that are added to a suite.yaml, of which every other byte stays as it is.

use std::path::Path;

use serde_json::{Value as Json, json};

use super::Rule;
use crate::diagnostic::{Diagnostics, Position};
use crate::suite::SuiteFile;
use crate::yaml::{Document, NodePath, inline};

/// A rule, and why it is there.
type Reasoned = (Rule, String);

/// The text of a suite.yaml with rules added, each with a comment; none where the file is written in a way that leaves no
/// room for them, so that a person has to.
pub fn add(file: &Path, text: &str, rules: &[Reasoned]) -> Result<Option<String>, Diagnostics> {
    let mut edited = text.to_owned();
    for section in SECTIONS {
        let own: Vec<&Reasoned> = rules
            .iter()
            .filter(|(rule, _)| section_of(rule) == section)
            .collect();
        if !own.is_empty() {
            edited = with(file, &edited, section, &own)?;
        }
    }
    Ok(is_right(file, text, &edited, rules).then_some(edited))
}

/// The rules as they would be written.
#[must_use]
pub fn shown(rules: &[Reasoned]) -> String {
    let mut out = String::new();
    for section in SECTIONS {
        let own: Vec<&Reasoned> = rules
            .iter()
            .filter(|(rule, _)| section_of(rule) == section)
            .collect();
        if !own.is_empty() {
            out.extend([section, ":\n", &lines(&own, "  ", "\n")]);
        }
    }
    out
}

const SECTIONS: [&str; 2] = ["texts", "unstable_columns"];

fn section_of(rule: &Rule) -> &'static str {
    match rule {
        Rule::Text { .. } => "texts",
        Rule::Column { .. } => "unstable_columns",
    }
}

fn entry((rule, because): &Reasoned) -> String {
    match rule {
        Rule::Column { key, name } => {
            let pair = inline(&json!({key.as_str(): name}));
            // What stands within the braces of a map on one line.
            let pair = pair.trim_start_matches("{ ").trim_end_matches(" }");
            pair.to_owned()
        }
        Rule::Text { from, to } => inline(&json!({"from": from, "to": to, "because": because})),
    }
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

fn with(
    file: &Path,
    text: &str,
    section: &str,
    rules: &[&Reasoned],
) -> Result<String, Diagnostics> {
    let document = Document::parse(file, text.to_owned())?;
    let end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let path = NodePath::from([section]);
    let position = |path: &NodePath| document.position(path);
    let Some(start) = position(&path) else {
        let gap = if text.ends_with('\n') { "" } else { end };
        return Ok(format!(
            "{text}{gap}{end}{section}:{end}{}",
            lines(rules, "  ", end)
        ));
    };
    let at = offset(text, start);
    if text
        .get(at..)
        .is_some_and(|rest| rest.starts_with(['{', '[']))
    {
        return Ok(inserted(text, at + 1, &flow_lines(rules, end)));
    }
    let indent = indent(text, start);
    let at = block_end(&document, text, section);
    let gap = if text.get(..at).is_some_and(|before| before.ends_with('\n')) {
        ""
    } else {
        end
    };
    Ok(inserted(
        text,
        at,
        &format!("{gap}{}", lines(rules, &indent, end)),
    ))
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
    let value = |text: &str| {
        Document::parse(file, text.to_owned()).map(|document| document.value().clone())
    };
    let (Ok(mut old), Ok(new_value), Ok(new)) = (value(old), value(new), read(file, new)) else {
        return false;
    };
    let mut others = new_value;
    for section in SECTIONS {
        for value in [&mut old, &mut others] {
            value.as_object_mut().map(|map| map.shift_remove(section));
        }
    }
    let has = |(rule, _): &Reasoned| match rule {
        Rule::Column { key, name } => new.unstable_columns.get(key) == Some(name),
        Rule::Text { from, to } => new
            .texts
            .iter()
            .any(|known| known.from == *from && known.to == *to),
    };
    same(&old, &others) && rules.iter().all(has)
}

fn same(one: &Json, other: &Json) -> bool {
    one == other
}

fn read(file: &Path, text: &str) -> Result<SuiteFile, Diagnostics> {
    Document::parse(file, text.to_owned())?.decode()
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
        add(Path::new("suite.yaml"), text, &rules()).unwrap()
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
        insta::assert_snapshot!(new, @"");
    }

    #[test]
    fn a_section_that_is_null_is_left_to_a_person() {
        assert_eq!(added(&format!("{HEAD}texts: null\n")), None);
    }
}
