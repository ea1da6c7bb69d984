//! Escapes: of URLs (`%40`), of HTML (`&#64;`, `&commat;`) and of JSON (`\u0040`, `\/`).

use std::ops::Range;

use super::{Decoded, Place};

/// Whose escapes are read. Those of another are left, since a value can have them itself.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Escapes {
    Url,
    /// As of URLs, with a plus for a blank.
    Form,
    Html,
    Json,
}

impl Escapes {
    pub(super) const ALL: [Self; 4] = [Self::Url, Self::Form, Self::Html, Self::Json];

    /// What they begin with.
    const fn begins(self, byte: u8) -> bool {
        match self {
            Self::Url => byte == b'%',
            Self::Form => matches!(byte, b'%' | b'+'),
            Self::Html => byte == b'&',
            Self::Json => byte == b'\\',
        }
    }

    /// The order in which they are read: escapes of HTML in a URL, and of JSON in HTML.
    const fn rank(self) -> u8 {
        match self {
            Self::Url | Self::Form => 0,
            Self::Html => 1,
            Self::Json => 2,
        }
    }

    /// Whether any of them begins with that.
    pub(super) const fn any_begins(byte: u8) -> bool {
        matches!(byte, b'%' | b'&' | b'\\' | b'+')
    }
}

/// What HTML calls the characters that identifiers and credentials can have, in the order of bytes.
const NAMED: [(&str, u8); 38] = [
    ("Hat", b'^'),
    ("NewLine", b'\n'),
    ("Tab", b'\t'),
    ("amp", b'&'),
    ("apos", b'\''),
    ("ast", b'*'),
    ("bsol", b'\\'),
    ("colon", b':'),
    ("comma", b','),
    ("commat", b'@'),
    ("dollar", b'$'),
    ("equals", b'='),
    ("excl", b'!'),
    ("grave", b'`'),
    ("gt", b'>'),
    ("lbrace", b'{'),
    ("lbrack", b'['),
    ("lcub", b'{'),
    ("lowbar", b'_'),
    ("lpar", b'('),
    ("lsqb", b'['),
    ("lt", b'<'),
    ("midast", b'*'),
    ("num", b'#'),
    ("percnt", b'%'),
    ("period", b'.'),
    ("plus", b'+'),
    ("quest", b'?'),
    ("quot", b'"'),
    ("rbrace", b'}'),
    ("rbrack", b']'),
    ("rcub", b'}'),
    ("rpar", b')'),
    ("rsqb", b']'),
    ("semi", b';'),
    ("sol", b'/'),
    ("verbar", b'|'),
    ("vert", b'|'),
];

/// The longest escape of HTML that is looked at.
const LONGEST: usize = 10;

/// A text without the escapes of one kind.
pub(super) struct Unescaped {
    pub(super) decoded: Decoded,
    /// Whether no other order in which escapes are read gives the same.
    pub(super) is_new: bool,
}

/// The text without escapes, if it has any. Bytes that are no text together stay as they are.
pub(super) fn unescaped(text: &str, kind: Escapes, origin: Option<&Decoded>) -> Option<Unescaped> {
    if kind == Escapes::Form && !text.contains('+') {
        return None;
    }
    let is_new = |escape, character: &Character| {
        origin.is_none_or(|origin| {
            origin.is_before(kind) || origin.made_any(escape) || origin.escapes_with(character)
        })
    };
    let all = |is_ascii| Reading::of(text, kind, is_ascii, is_new);
    all(false)?
        .unescaped(kind)
        .or_else(|| all(true)?.unescaped(kind))
}

impl Decoded {
    /// Whether escapes of that kind are read after those that it was made of.
    fn is_before(&self, other: Escapes) -> bool {
        match &self.place {
            Place::Escapes { kind, .. } => kind.rank() < other.rank(),
            Place::Run { .. } => true,
        }
    }

    /// Whether an escape of its kind begins with that: then it matters which of the two is read first.
    fn escapes_with(&self, character: &Character) -> bool {
        match (&self.place, character) {
            (Place::Escapes { kind, .. }, Character::Byte(byte)) => kind.begins(*byte),
            (Place::Escapes { kind, .. }, Character::Char(char)) => {
                u8::try_from(*char).is_ok_and(|byte| kind.begins(byte))
            }
            (Place::Run { .. }, _) => true,
        }
    }
}

/// A text of which the escapes are read.
#[derive(Default)]
struct Reading {
    bytes: Vec<u8>,
    shifts: Vec<(usize, usize)>,
    is_new: bool,
}

impl Reading {
    /// Nothing, if there is no escape.
    fn of(
        text: &str,
        kind: Escapes,
        is_ascii: bool,
        is_new: impl Fn(Range<usize>, &Character) -> bool,
    ) -> Option<Self> {
        let text = text.as_bytes();
        let begins = |byte: &u8| kind.begins(*byte);
        let is_read = |character: &(Character, usize)| match character {
            (Character::Byte(byte), _) => byte.is_ascii() || !is_ascii,
            (Character::Char(_), _) => true,
        };
        let mut all = Self::default();
        let (mut done, mut rest) = (0, 0);
        while let Some(before) = text.get(rest..)?.iter().position(begins) {
            let at = rest + before;
            let character = character(text.get(at..)?).filter(is_read);
            rest = at + character.as_ref().map_or(1, |(_, length)| *length);
            if let Some((character, _)) = character {
                all.is_new = all.is_new || is_new(at..rest, &character);
                all.bytes.extend(text.get(done..at)?);
                character.push_to(&mut all.bytes);
                all.shifts.push((all.bytes.len(), rest));
                done = rest;
            }
        }
        if all.shifts.is_empty() {
            return None;
        }
        all.bytes.extend(text.get(done..)?);
        Some(all)
    }

