//! How a text that a service wrote stands in a file: short, and without what looks like a secret.
//!
//! What a run knows has its name by then. What is left can still be a secret of the service itself that two sweeps show
//! alike: a key in a stack trace, a password in the address of a database. So what looks random stands as a digest, which
//! differs where it does; what is short and stands under the name of a secret is `<hidden>`, since a digest of few
//! characters can be undone by trying.

use std::borrow::Cow;
use std::sync::LazyLock;

use authz_pin_record::digest::sha256_hex;
use authz_pin_record::text::{plain, words};
use authz_pin_suite::secrets;
use regex::{Captures, Regex};
use serde_json::Value as Json;

use super::plain::{is_spoken_in_part, spoken};

/// How many characters of a digest stand in a file.
const DIGITS: usize = 8;
/// A shorter text under the name of a secret is hidden, a longer one is a digest.
const GUESSED: usize = 16;
/// A number in a `code` that has more digits is a secret, such as one of a second factor.
const CODE: usize = 5;
/// What stands for a secret of which not even a digest does.
pub(super) const HIDDEN: &str = "<hidden>";

/// A text that nobody has to read in whole: its head, and a digest of all of it where there is more.
pub(super) fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some((end, _)) => {
            let head = text.get(..end).unwrap_or_default();
            format!("{}... <whole {}>", head.trim_end(), digest(text))
        }
    }
}

/// The beginning of a digest.
pub(super) fn digest(text: &str) -> String {
    sha256_hex(text).chars().take(DIGITS).collect()
}

/// The value of a field with that name, as a file has it.
pub(super) fn value(name: &str, text: &str, most: usize) -> String {
    if !is_secret(name, text) {
        return cut(&redacted(text), most);
    }
    if text.chars().count() < GUESSED {
        return HIDDEN.to_owned();
    }
    format!("<text {}>", digest(text))
}

/// The value of a field with that name in full, unless the name is that of a secret.
pub(super) fn clear(name: &str, text: &str) -> String {
    if is_secret(name, text) {
        value(name, text, usize::MAX)
    } else {
        text.to_owned()
    }
}

/// Whether a field of a refusal holds a secret. A `code` is mostly one of the error, and a number of tokens is none.
pub(super) fn is_secret(name: &str, text: &str) -> bool {
    if !secrets::is_named(name) {
        return false;
    }
    // Codes of JSON-RPC are below zero.
    let number = text.strip_prefix('-').unwrap_or(text);
    let is_number = number.bytes().all(|byte| byte.is_ascii_digit());
    let is_spoken = |byte: u8| byte.is_ascii_alphabetic() || b"_-. ".contains(&byte);
    let is_code = words(name).last().is_some_and(|word| word == "code");
    let is_code = is_code && (is_number && number.len() <= CODE || text.bytes().all(is_spoken));
    let is_count = is_number && name.to_ascii_lowercase().ends_with("tokens");
    let is_named = text.starts_with('<') && text.ends_with('>');
    let is_nothing = ["", "null", "true", "false", "{}", "[]"].contains(&text);
    !(is_code || is_count || is_named || is_nothing)
}

/// The document without values that stand under the name of a secret.
pub(super) fn hidden(name: &str, json: &Json) -> Json {
    match json {
        Json::Array(items) => items.iter().map(|item| hidden(name, item)).collect(),
        Json::Object(map) => {
            let members = map.iter();
            members
                .map(|(name, value)| (name.clone(), hidden(name, value)))
                .collect()
        }
        Json::String(_) | Json::Number(_) if is_secret(name, &plain(json)) => {
            Json::from(value(name, &plain(json), usize::MAX))
        }
        other => other.clone(),
    }
}

/// The user and the password in the address of a service.
#[expect(clippy::unwrap_used, reason = "the pattern is a constant")]
static ADDRESS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"(://[^\s/:@<>"']*:)[^\s/@<>"']+@"#).unwrap());

/// A name with its value: `password=x`, `"password": "x"`, `Key (password)=(x)`.
#[expect(clippy::unwrap_used, reason = "the pattern is a constant")]
static MEMBER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r#"([A-Za-z][\w.-]*)((?:\\?["'])?\)?\s*(?:=>?\s*(?:\\?["']|\()?|:\s*\\?["']))([^\s"'<>(),;&{}\[\]\\]+)"#,
    )
    .unwrap()
});

