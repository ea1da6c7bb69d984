//! Where values stand in a text.
//!
//! A sweep looks for other values in each batch, so what counts is how soon they can be looked for: an automaton takes
//! longer to make than all texts of the batch take to look through. Here a value is looked for by its first bytes.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::ops::Range;

use foldhash::fast::RandomState;
use indexmap::{Equivalent, IndexSet};
use smallvec::SmallVec;

/// A value of at least as many bytes is nobody's by chance: it is found in capital and in small letters too, and within what
/// was decoded.
pub(super) const LONG: usize = 8;

/// How many bytes of a value are looked for first. Only credentials can have fewer.
const HEAD: usize = 4;

/// How many bits tell heads from other bytes before they are looked up, as a power of two: 32 KiB.
const BITS: u32 = 18;

/// How many words that is.
const WORDS: usize = 1 << (BITS - u64::BITS.ilog2());

/// A value that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// Where it stands.
    pub(super) range: Range<usize>,
    /// Its number, in the order in which the values were added.
    pub(super) value: usize,
}

/// Values to look for.
#[derive(Clone)]
pub(super) struct Finder<S> {
    values: IndexSet<Key<S>, RandomState>,
    /// The numbers of long values that differ from others in nothing but their case.
    alike: Vec<usize>,
    /// By the first bytes of values, whatever their case: how long they are, the longest first.
    heads: HashMap<u32, Lengths, RandomState>,
    /// By the hash of their first bytes: whether there is a value.
    bits: Box<[u64; WORDS]>,
    /// How long the values are that are shorter than a head, the longest first.
    short: Lengths,
}

/// Few values begin alike.
type Lengths = SmallVec<[usize; 2]>;

impl<S> Default for Finder<S> {
    #[expect(
        clippy::large_stack_arrays,
        reason = "32 KiB, whose length the compiler knows at each look"
    )]
    fn default() -> Self {
        Self {
            values: IndexSet::default(),
            alike: Vec::new(),
            heads: HashMap::default(),
            bits: Box::new([0; WORDS]),
            short: Lengths::new(),
        }
    }
}

impl<S: Borrow<str> + Eq> Finder<S> {
    /// Adds a value that is not empty, and gives its number.
    pub(super) fn add(&mut self, value: S) -> usize {
        let text: &str = value.borrow();
        let length = text.len();
        let lengths = match text.as_bytes().first_chunk() {
            Some(bytes) => {
                let head = head(*bytes);
                let (word, bit) = place(head);
                if let Some(word) = self.bits.get_mut(word) {
                    *word |= bit;
                }
                self.heads.entry(head).or_default()
            }
            None => &mut self.short,
        };
        if let Err(at) = lengths.binary_search_by(|other| length.cmp(other)) {
            lengths.insert(at, length);
        }
        let other = self.values.get_index_of(&AnyCase(value.borrow()));
        let (number, is_new) = self.values.insert_full(Key(value));
        if is_new {
            self.alike
                .extend(other.into_iter().flat_map(|other| [other, number]));
        }
        number
    }

    /// The value of that number.
    pub(super) fn value(&self, number: usize) -> Option<&S> {
        self.values.get_index(number).map(|Key(value)| value)
    }

    pub(super) fn values(&self) -> impl ExactSizeIterator<Item = &S> {
        self.values.iter().map(|Key(value)| value)
    }

    /// Where values stand in `text`, the leftmost and longest. One that is a number (`is_number`, by its number here) is
    /// not found within a longer one.
    pub(super) fn find<'t>(
        &'t self,
        text: &'t str,
        is_number: impl Fn(usize) -> bool + 't,
    ) -> impl Iterator<Item = Found> + 't {
        let mut from = 0;
        std::iter::from_fn(move || {
            loop {
                let found = self.first(text, from)?;
                if is_number(found.value) && is_piece_of_number(text, &found.range) {
                    from = found.range.start + 1;
                } else {
                    from = found.range.end;
                    return Some(found);
                }
            }
        })
    }

    /// The longest of the values that begin first behind a place. Most texts are read by nothing but this loop.
    fn first(&self, text: &str, from: usize) -> Option<Found> {
        if !self.short.is_empty() {
            return (from..text.len()).find_map(|at| self.longest(text, at));
        }
        let rest = text.as_bytes().get(from..)?;
        let heads = rest.array_windows().zip(from..);
        let mut begins = heads.filter(|(bytes, _)| self.may_begin(head(**bytes)));
        begins.find_map(|(_, at)| self.longest(text, at))
    }

    /// The longest value at a place.
    fn longest(&self, text: &str, at: usize) -> Option<Found> {
        let bytes = text.as_bytes().get(at..).and_then(<[u8]>::first_chunk);
        let head = bytes.map(|bytes| head(*bytes));
        let lengths = head.filter(|head| self.may_begin(*head));
        let lengths = lengths.and_then(|head| self.heads.get(&head));
        let lengths = lengths.into_iter().flatten().chain(&self.short);
        lengths.copied().find_map(|length| {
            let range = at..at + length;
            let value = self.number_of(text.get(range.clone())?)?;
            Some(Found { range, value })
        })
    }

    /// The value that the text is, or, of a long one, that it is in other letters: the first of several.
    fn number_of(&self, text: &str) -> Option<usize> {
        let found = self.values.get_index_of(&AnyCase(text))?;
        let value = |number: usize| self.value(number).map_or("", Borrow::borrow);
        if value(found) == text {
            return Some(found);
        }
        let alike = self.alike.iter().copied();
        let mut alike = alike.filter(|number| value(*number).eq_ignore_ascii_case(text));
        let exact = alike.clone().find(|number| value(*number) == text);
        exact.or_else(|| (text.len() >= LONG).then(|| alike.by_ref().min().unwrap_or(found)))
    }

    fn may_begin(&self, head: u32) -> bool {
        let (word, bit) = place(head);
        self.bits.get(word).is_some_and(|word| word & bit != 0)
    }
}

