//! The database's side of a sweep: rows in, changes out, everything undone.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use globset::{Glob, GlobSet, GlobSetBuilder};

use super::{Progress, Service};
use crate::database::{Catalog, Database, DatabaseError};
use crate::journal::{Change, Journal, Leftover, Mark, Presence};
use crate::suite::Suite;
use crate::symbols::Namer;
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
    journal: Journal,
    background: GlobSet,
    settle: Duration,
    mark: Mark,
    /// Tables that calls wrote to without any symbol of theirs, as sweeping one cell at a time has shown.
    unmarked: BTreeSet<String>,
    leftovers: Vec<Leftover>,
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
        let mut database = Database::connect(url, &suite.file.service.schema).await?;
        let (journal, leftovers) = Journal::install(&mut database, &world.run).await?;
        if !leftovers.is_empty() {
            progress.note("a run that died had left changes that could not all be undone");
        }
        let catalog = Arc::new(database.catalog().await?);
        let background = background(&suite.file.background.tables);
        let settle = service.settle;
        let unmarked = BTreeSet::new();
        Ok(Some(Self {
            database,
            catalog,
            journal,
            background,
            settle,
            mark: Mark::START,
            unmarked,
            leftovers,
        }))
    }

    /// What the tables look like.
    pub(super) fn catalog(&self) -> Arc<Catalog> {
        Arc::clone(&self.catalog)
    }

    pub(super) async fn enter(&mut self, presence: Presence) -> Result<(), DatabaseError> {
        self.journal.enter(&mut self.database, presence).await
    }

    pub(super) async fn leave(&mut self, presence: Presence) -> Result<(), DatabaseError> {
        self.journal.leave(&mut self.database, presence).await
    }

    pub(super) async fn seed_world(&mut self, rows: &[Row]) -> Result<(), DatabaseError> {
        self.insert(rows).await
    }

    /// Inserts the scratch rows of a batch, after which the journal belongs to that batch.
    pub(super) async fn seed(&mut self, scratches: &[Scratch]) -> Result<(), DatabaseError> {
        self.mark = self.journal.mark(&mut self.database).await?;
        let fields = scratches
            .iter()
            .flat_map(|scratch| scratch.target.fields.values());
        let identifiers: Vec<String> = fields
            .filter(|field| field.class == Class::Symbol)
            .map(|field| field.value.clone())
            .collect();
        if !identifiers.is_empty() {
            self.journal
                .remember(&mut self.database, &identifiers)
                .await?;
        }
        let rows: Vec<Row> = scratches
            .iter()
            .flat_map(|scratch| scratch.rows.clone())
            .collect();
        self.insert(&rows).await
    }

    async fn insert(&mut self, rows: &[Row]) -> Result<(), DatabaseError> {
        if rows.is_empty() {
            return Ok(());
        }
        let task = "insert the suite's rows";
        self.database.execute(task, "begin").await?;
        let inserted = self.database.insert(rows).await;
        self.database
            .execute(
                task,
                if inserted.is_ok() {
                    "commit"
                } else {
                    "rollback"
                },
            )
            .await?;
        inserted
    }

    /// Waits until the journal is quiet and reads it once: the changes by the number of their cell, and the rest.
    pub(super) async fn effects(
        &mut self,
        namer: &Namer,
    ) -> Result<(Vec<(usize, Change)>, Unexplained), DatabaseError> {
        self.journal.quiet(&mut self.database, self.settle).await?;
        let mut explained = Vec::new();
        let mut unexplained = Unexplained::default();
        let mut claimed = Vec::new();
        let changes = self.mine(namer).await?;
        for change in changes {
            let cells = namer.cells_in(&change.text());
            let is_background = self.background.is_match(&change.table);
            match (cells.len(), cells.first()) {
                _ if is_background => claimed.push(change.seq),
                (1, Some(cell)) => {
                    claimed.push(change.seq);
                    explained.push((*cell, change));
                }
                _ => unexplained.0.push(change),
            }
        }
        self.journal.claim(&mut self.database, &claimed).await?;
        Ok((explained, unexplained))
    }

    /// The unclaimed changes without those that hold another run's token, and without what the service itself wrote
    /// into its background tables.
    async fn mine(&mut self, namer: &Namer) -> Result<Vec<Change>, DatabaseError> {
        let changes = self.journal.read(&mut self.database).await?;
        if changes.is_empty() {
            return Ok(changes);
        }
        let others = self.journal.others(&mut self.database).await?;
        let is_foreign = |change: &Change| {
            let text = change.text();
            let ours = namer.knows(&text);
            !ours
                && (self.background.is_match(&change.table)
                    || others.iter().any(|token| text.contains(token.as_str())))
        };
        let (foreign, mine): (Vec<_>, Vec<_>) = changes.into_iter().partition(is_foreign);
        self.journal
            .set_aside(foreign.into_iter().map(|change| change.seq));
        Ok(mine)
    }

    pub(super) async fn claim(&mut self, changes: &[Change]) -> Result<(), DatabaseError> {
        self.unmarked
            .extend(changes.iter().map(|change| change.table.clone()));
        let changes: Vec<i64> = changes.iter().map(|change| change.seq).collect();
        self.journal.claim(&mut self.database, &changes).await
    }

    /// Undoes a batch: its rows, its effects, and what its probes wrote.
    pub(super) async fn restore(&mut self, namer: &Namer) -> Result<(), DatabaseError> {
        self.claim_known(namer).await?;
        let leftovers = self.journal.undo(&mut self.database, self.mark).await?;
        self.leftovers.extend(leftovers);
        Ok(())
    }

    /// Undoes the changes of a try that was repeated, where the repetition showed that calls do write such rows.
    pub(super) async fn undo_explained(
        &mut self,
        mut unexplained: Unexplained,
    ) -> Result<(), DatabaseError> {
        let changes = unexplained
            .take()
            .into_iter()
            .filter(|change| self.unmarked.contains(&change.table));
        let changes: Vec<i64> = changes.map(|change| change.seq).collect();
        self.journal.claim(&mut self.database, &changes).await?;
        let leftovers = self.journal.undo(&mut self.database, self.mark).await?;
        self.leftovers.extend(leftovers);
        Ok(())
    }

    async fn claim_known(&mut self, namer: &Namer) -> Result<(), DatabaseError> {
        let changes = self.journal.read(&mut self.database).await?;
        let known: Vec<i64> = changes
            .iter()
            .filter(|change| namer.knows(&change.text()))
            .map(|change| change.seq)
            .collect();
        self.journal.claim(&mut self.database, &known).await
    }

    /// Waits for what the service writes late, undoes the whole run, and takes the journal away.
    pub(super) async fn close(
        mut self,
        namer: &Namer,
        late: Duration,
        progress: &dyn Progress,
    ) -> Result<Vec<Leftover>, DatabaseError> {
        if !late.is_zero() && self.has_background() {
            progress.note(&format!(
                "waiting {} s for what the service writes late",
                late.as_secs()
            ));
            tokio::time::sleep(late).await;
        }
        self.claim_known(namer).await?;
        let leftovers = self.journal.undo(&mut self.database, Mark::START).await?;
        self.leftovers.extend(leftovers);
        self.journal.remove(&mut self.database).await?;
        Ok(self.leftovers)
    }

    fn has_background(&self) -> bool {
        self.catalog
            .names()
            .any(|table| self.background.is_match(table))
    }
}

/// A pattern that is not one matches nothing; the suite's check has reported it.
fn background(tables: &[String]) -> GlobSet {
    let mut set = GlobSetBuilder::new();
    tables
        .iter()
        .filter_map(|table| Glob::new(table).ok())
        .for_each(|glob| {
            set.add(glob);
        });
    set.build().unwrap_or_default()
}
