-- The tables of LiteLLM 1.85.1 that its key-management API reads and writes, with its own names, types, defaults and
-- constraints (litellm_proxy_extras 0.4, schema.prisma), so that a suite seeds the gateway with the rows it seeds the
-- real service with.

CREATE TABLE "LiteLLM_BudgetTable" (
    budget_id text NOT NULL,
    max_budget double precision,
    soft_budget double precision,
    max_parallel_requests integer,
    tpm_limit bigint,
    rpm_limit bigint,
    model_max_budget jsonb,
    budget_duration text,
    budget_reset_at timestamp(3),
    created_at timestamp(3) DEFAULT CURRENT_TIMESTAMP NOT NULL,
    created_by text NOT NULL,
    updated_at timestamp(3) DEFAULT CURRENT_TIMESTAMP NOT NULL,
    updated_by text NOT NULL,
    allowed_models text[] DEFAULT '{}',
    CONSTRAINT "LiteLLM_BudgetTable_pkey" PRIMARY KEY (budget_id)
);

CREATE TABLE "LiteLLM_ObjectPermissionTable" (
    object_permission_id text NOT NULL,
    mcp_servers text[] DEFAULT '{}',
    vector_stores text[] DEFAULT '{}',
    mcp_access_groups text[] DEFAULT '{}',
    mcp_tool_permissions jsonb,
    agents text[] DEFAULT '{}',
    agent_access_groups text[] DEFAULT '{}',
    blocked_tools text[] DEFAULT '{}',
    models text[] DEFAULT '{}',
    mcp_toolsets text[] DEFAULT '{}',
    search_tools text[] DEFAULT '{}',
    CONSTRAINT "LiteLLM_ObjectPermissionTable_pkey" PRIMARY KEY (object_permission_id)
);

CREATE TABLE "LiteLLM_ModelTable" (
    id serial NOT NULL,
    aliases jsonb,
    created_at timestamp(3) DEFAULT CURRENT_TIMESTAMP NOT NULL,
    created_by text NOT NULL,
    updated_at timestamp(3) DEFAULT CURRENT_TIMESTAMP NOT NULL,
    updated_by text NOT NULL,
    CONSTRAINT "LiteLLM_ModelTable_pkey" PRIMARY KEY (id)
);

CREATE TABLE "LiteLLM_OrganizationTable" (
    organization_id text NOT NULL,
    organization_alias text NOT NULL,
    budget_id text NOT NULL,
    metadata jsonb DEFAULT '{}' NOT NULL,
    models text[],
    spend double precision DEFAULT 0.0 NOT NULL,
    model_spend jsonb DEFAULT '{}' NOT NULL,
    created_at timestamp(3) DEFAULT CURRENT_TIMESTAMP NOT NULL,
    created_by text NOT NULL,
    updated_at timestamp(3) DEFAULT CURRENT_TIMESTAMP NOT NULL,
    updated_by text NOT NULL,
    object_permission_id text,
    CONSTRAINT "LiteLLM_OrganizationTable_pkey" PRIMARY KEY (organization_id),
    CONSTRAINT "LiteLLM_OrganizationTable_budget_id_fkey" FOREIGN KEY (budget_id) REFERENCES "LiteLLM_BudgetTable"(budget_id) ON UPDATE CASCADE ON DELETE RESTRICT,
    CONSTRAINT "LiteLLM_OrganizationTable_object_permission_id_fkey" FOREIGN KEY (object_permission_id) REFERENCES "LiteLLM_ObjectPermissionTable"(object_permission_id) ON UPDATE CASCADE ON DELETE SET NULL
);

