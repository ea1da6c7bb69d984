//! The journal of one run: what [`File`] does once it is installed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::connection::{Connection, Sql};
use super::locks::Locks;
use super::undo::What;
use super::{File, PAUSE, STAYS, forms, of_database, read, undo, watch};
use crate::blocking::in_place;
use crate::change::Change;
use crate::error::DatabaseError;
use crate::leftover::Leftover;
use crate::run::{Extent, Presence, Tell};
use crate::which::Serial;

const WRITE: &str = "write the journal";
const TURNS: &str = "take turns with other runs";

/// The number under which the world's changes are claimed.
const WORLD: i64 = 0;

/// How long somebody who sweeps is waited for at a time.
const TURN: Duration = Duration::from_secs(1);

/// A run that is registered.
pub(super) struct Run {
    pub(super) token: String,
    locks: Locks,
    floor: i64,
    /// The number of the batch that is under way; what belongs to none is the world's.
    batch: i64,
    batches: i64,
    /// Changes that other runs or the service itself made.
    foreign: BTreeSet<i64>,
    /// The state of the schema in which all tables were watched.
    watched: Option<i64>,
}

impl Run {
    /// What is written meanwhile is the run's, for the batch that is under way: nobody else writes in this transaction.
    pub(super) fn as_writer<T>(
        run: Option<&Self>,
        connection: &mut Connection,
        work: impl FnOnce(&mut Connection) -> Result<T, DatabaseError>,
    ) -> Result<T, DatabaseError> {
        let Some(run) = run else {
            return work(connection);
        };
        let enter = Sql::new("update authz_pin_writer set run = ")
            .text(&run.token)
            .sql(", batch = ")
            .integer(run.batch);
        connection.execute(WRITE, enter)?;
        let done = work(connection)?;
        connection.batch(
            WRITE,
            "update authz_pin_writer set run = null, batch = null",
        )?;
        Ok(done)
    }
}

impl File {
    /// Installs the journal and registers the run, after undoing what dead runs left, of which it gives what had to stay.
    pub async fn install(
        &mut self,
        run: &str,
        tell: Tell<'_>,
    ) -> Result<Vec<Leftover>, DatabaseError> {
        let register = |base: &mut Self| watch::register(&mut base.connection, &base.path, run);
        let locks = self.patiently(watch::INSTALL, Some(tell), register).await?;
        self.run = Some(Run {
            token: run.to_owned(),
            locks,
            floor: 0,
            batch: WORLD,
            batches: WORLD,
            foreign: BTreeSet::new(),
            watched: None,
        });
        let set_up = self.set_up(tell).await;
        if set_up.is_err() {
            // The first error is the one that tells something.
            let _ = self.remove(tell).await;
        }
        set_up
    }

    async fn set_up(&mut self, tell: Tell<'_>) -> Result<Vec<Leftover>, DatabaseError> {
        let leftovers = self
            .patiently(forms::UNDO, Some(tell), Self::undo_dead)
            .await?;
        let watch = |base: &mut Self| base.watch(false);
        self.patiently(watch::INSTALL, Some(tell), watch).await?;
        let last = |base: &mut Self| read::last(&mut base.connection);
        let floor = self.patiently(watch::READ, Some(tell), last).await?;
        self.of_run()?.floor = floor;
        Ok(leftovers)
    }

    fn of_run(&mut self) -> Result<&mut Run, DatabaseError> {
        self.run.as_mut().ok_or_else(none)
    }

    fn watch(&mut self, are_new: bool) -> Result<Option<Vec<String>>, DatabaseError> {
        self.refresh()?;
        let now = self.version;
        if self.of_run()?.watched == now {
            return Ok(None);
        }
        let new = watch::watch(&mut self.connection, &mut self.definitions, are_new)?;
        // What the tool has changed itself is known.
        let unwatched: BTreeMap<String, String> = self
            .definitions
            .iter()
            .filter_map(|table| Some((table.name.clone(), table.unwatched.clone()?)))
            .collect();
        self.refresh()?;
        for table in &mut self.definitions {
            table.unwatched = unwatched.get(&table.name).cloned();
        }
        let now = self.version;
        self.of_run()?.watched = now;
        Ok(new)
    }

