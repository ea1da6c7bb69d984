//! A request body as LiteLLM's pydantic models see it: known fields, checked by kind, and which of them were set.
//!
//! "Set to null" and "not set" differ for `/key/update`, so a body stays a map instead of becoming a struct.

use serde_json::{Map, Value, json};

use crate::denial::Answer;

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    Text,
    Float,
    Int,
    Flag,
    List,
    Map,
    Texts,
    /// One of the texts of a Python enum.
    Enum(&'static [&'static str]),
    /// One of the texts of a Python literal.
    Literal(&'static [&'static str]),
}

/// A field's name and kind.
pub(crate) type Field = (&'static str, Kind);

/// The fields that `/key/generate`, `/key/update` and `/key/regenerate` share, in the order in which the real models
/// report problems (litellm 1.85.1, `proxy/_types.py` `GenerateRequestBase` and `KeyRequestBase`).
pub(crate) const KEY_FIELDS: &[Field] = &[
    ("key_alias", Kind::Text),
    ("duration", Kind::Text),
    ("models", Kind::List),
    ("spend", Kind::Float),
    ("max_budget", Kind::Float),
    ("user_id", Kind::Text),
    ("team_id", Kind::Text),
    ("agent_id", Kind::Text),
    ("max_parallel_requests", Kind::Int),
    ("metadata", Kind::Map),
    ("tpm_limit", Kind::Int),
    ("rpm_limit", Kind::Int),
    ("budget_duration", Kind::Text),
    ("allowed_cache_controls", Kind::List),
    ("config", Kind::Map),
    ("permissions", Kind::Map),
    ("model_max_budget", Kind::Map),
    ("model_rpm_limit", Kind::Map),
    ("model_tpm_limit", Kind::Map),
    ("guardrails", Kind::Texts),
    ("policies", Kind::Texts),
    ("prompts", Kind::Texts),
    ("blocked", Kind::Flag),
    ("aliases", Kind::Map),
    ("key", Kind::Text),
    ("budget_id", Kind::Text),
    ("tags", Kind::Texts),
    ("enforced_params", Kind::Texts),
    ("allowed_routes", Kind::List),
    ("allowed_passthrough_routes", Kind::List),
    ("rpm_limit_type", Kind::Literal(LIMIT_TYPES)),
    ("tpm_limit_type", Kind::Literal(LIMIT_TYPES)),
    ("access_group_ids", Kind::Texts),
    ("auto_rotate", Kind::Flag),
    ("rotation_interval", Kind::Text),
    ("organization_id", Kind::Text),
];

const LIMIT_TYPES: &[&str] = &["guaranteed_throughput", "best_effort_throughput", "dynamic"];

/// A checked body.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Fields(Map<String, Value>);

impl Fields {
    /// Checks a body against an endpoint's fields; fields that the endpoint does not know are dropped.
    pub(crate) fn read(body: Option<Value>, known: &[Field]) -> Result<Self, Answer> {
        Self::read_requiring("", body, known)
    }

    /// The same for an endpoint that insists on one of its fields.
    pub(crate) fn read_requiring(
        required: &str,
        body: Option<Value>,
        known: &[Field],
    ) -> Result<Self, Answer> {
        let body = object(body)?;
        let mut fields = Map::new();
        let mut problems = Vec::new();
        for &(name, kind) in known {
            match body.get(name) {
                None if name == required => {
                    let input = Value::Object(body.clone());
                    problems.push(problem("missing", Some(name), "Field required", &input));
                }
                None => {}
                Some(Value::Null) if name == required => {
                    problems.push(kind.problem(name, &Value::Null));
                }
                Some(value) => match kind.check(name, value) {
                    Ok(value) => drop(fields.insert(name.into(), value)),
                    Err(found) => problems.extend(found),
                },
            }
        }
        if problems.is_empty() {
            Ok(Self(fields))
        } else {
            Err(Answer::invalid(problems))
        }
    }

    /// Whether the body has the field, be it null.
    pub(crate) fn is_set(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The field's value, unless it is not set or null.
    pub(crate) fn value(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.value(name).and_then(Value::as_str)
    }

    pub(crate) fn owned(&self, name: &str) -> Option<String> {
        self.text(name).map(str::to_owned)
    }

    pub(crate) fn float(&self, name: &str) -> Option<f64> {
        self.value(name).and_then(Value::as_f64)
    }

    pub(crate) fn int(&self, name: &str) -> Option<i64> {
        self.value(name).and_then(Value::as_i64)
    }

    pub(crate) fn flag(&self, name: &str) -> Option<bool> {
        self.value(name).and_then(Value::as_bool)
    }

    /// A list's texts; anything else in it is left out.
    pub(crate) fn texts(&self, name: &str) -> Option<Vec<String>> {
        let list = self.value(name)?.as_array()?;
        Some(
            list.iter()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect(),
        )
    }

    pub(crate) fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.0.insert(name.into(), value.into());
    }

    /// Moves the named fields that have a value into `metadata`, which is where LiteLLM keeps them.
    pub(crate) fn move_into_metadata(&mut self, names: &[&str]) {
        for name in names {
            if let Some(value) = self.0.shift_remove(*name).filter(|value| !value.is_null()) {
                let mut metadata = self
                    .value("metadata")
                    .and_then(Value::as_object)
                    .cloned()
                    .unwrap_or_default();
                metadata.insert((*name).into(), value);
                self.set("metadata", metadata);
            }
        }
    }
}

impl Kind {
    /// The value as pydantic would coerce it, or its problems in pydantic's words.
    fn check(self, name: &str, value: &Value) -> Result<Value, Vec<Value>> {
        // An empty string stands for "no budget" (proxy/_types.py `check_max_budget`).
        if value.is_null() || (name == "max_budget" && value == "") {
            return Ok(Value::Null);
        }
        match self {
            Self::Texts => return texts(name, value),
            Self::Enum(known) => return choice("enum", known, name, value),
            Self::Literal(known) => return choice("literal_error", known, name, value),
            _ => {}
        }
        self.coerce(value)
            .ok_or_else(|| vec![self.problem(name, value)])
    }

    fn problem(self, name: &str, value: &Value) -> Value {
        let (kind, message) = self.complaint(value);
        problem(kind, Some(name), message, value)
    }

    fn coerce(self, value: &Value) -> Option<Value> {
        match (self, value) {
            (Self::Text, Value::String(_))
            | (Self::Flag, Value::Bool(_))
            | (Self::List | Self::Texts, Value::Array(_))
            | (Self::Map, Value::Object(_)) => Some(value.clone()),
            (Self::Float, Value::Number(number)) => number.as_f64().map(Value::from),
            (Self::Float, Value::String(text)) => text.parse::<f64>().ok().map(Value::from),
            (Self::Int, Value::Number(number)) => number.as_i64().map(Value::from),
            (Self::Int, Value::String(text)) => text.parse::<i64>().ok().map(Value::from),
            (Self::Flag, Value::String(text)) => flag(text).map(Value::from),
            _ => None,
        }
    }

    fn complaint(self, value: &Value) -> (&'static str, &'static str) {
        match (self, value) {
            (Self::Text | Self::Enum(_) | Self::Literal(_), _) => {
                ("string_type", "Input should be a valid string")
            }
            (Self::Float, Value::String(_)) => (
                "float_parsing",
                "Input should be a valid number, unable to parse string as a number",
            ),
            (Self::Float, _) => ("float_type", "Input should be a valid number"),
            (Self::Int, Value::String(_)) => (
                "int_parsing",
                "Input should be a valid integer, unable to parse string as an integer",
            ),
            (Self::Int, _) => ("int_type", "Input should be a valid integer"),
            (Self::Flag, Value::String(_)) => (
                "bool_parsing",
                "Input should be a valid boolean, unable to interpret input",
            ),
            (Self::Flag, _) => ("bool_type", "Input should be a valid boolean"),
            (Self::List | Self::Texts, _) => ("list_type", "Input should be a valid list"),
            (Self::Map, _) => ("dict_type", "Input should be a valid dictionary"),
        }
    }
}

fn object(body: Option<Value>) -> Result<Map<String, Value>, Answer> {
    let (kind, message, input) = match body {
        Some(Value::Object(body)) => return Ok(body),
        None => ("missing", "Field required", Value::Null),
        Some(other) => (
            "model_attributes_type",
            "Input should be a valid dictionary or object to extract fields from",
            other,
        ),
    };
    Err(Answer::invalid(vec![problem(kind, None, message, &input)]))
}

/// A boolean as pydantic reads it from text.
pub(crate) fn flag(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "true" | "t" | "yes" | "y" | "on" => Some(true),
        "0" | "false" | "f" | "no" | "n" | "off" => Some(false),
        _ => None,
    }
}

