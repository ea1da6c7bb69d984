//! Where a field of a body is: as a path, which says nothing of an item's place in its list, and as a JSON pointer (RFC 6901).

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
