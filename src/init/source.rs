//! What is known about a service before there is a suite.

use indexmap::IndexMap;
use serde_json::{Map, Value as Json, json};

use crate::coverage;
use crate::openapi::{Api, Described, Form, Scheme};

/// What is known about a service.
#[derive(Debug, Default)]
pub struct Source {
    /// What can be called.
    pub actions: Vec<Action>,
    /// How a caller says who it is.
    pub access: Access,
    /// A path that answers everybody with a success.
    pub ready: Option<String>,
    /// The path of the OpenAPI document.
    pub openapi: Option<String>,
    /// The JSON path of the message of a refusal.
    pub refusal: Option<String>,
    /// Where the service is.
    pub base_url: Option<String>,
    /// Variables that stand for secrets of what was recorded.
    pub secrets: Vec<String>,
    /// Operations that no suite can call.
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
    /// A header of that name.
    Header(String),
    /// A cookie of that name.
    Cookie(String),
    /// Something that is no header, in these words.
    Other(String),
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

    /// The JSON body.
    #[must_use]
    pub fn json(&self) -> Option<&Json> {
        let is_json = |body: &&Body| body.media.ends_with("json") || body.media == "*/*";
        self.body.as_ref().filter(is_json)?.value.as_ref()
    }
}

/// The methods that a suite can call.
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
            access: Access::of(&api.schemes),
            ready: ready(&actions),
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
            headers: known.headers,
            body,
            answered: known.answered,
            ..Self::new(known.operation.method, &known.operation.path)
        }
    }
}

impl Access {
    /// The first scheme that a suite can use.
    fn of(schemes: &[Scheme]) -> Self {
        let usable = |scheme: &Scheme| match scheme {
            Scheme::Bearer => Some(Self::Bearer),
            Scheme::Basic => Some(Self::Basic),
            Scheme::Header(name) => Some(Self::Header(name.clone())),
            Scheme::Cookie(name) => Some(Self::Cookie(name.clone())),
            Scheme::Query(_) => None,
        };
        let unusable = |scheme: &Scheme| match scheme {
            Scheme::Query(name) => Some(Self::Other(format!("the query parameter {name}"))),
            _ => None,
        };
        let found = schemes.iter().find_map(usable);
        found
            .or_else(|| schemes.iter().find_map(unusable))
            .unwrap_or_default()
    }
}

/// An odd path can make an operation that no exclusion can name.
fn is_pattern(operation: &String) -> bool {
    coverage::is_pattern(operation) && operation.trim() == operation
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
