//! HAR: what a run sent and what was answered, as a file for whoever looks for a mistake in a suite.
//!
//! HAR 1.2, with fields of our own behind an underscore. Every value of the run has its name, as in a record, and what may be
//! a secret that no symbol knows is left out.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write as _};
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use authz_pin_suite::file;
use authz_pin_suite::plan::PlannedCell;
use authz_pin_suite::secrets;
use chrono::{DateTime, SecondsFormat, Utc};
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use serde_json::{Value as Json, json};

use crate::http::{Answer, Body, Call, Content, Exchange, Form, Payload, Purpose, Sent};
use crate::symbols::{Namer, Piece, View};

/// What stands for what may be a secret.
const REDACTED: &str = "<redacted>";

/// Longer bodies are only counted.
const LONGEST: usize = 1024 * 1024;

/// What was sent in one or more sweeps.
#[derive(Default)]
pub struct Recording(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    sweep: usize,
    entries: Vec<(Place, Json)>,
    /// How often the cells of this sweep were called.
    tries: BTreeMap<(String, bool), usize>,
}

impl fmt::Debug for Recording {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Recording")
    }
}

/// Where an entry stands among the others: in the order of the plan, whatever the order of the calls was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    sweep: usize,
    /// How many endpoints had begun.
    pub(crate) begun: usize,
    pub(crate) part: Part,
    /// The cell, as the suite counts targets and actors.
    pub(crate) rank: (usize, usize),
    attempt: usize,
    step: (usize, usize),
}

/// The part of an endpoint's entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    /// What is made for all cells.
    Before,
    Cells,
    Canaries,
    /// What is removed for all of them.
    After,
}

/// The requests of one batch, and what names them.
pub(crate) struct Batch<'b> {
    pub(crate) namer: &'b Namer,
    pub(crate) begun: usize,
    pub(crate) is_canary: bool,
    /// The number of its first cell, the cells, and where they stand in the suite.
    pub(crate) first: usize,
    pub(crate) cells: Vec<(PlannedCell<'b>, (usize, usize))>,
}

impl<'b> Batch<'b> {
    /// The cell that a request is for, and where it stands.
    pub(crate) fn cell(&self, call: &Call) -> Option<&(PlannedCell<'b>, (usize, usize))> {
        let number = call.origin?.cell?;
        self.cells.get(number.checked_sub(self.first)?)
    }

    pub(crate) fn view(&self, call: &Call) -> View<'b> {
        let nobody = crate::sweep::NOBODY;
        let number = call.origin.and_then(|origin| origin.cell);
        let Some(((planned, _), number)) = self.cell(call).zip(number) else {
            return nobody;
        };
        View {
            cell: number,
            actor: planned.actor,
        }
    }

    fn part(&self, purpose: Purpose, is_of_cell: bool) -> Part {
        match purpose {
            _ if self.is_canary => Part::Canaries,
            _ if is_of_cell => Part::Cells,
            Purpose::Teardown | Purpose::Reset => Part::After,
            _ => Part::Before,
        }
    }
}

/// In which order the requests of one cell stand.
fn stage(purpose: Purpose) -> usize {
    match purpose {
        Purpose::Setup | Purpose::Login => 0,
        Purpose::Call => 1,
        Purpose::Probe(place) => 2 + place,
        Purpose::Teardown => usize::MAX - 1,
        Purpose::Reset => usize::MAX,
    }
}

