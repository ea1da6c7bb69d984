//! `POST /key/generate`.

use std::sync::Arc;

use axum::{Json, extract::State};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::{
    alias,
    changes::{METADATA_FIELDS, int32},
};
use crate::{
    call::Call,
    caller::{Caller, MASTER_USER_ID, abbreviated, hash, names_service_account},
    denial::{Answer, Denial, Voice},
    duration,
    fields::{Field, Fields, KEY_FIELDS, Kind},
    gates::{keys, organization, team, upper_bound},
    hole::Hole,
    python,
    rows::{BudgetRow, VerificationToken, elements},
    server::Gate,
    store::Team,
    wire,
};

const KEY_TYPES: &[&str] = &["llm_api", "management", "read_only", "default"];

/// The fields that only a new key can have.
pub(super) const OWN_FIELDS: &[Field] = &[
    ("soft_budget", Kind::Float),
    ("key_type", Kind::Enum(KEY_TYPES)),
];

pub(crate) async fn handle(
    State(gate): State<Arc<Gate>>,
    call: Call,
) -> Result<Json<Value>, Answer> {
    let known = [KEY_FIELDS, OWN_FIELDS].concat();
    let fields = Fields::read(call.body, &known)?;
    generate(&gate, &call.caller, fields)
        .await
        .map(Json)
        .map_err(|denial| denial.spoken_by(Voice::Management))
}

async fn generate(gate: &Gate, caller: &Caller, mut fields: Fields) -> Result<Value, Denial> {
    refuse_negative(&fields, "max_budget")?;
    refuse_negative(&fields, "soft_budget")?;
    keys::sets_no_routes(caller, &fields)?;
    if let Some(id) = caller
        .id()
        .filter(|_| !caller.is_admin() && fields.value("user_id").is_none())
    {
        fields.set("user_id", id);
    }
    let team = find_team(gate, caller, fields.text("team_id")).await?;
    if let Some(team) = &team {
        let owner = fields.text("user_id");
        team::may_generate(team::Action::Generate, caller, owner, team, &gate.settings)?;
    }
    make_for(gate, caller, fields, team.as_ref()).await
}

/// What `/key/generate` and `/key/service-account/generate` have in common: the gates after those about the team, and
/// the key itself (litellm 1.85.1, `_common_key_generation_helper`).
pub(super) async fn make_for(
    gate: &Gate,
    caller: &Caller,
    mut fields: Fields,
    team: Option<&Team>,
) -> Result<Value, Denial> {
    if !gate.settings.without(Hole::GenerateOtherUser) {
        keys::for_itself(caller, fields.text("user_id"))?;
    }
    refuse_homeless_service_account(&fields)?;
    upper_bound::enforce_and_fill(&mut fields, &gate.settings)?;
    follow_team(&mut fields, team);
    add_soft_budget(gate, caller, &mut fields).await?;
    fields.move_into_metadata(METADATA_FIELDS);
    pick_routes(&mut fields, caller)?;
    alias::must_be_free(fields.text("key_alias"), "", &gate.store).await?;
    let clear = clear_key(&fields)?;
    if let Some(organization) = fields.text("organization_id") {
        organization::may_assign(caller, organization, &gate.settings)?;
        organization::exists(organization, &gate.store).await?;
    }
    make(gate, caller, &fields, &clear).await
}

pub(super) fn refuse_negative(fields: &Fields, name: &str) -> Result<(), Denial> {
    match fields.float(name).filter(|budget| *budget < 0.0) {
        Some(budget) => {
            let budget = python::float(budget);
            Err(Denial::error(
                400,
                format!("{name} cannot be negative. Received: {budget}"),
            ))
        }
        None => Ok(()),
    }
}

/// The team that the key is for. A proxy admin may name one that is not there.
async fn find_team(gate: &Gate, caller: &Caller, id: Option<&str>) -> Result<Option<Team>, Denial> {
    let Some(id) = id else { return Ok(None) };
    let team = gate.store.team(id).await?;
    if team.is_none() && !caller.is_admin() {
        let message = format!(
            "Team not found for team_id={id}. Non-admin users cannot create keys for non-existent teams."
        );
        return Err(Denial::text(400, message));
    }
    Ok(team)
}

fn refuse_homeless_service_account(fields: &Fields) -> Result<(), Denial> {
    if !names_service_account(fields.value("metadata")) || fields.value("team_id").is_some() {
        return Ok(());
    }
    let message = "team_id is required for service account keys. Please specify `team_id` in the request body.";
    Err(Denial::text(400, message))
}

