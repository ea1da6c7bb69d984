//! The rule for a text of a refusal that two sweeps show differently.
//!
//! What is drawn anew (an id of a request, a number, a nonce) becomes a pattern with a named group, held to its whole line.
//! Entries in another order become a list. Only words of which there are a few that take turns become an exact rule.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::LazyLock;

use authz_pin_record::text::{is_digits, is_uuid};
use authz_pin_suite::suite::entries;
use regex::{Regex, escape};

use super::Rule;
use crate::observe::told::{is_in_place, is_random, redacted, secrets_in};

/// A line with more characters is held to what stands around its varying part.
const LINE: usize = 240;
/// How much of it that is, before the part and behind it.
const BEFORE: usize = 32;
const BEHIND: usize = 12;

/// The rules that would make one text of two; none where there is none, or where one would hold what looks like a secret in
/// all of the text, though not in the part of it that the rule is made of.
pub(super) fn rules(was: &str, is: &str) -> Vec<Rule> {
    let rules = of_texts(was, is);
    let secrets = [was, is].map(secrets_in).concat();
    let holds = |rule: &Rule| secrets.iter().any(|secret| has_part_of(rule, secret));
    if rules.iter().any(holds) {
        return Vec::new();
    }
    rules
}

/// Whether any piece of a secret is in a rule.
fn has_part_of(rule: &Rule, secret: &str) -> bool {
    let texts = match rule {
        Rule::Text { from, to } => vec![from.clone(), to.clone()],
        Rule::Pattern { pattern, .. } => vec![pattern.replace('\\', "")],
        _ => Vec::new(),
    };
    let secret: Vec<char> = secret.chars().filter(|c| *c != '\\').collect();
    let pieces = secret.windows(PIECE.min(secret.len().max(1)));
    let mut pieces = pieces.map(|piece| piece.iter().collect::<String>());
    pieces.any(|piece| texts.iter().any(|text| text.contains(&piece)))
}

/// Fewer characters of a secret are in other words by chance.
const PIECE: usize = 5;

fn of_texts(was: &str, is: &str) -> Vec<Rule> {
    if let Some(list) = list_rule(was, is) {
        return vec![list];
    }
    if was.lines().count() != is.lines().count() {
        return exact_rule(was, is).into_iter().collect();
    }
    let pairs = was.lines().zip(is.lines()).filter(|(was, is)| was != is);
    let all: Option<Vec<Vec<Rule>>> = pairs.map(|(was, is)| of_line(was, is)).collect();
    let mut rules = Vec::new();
    for rule in all.unwrap_or_default().into_iter().flatten() {
        if !rules.contains(&rule) {
            rules.push(rule);
        }
    }
    rules
}

/// Whether all of a text is drawn anew.
pub(super) fn is_drawn(was: &str, is: &str) -> bool {
    let is_word = |text: &str| !text.contains(char::is_whitespace);
    let is_whole = |text: &&str| is_in_place(text) || is_word(text) && is_random(text);
    form(was, is).is_some() || [was, is].iter().all(is_whole)
}

fn of_line(was: &str, is: &str) -> Option<Vec<Rule>> {
    let drawn = drawn(was, is).or_else(|| drawn_word(was, is));
    drawn.or_else(|| exact_rule(was, is).map(|rule| vec![rule]))
}

/// A part of a line that varies: where it is in the first text, its form and its name.
struct Part {
    start: usize,
    end: usize,
    form: String,
    name: &'static str,
}

/// Words, and what stands between them. A UUID is one word.
#[expect(clippy::unwrap_used, reason = "the pattern is a constant")]
static TOKEN: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}|0x|[A-Za-z0-9]+|[^A-Za-z0-9]")
        .unwrap()
});

/// The rules for words that are drawn anew, each in its place.
fn drawn(was: &str, is: &str) -> Option<Vec<Rule>> {
    let tokens = |text| TOKEN.find_iter(text).collect::<Vec<regex::Match<'_>>>();
    let (first, second) = (tokens(was), tokens(is));
    if first.len() != second.len() {
        return None;
    }
    let pairs = first.iter().zip(&second);
    let pairs = pairs.filter(|(one, other)| one.as_str() != other.as_str());
    let part = |(one, other): (&regex::Match<'_>, &regex::Match<'_>)| {
        let (form, name) = form(one.as_str(), other.as_str())?;
        let (start, end) = (one.start(), one.end());
        Some(Part {
            start,
            end,
            form,
            name,
        })
    };
    said(was, &pairs.map(part).collect::<Option<Vec<_>>>()?)
}

