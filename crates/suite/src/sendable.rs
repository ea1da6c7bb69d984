//! What HTTP can carry: texts of paths, headers and cookies that cannot be sent, and why.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// Why a text cannot be sent, without the text: it may be a secret.
#[derive(Debug, PartialEq, Eq)]
pub struct Unsendable {
    /// What is wrong with it.
    pub reason: String,
    /// What to write instead.
    pub help: String,
}

impl Unsendable {
    fn new(reason: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            help: help.into(),
        }
    }
}

/// Whether a text is a token (RFC 9110, section 5.6.2), as methods and names of headers and cookies are.
#[must_use]
pub fn is_token(text: &str) -> bool {
    let is_of_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    !text.is_empty() && text.chars().all(is_of_token)
}

/// What of a path cannot be sent, wherever in it that stands.
pub fn check_path(text: &str) -> Result<(), Unsendable> {
    match text.chars().find(|c| *c == '#' || c.is_control()) {
        None => Ok(()),
        Some('#') => Err(Unsendable::new(
            "the path holds `#`, and what follows it is not sent",
            "write the character as `%23`, or leave it out with what follows",
        )),
        Some(control) => Err(Unsendable::new(
            format!("the path holds {}", named(control)),
            format!("write it as `{}`", escaped(control)),
        )),
    }
}

/// A text as a path can hold it, with `%23` in place of `#` and the like.
#[must_use]
pub fn in_path(text: &str) -> String {
    let written = |c: char| match check_path(c.encode_utf8(&mut [0; 4])) {
        Ok(()) => c.to_string(),
        Err(_) => escaped(c),
    };
    text.chars().map(written).collect()
}

/// Whether a path is one from its beginning on. `*` is all of a service, which only `OPTIONS` can be asked of.
pub fn check_beginning(path: &str, is_options: bool) -> Result<(), Unsendable> {
    let is_whole = path == "*";
    if path.starts_with('/') || is_whole && is_options {
        return Ok(());
    }
    let (reason, help) = if is_whole {
        let reason = "only OPTIONS can be asked of `*`";
        (reason, "write `OPTIONS` as the method, or `/*` as the path")
    } else if path.contains("://") {
        let help = "give the host's URL a name under `service.urls`, name that as the request's `url`, and write the path \
                    alone; of what is captured, take the path with `match: \"://[^/]+(/.*)\"`";
        ("the path is a whole URL", help)
    } else {
        let reason = "the path does not begin with `/`";
        (reason, "begin it with `/`")
    };
    Err(Unsendable::new(reason, help))
}

/// What of a header cannot be sent.
pub fn check_header(name: &str, value: &str) -> Result<(), Unsendable> {
    if !is_token(name) {
        return Err(not_a_name(name, "header"));
    }
    let forbidden = |c: &char| c.is_control() && c.is_ascii() && *c != '\t';
    match value.chars().find(forbidden) {
        None => Ok(()),
        Some(character) => Err(Unsendable::new(
            format!(
                "the value of the header `{name}` holds {}",
                named(character)
            ),
            "no header can carry that: leave it out, or encode the value, for instance with the filter `urlencode`",
        )),
    }
}

/// What of a cookie would end it, or begin a second one (RFC 6265, section 4.1.1).
pub fn check_cookie(name: &str, value: &str) -> Result<(), Unsendable> {
    if !is_token(name) {
        return Err(not_a_name(name, "cookie"));
    }
    let forbidden = |c: &char| matches!(c, ';' | ',') || c.is_ascii_control();
    let found = match value.chars().find(forbidden) {
        Some(character) => format!("holds {}", named(character)),
        None if value.trim_matches(' ') != value => "begins or ends with a blank".to_owned(),
        None => return Ok(()),
    };
    Err(Unsendable::new(
        format!("the value of the cookie `{name}` {found}"),
        "that would end the cookie: leave it out, or encode the value, for instance with the filter `urlencode`",
    ))
}

/// What of a name before the password would end it, or cannot be sent (RFC 7617, section 2).
pub fn check_username(_: &str, name: &str) -> Result<(), Unsendable> {
    match name.chars().find(|c| *c == ':' || c.is_control()) {
        None => Ok(()),
        Some(character) => Err(Unsendable::new(
            format!(
                "the name for `Authorization: Basic` holds {}",
                named(character)
            ),
            "leave it out: the scheme has no way to write it, and what follows would begin the password",
        )),
    }
}

