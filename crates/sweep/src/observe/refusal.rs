//! A refusal: which gate refused, and everything else that the answer tells.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;
use std::time::SystemTime;

use authz_pin_record::record::{Masked, Unprinted};
use authz_pin_record::text::{on_one_line, plain, short};
use authz_pin_suite::suite::{JsonPath, RefusalSpec, TextRule};
use regex::{Captures, Regex};
use serde_json::Value as Json;

use super::field::{self, Place};
use super::plain::{is_plain, is_written};
use super::stub::is_stub;
use super::told::{self, cut, group, redacted};
use super::{AnswerRules, kinds_of_names, name_escaped, printable};
use crate::http::{Answer, Document, Form};
use crate::symbols::{Namer, View};

/// How much of a gate's wording is printed, in characters.
const SAYS: usize = 400;
/// How much of any other value of a refusal.
const VALUE: usize = 60;
/// How much of several values at one path.
const VALUES: usize = 160;
/// How many paths of a refusal are printed; the rest of one with more is a digest.
const PATHS: usize = 40;
/// How much of a text is kept to tell two sweeps apart, in bytes.
const KEPT: usize = 64 * 1024;
/// What stands for a value that the suite has the tool ignore.
const IGNORED: &str = "<ignored>";

/// A refusal as a record has it.
#[derive(Debug, Default)]
pub(super) struct Refusal {
    /// Its type and message, or all of it where the suite names no message in it.
    pub(super) gate: String,
    /// The values of all other fields, by their paths.
    pub(super) also: BTreeMap<String, String>,
    pub(super) unprinted: Unprinted,
}

/// Who reads, and by which rules.
pub(super) struct Reader<'a> {
    pub(super) rules: &'a AnswerRules<'a>,
    pub(super) namer: &'a Namer,
    pub(super) view: View<'a>,
}

impl Refusal {
    /// The gate, where there is one, what is told besides, and the texts as a whole.
    pub(super) fn parts(self) -> (Option<String>, BTreeMap<String, String>, Unprinted) {
        (Some(self.gate), self.also, self.unprinted)
    }
}