/// A team's key belongs to the team's organization, whatever the request says, and lives as long as the team says
/// (`litellm_enterprise` 1.85.1, `apply_enterprise_key_management_params`).
fn follow_team(fields: &mut Fields, team: Option<&Team>) {
    let Some(team) = team else { return };
    let lifetime = team
        .metadata
        .get("team_member_key_duration")
        .filter(|lifetime| !lifetime.is_null());
    if let Some(lifetime) = lifetime.filter(|_| fields.value("user_id").is_some()) {
        fields.set("duration", lifetime.clone());
    }
    fields.set("organization_id", team.organization_id.clone());
}

/// A soft budget lives in a row of its own, which is written before the gates below are asked.
async fn add_soft_budget(gate: &Gate, caller: &Caller, fields: &mut Fields) -> Result<(), Denial> {
    let Some(soft_budget) = fields.float("soft_budget") else {
        return Ok(());
    };
    let per_model = fields.value("model_max_budget").cloned();
    let budget = BudgetRow::soft(
        soft_budget,
        per_model,
        caller.id().unwrap_or(MASTER_USER_ID),
    );
    fields.set("budget_id", gate.store.insert_budget(budget).await?);
    Ok(())
}

/// A key type stands for a set of routes; everybody may pick one, except those that manage.
fn pick_routes(fields: &mut Fields, caller: &Caller) -> Result<(), Denial> {
    let routes = match fields.text("key_type") {
        Some("llm_api") => "llm_api_routes",
        Some("management") if caller.is_admin() => "management_routes",
        Some("read_only") => "info_routes",
        Some("management") => return Err(keys::presets_only()),
        _ => return Ok(()),
    };
    fields.set("allowed_routes", json!([routes]));
    Ok(())
}

/// The key that the request brings along, or a new one.
fn clear_key(fields: &Fields) -> Result<String, Denial> {
    match fields.text("key") {
        None => Ok(new_key()),
        Some(key) if key.starts_with("sk-") => Ok(key.into()),
        Some(key) => {
            let masked = crate::caller::masked(key);
            let message = format!(
                "Invalid key format. LiteLLM Virtual Key must start with 'sk-'. Received: {masked}"
            );
            Err(Denial::error(400, message))
        }
    }
}

pub(super) fn new_key() -> String {
    format!("sk-{}", URL_SAFE_NO_PAD.encode(rand::random::<[u8; 16]>()))
}

async fn make(gate: &Gate, caller: &Caller, fields: &Fields, clear: &str) -> Result<Value, Denial> {
    let key = row(caller, fields, clear)?;
    gate.store.insert(&key).await?;
    let budget = gate.store.budget(key.budget_id.as_deref()).await?;
    let made = wire::Made {
        policies: Value::Null,
        budget: budget.as_ref(),
        token: Some(&key.token),
    };
    Ok(wire::generated(clear, &key, &made))
}

fn row(caller: &Caller, fields: &Fields, clear: &str) -> Result<VerificationToken, Denial> {
    let now = duration::now();
    let list = |name| Some(elements(fields.texts(name).unwrap_or_default()));
    let map = |name| fields.value(name).cloned().unwrap_or_else(|| json!({}));
    let interval = fields
        .text("rotation_interval")
        .filter(|_| fields.flag("auto_rotate") == Some(true));
    Ok(VerificationToken {
        token: hash(clear),
        key_name: Some(abbreviated(clear)),
        key_alias: fields.owned("key_alias"),
        spend: fields.float("spend").unwrap_or_default(),
        expires: fields.text("duration").map(duration::ahead).transpose()?,
        models: list("models"),
        aliases: map("aliases"),
        config: map("config"),
        user_id: fields.owned("user_id"),
        team_id: fields.owned("team_id"),
        agent_id: fields.owned("agent_id"),
        permissions: map("permissions"),
        max_parallel_requests: int32(fields, "max_parallel_requests"),
        metadata: map("metadata"),
        blocked: fields.flag("blocked"),
        tpm_limit: fields.int("tpm_limit"),
        rpm_limit: fields.int("rpm_limit"),
        max_budget: fields.float("max_budget"),
        budget_duration: fields.owned("budget_duration"),
        budget_reset_at: fields
            .text("budget_duration")
            .map(duration::next_reset)
            .transpose()?,
        allowed_cache_controls: list("allowed_cache_controls"),
        allowed_routes: list("allowed_routes"),
        access_group_ids: list("access_group_ids"),
        model_max_budget: map("model_max_budget"),
        budget_id: fields.owned("budget_id"),
        organization_id: fields.owned("organization_id"),
        created_at: Some(now),
        created_by: caller.user_id.clone(),
        updated_at: Some(now),
        updated_by: caller.user_id.clone(),
        auto_rotate: Some(interval.is_some()),
        rotation_interval: interval.map(str::to_owned),
        key_rotation_at: interval.map(duration::ahead).transpose()?,
        ..VerificationToken::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_key_is_22_url_safe_characters_long() {
        let key = new_key();
        assert_eq!(key.len(), 25);
        assert!(
            key.bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)),
            "{key}"
        );
        assert_ne!(key, new_key());
    }
}
