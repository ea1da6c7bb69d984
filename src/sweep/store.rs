//! The database's side of a sweep: rows in, changes out, everything undone.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use secrecy::ExposeSecret;

use super::attribution::Attribution;
use super::background::Background;
use super::{NOBODY, Progress, Service};
use crate::database::{Catalog, Database, DatabaseError};
use crate::journal::{Change, Journal, Leftover, Mark, Presence};
use crate::stop;
use crate::suite::Suite;
use crate::symbols::Knowledge;
use crate::world::{Class, Row, Scratch, World};

/// Changes that no cell's symbols explain.
#[derive(Debug, Default)]
pub(super) struct Unexplained(Vec<Change>);

impl Unexplained {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn take(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.0)
    }

    /// The tables that were written, for a person.
    pub(super) fn tables(&self) -> String {
        let tables: BTreeSet<String> = self
            .0
            .iter()
            .map(|change| format!("`{}`", change.table))
            .collect();
        tables.into_iter().collect::<Vec<_>>().join(", ")
    }
}

/// The service's database during one run.
pub(super) struct Store {
    database: Database,
    catalog: Arc<Catalog>,
    /// None where the database's role may not watch the tables.
    journal: Option<Journal>,
    background: Background,
    settle: Duration,
    mark: Mark,
    /// Where the setup of the endpoint began whose batch comes next.
    set_up_since: Option<Mark>,
    /// For how long what changes is the one cell's of the batch.
    alone: Option<Duration>,
    /// Tables that calls wrote to without any symbol of theirs, as sweeping one cell at a time has shown.
    unmarked: BTreeSet<String>,
    /// Rows that were inserted without a journal: those of the world, then those of the batch.
    unwatched: Vec<Row>,
    world_rows: usize,
    leftovers: Vec<Leftover>,
    /// What other runs made. Kept when they end, since what they changed may be read later.
    others: BTreeSet<String>,
    /// How many rows were inserted since the journal was vacuumed.
    inserted: usize,
}

impl Store {
    pub(super) async fn open(
        suite: &Suite,
        service: &Service,
        world: &World,
        progress: &dyn Progress,
    ) -> Result<Option<Self>, DatabaseError> {
        let Some(url) = &service.database_url else {
            return Ok(None);
        };
        let mut database =
            Database::connect(url.expose_secret(), &suite.file.service.schema).await?;
        let (journal, leftovers) = if database.can_watch().await? {
            let (journal, leftovers) = Journal::install(&mut database, &world.run).await?;
            (Some(journal), leftovers)
        } else {
            progress.note(UNWATCHED);
            (None, Vec::new())
        };
        if !leftovers.is_empty() {
            progress.note("a run that died had left changes that could not all be undone");
        }
        let catalog = Arc::new(database.catalog().await?);
        Ok(Some(Self {
            database,
            catalog,
            journal,
            background: Background::of(&suite.file.background),
            settle: service.settle,
            mark: Mark::START,
            set_up_since: None,
            alone: None,
            unmarked: BTreeSet::new(),
            unwatched: Vec::new(),
            world_rows: 0,
            leftovers,
            others: BTreeSet::new(),
            inserted: 0,
        }))
    }

    /// What the tables look like, if their changes are observed.
    pub(super) fn observed(&self) -> Option<Arc<Catalog>> {
        self.journal.as_ref().map(|_| Arc::clone(&self.catalog))
    }

    pub(super) async fn enter(&mut self, presence: Presence) -> Result<(), DatabaseError> {
        let Some(journal) = &self.journal else {
            return Ok(());
        };
        journal.enter(&mut self.database, presence).await?;
        self.others
            .extend(journal.others(&mut self.database).await?);
        Ok(())
    }

    pub(super) async fn leave(&mut self, presence: Presence) -> Result<(), DatabaseError> {
        match &self.journal {
            Some(journal) => journal.leave(&mut self.database, presence).await,
            None => Ok(()),
        }
    }

