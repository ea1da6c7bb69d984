//! Runs that died before they could undo what they did, and the end of the journal.

use diesel::sql_types::Text;
use diesel_async::RunQueryDsl;

use super::{LOCK_INSTALLATION, LOCK_TIMEOUT, Leftover, Mark, Token, forget, same_version, undo};
use crate::database::{Database, DatabaseError, Flag};

/// Undoes what dead runs left and removes the journal if no run is alive.
pub async fn clean(database: &mut Database) -> Result<Vec<Leftover>, DatabaseError> {
    let task = "clean the database";
    database
        .execute(task, &format!("begin; {LOCK_TIMEOUT}; {LOCK_INSTALLATION}"))
        .await?;
    let present = diesel::sql_query("select to_regclass('authz_pin.run') is not null as value");
    let present: Flag = present
        .get_result(&mut database.connection)
        .await
        .map_err(DatabaseError::refused(task))?;
    let mut leftovers = Vec::new();
    if present.value {
        same_version(database).await?;
        leftovers = undo_all(database).await?;
        remove_if_unused(database).await?;
    }
    database.execute(task, "commit").await?;
    Ok(leftovers)
}

/// A run is dead when its advisory lock can be taken: the lock ends with the connection that held it.
pub(super) async fn undo_all(database: &mut Database) -> Result<Vec<Leftover>, DatabaseError> {
    let dead = diesel::sql_query(
        "select token from authz_pin.run where pg_try_advisory_xact_lock(hashtextextended('authz_pin run ' || token, 0))",
    );
    let dead: Vec<Token> = dead
        .load(&mut database.connection)
        .await
        .map_err(DatabaseError::refused("look for dead runs"))?;
    let mut leftovers = Vec::new();
    for Token { token } in dead {
        let task = "undo a dead run's changes";
        let claim = diesel::sql_query("select authz_pin.claim_dead($1)").bind::<Text, _>(&token);
        claim
            .execute(&mut database.connection)
            .await
            .map_err(DatabaseError::refused(task))?;
        let left = undo(database, &token, Mark::START).await?;
        leftovers.extend(left.into_iter().map(Leftover::shortened));
        forget(database, &token).await?;
    }
    Ok(leftovers)
}

pub(super) async fn remove_if_unused(database: &mut Database) -> Result<(), DatabaseError> {
    let task = "remove the journal";
    let used = diesel::sql_query("select exists (select from authz_pin.run) as value");
    let used: Flag = used
        .get_result(&mut database.connection)
        .await
        .map_err(DatabaseError::refused(task))?;
    if used.value {
        return Ok(());
    }
    database
        .execute(
            task,
            "select authz_pin.unwatch(); drop schema authz_pin cascade",
        )
        .await
}
