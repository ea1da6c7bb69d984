//! Two drawings of one run: what they do not agree on is random.

use serde_json::{Map, Value as Json};

use super::{CellRun, Insert, RANDOM, Request, Steps};

impl CellRun {
    pub(super) fn agree(self, other: &Self) -> Self {
        let probes = self.probes.into_iter().zip(other.probes.values());
        Self {
            rows: agree_all(self.rows, &other.rows, Insert::agree),
            steps: self.steps.agree(&other.steps),
            request: self.request.agree(&other.request),
            probes: probes
                .map(|((name, one), other)| (name, one.agree(other)))
                .collect(),
            ..self
        }
    }
}

impl Insert {
    pub(super) fn agree(self, other: &Self) -> Self {
        Self {
            values: agree_json(self.values, &other.values),
            ..self
        }
    }
}

impl Steps {
    pub(super) fn len(&self) -> usize {
        self.setup.len() + self.teardown.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn agree(self, other: &Self) -> Self {
        Self {
            setup: agree_all(self.setup, &other.setup, Request::agree),
            teardown: agree_all(self.teardown, &other.teardown, Request::agree),
        }
    }
}

impl Request {
    pub(super) fn agree(self, other: &Self) -> Self {
        let json = self.json.zip(other.json.as_ref());
        Self {
            path: agree_text(self.path, &other.path),
            query: agree_all(self.query, &other.query, agree_pair),
            headers: agree_all(self.headers, &other.headers, agree_pair),
            json: json.map(|(one, other)| agree_json(one, other)),
            body: agree_all(self.body, &other.body, agree_pair),
            ..self
        }
    }
}

pub(super) fn agree_all<T>(one: Vec<T>, other: &[T], agree: impl Fn(T, &T) -> T) -> Vec<T> {
    let pairs = one.into_iter().zip(other);
    pairs.map(|(one, other)| agree(one, other)).collect()
}

pub(super) fn agree_pair(one: (String, String), other: &(String, String)) -> (String, String) {
    (agree_text(one.0, &other.0), agree_text(one.1, &other.1))
}

pub(super) fn agree_text(one: String, other: &str) -> String {
    if one == other { one } else { RANDOM.to_owned() }
}

pub(super) fn agree_json(one: Json, other: &Json) -> Json {
    match (one, other) {
        (one, other) if one == *other => one,
        (Json::Array(one), Json::Array(other)) if one.len() == other.len() => {
            Json::Array(agree_all(one, other, agree_json))
        }
        (Json::Object(one), Json::Object(other)) if one.len() == other.len() => {
            Json::Object(agree_map(one, other))
        }
        _ => Json::from(RANDOM),
    }
}

pub(super) fn agree_map(one: Map<String, Json>, other: &Map<String, Json>) -> Map<String, Json> {
    let pairs = one.into_iter().zip(other);
    pairs
        .map(|((key, one), (other_key, other))| {
            (agree_text(key, other_key), agree_json(one, other))
        })
        .collect()
}
