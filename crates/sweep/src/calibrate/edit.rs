//! Rules that are added to a suite.yaml, of which every other byte stays as it is.

use std::collections::BTreeSet;
use std::path::Path;

use authz_pin_suite::diagnostic::Position;
use authz_pin_suite::suite::{BackgroundSpec, HeaderPattern, SuiteFile};
use authz_pin_suite::yaml::{Document, NodePath, inline};
use globset::escape;
use serde_json::{Value as Json, json};

use super::Rule;
use crate::sweep::Own;

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
    let (mut out, mut last) = (String::new(), "");
    for section in SECTIONS {
        let own = of_section(rules, section);
        if own.is_empty() {
            continue;
        }
        let first = section.first().copied().unwrap_or_default();
        if last == first {
            out.push_str(&headers(section.get(1..).unwrap_or_default(), "  ", "\n"));
        } else {
            out.push_str(&headers(section, "", "\n"));
        }
        last = first;
        out.push_str(&lines(&own, &"  ".repeat(section.len()), "\n"));
    }
    out
}

/// The keys on the way to a section, each on a line of its own.
fn headers(section: Section, indent: &str, end: &str) -> String {
    let keys = section.iter().enumerate();
    let line = |(depth, key): (usize, &&str)| format!("{indent}{}{key}:{end}", "  ".repeat(depth));
    keys.map(line).collect()
}

fn of_section(rules: &[Reasoned], section: Section) -> Vec<&Reasoned> {
    let is_own = |(rule, _): &&Reasoned| section_of(rule) == section;
    rules.iter().filter(is_own).collect()
}

/// The way to where rules of one sort stand: a key of the file, or one below it.
type Section = &'static [&'static str];

const SECTIONS: [Section; 8] = [
    &["refusal", "ignore"],
    &["texts"],
    &["values", "unstable"],
    &["headers", "ignore"],
    &["unstable_columns"],
    &["background", "tables"],
    &["background", "columns"],
    &["endpoints"],
];

fn section_of(rule: &Rule) -> Section {
    match rule {
        Rule::Ignore { .. } => &["refusal", "ignore"],
        Rule::Text { .. } | Rule::Pattern { .. } => &["texts"],
        Rule::Value { .. } => &["values", "unstable"],
        // It stands in another file.
        Rule::Mask { .. } => &[],
        Rule::Header { .. } => &["headers", "ignore"],
        Rule::Column { .. } => &["unstable_columns"],
        Rule::Background(Own::Table(_)) => &["background", "tables"],
        Rule::Background(Own::Columns(_)) => &["background", "columns"],
        Rule::Alone { .. } => &["endpoints"],
    }
}

fn entry((rule, because): &Reasoned) -> String {
    match rule {
        Rule::Column { key, name } => pair(key, &json!(name)),
        Rule::Alone { endpoint } => pair(&escape(endpoint), &json!({"alone": true})),
        Rule::Text { from, to } => inline(&json!({"from": from, "to": to, "because": because})),
        Rule::Header { name } => inline(&json!(escape(name))),
        Rule::Pattern { pattern, lists } if lists.is_empty() => {
            inline(&json!({"pattern": pattern, "because": because}))
        }
        Rule::Pattern { pattern, lists } => {
            inline(&json!({"pattern": pattern, "lists": lists, "because": because}))
        }
        Rule::Ignore { path } => inline(&json!(path)),
        Rule::Value { at, name, endpoint } => {
            inline(&json!({"at": at, "as": name, "endpoints": [escape(endpoint)]}))
        }
        Rule::Mask { name, template, .. } => pair(name, &json!(template)),
        Rule::Background(Own::Table(table)) => inline(&json!(escape(table))),
        Rule::Background(Own::Columns(columns)) => match columns.as_slice() {
            [column] => inline(&json!(column)),
            columns => inline(&json!(columns)),
        },
    }
}