/// A name with a value in quotes: `password='x y'`, `"password": "x y"`, also as a text within JSON.
#[expect(clippy::unwrap_used, reason = "the pattern is a constant")]
static QUOTED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r#"([A-Za-z][\w.-]*)((?:\\?["'])?\)?\s*(?:=>?|:)\s*)(\\".*?\\"|"[^"\\]*"|'[^'\\]*')"#,
    )
    .unwrap()
});

/// A name in quotes with a number: `"pin": 1234`.
#[expect(clippy::unwrap_used, reason = "the pattern is a constant")]
static NUMBER: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"([A-Za-z][\w.-]*)(\\?["']\s*:\s*)(\d+)"#).unwrap());

/// A private key as a file has it.
#[expect(clippy::unwrap_used, reason = "the pattern is a constant")]
static KEY: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*-----|\z)").unwrap()
});

/// A credential in a header that a text repeats.
#[expect(clippy::unwrap_used, reason = "the pattern is a constant")]
static CREDENTIAL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r#"(?i)(\bauthorization["']?\s*[:=]\s*["']?(?:bearer|basic|token|digest)\s+)[^\s"'<>]+"#,
    )
    .unwrap()
});

/// An element of XML with a text.
#[expect(clippy::unwrap_used, reason = "the pattern is a constant")]
static ELEMENT: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"<([A-Za-z][\w.-]*)>([^<>]+)</").unwrap());

/// A word that can be random.
#[expect(clippy::unwrap_used, reason = "the pattern is a constant")]
static WORD: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"[A-Za-z0-9][A-Za-z0-9_+/=-]{9,}").unwrap());

/// What stands in a text for a secret.
#[expect(clippy::unwrap_used, reason = "the pattern is a constant")]
static IN_PLACE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new("<hidden>|<(?:random|text) [0-9a-f]+>").unwrap());

/// Whether all of a text is what stands for a secret.
pub(crate) fn is_in_place(text: &str) -> bool {
    IN_PLACE
        .find(text)
        .is_some_and(|found| found.len() == text.len())
}

/// The parts of a text that look like secrets.
pub(crate) fn secrets_in(text: &str) -> Vec<&str> {
    let clean = redacted(text);
    let (mut rest, mut found) = (text, Vec::new());
    // What stands between them is in the text as well, and in the same order.
    for literal in IN_PLACE.split(&clean) {
        let at = rest.find(literal).unwrap_or(rest.len());
        found.push(rest.get(..at).unwrap_or_default());
        rest = rest.get(at + literal.len()..).unwrap_or_default();
    }
    if !clean.ends_with(rest) {
        found.push(rest);
    }
    found.retain(|part| !part.is_empty());
    found
}

/// The text without what looks like a secret.
pub(crate) fn redacted(text: &str) -> Cow<'_, str> {
    let text = if has_marks(text) {
        without_members(text)
    } else {
        text.into()
    };
    replaced(&WORD, text, |found| word(group(found, 0)))
}

/// Whether a text has a mark without which none of the patterns but [`WORD`] matches: most have none.
fn has_marks(text: &str) -> bool {
    text.contains([':', '=', '<']) || text.contains("-----")
}

/// The text without what stands beside a name, or in a form of its own, and is a secret by that.
fn without_members(text: &str) -> Cow<'_, str> {
    let text = replaced(&KEY, text.into(), |_| HIDDEN.to_owned());
    let text = replaced(&ADDRESS, text, |found| {
        format!("{}{HIDDEN}@", group(found, 1))
    });
    let member = |found: &Captures<'_>| {
        let [name, between, value] = [1, 2, 3].map(|at| group(found, at));
        format!("{name}{between}{}", self::value(name, value, usize::MAX))
    };
    let text = replaced(&CREDENTIAL, text, |found| {
        format!("{}{HIDDEN}", group(found, 1))
    });
    let text = replaced(&ELEMENT, text, |found| {
        let [whole, name, value] = [0, 1, 2].map(|at| group(found, at));
        let hidden = self::value(name, value, usize::MAX);
        whole.replacen(&format!(">{value}<"), &format!(">{hidden}<"), 1)
    });
    let text = replaced(&QUOTED, text, |found| {
        let [name, between, quoted] = [1, 2, 3].map(|at| group(found, at));
        let inner = quoted.trim_matches(['\\', '"', '\'']);
        if is_secret(name, inner) {
            let value = value(name, inner, usize::MAX);
            format!("{name}{between}{}", quoted.replacen(inner, &value, 1))
        } else {
            group(found, 0).to_owned()
        }
    });
    let text = replaced(&MEMBER, text, member);
    replaced(&NUMBER, text, member)
}

