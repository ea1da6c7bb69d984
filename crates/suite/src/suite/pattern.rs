//! Patterns of texts that vary: what a named group matches stands as its name, or as a list in one order.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Captures, Regex, RegexBuilder};
use serde::Deserialize;

use super::compiled::{CompileError, is_a_text};
use crate::diagnostic::quoted;

/// How often a pattern is held against what it made of a text: what varies can stand in one line several times.
const ROUNDS: usize = 64;

/// Names that stand in records for something else.
const RESERVED: [&str; 8] = [
    "timestamp",
    "hidden",
    "ignored",
    "random",
    "whole",
    "page",
    "text",
    "secret",
];

/// A pattern that matches whole lines, with a named group for each part that varies.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct TextPattern {
    text: String,
    regex: Regex,
}

impl TextPattern {
    /// Whether it has a group of that name.
    #[must_use]
    pub fn has_group(&self, name: &str) -> bool {
        self.groups().any(|group| group == name)
    }

    /// The names of its groups.
    pub(crate) fn groups(&self) -> impl Iterator<Item = &str> {
        self.regex.capture_names().flatten()
    }

    /// The text with the name of each group in place of what it matches, but for `lists`, whose entries are put in order.
    #[must_use]
    pub fn applied(&self, text: &str, lists: &[String]) -> String {
        let mut text = text.to_owned();
        for _ in 0..ROUNDS {
            let next = self
                .regex
                .replace_all(&text, |found: &Captures<'_>| self.replaced(found, lists));
            match next {
                Cow::Owned(next) if next != text => text = next,
                _ => break,
            }
        }
        text
    }

    fn replaced(&self, found: &Captures<'_>, lists: &[String]) -> String {
        let whole = found.get(0).map_or(0..0, |whole| whole.range());
        let all = found.get(0).map_or("", |whole| whole.as_str());
        let (mut out, mut at) = (String::new(), whole.start);
        let between = |from: usize, to: usize| {
            all.get(from - whole.start..to - whole.start)
                .unwrap_or_default()
        };
        // A group within another one is a part of it.
        let groups = self
            .groups()
            .filter_map(|name| Some((name, found.name(name)?)));
        for (name, group) in groups {
            if group.start() < at {
                continue;
            }
            out.push_str(between(at, group.start()));
            if lists.iter().any(|list| list == name) {
                out.push_str(&sorted(group.as_str()));
            } else {
                out = out + "<" + name + ">";
            }
            at = group.end();
        }
        out + between(at, whole.end)
    }
}

impl TryFrom<String> for TextPattern {
    type Error = CompileError;

    fn try_from(text: String) -> Result<Self, CompileError> {
        let mistake = |message: String, help| {
            Err(CompileError {
                message,
                help: Some(help),
            })
        };
        let regex = match RegexBuilder::new(&text).multi_line(true).build() {
            Ok(regex) => regex,
            Err(error) => return Err(CompileError::of_regex(&text, &error)),
        };
        let shown = quoted(&text);
        let groups: Vec<&str> = regex.capture_names().flatten().collect();
        if groups.is_empty() {
            let help = "name what varies, for instance `(?<id>[0-9a-f]{16})`";
            return mistake(format!("{shown} has no named group"), help);
        }
        if let Some(name) = groups.iter().find(|name| RESERVED.contains(name)) {
            let help = "give the group another name";
            return mistake(
                format!("`<{name}>` stands for something else in records"),
                help,
            );
        }
        // After flags, such as `(?i)`.
        let start = text
            .split_once("(?")
            .filter(|(before, _)| before.is_empty());
        let start = start.and_then(|(_, flags)| flags.split_once(')'));
        let is_flags = |flags: &str| {
            flags
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte == b'-')
        };
        let start = start
            .filter(|(flags, _)| is_flags(flags))
            .map_or(&*text, |(_, rest)| rest);
        if !start.starts_with('^') || !text.ends_with('$') || text.ends_with("\\$") {
            let help = "begin it with `^` and end it with `$`: it is held against whole lines";
            return mistake(format!("{shown} could match in any text"), help);
        }
        if has_alternatives(start) {
            let help = "put what can be either in a group, such as `^(?:a|b)$`";
            let message = format!("{shown} has `^` and `$` in one of its alternatives each");
            return mistake(message, help);
        }
        Ok(Self { text, regex })
    }
}

/// Whether a regular expression is several, of which each begins and ends where it likes.
fn has_alternatives(pattern: &str) -> bool {
    let (mut depth, mut is_class) = (0_usize, false);
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => drop(chars.next()),
            '[' => is_class = true,
            ']' => is_class = false,
            _ if is_class => {}
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            '|' if depth == 0 => return true,
            _ => {}
        }
    }
    false
}

/// What stands around the entries of a list.
#[expect(clippy::unwrap_used, reason = "the pattern is a constant")]
static BRACKETS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?s)\A(\s*(?:[A-Za-z]*[\[({]+)?\s*)(.*?)(\s*,?\s*[\])}]*\s*)\z").unwrap()
});

/// What is between the entries of a list, or an entry in quotes, which can hold such.
#[expect(clippy::unwrap_used, reason = "the pattern is a constant")]
static BETWEEN: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r#""(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|(?<line>\s*\n\s*)|(?<mark>\s*[,;|]\s*(?:(?:and|or)\s+)?|\s+(?:and|or)\s+)"#,
    )
    .unwrap()
});

