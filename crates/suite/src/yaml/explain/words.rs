//! What a schema says, in the words of somebody who writes YAML.

use serde_json::{Map, Value};

use crate::diagnostic::{list, quoted};
use crate::yaml::tree::{Content, Node};

/// Whether the node is of a kind that the schema allows.
pub(super) fn accepts(schema: &Value, node: &Node) -> bool {
    let mut types = types(schema).peekable();
    types.peek().is_none() || types.any(|name| is_a(node, name))
}

/// The kinds that the schema allows, by their names there.
pub(super) fn types(schema: &Value) -> impl Iterator<Item = &str> {
    let declared = match schema.get("type") {
        Some(Value::Array(names)) => names.as_slice(),
        Some(name) => std::slice::from_ref(name),
        None => &[],
    };
    declared.iter().filter_map(Value::as_str)
}

fn is_a(node: &Node, name: &str) -> bool {
    match (&node.content, name) {
        (Content::Scalar(Value::Number(number)), "integer") => !number.is_f64(),
        (Content::Scalar(Value::Number(_)), "number")
        | (Content::Scalar(Value::Null), "null")
        | (Content::Scalar(Value::Bool(_)), "boolean")
        | (Content::Scalar(Value::String(_)), "string")
        | (Content::List(_), "array")
        | (Content::Map(_), "object") => true,
        _ => false,
    }
}

/// "a text or a list".
pub(super) fn expected(schema: &Value) -> String {
    one_of(types(schema))
}

/// Kinds by their names in a schema as one phrase. That a value may be left out goes without saying.
pub(super) fn one_of<'a>(types: impl Iterator<Item = &'a str>) -> String {
    let mut phrases: Vec<&str> = Vec::new();
    for phrase in types.filter(|name| *name != "null").map(phrase) {
        if !phrases.contains(&phrase) {
            phrases.push(phrase);
        }
    }
    if phrases.is_empty() {
        "nothing".to_owned()
    } else {
        phrases.join(" or ")
    }
}

fn phrase(name: &str) -> &str {
    match name {
        "array" => "a list",
        "boolean" => "`true` or `false`",
        "integer" => "a whole number",
        "number" => "a number",
        "object" => "a map",
        "string" => "a text",
        other => other,
    }
}

/// What is there instead; `raw` is its spelling in the file.
pub(super) fn found(node: &Node, raw: &str) -> String {
    match &node.content {
        Content::Scalar(Value::Null) => "nothing".to_owned(),
        Content::Scalar(Value::Bool(_)) => quoted(raw),
        Content::Scalar(Value::Number(_)) => format!("the number {}", quoted(raw)),
        Content::Scalar(value) => format!("the text {}", quoted(&text(value))),
        Content::List(_) => "a list".to_owned(),
        Content::Map(_) => "a map".to_owned(),
    }
}

/// The remedy for a value of the wrong kind, where there is a likely one.
pub(super) fn remedy(expected: &str, node: &Node, raw: &str) -> Option<String> {
    let Content::Scalar(value) = &node.content else {
        return None;
    };
    match (value, expected) {
        (Value::Null, "a list") => Some("an empty list is `[]`".to_owned()),
        (Value::Null, "a map") => Some("an empty map is `{}`".to_owned()),
        (Value::Null, "a text") => Some("an empty text is `\"\"`".to_owned()),
        (Value::Bool(_) | Value::Number(_), "a text") => Some(format!(
            "put it in quotes: {}",
            quoted(&format!("\"{raw}\""))
        )),
        (Value::Bool(_) | Value::Number(_) | Value::String(_), "a list") if !raw.contains('\n') => {
            Some(format!("a list of one is {}", quoted(&format!("[{raw}]"))))
        }
        (Value::String(text), "a whole number" | "a number" | "`true` or `false`")
            if text != raw =>
        {
            is_plain(text).then(|| format!("leave the quotes out: {}", quoted(text)))
        }
        _ => None,
    }
}

/// The keys of a map whose value was left empty.
pub(super) fn keys_hint(schema: &Value, node: &Node) -> Option<String> {
    let known = properties(schema).filter(|known| !known.is_empty())?;
    let is_null = matches!(node.content, Content::Scalar(Value::Null));
    is_null.then(|| format!("its keys: {}", list(names(Some(known)))))
}

/// Whether a text would be a number or a truth value without its quotes.
fn is_plain(text: &str) -> bool {
    matches!(text, "true" | "false") || text.parse::<f64>().is_ok_and(f64::is_finite)
}

/// A scalar as it would be written.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The values that a schema spells out.
pub(super) fn constants(schema: &Value) -> Vec<&Value> {
    let listed = schema.get("enum").and_then(Value::as_array);
    listed
        .into_iter()
        .flatten()
        .chain(schema.get("const"))
        .collect()
}

/// The alternatives of a schema.
pub(super) fn branches(schema: &Value) -> impl Iterator<Item = &Value> {
    ["anyOf", "oneOf"]
        .into_iter()
        .flat_map(|key| listed(schema, key))
}

/// What has to hold as well.
pub(super) fn parts(schema: &Value) -> impl Iterator<Item = &Value> {
    listed(schema, "allOf")
}

fn listed<'a>(schema: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    schema
        .get(key)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

/// The keys that a schema knows.
pub(super) fn properties(schema: &Value) -> Option<&Map<String, Value>> {
    schema.get("properties").and_then(Value::as_object)
}

pub(super) fn names(known: Option<&Map<String, Value>>) -> impl Iterator<Item = &str> + Clone {
    known.into_iter().flat_map(Map::keys).map(String::as_str)
}

/// The schema of the value under a key; `false` for a key that must not be there.
pub(super) fn property<'a>(schema: &'a Value, name: &str) -> Option<&'a Value> {
    properties(schema)
        .and_then(|known| known.get(name))
        .or_else(|| schema.get("additionalProperties"))
}

pub(super) fn required(schema: &Value) -> impl Iterator<Item = &str> {
    listed(schema, "required").filter_map(Value::as_str)
}

/// A number outside its bounds: the message and the remedy.
pub(super) fn out_of_range(schema: &Value, value: &Value) -> Option<(String, String)> {
    let number = value.as_f64()?;
    let bound = |key| schema.get(key).filter(|bound| bound.is_number());
    if let Some(least) = bound("minimum").filter(|least| least.as_f64() > Some(number)) {
        return Some((
            format!("`{value}` is too small"),
            format!("the least is `{}`", whole(least)),
        ));
    }
    bound("maximum")
        .filter(|most| most.as_f64() < Some(number))
        .map(|most| {
            (
                format!("`{value}` is too large"),
                format!("the most is `{}`", whole(most)),
            )
        })
}

/// `255.0` as `255`.
fn whole(bound: &Value) -> String {
    let text = bound.to_string();
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

/// A list that is too short or too long.
pub(super) fn wrong_length(schema: &Value, length: usize) -> Option<String> {
    let bound = |key| {
        let bound = schema.get(key).and_then(Value::as_u64);
        bound.and_then(|bound| usize::try_from(bound).ok())
    };
    let (least, most) = (
        bound("minItems").unwrap_or(0),
        bound("maxItems").unwrap_or(usize::MAX),
    );
    let wanted = match (length < least, length > most) {
        (true, _) if least == most => least.to_string(),
        (true, _) => format!("at least {least}"),
        (_, true) => format!("at most {most}"),
        _ => return None,
    };
    Some(format!("expected {wanted} items, found {length}"))
}
