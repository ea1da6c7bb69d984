//! From what the service answered and the database logged to observations, by names instead of values.

mod cookie;
mod effects;
mod field;
mod headers;
mod marked;
mod moment;
mod place;
mod plain;
mod private;
mod refusal;
mod stub;
pub(crate) mod told;
mod values;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};

use authz_pin_database::Clock;
use authz_pin_record::record::{Decision, Unprinted, Values};
use authz_pin_record::text::{is_empty, is_turning};
use authz_pin_suite::suite::{SuiteFile, TextRule};
use chrono::Utc;
use serde_json::Value as Json;

use crate::http::{Answer, Body, Document};
use crate::symbols::{Namer, View};
use crate::verdicts::{Judged, Rules};

pub use effects::Effects;
use headers::{Headers, InGate};
use marked::Marks;
use refusal::{Reader, Refusal};

/// The one field of a body that is not JSON.
const NOT_JSON: &str = "<not JSON>";

/// What an answer showed.
#[derive(Debug)]
pub struct Shown {
    /// Whether the service let the call through.
    pub decision: Decision,
    /// The refusal, normalised, or where a redirect leads.
    pub gate: Option<String>,
    /// What the headers say of access.
    pub headers: BTreeSet<String>,
    /// What a refusal tells besides, by the paths of its fields.
    pub also: BTreeMap<String, String>,
    /// The refusal's texts as a whole, where they are kept.
    pub unprinted: Unprinted,
    /// The identifiers in the body and in the headers.
    pub discloses: BTreeSet<String>,
    /// What the fields of a success or of a redirect show; none where values are not recorded.
    pub values: Option<Values>,
    /// The field paths of a success or of a redirect.
    pub shape: Option<BTreeSet<String>>,
}

/// Reads one answer of an endpoint, by the rules of the suite.
#[must_use]
pub fn answer(
    suite: &SuiteFile,
    endpoint: &str,
    namer: &Namer,
    view: View<'_>,
    answer: &Answer,
) -> Shown {
    let rules = AnswerRules::of(Rules::of_suite(suite), endpoint, false);
    let eye = Eye {
        rules: &rules,
        endpoint,
        namer,
        is_earlier: &|_| false,
        view,
    };
    eye.answer(answer)
}

/// The rules by which the answers of an endpoint are read.
pub(crate) struct AnswerRules<'s> {
    /// Those for verdicts.
    verdicts: Rules<'s>,
    /// Those for texts that are about the endpoint.
    texts: Vec<&'s TextRule>,
    /// Whether the texts of refusals are kept as a whole.
    keeps_texts: bool,
    /// What was read, by the names and the body: most bodies of an endpoint are the same once known values have their names, and
    /// reading values takes long.
    read: Mutex<HashMap<String, Option<Values>>>,
}

impl<'s> AnswerRules<'s> {
    pub(crate) fn of(verdicts: Rules<'s>, endpoint: &str, keeps_texts: bool) -> Self {
        let all = verdicts.suite.texts.iter();
        Self {
            verdicts,
            texts: all.filter(|rule| rule.is_for(endpoint)).collect(),
            keeps_texts,
            read: Mutex::default(),
        }
    }
}

/// Whose answers are read, and by which rules.
#[derive(Clone, Copy)]
pub(crate) struct Eye<'a> {
    pub(crate) rules: &'a AnswerRules<'a>,
    pub(crate) endpoint: &'a str,
    pub(crate) namer: &'a Namer,
    /// Whether a text holds a value of a cell that is over.
    pub(crate) is_earlier: &'a dyn Fn(&str) -> bool,
    pub(crate) view: View<'a>,
}

