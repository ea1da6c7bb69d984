//! The rows that the handlers read and write.

use chrono::NaiveDateTime;
use diesel::prelude::*;
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    duration,
    schema::LiteLLM_BudgetTable,
    wide::{changes, row},
    wire,
};

/// A `text[]` column. Prisma reads a null list as an empty one, and so does everything here.
pub(crate) type Texts = Option<Vec<Option<String>>>;

/// A nullable column's value within a change.
pub(crate) type Nullable<T> = Option<T>;

pub(crate) fn texts(column: &Texts) -> impl Iterator<Item = &str> {
    column.iter().flatten().filter_map(Option::as_deref)
}

pub(crate) fn elements(list: Vec<String>) -> Vec<Option<String>> {
    list.into_iter().map(Some).collect()
}

row! {
    in LiteLLM_VerificationToken;

    /// A virtual key. Serializes as the real service prints a row, in that order.
    #[derive(Clone, Debug, Serialize)]
    pub(crate) struct VerificationToken {
        pub(crate) token: String,
        pub(crate) key_name: Option<String>,
        pub(crate) key_alias: Option<String>,
        pub(crate) soft_budget_cooldown: bool,
        pub(crate) spend: f64,
        #[serde(serialize_with = "wire::moment")]
        pub(crate) expires: Option<NaiveDateTime>,
        #[serde(serialize_with = "wire::list")]
        pub(crate) models: Texts,
        pub(crate) aliases: Value,
        pub(crate) config: Value,
        pub(crate) router_settings: Option<Value>,
        pub(crate) user_id: Option<String>,
        pub(crate) team_id: Option<String>,
        pub(crate) agent_id: Option<String>,
        pub(crate) project_id: Option<String>,
        pub(crate) permissions: Value,
        pub(crate) max_parallel_requests: Option<i32>,
        pub(crate) metadata: Value,
        pub(crate) blocked: Option<bool>,
        pub(crate) tpm_limit: Option<i64>,
        pub(crate) rpm_limit: Option<i64>,
        pub(crate) max_budget: Option<f64>,
        pub(crate) budget_duration: Option<String>,
        #[serde(serialize_with = "wire::moment")]
        pub(crate) budget_reset_at: Option<NaiveDateTime>,
        #[serde(serialize_with = "wire::list")]
        pub(crate) allowed_cache_controls: Texts,
        #[serde(serialize_with = "wire::list")]
        pub(crate) allowed_routes: Texts,
        #[serde(serialize_with = "wire::list")]
        pub(crate) policies: Texts,
        #[serde(serialize_with = "wire::list")]
        pub(crate) access_group_ids: Texts,
        pub(crate) model_spend: Value,
        pub(crate) model_max_budget: Value,
        pub(crate) budget_id: Option<String>,
        pub(crate) organization_id: Option<String>,
        pub(crate) object_permission_id: Option<String>,
        #[serde(serialize_with = "wire::moment")]
        pub(crate) created_at: Option<NaiveDateTime>,
        pub(crate) created_by: Option<String>,
        #[serde(serialize_with = "wire::moment")]
        pub(crate) updated_at: Option<NaiveDateTime>,
        pub(crate) updated_by: Option<String>,
        #[serde(serialize_with = "wire::moment")]
        pub(crate) last_active: Option<NaiveDateTime>,
        pub(crate) rotation_count: Option<i32>,
        pub(crate) auto_rotate: Option<bool>,
        pub(crate) rotation_interval: Option<String>,
        #[serde(serialize_with = "wire::moment")]
        pub(crate) last_rotation_at: Option<NaiveDateTime>,
        #[serde(serialize_with = "wire::moment")]
        pub(crate) key_rotation_at: Option<NaiveDateTime>,
        pub(crate) budget_limits: Option<Value>,
    }
}

