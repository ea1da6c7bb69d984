//! What a success looks like on the wire.

use chrono::NaiveDateTime;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

use crate::rows::{BudgetRow, Texts, VerificationToken, texts};

/// A moment as Python's `isoformat` prints it: microseconds unless they are zero, and the offset.
#[expect(
    clippy::ref_option,
    reason = "serde calls it with a reference to the field"
)]
pub(crate) fn moment<S: Serializer>(
    moment: &Option<NaiveDateTime>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    moment
        .map(|moment| format!("{}+00:00", iso(moment)))
        .serialize(serializer)
}

pub(crate) fn moment_set<S: Serializer>(
    value: &NaiveDateTime,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    moment(&Some(*value), serializer)
}

pub(crate) fn list<S: Serializer>(column: &Texts, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(texts(column))
}

/// A moment as pydantic prints it.
fn zulu(moment: Option<NaiveDateTime>) -> Option<String> {
    moment.map(|moment| format!("{}Z", iso(moment)))
}

fn iso(moment: NaiveDateTime) -> String {
    let fraction = if moment.and_utc().timestamp_subsec_micros() == 0 {
        ""
    } else {
        "%.6f"
    };
    moment
        .format(&format!("%Y-%m-%dT%H:%M:%S{fraction}"))
        .to_string()
}

/// A row with its relations, of which at most the budget is loaded.
pub(crate) fn row(key: &VerificationToken, budget: Option<&BudgetRow>) -> Map<String, Value> {
    let mut row = match serde_json::to_value(key) {
        Ok(Value::Object(row)) => row,
        _ => Map::new(),
    };
    row.insert(
        "litellm_budget_table".into(),
        budget.map_or(Value::Null, self::budget),
    );
    for relation in [
        "litellm_organization_table",
        "litellm_project_table",
        "object_permission",
        "jwt_key_mappings",
    ] {
        row.insert(relation.into(), Value::Null);
    }
    row
}

const BUDGET_RELATIONS: [&str; 7] = [
    "organization",
    "projects",
    "keys",
    "end_users",
    "tags",
    "team_membership",
    "organization_membership",
];

fn budget(budget: &BudgetRow) -> Value {
    let mut value = json!(budget);
    if let Some(row) = value.as_object_mut() {
        row.extend(BUDGET_RELATIONS.map(|relation| (relation.into(), Value::Null)));
    }
    value
}

/// A budget within a pydantic model, which prints moments in its own way.
fn zulu_budget(row: &BudgetRow) -> Value {
    let mut value = budget(row);
    for name in ["budget_reset_at", "created_at", "updated_at"] {
        if let Some(Value::String(moment)) = value.get_mut(name) {
            *moment = moment.replace("+00:00", "Z");
        }
    }
    value
}

/// The answer of `/key/generate` and `/key/regenerate` (litellm 1.85.1, `proxy/_types.py` `GenerateKeyResponse`).
pub(crate) fn generated(clear: &str, key: &VerificationToken, made: &Made<'_>) -> Value {
    json!({
        "key_alias": key.key_alias,
        "duration": null,
        "models": texts(&key.models).collect::<Vec<_>>(),
        "spend": key.spend,
        "max_budget": key.max_budget,
        "user_id": key.user_id,
        "team_id": key.team_id,
        "agent_id": key.agent_id,
        "max_parallel_requests": key.max_parallel_requests,
        "metadata": key.metadata,
        "tpm_limit": key.tpm_limit,
        "rpm_limit": key.rpm_limit,
        "budget_duration": key.budget_duration,
        "budget_limits": key.budget_limits,
        "allowed_cache_controls": texts(&key.allowed_cache_controls).collect::<Vec<_>>(),
        "config": key.config,
        "permissions": key.permissions,
        "model_max_budget": key.model_max_budget,
        "model_rpm_limit": null,
        "model_tpm_limit": null,
        "guardrails": null,
        "policies": made.policies,
        "prompts": null,
        "blocked": key.blocked,
        "aliases": key.aliases,
        "object_permission": null,
        "key": clear,
        "budget_id": key.budget_id,
        "tags": null,
        "enforced_params": null,
        "allowed_routes": texts(&key.allowed_routes).collect::<Vec<_>>(),
        "allowed_passthrough_routes": null,
        "allowed_vector_store_indexes": null,
        "rpm_limit_type": null,
        "tpm_limit_type": null,
        "router_settings": key.router_settings.as_ref().map(router_settings),
        "access_group_ids": texts(&key.access_group_ids).collect::<Vec<_>>(),
        "key_name": key.key_name,
        "expires": zulu(key.expires),
        "token_id": key.token,
        "organization_id": key.organization_id,
        "project_id": key.project_id,
        "litellm_budget_table": made.budget.map(zulu_budget),
        "token": made.token,
        "created_by": key.created_by,
        "updated_by": key.updated_by,
        "created_at": zulu(key.created_at),
        "updated_at": zulu(key.updated_at),
    })
}

