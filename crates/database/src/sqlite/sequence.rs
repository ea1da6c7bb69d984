//! The numbers that SQLite never gives twice: as they were before the run, as far as nobody else has used one since.

use std::collections::BTreeSet;

use super::connection::{Connection, Sql, literal};
use super::forms::UNDO;
use super::read::list;
use super::tables::Definition;
use super::undo::{Step, Tables};
use crate::error::DatabaseError;

/// Sets the counters of the tables back whose insertions were undone.
pub(super) fn restore(
    connection: &mut Connection,
    tables: &Tables<'_>,
    steps: &[Step],
    undone: &[i64],
) -> Result<(), DatabaseError> {
    let inserts = steps.iter().filter(|step| step.operation == "insert");
    let touched: BTreeSet<i64> = inserts.map(|step| step.table).collect();
    let undone = list(undone.iter().copied());
    for number in touched {
        if let Some((_, table)) = tables.get(&number).filter(|(_, table)| table.is_counted) {
            restore_one(connection, table, number, &undone)?;
        }
    }
    Ok(())
}

fn restore_one(
    connection: &mut Connection,
    table: &Definition,
    number: i64,
    undone: &str,
) -> Result<(), DatabaseError> {
    let listed = "(select value from json_each(";
    let query = format!(
        "select seq, sequence from authz_pin_change where tbl = {number} and op = 'insert' and seq in {listed}"
    );
    let first = connection.rows(
        UNDO,
        Sql::new(query).text(undone).sql(")) order by seq limit 1"),
    )?;
    let Some(first) = first.first() else {
        return Ok(());
    };
    let (from, before) = (first.integer(0), first.value(1).integer());
    let query = format!(
        "select max(n0) from authz_pin_change where tbl = {number} and op = 'insert' and seq > {from} and seq not in {listed}"
    );
    let others = connection.one(UNDO, Sql::new(query).text(undone).sql("))"))?;
    let target = before.max(others.integer());
    set(connection, table, target)?;
    // Who is undone after this one finds the counter as it would be without it.
    let hand_on = format!(
        "update authz_pin_change set sequence = {} where seq = (
           select min(seq) from authz_pin_change where tbl = {number} and op = 'insert' and seq > {from} and seq not in {listed}",
        number_or_null(before)
    );
    connection
        .execute(UNDO, Sql::new(hand_on).text(undone).sql(")))"))
        .map(drop)
}

fn number_or_null(number: Option<i64>) -> String {
    number.map_or_else(|| "null".to_owned(), |number| number.to_string())
}

/// Sets a counter back to what others have used of it. It also counts what was inserted and refused, which nobody logs.
fn set(
    connection: &mut Connection,
    table: &Definition,
    target: Option<i64>,
) -> Result<(), DatabaseError> {
    let name = literal(&table.name);
    let sql = match target {
        Some(target) => {
            format!(
                "update sqlite_sequence set seq = {target} where name = {name} and seq > {target}"
            )
        }
        None => format!("delete from sqlite_sequence where name = {name}"),
    };
    connection.batch(UNDO, &sql)
}
