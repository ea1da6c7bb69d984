//! Where a call goes: the URL of its service, and the path and the query as the first line of a request has them.

use hyper::Uri;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use url::{Position, Url, form_urlencoded};

use super::Call;

/// What no request line can carry as it is (RFC 3986, section 2), in a query and in a path.
const IN_QUERY: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>');
pub(super) const IN_PATH: &AsciiSet = &IN_QUERY.add(b'`').add(b'{').add(b'}');

/// Where a call goes.
pub(super) struct Target {
    pub(super) url: Url,
    /// The path and the query, where the URL has others: its type takes `..` for a way.
    pub(super) verbatim: Option<Uri>,
}

impl Target {
    /// The target of a call whose URL is relative to `base`; none where the path makes no request line.
    pub(super) fn of(base: &Url, call: &Call) -> Option<Self> {
        if call.path.is_empty() {
            // A URL of the suite that is not joined with anything.
            let url = base.clone();
            return Some(Self {
                url,
                verbatim: None,
            });
        }
        let own = call.presented_query();
        if own.is_empty() {
            return Self::new(base, &call.path, &call.query);
        }
        Self::new(base, &call.path, &[&call.query[..], &own].concat())
    }

    pub(super) fn new(base: &Url, path: &str, query: &[(String, String)]) -> Option<Self> {
        let (path, own) = match path.split_once('?') {
            Some((path, own)) => (path, Some(own)),
            None => (path, None),
        };
        let path = utf8_percent_encode(path, IN_PATH).to_string();
        // What asks about all of a service is below no path.
        let path = match path.as_str() {
            "*" => path,
            below => format!("{}{below}", base.path().trim_end_matches('/')),
        };
        let query = queried(own, query);
        let mut url = base.clone();
        url.set_path(&path);
        url.set_query(query.as_deref());
        let line = match query {
            Some(query) => format!("{path}?{query}"),
            None => path,
        };
        let is_same = url[Position::BeforePath..Position::AfterQuery] == line;
        let verbatim = (!is_same).then(|| Uri::try_from(line).ok());
        match verbatim {
            Some(None) => None,
            verbatim => Some(Self {
                url,
                verbatim: verbatim.flatten(),
            }),
        }
    }
}

/// The query of a path with parameters behind it.
fn queried(own: Option<&str>, parameters: &[(String, String)]) -> Option<String> {
    let own = own.map(|own| utf8_percent_encode(own, IN_QUERY).to_string());
    if parameters.is_empty() {
        return own;
    }
    let mut query = own.unwrap_or_default();
    if !query.is_empty() && !query.ends_with('&') {
        query.push('&');
    }
    let begins_at = query.len();
    let mut query = form_urlencoded::Serializer::for_suffix(query, begins_at);
    Some(query.extend_pairs(parameters).finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The request line's path, and whether it is sent as it is without the URL.
    fn line(base: &str, path: &str, query: &[(&str, &str)]) -> (String, bool) {
        let query = query.iter();
        let query: Vec<_> = query
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let target = Target::new(&Url::parse(base).unwrap(), path, &query).unwrap();
        let of_url = || target.url[Position::BeforePath..].to_owned();
        let line = target.verbatim.as_ref().map(ToString::to_string);
        (line.unwrap_or_else(of_url), target.verbatim.is_some())
    }

    #[test]
    fn a_path_is_sent_byte_for_byte() {
        let base = "http://localhost:1";
        for (path, is_verbatim) in [
            ("/things/1", false),
            ("/", false),
            ("//admin//users/", false),
            ("/public/..;/admin", false),
            ("/a%2Fb%00|^", false),
            ("/public/../admin", true),
            ("/public/%2e%2E/admin", true),
            ("/./admin", true),
            ("/..\\admin", true),
            ("/a?name=O'Brien", true),
            ("/a?", false),
            ("*", true),
        ] {
            let expected = (path.to_owned(), is_verbatim);
            assert_eq!(line(base, path, &[]), expected, "{path}");
            if path != "*" {
                let below = (format!("/api{path}"), is_verbatim);
                assert_eq!(line("http://localhost:1/api/", path, &[]), below, "{path}");
            }
        }
    }

    #[test]
    fn what_no_request_line_can_carry_is_percent_encoded() {
        let sent = |path: &str| line("http://localhost:1", path, &[]).0;
        assert_eq!(sent("/ü b/\"<>`{}"), "/%C3%BC%20b/%22%3C%3E%60%7B%7D");
        assert_eq!(sent("/?a b=ü{}"), "/?a%20b=%C3%BC{}");
    }

    #[test]
    fn parameters_stand_behind_the_query_of_the_path() {
        let sent = |path: &str| {
            let query = [("a", "1 +&#"), ("b\n", "ü")];
            line("http://localhost:1", path, &query).0
        };
        let parameters = "a=1+%2B%26%23&b%0A=%C3%BC";
        assert_eq!(sent("/x"), format!("/x?{parameters}"));
        assert_eq!(sent("/x?"), format!("/x?{parameters}"));
        assert_eq!(sent("/x?c=1"), format!("/x?c=1&{parameters}"));
        assert_eq!(sent("/../x?c"), format!("/../x?c&{parameters}"));
    }
}
