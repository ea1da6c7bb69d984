//! Answers that are no JSON: a short text, or a page whose title says no.

use std::sync::LazyLock;

use regex::Regex;

use super::{Reading, Refusal, Ruled, Seen};

/// A text that is longer says more than no.
const SHORT: usize = 500;

#[expect(clippy::unwrap_used, reason = "the pattern is a constant")]
static SAYS_NO: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?ix)\b(
            (permission|access) (\s is | \s was)? \s denied | forbidden | unauthori[sz]ed | unauthenticated
          | not \s (authori[sz]ed | authenticated | allowed | permitted | logged \s in | signed \s in)
          | (wrong | invalid | incorrect | bad) \s (user \s? name | login | password | credentials?) | insufficient \s (permissions? | privileges? | scopes? | rights)
          | (log-? \s? in | authentication) \s (is \s)? required | authentication \s failed
          | (must | need \s to | have \s to | please) \s (be \s logged \s in | log \s in | sign \s in)
          | no \s (permission | access) | operation \s denied | (401|403) \s error | error \s (401|403)
        )\b",
    )
    .unwrap()
});

/// Whether a code or a message says no: `ACCESS_DENIED`, `not-logged-in`.
pub(super) fn says_no(code: &str) -> bool {
    code.len() <= SHORT && SAYS_NO.is_match(&code.replace(['_', '-'], " "))
}

/// A sentence of a page that tells whoever reads it that they may not. What they may not do besides reading is said on pages
/// that are shown, too.
#[expect(clippy::unwrap_used, reason = "the pattern is a constant")]
static SENTENCE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?ix) > \s* ( (?: (?:sorry | error) [,:.!]? \s+ )? (?:but \s+)? you \s+
          (?: (?: are \s+ not | aren't ) \s+ (?:currently \s+)? (?: authori[sz]ed | allowed | permitted )
            | (?: do \s+ not | don't ) \s+ have \s+ (?: the \s+)? (?: (?:required | sufficient | necessary | enough) \s+)?
              (?: permissions? | privileges? | rights? | access ) )
          \b [^<]{0,200} ) <",
    )
    .unwrap()
});
#[expect(clippy::unwrap_used, reason = "the pattern is a constant")]
static OTHER_DEED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\bto\s+(?:edit|post|reply|comment|vote|create|add|delete|remove|upload|attach|moderate|rate|write|change)\b").unwrap()
});

/// What of a page is not read.
#[expect(clippy::unwrap_used, reason = "the pattern is a constant")]
static UNREAD: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?is)<script\b.*?</script\s*>|<style\b.*?</style\s*>|<template\b.*?</template\s*>|<textarea\b.*?</textarea\s*>|<!--.*?-->",
    )
    .unwrap()
});

/// The sentence of a page that refuses.
fn sentence(page: &str) -> Option<String> {
    let read = UNREAD.replace_all(page, "");
    let mut all = SENTENCE
        .captures_iter(&read)
        .filter_map(|found| found.get(1));
    let found = all.find(|found| !OTHER_DEED.is_match(found.as_str()))?;
    Some(
        found
            .as_str()
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" "),
    )
}

/// What a service says that does not know its caller, as 401 would.
#[expect(clippy::unwrap_used, reason = "the pattern is a constant")]
static ASKS_WHO: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?ix)
        unauthenticated | not[\s_-]?(authenticated | authed | logged[\s_-]in | signed[\s_-]in) | login\ page
        | (log[\s_-]?in | auth(entication)? | credentials?) [\s_-] (is\ )? (required | failed | invalid)
        | (invalid | unknown | bad | wrong | expired | missing | no) [\s_-] (auth | access | api | session)? [\s_-]? (token | key | session | credentials?)\b
        | (please | must | need\ to | have\ to) \s (be\s)? (log(ged)? | sign(ed)?) \s in",
    )
    .unwrap()
});

/// Whether a refusal says that the service does not know its caller.
pub(crate) fn asks_who(said: &str) -> bool {
    ASKS_WHO.is_match(said)
}

#[expect(clippy::unwrap_used, reason = "the pattern is a constant")]
static TITLE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?is)<(?:title|h1)[^>]*>\s*(.*?)\s*</(?:title|h1)").unwrap());

pub(super) fn read(seen: Seen<'_>) -> Reading {
    let text = seen.success_text()?;
    let said = if text.trim_start().starts_with('<') {
        let title = titles(text).find(|title| SAYS_NO.is_match(title));
        title.or_else(|| sentence(text))?
    } else {
        let is_no = text.len() <= SHORT && SAYS_NO.is_match(text);
        is_no.then(|| text.trim().to_owned())?
    };
    Some(Ruled::denied(Refusal {
        message: Some(said),
        ..Refusal::default()
    }))
}

/// The title of a page, or its first heading.
pub(super) fn title(page: &str) -> Option<String> {
    titles(page).next()
}

fn titles(page: &str) -> impl Iterator<Item = String> {
    let all = TITLE.captures_iter(page).filter_map(|found| found.get(1));
    all.map(|title| title.as_str().to_owned())
        .filter(|title| !title.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_text_says_no() {
        for text in [
            "ERR permission denied",
            "Forbidden",
            "You are not authorized to do this",
            "login required",
            "Error 403",
        ] {
            assert!(SAYS_NO.is_match(text), "{text}");
        }
        for text in [
            "OK, 3 rows: iban",
            "4031 items",
            "forbidding",
            "allowed: GET",
            "not found",
        ] {
            assert!(!SAYS_NO.is_match(text), "{text}");
        }
    }

    #[test]
    fn a_page_says_no_in_a_sentence_to_its_reader() {
        let page = |text: &str| format!("<title>Forum</title><h2>Information</h2><p>{text}</p>");
        for text in [
            "You are not authorised to read this forum.",
            "Sorry, you do not have permission to\n access this page",
            "You don't have the required privileges.",
        ] {
            assert!(sentence(&page(text)).is_some(), "{text}");
        }
        for text in [
            "You are not allowed to edit this page.",
            "You do not have permission to post replies",
            "He said: you are not authorised",
            "You are authorised",
        ] {
            assert_eq!(sentence(&page(text)), None, "{text}");
        }
        let script = "<script>let no = '<p>You are not authorised</p>';</script>";
        assert_eq!(sentence(&page(script)), None);
    }

    #[test]
    fn a_refusal_of_an_unknown_caller_is_told_from_one_of_a_known_one() {
        for text in [
            "UNAUTHENTICATED: x",
            "not_authed",
            "invalid_auth token",
            "Invalid API key",
            "login page: Log in",
            "You must log in",
            "no session",
        ] {
            assert!(asks_who(text), "{text}");
        }
        for text in [
            "FORBIDDEN: not yours",
            "permission denied",
            "no keys found for you",
            "key not found",
        ] {
            assert!(!asks_who(text), "{text}");
        }
    }
}
