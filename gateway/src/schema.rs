//! The tables, with the columns that queries name. All columns of a wide row stand in [`crate::rows`].

diesel::table! {
    LiteLLM_BudgetTable (budget_id) {
        budget_id -> Text,
        max_budget -> Nullable<Float8>,
        soft_budget -> Nullable<Float8>,
        max_parallel_requests -> Nullable<Int4>,
        tpm_limit -> Nullable<Int8>,
        rpm_limit -> Nullable<Int8>,
        model_max_budget -> Nullable<Jsonb>,
        budget_duration -> Nullable<Text>,
        budget_reset_at -> Nullable<Timestamp>,
        created_at -> Timestamp,
        created_by -> Text,
        updated_at -> Timestamp,
        updated_by -> Text,
        allowed_models -> Nullable<Array<Nullable<Text>>>,
    }
}

diesel::table! {
    LiteLLM_DeletedVerificationToken (id) {
        id -> Text,
    }
}

diesel::table! {
    LiteLLM_DeprecatedVerificationToken (id) {
        id -> Text,
        token -> Text,
        active_token_id -> Text,
        revoke_at -> Timestamp,
    }
}

diesel::table! {
    LiteLLM_OrganizationMembership (user_id, organization_id) {
        user_id -> Text,
        organization_id -> Text,
        user_role -> Nullable<Text>,
    }
}

diesel::table! {
    LiteLLM_OrganizationTable (organization_id) {
        organization_id -> Text,
    }
}

diesel::table! {
    LiteLLM_TeamTable (team_id) {
        team_id -> Text,
        organization_id -> Nullable<Text>,
        members_with_roles -> Jsonb,
        metadata -> Jsonb,
        models -> Nullable<Array<Nullable<Text>>>,
        tpm_limit -> Nullable<Int8>,
        rpm_limit -> Nullable<Int8>,
        blocked -> Bool,
        team_member_permissions -> Nullable<Array<Nullable<Text>>>,
    }
}

diesel::table! {
    LiteLLM_UserTable (user_id) {
        user_id -> Text,
        teams -> Nullable<Array<Nullable<Text>>>,
        user_role -> Nullable<Text>,
    }
}

diesel::table! {
    LiteLLM_VerificationToken (token) {
        token -> Text,
        key_alias -> Nullable<Text>,
        spend -> Float8,
        user_id -> Nullable<Text>,
        team_id -> Nullable<Text>,
        max_budget -> Nullable<Float8>,
        organization_id -> Nullable<Text>,
        created_at -> Nullable<Timestamp>,
        created_by -> Nullable<Text>,
        updated_at -> Nullable<Timestamp>,
    }
}

diesel::allow_tables_to_appear_in_same_query!(
    LiteLLM_DeprecatedVerificationToken,
    LiteLLM_OrganizationMembership,
    LiteLLM_TeamTable,
    LiteLLM_UserTable,
    LiteLLM_VerificationToken,
);
