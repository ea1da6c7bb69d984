//! Who may see and change which key.
//!
//! Follows litellm 1.85.1, `proxy/management_endpoints/key_management_endpoints.py`.

use serde_json::Value;

use crate::{
    caller::{Caller, Role, shown},
    denial::Denial,
    fields::Fields,
    rows::VerificationToken,
    store::Store,
};

/// Whether a caller may see a key: `asked` is what it called the key, which is its own if it is its hash.
pub(crate) async fn may_see(
    caller: &Caller,
    asked: &str,
    key: Option<&VerificationToken>,
    store: &Store,
) -> Result<bool, Denial> {
    if matches!(caller.role, Role::ProxyAdmin | Role::ProxyAdminViewer) || caller.key == asked {
        return Ok(true);
    }
    // The real service falls over a hash in `/key/list` that is no key's.
    let key =
        key.ok_or_else(|| Denial::Fault("'NoneType' object has no attribute 'user_id'".into()))?;
    if key.user_id == caller.user_id {
        return Ok(true);
    }
    match &key.team_id {
        Some(team) => Ok(super::team::required(store, team)
            .await?
            .role_of(caller.id())
            .is_some()),
        None => Ok(false),
    }
}

/// Whether a caller may delete or regenerate a key: its own, or one of a team that it administers.
pub(crate) async fn may_modify(
    caller: &Caller,
    key: &VerificationToken,
    store: &Store,
) -> Result<bool, Denial> {
    if caller.is_admin() {
        return Ok(true);
    }
    let own = key.user_id.is_some() && key.user_id == caller.user_id;
    match &key.team_id {
        Some(team) => Ok(super::team::required(store, team)
            .await?
            .has_admin(caller.id())
            || own),
        None => Ok(own),
    }
}

/// Refuses a non-admin who would bind a key to another user, or to none.
pub(crate) fn keeps_owner(
    caller: &Caller,
    fields: &Fields,
    key: &VerificationToken,
) -> Result<(), Denial> {
    if caller.is_admin() || !fields.is_set("user_id") {
        return Ok(());
    }
    let to = fields.text("user_id").filter(|to| !to.is_empty());
    let Some(to) = to else {
        return Err(Denial::text(
            403,
            "Non-admin users cannot remove the user_id from a key.",
        ));
    };
    if key.user_id.as_deref() == Some(to) {
        return Ok(());
    }
    let from = shown(key.user_id.as_deref());
    Err(Denial::text(
        403,
        format!("Non-admin caller is not allowed to rebind the key from user={from} to user={to}"),
    ))
}

/// Refuses a non-admin who would make or change a key for somebody else.
pub(crate) fn for_itself(caller: &Caller, owner: Option<&str>) -> Result<(), Denial> {
    let Some(owner) = owner.filter(|owner| !caller.is_admin() && caller.id() != Some(*owner))
    else {
        return Ok(());
    };
    let id = caller.shown_id();
    let message =
        format!("User can only create keys for themselves. Got user_id={owner}, Your ID={id}");
    Err(Denial::text(403, message))
}

/// Refuses a caller who is no admin of the proxy, of the key's team or of that team's organization.
pub(crate) async fn administers(
    caller: &Caller,
    key: &VerificationToken,
    route: &str,
    store: &Store,
) -> Result<(), Denial> {
    if caller.is_admin() {
        return Ok(());
    }
    if let Some(team) = key.team_id.as_deref().filter(|team| !team.is_empty()) {
        let team = super::team::required(store, team).await?;
        let organization = team
            .organization_id
            .as_deref()
            .filter(|organization| !organization.is_empty());
        let of_organization = caller
            .user
            .as_ref()
            .zip(organization)
            .is_some_and(|(user, id)| user.administers(id));
        if team.has_admin(caller.id()) || of_organization {
            return Ok(());
        }
    }
    let (role, id) = (caller.role, caller.shown_id());
    let message = format!(
        "Only proxy admins, team admins, or org admins can call {route}. user_role={role}, user_id={id}"
    );
    Err(Denial::error(403, message))
}

/// Refuses a non-admin who would set which routes a key may call.
pub(crate) fn sets_no_routes(caller: &Caller, fields: &Fields) -> Result<(), Denial> {
    if caller.is_admin() {
        return Ok(());
    }
    if is_filled(fields.value("allowed_routes")) {
        return Err(presets_only());
    }
    let metadata = fields
        .value("metadata")
        .and_then(|metadata| metadata.get(PASSTHROUGH));
    let places = [(fields.value(PASSTHROUGH), ""), (metadata, "metadata.")];
    let Some((_, place)) = places.into_iter().find(|(routes, _)| is_filled(*routes)) else {
        return Ok(());
    };
    let message = format!("Only proxy admins can set `{place}{PASSTHROUGH}` on a key.");
    Err(Denial::error(403, message))
}

/// The refusal of routes by name; there are key types to pick from instead.
pub(crate) fn presets_only() -> Denial {
    Denial::error(
        403,
        "Only proxy admins can set `allowed_routes` on a key. Use `key_type` to pick a preset route bucket instead.",
    )
}

const PASSTHROUGH: &str = "allowed_passthrough_routes";

/// What Python takes for true.
fn is_filled(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => false,
        Some(Value::Array(list)) => !list.is_empty(),
        Some(Value::String(text)) => !text.is_empty(),
        Some(_) => true,
    }
}
