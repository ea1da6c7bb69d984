//! What a text holds in another encoding: as escapes of URLs, HTML and JSON, in Base64, in hexadecimal digits.
//!
//! One pass over the bytes tells whether there is any. Base64 and digits are decoded only where ASCII comes of it, wherever in
//! a row of their characters it begins. So most of a text is never decoded, and what is, is so at most once for each of the
//! ways in which it can lie.
//!
//! Of a text that was decoded already only that is decoded again which has a character of that: all else was decoded before.
//! So escapes of several kinds are read in one order, unless one kind makes an escape of another.

mod escape;

use std::ops::Range;

use serde_json::Value as Json;

use escape::{Escapes, Unescaped, unescaped};

/// A part of a text, decoded.
pub(super) struct Decoded {
    pub(super) text: String,
    place: Place,
}

/// Where what was decoded stands.
enum Place {
    /// Anywhere in the text, of which only the escapes look otherwise: after each of them where the decoded text goes on, and
    /// where the text does.
    Escapes {
        kind: Escapes,
        shifts: Vec<(usize, usize)>,
    },
    Run {
        alphabet: Alphabet,
        /// Where its first character stands.
        from: usize,
        /// How many bytes of it are no text and left out.
        skipped: usize,
    },
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Alphabet {
    Base64,
    Hex,
}

/// The marks of a byte: where in a group of Base64 it can stand if that is ASCII, whether it begins an escape, and where in a
/// pair of hexadecimal digits it can stand if that is ASCII.
static MARKS: [u8; 256] = marks();
const OF_ESCAPE: u8 = 16;
/// Two groups of Base64 that are ASCII, by the marks of their characters.
const BASE64: u64 = 0x0102_0408_0102_0408;
/// As many characters as pairs of hexadecimal digits.
const HEX: u64 = 0x2040_2040_2040_2040;
/// How many characters that is.
const SHORTEST: usize = 8;
/// How many bytes of text are a run: fewer are random.
const SHORTEST_TEXT: usize = 6;

#[expect(
    clippy::indexing_slicing,
    reason = "it runs when the program is compiled"
)]
const fn marks() -> [u8; 256] {
    let mut marks = [0; 256];
    let mut byte = 0_u8;
    loop {
        let mark = &mut marks[byte as usize];
        if let Some(bits) = Alphabet::Base64.value(byte) {
            // The upper bits of the three bytes are in the first three characters.
            *mark |= (bits & 32 == 0) as u8
                | ((bits & 8 == 0) as u8) << 1
                | ((bits & 2 == 0) as u8) << 2
                | 8;
        }
        if let Some(bits) = Alphabet::Hex.value(byte) {
            *mark |= ((bits & 8 == 0 && bits > 1) as u8) << 5 | 64;
        }
        if Escapes::any_begins(byte) {
            *mark |= OF_ESCAPE;
        }
        if byte == u8::MAX {
            return marks;
        }
        byte += 1;
    }
}

impl Alphabet {
    /// What a character stands for; of Base64 also in the alphabet of URLs.
    const fn value(self, byte: u8) -> Option<u8> {
        match (self, byte) {
            (Self::Base64, b'A'..=b'Z') => Some(byte - b'A'),
            (Self::Base64, b'a'..=b'z') => Some(byte - b'a' + 26),
            (Self::Base64, b'0'..=b'9') => Some(byte - b'0' + 52),
            (Self::Base64, b'+' | b'-') => Some(62),
            (Self::Base64, b'/' | b'_') => Some(63),
            (Self::Hex, b'0'..=b'9') => Some(byte - b'0'),
            (Self::Hex, b'a'..=b'f') => Some(byte - b'a' + 10),
            (Self::Hex, b'A'..=b'F') => Some(byte - b'A' + 10),
            _ => None,
        }
    }

    fn has(self, byte: u8) -> bool {
        self.value(byte).is_some()
    }

    /// How many bits a character has.
    const fn bits(self) -> usize {
        match self {
            Self::Base64 => 6,
            Self::Hex => 4,
        }
    }

    /// How many characters are whole bytes.
    const fn group(self) -> usize {
        match self {
            Self::Base64 => 4,
            Self::Hex => 2,
        }
    }

    /// Whether what is encoded goes on with a byte. Between the parts of a path there is a slash, and between words a plus:
    /// Base64 of texts hardly has them.
    fn goes_on(self, byte: u8) -> bool {
        self.has(byte) && !matches!(byte, b'/' | b'+')
    }
}

/// What is encoded in a text.
#[derive(Default)]
pub(super) struct Encoded {
    /// All of it that was not decoded before.
    pub(super) parts: Vec<Decoded>,
    /// Whether the text has escapes, also those that were decoded before.
    pub(super) has_escapes: bool,
}

