//! Credentials of a suite.

use crate::template::literal_text;
use authz_pin_record::text::words;
use serde_json::{Map, Value as Json, json};

use super::source::Access;

/// A part of a credential: the end of a variable's name, and what it is, to be followed by whose.
pub(super) type Noun = (String, String);

impl Access {
    /// All of these in each request: those that are called after what a caller has of its own are its own, and where none is,
    /// the last one.
    pub(super) fn together(all: Vec<Self>) -> Self {
        let (mut own, mut common): (Vec<Self>, Vec<Self>) = all.into_iter().partition(is_own);
        if own.is_empty() {
            own.extend(common.pop());
        }
        Self::Together { common, own }
    }
}

/// The parts of a credential that every caller has of its own.
pub(super) fn nouns(access: &Access) -> Vec<Noun> {
    let noun = |name: &str, what: String| vec![(name.to_owned(), what)];
    match access {
        Access::Bearer => noun("token", "the token".to_owned()),
        Access::Basic | Access::Digest => vec![
            ("username".to_owned(), "the name".to_owned()),
            ("password".to_owned(), "the password".to_owned()),
        ],
        Access::Header(name) => noun("key", format!("the value of the header {name},")),
        Access::Cookie(name) => noun("cookie", format!("the value of the cookie {name},")),
        Access::Query(name) => noun("key", format!("the value of the query parameter {name},")),
        Access::Together { own, .. } => nouns_of_several(own),
    }
}

/// The parts that are the same for every caller, such as the key of the application.
pub(super) fn common(access: &Access) -> Vec<Noun> {
    match access {
        Access::Together { common, .. } => nouns_of_several(common),
        _ => Vec::new(),
    }
}

fn nouns_of_several(all: &[Access]) -> Vec<Noun> {
    let nouns = all.iter().flat_map(|one| {
        let nouns = nouns(one).into_iter();
        nouns.map(|(noun, what)| (called(one, &noun), what))
    });
    nouns.collect()
}

/// A credential whose parts are what `of` gives for their nouns; those that are the same for all are variables of the suite.
pub(super) fn auth(access: &Access, of: &dyn Fn(&str) -> String) -> Json {
    let person = || json!({"username": of("username"), "password": of("password")});
    match access {
        Access::Bearer => json!({"bearer": of("token")}),
        Access::Basic => json!({"basic": person()}),
        Access::Digest => json!({"digest": person()}),
        Access::Header(name) => json!({"headers": {name.as_str(): of("key")}}),
        Access::Cookie(name) => json!({"cookies": {literal_text(name): of("cookie")}}),
        Access::Query(name) => json!({"query": {name.as_str(): of("key")}}),
        Access::Together { common, own } => {
            let own = own.iter();
            let own = own.map(|one| auth(one, &|noun| of(&called(one, noun))));
            joined(common.iter().map(of_all).chain(own))
        }
    }
}

/// What also somebody without a credential sends, if anything.
pub(super) fn without_own(access: &Access) -> Option<Json> {
    match access {
        Access::Together { common, .. } if !common.is_empty() => {
            Some(joined(common.iter().map(of_all)))
        }
        _ => None,
    }
}

/// A part that is the same for all.
fn of_all(access: &Access) -> Json {
    auth(access, &|noun| {
        format!("{{{{ vars.{} }}}}", called(access, noun))
    })
}

/// Credentials as one: the headers of all of them, and so on.
fn joined(all: impl Iterator<Item = Json>) -> Json {
    let mut joined = Map::new();
    for (key, value) in all.filter_map(|one| one.as_object().cloned()).flatten() {
        match (joined.get_mut(&key).and_then(Json::as_object_mut), value) {
            (Some(known), Json::Object(more)) => known.extend(more),
            (_, value) => drop(joined.insert(key, value)),
        }
    }
    joined.into()
}

/// What the parts of a credential of several are called: by their headers, since there can be two.
fn called(access: &Access, noun: &str) -> String {
    match access {
        Access::Header(name) | Access::Cookie(name) | Access::Query(name) => {
            let words = words(name);
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            match words.as_slice() {
                ["x", rest @ ..] if !rest.is_empty() => rest.join("_"),
                [] => noun.to_owned(),
                all => all.join("_"),
            }
        }
        _ => noun.to_owned(),
    }
}

/// What names a credential of a caller, not of the program that it uses.
const OWN: [&str; 8] = [
    "session",
    "user",
    "token",
    "access",
    "auth",
    "authorization",
    "password",
    "login",
];

/// Whether a part is called after what a caller has of its own. Whoever has a password or a cookie has it so.
fn is_own(access: &Access) -> bool {
    match access {
        Access::Header(name) | Access::Query(name) => {
            words(name).iter().any(|word| OWN.contains(&word.as_str()))
        }
        _ => true,
    }
}