impl Reader<'_> {
    fn spec(&self) -> &RefusalSpec {
        &self.rules.verdicts.suite.refusal
    }

    /// A refusal that tells nothing but its gate.
    pub(super) fn alone(&self, gate: &str) -> Refusal {
        let mut refusal = Refusal::default();
        self.enter(&mut refusal, gate);
        refusal
    }

    /// A redirect: of one that refuses, the body tells what is beside where it leads.
    pub(super) fn redirect(
        &self,
        answer: &Answer,
        to: &str,
        (body, location): (Option<Json>, &str),
    ) -> Refusal {
        let mut refusal = self.alone(to);
        let is_more = |body: &Json| match body {
            Json::String(text) => !is_stub(text, location),
            _ => true,
        };
        if let Some(body) = body.filter(is_more) {
            self.besides(answer, &self.without_ignored(body), to, &mut refusal);
        }
        refusal
    }

    /// A refusal of parts of an answer, with what these tell besides.
    pub(super) fn with_parts(&self, mut refusal: Refusal, parts: &Json) -> Refusal {
        let gate = refusal.gate.clone();
        let said = gate.split("; ").flat_map(|one| one.split(": "));
        self.rest(parts, (&BTreeSet::new(), &said.collect()), &mut refusal);
        // Without a part there is nothing but an empty object.
        refusal.also.remove("");
        refusal
    }

    /// A body without the values that the suite has the tool ignore.
    pub(super) fn without_ignored(&self, mut body: Json) -> Json {
        for path in &self.spec().ignore {
            path.replace_in(&mut body, &Json::from(IGNORED));
        }
        body
    }

    /// What a document tells that refuses: all of its text, or its fields where the suite says something of one of them.
    pub(super) fn told(&self, document: &Document) -> Json {
        let Document { form, text, tree } = document;
        let RefusalSpec {
            message, ignore, ..
        } = self.spec();
        let said = message.iter().flat_map(|path| path.values_in(tree));
        let ignored = ignore.iter().flat_map(|path| path.values_in(tree));
        // An element that holds others is no message.
        let is_read = said.filter(|said| !said.is_object()).chain(ignored);
        match form {
            Form::Bytes => bytes(document).into(),
            Form::Lines => document.lines().clone(),
            _ if is_read.into_iter().all(Json::is_null) => text.as_str().into(),
            form => steady_tree(*form, tree.clone()),
        }
    }

    fn enter(&self, refusal: &mut Refusal, gate: &str) {
        // What a rule took from a header is not named yet.
        let said = self.text(&self.named_again(gate));
        let shown = cut(&redacted(&said), SAYS);
        refusal.gate = self.named_again(&shown);
        self.keep(&mut refusal.unprinted, &refusal.gate, || &said);
    }

    /// What a body tells besides the words that a rule for verdicts took from it.
    fn besides(&self, answer: &Answer, body: &Json, said: &str, refusal: &mut Refusal) {
        if let Some(text) = body.as_str() {
            if text.trim() != said {
                let (whole, shown) = self.whole(answer, body);
                let shown = self.named_again(&cut(&shown, VALUE));
                self.keep(&mut refusal.unprinted, &shown, || &whole);
                refusal.also.insert("body".to_owned(), shown);
            }
            return;
        }
        let said: BTreeSet<&str> = said.split("; ").flat_map(|one| one.split(": ")).collect();
        self.rest(body, (&BTreeSet::new(), &said), refusal);
    }

    /// Reads a refusal, whose body is named. Entities of the world are named by what they are, not who (`<user_id>`), so
    /// that one gate is one entry of the legend; who was disclosed stands in the cell.
    ///
    /// A rule for verdicts can know its words: then these are the gate.
    pub(super) fn read(&self, answer: &Answer, body: Json, by_rule: Option<String>) -> Refusal {
        let spec = self.spec();
        let body = self.without_ignored(body);
        let mut refusal = Refusal::default();
        if let Some(said) = by_rule {
            self.enter(&mut refusal, &said);
            self.besides(answer, &body, &said, &mut refusal);
            return refusal;
        }
        let message = places(spec.message.as_ref(), &body);
        let kind = places(spec.kind.as_ref(), &body);
        let (said, shown) = if message.is_empty() {
            self.whole(answer, &body)
        } else {
            let known = message.keys().chain(kind.keys());
            let known: BTreeSet<&str> = known.map(String::as_str).collect();
            self.rest(&body, (&known, &BTreeSet::new()), &mut refusal);
            let said = self.joined(&message, "; ");
            let shown = cut(&redacted(&said), SAYS);
            (said, shown)
        };
        let kind = self.joined(&kind, ", ");
        let shown = if kind.is_empty() {
            shown
        } else {
            format!("{}: {shown}", cut(&redacted(&kind), SAYS))
        };
        refusal.gate = self.named_again(&shown);
        self.keep(&mut refusal.unprinted, &refusal.gate, || &said);
        refusal
    }

    /// What is put together here can complete a value.
    fn named_again(&self, text: &str) -> String {
        self.namer.name(text, self.view).text
    }

    /// A body as a whole, where that is kept, with what of it is printed.
    fn whole(&self, answer: &Answer, body: &Json) -> (String, String) {
        let is_page = answer.is_page();
        let steady = is_page.then(|| Json::from(without_drawn(&plain(body))));
        let body = steady.as_ref().unwrap_or(body);
        let hidden = told::hidden("", body);
        let clean = self.text(&plain(&hidden));
        let said = if self.rules.keeps_texts && hidden != *body {
            self.text(&plain(body))
        } else {
            clean.clone()
        };
        let clean = redacted(&clean);
        let shown = if is_page {
            let read = visible(&clean);
            let shown = short(&read, SAYS);
            // Some say of a plain text that it is a page.
            if shown == clean {
                shown.into_owned()
            } else {
                format!("{shown} <page {}>", told::digest(&clean))
            }
        } else {
            cut(&clean, SAYS)
        };
        (said, shown.trim_start().to_owned())
    }

    /// The texts at these places, each once and in an order that does not depend on theirs.
    fn joined(&self, places: &BTreeMap<String, String>, between: &str) -> String {
        let texts: BTreeSet<String> = places.values().map(|text| self.text(text)).collect();
        texts.into_iter().collect::<Vec<_>>().join(between)
    }

    /// Everything that is at none of the known places, by its path, and is nothing that was said already.
    fn rest(
        &self,
        body: &Json,
        (known, said): (&BTreeSet<&str>, &BTreeSet<&str>),
        refusal: &mut Refusal,
    ) {
        let mut leaves = BTreeMap::new();
        let mut walk = Walk {
            known,
            leaves: &mut leaves,
        };
        walk.value(body, &Place::default(), "");
        let is_said = |leaf: &Leaf| {
            leaf.values
                .iter()
                .all(|value| said.contains(value.as_str()))
        };
        leaves.retain(|_, leaf| !is_said(leaf));
        // Keys that are values of the run can get one name.
        let mut named: BTreeMap<String, Leaf> = BTreeMap::new();
        for (path, leaf) in leaves {
            let path = redacted(&self.text(&path)).into_owned();
            let all = named.entry(self.named_again(&path)).or_default();
            all.name = leaf.name;
            all.values.extend(leaf.values);
        }
        let told = named.into_iter().map(|(path, leaf)| {
            let values = leaf.values.iter().map(|value| self.text(value));
            let values: BTreeSet<String> = values.collect();
            let joined = |shown: &dyn Fn(&String) -> String| {
                let shown: BTreeSet<String> = values.iter().map(shown).collect();
                shown.into_iter().collect::<Vec<_>>().join(", ")
            };
            let shown = joined(&|value| told::value(&leaf.name, value, VALUE));
            let printed = self.named_again(&cut(&shown, VALUES));
            // Nobody makes a rule of what stands under the name of a secret.
            let whole = || joined(&|value| told::clear(&leaf.name, value));
            self.keep(&mut refusal.unprinted, &printed, whole);
            (path, printed)
        });
        refusal.also = bounded(told.collect());
    }

    /// A text by the rules of the suite, as far as they are about this endpoint.
    fn text(&self, text: &str) -> String {
        let mut said = text.to_owned();
        for rule in &self.rules.texts {
            if let TextRule::Exact(rule) = rule {
                said = said.replace(&rule.from, &rule.to);
            }
        }
        let said = name_escaped(self.namer, self.view, self.named(text, said));
        let before = steady(&kinds_of_names(&said));
        let mut said = before.clone();
        for rule in &self.rules.texts {
            if let TextRule::Pattern(rule) = rule {
                said = rule.pattern.applied(&said, &rule.lists);
            }
        }
        let said = kinds_of_names(&self.named(&before, said));
        let said = DURATION.replace_all(&said, "$verb<duration>");
        printable(&said.replace("\r\n", "\n"))
    }

    /// A rule can put letters beside others that complete a value with them.
    fn named(&self, before: &str, text: String) -> String {
        if text == before {
            return text;
        }
        self.namer.name(&text, self.view).text
    }

    /// Keeps, where that is wanted, a text as it was before it was made short, and which known values it shows in part.
    fn keep<W: AsRef<str>>(
        &self,
        unprinted: &mut Unprinted,
        printed: &str,
        whole: impl FnOnce() -> W,
    ) {
        if !self.rules.keeps_texts {
            return;
        }
        let whole = whole();
        let whole = whole.as_ref();
        let end = whole.floor_char_boundary(KEPT);
        let whole = whole.get(..end).unwrap_or_default();
        unprinted.keep(printed, whole);
        for found in MASK.captures_iter(whole) {
            let [part, head, fill, tail] = [0, 1, 2, 3].map(|at| group(&found, at));
            if let Some(known) = self.namer.masked(head, tail) {
                let masked = Masked {
                    template: mask_of(&known.field, known.length, (head, fill, tail)),
                    entity: known.entity,
                    field: known.field,
                };
                unprinted.keep_mask(part, masked);
            }
        }
    }
}

