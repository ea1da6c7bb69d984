//! What the service answered, as it is read.

use std::borrow::Cow;
use std::time::Duration;

use authz_pin_record::fault::Fault;
use authz_pin_suite::suite::JsonPath;
use reqwest::Response;
use reqwest::header::{HeaderMap, LOCATION};
use serde_json::Value as Json;
use tokio::time::{Instant, timeout_at};
use url::Url;

use super::decode::{self, xml};
use super::{LARGEST_BODY, fault};

/// What the service answered. It may hold credentials, so it cannot be printed.
#[derive(Clone, PartialEq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Where a redirect leads.
    pub redirect: Option<Redirect>,
    /// The URL that answered, where it is known.
    pub url: Option<Url>,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Body,
}

/// Where a redirect leads. Nobody goes there.
#[derive(Clone, PartialEq)]
pub struct Redirect {
    /// The location as the service wrote it.
    pub location: String,
}

/// A body, as JSON where it is JSON.
#[derive(Clone, PartialEq)]
pub enum Body {
    /// JSON.
    Json(Json),
    /// Anything that is read as a tree as well.
    Document(Box<Document>),
    /// Anything else; bytes that are no text are replaced.
    Text(String),
}

/// A body that is no JSON and is read as a tree of it, so that paths lead into it.
#[derive(Clone, PartialEq)]
pub struct Document {
    /// What it is.
    pub form: Form,
    /// Its text.
    pub text: String,
    /// What the text says.
    pub tree: Json,
}

/// What a document is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// XML.
    Xml,
    /// Rows of cells.
    Table,
    /// The pairs of a form.
    Pairs,
    /// Values of JSON after one another.
    Lines,
    /// A page for people.
    Page,
    /// A body in parts.
    Parts,
    /// Bytes that are no text; the text has a character for each.
    Bytes,
}

impl Document {
    pub(super) fn body(form: Form, text: String, tree: Json) -> Body {
        Body::Document(Box::new(Self { form, text, tree }))
    }

    /// The tree as it is compared: how many things of a kind an answer has must not change where they are. A page says more
    /// than what is read of it, so all of its text is one field.
    pub(crate) fn compared(form: Form, tree: Json, text: String) -> Json {
        match (form, tree) {
            (Form::Xml, tree) => xml::with_lists(tree),
            (Form::Page, Json::Object(mut members)) => {
                members.insert("markup".to_owned(), text.into());
                members.into()
            }
            (_, tree) => tree,
        }
    }

    fn is_text(&self) -> bool {
        !matches!(self.form, Form::Lines | Form::Bytes)
    }

    /// The only value of lines, or all of them.
    pub(crate) fn lines(&self) -> &Json {
        let only = self.tree.as_array().filter(|all| all.len() == 1);
        only.and_then(|all| all.first()).unwrap_or(&self.tree)
    }

    /// The first value at a path as a text. What one of several is, is looked for in either form.
    fn text_at(&self, path: &JsonPath) -> Option<String> {
        let own = path.text_in(&self.tree);
        own.or_else(|| match self.form {
            Form::Xml => path.text_in(&xml::with_lists(self.tree.clone())),
            Form::Lines => path.text_in(self.lines()),
            _ => None,
        })
    }
}

/// The path of a body as a whole.
const WHOLE: &str = "$";

impl Body {
    /// The JSON, or the tree of a document.
    #[must_use]
    pub fn json(&self) -> Option<&Json> {
        match self {
            Self::Json(json) => Some(json),
            Self::Document(document) => Some(&document.tree),
            Self::Text(_) => None,
        }
    }

    /// The JSON that the service wrote; of lines with one value that one.
    pub(crate) fn own_json(&self) -> Option<&Json> {
        match self {
            Self::Json(json) => Some(json),
            Self::Document(document) if document.form == Form::Lines => Some(document.lines()),
            Self::Document(_) | Self::Text(_) => None,
        }
    }

