//! The text of a body: by its byte-order mark, by the character set that its headers name, or by what it says of itself.

use std::borrow::Cow;
use std::sync::LazyLock;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};
use regex::bytes::Regex;

/// How much of a body is looked at for what it says of its character set, in bytes (as the HTML standard has it).
const HEAD: usize = 1024;

/// A text, and whether any of it had to be replaced since it is none in that character set.
pub(super) struct Text<'b> {
    pub(super) text: Cow<'b, str>,
    pub(super) is_replaced: bool,
}

/// Whether that is the name of a character set.
pub(super) fn is_known(label: &str) -> bool {
    Encoding::for_label(label.as_bytes()).is_some()
}

/// The text that these bytes are, in the character set that the headers name, if they do.
pub(super) fn text<'b>(bytes: &'b [u8], named: Option<&str>) -> Text<'b> {
    if let Some((encoding, length)) = Encoding::for_bom(bytes) {
        return decoded(encoding, bytes.get(length..).unwrap_or_default());
    }
    let named = named.and_then(|label| Encoding::for_label(label.as_bytes()));
    let named = named.filter(|encoding| *encoding != UTF_8);
    if let Some(encoding) = named.or_else(|| wide(bytes)) {
        return decoded(encoding, bytes);
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Text {
            text: text.into(),
            is_replaced: false,
        };
    }
    decoded(said(bytes).unwrap_or(UTF_8), bytes)
}

fn decoded<'b>(encoding: &'static Encoding, bytes: &'b [u8]) -> Text<'b> {
    let (text, is_replaced) = encoding.decode_without_bom_handling(bytes);
    Text { text, is_replaced }
}

/// UTF-16 without a mark: every other byte of what begins with characters of ASCII is zero.
fn wide(bytes: &[u8]) -> Option<&'static Encoding> {
    match *bytes.first_chunk::<4>()? {
        [0, a, 0, b] if a > 0 && b > 0 => Some(UTF_16BE),
        [a, 0, b, 0] if a > 0 && b > 0 => Some(UTF_16LE),
        _ => None,
    }
}

/// The character set that the declaration of XML names, or a `<meta>` of HTML.
#[expect(clippy::unwrap_used, reason = "the pattern is a constant")]
static SAID: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r#"(?is-u)^\s*<\?xml[^>]*\sencoding\s*=\s*["']([\w.:-]+)|<meta[^>]*\scharset\s*=\s*["']?([\w.:-]+)|<meta[^>]*;\s*charset\s*=\s*([\w.:-]+)"#,
    )
    .unwrap()
});

fn said(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = bytes.get(..HEAD).unwrap_or(bytes);
    let found = SAID.captures(head)?;
    let label = (1..=3).find_map(|at| found.get(at))?;
    let encoding = Encoding::for_label(label.as_bytes())?;
    // Who reads the declaration as ASCII has no text of two bytes a character before it.
    (![UTF_16BE, UTF_16LE].contains(&encoding)).then_some(encoding)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], named: Option<&str>) -> (String, bool) {
        let read = text(bytes, named);
        (read.text.into_owned(), read.is_replaced)
    }

    fn utf_16(text: &str, bytes_of: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes_of).collect()
    }

    #[test]
    fn a_text_is_read_in_the_character_set_that_it_or_its_headers_name() {
        let kettle = ("kettl\u{e9}".to_owned(), false);
        assert_eq!(read(b"kettl\xe9", Some("iso-8859-1")), kettle);
        assert_eq!(read("kettl\u{e9}".as_bytes(), None), kettle);
        assert_eq!(
            read("\u{feff}kettl\u{e9}".as_bytes(), Some("latin1")),
            kettle
        );
        let utf_16 = utf_16("\u{feff}kettl\u{e9}", u16::to_le_bytes);
        assert_eq!(read(&utf_16, None), kettle);
        let yen = read(b"\x83\x4c\x83\x65\x83\x42", Some("Shift_JIS"));
        assert_eq!(yen.0, "\u{30ad}\u{30c6}\u{30a3}");
    }

    #[test]
    fn a_document_names_its_character_set_itself() {
        for head in [
            "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a>",
            "<!doctype html><meta charset=windows-1252><p>",
            "<meta http-equiv=\"Content-Type\" content=\"text/html; charset=iso-8859-15\">",
        ] {
            let bytes = [head.as_bytes(), b"\xe9"].concat();
            assert_eq!(read(&bytes, None), (format!("{head}\u{e9}"), false));
        }
    }

    #[test]
    fn utf_16_needs_no_mark() {
        let json = "{\"a\": \"\u{e9}\"}";
        for bytes in [
            utf_16(json, u16::to_le_bytes),
            utf_16(json, u16::to_be_bytes),
        ] {
            assert_eq!(read(&bytes, None), (json.to_owned(), false));
        }
    }

    #[test]
    fn what_is_in_no_known_character_set_is_replaced() {
        let replaced = ("kettl\u{fffd}".to_owned(), true);
        assert_eq!(read(b"kettl\xe9", None), replaced);
        assert_eq!(read(b"kettl\xe9", Some("martian")), replaced);
    }
}
