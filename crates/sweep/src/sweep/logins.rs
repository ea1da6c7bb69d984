//! What the tool itself logs in with, so that it is named where a service or a database prints it.

use authz_pin_database::Which;
use authz_pin_suite::suite::Suite;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::symbols::Registry;

/// What the tool itself logs in with, and a service may print: the database's URL in an error, the credentials of its
/// own URL. Such a password can be a word of any text ("postgres"), so that only one which is long is looked for by
/// itself.
pub(crate) fn register<'u>(
    registry: &mut Registry,
    databases: impl IntoIterator<Item = (&'u Which, &'u SecretString)>,
    service: impl IntoIterator<Item = &'u Url>,
) {
    for (which, url) in databases {
        let entity = match which.name() {
            Some(name) => format!("database {name}"),
            None => "database".to_owned(),
        };
        registry.add_secret(&entity, "url", url.expose_secret());
        if let Ok(url) = Url::parse(url.expose_secret()) {
            register_login(registry, &entity, &url);
        }
    }
    for url in service {
        register_login(registry, "service", url);
    }
}

/// What an actor presents that stands in the suite itself, so that no symbol has it.
pub(crate) fn register_literals(registry: &mut Registry, suite: &Suite) {
    for (name, actor) in &suite.world.actors {
        let Some(auth) = &actor.auth else { continue };
        let query = auth.query.iter();
        let query = query.map(|(field, value)| (field.as_str(), value));
        let digest = auth
            .digest
            .iter()
            .map(|login| ("password", &login.password));
        let aws = auth.aws.iter().map(|keys| ("secret_key", &keys.secret_key));
        for (field, value) in query.chain(digest).chain(aws) {
            if !value.contains('{') && value.len() >= LONG_PASSWORD {
                registry.add_secret(name, field, value);
            }
        }
    }
}

fn register_login(registry: &mut Registry, entity: &str, url: &Url) {
    let Some((user, password)) = login(url) else {
        return;
    };
    registry.add_secret(entity, "login", &format!("{user}:{password}"));
    registry.add_secret(entity, "password", &format!("password={password}"));
    if password.len() >= LONG_PASSWORD {
        registry.add_secret(entity, "password", &password);
    }
}

/// A password of that length is no word of a message.
const LONG_PASSWORD: usize = 12;

/// The user and the password of a URL; a database's can be in the query.
fn login(url: &Url) -> Option<(String, String)> {
    let queried = |wanted: &str| url.query_pairs().find(|(name, _)| name == wanted);
    if let Some((_, password)) = queried("password") {
        let user = queried("user").map(|(_, user)| user.into_owned());
        return Some((user.unwrap_or_default(), password.into_owned()));
    }
    let decoded = |text| {
        percent_encoding::percent_decode_str(text)
            .decode_utf8_lossy()
            .into_owned()
    };
    Some((decoded(url.username()), decoded(url.password()?)))
}
