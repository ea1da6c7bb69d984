//! Answers in parts, each with a status of its own: 207 (RFC 4918), and batches in JSON.

use authz_pin_record::record::Verdict;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value as Json};
use url::Url;

use super::envelope::{self, said};
use super::{Reading, Refusal, Ruled, Seen, text, xml};

/// Where a body has its parts, if it is no list itself.
const LISTS: [&str; 6] = [
    "responses",
    "results",
    "items",
    "operations",
    "Operations",
    "Resources",
];

/// Where a part has its status.
const STATUSES: [&str; 5] = ["status", "statusCode", "status_code", "httpStatus", "code"];

/// Where a part has what it is about.
const NAMES: [&str; 6] = ["id", "href", "bulkId", "requestId", "key", "path"];

/// What else a part has: with anything more it is a resource, of which a status says something else.
const BESIDE: [&str; 20] = [
    "body",
    "headers",
    "error",
    "errors",
    "message",
    "msg",
    "detail",
    "title",
    "type",
    "method",
    "url",
    "location",
    "response",
    "result",
    "data",
    "version",
    "schemas",
    "reason",
    "description",
    "_id",
];

/// A name that a request chose for its part: what a service draws is longer.
const LONGEST_NAME: usize = 8;

/// One part: what it is called, its status, and what it says.
pub(super) struct Part {
    pub(super) name: Option<String>,
    pub(super) status: u16,
    pub(super) said: Refusal,
    /// Where it is, of XML.
    pub(super) href: Option<String>,
    /// All that it says.
    pub(super) whole: Json,
}

pub(super) fn multi_status(seen: Seen<'_>) -> Reading {
    if seen.answer.status != 207 {
        return None;
    }
    if let Some(json) = seen.body.own_json() {
        return ruled(parts(json)?);
    }
    let parts = xml::parts(seen.body.own_text()?)?;
    let is_all = !seen.asked.lists_failures || parts.iter().any(|part| is_itself(part, seen));
    let (is_done, refusals) = refused(parts);
    Ruled::of_parts(is_done || !is_all, refusals)
}

/// Whether a part is what was called: if that is refused, nothing was done. That it depends on another part says nothing.
fn is_itself(part: &Part, seen: Seen<'_>) -> bool {
    let (Some(url), Some(href)) = (&seen.answer.url, &part.href) else {
        return true;
    };
    let path = |url: &Url| {
        let path = percent_decode_str(url.path())
            .decode_utf8_lossy()
            .into_owned();
        path.trim_end_matches('/').to_owned()
    };
    part.status != FAILED_DEPENDENCY && url.join(href).is_ok_and(|to| path(&to) == path(url))
}

/// RFC 4918, section 11.4.
const FAILED_DEPENDENCY: u16 = 424;

pub(super) fn read(seen: Seen<'_>) -> Reading {
    let body = seen.success()?;
    let list = entries(body);
    let has_only_parts = list.is_some_and(|list| list.iter().all(is_part));
    let by_status = has_only_parts.then(|| parts(body)).flatten();
    by_status.map_or_else(|| flagged(body), ruled)
}

/// Entries of which each says `ok`, or has an error in place of that: a list, or a map by their names.
fn flagged(body: &Json) -> Reading {
    let list = entries(body).map(|list| list.iter().map(|entry| (None, entry)).collect());
    let all: Vec<(Option<&String>, &Json)> = list.or_else(|| by_name(body))?;
    let outcomes = all.into_iter();
    let outcomes = outcomes.map(|(name, entry)| Some((name, outcome(entry)?)));
    let outcomes: Vec<_> = outcomes.collect::<Option<_>>()?;
    let is_done = |(_, (is_refused, _)): &(_, (bool, _))| !is_refused;
    // A list of jobs that failed, or of parts that are not well, is none of calls that were refused.
    let is_list = body.is_array();
    let is_told = is_list && outcomes.iter().any(is_done);
    let says_no = |(is_refused, entry): (bool, &Map<String, Json>)| {
        let says_no = || said(entry).said().is_some_and(|said| text::says_no(&said));
        !is_refused || is_told || is_list && is_flagged(entry) || says_no()
    };
    if !outcomes.iter().all(|(_, outcome)| says_no(*outcome)) {
        return None;
    }
    let each = (1..)
        .zip(outcomes)
        .map(|(number, (name, (is_refused, entry)))| {
            let name = name.filter(|name| is_steady(name)).cloned();
            let name = name
                .or_else(|| name_of(entry))
                .unwrap_or_else(|| number.to_string());
            (
                name,
                is_refused.then(|| said(entry).with(without_names(entry))),
            )
        });
    Ruled::of_each(each)
}

/// Whether an entry has nothing but what parts have, and a flag.
fn is_flagged(entry: &Map<String, Json>) -> bool {
    let is_known = |key: &&String| {
        let key = key.as_str();
        ["ok", "success"].contains(&key) || NAMES.contains(&key) || BESIDE.contains(&key)
    };
    ["ok", "success"]
        .iter()
        .any(|flag| entry.contains_key(*flag))
        && entry.keys().all(|key| is_known(&key))
}