/// Whether rules of this sort stand in a list.
fn is_listed(rule: &Rule) -> bool {
    matches!(
        rule,
        Rule::Text { .. }
            | Rule::Header { .. }
            | Rule::Pattern { .. }
            | Rule::Ignore { .. }
            | Rule::Value { .. }
            | Rule::Background(_)
    )
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
        let dash = if is_listed(&rule.0) { "- " } else { "" };
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

fn with(file: &Path, text: &str, section: Section, rules: &[&Reasoned]) -> Option<String> {
    let document = Document::parse(file, text.to_owned()).ok()?;
    let end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let Some(start) = document.position(&path(section)) else {
        return with_section(&document, text, section, (rules, end));
    };
    let at = offset(text, start);
    if text.get(at..)?.starts_with(['{', '[']) {
        return Some(inserted(text, at + 1, &flow_lines(rules, end)));
    }
    let lines = lines(rules, &indent(text, start), end);
    at_end(&document, text, section, (&lines, end))
}

/// The same where the section is not there yet: at the end of the file, or of what it stands in.
fn with_section(
    document: &Document,
    text: &str,
    section: Section,
    (rules, end): (&[&Reasoned], &str),
) -> Option<String> {
    let (key, outer) = section.split_last()?;
    let outer_start = document.position(&path(outer));
    let Some(start) = outer_start.filter(|_| !outer.is_empty()) else {
        let gap = if text.ends_with('\n') { "" } else { end };
        let lines = lines(rules, &"  ".repeat(section.len()), end);
        let headers = headers(section, "", end);
        return Some(format!("{text}{gap}{end}{headers}{lines}"));
    };
    let at = offset(text, start);
    if text.get(at..)?.starts_with('{') {
        let entries: Vec<String> = rules.iter().map(|rule| entry(rule)).collect();
        let why = rules.first().map_or("", |rule| &rule.1);
        let part = format!(
            "{end}    # {why}{end}    {key}: [{}],{end}    ",
            entries.join(", ")
        );
        return Some(inserted(text, at + 1, &part));
    }
    let indent = indent(text, start);
    let lines = lines(rules, &format!("{indent}  "), end);
    let part = format!("{indent}{key}:{end}{lines}");
    at_end(document, text, outer, (&part, end))
}

/// Puts lines behind the last one of a section.
fn at_end(
    document: &Document,
    text: &str,
    section: &[&str],
    (lines, end): (&str, &str),
) -> Option<String> {
    let at = block_end(document, text, section);
    let gap = if text.get(..at)?.ends_with('\n') {
        ""
    } else {
        end
    };
    Some(inserted(text, at, &format!("{gap}{lines}")))
}

fn path(section: &[&str]) -> NodePath {
    section
        .iter()
        .fold(NodePath::root(), |path, key| path.join(*key))
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

/// Where the last line of a section ends: before the next key beside it or above it, and before what belongs to that one.
fn block_end(document: &Document, text: &str, section: &[&str]) -> usize {
    let own = document.key_position(&path(section));
    let keys = (0..section.len()).flat_map(|depth| keys_in(document, section.get(..depth)));
    let next = keys.filter(|position| Some(*position) > own).min();
    let end = next.map_or(usize::MAX, |position| position.line - 1);
    let lines: Vec<&str> = text.split_inclusive('\n').take(end).collect();
    // What is as far to the right as the entries belongs to them.
    let column = own.map_or(1, |position| position.column);
    let is_comment = |line: &str| {
        let inner = line.trim_start_matches(' ');
        inner.starts_with('#') && line.len() - inner.len() < column
    };
    let is_between = |line: &&&str| line.trim().is_empty() || is_comment(line);
    let between = lines.iter().rev().take_while(is_between).count();
    lines
        .iter()
        .take(lines.len() - between)
        .map(|line| line.len())
        .sum()
}

/// Where the keys of a map stand.
fn keys_in(document: &Document, outer: Option<&[&str]>) -> Vec<Position> {
    let outer = outer.unwrap_or_default();
    let map = outer
        .iter()
        .try_fold(document.value(), |map, key| map.get(key));
    let keys = map.and_then(Json::as_object).into_iter().flatten();
    let paths = keys.map(|(key, _)| path(outer).join(key));
    paths
        .filter_map(|path| document.key_position(&path))
        .collect()
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
    let others = [&old, &new].map(|document| others(document.value()));
    others[0] == others[1]
        && was.unstable_columns == is.unstable_columns
        && was.endpoints == is.endpoints
        && was.headers.only == is.headers.only
        && was.values.show == is.values.show
        && was.values.endpoints == is.values.endpoints
        && is_same_list(&was.values.unstable, &is.values.unstable)
        && ignored(&was) == ignored(&is)
        && is_same_background(was.background.clone(), is.background.clone())
        && is_same_list(&was.texts, &is.texts)
        && was.refusal.message == is.refusal.message
        && was.refusal.kind == is.refusal.kind
        && is_same_list(&was.refusal.ignore, &is.refusal.ignore)
}

/// Whether two lists have the same items, in whatever order.
fn is_same_list<T: PartialEq>(was: &[T], is: &[T]) -> bool {
    was.len() == is.len() && was.iter().all(|item| is.contains(item))
}

/// The names of headers that are not listed.
fn ignored(file: &SuiteFile) -> BTreeSet<&str> {
    let ignored = file.headers.ignore.iter();
    ignored.map(HeaderPattern::as_str).collect()
}

/// Whether two say the same, in whatever order.
fn is_same_background(mut was: BackgroundSpec, mut is: BackgroundSpec) -> bool {
    for spec in [&mut was, &mut is] {
        spec.tables
            .sort_unstable_by(|one, other| one.as_str().cmp(other.as_str()));
        spec.columns
            .sort_unstable_by(|one, other| one.columns().cmp(other.columns()));
    }
    was == is
}

/// What is not in a section for rules.
fn others(value: &Json) -> Vec<(&String, &Json)> {
    let entries = value.as_object().into_iter().flatten();
    let is_own = |key: &String| {
        let mut first = SECTIONS.iter().filter_map(|section| section.first());
        first.any(|first| first == key)
    };
    entries.filter(|(key, _)| !is_own(key)).collect()
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

    /// A table and columns that the service writes by itself, added.
    fn with_background(text: &str) -> String {
        let because = || "seen".to_owned();
        let columns = ["T.a", "T.b"].map(str::to_owned);
        let rules = [
            (Rule::Background(Own::Table("Log".to_owned())), because()),
            (Rule::Background(Own::Columns(columns.to_vec())), because()),
        ];
        add(Path::new("suite.yaml"), text, &rules).unwrap()
    }

    #[test]
    fn tables_and_columns_are_added_below_background_as_it_is_written() {
        let texts = [
            HEAD.to_owned(),
            format!("{HEAD}background: {{ tables: [a], wait_s: 1 }}\n"),
            format!("{HEAD}background: {{ wait_s: 1 }}"),
            format!("{HEAD}background:\n  wait_s: 1\n\n# Next.\nlevels: {{}}\n"),
            format!("{HEAD}background:\r\n  columns: [T.c]\r\n  tables:\r\n  - a\r\n"),
        ];
        for text in texts {
            let new = with_background(&text);
            assert_eq!(new.matches("# seen").count(), 2, "{new}");
        }
        let block = format!(
            "{HEAD}background:\n  wait_s: 1\n  tables:\n    - a # why\n    # last\n\n  # Of columns.\n  columns:\n  - T.c\n\n# The end.\nlevels: {{}}\n"
        );
        let new = with_background(&block);
        assert!(keeps(&block, &new), "{new}");
        insta::assert_snapshot!(new, @r"
        name: a
        snapshots: b
        service: { ready: / }
        background:
          wait_s: 1
          tables:
            - a # why
            # last
            # seen
            - Log

          # Of columns.
          columns:
          - T.c
          # seen
          - [T.a, T.b]

        # The end.
        levels: {}
        ");
    }

    #[test]
    fn a_section_that_is_null_is_left_to_a_person() {
        assert_eq!(added(&format!("{HEAD}texts: null\n")), None);
    }
}