impl Default for VerificationToken {
    /// The columns' defaults, as the real schema has them.
    fn default() -> Self {
        let none = || Some(Vec::new());
        Self {
            token: String::new(),
            key_name: None,
            key_alias: None,
            soft_budget_cooldown: false,
            spend: 0.0,
            expires: None,
            models: none(),
            aliases: json!({}),
            config: json!({}),
            router_settings: Some(json!({})),
            user_id: None,
            team_id: None,
            agent_id: None,
            project_id: None,
            permissions: json!({}),
            max_parallel_requests: None,
            metadata: json!({}),
            blocked: None,
            tpm_limit: None,
            rpm_limit: None,
            max_budget: None,
            budget_duration: None,
            budget_reset_at: None,
            allowed_cache_controls: none(),
            allowed_routes: none(),
            policies: none(),
            access_group_ids: none(),
            model_spend: json!({}),
            model_max_budget: json!({}),
            budget_id: None,
            organization_id: None,
            object_permission_id: None,
            created_at: None,
            created_by: None,
            updated_at: None,
            updated_by: None,
            last_active: None,
            rotation_count: Some(0),
            auto_rotate: Some(false),
            rotation_interval: None,
            last_rotation_at: None,
            key_rotation_at: None,
            budget_limits: None,
        }
    }
}

changes! {
    in LiteLLM_VerificationToken;

    /// What an update may change; `None` leaves a column alone, `Some(None)` makes it null.
    #[derive(Clone, Debug, Default)]
    pub(crate) struct TokenChanges {
        pub(crate) token: Option<String>,
        pub(crate) key_name: Option<String>,
        pub(crate) key_alias: Option<Nullable<String>>,
        pub(crate) spend: Option<f64>,
        pub(crate) expires: Option<Nullable<NaiveDateTime>>,
        pub(crate) models: Option<Texts>,
        pub(crate) aliases: Option<Value>,
        pub(crate) config: Option<Value>,
        pub(crate) user_id: Option<Nullable<String>>,
        pub(crate) team_id: Option<Nullable<String>>,
        pub(crate) agent_id: Option<Nullable<String>>,
        pub(crate) permissions: Option<Value>,
        pub(crate) max_parallel_requests: Option<Nullable<i32>>,
        pub(crate) metadata: Option<Value>,
        pub(crate) blocked: Option<Nullable<bool>>,
        pub(crate) tpm_limit: Option<Nullable<i64>>,
        pub(crate) rpm_limit: Option<Nullable<i64>>,
        pub(crate) max_budget: Option<Nullable<f64>>,
        pub(crate) budget_duration: Option<String>,
        pub(crate) budget_reset_at: Option<NaiveDateTime>,
        pub(crate) allowed_cache_controls: Option<Texts>,
        pub(crate) allowed_routes: Option<Texts>,
        pub(crate) access_group_ids: Option<Texts>,
        pub(crate) model_max_budget: Option<Value>,
        pub(crate) budget_id: Option<Nullable<String>>,
        pub(crate) organization_id: Option<Nullable<String>>,
        pub(crate) auto_rotate: Option<Nullable<bool>>,
        pub(crate) rotation_interval: Option<Nullable<String>>,
        pub(crate) key_rotation_at: Option<NaiveDateTime>,
        pub(crate) updated_at: Option<NaiveDateTime>,
    }
}

row! {
    in LiteLLM_DeletedVerificationToken;

    /// The copy of a key that is deleted or regenerated.
    ///
    /// `organization_id`, `policies` and `budget_limits` are not in it: the real service loses them on the way, because its
    /// model of a key has other names for them or none (litellm 1.85.1, `proxy/_types.py` `LiteLLM_VerificationToken`).
    #[derive(Clone, Debug)]
    pub(crate) struct DeletedVerificationToken {
        id: String,
        token: String,
        key_name: Option<String>,
        key_alias: Option<String>,
        soft_budget_cooldown: bool,
        spend: f64,
        expires: Option<NaiveDateTime>,
        models: Texts,
        aliases: Value,
        config: Value,
        user_id: Option<String>,
        team_id: Option<String>,
        permissions: Value,
        max_parallel_requests: Option<i32>,
        metadata: Value,
        blocked: Option<bool>,
        tpm_limit: Option<i64>,
        rpm_limit: Option<i64>,
        max_budget: Option<f64>,
        budget_duration: Option<String>,
        budget_reset_at: Option<NaiveDateTime>,
        allowed_cache_controls: Texts,
        allowed_routes: Texts,
        model_spend: Value,
        model_max_budget: Value,
        object_permission_id: Option<String>,
        created_at: Option<NaiveDateTime>,
        created_by: Option<String>,
        updated_at: Option<NaiveDateTime>,
        updated_by: Option<String>,
        rotation_count: Option<i32>,
        auto_rotate: Option<bool>,
        rotation_interval: Option<String>,
        last_rotation_at: Option<NaiveDateTime>,
        key_rotation_at: Option<NaiveDateTime>,
        router_settings: Option<Value>,
        access_group_ids: Texts,
        last_active: Option<NaiveDateTime>,
        project_id: Option<String>,
        agent_id: Option<String>,
        deleted_at: NaiveDateTime,
        deleted_by: Option<String>,
        deleted_by_api_key: Option<String>,
        litellm_changed_by: Option<String>,
    }
}

