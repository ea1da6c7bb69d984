//! A run that was interrupted is undone over new connections.

use std::sync::Arc;

use authz_pin_database::background::Background;
use authz_pin_database::{Address, Catalog, DatabaseError};
use authz_pin_record::chain::chain;
use authz_pin_suite::suite::Suite;
use authz_pin_suite::world::Row;

use super::reset::Reset;
use super::{Progress, Service, SweepError};

/// What is known of a run that was interrupted.
pub(super) struct Interrupted<'a> {
    pub(super) run: &'a str,
    /// The rows that no journal knows.
    pub(super) unwatched: Option<(Vec<Row>, Arc<Catalog>)>,
    pub(super) reset: Option<Reset<'a>>,
}

impl<'a> Interrupted<'a> {
    pub(super) fn new(run: &'a str) -> Self {
        let (unwatched, reset) = (None, None);
        Self {
            run,
            unwatched,
            reset,
        }
    }
}

/// Undoes an interrupted run over new connections, since the old ones may be in the middle of a statement: they are ended, and
/// the run is dead as soon as the databases have noticed. One that fails keeps the others from nothing.
pub(super) async fn abandon<T>(
    suite: &Suite,
    service: &Service,
    interrupted: Interrupted<'_>,
    progress: &dyn Progress,
) -> Result<T, SweepError> {
    let addresses = service.addresses(suite);
    if addresses.is_empty() || service.ephemeral {
        return Err(SweepError::Interrupted);
    }
    tokio::time::sleep(service.settle).await;
    let mut failed = Vec::new();
    for address in &addresses {
        let abandoned = abandon_one(suite, address, &interrupted, progress).await;
        failed.extend(abandoned.err().map(|error| error.of(&address.which)));
    }
    if let Some(reset) = interrupted.reset
        && let Err(error) = reset.run().await
    {
        progress.note(&chain(&error));
    }
    let mut failed = failed.into_iter();
    let first = failed.next();
    failed.for_each(|error| progress.note(&chain(&error)));
    first.map_or(Ok(()), Err)?;
    Err(SweepError::Interrupted)
}

/// The same in one of the databases.
async fn abandon_one(
    suite: &Suite,
    address: &Address<'_>,
    interrupted: &Interrupted<'_>,
    progress: &dyn Progress,
) -> Result<(), DatabaseError> {
    let mut base = address.connect().await?;
    let tell = |text: &str| progress.note(text);
    let catalog = base.catalog().await?;
    let background = Background::of(&suite.file.background).relations(&catalog);
    let run = interrupted.run;
    for leftover in base.abandon(run, &background, &tell).await? {
        progress.note(&format!("could not be undone: {leftover}"));
    }
    if let Some((rows, catalog)) = &interrupted.unwatched {
        let name = address.which.name();
        let further = |row: &Row| suite.database_of(&row.table);
        let own = rows.iter().filter(|row| further(row) == name);
        base.delete(own.collect(), catalog).await?;
    }
    Ok(())
}
