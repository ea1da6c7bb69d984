//! What is done to texts here and there.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC};
use serde_json::Value as Json;

/// The beginning of a text that is longer than so many characters.
#[must_use]
pub fn short(text: &str, most: usize) -> Cow<'_, str> {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()).into(),
        None => text.into(),
    }
}

/// A value as a text: one that is a text as it is, any other as JSON.
pub fn plain(value: &Json) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// A text with one blank for all that stand together.
#[must_use]
pub fn on_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether a value says nothing.
#[must_use]
pub fn is_empty(value: &Json) -> bool {
    match value {
        Json::Null => true,
        Json::String(text) => text.trim().is_empty(),
        Json::Array(items) => items.is_empty(),
        Json::Object(map) => map.is_empty(),
        Json::Bool(_) | Json::Number(_) => false,
    }
}

/// Whether a character ends a line, or turns the direction of what stands beside it (Unicode Standard Annex #9, section 2),
/// and is no control character.
#[must_use]
pub fn is_turning(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Somebody else's words without characters that would steer a terminal, or show words in another order than they have.
#[must_use]
pub fn printable(text: &str) -> String {
    let shown = |c: char| -> Box<dyn Iterator<Item = char>> {
        if c.is_control() || is_turning(c) {
            Box::new(c.escape_default())
        } else {
            Box::new(std::iter::once(c))
        }
    };
    text.chars().flat_map(shown).collect()
}

/// All but the characters that mean nothing in a URL (RFC 3986, section 2.3).
pub const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The same in a path, whose segments have slashes between them.
pub const RESERVED_IN_PATH: &AsciiSet = &RESERVED.remove(b'/');

/// The parts of a text between separators that are not in quotes, without what is empty. Within quotes, a backslash takes away
/// what the next character means (RFC 9110, section 5.6.4).
#[must_use]
pub fn parts(text: &str, at: char) -> Vec<String> {
    let mut parts = vec![String::new()];
    let (mut is_quoted, mut is_escaped) = (false, false);
    for c in text.chars() {
        if c == at && !is_quoted {
            parts.push(String::new());
            continue;
        }
        is_quoted ^= c == '"' && !is_escaped;
        is_escaped = is_quoted && c == '\\' && !is_escaped;
        if let Some(last) = parts.last_mut() {
            last.push(c);
        }
    }
    let parts = parts.into_iter().map(|part| part.trim().to_owned());
    parts.filter(|part| !part.is_empty()).collect()
}

/// A number of things: `1 cell`, `2 cells`.
#[must_use]
pub fn counted(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}

/// Names in backticks, separated by commas.
pub fn in_backticks(names: impl IntoIterator<Item = impl std::fmt::Display>) -> String {
    let names = names.into_iter().map(|name| format!("`{name}`"));
    names.collect::<Vec<_>>().join(", ")
}

/// Whether a text is a number of digits and nothing else.
#[must_use]
pub fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a text is a UUID in its usual form (RFC 9562, section 4).
pub fn is_uuid(text: &str) -> bool {
    let lengths: Vec<usize> = text.split('-').map(str::len).collect();
    lengths == [8, 4, 4, 4, 12] && text.chars().all(|c| c == '-' || c.is_ascii_hexdigit())
}

/// The words of a text: `updateTeam_v2` -> `update`, `team`, `v2`.
#[must_use]
pub fn words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        let next = characters.peek().copied().unwrap_or(' ');
        let ends_capitals = before.is_ascii_uppercase() && next.is_ascii_lowercase();
        let begins = c.is_ascii_uppercase() && (before.is_ascii_lowercase() || ends_capitals);
        if begins || !c.is_ascii_alphanumeric() {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| c.is_ascii_alphanumeric()) {
            word.push(c.to_ascii_lowercase());
        }
        before = c;
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Every text in a document.
pub fn leaves(json: &Json, texts: &mut impl FnMut(&str)) {
    match json {
        Json::String(text) => texts(text),
        Json::Array(items) => items.iter().for_each(|item| leaves(item, texts)),
        Json::Object(map) => map.iter().for_each(|(key, value)| {
            texts(key);
            leaves(value, texts);
        }),
        _ => {}
    }
}