CREATE TABLE "LiteLLM_TeamTable" (
    team_id text NOT NULL,
    team_alias text,
    organization_id text,
    admins text[],
    members text[],
    members_with_roles jsonb DEFAULT '{}' NOT NULL,
    metadata jsonb DEFAULT '{}' NOT NULL,
    max_budget double precision,
    spend double precision DEFAULT 0.0 NOT NULL,
    models text[],
    max_parallel_requests integer,
    tpm_limit bigint,
    rpm_limit bigint,
    budget_duration text,
    budget_reset_at timestamp(3),
    blocked boolean DEFAULT false NOT NULL,
    created_at timestamp(3) DEFAULT CURRENT_TIMESTAMP NOT NULL,
    updated_at timestamp(3) DEFAULT CURRENT_TIMESTAMP NOT NULL,
    model_spend jsonb DEFAULT '{}' NOT NULL,
    model_max_budget jsonb DEFAULT '{}' NOT NULL,
    model_id integer,
    team_member_permissions text[] DEFAULT '{}',
    object_permission_id text,
    router_settings jsonb DEFAULT '{}',
    policies text[] DEFAULT '{}',
    allow_team_guardrail_config boolean DEFAULT false NOT NULL,
    soft_budget double precision,
    access_group_ids text[] DEFAULT '{}',
    budget_limits jsonb,
    default_team_member_models text[] DEFAULT '{}',
    CONSTRAINT "LiteLLM_TeamTable_pkey" PRIMARY KEY (team_id),
    CONSTRAINT "LiteLLM_TeamTable_model_id_fkey" FOREIGN KEY (model_id) REFERENCES "LiteLLM_ModelTable"(id) ON UPDATE CASCADE ON DELETE SET NULL,
    CONSTRAINT "LiteLLM_TeamTable_object_permission_id_fkey" FOREIGN KEY (object_permission_id) REFERENCES "LiteLLM_ObjectPermissionTable"(object_permission_id) ON UPDATE CASCADE ON DELETE SET NULL,
    CONSTRAINT "LiteLLM_TeamTable_organization_id_fkey" FOREIGN KEY (organization_id) REFERENCES "LiteLLM_OrganizationTable"(organization_id) ON UPDATE CASCADE ON DELETE SET NULL
);
CREATE INDEX "LiteLLM_TeamTable_created_at_idx" ON "LiteLLM_TeamTable" (created_at);
CREATE UNIQUE INDEX "LiteLLM_TeamTable_model_id_key" ON "LiteLLM_TeamTable" (model_id);
CREATE INDEX "LiteLLM_TeamTable_organization_id_idx" ON "LiteLLM_TeamTable" (organization_id);
CREATE INDEX "LiteLLM_TeamTable_team_alias_idx" ON "LiteLLM_TeamTable" (team_alias);

CREATE TABLE "LiteLLM_ProjectTable" (
    project_id text NOT NULL,
    project_alias text,
    team_id text,
    budget_id text,
    metadata jsonb DEFAULT '{}' NOT NULL,
    models text[],
    spend double precision DEFAULT 0.0 NOT NULL,
    model_spend jsonb DEFAULT '{}' NOT NULL,
    blocked boolean DEFAULT false NOT NULL,
    object_permission_id text,
    created_at timestamp(3) DEFAULT CURRENT_TIMESTAMP NOT NULL,
    created_by text NOT NULL,
    updated_at timestamp(3) DEFAULT CURRENT_TIMESTAMP NOT NULL,
    updated_by text NOT NULL,
    description text,
    model_rpm_limit jsonb DEFAULT '{}' NOT NULL,
    model_tpm_limit jsonb DEFAULT '{}' NOT NULL,
    CONSTRAINT "LiteLLM_ProjectTable_pkey" PRIMARY KEY (project_id),
    CONSTRAINT "LiteLLM_ProjectTable_budget_id_fkey" FOREIGN KEY (budget_id) REFERENCES "LiteLLM_BudgetTable"(budget_id) ON UPDATE CASCADE ON DELETE SET NULL,
    CONSTRAINT "LiteLLM_ProjectTable_object_permission_id_fkey" FOREIGN KEY (object_permission_id) REFERENCES "LiteLLM_ObjectPermissionTable"(object_permission_id) ON UPDATE CASCADE ON DELETE SET NULL,
    CONSTRAINT "LiteLLM_ProjectTable_team_id_fkey" FOREIGN KEY (team_id) REFERENCES "LiteLLM_TeamTable"(team_id) ON UPDATE CASCADE ON DELETE SET NULL
);

