//! The service over HTTP: the one owner of the client.

use std::time::Duration;

use reqwest::redirect::Policy;
use serde_json::Value as Json;
use url::Url;

use crate::suite::{Method, RequestSpec};
use crate::template::{Scope, TemplateError, Templates};

/// A request that could not be sent or whose answer could not be read.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The client itself could not be made.
    #[error("cannot make an HTTP client: {0}")]
    Client(String),
    /// No answer.
    #[error("no answer from {method} {url}: {reason}")]
    NoAnswer {
        /// The method.
        method: &'static str,
        /// The URL without its query.
        url: String,
        /// Why, in the client's words.
        reason: String,
    },
    /// An answer that is longer than what was asked for can be.
    #[error("the answer from GET {url} has more than {} MiB", limit >> 20)]
    TooLong {
        /// The URL without its query.
        url: String,
        /// How many bytes it may have.
        limit: usize,
    },
    /// The suite's path does not make a URL.
    #[error("`{0}` is not a path of a URL")]
    Path(String),
}

/// A rendered request. It may hold credentials, so it cannot be printed.
pub struct Call {
    method: Method,
    path: String,
    query: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    json: Option<Json>,
}

impl Call {
    /// Renders a request with the credential's headers.
    pub fn render(
        templates: &Templates,
        spec: &RequestSpec,
        credential: Vec<(String, String)>,
        scope: &Scope,
    ) -> Result<Self, TemplateError> {
        let mut headers = credential;
        for (name, value) in &spec.headers {
            headers.push((name.clone(), templates.render_text(value, scope)?));
        }
        Ok(Self {
            method: spec.method,
            path: templates.render_text(&spec.path, scope)?,
            query: pairs(&templates.render(&spec.query, scope)?),
            headers,
            json: spec
                .json
                .as_ref()
                .map(|json| templates.render(json, scope))
                .transpose()?,
        })
    }

    /// The same call with one more query parameter.
    #[must_use]
    pub fn with_query(&self, name: &str, value: &str) -> Self {
        let mut query = self.query.clone();
        query.push((name.to_owned(), value.to_owned()));
        Self {
            query,
            path: self.path.clone(),
            headers: self.headers.clone(),
            json: self.json.clone(),
            ..*self
        }
    }
}

/// A mapping as query parameters; a list repeats its parameter, null leaves it out.
fn pairs(query: &Json) -> Vec<(String, String)> {
    let entries = query.as_object().into_iter().flatten();
    let items = entries.flat_map(|(name, value)| match value {
        Json::Array(items) => items.iter().map(|item| (name, item)).collect(),
        other => vec![(name, other)],
    });
    items
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| (name.clone(), plain(value)))
        .collect()
}

fn plain(value: &Json) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// What the service answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: Body,
}

/// A body, as JSON where it is JSON.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// JSON.
    Json(Json),
    /// Anything else; bytes that are not UTF-8 are replaced.
    Text(String),
}

impl Body {
    /// The body that these bytes are.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Self {
        serde_json::from_slice(bytes).map_or_else(
            |_| Self::Text(String::from_utf8_lossy(bytes).into_owned()),
            Self::Json,
        )
    }
}

impl Answer {
    /// Whether the status is a success.
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The body where it is JSON.
    #[must_use]
    pub fn json(&self) -> Option<&Json> {
        match &self.body {
            Body::Json(json) => Some(json),
            Body::Text(_) => None,
        }
    }
}

/// A client for one service.
#[derive(Debug, Clone)]
pub struct Http {
    client: reqwest::Client,
    base: Url,
}

impl Http {
    /// A client for the service at `base`. The ambient environment's proxies are not used, redirects not followed.
    pub fn new(base: Url, timeout: Duration) -> Result<Self, HttpError> {
        // Fails only when a provider is installed already, which serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(Policy::none())
            .timeout(timeout)
            .user_agent(concat!("authz-pin/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| HttpError::Client(reason(&error)))?;
        Ok(Self { client, base })
    }

    /// Sends one request and reads its answer.
    pub async fn send(&self, call: &Call) -> Result<Answer, HttpError> {
        let url = self.url(&call.path)?;
        let fail = |error: reqwest::Error| no_answer(call.method, &url, &error);
        let method =
            reqwest::Method::from_bytes(call.method.as_str().as_bytes()).unwrap_or_default();
        let mut request = self.client.request(method, url.clone()).query(&call.query);
        for (name, value) in &call.headers {
            request = request.header(name, value);
        }
        if let Some(json) = &call.json {
            request = request.json(json);
        }
        let response = request.send().await.map_err(fail)?;
        let status = response.status().as_u16();
        let bytes = response.bytes().await.map_err(fail)?;
        Ok(Answer {
            status,
            body: Body::read(&bytes),
        })
    }

    /// Gets the bytes at `path` without any credential, and gives up on an answer with more than `limit` of them.
    pub async fn get_bytes(&self, path: &str, limit: usize) -> Result<(u16, Vec<u8>), HttpError> {
        let url = self.url(path)?;
        let fail = |error: reqwest::Error| no_answer(Method::Get, &url, &error);
        let mut response = self.client.get(url.clone()).send().await.map_err(fail)?;
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(fail)? {
            if bytes.len() + chunk.len() > limit {
                let url = shown(&url);
                return Err(HttpError::TooLong { url, limit });
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok((response.status().as_u16(), bytes))
    }

    /// Gets `path` without any credential.
    pub async fn get(&self, path: &str) -> Result<Answer, HttpError> {
        let call = Call {
            method: Method::Get,
            path: path.to_owned(),
            query: Vec::new(),
            headers: Vec::new(),
            json: None,
        };
        self.send(&call).await
    }

    /// The URL of `path` on the service.
    pub fn url(&self, path: &str) -> Result<Url, HttpError> {
        let base = self.base.as_str().trim_end_matches('/');
        Url::parse(&format!("{base}/{}", path.trim_start_matches('/')))
            .map_err(|_| HttpError::Path(path.to_owned()))
    }
}

fn no_answer(method: Method, url: &Url, error: &reqwest::Error) -> HttpError {
    HttpError::NoAnswer {
        method: method.as_str(),
        url: shown(url),
        reason: reason(error),
    }
}

/// A URL without what may be a secret: its query, and a password in it.
#[must_use]
pub fn shown(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    if url.password().is_some() {
        // Fails only for URLs that cannot have a password.
        let _ = url.set_password(Some("***"));
    }
    url.to_string()
}

/// The innermost cause: the outer ones only repeat the URL.
fn reason(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_query_is_a_mapping_whose_nulls_are_left_out() {
        let query = pairs(&json!({"page": 1, "team_id": null, "sort": ["a", "b"], "all": true}));
        let query: Vec<_> = query
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        assert_eq!(query, ["page=1", "sort=a", "sort=b", "all=true"]);
    }

    #[test]
    fn a_shown_url_has_neither_password_nor_query() {
        let url = Url::parse("http://me:secret@localhost:1/key/info?key=sk-1").unwrap();
        assert_eq!(shown(&url), "http://me:***@localhost:1/key/info");
    }

    #[test]
    fn a_path_is_joined_to_a_base_with_a_path_of_its_own() {
        let http = Http::new(
            Url::parse("http://localhost:1/api/").unwrap(),
            Duration::from_secs(1),
        )
        .unwrap();
        assert_eq!(
            http.url("/key/info").unwrap().as_str(),
            "http://localhost:1/api/key/info"
        );
    }
}
