//! Who is not let in and is sent to log in, or is shown the form.

use std::sync::LazyLock;

use authz_pin_record::record::Verdict;
use regex::Regex;
use url::{Url, form_urlencoded};

use super::elsewhere::places;
use super::text::title;
use super::{Reading, Refusal, Ruled, Seen};
use crate::http::Answer;

/// A path at which one logs in, or is told no.
#[expect(clippy::unwrap_used, reason = "the pattern is a constant")]
static NO_WAY_IN: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?ix) (?: ^ | [/_.-] )
        (?: re-?_?log-?_?in | log-?_?in | sign-?_?in | log-?_?on | sso | saml2? | session s? /new | auth(?:enticate|orize)? (?: /? $ )
          | oauth2? / authorize | forbidden | unauthori[sz]ed | unauthenticated | (?:access|permission)?-?_? denied
          | (?:session|token|login)[/_-]? (?:expired|timed?-?_?out|invalid|ended)
          | not-?_?(?:allowed|permitted|authori[sz]ed|logged-?_?in)
          | no-?_?(?:access|permission) | 40[13] )
        (?: [/_.-] | $ )
        | ^ / (?: errors? | expired | timed?out ) (?: [/.] | $ )",
    )
    .unwrap()
});

/// The value of a parameter that says no, as pages that flash a message have it.
#[expect(clippy::unwrap_used, reason = "the pattern is a constant")]
static SAYS_NO: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?ix) ^ (?: .* [^a-z] )? (?: access[_\s-]?denied | denied | forbidden | unauthori[sz]ed (?:_client)?
          | (?:log-?in|auth)[_\s-]?required | not[_\s-]?(?:allowed|permitted|authori[sz]ed|authenticated|logged[_\s-]?in)
          | no[_\s-]?(?:access|permission) | (?:session|token|login)[_\s-]?(?:has[_\s-])?(?:expired|timed?[_\s-]?out|invalid|ended) ) (?: [^a-z_-] | $ )",
    )
    .unwrap()
});

/// The name of a parameter that says what went wrong (RFC 6749, section 4.1.2.1), if anything did.
#[expect(clippy::unwrap_used, reason = "the pattern is a constant")]
static ERROR: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?ix) ^ (?: (?:auth|login|access|session)? [_-]? err(?:or)? (?:[_-]?(?:code|message|msg|description))?
        | (?:session|token)[_-]?(?:expired|timeout) | (?:access[_-]?)? denied | forbidden | unauthori[sz]ed | logged[_-]?out ) $")
        .unwrap()
});

/// The name of a parameter for the state of a session, and what it says of one that is over.
#[expect(clippy::unwrap_used, reason = "the pattern is a constant")]
static SESSION: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?i)^(?:session|token|login|auth)$").unwrap());
const OVER: [&str; 5] = ["expired", "timeout", "invalid", "required", "failed"];

/// The name of a parameter for the way back, for whoever is let in later.
#[expect(clippy::unwrap_used, reason = "the pattern is a constant")]
static BACK: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)^(?:next|return.*|redirect.*|continue|back.*|goto|dest.*|service|target|rd?|ru|came[_-]?from|after.*)$")
        .unwrap()
});

/// Values of an error that is none.
const NONE: [&str; 6] = ["", "0", "false", "no", "none", "null"];

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
    let is_no = match &seen.answer.redirect {
        Some(redirect) => refuses(seen.answer, &redirect.location),
        None => leads(seen.answer).is_some(),
    };
    // Where it leads is the gate already.
    is_no.then(|| Ruled {
        verdict: Some(Verdict::Denied),
        refusals: Vec::new(),
    })
}

/// The place to which a success leads whoever it refuses.
pub(super) fn leads(answer: &Answer) -> Option<String> {
    let is_other = answer.redirect.is_some() || !answer.is_success();
    let mut places = if is_other { Vec::new() } else { places(answer) }.into_iter();
    let found = places.find(|leads| refuses(answer, &leads.place))?;
    Some(found.place)
}

/// Whether a place is one where one logs in or is told no. Only the path and what follows it are looked at: a host can be
/// called anything.
fn refuses(answer: &Answer, location: &str) -> bool {
    let service = || Url::parse("http://service/").ok();
    let Some(base) = answer.url.clone().or_else(service) else {
        return false;
    };
    let Ok(to) = base.join(location) else {
        return false;
    };
    let fragment = to.fragment().unwrap_or_default();
    let (view, view_query) = fragment.split_once('?').unwrap_or((fragment, ""));
    let is_view = view.starts_with(['/', '!']);
    NO_WAY_IN.is_match(to.path())
        || to
            .query_pairs()
            .any(|(name, value)| says_no(&base, &name, &value))
        || is_view && NO_WAY_IN.is_match(view.trim_start_matches('!'))
        || form_urlencoded::parse(view_query.as_bytes())
            .any(|(name, value)| says_no(&base, &name, &value))
}

/// Whether a parameter says that the caller is refused, or where it wanted to be: a place that leads back there is no way in.
fn says_no(called: &Url, name: &str, value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    let is_back = || {
        let back = called.join(value);
        let is_whole = value.starts_with('/') || value.contains("://");
        is_whole && called.path().len() > 1 && back.is_ok_and(|back| back.path() == called.path())
    };
    if BACK.is_match(name) {
        return is_back();
    }
    SAYS_NO.is_match(&lower)
        || ERROR.is_match(name) && !NONE.contains(&&*lower)
        || SESSION.is_match(name) && OVER.contains(&&*lower)
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
            ..Refusal::default()
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether an answer to a call of `/items/7` refuses that leads there.
    fn is_no(location: &str) -> bool {
        let answer = Answer {
            status: 302,
            redirect: None,
            url: Url::parse("http://service/items/7?all=1").ok(),
            headers: crate::http::HeaderMap::new(),
            body: crate::http::Body::Text(String::new()),
        };
        refuses(&answer, location)
    }

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
            "/session-expired",
            "/session/timeout",
            "/error",
            "/#/login",
            "/#!/denied?x=1",
            "/#/home?error=1",
        ] {
            assert!(is_no(path), "{path}");
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
            "/items/expired",
            "/items/errors",
            "/#/home",
            "/#errors",
        ] {
            assert!(!is_no(path), "{path}");
        }
    }

    #[test]
    fn a_query_says_no_or_leads_back_to_where_the_caller_wanted_to_be() {
        for query in [
            "flash=denied",
            "error=access_denied&state=1",
            "a=1&e=login_required",
            "m=permission%20denied",
            "error=1",
            "session=expired",
            "reason=session-expired",
            "login_error=bad",
            "next=/items/7",
            "return_to=http%3A%2F%2Fservice%2Fitems%2F7%3Fall%3D1",
        ] {
            assert!(is_no(&format!("/welcome?{query}")), "{query}");
        }
        for query in [
            "flash=saved&next=/denials",
            "error=0",
            "error=",
            "errors=none",
            "status=expired",
            "next=/items",
            "q=denied-boarding-rules",
            "from=/items/7",
            "session=new",
        ] {
            assert!(!is_no(&format!("/welcome?{query}")), "{query}");
        }
    }
}
