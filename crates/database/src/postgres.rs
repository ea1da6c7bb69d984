//! PostgreSQL as a database of runs: a connection, and the journal of the run that has it.

mod catalog;
mod connection;
mod defaults;
mod guard;
pub mod journal;
mod pooler;
mod session;
mod statement;
mod tls;

use std::collections::BTreeMap;
use std::future::ready;
use std::time::Duration;

use authz_pin_suite::world::Row;
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Bool, Jsonb};
use futures::FutureExt;
use serde_json::Value as Json;

use crate::base::{Asked, Base};
use crate::catalog::Catalog;
use crate::change::Change;
use crate::error::DatabaseError;
use crate::facts::Facts;
use crate::leftover::Leftover;
use crate::run::{Extent, Presence, Tell};
use crate::sql::identifier;
use crate::which::{Serial, Which};

pub use connection::Database;
pub use journal::Journal;

use statement::Statement;

/// A PostgreSQL of the service.
pub struct Postgres {
    database: Database,
    /// None before it is made, and where the database's role may not watch the tables.
    journal: Option<Journal>,
}

impl Postgres {
    /// The same over a connection.
    #[must_use]
    pub fn new(database: Database) -> Self {
        let journal = None;
        Self { database, journal }
    }
}

/// Asks the journal, if it is there: what it would say of nothing is the answer otherwise.
macro_rules! ask {
    ($base:expr, |$journal:pat_param, $database:pat_param| $ask:expr) => {
        match &mut $base.journal {
            Some($journal) => {
                let $database = &mut $base.database;
                $ask.boxed()
            }
            None => ready(Ok(Default::default())).boxed(),
        }
    };
}

impl Base for Postgres {
    fn which(&self) -> &Which {
        self.database.which()
    }

