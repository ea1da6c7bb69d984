//! Rows that a run inserts, put together as statements insert them.

use authz_pin_suite::world::Row;
use indexmap::IndexMap;
use serde_json::{Map, Value as Json};

/// The columns of several rows.
pub(crate) type Values<'r> = Vec<&'r Map<String, Json>>;

/// Rows by table and set of columns.
pub(crate) fn batches<'r>(
    rows: impl IntoIterator<Item = &'r Row>,
) -> Vec<(&'r str, Vec<&'r str>, Values<'r>)> {
    let mut batches: IndexMap<(&str, Vec<&str>), Values<'_>> = IndexMap::new();
    for row in rows {
        let columns = row.values.keys().map(String::as_str).collect();
        let batch = batches.entry((row.table.as_str(), columns));
        batch.or_default().push(&row.values);
    }
    batches
        .into_iter()
        .map(|((table, columns), values)| (table, columns, values))
        .collect()
}
