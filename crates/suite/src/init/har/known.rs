//! The credentials of a recording, by where they stand.

use std::collections::BTreeSet;

use crate::secrets;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value as Json, json};
use url::Url;

use super::raw::{Content, Entry};
use super::{cookies, decode};

/// Every value of an entry that is a credential by where it stands.
pub(super) fn known_secrets(entry: &Entry, found: &mut BTreeSet<String>) {
    let headers = entry.request.headers.iter().chain(&entry.response.headers);
    for pair in headers {
        if pair.name.eq_ignore_ascii_case("set-cookie") {
            let cookie = pair
                .value
                .split(';')
                .next()
                .and_then(|cookie| cookie.split_once('='));
            found.extend(cookie.map(|(_, value)| value.trim().to_owned()));
        } else if secrets::is_header(&pair.name) {
            credential(&pair.value, found);
        }
    }
    found.extend(cookies(&entry.request).into_iter().map(|(_, value)| value));
    found.extend(entry.response.cookies.iter().map(|pair| pair.value.clone()));
    for pair in &entry.request.body.params {
        named(&pair.name, &json!(decode(&pair.value)), found);
    }
    if let Ok(url) = Url::parse(&entry.request.url) {
        found.extend(url.password().map(decode));
        let pairs = url.query_pairs();
        pairs.for_each(|(name, value)| named(&name, &json!(value), found));
    }
    let bodies = [&entry.request.body, &entry.response.content];
    let bodies = bodies.into_iter().filter_map(Content::json);
    bodies.for_each(|body| named("", &body, found));
}

/// The value of a header, and what of it is the credential.
fn credential(value: &str, found: &mut BTreeSet<String>) {
    found.insert(value.to_owned());
    let Some((scheme, token)) = value.split_once(' ') else {
        return;
    };
    found.insert(token.trim().to_owned());
    if scheme.eq_ignore_ascii_case("basic")
        && let Ok(bytes) = BASE64.decode(token.trim())
        && let Some((_, password)) = String::from_utf8_lossy(&bytes).split_once(':')
    {
        found.insert(password.to_owned());
    }
}

/// The texts of a body that are secrets by their names.
fn named(name: &str, value: &Json, found: &mut BTreeSet<String>) {
    match value {
        Json::String(text) if secrets::is_secret(name, value) => {
            found.insert(text.clone());
        }
        Json::Array(items) => items.iter().for_each(|item| named(name, item, found)),
        Json::Object(map) => map.iter().for_each(|(own, value)| {
            let name = if secrets::is_named(name) { name } else { own };
            named(name, value, found);
        }),
        _ => {}
    }
}
