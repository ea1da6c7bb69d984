//! YAML as a person would write it, for files that a person goes on with.

use serde_json::Value;

use super::scalar;

/// Texts that are something else to readers of older YAML.
const ODD: [&str; 7] = ["y", "n", "yes", "no", "on", "off", "<<"];

/// A value on one line. Texts are plain where nobody can take them for something else.
#[must_use]
pub fn inline(value: &Value) -> String {
    match value {
        Value::String(text) => scalar_of(text),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(inline).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(map) if map.is_empty() => "{}".to_owned(),
        Value::Object(map) => {
            let entries = map.iter();
            let entries =
                entries.map(|(key, value)| format!("{}: {}", scalar_of(key), inline(value)));
            format!("{{ {} }}", entries.collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

/// What stands behind the colon of a key: a value with its parts on lines of their own, `indent` columns to the right.
#[must_use]
pub fn block(value: &Value, indent: usize) -> String {
    let start = format!("\n{}", " ".repeat(indent));
    match value {
        Value::Object(map) if !map.is_empty() => {
            let entry = |(key, value): (&String, &Value)| {
                let value = block(value, indent + 2);
                format!("{start}{}:{value}", scalar_of(key))
            };
            map.iter().map(entry).collect::<Vec<_>>().concat()
        }
        Value::Array(items) if !items.is_empty() => {
            let item = |item| format!("{start}- {}", inline(item));
            items.iter().map(item).collect::<Vec<_>>().concat()
        }
        other => format!(" {}", inline(other)),
    }
}

/// Words for a comment: one line, and not a long one.
#[must_use]
pub fn comment(text: &str) -> String {
    let shown = |c: char| if is_printable(c) { c } else { ' ' };
    let text: String = text.chars().map(shown).take(1_000).collect();
    let words: Vec<&str> = text.split_whitespace().collect();
    let text = words.join(" ");
    match text.char_indices().nth(MAX_COMMENT) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default().trim_end()),
        None => text,
    }
}

const MAX_COMMENT: usize = 110;

fn scalar_of(text: &str) -> String {
    if is_plain(text) {
        return text.to_owned();
    }
    let json = Value::from(text).to_string();
    let escaped = json.chars().map(|c| {
        if c == '\t' || is_printable(c) {
            c.to_string()
        } else {
            format!("\\u{:04x}", u32::from(c))
        }
    });
    escaped.collect()
}

/// Whether a text means itself without quotes, whoever reads it and wherever it stands.
fn is_plain(text: &str) -> bool {
    let begins = text.starts_with(|c: char| c.is_ascii_alphabetic() || "/$_<".contains(c));
    let is_word = |c: char| c.is_ascii_alphanumeric() || " _./$<>-".contains(c);
    begins
        && !text.ends_with(' ')
        && text.chars().all(is_word)
        && matches!(scalar::resolve(text), Ok(Value::String(_)))
        && !ODD.contains(&text.to_ascii_lowercase().as_str())
}

/// Whether a character can stand in a file as itself.
fn is_printable(c: char) -> bool {
    !c.is_control()
        && !matches!(
            c,
            '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'
        )
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::Document;
    use super::*;
    use serde_json::json;

    fn read(text: String) -> Value {
        Document::parse(Path::new("file"), text)
            .unwrap()
            .value()
            .clone()
    }

    #[test]
    fn a_value_reads_back_in_either_form() {
        let value = json!({
            "plain": "own team", "no": "no", "12": "12", "": "", "text": "a: b # c", "tag": "{{ cell.tag }}",
            "odd": "\u{85}\u{feff}\u{0}\n", "list": [1, -2.5e300, null, true, {"a": [[]], "b": {}}], "map": {"x": {"y": []}},
        });
        assert_eq!(read(inline(&value)), value);
        assert_eq!(
            read(format!("at:{}\n", block(&value, 2))),
            json!({"at": value})
        );
    }

    #[test]
    fn a_comment_is_one_short_line() {
        assert_eq!(comment(" a\nb\u{1b}[2J\u{2028}c "), "a b [2J c");
        assert!(comment(&"long ".repeat(1_000)).chars().count() <= MAX_COMMENT + 3);
    }
}
