//! JSON-RPC 2.0, and the Model Context Protocol on top of it.

use serde_json::{Map, Value as Json};

use super::envelope::{self, is_error, text};
use super::{Reading, Refusal, Ruled, Seen};

/// The members of a response of version 1.0.
const MEMBERS: [&str; 3] = ["id", "result", "error"];

/// Reads `error`, and a result that is an envelope which refuses.
pub(super) fn read(seen: Seen<'_>) -> Reading {
    responses(seen, |response| {
        let error = response.get("error").filter(|error| is_error(error));
        let result = || {
            response
                .get("result")?
                .as_object()
                .and_then(envelope::refusal)
        };
        error.map(said).or_else(result)
    })
}

/// An error, which of version 1.0 can be anything.
fn said(error: &Json) -> Refusal {
    match error {
        Json::Object(error) => envelope::said(error),
        other => Refusal {
            message: Some(text(other).unwrap_or_else(|| other.to_string())),
            ..Refusal::default()
        },
    }
}

/// Reads a tool's result: its errors are no errors of the protocol.
pub(super) fn mcp(seen: Seen<'_>) -> Reading {
    responses(seen, |response| {
        let result = response.get("result")?.as_object()?;
        let is_error = result.get("isError") == Some(&Json::Bool(true));
        is_error.then(|| Refusal {
            kind: Some("isError".to_owned()),
            message: content(result),
            ..Refusal::default()
        })
    })
}

/// The texts of a tool's result.
fn content(result: &Map<String, Json>) -> Option<String> {
    let items = result.get("content")?.as_array()?;
    let texts: Vec<&str> = items
        .iter()
        .filter_map(|item| item.get("text")?.as_str())
        .collect();
    (!texts.is_empty()).then(|| texts.join(" "))
}

/// What the responses of a body refuse. Messages of the server that answer nothing are no responses.
fn responses(seen: Seen<'_>, refusal: impl Fn(&Map<String, Json>) -> Option<Refusal>) -> Reading {
    let body = seen.success()?;
    let Some(batch) = body.as_array() else {
        return refusal(response(body)?).map(Ruled::denied);
    };
    let responses: Vec<_> = batch.iter().filter_map(response).collect();
    if let [alone] = responses.as_slice() {
        return refusal(alone).map(Ruled::denied);
    }
    // A server can answer a batch in any order.
    Ruled::of_each(responses.iter().enumerate().map(|(place, response)| {
        let id = response.get("id").and_then(text);
        let name = id.unwrap_or_else(|| (place + 1).to_string());
        let refusal = refusal(response);
        (name, refusal.map(|refusal| refusal.with(told(response))))
    }))
}

/// What a response tells: its error, or all of its result.
fn told(response: &Map<String, Json>) -> Map<String, Json> {
    let mut told = response.clone();
    told.retain(|key, _| key != "id" && key != "jsonrpc");
    told
}

fn response(message: &Json) -> Option<&Map<String, Json>> {
    let message = message.as_object()?;
    let is_response = message.contains_key("result") || message.contains_key("error");
    // Version 1.0 has no member that says so, and always all of these.
    let is_first =
        MEMBERS.iter().all(|key| message.contains_key(*key)) && message.len() == MEMBERS.len();
    (is_response && (is_first || message.contains_key("jsonrpc"))).then_some(message)
}