/// Who deletes a key, and when.
#[derive(Clone, Debug)]
pub(crate) struct Deletion {
    pub(crate) at: NaiveDateTime,
    pub(crate) by_user: Option<String>,
    pub(crate) by_key: String,
    pub(crate) on_behalf_of: Option<String>,
}

impl DeletedVerificationToken {
    pub(crate) fn of(key: VerificationToken, deletion: &Deletion) -> Self {
        Self {
            id: uuid::Uuid::new_v4().to_string(),
            token: key.token,
            key_name: key.key_name,
            key_alias: key.key_alias,
            soft_budget_cooldown: key.soft_budget_cooldown,
            spend: key.spend,
            expires: key.expires,
            models: key.models,
            aliases: key.aliases,
            config: key.config,
            user_id: key.user_id,
            team_id: key.team_id,
            permissions: key.permissions,
            max_parallel_requests: key.max_parallel_requests,
            metadata: key.metadata,
            blocked: key.blocked,
            tpm_limit: key.tpm_limit,
            rpm_limit: key.rpm_limit,
            max_budget: key.max_budget,
            budget_duration: key.budget_duration,
            budget_reset_at: key.budget_reset_at,
            allowed_cache_controls: key.allowed_cache_controls,
            allowed_routes: key.allowed_routes,
            model_spend: key.model_spend,
            model_max_budget: key.model_max_budget,
            object_permission_id: key.object_permission_id,
            created_at: key.created_at,
            created_by: key.created_by,
            updated_at: key.updated_at,
            updated_by: key.updated_by,
            rotation_count: key.rotation_count,
            auto_rotate: key.auto_rotate,
            rotation_interval: key.rotation_interval,
            last_rotation_at: key.last_rotation_at,
            key_rotation_at: key.key_rotation_at,
            router_settings: key.router_settings,
            access_group_ids: key.access_group_ids,
            last_active: key.last_active,
            project_id: key.project_id,
            agent_id: key.agent_id,
            deleted_at: deletion.at,
            deleted_by: deletion.by_user.clone(),
            deleted_by_api_key: Some(deletion.by_key.clone()),
            litellm_changed_by: deletion.on_behalf_of.clone(),
        }
    }
}

/// A budget, as `/key/info` shows it beside a key.
#[derive(Clone, Debug, Queryable, Selectable, Insertable, Serialize)]
#[diesel(table_name = LiteLLM_BudgetTable)]
pub(crate) struct BudgetRow {
    budget_id: String,
    max_budget: Option<f64>,
    soft_budget: Option<f64>,
    max_parallel_requests: Option<i32>,
    tpm_limit: Option<i64>,
    rpm_limit: Option<i64>,
    model_max_budget: Option<Value>,
    budget_duration: Option<String>,
    #[serde(serialize_with = "wire::moment")]
    budget_reset_at: Option<NaiveDateTime>,
    #[serde(serialize_with = "wire::list")]
    allowed_models: Texts,
    #[serde(serialize_with = "wire::moment_set")]
    created_at: NaiveDateTime,
    created_by: String,
    #[serde(serialize_with = "wire::moment_set")]
    updated_at: NaiveDateTime,
    updated_by: String,
}

impl BudgetRow {
    /// A new budget that only warns.
    pub(crate) fn soft(soft_budget: f64, model_max_budget: Option<Value>, by: &str) -> Self {
        let now = duration::now();
        Self {
            budget_id: uuid::Uuid::new_v4().to_string(),
            max_budget: None,
            soft_budget: Some(soft_budget),
            max_parallel_requests: None,
            tpm_limit: None,
            rpm_limit: None,
            model_max_budget: model_max_budget.or_else(|| Some(json!({}))),
            budget_duration: None,
            budget_reset_at: None,
            allowed_models: Some(Vec::new()),
            created_at: now,
            created_by: by.into(),
            updated_at: now,
            updated_by: by.into(),
        }
    }
}