/// The patterns of a line that says something besides its parts: by nothing but them, any other text would be one of these.
fn said(line: &str, parts: &[Part]) -> Option<Vec<Rule>> {
    let is_of_part = |at: usize| {
        parts
            .iter()
            .any(|part| (part.start..part.end).contains(&at))
    };
    let letters = line.char_indices().filter(|(_, c)| c.is_alphabetic());
    let besides = letters.filter(|(at, _)| !is_of_part(*at)).count();
    (besides >= SAYS).then(|| patterns(line, parts))
}

/// Fewer letters say nothing.
const SAYS: usize = 2;

/// The rule for one word that is drawn anew, with whatever marks stand in it.
fn drawn_word(was: &str, is: &str) -> Option<Vec<Rule>> {
    let is_end = |c: char| !(c.is_ascii_alphanumeric() || "+/=_-.~*%".contains(c));
    let middle = Middle::of(was, is, is_end);
    let [one, other] = [middle.in_text(was), middle.in_text(is)];
    let is_one_word = |text: &str| !text.is_empty() && !text.contains(is_end);
    let is_drawn = is_one_word(one) && is_one_word(other) && (is_random(one) || is_random(other));
    let found = is_drawn.then(|| {
        let part = Part {
            start: middle.head,
            end: was.len() - middle.tail,
            form: r"[0-9A-Za-z+/=_.~*%-]+".to_owned(),
            name: "id",
        };
        said(was, &[part])
    });
    found.flatten()
}

/// How two words that differ are both written, and what they are; none where they are words of a language.
fn form(one: &str, other: &str) -> Option<(String, &'static str)> {
    let both = |is: fn(&str) -> bool| is(one) && is(other);
    let any = |is: fn(char) -> bool| one.contains(is) || other.contains(is);
    let has_digit = any(|c| c.is_ascii_digit());
    let count = if one.len() == other.len() {
        format!("{{{}}}", one.len())
    } else {
        "+".to_owned()
    };
    let of = |set: &str| format!("[{set}]{count}");
    if both(is_uuid) {
        let set = if any(|c| c.is_ascii_uppercase()) {
            "0-9A-F"
        } else {
            "0-9a-f"
        };
        let form = format!("[{set}]{{8}}(?:-[{set}]{{4}}){{3}}-[{set}]{{12}}");
        return Some((form, "uuid"));
    }
    if both(is_digits) {
        let is_moment = both(|text| matches!(text.len(), 10 | 13) && text.starts_with('1'));
        let form = if one.len() < 6 {
            "[0-9]+".to_owned()
        } else {
            of("0-9")
        };
        return Some((form, if is_moment { "moment" } else { "number" }));
    }
    let is_hex = |upper: bool| {
        let is_it = |c: char| {
            c.is_ascii_digit() || c.is_ascii_hexdigit() && c.is_ascii_uppercase() == upper
        };
        let is_long = one.len() >= 4 && other.len() >= 4;
        is_long && has_digit && one.chars().chain(other.chars()).all(is_it)
    };
    match () {
        () if !both(is_word) => None,
        () if is_hex(false) => Some((of("0-9a-f"), "id")),
        () if is_hex(true) => Some((of("0-9A-F"), "id")),
        // The next one of such a length can have the two marks of Base64url.
        () if one.len() >= 16 && both(is_mixed) => Some((of("0-9A-Za-z_-"), "id")),
        () if has_digit || both(is_mixed) => Some((of("0-9A-Za-z"), "id")),
        () => None,
    }
}

