//! What would be sent and written, as somebody reads it who does not know the run's values.

use std::collections::BTreeSet;

use authz_pin_suite::world::Row;
use serde_json::Value as Json;

use super::notes::Noted;
use super::{Calls, Insert, Request, Steps};
use crate::http::{Call, Content, NamedPart, Payload};
use crate::symbols::{Namer, Piece, View};

/// What stands for a header that is made of the request.
const SIGNED: &str = "<made when it is sent>";
/// What stands for a credential that no symbol explains.
const HIDDEN: &str = "<hidden>";

/// Names values from the side of one cell.
#[derive(Clone, Copy)]
pub(super) struct Side<'a> {
    pub(super) namer: &'a Namer,
    pub(super) view: View<'a>,
}

impl Side<'_> {
    pub(super) fn insert(&self, row: &Row) -> Insert {
        Insert {
            table: row.table.clone(),
            values: self.json(&Json::Object(row.values.clone())),
        }
    }

    pub(super) fn steps(&self, calls: &Calls) -> Steps {
        let requests = |calls: &[Noted]| calls.iter().map(|noted| self.noted(noted)).collect();
        Steps {
            setup: requests(&calls.setup),
            teardown: requests(&calls.teardown),
        }
    }

    fn noted(&self, noted: &Noted) -> Request {
        match noted {
            Noted::Call(call) => self.request(call),
            Noted::Program(line) => Request {
                method: "run",
                url: None,
                path: line.clone(),
                query: Vec::new(),
                pages: None,
                headers: Vec::new(),
                json: None,
                body: Vec::new(),
            },
        }
    }

    pub(super) fn request(&self, call: &Call) -> Request {
        Request {
            method: call.method.as_str(),
            url: call.url.clone(),
            path: self.text(&call.path),
            query: self.query(call),
            pages: None,
            headers: self.headers(call),
            json: match &call.body {
                Payload::Json(json) => Some(self.json(json)),
                _ => None,
            },
            body: self.body(&call.body),
        }
    }

    /// The query, with what of the credential no symbol explains left out.
    fn query(&self, call: &Call) -> Vec<(String, String)> {
        let mut query = self.pairs(&call.query);
        query.extend(call.own_query().iter().map(|(name, value)| {
            let pieces = self.namer.pieces(value, self.view);
            let is_named = matches!(pieces.as_slice(), [Piece::Symbol { .. }]);
            let shown = is_named.then(|| self.text(value));
            (name.clone(), shown.unwrap_or_else(|| HIDDEN.to_owned()))
        }));
        query
    }

    /// The headers, with a word in place of what is made of the request when it is sent.
    fn headers(&self, call: &Call) -> Vec<(String, String)> {
        let signed = call.signed_names();
        let signed = signed.map(|name| (name.to_owned(), SIGNED.to_owned()));
        self.pairs(call.all_headers())
            .into_iter()
            .chain(signed)
            .collect()
    }

    fn body(&self, body: &Payload) -> Vec<(String, String)> {
        match body {
            Payload::Nothing | Payload::Json(_) => Vec::new(),
            Payload::Form(pairs) => self.pairs(pairs),
            Payload::Parts(parts) => parts.iter().map(|part| self.part(part)).collect(),
            Payload::Raw(content) => vec![(String::new(), self.content(content))],
        }
    }

    fn part(&self, part: &NamedPart) -> (String, String) {
        let content = self.content(&part.content);
        let content = match &part.file {
            Some(name) => format!("file {}: {content}", self.text(name)),
            None => content,
        };
        (part.name.clone(), content)
    }

    fn content(&self, content: &Content) -> String {
        match content.text() {
            Some(text) => self.text(text).replace('\n', "\\n"),
            None => format!("{} bytes", content.bytes.len()),
        }
    }

    fn pairs<'p>(
        &self,
        pairs: impl IntoIterator<Item = &'p (String, String)>,
    ) -> Vec<(String, String)> {
        pairs
            .into_iter()
            .map(|(name, value)| (self.text(name), self.text(value)))
            .collect()
    }

    fn text(&self, text: &str) -> String {
        self.namer.name(text, self.view).text
    }

    fn json(&self, json: &Json) -> Json {
        self.namer.name_json(json, self.view, &mut BTreeSet::new())
    }
}
