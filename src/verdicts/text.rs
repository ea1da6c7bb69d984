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
          | insufficient \s (permissions? | privileges? | scopes? | rights)
          | (log-? \s? in | authentication) \s (is \s)? required | authentication \s failed
          | (must | need \s to | have \s to | please) \s (be \s logged \s in | log \s in | sign \s in)
          | no \s (permission | access) | operation \s denied | (401|403) \s error | error \s (401|403)
        )\b",
    )
    .unwrap()
});

#[expect(clippy::unwrap_used, reason = "the pattern is a constant")]
static TITLE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?is)<(?:title|h1)[^>]*>\s*(.*?)\s*</(?:title|h1)").unwrap());

pub(super) fn read(seen: Seen<'_>) -> Reading {
    let text = seen.success_text()?;
    let said = if text.trim_start().starts_with('<') {
        titles(text).find(|title| SAYS_NO.is_match(title))?
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
