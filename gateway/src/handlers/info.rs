//! `GET /key/info`.

use std::sync::Arc;

use axum::{Json, extract::State};
use serde_json::{Value, json};

use crate::{
    call::Call,
    caller::hash_if_clear,
    denial::{Answer, Denial, Voice},
    gates::keys::may_see,
    hole::Hole,
    server::Gate,
    wire,
};

pub(crate) async fn handle(
    State(gate): State<Arc<Gate>>,
    call: Call,
) -> Result<Json<Value>, Answer> {
    show(&gate, &call)
        .await
        .map(Json)
        .map_err(|denial| denial.spoken_by(Voice::Management))
}

async fn show(gate: &Gate, call: &Call) -> Result<Value, Denial> {
    let asked = call
        .query
        .get("key")
        .and_then(Value::as_str)
        .filter(|key| !key.is_empty());
    let asked = asked.unwrap_or(&call.caller.key);
    let key = gate
        .store
        .token(&hash_if_clear(asked))
        .await?
        .ok_or_else(not_found)?;
    if !gate.settings.without(Hole::KeyInfo)
        && !may_see(&call.caller, asked, Some(&key), &gate.store).await?
    {
        return Err(hidden(call));
    }
    let budget = gate.store.budget(key.budget_id.as_deref()).await?;
    let mut info = wire::row(&key, budget.as_ref());
    info.shift_remove("token");
    Ok(json!({"key": asked, "info": info}))
}

fn not_found() -> Denial {
    Denial::Proxy {
        status: 404,
        kind: "not_found_error",
        param: "key",
        message: "Key not found in database".into(),
    }
}

/// The refusal to show a key, which `/key/list` shares.
pub(super) fn hidden(call: &Call) -> Denial {
    let role = call.caller.role;
    Denial::text(
        403,
        format!("You are not allowed to access this key's info. Your role={role}"),
    )
}