fn is_word(text: &str) -> bool {
    text.len() >= 3 && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Whether capitals stand within a word.
fn is_mixed(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut pairs = bytes.iter().zip(bytes.iter().skip(1));
    text.len() >= 5
        && pairs.any(|(one, other)| one.is_ascii_lowercase() && other.is_ascii_uppercase())
}

/// The patterns of a line: one for a short line, and for a long one what stands around each part.
fn patterns(line: &str, parts: &[Part]) -> Vec<Rule> {
    let rule = |pattern: String| Rule::Pattern {
        pattern,
        lists: Vec::new(),
    };
    if line.chars().count() > LINE {
        let around = parts.iter().map(|part| {
            let group = format!("(?<{}>{})", part.name, part.form);
            anchored(line.get(..part.start), &group, line.get(part.end..))
        });
        return around.map(rule).collect();
    }
    let (mut pattern, mut at, mut names) = ("^".to_owned(), 0, Vec::new());
    for part in parts {
        names.push(part.name);
        let nth = names.iter().filter(|name| **name == part.name).count();
        let name = if nth == 1 {
            part.name.to_owned()
        } else {
            format!("{}_{nth}", part.name)
        };
        pattern += &literal(line.get(at..part.start).unwrap_or_default());
        let _ = write!(pattern, "(?<{name}>{})", part.form);
        at = part.end;
    }
    pattern += &literal(line.get(at..).unwrap_or_default());
    vec![rule(pattern + "$")]
}

/// A group with the text around it, or as much of it as it takes in a long line.
fn anchored(before: Option<&str>, group: &str, behind: Option<&str>) -> String {
    let (before, behind) = (before.unwrap_or_default(), behind.unwrap_or_default());
    let is_long = |text: &str| text.chars().count() > LINE / 2;
    let from = before.char_indices().rev().nth(BEFORE - 1);
    let from = from.filter(|_| is_long(before)).map_or(0, |(at, _)| at);
    let to = behind.char_indices().nth(BEHIND);
    let to = to.filter(|_| is_long(behind));
    let to = to.map_or(behind.len(), |(at, _)| at);
    let before = around(before, from, before.len());
    let behind = around(behind, 0, to);
    format!("^{before}{group}{behind}$")
}

/// A part of a text as a pattern, with anything for the rest of it.
fn around(text: &str, from: usize, to: usize) -> String {
    let skipped = |part: &str| match part {
        "" => "",
        part if part.contains('\n') => "(?s:.*)",
        _ => ".*",
    };
    let (before, behind) = (text.get(..from), text.get(to..));
    let [before, behind] = [before, behind].map(|part| skipped(part.unwrap_or_default()));
    if redacted(text) == text {
        return format!(
            "{before}{}{behind}",
            escape(text.get(from..to).unwrap_or_default())
        );
    }
    literal(text)
}

/// A text as a pattern of itself. What looks like a secret in it is anything: a rule is printed, and written.
fn literal(text: &str) -> String {
    let clean = redacted(text);
    if clean == text {
        return escape(text);
    }
    let head = common(text.chars(), clean.chars());
    let tail = common(text.chars().rev(), clean.chars().rev()).min(text.len() - head);
    let head = text.get(..head).unwrap_or_default();
    let tail = text.get(text.len() - tail..).unwrap_or_default();
    // Up to where words end, since a part of a secret can look like a word.
    let head = head
        .rfind(char::is_whitespace)
        .and_then(|at| head.get(..=at));
    let tail = tail.find(char::is_whitespace).and_then(|at| tail.get(at..));
    let [head, tail] = [head, tail].map(|part| escape(part.unwrap_or_default()));
    format!("{head}(?s:.*){tail}")
}

/// What is not common to two texts, up to where a word begins and ends.
struct Middle {
    /// The number of bytes before it.
    head: usize,
    /// The number of bytes behind it.
    tail: usize,
}

impl Middle {
    fn of(was: &str, is: &str, is_end: impl Fn(char) -> bool) -> Self {
        let head = common(was.chars(), is.chars());
        let ends = [was, is].map(|text| text.get(head..).unwrap_or_default());
        let tail = common(ends[0].chars().rev(), ends[1].chars().rev());
        let before = was.get(..head).unwrap_or_default();
        let behind = was.get(was.len() - tail..).unwrap_or_default();
        Self {
            head: before.trim_end_matches(|c| !is_end(c)).len(),
            tail: behind.trim_start_matches(|c| !is_end(c)).len(),
        }
    }

    fn in_text<'t>(&self, text: &'t str) -> &'t str {
        text.get(self.head..text.len() - self.tail)
            .unwrap_or_default()
    }
}

/// How many bytes two texts have in common.
fn common(one: impl Iterator<Item = char>, other: impl Iterator<Item = char>) -> usize {
    let same = one.zip(other).take_while(|(one, other)| one == other);
    same.map(|(one, _)| one.len_utf8()).sum()
}

