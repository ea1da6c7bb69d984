//! What of a suite's files is about HTTP: requests, credentials, steps, and where in an answer a value is.

use std::collections::BTreeSet;
use std::sync::Arc;

use authz_pin_record::text::leaves;
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::Value as Json;

use super::compiled::{Css, JsonPath, Regex};
use super::credentials::TOKEN;
use super::credentials::{AwsSpec, CertificateSpec, CommandSpec, Oauth2Spec};
use super::method::Method;
use super::verdicts::OneOrMore;
use crate::place::Parts;

/// A request as templates.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestSpec {
    /// The method.
    pub method: Method,
    /// Which of `service.urls` it is sent to; without it to the service itself.
    pub url: Option<String>,
    /// The path.
    pub path: String,
    /// The query: a mapping, or one expression that gives one.
    #[serde(default)]
    pub query: Json,
    /// Headers besides the credential's; a list is sent as several headers, null as none.
    #[serde(default)]
    pub headers: IndexMap<String, Option<Texts>>,
    /// The JSON body.
    pub json: Option<Json>,
    /// The body as a browser sends a form: a mapping, or one expression that gives one.
    pub form: Option<Json>,
    /// The body in parts, by their names: fields as texts, files with their content.
    pub multipart: Option<IndexMap<String, PartContent>>,
    /// Any other body.
    pub raw: Option<RawSpec>,
    /// Where it stands.
    #[serde(skip)]
    pub place: Parts,
    /// What it carries as each request of the suite does.
    #[serde(skip)]
    pub of_all: Arc<OfAll>,
}

/// What a part of a body holds: the text of a field, or a file.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum PartContent {
    /// The text of a field.
    Text(String),
    /// A file.
    File(FileSpec),
}

/// A file in a body, by its text or its bytes.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileSpec {
    /// The file's name.
    pub file: Option<String>,
    /// The media type.
    #[serde(rename = "type")]
    pub media_type: Option<String>,
    /// The content.
    pub text: Option<String>,
    /// The content in Base64.
    pub base64: Option<String>,
}

/// A body as it is, by its text or its bytes.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawSpec {
    /// The media type.
    #[serde(rename = "type", default = "octets")]
    pub media_type: String,
    /// The content.
    pub text: Option<String>,
    /// The content in Base64.
    pub base64: Option<String>,
}

fn octets() -> String {
    "application/octet-stream".to_owned()
}

/// The values of one header: one, or several of which each is sent as a header of its own.
pub type Texts = OneOrMore<String>;

/// What each request of a suite carries.
#[derive(Debug, Default)]
pub struct OfAll {
    /// Headers, by their names.
    pub headers: IndexMap<String, Option<Texts>>,
    /// Where they stand in the files.
    pub place: Parts,
}

impl RequestSpec {
    /// Every template of the request.
    pub fn texts(&self, texts: &mut impl FnMut(&str)) {
        texts(&self.path);
        leaves(&self.query, texts);
        let headers = self.headers.values().flatten();
        headers.flat_map(Texts::all).for_each(|value| texts(value));
        self.json.iter().for_each(|json| leaves(json, texts));
        self.form.iter().for_each(|form| leaves(form, texts));
        for part in self.multipart.iter().flat_map(IndexMap::values) {
            match part {
                PartContent::Text(text) => texts(text),
                PartContent::File(file) => {
                    let own = [&file.file, &file.text, &file.base64];
                    own.into_iter().flatten().for_each(|text| texts(text));
                }
            }
        }
        let raw = self.raw.iter().flat_map(|raw| [&raw.text, &raw.base64]);
        raw.flatten().for_each(|text| texts(text));
    }
}

/// How to walk a paged answer to its end: exactly one of `total`, `next`, `items` and `link` says how.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PagesSpec {
    /// The query parameter that takes the page's number, the token of the next page, or how many items are before it.
    pub query: Option<String>,
    /// The JSON path of the number of pages, which are counted from 1.
    pub total: Option<JsonPath>,
    /// Where an answer has the token of the next page; one that has none is the last.
    pub next: Option<Source>,
    /// The JSON path of the list of items, as many as are skipped for the next page; a page without any is the last.
    pub items: Option<JsonPath>,
    /// The relation of the link to the next page in the header `Link` (RFC 8288): `next`.
    pub link: Option<String>,
}

/// One step of a setup or a teardown: a request, or a program.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepSpec {
    /// The step is done only if this renders to something true.
    pub when: Option<String>,
    /// The request.
    pub request: Option<RequestSpec>,
    /// A program in place of a request, in a setup; its output is what an answer's body would be.
    pub command: Option<CommandSpec>,
    /// The credential that it carries.
    pub auth: Option<Credential>,
    /// The symbols that the answer holds, by where it has their value.
    #[serde(default)]
    pub capture: IndexMap<String, Source>,
    /// The statuses that are no failure; without them every success, in a teardown also 404 and 410.
    #[serde(default)]
    pub expect: Vec<u16>,
    /// Sends the request again until the answer is as it should be.
    pub poll: Option<PollSpec>,
}

