//! What is known about a service before there is a suite.

use crate::operations;
use indexmap::IndexMap;
use serde_json::{Map, Value as Json, json};

use authz_pin_record::text::words;

use crate::openapi::{Api, Described, Form, Scheme, Way};

/// What is known about a service.
#[derive(Debug, Default)]
pub struct Source {
    /// What can be called.
    pub actions: Vec<Action>,
    /// How a caller says who it is.
    pub access: Access,
    /// Names of what a caller has to show as well and a draft does not know how.
    pub unknown: Vec<String>,
    /// A path that answers everybody with a success.
    pub ready: Option<String>,
    /// The path of the OpenAPI document.
    pub openapi: Option<String>,
    /// The JSON path of the message of a refusal.
    pub refusal: Option<String>,
    /// The operation that takes a name and a password, and gives a credential.
    pub login: Option<String>,
    /// Where the service is.
    pub base_url: Option<String>,
    /// Variables that stand for secrets of what was recorded.
    pub secrets: Vec<String>,
    /// Operations that a draft leaves out.
    pub impossible: Vec<String>,
}

/// How a caller says who it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Access {
    /// The token of an `Authorization: Bearer` header.
    #[default]
    Bearer,
    /// A name and a password.
    Basic,
    /// A name and a password for a challenge.
    Digest,
    /// A header of that name.
    Header(String),
    /// A cookie of that name.
    Cookie(String),
    /// A query parameter of that name.
    Query(String),
    /// All of these, in each request.
    Together {
        /// Those that are the same for all callers.
        common: Vec<Self>,
        /// Those that each caller has of its own.
        own: Vec<Self>,
    },
}

/// One operation.
#[derive(Debug, Clone)]
pub struct Action {
    /// The method, in capitals.
    pub method: String,
    /// The path with parameters in braces: `/teams/{team_id}`.
    pub path: String,
    /// The name that it has already.
    pub id: Option<String>,
    /// What it is for.
    pub summary: Option<String>,
    /// What the identifiers in the path look like, by parameter.
    pub forms: IndexMap<String, Form>,
    /// The query, as templates.
    pub query: Map<String, Json>,
    /// Parameters that the query could have as well.
    pub more_query: Vec<String>,
    /// The headers, as templates.
    pub headers: IndexMap<String, String>,
    /// What it sends.
    pub body: Option<Body>,
    /// The fields of a success, those of a wrapped one as `data.id`.
    pub answered: Vec<String>,
    /// The identifiers that stood in the path when it was recorded, by parameter: they stand in the body as well.
    pub recorded: IndexMap<String, String>,
}

/// A body.
#[derive(Debug, Clone)]
pub struct Body {
    /// The media type.
    pub media: String,
    /// The body as templates; none where only its media type is known.
    pub value: Option<Json>,
    /// Fields that it could have as well.
    pub more: Vec<String>,
}

impl Body {
    fn sent(&self) -> Option<(&'static str, Json)> {
        let value = self.value.as_ref()?;
        let media = self.media.split(';').next().unwrap_or_default().trim();
        match media.to_ascii_lowercase().as_str() {
            "*/*" => Some(("json", value.clone())),
            "application/x-www-form-urlencoded" => Some(("form", fields(value, &plain)?)),
            "multipart/form-data" => Some(("multipart", fields(value, &part)?)),
            media if media.ends_with("/json") || media.ends_with("+json") => {
                Some(("json", value.clone()))
            }
            media if is_media(media) => Some(("raw", json!({"type": media, "text": plain(value)}))),
            _ => None,
        }
    }
}

fn fields(value: &Json, of: &dyn Fn(&Json) -> Json) -> Option<Json> {
    let fields = value.as_object()?.iter();
    Some(
        fields
            .map(|(name, value)| (name.clone(), of(value)))
            .collect(),
    )
}

/// A value as the text that stands for it where there are only texts.
fn plain(value: &Json) -> Json {
    match value {
        Json::String(_) => value.clone(),
        Json::Object(file) if is_file(value) => file.get("text").cloned().unwrap_or_default(),
        other => other.to_string().into(),
    }
}

/// A field or a file. Of several files it is the first.
fn part(value: &Json) -> Json {
    let first = value.as_array().and_then(|items| items.first());
    match first.filter(|first| is_file(first)).unwrap_or(value) {
        file if is_file(file) => file.clone(),
        other => plain(other),
    }
}

/// Whether an example is that of a file.
fn is_file(value: &Json) -> bool {
    value
        .as_object()
        .is_some_and(|map| map.keys().eq(["file", "type", "text"]))
}

fn is_media(media: &str) -> bool {
    let is_part = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-+._".contains(&byte))
    };
    media
        .split_once('/')
        .is_some_and(|(one, other)| is_part(one) && is_part(other))
}

impl Action {
    /// An operation of which nothing else is known.
    #[must_use]
    pub fn new(method: &str, path: &str) -> Self {
        Self {
            method: method.to_owned(),
            path: path.to_owned(),
            id: None,
            summary: None,
            forms: IndexMap::new(),
            query: Map::new(),
            more_query: Vec::new(),
            headers: IndexMap::new(),
            body: None,
            answered: Vec::new(),
            recorded: IndexMap::new(),
        }
    }