fn not_a_name(name: &str, what: &str) -> Unsendable {
    let shown: String = name.chars().flat_map(char::escape_default).collect();
    Unsendable::new(
        format!("`{shown}` is not a name of a {what}"),
        "a name has letters, digits and any of !#$%&'*+-.^_`|~",
    )
}

/// A character in words.
fn named(character: char) -> String {
    let what = match character {
        '\n' | '\r' => "a line break",
        '\t' => "a tab",
        '\0' => "a NUL",
        c if c.is_control() => "a control character",
        c => return format!("`{c}`"),
    };
    format!("{what} (U+{:04X})", u32::from(character))
}

fn escaped(character: char) -> String {
    utf8_percent_encode(&character.to_string(), NON_ALPHANUMERIC).to_string()
}

/// The bytes that Base64 stands for, or why the text is none.
pub fn of_base64(base64: &str) -> Result<Vec<u8>, String> {
    let decoded = STANDARD.decode(base64.trim());
    decoded.map_err(|error| error.to_string().trim_end_matches('.').to_owned())
}

/// Whether a text is a media type that a part of a body can have.
#[must_use]
pub fn is_media_type(text: &str) -> bool {
    text.parse::<mime::Mime>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(checked: Result<(), Unsendable>) -> String {
        checked.unwrap_err().reason
    }

    #[test]
    fn a_name_before_a_password_has_no_colon() {
        for name in ["ann", "ann@shop.example", "Zoë \"x\"; a=b", ""] {
            assert_eq!(check_username("", name), Ok(()), "{name}");
        }
        let told = reason(check_username("", "ann:x"));
        assert_eq!(told, "the name for `Authorization: Basic` holds `:`");
        assert!(check_username("", "ann\n").is_err());
    }

    #[test]
    fn a_path_has_neither_controls_nor_a_fragment() {
        for path in ["/a/../b", "//a\\b", "/ü b", "/a%00", "/a?b='{x}|^"] {
            assert_eq!(check_path(path), Ok(()), "{path}");
        }
        assert_eq!(reason(check_path("/a\tb")), "the path holds a tab (U+0009)");
        assert_eq!(check_path("/a\0b").unwrap_err().help, "write it as `%00`");
        assert!(reason(check_path("/org#1")).starts_with("the path holds `#`"));
    }

    #[test]
    fn a_path_begins_with_a_slash_or_is_all_of_a_service() {
        assert_eq!(check_beginning("//a", false), Ok(()));
        assert_eq!(check_beginning("*", true), Ok(()));
        for path in ["*", "things", "", "http://localhost/x"] {
            assert!(check_beginning(path, path != "*").is_err(), "{path}");
        }
    }

    #[test]
    fn a_header_has_no_line_breaks_and_its_value_is_not_told() {
        assert_eq!(check_header("x-a", "a\tb \u{fc};"), Ok(()));
        let refused = |value: &str| reason(check_header("x-a", value));
        assert_eq!(
            refused("secret\r\nx-role: admin"),
            "the value of the header `x-a` holds a line break (U+000D)"
        );
        assert!(refused("a\0").ends_with("a NUL (U+0000)"));
        assert!(refused("\u{7f}").ends_with("a control character (U+007F)"));
        assert_eq!(
            reason(check_header("x\r\na", "")),
            "`x\\r\\na` is not a name of a header"
        );
    }

    #[test]
    fn a_cookie_is_one_cookie() {
        for value in ["", "a b", "\"quoted\"", "a=b", "%3B"] {
            assert_eq!(check_cookie("sid", value), Ok(()), "{value}");
        }
        for value in ["x; role=admin", "a,b", " a", "a ", "a\r\nb"] {
            assert!(check_cookie("sid", value).is_err(), "{value}");
        }
        for name in ["", "a=b", "a;", "a b", "ü"] {
            assert!(check_cookie(name, "1").is_err(), "{name}");
        }
        assert_eq!(
            reason(check_cookie("sid", "x; role=admin")),
            "the value of the cookie `sid` holds `;`"
        );
    }
}
