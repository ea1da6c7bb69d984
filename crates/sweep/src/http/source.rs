//! Where in an answer a value is.

use std::io::{self, Write};

use authz_pin_suite::suite::{PartSpec, Regex, Source};
use reqwest::header::SET_COOKIE;
use serde::Serialize;
use serde_json::Value as Json;
use serde_json::ser::{Formatter, Serializer};

use super::decode::page;
use super::{Answer, Body};

impl Answer {
    /// The value at that place, if the answer has it.
    #[must_use]
    pub fn value(&self, source: &Source) -> Option<String> {
        self.value_in(source, &self.body)
    }

    /// The same, with another body in place of the answer's own.
    pub(crate) fn value_in(&self, source: &Source, body: &Body) -> Option<String> {
        match source {
            Source::Path(path) => body.text_at(path),
            Source::Part(part) if self.is_of_all(part) => part.pattern.as_ref().map_or_else(
                || Some(self.body.text().into_owned()),
                |pattern| in_text(pattern, &self.body),
            ),
            Source::Part(part) => matched(part, self.part(part, body)?),
        }
    }

    /// Whether a part is the whole body as the service wrote it: with names in place of values there could be nothing that
    /// an expression matches.
    fn is_of_all(&self, part: &PartSpec) -> bool {
        let is_root = part.json.as_ref().is_some_and(|path| path.as_str() == "$");
        let is_named = part.json.is_some()
            || part.header.is_some()
            || part.cookie.is_some()
            || part.css.is_some();
        !is_named || is_root && !matches!(self.body, Body::Json(_))
    }

    fn part(&self, part: &PartSpec, body: &Body) -> Option<String> {
        match part {
            PartSpec {
                json: Some(path), ..
            } => body.text_at(path),
            PartSpec {
                header: Some(name), ..
            } => self.header(name),
            PartSpec {
                cookie: Some(name), ..
            } => self.cookie(name),
            PartSpec {
                css: Some(selector),
                attribute,
                ..
            } => page::selected(&body.text(), selector.as_str(), attribute.as_deref()),
            _ => None,
        }
    }

    /// A header as text; bytes that are not UTF-8 are replaced.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<String> {
        let value = self.headers.get(name)?;
        Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
    }

    /// The value of a cookie that the answer sets; of several with that name, the last one, as in a browser.
    fn cookie(&self, name: &str) -> Option<String> {
        let set = self.headers.get_all(SET_COOKIE).iter();
        let pairs = set.filter_map(|cookie| {
            let text = String::from_utf8_lossy(cookie.as_bytes()).into_owned();
            let (name, value) = text.split(';').next()?.split_once('=')?;
            Some((name.trim().to_owned(), value.trim().to_owned()))
        });
        let mut values = pairs.filter(|(set, value)| set == name && !value.is_empty());
        values.next_back().map(|(_, value)| value)
    }
}

/// What an expression matches in all of a body.
fn in_text(pattern: &Regex, body: &Body) -> Option<String> {
    let found = pattern.part_of(&body.text()).map(str::to_owned);
    found.or_else(|| match body {
        Body::Json(json) => pattern.part_of(&spaced(json)?).map(str::to_owned),
        _ => None,
    })
}

/// JSON as many write it, with a blank behind each comma and colon.
fn spaced(json: &Json) -> Option<String> {
    let mut out = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut out, Spaced);
    json.serialize(&mut serializer).ok()?;
    String::from_utf8(out).ok()
}

struct Spaced;

impl Formatter for Spaced {
    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        out.write_all(if first { b"" } else { b", " })
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        out.write_all(if first { b"" } else { b", " })
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        out.write_all(b": ")
    }
}

/// What the part's expression matches in its text, or all of it.
fn matched(part: &PartSpec, text: String) -> Option<String> {
    let Some(pattern) = &part.pattern else {
        return Some(text);
    };
    pattern.part_of(&text).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn answer() -> Answer {
        let headers = [
            ("location", "/projects/p-17?new"),
            ("set-cookie", "session=old; Path=/"),
            ("set-cookie", "session=s-1; HttpOnly; Path=/"),
            ("set-cookie", "gone=; Max-Age=0"),
        ];
        let headers = headers.map(|(name, value)| {
            let name = reqwest::header::HeaderName::from_static(name);
            (name, value.parse().unwrap())
        });
        let mut map = reqwest::header::HeaderMap::new();
        for (name, value) in headers {
            map.append(name, value);
        }
        Answer {
            status: 201,
            redirect: None,
            url: None,
            headers: map,
            body: Body::Json(json!({"self": "/projects/p-17", "n": 3})),
        }
    }

    fn value(source: serde_json::Value) -> Option<String> {
        answer().value(&serde_json::from_value(source).unwrap())
    }

    #[test]
    fn a_value_is_in_the_body_in_a_header_or_in_a_cookie() {
        assert_eq!(value(json!("$.n")).unwrap(), "3");
        assert_eq!(value(json!({"json": "$.n"})).unwrap(), "3");
        let location = value(json!({"header": "Location"}));
        assert_eq!(location.unwrap(), "/projects/p-17?new");
        assert_eq!(value(json!({"cookie": "session"})).unwrap(), "s-1");
        for nothing in [
            json!("$.m"),
            json!({"header": "X-Id"}),
            json!({"cookie": "gone"}),
        ] {
            assert_eq!(value(nothing), None);
        }
    }

    #[test]
    fn a_value_is_anywhere_in_the_text_of_a_body() {
        let value = |body: Body, source: serde_json::Value| {
            let answer = Answer { body, ..answer() };
            answer.value(&serde_json::from_value(source).unwrap())
        };
        let page = || Body::Text("<input name=csrf value=c-1>".to_owned());
        let csrf = json!({"match": "name=csrf value=([^>]+)"});
        assert_eq!(value(page(), csrf.clone()).unwrap(), "c-1");
        assert_eq!(
            value(page(), json!("$")).unwrap(),
            "<input name=csrf value=c-1>"
        );
        let input = json!({"css": "[name=csrf]", "attribute": "value"});
        assert_eq!(value(page(), input).unwrap(), "c-1");
        let part = json!({"css": "[name=csrf]", "attribute": "value", "match": "c-(.*)"});
        assert_eq!(value(page(), part).unwrap(), "1");
        assert_eq!(
            value(page(), json!({"body": "text"})),
            value(page(), json!("$"))
        );
        let json = || Body::Json(json!({"id": 7, "of": [1, 2]}));
        for pattern in [
            "\"id\":([0-9])",
            "\"id\": ([0-9])",
            "([0-9]), \"of\": \\[1, 2\\]",
        ] {
            let found = value(json(), json!({"body": "text", "match": pattern}));
            assert_eq!(found.unwrap(), "7", "{pattern}");
        }
        assert_eq!(value(json(), csrf), None);
    }

    #[test]
    fn a_value_is_what_the_first_group_matches_or_all_that_matches() {
        let cut = |pattern: &str| value(json!({"header": "location", "match": pattern}));
        assert_eq!(cut("/projects/([^?]+)").unwrap(), "p-17");
        assert_eq!(cut("p-[0-9]+").unwrap(), "p-17");
        assert_eq!(cut("^p-"), None);
        let path = value(json!({"json": "$.self", "match": "[^/]+$"}));
        assert_eq!(path.unwrap(), "p-17");
    }
}
