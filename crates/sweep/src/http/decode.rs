//! From the bytes of a body to what it is: JSON, a document that is read as a tree of JSON, or a text.

mod charset;
mod encoding;
mod events;
mod media;
mod parts;
mod table;
mod within;
pub(crate) mod xml;

#[cfg(feature = "encodings")]
mod codec;
#[cfg(not(feature = "encodings"))]
mod codec {
    //! A build without the formats of encodings knows none.

    use authz_pin_record::fault::Fault;

    pub(super) fn one(_: &str, _: &[u8]) -> Result<Vec<u8>, Fault> {
        Err(Fault::UnknownEncoding)
    }
}

#[cfg(feature = "pages")]
pub(crate) mod page;
#[cfg(not(feature = "pages"))]
pub(crate) mod page {
    //! A build that reads no pages has their texts.

    use serde_json::Value as Json;

    pub(super) fn tree(_: &str) -> Option<Json> {
        None
    }

    pub(crate) fn selected(_: &str, _: &str, _: Option<&str>) -> Option<String> {
        None
    }
}

use authz_pin_record::fault::Fault;
use reqwest::header::HeaderMap;
use serde_json::{Deserializer, Map, Value as Json, json};
use url::form_urlencoded;

use super::answer::{Body, Document, Form};
use media::MediaType;

pub(super) use encoding::decoded;

/// How many values of lines are read.
const MOST: usize = 200_000;

/// The body that these bytes are, by what the headers say of them.
pub(super) fn body(headers: &HeaderMap, bytes: &[u8]) -> Result<Body, Fault> {
    let bytes = decoded(headers, bytes)?;
    Ok(read(MediaType::of(headers), &bytes))
}

fn read(media_type: MediaType<'_>, bytes: &[u8]) -> Body {
    if bytes.is_empty() {
        return Body::Text(String::new());
    }
    if media_type.is_lines()
        && let Some(document) = lines(bytes)
    {
        return document;
    }
    let is_stream = media_type.is_events();
    if let Some(messages) = is_stream.then(|| events::messages(bytes)).flatten() {
        return Body::Json(messages);
    }
    if let Ok(json) = serde_json::from_slice(bytes) {
        return Body::Json(json);
    }
    if let Some(json) = within::json(media_type, bytes) {
        return Body::Json(json);
    }
    if media_type.begins("multipart/")
        && let Some(tree) = parts::by_name(media_type, bytes, &|own, bytes| part(own, bytes))
    {
        let text = String::from_utf8_lossy(bytes).into_owned();
        return Document::body(Form::Parts, text, tree);
    }
    let text = charset::text(bytes, media_type.parameter("charset"));
    if is_binary(media_type, &text) {
        return binary(media_type, bytes);
    }
    of_text(media_type, text, bytes)
}

/// The media type without its parameters.
pub(super) fn media_type(headers: &HeaderMap) -> &str {
    MediaType::of(headers).own()
}

/// Whether a body of that media type has fields.
pub(super) fn has_fields(headers: &HeaderMap) -> bool {
    let media_type = MediaType::of(headers);
    let tables = ["text/csv", "text/tab-separated-values"];
    media_type.is_json()
        || media_type.is_xml()
        || media_type.is_lines()
        || media_type.begins("multipart/")
        || tables.iter().any(|table| media_type.is(table))
}

/// Whether a body is said to be a page.
pub(super) fn is_page(headers: &HeaderMap) -> bool {
    MediaType::of(headers).is_page()
}

/// Whether a body is a stream of events, each of which is a message.
pub(super) fn is_events(headers: &HeaderMap) -> bool {
    MediaType::of(headers).is_events()
}

/// What ends each part of a body that comes bit by bit and need not end.
pub(super) fn ends_in_stream(headers: &HeaderMap) -> &'static [&'static [u8]] {
    let media_type = MediaType::of(headers);
    match () {
        () if media_type.is_events() => &[b"\n\n", b"\n\r\n", b"\r\r"],
        () if media_type.is_lines() => &[b"\n"],
        () => &[],
    }
}

