//! What of the files is about credentials that are more than a text.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de};
use serde_json::{Map, Value as Json};

use super::compiled::JsonPath;
use super::exchange::{Basic, Credential, Expiry, LoginSpec, RequestSpec, Source};
use super::method::Method;
use super::model::WorldFile;
use crate::place::Parts;

/// What a program gives that prints one line, and what is sent where nothing else is said.
pub const TOKEN: &str = "token";

/// The names that the headers of a credential can use besides, with what they have.
#[must_use]
pub fn signed_names() -> BTreeMap<&'static str, Vec<&'static str>> {
    let request = [
        "method",
        "path",
        "query",
        "target",
        "host",
        "type",
        "body",
        "body_sha256",
    ];
    let now = ["iso", "basic", "http", "unix", "unix_ms"];
    BTreeMap::from([("request", request.to_vec()), ("now", now.to_vec())])
}

/// AWS Signature Version 4.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AwsSpec {
    /// The access key's identifier.
    pub access_key: String,
    /// The secret access key.
    pub secret_key: String,
    /// The token of a session, where the keys are temporary.
    pub session_token: Option<String>,
    /// The region that is signed for.
    pub region: String,
    /// The service that is signed for, such as `execute-api` or `s3`.
    pub service: String,
}

impl AwsSpec {
    pub(super) fn texts(&self, texts: &mut impl FnMut(&str)) {
        let own = [
            &self.access_key,
            &self.secret_key,
            &self.region,
            &self.service,
        ];
        let token = self.session_token.iter();
        own.into_iter().chain(token).for_each(|text| texts(text));
    }
}

/// A certificate that is presented as connections are made. Files are given relative to the suite's folder; a text that is
/// PEM itself is taken as it is.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CertificateSpec {
    /// The certificate, with those that lead to its authority.
    pub certificate: String,
    /// Its private key.
    pub key: String,
}

/// A program whose output gives a credential or values: a line for the shell, run in the suite's folder.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(with = "CommandForm")]
pub struct CommandSpec {
    /// The line for the shell.
    pub line: String,
    /// Variables of its environment, as templates.
    pub environment: IndexMap<String, String>,
    /// How long it may take.
    pub timeout: Duration,
    /// The file and the line in which it stands.
    pub place: String,
}

/// How a program is written in a file.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "it is only there for the schema")]
enum CommandForm {
    /// A line for the shell.
    Line(String),
    /// The same with more about it.
    Full(ProgramSpec),
}

/// A line for the shell, and how it is run.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ProgramSpec {
    /// The line.
    line: String,
    /// Variables of its environment, as templates.
    #[serde(default)]
    environment: IndexMap<String, String>,
    /// How long it may take, in seconds.
    #[serde(default = "patience")]
    timeout_s: u64,
}

fn patience() -> u64 {
    60
}

// A derived one would not say what is wrong with a mapping.
impl<'de> Deserialize<'de> for CommandSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spec = match Json::deserialize(deserializer)? {
            Json::String(line) => ProgramSpec {
                line,
                environment: IndexMap::new(),
                timeout_s: patience(),
            },
            full => ProgramSpec::deserialize(full).map_err(de::Error::custom)?,
        };
        Ok(Self {
            line: spec.line,
            environment: spec.environment,
            timeout: Duration::from_secs(spec.timeout_s),
            place: String::new(),
        })
    }
}

impl WorldFile {
    /// Makes what stands for something else be that.
    pub(super) fn expand(&mut self) {
        let actors = self.actors.values_mut();
        actors
            .filter_map(|actor| actor.auth.as_mut())
            .for_each(Credential::expand);
    }
}

/// A token of an OAuth 2.0 authorization server (RFC 6749).
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Oauth2Spec {
    /// Where tokens are given: a path of the service, or a URL.
    pub token_url: String,
    /// What is presented for one.
    #[serde(default)]
    pub grant: Grant,
    /// The client's identifier.
    pub client_id: String,
    /// Its secret; a public client has none.
    pub client_secret: Option<String>,
    /// How the client says who it is.
    #[serde(default)]
    pub client_auth: ClientAuth,
    /// The user's name, for `password`.
    pub username: Option<String>,
    /// The user's password, for `password`.
    pub password: Option<String>,
    /// The token to begin with, for `refresh_token`.
    pub refresh_token: Option<String>,
    /// What the token is to be good for.
    pub scope: Option<String>,
    /// Further parameters of the request, such as `audience`.
    #[serde(default)]
    pub parameters: IndexMap<String, String>,
}

