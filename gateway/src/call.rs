//! One call on its way to a handler: read, authenticated, and past the route gate.

use std::sync::Arc;

use axum::{
    body::{Body, to_bytes},
    extract::{FromRequest, Query, Request},
    http::HeaderMap,
};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

use crate::{
    caller::{Caller, authenticate},
    denial::{Answer, Voice},
    gates::route::{Route, key_may_call, role_may_call},
    hole::Hole,
    server::Gate,
};

/// Larger bodies are refused unread.
const BODY_LIMIT: usize = 1 << 20;

/// An admitted call.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) caller: Caller,
    pub(crate) body: Option<Value>,
    /// The query's parameters, repeated ones by their last value.
    pub(crate) query: Map<String, Value>,
    /// On whose behalf the caller says that it acts.
    pub(crate) on_behalf_of: Option<String>,
}

impl FromRequest<Arc<Gate>> for Call {
    type Rejection = Answer;

    async fn from_request(request: Request, gate: &Arc<Gate>) -> Result<Self, Answer> {
        let (parts, body) = request.into_parts();
        // FastAPI reads the body before anything else: what is no JSON is refused to strangers, too.
        let body = read(body).await?;
        let query = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri)
            .map(|Query(pairs)| {
                pairs
                    .into_iter()
                    .map(|(name, value)| (name, value.into()))
                    .collect()
            })
            .unwrap_or_default();
        let caller = authenticate(&parts.headers, &gate.settings, &gate.store)
            .await
            .map_err(|denial| denial.spoken_by(Voice::Authentication))?;
        // As it appears in messages.
        let path = percent_decode_str(parts.uri.path()).decode_utf8_lossy();
        admit(
            &caller,
            Route {
                path: &path,
                data: &named(body.as_ref(), &query),
            },
            gate,
        )?;
        Ok(Self {
            caller,
            body,
            query,
            on_behalf_of: on_behalf_of(&parts.headers),
        })
    }
}

fn admit(caller: &Caller, route: Route<'_>, gate: &Gate) -> Result<(), Answer> {
    key_may_call(caller, route)?;
    if gate.settings.without(Hole::RouteGate) {
        return Ok(());
    }
    role_may_call(caller, route).map_err(|denial| denial.spoken_by(Voice::Authentication))
}

async fn read(body: Body) -> Result<Option<Value>, Answer> {
    let bytes = to_bytes(body, BODY_LIMIT)
        .await
        .map_err(|_| Answer::detail(413, "Request body too large"))?;
    if bytes.is_empty() {
        return Ok(None);
    }
    serde_json::from_slice(&bytes).map(Some).map_err(|error| {
        let place = json!(["body", error.column()]);
        Answer::invalid(vec![
            json!({"type": "json_invalid", "loc": place, "msg": "JSON decode error", "input": {},
                                    "ctx": {"error": error.to_string()}}),
        ])
    })
}

/// Body and query as the route gate sees them: one map, in which the body comes first.
fn named(body: Option<&Value>, query: &Map<String, Value>) -> Value {
    let mut named = query.clone();
    if let Some(Value::Object(body)) = body {
        named.extend(body.clone());
    }
    Value::Object(named)
}

fn on_behalf_of(headers: &HeaderMap) -> Option<String> {
    headers
        .get("litellm-changed-by")
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_comes_before_the_query() {
        let query = Map::from_iter([("a".into(), json!("query")), ("b".into(), json!("query"))]);
        assert_eq!(
            named(Some(&json!({"a": "body"})), &query),
            json!({"a": "body", "b": "query"})
        );
    }
}
