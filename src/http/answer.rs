//! What the service answered, as it is read.

use reqwest::Response;
use reqwest::header::{CONTENT_TYPE, HeaderMap, LOCATION};
use serde_json::Value as Json;
use url::Url;

use super::{LARGEST_BODY, events, fault, within};
use crate::fault::Fault;

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
    /// Anything else; bytes that are not UTF-8 are replaced.
    Text(String),
}

impl Body {
    /// The JSON, where it is that.
    #[must_use]
    pub fn json(&self) -> Option<&Json> {
        match self {
            Self::Json(json) => Some(json),
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
    /// Whether the status is a success.
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The body where it is JSON.
    #[must_use]
    pub fn json(&self) -> Option<&Json> {
        self.body.json()
    }

    /// The media type without its parameters, in small letters.
    pub(crate) fn media_type(&self) -> String {
        let full = self.header("content-type").unwrap_or_default();
        let own = full.split(';').next().unwrap_or_default();
        own.trim().to_ascii_lowercase()
    }
}

/// Reads an answer to its end, or as far as answers are read.
pub(super) async fn read(mut response: Response) -> Result<Answer, Fault> {
    let status = response.status().as_u16();
    let redirect = redirect(&response);
    let url = Some(response.url().clone());
    let headers = std::mem::take(response.headers_mut());
    let body = match response.content_length() {
        Some(length) if length > LARGEST_BODY as u64 => return Err(Fault::TooLarge),
        // What comes in one piece is read where it lies.
        Some(_) => body(&headers, &response.bytes().await.map_err(ended)?),
        None => body(&headers, &limited(response).await?),
    };
    Ok(Answer {
        status,
        redirect,
        url,
        headers,
        body,
    })
}

/// The body that these bytes are, where they have the media type that the headers say.
fn body(headers: &HeaderMap, bytes: &[u8]) -> Body {
    let own = headers.get(CONTENT_TYPE);
    let is_stream = own.is_some_and(|own| own.as_bytes().starts_with(b"text/event-stream"));
    let messages = is_stream.then(|| events::messages(bytes)).flatten();
    let body = messages.map_or_else(|| Body::read(bytes), Body::Json);
    let media_type = || own.and_then(|own| own.to_str().ok()).unwrap_or_default();
    match body {
        Body::Text(text) => {
            let within = within::json(media_type(), bytes);
            within.map_or(Body::Text(text), Body::Json)
        }
        json @ Body::Json(_) => json,
    }
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
