//! A value that fits a schema, as a template of a suite.

use crate::template::{literal, literal_text};
use indexmap::IndexMap;
use serde_json::{Map, Value as Json, json};

use authz_pin_record::text::words;

use super::describe::resolve;

/// How deep a value nests.
const MAX_DEPTH: usize = 8;
/// How many schemas are looked at for one value.
const MAX_SCHEMAS: usize = 500;
/// How many bytes a value that the document gives may have, as JSON; what is longer is made of its schema.
const MAX_GIVEN: usize = 4_096;
/// A longer name of a field is none that anybody uses.
const MAX_NAME: usize = 200;
/// How many fields are named that a value need not have.
const MAX_MORE: usize = 30;
/// What a text needs room for to hold the tag of a cell.
const TAG: u64 = 23;

/// A value, and the fields that it could have as well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// The value, whose texts are templates.
    pub value: Json,
    /// Fields of it that are not required, and are left out.
    pub more: Vec<String>,
}

impl Example {
    /// Another value of the same schema, but for the names of things.
    #[must_use]
    pub(super) fn with(mut self, mut value: Json) -> Self {
        let fields = value.as_object_mut().into_iter().flatten();
        for (name, value) in fields.filter(|(name, value)| is_name(name) && value.is_string()) {
            if let Some(made) = self.value.get(name).filter(|made| is_tagged(made)) {
                *value = made.clone();
            }
        }
        self.more.extend(names(&self.value).map(str::to_owned));
        self.more
            .retain(|name| value.get(literal_text(name)).is_none());
        Self { value, ..self }
    }
}

fn names(value: &Json) -> impl Iterator<Item = &str> {
    let map = value.as_object();
    map.into_iter().flat_map(Map::keys).map(String::as_str)
}

/// A value for a schema of the document.
pub(super) fn of(document: &Json, schema: &Json) -> Example {
    let mut maker = Maker {
        document,
        left: MAX_SCHEMAS,
        within: Vec::new(),
    };
    let value = maker.value(schema, MAX_DEPTH);
    Example {
        more: maker.more(schema, &value),
        value,
    }
}

/// A value that the document gives, if it is not too large.
pub(super) fn given(value: &Json) -> Option<Json> {
    let is_small = value.to_string().len() <= MAX_GIVEN && depth(value) <= MAX_DEPTH;
    (is_small && has_short_names(value)).then(|| literal(value))
}

