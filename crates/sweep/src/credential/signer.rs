//! What of a credential is made of the request that carries it, at the moment when it is sent.

use std::sync::LazyLock;

use authz_pin_suite::sendable::{Unsendable, check_header};
use authz_pin_suite::suite::Parts;
use authz_pin_suite::template::{Fields, Scope, TemplateError, Templates, Value};
use chrono::{DateTime, SecondsFormat, Utc};
use reqwest::header::HeaderMap;
use sha2::{Digest, Sha256};
use url::{Position, Url};

use super::{aws, digest};

/// The names that only these templates have.
const NAMES: [&str; 2] = ["request", "now"];

/// What headers of requests are rendered with; which templates there are depends on nothing but the suite.
static TEMPLATES: LazyLock<Templates> = LazyLock::new(Templates::new);

/// A request as it will be sent.
pub(crate) struct Outgoing<'r> {
    pub(crate) method: &'r str,
    pub(crate) url: &'r Url,
    pub(crate) headers: &'r HeaderMap,
    pub(crate) body: &'r [u8],
}

impl Outgoing<'_> {
    /// A header as text, where the request has it.
    pub(super) fn header(&self, name: &str) -> Option<String> {
        let value = self.headers.get(name)?;
        Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
    }

    /// The path and the query.
    pub(crate) fn target(&self) -> String {
        self.url[Position::BeforePath..Position::AfterQuery].to_owned()
    }

    fn fields(&self) -> Fields {
        let texts = [
            ("method", self.method.to_owned()),
            ("path", self.url.path().to_owned()),
            ("query", self.url.query().unwrap_or_default().to_owned()),
            ("target", self.target()),
            ("host", host(self.url).to_owned()),
            ("body_sha256", hex::encode(Sha256::digest(self.body))),
            ("type", self.header("content-type").unwrap_or_default()),
        ];
        let texts = texts.map(|(name, text)| (name.to_owned(), Value::from(text)));
        let mut fields = Fields::from(texts);
        // What is no text has no body that a template could use, and a template that uses it fails.
        let body = std::str::from_utf8(self.body).ok();
        fields.extend(body.map(|body| ("body".to_owned(), Value::from(body))));
        fields
    }
}

/// The host of a URL as requests name it, with a port that is not the usual one.
pub(crate) fn host(url: &Url) -> &str {
    &url[Position::BeforeHost..Position::AfterPort]
}

/// One moment in the forms in which signatures have it.
fn moment(now: DateTime<Utc>) -> Value {
    let fields = [
        ("iso", now.to_rfc3339_opts(SecondsFormat::Secs, true)),
        ("basic", now.format("%Y%m%dT%H%M%SZ").to_string()),
        ("http", now.format("%a, %d %b %Y %H:%M:%S GMT").to_string()),
        ("unix", now.timestamp().to_string()),
        ("unix_ms", now.timestamp_millis().to_string()),
    ];
    let fields = fields.map(|(name, text)| (name.to_owned(), Value::from(text)));
    Value::from(Fields::from(fields))
}

/// What makes a part of a credential of a request. It cannot be printed.
#[derive(Clone)]
pub(crate) enum Signer {
    /// Headers whose templates use the request.
    Headers(Written),
    /// Keys.
    Aws(aws::Keys),
    /// The answer to a challenge.
    Digest(digest::Login),
}

/// Headers as templates, with the names that they can use.
#[derive(Clone)]
pub(crate) struct Written {
    headers: Vec<(String, String)>,
    scope: Scope,
    /// Where they stand.
    place: Parts,
}

/// Whether the template of a header can only be rendered with the request.
pub(super) fn is_of_request(templates: &Templates, text: &str) -> Result<bool, TemplateError> {
    // Most texts are seen without reading them.
    if !NAMES.iter().any(|name| text.contains(name)) {
        return Ok(false);
    }
    let names = templates.names(text)?;
    let mut heads = names.iter().filter_map(|name| name.split('.').next());
    Ok(heads.any(|head| NAMES.contains(&head)))
}

