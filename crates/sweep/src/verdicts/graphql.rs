//! GraphQL: the status is 200 whatever was refused; `errors` say so, or a field that is null, or a payload's own errors.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use authz_pin_suite::suite::RequestSpec;
use regex::Regex;
use serde_json::{Map, Value as Json};

use super::envelope::{self, text};
use super::{Asked, Reading, Refusal, Ruled, Seen};

/// The members of a response (GraphQL specification, section 7), and of one that comes in increments.
const MEMBERS: [&str; 7] = [
    "data",
    "errors",
    "extensions",
    "hasNext",
    "incremental",
    "label",
    "path",
];

/// Where a payload has errors of its own, by convention.
const OWN_ERRORS: [&str; 3] = ["userErrors", "errors", "user_errors"];

/// A member of a union that stands for a refusal.
#[expect(clippy::unwrap_used, reason = "the pattern is a constant")]
static REFUSED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new("(?i)(error|denied|forbidden|unauthori[sz]ed|unauthenticated|failure|problem)$")
        .unwrap()
});

/// A mutation of which `false` says that it did not happen. What toggles something says its state.
#[expect(clippy::unwrap_used, reason = "the pattern is a constant")]
static CHANGES: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        "^(?:delete|remove|destroy|update|create|add|grant|revoke|assign|unassign|invite|approve|rename|move|archive|restore|reset|transfer|promote|publish)(?:[A-Z_].*)?$",
    )
    .unwrap()
});

/// Whether a request asks in GraphQL.
pub(super) fn is_asked(request: &RequestSpec) -> bool {
    let asks = |query: &Json| {
        let query = query.as_str().unwrap_or_default().trim_start();
        ["query", "mutation", "{"]
            .iter()
            .any(|start| query.starts_with(start))
    };
    let bodies = [request.json.as_ref(), Some(&request.query)];
    let one = |body: &Json| body.get("query").is_some_and(asks);
    let mut bodies = bodies.into_iter().flatten();
    let path = request.path.trim_end_matches('/');
    path.ends_with("graphql") || bodies.any(|body| one(body) || all_of(body).iter().any(one))
}

/// Whether it asks for a change. Nobody knows that of a query which is put together.
pub(super) fn is_mutation(request: &RequestSpec) -> bool {
    let changes = |body: &Json| {
        let query = body.get("query").and_then(Json::as_str);
        query.is_some_and(|query| query.trim_start().starts_with("mutation"))
    };
    let bodies = [request.json.as_ref(), Some(&request.query)];
    let mut bodies = bodies.into_iter().flatten();
    is_asked(request) && bodies.any(|body| changes(body) || all_of(body).iter().any(changes))
}

fn all_of(body: &Json) -> &[Json] {
    body.as_array().map_or(&[], Vec::as_slice)
}

pub(super) fn read(seen: Seen<'_>) -> Reading {
    let is_asked = seen.asked.is_graphql;
    // Of an endpoint that asks in GraphQL the status can say what the errors do, and parts are answered all the same.
    let body = if is_asked {
        seen.body.own_json()?
    } else {
        seen.success()?
    };
    let Some(batch) = body
        .as_array()
        .filter(|batch| is_asked && !batch.is_empty())
    else {
        return one(body.as_object()?, seen.asked);
    };
    if let Some(whole) = increments(batch) {
        return one(&whole, seen.asked);
    }
    let mut is_any_allowed = false;
    let mut refusals = Vec::new();
    for (number, response) in (1..).zip(batch) {
        match one(response.as_object()?, seen.asked) {
            None => is_any_allowed = true,
            Some(ruled) => {
                is_any_allowed |= ruled.is_in_parts();
                let parts = ruled.refusals.into_iter();
                refusals.extend(parts.map(|refusal| within(number, refusal)));
            }
        }
    }
    Ruled::of_parts(is_any_allowed, refusals)
}

fn within(number: usize, refusal: Refusal) -> Refusal {
    let part = refusal.part.as_ref();
    let part = part.map_or_else(|| number.to_string(), |part| format!("{number} {part}"));
    refusal.of_part(part)
}

/// A response that came in increments, as one: each of the later ones has what it adds as `incremental`, or is that itself.
fn increments(all: &[Json]) -> Option<Map<String, Json>> {
    let all: Vec<&Map<String, Json>> = all.iter().map(Json::as_object).collect::<Option<_>>()?;
    let (first, later) = all.split_first()?;
    let is_later = |one: &&&Map<String, Json>| one.contains_key("hasNext");
    later.iter().find(is_later)?;
    let mut whole = (*first).clone();
    let mut incremental = listed(first, "incremental").to_vec();
    for one in later {
        match one.get("incremental").and_then(Json::as_array) {
            Some(more) => incremental.extend(more.iter().cloned()),
            None => incremental.push(Json::Object((*one).clone())),
        }
        // The newer form says at the end what failed as a whole.
        let completed = listed(one, "completed").iter();
        incremental.extend(completed.filter(|one| one.get("errors").is_some()).cloned());
    }
    whole.retain(|key, _| key != "pending");
    whole.insert("incremental".to_owned(), Json::Array(incremental));
    Some(whole)
}

