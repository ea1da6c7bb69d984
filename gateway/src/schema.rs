// @generated automatically by Diesel CLI.

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
        token -> Text,
        key_name -> Nullable<Text>,
        key_alias -> Nullable<Text>,
        soft_budget_cooldown -> Bool,
        spend -> Float8,
        expires -> Nullable<Timestamp>,
        models -> Nullable<Array<Nullable<Text>>>,
        aliases -> Jsonb,
        config -> Jsonb,
        user_id -> Nullable<Text>,
        team_id -> Nullable<Text>,
        permissions -> Jsonb,
        max_parallel_requests -> Nullable<Int4>,
        metadata -> Jsonb,
        blocked -> Nullable<Bool>,
        tpm_limit -> Nullable<Int8>,
        rpm_limit -> Nullable<Int8>,
        max_budget -> Nullable<Float8>,
        budget_duration -> Nullable<Text>,
        budget_reset_at -> Nullable<Timestamp>,
        allowed_cache_controls -> Nullable<Array<Nullable<Text>>>,
        allowed_routes -> Nullable<Array<Nullable<Text>>>,
        model_spend -> Jsonb,
        model_max_budget -> Jsonb,
        budget_id -> Nullable<Text>,
        organization_id -> Nullable<Text>,
        object_permission_id -> Nullable<Text>,
        created_at -> Nullable<Timestamp>,
        created_by -> Nullable<Text>,
        updated_at -> Nullable<Timestamp>,
        updated_by -> Nullable<Text>,
        rotation_count -> Nullable<Int4>,
        auto_rotate -> Nullable<Bool>,
        rotation_interval -> Nullable<Text>,
        last_rotation_at -> Nullable<Timestamp>,
        key_rotation_at -> Nullable<Timestamp>,
        deleted_at -> Timestamp,
        deleted_by -> Nullable<Text>,
        deleted_by_api_key -> Nullable<Text>,
        litellm_changed_by -> Nullable<Text>,
        router_settings -> Nullable<Jsonb>,
        policies -> Nullable<Array<Nullable<Text>>>,
        access_group_ids -> Nullable<Array<Nullable<Text>>>,
        last_active -> Nullable<Timestamp>,
        project_id -> Nullable<Text>,
        agent_id -> Nullable<Text>,
    }
}

diesel::table! {
    LiteLLM_DeprecatedVerificationToken (id) {
        id -> Text,
        token -> Text,
        active_token_id -> Text,
        revoke_at -> Timestamp,
        created_at -> Timestamp,
    }
}

diesel::table! {
    LiteLLM_JWTKeyMapping (id) {
        id -> Text,
        jwt_claim_name -> Text,
        jwt_claim_value -> Text,
        token -> Text,
        description -> Nullable<Text>,
        is_active -> Bool,
        created_at -> Timestamp,
        created_by -> Nullable<Text>,
        updated_at -> Timestamp,
        updated_by -> Nullable<Text>,
    }
}

diesel::table! {
    LiteLLM_ModelTable (id) {
        id -> Int4,
        aliases -> Nullable<Jsonb>,
        created_at -> Timestamp,
        created_by -> Text,
        updated_at -> Timestamp,
        updated_by -> Text,
    }
}

diesel::table! {
    LiteLLM_ObjectPermissionTable (object_permission_id) {
        object_permission_id -> Text,
        mcp_servers -> Nullable<Array<Nullable<Text>>>,
        vector_stores -> Nullable<Array<Nullable<Text>>>,
        mcp_access_groups -> Nullable<Array<Nullable<Text>>>,
        mcp_tool_permissions -> Nullable<Jsonb>,
        agents -> Nullable<Array<Nullable<Text>>>,
        agent_access_groups -> Nullable<Array<Nullable<Text>>>,
        blocked_tools -> Nullable<Array<Nullable<Text>>>,
        models -> Nullable<Array<Nullable<Text>>>,
        mcp_toolsets -> Nullable<Array<Nullable<Text>>>,
        search_tools -> Nullable<Array<Nullable<Text>>>,
    }
}

