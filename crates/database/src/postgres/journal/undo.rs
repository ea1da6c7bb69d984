//! Undoing what a run did, in the terms of the journal.

use std::time::{Duration, Instant};

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use diesel_async::RunQueryDsl;

use super::{ALL_AS_OF_NOW, PATIENCE, PAUSE, SILENCE, WORLD, holder, look};
use crate::error::DatabaseError;
use crate::leftover::Leftover;
use crate::postgres::{Database, Number};
use crate::run::Tell;
use crate::which::Which;

#[derive(QueryableByName)]
struct Left {
    #[diesel(sql_type = Nullable<BigInt>)]
    value: Option<i64>,
}

/// What undo is called in errors.
const UNDO: &str = "undo the run's changes";

/// How often what the service's triggers made of an undo is undone.
const ROUNDS: usize = 3;

/// Undoes the changes of one batch of a run, or of all its batches. Whoever keeps a row or a table locked is waited for, and told.
pub(super) async fn undo(
    database: &mut Database,
    run: &str,
    batch: Option<i64>,
    tell: Tell<'_>,
) -> Result<Vec<Leftover>, DatabaseError> {
    let start = Instant::now();
    let (mut is_told, mut rounds) = (false, 0);
    loop {
        match undo_once(database, run, batch, tell).await? {
            Some(0) => return Ok(Vec::new()),
            Some(_) if database.home.compares() && rounds < ROUNDS => {
                rounds += 1;
                continue;
            }
            Some(_) => return leftovers(database, run, batch).await,
            None => {}
        }
        let waited = start.elapsed();
        if waited >= SILENCE && !is_told {
            is_told = true;
            let holders = holder::of_changes(database, run).await?;
            let holders = holder::words(&holders);
            let text = format!("waiting to undo what the run did: {holders}");
            tell(&database.which().said(&text));
        }
        if waited >= PATIENCE {
            let holders = holder::of_changes(database, run).await?;
            return Err(DatabaseError::locked(UNDO, holder::words(&holders)));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// How many changes could not be undone; none if somebody keeps a row or a table locked.
async fn undo_once(
    database: &mut Database,
    run: &str,
    batch: Option<i64>,
    tell: Tell<'_>,
) -> Result<Option<i64>, DatabaseError> {
    if !database.home.compares() {
        return undo_logged(database, run, batch, tell).await;
    }
    database.execute(UNDO, ALL_AS_OF_NOW).await?;
    let undone = undo_and_look(database, run, batch, tell).await;
    database.end(UNDO, undone).await
}

/// The same with what the service's own triggers do meanwhile, which the role may not switch off: that is the run's as well.
async fn undo_and_look(
    database: &mut Database,
    run: &str,
    batch: Option<i64>,
    tell: Tell<'_>,
) -> Result<Option<i64>, DatabaseError> {
    look(database, None).await?;
    if undo_logged(database, run, batch, tell).await?.is_none() {
        return Ok(None);
    }
    look(database, Some((run, batch.unwrap_or(WORLD)))).await?;
    let left = database
        .ask("select count(*) as value from authz_pin.change where run = ")
        .bind::<Text, _>(run)
        .sql(" and batch = coalesce(")
        .bind::<Nullable<BigInt>, _>(batch)
        .sql(", batch)");
    let left: QueryResult<Number> = left.get_result(&mut database.connection).await;
    let left = left.map_err(DatabaseError::refused("read the journal"))?;
    Ok(Some(left.value))
}

async fn undo_logged(
    database: &mut Database,
    run: &str,
    batch: Option<i64>,
    tell: Tell<'_>,
) -> Result<Option<i64>, DatabaseError> {
    let query = database
        .ask("select authz_pin.undo(")
        .bind::<Text, _>(run)
        .sql(", ")
        .bind::<Nullable<BigInt>, _>(batch)
        .sql(") as value");
    let which = database.which().clone();
    let query = query.get_result(&mut database.connection);
    let left: QueryResult<Left> = with_patience(query, &which, tell).await;
    let left = left.map_err(DatabaseError::refused(UNDO))?;
    Ok(left.value)
}

/// Says that undo takes long, where it does.
async fn with_patience<T>(undo: impl Future<Output = T>, which: &Which, tell: Tell<'_>) -> T {
    let mut undo = std::pin::pin!(undo);
    tokio::select! {
        done = &mut undo => return done,
        () = tokio::time::sleep(LONG) => {
            tell(&which.said("undoing what the run did takes long: the database is at it"));
        }
    }
    undo.await
}

/// After which time of undoing somebody is told.
const LONG: Duration = Duration::from_secs(5);

async fn leftovers(
    database: &mut Database,
    run: &str,
    batch: Option<i64>,
) -> Result<Vec<Leftover>, DatabaseError> {
    let query = database
        .ask("select tbl, op, key, reason from authz_pin.leftovers(")
        .bind::<Text, _>(run)
        .sql(", ")
        .bind::<Nullable<BigInt>, _>(batch)
        .sql(")");
    let leftovers: Vec<Leftover> = query
        .load(&mut database.connection)
        .await
        .map_err(DatabaseError::refused("read the journal"))?;
    let which = database.which();
    let of_database = |leftover: Leftover| Leftover {
        tbl: which.table(&leftover.tbl),
        ..leftover
    };
    Ok(leftovers.into_iter().map(of_database).collect())
}