    fn unescaped(self, kind: Escapes) -> Option<Unescaped> {
        let text = String::from_utf8(self.bytes).ok()?;
        let shifts = self.shifts;
        let place = Place::Escapes { kind, shifts };
        Some(Unescaped {
            decoded: Decoded { text, place },
            is_new: self.is_new,
        })
    }
}

enum Character {
    /// One that can be a part of a longer one.
    Byte(u8),
    Char(char),
}

impl Character {
    fn push_to(self, bytes: &mut Vec<u8>) {
        match self {
            Self::Byte(byte) => bytes.push(byte),
            Self::Char(char) => bytes.extend(char.encode_utf8(&mut [0; 4]).bytes()),
        }
    }
}

/// The character that a text begins with as an escape, and how long that is.
fn character(text: &[u8]) -> Option<(Character, usize)> {
    match text {
        [b'+', ..] => Some((Character::Byte(b' '), 1)),
        [b'%', ..] => {
            let byte = u8::try_from(number(text.get(1..3)?, 16)?).ok()?;
            Some((Character::Byte(byte), 3))
        }
        [b'\\', b'u', ..] => {
            let first = number(text.get(2..6)?, 16)?;
            match char::from_u32(first) {
                Some(char) => Some((Character::Char(char), 6)),
                None => Some((Character::Char(pair(first, text.get(6..12)?)?), 12)),
            }
        }
        [b'\\', letter @ (b'b' | b'f' | b'n' | b'r' | b't'), ..] => {
            let byte = match letter {
                b'b' => 8,
                b'f' => 12,
                b'n' => b'\n',
                b'r' => b'\r',
                _ => b'\t',
            };
            Some((Character::Byte(byte), 2))
        }
        [b'\\', byte @ (b'"' | b'\'' | b'/' | b'\\'), ..] => Some((Character::Byte(*byte), 2)),
        [b'&', rest @ ..] => {
            let end = rest.iter().take(LONGEST).position(|byte| *byte == b';')?;
            Some((entity(rest.get(..end)?)?, end + 2))
        }
        _ => None,
    }
}

/// The character of two surrogates, of which the second is behind the first as an escape of its own.
fn pair(first: u32, behind: &[u8]) -> Option<char> {
    let second = number(behind.strip_prefix(b"\\u")?, 16)?;
    let units = [u16::try_from(first).ok()?, u16::try_from(second).ok()?];
    char::decode_utf16(units).next()?.ok()
}

/// A character by its name or number in HTML.
fn entity(name: &[u8]) -> Option<Character> {
    let number = match name {
        [b'#', b'x' | b'X', digits @ ..] => number(digits, 16),
        [b'#', digits @ ..] => number(digits, 10),
        _ => {
            let at = NAMED.binary_search_by_key(&name, |(known, _)| known.as_bytes());
            let named = at.ok().and_then(|at| NAMED.get(at));
            named.map(|(_, byte)| u32::from(*byte))
        }
    };
    char::from_u32(number?).map(Character::Char)
}

/// A number of digits and nothing else.
fn number(digits: &[u8], radix: u32) -> Option<u32> {
    let is_number = digits.iter().all(u8::is_ascii_hexdigit);
    let digits = str::from_utf8(digits).ok().filter(|_| is_number)?;
    u32::from_str_radix(digits, radix).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str, escapes: Escapes) -> Option<String> {
        unescaped(text, escapes, None).map(|unescaped| unescaped.decoded.text)
    }

    #[test]
    fn escapes_of_urls_html_and_json_are_read_each_by_itself() {
        let of = |escaped: &str, escapes| text(escaped, escapes).unwrap();
        assert_eq!(of("a%40b%2Fc%2fd+&amp;", Escapes::Url), "a@b/c/d+&amp;");
        assert_eq!(of("a+b%2Bc", Escapes::Form), "a b+c");
        assert_eq!(
            of("a&#64;b&#x2F;c&amp;d&commat;%40", Escapes::Html),
            "a@b/c&d@%40"
        );
        assert_eq!(
            of(r#"a\u0040b\/c\"d\\e%40"#, Escapes::Json),
            r#"a@b/c"d\e%40"#
        );
        assert_eq!(of("gr%C3%BC%c3%9fe", Escapes::Url), "grüße");
        assert_eq!(of("&#252;", Escapes::Html), "ü");
        assert_eq!(of("%FF%40", Escapes::Url), "%FF@");
    }

    #[test]
    fn every_character_is_read_by_its_name() {
        assert!(NAMED.is_sorted());
        for (name, byte) in NAMED {
            let read = text(&format!("&{name};"), Escapes::Html);
            assert_eq!(read, Some(char::from(byte).to_string()), "{name}");
        }
    }

    #[test]
    fn what_is_no_escape_stays_as_it_is() {
        let plain = [
            "100 % of a&b",
            "%4",
            "%zz",
            "%+1",
            "&nosuch;",
            "&#;",
            "\\u12",
            "\\",
            "&#1114112;",
        ];
        for plain in plain {
            for escapes in [Escapes::Url, Escapes::Html, Escapes::Json] {
                assert_eq!(text(plain, escapes), None, "{plain}");
            }
        }
        assert_eq!(text("a%40b", Escapes::Form), None);
    }

    #[test]
    fn a_part_is_placed_with_its_escapes() {
        let escaped = "x a&#64;b&#46;c y";
        let decoded = unescaped(escaped, Escapes::Html, None).unwrap().decoded;
        let at = decoded.text.find("a@b.c").unwrap();
        let place = decoded.place(escaped, &(at..at + 5));
        assert_eq!(escaped.get(place), Some("a&#64;b&#46;c"));
    }
}
