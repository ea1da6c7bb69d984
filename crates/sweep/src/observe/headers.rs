//! What the headers of an answer say of access: by name, and with the values that matter for it.

use std::collections::BTreeSet;

use authz_pin_record::record::{BODY_LEADS, LEADING};
use authz_pin_record::text::parts;
use authz_pin_suite::suite::{HeadersSpec, cookie_subject};

use super::cookie;
use super::marked::{Marks, marks_of};
use super::place::{decoded, made, place, uncounted};
use super::plain::{hidden, shown, shown_under};
use super::told::is_random;
use crate::http::{Answer, Body, HeaderName, links};
use crate::verdicts::{place_of, places};

/// Headers in which nobody finds anything: moments, lengths, and how connections are kept.
const WITHOUT_VALUES: [&str; 8] = [
    "age",
    "connection",
    "content-length",
    "date",
    "expires",
    "keep-alive",
    "last-modified",
    "transfer-encoding",
];

/// Headers whose value is a list of words, whatever its order is.
const LISTS: [&str; 7] = [
    "access-control-allow-headers",
    "access-control-allow-methods",
    "access-control-expose-headers",
    "allow",
    "cache-control",
    "pragma",
    "vary",
];

/// The challenge of a refusal (RFC 9110, section 11.6.1).
const CHALLENGE: &str = "www-authenticate";

/// What the headers of an answer show.
#[derive(Default)]
pub(super) struct Headers {
    /// What a record lists of them, a line each.
    pub(super) lines: BTreeSet<String>,
    /// The identifiers in them.
    pub(super) discloses: BTreeSet<String>,
    /// How the caller is asked to say who it is.
    pub(super) challenge: Option<String>,
}

/// What of the headers the gate says already, so that no line does.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum InGate {
    Location,
    Challenge,
    Nothing,
}

impl Headers {
    /// Reads the headers of an answer. Those that the suite does not list are looked through as well.
    pub(super) fn of(
        spec: &HeadersSpec,
        mut marks: Marks<'_>,
        answer: &Answer,
        in_gate: InGate,
    ) -> Self {
        let mut headers = Self::default();
        for name in answer.headers.keys().map(HeaderName::as_str) {
            let lines = lines(&mut marks, answer, name);
            if name == CHALLENGE && !lines.is_empty() {
                let challenges = lines.iter().map(|line| marks.named(&line.text));
                headers.challenge = Some(challenges.collect::<Vec<_>>().join(", "));
            }
            let is_told = match in_gate {
                InGate::Location => name == "location" || LEADING.contains(&name),
                InGate::Challenge => name == CHALLENGE,
                InGate::Nothing => false,
            };
            let listed = lines
                .iter()
                .filter(|line| !is_told && line.is_listed(spec, name));
            headers
                .lines
                .extend(listed.map(|line| marks.named(&line.of(name))));
        }
        if in_gate != InGate::Location {
            headers.lines.extend(of_body(spec, &mut marks, answer));
        }
        headers.discloses = marks.disclosed;
        headers
    }
}

/// Where the body of a success leads: by an element that stands for a header, or by itself.
fn of_body(spec: &HeadersSpec, marks: &mut Marks<'_>, answer: &Answer) -> BTreeSet<String> {
    let all = if answer.is_success() {
        places(answer)
    } else {
        Vec::new()
    };
    let lines = all.into_iter().filter_map(|leads| {
        if leads.header.is_some_and(|name| !spec.lists(name)) {
            return None;
        }
        let to = marks.mark("id", &leads.place);
        let to = uncounted(&place(marks, answer.url.as_ref(), &to));
        Some(marks.named(&format!("{}: {to}", leads.header.unwrap_or(BODY_LEADS))))
    });
    lines.collect()
}

/// A line of the record: what it says beside the header's name.
struct Line {
    text: String,
    cookie: Option<String>,
}

impl Line {
    fn is_listed(&self, spec: &HeadersSpec, name: &str) -> bool {
        let cookie = self.cookie.as_ref();
        cookie.map_or_else(
            || spec.lists(name),
            |cookie| spec.lists(&cookie_subject(cookie)),
        )
    }

    fn of(&self, name: &str) -> String {
        let name = shown(name);
        if self.text.is_empty() {
            name
        } else {
            format!("{name}: {}", self.text)
        }
    }
}

impl From<String> for Line {
    fn from(text: String) -> Self {
        Self { text, cookie: None }
    }
}

