//! Texts in which a known value is one character, so that whatever is cut out of a text, no value is cut.

use std::collections::BTreeSet;

use super::{kinds_of_names, printable};
use crate::symbols::{Namer, Piece, View};

/// The first of the characters that stand for known values: nobody uses these, and a text that has one loses it.
const FIRST: u32 = 0xF_0000;
/// The last of them.
const LAST: u32 = 0xF_FFFD;

/// Whether a character stands for a known value.
pub(super) fn is_mark(c: char) -> bool {
    (FIRST..=LAST).contains(&u32::from(c))
}

/// Marks known values, and gives their names back.
pub(super) struct Marks<'a> {
    namer: &'a Namer,
    view: View<'a>,
    names: Vec<String>,
    /// The identifiers that were found.
    pub(super) disclosed: BTreeSet<String>,
}

impl<'a> Marks<'a> {
    pub(super) fn new(namer: &'a Namer, view: View<'a>) -> Self {
        Self {
            namer,
            view,
            names: Vec::new(),
            disclosed: BTreeSet::new(),
        }
    }

    /// The text, which stands under a key, with each known value as one character.
    pub(super) fn mark(&mut self, key: &str, text: &str) -> String {
        let is_foreign = |c| is_mark(c) && !self.is_known(c);
        let clean = text.contains(is_foreign);
        let clean = clean.then(|| text.replace(is_foreign, "\u{fffd}"));
        let text = clean.as_deref().unwrap_or(text);
        let mut marked = String::with_capacity(text.len());
        for piece in self.namer.pieces_under(key, text, self.view) {
            match piece {
                Piece::Text(text) => marked.push_str(text),
                Piece::Symbol { name, discloses } => {
                    marked.push(self.mark_of(&name));
                    if discloses {
                        self.disclosed.insert(name);
                    }
                }
            }
        }
        marked
    }

    fn mark_of(&mut self, name: &str) -> char {
        let known = self.names.iter().position(|known| known == name);
        let at = known.unwrap_or_else(|| {
            self.names.push(name.to_owned());
            self.names.len() - 1
        });
        let mark = u32::try_from(at).ok().map(|at| FIRST + at);
        let mark = mark.filter(|mark| *mark <= LAST).and_then(char::from_u32);
        mark.unwrap_or(char::REPLACEMENT_CHARACTER)
    }

    fn name_of(&self, mark: char) -> Option<&String> {
        let at = u32::from(mark).checked_sub(FIRST)?;
        self.names.get(usize::try_from(at).ok()?)
    }

    fn is_known(&self, mark: char) -> bool {
        self.name_of(mark).is_some()
    }

    /// The text with names in place of the marks, by what they are, not whose. It is named once more: what was decoded or
    /// left out can have put letters beside others that complete a value with them.
    pub(super) fn named(&self, marked: &str) -> String {
        let mut text = String::with_capacity(marked.len());
        for c in marked.chars() {
            match self.name_of(c) {
                Some(name) => text.extend(["<", name, ">"]),
                None => text.push(c),
            }
        }
        let pieces = self.namer.pieces_under("", &text, self.view);
        let named = pieces.into_iter().map(|piece| match piece {
            Piece::Text(text) => text.to_owned(),
            Piece::Symbol { name, .. } => format!("<{name}>"),
        });
        printable(&kinds_of_names(&named.collect::<String>()))
    }
}

/// The known values of a text alone, each once.
pub(super) fn marks_of(marked: &str) -> BTreeSet<char> {
    marked.chars().filter(|c| is_mark(*c)).collect()
}
