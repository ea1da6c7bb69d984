//! Who calls: from the credential on the wire to a key, its user and its role.

use std::fmt;

use axum::http::HeaderMap;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::{
    denial::Denial,
    duration,
    rows::{VerificationToken, texts},
    settings::Settings,
    store::{Owned, Store, User},
};

/// What the master key is called wherever a key's hash is expected (litellm 1.85.1, `constants.py`).
const MASTER_KEY_ALIAS: &str = "litellm_proxy_master_key";

/// The user id of the master key's administrator (litellm 1.85.1, `proxy/proxy_server.py`).
pub(crate) const MASTER_USER_ID: &str = "default_user_id";

/// A user's role (litellm 1.85.1, `proxy/_types.py` `LitellmUserRoles`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    ProxyAdmin,
    ProxyAdminViewer,
    OrgAdmin,
    InternalUser,
    InternalUserViewer,
    Team,
    Customer,
}

impl Role {
    /// A user's role; one that is missing or unknown counts as internal user.
    fn of(user: &User) -> Self {
        match user.role.as_deref() {
            Some("proxy_admin") => Self::ProxyAdmin,
            Some("proxy_admin_viewer") => Self::ProxyAdminViewer,
            Some("org_admin") => Self::OrgAdmin,
            Some("internal_user_viewer") => Self::InternalUserViewer,
            Some("team") => Self::Team,
            Some("customer") => Self::Customer,
            _ => Self::InternalUser,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ProxyAdmin => "proxy_admin",
            Self::ProxyAdminViewer => "proxy_admin_viewer",
            Self::OrgAdmin => "org_admin",
            Self::InternalUser => "internal_user",
            Self::InternalUserViewer => "internal_user_viewer",
            Self::Team => "team",
            Self::Customer => "customer",
        })
    }
}

/// An authenticated caller.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// The hash of its key.
    pub(crate) key: String,
    pub(crate) user_id: Option<String>,
    pub(crate) role: Role,
    /// The user's row, if there is one.
    pub(crate) user: Option<User>,
    /// The only routes that its key may call, if there are any.
    pub(crate) allowed_routes: Vec<String>,
}

impl Caller {
    pub(crate) fn is_admin(&self) -> bool {
        self.role == Role::ProxyAdmin
    }

    pub(crate) fn id(&self) -> Option<&str> {
        self.user_id.as_deref()
    }

    /// The user id in a message.
    pub(crate) fn shown_id(&self) -> &str {
        shown(self.id())
    }

    fn master() -> Self {
        Self {
            key: MASTER_KEY_ALIAS.into(),
            user_id: Some(MASTER_USER_ID.into()),
            role: Role::ProxyAdmin,
            user: None,
            allowed_routes: Vec::new(),
        }
    }

    fn new(key: VerificationToken, user: Option<User>) -> Self {
        Self {
            role: user.as_ref().map_or(Role::InternalUser, Role::of),
            allowed_routes: texts(&key.allowed_routes).map(str::to_owned).collect(),
            key: key.token,
            user_id: key.user_id,
            user,
        }
    }
}

/// An optional value as Python prints it.
pub(crate) fn shown(value: Option<&str>) -> &str {
    value.unwrap_or("None")
}

/// The hash under which a clear key is stored.
pub(crate) fn hash(key: &str) -> String {
    use fmt::Write as _;
    Sha256::digest(key)
        .iter()
        .fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}

/// The hash of a clear key, or what is taken for a hash already.
pub(crate) fn hash_if_clear(key: &str) -> String {
    if key.starts_with("sk-") {
        hash(key)
    } else {
        key.into()
    }
}

/// The last characters of a key, as LiteLLM abbreviates it.
pub(crate) fn abbreviated(key: &str) -> String {
    format!("sk-...{}", tail(key))
}

fn tail(key: &str) -> &str {
    key.char_indices()
        .rev()
        .nth(3)
        .and_then(|(start, _)| key.get(start..))
        .unwrap_or(key)
}

/// Finds out who calls (litellm 1.85.1, `proxy/auth/user_api_key_auth.py`).
pub(crate) async fn authenticate(
    headers: &HeaderMap,
    settings: &Settings,
    store: &Store,
) -> Result<Caller, Denial> {
    let key = credential(headers).ok_or_else(|| Denial::Fault("No api key passed in.".into()))?;
    if key.is_empty() {
        return Err(Denial::Fault(
            "Malformed API Key passed in. Ensure Key has `Bearer ` prefix.".into(),
        ));
    }
    // Hashes are compared, so that the time it takes tells nothing about the master key.
    if hash(&key) == hash(&settings.master_key) {
        return Ok(Caller::master());
    }
    let Owned {
        key: token,
        user,
        is_team_blocked,
    } = find(&key, store).await?;
    if token.blocked == Some(true) {
        return Err(Denial::Fault(
            "Key is blocked. Update via `/key/unblock` if you're an admin.".into(),
        ));
    }
    refuse_expired(&token)?;
    if let Some(team) = token.team_id.as_ref().filter(|_| is_team_blocked) {
        let message =
            format!("Team={team} is blocked. Update via `/team/unblock` if you're an admin.");
        return Err(Denial::Fault(message));
    }
    Ok(Caller::new(token, user))
}

