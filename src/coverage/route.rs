//! Paths with placeholders, a suite's and a document's, compared segment by segment.

use authz_pin_suite::operations::is_like;

/// A path template.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Route(Vec<Segment>);

/// What stands between two slashes.
#[derive(Debug, PartialEq, Eq)]
struct Segment {
    /// The literal texts around the placeholders: one more than there are placeholders.
    texts: Vec<String>,
}

impl Route {
    /// A document's path: placeholders are `{name}`.
    pub(super) fn of_document(path: &str) -> Self {
        Self::cut(path, |rest| enclosed(rest, "{", "}"))
    }

    /// A suite's path: placeholders are what the template engine replaces. A query is no part of it.
    pub(super) fn of_suite(path: &str) -> Self {
        let placeholder = |rest: &str| {
            enclosed(rest, "{{", "}}")
                .or_else(|| enclosed(rest, "{%", "%}"))
                .or_else(|| enclosed(rest, "{#", "#}"))
        };
        Self::cut(path, placeholder)
    }

    fn cut(path: &str, placeholder: impl Fn(&str) -> Option<usize>) -> Self {
        let mut segments = vec![Segment::new()];
        let mut rest = path.strip_prefix('/').unwrap_or(path);
        while let Some(character) = rest.chars().next() {
            let mut length = character.len_utf8();
            match (placeholder(rest), character, segments.last_mut()) {
                (Some(enclosed), _, Some(segment)) => {
                    segment.texts.push(String::new());
                    length = enclosed;
                }
                (None, '?' | '#', _) => break,
                (None, '/', _) => segments.push(Segment::new()),
                (_, character, Some(segment)) => segment.push(character),
                (_, _, None) => {}
            }
            rest = rest.get(length..).unwrap_or_default();
        }
        Self(segments)
    }

    /// How well a path of a suite fits one of a document: for each segment whether the document names it. More names
    /// further to the left are better.
    pub(super) fn fit(&self, pattern: &Self) -> Option<Vec<bool>> {
        if self.0.len() != pattern.0.len() {
            return None;
        }
        let segments = self.0.iter().zip(&pattern.0);
        segments.map(|(own, pattern)| own.fit(pattern)).collect()
    }
}

impl Segment {
    fn new() -> Self {
        Self {
            texts: vec![String::new()],
        }
    }

    fn push(&mut self, character: char) {
        if let Some(text) = self.texts.last_mut() {
            text.push(character);
        }
    }

    fn is_literal(&self) -> bool {
        self.texts.len() == 1
    }

    /// Whether the document names the segment; none where it does not fit. What a suite fills in could be any text, but
    /// it stands for a placeholder and not for a name.
    fn fit(&self, pattern: &Self) -> Option<bool> {
        if self.texts == pattern.texts {
            return Some(pattern.is_literal());
        }
        if pattern.is_literal() {
            return None;
        }
        let fits = match self.texts.as_slice() {
            [text] => !text.is_empty() && is_like(&pattern.texts.join("*"), text),
            [before, after] => before.is_empty() && after.is_empty(),
            _ => false,
        };
        fits.then_some(false)
    }
}

/// How long what a text begins with is, if that is a placeholder.
fn enclosed(text: &str, open: &str, close: &str) -> Option<usize> {
    let inner = text.strip_prefix(open)?;
    Some(open.len() + inner.find(close)? + close.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fit(suite: &str, document: &str) -> Option<Vec<bool>> {
        Route::of_suite(suite).fit(&Route::of_document(document))
    }

    #[test]
    fn a_template_of_the_suite_fits_a_placeholder_of_the_document() {
        let suite = "/key/{{ target.key }}/regenerate";
        assert!(fit(suite, "/key/{key}/regenerate").is_some());
        assert!(fit(suite, "/key/{key:path}/regenerate").is_some());
        assert_eq!(fit(suite, "/key/{key}"), None);
        assert_eq!(fit(suite, "/key/all/regenerate"), None);
        assert_eq!(fit(suite, "/user/{key}/regenerate"), None);
    }

    #[test]
    fn slashes_and_marks_within_a_template_are_its_own() {
        let suite = "/key/{{ 'a/b?c' if target.key else '}' }}/regenerate?all={{ true }}#end";
        assert!(fit(suite, "/key/{key}/regenerate").is_some());
    }

    #[test]
    fn a_name_in_the_document_is_a_better_fit_than_a_placeholder() {
        let named = fit("/key/info", "/key/info");
        let placed = fit("/key/info", "/key/{key}");
        assert!(named > placed && placed.is_some());
        assert!(fit("/a/b", "/a/{x}") > fit("/a/b", "/{x}/b"));
    }

    #[test]
    fn a_part_of_a_segment_can_be_a_placeholder() {
        assert!(fit("/f/{{ target.id }}.json", "/f/{id}.json").is_some());
        assert!(fit("/f/{{ target.name }}", "/f/{id}.json").is_some());
        assert!(fit("/f/12.json", "/f/{id}.json").is_some());
        assert_eq!(fit("/f/12.yaml", "/f/{id}.json"), None);
        assert_eq!(fit("/f/x{{ target.id }}", "/f/{id}.json"), None);
    }

    #[test]
    fn an_empty_segment_is_no_value_of_a_placeholder() {
        assert_eq!(fit("/key/", "/key/{key}"), None);
        assert!(fit("/key/", "/key/").is_some() && fit("/", "/").is_some());
        assert_eq!(fit("/key", "/key/"), None);
    }
}