CREATE TABLE "LiteLLM_UserTable" (
    user_id text NOT NULL,
    user_alias text,
    team_id text,
    sso_user_id text,
    organization_id text,
    password text,
    teams text[] DEFAULT '{}',
    user_role text,
    max_budget double precision,
    spend double precision DEFAULT 0.0 NOT NULL,
    user_email text,
    models text[],
    metadata jsonb DEFAULT '{}' NOT NULL,
    max_parallel_requests integer,
    tpm_limit bigint,
    rpm_limit bigint,
    budget_duration text,
    budget_reset_at timestamp(3),
    allowed_cache_controls text[] DEFAULT '{}',
    model_spend jsonb DEFAULT '{}' NOT NULL,
    model_max_budget jsonb DEFAULT '{}' NOT NULL,
    created_at timestamp(3) DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamp(3) DEFAULT CURRENT_TIMESTAMP,
    object_permission_id text,
    policies text[] DEFAULT '{}',
    CONSTRAINT "LiteLLM_UserTable_pkey" PRIMARY KEY (user_id),
    CONSTRAINT "LiteLLM_UserTable_object_permission_id_fkey" FOREIGN KEY (object_permission_id) REFERENCES "LiteLLM_ObjectPermissionTable"(object_permission_id) ON UPDATE CASCADE ON DELETE SET NULL,
    CONSTRAINT "LiteLLM_UserTable_organization_id_fkey" FOREIGN KEY (organization_id) REFERENCES "LiteLLM_OrganizationTable"(organization_id) ON UPDATE CASCADE ON DELETE SET NULL
);
CREATE UNIQUE INDEX "LiteLLM_UserTable_sso_user_id_key" ON "LiteLLM_UserTable" (sso_user_id);
CREATE INDEX "LiteLLM_UserTable_user_email_lower_idx" ON "LiteLLM_UserTable" (lower(user_email));

CREATE TABLE "LiteLLM_OrganizationMembership" (
    user_id text NOT NULL,
    organization_id text NOT NULL,
    user_role text,
    spend double precision DEFAULT 0.0,
    budget_id text,
    created_at timestamp(3) DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamp(3) DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT "LiteLLM_OrganizationMembership_pkey" PRIMARY KEY (user_id, organization_id),
    CONSTRAINT "LiteLLM_OrganizationMembership_budget_id_fkey" FOREIGN KEY (budget_id) REFERENCES "LiteLLM_BudgetTable"(budget_id) ON UPDATE CASCADE ON DELETE SET NULL,
    CONSTRAINT "LiteLLM_OrganizationMembership_organization_id_fkey" FOREIGN KEY (organization_id) REFERENCES "LiteLLM_OrganizationTable"(organization_id) ON UPDATE CASCADE ON DELETE RESTRICT,
    CONSTRAINT "LiteLLM_OrganizationMembership_user_id_fkey" FOREIGN KEY (user_id) REFERENCES "LiteLLM_UserTable"(user_id) ON UPDATE CASCADE ON DELETE RESTRICT
);
CREATE UNIQUE INDEX "LiteLLM_OrganizationMembership_user_id_organization_id_key" ON "LiteLLM_OrganizationMembership" (user_id, organization_id);

CREATE TABLE "LiteLLM_TeamMembership" (
    user_id text NOT NULL,
    team_id text NOT NULL,
    spend double precision DEFAULT 0.0 NOT NULL,
    budget_id text,
    total_spend double precision DEFAULT 0.0 NOT NULL,
    CONSTRAINT "LiteLLM_TeamMembership_pkey" PRIMARY KEY (user_id, team_id),
    CONSTRAINT "LiteLLM_TeamMembership_budget_id_fkey" FOREIGN KEY (budget_id) REFERENCES "LiteLLM_BudgetTable"(budget_id) ON UPDATE CASCADE ON DELETE SET NULL
);

