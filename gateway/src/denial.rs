//! How a call is refused, and how the part of the service that refuses words it.
//!
//! LiteLLM raises three kinds of exception; what reaches the wire depends on the kind *and* on which `except` block it
//! passes (litellm 1.85.1, `proxy/utils.py` `handle_exception_on_proxy`, `proxy/auth/auth_exception_handler.py` and the
//! handlers of `proxy/management_endpoints/key_management_endpoints.py`).

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use crate::python;

/// A refusal, before it is worded.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Denial {
    /// FastAPI's `HTTPException`.
    Http(u16, Detail),
    /// LiteLLM's own `ProxyException`, which words itself.
    Proxy {
        status: u16,
        kind: &'static str,
        param: &'static str,
        message: String,
    },
    /// The `ProxyException` of an expired key, whose param is the abbreviated hash of the key.
    Expired { key: String, message: String },
    /// Any other exception.
    Fault(String),
}

/// An `HTTPException`'s detail: a text, or the dict `{"error": text}` that is printed as Python prints it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Detail {
    Text(String),
    Error(String),
}

impl Detail {
    /// The detail as FastAPI writes it: a dict stays one.
    fn to_json(&self) -> Value {
        match self {
            Self::Text(text) => json!(text),
            Self::Error(text) => json!({"error": text}),
        }
    }

    fn into_message(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Error(text) => python::dict("error", &text),
        }
    }
}

/// Which part of the service refuses.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Voice {
    Authentication,
    /// `/key/generate`, `/key/info`, `/key/regenerate`, `/key/delete`.
    Management,
    List,
    Update,
    /// `/key/service-account/generate`, whose handler catches nothing: an `HTTPException` is worded by FastAPI.
    Plain,
}

impl Denial {
    pub(crate) fn text(status: u16, detail: impl Into<String>) -> Self {
        Self::Http(status, Detail::Text(detail.into()))
    }

    pub(crate) fn error(status: u16, detail: impl Into<String>) -> Self {
        Self::Http(status, Detail::Error(detail.into()))
    }

    pub(crate) fn bad_request(
        status: u16,
        param: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self::Proxy {
            status,
            kind: "bad_request_error",
            param,
            message: message.into(),
        }
    }

    pub(crate) fn spoken_by(self, voice: Voice) -> Answer {
        if let (Self::Http(status, detail), Voice::Plain) = (&self, voice) {
            return Answer {
                status: *status,
                body: json!({"detail": detail.to_json()}),
            };
        }
        let none = || "None".to_owned();
        let (status, kind, param, message) = match self {
            Self::Proxy {
                status,
                kind,
                param,
                message,
            } => (status, kind, param.to_owned(), message),
            Self::Expired { key, message } => (401, "expired_key", key, message),
            Self::Http(status, detail) => (status, voice.kind(), none(), detail.into_message()),
            Self::Fault(message) => (
                voice.fault_status(),
                voice.kind(),
                none(),
                voice.fault_message(message),
            ),
        };
        let error =
            json!({"message": message, "type": kind, "param": param, "code": status.to_string()});
        Answer {
            status,
            body: json!({"error": error}),
        }
    }
}

impl From<diesel::result::Error> for Denial {
    fn from(error: diesel::result::Error) -> Self {
        Self::Fault(error.to_string())
    }
}

impl Voice {
    fn kind(self) -> &'static str {
        match self {
            Self::Authentication | Self::Update => "auth_error",
            Self::Management | Self::List | Self::Plain => "internal_server_error",
        }
    }

    fn fault_status(self) -> u16 {
        match self {
            Self::Authentication => 401,
            Self::Update => 400,
            Self::Management | Self::List | Self::Plain => 500,
        }
    }

    fn fault_message(self, message: String) -> String {
        match self {
            Self::Management | Self::Plain => message,
            Self::Authentication | Self::Update | Self::List => {
                format!("Authentication Error, {message}")
            }
        }
    }
}

/// An answer other than the success a handler was asked for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Answer {
    /// FastAPI's own wording of a plain refusal.
    pub(crate) fn detail(status: u16, detail: &str) -> Self {
        Self {
            status,
            body: json!({"detail": detail}),
        }
    }

    /// FastAPI's answer to a request that does not fit the endpoint's model.
    pub(crate) fn invalid(problems: impl Into<Value>) -> Self {
        Self {
            status: 422,
            body: json!({"detail": problems.into()}),
        }
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, Json(self.body)).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(answer: &Answer) -> &str {
        answer.body["error"]["message"].as_str().unwrap()
    }

    #[test]
    fn a_dict_detail_is_printed_as_a_python_literal() {
        let answer = Denial::error(404, "No keys found").spoken_by(Voice::Management);
        assert_eq!(message(&answer), "{'error': 'No keys found'}");
        assert_eq!(answer.body["error"]["code"], "404");
        assert_eq!(answer.body["error"]["param"], "None");
    }

    #[test]
    fn an_http_exception_gets_its_type_from_the_part_that_refuses() {
        let spoken = |voice| Denial::text(403, "no").spoken_by(voice).body["error"]["type"].clone();
        assert_eq!(spoken(Voice::Update), "auth_error");
        assert_eq!(spoken(Voice::List), "internal_server_error");
    }

    #[test]
    fn an_http_exception_that_nobody_catches_keeps_its_detail() {
        let body = |denial: Denial| denial.spoken_by(Voice::Plain).body;
        assert_eq!(body(Denial::text(400, "no")), json!({"detail": "no"}));
        assert_eq!(
            body(Denial::error(403, "no")),
            json!({"detail": {"error": "no"}})
        );
    }

    #[test]
    fn an_unexpected_exception_gets_its_status_from_the_part_that_refuses() {
        let spoken = |voice| Denial::Fault("oops".into()).spoken_by(voice);
        assert_eq!(spoken(Voice::Authentication).status, 401);
        assert_eq!(spoken(Voice::Update).status, 400);
        assert_eq!(message(&spoken(Voice::List)), "Authentication Error, oops");
        assert_eq!(message(&spoken(Voice::Management)), "oops");
    }
}