impl<S: Borrow<str> + Eq> FromIterator<S> for Finder<S> {
    fn from_iter<I: IntoIterator<Item = S>>(values: I) -> Self {
        let mut finder = Self::default();
        for value in values {
            finder.add(value);
        }
        finder
    }
}

/// A value by what is the same in capital and in small letters, so that it can be looked up either way.
#[derive(Clone, PartialEq, Eq)]
struct Key<S>(S);

impl<S: Borrow<str>> Hash for Key<S> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        AnyCase(self.0.borrow()).hash(state);
    }
}

/// A value that is this text but for capital and small letters.
struct AnyCase<'t>(&'t str);

impl<S: Borrow<str>> Equivalent<Key<S>> for AnyCase<'_> {
    fn equivalent(&self, Key(value): &Key<S>) -> bool {
        value.borrow().eq_ignore_ascii_case(self.0)
    }
}

impl Hash for AnyCase<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let folded = |word: [u8; 8]| u64::from_ne_bytes(word) | 0x2020_2020_2020_2020;
        let (words, rest) = self.0.as_bytes().as_chunks::<8>();
        for word in words {
            state.write_u64(folded(*word));
        }
        let mut last = [0; 8];
        last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
        state.write_u64(folded(last));
    }
}

/// The first bytes as a number that is the same for capital and small letters; some others are the same as well.
fn head(bytes: [u8; HEAD]) -> u32 {
    u32::from_ne_bytes(bytes) | 0x2020_2020
}

/// The word and the bit of a head.
fn place(head: u32) -> (usize, u64) {
    // Fibonacci hashing: the upper bits depend on all bytes.
    let hash = head.wrapping_mul(0x9E37_79B9) >> (u32::BITS - BITS);
    ((hash / u64::BITS) as usize, 1 << (hash % u64::BITS))
}

/// Whether a digit stands before or behind what was found.
fn is_piece_of_number(text: &str, found: &Range<usize>) -> bool {
    let digit_at = |at: usize| text.as_bytes().get(at).is_some_and(u8::is_ascii_digit);
    found.start.checked_sub(1).is_some_and(digit_at) || digit_at(found.end)
}

#[cfg(test)]
mod tests {
    use aho_corasick::{AhoCorasick, MatchKind};
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    /// Few letters, so that values overlap, begin alike and are parts of each other.
    fn text(length: Range<usize>) -> impl Strategy<Value = String> {
        let letter = prop_oneof![4 => Just('a'), 2 => Just('b'), 1 => Just('7'), 1 => Just('é')];
        vec(letter, length).prop_map(String::from_iter)
    }

    proptest! {
        #[test]
        fn values_are_found_as_an_automaton_finds_them(values in vec(text(1..9), 0..30), text in text(0..60)) {
            let finder: Finder<&str> = values.iter().map(String::as_str).collect();
            let found = finder.find(&text, |_| false).map(|found| found.range);
            let automaton = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(&values);
            let automaton = automaton.unwrap();
            let expected = automaton.find_iter(&text).map(|found| found.range());
            prop_assert_eq!(found.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_value_has_one_number_however_often_it_is_added() {
        let mut finder = Finder::default();
        assert_eq!(
            ["one-1", "x", "two-2", "one-1"].map(|value| finder.add(value)),
            [0, 1, 2, 0]
        );
        let found: Vec<usize> = finder
            .find("x two-2 one-1", |_| false)
            .map(|found| found.value)
            .collect();
        assert_eq!(found, [1, 2, 0]);
        assert_eq!(
            (finder.value(2), finder.values().len()),
            (Some(&"two-2"), 3)
        );
    }
}