fn one(response: &Map<String, Json>, asked: Asked) -> Reading {
    let is_asked = asked.is_graphql;
    if !response.keys().all(|key| MEMBERS.contains(&key.as_str())) {
        return None;
    }
    let data = response.get("data").and_then(Json::as_object);
    let errors = all_errors(response);
    let refuses = |name: &str, field: &Json| payload(field).or_else(|| undone(asked, name, field));
    let is_answered =
        |(name, field): (&String, &Json)| !field.is_null() && refuses(name, field).is_none();
    let is_any_allowed = data.is_some_and(|data| data.iter().any(is_answered));
    let mut refusals = by_path(&errors, data);
    for (name, field) in data.into_iter().flatten() {
        refusals.extend(refuses(name, field).map(|refusal| refusal.of_part(name)));
    }
    if refusals.is_empty()
        && is_asked
        && data.is_some_and(|data| !data.is_empty())
        && !is_any_allowed
    {
        let nothing = Some("nothing".to_owned());
        return Some(Ruled::denied(Refusal {
            message: nothing,
            ..Refusal::default()
        }));
    }
    Ruled::of_parts(is_any_allowed, refusals)
}

fn listed<'j>(object: &'j Map<String, Json>, key: &str) -> &'j [Json] {
    object.get(key).map_or(&[], all_of)
}

/// The errors of a response, and of what comes in increments.
fn all_errors(response: &Map<String, Json>) -> Vec<&Json> {
    let increments = listed(response, "incremental").iter();
    let later = increments
        .filter_map(Json::as_object)
        .flat_map(|one| listed(one, "errors"));
    listed(response, "errors").iter().chain(later).collect()
}

/// What errors refuse: the field of their path. Of a list it says whether it refuses all entries, not which.
fn by_path(errors: &[&Json], data: Option<&Map<String, Json>>) -> Vec<Refusal> {
    let mut all: BTreeMap<Refusal, Vec<Json>> = BTreeMap::new();
    for error in errors {
        let path = error.get("path").and_then(Json::as_array);
        let part = path.map(|path| field(path)).filter(|part| !part.is_empty());
        let refusal = Refusal {
            part,
            ..said(error)
        };
        all.entry(refusal).or_default().push(without_place(error));
    }
    let all = all.into_iter().map(|(refusal, errors)| {
        let count = errors.len();
        let refusal = refusal.with(errors);
        let part = refusal.part.clone();
        let part = part.filter(|part| part.contains("[]") && count < entries(data, part));
        match part {
            Some(part) => refusal.of_part(format!("{part} in part")),
            None => refusal,
        }
    });
    all.collect()
}

/// An error without where it is: its part is named after that.
fn without_place(error: &Json) -> Json {
    let mut error = error.clone();
    if let Some(error) = error.as_object_mut() {
        error.retain(|key, _| key != "path" && key != "locations");
    }
    error
}

/// A change that was not made, of a mutation that says no more of it: `{"deleteThing": false}`.
fn undone(asked: Asked, name: &str, field: &Json) -> Option<Refusal> {
    let is_undone = asked.is_mutation && *field == Json::Bool(false) && CHANGES.is_match(name);
    is_undone.then(|| Refusal {
        message: Some("false".to_owned()),
        ..Refusal::default()
    })
}

/// `["things", 3, "secret"]` as `things[].secret`.
fn field(path: &[Json]) -> String {
    path.iter()
        .fold(String::new(), |field, step| match step.as_str() {
            None => format!("{field}[]"),
            Some(name) if field.is_empty() => name.to_owned(),
            Some(name) => format!("{field}.{name}"),
        })
}

/// How many values a field's path leads to.
fn entries(data: Option<&Map<String, Json>>, part: &str) -> usize {
    let mut here: Vec<&Json> = Vec::new();
    for (depth, step) in part.split('.').enumerate() {
        let (name, lists) = (step.trim_end_matches("[]"), step.matches("[]").count());
        here = match depth {
            0 => data.and_then(|data| data.get(name)).into_iter().collect(),
            _ => here.iter().filter_map(|value| value.get(name)).collect(),
        };
        for _ in 0..lists {
            here = here.iter().flat_map(|value| all_of(value)).collect();
        }
    }
    here.len()
}

/// The code and the message of an error.
fn said(error: &Json) -> Refusal {
    let extensions = error.get("extensions");
    let code = |key: &str| extensions.and_then(|all| text(all.get(key)?));
    Refusal {
        part: None,
        kind: code("code")
            .or_else(|| code("classification"))
            .or_else(|| code("category")),
        message: error.get("message").and_then(text),
        whole: None,
    }
}

/// What the payload of a field says of itself.
fn payload(field: &Json) -> Option<Refusal> {
    let object = field.as_object()?;
    let own = OWN_ERRORS
        .iter()
        .filter_map(|key| object.get(*key)?.as_array()?.first());
    let own = own.map(|error| error.as_object().map(envelope::said).unwrap_or_default());
    let name = object.get("__typename").and_then(Json::as_str);
    let named = || {
        let name = name.filter(|name| REFUSED.is_match(name))?;
        let said = envelope::said(object);
        Some(Refusal {
            kind: Some(name.to_owned()),
            ..said
        })
    };
    own.into_iter()
        .next()
        .or_else(named)
        .or_else(|| envelope::refusal(object))
        .map(|refusal| refusal.with(field.clone()))
}
