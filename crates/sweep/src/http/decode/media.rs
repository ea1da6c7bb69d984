//! The media type of a body, as its headers say it.

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};

/// A media type with its parameters (RFC 9110, section 8.3.1).
#[derive(Clone, Copy)]
pub(super) struct MediaType<'h>(pub(super) &'h str);

/// Media types of texts beside `text/*`, and how such media types end.
const TEXTS: [&str; 5] = ["json", "xml", "javascript", "yaml", "x-www-form-urlencoded"];
/// Media types of values after one another.
const LINES: [&str; 8] = [
    "application/json-seq",
    "application/json-lines",
    "application/jsonl",
    "application/jsonlines",
    "application/ndjson",
    "application/x-jsonlines",
    "application/x-ndjson",
    "text/x-ndjson",
];

impl<'h> MediaType<'h> {
    pub(super) fn of(headers: &'h HeaderMap) -> Self {
        let value = headers
            .get(CONTENT_TYPE)
            .map_or(&b""[..], HeaderValue::as_bytes);
        // A parameter can have other bytes, and the type itself stands before.
        let chunk = value.utf8_chunks().next();
        Self(chunk.map_or("", |chunk| chunk.valid()))
    }

    /// The media type without its parameters.
    pub(super) fn own(self) -> &'h str {
        self.0.split(';').next().unwrap_or_default().trim()
    }

    pub(super) fn is(self, media_type: &str) -> bool {
        self.own().eq_ignore_ascii_case(media_type)
    }

    pub(super) fn begins(self, with: &str) -> bool {
        let head = self.own().get(..with.len());
        head.is_some_and(|head| head.eq_ignore_ascii_case(with))
    }

    fn ends(self, with: &str) -> bool {
        let own = self.own();
        let tail = own.len().checked_sub(with.len());
        let tail = tail.and_then(|at| own.get(at..));
        tail.is_some_and(|tail| tail.eq_ignore_ascii_case(with))
    }

    /// Whether it is that of a stream of events.
    pub(super) fn is_events(&self) -> bool {
        self.is("text/event-stream")
    }

    /// Whether it is that of a page (HTML).
    pub(super) fn is_page(&self) -> bool {
        self.is("text/html") || self.is("application/xhtml+xml")
    }

    /// Whether it is one of XML, and not of pages in XML.
    pub(super) fn is_xml(self) -> bool {
        ["text/xml", "application/xml"]
            .iter()
            .any(|xml| self.is(xml))
            || self.ends("+xml") && !self.is("application/xhtml+xml")
    }

    /// Whether it is one of JSON.
    pub(super) fn is_json(self) -> bool {
        ["application/json", "text/json"]
            .iter()
            .any(|json| self.is(json))
            || self.ends("+json")
    }

    /// Whether it is one of values of JSON after one another.
    pub(super) fn is_lines(self) -> bool {
        let own = self.own();
        LINES.iter().any(|lines| own.eq_ignore_ascii_case(lines))
    }

    /// Whether it is one of texts.
    pub(super) fn is_text(self) -> bool {
        self.begins("text/") || TEXTS.iter().any(|text| self.ends(text))
    }

    /// The value of a parameter.
    pub(super) fn parameter(self, name: &str) -> Option<&'h str> {
        let mut parameters = self.0.split(';').skip(1);
        parameters.find_map(|parameter| {
            let (other, value) = parameter.split_once('=')?;
            let is_it = other.trim().eq_ignore_ascii_case(name);
            is_it.then(|| value.trim().trim_matches(['"', '\'']))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_media_type_has_parameters_and_a_kind() {
        let soap = MediaType("Application/SOAP+xml ; charset=\"utf-8\"; action=x");
        assert!(soap.is_xml() && soap.is_text());
        assert_eq!(soap.parameter("Charset"), Some("utf-8"));
        assert_eq!(soap.parameter("boundary"), None);
        assert!(!MediaType("application/xhtml+xml").is_xml());
        assert!(MediaType("application/problem+JSON; charset=utf-8").is_json());
        assert!(!MediaType("application/x-ndjson").is_json());
        assert!(!MediaType("image/png").is_text());
        assert!(MediaType("application/x-ndjson").is_lines());
        assert_eq!(MediaType("").own(), "");
    }
}
