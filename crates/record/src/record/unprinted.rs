//! What of refusals stands in no file: whole texts, for whoever says where two sweeps differ.

use std::collections::BTreeMap;
use std::sync::Arc;

/// Texts as they were before they were cut and before what looks like a secret was taken out, by what a record has of
/// them.
#[derive(Debug, Clone, Default)]
pub struct Unprinted {
    whole: BTreeMap<String, Arc<str>>,
    masks: BTreeMap<String, Masked>,
}

/// A part of a text that shows a known value in part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Masked {
    /// The entity whose value it is.
    pub entity: String,
    /// Which of its values.
    pub field: String,
    /// The mask as a template.
    pub template: String,
}

impl Unprinted {
    /// Keeps the whole of a text, where a record has it otherwise.
    pub fn keep(&mut self, printed: &str, whole: &str) {
        if printed != whole {
            self.whole.insert(printed.to_owned(), whole.into());
        }
    }

    /// Keeps that a part of a text is a known value in part.
    pub fn keep_mask(&mut self, part: &str, masked: Masked) {
        self.masks.insert(part.to_owned(), masked);
    }

    /// Adds what another one has.
    pub fn extend(&mut self, other: Self) {
        self.whole.extend(other.whole);
        self.masks.extend(other.masks);
    }

    /// The whole of a text that a record has.
    #[must_use]
    pub fn whole<'t>(&'t self, printed: &'t str) -> &'t str {
        self.whole.get(printed).map_or(printed, |whole| whole)
    }

    /// The known value of which a text shows a part.
    #[must_use]
    pub fn mask_in(&self, text: &str) -> Option<(&str, &Masked)> {
        let mut masks = self.masks.iter();
        let found = masks.find(|(part, _)| text.contains(part.as_str()));
        found.map(|(part, masked)| (part.as_str(), masked))
    }
}
