//! What a success shows in its fields, as far as a file may hold it.
//!
//! A stable secret that no suite names is in no symbol, and would stand in the record like anything else that two sweeps show
//! alike. So a value is in clear only where it is hardly one: true or false, null, a number, or a short text of words, and not
//! under the name of a secret. Of what else there is, a long text is a digest, which is salted with the suite's name; a short
//! one is only said to be a text, since whoever has the file could try all short texts.
//!
//! Items of a list that name nobody of the run are somebody else's rows: they are counted as `unknown`, and nothing of them is
//! shown. A list of texts in a body that names nobody is one digest, since the texts could be people's names. Only the items of
//! a list that is the service's own are told apart: the tools of the Model Context Protocol, and what the suite says.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use authz_pin_database::Clock;
use authz_pin_record::digest::sha256_hex;
use authz_pin_record::record::{Count, Scalar, Value, Values};
use authz_pin_record::text::words;
use authz_pin_suite::suite::{ItemsSpec, JsonPath, Show, ValuesSpec};
use regex::{Match, Regex};
use serde_json::{Map, Number, Value as Json};

use super::field::{self, Place};
use super::plain::{self, is_plain, is_written};
use super::{moment, printable, private, refusal, told};

/// How many values of one path are shown one by one.
const VALUES: usize = 12;
/// How many paths of one answer are shown.
const PATHS: usize = 300;
/// A number of more digits can be an account, a telephone number or a moment.
const DIGITS: usize = 9;
/// A text of fewer characters has no digest, which could be undone by trying.
const GUESSED: usize = 16;
/// How long a text can be that is shown.
const LONGEST: usize = 80;
/// The path of a body that is one value.
const ROOT: &str = "$";

/// The items that name nobody of the run.
const UNKNOWN: &str = "unknown";
/// The items that name another cell: how many there are depends on which cells are swept together.
const OTHERS: &str = "another cell";

/// What servers of the Model Context Protocol list as theirs (revision 2025-06-18). The resources that they list are data.
#[expect(clippy::unwrap_used, reason = "the paths are constants")]
static TOOLS: LazyLock<Vec<ItemsSpec>> = LazyLock::new(|| {
    let lists = [
        ("tools", "$.name"),
        ("prompts", "$.name"),
        ("resourceTemplates", "$.uriTemplate"),
    ];
    let path = |text: &str| JsonPath::try_from(text.to_owned()).unwrap();
    // One message by itself, or one of several.
    let lists = lists.into_iter().flat_map(|(list, by)| {
        ["$", "$[*]"].map(|message| ItemsSpec {
            at: path(&format!("{message}.result.{list}")),
            by: path(by),
            endpoints: Vec::new(),
        })
    });
    lists.collect()
});

/// Whether a body is a message of JSON-RPC, or several.
fn is_rpc(body: &Json) -> bool {
    let is_message = |body: &Json| body.get("jsonrpc").is_some();
    is_message(body)
        || body
            .as_array()
            .is_some_and(|all| all.iter().any(is_message))
}

/// Who reads, and by which rules.
pub(super) struct Reader<'a> {
    pub(super) spec: &'a ValuesSpec,
    /// The suite's name, with which digests are salted.
    pub(super) suite: &'a str,
    pub(super) endpoint: &'a str,
    /// The names in the answer.
    pub(super) known: &'a BTreeSet<String>,
    /// Whether a text holds a value of a cell that is over.
    pub(super) is_earlier: &'a dyn Fn(&str) -> bool,
    pub(super) clock: Clock,
    /// Whether the body is a stream of events.
    pub(super) is_stream: bool,
}