pub(super) fn group<'t>(found: &Captures<'t>, at: usize) -> &'t str {
    found.get(at).map_or("", |found| found.as_str())
}

fn replaced<'t>(
    pattern: &Regex,
    text: Cow<'t, str>,
    with: impl Fn(&Captures<'_>) -> String,
) -> Cow<'t, str> {
    match pattern.replace_all(&text, with) {
        Cow::Borrowed(_) => text,
        Cow::Owned(replaced) => replaced.into(),
    }
}

fn word(word: &str) -> String {
    if is_random(word) {
        format!("<random {}>", digest(word))
    } else {
        word.to_owned()
    }
}

/// Whether a word looks as if it was drawn: by how a credential begins, or by how its characters change.
pub(crate) fn is_random(word: &str) -> bool {
    let is_uuid = || {
        let hex: String = word.chars().filter(|c| *c != '-').collect();
        hex.len() == 32 && is_hex(&hex)
    };
    let parts = word.split(['-', '_', '/', '+', '=']);
    secrets::is_value(word) || is_uuid() || parts.into_iter().any(is_drawn) || is_base64(word)
}

/// Whether a word with the marks of Base64 looks drawn as a whole: between them there can be few characters.
fn is_base64(word: &str) -> bool {
    let bare = word.replace(['/', '+', '='], "");
    let has = |is: fn(u8) -> bool| bare.bytes().any(is);
    let has_all = has(|b| b.is_ascii_digit())
        && has(|b| b.is_ascii_uppercase())
        && has(|b| b.is_ascii_lowercase());
    let bytes = bare.as_bytes();
    let pairs = bytes.iter().zip(bytes.iter().skip(1));
    let classes = pairs
        .filter(|(one, other)| class(**one) != class(**other))
        .count();
    bare.len() < word.len() && bare.len() >= 32 && has_all && classes * 3 >= bare.len() - 1
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn is_drawn(part: &str) -> bool {
    let bytes = part.as_bytes();
    let pairs = || bytes.iter().zip(bytes.iter().skip(1));
    let count = |is: fn(&u8, &u8) -> bool| pairs().filter(|(one, other)| is(one, other)).count();
    let digits = count(|one, other| one.is_ascii_digit() != other.is_ascii_digit());
    let classes = count(|one, other| class(*one) != class(*other));
    if part.len() < GUESSED {
        return part.len() >= 10 && digits >= 4;
    }
    let has_digit = part.bytes().any(|byte| byte.is_ascii_digit());
    let is_mixed = classes * 5 >= (part.len() - 1) * 2;
    let is_garbled = || part.is_ascii() && classes >= CLASSES && spoken(part) < GARBLED;
    has_digit && is_hex(part) || digits >= 3 || is_mixed && !is_name_of_words(part) || is_garbled()
}

/// Whether a word is several that begin with capitals, as in `updateNoteByRowId`: what was drawn has shorter ones, and other
/// pairs of letters.
fn is_name_of_words(part: &str) -> bool {
    let is_letters = part.bytes().all(|byte| byte.is_ascii_alphabetic());
    is_letters && words(part).len() * WORD_OF_NAME <= part.len() && is_spoken_in_part(part)
}

/// How often capitals, small letters and digits change in a word that is drawn if nobody can say it.
const CLASSES: usize = 4;
/// How much of its pairs of letters are those of words at most, in parts of a hundred.
const GARBLED: usize = 34;

/// How many letters the words of a name have at least, on average.
const WORD_OF_NAME: usize = 3;

fn class(byte: u8) -> u8 {
    match byte {
        b'0'..=b'9' => 0,
        b'a'..=b'z' => 1,
        _ => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use authz_pin_suite::template::random;

    #[test]
    fn what_looks_random_stands_as_a_digest() {
        let drawn = [
            "9f86d081884c7d65",
            "2b1d0a9e-1111-4222-8333-444455556666",
            "x7Kp2mQ9rT4z",
            "4111111111111111",
            "sk_live_nobodyknows",
        ];
        for word in drawn {
            let shown = redacted(word).into_owned();
            assert_eq!(shown, format!("<random {}>", digest(word)));
        }
        // Of 20,000 words 30 are missed on average, so more than 80 are never missed by chance.
        let missed = (0..20_000).filter(|_| !is_random(&random(24))).count();
        assert!(
            missed <= 80,
            "{missed} of 20,000 random words were taken for spoken ones"
        );
    }

    #[test]
    fn what_people_say_stays() {
        let spoken = [
            "Team member does not have permissions for endpoint: KeyManagementRoutes.KEY_UPDATE.",
            "'AccountTokenView' object is not subscriptable",
            r#"File "/usr/lib/python3.11/site-packages/service/v2/handlers.py", line 1274, in update"#,
            "at org.springframework.web.servlet.DispatcherServlet.doDispatch(DispatcherServlet.java:1089)",
            "Received API Key = <actor.key_name>, Key Hash (Token) =<actor.token>. Route=/key/service-account/generate",
            "token: must not be empty, password: too short",
            r#"{"error":"forbidden","code":"not_yours","status":403}"#,
            "updateNoteByRowId: no values were updated in collection deleteNoteByRowId",
            "personByAuthorId is no field of mlflowSearchModelVersions",
            "urn:ietf:rfc:9457, https://tools.ietf.org/html/rfc9110#section-15.5.4",
        ];
        assert_eq!(spoken.map(|text| redacted(text).into_owned()), spoken);
    }

    #[test]
    fn credentials_of_headers_and_elements_are_hidden_within_texts() {
        let said = redacted("curl -H 'Authorization: Bearer sesame' x; Bearer token is missing");
        assert_eq!(
            said,
            "curl -H 'Authorization: Bearer <hidden>' x; Bearer token is missing"
        );
        let said = redacted(r#"password='correct horse' and \"pwd\": \"a b\", user="c d""#);
        assert_eq!(
            said,
            r#"password='<hidden>' and \"pwd\": \"<hidden>\", user="c d""#
        );
        let said = redacted("<User>carol</User><Password>sesame</Password>");
        assert_eq!(said, "<User>carol</User><Password><hidden></Password>");
        let key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
        assert!(!redacted(&format!("key {key} is unknown")).contains("MDENG"));
    }

    #[test]
    fn values_under_the_names_of_secrets_are_hidden_within_texts() {
        let texts = [
            (
                "postgres://app:hunter2@db/x",
                "postgres://app:<hidden>@db/x",
            ),
            (
                "cannot connect: password=hunter2 host=db",
                "cannot connect: password=<hidden> host=db",
            ),
            (
                r#"{"api_key":"swordfish","user":"x"}"#,
                r#"{"api_key":"<hidden>","user":"x"}"#,
            ),
            (
                r"DETAIL: Key (token)=(abc) already exists",
                r"DETAIL: Key (token)=(<hidden>) already exists",
            ),
            ("-----BEGIN RSA PRIVATE KEY-----\nMIIE", "<hidden>"),
            ("{'pin': '1234'}", "{'pin': '<hidden>'}"),
            (
                "{'pin': 1234, 'code': 403}",
                "{'pin': <hidden>, 'code': 403}",
            ),
        ];
        for (text, shown) in texts {
            assert_eq!(redacted(text), shown);
        }
    }

    #[test]
    fn a_field_is_hidden_by_its_name_and_a_code_is_mostly_no_secret() {
        let shown = |name: &str, text: &str| value(name, text, 60);
        assert_eq!(shown("password", "hunter2"), HIDDEN);
        assert_eq!(
            shown("clientSecret", &"x".repeat(16)),
            format!("<text {}>", digest(&"x".repeat(16)))
        );
        assert_eq!(shown("code", "403"), "403");
        assert_eq!(shown("error_code", "NOT_YOURS"), "NOT_YOURS");
        assert_eq!(shown("code", "-32600"), "-32600");
        assert_eq!(shown("code", "481516"), HIDDEN);
        assert_eq!(shown("token", "<actor.token>"), "<actor.token>");
        assert_eq!(shown("token", "null"), "null");
        let body = serde_json::json!({"otp": 481_516, "max_tokens": 4096, "tokens": ["abc"]});
        let expected = serde_json::json!({"otp": HIDDEN, "max_tokens": 4096, "tokens": [HIDDEN]});
        assert_eq!(hidden("", &body), expected);
    }

    #[test]
    fn the_secrets_of_a_text_are_what_was_taken_out_of_it() {
        let text = "password=one, then postgres://a:two@db and token=three";
        assert_eq!(secrets_in(text), ["one", "two", "three"]);
        assert_eq!(secrets_in("nothing to hide"), [""; 0]);
    }

    #[test]
    fn a_long_text_is_its_head_and_a_digest_of_all_of_it() {
        let texts = ["a", "b"].map(|end| cut(&format!("{}{end}", "word ".repeat(20)), 10));
        assert!(
            texts
                .iter()
                .all(|text| text.starts_with("word word... <whole "))
        );
        assert_ne!(texts[0], texts[1]);
        assert_eq!(cut("short", 5), "short");
    }
}
