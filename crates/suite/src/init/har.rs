//! Recorded calls (HAR 1.2) as a list of actions.
//!
//! A recording holds credentials: in headers, cookies, bodies, queries and paths. No header and no cookie of it is
//! handed on, and what else is handed on is looked through for them: a value that is one of them, by its name, by how it
//! looks or by where else it stood, becomes a variable.

mod known;
mod raw;

use std::collections::BTreeSet;

use crate::secrets;
use crate::template::{literal, literal_text};
use aho_corasick::AhoCorasick;
use indexmap::IndexMap;
use serde_json::{Map, Value as Json, json};
use url::Url;

use authz_pin_record::text::is_uuid;
use known::known_secrets;
use raw::{Content, Entry, Har, Request};

use super::names::{identifier, singular, words};
use super::source::{Access, Action, Body, Source};
use crate::openapi::Form;

/// A longer recording is refused.
pub const MAX_BYTES: usize = 256 << 20;
/// How many shapes of calls a recording may have.
const MAX_ACTIONS: usize = 10_000;
/// How long a text of a body may be, and how deep and wide a body.
const MAX_TEXT: usize = 200;
const MAX_DEPTH: usize = 8;
const MAX_FIELDS: usize = 50;
/// A shorter secret is one only where it stands alone, and a very short one is none.
const PART: usize = 8;
const WHOLE: usize = 4;

/// A recording that is none.
#[derive(Debug, thiserror::Error)]
pub enum HarError {
    /// It is too long.
    #[error("the recording has more than {} MiB", MAX_BYTES >> 20)]
    TooLong,
    /// It is no HAR.
    #[error("the file is not a HAR file: {0}")]
    NotHar(String),
    /// It has no call of a service.
    #[error("the recording has no call of a service: {0} were left out")]
    Empty(usize),
}

/// What a recording has.
#[derive(Debug)]
pub struct Recording {
    /// What a suite can begin with.
    pub source: Source,
    /// How many calls were left out, since they are of other services, or of files.
    pub skipped: usize,
}

/// Reads a recording: one action for each shape of a call upon the service that most calls are of.
pub fn read(bytes: &[u8]) -> Result<Recording, HarError> {
    if bytes.len() > MAX_BYTES {
        return Err(HarError::TooLong);
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let har: Har =
        serde_json::from_slice(bytes).map_err(|error| HarError::NotHar(plain(&error)))?;
    let entries = har.log.entries;
    let calls: Vec<Call<'_>> = entries.iter().filter_map(Call::of).collect();
    let Some(origin) = most_common(
        calls
            .iter()
            .map(|call| call.url.origin().ascii_serialization()),
    ) else {
        return Err(HarError::Empty(entries.len()));
    };
    let is_own = |call: &&Call<'_>| call.url.origin().ascii_serialization() == origin;
    let own: Vec<&Call<'_>> = calls.iter().filter(is_own).collect();
    let mut reader = Reader::new(&entries);
    let actions = reader.actions(&own);
    let source = Source {
        access: access(&own),
        base_url: Some(origin),
        secrets: reader.variables.into_iter().collect(),
        actions,
        ..Source::default()
    };
    Ok(Recording {
        source,
        skipped: entries.len() - own.len(),
    })
}

/// An error without the value that it found: it could be a secret.
fn plain(error: &serde_json::Error) -> String {
    let what = match error.classify() {
        serde_json::error::Category::Data => "it has no `log` with `entries` of requests",
        serde_json::error::Category::Eof => "it ends too early",
        _ => "it is not JSON",
    };
    format!("{what}, line {} column {}", error.line(), error.column())
}

fn most_common(texts: impl Iterator<Item = String>) -> Option<String> {
    let mut counts = IndexMap::<String, usize>::new();
    for text in texts {
        *counts.entry(text).or_default() += 1;
    }
    // The first of equals.
    let most = counts.values().copied().max()?;
    counts
        .into_iter()
        .find(|(_, count)| *count == most)
        .map(|(text, _)| text)
}

/// A call that a suite can make.
struct Call<'a> {
    entry: &'a Entry,
    url: Url,
}