diesel::table! {
    LiteLLM_OrganizationMembership (user_id, organization_id) {
        user_id -> Text,
        organization_id -> Text,
        user_role -> Nullable<Text>,
        spend -> Nullable<Float8>,
        budget_id -> Nullable<Text>,
        created_at -> Nullable<Timestamp>,
        updated_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    LiteLLM_OrganizationTable (organization_id) {
        organization_id -> Text,
        organization_alias -> Text,
        budget_id -> Text,
        metadata -> Jsonb,
        models -> Nullable<Array<Nullable<Text>>>,
        spend -> Float8,
        model_spend -> Jsonb,
        created_at -> Timestamp,
        created_by -> Text,
        updated_at -> Timestamp,
        updated_by -> Text,
        object_permission_id -> Nullable<Text>,
    }
}

diesel::table! {
    LiteLLM_ProjectTable (project_id) {
        project_id -> Text,
        project_alias -> Nullable<Text>,
        team_id -> Nullable<Text>,
        budget_id -> Nullable<Text>,
        metadata -> Jsonb,
        models -> Nullable<Array<Nullable<Text>>>,
        spend -> Float8,
        model_spend -> Jsonb,
        blocked -> Bool,
        object_permission_id -> Nullable<Text>,
        created_at -> Timestamp,
        created_by -> Text,
        updated_at -> Timestamp,
        updated_by -> Text,
        description -> Nullable<Text>,
        model_rpm_limit -> Jsonb,
        model_tpm_limit -> Jsonb,
    }
}

diesel::table! {
    LiteLLM_TeamMembership (user_id, team_id) {
        user_id -> Text,
        team_id -> Text,
        spend -> Float8,
        budget_id -> Nullable<Text>,
        total_spend -> Float8,
    }
}

diesel::table! {
    LiteLLM_TeamTable (team_id) {
        team_id -> Text,
        team_alias -> Nullable<Text>,
        organization_id -> Nullable<Text>,
        admins -> Nullable<Array<Nullable<Text>>>,
        members -> Nullable<Array<Nullable<Text>>>,
        members_with_roles -> Jsonb,
        metadata -> Jsonb,
        max_budget -> Nullable<Float8>,
        spend -> Float8,
        models -> Nullable<Array<Nullable<Text>>>,
        max_parallel_requests -> Nullable<Int4>,
        tpm_limit -> Nullable<Int8>,
        rpm_limit -> Nullable<Int8>,
        budget_duration -> Nullable<Text>,
        budget_reset_at -> Nullable<Timestamp>,
        blocked -> Bool,
        created_at -> Timestamp,
        updated_at -> Timestamp,
        model_spend -> Jsonb,
        model_max_budget -> Jsonb,
        model_id -> Nullable<Int4>,
        team_member_permissions -> Nullable<Array<Nullable<Text>>>,
        object_permission_id -> Nullable<Text>,
        router_settings -> Nullable<Jsonb>,
        policies -> Nullable<Array<Nullable<Text>>>,
        allow_team_guardrail_config -> Bool,
        soft_budget -> Nullable<Float8>,
        access_group_ids -> Nullable<Array<Nullable<Text>>>,
        budget_limits -> Nullable<Jsonb>,
        default_team_member_models -> Nullable<Array<Nullable<Text>>>,
    }
}

diesel::table! {
    LiteLLM_UserTable (user_id) {
        user_id -> Text,
        user_alias -> Nullable<Text>,
        team_id -> Nullable<Text>,
        sso_user_id -> Nullable<Text>,
        organization_id -> Nullable<Text>,
        password -> Nullable<Text>,
        teams -> Nullable<Array<Nullable<Text>>>,
        user_role -> Nullable<Text>,
        max_budget -> Nullable<Float8>,
        spend -> Float8,
        user_email -> Nullable<Text>,
        models -> Nullable<Array<Nullable<Text>>>,
        metadata -> Jsonb,
        max_parallel_requests -> Nullable<Int4>,
        tpm_limit -> Nullable<Int8>,
        rpm_limit -> Nullable<Int8>,
        budget_duration -> Nullable<Text>,
        budget_reset_at -> Nullable<Timestamp>,
        allowed_cache_controls -> Nullable<Array<Nullable<Text>>>,
        model_spend -> Jsonb,
        model_max_budget -> Jsonb,
        created_at -> Nullable<Timestamp>,
        updated_at -> Nullable<Timestamp>,
        object_permission_id -> Nullable<Text>,
        policies -> Nullable<Array<Nullable<Text>>>,
    }
}

diesel::table! {
    LiteLLM_VerificationToken (token) {
        token -> Text,
        key_name -> Nullable<Text>,
        key_alias -> Nullable<Text>,
        soft_budget_cooldown -> Bool,
        spend -> Float8,
        expires -> Nullable<Timestamp>,
        models -> Nullable<Array<Nullable<Text>>>,
        aliases -> Jsonb,
        config -> Jsonb,
        user_id -> Nullable<Text>,
        team_id -> Nullable<Text>,
        permissions -> Jsonb,
        max_parallel_requests -> Nullable<Int4>,
        metadata -> Jsonb,
        blocked -> Nullable<Bool>,
        tpm_limit -> Nullable<Int8>,
        rpm_limit -> Nullable<Int8>,
        max_budget -> Nullable<Float8>,
        budget_duration -> Nullable<Text>,
        budget_reset_at -> Nullable<Timestamp>,
        allowed_cache_controls -> Nullable<Array<Nullable<Text>>>,
        model_spend -> Jsonb,
        model_max_budget -> Jsonb,
        budget_id -> Nullable<Text>,
        organization_id -> Nullable<Text>,
        created_at -> Nullable<Timestamp>,
        created_by -> Nullable<Text>,
        updated_at -> Nullable<Timestamp>,
        updated_by -> Nullable<Text>,
        allowed_routes -> Nullable<Array<Nullable<Text>>>,
        object_permission_id -> Nullable<Text>,
        auto_rotate -> Nullable<Bool>,
        key_rotation_at -> Nullable<Timestamp>,
        last_rotation_at -> Nullable<Timestamp>,
        rotation_count -> Nullable<Int4>,
        rotation_interval -> Nullable<Text>,
        project_id -> Nullable<Text>,
        router_settings -> Nullable<Jsonb>,
        policies -> Nullable<Array<Nullable<Text>>>,
        access_group_ids -> Nullable<Array<Nullable<Text>>>,
        last_active -> Nullable<Timestamp>,
        agent_id -> Nullable<Text>,
        budget_limits -> Nullable<Jsonb>,
    }
}

diesel::joinable!(LiteLLM_JWTKeyMapping -> LiteLLM_VerificationToken (token));
diesel::joinable!(LiteLLM_OrganizationMembership -> LiteLLM_BudgetTable (budget_id));
diesel::joinable!(LiteLLM_OrganizationMembership -> LiteLLM_OrganizationTable (organization_id));
diesel::joinable!(LiteLLM_OrganizationMembership -> LiteLLM_UserTable (user_id));
diesel::joinable!(LiteLLM_OrganizationTable -> LiteLLM_BudgetTable (budget_id));
diesel::joinable!(LiteLLM_OrganizationTable -> LiteLLM_ObjectPermissionTable (object_permission_id));
diesel::joinable!(LiteLLM_ProjectTable -> LiteLLM_BudgetTable (budget_id));
diesel::joinable!(LiteLLM_ProjectTable -> LiteLLM_ObjectPermissionTable (object_permission_id));
diesel::joinable!(LiteLLM_ProjectTable -> LiteLLM_TeamTable (team_id));
diesel::joinable!(LiteLLM_TeamMembership -> LiteLLM_BudgetTable (budget_id));
diesel::joinable!(LiteLLM_TeamTable -> LiteLLM_ModelTable (model_id));
diesel::joinable!(LiteLLM_TeamTable -> LiteLLM_ObjectPermissionTable (object_permission_id));
diesel::joinable!(LiteLLM_TeamTable -> LiteLLM_OrganizationTable (organization_id));
diesel::joinable!(LiteLLM_UserTable -> LiteLLM_ObjectPermissionTable (object_permission_id));
diesel::joinable!(LiteLLM_UserTable -> LiteLLM_OrganizationTable (organization_id));
diesel::joinable!(LiteLLM_VerificationToken -> LiteLLM_BudgetTable (budget_id));
diesel::joinable!(LiteLLM_VerificationToken -> LiteLLM_ObjectPermissionTable (object_permission_id));
diesel::joinable!(LiteLLM_VerificationToken -> LiteLLM_OrganizationTable (organization_id));
diesel::joinable!(LiteLLM_VerificationToken -> LiteLLM_ProjectTable (project_id));

diesel::allow_tables_to_appear_in_same_query!(
    LiteLLM_BudgetTable,
    LiteLLM_DeletedVerificationToken,
    LiteLLM_DeprecatedVerificationToken,
    LiteLLM_JWTKeyMapping,
    LiteLLM_ModelTable,
    LiteLLM_ObjectPermissionTable,
    LiteLLM_OrganizationMembership,
    LiteLLM_OrganizationTable,
    LiteLLM_ProjectTable,
    LiteLLM_TeamMembership,
    LiteLLM_TeamTable,
    LiteLLM_UserTable,
    LiteLLM_VerificationToken,
);
