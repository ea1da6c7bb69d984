//! Runs that died before they could undo what they did.

use std::collections::BTreeSet;
use std::path::Path;

use super::connection::{Connection, Sql};
use super::read::{self, Logged, micros};
use super::tables::Definition;
use super::undo::{self, What};
use super::{locks, watch};
use crate::error::DatabaseError;
use crate::leftover::Leftover;

const TASK: &str = "undo a dead run's changes";

/// Undoes what dead runs left. While we have the lock of a run, nobody else undoes it.
pub(super) fn undo_all(
    connection: &mut Connection,
    base: &Path,
    definitions: &[Definition],
    own: &str,
) -> Result<Vec<Leftover>, DatabaseError> {
    let mut leftovers = Vec::new();
    for run in watch::others(connection, own)? {
        let Some(_lock) = locks::of_dead(base, &run)? else {
            continue;
        };
        // Somebody else can have undone it before the lock was ours.
        if is_registered(connection, &run)? {
            connection.write(TASK, |connection| claim(connection, &run, own))?;
            let what = What {
                run: &run,
                batch: None,
                foreign: &BTreeSet::new(),
            };
            let left = undo::undo(connection, definitions, what)?;
            leftovers.extend(left.into_iter().map(Leftover::shortened));
            connection.write(TASK, |connection| watch::forget(connection, &run))?;
        }
        locks::forget(base, &run)?;
    }
    Ok(leftovers)
}

pub(super) fn is_registered(connection: &mut Connection, run: &str) -> Result<bool, DatabaseError> {
    let query = Sql::new("select exists (select 1 from authz_pin_run where token = ").text(run);
    connection.flag(TASK, query.sql(")"))
}

/// The time in which what changes is a run's because nobody else is there.
struct Alone {
    from: i64,
    until: i64,
    is_sure: bool,
    number: i64,
}

/// Claims for a dead run what it caused: changes that hold its token or an identifier that it made, changes of the same
/// statement, and what changed while it was alone. What another run explains is never claimed.
fn claim(connection: &mut Connection, run: &str, own: &str) -> Result<(), DatabaseError> {
    let values = values(connection)?;
    let (mine, others): (Vec<_>, Vec<_>) = values.iter().partition(|(owner, _)| owner == run);
    let logged = read::logged(connection, Sql::new("run is null"))?;
    let holds = |change: &Logged, values: &[&(String, String)]| {
        let text = format!("{} {}", change.old, change.new);
        values
            .iter()
            .any(|(_, value)| text.contains(value.as_str()))
    };
    let own_changes: BTreeSet<i64> = logged
        .iter()
        .filter(|change| holds(change, &mine))
        .map(|change| change.seq)
        .collect();
    let mut moments: BTreeSet<i64> = logged
        .iter()
        .filter(|change| own_changes.contains(&change.seq))
        .map(|change| change.at)
        .collect();
    let claimed = read::logged(connection, Sql::new("run = ").text(run))?;
    moments.extend(claimed.iter().map(|change| change.at));
    let alone = alone(connection, run, own)?;
    let is_mine = |change: &&Logged| {
        let is_alone = alone
            .as_ref()
            .is_some_and(|alone| change.seq > alone.from && change.at <= alone.until);
        own_changes.contains(&change.seq)
            || (moments.contains(&change.at) || is_alone) && !holds(change, &others)
    };
    let numbers: Vec<i64> = logged
        .iter()
        .filter(is_mine)
        .map(|change| change.seq)
        .collect();
    read::claim(connection, run, 0, &numbers)
}

/// What runs are known by, each with the run.
fn values(connection: &mut Connection) -> Result<Vec<(String, String)>, DatabaseError> {
    let query = "select token, token from authz_pin_run union all select run, value from authz_pin_identifier";
    let rows = connection.rows(TASK, Sql::new(query))?;
    let values = rows
        .iter()
        .map(|row| (row.text(0).to_owned(), row.text(1).to_owned()));
    Ok(values.collect())
}

fn alone(
    connection: &mut Connection,
    run: &str,
    own: &str,
) -> Result<Option<Alone>, DatabaseError> {
    let query = format!(
        "select alone_from, {}, is_alone, number from authz_pin_run where alone_until is not null and token = ",
        micros("alone_until")
    );
    let rows = connection.rows(TASK, Sql::new(query).text(run))?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    let alone = Alone {
        from: row.integer(0),
        until: row.integer(1),
        is_sure: row.is(2),
        number: row.integer(3),
    };
    let later = Sql::new("select exists (select 1 from authz_pin_run where number > ")
        .integer(alone.number)
        .sql(" and token <> ")
        .text(own)
        .sql(")");
    let is_so = alone.is_sure || !connection.flag(TASK, later)?;
    Ok(is_so.then_some(alone))
}
