//! What an operation without an identifier in its path is called upon: the query parameter or the field of its body that names
//! a thing, as `key` in `GET /key/info?key=` and `note_id` in `POST /notes/update`.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::names::{singular, words};
use super::path::{Identifier, one_of};
use super::source::Action;
use crate::openapi::Form;

/// Where the name of a thing stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Query,
    /// A body of JSON.
    Json,
    /// A form, where all values are texts.
    Form,
}

/// The parameter or the field that names a thing.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) place: Place,
    /// Its name as a suite writes it.
    pub(super) name: String,
    pub(super) identifier: Identifier,
    pub(super) form: Form,
    /// Whether it takes several.
    pub(super) is_list: bool,
}

/// What is done to a thing that is there.
const DONE: [&str; 24] = [
    "update",
    "delete",
    "remove",
    "get",
    "info",
    "block",
    "unblock",
    "regenerate",
    "edit",
    "set",
    "enable",
    "disable",
    "reset",
    "show",
    "view",
    "details",
    "read",
    "archive",
    "restore",
    "rename",
    "revoke",
    "rotate",
    "cancel",
    "close",
];

/// What brings a thing about.
const MAKING: [&str; 6] = ["create", "new", "add", "generate", "register", "invite"];

/// What paths have that is no thing.
const NOTHING: [&str; 3] = ["api", "rest", "bulk"];

/// What is said of a thing by a name that says nothing of its kind.
const PLAIN: [&str; 7] = ["id", "uuid", "guid", "pk", "oid", "key", "token"];

impl Named {
    /// By a collection that the path names, unless it makes one of these; or, where a call has to have it, by a kind that other
    /// paths name.
    pub(super) fn of(action: &Action, known: &BTreeSet<String>) -> Option<Self> {
        let (candidates, things) = (candidates(action), things(action));
        let of_thing = |thing: &String| {
            candidates.iter().find_map(|one| {
                let identifier = one.identifier(Some(thing))?;
                (identifier.kind == *thing).then(|| one.named(identifier))
            })
        };
        let mut there = things.iter().filter(|thing| !makes(action, thing));
        let by_kind = || {
            let mut required = candidates.iter().filter(|one| one.is_required);
            required.find_map(|one| {
                let identifier = one.identifier(None)?;
                let is_other = known.contains(&identifier.kind) && !makes(action, &identifier.kind);
                is_other.then(|| one.named(identifier))
            })
        };
        there.find_map(of_thing).or_else(by_kind)
    }

    /// What stands there of a target.
    pub(super) fn value(&self, symbol: &str) -> Json {
        let one = match (self.place, self.form) {
            (Place::Json, Form::Number) => format!("{{{{ target.{symbol} | int }}}}"),
            _ => format!("{{{{ target.{symbol} }}}}"),
        };
        if self.is_list && self.place == Place::Json {
            Json::from(vec![one])
        } else {
            one.into()
        }
    }
}

/// Whether it makes one of these: `POST /notes`, and `POST /note/create`.
pub(super) fn makes(action: &Action, kind: &str) -> bool {
    let mut segments = action.path.trim_end_matches('/').rsplit('/');
    let last = segments.next().unwrap_or_default();
    let is_making = words(last)
        .last()
        .is_some_and(|word| MAKING.contains(&word.as_str()));
    let thing = match thing(last) {
        None if is_making => segments.find_map(thing),
        of_last => of_last,
    };
    action.method == "POST" && thing.as_deref() == Some(kind)
}

/// What the things of the path are called, the last ones first.
fn things(action: &Action) -> Vec<String> {
    let segments = action.path.rsplit('/');
    segments.filter_map(thing).collect()
}

/// What the things of a segment are called, as far as it says more than what is done.
fn thing(segment: &str) -> Option<String> {
    let is_version = |word: &str| {
        let digits = word.strip_prefix('v');
        digits.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let is_thing = |word: &String| {
        let word = word.as_str();
        let is_said = [&NOTHING[..], &DONE, &MAKING]
            .iter()
            .any(|all| all.contains(&word));
        !is_said && !is_version(word)
    };
    let words = words(segment).into_iter().filter(is_thing);
    let thing = words.collect::<Vec<String>>().join("_");
    one_of(&thing).filter(|_| !segment.starts_with('{'))
}

/// What could name a thing.
struct Candidate<'a> {
    place: Place,
    name: &'a str,
    /// Its value in a call, where it has to have one.
    value: Option<&'a Json>,
    is_required: bool,
}

fn candidates(action: &Action) -> Vec<Candidate<'_>> {
    let query = action.query.iter().map(|(name, value)| Candidate {
        place: Place::Query,
        name,
        value: Some(value),
        is_required: true,
    });
    let more_query = action.more_query.iter().map(|name| Candidate {
        place: Place::Query,
        name,
        value: None,
        is_required: false,
    });
    let place = match action.sent() {
        Some(("json", Json::Object(_))) => Some(Place::Json),
        Some(("form" | "multipart", Json::Object(_))) => Some(Place::Form),
        // Elsewhere nobody can tell a field.
        _ => None,
    };
    let body = place.and_then(|place| Some((place, action.body.as_ref()?)));
    let fields = body.and_then(|(place, body)| Some((place, body.value.as_ref()?.as_object()?)));
    let fields = fields.into_iter().flat_map(|(place, fields)| {
        fields.iter().map(move |(name, value)| Candidate {
            place,
            name,
            value: Some(value),
            is_required: true,
        })
    });
    let more = body.into_iter().flat_map(|(place, body)| {
        body.more.iter().map(move |name| Candidate {
            place,
            name,
            value: None,
            is_required: false,
        })
    });
    query.chain(more_query).chain(fields).chain(more).collect()
}

impl Candidate<'_> {
    /// What it is the identifier of, if its name says so; a plain `id` is one of the path's collection.
    fn identifier(&self, collection: Option<&str>) -> Option<Identifier> {
        let item = self.value.and_then(|value| value.get(0)).or(self.value);
        // What was recorded and is a secret names nothing that a run makes.
        let is_secret = |item: &Json| item.as_str().is_some_and(|text| text.contains("vars."));
        if item.is_some_and(|item| item.is_object() || item.is_array() || is_secret(item)) {
            return None;
        }
        let mut parts = words(self.name);
        let last = parts.pop()?;
        parts.push(singular(&last));
        let name = parts.join("_");
        let is_plain = PLAIN.contains(&name.as_str());
        let is_id = parts.len() > 1 && ["id", "uuid", "guid"].contains(&parts.last()?.as_str());
        let is_collection = collection == Some(name.as_str());
        match collection {
            Some(collection) if is_plain || is_collection => {
                Some(Identifier::of(&name, collection, is_plain))
            }
            _ if is_id => Some(Identifier::of(&name, "", false)),
            _ => None,
        }
    }

    fn named(&self, identifier: Identifier) -> Named {
        let last = words(self.name).pop().unwrap_or_default();
        let form = match self.value {
            Some(Json::Number(_)) => Form::Number,
            _ => Form::Text,
        };
        Named {
            place: self.place,
            name: self.name.to_owned(),
            identifier,
            form,
            is_list: self.value.map_or(singular(&last) != last, Json::is_array),
        }
    }
}
