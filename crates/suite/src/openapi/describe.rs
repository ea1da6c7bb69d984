//! What a suite can begin with: the operations of a document with an example of what they take, and how the service
//! knows who calls.

use std::borrow::Cow;
use std::path::Path;

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::sendable::is_token;
use crate::template::literal_text;
use crate::yaml::Document;
use indexmap::IndexMap;
use serde_json::{Map, Value as Json};

use super::{MAX_REFERENCES, Operation, Reader, example, is_openapi, parse};

pub use super::example::Example;

/// A document, as far as a suite can begin with it.
#[derive(Debug)]
pub struct Api {
    /// The service's name.
    pub title: Option<String>,
    /// Where the service is, as the document says.
    pub servers: Vec<String>,
    /// How a caller says who it is: ways of which one is enough; what most operations ask for comes first.
    pub ways: Vec<Way>,
    /// The JSON path of the message of a refusal.
    pub refusal: Option<&'static str>,
    /// The operations in the document's order.
    pub operations: Vec<Described>,
}

/// A way in, by all of its schemes together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Way {
    /// Those that a suite can use.
    pub schemes: Vec<Scheme>,
    /// The names of the others, such as that of a client's certificate.
    pub others: Vec<String>,
}

/// How a caller says who it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scheme {
    /// The token of an `Authorization: Bearer` header.
    Bearer,
    /// A name and a password in an `Authorization: Basic` header.
    Basic,
    /// A name and a password for a challenge to an `Authorization: Digest` header.
    Digest,
    /// A header of that name.
    Header(String),
    /// A cookie of that name.
    Cookie(String),
    /// A query parameter of that name.
    Query(String),
}

/// An operation with what a call upon it takes.
#[derive(Debug)]
pub struct Described {
    /// The operation.
    pub operation: Operation,
    /// What it is for, in a few words.
    pub summary: Option<String>,
    /// What the identifiers in its path look like, by parameter.
    pub forms: IndexMap<String, Form>,
    /// The query parameters that a call has to have, with values that are templates.
    pub query: Map<String, Json>,
    /// The query parameters that a call can have as well.
    pub more_query: Vec<String>,
    /// The headers that a call has to have, with values that are templates.
    pub headers: IndexMap<String, String>,
    /// The media type of the body, and the body.
    pub body: Option<(String, Example)>,
    /// The JSON path of the identifier that a success answers with, by the name of its field.
    pub answered: Vec<String>,
}

/// What an identifier looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Form {
    /// Any text.
    #[default]
    Text,
    /// A number.
    Number,
    /// A UUID.
    Uuid,
}

/// Reads a document with what its operations take; `file` only names it.
pub fn describe(file: &Path, bytes: &[u8]) -> Result<Api, Diagnostics> {
    let document = parse(file, bytes)?;
    is_openapi(&document).map_err(|message| Diagnostic::new(file, message))?;
    let operations = Reader::new(&document)
        .operations()
        .map_err(|message| Diagnostic::new(file, message))?;
    let document = tree(file, bytes)?;
    let describer = Describer {
        document: &document,
    };
    Ok(describer.api(operations))
}

/// The document with everything in it. What it holds was found to be a document.
fn tree(file: &Path, bytes: &[u8]) -> Result<Json, Diagnostics> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.trim_ascii_start().first() == Some(&b'{') {
        return serde_json::from_slice(bytes).map_err(|error| super::not_json(file, &error).into());
    }
    let text = String::from_utf8_lossy(bytes).into_owned();
    Ok(Document::parse_foreign(file, text)?.value().clone())
}

/// What a value refers to, or the value itself. What refers to nothing, or in a circle, is as good as anything.
pub(super) fn resolve<'a>(document: &'a Json, value: &'a Json) -> &'a Json {
    let mut value = value;
    for _ in 0..MAX_REFERENCES {
        let reference = value.get("$ref").and_then(Json::as_str);
        let Some(pointer) = reference.and_then(|reference| reference.strip_prefix('#')) else {
            return value;
        };
        let pointer = percent_encoding::percent_decode_str(pointer).decode_utf8_lossy();
        match document.pointer(&pointer) {
            Some(referred) => value = referred,
            None => return value,
        }
    }
    value
}

/// The names of schemes that are asked for together.
type Names<'a> = Vec<&'a str>;

struct Describer<'a> {
    document: &'a Json,
}

