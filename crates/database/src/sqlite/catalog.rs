//! What the tables look like, for those who make rows.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::connection::{Connection, Value};
use super::read::flag;
use super::tables::{self, Column, Definition};
use crate::catalog::{Catalog, Table, Temporal};
use crate::sql::identifier;
use crate::which::Which;

/// The tables by the names that records have for them.
pub(super) fn catalog(
    connection: &mut Connection,
    definitions: &[Definition],
    which: &Which,
) -> Catalog {
    let tables = definitions.iter().map(|definition| {
        let name = which.table(&definition.name);
        (name, table(connection, definition, which))
    });
    Catalog::new(tables.collect())
}

fn table(connection: &mut Connection, definition: &Definition, which: &Which) -> Table {
    let columns = definition.columns.iter();
    let temporal = columns
        .clone()
        .filter_map(|column| Some((column.name.clone(), temporal(&column.declared)?)));
    let defaults = columns
        .clone()
        .filter_map(|column| Some((column.name.clone(), default(connection, column)?)));
    let references =
        definition
            .parents
            .iter()
            .filter_map(|foreign| match foreign.columns.as_slice() {
                [(column, _)] => Some((column.clone(), which.table(&foreign.parent))),
                _ => None,
            });
    let key: Vec<String> = definition
        .key
        .iter()
        .map(|(name, _)| name.clone())
        .collect();
    let numbered = key.iter().filter(|_| definition.has_alias).cloned();
    Table {
        relation: identifier(&definition.name),
        root: which.table(&definition.name),
        temporal: temporal.collect(),
        ahead_s: 0,
        numbered: numbered.collect::<BTreeSet<_>>(),
        references: references.collect(),
        columns: columns.map(|column| column.name.clone()).collect(),
        defaults: defaults.collect(),
        key,
    }
}

/// What a column is meant to hold by what it is declared as: SQLite itself has no dates or times.
fn temporal(declared: &str) -> Option<Temporal> {
    let declared = declared.to_ascii_lowercase();
    if declared.contains("timestamp") || declared.contains("datetime") {
        let has_zone = declared.contains("with time zone") || declared.contains("timestamptz");
        return Some(if has_zone {
            Temporal::Moment
        } else {
            Temporal::Local
        });
    }
    match declared.as_str() {
        "date" => Some(Temporal::Date),
        "time" => Some(Temporal::Time),
        _ => None,
    }
}

/// What a column holds that nobody sets, where that is a constant.
fn default(connection: &mut Connection, column: &Column) -> Option<Json> {
    let text = column.default.as_deref().filter(|_| !column.is_generated)?;
    let text = text.trim_start_matches('(').trim_end_matches(')');
    let value = tables::constant(connection, text)?;
    let value = stored(&column.declared, value).json();
    Some(if column.is_flag() { flag(value) } else { value })
}

/// What a column makes of a value: a text that is a number is one where the column is for numbers, and the other way round.
fn stored(declared: &str, value: Value) -> Value {
    let declared = declared.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| declared.contains(word));
    let is_text = !has(&["int"]) && has(&["char", "clob", "text"]);
    let is_as_it_is = declared.is_empty() || !has(&["int"]) && has(&["blob"]);
    match value {
        Value::Integer(number) if is_text => Value::Text(number.to_string()),
        Value::Text(text) if !is_text && !is_as_it_is => {
            let integer = text.parse().map(Value::Integer);
            let number = integer.or_else(|_| text.parse().map(Value::Real));
            number.unwrap_or(Value::Text(text))
        }
        value => value,
    }
}