/// What is said of all headers of one name, marked.
fn lines(marks: &mut Marks<'_>, answer: &Answer, name: &str) -> Vec<Line> {
    if WITHOUT_VALUES.contains(&name) {
        return vec![String::new().into()];
    }
    let leads = name == "location" || LEADING.contains(&name);
    let values = answer.headers.get_all(name).iter();
    let values = values.map(|value| {
        let text = String::from_utf8_lossy(value.as_bytes()).into_owned();
        let text = if leads {
            text
        } else {
            of_service(answer, text)
        };
        // As an identifier: what stands in the place of a thing says which one it is.
        let key = if leads { "id" } else { name };
        if leads {
            decoded(marks, key, &text);
        }
        marks.mark(key, &text)
    });
    let values: Vec<String> = values.collect();
    match name {
        "location" => values
            .iter()
            .map(|it| location(marks, answer, it))
            .collect(),
        name if LEADING.contains(&name) => {
            let lines = values.iter().map(|it| leading(marks, answer, (name, it)));
            lines.collect()
        }
        "set-cookie" => values.iter().map(|value| cookie_line(value)).collect(),
        CHALLENGE | "proxy-authenticate" => challenges(&values.join(", "))
            .into_iter()
            .map(Line::from)
            .collect(),
        "content-type" => values
            .iter()
            .filter_map(|it| media_type(answer, it))
            .map(Line::from)
            .collect(),
        "link" => relations(marks, &values.join(", "))
            .into_iter()
            .map(Line::from)
            .collect(),
        name if LISTS.contains(&name) => vec![list(&values.join(",")).into()],
        "access-control-max-age" => vec![String::new().into()],
        name if is_of_access(name) => values
            .iter()
            .map(|it| words_under(name, it).into())
            .collect(),
        name if name.starts_with("access-control-") => {
            values.iter().map(|it| shown(it).into()).collect()
        }
        _ => vec![symbols(marks, &values.concat()).into()],
    }
}

/// Words in the names of headers that say what the caller may do.
const OF_ACCESS: [&str; 4] = ["role", "scope", "permission", "privilege"];

/// Whether a header says what the caller may do.
fn is_of_access(name: &str) -> bool {
    let word = |word: &str| OF_ACCESS.contains(&word.trim_end_matches('s'));
    name.split(['-', '_']).any(word)
}

/// The words of a value, sorted, whatever stands between them. What was drawn is not shown.
fn words_under(name: &str, value: &str) -> String {
    let words = value.split([',', ' ', ';']).map(str::trim);
    let words = words.filter(|word| !word.is_empty());
    let words: BTreeSet<String> = words.map(|word| shown_under(name, word)).collect();
    words.into_iter().collect::<Vec<_>>().join(", ")
}

/// A text in which the service itself is not called by the address that it has in this run.
fn of_service(answer: &Answer, text: String) -> String {
    match &answer.url {
        Some(url) if text.contains("://") => {
            let origin = url.origin().ascii_serialization();
            replaced_origin(&text, &origin)
        }
        _ => text,
    }
}

/// The service's own address is followed by a path, or by nothing.
fn replaced_origin(text: &str, origin: &str) -> String {
    let mut parts = text.split(origin);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |out, rest| {
        let goes_on = rest.starts_with(|c: char| c.is_ascii_alphanumeric() || ".:-@".contains(c));
        let own = if goes_on { origin } else { "" };
        // An origin alone has to say that it is there.
        let own = if rest.starts_with('/') || goes_on {
            own
        } else {
            "<service>"
        };
        format!("{out}{own}{rest}")
    })
}

/// Where what was made is, or what is meant.
fn location(marks: &mut Marks<'_>, answer: &Answer, location: &str) -> Line {
    let place = uncounted(&place(marks, answer.url.as_ref(), location));
    let is_made = answer.status == 201;
    if is_made { made(&place) } else { place }.into()
}

/// Where a header leads whose answer is no redirect by its status.
fn leading(marks: &mut Marks<'_>, answer: &Answer, (name, value): (&str, &str)) -> Line {
    match place_of(name, value) {
        None => String::new().into(),
        Some(to) => uncounted(&place(marks, answer.url.as_ref(), &to)).into(),
    }
}

fn cookie_line(value: &str) -> Line {
    let (name, text) = cookie::shown_cookie(value);
    Line {
        text,
        cookie: Some(name),
    }
}

/// Words and what they are set to, sorted. How long something counts is left out, but that it does not count at all is not.
fn list(value: &str) -> String {
    let words = parts(value, ',').into_iter().map(|word| {
        let (name, set) = word.split_once('=').unwrap_or((&word, ""));
        let name = name.trim();
        match set.trim().trim_matches('"') {
            "" => shown(name),
            set if set.bytes().all(|b| b.is_ascii_digit()) => {
                let is_zero = set.bytes().all(|b| b == b'0');
                format!("{}{}", shown(name), if is_zero { "=0" } else { "" })
            }
            set => format!("{}={}", shown(name), shown(set)),
        }
    });
    let words: BTreeSet<String> = words.collect();
    words.into_iter().collect::<Vec<_>>().join(", ")
}

