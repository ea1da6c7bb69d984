//! The holes: each removes one gate, so that a sweep can be shown to notice.

use std::{fmt, str::FromStr};

use serde::Deserialize;
use thiserror::Error;

/// Declares the enum, its kebab-case names and `Hole::ALL` together, so that none can lack an entry.
macro_rules! holes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)+) => {
        /// One removed gate. Every other gate stays: a call that passes the hole may still be denied by the next gate.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
        pub enum Hole {
            $($(#[$doc])* #[serde(rename = $name)] $variant,)+
        }

        impl Hole {
            /// Every hole there is.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The hole's name in settings and on a command line.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }
        }
    };
}

holes! {
    /// Removes the early check that a caller's role may call the route at all (401 `Only proxy admin can be used to...`).
    RouteGate = "route-gate",
    /// Removes from `/key/generate`, for service accounts too, the check that caller and key owner are members of the
    /// key's team (400).
    GenerateTeamMembership = "generate-team-membership",
    /// Removes from `/key/generate`, for service accounts too, the check that the team lets its members create keys (401).
    GenerateTeamPermission = "generate-team-permission",
    /// Removes from `/key/generate` the check that a key is made for the caller itself (403).
    GenerateOtherUser = "generate-other-user",
    /// Removes from `/key/generate`, for service accounts too, and from `/key/update` the check that the caller belongs to
    /// the organization (403).
    OrganizationMembership = "organization-membership",
    /// Removes the check of `/key/info` (403).
    KeyInfo = "key-info",
    /// Removes from `/key/list` the checks of the asked-for user, team, organization and key (403).
    ListFilter = "list-filter",
    /// Removes from `/key/list` the narrowing of a non-admin's view to its own keys.
    ListScope = "list-scope",
    /// Removes from `/key/update` the check that a non-admin does not rebind a key to another user (403).
    UpdateOwnershipChange = "update-ownership-change",
    /// Removes from `/key/update` the check that the key belongs to the caller (403).
    UpdateOtherUser = "update-other-user",
    /// Removes from `/key/update` the check that the caller is a member of the key's team (401).
    UpdateTeamMembership = "update-team-membership",
    /// Removes from `/key/update` the check that the team lets its members update keys (401).
    UpdateTeamPermission = "update-team-permission",
    /// Removes from `/key/update` the check for a proxy, team or organization admin (403).
    UpdateAdminCheck = "update-admin-check",
    /// Removes from `/key/update` the check that a key's user is a member of the team that the key moves to (403).
    UpdateTeamChange = "update-team-change",
    /// Removes no gate: `/key/update` still answers its denials, but has written to the target's `spend` before.
    SilentWriteOnDeniedUpdate = "silent-write-on-denied-update",
    /// Removes from `/key/regenerate` the check that the caller is a member of the key's team (401).
    RegenerateTeamMembership = "regenerate-team-membership",
    /// Removes from `/key/regenerate` the check that the team lets its members regenerate keys (401).
    RegenerateTeamPermission = "regenerate-team-permission",
    /// Removes from `/key/regenerate` the check that the key is the caller's, or the caller its team's admin (403).
    RegenerateOwnership = "regenerate-ownership",
    /// Removes from `/key/regenerate` the check that a non-admin does not rebind a key to another user (403).
    RegenerateOwnershipChange = "regenerate-ownership-change",
    /// Removes from `/key/delete` the check that the key is the caller's, or the caller its team's admin (403).
    Delete = "delete",
    /// Removes the upper bounds from `/key/generate`, `/key/update` and `/key/regenerate` (400).
    UpperBounds = "upper-bounds",
}

impl fmt::Display for Hole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Hole {
    type Err = UnknownHole;

    fn from_str(name: &str) -> Result<Self, UnknownHole> {
        Self::ALL
            .iter()
            .copied()
            .find(|hole| hole.name() == name)
            .ok_or_else(|| UnknownHole(name.into()))
    }
}

/// A name that is no hole's.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("unknown hole `{0}`")]
pub struct UnknownHole(String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_hole_is_read_back_from_its_own_name() {
        for hole in Hole::ALL {
            assert_eq!(hole.to_string().parse(), Ok(*hole));
            assert_eq!(
                serde_json::from_value::<Hole>(hole.name().into()).unwrap(),
                *hole
            );
        }
        assert_eq!(
            "no-gate".parse::<Hole>().unwrap_err().to_string(),
            "unknown hole `no-gate`"
        );
    }
}
