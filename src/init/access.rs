//! Credentials of a suite.

use serde_json::{Value as Json, json};

use super::source::Access;
use crate::template::literal_text;

/// The parts of a credential: the end of a variable's name, and what it is.
pub(super) fn nouns(access: &Access) -> Vec<(&'static str, String)> {
    match access {
        Access::Bearer | Access::Other(_) => vec![("token", "the token of".to_owned())],
        Access::Basic => vec![
            ("username", "the name of".to_owned()),
            ("password", "the password of".to_owned()),
        ],
        Access::Header(name) => vec![("key", format!("the value of the header {name}, of"))],
        Access::Cookie(name) => vec![("cookie", format!("the value of the cookie {name}, of"))],
    }
}

/// A credential whose parts are what `of` gives for their nouns.
pub(super) fn auth(access: &Access, of: impl Fn(&str) -> String) -> Json {
    match access {
        Access::Bearer | Access::Other(_) => json!({"bearer": of("token")}),
        Access::Basic => json!({"basic": {"username": of("username"), "password": of("password")}}),
        Access::Header(name) => json!({"headers": {name.as_str(): of("key")}}),
        Access::Cookie(name) => json!({"cookies": {literal_text(name): of("cookie")}}),
    }
}
