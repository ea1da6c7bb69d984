//! Where a header leads, with its query.

use authz_pin_record::text::is_digits;
use percent_encoding::percent_decode_str;
use url::Url;

use super::marked::{Marks, is_mark};
use super::plain::{VALUE, hidden, shown, shown_under};
use crate::symbols::is_of_identifier;

/// What stands for a number that is counted up.
const NUMBER: &str = "<number>";
/// What stands for the place that was called: whose it is, its cell says.
const HERE: &str = "<here>";

/// Where a location leads that an answer from `url` had, with marks for known values: a path on the same service, else a
/// whole URL without a port. Of the query, values of known names are named, and others shown if they are plain words.
///
/// What it is relative to is no part of the answer, so nothing of it counts as disclosed.
pub(super) fn place(marks: &mut Marks<'_>, url: Option<&Url>, location: &str) -> String {
    let disclosed = std::mem::take(&mut marks.disclosed);
    let place = place_from(marks, url, location);
    marks.disclosed = disclosed;
    place
}

fn place_from(marks: &mut Marks<'_>, url: Option<&Url>, location: &str) -> String {
    let to = match url {
        Some(url) => leads(location, url),
        None => Some(location.to_owned()),
    };
    let Some(to) = to else {
        return NOWHERE.to_owned();
    };
    let to = marks.mark("", &to);
    let (to, fragment) = split(&to, '#');
    let (path, query) = split(to, '?');
    let mut out = segments(marks, path);
    let here = here(marks, url);
    if let Some(query) = query {
        out.push('?');
        out.push_str(&pairs(marks, query, &here));
    }
    if let Some(fragment) = fragment {
        out.push('#');
        out.push_str(&if fragment.contains('=') {
            pairs(marks, fragment, &here)
        } else {
            segments(marks, fragment)
        });
    }
    out
}

/// What stands in place of a location that leads nowhere.
const NOWHERE: &str = "what is no URL";

/// Where a location leads from there: a path on the same service, and a whole URL elsewhere, without a port.
fn leads(location: &str, from: &Url) -> Option<String> {
    let to = from.join(location).ok()?;
    let host = to.host_str().unwrap_or_default();
    let origin = if to.origin() == from.origin() {
        String::new()
    } else {
        format!("{}://{host}", to.scheme())
    };
    let after = |mark: char, part: Option<&str>| {
        let part = part.filter(|part| !part.is_empty());
        part.map_or_else(String::new, |part| format!("{mark}{part}"))
    };
    let (query, fragment) = (after('?', to.query()), after('#', to.fragment()));
    Some(format!("{origin}{}{query}{fragment}", to.path()))
}

/// The ways in which a query can say what was called, for a login that leads back there.
fn here(marks: &mut Marks<'_>, url: Option<&Url>) -> Vec<String> {
    let Some(url) = url else { return Vec::new() };
    let query = url.query().map(|query| format!("?{query}"));
    let path = format!("{}{}", url.path(), query.unwrap_or_default());
    let origin = url.origin().ascii_serialization();
    let ways = [url.path().to_owned(), format!("{origin}{path}"), path];
    ways.iter().map(|way| decoded(marks, "", way)).collect()
}

/// A place in which numbers are not told, which can have been counted up.
pub(super) fn uncounted(place: &str) -> String {
    let (path, rest) = place.split_at(place.find(['?', '#']).unwrap_or(place.len()));
    let segments = path.split('/').map(|segment| {
        let is_number = is_digits(segment);
        if is_number { NUMBER } else { segment }
    });
    format!("{}{rest}", segments.collect::<Vec<_>>().join("/"))
}