/// What is told of bytes that are no text.
fn bytes(document: &Document) -> String {
    let of = |key: &str| {
        let told = document.tree.pointer(&format!("/bytes/{key}"));
        told.map(plain).unwrap_or_default()
    };
    let digest = told::digest(&document.text);
    format!(
        "<{} bytes or more of {}, {digest}>",
        of("at_least"),
        of("type")
    )
}

/// The texts at the places that a path leads to, by where these are; null is none.
fn places(path: Option<&JsonPath>, body: &Json) -> BTreeMap<String, String> {
    let found = path.into_iter().flat_map(|path| path.all_in(body));
    let found = found.filter(|(_, value)| !value.is_null());
    found.map(|(place, value)| (place, plain(value))).collect()
}

/// What is at one path: a path says nothing of an item's place in its list, so there can be several values.
#[derive(Default)]
struct Leaf {
    name: String,
    values: BTreeSet<String>,
}

struct Walk<'a> {
    known: &'a BTreeSet<&'a str>,
    leaves: &'a mut BTreeMap<String, Leaf>,
}

impl Walk<'_> {
    /// Enters a value, of which `name` is the last key that leads to it.
    fn value(&mut self, value: &Json, place: &Place, name: &str) {
        if self.known.contains(place.pointer.as_str()) {
            return;
        }
        match value {
            Json::Array(items) if !items.is_empty() => {
                for (at, item) in items.iter().enumerate() {
                    self.value(item, &place.item(at), name);
                }
            }
            Json::Object(map) if !map.is_empty() => {
                for (key, value) in map {
                    self.value(value, &place.member(key), field::name(name, key));
                }
            }
            leaf => {
                let entry = self.leaves.entry(place.path.clone()).or_default();
                name.clone_into(&mut entry.name);
                entry.values.insert(plain(leaf));
            }
        }
    }
}

