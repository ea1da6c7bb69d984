//! A database as runs use it, whatever kind it is of.
//!
//! A run is let in, makes the journal, inserts its rows, marks what comes next as a batch's, reads what was changed, claims
//! what is its own, undoes that, and takes the journal away again. Who does so knows this trait and no SQL.

use std::collections::BTreeMap;
use std::time::Duration;

use authz_pin_suite::world::Row;
use futures::future::BoxFuture;

use crate::catalog::Catalog;
use crate::change::Change;
use crate::error::DatabaseError;
use crate::facts::Facts;
use crate::leftover::Leftover;
use crate::run::{Extent, Presence, Tell};
use crate::which::{Serial, Which};

/// What a database answers.
pub type Asked<'a, T> = BoxFuture<'a, Result<T, DatabaseError>>;

/// One of a service's databases, over a connection of the run's own.
pub trait Base: Send + Sync {
    /// Which of the service's databases it is.
    fn which(&self) -> &Which;

    // Admitting.

    /// What tells whether it is one for tests, but for the rows.
    fn facts(&mut self) -> Asked<'_, Facts>;

    /// How many rows its tables hold, counted no further than it matters.
    fn rows<'a>(&'a mut self, facts: &'a Facts) -> Asked<'a, BTreeMap<String, i64>>;

    /// Who besides the service gets everything that is written, and so would get what the journal logs.
    fn published(&mut self) -> Asked<'_, Option<String>>;

    // Describing.

    /// What the tables look like.
    fn catalog(&mut self) -> Asked<'_, Catalog>;

    /// The tables that are not watched, and why.
    fn unwatched(&mut self) -> Asked<'_, Vec<String>>;

    /// Those of them that records name, since calls can change them and nobody sees it.
    fn unobserved(&mut self) -> Asked<'_, Vec<String>>;

    // Watching.

    /// Makes the journal for a run, after undoing what dead runs left: that is what could not be undone. Nothing where the
    /// tables can be neither watched nor compared with the rights that were given.
    fn watch<'a>(&'a mut self, run: &'a str, tell: Tell<'a>) -> Asked<'a, Option<Vec<Leftover>>>;

    /// Whether the journal is there.
    fn is_watched(&self) -> bool;

    /// Whether it learns of changes by comparing the tables: then it ends with the connection, and what is made and taken back
    /// between two looks is not seen.
    fn is_compared(&self) -> bool;

    /// Watches tables that have come since, or go by another name now, and gives the names of those of which nothing was
    /// logged until now; none at all if the tables are those that they were.
    fn watch_new<'a>(&'a mut self, tell: Tell<'a>) -> Asked<'a, Option<Vec<String>>>;

    /// Does not wait for who writes these tables, as SQL names them: the service does so by itself.
    fn expect_writes(&mut self, background: Vec<String>);

    /// Takes the journal away, unless another run needs it; gives what had to stay, and why.
    fn unwatch<'a>(&'a mut self, tell: Tell<'a>) -> Asked<'a, Option<String>>;

    // Taking turns with other runs.

    /// Enters the database for one endpoint, together with other runs or alone. Says whether it is in: somebody who is in the
    /// way is waited for no longer than a second.
    fn enter(&mut self, presence: Presence) -> Asked<'_, bool>;

    /// The runs that are in, in words.
    fn who_is_in(&mut self) -> Asked<'_, String>;

    /// Leaves it again.
    fn leave(&mut self, presence: Presence) -> Asked<'_, ()>;

    /// Whether another run waits to sweep.
    fn is_wanted(&mut self) -> Asked<'_, bool>;

    /// What the other runs made: their tokens, and identifiers that need not hold a token.
    fn others(&mut self) -> Asked<'_, Vec<String>>;

    /// How many runs have begun until now.
    fn runs(&mut self) -> Asked<'_, i64>;

    // Seeding.

    /// Inserts rows in one transaction; gives how many came to be in each table.
    fn insert<'a, 'r: 'a>(
        &'a mut self,
        rows: Vec<&'r Row>,
        catalog: &'a Catalog,
    ) -> Asked<'a, BTreeMap<&'r str, usize>>;

    /// How many rows of each table the journal has as inserted by the batch that is under way.
    fn inserted(&mut self) -> Asked<'_, BTreeMap<String, usize>>;

    /// Deletes rows that the run inserted and no journal knows, the last first.
    fn delete<'a>(&'a mut self, rows: Vec<&'a Row>, catalog: &'a Catalog) -> Asked<'a, ()>;

    // Marking.

    /// Begins a batch: what is inserted or claimed from here on is undone with it.
    fn begin_batch(&mut self) -> Asked<'_, ()>;

    /// Ends it: what is inserted or claimed from here on is the world's, and undone at the end of the run.
    fn end_batch(&mut self) -> Asked<'_, ()>;

    /// Remembers identifiers that do not hold the run's token, so that they are found after a crash, and for how long what
    /// changes is the run's because it is alone, or because no other run is there.
    fn remember<'a>(
        &'a mut self,
        identifiers: &'a [String],
        alone: Option<(Presence, Duration)>,
    ) -> Asked<'a, ()>;

    /// For so much longer what changes is the run's because it is alone.
    fn stay_alone(&mut self, alone: Duration) -> Asked<'_, ()>;

    // Reading.

    /// The changes that nobody has explained yet.
    fn read(&mut self) -> Asked<'_, Vec<Change>>;

    /// The number of the last change, whoever made it.
    fn last(&mut self) -> Asked<'_, i64>;

    /// The time by the database's clock, in microseconds.
    fn now(&mut self) -> Asked<'_, i64>;

    /// Whether anything was logged after this time by the database's clock.
    fn has_since(&mut self, time: i64) -> Asked<'_, bool>;

    /// Whether a session of the service has written what is not to be seen yet.
    fn is_written(&mut self) -> Asked<'_, bool>;

    /// Whether a session of the service is at work.
    fn is_at_work(&mut self) -> Asked<'_, bool>;

    // Claiming.

    /// Claims changes as caused by this run, for the batch that is under way: those of this database.
    fn claim<'a>(&'a mut self, changes: &'a [Serial]) -> Asked<'a, ()>;

    /// Claims what refers by a foreign key to a row that this run inserted, in tables that the service writes by itself, by
    /// the names that they have within the database.
    fn claim_referring<'a>(&'a mut self, tables: &'a [&'a str]) -> Asked<'a, ()>;

    /// Sets changes of this database aside as somebody else's.
    fn set_aside(&mut self, changes: &[Serial]);

    // Undoing.

    /// Undoes what this run claimed, the last change first. Whoever keeps a row or a table locked is waited for, and told.
    fn undo<'a>(&'a mut self, extent: Extent, tell: Tell<'a>) -> Asked<'a, Vec<Leftover>>;

    /// Makes room of what was undone, which else is in the way of every look at the journal.
    fn vacuum(&mut self) -> Asked<'_, ()>;

    /// Undoes a run of another connection that was interrupted, and ends that connection.
    fn abandon<'a>(
        &'a mut self,
        run: &'a str,
        background: &'a [String],
        tell: Tell<'a>,
    ) -> Asked<'a, Vec<Leftover>>;

    // Cleaning.

    /// Whether there is a journal, whoever made it.
    fn has_journal(&mut self) -> Asked<'_, bool>;

    /// Undoes what dead runs left and takes the journal away if no run is alive. Gives what could not be undone, and what of
    /// the journal had to stay.
    fn clean<'a>(&'a mut self, tell: Tell<'a>) -> Asked<'a, (Vec<Leftover>, Option<String>)>;
}