/// What is encoded in a text. `origin` is the text itself, where it was decoded of another one.
pub(super) fn decoded(text: &str, origin: Option<&Decoded>) -> Encoded {
    let mut parts = Vec::new();
    let (mut all, mut last) = (0, 0_u64);
    let mut base64 = Lanes(Alphabet::Base64, [0; 4]);
    let mut hex = Lanes(Alphabet::Hex, [0; 4]);
    for (at, byte) in text.bytes().enumerate() {
        let marks = MARKS.get(usize::from(byte)).copied().unwrap_or(0);
        all |= marks;
        last = last << 8 | u64::from(marks);
        if last & BASE64 == BASE64 {
            parts.extend(base64.run(text, at + 1 - SHORTEST));
        }
        if last & HEX == HEX {
            parts.extend(hex.run(text, at + 1 - SHORTEST));
        }
    }
    parts.retain(|run| origin.is_none_or(|origin| origin.made_any(run.characters())));
    let mut has_escapes = false;
    if all & OF_ESCAPE != 0 {
        for kind in Escapes::ALL {
            let unescaped = unescaped(text, kind, origin);
            has_escapes |= unescaped.is_some();
            let is_new = |unescaped: &Unescaped| unescaped.is_new;
            parts.extend(unescaped.filter(is_new).map(|unescaped| unescaped.decoded));
        }
    }
    Encoded { parts, has_escapes }
}

/// Where the last run ended, for each of the ways in which groups can lie.
struct Lanes(Alphabet, [usize; 4]);

impl Lanes {
    /// The run of ASCII that begins with the group there, or in the one before it, unless it is a part of the last one.
    fn run(&mut self, text: &str, first: usize) -> Option<Decoded> {
        let Self(alphabet, ends) = self;
        let end = ends.get_mut(first % alphabet.group())?;
        if first < *end {
            return None;
        }
        let (decoded, at) = run(text.as_bytes(), first, *alphabet);
        *end = at;
        Some(decoded).filter(|decoded| decoded.text.len() >= SHORTEST_TEXT)
    }
}

/// What texts of ASCII have.
pub(super) fn is_of_text(byte: u8) -> bool {
    matches!(byte, b' '..=b'~' | b'\t' | b'\n' | b'\r')
}

/// The run, and where it ends.
fn run(text: &[u8], first: usize, alphabet: Alphabet) -> (Decoded, usize) {
    let before = first.checked_sub(alphabet.group());
    let is_of_run = |from: &usize| {
        let before = text.get(*from..first).unwrap_or_default();
        before.iter().all(|byte| alphabet.has(*byte))
    };
    let from = before.filter(is_of_run).unwrap_or(first);
    let (mut decoded, mut skipped) = (String::with_capacity(SHORTEST_TEXT * 4), 0);
    let (mut bits, mut count, mut at) = (0_u32, 0, from);
    while let Some(value) = text.get(at).and_then(|byte| alphabet.value(*byte)) {
        at += 1;
        bits = bits << alphabet.bits() | u32::from(value);
        count += alphabet.bits();
        if count < 8 {
            continue;
        }
        count -= 8;
        let byte = (bits >> count & 0xff) as u8;
        if is_of_text(byte) {
            decoded.push(char::from(byte));
        } else if at <= first {
            skipped += decoded.len() + 1;
            decoded.clear();
        } else {
            break;
        }
    }
    let place = Place::Run {
        alphabet,
        from,
        skipped,
    };
    let text = decoded;
    (Decoded { text, place }, at)
}

impl Decoded {
    /// Whether it was decoded of characters that could mean anything, so that what is short can stand in it by chance.
    pub(super) fn is_of_run(&self) -> bool {
        matches!(self.place, Place::Run { .. })
    }

    /// The characters of a run that were decoded, and a group more on both sides: with those around it lies in another way.
    fn characters(&self) -> Range<usize> {
        match &self.place {
            Place::Escapes { .. } => 0..usize::MAX,
            Place::Run {
                alphabet,
                from,
                skipped,
            } => {
                let characters = ((skipped + self.text.len()) * 8).div_ceil(alphabet.bits());
                let group = alphabet.group();
                from.saturating_sub(group)..from + characters + group
            }
        }
    }

    /// Whether any character in a part of it was an escape.
    fn made_any(&self, part: Range<usize>) -> bool {
        let Place::Escapes { shifts, .. } = &self.place else {
            return true;
        };
        let after = shifts.partition_point(|(decoded, _)| *decoded <= part.start);
        let next = shifts.get(after);
        next.is_some_and(|(decoded, _)| *decoded <= part.end)
    }

    /// The document that it is.
    pub(super) fn json(&self) -> Option<Json> {
        let is_document = self.is_of_run() && self.text.starts_with(['{', '[']);
        is_document
            .then(|| serde_json::from_str(&self.text).ok())
            .flatten()
    }

    /// Where a part of it stands in the text that it was decoded of. Of a run that is the whole of it: the characters around
    /// are of the same bytes, or say nothing by themselves.
    pub(super) fn place(&self, text: &str, part: &Range<usize>) -> Range<usize> {
        match &self.place {
            Place::Escapes { shifts, .. } => source(shifts, part.start)..source(shifts, part.end),
            Place::Run {
                alphabet,
                from,
                skipped,
            } => {
                let start = from + (skipped + part.start) * 8 / alphabet.bits();
                let end = from + ((skipped + part.end) * 8).div_ceil(alphabet.bits());
                let run = around(text.as_bytes(), start..end, *alphabet);
                if self.text.starts_with('{') {
                    token(text.as_bytes(), run)
                } else {
                    run
                }
            }
        }
    }
}