    /// Watches tables that have come since, or have other columns or names now, and gives the names of those of which nothing
    /// was logged for a while; none at all if the tables are those that they were.
    pub async fn watch_new(
        &mut self,
        tell: Tell<'_>,
    ) -> Result<Option<Vec<String>>, DatabaseError> {
        let watch = |base: &mut Self| base.watch(true);
        let new = self.patiently(watch::INSTALL, Some(tell), watch).await?;
        let which = &self.which;
        Ok(new.map(|new| new.iter().map(|table| which.table(table)).collect()))
    }

    /// Enters the database for one endpoint, together with other runs or alone. Says whether it is in: somebody who is in the
    /// way is waited for no longer than a second.
    pub async fn enter(&mut self, presence: Presence) -> Result<bool, DatabaseError> {
        let start = Instant::now();
        let locks = &self.of_run()?.locks;
        while !locks.enter(presence)? {
            locks.wait(true)?;
            if start.elapsed() >= TURN {
                locks.wait(false)?;
                return Ok(false);
            }
            tokio::time::sleep(PAUSE).await;
        }
        locks.wait(false)?;
        Ok(true)
    }

    /// The other runs, in words.
    pub async fn who_is_in(&mut self) -> Result<String, DatabaseError> {
        let token = self.token()?;
        let query = "select token, process from authz_pin_run where token <> ";
        let ask = |base: &mut Self| base.connection.rows(TURNS, Sql::new(query).text(&token));
        let runs = self.patiently(TURNS, None, ask).await?;
        let words = runs
            .iter()
            .map(|run| format!("run {} of process {}", run.text(0), run.integer(1)));
        let words = words.collect::<Vec<_>>().join("; ");
        Ok(if words.is_empty() {
            "a run that has ended by now".to_owned()
        } else {
            words
        })
    }

    /// Leaves it again.
    #[expect(clippy::unused_async, reason = "as it is with a server")]
    pub async fn leave(&mut self) -> Result<(), DatabaseError> {
        self.of_run()?.locks.leave()
    }

    /// Whether another run waits to sweep.
    #[expect(clippy::unused_async, reason = "as it is with a server")]
    pub async fn is_wanted(&mut self) -> Result<bool, DatabaseError> {
        self.of_run()?.locks.is_wanted()
    }

    /// Begins a batch: what is inserted or claimed from here on is undone with it.
    #[expect(clippy::unused_async, reason = "as it is with a server")]
    pub async fn begin_batch(&mut self) -> Result<(), DatabaseError> {
        let run = self.of_run()?;
        run.batches += 1;
        run.batch = run.batches;
        Ok(())
    }

    /// Ends it: what is inserted or claimed from here on is the world's, and undone at the end of the run.
    #[expect(clippy::unused_async, reason = "as it is with a server")]
    pub async fn end_batch(&mut self) -> Result<(), DatabaseError> {
        self.of_run()?.batch = WORLD;
        Ok(())
    }

    /// Remembers identifiers that do not hold the run's token, so that they are found after a crash, and for how long what
    /// changes is the run's because it is alone, or because no other run is there.
    pub async fn remember(
        &mut self,
        identifiers: &[String],
        alone: Option<(Presence, Duration)>,
    ) -> Result<(), DatabaseError> {
        let token = self.token()?;
        let unmarked = identifiers.iter().filter(|value| !value.contains(&token));
        let unmarked: Vec<&str> = unmarked.map(String::as_str).collect();
        let is_alone = !matches!(alone, Some((Presence::Shared, _)));
        let time = alone.map(|(_, time)| millis(time));
        self.write(|connection| {
            if !unmarked.is_empty() {
                read::remember(connection, &token, &unmarked)?;
            }
            let update = Sql::new(
                "update authz_pin_run set alone_from = (select coalesce(max(seq), 0) from authz_pin_change), is_alone = ",
            )
            .integer(is_alone.into())
            .sql(", alone_until = julianday('now') + ")
            .optional(time)
            .sql(" / 86400000.0 where token = ")
            .text(&token);
            connection.execute(WRITE, update).map(drop)
        })
        .await
    }

