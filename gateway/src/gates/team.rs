//! What a team lets its members do with the team's keys.
//!
//! Follows litellm 1.85.1, `proxy/management_helpers/team_member_permission_checks.py`.

use crate::{
    caller::{Caller, shown},
    denial::Denial,
    hole::Hole,
    python,
    rows::{VerificationToken, texts},
    settings::Settings,
    store::{Store, Team},
};

/// What every member of a team may do.
const BASELINE: [&str; 2] = ["/key/info", "/key/health"];

/// An action that a team may allow its members, and the holes in its gates.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Action {
    Generate,
    GenerateServiceAccount,
    Update,
    Regenerate,
}

impl Action {
    const fn route(self) -> &'static str {
        match self {
            Self::Generate => "/key/generate",
            Self::GenerateServiceAccount => "/key/service-account/generate",
            Self::Update => "/key/update",
            Self::Regenerate => "/key/regenerate",
        }
    }

    /// The action as the real service's enum prints it.
    const fn shown(self) -> &'static str {
        match self {
            Self::Generate => "KeyManagementRoutes.KEY_GENERATE",
            Self::GenerateServiceAccount => "KeyManagementRoutes.KEY_GENERATE_SERVICE_ACCOUNT",
            Self::Update => "KeyManagementRoutes.KEY_UPDATE",
            Self::Regenerate => "KeyManagementRoutes.KEY_REGENERATE",
        }
    }

    const fn membership_hole(self) -> Hole {
        match self {
            Self::Generate | Self::GenerateServiceAccount => Hole::GenerateTeamMembership,
            Self::Update => Hole::UpdateTeamMembership,
            Self::Regenerate => Hole::RegenerateTeamMembership,
        }
    }

    const fn permission_hole(self) -> Hole {
        match self {
            Self::Generate | Self::GenerateServiceAccount => Hole::GenerateTeamPermission,
            Self::Update => Hole::UpdateTeamPermission,
            Self::Regenerate => Hole::RegenerateTeamPermission,
        }
    }
}

/// The team, or the refusal that the real service answers when it needs one that is not there.
pub(crate) async fn required(store: &Store, id: &str) -> Result<Team, Denial> {
    store.team(id).await?.ok_or_else(|| {
        Denial::error(
            404,
            format!("Team doesn't exist in db. Team={id}. Create team via `/team/new` call."),
        )
    })
}

/// Refuses a caller who may not do the action with a key of a team.
pub(crate) async fn member_may(
    action: Action,
    caller: &Caller,
    key: &VerificationToken,
    settings: &Settings,
    store: &Store,
) -> Result<(), Denial> {
    let Some(team_id) = key.team_id.as_deref().filter(|_| !caller.is_admin()) else {
        return Ok(());
    };
    let team = required(store, team_id).await?;
    let Some(role) = team.role_of(caller.id()) else {
        return if settings.without(action.membership_hole()) {
            Ok(())
        } else {
            Err(stranger(action, caller, &team))
        };
    };
    permitted(action, role, &team, action.shown(), settings)
}

/// Refuses the making of a team's key to callers and owners who are not in the team.
pub(crate) fn may_generate(
    action: Action,
    caller: &Caller,
    owner: Option<&str>,
    team: &Team,
    settings: &Settings,
) -> Result<(), Denial> {
    if caller.is_admin() {
        return Ok(());
    }
    // A key without an owner is in nobody's way; a caller without a user id is a stranger everywhere.
    for id in owner.map(Some).into_iter().chain([caller.id()]) {
        if team.role_of(id).is_none() && !settings.without(action.membership_hole()) {
            return Err(Denial::text(
                400,
                format!("User={} not assigned to team={}", shown(id), team.team_id),
            ));
        }
    }
    team.role_of(caller.id()).map_or(Ok(()), |role| {
        permitted(action, role, team, action.shown(), settings)
    })
}

