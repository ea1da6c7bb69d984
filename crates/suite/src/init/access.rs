//! Credentials of a suite.

use crate::template::literal_text;
use serde_json::{Value as Json, json};

use super::source::Access;

/// The parts of a credential: the end of a variable's name, and what it is.
pub(super) fn nouns(access: &Access) -> Vec<(&'static str, String)> {
    match access {
        Access::Bearer => vec![("token", "the token of".to_owned())],
        Access::Basic | Access::Digest => vec![
            ("username", "the name of".to_owned()),
            ("password", "the password of".to_owned()),
        ],
        Access::Header(name) => vec![("key", format!("the value of the header {name}, of"))],
        Access::Cookie(name) => vec![("cookie", format!("the value of the cookie {name}, of"))],
        Access::Query(name) => vec![(
            "key",
            format!("the value of the query parameter {name}, of"),
        )],
    }
}

/// A credential whose parts are what `of` gives for their nouns.
pub(super) fn auth(access: &Access, of: impl Fn(&str) -> String) -> Json {
    let person = || json!({"username": of("username"), "password": of("password")});
    match access {
        Access::Bearer => json!({"bearer": of("token")}),
        Access::Basic => json!({"basic": person()}),
        Access::Digest => json!({"digest": person()}),
        Access::Header(name) => json!({"headers": {name.as_str(): of("key")}}),
        Access::Cookie(name) => json!({"cookies": {literal_text(name): of("cookie")}}),
        Access::Query(name) => json!({"query": {name.as_str(): of("key")}}),
    }
}