/// The rule for a list whose entries are in another order.
fn list_rule(was: &str, is: &str) -> Option<Rule> {
    let middle = Middle::of(was, is, |_| true);
    let found = [bracketed, lines, after_colon, words, between_marks];
    let found = found.iter().filter_map(|of| of(was, &middle));
    let mut found = found.filter(|list| {
        let other = is.get(list.head..is.len() - list.tail);
        let own = was.get(list.head..was.len() - list.tail);
        let entries = [own, other].map(|text| entries(text.unwrap_or_default()));
        entries[0].len() > 1 && entries[0] == entries[1]
    });
    let list = found.next()?;
    let (before, behind) = (was.get(..list.head)?, was.get(was.len() - list.tail..)?);
    let letters = before.chars().chain(behind.chars());
    let form = if letters.filter(|c| c.is_alphabetic()).count() >= SAYS {
        list.form
    } else {
        // By nothing but the list, any other text would be one.
        of_these(was.get(list.head..was.len() - list.tail)?)?
    };
    let group = format!("(?<list>{form})");
    let pattern = anchored(Some(before), &group, Some(behind));
    Some(Rule::Pattern {
        pattern,
        lists: vec!["list".to_owned()],
    })
}

/// A list of no other entries than these.
fn of_these(list: &str) -> Option<String> {
    let entries = entries(list);
    let all: BTreeSet<String> = entries.iter().map(|entry| escape(entry)).collect();
    let is_short = all.len() <= MOST_ENTRIES && all.iter().all(|entry| !entry.is_empty());
    let all = all.into_iter().collect::<Vec<_>>().join("|");
    is_short.then(|| format!(r"(?:(?:{all})(?:[\s,;]+(?:(?:and|or)\s+)?)?)+"))
}

/// A list with more entries is not written out.
const MOST_ENTRIES: usize = 20;

/// Where a list can be.
struct List {
    head: usize,
    tail: usize,
    /// A regular expression of all that it can hold.
    form: String,
}

/// What is between the brackets around it.
fn bracketed(text: &str, middle: &Middle) -> Option<List> {
    let before = text.get(..middle.head)?;
    let head = before.rfind(['[', '(', '{'])? + 1;
    let close = match before.as_bytes().get(head - 1)? {
        b'[' => ']',
        b'(' => ')',
        _ => '}',
    };
    let behind = text.get(text.len() - middle.tail..)?;
    let tail = behind.len() - behind.find(close)?;
    let form = format!("[^{}]*", escape(&close.to_string()));
    Some(List { head, tail, form })
}

/// The lines with the same mark at their beginning.
fn lines(text: &str, middle: &Middle) -> Option<List> {
    let end = text.len() - middle.tail;
    if !text.get(middle.head..end)?.contains('\n') {
        return None;
    }
    let start = text.get(..middle.head)?.rfind('\n').map_or(0, |at| at + 1);
    let mark = text.get(start..)?;
    let mark: String = mark
        .chars()
        .take_while(|c| !c.is_alphanumeric() && !"'\"<`/".contains(*c))
        .collect();
    let is_entry = |line: &&str| !line.is_empty() && line.starts_with(&mark);
    let before: Vec<&str> = text.get(..start)?.split_inclusive('\n').collect();
    let before = before.iter().rev().copied().take_while(is_entry);
    let head = start - before.map(str::len).sum::<usize>();
    let entries = text.get(head..)?.split_inclusive('\n').take_while(is_entry);
    let length: usize = entries.map(str::len).sum();
    let list = text.get(head..head + length)?.trim_end_matches('\n');
    let tail = text.len() - head - list.len();
    let form = format!(r"{0}.+(?:\n{0}.+)*", escape(&mark));
    Some(List { head, tail, form })
}

/// What is between the last colon that ends a word, and the end of the line.
fn after_colon(text: &str, middle: &Middle) -> Option<List> {
    let before = text.get(..middle.head)?;
    up_to_the_end(text, middle, before.rfind(": ")? + 2)
}

/// Single words with commas between them.
#[expect(clippy::unwrap_used, reason = "the pattern is a constant")]
static WORDS: LazyLock<[Regex; 2]> = LazyLock::new(|| {
    let between = r"(?:,\s*(?:(?:and|or)\s+)?|\s+(?:and|or)\s+)";
    let before = format!(r"(?:[^\s,]+{between})*[^\s,]*\z");
    let behind = format!(r"\A[^\s,]*(?:{between}[^\s,]+)*");
    [before, behind].map(|pattern| Regex::new(&pattern).unwrap())
});

