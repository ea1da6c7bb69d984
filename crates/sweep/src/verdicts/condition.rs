//! Whether the conditions of a rule hold of an answer.

use authz_pin_suite::suite::{ConditionSpec, JsonPath, OneOrMore};
use serde_json::Value as Json;

use super::Seen;
use crate::http::Body;

/// Whether all of them hold.
pub(super) fn holds(condition: &ConditionSpec, seen: Seen<'_>) -> bool {
    let status = condition.status.as_ref();
    let status = status.is_none_or(|status| {
        let mut all = status.all().iter();
        all.any(|one| one.has(seen.answer.status))
    });
    let media_type = condition.media_type.as_ref();
    let media_type = media_type.is_none_or(|pattern| pattern.is_match(&seen.media_type()));
    status && media_type && headers_hold(condition, seen) && body_holds(condition, seen.body)
}

/// A header that is there several times has to have one such value.
fn headers_hold(condition: &ConditionSpec, seen: Seen<'_>) -> bool {
    condition.headers.iter().all(|(name, pattern)| {
        let mut values = seen.answer.headers.get_all(name).iter();
        values.any(|value| pattern.is_match(&String::from_utf8_lossy(value.as_bytes())))
    })
}

fn body_holds(condition: &ConditionSpec, body: &Body) -> bool {
    let text = condition.text.as_ref();
    let text = text.is_none_or(|pattern| pattern.is_match(&body.text()));
    let json = condition
        .json
        .iter()
        .all(|(path, one)| has(body, path, one));
    text && json && condition.exists.iter().all(|path| exists(body, path))
}

fn has(body: &Body, path: &JsonPath, wanted: &OneOrMore<Json>) -> bool {
    let found = body
        .json()
        .into_iter()
        .flat_map(|json| path.values_in(json));
    let mut found = found.peekable();
    // What is not there is null.
    if found.peek().is_none() {
        return wanted.all().contains(&Json::Null);
    }
    found.any(|value| wanted.all().contains(value))
}

fn exists(body: &Body, path: &JsonPath) -> bool {
    let mut found = body
        .json()
        .into_iter()
        .flat_map(|json| path.values_in(json));
    found.any(|value| !value.is_null())
}