const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];
/// What a browser loads to show a page.
const FILES: [&str; 6] = [
    "stylesheet",
    "image",
    "script",
    "font",
    "media",
    "websocket",
];
const ENDINGS: [&str; 22] = [
    "js",
    "mjs",
    "css",
    "map",
    "png",
    "jpg",
    "jpeg",
    "gif",
    "svg",
    "ico",
    "webp",
    "avif",
    "woff",
    "woff2",
    "ttf",
    "otf",
    "eot",
    "mp3",
    "mp4",
    "webm",
    "wasm",
    "webmanifest",
];
const MEDIA: [&str; 9] = [
    "image/",
    "font/",
    "audio/",
    "video/",
    "text/css",
    "text/javascript",
    "application/javascript",
    "application/x-javascript",
    "application/wasm",
];

impl<'a> Call<'a> {
    fn of(entry: &'a Entry) -> Option<Self> {
        let url = Url::parse(&entry.request.url).ok()?;
        let call = Self { entry, url };
        let is_http = matches!(call.url.scheme(), "http" | "https");
        let is_call = METHODS.contains(&call.method().as_str());
        (is_http && is_call && !call.is_file()).then_some(call)
    }

    fn method(&self) -> String {
        self.entry.request.method.to_ascii_uppercase()
    }

    fn is_file(&self) -> bool {
        let last = self.url.path().rsplit('/').next().unwrap_or_default();
        let ending = last
            .rsplit_once('.')
            .map(|(_, ending)| ending.to_ascii_lowercase());
        let media = self.entry.response.content.media();
        FILES.contains(&self.entry.resource.as_str())
            || ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str()))
            || MEDIA.iter().any(|start| media.starts_with(start))
    }

    fn is_success(&self) -> bool {
        (200..300).contains(&self.entry.response.status)
    }

    fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        let headers = self.entry.request.headers.iter();
        headers.map(|pair| (pair.name.as_str(), pair.value.as_str()))
    }
}