impl<'a> Describer<'a> {
    fn api(&self, operations: Vec<Operation>) -> Api {
        let described = operations
            .into_iter()
            .map(|operation| self.operation(operation));
        let described: Vec<(Described, Vec<Names<'_>>)> = described.collect();
        let asked = described.iter().flat_map(|(_, ways)| ways.clone());
        let asked: Vec<Names<'_>> = asked.collect();
        let servers = self.list(self.document, "servers").iter();
        let servers = servers.filter_map(|server| text(server, "url"));
        Api {
            title: text(self.get(self.document, "info"), "title"),
            servers: servers.collect(),
            ways: self.ways(asked),
            refusal: self.refusal(&described),
            operations: described
                .into_iter()
                .map(|(described, _)| described)
                .collect(),
        }
    }

    fn get(&self, value: &'a Json, key: &str) -> &'a Json {
        value
            .get(key)
            .map_or(&Json::Null, |value| resolve(self.document, value))
    }

    fn list(&self, value: &'a Json, key: &str) -> &'a [Json] {
        self.get(value, key).as_array().map_or(&[], Vec::as_slice)
    }

    fn map(
        &self,
        value: &'a Json,
        key: &str,
    ) -> impl Iterator<Item = (&'a String, &'a Json)> + use<'a> {
        self.get(value, key).as_object().into_iter().flatten()
    }

    /// The operation, and the ways in that it has.
    fn operation(&self, operation: Operation) -> (Described, Vec<Names<'a>>) {
        let (item, raw) = self.raw(&operation);
        let parameters = [raw, item].map(|value| self.list(value, "parameters"));
        let parameters = parameters.into_iter().flatten();
        let parameters = parameters.map(|one| resolve(self.document, one));
        let parameters: Vec<&Json> = parameters.collect();
        let described = Described {
            summary: text(raw, "summary").or_else(|| text(raw, "description")),
            forms: self.forms(&parameters),
            query: self.required(&parameters, "query"),
            more_query: optional(&parameters, "query"),
            headers: self.headers(&parameters),
            body: self.body(raw),
            answered: self.answered(raw),
            operation,
        };
        (described, self.asked(raw))
    }

    /// The path item and the operation as they stand in the document.
    fn raw(&self, operation: &Operation) -> (&'a Json, &'a Json) {
        let method = operation.method.to_ascii_lowercase();
        let paths = self.document.get("paths");
        let mut item = paths
            .and_then(|paths| paths.get(&operation.path))
            .unwrap_or(&Json::Null);
        for _ in 0..MAX_REFERENCES {
            if item.get(&method).is_some_and(Json::is_object) {
                break;
            }
            let Some(next) = one_step(self.document, item) else {
                break;
            };
            item = next;
        }
        (item, item.get(&method).unwrap_or(&Json::Null))
    }

    fn forms(&self, parameters: &[&'a Json]) -> IndexMap<String, Form> {
        let in_path = parameters.iter().filter(|one| is_in(one, "path"));
        let form = |one: &&'a Json| Some((text(one, "name")?, self.form(self.get(one, "schema"))));
        in_path.filter_map(form).collect()
    }

    fn form(&self, schema: &'a Json) -> Form {
        let choices = ["anyOf", "oneOf", "allOf"].map(|key| self.list(schema, key));
        let choices = choices
            .into_iter()
            .flatten()
            .map(|one| resolve(self.document, one));
        let forms = std::iter::once(schema).chain(choices).map(plain_form);
        forms
            .into_iter()
            .find(|form| *form != Form::Text)
            .unwrap_or_default()
    }

    /// The parameters that a call has to have, with a value for each.
    fn required(&self, parameters: &[&'a Json], place: &str) -> Map<String, Json> {
        let is_required =
            |one: &&&'a Json| is_in(one, place) && one.get("required") == Some(&Json::Bool(true));
        let found = parameters
            .iter()
            .filter(is_required)
            .take(super::raw::MAX_PARAMETERS);
        // A name is a template as well where a suite writes it.
        let entry = |one: &&'a Json| {
            let name = short(text(one, "name")?)?;
            Some((literal_text(&name), self.value(one)))
        };
        found.filter_map(entry).collect()
    }

    /// Headers that say who calls are not for the request.
    fn headers(&self, parameters: &[&'a Json]) -> IndexMap<String, String> {
        let all = self.required(parameters, "header").into_iter();
        let is_simple = |name: &str| {
            !name.is_empty()
                && name
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
        };
        let others =
            all.filter(|(name, _)| is_simple(name) && !name.eq_ignore_ascii_case("authorization"));
        let plain = |value: Json| {
            value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned)
        };
        // An example can have what no header can carry.
        let sendable = |value: Json| plain(value).replace(char::is_control, "");
        others
            .map(|(name, value)| (name, sendable(value)))
            .collect()
    }

    /// The value of a parameter, or of a media type.
    fn value(&self, holder: &'a Json) -> Json {
        self.given(holder)
            .unwrap_or_else(|| example::of(self.document, self.get(holder, "schema")).value)
    }

    fn given(&self, holder: &'a Json) -> Option<Json> {
        let mut examples = self.map(holder, "examples");
        let named = || examples.find_map(|(_, one)| resolve(self.document, one).get("value"));
        holder
            .get("example")
            .or_else(named)
            .and_then(example::given)
    }

    fn body(&self, raw: &'a Json) -> Option<(String, Example)> {
        let mut content: Vec<_> = self.map(self.get(raw, "requestBody"), "content").collect();
        content.sort_by_key(|(media, _)| (!is_json(media), !is_form(media)));
        let (media, holder) = content.first()?;
        let derived = example::of(self.document, self.get(holder, "schema"));
        let example = match self.given(holder) {
            Some(value) => derived.with(value),
            None => derived,
        };
        Some(((*media).clone(), example))
    }

    /// The names of the fields of a success, those of a wrapped one as `data.id`.
    fn answered(&self, raw: &'a Json) -> Vec<String> {
        let success = self
            .map(raw, "responses")
            .find(|(status, _)| status.starts_with('2'));
        let schema = success.map_or(&Json::Null, |(_, response)| self.schema_of(response));
        let mut names: Vec<String> = Vec::new();
        for (name, inner) in self
            .map(schema, "properties")
            .take(super::raw::MAX_PARAMETERS)
        {
            names.push(name.clone());
            let inner = resolve(self.document, inner);
            let fields = self
                .map(inner, "properties")
                .take(super::raw::MAX_PARAMETERS);
            names.extend(fields.map(|(field, _)| format!("{name}.{field}")));
        }
        names
    }

    /// The schema of a response's JSON.
    fn schema_of(&self, response: &'a Json) -> &'a Json {
        let response = resolve(self.document, response);
        let mut content = self.map(response, "content");
        let json = content.find(|(media, _)| is_json(media));
        json.map_or(&Json::Null, |(_, holder)| self.get(holder, "schema"))
    }

    fn asked(&self, raw: &'a Json) -> Vec<Names<'a>> {
        let security = raw
            .get("security")
            .or_else(|| self.document.get("security"));
        let ways = security.and_then(Json::as_array).into_iter().flatten();
        ways.filter_map(Json::as_object)
            .map(|way| way.keys().map(String::as_str).collect())
            .collect()
    }

    /// The ways in that operations ask for, those of most first; then each scheme that none asks for.
    fn ways(&self, asked: Vec<Names<'_>>) -> Vec<Way> {
        let components = self.get(self.document, "components");
        let schemes = self
            .map(components, "securitySchemes")
            .take(super::raw::MAX_PARAMETERS);
        let schemes = schemes
            .map(|(name, scheme)| (name.as_str(), scheme_of(resolve(self.document, scheme))));
        let schemes: IndexMap<&str, Option<Scheme>> = schemes.collect();
        let mut counts: IndexMap<Names<'_>, usize> = IndexMap::new();
        for names in asked {
            *counts.entry(names).or_default() += 1;
        }
        let mut counts: Vec<(Names<'_>, usize)> = counts.into_iter().collect();
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let asked = counts.into_iter().map(|(names, _)| names);
        let single = schemes.keys().map(|name| vec![*name]);
        let ways = asked.chain(single).map(|names| way(&names, &schemes));
        // One of which nothing is known is none that a suite could go.
        ways.filter(|way| !way.schemes.is_empty()).collect()
    }

    /// Where refusals say why, by the first one that the document describes.
    fn refusal(&self, described: &[(Described, Vec<Names<'_>>)]) -> Option<&'static str> {
        let operations = described.iter().map(|(one, _)| self.raw(&one.operation).1);
        let mut found = operations.take(1_000).flat_map(|raw| self.refusals(raw));
        found.find_map(|schema| self.message_of(schema))
    }

    fn refusals(&self, raw: &'a Json) -> impl Iterator<Item = &'a Json> {
        let refused = ["401", "403", "404", "4XX", "400", "422", "default"];
        let responses: Vec<_> = self.map(raw, "responses").collect();
        let of = |status: &str| responses.iter().find(|(known, _)| *known == status);
        let found: Vec<&Json> = refused
            .into_iter()
            .filter_map(of)
            .map(|(_, one)| self.schema_of(one))
            .collect();
        found.into_iter()
    }

    fn message_of(&self, schema: &'a Json) -> Option<&'static str> {
        let fields = self.get(schema, "properties");
        let inner = self.get(self.get(fields, "error"), "properties");
        let has = |map: &Json, name: &str| map.get(name).is_some();
        match () {
            () if has(inner, "message") => Some("$.error.message"),
            () if has(fields, "message") => Some("$.message"),
            () if has(fields, "detail") => Some("$.detail"),
            () if has(fields, "error") => Some("$.error"),
            () => None,
        }
    }
}

/// The names of parameters that a call need not have.
fn optional(parameters: &[&Json], place: &str) -> Vec<String> {
    let is_optional =
        |one: &&&Json| is_in(one, place) && one.get("required") != Some(&Json::Bool(true));
    let found = parameters.iter().filter(is_optional);
    let found = found.take(super::raw::MAX_PARAMETERS);
    found
        .filter_map(|one| Some(literal_text(&short(text(one, "name")?)?)))
        .collect()
}

fn one_step<'a>(document: &'a Json, value: &'a Json) -> Option<&'a Json> {
    let reference = value.get("$ref")?.as_str()?.strip_prefix('#')?;
    let pointer: Cow<'_, str> = percent_encoding::percent_decode_str(reference).decode_utf8_lossy();
    document.pointer(&pointer)
}

fn text(value: &Json, key: &str) -> Option<String> {
    value.get(key)?.as_str().map(str::to_owned)
}

/// A longer name is none that anybody uses.
fn short(name: String) -> Option<String> {
    (name.len() <= 200).then_some(name)
}

fn is_in(parameter: &Json, place: &str) -> bool {
    parameter.get("in").and_then(Json::as_str) == Some(place)
}

fn is_json(media: &str) -> bool {
    let media = media
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    media == "application/json" || media.ends_with("+json") || media == "*/*"
}

fn is_form(media: &str) -> bool {
    media.starts_with("application/x-www-form-urlencoded")
        || media.starts_with("multipart/form-data")
}

fn plain_form(schema: &Json) -> Form {
    let says = |key: &str, value: &str| match schema.get(key) {
        Some(Json::Array(items)) => items.iter().any(|item| item == value),
        Some(other) => other == value,
        None => false,
    };
    match () {
        () if says("format", "uuid") => Form::Uuid,
        () if says("type", "integer") || says("type", "number") => Form::Number,
        () => Form::Text,
    }
}

/// A way in by the names of its schemes.
fn way(names: &[&str], schemes: &IndexMap<&str, Option<Scheme>>) -> Way {
    let mut way = Way::default();
    for name in names {
        match schemes.get(name).cloned().flatten() {
            Some(scheme) => way.schemes.push(scheme),
            None => way.others.push((*name).to_owned()),
        }
    }
    way
}

fn scheme_of(scheme: &Json) -> Option<Scheme> {
    let named = || text(scheme, "name").and_then(short);
    let is_sendable = |name: &String| is_token(name);
    let place = text(scheme, "in");
    match (text(scheme, "type")?.as_str(), place.as_deref()) {
        ("http", _) => match text(scheme, "scheme")?.to_ascii_lowercase().as_str() {
            "basic" => Some(Scheme::Basic),
            "digest" => Some(Scheme::Digest),
            _ => Some(Scheme::Bearer),
        },
        ("oauth2" | "openIdConnect", _) => Some(Scheme::Bearer),
        ("apiKey", Some("header")) if named()?.eq_ignore_ascii_case("authorization") => {
            Some(Scheme::Bearer)
        }
        ("apiKey", Some("header")) => Some(Scheme::Header(named().filter(is_sendable)?)),
        ("apiKey", Some("cookie")) => Some(Scheme::Cookie(named().filter(is_sendable)?)),
        ("apiKey", Some("query")) => Some(Scheme::Query(named()?)),
        _ => None,
    }
}
