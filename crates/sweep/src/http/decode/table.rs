//! Tables as lists of rows (RFC 4180), so that their rows are counted as the items of lists are.

use std::collections::BTreeSet;

use csv::{ReaderBuilder, StringRecord};
use serde_json::Value as Json;

use super::media::MediaType;

/// How many cells are read.
const MOST: usize = 400_000;
/// What can stand between cells, the likeliest first.
const BETWEEN: [u8; 3] = [b',', b';', b'\t'];

/// The rows: objects by the names in the first row, or lists where that has none.
pub(super) fn rows(media_type: MediaType<'_>, text: &str) -> Option<Json> {
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter(media_type, text))
        .from_reader(text.as_bytes());
    let (mut rows, mut cells) = (Vec::new(), 0);
    for row in reader.records() {
        let row = row.ok()?;
        cells += row.len();
        if cells > MOST {
            return None;
        }
        rows.push(row);
    }
    let names = rows.first()?;
    if media_type.parameter("header") == Some("absent") || !are_names(names) {
        return Some(rows.iter().map(list).collect());
    }
    Some(rows.iter().skip(1).map(|row| object(names, row)).collect())
}

fn delimiter(media_type: MediaType<'_>, text: &str) -> u8 {
    if media_type.is("text/tab-separated-values") {
        return b'\t';
    }
    let first = text.lines().next().unwrap_or_default();
    let count = |between: &u8| first.bytes().filter(|byte| byte == between).count();
    // Of as many the first one.
    let most = BETWEEN.iter().rev().max_by_key(|between| count(between));
    most.copied().unwrap_or(b',')
}

/// Whether a row has names: a text in each cell, and none twice.
fn are_names(row: &StringRecord) -> bool {
    let is_name = |cell: &str| {
        let cell = cell.trim();
        !cell.is_empty() && cell.parse::<f64>().is_err()
    };
    let all: BTreeSet<&str> = row.iter().collect();
    row.iter().all(is_name) && all.len() == row.len()
}

fn list(row: &StringRecord) -> Json {
    row.iter().map(Json::from).collect()
}

/// A row by the names of its cells; those that have none are called by their number.
fn object(names: &StringRecord, row: &StringRecord) -> Json {
    let cells = row.iter().enumerate().map(|(at, cell)| {
        let name = names.get(at).map(|name| name.trim().to_owned());
        let name = name.unwrap_or_else(|| format!("column {}", at + 1));
        (name, Json::from(cell))
    });
    Json::Object(cells.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(media_type: &str, text: &str) -> Option<Json> {
        rows(MediaType(media_type), text)
    }

    #[test]
    fn rows_are_objects_by_the_names_of_their_columns() {
        let rows = json!([{"id": "1", "name": "a, b"}, {"id": "2", "name": "say \"x\"\n2"}]);
        let text = "id,name\r\n1,\"a, b\"\r\n2,\"say \"\"x\"\"\n2\"\r\n";
        assert_eq!(read("text/csv", text), Some(rows));
        let one = Some(json!([{"id": "1", "name": "a,b"}]));
        assert_eq!(read("text/csv", "id;name\n1;a,b"), one);
        assert_eq!(read("text/tab-separated-values", "id\tname\n1\ta,b\n"), one);
        assert_eq!(read("text/csv", "id,name\n"), Some(json!([])));
        let more = json!([{"id": "1", "column 2": "x"}]);
        assert_eq!(read("text/csv", "id\n1,x\n"), Some(more));
    }

    #[test]
    fn without_names_rows_are_lists() {
        let rows = Some(json!([["1", "a"], ["2", "b"]]));
        assert_eq!(read("text/csv", "1,a\n2,b\n"), rows);
        let rows = Some(json!([["x", "a"]]));
        assert_eq!(read("text/csv; header=absent", "x,a\n"), rows);
    }
}
