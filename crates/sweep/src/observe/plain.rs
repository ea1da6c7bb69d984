//! Which texts of headers stand in a record as they are: short ones of words, and none that could be a secret.
//!
//! A secret that no suite names is not known as one. It is random, or stands under a name that says what it is; so a text is
//! shown only where it is neither.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use authz_pin_record::text::words;
use authz_pin_suite::secrets;

use super::marked::is_mark;

/// What stands for a text that is not shown.
pub(super) const VALUE: &str = "<value>";

/// How long a text can be that is shown, and a word of it.
const LONGEST: usize = 80;
const LONGEST_WORD: usize = 24;
/// How many digits say nothing of anybody.
const DIGITS: usize = 4;

/// A text with `<value>` in place of what is not shown; marks stay.
pub(super) fn shown(text: &str) -> String {
    replaced(text, |part| !is_plain(part))
}

/// The same of a text under a name.
pub(super) fn shown_under(name: &str, text: &str) -> String {
    let is_secret = is_of_a_secret(name);
    replaced(text, |part| is_secret || !is_plain(part))
}

/// The marks of a text, with `<value>` in place of all else.
pub(super) fn hidden(text: &str) -> String {
    replaced(text, |_| true)
}

/// Parameters of logins that are drawn for each.
const DRAWN: [&str; 7] = [
    "challenge",
    "flow",
    "relaystate",
    "saml",
    "state",
    "tab_id",
    "ticket",
];

/// Whether what stands under a name is never shown. An error's code is none.
fn is_of_a_secret(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    secrets::is_named(name) && !has(&["error", "status", "reason", "result"]) || has(&DRAWN)
}

fn replaced(text: &str, is_hidden: impl Fn(&str) -> bool) -> String {
    let mut out = String::new();
    for part in text.split_inclusive(is_mark) {
        let (before, mark) = match part.char_indices().next_back() {
            Some((at, c)) if is_mark(c) => part.split_at(at),
            _ => (part, ""),
        };
        if !before.is_empty() && is_hidden(before) {
            out.push_str(VALUE);
        } else {
            out.push_str(before);
        }
        out.push_str(mark);
    }
    out
}

/// Whether a text is short, and of words and small numbers.
pub(super) fn is_plain(text: &str) -> bool {
    let mut words = text.split(|c: char| !c.is_alphanumeric());
    text.len() <= LONGEST && !secrets::is_value(text) && words.all(is_word)
}

/// Whether somebody would say it: letters, then a few digits at most.
fn is_word(word: &str) -> bool {
    let letters = word.trim_end_matches(|c: char| c.is_ascii_digit());
    let digits = word.len() - letters.len();
    let inner = letters.trim_start_matches(|c: char| c.is_ascii_digit());
    if inner.is_empty() {
        return digits <= DIGITS;
    }
    let is_letters = inner.chars().all(char::is_alphabetic);
    // As in `30d` and `2fa`.
    let is_short = inner.len() == letters.len() || word.len() <= DIGITS;
    is_letters && is_short && digits < DIGITS && is_spoken(inner, digits > 0)
}

/// Whether nobody drew a text that has no blank: of a long one, words make up a third of the letters and digits, and few of
/// these are digits. With the marks of Base64 between them, drawn characters look like many short words.
pub(super) fn is_written(text: &str) -> bool {
    let is_digit = |c: &char| c.is_ascii_digit();
    let letters = text.chars().filter(|c| c.is_alphanumeric()).count();
    let of_words = text.split(|c: char| !c.is_alphabetic()).filter(|word| {
        let is_long = word.chars().count() >= LONG_WORD;
        is_long && (!word.is_ascii() || has_steady_case(word) && is_pronounced(word))
    });
    let of_words: usize = of_words.map(|word| word.chars().count()).sum();
    text.chars().filter(is_digit).count() <= ALL_DIGITS
        && (letters < SHORT
            || letters == text.chars().filter(is_digit).count()
            || of_words * 3 >= letters)
}

/// How many digits a text without a blank can have.
const ALL_DIGITS: usize = 9;
/// A text of fewer letters and digits says little, whoever drew them.
const SHORT: usize = 12;
/// A word of so many letters is hardly drawn.
const LONG_WORD: usize = 4;

/// A word of so many letters is one whatever they are; with a number behind it, of one less.
const SYLLABLE: usize = 5;

fn is_spoken(letters: &str, has_number: bool) -> bool {
    if !letters.is_ascii() || letters.len() + usize::from(has_number) <= SYLLABLE {
        return true;
    }
    letters.len() <= LONGEST_WORD && has_steady_case(letters) && is_pronounced(letters)
}

/// Whether capitals begin words (`SameSite`), or stand together (`URL`).
fn has_steady_case(letters: &str) -> bool {
    let is_upper: Vec<bool> = letters.bytes().map(|b| b.is_ascii_uppercase()).collect();
    let changes = is_upper.windows(2).filter(|two| two.first() != two.last());
    changes.count() * 8 <= letters.len() * 3
}

/// The pairs of letters that words have most; of letters that were drawn, one pair in five is among them.
const PAIRS: &str = "ab ac ad ag ai al am an ap ar as at au ba be bl ca ce ch ck cl co cr ct da de di do ds ea ec ed ee \
    ef el em en ep er es et ev ew ex fe ff fi fo ge gs ha he hi ho ia ic id ie if ig il im in io ir is \
    it iv ke la ld le li ll lo ls ma me mi mp na nc nd ne ng ni no ns nt oc od ol om on oo op or os ot \
    ou ow pa pe pl po pr pt qu ra rd re rg ri rm ro rr rs rt ry sa sc se sh si so sp ss st su ta tc te \
    th ti to tr ts tt tu ue ul un ur us ut va ve vi wa we";

