//! The numbers that SQLite never gives twice (`AUTOINCREMENT`): while runs are there they count on, so that no two rows of a run
//! have one number, and afterwards they are as they were, as far as nobody else has used one.

use super::connection::{Connection, Sql, literal};
use super::forms::UNDO;
use super::tables::Definition;
use super::watch::INSTALL;
use crate::error::DatabaseError;

/// Keeps what a table has counted to before any run.
pub(super) fn keep(connection: &mut Connection, table: &Definition) -> Result<(), DatabaseError> {
    if !table.is_counted {
        return Ok(());
    }
    let name = literal(&table.name);
    let keep = format!(
        "insert or ignore into authz_pin_counter
         values ({name}, (select max(seq) from sqlite_sequence where name = {name}))"
    );
    connection.batch(INSTALL, &keep)
}

/// Sets the counters back to what they were, or to the largest number that a row has.
pub(super) fn restore(
    connection: &mut Connection,
    definitions: &[Definition],
) -> Result<(), DatabaseError> {
    let query = "select name, seq from authz_pin_counter";
    for row in connection.rows(UNDO, Sql::new(query))? {
        let counted = definitions.iter().find(|table| table.name == row.text(0));
        if let Some(table) = counted.filter(|table| table.is_counted) {
            let largest = format!("select max(rowid) from {}", table.sql());
            let largest = connection.one(UNDO, Sql::new(largest))?.integer();
            set(connection, table, row.value(1).integer().max(largest))?;
        }
    }
    Ok(())
}

fn set(
    connection: &mut Connection,
    table: &Definition,
    number: Option<i64>,
) -> Result<(), DatabaseError> {
    let name = literal(&table.name);
    let set = match number {
        Some(number) => format!(
            "update sqlite_sequence set seq = {number} where name = {name} and seq > {number}"
        ),
        None => format!("delete from sqlite_sequence where name = {name}"),
    };
    connection.batch(UNDO, &set)
}
