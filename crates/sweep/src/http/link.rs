//! The header `Link` (RFC 8288), as far as pages are linked with it.

use super::Answer;

impl Answer {
    /// Where the link with this relation leads.
    pub(super) fn link(&self, relation: &str) -> Option<String> {
        let values = self.headers.get_all("link").iter();
        let values = values.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        values
            .into_iter()
            .find_map(|value| target(&value, relation))
    }
}

/// The path and the query of a link as they are written: a URL takes `..` and `%2e%2e` for ways, and a path goes out as it is.
/// None where the link has no whole path.
pub(super) fn written(link: &str) -> Option<&str> {
    let link = link.split('#').next()?;
    if link.starts_with('/') {
        return (!link.starts_with("//")).then_some(link);
    }
    let (_, place) = link.split_once("://")?;
    let path = place.get(place.find(['/', '?'])?..)?;
    path.starts_with('/').then_some(path)
}

/// The target of the first link in a header's value that has the relation.
fn target(value: &str, relation: &str) -> Option<String> {
    let mut links = links(value);
    let found = links.find(|link| {
        let mut words = link.relation().unwrap_or_default().split_whitespace();
        words.any(|word| word.eq_ignore_ascii_case(relation))
    });
    found.map(|link| link.target.trim().to_owned())
}

/// A link in a header's value.
pub(crate) struct Link<'v> {
    pub(crate) target: &'v str,
    pub(crate) parameters: &'v str,
}

impl<'v> Link<'v> {
    /// The value of `rel`.
    pub(crate) fn relation(&self) -> Option<&'v str> {
        let parameters = split(self.parameters, ';');
        let mut pairs = parameters.filter_map(|it| it.split_once('='));
        let relation = pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case("rel"));
        relation.map(|(_, value)| value.trim().trim_matches('"'))
    }
}

/// The links of a header's value.
pub(crate) fn links(value: &str) -> impl Iterator<Item = Link<'_>> {
    let mut rest = value;
    std::iter::from_fn(move || {
        let (_, link) = rest.split_once('<')?;
        let (target, parameters) = link.split_once('>')?;
        let (parameters, next) = parameters.split_at(end(parameters, ','));
        rest = next;
        Some(Link { target, parameters })
    })
}

/// The pieces between separators that are not in quotes.
fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let (piece, next) = rest?.split_at(end(rest?, separator));
        rest = next.strip_prefix(separator);
        Some(piece)
    })
}

/// Where the next separator is that is not in quotes, or else the text's end.
fn end(text: &str, separator: char) -> usize {
    let mut is_quoted = false;
    let is_end = |(_, c): &(usize, char)| {
        is_quoted ^= *c == '"';
        *c == separator && !is_quoted
    };
    let found = text.char_indices().find(is_end);
    found.map_or(text.len(), |(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_with_a_whole_path_has_it_as_it_is_written() {
        for (link, expected) in [
            ("/a//%2e%2e/b?c=../d#e", Some("/a//%2e%2e/b?c=../d")),
            ("http://host:1/a/../b?c", Some("/a/../b?c")),
            ("http://host//a?b=/c", Some("//a?b=/c")),
            ("http://host?a=/b", None),
            ("http://host", None),
            ("//host/a", None),
            ("/a?to=http://host/b", Some("/a?to=http://host/b")),
            ("?page=2", None),
            ("b/../c", None),
        ] {
            assert_eq!(written(link), expected, "{link}");
        }
    }

    #[test]
    fn the_link_with_a_relation_is_found_among_others() {
        let value = "</a?x=1,2>; rel=\"first prev\", <https://b/c>; title=\"x, <y>; rel=next\"; REL=Next; a";
        assert_eq!(target(value, "next").unwrap(), "https://b/c");
        assert_eq!(target(value, "prev").unwrap(), "/a?x=1,2");
        assert_eq!(target(value, "last"), None);
        assert_eq!(target("</a>; rel=nextpage", "next"), None);
        assert_eq!(target("nonsense", "next"), None);
        let relations: Vec<_> = links(value).map(|link| link.relation()).collect();
        assert_eq!(relations, [Some("first prev"), Some("Next")]);
        let relation = |value| links(value).next().and_then(|link| link.relation());
        assert_eq!(
            relation("</a>; title=\"a; rel=up\"; rel=next"),
            Some("next")
        );
        assert_eq!(relation("</a>; title=\"a; rel=up\""), None);
    }
}