impl Reader<'_> {
    /// The values of a body, whose known values have their names; none where they are not recorded. What has no shape has no
    /// values.
    pub(super) fn read(&self, body: &Json, has_shape: bool) -> Option<Values> {
        let show = self.spec.shown_of(self.endpoint);
        if show == Show::Nothing {
            return None;
        }
        if !has_shape {
            return Some(Values::new());
        }
        let mut walk = Walk {
            reader: self,
            show,
            unstable: self.unstable(body),
            named_by: self.named_by(body),
            leaves: BTreeMap::new(),
            items: BTreeMap::new(),
            body,
        };
        walk.value(body, &Place::default(), "");
        Some(walk.done())
    }

    /// What stands for the values that the suite says are other ones each time, by their places. Null is none.
    fn unstable(&self, body: &Json) -> BTreeMap<String, &str> {
        let rules = self.spec.unstable.iter();
        let rules = rules.filter(|rule| rule.is_for(self.endpoint));
        let places = rules.flat_map(|rule| {
            let found = rule.at.all_in(body).into_iter();
            let found = found.filter(|(_, value)| !value.is_null());
            found.map(|(place, _)| (place, rule.name.as_str()))
        });
        places.collect()
    }

    /// By what the items of lists are told apart, by the places of the lists.
    fn named_by(&self, body: &Json) -> BTreeMap<String, &JsonPath> {
        let rules = self.spec.items.iter();
        let rules = rules.filter(|rule| rule.is_for(self.endpoint));
        let is_rpc = is_rpc(body);
        let known = TOOLS.iter().filter(|_| is_rpc);
        let places = known.chain(rules).flat_map(|rule| {
            let found = rule.at.all_in(body).into_iter();
            found.map(|(place, _)| (place, &rule.by))
        });
        places.collect()
    }

    /// The entities of the run that a value names. A cell that is over is another one.
    fn named(&self, json: &Json) -> BTreeSet<&str> {
        let texts = texts_of(json);
        let found: BTreeSet<&str> = texts.iter().flat_map(|text| self.names_of(text)).collect();

        if found.is_empty() && texts.iter().any(|text| (self.is_earlier)(text)) {
            return BTreeSet::from([OTHERS]);
        }
        found
    }

    /// Whether a body names an entity of the run. Items of lists that do not, are not read.
    fn is_of_the_run(&self, body: &Json) -> bool {
        let mut texts = texts_of(body).into_iter();
        !self.known.is_empty() && texts.any(|text| !self.names_of(text).is_empty())
    }

    fn names_of(&self, text: &str) -> Vec<&str> {
        // Few texts have a name, and every text is looked at.
        if !text.contains('<') {
            return Vec::new();
        }
        let found = NAME.captures_iter(text);
        let names = found.filter_map(|found| {
            let name = self.known.get(found.get(1)?.as_str())?;
            Some(
                name.rsplit_once('.')
                    .map_or(name.as_str(), |(entity, _)| entity),
            )
        });
        names.collect()
    }

    /// A value as a file may hold it.
    fn scalar(&self, show: Show, name: &str, json: &Json) -> Scalar {
        match json {
            Json::Null => Scalar::Null,
            Json::Bool(flag) if show == Show::Clear => Scalar::Flag(*flag),
            Json::Bool(_) => Scalar::Text("<flag>".to_owned()),
            Json::Number(number) => number_of(show, name, number),
            Json::String(text) => Scalar::Text(self.text(show, name, text)),
            Json::Array(_) => Scalar::Text("[]".to_owned()),
            Json::Object(_) => Scalar::Text("{}".to_owned()),
        }
    }

    fn text(&self, show: Show, name: &str, text: &str) -> String {
        let is_name = || {
            let name = NAME.find(text);
            name.is_some_and(|found| found.len() == text.len())
        };
        if text.is_empty() || !self.names_of(text).is_empty() && is_name() {
            return text.to_owned();
        }
        // Versions are called by days as well, and which one it is counts.
        let is_version = || words(name).last().is_some_and(|word| word == "version");
        let is_moment = text.bytes().any(|byte| byte.is_ascii_digit()) && !is_version();
        let moment = is_moment
            .then(|| moment::in_text(text, self.clock))
            .flatten();
        if let Some(moment) = moment {
            return moment;
        }
        if private::is_private(name, text) {
            return self.digest("hidden", text);
        }
        if text.len() <= LONGEST && private::says_one(text) {
            return told::HIDDEN.to_owned();
        }
        let clean = self.timeless(&told::redacted(text));
        // What is the whole of a body has no name that says what it is.
        let is_bare = name.is_empty() && clean.split_whitespace().nth(1).is_some();
        if show == Show::Clear && !is_bare && self.is_spoken(&clean) {
            return printable(&clean);
        }
        self.digest("text", &clean)
    }

    /// A text without moments and today's date, which have digits and marks between them.
    fn timeless(&self, text: &str) -> String {
        let digits = text.bytes().filter(u8::is_ascii_digit).count();
        if digits < 4 {
            return text.to_owned();
        }
        let steady = refusal::steady(text);
        moment::without_today(&steady, self.clock).into_owned()
    }

    /// Whether a text is short and has nothing but words, and names of the run.
    fn is_spoken(&self, text: &str) -> bool {
        if text.len() > LONGEST || text.contains(char::REPLACEMENT_CHARACTER) {
            return false;
        }
        let is_known = |found: &Match<'_>| !self.names_of(found.as_str()).is_empty();
        let known = text.contains('<').then(|| NAME.find_iter(text));
        let known = known.into_iter().flatten().filter(is_known);
        let (mut at, mut between) = (0, Vec::new());
        for found in known {
            between.push(text.get(at..found.start()).unwrap_or_default());
            at = found.end();
        }
        between.push(text.get(at..).unwrap_or_default());
        // What is in brackets and no name could be taken for one.
        let is_clear = |part: &&str| {
            let is_name = || part.contains('<') && NAME.is_match(part);
            is_plain(part) && part.split_whitespace().all(is_written) && !is_name()
        };
        between.iter().all(is_clear)
    }

    /// What stands for a text: that it is one, and where nobody can guess it, a salted digest.
    fn digest(&self, what: &str, text: &str) -> String {
        if text.chars().count() < GUESSED {
            return format!("<{what}>");
        }
        let salted = format!("authz-pin values\n{}\n{text}", self.suite);
        let digest: String = sha256_hex(&salted).chars().take(8).collect();
        format!("<{what} {digest}>")
    }
}

