//! Rows that a run inserts itself, and deletes where no journal knows them.

use std::collections::BTreeMap;

use authz_pin_suite::world::Row;
use serde_json::Value as Json;

use super::connection::{Connection, Sql};
use super::tables::Definition;
use crate::catalog::Catalog;
use crate::error::DatabaseError;
use crate::rows::batches;
use crate::sql::identifier;
use crate::which::Which;

/// Inserts rows, one statement per table and set of columns, in the order in which these first appear. Gives how many rows
/// came to be in each table.
pub(super) fn insert<'r>(
    connection: &mut Connection,
    (definitions, which): (&[Definition], &Which),
    rows: &[&'r Row],
) -> Result<BTreeMap<&'r str, usize>, DatabaseError> {
    let mut inserted = BTreeMap::new();
    for (table, columns, values) in batches(rows.iter().copied()) {
        let own = which.own(table);
        let known = definitions
            .iter()
            .find(|known| known.name.eq_ignore_ascii_case(own));
        let names: Vec<String> = columns.iter().map(|column| identifier(column)).collect();
        let places: Vec<String> = columns
            .iter()
            .enumerate()
            .map(|(place, column)| value(known, column, place))
            .collect();
        let statement = format!(
            "insert into {} ({}) select {} from json_each(",
            identifier(own),
            names.join(", "),
            places.join(", ")
        );
        let rows = values
            .iter()
            .map(|row| row.values().collect::<Vec<&Json>>());
        let rows = serde_json::to_string(&rows.collect::<Vec<_>>()).map_err(DatabaseError::Rows)?;
        let statement = Sql::new(statement)
            .text(rows)
            .sql(") r where true order by r.key");
        let task = format!("insert into `{table}`");
        *inserted.entry(table).or_default() += connection.execute(&task, statement)?;
    }
    Ok(inserted)
}

/// A value of a row as SQLite stores it: bytes are written as PostgreSQL has them.
fn value(table: Option<&Definition>, column: &str, place: usize) -> String {
    let value = format!("(r.value ->> '$[{place}]')");
    let declared = table.and_then(|table| table.column(column));
    let is_bytes =
        declared.is_some_and(|column| column.declared.to_ascii_lowercase().contains("blob"));
    if is_bytes {
        format!(
            "case when {value} glob '\\x*' then coalesce(unhex(substr({value}, 3)), {value}) else {value} end"
        )
    } else {
        value
    }
}

/// Deletes rows by their primary keys, the last first. A row of a table without a primary key is found by all the columns that
/// were set.
pub(super) fn delete(
    connection: &mut Connection,
    (definitions, which): (&[Definition], &Which),
    rows: &[&Row],
    catalog: &Catalog,
) -> Result<(), DatabaseError> {
    for (table, columns, values) in batches(rows.iter().copied()).into_iter().rev() {
        let key = catalog.table(table).map(|table| table.key.clone());
        let key = key.filter(|key| key.iter().all(|key| columns.contains(&key.as_str())));
        let by = key.filter(|key| !key.is_empty());
        let by = by.unwrap_or_else(|| columns.iter().map(|column| (*column).to_owned()).collect());
        let own = which.own(table);
        let known = definitions
            .iter()
            .find(|known| known.name.eq_ignore_ascii_case(own));
        let same = by.iter().map(|column| {
            let place = columns.iter().position(|known| known == column);
            let value = value(known, column, place.unwrap_or_default());
            format!("{}.{} is {value}", identifier(own), identifier(column))
        });
        let statement = format!(
            "delete from {} where exists (select 1 from json_each(",
            identifier(own)
        );
        let condition = format!(") r where {})", same.collect::<Vec<_>>().join(" and "));
        let rows = values
            .iter()
            .map(|row| row.values().collect::<Vec<&Json>>());
        let rows = serde_json::to_string(&rows.collect::<Vec<_>>()).map_err(DatabaseError::Rows)?;
        let task = format!("delete from `{table}`");
        connection.execute(&task, Sql::new(statement).text(rows).sql(condition))?;
    }
    Ok(())
}