    pub(super) async fn seed_world(&mut self, rows: &[Row]) -> Result<(), DatabaseError> {
        self.enter(Presence::Shared).await?;
        let inserted = self.insert(rows.iter()).await;
        self.world_rows = self.unwatched.len();
        self.leave(Presence::Shared).await?;
        inserted
    }

    /// Inserts rows of the world while the run is alone on the database.
    pub(super) async fn insert_world(&mut self, rows: &[Row]) -> Result<(), DatabaseError> {
        let inserted = self.insert(rows.iter()).await;
        self.world_rows = self.unwatched.len();
        inserted
    }

    /// From here on and for so long, what changes belongs to a setup: should the run be killed, it is the run's.
    pub(super) async fn begin_setup(&mut self, window: Duration) -> Result<Mark, DatabaseError> {
        match &self.journal {
            Some(journal) => {
                let window = Some(window + self.settle + IN_FLIGHT);
                journal.begin(&mut self.database, &[], window).await
            }
            None => Ok(Mark::START),
        }
    }

    /// The same for the setup of an endpoint, which is undone with the batch that comes after it.
    pub(super) async fn begin_endpoint(&mut self, window: Duration) -> Result<(), DatabaseError> {
        self.set_up_since = Some(self.begin_setup(window).await?);
        Ok(())
    }

    /// Waits until what a setup wrote is there, and claims it as the run's: all but what is an earlier cell's or another
    /// run's. The run has to be alone on the database.
    pub(super) async fn claim_setup(
        &mut self,
        known: Knowledge<'_>,
        identifiers: &[String],
    ) -> Result<(), DatabaseError> {
        let Some(journal) = &mut self.journal else {
            return Ok(());
        };
        journal.quiet(&mut self.database, self.settle).await?;
        let changes = journal.read(&mut self.database).await?;
        self.others
            .extend(journal.others(&mut self.database).await?);
        let attribution = Attribution::new(known, &self.others, &self.background);
        let attributed = attribution.attribute(changes);
        journal.set_aside(attributed.foreign);
        let set_up = attributed.unexplained.iter().map(|change| change.seq);
        let set_up: Vec<i64> = set_up.collect();
        journal.claim(&mut self.database, &set_up).await?;
        journal
            .begin(&mut self.database, identifiers, self.alone)
            .await
            .map(drop)
    }

    /// Inserts the scratch rows of a batch, after which the journal belongs to that batch.
    pub(super) async fn seed(
        &mut self,
        scratches: &[Scratch],
        presence: Presence,
    ) -> Result<(), DatabaseError> {
        let alone = presence == Presence::Alone && scratches.len() == 1;
        self.alone = alone.then_some(self.settle + IN_FLIGHT);
        if let Some(journal) = &self.journal {
            let identifiers = identifiers(scratches);
            let mark = journal
                .begin(&mut self.database, &identifiers, self.alone)
                .await?;
            self.mark = self.set_up_since.take().unwrap_or(mark);
        }
        let rows = scratches.iter().flat_map(|scratch| &scratch.rows);
        self.insert(rows).await
    }

