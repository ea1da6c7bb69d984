//! What is done to texts here and there.

use std::borrow::Cow;

use serde_json::Value as Json;

/// The beginning of a text that is longer than so many characters.
pub(crate) fn short(text: &str, most: usize) -> Cow<'_, str> {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()).into(),
        None => text.into(),
    }
}

/// A value as a text: one that is a text as it is, any other as JSON.
pub(crate) fn plain(value: &Json) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// Somebody else's words without characters that would steer a terminal.
pub(crate) fn printable(text: &str) -> String {
    let shown = |c: char| -> Box<dyn Iterator<Item = char>> {
        if c.is_control() {
            Box::new(c.escape_default())
        } else {
            Box::new(std::iter::once(c))
        }
    };
    text.chars().flat_map(shown).collect()
}

/// Whether a text is a UUID in its usual form (RFC 9562, section 4).
pub(crate) fn is_uuid(text: &str) -> bool {
    let lengths: Vec<usize> = text.split('-').map(str::len).collect();
    lengths == [8, 4, 4, 4, 12] && text.chars().all(|c| c == '-' || c.is_ascii_hexdigit())
}