/// Where a byte of a text without escapes stands in the one with them.
fn source(shifts: &[(usize, usize)], at: usize) -> usize {
    let after = shifts.partition_point(|(decoded, _)| *decoded <= at);
    let last = after.checked_sub(1).and_then(|last| shifts.get(last));
    last.map_or(at, |(decoded, source)| source + at - decoded)
}

/// All that is encoded together with some of its characters.
fn around(text: &[u8], part: Range<usize>, alphabet: Alphabet) -> Range<usize> {
    let before = text.get(..part.start).unwrap_or_default().iter().rev();
    let behind = text.get(part.end..).unwrap_or_default().iter();
    let before = before.take_while(|byte| alphabet.goes_on(**byte)).count();
    let more = behind.clone();
    let more = more.take_while(|byte| alphabet.goes_on(**byte)).count();
    let padding = behind.skip(more).take_while(|byte| **byte == b'=').count();
    part.start - before..part.end + more + padding.min(2)
}

/// A token of several parts with dots between them, of which one was decoded: the others belong to it, such as a signature.
fn token(text: &[u8], part: Range<usize>) -> Range<usize> {
    let alphabet = Alphabet::Base64;
    let Range { mut start, mut end } = part;
    while let Some([rest @ .., byte, b'.']) = text.get(..start)
        && alphabet.goes_on(*byte)
    {
        start = around(text, rest.len()..start, alphabet).start;
    }
    while let Some([b'.', byte, ..]) = text.get(end..)
        && alphabet.goes_on(*byte)
    {
        end = around(text, end..end + 2, alphabet).end;
    }
    start..end
}

/// The whole of what is encoded in Base64 around some of its characters.
pub(super) fn whole(text: &str, part: Range<usize>) -> Range<usize> {
    around(text.as_bytes(), part, Alphabet::Base64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is decoded of a text, each with where all of it stands.
    fn all(text: &str) -> Vec<(String, &str)> {
        let parts = decoded(text, None).parts.into_iter();
        let all = parts.map(|decoded| {
            let place = decoded.place(text, &(0..decoded.text.len()));
            (decoded.text, text.get(place).unwrap())
        });
        all.collect()
    }

    #[test]
    fn words_and_numbers_of_a_language_are_not_decoded() {
        let text = "Authentication Error, not allowed to access model due to tags configuration at 2026-01-31T12:00:00";
        assert_eq!(all(text), []);
    }

    #[test]
    fn base64_is_decoded_wherever_it_begins() {
        for before in ["", "/a/", "id_", "x", "token=", "ab-"] {
            let text = format!("{before}VXNlcjpzb21lYm9keQ== is unknown");
            let found = all(&text);
            let decoded = found
                .iter()
                .find(|(text, _)| text.ends_with("User:somebody"));
            let (_, place) = decoded.unwrap();
            assert!(place.ends_with("VXNlcjpzb21lYm9keQ=="), "{place}");
        }
    }

    #[test]
    fn a_token_is_one_with_its_header_and_its_signature() {
        let text = "got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0-cmU. And so on";
        let of = |json: &str| {
            all(text)
                .into_iter()
                .find(|(text, _)| text == json)
                .unwrap()
                .1
        };
        let whole = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0-cmU";
        assert_eq!(of(r#"{"sub":"alice"}"#), whole);
        assert_eq!(of(r#"{"alg":"HS256"}"#), whole);
    }

    /// How many texts are decoded of a text, and of those.
    fn count(text: &str, origin: Option<&Decoded>) -> usize {
        let parts = decoded(text, origin).parts;
        let below = parts.iter().map(|part| count(&part.text, Some(part)));
        parts.len() + below.sum::<usize>()
    }

    #[test]
    fn escapes_of_several_kinds_are_read_in_one_order() {
        assert_eq!(count("a%2Fb", None), 1);
        assert_eq!(count("a%2Fb &lt;c", None), 3);
        assert_eq!(count("a%2Fb &lt;c \\u0041", None), 7);
    }

    #[test]
    fn an_escape_that_another_one_made_is_read_in_any_order() {
        assert_eq!(count("a%252Fb", None), 2);
        assert_eq!(count("a&#37;2Fb", None), 2);
        assert_eq!(count("a%26lt;b", None), 2);
        // Which of them is read first makes another text.
        assert_eq!(count("a%5Cnb\\u0041", None), 5);
    }

    #[test]
    fn a_text_of_one_alphabet_is_decoded_once_for_each_way_in_which_it_can_lie() {
        for text in ["VXNl", "41", "aaaa", "eyJ/", "%41", "&#65;"] {
            let text = text.repeat(50_000);
            let all: usize = decoded(&text, None)
                .parts
                .iter()
                .map(|one| one.text.len())
                .sum();
            assert!(all <= 5 * text.len(), "{all} of {}", text.len());
        }
    }
}