    /// The method and the path.
    #[must_use]
    pub fn title(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// Whether its body can have a field.
    fn takes(&self, field: &str) -> bool {
        let Some(body) = &self.body else { return false };
        let has = |value: &Json| value.get(field).is_some();
        body.value.as_ref().is_some_and(has) || body.more.iter().any(|name| name == field)
    }

    /// The body as a suite writes it, by its key: `json`, `form`, `multipart` or `raw`.
    #[must_use]
    pub fn sent(&self) -> Option<(&'static str, Json)> {
        self.body.as_ref()?.sent()
    }
}

/// The methods that a draft has.
const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

impl From<Api> for Source {
    fn from(api: Api) -> Self {
        let is_possible = |known: &Described| METHODS.contains(&known.operation.method);
        let (possible, others): (Vec<_>, Vec<_>) =
            api.operations.into_iter().partition(is_possible);
        let title =
            |known: Described| format!("{} {}", known.operation.method, known.operation.path);
        let actions: Vec<Action> = possible.into_iter().map(Action::from).collect();
        let server = api.servers.into_iter().find(|url| url.starts_with("http"));
        Self {
            access: Access::of(&api.ways),
            unknown: api.ways.into_iter().next().unwrap_or_default().others,
            ready: ready(&actions),
            login: login(&actions),
            refusal: api.refusal.map(str::to_owned),
            base_url: server,
            impossible: others.into_iter().map(title).filter(is_pattern).collect(),
            actions,
            ..Self::default()
        }
    }
}

impl From<Described> for Action {
    fn from(known: Described) -> Self {
        let body = known.body.map(|(media, example)| Body {
            media,
            value: Some(example.value),
            more: example.more,
        });
        Self {
            id: known.operation.id.clone(),
            summary: known.summary,
            forms: known.forms,
            query: known.query,
            more_query: known.more_query,
            headers: known.headers,
            body,
            answered: known.answered,
            ..Self::new(known.operation.method, &known.operation.path)
        }
    }
}

impl Access {
    /// The first of the ways in, each of which can ask for several schemes together.
    fn of(ways: &[Way]) -> Self {
        let first = ways.first().map(|way| way.schemes.as_slice());
        match first.unwrap_or_default() {
            [] => Self::default(),
            [one] => one.into(),
            all => Self::together(all.iter().map(Self::from).collect()),
        }
    }
}

impl From<&Scheme> for Access {
    fn from(scheme: &Scheme) -> Self {
        match scheme {
            Scheme::Bearer => Self::Bearer,
            Scheme::Basic => Self::Basic,
            Scheme::Digest => Self::Digest,
            Scheme::Header(name) => Self::Header(name.clone()),
            Scheme::Cookie(name) => Self::Cookie(name.clone()),
            Scheme::Query(name) => Self::Query(name.clone()),
        }
    }
}

/// An odd path can make an operation that no exclusion can name.
fn is_pattern(operation: &String) -> bool {
    operations::is_pattern(operation) && operation.trim() == operation
}

/// What services call the path that says whether they are ready.
const READY: [&str; 11] = [
    "ready",
    "readyz",
    "readiness",
    "healthz",
    "health",
    "livez",
    "liveness",
    "liveliness",
    "live",
    "ping",
    "status",
];

fn ready(actions: &[Action]) -> Option<String> {
    let is_plain = |action: &&Action| action.method == "GET" && !action.path.contains('{');
    let ends = |word: &str| {
        let mut plain = actions.iter().filter(is_plain);
        plain.find(|action| action.path.rsplit('/').next() == Some(word))
    };
    READY
        .iter()
        .find_map(|word| ends(word))
        .map(|action| action.path.clone())
}

/// What services call the path at which one logs in.
const LOGIN: [&str; 8] = [
    "login",
    "signin",
    "logon",
    "session",
    "sessions",
    "authenticate",
    "auth",
    "token",
];

/// The first operation that takes a password at such a path.
fn login(actions: &[Action]) -> Option<String> {
    let is_called = |action: &&Action| {
        let last = action.path.trim_end_matches('/').rsplit('/').next();
        let words = last.map(words).unwrap_or_default();
        let joined = words.concat();
        LOGIN.contains(&joined.as_str()) || words.iter().any(|word| word == "login")
    };
    let mut posts = actions.iter().filter(|action| action.method == "POST");
    posts
        .find(|action| is_called(action) && action.takes("password"))
        .map(Action::title)
}

/// A service that does not exist, to learn from.
#[must_use]
pub fn example() -> Source {
    let create = Action {
        summary: Some("Create a note".to_owned()),
        body: Some(Body {
            media: "application/json".to_owned(),
            value: Some(json!({"title": "{{ cell.tag }}"})),
            more: Vec::new(),
        }),
        answered: vec!["note_id".to_owned()],
        ..Action::new("POST", "/notes")
    };
    let described = |method: &str, path: &str, summary: &str| Action {
        summary: Some(summary.to_owned()),
        ..Action::new(method, path)
    };
    Source {
        actions: vec![
            described("GET", "/notes", "List the notes that the caller may see"),
            create,
            described("GET", "/notes/{note_id}", "Read a note"),
            described("DELETE", "/notes/{note_id}", "Delete a note"),
        ],
        ready: Some("/health".to_owned()),
        refusal: Some("$.error.message".to_owned()),
        ..Source::default()
    }
}
