//! Who is not let in and is sent to log in, or is shown the form.

use std::sync::LazyLock;

use regex::Regex;
use url::Url;

use super::text::title;
use super::{Reading, Refusal, Ruled, Seen};
use crate::record::Verdict;

/// A path at which one logs in, or is told no.
#[expect(clippy::unwrap_used, reason = "the pattern is a constant")]
static NO_WAY_IN: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?ix) (?: ^ | [/_.-] )
        (?: log-?_?in | sign-?_?in | log-?_?on | sso | saml2? | session s? /new | auth(?:enticate|orize)? (?: /? $ )
          | oauth2? / authorize | forbidden | unauthori[sz]ed | (?:access|permission)?-?_? denied
          | no-?_?(?:access|permission) | 40[13] )
        (?: [/_.-] | $ )",
    )
    .unwrap()
});

/// A query that says no: of OAuth (RFC 6749, section 4.1.2.1), and of pages that flash a message.
#[expect(clippy::unwrap_used, reason = "the pattern is a constant")]
static SAYS_NO: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?i)=(?:[^&]*[^a-z&])?(access_?denied|denied|forbidden|unauthori[sz]ed(_client)?|login_required|not_?allowed)\b",
    )
    .unwrap()
});

/// A field for a password, and a form or a title that is about logging in.
#[expect(clippy::unwrap_used, reason = "the pattern is a constant")]
static PASSWORD: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"(?is)<input[^>]+type\s*=\s*["']?password"#).unwrap());
#[expect(clippy::unwrap_used, reason = "the pattern is a constant")]
static FORM: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?is)<form[^>]+action\s*=[^>]*(log-?in|sign-?in|log-?on|session|auth|sso)")
        .unwrap()
});
#[expect(clippy::unwrap_used, reason = "the pattern is a constant")]
static BUTTON: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"(?is)<button[^>]*>\s*(log|sign)[- ]?(in|on)\b|<input[^>]+value\s*=\s*["']?(log|sign)[- ]?(in|on)\b"#).unwrap()
});
#[expect(clippy::unwrap_used, reason = "the pattern is a constant")]
static LOG_IN: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?i)\b(log|sign)[- ]?(in|on)\b").unwrap());

pub(super) fn redirect(seen: Seen<'_>) -> Reading {
    let redirect = seen.answer.redirect.as_ref()?;
    // Only the path and the query are looked at: a host can be called anything.
    let base = Url::parse("http://service/").ok()?;
    let to = base.join(&redirect.location).ok()?;
    let is_no = NO_WAY_IN.is_match(to.path()) || SAYS_NO.is_match(to.query().unwrap_or_default());
    // Where it leads is the gate already.
    is_no.then(|| Ruled {
        verdict: Some(Verdict::Denied),
        refusals: Vec::new(),
    })
}

pub(super) fn page(seen: Seen<'_>) -> Reading {
    let page = seen.success_text()?;
    let is_titled = || title(page).is_some_and(|title| LOG_IN.is_match(&title));
    let is_about = || FORM.is_match(page) || BUTTON.is_match(page) || is_titled();
    let is_login = PASSWORD.is_match(page) && is_about();
    is_login.then(|| {
        Ruled::denied(Refusal {
            kind: Some("login page".to_owned()),
            message: title(page),
            part: None,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_to_a_login_or_to_a_page_that_says_no() {
        for path in [
            "/login",
            "/users/sign_in",
            "/accounts/login/",
            "/auth",
            "/session/new",
            "/oauth2/authorize",
            "/forbidden",
            "/errors/403",
            "/access-denied",
            "/saml/redirect",
            "/Account/LogOn",
            "/auth/login.html",
        ] {
            assert!(NO_WAY_IN.is_match(path), "{path}");
        }
        for path in [
            "/",
            "/things/list",
            "/oauth/callback",
            "/authors/7",
            "/blogging",
            "/items/4031",
            "/designing",
            "/auth/callback",
        ] {
            assert!(!NO_WAY_IN.is_match(path), "{path}");
        }
    }

    #[test]
    fn a_query_says_no() {
        for query in [
            "flash=denied",
            "error=access_denied&state=1",
            "a=1&e=login_required",
            "m=permission%20denied",
        ] {
            assert!(SAYS_NO.is_match(query), "{query}");
        }
        assert!(!SAYS_NO.is_match("flash=saved&next=/denials"));
    }
}