/// In what a new key's answer and a regenerated key's differ.
#[derive(Clone, Debug)]
pub(crate) struct Made<'a> {
    pub(crate) policies: Value,
    pub(crate) budget: Option<&'a BudgetRow>,
    pub(crate) token: Option<&'a str>,
}

const ROUTER_SETTINGS: [&str; 13] = [
    "routing_strategy_args",
    "routing_strategy",
    "routing_groups",
    "model_group_retry_policy",
    "model_group_affinity_config",
    "allowed_fails",
    "cooldown_time",
    "num_retries",
    "timeout",
    "max_retries",
    "retry_after",
    "fallbacks",
    "context_window_fallbacks",
];

/// Router settings with every setting that the real model has (litellm 1.85.1, `types/router.py` `UpdateRouterConfig`).
fn router_settings(stored: &Value) -> Value {
    let value = |name: &str| stored.get(name).cloned();
    let mut all: Map<_, _> = ROUTER_SETTINGS
        .iter()
        .map(|name| ((*name).into(), value(name).unwrap_or_default()))
        .collect();
    all.insert(
        "model_group_alias".into(),
        value("model_group_alias").unwrap_or_else(|| json!({})),
    );
    Value::Object(all)
}

/// The fields of a key in full in `/key/list` (litellm 1.85.1, `proxy/_types.py` `UserAPIKeyAuth`): those of the row but
/// `policies` and `budget_id`, then what the model knows of an authenticated key, none of which a list looks up.
const LISTED: &str = "token key_name key_alias spend max_budget expires models aliases config user_id \
     team_id agent_id project_id max_parallel_requests metadata tpm_limit rpm_limit \
     budget_duration budget_reset_at allowed_cache_controls allowed_routes permissions \
     model_spend model_max_budget soft_budget_cooldown blocked litellm_budget_table \
     org_id created_at created_by updated_at updated_by last_active object_permission_id \
     object_permission access_group_ids rotation_count auto_rotate rotation_interval \
     last_rotation_at key_rotation_at router_settings budget_limits team_spend team_alias \
     team_tpm_limit team_rpm_limit team_max_budget team_soft_budget team_models \
     team_blocked soft_budget team_model_aliases team_member team_metadata \
     team_object_permission_id team_member_spend team_member_tpm_limit \
     team_member_rpm_limit end_user_id end_user_tpm_limit end_user_rpm_limit \
     end_user_max_budget end_user_model_max_budget organization_alias \
     organization_max_budget organization_tpm_limit organization_rpm_limit \
     organization_metadata project_alias project_metadata last_refreshed_at api_key \
     user_role allowed_model_region parent_otel_span rpm_limit_per_model \
     tpm_limit_per_model user_tpm_limit user_rpm_limit user_email user_spend \
     user_max_budget request_route user created_by_user end_user_object_permission \
     team_object_permission jwt_claims";

/// A key in full in `/key/list`: `organization_id` is called `org_id`, moments end in `Z`.
pub(crate) fn listed(key: &VerificationToken) -> Value {
    let mut known = row(key, None);
    known.extend([
        ("org_id".into(), json!(key.organization_id)),
        ("expires".into(), json!(zulu(key.expires))),
        ("budget_reset_at".into(), json!(zulu(key.budget_reset_at))),
        ("created_at".into(), json!(zulu(key.created_at))),
        ("updated_at".into(), json!(zulu(key.updated_at))),
        ("last_active".into(), json!(zulu(key.last_active))),
        ("last_rotation_at".into(), json!(zulu(key.last_rotation_at))),
        ("key_rotation_at".into(), json!(zulu(key.key_rotation_at))),
        ("team_models".into(), json!([])),
        ("team_blocked".into(), json!(false)),
    ]);
    let field = |name: &str| {
        (
            name.to_owned(),
            known.get(name).cloned().unwrap_or_default(),
        )
    };
    Value::Object(LISTED.split(' ').map(field).collect())
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    fn at(millis: i64) -> NaiveDateTime {
        DateTime::from_timestamp_millis(millis).unwrap().naive_utc()
    }

    #[test]
    fn a_moment_has_microseconds_unless_they_are_zero() {
        assert_eq!(iso(at(1_000)), "1970-01-01T00:00:01");
        assert_eq!(iso(at(1_250)), "1970-01-01T00:00:01.250000");
    }

    #[test]
    fn a_row_ends_with_its_relations() {
        let row = row(
            &VerificationToken {
                created_at: Some(at(1_000)),
                ..VerificationToken::default()
            },
            None,
        );
        assert_eq!(row.len(), 48);
        assert_eq!(row["created_at"], "1970-01-01T00:00:01+00:00");
        assert_eq!(row["jwt_key_mappings"], Value::Null);
    }

    #[test]
    fn a_listed_key_calls_its_organization_org_id() {
        let key = VerificationToken {
            organization_id: Some("a".into()),
            ..VerificationToken::default()
        };
        let listed = listed(&key);
        assert_eq!(listed["org_id"], "a");
        assert_eq!(listed.get("organization_id"), None);
        assert_eq!(listed["team_blocked"], false);
        assert_eq!(listed.as_object().unwrap().len(), 89);
    }
}
