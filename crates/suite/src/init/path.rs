//! Paths with identifiers in them: what each is of, and what it is called.

use std::collections::{BTreeMap, BTreeSet};

use crate::sendable::in_path;

use super::names::{identifier, singular, words};

/// A part of a path.
#[derive(Debug, PartialEq, Eq)]
enum Piece<'a> {
    Text(&'a str),
    Parameter(&'a str),
}

fn pieces(path: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, after)) = after.split_once('}') else {
            break;
        };
        pieces.extend([Piece::Text(before), Piece::Parameter(name)]);
        rest = after;
    }
    pieces.push(Piece::Text(rest));
    pieces
}

/// An identifier in a path: what it is of, and what it is called.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Identifier {
    /// The kind.
    pub(super) kind: String,
    /// The symbol.
    pub(super) symbol: String,
}

/// Names that say nothing about what they are names of.
const GENERIC: [&str; 12] = [
    "id",
    "uuid",
    "guid",
    "pk",
    "key",
    "slug",
    "name",
    "code",
    "number",
    "identifier",
    "ref",
    "oid",
];
/// How the names of identifiers end.
const ENDINGS: [&str; 8] = [
    "_id", "_uuid", "_guid", "_pk", "_key", "_slug", "_name", "_ids",
];
/// Names that templates, or the engine, use for something else.
const TAKEN: [&str; 20] = [
    "actor", "target", "cell", "run", "vars", "name", "if", "in", "is", "not", "and", "or", "else",
    "true", "false", "none", "null", "loop", "self", "random",
];

impl Identifier {
    /// `{team_id}` is the `team_id` of a `team`, and so is `{id}` after `/teams/`.
    pub(super) fn of(name: &str, before: &str, is_shared: bool) -> Self {
        let name = identifier(name.split(':').next().unwrap_or_default())
            .unwrap_or_else(|| "id".to_owned());
        let collection = one_of(before);
        if is_shared || GENERIC.contains(&name.as_str()) {
            let kind = collection.unwrap_or_else(|| "item".to_owned());
            return Self {
                symbol: format!("{kind}_{name}"),
                kind: free(kind),
            };
        }
        let stem = ENDINGS.iter().find_map(|ending| name.strip_suffix(ending));
        let of_collection = || {
            let ends = |kind: &String| kind.ends_with(&format!("_{name}"));
            collection.filter(|kind| name.starts_with(kind.as_str()) || ends(kind))
        };
        let kind = stem.map(str::to_owned).or_else(of_collection);
        Self {
            kind: free(kind.unwrap_or_else(|| name.clone())),
            symbol: free(name),
        }
    }
}

/// One of a collection: `api-tokens` -> `api_token`.
pub(super) fn one_of(collection: &str) -> Option<String> {
    let mut words = words(collection);
    let last = words.pop()?;
    words.push(singular(&last));
    let kind = words.join("_");
    kind.starts_with(|c: char| c.is_ascii_alphabetic())
        .then_some(kind)
}

fn free(name: String) -> String {
    if TAKEN.contains(&name.as_str()) {
        format!("{name}_id")
    } else {
        name
    }
}

/// The paths of a service, and which names in them say nothing since several collections have them.
#[derive(Debug, Default)]
pub(super) struct Paths {
    /// Such names: `{objectId}` behind `/users/` and behind `/classes/Note/`.
    shared: BTreeSet<String>,
}

impl Paths {
    pub(super) fn of<'p>(paths: impl Iterator<Item = &'p str>) -> Self {
        let mut collections: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        for (name, before) in paths.flat_map(parameters) {
            let collection = one_of(before);
            collections.entry(name).or_default().extend(collection);
        }
        let is_shared = |(name, collections): &(&str, BTreeSet<String>)| {
            let kind = Identifier::of(name, "", false).kind;
            let is_one = |one: &String| *one == kind || one.ends_with(&format!("_{kind}"));
            collections.len() > 1 && !collections.iter().any(is_one)
        };
        let shared = collections.into_iter().filter(is_shared);
        Self {
            shared: shared.map(|(name, _)| name.to_owned()).collect(),
        }
    }

    /// The identifiers in a path, in their order.
    pub(super) fn identifiers<'p>(&self, path: &'p str) -> Vec<(&'p str, Identifier)> {
        let found = parameters(path).into_iter();
        let found = found.map(|(name, before)| {
            let is_shared = self.shared.contains(name);
            (name, Identifier::of(name, before, is_shared))
        });
        found.collect()
    }
}

/// The parameters of a path, each with the segment before it, if there is one.
pub(super) fn parameters(path: &str) -> Vec<(&str, &str)> {
    let mut before = "";
    let mut found = Vec::new();
    for piece in pieces(path) {
        match piece {
            Piece::Text(text) => before = text,
            Piece::Parameter(name) => {
                let collection = before.trim_end_matches('/').rsplit('/').next();
                found.push((name, collection.unwrap_or_default()));
                before = "";
            }
        }
    }
    found
}

/// The path with identifiers in place of its parameters; `of` is what they are of, with a dot.
pub(super) fn template(path: &str, of: &str, symbols: &[String]) -> String {
    let mut symbols = symbols.iter();
    let part = |piece: Piece<'_>| match piece {
        Piece::Text(text) => in_path(text).replace('{', "{{ '{' }}"),
        Piece::Parameter(_) => {
            let symbol = symbols.next().map(String::as_str).unwrap_or_default();
            format!("{{{{ {of}{symbol} }}}}")
        }
    };
    rooted(pieces(path).into_iter().map(part).collect())
}

fn rooted(path: String) -> String {
    if path.starts_with('/') {
        path
    } else {
        format!("/{path}")
    }
}