/// Whether more than half of the pairs of letters are those of words, in parts of a hundred.
const SPOKEN: usize = 55;

fn is_pronounced(letters: &str) -> bool {
    spoken(letters) >= SPOKEN
}

/// How much of the pairs of letters are those of words, in parts of a hundred.
pub(super) fn spoken(letters: &str) -> usize {
    static KNOWN: LazyLock<BTreeSet<&[u8]>> =
        LazyLock::new(|| PAIRS.split_whitespace().map(str::as_bytes).collect());
    let lower = letters.to_ascii_lowercase();
    let pairs = lower.as_bytes().windows(2);
    let known = pairs.clone().filter(|pair| KNOWN.contains(*pair)).count();
    known * 100 / pairs.len().max(1)
}

/// Whether a key is the name of a field, as developers write it, and not the identifier of a thing. Words of names are as
/// short as `rpm`, and many are no words of any language, so only long ones have to be pronounced.
pub(super) fn is_field(key: &str) -> bool {
    let joins = |c: char| !c.is_alphanumeric();
    let digits = key.chars().filter(char::is_ascii_digit).count();
    let inner = key.trim_start_matches('@');
    let is_of_names = !inner.contains(['@', '<', '/']) && !secrets::is_value(key);
    key.len() <= LONGEST && digits <= DIGITS && is_of_names && key.split(joins).all(is_named)
}

/// A word of so many letters is one of a name whatever they are.
const NAMED: usize = 8;
/// How much of a longer one are pairs that words have, in parts of a hundred: as in `object` and `weights`, and twice as many
/// as drawn letters have.
const NAME_SPOKEN: usize = 40;

/// Whether so many pairs of letters are those of words as a name has at least.
pub(super) fn is_spoken_in_part(letters: &str) -> bool {
    spoken(letters) >= NAME_SPOKEN
}

fn is_named(word: &str) -> bool {
    let letters = word.trim_end_matches(|c: char| c.is_ascii_digit());
    let is_letters = letters.chars().all(char::is_alphabetic);
    let is_short_or_spoken = |word: &String| word.len() <= NAMED || is_spoken_in_part(word);
    let is_name = || has_steady_case(letters) && words(letters).iter().all(is_short_or_spoken);
    is_letters && (letters.len() <= NAMED || !letters.is_ascii() || is_name())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_somebody_wrote_is_plain() {
        let texts = [
            "denied",
            "insufficient_scope",
            "The access token expired",
            "/keys/list",
            "https://app.example.org:8443",
            "SameSite",
            "redirect",
            "dashboard",
            "Unauthorized",
            "application/vnd.api+json",
            "oauth2",
            "30d",
            "text/html; charset=utf-8",
            "",
            "abgelehnt: größer",
            "127.0.0.1",
        ];
        assert_eq!(texts.iter().find(|text| !is_plain(text)), None);
    }

    #[test]
    fn what_was_drawn_is_not() {
        let texts = [
            "9f2c4b7a",
            "aGVsbG8gd29ybGQ",
            "kqzvbnwdrt",
            "1764500000",
            "2b1d0a9e-1111-4222-8333-444455556666",
            "sk-abcdefghijkl",
            "aBcDeFgHiJ",
            "http://127.0.0.1:43211/",
            "eyJhbGciOiJIUzI1NiJ9",
        ];
        assert_eq!(texts.iter().find(|text| is_plain(text)), None);
        assert!(!is_plain(&"word ".repeat(20)));
    }

    #[test]
    fn a_key_is_a_field_or_the_identifier_of_a_thing() {
        let fields = [
            "max_budget",
            "object_permission",
            "weights",
            "objectGroups",
            "rpm_limit",
            "mlflowSearchRuns",
            "soft_budget_cooldown",
            "jwtKeyMappings",
            "http2",
            "address_line_1",
            "@type",
            "$ref",
            "größe",
        ];
        let identifiers = [
            "ann.smith@example.org",
            "9f2c4b7a1d",
            "2026-01-31",
            "kqzvbnwdrtxp",
            "aGVsbG8gd29ybGQ",
            "<value>",
            "/things/1",
            "sk-abcdefghijkl",
        ];
        assert_eq!(fields.iter().find(|key| !is_field(key)), None);
        assert_eq!(identifiers.iter().find(|key| is_field(key)), None);
    }

    #[test]
    fn a_long_text_without_a_blank_is_mostly_words() {
        let written = [
            "text-embedding-3-large",
            "us-east-1-prod",
            "https://accounts.example.org:8443",
            "gpt-4o-mini",
            "ann.smith@example.org",
            "2026-01-31",
            "management_routes",
            "abgeschlossen",
        ];
        assert_eq!(written.iter().find(|text| !is_written(text)), None);
        let drawn = [
            "__Aa0_A-aAaA0__-_aa--0Aaa--A_aa0-0a0_0_A-A0",
            "555-123-4567-89",
            "aB-3dE-5fG-7hJ-9kL",
        ];
        assert_eq!(drawn.iter().find(|text| is_written(text)), None);
    }

    #[test]
    fn under_the_name_of_a_secret_nothing_is_shown() {
        assert_eq!(shown_under("token", "denied"), VALUE);
        assert_eq!(shown_under("token", ""), "");
        assert_eq!(shown_under("error_code", "denied"), "denied");
        assert_eq!(
            shown_under("flash", "a\u{f0000}9f2c4b7a"),
            "a\u{f0000}<value>"
        );
    }
}