    /// For so much longer what changes is the run's because it is alone.
    pub async fn stay_alone(&mut self, alone: Duration) -> Result<(), DatabaseError> {
        let token = self.token()?;
        self.write(|connection| {
            let update = Sql::new("update authz_pin_run set alone_until = julianday('now') + ")
                .integer(millis(alone))
                .sql(" / 86400000.0 where alone_until is not null and token = ")
                .text(&token);
            connection.execute(WRITE, update).map(drop)
        })
        .await
    }

    /// The time by the database's clock, in microseconds. It has milliseconds.
    #[expect(clippy::unused_async, reason = "as it is with a server")]
    pub async fn now(&mut self) -> Result<i64, DatabaseError> {
        let query = format!("select {}", read::micros("julianday('now')"));
        self.number(Sql::new(query))
    }

    /// Whether anything was logged after this time by the database's clock.
    pub async fn has_since(&mut self, time: i64) -> Result<bool, DatabaseError> {
        let floor = self.of_run()?.floor;
        let at = read::micros("at");
        let ask = |base: &mut Self| {
            let query = Sql::new(
                "select exists (select 1 from authz_pin_change where run is null and seq > ",
            )
            .integer(floor)
            .sql(format!(" and {at} > "))
            .integer(time)
            .sql(")");
            base.connection.flag(watch::READ, query)
        };
        self.patiently(watch::READ, None, ask).await
    }

    /// The number of the last change, whoever made it.
    pub async fn last(&mut self) -> Result<i64, DatabaseError> {
        let last = |base: &mut Self| read::last(&mut base.connection);
        self.patiently(watch::READ, None, last).await
    }

    /// Reads the changes that nobody has explained yet.
    pub async fn read(&mut self) -> Result<Vec<Change>, DatabaseError> {
        let (token, floor) = (self.token()?, self.of_run()?.floor);
        let read = |base: &mut Self| {
            let Self {
                connection,
                which,
                definitions,
                ..
            } = base;
            connection.read(watch::READ, |connection| {
                read::unexplained(connection, (definitions, which), &token, floor)
            })
        };
        let mut changes = self.patiently(watch::READ, None, read).await?;
        let foreign = &self.of_run()?.foreign;
        changes.retain(|change| !foreign.contains(&change.seq.number));
        Ok(changes)
    }

    /// Claims changes as caused by this run, for the batch that is under way: those of this database.
    pub async fn claim(&mut self, changes: &[Serial]) -> Result<(), DatabaseError> {
        let place = self.which.place();
        let own = changes.iter().filter(|change| change.place == place);
        let changes: Vec<i64> = own.map(|change| change.number).collect();
        if changes.is_empty() {
            return Ok(());
        }
        let (token, batch) = (self.token()?, self.of_run()?.batch);
        self.write(|connection| read::claim(connection, &token, batch, &changes))
            .await
    }

    /// Claims what refers by a foreign key to a row that this run inserted, in tables that the service writes by itself, by
    /// the names that they have within the database.
    pub async fn claim_referring(&mut self, tables: &[&str]) -> Result<(), DatabaseError> {
        if tables.is_empty() {
            return Ok(());
        }
        let (token, batch) = (self.token()?, self.of_run()?.batch);
        let claim = |base: &mut Self| {
            base.refresh()?;
            let Self {
                connection,
                definitions,
                ..
            } = base;
            connection.write(WRITE, |connection| {
                let known = undo::known(connection, definitions)?;
                read::claim_referring(connection, &known, (&token, batch), tables)
            })
        };
        self.patiently(WRITE, None, claim).await
    }

    /// Sets changes of this database aside as somebody else's.
    pub fn set_aside(&mut self, changes: impl IntoIterator<Item = Serial>) {
        let place = self.which.place();
        let own = changes.into_iter().filter(|change| change.place == place);
        if let Some(run) = &mut self.run {
            run.foreign.extend(own.map(|change| change.number));
        }
    }

    /// What the other runs on this database made: their tokens, and identifiers that need not hold a token.
    pub async fn others(&mut self) -> Result<Vec<String>, DatabaseError> {
        let token = self.token()?;
        let ask = |base: &mut Self| {
            let query = Sql::new("select token from authz_pin_run where token <> ")
                .text(&token)
                .sql(" union all select value from authz_pin_identifier where run <> ")
                .text(&token);
            base.connection.rows(watch::READ, query)
        };
        let others = self.patiently(watch::READ, None, ask).await?;
        Ok(others.iter().map(|row| row.text(0).to_owned()).collect())
    }