/// A text that is no JSON in UTF-8.
fn of_text(media_type: MediaType<'_>, read: charset::Text<'_>, bytes: &[u8]) -> Body {
    let text = read.text;
    // What had to be replaced is not what the service said.
    if !read.is_replaced
        && text.as_bytes() != bytes
        && let Ok(json) = serde_json::from_str(&text)
    {
        return Body::Json(json);
    }
    let document =
        if media_type.is_xml() || text.trim_start().starts_with("<?xml") && !media_type.is_page() {
            xml::tree(&text).map(|tree| (Form::Xml, tree))
        } else if media_type.is("text/csv") || media_type.is("text/tab-separated-values") {
            table::rows(media_type, &text).map(|tree| (Form::Table, tree))
        } else if media_type.is("application/x-www-form-urlencoded") {
            Some((Form::Pairs, pairs(&text)))
        } else if media_type.is_page() || begins_a_page(&text) {
            page::tree(&text).map(|tree| (Form::Page, tree))
        } else {
            None
        };
    match document {
        Some((form, tree)) => Document::body(form, text.into_owned(), tree),
        None => Body::Text(text.into_owned()),
    }
}

/// Whether a text begins as a page does, whatever its media type is.
pub(super) fn begins_a_page(text: &str) -> bool {
    let start = text.trim_start().as_bytes();
    let begins = |with: &str| {
        start
            .get(..with.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(with.as_bytes()))
    };
    begins("<!doctype html") || begins("<html")
}

/// The body of a part, as one value.
fn part(media_type: MediaType<'_>, bytes: &[u8]) -> Json {
    // Parts of parts are not read: how deep they stand is the service's choice.
    let body = if media_type.begins("multipart/") {
        read(MediaType(""), bytes)
    } else {
        read(media_type, bytes)
    };
    match body {
        Body::Json(json) => json,
        Body::Text(text) => text.into(),
        Body::Document(document) => document.tree,
    }
}

/// Values of JSON after one another, as a list also where there is only one.
fn lines(bytes: &[u8]) -> Option<Body> {
    let text = std::str::from_utf8(bytes)
        .ok()?
        .trim_start_matches('\u{feff}');
    let separated = within::separated(text);
    let values = Deserializer::from_str(&separated).into_iter::<Json>();
    let values: Vec<Json> = values.take(MOST + 1).collect::<Result<_, _>>().ok()?;
    let is_read = !values.is_empty() && values.len() <= MOST;
    is_read.then(|| Document::body(Form::Lines, text.to_owned(), values.into()))
}

/// The pairs of a form; a name that is there several times has a list.
fn pairs(text: &str) -> Json {
    let mut all = Map::new();
    for (name, value) in form_urlencoded::parse(text.trim().as_bytes()) {
        enter(&mut all, name.into_owned(), value.into());
    }
    Json::Object(all)
}

/// Enters a member that is no list by itself; what is there already under that name becomes one.
fn enter(members: &mut Map<String, Json>, name: String, value: Json) {
    match members.get_mut(&name) {
        None => {
            members.insert(name, value);
        }
        Some(Json::Array(all)) => all.push(value),
        Some(one) => *one = Json::Array(vec![one.take(), value]),
    }
}

/// Whether bytes are no text: none of their character set, or with characters that no text has.
fn is_binary(media_type: MediaType<'_>, text: &charset::Text<'_>) -> bool {
    let is_written = |byte: u8| byte >= b' ' || b"\t\n\x0b\x0c\r\x1b\x1e".contains(&byte);
    let has_control = || !text.text.bytes().all(is_written);
    if media_type.is_text() {
        text.is_replaced && has_control()
    } else {
        text.is_replaced || has_control()
    }
}

