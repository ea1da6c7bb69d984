//! A service's database that is a file of SQLite, and the journal of one run in it.
//!
//! The driver is diesel's own `SqliteConnection`, on whichever thread asks, while other work of that thread goes elsewhere: a
//! step is a transaction of many small statements, of which none waits for a network, and they borrow what they are about.
//! An asynchronous wrapper would send each to another thread and back.
//!
//! The journal is tables and triggers in the service's own file, whose names begin with `authz_pin_`. Nobody else's connection
//! is needed, and nothing but what every SQLite has: the service's own library runs the triggers. Images of rows are kept in
//! columns without a type, which hold every value as it is: literals as `quote()` writes them lose texts with null characters,
//! infinite numbers and, in some versions, the last digits of others.
//!
//! What users have to know of it:
//!
//! - What a service changes in one transaction is not known to be together, since SQLite has no number of a transaction that a
//!   trigger could ask for: each change stands by itself.
//! - A connection of the service without a busy timeout finds the file locked whenever the tool writes, if only for a moment;
//!   one that keeps the file for itself (`locking_mode = exclusive`, a transaction that stays open) keeps the tool out.
//! - The tool has to be on the machine of the service, and the directory on a disk of that machine: locks are those of the
//!   operating system, on the file and on small files beside it.
//! - While a run is there, a migration that drops a column fails, since triggers name it; one that adds or renames columns does
//!   not. A table that is made anew under its old name is not watched until the next batch.
//! - To put rows back without the service's own triggers, undo drops these and makes them again, in the same transaction. The
//!   service's statements are prepared again by SQLite itself, and the triggers stand later in the schema.
//! - `VACUUM` can number rows of tables without an `INTEGER PRIMARY KEY` anew: rows that a run changed before are not found
//!   again, and stay. Such a row comes back under another number where somebody else's row has its own.
//! - A counter of `AUTOINCREMENT` goes back with the rows that are undone; where a run's inserts were all refused or ignored,
//!   nothing says that they have moved it.
//! - Virtual tables, with the tables that keep their rows, cannot have triggers and are not watched, nor are tables that only
//!   the service itself can write to, since they need its functions or collations. Every other table is watched by triggers,
//!   with unique indexes of every kind, and none is compared.
//! - Temporary triggers of the service's connections cannot be seen. What they write is logged, but where one inserts into the
//!   table that a `replace` is just writing to, a row that is replaced can be missed.
//! - The file keeps the size that it has while a run is there, its pages are free afterwards, and what they held is zeros only
//!   where SQLite has to write them anyway.

mod base;
mod catalog;
mod connection;
mod dead;
mod facts;
mod followers;
mod foreign;
mod forms;
mod index;
mod locks;
mod read;
mod rows;
mod run;
mod sequence;
mod tables;
mod triggers;
mod undo;
mod watch;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use authz_pin_suite::world::Row;

use crate::address::url_of_file;
use crate::blocking::in_place;
use crate::catalog::Catalog;
use crate::error::DatabaseError;
use crate::facts::Facts;
use crate::leftover::Leftover;
use crate::run::Tell;
use crate::which::Which;

use connection::{Connection, is_busy};
use run::Run;
use tables::Definition;

/// How long somebody who keeps the file locked is waited for.
const PATIENCE: Duration = Duration::from_secs(15);

/// After which time of waiting somebody is told.
const SILENCE: Duration = Duration::from_secs(1);

/// The pause between two tries; the service goes on meanwhile.
const PAUSE: Duration = Duration::from_millis(20);

/// How long the end of a journal is tried.
const REMOVAL_PATIENCE: Duration = Duration::from_secs(6);

/// The tables of a file, and what they are called beside those of other databases.
type Tables<'t> = (&'t [Definition], &'t Which);

/// One of a service's databases that is a file: the connection to it, and the journal of one run.
pub struct File {
    connection: Connection,
    /// The file, without symbolic links: all runs have the same files beside it.
    path: PathBuf,
    which: Which,
    definitions: Vec<Definition>,
    /// The state of the schema that these are of.
    version: Option<i64>,
    run: Option<Run>,
}

impl File {
    /// Connects to a file that is there; none is made.
    pub async fn connect(path: &Path, which: &Which) -> Result<Self, DatabaseError> {
        let found = path.canonicalize();
        let path = found.map_err(|error| DatabaseError::Unreachable {
            url: url_of_file(path),
            reason: error.to_string(),
        })?;
        let mut base = Self {
            connection: in_place(|| Connection::open(&path))?,
            path,
            which: which.clone(),
            definitions: Vec::new(),
            version: None,
            run: None,
        };
        base.patiently("connect", None, Self::refresh).await?;
        Ok(base)
    }