/// What may be the name of a known value.
#[expect(clippy::unwrap_used, reason = "the pattern is a constant")]
static NAME: LazyLock<Regex> = LazyLock::new(|| Regex::new("<([^<>]+)>").unwrap());

/// All texts of a value, its keys too.
fn texts_of(json: &Json) -> Vec<&str> {
    match json {
        Json::String(text) => vec![text],
        Json::Array(items) => items.iter().flat_map(texts_of).collect(),
        Json::Object(map) => {
            let members = map.iter();
            let texts = members
                .flat_map(|(key, value)| std::iter::once(key.as_str()).chain(texts_of(value)));
            texts.collect()
        }
        Json::Null | Json::Bool(_) | Json::Number(_) => Vec::new(),
    }
}

fn number_of(show: Show, name: &str, number: &Number) -> Scalar {
    let text = number.to_string();
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    if private::is_private(name, &text) {
        Scalar::Text(told::HIDDEN.to_owned())
    } else if show == Show::Clear && digits <= DIGITS {
        Scalar::Number(number.clone())
    } else {
        Scalar::Text("<number>".to_owned())
    }
}

struct Walk<'r, 'a> {
    reader: &'r Reader<'a>,
    show: Show,
    unstable: BTreeMap<String, &'r str>,
    named_by: BTreeMap<String, &'r JsonPath>,
    leaves: BTreeMap<String, BTreeSet<Scalar>>,
    items: BTreeMap<String, BTreeMap<String, Count>>,
    /// The whole body.
    body: &'r Json,
}

impl Walk<'_, '_> {
    /// Enters a value, of which `name` is the last key that leads to it.
    fn value(&mut self, value: &Json, place: &Place, name: &str) {
        if let Some(kind) = self.kind_at(place) {
            self.enter(place, kind);
            return;
        }
        match value {
            Json::Array(items) if !items.is_empty() => self.list(items, place, name),
            Json::Object(map) if !map.is_empty() => {
                self.object(map, place, name);
            }
            leaf => {
                let scalar = self.reader.scalar(self.show, name, leaf);
                self.enter(place, scalar);
            }
        }
    }

    /// What a holder of secrets has within is under its name.
    fn object(&mut self, map: &Map<String, Json>, place: &Place, name: &str) {
        let judged_by = |key| private::within(name, field::name(name, key));
        let (own, keyed): (Vec<_>, Vec<_>) = map.iter().partition(|(key, _)| self.is_field(key));
        for (key, value) in own {
            self.value(value, &place.member(key), judged_by(key));
        }
        for (key, value) in keyed {
            let named = self.reader.names_of(key).into_iter();
            let named = named.chain(self.reader.named(value)).collect();
            if self.is_own(&place.path, named, UNKNOWN) {
                self.value(value, &place.member(key), judged_by(key));
            }
        }
    }

    /// Whether a key is the name of a field, and not the identifier of a thing.
    fn is_field(&self, key: &str) -> bool {
        plain::is_field(key) && self.reader.names_of(key).is_empty()
    }

    /// Items that are things are counted by whom they name, and so are values where one of them names somebody.
    fn list(&mut self, items: &[Json], place: &Place, name: &str) {
        let is_thing = |item: &Json| item.is_object() || item.is_array();
        let named: Vec<BTreeSet<&str>> = items.iter().map(|item| self.reader.named(item)).collect();
        // Messages are no rows, but for those that name somebody.
        let is_rows = || named.iter().any(|named| !named.is_empty());
        let is_messages = is_rpc(self.body) || self.reader.is_stream && !is_rows();
        if place.path.is_empty() && is_messages {
            let all = items.iter().enumerate();
            return all.for_each(|(at, item)| self.value(item, &place.item(at), name));
        }
        let is_counted = items.iter().any(is_thing) || named.iter().any(|named| !named.is_empty());
        if !is_counted && !self.reader.is_of_the_run(self.body) {
            self.strangers(items, place, name);
            return;
        }
        for ((at, item), named) in items.iter().enumerate().zip(named) {
            let called = self.called(item, place);
            let place = place.item(at);
            if !is_counted || self.is_own(&place.path, named, &called) && is_thing(item) {
                self.value(item, &place, name);
            }
        }
    }