impl Recording {
    /// Begins another sweep.
    pub(crate) fn begin(&self) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.sweep += 1;
        kept.tries.clear();
    }

    /// Whether a sweep has begun.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).sweep > 0
    }

    /// Keeps the requests of a batch, in the order in which they were sent.
    pub(crate) fn keep(&self, batch: &Batch<'_>, exchanges: &[Exchange]) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (cell, _) in &batch.cells {
            let tries = kept.tries.entry((cell.to_string(), batch.is_canary));
            *tries.or_default() += 1;
        }
        for (number, exchange) in exchanges.iter().enumerate() {
            let purpose = exchange.call.origin.map_or(Purpose::Setup, |it| it.purpose);
            let cell = batch.cell(&exchange.call);
            let attempt = cell.and_then(|(cell, _)| {
                let name = (cell.to_string(), batch.is_canary);
                kept.tries.get(&name).copied()
            });
            let place = Place {
                sweep: kept.sweep,
                begun: batch.begun,
                part: batch.part(purpose, cell.is_some()),
                rank: cell.map_or((0, 0), |(_, rank)| *rank),
                attempt: attempt.unwrap_or(0),
                step: (stage(purpose), number),
            };
            let mut entry = Names::of(batch, &exchange.call).entry(exchange);
            let purpose = if batch.is_canary && purpose == Purpose::Call {
                "canary".to_owned()
            } else {
                purpose.to_string()
            };
            set(&mut entry, "_purpose", purpose);
            set(&mut entry, "_sweep", kept.sweep);
            if let Some((cell, _)) = cell {
                let cell = json!({
                    "endpoint": cell.endpoint, "target": cell.target, "actor": cell.actor, "try": attempt,
                });
                set(&mut entry, "_cell", cell);
            }
            kept.entries.push((place, entry));
        }
    }

    /// Writes all of it to a file that only its owner can read.
    pub fn write(&self, file: &Path) -> io::Result<()> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.entries.sort_by_key(|(place, _)| *place);
        let entries: Vec<&Json> = kept.entries.iter().map(|(_, entry)| entry).collect();
        let har = json!({"log": {
            "version": "1.2",
            "creator": {"name": "authz-pin", "version": env!("CARGO_PKG_VERSION")},
            "entries": entries,
        }});
        file::write_private(file, |out| {
            let mut out = io::BufWriter::new(out);
            serde_json::to_writer_pretty(&mut out, &har)?;
            writeln!(out)?;
            out.flush()
        })
    }
}

/// Names values from the side of the cell that a request is for.
struct Names<'n> {
    namer: &'n Namer,
    view: View<'n>,
}

impl<'n> Names<'n> {
    fn of(batch: &'n Batch<'_>, call: &Call) -> Self {
        Self {
            namer: batch.namer,
            view: batch.view(call),
        }
    }

    fn entry(&self, exchange: &Exchange) -> Json {
        let took = exchange.took.as_secs_f64() * 1000.0;
        let at = DateTime::<Utc>::from(exchange.at);
        let mut response = self.response(exchange);
        match exchange.sent {
            Sent::Answer(_) => {}
            Sent::Fault(fault) => set(&mut response, "_error", fault.to_string()),
            Sent::Nothing => set(&mut response, "_error", "no connection"),
        }
        json!({
            "startedDateTime": at.to_rfc3339_opts(SecondsFormat::Millis, true),
            "time": took,
            "request": self.request(exchange),
            "response": response,
            "cache": {},
            // The client says no more than when the whole answer was there.
            "timings": {"send": 0, "wait": took, "receive": 0},
        })
    }

    fn request(&self, exchange: &Exchange) -> Json {
        let call = &exchange.call;
        let own = call.own_query().iter();
        let own = own.map(|(name, value)| (self.text(name), self.credential(value)));
        let own: Vec<(String, String)> = own.collect();
        let query = call.query.iter().map(|pair| self.pair(pair));
        let shown = own.iter();
        let shown = shown.map(|(name, value)| json!({"name": name, "value": value}));
        let query: Vec<Json> = query.chain(shown).collect();
        let mut url = format!("{}{}", self.text(&exchange.url), self.words(&call.path));
        let parameters = call.query.iter();
        let parameters = parameters
            .map(|(name, value)| format!("{}={}", self.text(name), self.veiled(name, value)));
        let own = own.iter().map(|(name, value)| format!("{name}={value}"));
        let parameters: Vec<String> = parameters.chain(own).collect();
        if !parameters.is_empty() {
            let sign = if url.contains('?') { '&' } else { '?' };
            url = format!("{url}{sign}{}", parameters.join("&"));
        }
        let headers = call.all_headers();
        let headers =
            headers.map(|(name, value)| (name.as_str(), value.as_str(), call.is_credential(name)));
        let signed = call.signed_names().map(|name| (name, "", true));
        let headers = headers.chain(signed);
        let mut request = json!({
            "method": call.method.as_str(),
            "url": url,
            "httpVersion": "HTTP/1.1",
            "cookies": [],
            "headers": self.headers(headers),
            "queryString": query,
            "headersSize": -1,
            "bodySize": -1,
        });
        if let Some(posted) = self.posted(&call.body) {
            set(&mut request, "postData", posted);
        }
        request
    }