async fn find(key: &str, store: &Store) -> Result<Owned, Denial> {
    if !key.starts_with("sk-") {
        let message = format!(
            "LiteLLM Virtual Key expected. Received={}, expected to start with 'sk-'.",
            masked(key)
        );
        return Err(Denial::text(401, message));
    }
    let hash = hash(key);
    if let Some(owned) = store.owned(&hash).await? {
        return Ok(owned);
    }
    if store.is_in_grace(&hash).await? {
        // Meant to be let in, but the real service falls over its own look-up (`proxy/utils.py` `get_data`).
        let message = "'LiteLLM_VerificationTokenView' object is not subscriptable";
        return Err(Denial::Fault(message.into()));
    }
    Err(Denial::Proxy {
        status: 401,
        kind: "token_not_found_in_db",
        param: "key",
        message: format!(
            "Authentication Error, Invalid proxy server token passed. Received API Key = {}, Key Hash (Token) ={hash}. \
             Unable to find token in cache or `LiteLLM_VerificationTokenTable`",
            abbreviated(key)
        ),
    })
}

fn refuse_expired(token: &VerificationToken) -> Result<(), Denial> {
    let now = duration::now();
    let Some(expires) = token.expires.filter(|expires| *expires < now) else {
        return Ok(());
    };
    Err(Denial::Expired {
        // By then the real proxy has the key's hash in its place.
        key: abbreviated(&token.token),
        message: format!(
            "Authentication Error - Expired Key. Key Expiry time {expires}+00:00 and current time {now}+00:00"
        ),
    })
}

pub(crate) fn masked(key: &str) -> String {
    if key.chars().count() <= 8 {
        return "****".into();
    }
    let head: String = key.chars().take(4).collect();
    format!("{head}****{}", tail(key))
}

/// The headers that may hold a bare key, after `x-litellm-api-key` and `Authorization`, in the real order.
const KEY_HEADERS: [&str; 4] = [
    "api-key",
    "x-api-key",
    "x-goog-api-key",
    "ocp-apim-subscription-key",
];

/// The key on the wire; empty if `Authorization` has no known scheme.
fn credential(headers: &HeaderMap) -> Option<String> {
    let header = |name: &str| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .filter(|value| !value.is_empty())
            .map(str::to_owned)
    };
    if let Some(value) = header("x-litellm-api-key") {
        return Some(without_scheme(&value).unwrap_or(value));
    }
    if let Some(value) = header("authorization") {
        return Some(without_scheme(&value).unwrap_or_default());
    }
    KEY_HEADERS.into_iter().find_map(header)
}

fn without_scheme(value: &str) -> Option<String> {
    let scheme = ["Bearer ", "Basic ", "bearer "]
        .into_iter()
        .find(|scheme| value.starts_with(scheme))?;
    Some(value.replace(scheme, ""))
}

/// Whether key metadata marks a service account's key.
pub(crate) fn names_service_account(metadata: Option<&Value>) -> bool {
    metadata
        .and_then(|metadata| metadata.get("service_account_id"))
        .is_some_and(|id| !id.is_null())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credential_of(name: &'static str, value: &'static str) -> Option<String> {
        credential(&HeaderMap::from_iter([(
            name.parse().unwrap(),
            value.parse().unwrap(),
        )]))
    }

    #[test]
    fn a_bearer_key_is_read_without_its_scheme() {
        assert_eq!(
            credential_of("authorization", "Bearer sk-1").as_deref(),
            Some("sk-1")
        );
        assert_eq!(
            credential_of("authorization", "bearer sk-1").as_deref(),
            Some("sk-1")
        );
        assert_eq!(credential_of("authorization", "sk-1").as_deref(), Some(""));
        assert_eq!(
            credential_of("x-litellm-api-key", "sk-1").as_deref(),
            Some("sk-1")
        );
        assert_eq!(credential_of("x-api-key", "sk-1").as_deref(), Some("sk-1"));
        assert_eq!(credential_of("accept", "sk-1"), None);
    }

    #[test]
    fn a_hash_is_sha_256_in_hex() {
        assert_eq!(
            hash("sk-nope"),
            "1a00a2f8f8e73c2ec96644b102e8d26ebecbcda60bd76613d3134b176d546b8e"
        );
        assert_eq!(hash_if_clear("abc"), "abc");
    }

    #[test]
    fn keys_are_masked_in_messages() {
        assert_eq!(masked("nope-long-key"), "nope****-key");
        assert_eq!(masked("nope"), "****");
        assert_eq!(abbreviated("sk-abcdef"), "sk-...cdef");
        assert_eq!(abbreviated("abc"), "sk-...abc");
    }
}