fn depth(value: &Json) -> usize {
    match value {
        Json::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Json::Object(map) => 1 + map.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

fn has_short_names(value: &Json) -> bool {
    match value {
        Json::Array(items) => items.iter().all(has_short_names),
        Json::Object(map) => map
            .iter()
            .all(|(name, value)| name.len() <= MAX_NAME && has_short_names(value)),
        _ => true,
    }
}

struct Maker<'a> {
    document: &'a Json,
    left: usize,
    /// The schemas that the value is within: one that holds itself ends there.
    within: Vec<&'a Json>,
}

impl<'a> Maker<'a> {
    fn value(&mut self, schema: &'a Json, depth: usize) -> Json {
        self.value_of(schema, depth).unwrap_or(Json::Null)
    }

    /// None where the value would hold one of the same schema, or is too deep.
    fn value_of(&mut self, schema: &'a Json, depth: usize) -> Option<Json> {
        let schema = resolve(self.document, schema);
        let is_within = self.within.iter().any(|outer| std::ptr::eq(*outer, schema));
        if is_within || depth == 0 || self.left == 0 {
            return None;
        }
        self.within.push(schema);
        let value = self.made(schema, depth);
        self.within.pop();
        Some(value)
    }

    fn made(&mut self, schema: &'a Json, depth: usize) -> Json {
        let parts = self.parts(schema, depth);
        if let Some(value) = parts.iter().find_map(|part| given_by(part)) {
            return value;
        }
        match kind(&parts) {
            "object" => self.object(&parts, depth),
            "array" => self.array(&parts, depth),
            "integer" => number(&parts).unwrap_or_else(|| json!(1)),
            "number" => number(&parts).unwrap_or_else(|| json!(1)),
            "boolean" => json!(true),
            "null" => Json::Null,
            _ => text(&parts),
        }
    }

    /// A schema and what it is made of: all that it has to fit, and the first thing that it could be.
    fn parts(&mut self, schema: &'a Json, depth: usize) -> Vec<&'a Json> {
        let mut parts = Vec::new();
        self.collect(schema, depth, &mut parts);
        parts
    }

    fn collect(&mut self, schema: &'a Json, depth: usize, parts: &mut Vec<&'a Json>) {
        let (Some(depth), Some(left)) = (depth.checked_sub(1), self.left.checked_sub(1)) else {
            return;
        };
        self.left = left;
        let schema = resolve(self.document, schema);
        parts.push(schema);
        for part in list(schema, "allOf") {
            self.collect(part, depth, parts);
        }
        for key in ["oneOf", "anyOf"] {
            let choices = list(schema, key);
            let choice = choices
                .iter()
                .find(|choice| !is_null(self.document, choice));
            if let Some(choice) = choice.or(choices.first()) {
                self.collect(choice, depth, parts);
            }
        }
    }

    /// The required fields, or the first one where none is.
    fn object(&mut self, parts: &[&'a Json], depth: usize) -> Json {
        let fields = fields(self.document, parts);
        let mut required = required(parts);
        if required.is_empty() {
            required.extend(fields.keys().next().copied());
        }
        let mut object = Map::new();
        for name in required {
            let value = fields
                .get(name)
                .map(|schema| self.field(name, schema, depth));
            if name.len() <= MAX_NAME && self.left > 0 {
                object.insert(literal_text(name), value.unwrap_or_else(|| json!(TAGGED)));
            }
        }
        Json::Object(object)
    }

    /// The value of a field. An example of a name is for one call: two things of one name are refused. So is a moment until
    /// which something is valid, when it is over.
    fn field(&mut self, name: &str, schema: &'a Json, depth: usize) -> Json {
        let value = self.value(schema, depth.saturating_sub(1));
        let is_outermost = depth == MAX_DEPTH;
        let parts = self.parts(schema, depth);
        match is_free(&parts, &value) {
            true if is_outermost && is_name(name) => text(&parts),
            true if is_end(name) => end(&parts).unwrap_or(value),
            _ => value,
        }
    }

    fn array(&mut self, parts: &[&'a Json], depth: usize) -> Json {
        let items = parts.iter().find_map(|part| part.get("items"));
        let item = items.and_then(|items| self.value_of(items, depth.saturating_sub(1)));
        item.into_iter().collect()
    }

    fn more(&mut self, schema: &'a Json, value: &Json) -> Vec<String> {
        let parts = self.parts(schema, MAX_DEPTH);
        let is_left_out = |name: &&str| value.get(literal_text(name)).is_none();
        let names = fields(self.document, &parts)
            .into_keys()
            .filter(is_left_out);
        names.take(MAX_MORE).map(str::to_owned).collect()
    }
}

/// Whether the value is a text that could as well be another one.
fn is_free(parts: &[&Json], value: &Json) -> bool {
    let fixed = ["enum", "const", "default", "pattern"];
    let is_fixed = |part: &&Json| fixed.iter().any(|key| part.get(*key).is_some());
    value.is_string() && !parts.iter().any(is_fixed)
}

/// How fields are called that say what a thing is called.
const NAMES: [&str; 9] = [
    "name", "title", "slug", "username", "login", "email", "mail", "alias", "handle",
];
/// How fields are called that say until when something is valid.
const ENDS: [&str; 6] = [
    "expires",
    "expire",
    "expiry",
    "expiration",
    "expired",
    "until",
];

fn is_tagged(value: &Json) -> bool {
    value.as_str().is_some_and(|text| text.contains("cell.tag"))
}

fn is_name(field: &str) -> bool {
    words(field)
        .last()
        .is_some_and(|word| NAMES.contains(&word.as_str()))
}

fn is_end(field: &str) -> bool {
    words(field)
        .iter()
        .any(|word| ENDS.contains(&word.as_str()))
}

/// A moment that is far off.
fn end(parts: &[&Json]) -> Option<Json> {
    let format = parts.iter().find_map(|part| part.get("format")?.as_str());
    match format? {
        "date-time" => Some(json!("2099-12-31T12:00:00Z")),
        "date" => Some(json!("2099-12-31")),
        _ => None,
    }
}

/// A text that tells which cell it is of.
const TAGGED: &str = "{{ cell.tag }}";

fn list<'a>(schema: &'a Json, key: &str) -> &'a [Json] {
    schema
        .get(key)
        .and_then(Json::as_array)
        .map_or(&[], Vec::as_slice)
}

fn is_null(document: &Json, schema: &Json) -> bool {
    resolve(document, schema).get("type") == Some(&json!("null"))
}

/// The value that a schema itself names.
fn given_by(schema: &Json) -> Option<Json> {
    let first = |key| list(schema, key).iter().find(|value| !value.is_null());
    let named = ["example", "default", "const"].map(|key| schema.get(key));
    let [example, default, constant] = named;
    let candidates = [example, first("examples"), default, constant, first("enum")];
    let mut values = candidates.into_iter().flatten();
    values.find(|value| !value.is_null()).and_then(given)
}

fn kind<'a>(parts: &[&'a Json]) -> &'a str {
    let named = parts.iter().find_map(|part| type_of(part));
    let has = |key| parts.iter().any(|part| part.get(key).is_some());
    named.unwrap_or(match () {
        () if has("properties") || has("required") => "object",
        () if has("items") => "array",
        () => "string",
    })
}