/// How long to ask a service that works in the background.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PollSpec {
    /// What must be true, with `answer.status`, `answer.body` and `answer.text`.
    pub until: String,
    /// The pause between two requests, in milliseconds.
    #[serde(default = "every")]
    pub every_ms: u64,
    /// How long to ask in all, in seconds.
    #[serde(default = "patience")]
    pub timeout_s: u64,
}

fn every() -> u64 {
    500
}

fn patience() -> u64 {
    60
}

/// How a service is made to read its database again: by a request, or by a command.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResetSpec {
    /// A request, of which the service has done what it asks for when it answers.
    pub request: Option<RequestSpec>,
    /// The credential that the request carries; of actors only one that is given from outside.
    pub auth: Option<Credential>,
    /// The statuses that are no failure of the request; without them every success.
    #[serde(default)]
    pub expect: Vec<u16>,
    /// A line for the shell, run in the suite's folder.
    pub command: Option<String>,
}

/// Where an answer has a value: a JSON path, or a part that is named.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(untagged)]
pub enum Source {
    /// The JSON path of the value in the body.
    Path(JsonPath),
    /// Another part of the answer.
    Part(PartSpec),
}

// A derived one would not say what is wrong with a JSON path.
impl<'de> Deserialize<'de> for Source {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Json::deserialize(deserializer)? {
            Json::String(path) => JsonPath::try_from(path)
                .map(Self::Path)
                .map_err(D::Error::custom),
            part => PartSpec::deserialize(part)
                .map(Self::Part)
                .map_err(D::Error::custom),
        }
    }
}

/// One part of an answer, and what of it is the value.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PartSpec {
    /// The JSON path of the value in the body.
    pub json: Option<JsonPath>,
    /// The header whose value it is.
    pub header: Option<String>,
    /// The cookie that the answer sets.
    pub cookie: Option<String>,
    /// A CSS selector: the value is the text of the first element of a page (HTML) that it finds.
    pub css: Option<Css>,
    /// The attribute of the element that is the value in place of its text; an element without it is passed over.
    pub attribute: Option<String>,
    /// All of the body as a text, which is also meant where `match` stands alone.
    pub body: Option<WholeBody>,
    /// A regular expression: the value is what its first group matches, or all that it matches.
    #[serde(rename = "match")]
    pub pattern: Option<Regex>,
}

/// A body as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum WholeBody {
    /// Its text. JSON is written without blanks, and tried with one behind each comma and colon as well.
    Text,
}

/// A credential on the wire.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Credential {
    /// The token of an `Authorization: Bearer` header.
    pub bearer: Option<String>,
    /// The name and the password of an `Authorization: Basic` header.
    pub basic: Option<Basic>,
    /// The cookies of a `Cookie` header.
    #[serde(default)]
    pub cookies: IndexMap<String, String>,
    /// Other headers.
    #[serde(default)]
    pub headers: IndexMap<String, String>,
    /// An actor whose credential it is, for all but the actors' own.
    pub actor: Option<String>,
    /// A request whose answer gives what the other keys then use as `{{ login.NAME }}`; for actors.
    pub login: Option<Box<LoginSpec>>,
    /// A token that is signed here, which the other keys then use as `{{ jwt }}`.
    pub jwt: Option<JwtSpec>,
    /// Parameters of the query, which are secret.
    #[serde(default)]
    pub query: IndexMap<String, String>,
    /// The name and the password for a challenge to an `Authorization: Digest` header (RFC 7616).
    pub digest: Option<Basic>,
    /// Keys by which requests are signed (AWS Signature Version 4).
    pub aws: Option<AwsSpec>,
    /// The certificate that the actor itself presents.
    pub certificate: Option<CertificateSpec>,
    /// A token of an OAuth 2.0 server, which is a login; for actors.
    pub oauth2: Option<Box<Oauth2Spec>>,
    /// A program whose output gives what the other keys then use as `{{ command.NAME }}`; for actors.
    pub command: Option<CommandSpec>,
    /// Where it stands.
    #[serde(skip)]
    pub place: Parts,
}

/// A request that logs an actor in, once for the run and again before what it gave expires.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LoginSpec {
    /// The request.
    pub request: RequestSpec,
    /// The credential that it carries itself.
    pub auth: Option<Credential>,
    /// The statuses that are no failure; without them every success.
    #[serde(default)]
    pub expect: Vec<u16>,
    /// What the answer gives, by where it has it. All of it is secret.
    pub capture: IndexMap<String, Source>,
    /// What it may give besides.
    #[serde(skip)]
    pub optional: IndexMap<String, Source>,
    /// For how long: seconds, or where the answer has their number.
    pub expires_in: Option<Expiry>,
}

