//! What columns hold that nobody sets, where that is a constant.

use serde::Deserialize;
use serde_json::Value as Json;

/// The default of a column as the catalog writes it: a literal, perhaps with casts behind it. Nothing that calls a function,
/// and no name that stands for something else each time.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Constant {
    text: String,
    /// The category of the column's type (`pg_type.typcategory`).
    category: String,
    /// The name of that type.
    of_type: String,
    /// The category of an array's items.
    of_items: Option<String>,
    /// How many characters a column of a fixed length has.
    length: i32,
}

impl Constant {
    /// The value as rows have it; none where it could be another one.
    pub(super) fn value(&self) -> Option<Json> {
        let literal = literal(&self.text)?;
        match (self.category.as_str(), self.of_type.as_str()) {
            ("A", _) => array(&literal, self.of_items.as_deref()?),
            (_, "json" | "jsonb") => serde_json::from_str(&literal).ok(),
            (_, "bpchar") => {
                let length = usize::try_from(self.length).unwrap_or_default();
                Some(format!("{literal:length$}").into())
            }
            (category, _) => scalar(literal, category),
        }
    }
}

/// What stands before the casts, without quotes and brackets.
fn literal(text: &str) -> Option<String> {
    let Some(quoted) = text.strip_prefix('\'') else {
        let bare = text.split("::").next()?;
        return Some(bare.trim_matches(['(', ')']).to_owned());
    };
    let (mut literal, mut chars) = (String::new(), quoted.chars().peekable());
    loop {
        match chars.next()? {
            '\'' if chars.next_if_eq(&'\'').is_none() => return Some(literal),
            c => literal.push(c),
        }
    }
}

fn scalar(literal: String, category: &str) -> Option<Json> {
    match category {
        "B" => literal.parse().ok().map(Json::Bool),
        // As a whole it is told by its fields.
        "C" => None,
        "N" => {
            let number = serde_json::from_str(&literal).map(Json::Number);
            Some(number.unwrap_or_else(|_: serde_json::Error| literal.into()))
        }
        _ => Some(literal.into()),
    }
}

/// An array of one dimension.
fn array(literal: &str, of_items: &str) -> Option<Json> {
    if literal == "ARRAY[]" || literal == "{}" {
        return Some(Json::Array(Vec::new()));
    }
    let all = literal.strip_prefix('{')?.strip_suffix('}')?;
    let (mut items, mut item) = (Vec::new(), Item::default());
    let mut chars = all.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => {
                item.is_quoted = true;
                item.is_open = !item.is_open;
            }
            '\\' => item.text.push(chars.next()?),
            ',' if !item.is_open => items.push(std::mem::take(&mut item).value(of_items)?),
            '{' | '}' if !item.is_open => return None,
            c => item.text.push(c),
        }
    }
    items.push(item.value(of_items)?);
    Some(Json::Array(items))
}

/// An item of an array as it is read.
#[derive(Default)]
struct Item {
    text: String,
    is_quoted: bool,
    is_open: bool,
}

impl Item {
    fn value(self, category: &str) -> Option<Json> {
        if !self.is_quoted && self.text.eq_ignore_ascii_case("null") {
            return Some(Json::Null);
        }
        match (category, self.text.as_str()) {
            ("B", "t") => Some(Json::Bool(true)),
            ("B", "f") => Some(Json::Bool(false)),
            // They can be documents.
            ("U", _) => None,
            _ => scalar(self.text, category),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn value(text: &str, category: &str, of_type: &str, of_items: Option<&str>) -> Option<Json> {
        let constant = Constant {
            text: text.to_owned(),
            category: category.to_owned(),
            of_type: of_type.to_owned(),
            of_items: of_items.map(str::to_owned),
            length: 3,
        };
        constant.value()
    }

    #[test]
    fn a_constant_is_read_as_rows_have_it() {
        let scalars = [
            ("0", "N", "int4", json!(0)),
            ("'-1'::integer", "N", "int4", json!(-1)),
            ("(-1.5)", "N", "numeric", json!(-1.5)),
            ("'NaN'::numeric", "N", "numeric", json!("NaN")),
            ("true", "B", "bool", json!(true)),
            ("'it''s ''::text'::text", "S", "text", json!("it's '::text")),
            ("''::character varying", "S", "varchar", json!("")),
            ("'a'::bpchar", "S", "bpchar", json!("a  ")),
            ("'{\"a\": [1]}'::jsonb", "U", "jsonb", json!({"a": [1]})),
        ];
        for (text, category, of_type, expected) in scalars {
            assert_eq!(
                value(text, category, of_type, None),
                Some(expected),
                "{text}"
            );
        }
        let arrays = [
            ("'{}'::text[]", "S", json!([])),
            ("ARRAY[]::text[]", "S", json!([])),
            (
                "'{a,NULL,\"b,\\\"c\",\"null\"}'::text[]",
                "S",
                json!(["a", null, "b,\"c", "null"]),
            ),
            ("'{1,2}'::integer[]", "N", json!([1, 2])),
            ("'{t,f}'::boolean[]", "B", json!([true, false])),
        ];
        for (text, of_items, expected) in arrays {
            assert_eq!(
                value(text, "A", "_any", Some(of_items)),
                Some(expected),
                "{text}"
            );
        }
    }

    #[test]
    fn what_could_be_another_value_is_not_known() {
        assert_eq!(value("'(1,2)'::pair", "C", "pair", None), None);
        assert_eq!(
            value("'{{1},{2}}'::integer[]", "A", "_int4", Some("N")),
            None
        );
        assert_eq!(value("'{\"{}\"}'::jsonb[]", "A", "_jsonb", Some("U")), None);
    }
}