    /// How many runs have begun on this database until now.
    pub async fn runs(&mut self) -> Result<i64, DatabaseError> {
        let query = "select runs from authz_pin_journal";
        let ask = |base: &mut Self| base.connection.number(watch::READ, Sql::new(query));
        self.patiently(watch::READ, None, ask).await
    }

    /// How many rows of each table the journal has as inserted by the batch that is under way.
    pub async fn inserted(&mut self) -> Result<BTreeMap<String, usize>, DatabaseError> {
        let (token, batch) = (self.token()?, self.of_run()?.batch);
        let ask = |base: &mut Self| {
            let query = Sql::new(
                "select t.name, count(*) from authz_pin_change c join authz_pin_table t on t.id = c.tbl
                 where c.op = 'insert' and c.run = ",
            )
            .text(&token)
            .sql(" and c.batch = ")
            .integer(batch)
            .sql(" group by t.name");
            base.connection.rows(watch::READ, query)
        };
        let counts = self.patiently(watch::READ, None, ask).await?;
        let which = &self.which;
        let counts = counts.iter().map(|row| {
            let count = usize::try_from(row.integer(1)).unwrap_or_default();
            (which.table(row.text(0)), count)
        });
        Ok(counts.collect())
    }

    /// Undoes what this run claimed, the last change first, in one transaction. Whoever keeps the file locked is waited for,
    /// and told.
    pub async fn undo(
        &mut self,
        extent: Extent,
        tell: Tell<'_>,
    ) -> Result<Vec<Leftover>, DatabaseError> {
        let token = self.token()?;
        let batch = match extent {
            Extent::Batch => Some(self.of_run()?.batch),
            Extent::Run => None,
        };
        let undo = |base: &mut Self| {
            base.refresh()?;
            let Self {
                connection,
                definitions,
                run,
                ..
            } = base;
            let what = What {
                run: &token,
                batch,
                foreign: &run.as_ref().ok_or_else(none)?.foreign,
            };
            undo::undo(connection, definitions, what)
        };
        let left = self.patiently(forms::UNDO, Some(tell), undo).await?;
        let which = &self.which;
        Ok(left
            .into_iter()
            .map(|left| of_database(which, left))
            .collect())
    }

    /// Takes the run out, and with the last run the journal itself. Gives what had to stay, and why.
    pub async fn remove(&mut self, tell: Tell<'_>) -> Result<Option<String>, DatabaseError> {
        let token = self.token()?;
        let forget = |base: &mut Self| {
            // What was undone is on the disk before a run says so.
            base.connection.last(watch::REMOVE)?;
            base.connection.write(watch::REMOVE, |connection| {
                watch::forget(connection, &token)
            })
        };
        let forgotten = self.patiently(watch::REMOVE, Some(tell), forget).await;
        if matches!(forgotten, Err(DatabaseError::Locked { .. })) {
            // Without its lock the run is one that has died.
            self.run = None;
            return Ok(Some(self.which.said(STAYS)));
        }
        forgotten?;
        if let Some(run) = self.run.take() {
            run.locks.end()?;
        }
        self.remove_if_unused().await
    }

    fn token(&mut self) -> Result<String, DatabaseError> {
        Ok(self.of_run()?.token.clone())
    }

    /// Asks for a number that nobody has to be waited for.
    fn number(&mut self, query: Sql<'_>) -> Result<i64, DatabaseError> {
        in_place(|| self.connection.number(watch::READ, query))
    }

    /// Writes the journal.
    async fn write(
        &mut self,
        mut work: impl FnMut(&mut Connection) -> Result<(), DatabaseError>,
    ) -> Result<(), DatabaseError> {
        let write = |base: &mut Self| base.connection.write(WRITE, &mut work);
        self.patiently(WRITE, None, write).await
    }
}

/// What is asked of a journal that is not installed.
fn none() -> DatabaseError {
    DatabaseError::locked("use the journal", "it is not installed")
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}