CREATE TABLE "LiteLLM_VerificationToken" (
    token text NOT NULL,
    key_name text,
    key_alias text,
    soft_budget_cooldown boolean DEFAULT false NOT NULL,
    spend double precision DEFAULT 0.0 NOT NULL,
    expires timestamp(3),
    models text[],
    aliases jsonb DEFAULT '{}' NOT NULL,
    config jsonb DEFAULT '{}' NOT NULL,
    user_id text,
    team_id text,
    permissions jsonb DEFAULT '{}' NOT NULL,
    max_parallel_requests integer,
    metadata jsonb DEFAULT '{}' NOT NULL,
    blocked boolean,
    tpm_limit bigint,
    rpm_limit bigint,
    max_budget double precision,
    budget_duration text,
    budget_reset_at timestamp(3),
    allowed_cache_controls text[] DEFAULT '{}',
    model_spend jsonb DEFAULT '{}' NOT NULL,
    model_max_budget jsonb DEFAULT '{}' NOT NULL,
    budget_id text,
    organization_id text,
    created_at timestamp(3) DEFAULT CURRENT_TIMESTAMP,
    created_by text,
    updated_at timestamp(3) DEFAULT CURRENT_TIMESTAMP,
    updated_by text,
    allowed_routes text[] DEFAULT '{}',
    object_permission_id text,
    auto_rotate boolean DEFAULT false,
    key_rotation_at timestamp(3),
    last_rotation_at timestamp(3),
    rotation_count integer DEFAULT 0,
    rotation_interval text,
    project_id text,
    router_settings jsonb DEFAULT '{}',
    policies text[] DEFAULT '{}',
    access_group_ids text[] DEFAULT '{}',
    last_active timestamp(3),
    agent_id text,
    budget_limits jsonb,
    CONSTRAINT "LiteLLM_VerificationToken_pkey" PRIMARY KEY (token),
    CONSTRAINT "LiteLLM_VerificationToken_budget_id_fkey" FOREIGN KEY (budget_id) REFERENCES "LiteLLM_BudgetTable"(budget_id) ON UPDATE CASCADE ON DELETE SET NULL,
    CONSTRAINT "LiteLLM_VerificationToken_object_permission_id_fkey" FOREIGN KEY (object_permission_id) REFERENCES "LiteLLM_ObjectPermissionTable"(object_permission_id) ON UPDATE CASCADE ON DELETE SET NULL,
    CONSTRAINT "LiteLLM_VerificationToken_organization_id_fkey" FOREIGN KEY (organization_id) REFERENCES "LiteLLM_OrganizationTable"(organization_id) ON UPDATE CASCADE ON DELETE SET NULL,
    CONSTRAINT "LiteLLM_VerificationToken_project_id_fkey" FOREIGN KEY (project_id) REFERENCES "LiteLLM_ProjectTable"(project_id) ON UPDATE CASCADE ON DELETE SET NULL
);
CREATE INDEX "LiteLLM_VerificationToken_budget_reset_at_expires_idx" ON "LiteLLM_VerificationToken" (budget_reset_at, expires);
CREATE INDEX "LiteLLM_VerificationToken_team_id_idx" ON "LiteLLM_VerificationToken" (team_id);
CREATE INDEX "LiteLLM_VerificationToken_user_id_team_id_idx" ON "LiteLLM_VerificationToken" (user_id, team_id);

