//! Whether the body of a redirect only says the redirect again, as servers write it for clients that do not follow one.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;

/// A longer body is more than that.
const LONGEST: usize = 2_000;

/// The words of such bodies, as frameworks and proxies write them.
const WORDS: &str = "a and apache are at automatically available be been being click continue document error follow found \
    go has here html http https if is it link location moved nginx not now object of on openresty other page \
    permanent permanently please port redirect redirected redirecting redirection request resource see server should \
    target temporarily temporary that the this to url use via wait will you your";

/// Whether a text says nothing but that the client is to go elsewhere.
pub(super) fn is_stub(text: &str, location: &str) -> bool {
    if text.len() > LONGEST {
        return false;
    }
    let mut text = text.to_owned();
    // As in a text of HTML, too.
    for form in [location, &location.replace('&', "&amp;")] {
        if form.len() > 1 {
            text = text.replace(form, " ");
        }
    }
    let text = TAGS.replace_all(&text, " ").to_ascii_lowercase();
    let mut words = text.split(|c: char| !c.is_alphanumeric());
    words.all(is_known)
}

fn is_known(word: &str) -> bool {
    static KNOWN: LazyLock<BTreeSet<&str>> = LazyLock::new(|| WORDS.split_whitespace().collect());
    let is_status =
        word.len() == 3 && word.starts_with('3') && word.bytes().all(|b| b.is_ascii_digit());
    word.is_empty() || is_status || KNOWN.contains(word) || ["amp", "quot"].contains(&word)
}

/// Tags with their attributes. What stands in a comment counts as said.
#[expect(clippy::unwrap_used, reason = "the pattern is a constant")]
static TAGS: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"<[!/]?[a-zA-Z][^>]*>").unwrap());

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_servers_write_beside_a_redirect_is_a_stub() {
        let bodies = [
            "",
            "<!doctype html>\n<html lang=en>\n<title>Redirecting...</title>\n<h1>Redirecting...</h1>\n<p>You should be \
             redirected automatically to the target URL: <a href=\"/in?a=1&amp;b=2\">/in?a=1&amp;b=2</a>. If not, click the link.\n",
            "<p>Found. Redirecting to /in?a=1&b=2</p>",
            "<a href=\"/in?a=1&amp;b=2\">See Other</a>.\n\n",
            "<html>\r\n<head><title>302 Found</title></head>\r\n<body>\r\n<center><h1>302 Found</h1></center>\r\n\
             <hr><center>nginx</center>\r\n</body>\r\n</html>\r\n",
            "<html><body>You are being <a href=\"/in?a=1&amp;b=2\">redirected</a>.</body></html>",
        ];
        let is_other = |body: &&&str| !is_stub(body, "/in?a=1&b=2");
        assert_eq!(bodies.iter().find(is_other), None);
    }

    #[test]
    fn a_body_that_says_more_is_none() {
        let bodies = [
            "<h1>Redirecting...</h1><p>Balance: 17</p>",
            "<p>Found. Redirecting to /elsewhere</p>",
            "<!-- balance: 17 --><p>Found.</p>",
            "DE02120300000000202051",
            "Redirecting to alice",
        ];
        assert_eq!(bodies.iter().find(|body| is_stub(body, "/")), None);
    }
}
