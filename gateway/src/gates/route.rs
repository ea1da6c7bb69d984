//! The early gate: may a caller with this role call the route at all?
//!
//! Follows litellm 1.85.1, `proxy/auth/route_checks.py`, for the routes of the key-management API.

use serde_json::Value;

use crate::{
    caller::{Caller, Role},
    denial::{Answer, Denial},
    python,
};

const MESSAGE: &str =
    "Only proxy admin can be used to generate, delete, update info for new keys/users/teams.";

/// What the gate looks at of a request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Route<'a> {
    pub(crate) path: &'a str,
    /// Body and query, where an organization may be named.
    pub(crate) data: &'a Value,
}

impl Route<'_> {
    /// Routes that answer about something; their handlers decide themselves.
    fn is_info(self) -> bool {
        matches!(self.path, "/key/info" | "/key/list")
    }

    /// The organizations that the request names.
    fn organizations(&self) -> Vec<&str> {
        let one = self.data.get("organization_id").and_then(Value::as_str);
        let many = self.data.get("organizations").and_then(Value::as_array);
        one.into_iter()
            .chain(many.into_iter().flatten().filter_map(Value::as_str))
            .collect()
    }
}

/// Refuses a key that is limited to other routes. FastAPI words this refusal itself.
pub(crate) fn key_may_call(caller: &Caller, route: Route<'_>) -> Result<(), Answer> {
    let allowed = &caller.allowed_routes;
    if allowed.is_empty() || allowed.iter().any(|allowed| covers(allowed, route)) {
        return Ok(());
    }
    let shown = python::list(allowed.iter().map(String::as_str));
    let message = format!(
        "Virtual key is not allowed to call this route. Only allowed to call routes: {shown}. \
         Tried to call route: {}",
        route.path
    );
    Err(Answer::detail(403, &message))
}

/// Refuses a role that may not call the route.
pub(crate) fn role_may_call(caller: &Caller, route: Route<'_>) -> Result<(), Denial> {
    let known = caller.user.as_ref().map(|_| caller.role);
    match known {
        _ if caller.is_admin() || route.is_info() => Ok(()),
        Some(Role::ProxyAdminViewer) => Err(viewer_may_not_write(route)),
        Some(Role::InternalUser) => Ok(()),
        _ if administers_named_organizations(caller, route) => Ok(()),
        _ if caller
            .allowed_routes
            .iter()
            .any(|allowed| matches(allowed, route.path)) =>
        {
            Ok(())
        }
        _ => Err(admins_only(caller, route)),
    }
}

fn administers_named_organizations(caller: &Caller, route: Route<'_>) -> bool {
    let named = route.organizations();
    let Some(user) = &caller.user else {
        return false;
    };
    !named.is_empty()
        && named
            .into_iter()
            .all(|organization| user.administers(organization))
}

fn viewer_may_not_write(route: Route<'_>) -> Denial {
    let role = Role::ProxyAdminViewer;
    let path = route.path;
    Denial::text(
        403,
        format!("user not allowed to access this route, role= {role}. Trying to access: {path}"),
    )
}

fn admins_only(caller: &Caller, route: Route<'_>) -> Denial {
    let user = caller.user.as_ref();
    let role = user
        .and_then(|user| user.role.as_deref())
        .unwrap_or("unknown");
    let id = masked(user.map_or("unknown", |user| &user.id));
    Denial::Fault(format!(
        "{MESSAGE} Route={}. Your role={role}. Your user_id={id}",
        route.path
    ))
}

/// Whether an entry of a key's allowed routes covers a route: by path, or by the name of a group of routes.
fn covers(allowed: &str, route: Route<'_>) -> bool {
    match allowed {
        "management_routes"
        | "key_management_routes"
        | "internal_user_routes"
        | "org_admin_allowed_routes" => true,
        "info_routes" | "ui_routes" | "admin_viewer_routes" => route.is_info(),
        path => matches(path, route.path),
    }
}

fn matches(allowed: &str, path: &str) -> bool {
    path == allowed
        || path
            .strip_prefix(allowed)
            .is_some_and(|rest| rest.starts_with('/'))
        || allowed
            .strip_suffix('*')
            .is_some_and(|prefix| path.starts_with(prefix))
}

/// A user id, all but its first six and last two characters masked.
fn masked(id: &str) -> String {
    let length = id.chars().count();
    if length <= 4 {
        return "***".into();
    }
    // The masker leaves alone what is shorter than what it would show.
    if length < 8 {
        return id.into();
    }
    id.chars()
        .enumerate()
        .map(|(at, c)| if at < 6 || at + 2 >= length { c } else { '*' })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::store::User;

    fn caller(role: Role, name: &str) -> Caller {
        let memberships = vec![("a".into(), Some("org_admin".into()))];
        Caller {
            key: String::new(),
            user_id: Some("user-0123456789".into()),
            role,
            user: Some(User {
                id: "user-0123456789".into(),
                role: Some(name.into()),
                teams: vec![],
                memberships,
            }),
            allowed_routes: vec![],
        }
    }

    #[test]
    fn a_user_id_shows_its_first_six_and_last_two_characters() {
        assert_eq!(masked("behavior-pin-org_admin"), "behavi**************in");
        assert_eq!(masked("unknown"), "unknown");
        assert_eq!(masked("12345678"), "12345678");
        assert_eq!(masked("root"), "***");
    }

    #[test]
    fn an_org_admin_may_write_only_where_it_names_an_organization_that_it_administers() {
        let admin = caller(Role::OrgAdmin, "org_admin");
        let may = |data: Value| {
            role_may_call(
                &admin,
                Route {
                    path: "/key/update",
                    data: &data,
                },
            )
        };
        let Err(Denial::Fault(message)) = may(json!({})) else {
            panic!("allowed")
        };
        assert!(
            message
                .ends_with("Route=/key/update. Your role=org_admin. Your user_id=user-0*******89"),
            "{message}"
        );
        assert_eq!(may(json!({"organization_id": "a"})), Ok(()));
        assert!(may(json!({"organization_id": "b"})).is_err());
        assert!(may(json!({"organization_id": "a", "organizations": ["b"]})).is_err());
    }

    #[test]
    fn info_routes_are_open_to_every_role() {
        let route = Route {
            path: "/key/info",
            data: &Value::Null,
        };
        assert_eq!(
            role_may_call(&caller(Role::Customer, "customer"), route),
            Ok(())
        );
    }

    #[test]
    fn a_key_limited_to_routes_may_call_no_other() {
        let mut limited = caller(Role::InternalUser, "internal_user");
        let may = |limited: &Caller, path| {
            key_may_call(
                limited,
                Route {
                    path,
                    data: &Value::Null,
                },
            )
            .is_ok()
        };
        limited.allowed_routes = vec!["info_routes".into()];
        assert!(may(&limited, "/key/info"));
        assert!(!may(&limited, "/key/update"));
        limited.allowed_routes = vec!["/key/*".into()];
        assert!(may(&limited, "/key/update"));
        limited.allowed_routes = vec!["/key".into()];
        assert!(may(&limited, "/key/update"));
    }
}