    async fn insert<'r>(
        &mut self,
        rows: impl Iterator<Item = &'r Row> + Clone,
    ) -> Result<(), DatabaseError> {
        let count = rows.clone().count();
        if count == 0 {
            return Ok(());
        }
        self.inserted += count;
        let task = "insert the suite's rows";
        self.database.execute(task, "begin").await?;
        let inserted = self.database.insert(rows.clone()).await;
        let end = if inserted.is_ok() {
            "commit"
        } else {
            "rollback"
        };
        self.database.execute(task, end).await?;
        if self.journal.is_none() {
            self.unwatched.extend(rows.cloned());
        }
        inserted
    }

    /// Waits until the journal is quiet and reads it once: the changes by the number of their cell, and the rest. What no
    /// symbol explains belongs to the `sole` cell that was swept meanwhile. Of several cells it is one's, if no other run was
    /// there: whose is not known, but it has to be undone together with what it was done to.
    pub(super) async fn effects(
        &mut self,
        known: Knowledge<'_>,
        sole: Option<usize>,
        presence: Presence,
    ) -> Result<(Vec<(usize, Change)>, Unexplained), DatabaseError> {
        let Some(journal) = &mut self.journal else {
            return Ok(Default::default());
        };
        journal.quiet(&mut self.database, self.settle).await?;
        let changes = journal.read(&mut self.database).await?;
        if changes.is_empty() {
            return Ok(Default::default());
        }
        self.others
            .extend(journal.others(&mut self.database).await?);
        let attribution = Attribution::new(known, &self.others, &self.background);
        let mut attributed = attribution.attribute(changes);
        if let Some(cell) = sole {
            let unexplained = std::mem::take(&mut attributed.unexplained);
            self.unmarked
                .extend(unexplained.iter().map(|change| change.table.clone()));
            let its = unexplained.into_iter().map(|change| (cell, change));
            attributed.explained.extend(its);
        }
        journal.set_aside(attributed.foreign);
        let mut mine = attributed.background;
        mine.extend(attributed.explained.iter().map(|(_, change)| change.seq));
        if presence == Presence::Alone {
            mine.extend(attributed.unexplained.iter().map(|change| change.seq));
        }
        journal.claim(&mut self.database, &mine).await?;
        Ok((attributed.explained, Unexplained(attributed.unexplained)))
    }

    async fn claim_numbers(&mut self, numbers: &[i64]) -> Result<(), DatabaseError> {
        match &self.journal {
            Some(journal) => journal.claim(&mut self.database, numbers).await,
            None => Ok(()),
        }
    }

    /// Undoes a batch: its rows, its effects, and what its probes wrote.
    pub(super) async fn restore(&mut self, known: Knowledge<'_>) -> Result<(), DatabaseError> {
        self.claim_known(known).await?;
        // What cannot be undone yet is undone with the whole run, or told then.
        self.undo(known, self.mark, self.world_rows).await?;
        match &self.journal {
            Some(journal) if self.inserted > VACUUM => {
                self.inserted = 0;
                journal.vacuum(&mut self.database).await
            }
            _ => Ok(()),
        }
    }

    /// Leaves changes of a try that is repeated out of what is read from now on: they belong to no cell of the repetition.
    pub(super) fn set_aside(&mut self, unexplained: &Unexplained) {
        if let Some(journal) = &mut self.journal {
            journal.set_aside(unexplained.0.iter().map(|change| change.seq));
        }
    }

    /// Undoes the changes of a try that was repeated, where the repetition showed that calls do write such rows.
    pub(super) async fn undo_explained(
        &mut self,
        known: Knowledge<'_>,
        mut unexplained: Unexplained,
    ) -> Result<(), DatabaseError> {
        let changes = unexplained.take().into_iter();
        let changes = changes.filter(|change| self.unmarked.contains(&change.table));
        let numbers: Vec<i64> = changes.map(|change| change.seq).collect();
        self.claim_numbers(&numbers).await?;
        self.undo(known, self.mark, self.world_rows).await.map(drop)
    }

    async fn claim_known(&mut self, known: Knowledge<'_>) -> Result<(), DatabaseError> {
        let Some(journal) = &self.journal else {
            return Ok(());
        };
        let changes = journal.read(&mut self.database).await?;
        let others = journal.others(&mut self.database).await?;
        let alone = others.is_empty();
        self.others.extend(others);
        let mut mine = Attribution::new(known, &self.others, &self.background).own(&changes);
        let unmarked = |change: &&Change| alone && self.background.has_unmarked(change);
        mine.extend(changes.iter().filter(unmarked).map(|change| change.seq));
        self.claim_numbers(&mine).await
    }

    /// Undoes what the journal has after `mark`; without one, deletes the inserted rows after the first `keep`.
    async fn undo(
        &mut self,
        known: Knowledge<'_>,
        mark: Mark,
        keep: usize,
    ) -> Result<Vec<Leftover>, DatabaseError> {
        if let Some(journal) = &self.journal {
            let names = self.catalog.names();
            let background: Vec<&str> = names
                .filter(|table| self.background.is_table(table))
                .collect();
            let database = &mut self.database;
            journal.claim_referring(database, &background).await?;
            let left = journal.undo(database, mark).await?;
            return Ok(left
                .into_iter()
                .map(|leftover| named(leftover, known))
                .collect());
        }
        let rows = self.unwatched.split_off(keep.min(self.unwatched.len()));
        self.database.delete(&rows, &self.catalog).await?;
        Ok(Vec::new())
    }

    /// Undoes the whole run. What the service changes at this very moment can be known as the run's a moment later.
    async fn undo_all(&mut self, known: Knowledge<'_>) -> Result<(), DatabaseError> {
        let mut left = Vec::new();
        for _ in 0..TRIES {
            self.claim_known(known).await?;
            left = self.undo(known, Mark::START, 0).await?;
            if left.is_empty() {
                break;
            }
            tokio::time::sleep(self.settle.max(PAUSE)).await;
        }
        self.leftovers.extend(left);
        Ok(())
    }

    /// Waits for what the service writes late, undoes the whole run, and takes the journal away.
    pub(super) async fn close(
        mut self,
        known: Knowledge<'_>,
        late: Duration,
        progress: &dyn Progress,
    ) -> Result<Vec<Leftover>, DatabaseError> {
        if !late.is_zero() && self.has_background() {
            progress.note(&format!(
                "waiting {} s for what the service writes late",
                late.as_secs()
            ));
            // Somebody who does not want to wait loses what comes later, not what is there.
            tokio::select! {
                () = tokio::time::sleep(late) => {}
                () = stop::asked() => {}
            }
        }
        self.enter(Presence::Shared).await?;
        self.undo_all(known).await?;
        self.leave(Presence::Shared).await?;
        if let Some(journal) = self.journal {
            journal.remove(&mut self.database).await?;
        }
        Ok(self.leftovers)
    }

    fn has_background(&self) -> bool {
        self.journal.is_some()
            && self
                .catalog
                .names()
                .any(|table| self.background.is_table(table))
    }
}

