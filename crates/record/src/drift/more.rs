//! Whether a refusal says what it said and more.

use similar::{Algorithm, DiffOp, capture_diff_slices};

/// What a gate begins with that is a place.
const LEADS: &str = "redirect to ";

/// Whether two refusals lead to places on two hosts: whoever logs in there gives a password to somebody else.
pub(super) fn is_elsewhere(was: &str, is: &str) -> bool {
    let host = |gate: &str| {
        let place = gate.strip_prefix(LEADS)?;
        let end = place.find(['?', '#']).unwrap_or(place.len());
        let (_, rest) = place.get(..end)?.split_once("://").unwrap_or_default();
        rest.split('/').next().map(str::to_owned)
    };
    host(was).zip(host(is)).is_some_and(|(was, is)| was != is)
}

/// Whether a text says all that another one said, in that order, and more. Of one that is cut nobody knows what is changed
/// behind its beginning, so that counts as more, as another value in a field does.
pub(super) fn tells_more(was: &str, is: &str) -> bool {
    let path = |text: &str| {
        let place = text.strip_prefix(LEADS)?;
        place.split('?').next().map(str::to_owned)
    };
    if path(was) != path(is) {
        return false;
    }
    let (before, after) = (Said::of(was), Said::of(is));
    if before.words == after.words {
        return before.digest != after.digest && after.digest.is_some();
    }
    if after.is_cut && !before.is_cut {
        return true;
    }
    let all = capture_diff_slices(Algorithm::Myers, &before.words, &after.words);
    // What was added to a text that is cut moved its end out of sight.
    let seen = match all.split_last() {
        Some((DiffOp::Delete { .. }, others)) if after.is_cut => others,
        _ => &all,
    };
    let is_added = |op: &DiffOp| matches!(op, DiffOp::Insert { .. });
    let is_kept = |op: &DiffOp| matches!(op, DiffOp::Equal { .. } | DiffOp::Insert { .. });
    seen.iter().all(is_kept) && seen.iter().any(is_added)
}

/// A text as a record has it.
struct Said<'t> {
    words: Vec<&'t str>,
    is_cut: bool,
    /// The digest of all of it, where it is not printed in whole.
    digest: Option<&'t str>,
}

impl<'t> Said<'t> {
    fn of(text: &'t str) -> Self {
        let found = ["<whole ", "<page "].into_iter().find_map(|marker| {
            let (text, digest) = text.rsplit_once(marker)?;
            Some((text.trim_end(), Some(digest)))
        });
        let (text, digest) = found.unwrap_or((text, None));
        let is_cut = digest.is_some() && text.ends_with("...");
        let mut words: Vec<&str> = words(text).collect();
        if is_cut {
            // The last one can be the beginning of one.
            words.pop();
        }
        Self {
            words,
            is_cut,
            digest,
        }
    }
}

/// The words of a text.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
    words.filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_says_more_that_has_all_of_another_one() {
        let more = [
            ("Not yours", "Not yours. SELECT * FROM item"),
            (
                "Not yours <page 1a2b>",
                "Error 7 Not yours at views.py:31 <page 2b3c>",
            ),
            ("Not yours <page 1a2b>", "Not yours <page 2b3c>"),
            (r#"{"error":"no"}"#, r#"{"error":"no","stack":"at x"}"#),
            ("<Code>No</Code>", "<Code>No</Code><Owner>ann</Owner>"),
            ("No", "No and then a long story goes on... <whole 1a2b>"),
            (
                "a long story goes on... <whole 1a2b>",
                "a long story goes on... <whole 3c4d>",
            ),
            (
                "a long story goes on a... <page 1a2b>",
                "a very long story goes... <page 3c4d>",
            ),
            (
                "redirect to /in?why=denied",
                "redirect to /in?sql=select&why=denied",
            ),
            ("", "Traceback"),
        ];
        for (was, is) in more {
            assert!(tells_more(was, is), "{was} -> {is}");
        }
        let other = [
            ("Not yours", "Not found"),
            ("Not yours, SQL", "Not yours"),
            (
                "Not yours <page 1a2b>",
                "Closed today and all of tomorrow <page 2b3c>",
            ),
            ("redirect to /login", "redirect to /sign/login"),
            ("No", "no"),
            ("No", "No!"),
        ];
        for (was, is) in other {
            assert!(!tells_more(was, is), "{was} -> {is}");
        }
    }

    #[test]
    fn a_refusal_that_leads_to_another_host_leads_elsewhere() {
        let to = |place: &str| format!("redirect to {place}");
        assert!(is_elsewhere(
            &to("/login"),
            &to("https://elsewhere.example/login")
        ));
        assert!(!is_elsewhere(
            &to("/login"),
            &to("/signin?next=https://a.example/")
        ));
        assert!(!is_elsewhere("no", &to("https://elsewhere.example/login")));
    }
}
