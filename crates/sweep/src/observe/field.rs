//! Where a field of a body is: as a path, which says nothing of an item's place in its list, and as a JSON pointer (RFC 6901).

use crate::http::decode::xml::TEXT;

/// The path of a member of what is at a path.
pub(super) fn member(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}

/// The path of the items of the list at a path.
pub(super) fn items(path: &str) -> String {
    format!("{path}[]")
}

/// The name of what stands under a key of what has a name: the text of an element is what the element is.
pub(super) fn name<'a>(name: &'a str, key: &'a str) -> &'a str {
    if key == TEXT { name } else { key }
}

/// A place in a body.
#[derive(Default)]
pub(super) struct Place {
    pub(super) path: String,
    pub(super) pointer: String,
}

impl Place {
    pub(super) fn member(&self, key: &str) -> Self {
        let escaped = key.replace('~', "~0").replace('/', "~1");
        Self {
            path: member(&self.path, key),
            pointer: format!("{}/{escaped}", self.pointer),
        }
    }

    pub(super) fn item(&self, at: usize) -> Self {
        Self {
            path: items(&self.path),
            pointer: format!("{}/{at}", self.pointer),
        }
    }
}