/// A list with its entries in order, in the form that it has.
pub(crate) fn sorted(text: &str) -> String {
    let (parts, between) = parts(text);
    let mut entries: Vec<&str> = parts
        .iter()
        .copied()
        .filter(|part| !part.is_empty())
        .collect();
    entries.sort_unstable();
    let mut entries = entries.into_iter();
    let mut between = between.into_iter();
    let mut out = between.next().unwrap_or_default().to_owned();
    for part in parts {
        let entry = if part.is_empty() {
            None
        } else {
            entries.next()
        };
        out.push_str(entry.unwrap_or_default());
        out.push_str(between.next().unwrap_or_default());
    }
    out
}

/// The entries of a list, and what stands before, between and behind them. Of a list of several lines each is an entry.
fn parts(text: &str) -> (Vec<&str>, Vec<&str>) {
    let found = BRACKETS.captures(text);
    let group = |at: usize| {
        let group = found.as_ref().and_then(|found| found.get(at));
        group.map_or("", |group| group.as_str())
    };
    let (inner, mut parts, mut between, mut at) = (group(2), Vec::new(), vec![group(1)], 0);
    let by = if inner.contains('\n') { "line" } else { "mark" };
    let marks = BETWEEN
        .captures_iter(inner)
        .filter_map(|found| found.name(by));
    for mark in marks {
        parts.push(inner.get(at..mark.start()).unwrap_or_default());
        between.push(mark.as_str());
        at = mark.end();
    }
    parts.push(inner.get(at..).unwrap_or_default());
    between.push(group(3));
    (parts, between)
}

/// The entries of a list in order.
#[must_use]
pub fn entries(text: &str) -> Vec<&str> {
    let (mut parts, _) = parts(text);
    parts.retain(|part| !part.is_empty());
    parts.sort_unstable();
    parts
}

is_a_text!(TextPattern, |pattern| &pattern.text);

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> TextPattern {
        text.to_owned().try_into().unwrap()
    }

    #[test]
    fn what_a_named_group_matches_is_its_name_in_whole_lines_only() {
        let rule = pattern(r"^Denied \(request (?<id>[0-9a-f]{4})\)$");
        assert_eq!(
            rule.applied("Denied (request 12ab)", &[]),
            "Denied (request <id>)"
        );
        assert_eq!(
            rule.applied("x\nDenied (request 12ab)\ny", &[]),
            "x\nDenied (request <id>)\ny"
        );
        let others = ["Denied (request 12ab) by x", "Denied (request zz)"];
        assert_eq!(others.map(|text| rule.applied(text, &[])), others);
        let often = pattern(r#"^.*nonce="(?<nonce>\w+)".*$"#);
        assert_eq!(
            often.applied(r#"<a nonce="1"><b nonce="2">"#, &[]),
            r#"<a nonce="<nonce>"><b nonce="<nonce>">"#
        );
    }

    #[test]
    fn alternatives_within_a_line_are_none_of_the_whole() {
        for text in ["^(?<id>a|b)$", r"^(?<id>a)\|b$", "^(?<id>[|)]|a)[(|]$"] {
            assert_eq!(pattern(text).as_str(), text);
        }
    }

    #[test]
    fn a_list_is_one_text_in_any_order_and_form() {
        for (one, other) in [
            (r#"["b", "a, x"]"#, r#"["a, x", "b"]"#),
            ("{'b', 'a'}", "{'a', 'b'}"),
            ("('b', 'a',)", "('a', 'b',)"),
            ("frozenset({'b', 'a'})", "frozenset({'a', 'b'})"),
            ("b, a and c", "c, b and a"),
            ("- b\n- a", "- a\n- b"),
            ("b | a; c", "c | b; a"),
        ] {
            assert_eq!(sorted(one), sorted(other));
            assert_eq!(entries(one), entries(other));
        }
        assert_eq!(sorted("['b', 'a']"), "['a', 'b']");
        assert_ne!(sorted("['b', 'a']"), sorted("['b', 'c']"));
        assert_eq!(["", "[]", "a"].map(sorted), ["", "[]", "a"]);
        let rule = pattern(r"^One of: (?<these>.*)$");
        let lists = ["these".to_owned()];
        assert_eq!(
            rule.applied("One of: {'b', 'a'}", &lists),
            "One of: {'a', 'b'}"
        );
    }

    #[test]
    fn a_pattern_that_could_match_anything_or_names_nothing_is_a_mistake() {
        let said = |text: &str| {
            TextPattern::try_from(text.to_owned())
                .unwrap_err()
                .to_string()
        };
        assert_eq!(said("^a$"), "`^a$` has no named group");
        assert_eq!(said("(?<id>.)"), "`(?<id>.)` could match in any text");
        assert_eq!(
            said("^no (?<id>.)|gone$"),
            "`^no (?<id>.)|gone$` has `^` and `$` in one of its alternatives each"
        );
        assert_eq!(
            said(r"^(?<id>.)\$"),
            r"`^(?<id>.)\$` could match in any text"
        );
        assert_eq!(
            said("^(?<timestamp>.)$"),
            "`<timestamp>` stands for something else in records"
        );
        assert!(said("^(?<id>.)(?<id>.)$").contains("is not a regular expression"));
        assert!(said("^(?<id>").contains("is not a regular expression"));
        assert_eq!(pattern("(?is)^A(?<id>.)$").applied("ab", &[]), "a<id>");
    }
}
