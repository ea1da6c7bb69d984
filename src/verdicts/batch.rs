//! Answers in parts, each with a status of its own: 207 (RFC 4918), and batches in JSON.

use serde_json::{Map, Value as Json};

use super::envelope::{self, said, text};
use super::{Reading, Refusal, Ruled, Seen, xml};
use crate::http::Body;
use crate::record::Verdict;

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
}

pub(super) fn multi_status(seen: Seen<'_>) -> Reading {
    if seen.answer.status != 207 {
        return None;
    }
    match seen.body {
        Body::Json(json) => ruled(parts(json)?),
        Body::Text(text) => ruled(xml::parts(text)?),
    }
}

pub(super) fn read(seen: Seen<'_>) -> Reading {
    let list = seen.success()?;
    let has_only_parts = entries(list)?.iter().all(is_part);
    let by_status = has_only_parts.then(|| parts(list)).flatten();
    by_status.map_or_else(|| flagged(list.as_array()?), ruled)
}

/// A list of which each entry says `ok`, or has an error in place of that.
fn flagged(list: &[Json]) -> Reading {
    let entries: Vec<_> = list.iter().map(outcome).collect::<Option<_>>()?;
    let each = (1..).zip(entries).map(|(number, (is_refused, entry))| {
        let name = name_of(entry).unwrap_or_else(|| number.to_string());
        (name, is_refused.then(|| said(entry)))
    });
    Ruled::of_each(each)
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
    let name = NAMES.iter().find_map(|key| text(entry.get(*key)?));
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
    let name = NAMES.iter().find_map(|key| text(entry.get(*key)?));
    let body = entry.get("body").and_then(Json::as_object);
    Some(Part {
        name,
        status,
        said: body.map_or_else(|| message(entry), said),
    })
}

/// The message of a part, whose status is told by the verdict.
fn message(entry: &Map<String, Json>) -> Refusal {
    let mut entry = entry.clone();
    entry.retain(|key, _| !STATUSES.contains(&key.as_str()) && !NAMES.contains(&key.as_str()));
    said(&entry)
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
    let each = (1..).zip(parts).map(|(number, part)| {
        let name = part.name.filter(|name| is_steady(name));
        let is_denied = Verdict::of_status(part.status).is_denied();
        let refusal = is_denied.then(|| Refusal {
            kind: Some(part.status.to_string()),
            message: part.said.said(),
            part: None,
        });
        (name.unwrap_or_else(|| number.to_string()), refusal)
    });
    Ruled::of_each(each)
}

/// Whether a name is the same in every run: one of the run's own, or one that the request has.
fn is_steady(name: &str) -> bool {
    name.contains('<') || name.len() <= LONGEST_NAME
}
