//! Where a header leads, with its query.

use percent_encoding::percent_decode_str;
use url::Url;

use super::marked::{Marks, is_mark};
use super::plain::{VALUE, shown, shown_under};
use crate::http::{NOWHERE, leads};
use crate::symbols::is_identifier;

/// What stands for a number that is counted up.
const NUMBER: &str = "<number>";

/// Where a location leads that an answer from `url` had, with marks for known values: a path on the same service, else a
/// whole URL without a port. Of the query, values of known names are named, and others shown if they are plain words.
pub(super) fn place(marks: &mut Marks<'_>, url: Option<&Url>, location: &str) -> String {
    let to = url.map_or_else(|| location.to_owned(), |url| leads(location, url));
    if to == NOWHERE {
        return to;
    }
    let to = marks.mark("", &to);
    let (to, fragment) = split(&to, '#');
    let (path, query) = split(to, '?');
    let mut out = segments(marks, path);
    if let Some(query) = query {
        out.push('?');
        out.push_str(&pairs(marks, query));
    }
    if let Some(fragment) = fragment {
        let is_query = fragment.contains('=');
        let shown = if is_query { pairs } else { segments };
        out.push('#');
        out.push_str(&shown(marks, fragment));
    }
    out
}

/// A place in which numbers that were counted up are not told: of what was made a moment ago.
pub(super) fn uncounted(place: &str) -> String {
    let (path, rest) = place.split_at(place.find(['?', '#']).unwrap_or(place.len()));
    let segments = path.split('/').map(|segment| {
        let is_number = !segment.is_empty() && segment.bytes().all(|b| b.is_ascii_digit());
        if is_number { NUMBER } else { segment }
    });
    format!("{}{rest}", segments.collect::<Vec<_>>().join("/"))
}

fn split(text: &str, at: char) -> (&str, Option<&str>) {
    match text.split_once(at) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}

/// A path, of which a segment that was drawn is not shown.
fn segments(marks: &mut Marks<'_>, path: &str) -> String {
    let segments = path.split('/').map(|segment| {
        // As an identifier: what stands in a path says of what the answer is.
        let segment = decoded(marks, "id", segment);
        shown(&segment)
    });
    segments.collect::<Vec<_>>().join("/")
}

/// A query by its names. Its order can be that of a map, which is another one each time.
fn pairs(marks: &mut Marks<'_>, query: &str) -> String {
    let pair = |pair: &str| {
        let (name, value) = split(pair, '=');
        let name = decoded(marks, "", &name.replace('+', " "));
        let name = shown(&name);
        let Some(value) = value else { return name };
        let value = decoded(marks, &name, &value.replace('+', " "));
        format!("{name}={}", value_under(&name, &value))
    };
    let mut pairs: Vec<String> = query.split('&').map(pair).collect();
    pairs.sort();
    pairs.join("&")
}

/// The value of a parameter. A number is counted up, unless it is a switch, or under a name that says what it means.
fn value_under(name: &str, value: &str) -> String {
    let is_number = !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit());
    let lower = name.to_ascii_lowercase();
    let says = ["error", "status", "code", "page"];
    let is_switch = matches!(value, "0" | "1") && !is_identifier(name);
    let is_told = value.len() <= 3 && says.iter().any(|word| lower.contains(word));
    if is_number && !is_switch && !is_told {
        NUMBER.to_owned()
    } else if value.contains("://") {
        nested(name, value)
    } else {
        shown_under(name, value)
    }
}

/// A URL in a query, of which only the beginning is of use: what follows has values of its own.
fn nested(name: &str, value: &str) -> String {
    let end = value.find(['?', '#']).unwrap_or(value.len());
    let (place, rest) = value.split_at(end);
    let rest = match rest {
        "" => String::new(),
        rest if rest.contains(is_mark) => shown_under(name, rest),
        _ => VALUE.to_owned(),
    };
    format!("{}{rest}", shown_under(name, place))
}

/// A part of a URL without its escapes. Values in it are known as they were, so they are looked for again.
fn decoded(marks: &mut Marks<'_>, key: &str, part: &str) -> String {
    let text = percent_decode_str(part).decode_utf8_lossy();
    marks.mark(key, &text)
}