/// The media type, unless it is that of JSON and the body is JSON: nothing is new in that.
fn media_type(answer: &Answer, value: &str) -> Option<String> {
    let mut parts = parts(value, ';').into_iter();
    let media = parts.next().unwrap_or_default().to_ascii_lowercase();
    let parameters = parts.filter(|part| {
        let name = part.split('=').next().unwrap_or_default();
        !name.trim().eq_ignore_ascii_case("boundary")
    });
    let parameters: BTreeSet<String> = parameters
        .map(|part| shown(&part.to_ascii_lowercase().replace('"', "")))
        .collect();
    let is_json = match &answer.body {
        Body::Json(_) => true,
        Body::Text(text) => text.is_empty(),
        Body::Document(_) => false,
    };
    let is_utf8 = parameters.iter().all(|it| it == "charset=utf-8");
    if media == "application/json" && is_json && is_utf8 {
        return None;
    }
    let all = std::iter::once(named_media(&media)).chain(parameters);
    Some(all.collect::<Vec<_>>().join("; "))
}

/// The name of a media type, which is mostly a registered one: words of a trade are no words of a language.
fn named_media(media: &str) -> String {
    let is_of_names = |c: char| c.is_ascii_alphabetic() || "/.+-_".contains(c);
    if media.len() <= MEDIA && media.chars().all(is_of_names) && !is_random(media) {
        return media.to_owned();
    }
    shown(media)
}

/// How long the name of a media type may be (RFC 6838, section 4.2, has 127 for each half).
const MEDIA: usize = 80;

/// The relations of links, with the known values in each: a line each, since pages have now this and now that one.
fn relations(marks: &Marks<'_>, value: &str) -> BTreeSet<String> {
    let told = |relation: Option<&str>, link: &str| {
        let relation = relation.map_or_else(|| "no relation".to_owned(), shown);
        match symbols(marks, link).as_str() {
            "" => relation,
            symbols => format!("{relation} ({symbols})"),
        }
    };
    let all = links(value).map(|link| {
        let whole = format!("{}{}", link.target, link.parameters);
        told(link.relation(), &whole)
    });
    let mut all: BTreeSet<String> = all.collect();
    if all.is_empty() {
        all.insert(told(None, value));
    }
    all
}

/// The known values in a text, and nothing else of it.
fn symbols(marks: &Marks<'_>, value: &str) -> String {
    let all = marks_of(value).into_iter();
    let names: BTreeSet<String> = all.map(|mark| marks.named(&String::from(mark))).collect();
    names.into_iter().collect::<Vec<_>>().join(", ")
}

/// The challenges of a header, sorted: each a scheme with its parameters, of which those that were drawn are not shown.
fn challenges(value: &str) -> Vec<String> {
    let mut all: Vec<(String, BTreeSet<String>)> = Vec::new();
    for part in parts(value, ',') {
        let (scheme, parameter) = scheme_of(&part);
        if let Some(scheme) = scheme {
            all.push((shown(scheme), BTreeSet::new()));
        }
        if let (Some((_, parameters)), Some(parameter)) = (all.last_mut(), parameter) {
            parameters.insert(parameter_shown(parameter));
        }
    }
    let texts = all.into_iter().map(|(scheme, parameters)| {
        let parameters = parameters.into_iter().collect::<Vec<_>>().join(", ");
        format!("{scheme} {parameters}").trim_end().to_owned()
    });
    let texts: BTreeSet<String> = texts.collect();
    texts.into_iter().collect()
}

/// What begins with a word that is set to nothing begins a challenge.
fn scheme_of(part: &str) -> (Option<&str>, Option<&str>) {
    let (first, rest) = part.split_once(' ').unwrap_or((part, ""));
    let rest = rest.trim();
    if first.contains('=') || rest.starts_with('=') {
        (None, Some(part))
    } else {
        (Some(first), Some(rest).filter(|rest| !rest.is_empty()))
    }
}

fn parameter_shown(parameter: &str) -> String {
    match parameter.split_once('=') {
        Some((name, value)) if !value.trim_matches(['=', ' ']).is_empty() => {
            let (name, value) = (name.trim(), value.trim().trim_matches('"'));
            format!("{}=\"{}\"", shown(name), shown_under(name, value))
        }
        // A token, as of `Negotiate`.
        _ => hidden(parameter),
    }
}