/// The first paths, and a digest of the others.
fn bounded(mut told: Vec<(String, String)>) -> BTreeMap<String, String> {
    let rest = told.split_off(told.len().min(PATHS));
    let mut also: BTreeMap<String, String> = told.into_iter().collect();
    if !rest.is_empty() {
        let more = format!("<{} {}>", rest.len(), told::digest(&format!("{rest:?}")));
        also.insert("and more fields".to_owned(), more);
    }
    also
}

/// A moment within a text, when something was refused or until when it was valid: as of ISO 8601, RFC 3339 and RFC 5322,
/// and as Java and C print it.
#[expect(clippy::unwrap_used, reason = "the pattern is a constant")]
static MOMENT: LazyLock<Regex> = LazyLock::new(|| {
    let day = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)";
    let month = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)";
    let time = r"\d\d:\d\d:\d\d";
    Regex::new(&format!(
        r"\b(?:\d{{4}}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?: ?(?:UTC|Z|[+-]\d\d:?\d\d))?|{day}, \d{{1,2}} {month} \d{{4}} {time}(?: (?:GMT|UTC|[+-]\d{{4}}))?|{day} {month} [ \d]\d {time}(?: [A-Z]{{2,5}})? \d{{4}}|\d{{2}}/{month}/\d{{4}}:{time}(?: [+-]\d{{4}})?|\d{{1,2}}[./]\d{{1,2}}[./]\d{{4}},? (?:{time}|\d\d?:\d\d)(?: ?[AaPp][Mm])?|\d{{4}}/\d\d/\d\d {time}|{time}(?:[.,]\d+)?)\b"
    ))
    .unwrap()
});

/// How long something took, or has to be waited for: what is shorter than a second or is measured in parts of one, and what
/// says that it is waited for. The length of a limit stays.
#[expect(clippy::unwrap_used, reason = "the pattern is a constant")]
static DURATION: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?ix) \b (?P<verb> (?: took | elapsed | duration | (?: re)?try (?:\s again)? (?:\s (?:in|after))? | wait (?:\s for)? ) [\s:=]+ )
            \d+ (?: \.\d+ )? \s? (?: [mun\u{b5}]?s | secs? | seconds? | mins? | minutes? | milliseconds? ) \b
        | \b \d+ \.\d+ \s? (?: [mun\u{b5}]?s | secs? | seconds? | milliseconds? ) \b",
    )
    .unwrap()
});

/// The text with one name for all moments.
pub(super) fn steady(text: &str) -> String {
    let text = MOMENT.replace_all(text, TIMESTAMP);
    let text = SECONDS.replace_all(&text, |found: &Captures<'_>| {
        let number = group(found, 1);
        let seconds = number.get(..10).and_then(|seconds| seconds.parse().ok());
        let is_now = seconds.is_some_and(|seconds: u64| seconds.abs_diff(now()) < DAY);
        if is_now { TIMESTAMP } else { group(found, 0) }.to_owned()
    });
    text.into_owned()
}

const TIMESTAMP: &str = "<timestamp>";
/// A day in seconds.
const DAY: u64 = 24 * 60 * 60;

fn now() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

