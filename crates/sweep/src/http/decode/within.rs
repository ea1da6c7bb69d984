//! JSON that does not stand alone in a body: several values after one another, in parts, or within a script.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::bytes::Regex;
use serde_json::{Deserializer, Value as Json};

use super::media::MediaType;

/// A call of a function with the value (JSONP), or what keeps scripts of others from reading it.
#[expect(clippy::unwrap_used, reason = "the pattern is a constant")]
static CALL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?s-u)^\s*(?:/\*\*/)?\s*(?:typeof [\w$.]+ === '?function'? && )?[A-Za-z_$][\w$.\[\]]*\(\s*([\[{].*[\]}])\s*\)\s*;?\s*$")
        .unwrap()
});
#[expect(clippy::unwrap_used, reason = "the pattern is a constant")]
static GUARDED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?s-u)^\s*(?:\)\]\}'?,?|(?:while|for)\s*\([1;]*\)\s*(?:;|\{\}))\s*([\[{].*)$")
        .unwrap()
});

/// The JSON in a body that is no JSON itself: one value by itself, several as a list.
pub(super) fn json(media_type: MediaType<'_>, bytes: &[u8]) -> Option<Json> {
    if media_type.is("multipart/mixed") {
        return parts(media_type, bytes);
    }
    let in_script = || {
        let found = CALL.captures(bytes).or_else(|| GUARDED.captures(bytes))?;
        serde_json::from_slice(found.get(1)?.as_bytes()).ok()
    };
    lines(bytes).or_else(in_script)
}

/// A text with blanks in place of what stands before each value (RFC 7464).
pub(super) fn separated(text: &str) -> Cow<'_, str> {
    if text.contains(SEPARATOR) {
        text.replace(SEPARATOR, " ").into()
    } else {
        text.into()
    }
}

const SEPARATOR: char = '\x1e';

/// Objects after one another, as a line each (NDJSON) or with a separator before each (RFC 7464).
fn lines(bytes: &[u8]) -> Option<Json> {
    let start = bytes.iter().find(|byte| !byte.is_ascii_whitespace())?;
    if !matches!(start, b'{' | b'\x1e') {
        return None;
    }
    let text = separated(std::str::from_utf8(bytes).ok()?);
    let values = Deserializer::from_str(&text).into_iter::<Json>();
    let values: Vec<Json> = values.collect::<Result<_, _>>().ok()?;
    one_or_more(values).filter(|json| {
        json.is_object()
            || json
                .as_array()
                .is_some_and(|all| all.iter().all(Json::is_object))
    })
}

/// The parts of a body (RFC 2046, section 5.1), each of which is JSON.
fn parts(media_type: MediaType<'_>, bytes: &[u8]) -> Option<Json> {
    let text = std::str::from_utf8(bytes).ok()?;
    let delimiter = format!("--{}", media_type.parameter("boundary")?);
    let parts = text.split(&delimiter).skip(1).filter_map(|part| {
        let part = part.replace("\r\n", "\n");
        // The end is a delimiter with two hyphens more.
        let part = (!part.starts_with("--")).then_some(part)?;
        let body = part
            .split_once("\n\n")
            .map(|(_, body)| body.trim().to_owned());
        Some(body.and_then(|body| serde_json::from_str::<Json>(&body).ok()))
    });
    one_or_more(parts.collect::<Option<_>>()?)
}

fn one_or_more(mut values: Vec<Json>) -> Option<Json> {
    match values.len() {
        0 => None,
        1 => values.pop(),
        _ => Some(Json::Array(values)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_after_one_another_are_a_list() {
        let lines = b"{\"a\": 1}\n{\"b\": 2}\n";
        assert_eq!(
            json(MediaType("application/x-ndjson"), lines),
            Some(json!([{"a": 1}, {"b": 2}]))
        );
        let records = b"\x1e{\"a\": 1}\n\x1e{\"b\": 2}\n";
        assert_eq!(
            json(MediaType("application/json-seq"), records),
            Some(json!([{"a": 1}, {"b": 2}]))
        );
        for other in ["{\"a\": 1} and more", "1 2 3", "", "{name} is no JSON"] {
            assert_eq!(
                json(MediaType("text/plain"), other.as_bytes()),
                None,
                "{other}"
            );
        }
    }

    #[test]
    fn a_value_within_a_script_is_read() {
        let scripts = [
            "callback({\"a\": [1]});",
            "/**/ typeof cb === 'function' && cb({\"a\": [1]});",
            ")]}',\n{\"a\": [1]}",
            "while(1);{\"a\": [1]}",
            "for(;;);{\"a\": [1]}",
        ];
        for script in scripts {
            let read = json(MediaType("application/javascript"), script.as_bytes());
            assert_eq!(read, Some(json!({"a": [1]})), "{script}");
        }
        assert_eq!(
            json(MediaType("application/javascript"), b"go(1); stop({})"),
            None
        );
    }

    #[test]
    fn parts_are_a_list() {
        let body = "--x\r\ncontent-type: application/json\r\n\r\n{\"a\":1}\r\n--x\r\n\r\n{\"b\":2}\r\n--x--\r\n";
        let read = json(
            MediaType("multipart/mixed; boundary=\"x\""),
            body.as_bytes(),
        );
        assert_eq!(read, Some(json!([{"a": 1}, {"b": 2}])));
        let text = body.replace("{\"b\":2}", "hello");
        assert_eq!(
            json(MediaType("multipart/mixed; boundary=x"), text.as_bytes()),
            None
        );
    }
}