/// The entries of a map by their names: the whole body, or what stands where a list can.
fn by_name(body: &Json) -> Option<Vec<(Option<&String>, &Json)>> {
    let inner = LISTS.iter().find_map(|key| body.get(*key)?.as_object());
    let whole = || body.as_object().filter(|all| all.len() > 1);
    let all = inner.or_else(whole).filter(|all| !all.is_empty())?;
    Some(
        all.iter()
            .map(|(name, entry)| (Some(name), entry))
            .collect(),
    )
}

/// Whether an entry is refused, where it says so or the contrary.
fn outcome(entry: &Json) -> Option<(bool, &Map<String, Json>)> {
    let entry = entry.as_object()?;
    let is_true = |flag: &&str| entry.get(*flag) == Some(&Json::Bool(true));
    let is_done = ["ok", "success"].iter().any(is_true);
    let has_error = entry.get("error").is_some_and(Json::is_string);
    let is_refused = has_error || envelope::refusal(entry).is_some();
    (is_done != is_refused).then_some((is_refused, entry))
}

/// What a part is called, if that is the same in every run.
fn name_of(entry: &Map<String, Json>) -> Option<String> {
    let name = NAMES
        .iter()
        .find_map(|key| envelope::text(entry.get(*key)?));
    name.filter(|name| is_steady(name))
}

fn is_part(entry: &Json) -> bool {
    let Some(entry) = entry.as_object() else {
        return false;
    };
    let known = |key: &String| {
        let key = key.as_str();
        STATUSES.contains(&key) || NAMES.contains(&key) || BESIDE.contains(&key)
    };
    entry.keys().all(known) || entry.len() == 1
}

fn entries(body: &Json) -> Option<&Vec<Json>> {
    let list = || LISTS.iter().find_map(|key| body.get(*key)?.as_array());
    body.as_array().or_else(list)
}

/// The parts of a list in which every entry has a status of HTTP.
fn parts(body: &Json) -> Option<Vec<Part>> {
    let parts = entries(body)?.iter().map(|entry| part(entry.as_object()?));
    let parts: Option<Vec<Part>> = parts.collect();
    parts.filter(|parts| !parts.is_empty())
}

fn part(entry: &Map<String, Json>) -> Option<Part> {
    // Of a bulk request each entry is called by its operation: `{"index": {"status": 403}}`.
    let inner = || {
        entry
            .values()
            .next()
            .filter(|_| entry.len() == 1)?
            .as_object()
    };
    let status =
        |object: &Map<String, Json>| STATUSES.iter().find_map(|key| status(object.get(*key)?));
    let (entry, status) = match status(entry) {
        Some(status) => (entry, status),
        None => inner().and_then(|inner| Some((inner, status(inner)?)))?,
    };
    let name = NAMES
        .iter()
        .find_map(|key| envelope::text(entry.get(*key)?));
    let body = entry.get("body").and_then(Json::as_object);
    Some(Part {
        name,
        href: None,
        whole: without_names(entry).into(),
        status,
        said: body.map_or_else(|| message(entry), said),
    })
}

/// The message of a part, whose status is told by the verdict.
fn message(entry: &Map<String, Json>) -> Refusal {
    said(&without_names(entry))
}

/// A part without what the verdict tells of it.
fn without_names(entry: &Map<String, Json>) -> Map<String, Json> {
    let mut entry = entry.clone();
    entry.retain(|key, _| !STATUSES.contains(&key.as_str()) && !NAMES.contains(&key.as_str()));
    entry
}

/// A status as a number, or as a status line: `HTTP/1.1 403 Forbidden`.
pub(super) fn status(value: &Json) -> Option<u16> {
    let status = match value {
        Json::String(text) => {
            let text = text
                .strip_prefix("HTTP/")
                .and_then(|text| text.split_once(' '));
            let text = text.map_or_else(|| value.as_str(), |(_, text)| Some(text))?;
            text.split(' ').next()?.parse().ok()?
        }
        other => other.as_u64()?,
    };
    u16::try_from(status)
        .ok()
        .filter(|status| (100..600).contains(status))
}

fn ruled(parts: Vec<Part>) -> Reading {
    let (is_any_allowed, refusals) = refused(parts);
    Ruled::of_parts(is_any_allowed, refusals)
}

/// Whether any part was done, and what refused the others.
fn refused(parts: Vec<Part>) -> (bool, Vec<Refusal>) {
    let (mut is_any_allowed, mut refusals) = (false, Vec::new());
    for (number, part) in (1..).zip(parts) {
        let name = part.name.filter(|name| is_steady(name));
        if !Verdict::of_status(part.status).is_denied() {
            is_any_allowed = true;
            continue;
        }
        let refusal = Refusal {
            kind: Some(part.status.to_string()),
            message: part.said.said(),
            ..Refusal::default()
        };
        let name = name.unwrap_or_else(|| number.to_string());
        refusals.push(refusal.of_part(name).with(part.whole));
    }
    (is_any_allowed, refusals)
}

/// Whether a name is the same in every run: one of the run's own, or one that the request has.
fn is_steady(name: &str) -> bool {
    name.contains('<') || name.len() <= LONGEST_NAME
}