    fn facts(&mut self) -> Asked<'_, Facts> {
        guard::facts(&mut self.database).boxed()
    }

    fn rows<'a>(&'a mut self, facts: &'a Facts) -> Asked<'a, BTreeMap<String, i64>> {
        guard::rows(&mut self.database, facts).boxed()
    }

    fn published(&mut self) -> Asked<'_, Option<String>> {
        self.database.publication_of_all().boxed()
    }

    fn catalog(&mut self) -> Asked<'_, Catalog> {
        self.database.catalog().boxed()
    }

    fn unwatched(&mut self) -> Asked<'_, Vec<String>> {
        self.database.unwatched().boxed()
    }

    fn unobserved(&mut self) -> Asked<'_, Vec<String>> {
        self.database.unobserved().boxed()
    }

    fn watch<'a>(&'a mut self, run: &'a str, tell: Tell<'a>) -> Asked<'a, Option<Vec<Leftover>>> {
        let watch = async move {
            let (journal, leftovers) = if self.database.can_watch().await? {
                Journal::install(&mut self.database, run, tell).await?
            } else if self.database.can_compare().await?
                && let Some(journal) = Journal::compare(&mut self.database, run).await?
            {
                (journal, Vec::new())
            } else {
                return Ok(None);
            };
            self.journal = Some(journal);
            Ok(Some(leftovers))
        };
        watch.boxed()
    }

    fn is_watched(&self) -> bool {
        self.journal.is_some()
    }

    fn is_compared(&self) -> bool {
        self.database.home.compares()
    }

    fn watch_new<'a>(&'a mut self, tell: Tell<'a>) -> Asked<'a, Option<Vec<String>>> {
        ask!(self, |journal, database| journal.watch_new(database, tell))
    }

    fn expect_writes(&mut self, background: Vec<String>) {
        if let Some(journal) = &mut self.journal {
            journal.expect_writes(background);
        }
    }

    fn unwatch<'a>(&'a mut self, tell: Tell<'a>) -> Asked<'a, Option<String>> {
        match self.journal.take() {
            Some(journal) => journal.remove(&mut self.database, tell).boxed(),
            None => ready(Ok(None)).boxed(),
        }
    }

    fn enter(&mut self, presence: Presence) -> Asked<'_, bool> {
        ask!(self, |journal, database| journal.enter(database, presence))
    }

    fn who_is_in(&mut self) -> Asked<'_, String> {
        ask!(self, |journal, database| journal.who_is_in(database))
    }

    fn leave(&mut self, presence: Presence) -> Asked<'_, ()> {
        ask!(self, |journal, database| journal.leave(database, presence))
    }

    fn is_wanted(&mut self) -> Asked<'_, bool> {
        ask!(self, |journal, database| journal.is_wanted(database))
    }

    fn others(&mut self) -> Asked<'_, Vec<String>> {
        ask!(self, |journal, database| journal.others(database))
    }

    fn runs(&mut self) -> Asked<'_, i64> {
        ask!(self, |journal, database| journal.runs(database))
    }

    fn insert<'a, 'r: 'a>(
        &'a mut self,
        rows: Vec<&'r Row>,
        catalog: &'a Catalog,
    ) -> Asked<'a, BTreeMap<&'r str, usize>> {
        let insert = async move {
            if rows.is_empty() {
                return Ok(BTreeMap::new());
            }
            let (journal, database) = (self.journal.as_ref(), &mut self.database);
            let task = "insert the suite's rows";
            let begin = if database.home.compares() {
                // What another session commits meanwhile is never taken for the suite's.
                journal::ALL_AS_OF_NOW
            } else {
                "begin"
            };
            database.execute(task, begin).await?;
            let inserted = inserted(database, journal, rows, catalog).await;
            database.end(task, inserted).await
        };
        insert.boxed()
    }

    fn inserted(&mut self) -> Asked<'_, BTreeMap<String, usize>> {
        ask!(self, |journal, database| journal.inserted(database))
    }

    fn delete<'a>(&'a mut self, rows: Vec<&'a Row>, catalog: &'a Catalog) -> Asked<'a, ()> {
        self.database.delete(rows, catalog).boxed()
    }

    fn begin_batch(&mut self) -> Asked<'_, ()> {
        ask!(self, |journal, database| journal.begin_batch(database))
    }

    fn end_batch(&mut self) -> Asked<'_, ()> {
        ask!(self, |journal, database| journal.end_batch(database))
    }

    fn remember<'a>(
        &'a mut self,
        identifiers: &'a [String],
        alone: Option<(Presence, Duration)>,
    ) -> Asked<'a, ()> {
        ask!(self, |journal, database| {
            journal.remember(database, identifiers, alone)
        })
    }

    fn stay_alone(&mut self, alone: Duration) -> Asked<'_, ()> {
        ask!(self, |journal, database| journal
            .stay_alone(database, alone))
    }

    fn read(&mut self) -> Asked<'_, Vec<Change>> {
        ask!(self, |journal, database| journal.read(database))
    }

    fn last(&mut self) -> Asked<'_, i64> {
        ask!(self, |journal, database| journal.last(database))
    }

    fn now(&mut self) -> Asked<'_, i64> {
        ask!(self, |journal, database| journal.now(database))
    }

    fn has_since(&mut self, time: i64) -> Asked<'_, bool> {
        ask!(self, |journal, database| journal.has_since(database, time))
    }

    fn is_written(&mut self) -> Asked<'_, bool> {
        ask!(self, |journal, database| journal.is_written(database))
    }

    fn is_at_work(&mut self) -> Asked<'_, bool> {
        ask!(self, |journal, database| journal.is_at_work(database))
    }

    fn claim<'a>(&'a mut self, changes: &'a [Serial]) -> Asked<'a, ()> {
        ask!(self, |journal, database| journal.claim(database, changes))
    }

    fn claim_referring<'a>(&'a mut self, tables: &'a [&'a str]) -> Asked<'a, ()> {
        ask!(self, |journal, database| journal
            .claim_referring(database, tables))
    }

    fn set_aside(&mut self, changes: &[Serial]) {
        if let Some(journal) = &mut self.journal {
            journal.set_aside(changes.iter().copied());
        }
    }

    fn undo<'a>(&'a mut self, extent: Extent, tell: Tell<'a>) -> Asked<'a, Vec<Leftover>> {
        ask!(self, |journal, database| journal
            .undo(database, extent, tell))
    }

    fn vacuum(&mut self) -> Asked<'_, ()> {
        ask!(self, |journal, database| journal.vacuum(database))
    }

    fn abandon<'a>(
        &'a mut self,
        run: &'a str,
        background: &'a [String],
        tell: Tell<'a>,
    ) -> Asked<'a, Vec<Leftover>> {
        journal::abandon(&mut self.database, run, background, tell).boxed()
    }

    fn has_journal(&mut self) -> Asked<'_, bool> {
        self.database.has_schema("authz_pin").boxed()
    }

    fn clean<'a>(&'a mut self, tell: Tell<'a>) -> Asked<'a, (Vec<Leftover>, Option<String>)> {
        journal::clean(&mut self.database, tell).boxed()
    }
}

/// Inserts rows, and logs them as the run's.
async fn inserted<'r>(
    database: &mut Database,
    journal: Option<&Journal>,
    rows: Vec<&'r Row>,
    catalog: &Catalog,
) -> Result<BTreeMap<&'r str, usize>, DatabaseError> {
    if let Some(journal) = journal {
        journal.look(database, false).await?;
    }
    let inserted = database.insert(rows, catalog).await?;
    if let Some(journal) = journal {
        journal.look(database, true).await?;
    }
    Ok(inserted)
}

/// One JSON document.
#[derive(QueryableByName)]
struct One {
    #[diesel(sql_type = Jsonb)]
    value: Json,
}

/// One answer of yes or no.
#[derive(QueryableByName)]
struct Flag {
    #[diesel(sql_type = Bool)]
    value: bool,
}

/// One number.
#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    value: i64,
}