/// A number of seconds or milliseconds since 1970, which is a moment where that is today: two sweeps in the same second would
/// show the same.
#[expect(clippy::unwrap_used, reason = "the pattern is a constant")]
static SECONDS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\b(1\d{9}|1\d{12})(?:\.\d+)?\b").unwrap());

/// A word of which only the ends are shown.
#[expect(clippy::unwrap_used, reason = "the pattern is a constant")]
static MASK: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"([A-Za-z0-9_-]*)(\*{2,}|\u{2022}{2,}|\u{2026}|\.{3}|[xX]{4,})([A-Za-z0-9_-]*)")
        .unwrap()
});

/// A mask as a template.
fn mask_of(field: &str, length: usize, (head, fill, tail): (&str, &str, &str)) -> String {
    let [first, last] = [head, tail].map(|part| part.chars().count());
    if fill.chars().all(|c| c == '*') && fill.len() + first + last == length {
        return format!("{{{{ {field} | mask({first}, {last}) }}}}");
    }
    let end = |filter: &str, count: usize| match count {
        0 => String::new(),
        count => format!("{{{{ {field} | {filter}({count}) }}}}"),
    };
    format!("{}{fill}{}", end("first", first), end("last", last))
}

/// An attribute that a page can have drawn anew each time: the token of a form, a nonce.
#[expect(clippy::unwrap_used, reason = "the pattern is a constant")]
static ATTRIBUTE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"(?i)\b((?:value|content|nonce|data-[\w-]+)\s*=\s*["']?)([^"'<>\s]{12,})"#)
        .unwrap()
});

/// A page without what was drawn for its attributes: against forged requests (CSRF) nearly every form has such a value.
pub(super) fn without_drawn(page: &str) -> String {
    let page = ATTRIBUTE.replace_all(page, |found: &Captures<'_>| {
        let [whole, name, value] = [0, 1, 2].map(|at| found.get(at).map_or("", |it| it.as_str()));
        if is_drawn(value) {
            format!("{name}<drawn>")
        } else {
            whole.to_owned()
        }
    });
    page.into_owned()
}

/// The tree of a document; that of a page without what was drawn for the fields of its forms, and for its attributes.
pub(super) fn steady_tree(form: Form, mut page: Json) -> Json {
    if form != Form::Page {
        return page;
    }
    if let Some(markup) = page.get_mut("markup") {
        *markup = without_drawn(&plain(markup)).into();
    }
    let forms = page.get_mut("forms").and_then(Json::as_array_mut);
    let forms = forms.into_iter().flatten();
    let all = forms.filter_map(|form| form.get_mut("fields"));
    all.for_each(drop_drawn);
    if let Some(fields) = page.get_mut("fields") {
        drop_drawn(fields);
    }
    page
}

/// Puts `<drawn>` for each value of fields that was drawn.
fn drop_drawn(fields: &mut Json) {
    let values = fields.as_object_mut().into_iter().flatten();
    for (_, value) in values {
        let text = value.as_str().unwrap_or_default();
        let is_token = text.len() >= DRAWN && !text.contains(char::is_whitespace);
        if is_token && is_drawn(text) {
            *value = Json::from("<drawn>");
        }
    }
}

/// A value of a field with fewer characters is no token.
const DRAWN: usize = 12;

/// Whether a value of an attribute was drawn. One that is missed makes two sweeps differ, so a long one without marks has to be
/// of words.
fn is_drawn(value: &str) -> bool {
    let is_long = value.len() >= LONG && value.chars().all(char::is_alphanumeric);
    told::is_random(value) || !is_written(value) || is_long && !is_plain(value)
}

/// A value of so many characters can be a token.
const LONG: usize = 16;

/// What of a page is no text: scripts, styles, remarks and tags. The names of values are no tags.
#[expect(clippy::unwrap_used, reason = "the pattern is a constant")]
static MARKUP: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?is)<script\b.*?(?:</script\s*>|\z)|<style\b.*?(?:</style\s*>|\z)|<!--.*?(?:-->|\z)|<!doctype[^>]*>|</?(?:html|head|body|meta|link|title|base|h[1-6]|p|div|span|br|hr|pre|code|a|b|i|u|em|strong|small|ul|ol|li|dl|dt|dd|table|thead|tbody|tfoot|tr|td|th|caption|img|svg|path|form|input|button|label|main|section|article|header|footer|nav|aside|center|font|address|blockquote|noscript|iframe|details|summary|style|script)\b[^>]*>").unwrap()
});