fn type_of(schema: &Json) -> Option<&str> {
    match schema.get("type")? {
        Json::Array(types) => {
            let mut names = types.iter().filter_map(Json::as_str);
            names.find(|name| *name != "null")
        }
        name => name.as_str(),
    }
}

/// The fields that a call can send.
fn fields<'a>(document: &'a Json, parts: &[&'a Json]) -> IndexMap<&'a str, &'a Json> {
    let maps = parts
        .iter()
        .filter_map(|part| part.get("properties")?.as_object());
    let all = maps.flatten().map(|(name, schema)| (name.as_str(), schema));
    all.filter(|(name, schema)| {
        let is_read_only = resolve(document, schema).get("readOnly") == Some(&json!(true));
        name.len() <= MAX_NAME && !is_read_only
    })
    .collect()
}

fn required<'a>(parts: &[&'a Json]) -> Vec<&'a str> {
    let mut names: Vec<&str> = Vec::new();
    let all = parts.iter().flat_map(|part| list(part, "required"));
    for name in all.filter_map(Json::as_str) {
        if !names.contains(&name) && names.len() < MAX_SCHEMAS {
            names.push(name);
        }
    }
    names
}

/// The least number that is allowed, if that is said.
fn number(parts: &[&Json]) -> Option<Json> {
    let minimum = parts.iter().find_map(|part| part.get("minimum")?.as_i64());
    minimum.map(|minimum| json!(minimum.max(1)))
}

fn text(parts: &[&Json]) -> Json {
    let said = |key| parts.iter().find_map(|part| part.get(key));
    if said("format") == Some(&json!("binary")) || said("contentMediaType").is_some() {
        return json!({"file": "file.txt", "type": "text/plain", "text": TAGGED});
    }
    let format = said("format").and_then(Json::as_str).unwrap_or_default();
    let fixed = match format {
        "date-time" => "2026-01-31T12:00:00Z",
        "date" => "2026-01-31",
        "time" => "12:00:00",
        "email" => "{{ cell.tag }}@example.com",
        "uuid" => "{{ uuid() }}",
        "uri" | "url" => "https://example.com/{{ cell.tag }}",
        "ipv4" => "127.0.0.1",
        "ipv6" => "::1",
        _ => TAGGED,
    };
    let room = said("maxLength").and_then(Json::as_u64).unwrap_or(TAG);
    if room < TAG && fixed.contains("{{") {
        return json!(format!("{{{{ cell.tag | last({room}) }}}}"));
    }
    json!(fixed)
}