    fn posted(&self, body: &Payload) -> Option<Json> {
        Some(match body {
            Payload::Nothing => return None,
            Payload::Json(json) => json!({
                "mimeType": "application/json",
                "text": self.json("", json).to_string(),
            }),
            Payload::Form(pairs) => json!({
                "mimeType": "application/x-www-form-urlencoded",
                "params": pairs.iter().map(|pair| self.pair(pair)).collect::<Vec<_>>(),
            }),
            Payload::Parts(parts) => {
                let params = parts.iter().map(|part| {
                    let value = self.content(&part.name, &part.content);
                    let file = part.file.as_ref().map(|name| self.text(name));
                    json!({"name": self.text(&part.name), "value": value, "fileName": file})
                });
                json!({"mimeType": "multipart/form-data", "params": params.collect::<Vec<_>>()})
            }
            Payload::Raw(content) => json!({
                "mimeType": content.media_type.as_deref().unwrap_or_default(),
                "text": self.content("", content),
            }),
        })
    }

    /// A text; of bytes that are none, how many there are.
    fn content(&self, name: &str, content: &Content) -> String {
        match content.text() {
            Some(text) if text.len() <= LONGEST => match serde_json::from_str::<Json>(text) {
                Ok(json @ (Json::Object(_) | Json::Array(_))) => self.json(name, &json).to_string(),
                _ => self.veiled(name, text),
            },
            _ => format!("<{} bytes>", content.bytes.len()),
        }
    }

    fn response(&self, exchange: &Exchange) -> Json {
        let Sent::Answer(answer) = &exchange.sent else {
            return answered(
                0,
                &Json::Array(Vec::new()),
                &json!({"size": 0, "mimeType": ""}),
                "",
            );
        };
        let headers = answer.headers.iter();
        let headers =
            headers.map(|(name, value)| (name.as_str(), String::from_utf8_lossy(value.as_bytes())));
        let headers: Vec<_> = headers.collect();
        let headers = headers.iter().map(|(name, value)| (*name, &**value, false));
        let headers = self.headers(headers);
        let is_login = exchange
            .call
            .origin
            .is_some_and(|it| it.purpose == Purpose::Login);
        let content = self.body(answer, is_login);
        let location = answer.redirect.as_ref();
        let location = location.map_or_else(String::new, |to| self.words(&to.location));
        answered(answer.status, &headers, &content, &location)
    }

    /// A body. Of a login only its size is kept: what it gives is a credential.
    fn body(&self, answer: &Answer, is_login: bool) -> Json {
        let media_type = media_type(&answer.headers);
        let text = answer.body.text();
        let mut content = json!({"size": text.len(), "mimeType": media_type});
        if is_login || text.len() > LONGEST || is_no_text(&answer.body) {
            let comment = if is_login {
                "of a login"
            } else {
                "too long, or no text"
            };
            set(&mut content, "comment", comment);
            return content;
        }
        let text = match &answer.body {
            Body::Json(json) => self.json("", json).to_string(),
            Body::Document(document) if document.form != Form::Xml => {
                self.json("", &document.tree).to_string()
            }
            _ => self.words(&text),
        };
        set(&mut content, "text", text);
        content
    }

