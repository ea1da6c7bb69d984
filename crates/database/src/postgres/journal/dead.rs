//! Runs that died before they could undo what they did.

use std::time::Instant;

use diesel::QueryResult;
use diesel::sql_types::Text;
use diesel_async::RunQueryDsl;

use super::{Leftover, PATIENCE, PAUSE, Token, forget, is_writing, undo, watch};
use crate::error::DatabaseError;
use crate::postgres::{Database, Flag};
use crate::run::Tell;
use crate::wait::WRITERS;

/// Undoes what dead runs left and removes the journal if no run is alive. Gives what could not be undone, and what of the
/// journal had to stay.
pub async fn clean(
    database: &mut Database,
    tell: Tell<'_>,
) -> Result<(Vec<Leftover>, Option<String>), DatabaseError> {
    if !watch::is_there(database).await? {
        return Ok((Vec::new(), None));
    }
    let leftovers = undo_all(database, "", tell).await;
    let leftovers = watch::unless_gone(database, leftovers, Vec::new()).await?;
    let stays = watch::remove_if_unused(database, tell).await?;
    Ok((leftovers, stays))
}

/// Undoes an interrupted run: ends its connection, and waits until the database has noticed.
pub async fn abandon(
    database: &mut Database,
    run: &str,
    background: &[String],
    tell: Tell<'_>,
) -> Result<Vec<Leftover>, DatabaseError> {
    let start = Instant::now();
    let mut leftovers = Vec::new();
    loop {
        let end = "select pg_terminate_backend(pid) from pg_stat_activity
            where datname = current_database() and usename = current_user and pid <> pg_backend_pid()
              and application_name like 'authz-pin ' || $1 || ',%'";
        let ended = diesel::sql_query(end).bind::<Text, _>(run);
        let ended = ended.execute(&mut database.connection).await;
        ended.map_err(DatabaseError::refused("end the interrupted connection"))?;
        wait_for_writers(database, background).await?;
        let (left, stays) = clean(database, tell).await?;
        leftovers.extend(left);
        if let Some(stays) = stays {
            tell(&stays);
        }
        if !is_registered(database, run).await? {
            return Ok(leftovers);
        }
        if start.elapsed() > PATIENCE {
            let task = "undo the interrupted run";
            let reason = "the database has not ended its session yet; `authz-pin clean` undoes it afterwards";
            return Err(DatabaseError::locked(task, reason));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// What calls have written and is not to be seen yet would come after undo.
async fn wait_for_writers(
    database: &mut Database,
    background: &[String],
) -> Result<(), DatabaseError> {
    let start = Instant::now();
    while watch::is_there(database).await? && start.elapsed() < WRITERS && {
        let is_writing = is_writing(database, background).await;
        watch::unless_gone(database, is_writing, false).await?
    } {
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}

async fn is_registered(database: &mut Database, run: &str) -> Result<bool, DatabaseError> {
    if !watch::is_there(database).await? {
        return Ok(false);
    }
    let query = "select exists (select from authz_pin.run where token = $1) as value";
    let flag: QueryResult<Flag> = diesel::sql_query(query)
        .bind::<Text, _>(run)
        .get_result(&mut database.connection)
        .await;
    let flag = flag.map(|flag| flag.value);
    let flag = flag.map_err(DatabaseError::refused("read the journal"));
    watch::unless_gone(database, flag, false).await
}

/// A run is dead when its advisory lock can be taken: the lock ends with the connection that held it. While we have it, nobody
/// else undoes that run. A session could take a lock of its own once more, so the run that asks is left out.
pub(super) async fn undo_all(
    database: &mut Database,
    own: &str,
    tell: Tell<'_>,
) -> Result<Vec<Leftover>, DatabaseError> {
    let dead = diesel::sql_query(
        "with others as materialized (select token from authz_pin.run where token <> $1)
        select token from others where pg_try_advisory_lock(hashtextextended('authz_pin run ' || token, 0))",
    )
    .bind::<Text, _>(own);
    let dead: Vec<Token> = dead
        .load(&mut database.connection)
        .await
        .map_err(DatabaseError::refused("look for dead runs"))?;
    let mut leftovers = Vec::new();
    for Token { token } in dead {
        leftovers.extend(undo_one(database, &token, own, tell).await?);
        let unlock = format!(
            "select pg_advisory_unlock(hashtextextended('authz_pin run {}', 0))",
            token.replace('\'', "''")
        );
        database.execute("look for dead runs", &unlock).await?;
    }
    Ok(leftovers)
}

async fn undo_one(
    database: &mut Database,
    token: &str,
    own: &str,
    tell: Tell<'_>,
) -> Result<Vec<Leftover>, DatabaseError> {
    let claim = diesel::sql_query("select authz_pin.claim_dead($1, $2)")
        .bind::<Text, _>(token)
        .bind::<Text, _>(own);
    let claimed = claim.execute(&mut database.connection).await;
    claimed.map_err(DatabaseError::refused("undo a dead run's changes"))?;
    let left = undo(database, token, None, tell).await?;
    forget(database, token).await?;
    Ok(left.into_iter().map(Leftover::shortened).collect())
}