/// How most callers say who they are.
fn access(calls: &[&Call<'_>]) -> Access {
    let headers = || calls.iter().flat_map(|call| call.headers());
    let authorization = || headers().filter(|(name, _)| name.eq_ignore_ascii_case("authorization"));
    let begins = |start: &str| {
        authorization().any(|(_, value)| value.to_ascii_lowercase().starts_with(start))
    };
    if begins("bearer ") {
        return Access::Bearer;
    }
    if begins("basic ") {
        return Access::Basic;
    }
    if begins("digest ") {
        return Access::Digest;
    }
    if authorization().next().is_some() {
        return Access::Header("Authorization".to_owned());
    }
    let is_key = |name: &str| {
        let words = words(name);
        let has = |one: &str| words.iter().any(|word| word == one);
        is_token(name)
            && (has("key") || has("token") || has("apikey"))
            && !has("csrf")
            && !has("xsrf")
    };
    if let Some((name, _)) = headers().find(|(name, _)| is_key(name)) {
        return Access::Header(name.to_owned());
    }
    session(calls).map_or(Access::Bearer, Access::Cookie)
}

fn is_token(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

/// The name of the cookie that is most likely the credential.
fn session(calls: &[&Call<'_>]) -> Option<String> {
    let cookies: Vec<(String, String)> = calls
        .iter()
        .flat_map(|call| cookies(&call.entry.request))
        .collect();
    let names = || {
        cookies
            .iter()
            .map(|(name, _)| name)
            .filter(|name| is_token(name))
    };
    let is_csrf = |name: &str| name.to_ascii_lowercase().contains("csrf");
    let likely = names().find(|name| secrets::is_named(name) && !is_csrf(name));
    likely.or_else(|| names().next()).cloned()
}

fn cookies(request: &Request) -> Vec<(String, String)> {
    let listed = request
        .cookies
        .iter()
        .map(|pair| (pair.name.clone(), pair.value.clone()));
    let headers = request
        .headers
        .iter()
        .filter(|pair| pair.name.eq_ignore_ascii_case("cookie"));
    let parts = headers.flat_map(|pair| pair.value.split(';'));
    let parsed = parts.filter_map(|part| part.trim().split_once('='));
    listed
        .chain(parsed.map(|(name, value)| (name.to_owned(), value.to_owned())))
        .collect()
}

/// Reads calls, and keeps what is secret out of what it reads.
struct Reader {
    whole: BTreeSet<String>,
    parts: Option<AhoCorasick>,
    variables: BTreeSet<String>,
}

impl Reader {
    fn new(entries: &[Entry]) -> Self {
        let mut whole = BTreeSet::new();
        for entry in entries {
            known_secrets(entry, &mut whole);
        }
        let decoded: Vec<String> = whole.iter().map(|text| decode(text)).collect();
        whole.extend(decoded);
        whole.retain(|text| text.len() >= WHOLE);
        let long = whole.iter().filter(|text| text.len() >= PART);
        Self {
            parts: AhoCorasick::new(long).ok(),
            whole,
            variables: BTreeSet::new(),
        }
    }

    fn actions(&mut self, calls: &[&Call<'_>]) -> Vec<Action> {
        let mut shapes = IndexMap::<String, (bool, Action)>::new();
        for call in calls {
            let mut action = self.shape(call);
            let key = action.title();
            let known = shapes.get(&key).map(|(is_success, _)| *is_success);
            let is_better = known.is_none_or(|known| !known && call.is_success());
            if is_better && (known.is_some() || shapes.len() < MAX_ACTIONS) {
                self.fill(call, &mut action);
                shapes.insert(key, (call.is_success(), action));
            }
        }
        shapes.into_values().map(|(_, action)| action).collect()
    }

    /// The action without what it sends.
    fn shape(&self, call: &Call<'_>) -> Action {
        let mut action = Action::new(&call.method(), "");
        let mut before = String::new();
        for segment in call.url.path().split('/').skip(1) {
            let segment = decode(segment.split(';').next().unwrap_or_default());
            action.path.push('/');
            match self.form(&before, &segment) {
                Some(form) => {
                    let name = parameter(&before, &action);
                    action.path.extend(["{", &name, "}"]);
                    action.forms.insert(name.clone(), form);
                    action.recorded.insert(name, segment);
                }
                // Braces are those of parameters.
                None => action.path.push_str(&segment.replace(['{', '}'], "")),
            }
            let last = action.path.rsplit('/').next();
            last.unwrap_or_default().clone_into(&mut before);
        }
        // What stood in the path as a secret must not stand in a body either.
        action.recorded.retain(|_, value| !self.is_secret(value));
        action
    }

    /// What an identifier in a path looks like; none for a word of the path itself.
    fn form(&self, before: &str, segment: &str) -> Option<Form> {
        let is_digit = |c: char| c.is_ascii_digit();
        let has = |is: fn(&char) -> bool| segment.chars().any(|c| is(&c));
        let mixed = has(char::is_ascii_digit) && has(char::is_ascii_alphabetic);
        let is_hex = segment.len() >= 16 && segment.chars().all(|c| c.is_ascii_hexdigit());
        let is_long = segment.len() >= 16 && (mixed || segment.contains(['=', '%', '@']));
        let is_odd = segment.len() > 64 || segment.chars().any(char::is_control);
        let follows_secret = secrets::is_named(before) && segment.len() >= 6 && mixed;
        match () {
            () if segment.is_empty() => None,
            () if segment.chars().all(is_digit) => Some(Form::Number),
            () if is_uuid(segment) => Some(Form::Uuid),
            () if is_hex || is_long || is_odd || follows_secret => Some(Form::Text),
            () if self.is_secret(segment) && segment.len() >= PART => Some(Form::Text),
            () => None,
        }
    }

    /// What the call sends, and what it brought.
    fn fill(&mut self, call: &Call<'_>, action: &mut Action) {
        let pairs: Vec<(String, String)> = call.url.query_pairs().into_owned().collect();
        for (name, value) in pairs.iter().take(MAX_FIELDS) {
            if let Some((name, value)) = self.field(name, &json!(value), 1) {
                action.query.insert(name, value);
            }
        }
        action.body = self.body(&call.entry.request.body);
        let answer = call
            .entry
            .response
            .content
            .json()
            .filter(|_| call.is_success());
        action.answered = answer.as_ref().map(fields).unwrap_or_default();
    }

    fn body(&mut self, content: &Content) -> Option<Body> {
        let media = content.media();
        if media.is_empty() || (content.text.is_empty() && content.params.is_empty()) {
            return None;
        }
        let value = match content.json() {
            Some(json) => Some(self.value("", &json, MAX_DEPTH)),
            None if media.ends_with("/x-www-form-urlencoded") => Some(self.form_of(content)),
            None if media == "multipart/form-data" => self.parts_of(content),
            None => None,
        };
        Some(Body {
            media,
            value,
            more: Vec::new(),
        })
    }

    fn form_of(&mut self, content: &Content) -> Json {
        let listed: Vec<(String, String)> = content
            .params
            .iter()
            .map(|pair| (decode(&pair.name), decode(&pair.value)))
            .collect();
        let pairs = if listed.is_empty() {
            url::form_urlencoded::parse(content.text.as_bytes())
                .into_owned()
                .collect()
        } else {
            listed
        };
        let fields = pairs.iter().take(MAX_FIELDS);
        fields
            .filter_map(|(name, value)| self.field(name, &json!(value), 1))
            .collect()
    }

    /// Fields as they were, and files by their names alone.
    fn parts_of(&mut self, content: &Content) -> Option<Json> {
        let mut parts = Map::new();
        for pair in content.params.iter().take(MAX_FIELDS) {
            if pair.file.is_empty() {
                parts.extend(self.field(&pair.name, &json!(pair.value), 1));
            } else if self.is_name(&pair.name) {
                let file =
                    json!({"file": "file.txt", "type": "text/plain", "text": "{{ cell.tag }}"});
                parts.insert(literal_text(&pair.name), file);
            }
        }
        (!parts.is_empty()).then_some(Json::Object(parts))
    }

    /// A name and its value as templates; none where the name itself could be a secret.
    fn field(&mut self, name: &str, value: &Json, depth: usize) -> Option<(String, Json)> {
        self.is_name(name)
            .then(|| (literal_text(name), self.value(name, value, depth)))
    }

    fn is_name(&self, name: &str) -> bool {
        name.len() <= MAX_TEXT && !secrets::is_value(name) && !self.holds_secret(name)
    }

    fn value(&mut self, name: &str, value: &Json, depth: usize) -> Json {
        if secrets::is_secret(name, value) {
            return self.variable(name).into();
        }
        match value {
            Json::String(text) if self.is_secret(text) => self.variable(name).into(),
            Json::String(text) if text.len() > MAX_TEXT => "{{ cell.tag }}".into(),
            // Credentials of every field are alike: a list below a name has that name.
            Json::Array(items) if depth > 0 => {
                let items = items.iter().take(1);
                items
                    .map(|item| self.value(name, item, depth - 1))
                    .collect()
            }
            Json::Object(map) if depth > 0 => self.object(name, map, depth - 1),
            Json::Array(_) | Json::Object(_) => Json::Null,
            other => literal(other),
        }
    }

    /// What is below the name of a secret has the name's meaning, whatever its own name is.
    fn object(&mut self, name: &str, map: &Map<String, Json>, depth: usize) -> Json {
        let is_below = secrets::is_named(name);
        let fields = map.iter().take(MAX_FIELDS);
        let field = |(own, value): (&String, &Json)| {
            let name = if is_below && !secrets::is_named(own) {
                name
            } else {
                own
            };
            let (_, value) = self.field(name, value, depth)?;
            self.is_name(own).then(|| (literal_text(own), value))
        };
        fields.filter_map(field).collect()
    }

    fn variable(&mut self, name: &str) -> String {
        let name = identifier(name).filter(|name| !self.holds_secret(name));
        let name = format!("recorded_{}", name.unwrap_or_else(|| "secret".to_owned()));
        let template = format!("{{{{ vars.{name} }}}}");
        self.variables.insert(name);
        template
    }

    fn is_secret(&self, text: &str) -> bool {
        self.whole.contains(text) || secrets::is_value(text) || self.holds_secret(text)
    }

    fn holds_secret(&self, text: &str) -> bool {
        self.parts
            .as_ref()
            .is_some_and(|parts| parts.is_match(text))
    }
}

fn decode(text: &str) -> String {
    percent_encoding::percent_decode_str(text)
        .decode_utf8_lossy()
        .into_owned()
}

/// A name for an identifier after a word of the path.
fn parameter(before: &str, action: &Action) -> String {
    let word = words(before).last().map(|word| singular(word));
    let name = word
        .filter(|_| !before.contains('{'))
        .map_or_else(|| "id".to_owned(), |word| format!("{word}_id"));
    let numbered = (2..).map(|n: u32| format!("{name}_{n}"));
    let mut names = std::iter::once(name.clone()).chain(numbered);
    names
        .find(|name| !action.forms.contains_key(name))
        .unwrap_or(name)
}

/// The fields of an answer, those of a wrapped one as `data.id`.
fn fields(answer: &Json) -> Vec<String> {
    let mut names = Vec::new();
    for (name, value) in answer.as_object().into_iter().flatten().take(MAX_FIELDS) {
        names.push(name.clone());
        let inner = value.as_object().into_iter().flatten().take(MAX_FIELDS);
        names.extend(inner.map(|(field, _)| format!("{name}.{field}")));
    }
    names
}