/// What is presented for a token.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Grant {
    /// The client's own identifier and secret.
    #[default]
    ClientCredentials,
    /// A user's name and password.
    Password,
    /// A token that was given before.
    RefreshToken,
}

impl Grant {
    fn as_str(self) -> &'static str {
        match self {
            Self::ClientCredentials => "client_credentials",
            Self::Password => "password",
            Self::RefreshToken => "refresh_token",
        }
    }
}

/// How a client says who it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuth {
    /// In the header `Authorization`, as every server takes it.
    #[default]
    Basic,
    /// In the body.
    Body,
}

impl Oauth2Spec {
    /// The request that gives a token, as a login.
    fn login(&self) -> LoginSpec {
        let (url, path) = if self.token_url.starts_with('/') {
            (None, self.token_url.clone())
        } else {
            (Some(self.token_url.clone()), String::new())
        };
        let request = RequestSpec {
            method: Method::Post,
            url,
            path,
            query: Json::Null,
            headers: IndexMap::new(),
            json: None,
            form: Some(Json::Object(self.form())),
            multipart: None,
            raw: None,
            of_all: Arc::default(),
            place: Parts::default(),
        };
        LoginSpec {
            request,
            auth: self.auth(),
            expect: Vec::new(),
            capture: captured(&["access_token"]),
            optional: captured(&["refresh_token"]),
            expires_in: JsonPath::try_from("$.expires_in".to_owned())
                .ok()
                .map(|path| Expiry::Perhaps(Source::Path(path))),
        }
    }

    /// The client's name and secret, where they are in a header.
    fn auth(&self) -> Option<Credential> {
        let secret = self.client_secret.as_ref().filter(|_| !self.is_in_body())?;
        let basic = Basic {
            username: self.client_id.clone(),
            password: secret.clone(),
            form_encoded: true,
        };
        Some(Credential {
            basic: Some(basic),
            ..Credential::default()
        })
    }

    fn is_in_body(&self) -> bool {
        self.client_auth == ClientAuth::Body || self.client_secret.is_none()
    }

    fn form(&self) -> Map<String, Json> {
        let client = self.is_in_body().then_some(&self.client_id);
        let secret = self.client_secret.as_ref().filter(|_| self.is_in_body());
        let own = [
            ("client_id", client),
            ("client_secret", secret),
            ("username", self.username.as_ref()),
            ("password", self.password.as_ref()),
            ("scope", self.scope.as_ref()),
        ];
        let own = own.map(|(name, text)| Some((name.to_owned(), Json::from(text?.as_str()))));
        let parameters = self.parameters.iter();
        let parameters = parameters.map(|(name, text)| (name.clone(), Json::from(text.as_str())));
        let grant = ("grant_type".to_owned(), Json::from(self.grant.as_str()));
        let refresh = self.refresh_token.as_deref().map(refreshed);
        let refresh = refresh.map(|text| ("refresh_token".to_owned(), Json::from(text)));
        std::iter::once(grant)
            .chain(own.into_iter().flatten())
            .chain(refresh)
            .chain(parameters)
            .collect()
    }
}

/// A server may give another token to refresh with each time, and then takes no other.
fn refreshed(first: &str) -> String {
    let given =
        "{% if login is defined and login.refresh_token is defined %}{{ login.refresh_token }}";
    format!("{given}{{% else %}}{first}{{% endif %}}")
}

fn captured(names: &[&str]) -> IndexMap<String, Source> {
    let source = |name: &&str| {
        let path = JsonPath::try_from(format!("$.{name}")).ok()?;
        Some(((*name).to_owned(), Source::Path(path)))
    };
    names.iter().filter_map(source).collect()
}

impl Credential {
    /// Makes a token of OAuth 2.0 be a login.
    fn expand(&mut self) {
        if let Some(oauth2) = &self.oauth2 {
            self.login = Some(Box::new(oauth2.login()));
        }
    }
}
