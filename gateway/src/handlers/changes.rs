//! From a request body to the columns that it changes; `/key/update` and `/key/regenerate` share it.
//!
//! Follows litellm 1.85.1, `prepare_key_update_data` of `proxy/management_endpoints/key_management_endpoints.py`.

use serde_json::{Map, Value};

use crate::{
    caller::names_service_account,
    denial::Denial,
    duration,
    fields::Fields,
    rows::{Nullable, Texts, TokenChanges, VerificationToken, elements},
};

/// Fields that LiteLLM keeps in a key's metadata (litellm 1.85.1, `proxy/_types.py`).
pub(crate) const METADATA_FIELDS: &[&str] = &[
    "guardrails",
    "policies",
    "tags",
    "prompts",
    "allowed_passthrough_routes",
    "model_rpm_limit",
    "model_tpm_limit",
    "rpm_limit_type",
    "tpm_limit_type",
    "enforced_params",
];

/// Fields whose columns have no null.
const REQUIRED: [&str; 10] = [
    "models",
    "spend",
    "metadata",
    "allowed_cache_controls",
    "config",
    "permissions",
    "model_max_budget",
    "aliases",
    "allowed_routes",
    "access_group_ids",
];

/// The changes that a body asks for, without hash and time.
pub(crate) fn asked_for(fields: &Fields, key: &VerificationToken) -> Result<TokenChanges, Denial> {
    let names_team = fields.text("team_id").or(key.team_id.as_deref()).is_some();
    if names_service_account(fields.value("metadata")) && !names_team {
        let message = "team_id is required for service account keys. Please specify `team_id` in the request body.";
        return Err(Denial::text(400, message));
    }
    let metadata = metadata(fields, key)?;
    let cleared = |name: &&&str| fields.is_set(name) && fields.value(name).is_none();
    if let Some(name) = REQUIRED.iter().find(cleared) {
        // The real service's message is its database engine's, a page long.
        return Err(Denial::Fault(format!(
            "`data.{name}`: A value is required but not set"
        )));
    }
    let budget_duration = fields
        .text("budget_duration")
        .filter(|duration| !duration.is_empty());
    let interval = fields
        .text("rotation_interval")
        .filter(|_| fields.flag("auto_rotate") == Some(true));
    Ok(TokenChanges {
        key_alias: nullable(fields, "key_alias", Fields::owned),
        spend: fields.float("spend"),
        expires: expiry(fields)?,
        models: list(fields, "models"),
        aliases: fields.value("aliases").cloned(),
        config: fields.value("config").cloned(),
        user_id: nullable(fields, "user_id", Fields::owned),
        team_id: nullable(fields, "team_id", Fields::owned),
        agent_id: nullable(fields, "agent_id", Fields::owned),
        permissions: fields.value("permissions").cloned(),
        max_parallel_requests: nullable(fields, "max_parallel_requests", int32),
        metadata: Some(metadata),
        blocked: nullable(fields, "blocked", Fields::flag),
        tpm_limit: nullable(fields, "tpm_limit", Fields::int),
        rpm_limit: nullable(fields, "rpm_limit", Fields::int),
        max_budget: nullable(fields, "max_budget", Fields::float),
        budget_duration: budget_duration.map(str::to_owned),
        budget_reset_at: budget_duration.map(duration::next_reset).transpose()?,
        allowed_cache_controls: list(fields, "allowed_cache_controls"),
        allowed_routes: list(fields, "allowed_routes"),
        access_group_ids: list(fields, "access_group_ids"),
        model_max_budget: fields.value("model_max_budget").cloned(),
        budget_id: nullable(fields, "budget_id", Fields::owned),
        organization_id: nullable(fields, "organization_id", Fields::owned),
        auto_rotate: nullable(fields, "auto_rotate", Fields::flag),
        rotation_interval: nullable(fields, "rotation_interval", Fields::owned),
        key_rotation_at: interval.map(duration::ahead).transpose()?,
        ..TokenChanges::default()
    })
}

fn nullable<'a, T>(
    fields: &'a Fields,
    name: &str,
    read: fn(&'a Fields, &str) -> Option<T>,
) -> Option<Nullable<T>> {
    fields.is_set(name).then(|| read(fields, name))
}

fn list(fields: &Fields, name: &str) -> Option<Texts> {
    fields.texts(name).map(|list| Some(elements(list)))
}

/// A number that fits its column.
pub(crate) fn int32(fields: &Fields, name: &str) -> Option<i32> {
    fields
        .int(name)
        .and_then(|number| i32::try_from(number).ok())
}

/// When the key is to expire: a duration of none or "-1" means never.
fn expiry(fields: &Fields) -> Result<Option<Nullable<chrono::NaiveDateTime>>, Denial> {
    match fields.text("duration") {
        _ if !fields.is_set("duration") => Ok(None),
        None | Some("-1") => Ok(Some(None)),
        Some("") => Ok(None),
        Some(duration) => duration::ahead(duration).map(|moment| Some(Some(moment))),
    }
}

/// The key's metadata afterwards. What marks a service account's key cannot be changed.
fn metadata(fields: &Fields, key: &VerificationToken) -> Result<Value, Denial> {
    let mut metadata = match fields.value("metadata").unwrap_or(&key.metadata) {
        Value::Object(metadata) => metadata.clone(),
        _ => Map::new(),
    };
    if let Some(account) = key
        .metadata
        .get("service_account_id")
        .filter(|account| !account.is_null())
    {
        let cleared = fields.is_set("metadata") && fields.value("metadata").is_none();
        if cleared
            || metadata
                .get("service_account_id")
                .is_some_and(|asked| asked != account)
        {
            let message =
                "service_account_id is immutable once set and cannot be changed via update.";
            return Err(Denial::text(400, message));
        }
        metadata.insert("service_account_id".into(), account.clone());
    }
    for name in METADATA_FIELDS {
        if let Some(value) = fields.value(name) {
            metadata.insert((*name).into(), value.clone());
        }
    }
    Ok(Value::Object(metadata))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::fields::KEY_FIELDS;

    fn changes(body: Value, key: &VerificationToken) -> Result<TokenChanges, Denial> {
        asked_for(&Fields::read(Some(body), KEY_FIELDS).unwrap(), key)
    }

    #[test]
    fn null_clears_a_column_and_absence_leaves_it_alone() {
        let changes = changes(json!({"team_id": null}), &VerificationToken::default()).unwrap();
        assert_eq!(changes.team_id, Some(None));
        assert_eq!(changes.user_id, None);
    }

    #[test]
    fn a_service_account_stays_one() {
        let key = VerificationToken {
            metadata: json!({"service_account_id": "a"}),
            ..VerificationToken::default()
        };
        assert_eq!(
            changes(json!({}), &key).unwrap().metadata,
            Some(json!({"service_account_id": "a"}))
        );
        assert_eq!(
            changes(json!({"metadata": {"x": 1}}), &key)
                .unwrap()
                .metadata,
            Some(json!({"x": 1, "service_account_id": "a"}))
        );
        assert!(
            changes(
                json!({"team_id": "t", "metadata": {"service_account_id": "b"}}),
                &key
            )
            .is_err()
        );
    }

    #[test]
    fn a_duration_of_minus_one_makes_a_key_last_for_ever() {
        let key = VerificationToken::default();
        assert_eq!(
            changes(json!({"duration": "-1"}), &key).unwrap().expires,
            Some(None)
        );
        assert_eq!(changes(json!({}), &key).unwrap().expires, None);
        assert!(matches!(
            changes(json!({"duration": "1h"}), &key).unwrap().expires,
            Some(Some(_))
        ));
    }
}
