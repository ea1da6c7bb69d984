//! Values that can stand anywhere by chance, such as the numbers that a database counts: they name themselves where an
//! identifier stands, and attribute nothing.

use std::borrow::Cow;
use std::ops::Range;

use serde_json::Value as Json;

/// A number of that many digits is nobody's by chance.
const LONG: usize = 10;
/// Any text that is shorter is part of many others.
const SHORT: usize = 4;

/// Whether a value can stand anywhere by chance.
pub(crate) fn is_common(value: &str) -> bool {
    value.len() < SHORT || value.len() < LONG && value.bytes().all(|byte| byte.is_ascii_digit())
}

/// The text of a number, or of a text that could stand anywhere by chance.
pub(super) fn text_of(json: &Json) -> Option<Cow<'_, str>> {
    let text = match json {
        Json::Number(number) => Cow::Owned(number.to_string()),
        Json::String(text) => Cow::Borrowed(text.as_str()),
        _ => return None,
    };
    is_common(&text).then_some(text)
}

/// The words of a text that stand alone, and are no part of a number with a point.
pub(super) fn words(text: &str) -> impl Iterator<Item = Range<usize>> {
    let words = text.split(|c| !is_of_word(c));
    let mut from = 0;
    let ranges = words.map(move |word| {
        let start = from;
        from = start + word.len() + text.get(start + word.len()..).map_or(0, first_length);
        start..start + word.len()
    });
    ranges.filter(move |word| !word.is_empty() && stands_alone(text, word))
}

fn first_length(text: &str) -> usize {
    text.chars().next().map_or(0, char::len_utf8)
}

/// Words before a colon with which a number counts something.
const COUNTS: [&str; 9] = [
    "arrayconnection",
    "cursor",
    "index",
    "limit",
    "offset",
    "page",
    "position",
    "size",
    "skip",
];

/// Whether a part of a text stands behind what it is the identifier of, such as `User:17` or `gid://shop/User/17`.
pub(super) fn is_typed(text: &str, part: &Range<usize>) -> bool {
    let is_between = |c: char| matches!(c, ':' | '/' | '|' | '#');
    let before = text.get(..part.start).unwrap_or_default();
    let behind = text.get(part.end..).unwrap_or_default().chars().next();
    let kind = before.strip_suffix(is_between).unwrap_or_default();
    let rest = kind.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let kind = kind.get(rest.len()..).unwrap_or_default();
    kind.len() >= SHORTEST_KIND
        && behind.is_none_or(is_between)
        && !COUNTS.iter().any(|count| count.eq_ignore_ascii_case(kind))
}

/// Fewer letters come by chance.
const SHORTEST_KIND: usize = 3;

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '-'
}

fn stands_alone(text: &str, word: &Range<usize>) -> bool {
    let mut before = text.get(..word.start).unwrap_or_default().chars().rev();
    let mut behind = text.get(word.end..).unwrap_or_default().chars();
    let goes_on = |first: Option<char>, second: Option<char>| match first {
        Some('.' | ':') => second.is_some_and(|c| c.is_ascii_digit()),
        Some(c) => is_of_word(c),
        None => false,
    };
    !goes_on(before.next(), before.next()) && !goes_on(behind.next(), behind.next())
}
