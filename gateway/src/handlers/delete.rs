//! `POST /key/delete`.

use std::sync::Arc;

use axum::{Json, extract::State};
use serde_json::{Value, json};

use crate::{
    call::Call,
    caller::hash_if_clear,
    denial::{Answer, Denial, Voice},
    duration,
    fields::{Field, Fields, Kind},
    gates::keys::may_modify,
    hole::Hole,
    rows::{Deletion, VerificationToken},
    server::Gate,
};

const FIELDS: &[Field] = &[("keys", Kind::Texts), ("key_aliases", Kind::Texts)];

pub(crate) async fn handle(
    State(gate): State<Arc<Gate>>,
    call: Call,
) -> Result<Json<Value>, Answer> {
    let named = named(&call)?;
    delete(&gate, &call, named)
        .await
        .map(Json)
        .map_err(|denial| denial.spoken_by(Voice::Management))
}

/// Which keys to delete.
enum Named {
    Keys(Vec<String>),
    Aliases(Vec<String>),
}

fn named(call: &Call) -> Result<Named, Answer> {
    let fields = Fields::read(call.body.clone(), FIELDS)?;
    let list = |name| fields.texts(name).filter(|list| !list.is_empty());
    let named = list("keys")
        .map(Named::Keys)
        .or_else(|| list("key_aliases").map(Named::Aliases));
    named.ok_or_else(|| {
        let message = "Value error, At least one of 'keys' or 'key_aliases' must be provided.";
        Answer::invalid(vec![
            json!({"type": "value_error", "loc": ["body"], "msg": message,
                                    "input": call.body, "ctx": {"error": {}}}),
        ])
    })
}

async fn delete(gate: &Gate, call: &Call, named: Named) -> Result<Value, Denial> {
    let (hashes, asked) = match named {
        Named::Keys(keys) => (keys.iter().map(|key| hash_if_clear(key)).collect(), keys),
        Named::Aliases(aliases) => (gate.store.hashes_of_aliases(&aliases).await?, aliases),
    };
    let keys = gate.store.tokens(&hashes).await?;
    if keys.is_empty() {
        return Err(Denial::error(404, "No keys found"));
    }
    for key in &keys {
        if !gate.settings.without(Hole::Delete)
            && !may_modify(&call.caller, key, &gate.store).await?
        {
            return Err(Denial::error(
                403,
                "You are not authorized to delete this key",
            ));
        }
    }
    let hashes: Vec<_> = keys.iter().map(|key| key.token.clone()).collect();
    keep_copies(gate, call, keys).await?;
    gate.store.delete(&hashes).await?;
    Ok(json!({"deleted_keys": asked}))
}

/// Copies keys to `LiteLLM_DeletedVerificationToken`, as the real service does before it deletes or regenerates them.
pub(super) async fn keep_copies(
    gate: &Gate,
    call: &Call,
    keys: Vec<VerificationToken>,
) -> Result<(), Denial> {
    let deletion = Deletion {
        at: duration::now(),
        by_user: call.caller.user_id.clone(),
        by_key: call.caller.key.clone(),
        on_behalf_of: call.on_behalf_of.clone(),
    };
    gate.store.keep_copies(keys, &deletion).await
}