    fn headers<'h>(&self, headers: impl Iterator<Item = (&'h str, &'h str, bool)>) -> Json {
        let header = |(name, value, is_credential): (&str, &str, bool)| {
            let value = if is_credential || secrets::is_header(name) {
                self.credential(value)
            } else {
                self.veiled(name, value)
            };
            json!({"name": self.text(name), "value": value})
        };
        headers.map(header).collect()
    }

    /// A credential by its name, behind its scheme; of one that is more than that nobody knows which secret is in it.
    fn credential(&self, value: &str) -> String {
        let pieces = self.namer.pieces(value, self.view);
        let is_scheme = |text: &str| {
            let word = text.strip_suffix(' ');
            word.is_some_and(|word| word.chars().all(|c| c.is_ascii_alphabetic()))
        };
        match pieces.as_slice() {
            [Piece::Symbol { name, .. }] => format!("<{name}>"),
            [Piece::Text(scheme), Piece::Symbol { name, .. }] if is_scheme(scheme) => {
                format!("{scheme}<{name}>")
            }
            _ => REDACTED.to_owned(),
        }
    }

    fn pair(&self, (name, value): &(String, String)) -> Json {
        json!({"name": self.text(name), "value": self.veiled(name, value)})
    }

    /// The text of a field: left out if the field's name is one of a secret and no symbol explains it.
    fn veiled(&self, field: &str, text: &str) -> String {
        let pieces = self.namer.pieces(text, self.view);
        let is_named = pieces
            .iter()
            .all(|piece| matches!(piece, Piece::Symbol { .. }));
        if secrets::is_named(field) && !is_named {
            return REDACTED.to_owned();
        }
        self.words(text)
    }

    /// A text without words that look like credentials.
    fn words(&self, text: &str) -> String {
        let pieces = self.namer.pieces(text, self.view);
        let mut out = String::new();
        for piece in pieces {
            match piece {
                Piece::Symbol { name, .. } => {
                    let _ = write!(out, "<{name}>");
                }
                Piece::Text(text) => {
                    for word in text.split_inclusive(is_between) {
                        let bare = word.trim_end_matches(is_between);
                        let end = word.get(bare.len()..).unwrap_or_default();
                        out.push_str(if secrets::is_value(bare) {
                            REDACTED
                        } else {
                            bare
                        });
                        out.push_str(end);
                    }
                }
            }
        }
        out
    }

    fn text(&self, text: &str) -> String {
        self.namer.name(text, self.view).text
    }

    fn json(&self, field: &str, json: &Json) -> Json {
        match json {
            Json::String(text) => self.veiled(field, text).into(),
            Json::Array(items) => items.iter().map(|item| self.json(field, item)).collect(),
            Json::Object(members) => {
                let member =
                    |(name, value): (&String, &Json)| (self.text(name), self.json(name, value));
                Json::Object(members.iter().map(member).collect())
            }
            other => {
                let named = self
                    .namer
                    .name_member(field, other, self.view, &mut BTreeSet::new());
                if named == *other && secrets::is_secret(field, other) {
                    return REDACTED.into();
                }
                named
            }
        }
    }
}

/// Adds a field to an object.
/// Whether a body is no text, or bytes of it were replaced when it was read.
fn is_no_text(body: &Body) -> bool {
    match body {
        Body::Document(document) => document.form == Form::Bytes,
        Body::Text(text) => text.contains(char::REPLACEMENT_CHARACTER),
        Body::Json(_) => false,
    }
}

fn set(object: &mut Json, field: &str, value: impl Into<Json>) {
    if let Some(fields) = object.as_object_mut() {
        fields.insert(field.to_owned(), value.into());
    }
}

/// What stands between words that could be credentials.
fn is_between(c: char) -> bool {
    c.is_whitespace()
        || matches!(
            c,
            '"' | '\'' | '=' | '&' | ',' | ';' | '?' | '/' | '<' | '>' | '(' | ')'
        )
}

fn media_type(headers: &HeaderMap) -> String {
    let value = headers.get(CONTENT_TYPE);
    value.map_or_else(String::new, |value| {
        String::from_utf8_lossy(value.as_bytes()).into_owned()
    })
}

fn answered(status: u16, headers: &Json, content: &Json, location: &str) -> Json {
    json!({
        "status": status,
        "statusText": reqwest::StatusCode::from_u16(status).ok().and_then(|it| it.canonical_reason()).unwrap_or_default(),
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": headers,
        "content": content,
        "redirectURL": location,
        "headersSize": -1,
        "bodySize": -1,
    })
}
