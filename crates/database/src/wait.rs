//! How the end of what calls write is waited for, in all databases of a service at once.

use std::time::{Duration, Instant};

use crate::base::Base;
use crate::error::DatabaseError;

/// Waits until nothing was logged for `settle` in any of the databases, and nobody has written what is not to be seen yet; for
/// that no longer than five seconds.
pub async fn quiet(watched: &mut [&mut dyn Base], settle: Duration) -> Result<(), DatabaseError> {
    if settle.is_zero() {
        return Ok(());
    }
    let start = Instant::now();
    let mut before = all_last(watched).await?;
    loop {
        tokio::time::sleep(settle).await;
        let now = all_last(watched).await?;
        let is_over = start.elapsed() > settle + WRITERS;
        if now == before && (is_over || !is_written(watched).await?) {
            return Ok(());
        }
        before = now;
    }
}

/// Waits until no session of the service is at work in any of the databases, but no longer than until nothing was logged for
/// `settle`.
pub async fn idle(watched: &mut [&mut dyn Base], settle: Duration) -> Result<(), DatabaseError> {
    let mut since = (all_last(watched).await?, Instant::now());
    let mut idle = 0;
    while idle < IDLE {
        let waited = since.1.elapsed();
        let is_over = waited > settle + WRITERS;
        if waited >= settle && (is_over || !is_written(watched).await?) {
            break;
        }
        tokio::time::sleep(TICK).await;
        idle = if is_at_work(watched).await? {
            0
        } else {
            idle + 1
        };
        let now = all_last(watched).await?;
        if now != since.0 {
            since = (now, Instant::now());
        }
    }
    Ok(())
}

/// How long is waited for transactions that have written something and do not end.
pub(crate) const WRITERS: Duration = Duration::from_secs(5);

/// How often it is asked whether the service is at work, and how often in a row it must not be.
const TICK: Duration = Duration::from_millis(2);
const IDLE: usize = 3;

/// The numbers of the last changes, database by database.
async fn all_last(watched: &mut [&mut dyn Base]) -> Result<Vec<i64>, DatabaseError> {
    let mut all = Vec::with_capacity(watched.len());
    for base in watched {
        let last = base.last().await;
        all.push(last.map_err(|error| error.of(base.which()))?);
    }
    Ok(all)
}

async fn is_written(watched: &mut [&mut dyn Base]) -> Result<bool, DatabaseError> {
    for base in watched {
        let written = base.is_written().await;
        if written.map_err(|error| error.of(base.which()))? {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn is_at_work(watched: &mut [&mut dyn Base]) -> Result<bool, DatabaseError> {
    for base in watched {
        let at_work = base.is_at_work().await;
        if at_work.map_err(|error| error.of(base.which()))? {
            return Ok(true);
        }
    }
    Ok(false)
}