fn words(text: &str, middle: &Middle) -> Option<List> {
    let before = text.get(..middle.head)?;
    let behind = text.get(text.len() - middle.tail..)?;
    let [in_front, behind_it] = &*WORDS;
    let head = in_front.find(before)?.start();
    let end = behind_it.find(behind)?.as_str();
    let end = end.trim_end_matches(['.', ';', ':', '!']).len();
    let tail = behind.len() - end;
    let form = ".+?".to_owned();
    Some(List { head, tail, form })
}

/// What is between the marks around it, or the ends of the line.
fn between_marks(text: &str, middle: &Middle) -> Option<List> {
    let before = text.get(..middle.head)?;
    let head = before.rfind([':', '=', '\n', '(']).map_or(0, |at| at + 1);
    let blank = text.get(head..)?;
    let blank = blank.len() - blank.trim_start().len();
    up_to_the_end(text, middle, head + blank)
}

/// A list that ends with the sentence, the line or a bracket.
fn up_to_the_end(text: &str, middle: &Middle, head: usize) -> Option<List> {
    let behind = text.get(text.len() - middle.tail..)?;
    let ends = [". ", "\n", ")", ";"];
    let end = ends.iter().filter_map(|mark| behind.find(mark)).min();
    let end = end.unwrap_or_else(|| behind.trim_end_matches('.').len());
    let form = ".+?".to_owned();
    let tail = behind.len() - end;
    Some(List { head, tail, form })
}

/// The words in which two texts differ, for a service that writes now one and now the other. What is between
/// other words would be replaced elsewhere as well, so it is as long as it has to be to stand alone.
fn exact_rule(was: &str, is: &str) -> Option<Rule> {
    let middle = Middle::of(was, is, char::is_whitespace);
    let [to, from] = [was, is].map(|text| middle.in_text(text).to_owned());
    let is_clean = [&to, &from].iter().all(|text| redacted(text) == **text);
    let is_long = from.chars().count() >= SHORTEST;
    let is_rule = is_clean && is_long && !from.contains('<') && from != to;
    is_rule.then_some(Rule::Text { from, to })
}

