//! Values that can stand anywhere by chance, such as the numbers that a database counts: they name themselves where an
//! identifier stands, and attribute nothing.

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
pub(super) fn text_of(json: &Json) -> Option<String> {
    let text = match json {
        Json::Number(number) => number.to_string(),
        Json::String(text) => text.clone(),
        _ => return None,
    };
    is_common(&text).then_some(text)
}

/// Whether what stands under a key is an identifier, as its name says.
pub(crate) fn is_identifier(key: &str) -> bool {
    let ends = ["_id", "_ids", "-id", "-ids", "Id", "Ids", "ID", "IDs"];
    let lower = key.to_ascii_lowercase();
    matches!(lower.as_str(), "id" | "ids" | "pk") || ends.iter().any(|end| key.ends_with(end))
}

/// The words within a part of a text that stand alone in the whole of it, and are no part of a number with a point.
pub(super) fn words(text: &str, part: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let inner = text.get(part.clone()).unwrap_or_default();
    let words = inner
        .split(|c| !is_of_word(c))
        .filter(|word| !word.is_empty());
    let mut from = part.start;
    let ranges = words.filter_map(move |word| {
        let start = from + text.get(from..)?.find(word)?;
        from = start + word.len();
        Some(start..from)
    });
    ranges.filter(move |word| stands_alone(text, word))
}

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
