//! What could not be undone, as a person has to find it.

use diesel::QueryableByName;
use diesel::sql_types::{Jsonb, Nullable, Text};
use serde_json::Value as Json;

/// A change that could not be undone, and why.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Leftover {
    /// The row's table.
    #[diesel(sql_type = Text)]
    pub tbl: String,
    /// What the run had done to the row.
    #[diesel(sql_type = Text)]
    pub op: String,
    /// The row's primary key, if its table has one.
    #[diesel(sql_type = Nullable<Jsonb>)]
    pub key: Option<Json>,
    /// Why, where it is known: the database's code and message, or what is in the way.
    #[diesel(sql_type = Nullable<Text>)]
    pub reason: Option<String>,
}

impl Leftover {
    /// The same with its key and its reason as a run that knows its own values names them.
    #[must_use]
    pub fn named(self, name: impl Fn(&Json) -> Json) -> Self {
        let text = |named: Json| named.as_str().map(quotes_shortened);
        Self {
            key: self.key.as_ref().map(&name),
            reason: self.reason.and_then(|reason| text(name(&reason.into()))),
            ..self
        }
    }

    /// The same with only the beginnings of longer texts in its key, and of what its reason quotes: whoever made them, they
    /// may be credentials.
    #[must_use]
    pub fn shortened(self) -> Self {
        self.named(|value| match value.as_object() {
            Some(columns) => {
                let columns = columns.iter();
                columns
                    .map(|(column, value)| (column.clone(), shortened(value)))
                    .collect()
            }
            None => value.clone(),
        })
    }
}

/// The most characters of a value that are shown where it is not known what it is.
const SHOWN: usize = 8;

/// A database's message with only the beginnings of what stands between quotes or parentheses.
fn quotes_shortened(message: &str) -> String {
    let parts = message.split_inclusive(['"', '\'', '(', ')', '«', '»']);
    let parts = parts.enumerate().map(|(place, part)| match place % 2 {
        1 if part.chars().count() > SHOWN + 1 && !is_name(part) && !part.starts_with('<') => {
            let end = part.chars().last().unwrap_or_default();
            format!("{}…{end}", part.chars().take(SHOWN).collect::<String>())
        }
        _ => part.to_owned(),
    });
    parts.collect()
}

/// What tables, columns and constraints are called, and credentials are not: words in small letters.
fn is_name(part: &str) -> bool {
    let is_of_name = |c: char| c.is_ascii_lowercase() || c == '_';
    part.trim_end_matches(['"', '\'', ')', '»'])
        .chars()
        .all(is_of_name)
}

fn shortened(value: &Json) -> Json {
    match value.as_str().map(|text| text.char_indices().nth(SHOWN)) {
        Some(Some((end, _))) => {
            let text = value.as_str().unwrap_or_default();
            format!("{}…", text.get(..end).unwrap_or_default()).into()
        }
        _ => value.clone(),
    }
}

impl std::fmt::Display for Leftover {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{} `{}`", self.op, self.tbl)?;
        if let Some(key) = &self.key {
            write!(out, " {key}")?;
        }
        self.reason
            .iter()
            .try_for_each(|reason| write!(out, ": {reason}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_leftover_of_a_dead_run_shows_no_more_of_a_key_than_finds_the_row() {
        let leftover = Leftover {
            tbl: "Key".to_owned(),
            op: "update".to_owned(),
            key: Some(
                json!({"token": "sk-0123456789", "team": "öffentlich", "id": 123_456_789_012_i64, "x": "short"}),
            ),
            reason: Some("23505: `a` \"unique_key\" has (sk-0123456789) and 'short'".to_owned()),
        };
        assert_eq!(
            leftover.shortened().to_string(),
            r#"update `Key` {"token":"sk-01234…","team":"öffentli…","id":123456789012,"x":"short"}: 23505: `a` "unique_key" has (sk-01234…) and 'short'"#
        );
    }
}