    /// The text that the service wrote, where it is no JSON.
    pub(crate) fn own_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Document(document) if document.is_text() => Some(&document.text),
            Self::Document(_) | Self::Json(_) => None,
        }
    }

    /// All of it as a text; JSON as it is written without blanks.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Json(json) => json.to_string().into(),
            Self::Document(document) => Cow::Borrowed(&document.text),
            Self::Text(text) => Cow::Borrowed(text),
        }
    }

    /// The first value at a path, as a text; null is none. All of a body that is no JSON is its text.
    pub(crate) fn text_at(&self, path: &JsonPath) -> Option<String> {
        match self {
            Self::Json(json) => path.text_in(json),
            _ if path.as_str() == WHOLE => Some(self.text().into_owned()),
            Self::Document(document) => document.text_at(path),
            Self::Text(_) => None,
        }
    }

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
    /// What a program printed, which has a body alone.
    pub(crate) fn printed(bytes: &[u8]) -> Self {
        Self {
            status: 200,
            redirect: None,
            url: None,
            headers: HeaderMap::new(),
            body: Body::read(bytes),
        }
    }

    /// Whether the status is a success.
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Whether the body is a text that is not what its media type says.
    pub(crate) fn is_malformed(&self) -> bool {
        let Body::Text(text) = &self.body else {
            return false;
        };
        let is_page = || text.contains('<') && decode::is_page(&self.headers);
        !text.trim().is_empty() && (decode::has_fields(&self.headers) || is_page())
    }

    /// Whether the body is a stream of events, whose items are messages.
    pub(crate) fn is_stream(&self) -> bool {
        decode::is_events(&self.headers)
    }

    /// Whether the body is a page for people, also one that is a text since nothing of it is read.
    pub(crate) fn is_page(&self) -> bool {
        match &self.body {
            Body::Document(document) => document.form == Form::Page,
            Body::Text(text) => decode::is_page(&self.headers) || decode::begins_a_page(text),
            Body::Json(_) => false,
        }
    }

    /// The body where it is JSON.
    #[must_use]
    pub fn json(&self) -> Option<&Json> {
        self.body.json()
    }

    /// The media type without its parameters, in small letters.
    pub(crate) fn media_type(&self) -> String {
        decode::media_type(&self.headers).to_ascii_lowercase()
    }
}

/// Reads an answer to its end, or as far as answers are read.
///
/// A stream of events or lines is read for no longer than `patience`: it need not end.
pub(super) async fn read(mut response: Response, patience: Duration) -> Result<Answer, Fault> {
    let status = response.status().as_u16();
    let redirect = redirect(&response);
    let url = Some(response.url().clone());
    let headers = std::mem::take(response.headers_mut());
    let body = match response.content_length() {
        Some(length) if length > LARGEST_BODY as u64 => return Err(Fault::TooLarge),
        // What comes in one piece is read where it lies.
        Some(_) => decode::body(&headers, &response.bytes().await.map_err(ended)?)?,
        None => match decode::ends_in_stream(&headers) {
            [] => decode::body(&headers, &limited(response).await?)?,
            ends => decode::body(&headers, &until(response, patience, ends).await?)?,
        },
    };
    Ok(Answer {
        status,
        redirect,
        url,
        headers,
        body,
    })
}

/// A body that does not say how long it is.
async fn limited(mut response: Response) -> Result<Vec<u8>, Fault> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(ended)? {
        if bytes.len() + chunk.len() > LARGEST_BODY {
            return Err(Fault::TooLarge);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// What of a stream comes within a time; of one that goes on then, up to the end of its last event.
async fn until(mut response: Response, time: Duration, ends: &[&[u8]]) -> Result<Vec<u8>, Fault> {
    let over = Instant::now() + time;
    let mut bytes = Vec::new();
    loop {
        match timeout_at(over, response.chunk()).await {
            Ok(Ok(Some(chunk))) if bytes.len() + chunk.len() > LARGEST_BODY => {
                return Err(Fault::TooLarge);
            }
            Ok(Ok(Some(chunk))) => bytes.extend_from_slice(&chunk),
            Ok(Ok(None)) => return Ok(bytes),
            Ok(Err(error)) if !error.is_timeout() => return Err(ended(error)),
            Ok(Err(_)) | Err(_) => break,
        }
    }
    let last = ends.iter().filter_map(|end| {
        let at = bytes.windows(end.len()).rposition(|it| it == *end)?;
        Some(at + end.len())
    });
    bytes.truncate(last.max().unwrap_or(0));
    Ok(bytes)
}

#[expect(clippy::needless_pass_by_value, reason = "an error to be mapped")]
fn ended(error: reqwest::Error) -> Fault {
    fault(&error, Fault::EndedEarly)
}

fn redirect(response: &Response) -> Option<Redirect> {
    let is_redirect = response.status().is_redirection();
    let location = response.headers().get(LOCATION).filter(|_| is_redirect)?;
    let location = String::from_utf8_lossy(location.as_bytes()).into_owned();
    Some(Redirect { location })
}