/// Bytes that are no text: what they are said to be, about how many there are, and themselves as something that is
/// compared and never shown.
fn binary(media_type: MediaType<'_>, bytes: &[u8]) -> Body {
    // Each byte as one character, so that what is written in ASCII within is found.
    let text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
    let at_least = 4_usize.pow(bytes.len().ilog(4));
    let tree = json!({"bytes": {
        "type": media_type.own().to_ascii_lowercase(),
        "at_least": at_least,
        // A text with this character is never shown, however much of it looks like words.
        "content": format!("{text}{}", char::REPLACEMENT_CHARACTER),
    }});
    Document::body(Form::Bytes, text, tree)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(media_type: &str, bytes: impl AsRef<[u8]>) -> (Option<Form>, Json) {
        match read(MediaType(media_type), bytes.as_ref()) {
            Body::Json(json) => (None, json),
            Body::Text(text) => (None, text.into()),
            Body::Document(document) => (Some(document.form), document.tree),
        }
    }

    #[test]
    fn a_body_is_read_as_what_its_media_type_says() {
        let xml = tree("application/soap+xml", "<a><b>1</b></a>");
        assert_eq!(xml, (Some(Form::Xml), json!({"a": {"b": "1"}})));
        let table = tree("text/csv; charset=iso-8859-1", b"n\n\xe9\n");
        assert_eq!(table, (Some(Form::Table), json!([{"n": "\u{e9}"}])));
        let form = tree("application/x-www-form-urlencoded", "a=1&b=x+y&a=%32");
        assert_eq!(
            form,
            (Some(Form::Pairs), json!({"a": ["1", "2"], "b": "x y"}))
        );
        let one = tree("application/x-ndjson", "{\"a\": 1}\n");
        assert_eq!(one, (Some(Form::Lines), json!([{"a": 1}])));
        let parts = "--x\r\ncontent-type: text/xml\r\n\r\n<a/>\r\n--x\r\n\r\n{\"b\": 1}\r\n--x--";
        let all = json!({"part 1": {"type": "text/xml", "body": {"a": ""}}, "part 2": {"body": {"b": 1}}});
        assert_eq!(
            tree("multipart/mixed; boundary=x", parts),
            (Some(Form::Parts), all)
        );
    }

    #[test]
    fn what_is_not_what_its_media_type_says_stays_a_text() {
        for (media_type, text) in [
            ("text/xml", "<a><b></a>"),
            ("application/json", "{no}"),
            ("application/x-ndjson", "{\"a\": 1}\nno\n"),
            ("multipart/mixed; boundary=x", "--x\r\n\r\nhello"),
            ("text/plain", "a,b\n1,2\n"),
            ("", "<p>"),
        ] {
            assert_eq!(tree(media_type, text), (None, text.into()), "{media_type}");
        }
    }

    #[test]
    fn json_is_read_in_any_character_set() {
        let expected = (None, json!({"a": "\u{e9}"}));
        let utf_16: Vec<u8> = "\u{feff}{\"a\": \"\u{e9}\"}"
            .encode_utf16()
            .flat_map(u16::to_be_bytes)
            .collect();
        assert_eq!(tree("application/json", utf_16), expected);
        assert_eq!(
            tree("application/json", "\u{feff}{\"a\": \"\u{e9}\"}"),
            expected
        );
        assert_eq!(
            tree("application/json; charset=latin1", b"{\"a\": \"\xe9\"}"),
            expected
        );
    }

    #[test]
    fn bytes_that_are_no_text_are_told_from_texts() {
        let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
        let (form, tree_of) = tree("image/png", png);
        assert_eq!(form, Some(Form::Bytes));
        assert_eq!(tree_of["bytes"]["at_least"], json!(16));
        assert_eq!(
            tree("application/json", b"\x1f\x8b\x08\0\0\xff").0,
            Some(Form::Bytes)
        );
        assert_eq!(
            tree("application/octet-stream", "a,b\n"),
            (None, "a,b\n".into())
        );
        assert_eq!(
            tree("text/plain", b"no\xff\x1b[31m"),
            (None, "no\u{fffd}\u{1b}[31m".into())
        );
    }
}
