//! `POST /key/update`.

use std::sync::Arc;

use axum::{Json, extract::State};
use serde_json::{Value, json};

use super::{alias, changes, generate::refuse_negative};
use crate::{
    call::Call,
    caller::{Caller, hash_if_clear},
    denial::{Answer, Denial, Voice},
    duration,
    fields::{Fields, KEY_FIELDS},
    gates::{keys, organization, team, upper_bound},
    hole::Hole,
    rows::{TokenChanges, VerificationToken},
    server::Gate,
    wire,
};

pub(crate) async fn handle(
    State(gate): State<Arc<Gate>>,
    call: Call,
) -> Result<Json<Value>, Answer> {
    let fields = Fields::read_requiring("key", call.body, KEY_FIELDS)?;
    let key = fields.text("key").unwrap_or_default();
    update(&gate, &call.caller, &fields, key)
        .await
        .map(Json)
        .map_err(|denial| denial.spoken_by(Voice::Update))
}

async fn update(
    gate: &Gate,
    caller: &Caller,
    fields: &Fields,
    name: &str,
) -> Result<Value, Denial> {
    refuse_negative(fields, "max_budget")?;
    let key = gate
        .store
        .token(&hash_if_clear(name))
        .await?
        .ok_or_else(not_found)?;
    if let Err(denial) = gates(gate, caller, fields, &key).await {
        write_anyway(gate, &key).await?;
        return Err(denial);
    }
    upper_bound::enforce(fields, &gate.settings)?;
    let changes = changes::asked_for(fields, &key)?;
    alias::must_be_free(fields.text("key_alias"), &key.token, &gate.store).await?;
    let changes = TokenChanges {
        updated_at: Some(duration::now()),
        ..changes
    };
    let key = gate.store.update(&key.token, changes).await?;
    let mut answer = serde_json::Map::from_iter([("key".into(), json!(name))]);
    answer.extend(wire::row(&key, None));
    Ok(Value::Object(answer))
}

/// What a denied call writes; nothing, unless there is the hole.
async fn write_anyway(gate: &Gate, key: &VerificationToken) -> Result<(), Denial> {
    if gate.settings.without(Hole::SilentWriteOnDeniedUpdate) {
        let spend = Some(key.spend + 1.0);
        let changes = TokenChanges {
            spend,
            ..TokenChanges::default()
        };
        gate.store.update(&key.token, changes).await?;
    }
    Ok(())
}

fn not_found() -> Denial {
    Denial::Proxy {
        status: 404,
        kind: "not_found_error",
        param: "key",
        message: "Key not found.".into(),
    }
}

async fn gates(
    gate: &Gate,
    caller: &Caller,
    fields: &Fields,
    key: &VerificationToken,
) -> Result<(), Denial> {
    let settings = &gate.settings;
    keys::sets_no_routes(caller, fields)?;
    if !settings.without(Hole::UpdateOwnershipChange) {
        keys::keeps_owner(caller, fields, key)?;
    }
    if !settings.without(Hole::UpdateOtherUser) {
        keys::for_itself(
            caller,
            key.user_id.as_deref().or_else(|| fields.text("user_id")),
        )?;
    }
    team::member_may(team::Action::Update, caller, key, settings, &gate.store).await?;
    if !settings.without(Hole::UpdateAdminCheck) {
        admin_check(gate, caller, fields, key).await?;
    }
    organization_check(gate, caller, fields, key).await?;
    team_check(gate, caller, fields, key).await
}

/// Budgets are for admins to change; the rest also for members of the key's team and for the key's own maker.
async fn admin_check(
    gate: &Gate,
    caller: &Caller,
    fields: &Fields,
    key: &VerificationToken,
) -> Result<(), Denial> {
    let differs = |new: Option<f64>, old: Option<f64>| new.is_some() && new != old;
    let budget = differs(fields.float("max_budget"), key.max_budget)
        || differs(fields.float("spend"), Some(key.spend));
    let made_for_itself = caller.user_id.is_some()
        && key.created_by == caller.user_id
        && key.user_id == caller.user_id;
    if !budget && (made_for_itself || key.team_id.is_some()) {
        return Ok(());
    }
    let route = if budget {
        "/key/update (max_budget/spend)"
    } else {
        "/key/update"
    };
    keys::administers(caller, key, route, &gate.store).await
}

async fn organization_check(
    gate: &Gate,
    caller: &Caller,
    fields: &Fields,
    key: &VerificationToken,
) -> Result<(), Denial> {
    if let Some(asked) = fields
        .text("organization_id")
        .filter(|asked| key.organization_id.as_deref() != Some(*asked))
    {
        organization::may_assign(caller, asked, &gate.settings)?;
    }
    let limits = [
        "organization_id",
        "tpm_limit",
        "rpm_limit",
        "tpm_limit_type",
        "rpm_limit_type",
    ];
    let concerned = limits.iter().any(|name| fields.value(name).is_some());
    let id = fields
        .text("organization_id")
        .filter(|id| !id.is_empty())
        .or(key.organization_id.as_deref());
    match id.filter(|_| concerned) {
        Some(id) => organization::exists(id, &gate.store).await,
        None => Ok(()),
    }
}

async fn team_check(
    gate: &Gate,
    caller: &Caller,
    fields: &Fields,
    key: &VerificationToken,
) -> Result<(), Denial> {
    let asked = fields.text("team_id");
    let Some(id) = asked.filter(|id| !id.is_empty()).or(key.team_id.as_deref()) else {
        return Ok(());
    };
    let team = team::required(&gate.store, id).await?;
    if asked.is_some() && asked != key.team_id.as_deref() {
        return team::may_move_here(caller, key, &team, &gate.settings);
    }
    Ok(())
}