fn texts(name: &str, value: &Value) -> Result<Value, Vec<Value>> {
    let Value::Array(items) = value else {
        let (kind, message) = Kind::List.complaint(value);
        return Err(vec![problem(kind, Some(name), message, value)]);
    };
    let wrong = items
        .iter()
        .enumerate()
        .filter(|(_, item)| !item.is_string());
    let problems: Vec<Value> = wrong
        .map(|(index, item)| {
            json!({"type": "string_type", "loc": ["body", name, index],
                   "msg": "Input should be a valid string", "input": item})
        })
        .collect();
    if problems.is_empty() {
        Ok(value.clone())
    } else {
        Err(problems)
    }
}

fn choice(kind: &str, known: &[&str], name: &str, value: &Value) -> Result<Value, Vec<Value>> {
    if value.as_str().is_some_and(|text| known.contains(&text)) {
        return Ok(value.clone());
    }
    let expected = spoken_list(known);
    let mut found = problem(
        kind,
        Some(name),
        &format!("Input should be {expected}"),
        value,
    );
    if let Some(found) = found.as_object_mut() {
        found.insert("ctx".into(), json!({"expected": expected}));
    }
    Err(vec![found])
}

/// `'a', 'b' or 'c'`.
fn spoken_list(texts: &[&str]) -> String {
    let quoted: Vec<_> = texts.iter().map(|text| format!("'{text}'")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

pub(crate) fn problem(kind: &str, field: Option<&str>, message: &str, input: &Value) -> Value {
    let place: Vec<&str> = std::iter::once("body").chain(field).collect();
    json!({"type": kind, "loc": place, "msg": message, "input": input})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_set_to_null_is_set_but_has_no_value() {
        let fields =
            Fields::read(Some(json!({"team_id": null, "unknown": 1})), KEY_FIELDS).unwrap();
        assert!(fields.is_set("team_id"));
        assert_eq!(fields.text("team_id"), None);
        assert!(!fields.is_set("user_id"));
        assert!(!fields.is_set("unknown"));
    }

    #[test]
    fn problems_are_reported_together_and_in_the_models_order() {
        let body = json!({"user_id": 5, "models": 3, "max_budget": "x", "tags": ["a", 1]});
        let answer = Fields::read(Some(body), KEY_FIELDS).unwrap_err();
        let kinds: Vec<_> = answer.body["detail"]
            .as_array()
            .unwrap()
            .iter()
            .map(|p| p["type"].clone())
            .collect();
        assert_eq!(
            kinds,
            ["list_type", "float_parsing", "string_type", "string_type"]
        );
        assert_eq!(answer.body["detail"][3]["loc"], json!(["body", "tags", 1]));
    }

    #[test]
    fn numbers_are_read_from_text_and_an_empty_budget_is_none() {
        let body = json!({"max_budget": "", "spend": 1, "tpm_limit": "7"});
        let fields = Fields::read(Some(body), KEY_FIELDS).unwrap();
        assert_eq!(fields.float("max_budget"), None);
        assert_eq!(fields.float("spend"), Some(1.0));
        assert_eq!(fields.int("tpm_limit"), Some(7));
    }

    #[test]
    fn a_required_field_is_missed_in_its_place_among_the_other_problems() {
        let body = json!({"models": 3, "tags": 3});
        let answer = Fields::read_requiring("key", Some(body), KEY_FIELDS).unwrap_err();
        let places: Vec<_> = (0..3)
            .map(|at| answer.body["detail"][at]["loc"][1].clone())
            .collect();
        assert_eq!(places, ["models", "key", "tags"]);
        assert_eq!(answer.body["detail"][1]["type"], "missing");
    }

    #[test]
    fn an_unknown_choice_is_refused_with_all_that_are_known() {
        let answer = Fields::read(Some(json!({"rpm_limit_type": "x"})), KEY_FIELDS).unwrap_err();
        assert_eq!(
            answer.body["detail"][0]["msg"],
            "Input should be 'guaranteed_throughput', 'best_effort_throughput' or 'dynamic'"
        );
    }

    #[test]
    fn moved_fields_end_up_in_the_metadata() {
        let mut fields = Fields::read(
            Some(json!({"tags": ["a"], "metadata": {"x": 1}})),
            KEY_FIELDS,
        )
        .unwrap();
        fields.move_into_metadata(&["tags", "guardrails"]);
        assert!(!fields.is_set("tags"));
        assert_eq!(
            fields.value("metadata"),
            Some(&json!({"x": 1, "tags": ["a"]}))
        );
    }
}
