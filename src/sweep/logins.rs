//! What the tool itself logs in with, so that it is named where a service or a database prints it.

use secrecy::ExposeSecret;
use url::Url;

use super::Service;
use crate::symbols::Registry;

/// What the tool itself logs in with, and a service may print: the database's URL in an error, the credentials of its
/// own URL. Such a password can be a word of any text ("postgres"), so that only one which is long is looked for by
/// itself.
pub(super) fn register(registry: &mut Registry, service: &Service) {
    let database = service
        .database_url
        .as_ref()
        .map(ExposeSecret::expose_secret);
    registry.add_secret("database", "url", database.unwrap_or_default());
    let urls = [
        ("database", database.and_then(|url| Url::parse(url).ok())),
        ("service", Some(service.base_url.clone())),
    ];
    let others = service.urls.values().cloned();
    let urls = urls
        .into_iter()
        .chain(others.map(|url| ("service", Some(url))));
    for (entity, url) in urls {
        let Some((user, password)) = url.as_ref().and_then(login) else {
            continue;
        };
        registry.add_secret(entity, "login", &format!("{user}:{password}"));
        registry.add_secret(entity, "password", &format!("password={password}"));
        if password.len() >= LONG_PASSWORD {
            registry.add_secret(entity, "password", &password);
        }
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