impl Eye<'_> {
    /// Reads one answer.
    #[must_use]
    pub(crate) fn answer(&self, answer: &Answer) -> Shown {
        let Self {
            rules, namer, view, ..
        } = *self;
        let suite = rules.verdicts.suite;
        let (readable, mut discloses) = named(namer, view, &answer.body);
        let Judged {
            decision,
            said,
            leads,
        } = rules
            .verdicts
            .judge(answer, (&readable, &|text| namer.name(text, view).text));
        let reader = Reader { rules, namer, view };
        let (body, tree) = told_and_compared(&reader, readable);
        let fields = tree.as_ref().unwrap_or(&body);
        let is_denied = decision.verdict().is_denied();
        let location = answer.redirect.as_ref().map(|redirect| &redirect.location);
        let location = location.or(leads.as_ref());
        let in_gate = match location {
            Some(_) => InGate::Location,
            None if is_denied && is_empty(&body) => InGate::Challenge,
            None => InGate::Nothing,
        };
        let headers = Headers::of(&suite.headers, Marks::new(namer, view), answer, in_gate);
        discloses.extend(headers.discloses);
        // The dots between fields can complete a value as well.
        let name = |path: String| printable(&namer.name(&path, view).text);
        let shape = (!is_denied).then(|| shape(answer, fields)).flatten();
        let shape = shape.map(|fields| fields.into_iter().map(&name).collect());
        let values = self.values(answer, fields, (shape.is_some(), &discloses));
        let gate = (location, headers.challenge);
        let parts = reader.parts(rules.verdicts, answer, (&decision, &body));
        let refusal = reader.refusal(answer, &decision, gate, (body, said));
        let refusal = refusal.map(|refusal| match &parts {
            Some(parts) => reader.with_parts(refusal, parts),
            None => refusal,
        });
        let (gate, also, unprinted) = refusal.map_or_else(Default::default, Refusal::parts);
        Shown {
            decision,
            gate,
            headers: headers.lines,
            also,
            unprinted,
            discloses,
            values,
            shape,
        }
    }

    /// What the fields show, where values are recorded. The dots between fields, and what stands for a text, can complete a
    /// value as well.
    fn values(
        &self,
        answer: &Answer,
        body: &Json,
        (has_shape, known): (bool, &BTreeSet<String>),
    ) -> Option<Values> {
        let body = match body {
            Json::String(page) if answer.is_page() => &Json::String(refusal::without_drawn(page)),
            body => body,
        };
        let suite = self.rules.verdicts.suite;
        let reader = values::Reader {
            spec: &suite.values,
            suite: &suite.name,
            endpoint: self.endpoint,
            known,
            is_earlier: self.is_earlier,
            clock: Clock {
                began: self.namer.began(),
                at: Utc::now().timestamp_micros(),
            },
            is_stream: answer.is_stream(),
        };
        let name = |text: &str| self.namer.name(text, self.view).text;
        let all = self.read_once(&reader, (body, has_shape))?.into_iter();
        let all =
            all.map(|(path, value)| (printable(&name(&path)), value.map(name, str::to_owned)));
        Some(all.collect())
    }

    /// The values of a body, or those of the same body before.
    fn read_once(
        &self,
        reader: &values::Reader<'_>,
        (body, has_shape): (&Json, bool),
    ) -> Option<Values> {
        if !has_shape {
            return reader.read(body, has_shape);
        }
        let said = format!("{:?} {}\n{body}", reader.known, reader.is_stream);
        let known = || {
            self.rules
                .read
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
        if let Some(values) = known().get(&said) {
            return values.clone();
        }
        let values = reader.read(body, has_shape);
        known().insert(said, values.clone());
        values
    }
}

/// What a named body tells where it refuses, and the tree by which it is compared where that is another one.
fn told_and_compared(reader: &Reader<'_>, body: Body) -> (Json, Option<Json>) {
    match body {
        Body::Json(json) => (json, None),
        Body::Text(text) => (Json::String(text), None),
        Body::Document(document) => {
            let told = reader.told(&document);
            let Document { form, tree, text } = *document;
            let tree = Document::compared(form, tree, text);
            (told, Some(refusal::steady_tree(form, tree)))
        }
    }
}

/// A body with names in place of values, and what it discloses.
fn named(namer: &Namer, view: View<'_>, body: &Body) -> (Body, BTreeSet<String>) {
    let mut discloses = BTreeSet::new();
    let readable = match body {
        Body::Json(json) => Body::Json(namer.name_json(json, view, &mut discloses)),
        Body::Text(text) => {
            let read = namer.name(text, view);
            discloses.extend(read.disclosed);
            Body::Text(read.text)
        }
        Body::Document(document) => {
            // What stands in no place of the tree, such as a remark, is shown all the same.
            let read = namer.name(&document.text, view);
            discloses.extend(read.disclosed);
            Body::Document(Box::new(Document {
                form: document.form,
                text: read.text,
                tree: namer.name_json(&document.tree, view, &mut discloses),
            }))
        }
    };
    (readable, discloses)
}