/// What a person reads of a page, on one line. All of it is compared; this is only what is printed.
fn visible(page: &str) -> String {
    on_one_line(&MARKUP.replace_all(page, " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hardly_a_token_of_a_form_is_missed() {
        let tokens = || (0..2_000).map(|_| authz_pin_suite::template::random(32));
        assert_eq!(tokens().find(|token| !is_drawn(token)), None);
        let written = ["subscription-annual", "ann.smith@example.org", "12000000"];
        assert_eq!(written.iter().find(|value| is_drawn(value)), None);
    }

    #[test]
    fn what_a_page_has_anew_each_time_is_left_out_of_its_attributes_alone() {
        let page = |token: &str| {
            format!(
                r#"<input type=hidden name="csrf" value="{token}"><b data-user="carol">{token}</b>"#
            )
        };
        let one = without_drawn(&page("o3Yc0S9dkQ2mXvT1LfZrW8uB"));
        let bare = without_drawn("<input name=csrf value=o3Yc0S9dkQ2mXvT1LfZrW8uB>");
        assert_eq!(bare, "<input name=csrf value=<drawn>>");
        assert!(
            one.starts_with(r#"<input type=hidden name="csrf" value="<drawn>">"#),
            "{one}"
        );
        assert!(
            one.ends_with("<b data-user=\"carol\">o3Yc0S9dkQ2mXvT1LfZrW8uB</b>"),
            "{one}"
        );
    }

    #[test]
    fn a_moment_in_a_refusal_is_one_whatever_the_time() {
        let shown = steady;
        for form in [
            now().to_string(),
            format!("{}123", now()),
            format!("{}.5", now()),
        ] {
            assert_eq!(shown(&format!("at {form}: no")), "at <timestamp>: no");
        }
        let others = ["1000000000", "11700000000000", "1234567890123"];
        assert_eq!(others.map(shown), others);
        let moments = [
            "2026-01-31 12:00:00.123456+00:00",
            "2026-01-31T12:00:00Z",
            "2026-01-31T12:00:00.1+0200",
            "2026-01-31 12:00 UTC",
            "Sat, 31 Jan 2026 12:00:00 GMT",
            "Sat Jan 31 12:00:00 CET 2026",
        ];
        for moment in moments {
            let text = format!("expired at {moment}, sorry");
            assert_eq!(shown(&text), "expired at <timestamp>, sorry");
        }
        assert_eq!(
            shown("of 2026-01-31, no. 12026-01-31 12:00"),
            "of 2026-01-31, no. 12026-01-31 12:00"
        );
    }

    #[test]
    fn how_long_something_took_is_one_duration() {
        let shown = |text: &str| DURATION.replace_all(text, "$verb<duration>").into_owned();
        assert_eq!(shown("no (took 8ms)"), "no (took <duration>)");
        assert_eq!(shown("no, retry in 3.2 s"), "no, retry in <duration>");
        assert_eq!(shown("try again in 12 seconds"), "try again in <duration>");
        assert_eq!(shown("no after 0.153s"), "no after <duration>");
        for text in [
            "sessions end after 30 minutes",
            "at most 5 s",
            "version 1.2 says no",
            "took 8 steps",
        ] {
            assert_eq!(shown(text), text);
        }
    }

    #[test]
    fn of_a_page_the_text_is_read_and_no_markup() {
        let page = "<!DOCTYPE html><html><head><title>Error</title><style>p{}</style><script>var a = '<p>';</script></head>\n<body class=x><h1>Not yours: <target.id></h1><!-- p --></body></html>";
        assert_eq!(visible(page), "Error Not yours: <target.id>");
    }

    #[test]
    fn a_mask_is_a_template_of_its_value() {
        let shown = |length: usize, head: &str, fill: &str, tail: &str| {
            mask_of("id", length, (head, fill, tail))
        };
        assert_eq!(shown(12, "abcdef", "****", "yz"), "{{ id | mask(6, 2) }}");
        assert_eq!(
            shown(20, "ab", "****", "yz"),
            "{{ id | first(2) }}****{{ id | last(2) }}"
        );
        assert_eq!(
            shown(20, "", "\u{2026}", "4f2a"),
            "\u{2026}{{ id | last(4) }}"
        );
    }
}
