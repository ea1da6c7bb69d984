//! Methods of requests.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error;
use serde::{Deserialize, Deserializer};

use crate::diagnostic::quoted;
use crate::sendable::is_token;

/// An HTTP method: any token (RFC 9110, section 5.6.2) without small letters, but for `CONNECT`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the methods")]
pub enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
    /// Any other one, by its name.
    Other(&'static str),
}

/// A text that is no method of a request.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct MethodError {
    message: String,
    /// What to write instead.
    pub(super) help: Option<String>,
}

/// The methods without an entry of their own here that are registered as safe: RFC 9110 (section 9.2.1), RFC 4918, RFC 3253,
/// RFC 5323, and `QUERY` of the HTTP working group.
const SAFE: [&str; 7] = [
    "HEAD", "OPTIONS", "TRACE", "PROPFIND", "REPORT", "SEARCH", "QUERY",
];

/// Names of other methods, each of them once. Suites have few.
static NAMES: Mutex<BTreeSet<&str>> = Mutex::new(BTreeSet::new());

impl Method {
    /// The method as it is on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
            Self::Other(name) => name,
        }
    }

    /// Whether a call only reads, as the method promises it.
    #[must_use]
    pub fn is_safe(self) -> bool {
        self == Self::Get || self.is_one_of(&SAFE)
    }

    /// Whether it can ask about the service as a whole, which its path then says as `*`.
    #[must_use]
    pub fn is_options(self) -> bool {
        self.is_one_of(&["OPTIONS"])
    }

    fn is_one_of(self, names: &[&str]) -> bool {
        names.contains(&self.as_str())
    }
}

impl TryFrom<String> for Method {
    type Error = MethodError;

    fn try_from(text: String) -> Result<Self, MethodError> {
        let fail = |why: &str, help: Option<String>| {
            let message = format!("{} {why}", quoted(&text));
            Err(MethodError { message, help })
        };
        match text.as_str() {
            "GET" => Ok(Self::Get),
            "POST" => Ok(Self::Post),
            "PUT" => Ok(Self::Put),
            "PATCH" => Ok(Self::Patch),
            "DELETE" => Ok(Self::Delete),
            "CONNECT" => {
                let help = "a suite has requests of a service; take any other method";
                fail("asks a proxy for a tunnel", Some(help.to_owned()))
            }
            name if !is_token(name) => {
                let help = "write a token, such as `GET` or `PROPFIND`";
                fail("is not a method", Some(help.to_owned()))
            }
            name if name.contains(|c: char| c.is_ascii_lowercase()) => {
                let meant = format!("did you mean `{}`?", name.to_ascii_uppercase());
                fail("is not a method", Some(meant))
            }
            name => Ok(Self::Other(kept(name))),
        }
    }
}

// A derived one would borrow the name of what is read.
impl<'de> Deserialize<'de> for Method {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::try_from(text).map_err(D::Error::custom)
    }
}

/// The same name for as long as the program runs.
fn kept(name: &str) -> &'static str {
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = names.get(name) {
        return known;
    }
    let new: &str = Box::leak(name.into());
    names.insert(new);
    new
}

impl JsonSchema for Method {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Method".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^[!#$%&'*+.^_`|~0-9A-Z-]+$",
            "not": { "const": "CONNECT" },
            "examples": ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn method(name: &str) -> Method {
        name.to_owned().try_into().unwrap()
    }

    #[test]
    fn a_method_is_any_token_in_capital_letters() {
        for name in ["GET", "PURGE", "M-SEARCH", "VERSION-CONTROL", "X_1!"] {
            assert_eq!(method(name).as_str(), name);
        }
        assert_eq!(method("PURGE"), method("PURGE"));
        let refused = |name: &str| {
            let error = Method::try_from(name.to_owned()).unwrap_err();
            format!("{error}; {}", error.help.as_ref().unwrap())
        };
        assert_eq!(refused("Get"), "`Get` is not a method; did you mean `GET`?");
        for name in ["", "GET /", "G(T", "GÉT", "CONNECT", "purge"] {
            assert!(Method::try_from(name.to_owned()).is_err(), "{name}");
        }
    }

    #[test]
    fn registered_methods_that_only_read_are_safe() {
        for name in [
            "GET", "HEAD", "OPTIONS", "TRACE", "PROPFIND", "REPORT", "QUERY",
        ] {
            assert!(method(name).is_safe(), "{name}");
        }
        for name in ["POST", "DELETE", "PURGE", "LOCK", "MKCOL", "PROPPATCH"] {
            assert!(!method(name).is_safe(), "{name}");
        }
    }
}