    /// What an item that names nobody is called in its list.
    fn called(&self, item: &Json, list: &Place) -> Cow<'static, str> {
        let by = self.named_by.get(&list.pointer);
        let text = by.and_then(|by| by.text_in(item));
        let (Some(by), Some(text)) = (by, text) else {
            return UNKNOWN.into();
        };
        let name = by.as_str().rsplit(['.', '$']).next().unwrap_or_default();
        format!("{name}={}", self.reader.text(self.show, name, &text)).into()
    }

    /// Values of a list in a body that names nobody: the texts among them are told by one digest.
    fn strangers(&mut self, items: &[Json], place: &Place, name: &str) {
        let mut texts = BTreeSet::new();
        for (at, item) in items.iter().enumerate() {
            let place = place.item(at);
            let kind = self.kind_at(&place);
            match kind.unwrap_or_else(|| self.reader.scalar(self.show, name, item)) {
                Scalar::Text(text) if !text.is_empty() && !text.starts_with('<') => {
                    texts.insert(text);
                }
                other => self.enter(&place, other),
            }
        }
        if !texts.is_empty() {
            let texts: Vec<String> = texts.into_iter().collect();
            let digest = self.reader.digest("texts", &texts.join("\n"));
            self.enter(&place.item(0), Scalar::Text(digest));
        }
    }

    /// What stands for the value there, if the suite says that it is another one each time.
    fn kind_at(&self, place: &Place) -> Option<Scalar> {
        let kind = self.unstable.get(&place.pointer);
        kind.map(|kind| Scalar::Text((*kind).to_owned()))
    }

    /// Counts an item of a list, which is `called` so if it names nobody, and says whether it is the run's own and not another
    /// cell's.
    fn is_own(&mut self, path: &str, named: BTreeSet<&str>, called: &str) -> bool {
        let sorts = self.items.entry(path.to_owned()).or_default();
        let other = match () {
            () if named.contains(OTHERS) => OTHERS,
            () if named.is_empty() => called,
            () => {
                for entity in named {
                    let count = sorts.entry(entity.to_owned()).or_insert(Count::Exactly(0));
                    *count = count.and(Count::Exactly(1));
                }
                return true;
            }
        };
        sorts.insert(other.to_owned(), Count::AtLeastOne);
        false
    }

    fn enter(&mut self, place: &Place, scalar: Scalar) {
        let leaves = self.leaves.entry(place.path.clone());
        leaves.or_default().insert(scalar);
    }

    /// All of it, within bounds.
    fn done(self) -> Values {
        let mut leaves = BTreeMap::<String, BTreeSet<Scalar>>::new();
        for (path, all) in self.leaves {
            leaves.entry(shown(&path)).or_default().extend(all);
        }
        let leaves = leaves.into_iter();
        let mut values: Values = leaves.map(|(path, all)| (path, bounded(all))).collect();
        // What the shape says already: that the field is there, or that there is a body.
        values.retain(|path, value| {
            *value != Value::One(Scalar::Null) && (path != ROOT || value.tells())
        });
        for (path, sorts) in self.items {
            let (path, sorts) = (shown(&path), Value::Items(sorts));
            let known = values.remove(&path);
            values.insert(path, known.map_or(sorts.clone(), |known| known.and(sorts)));
        }
        let rest = values.keys().nth(PATHS).cloned();
        let Some(rest) = rest else { return values };
        let rest = values.split_off(&rest);
        let digest = told::digest(&format!("{rest:?}"));
        let more = Scalar::Text(format!("<{} {digest}>", rest.len()));
        values.insert("and more fields".to_owned(), Value::One(more));
        values
    }
}

/// A path as a file has it.
fn shown(path: &str) -> String {
    match path {
        "" => ROOT.to_owned(),
        path => printable(&told::redacted(path)),
    }
}

/// The values of one path, or how many there are.
fn bounded(all: BTreeSet<Scalar>) -> Value {
    if all.len() <= VALUES {
        return Value::of(all);
    }
    let texts: Vec<String> = all.iter().map(ToString::to_string).collect();
    let digest = told::digest(&texts.join("\n"));
    Value::One(Scalar::Text(format!("<{} values {digest}>", all.len())))
}
