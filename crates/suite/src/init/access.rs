//! Credentials of a suite.

use crate::template::literal_text;
use authz_pin_record::text::words;
use serde_json::{Map, Value as Json, json};

use super::source::Access;

/// A part of a credential: the end of a variable's name, and what it is.
pub(super) type Noun = (String, String);

/// The parts of a credential that every caller has of its own.
pub(super) fn nouns(access: &Access) -> Vec<Noun> {
    let noun = |name: &str, what: String| vec![(name.to_owned(), what)];
    match access {
        Access::Bearer => noun("token", "the token of".to_owned()),
        Access::Basic | Access::Digest => vec![
            ("username".to_owned(), "the name of".to_owned()),
            ("password".to_owned(), "the password of".to_owned()),
        ],
        Access::Header(name) => noun("key", format!("the value of the header {name}, of")),
        Access::Cookie(name) => noun("cookie", format!("the value of the cookie {name}, of")),
        Access::Query(name) => noun(
            "key",
            format!("the value of the query parameter {name}, of"),
        ),
        Access::Together(all) => {
            let own = all.iter().filter(|one| !is_of_all(one, all));
            own.flat_map(|one| {
                nouns(one)
                    .into_iter()
                    .map(|(noun, what)| (called(one, noun), what))
            })
            .collect()
        }
    }
}

/// The parts that are the same for every caller, such as the key of the application.
pub(super) fn common(access: &Access) -> Vec<Noun> {
    let Access::Together(all) = access else {
        return Vec::new();
    };
    let common = all.iter().filter(|one| is_of_all(one, all));
    let common = common.flat_map(|one| {
        nouns(one).into_iter().map(|(noun, what)| {
            let what = what.trim_end_matches([' ', ',']).trim_end_matches(" of");
            let what = format!("{}, the same for all", what.trim_end_matches(','));
            (called(one, noun), what)
        })
    });
    common.collect()
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
        Access::Together(all) => joined(all.iter().map(|one| {
            let is_of_all = is_of_all(one, all);
            auth(one, &|noun| {
                let noun = called(one, noun.to_owned());
                if is_of_all {
                    variable(&noun)
                } else {
                    of(&noun)
                }
            })
        })),
    }
}

/// What also somebody without a credential sends, if anything.
pub(super) fn without_own(access: &Access) -> Option<Json> {
    let Access::Together(all) = access else {
        return None;
    };
    let common = all.iter().filter(|one| is_of_all(one, all));
    let common = common.map(|one| auth(one, &|noun| variable(&called(one, noun.to_owned()))));
    let common = joined(common);
    common
        .as_object()
        .is_some_and(|map| !map.is_empty())
        .then_some(common)
}

fn variable(name: &str) -> String {
    format!("{{{{ vars.{name} }}}}")
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
fn called(access: &Access, noun: String) -> String {
    match access {
        Access::Header(name) | Access::Cookie(name) | Access::Query(name) => {
            let words = words(name);
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            match words.as_slice() {
                ["x", rest @ ..] if !rest.is_empty() => rest.join("_"),
                [] => noun,
                all => all.join("_"),
            }
        }
        _ => noun,
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

/// Whether one of several parts is the same for every caller: those that are called after a caller's own are not, and where none
/// is, the last one is not.
fn is_of_all(one: &Access, all: &[Access]) -> bool {
    let is_own = |access: &Access| match access {
        Access::Header(name) | Access::Query(name) => {
            words(name).iter().any(|word| OWN.contains(&word.as_str()))
        }
        _ => true,
    };
    let last = all.last();
    let none = !all.iter().any(is_own);
    !(is_own(one) || none && last == Some(one))
}