CREATE TABLE "LiteLLM_DeletedVerificationToken" (
    id text NOT NULL,
    token text NOT NULL,
    key_name text,
    key_alias text,
    soft_budget_cooldown boolean DEFAULT false NOT NULL,
    spend double precision DEFAULT 0.0 NOT NULL,
    expires timestamp(3),
    models text[],
    aliases jsonb DEFAULT '{}' NOT NULL,
    config jsonb DEFAULT '{}' NOT NULL,
    user_id text,
    team_id text,
    permissions jsonb DEFAULT '{}' NOT NULL,
    max_parallel_requests integer,
    metadata jsonb DEFAULT '{}' NOT NULL,
    blocked boolean,
    tpm_limit bigint,
    rpm_limit bigint,
    max_budget double precision,
    budget_duration text,
    budget_reset_at timestamp(3),
    allowed_cache_controls text[] DEFAULT '{}',
    allowed_routes text[] DEFAULT '{}',
    model_spend jsonb DEFAULT '{}' NOT NULL,
    model_max_budget jsonb DEFAULT '{}' NOT NULL,
    budget_id text,
    organization_id text,
    object_permission_id text,
    created_at timestamp(3),
    created_by text,
    updated_at timestamp(3),
    updated_by text,
    rotation_count integer DEFAULT 0,
    auto_rotate boolean DEFAULT false,
    rotation_interval text,
    last_rotation_at timestamp(3),
    key_rotation_at timestamp(3),
    deleted_at timestamp(3) DEFAULT CURRENT_TIMESTAMP NOT NULL,
    deleted_by text,
    deleted_by_api_key text,
    litellm_changed_by text,
    router_settings jsonb DEFAULT '{}',
    policies text[] DEFAULT '{}',
    access_group_ids text[] DEFAULT '{}',
    last_active timestamp(3),
    project_id text,
    agent_id text,
    CONSTRAINT "LiteLLM_DeletedVerificationToken_pkey" PRIMARY KEY (id)
);
CREATE INDEX "LiteLLM_DeletedVerificationToken_created_at_idx" ON "LiteLLM_DeletedVerificationToken" (created_at);
CREATE INDEX "LiteLLM_DeletedVerificationToken_deleted_at_idx" ON "LiteLLM_DeletedVerificationToken" (deleted_at);
CREATE INDEX "LiteLLM_DeletedVerificationToken_key_alias_idx" ON "LiteLLM_DeletedVerificationToken" (key_alias);
CREATE INDEX "LiteLLM_DeletedVerificationToken_organization_id_idx" ON "LiteLLM_DeletedVerificationToken" (organization_id);
CREATE INDEX "LiteLLM_DeletedVerificationToken_team_id_idx" ON "LiteLLM_DeletedVerificationToken" (team_id);
CREATE INDEX "LiteLLM_DeletedVerificationToken_token_idx" ON "LiteLLM_DeletedVerificationToken" (token);
CREATE INDEX "LiteLLM_DeletedVerificationToken_user_id_idx" ON "LiteLLM_DeletedVerificationToken" (user_id);

CREATE TABLE "LiteLLM_DeprecatedVerificationToken" (
    id text NOT NULL,
    token text NOT NULL,
    active_token_id text NOT NULL,
    revoke_at timestamp(3) NOT NULL,
    created_at timestamp(3) DEFAULT CURRENT_TIMESTAMP NOT NULL,
    CONSTRAINT "LiteLLM_DeprecatedVerificationToken_pkey" PRIMARY KEY (id)
);
CREATE INDEX "LiteLLM_DeprecatedVerificationToken_revoke_at_idx" ON "LiteLLM_DeprecatedVerificationToken" (revoke_at);
CREATE UNIQUE INDEX "LiteLLM_DeprecatedVerificationToken_token_key" ON "LiteLLM_DeprecatedVerificationToken" (token);
CREATE INDEX "LiteLLM_DeprecatedVerificationToken_token_revoke_at_idx" ON "LiteLLM_DeprecatedVerificationToken" (token, revoke_at);

CREATE TABLE "LiteLLM_JWTKeyMapping" (
    id text NOT NULL,
    jwt_claim_name text NOT NULL,
    jwt_claim_value text NOT NULL,
    token text NOT NULL,
    description text,
    is_active boolean DEFAULT true NOT NULL,
    created_at timestamp(3) DEFAULT CURRENT_TIMESTAMP NOT NULL,
    created_by text,
    updated_at timestamp(3) DEFAULT CURRENT_TIMESTAMP NOT NULL,
    updated_by text,
    CONSTRAINT "LiteLLM_JWTKeyMapping_pkey" PRIMARY KEY (id),
    CONSTRAINT "LiteLLM_JWTKeyMapping_token_fkey" FOREIGN KEY (token) REFERENCES "LiteLLM_VerificationToken"(token) ON UPDATE CASCADE ON DELETE RESTRICT
);
CREATE INDEX "LiteLLM_JWTKeyMapping_jwt_claim_name_jwt_claim_value_is_act_idx" ON "LiteLLM_JWTKeyMapping" (jwt_claim_name, jwt_claim_value, is_active);
CREATE UNIQUE INDEX "LiteLLM_JWTKeyMapping_jwt_claim_name_jwt_claim_value_key" ON "LiteLLM_JWTKeyMapping" (jwt_claim_name, jwt_claim_value);