/// Refuses the move of a key to a team that its user is not in, or in which members may not update keys.
///
/// Follows litellm 1.85.1, `validate_key_team_change` of `proxy/management_endpoints/key_management_endpoints.py`.
pub(crate) fn may_move_here(
    caller: &Caller,
    key: &VerificationToken,
    team: &Team,
    settings: &Settings,
) -> Result<(), Denial> {
    fits_models(key, team)?;
    fits_limits(key, team)?;
    let role = team.role_of(key.user_id.as_deref());
    if let Some(user) = key
        .user_id
        .as_deref()
        .filter(|_| role.is_none() && !settings.without(Hole::UpdateTeamChange))
    {
        let team = &team.team_id;
        let message = format!(
            "User={user} is not a member of the team={team}. Check team members via `/team/info`."
        );
        return Err(Denial::text(403, message));
    }
    if caller.is_admin() || team.has_admin(caller.id()) {
        return Ok(());
    }
    match role {
        Some(role) => permitted(Action::Update, role, team, Action::Update.route(), settings),
        None if settings.without(Hole::UpdateTeamChange) => Ok(()),
        None => Err(Denial::text(
            403,
            format!(
                "User={} is not a Proxy Admin or Team Admin for team={}. Please ask your Proxy Admin to allow this \
                 action under 'Member Permissions' for this team.",
                caller.shown_id(),
                team.team_id
            ),
        )),
    }
}

/// Refuses a key with models that the team has not.
fn fits_models(key: &VerificationToken, team: &Team) -> Result<(), Denial> {
    let models: Vec<_> = texts(&team.models).collect();
    let offers = |model: &str| model == "all-team-models" || models.contains(&model);
    let open = models.is_empty() || models.contains(&"*") || models.contains(&"all-proxy-models");
    let Some(model) = texts(&key.models).find(|model| !open && !offers(model)) else {
        return Ok(());
    };
    Err(Denial::Proxy {
        status: 403,
        kind: "team_model_access_denied",
        param: "model",
        message: format!(
            "team not allowed to access model. This team can only access models={}. Tried to access {model}",
            python::list(models)
        ),
    })
}

fn fits_limits(key: &VerificationToken, team: &Team) -> Result<(), Denial> {
    let over = |name, key_limit: Option<i64>, team_limit: Option<i64>| {
        let (own, limit) = (key_limit?, team_limit.filter(|limit| *limit != 0)?);
        let token = &key.token;
        (own > limit).then(|| {
            format!(
                "Key={token} has a {name}={own} which is greater than the team's {name}={limit}."
            )
        })
    };
    let message = over("tpm_limit", key.tpm_limit, team.tpm_limit).or_else(|| {
        key.tpm_limit
            .and_then(|_| over("rpm_limit", key.rpm_limit, team.rpm_limit))
    });
    message.map_or(Ok(()), |message| Err(Denial::text(403, message)))
}

fn stranger(action: Action, caller: &Caller, team: &Team) -> Denial {
    Denial::Proxy {
        status: 401,
        kind: "team_member_permission_error",
        param: action.route(),
        message: format!(
            "User {} does not belong to team {}. Team-scoped key management endpoints can only be used for keys in \
             your own team.",
            caller.shown_id(),
            team.team_id
        ),
    }
}

fn permitted(
    action: Action,
    role: &str,
    team: &Team,
    shown: &str,
    settings: &Settings,
) -> Result<(), Denial> {
    let permissions = permissions(team);
    let permitted = role == "admin" || permissions.contains(&action.route());
    if permitted || settings.without(action.permission_hole()) {
        return Ok(());
    }
    Err(Denial::Proxy {
        status: 401,
        kind: "team_member_permission_error",
        param: action.route(),
        message: format!(
            "Team member does not have permissions for endpoint: {shown}. You only have access to the following \
             endpoints: {} for team {}. To create keys for this team, please ask your proxy admin to check the team \
             member permission settings and update the settings to allow team member users to create keys.",
            python::list(permissions),
            team.team_id
        ),
    })
}

/// The baseline, then what the team adds. (The real service prints a Python set, in an order of its own.)
fn permissions(team: &Team) -> Vec<&str> {
    let added =
        texts(&team.team_member_permissions).filter(|permission| !BASELINE.contains(permission));
    BASELINE.into_iter().chain(added).collect()
}