/// How often the end of a run tries to undo what was changed meanwhile, and the least time between.
const TRIES: usize = 5;
const PAUSE: Duration = Duration::from_millis(400);

/// After how many rows the journal is vacuumed.
const VACUUM: usize = 10_000;

/// How long a call of a run that was killed may go on in the service: what changes later is not taken for the run's.
const IN_FLIGHT: Duration = Duration::from_secs(5);

/// What a person must know of a run without a journal.
const UNWATCHED: &str = "the database's role owns neither all tables nor the right to make a schema: effects are not \
    observed, and rows that the service makes or changes stay as it leaves them";

/// A leftover with names in place of values. Of a cell that is done the names are forgotten.
fn named(leftover: Leftover, known: Knowledge<'_>) -> Leftover {
    let leftover = leftover.named(|key| known.now.name_json(key, NOBODY, &mut BTreeSet::new()));
    let key = leftover.key.as_ref().map(ToString::to_string);
    if known
        .retired
        .found_in(key.as_deref().into_iter())
        .contains(&true)
    {
        leftover.shortened()
    } else {
        leftover
    }
}

/// The identifiers that the scratch entities were given.
fn identifiers(scratches: &[Scratch]) -> Vec<String> {
    let fields = scratches
        .iter()
        .flat_map(|scratch| scratch.target.fields.values());
    let symbols = fields.filter(|field| field.class == Class::Symbol);
    symbols.map(|field| field.value.clone()).collect()
}