/// For how long what a login gave can be used.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(untagged)]
pub enum Expiry {
    /// That many seconds.
    Seconds(u64),
    /// Where the answer has the number of seconds.
    At(Source),
    /// The same where an answer need not have it.
    #[schemars(skip)]
    Perhaps(Source),
}

impl<'de> Deserialize<'de> for Expiry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Json::deserialize(deserializer)? {
            seconds @ Json::Number(_) => u64::deserialize(seconds)
                .map(Self::Seconds)
                .map_err(D::Error::custom),
            source => Source::deserialize(source)
                .map(Self::At)
                .map_err(D::Error::custom),
        }
    }
}

/// A JSON Web Token (RFC 7519).
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JwtSpec {
    /// How it is signed.
    pub algorithm: Algorithm,
    /// The secret, or the private key as PEM.
    pub key: String,
    /// The claims. `iat` and `exp` are added, unless they are here; one that is null is left out.
    #[serde(default)]
    pub claims: IndexMap<String, Json>,
    /// Members of the header besides `alg` and `typ`, such as `kid`.
    #[serde(default)]
    pub header: IndexMap<String, Json>,
    /// For how long it can be used, in seconds.
    #[serde(default = "lifetime")]
    pub lifetime_s: u64,
}

fn lifetime() -> u64 {
    3600
}

/// How a token is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Algorithm {
    /// HMAC with SHA-256 and a secret.
    Hs256,
    /// RSA (PKCS #1 v1.5) with SHA-256.
    Rs256,
    /// ECDSA on P-256 with SHA-256.
    Es256,
}

/// A name and a password.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Basic {
    /// The name.
    pub username: String,
    /// The password.
    pub password: String,
    /// Whether both are encoded as in a form first, as OAuth 2.0 has it.
    #[serde(skip)]
    pub form_encoded: bool,
}

impl Credential {
    /// Whether something is made for it: by a login, or signed.
    #[must_use]
    pub fn is_issued(&self) -> bool {
        self.login.is_some() || self.jwt.is_some() || self.command.is_some()
    }

    /// Whether it says nothing of how it is on the wire.
    #[must_use]
    pub fn is_bare(&self) -> bool {
        let own = self.bearer.is_none() && self.basic.is_none();
        let signed = self.digest.is_some() || self.aws.is_some();
        let maps = [&self.cookies, &self.headers, &self.query];
        own && !signed && maps.iter().all(|map| map.is_empty())
    }

    /// What of a program's output is used: what templates name, or else a token.
    pub fn of_command(&self) -> impl Iterator<Item = String> {
        let mut names = BTreeSet::new();
        self.texts(&mut |text| {
            let uses = text.split("command.").skip(1);
            names.extend(uses.map(|rest| {
                let is_end = |c: char| !c.is_alphanumeric() && c != '_';
                rest.split(is_end).next().unwrap_or_default().to_owned()
            }));
        });
        if self.is_bare() {
            names.insert(TOKEN.to_owned());
        }
        names.into_iter()
    }

    /// Every template of the credential but those of a login.
    pub fn texts(&self, texts: &mut impl FnMut(&str)) {
        if let Some(jwt) = &self.jwt {
            texts(&jwt.key);
            let members = jwt.claims.values().chain(jwt.header.values());
            members.for_each(|json| leaves(json, texts));
        }
        self.bearer.iter().for_each(|bearer| texts(bearer));
        for basic in self.basic.iter().chain(&self.digest) {
            texts(&basic.username);
            texts(&basic.password);
        }
        for map in [&self.cookies, &self.headers, &self.query] {
            map.values().for_each(|value| texts(value));
        }
        self.aws.iter().for_each(|aws| aws.texts(texts));
        if let Some(own) = &self.certificate {
            texts(&own.certificate);
            texts(&own.key);
        }
        let environment = self
            .command
            .iter()
            .flat_map(|command| command.environment.values());
        environment.for_each(|value| texts(value));
    }
}

impl std::fmt::Display for Source {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let part = match self {
            Self::Path(path) => return write!(out, "`{path}`"),
            Self::Part(part) => part,
        };
        match (&part.json, &part.header, &part.cookie, &part.css) {
            (Some(path), ..) => write!(out, "`{path}`")?,
            (_, Some(header), ..) => write!(out, "the header `{header}`")?,
            (_, _, Some(cookie), _) => write!(out, "the cookie `{cookie}`")?,
            (.., Some(css)) => match &part.attribute {
                Some(name) => write!(out, "the attribute `{name}` of an element `{css}`")?,
                None => write!(out, "an element `{css}`")?,
            },
            (None, None, None, None) => out.write_str("the body")?,
        }
        match &part.pattern {
            Some(pattern) => write!(out, " that `{pattern}` matches"),
            None => Ok(()),
        }
    }
}