impl Reader<'_> {
    /// All that the refused parts of an answer say that is allowed otherwise.
    fn parts(
        &self,
        rules: Rules<'_>,
        answer: &Answer,
        (decision, body): (&Decision, &Json),
    ) -> Option<Json> {
        let is_in_parts = decision.verdict().is_allowed() && !decision.refused().is_empty();
        let body = is_in_parts.then(|| self.without_ignored(body.clone()))?;
        let body = match (&answer.body, body) {
            (Body::Text(_) | Body::Document(_), Json::String(text)) => Body::Text(text),
            (_, body) => Body::Json(body),
        };
        Some(rules.parts(answer, &body))
    }

    /// What refused, or where a redirect leads; `said` are the words that a rule for verdicts knows.
    fn refusal(
        &self,
        answer: &Answer,
        decision: &Decision,
        (location, challenge): (Option<&String>, Option<String>),
        (body, said): (Json, Option<String>),
    ) -> Option<Refusal> {
        let is_denied = decision.verdict().is_denied();
        match (location, challenge) {
            (Some(location), _) => {
                let to = leads_to(self, answer, location);
                let body = is_denied.then_some(body);
                Some(self.redirect(answer, &to, (body, location)))
            }
            _ if !is_denied && decision.refused().is_empty() => None,
            (None, Some(challenge)) if is_denied && is_empty(&body) => Some(self.alone(&challenge)),
            _ if is_denied => Some(self.read(answer, body, said)),
            // Of what an answer gives besides, the fields are its shape.
            _ => Some(self.alone(&said.unwrap_or_default())),
        }
    }
}

/// Where a redirect leads, as a gate.
fn leads_to(reader: &Reader<'_>, answer: &Answer, location: &str) -> String {
    let mut marks = Marks::new(reader.namer, reader.view);
    let to = place::place(&mut marks, answer.url.as_ref(), location);
    format!("redirect to {}", marks.named(&to))
}

/// What a service says must not steer the terminal that shows it, nor show words in another order than they have.
fn printable(text: &str) -> String {
    let is_control = |c: char| c.is_control() && c != '\n' && c != '\t';
    text.replace(|c| is_control(c) || is_turning(c), "\u{fffd}")
}

/// Names a text that was made from a named document once more: an escape (`\b`) can complete a value with its letter.
fn name_escaped(namer: &Namer, view: View<'_>, text: String) -> String {
    if text.contains('\\') {
        namer.name(&text, view).text
    } else {
        text
    }
}

/// Whether what is in angle brackets can be a name, and is no markup.
fn is_name(text: &str) -> bool {
    !text.contains(['"', '=', '/', '?', '!', '\n'])
}

/// `<owner.user_id>` -> `<user_id>`, but the caller's and the cell's own names stay as they are.
fn kinds_of_names(text: &str) -> String {
    let own = ["actor.", "target.", "cell.", "another cell."];
    let mut out = String::with_capacity(text.len());
    for (index, part) in text.split('<').enumerate() {
        if index > 0 {
            out.push('<');
        }
        match part.split_once('>') {
            Some((name, rest))
                if index > 0 && is_name(name) && !own.iter().any(|own| name.starts_with(own)) =>
            {
                out.push_str(name.rsplit('.').next().unwrap_or(name));
                out.push('>');
                out.push_str(rest);
            }
            _ => out.push_str(part),
        }
    }
    out
}

/// The fields of a success or of a redirect; of a body that is not JSON, only that. A page that says no more than that the
/// client is redirected is none.
fn shape(answer: &Answer, named: &Json) -> Option<BTreeSet<String>> {
    let is_stub = |text: &str| {
        let redirect = answer.redirect.as_ref();
        redirect.is_some_and(|redirect| stub::is_stub(text, &redirect.location))
    };
    match &answer.body {
        Body::Document(document) if is_stub(&document.text) => None,
        Body::Json(_) | Body::Document(_) => Some(paths(named)),
        Body::Text(text) if text.is_empty() || is_stub(text) => None,
        Body::Text(_) => Some(BTreeSet::from([NOT_JSON.to_owned()])),
    }
}

/// Every field of a body as `a.b[].c`.
fn paths(body: &Json) -> BTreeSet<String> {
    let mut paths = BTreeSet::new();
    collect_paths(body, "", &mut paths);
    paths
}

fn collect_paths(json: &Json, at: &str, paths: &mut BTreeSet<String>) {
    if !at.is_empty() {
        paths.insert(at.to_owned());
    }
    match json {
        Json::Array(items) => items
            .iter()
            .for_each(|item| collect_paths(item, &field::items(at), paths)),
        Json::Object(map) => {
            for (key, value) in map {
                collect_paths(value, &field::member(at, key), paths);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_gate_names_what_an_entity_is_and_not_who() {
        let text = kinds_of_names("Got user_id=<owner.user_id>, yours is <actor.user_id>, a < b");
        assert_eq!(
            text,
            "Got user_id=<user_id>, yours is <actor.user_id>, a < b"
        );
    }

    #[test]
    fn the_shape_of_a_body_is_the_paths_of_its_fields() {
        let body = json!({"keys": [{"token": "x"}, {"alias": 1}], "none": [], "info": {"a": null}});
        let paths: Vec<_> = paths(&body).into_iter().collect();
        assert_eq!(
            paths,
            [
                "info",
                "info.a",
                "keys",
                "keys[]",
                "keys[].alias",
                "keys[].token",
                "none"
            ]
        );
    }
}