impl Written {
    /// Headers that can be rendered: a mistake is found before anything is sent.
    pub(super) fn new(
        headers: Vec<(String, String)>,
        scope: &Scope,
        place: &Parts,
    ) -> Result<Self, TemplateError> {
        let (scope, place) = (scope.clone(), place.clone());
        let written = Self {
            headers,
            scope,
            place,
        };
        let url = Url::parse("http://localhost/").ok();
        let (headers, now) = (HeaderMap::new(), DateTime::<Utc>::default());
        if let Some(url) = &url {
            let request = Outgoing {
                method: "GET",
                url,
                headers: &headers,
                body: b"",
            };
            written.render(&request, now)?;
        }
        Ok(written)
    }

    fn render(
        &self,
        request: &Outgoing<'_>,
        now: DateTime<Utc>,
    ) -> Result<Vec<(String, String)>, TemplateError> {
        let mut scope = self.scope.clone();
        scope.insert("request", Value::from(request.fields()));
        scope.insert("now", moment(now));
        let headers = self.headers.iter();
        let headers =
            headers.map(|(name, text)| Ok((name.clone(), TEMPLATES.render_wire(text, &scope)?)));
        headers.collect()
    }

    /// The headers of a request, unless HTTP cannot carry one of them: what they are made of can hold a line break.
    fn sendable(
        &self,
        request: &Outgoing<'_>,
        now: DateTime<Utc>,
    ) -> Result<Vec<(String, String)>, String> {
        let headers = self.render(request, now);
        let headers = headers.map_err(|error| error.to_string())?;
        for (name, value) in &headers {
            check_header(name, value).map_err(|Unsendable { reason, help }| {
                let spot = self.place.spot(&format!("headers.{name}"));
                let spot = spot.map(|spot| format!(" (of {spot})"));
                format!("{reason}{}; {help}", spot.unwrap_or_default())
            })?;
        }
        Ok(headers)
    }
}

impl Signer {
    /// The headers that it adds to a request.
    pub(crate) fn headers(
        &self,
        request: &Outgoing<'_>,
        now: DateTime<Utc>,
        challenge: Option<&digest::Challenge>,
    ) -> Result<Vec<(String, String)>, String> {
        match self {
            Self::Headers(written) => written.sendable(request, now),
            Self::Aws(keys) => Ok(keys.sign(request, now)),
            Self::Digest(login) => {
                let target = request.target();
                let header = challenge.map(|asked| asked.answered(login, request.method, &target));
                let header = header.map(|value| ("authorization".to_owned(), value));
                Ok(header.into_iter().collect())
            }
        }
    }

    /// Whether it takes a query whose encoding leaves nothing open.
    pub(crate) fn is_strict(&self) -> bool {
        matches!(self, Self::Aws(_))
    }

    /// The names of these headers.
    pub(crate) fn names(&self) -> Vec<&str> {
        match self {
            Self::Headers(written) => {
                let names = written.headers.iter();
                names.map(|(name, _)| name.as_str()).collect()
            }
            Self::Aws(_) | Self::Digest(_) => vec!["authorization"],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use authz_pin_suite::suite::signed_names;

    #[test]
    fn the_names_that_are_checked_are_those_that_are_there() {
        let url = Url::parse("http://localhost:1/a?b=c").unwrap();
        let request = Outgoing {
            method: "GET",
            url: &url,
            headers: &HeaderMap::new(),
            body: b"",
        };
        let own: Vec<String> = request.fields().into_keys().collect();
        let mut told = signed_names()["request"].clone();
        told.sort_unstable();
        assert_eq!(own, told);
        assert_eq!(
            (request.target().as_str(), host(&url)),
            ("/a?b=c", "localhost:1")
        );
        let now = DateTime::from_timestamp(0, 0).unwrap();
        let shown = |name: &str| moment(now).get_attr(name).unwrap().to_string();
        let all: Vec<String> = signed_names()["now"]
            .iter()
            .map(|name| shown(name))
            .collect();
        assert_eq!(
            all,
            [
                "1970-01-01T00:00:00Z",
                "19700101T000000Z",
                "Thu, 01 Jan 1970 00:00:00 GMT",
                "0",
                "0"
            ]
        );
    }
}