/// The place of what was made a moment ago, whose last part before the query is what it is called from now on.
pub(super) fn made(place: &str) -> String {
    let (path, query) = place.split_at(place.find('?').unwrap_or(place.len()));
    match path.rsplit_once('/') {
        Some((before, last)) if !last.is_empty() => format!("{before}/{}{query}", hidden(last)),
        _ => place.to_owned(),
    }
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
fn pairs(marks: &mut Marks<'_>, query: &str, here: &[String]) -> String {
    let pair = |pair: &str| {
        let (name, value) = split(pair, '=');
        let name = decoded(marks, "", &name.replace('+', " "));
        let name = shown(&name);
        let Some(value) = value else { return name };
        let value = decoded(marks, &name, &value.replace('+', " "));
        if here.contains(&value) {
            return format!("{name}={HERE}");
        }
        format!("{name}={}", value_under(&name, &value))
    };
    let mut pairs: Vec<String> = query.split('&').map(pair).collect();
    pairs.sort();
    pairs.join("&")
}

/// The value of a parameter. A number is counted up, unless it is a switch, or under a name that says what it means.
fn value_under(name: &str, value: &str) -> String {
    let is_number = is_digits(value);
    let lower = name.to_ascii_lowercase();
    let says = ["error", "status", "code", "page"];
    let is_switch = matches!(value, "0" | "1") && !is_of_identifier(name);
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
pub(super) fn decoded(marks: &mut Marks<'_>, key: &str, part: &str) -> String {
    let text = percent_decode_str(part).decode_utf8_lossy();
    marks.mark(key, &text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::symbols::{Registry, View};
    use authz_pin_suite::world::{Class, Field, Instance};

    /// The place of a location, as an owner with the id `u-1234567890` sees it who called its own keys.
    fn shown_place(location: &str) -> String {
        let value = "u-1234567890".to_owned();
        let class = Class::Symbol;
        let mut owner = Instance::default();
        let field = Field { value, class };
        owner.fields.insert("user_id".to_owned(), field);
        let mut registry = Registry::default();
        registry.add_world_entity("owner", &owner);
        let namer = registry.build();
        let view = View {
            cell: 0,
            actor: "other",
        };
        let mut marks = Marks::new(&namer, view);
        let url = Url::parse("http://localhost:1/users/u-1234567890/keys?all=1").unwrap();
        let place = place(&mut marks, Some(&url), location);
        marks.named(&place)
    }

    #[test]
    fn a_redirect_is_a_path_on_the_same_service_and_a_url_without_a_port_elsewhere() {
        let from = Url::parse("http://localhost:1/keys/list").unwrap();
        let leads = |location| leads(location, &from).unwrap();
        assert_eq!(leads("/login?next=%2Fkeys#in"), "/login?next=%2Fkeys#in");
        assert_eq!(leads("login"), "/keys/login");
        assert_eq!(leads("http://localhost:1/?"), "/");
        assert_eq!(
            leads("https://me:pw@sso.example:99/in?code=1#token=2"),
            "https://sso.example/in?code=1#token=2"
        );
        assert_eq!(super::leads("http://[::1", &from), None);
        assert_eq!(shown_place("http://[::1"), NOWHERE);
    }

    #[test]
    fn a_place_is_shown_with_what_was_written_and_without_what_was_drawn() {
        let places = [
            ("/in?flash=denied&ok=0", "/in?flash=denied&ok=0"),
            ("list?b=2&a=x%20y", "/users/<user_id>/list?a=x y&b=<number>"),
            (
                "/in?state=abc&code=9f2c4b7a",
                "/in?code=<value>&state=<value>",
            ),
            ("/in?error_code=403", "/in?error_code=403"),
            ("/reset/9f2c4b7ad01e", "/reset/<value>"),
            ("/in?user=u-1234567890", "/in?user=<user_id>"),
            (
                "https://me:pw@sso.example:99/in#access_token=x",
                "https://sso.example/in#access_token=<value>",
            ),
            ("http://[::1", "what is no URL"),
        ];
        for (location, expected) in places {
            assert_eq!(shown_place(location), expected);
        }
    }

    #[test]
    fn a_login_that_leads_back_is_the_same_from_everywhere() {
        let back = [
            "/in?next=%2Fusers%2Fu-1234567890%2Fkeys%3Fall%3D1",
            "/in?next=/users/u-1234567890/keys",
            "/in?next=http://localhost:1/users/u-1234567890/keys?all=1",
        ];
        assert!(back.iter().all(|it| shown_place(it) == "/in?next=<here>"));
        assert_eq!(
            shown_place("/in?next=%2Fusers%2Fu-1234567890"),
            "/in?next=/users/<user_id>"
        );
    }
}
