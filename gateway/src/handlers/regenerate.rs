//! `POST /key/regenerate` and `POST /key/{key}/regenerate`.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
};
use serde_json::{Value, json};

use super::{changes, delete::keep_copies, generate::new_key};
use crate::{
    call::Call,
    caller::{abbreviated, hash},
    denial::{Answer, Denial, Voice},
    duration,
    fields::{Field, Fields, KEY_FIELDS, Kind},
    gates::{keys, organization, team, upper_bound},
    hole::Hole,
    rows::{TokenChanges, VerificationToken, texts},
    server::Gate,
    wire,
};

const OWN_FIELDS: &[Field] = &[
    ("new_key", Kind::Text),
    ("new_master_key", Kind::Text),
    ("grace_period", Kind::Text),
];

pub(crate) async fn handle(
    State(gate): State<Arc<Gate>>,
    call: Call,
) -> Result<Json<Value>, Answer> {
    answer(&gate, call, None).await
}

pub(crate) async fn handle_path(
    State(gate): State<Arc<Gate>>,
    Path(key): Path<String>,
    call: Call,
) -> Result<Json<Value>, Answer> {
    answer(&gate, call, Some(key)).await
}

async fn answer(gate: &Gate, call: Call, path: Option<String>) -> Result<Json<Value>, Answer> {
    let known = [KEY_FIELDS, OWN_FIELDS].concat();
    // The body may be missing altogether, which is not the same as an empty one: it changes nothing.
    let body = call.body.clone().unwrap_or_else(|| json!({}));
    let fields = Fields::read(Some(body), &known)?;
    let name = fields.owned("key").filter(|key| !key.is_empty()).or(path);
    regenerate(gate, &call, &fields, name)
        .await
        .map(Json)
        .map_err(|denial| denial.spoken_by(Voice::Management))
}

async fn regenerate(
    gate: &Gate,
    call: &Call,
    fields: &Fields,
    name: Option<String>,
) -> Result<Value, Denial> {
    let (caller, settings) = (&call.caller, &gate.settings);
    keys::sets_no_routes(caller, fields)?;
    let name = name
        .filter(|name| !name.is_empty())
        .ok_or_else(|| Denial::error(400, "No key passed in."))?;
    if name == settings.master_key && call.body.is_some() {
        return Err(Denial::error(400, "New master key is required."));
    }
    // The real service takes for a hash whatever has no "sk" anywhere in it.
    let old = if name.contains("sk") {
        hash(&name)
    } else {
        name.clone()
    };
    let not_found = || Denial::error(404, format!("Key {name} not found."));
    let key = gate.store.token(&old).await?.ok_or_else(not_found)?;
    team::member_may(
        team::Action::Regenerate,
        caller,
        &key,
        settings,
        &gate.store,
    )
    .await?;
    let ownership = !settings.without(Hole::RegenerateOwnership);
    if ownership && !keys::may_modify(caller, &key, &gate.store).await? {
        return Err(Denial::error(
            403,
            "You are not authorized to regenerate this key",
        ));
    }
    // The copy is kept before the gates below are asked: a call that those refuse has written it, as with the real
    // service.
    keep_copies(gate, call, vec![key.clone()]).await?;
    late_gates(gate, call, fields, &key)?;
    replace(gate, fields, &key).await
}

fn late_gates(
    gate: &Gate,
    call: &Call,
    fields: &Fields,
    key: &VerificationToken,
) -> Result<(), Denial> {
    if !gate.settings.without(Hole::RegenerateOwnershipChange) {
        keys::keeps_owner(&call.caller, fields, key)?;
    }
    match fields
        .text("organization_id")
        .filter(|asked| key.organization_id.as_deref() != Some(*asked))
    {
        Some(organization) => organization::may_assign(&call.caller, organization, &gate.settings),
        None => Ok(()),
    }
}

async fn replace(gate: &Gate, fields: &Fields, key: &VerificationToken) -> Result<Value, Denial> {
    let clear = fresh(fields)?;
    upper_bound::enforce(fields, &gate.settings)?;
    let changes = TokenChanges {
        token: Some(hash(&clear)),
        key_name: Some(abbreviated(&clear)),
        updated_at: Some(duration::now()),
        ..changes::asked_for(fields, key)?
    };
    if let Some(revoke_at) = grace(fields) {
        gate.store
            .deprecate(&key.token, &hash(&clear), revoke_at)
            .await?;
    }
    let key = gate.store.update(&key.token, changes).await?;
    let policies = json!(texts(&key.policies).collect::<Vec<_>>());
    Ok(wire::generated(
        &clear,
        &key,
        &wire::Made {
            policies,
            budget: None,
            token: None,
        },
    ))
}

fn fresh(fields: &Fields) -> Result<String, Denial> {
    match fields.text("new_key") {
        None => Ok(new_key()),
        Some(key) if key.starts_with("sk-") => Ok(key.into()),
        Some(_) => Err(Denial::error(
            400,
            "New key must start with 'sk-'. This is to distinguish a key hash (used by litellm for logging / internal \
             logic) from the actual key.",
        )),
    }
}

/// Until when the old key goes on working; a period that cannot be read is none.
fn grace(fields: &Fields) -> Option<chrono::NaiveDateTime> {
    let period = fields.text("grace_period")?;
    let seconds = duration::seconds(period)
        .ok()
        .filter(|seconds| *seconds > 0)?;
    duration::ahead(&format!("{seconds}s")).ok()
}