    /// Whether there is a journal in the file.
    pub async fn has_journal(&mut self) -> Result<bool, DatabaseError> {
        let ask = |base: &mut Self| watch::is_there(&mut base.connection);
        self.patiently(watch::READ, None, ask).await
    }

    /// What the tables look like.
    pub async fn catalog(&mut self) -> Result<Catalog, DatabaseError> {
        let read = |base: &mut Self| {
            base.refresh()?;
            let Self {
                connection,
                definitions,
                which,
                ..
            } = base;
            Ok(catalog::catalog(connection, definitions, which))
        };
        self.patiently("read the catalog", None, read).await
    }

    /// What of the database is not watched, each with the reason.
    pub async fn unwatched(&mut self) -> Result<Vec<String>, DatabaseError> {
        self.patiently("read the catalog", None, Self::refresh)
            .await?;
        let tables = self.definitions.iter().filter_map(|table| {
            let reason = table.unwatched.as_ref()?;
            Some(format!("`{}` ({reason})", self.which.table(&table.name)))
        });
        Ok(tables.collect())
    }

    /// Inserts rows in one transaction, one statement per table and set of columns, in the order in which these first appear.
    /// Gives how many rows came to be in each table.
    pub async fn insert<'r>(
        &mut self,
        rows: impl IntoIterator<Item = &'r Row>,
    ) -> Result<BTreeMap<&'r str, usize>, DatabaseError> {
        let rows: Vec<&Row> = rows.into_iter().collect();
        let insert = |connection: &mut Connection, tables: Tables<'_>| {
            rows::insert(connection, tables, &rows)
        };
        self.write_rows("insert the suite's rows", insert).await
    }

    /// Deletes rows that this run inserted, by their primary keys, the last first. A row of a table without a primary key is
    /// found by all the columns that were set.
    pub async fn delete<'r>(
        &mut self,
        rows: impl IntoIterator<Item = &'r Row>,
        catalog: &Catalog,
    ) -> Result<(), DatabaseError> {
        let rows: Vec<&Row> = rows.into_iter().collect();
        let delete = |connection: &mut Connection, tables: Tables<'_>| {
            rows::delete(connection, tables, &rows, catalog)
        };
        self.write_rows("delete rows", delete).await
    }

    /// Writes rows of the run's own, in one transaction.
    async fn write_rows<T>(
        &mut self,
        task: &str,
        work: impl Fn(&mut Connection, Tables<'_>) -> Result<T, DatabaseError>,
    ) -> Result<T, DatabaseError> {
        self.patiently(task, None, |file: &mut Self| {
            let Self {
                connection,
                definitions,
                which,
                run,
                ..
            } = file;
            connection.write(task, |connection| {
                Run::as_writer(run.as_ref(), connection, |connection| {
                    work(connection, (definitions, which))
                })
            })
        })
        .await
    }

    /// Whether somebody is writing now, in a transaction that has not ended: what it has written is not to be seen yet. Nobody
    /// else can write in the moment in which this is found out.
    #[expect(clippy::unused_async, reason = "as it is with a server")]
    pub async fn is_writing(&mut self) -> Result<bool, DatabaseError> {
        let task = "ask who writes";
        let connection = &mut self.connection;
        in_place(|| {
            connection.batch(task, "pragma busy_timeout = 0")?;
            let tried = connection.write(task, |_| Ok(()));
            connection.batch(task, connection::BUSY)?;
            match tried {
                Err(error) if is_busy(&error) => Ok(true),
                tried => tried.map(|()| false),
            }
        })
    }

    /// What the guard decides from but for the rows. The name is that of the file. A file has no comment: it is marked as one
    /// for tests by a view with such a name, `create view "authz-pin: test database" as select 1`.
    pub async fn facts(&mut self) -> Result<Facts, DatabaseError> {
        let read = |base: &mut Self| {
            let Self {
                connection,
                path,
                definitions,
                ..
            } = base;
            facts::facts(connection, path, definitions)
        };
        self.patiently("read the catalog", None, read).await
    }

    /// The rows of each table, counted no further than the guard has to know. Those that runs inserted are taken off.
    pub async fn rows(&mut self, facts: &Facts) -> Result<BTreeMap<String, i64>, DatabaseError> {
        let read = |base: &mut Self| {
            let Self {
                connection,
                definitions,
                ..
            } = base;
            connection.read("count the rows", |connection| {
                facts::rows(connection, facts, definitions)
            })
        };
        self.patiently("count the rows of its tables", None, read)
            .await
    }

    /// Reads the tables again where they are not those that they were.
    fn refresh(&mut self) -> Result<(), DatabaseError> {
        let Self {
            connection,
            definitions,
            version,
            ..
        } = self;
        connection.read("read the catalog", |connection| {
            let now = tables::version(connection)?;
            if *version != Some(now) {
                *definitions = tables::read(connection)?;
                *version = Some(now);
            }
            Ok(())
        })
    }

    /// Tries something until nobody keeps the file locked; who wants to know is told that it takes long.
    async fn patiently<T>(
        &mut self,
        task: &str,
        tell: Option<Tell<'_>>,
        mut work: impl FnMut(&mut Self) -> Result<T, DatabaseError>,
    ) -> Result<T, DatabaseError> {
        let start = Instant::now();
        let mut is_told = false;
        loop {
            match in_place(|| work(self)) {
                Err(error) if is_busy(&error) => {}
                done => return done,
            }
            let waited = start.elapsed();
            if waited >= PATIENCE {
                return Err(DatabaseError::locked(task, SOMEBODY));
            }
            if let Some(tell) = tell.filter(|_| waited >= SILENCE && !is_told) {
                is_told = true;
                let text = format!("waiting to {task}: {SOMEBODY}");
                tell(&self.which.said(&text));
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Undoes what dead runs left.
    fn undo_dead(&mut self) -> Result<Vec<Leftover>, DatabaseError> {
        self.refresh()?;
        let own = self.run.as_ref().map_or("", |run| run.token.as_str());
        let Self {
            connection,
            path,
            definitions,
            ..
        } = self;
        let left = dead::undo_all(connection, path, definitions, own)?;
        Ok(left
            .into_iter()
            .map(|left| of_database(&self.which, left))
            .collect())
    }

    /// Removes the journal if no run is left. Gives what had to stay, and why.
    async fn remove_if_unused(&mut self) -> Result<Option<String>, DatabaseError> {
        let start = Instant::now();
        loop {
            let Self {
                connection, path, ..
            } = self;
            let removed = in_place(|| {
                connection.write(watch::REMOVE, |connection| {
                    watch::remove_if_unused(connection, path)
                })
            });
            match removed {
                Err(error) if is_busy(&error) => {}
                removed => return removed.map(|()| None),
            }
            if start.elapsed() > REMOVAL_PATIENCE {
                return Ok(Some(self.which.said(STAYS)));
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// Who keeps the file locked. SQLite does not say.
const SOMEBODY: &str = "somebody keeps the file locked";

const STAYS: &str = "the journal stays, since somebody keeps the file locked: `authz-pin clean` takes it away afterwards";

fn of_database(which: &Which, leftover: Leftover) -> Leftover {
    Leftover {
        tbl: which.table(&leftover.tbl),
        ..leftover
    }
}

impl File {
    /// Undoes what dead runs left, and removes the journal if no run is alive. Gives what could not be undone, and what had to
    /// stay.
    pub async fn clean(
        &mut self,
        tell: Tell<'_>,
    ) -> Result<(Vec<Leftover>, Option<String>), DatabaseError> {
        if !self.has_journal().await? && locks::strays(&self.path)?.is_empty() {
            return Ok((Vec::new(), None));
        }
        let undo = |file: &mut Self| {
            // The last run can have taken it away meanwhile.
            let is_there = watch::is_there(&mut file.connection)?;
            if is_there {
                file.undo_dead()
            } else {
                Ok(Vec::new())
            }
        };
        let leftovers = self.patiently(forms::UNDO, Some(tell), undo).await?;
        let stays = self.remove_if_unused().await?;
        Ok((leftovers, stays))
    }

    /// Undoes an interrupted run as soon as its own connection is gone.
    pub async fn abandon(
        &mut self,
        run: &str,
        tell: Tell<'_>,
    ) -> Result<Vec<Leftover>, DatabaseError> {
        let start = Instant::now();
        let mut leftovers = Vec::new();
        loop {
            let (left, stays) = self.clean(tell).await?;
            leftovers.extend(left);
            if let Some(stays) = stays {
                tell(&stays);
            }
            let is_there = |file: &mut Self| {
                let connection = &mut file.connection;
                Ok(watch::is_there(connection)? && dead::is_registered(connection, run)?)
            };
            if !self.patiently(watch::READ, None, is_there).await? {
                return Ok(leftovers);
            }
            if start.elapsed() > PATIENCE {
                let reason = "the run is still alive; `authz-pin clean` undoes it afterwards";
                return Err(DatabaseError::locked("undo the interrupted run", reason));
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}