/// A shorter text is in too many others.
const SHORTEST: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(was: &str, is: &str) -> String {
        match rules(was, is).as_slice() {
            [Rule::Pattern { pattern, .. }] => pattern.clone(),
            other => format!("{other:?}"),
        }
    }

    /// The one text that the rules make of each of these.
    fn steadied(was: &str, is: &str, third: &str) -> String {
        let rules = rules(was, is);
        let made = [was, is, third].map(|text| {
            rules.iter().fold(text.to_owned(), |text, rule| match rule {
                Rule::Pattern { pattern, lists } => {
                    let pattern =
                        authz_pin_suite::suite::TextPattern::try_from(pattern.clone()).unwrap();
                    pattern.applied(&text, lists)
                }
                other => panic!("{other:?}"),
            })
        });
        assert!(
            made.iter().all(|text| *text == made[0]),
            "{rules:?} {made:?}"
        );
        made[0].clone()
    }

    #[test]
    fn what_is_drawn_anew_is_a_named_group_in_its_place() {
        assert_eq!(
            pattern(
                "Denied (request id 12ab34cd56ef7890)",
                "Denied (request id ffab34cd56ef7891)"
            ),
            r"^Denied \(request id (?<id>[0-9a-f]{16})\)$"
        );
        let texts = [
            [
                "no: 2b1d0a9e-1111-4222-8333-444455556666",
                "no: 3b1d0a9e-1111-4222-8333-444455556667",
                "no: 4b1d0a9e-1111-4222-8333-444455556667",
            ],
            [
                "at 1700000000123, sorry",
                "at 1700000000456, sorry",
                "at 1700000123456, sorry",
            ],
            ["4 attempts left", "3 attempts left", "12 attempts left"],
            [
                "denied, req-a1B2c3D4e5",
                "denied, req-z9Y8x7W6v5",
                "denied, req-00000aaaaa",
            ],
            ["[ab12 7] no", "[cd34 8] no", "[0000 1200] no"],
            [
                "x Zm9v+YmFyL2Jheg== y",
                "x cXV4L3F1dXg0NDQ= y",
                "x aGVsbG8vd29ybGQx y",
            ],
        ];
        let made = texts.map(|[was, is, third]| steadied(was, is, third));
        assert_eq!(
            made,
            [
                "no: <uuid>",
                "at <moment>, sorry",
                "<number> attempts left",
                "denied, req-<id>",
                "[<id> <number>] no",
                "x <id> y",
            ]
        );
    }

    #[test]
    fn a_long_line_is_held_to_what_is_around_its_part() {
        let page = |nonce: &str| {
            format!(
                "<p>{}</p><script nonce=\"{nonce}\">{}",
                "a ".repeat(300),
                "b ".repeat(300)
            )
        };
        let [one, other, third] = ["12ab34cd", "ffab34cd", "00ab34cd"].map(page);
        assert!(
            pattern(&one, &other).len() < 120,
            "{}",
            pattern(&one, &other)
        );
        assert!(steadied(&one, &other, &third).contains("nonce=\"<id>\">b b"));
    }

    #[test]
    fn no_rule_holds_what_looks_like_a_secret() {
        let text = |number: usize| {
            format!(
                "try {number}: password=swordfish on postgres://a:opensesame@db, key 9f86d081884c7d65 in try {number}, over"
            )
        };
        let made = steadied(&text(1), &text(2), &text(30));
        assert!(
            made.starts_with("try <number>: ") && made.ends_with(", over"),
            "{made}"
        );
        let pattern = pattern(&text(1), &text(2));
        let secrets = ["swordfish", "opensesame", "9f86d081"];
        assert!(
            !secrets.iter().any(|secret| pattern.contains(secret)),
            "{pattern}"
        );
        assert_eq!(rules("a 1 password=one", "a 1 password=two"), []);
        // By themselves the parts that a rule is made of do not look like secrets.
        let address = |name: &str| format!("cannot reach postgres://{name}:opensesame@db");
        assert_eq!(rules(&address("worker3"), &address("worker5")), []);
        let lines =
            |number: usize, password: &str| format!("attempt {number}\npassword = {password}");
        assert_eq!(rules(&lines(1, "swordfish"), &lines(2, "sesamopen")), []);
    }

    #[test]
    fn a_list_that_is_all_of_a_text_is_one_of_its_own_entries() {
        let pattern = pattern("admin, owner", "owner, admin");
        let rule = Regex::new(&pattern).unwrap();
        assert!(
            rule.is_match("owner, admin") && !rule.is_match("SELECT 1, 2"),
            "{pattern}"
        );
    }

    #[test]
    fn entries_in_another_order_are_a_list_whatever_they_are() {
        let texts = [
            [
                "only ['a', 'b', 'c'] may",
                "only ['a', 'c', 'b'] may",
                "only ['x', 'a'] may",
            ],
            [
                "only {'a', 'b'} may",
                "only {'b', 'a'} may",
                "only {'q', 'b', 'a'} may",
            ],
            ["needs: a, b, c", "needs: a, c, b", "needs: d, a"],
            ["needs k:a, k:b.", "needs k:b, k:a.", "needs k:d, k:c, k:a."],
            ["needs: k:a, k:b", "needs: k:b, k:a", "needs: k:d, k:a"],
            [
                "Ask one of:\n- ann\n- bob\nor go",
                "Ask one of:\n- bob\n- ann\nor go",
                "Ask one of:\n- zoe\n- eve\n- ann\nor go",
            ],
        ];
        for [was, is, third] in texts {
            let rules = rules(was, is);
            let [Rule::Pattern { pattern, lists }] = rules.as_slice() else {
                panic!("{rules:?}")
            };
            let rule = authz_pin_suite::suite::TextPattern::try_from(pattern.clone()).unwrap();
            assert_eq!(rule.applied(was, lists), rule.applied(is, lists));
            let entries: Vec<String> = rule
                .applied(third, lists)
                .split([' ', '\n'])
                .map(str::to_owned)
                .collect();
            assert_ne!(
                rule.applied(third, lists),
                rule.applied(was, lists),
                "{entries:?}"
            );
            assert_ne!(rule.applied(third, lists), third, "{pattern}");
        }
    }

    #[test]
    fn words_that_take_turns_are_an_exact_rule() {
        let exact = |was: &str, is: &str| rules(was, is);
        let rule = Rule::Text {
            from: "evening".to_owned(),
            to: "morning".to_owned(),
        };
        assert_eq!(exact("good morning, no", "good evening, no").len(), 1);
        assert_eq!(exact("good morning no", "good evening no"), [rule]);
        assert_eq!(exact("a", "b"), []);
        assert_eq!(exact("for <user_id>", "for <owner_id>"), []);
    }
}
