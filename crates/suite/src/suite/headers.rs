//! Which headers of answers a record lists.

use schemars::JsonSchema;
use serde::Deserialize;

use super::compiled::{CompileError, Glob, is_a_text};

/// Which headers of answers a record lists. The values of all are searched for known values, listed or not.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HeadersSpec {
    /// Names of headers that are not listed, with `*` for any characters, besides those that every answer has anew; one
    /// cookie is `set-cookie=NAME`.
    #[serde(default)]
    pub ignore: Vec<HeaderPattern>,
    /// The names of those that are listed, where it is not all others.
    pub only: Option<Vec<HeaderPattern>>,
}

/// A pattern of names of headers, in any case, or of cookies as `set-cookie=NAME`.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct HeaderPattern(Glob);

/// Headers that say when, how long, by whom or along which way a message was sent: another thing in every answer, or the
/// same in all, and nothing of who may do what.
const OF_THE_MESSAGE: [&str; 32] = [
    "age",
    "alt-svc",
    "cf-ray",
    "connection",
    "content-length",
    "correlation-id",
    "date",
    "keep-alive",
    "nel",
    "report-to",
    "request-id",
    "server",
    "server-timing",
    "trace-id",
    "traceparent",
    "tracestate",
    "trailer",
    "transfer-encoding",
    "via",
    "x-amz-cf-id",
    "x-amz-request-id",
    "x-amzn-requestid",
    "x-amzn-trace-id",
    "x-cloud-trace-context",
    "x-correlation-id",
    "x-envoy-upstream-service-time",
    "x-powered-by",
    "x-process-time",
    "x-request-id",
    "x-response-time",
    "x-runtime",
    "x-trace-id",
];

impl HeadersSpec {
    /// Whether a record lists a header, or a cookie by its subject.
    #[must_use]
    pub fn lists(&self, subject: &str) -> bool {
        let name = subject.split('=').next().unwrap_or(subject);
        let any = |patterns: &[HeaderPattern]| {
            let mut patterns = patterns.iter();
            patterns.any(|HeaderPattern(glob)| glob.is_match(subject) || glob.is_match(name))
        };
        let is_meant = match &self.only {
            Some(only) => any(only),
            None => !OF_THE_MESSAGE.contains(&name),
        };
        is_meant && !any(&self.ignore)
    }
}

/// The cookie of that name, as patterns call it.
#[must_use]
pub fn cookie_subject(name: &str) -> String {
    format!("set-cookie={name}")
}

/// What a line of a record's headers is about, as a pattern calls it: a header, or a cookie.
#[must_use]
pub fn subject(line: &str) -> String {
    let (name, value) = line.split_once(": ").unwrap_or((line, ""));
    match value.split_once('=') {
        // A cookie whose name is not shown cannot be told from others.
        Some((cookie, _)) if name == "set-cookie" && !cookie.contains('<') => {
            cookie_subject(cookie)
        }
        _ => name.to_owned(),
    }
}

impl HeaderPattern {
    /// The pattern that matches this name alone.
    pub fn of_name(name: &str) -> Result<Self, CompileError> {
        Glob::of_name(name).map(Self)
    }
}

/// Names of headers have no case, those of cookies have.
impl TryFrom<String> for HeaderPattern {
    type Error = CompileError;

    fn try_from(text: String) -> Result<Self, CompileError> {
        let text = match text.split_once('=') {
            Some((name, cookie)) => format!("{}={cookie}", name.to_ascii_lowercase()),
            None => text.to_ascii_lowercase(),
        };
        Glob::try_from(text).map(Self)
    }
}

is_a_text!(HeaderPattern, |pattern| pattern.0.as_str());

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn spec(json: serde_json::Value) -> HeadersSpec {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn what_only_names_is_listed_unless_it_is_ignored() {
        let all = spec(json!({}));
        assert!(all.lists("x-owner") && !all.lists("date") && all.lists("set-cookie=a"));
        let spec = spec(json!({
            "only": ["Set-Cookie", "X-Request-*", "vary"],
            "ignore": ["Set-Cookie=lb*", "VARY"],
        }));
        let listed = ["set-cookie", "set-cookie=session", "x-request-id"];
        assert!(listed.iter().all(|name| spec.lists(name)));
        let not = ["set-cookie=lb_1", "vary", "x-owner"];
        assert!(!not.iter().any(|name| spec.lists(name)));
        assert!(spec.lists("set-cookie=LB"), "a cookie's name has a case");
    }

    #[test]
    fn a_line_is_about_a_header_or_a_cookie() {
        let lines = [
            ("x-owner: <user_id>", "x-owner"),
            ("etag", "etag"),
            ("set-cookie: a=<value>; Path=/", "set-cookie=a"),
            ("set-cookie: <value>=; Path=/", "set-cookie"),
            ("cache-control: max-age=0", "cache-control"),
        ];
        for (line, expected) in lines {
            assert_eq!(subject(line), expected);
        }
    }
}
