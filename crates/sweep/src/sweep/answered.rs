//! Values that a call wrote to a row and showed in its answer: those that are new each time are there to be captured.

use std::collections::BTreeMap;

use authz_pin_database::Change;
use authz_pin_record::digest::sha256_hex;
use authz_pin_suite::suite::Endpoint;
use serde_json::Value as Json;

use super::Sweeper;
use super::fire::Brought;
use crate::symbols::Namer;

/// Shorter texts are in rows and answers by chance.
const SHORTEST: usize = 12;

/// How long a SHA-256 is in hexadecimal digits.
const DIGEST: usize = 64;

/// Where an answer holds what a call wrote.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Answered {
    /// The JSON path in the answer.
    pub path: String,
    /// Whether the row holds the value's SHA-256.
    pub is_digest: bool,
}

/// The columns whose value was in the answer, as `Table.column`.
pub type AnsweredColumns = BTreeMap<String, Answered>;

impl Sweeper<'_> {
    /// Notes, where rules are made of it, which columns hold what the answer of their call holds and no symbol explains.
    pub(super) fn note_answered(&mut self, endpoint: &Endpoint, first: usize, brought: &[Brought]) {
        if !self.options.compared {
            return;
        }
        let name = endpoint.name.clone();
        let mut known = self.found.answered.remove(&name).unwrap_or_default();
        for (swept, brought) in self.ledger.since(first).iter().zip(brought) {
            let answer = brought.answers.first().and_then(|answer| answer.json());
            if let Some(answer) = answer {
                add(&swept.changes, answer, self.ledger.namer(), &mut known);
            }
        }
        if !known.is_empty() {
            self.found.answered.insert(name, known);
        }
    }
}

fn add(changes: &[Change], answer: &Json, namer: &Namer, known: &mut AnsweredColumns) {
    for change in changes {
        for (column, value) in change.new.as_object().into_iter().flatten() {
            let is_opaque = |text: &&str| text.len() >= SHORTEST && !text.contains(' ');
            let Some(text) = value.as_str().filter(is_opaque) else {
                continue;
            };
            let column = format!("{}.{column}", change.table);
            if known.contains_key(&column) || namer.knows(text) {
                continue;
            }
            let found = find(answer, "$", text);
            known.extend(found.map(|answered| (column, answered)));
        }
    }
}

/// Where a document holds a text, or what it is the digest of.
fn find(json: &Json, path: &str, text: &str) -> Option<Answered> {
    match json {
        Json::String(value) => {
            let is_digest = text.len() == DIGEST && sha256_hex(value).eq_ignore_ascii_case(text);
            let path = path.to_owned();
            (value == text || is_digest).then_some(Answered { path, is_digest })
        }
        Json::Array(items) => items
            .iter()
            .enumerate()
            .find_map(|(at, item)| find(item, &format!("{path}[{at}]"), text)),
        Json::Object(map) => map
            .iter()
            .find_map(|(key, value)| find(value, &member(path, key), text)),
        _ => None,
    }
}

fn member(path: &str, key: &str) -> String {
    let is_name = |key: &str| {
        !key.starts_with(|c: char| c.is_ascii_digit())
            && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    if is_name(key) && !key.is_empty() {
        format!("{path}.{key}")
    } else {
        format!("{path}[{}]", Json::from(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_value_is_found_by_itself_and_by_its_digest() {
        let answer = json!({"n": 1, "data": [{"a key": "token-4c1b-99d1"}]});
        let path = r#"$.data[0]["a key"]"#.to_owned();
        let found = |text: &str| find(&answer, "$", text);
        let is_digest = false;
        let itself = Answered { path, is_digest };
        assert_eq!(found("token-4c1b-99d1"), Some(itself.clone()));
        let digest = Answered {
            is_digest: true,
            ..itself
        };
        assert_eq!(found(&sha256_hex("token-4c1b-99d1")), Some(digest));
        assert_eq!(found("token-4c1b-99d2"), None);
    }
}
