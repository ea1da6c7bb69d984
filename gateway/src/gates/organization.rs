//! To which organization a key may be assigned.
//!
//! Follows litellm 1.85.1, `proxy/management_endpoints/key_management_endpoints.py`.

use crate::{caller::Caller, denial::Denial, hole::Hole, settings::Settings, store::Store};

/// Refuses an organization that a non-admin caller is not a member of.
pub(crate) fn may_assign(
    caller: &Caller,
    organization: &str,
    settings: &Settings,
) -> Result<(), Denial> {
    if caller.is_admin() || settings.without(Hole::OrganizationMembership) {
        return Ok(());
    }
    if caller.user_id.is_none() {
        let message =
            "Cannot assign a key to an organization without a user_id on the caller's token";
        return Err(Denial::text(403, message));
    }
    if caller
        .user
        .as_ref()
        .is_some_and(|user| user.belongs_to(organization))
    {
        return Ok(());
    }
    Err(Denial::text(
        403,
        format!("Caller is not a member of organization_id={organization}"),
    ))
}

/// Refuses an organization that is not there.
pub(crate) async fn exists(organization: &str, store: &Store) -> Result<(), Denial> {
    if store.organization_exists(organization).await? {
        return Ok(());
    }
    Err(Denial::Fault(format!(
        "Organization doesn't exist in db. Organization={organization}. Create organization via `/organization/new` \
         call."
    )))
}
