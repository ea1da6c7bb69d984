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

/// The target of the first link in a header's value that has the relation.
fn target(value: &str, relation: &str) -> Option<String> {
    let mut rest = value;
    loop {
        let (_, link) = rest.split_once('<')?;
        let (target, parameters) = link.split_once('>')?;
        let (parameters, next) = parameters.split_at(end(parameters));
        if has(parameters, relation) {
            return Some(target.trim().to_owned());
        }
        rest = next;
    }
}

/// Where the parameters of a link end: at a comma that is not in quotes.
fn end(parameters: &str) -> usize {
    let mut is_quoted = false;
    let comma = |(_, c): &(usize, char)| {
        is_quoted ^= *c == '"';
        *c == ',' && !is_quoted
    };
    let found = parameters.char_indices().find(comma);
    found.map_or(parameters.len(), |(at, _)| at)
}

/// Whether `rel` has the relation among its words.
fn has(parameters: &str, relation: &str) -> bool {
    let mut pairs = parameters.split(';').filter_map(|it| it.split_once('='));
    pairs.any(|(name, value)| {
        let mut words = value.trim().trim_matches('"').split_whitespace();
        name.trim().eq_ignore_ascii_case("rel")
            && words.any(|word| word.eq_ignore_ascii_case(relation))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_link_with_a_relation_is_found_among_others() {
        let value = "</a?x=1,2>; rel=\"first prev\", <https://b/c>; title=\"x, <y>; rel=next\"; REL=Next; a";
        assert_eq!(target(value, "next").unwrap(), "https://b/c");
        assert_eq!(target(value, "prev").unwrap(), "/a?x=1,2");
        assert_eq!(target(value, "last"), None);
        assert_eq!(target("</a>; rel=nextpage", "next"), None);
        assert_eq!(target("nonsense", "next"), None);
    }
}
