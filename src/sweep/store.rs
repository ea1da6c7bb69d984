//! The database's side of a sweep: rows in, changes out, everything undone.

mod end;
mod idle;
mod seed;
mod window;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use secrecy::ExposeSecret;
use serde_json::{Map, Value as Json};

use super::attribution::{Attributed, Attribution};
use super::background::Background;
use super::{NOBODY, Progress, Service};
use crate::database::{Catalog, Database, DatabaseError};
use crate::journal::{Change, Extent, Journal, Leftover};
use crate::suite::Suite;
use crate::symbols::Knowledge;
use crate::world::{Row, Scratch};

pub(super) use window::{Pause, Wait};

use window::Window;

/// The service's database during one run.
pub(super) struct Store<'p> {
    database: Database,
    catalog: Arc<Catalog>,
    /// None where the database's role may not watch the tables.
    journal: Option<Journal>,
    background: Background,
    settle: Duration,
    progress: &'p dyn Progress,
    /// While the run sweeps an endpoint.
    window: Window,
    /// Whether the batch has begun that the next rows belong to.
    is_batch: bool,
    /// How many rows the batch has in each table by the answers of the database.
    expected: BTreeMap<String, usize>,
    /// Tables of which the journal does not show what the run inserts.
    unobserved: BTreeSet<String>,
    /// Whether a write came after the service was idle: from then on an endpoint that is swept alone waits as long as others.
    is_late: bool,
    /// Rows that were inserted and that no journal knows: those of the world, then those of the batch.
    unwatched: Vec<Row>,
    world_rows: usize,
    leftovers: Vec<Leftover>,
    /// What nobody explains and was changed while no endpoint was swept, by table.
    strays: BTreeMap<String, usize>,
    /// What other runs made. Kept when they end, since what they changed may be read later.
    others: BTreeSet<String>,
    /// How many rows were inserted since the journal was vacuumed.
    inserted: usize,
}

impl<'p> Store<'p> {
    pub(super) async fn open(
        suite: &Suite,
        service: &Service,
        run: &str,
        progress: &'p dyn Progress,
    ) -> Result<Option<Self>, DatabaseError> {
        let Some(url) = &service.database_url else {
            return Ok(None);
        };
        let spec = &suite.file.service;
        let mut database = Database::connect(url.expose_secret(), &spec.schema).await?;
        let (mut journal, mut leftovers) = (None, Vec::new());
        if database.can_watch().await? {
            database.watch_schemas(spec.schemas.as_deref());
            let tell = |text: &str| progress.note(text);
            let installed = Journal::install(&mut database, run, &tell).await?;
            (journal, leftovers) = (Some(installed.0), installed.1);
            tell_what_is_unwatched(&mut database, progress).await?;
        } else {
            progress.note(UNWATCHED);
        }
        if !leftovers.is_empty() {
            progress.note("a run that died had left changes that could not all be undone");
        }
        let catalog = Arc::new(database.catalog().await?);
        let background = Background::of(&suite.file.background);
        if let Some(journal) = &mut journal {
            journal.expect_writes(background.relations(&catalog));
        }
        Ok(Some(Self {
            database,
            catalog,
            journal,
            background,
            settle: service.settle,
            progress,
            window: Window::default(),
            is_batch: false,
            expected: BTreeMap::new(),
            unobserved: BTreeSet::new(),
            is_late: false,
            unwatched: Vec::new(),
            world_rows: 0,
            leftovers,
            strays: BTreeMap::new(),
            others: BTreeSet::new(),
            inserted: 0,
        }))
    }

    /// What the tables look like, if their changes are observed.
    pub(super) fn observed(&self) -> Option<Arc<Catalog>> {
        let journal = self.journal.as_ref();
        let journal = journal.filter(|_| self.unobserved.is_empty());
        journal.map(|_| Arc::clone(&self.catalog))
    }

    /// The rows that no journal knows, for somebody else to delete.
    pub(super) fn take_unwatched(&mut self) -> (Vec<Row>, Arc<Catalog>) {
        (
            std::mem::take(&mut self.unwatched),
            Arc::clone(&self.catalog),
        )
    }

    /// Whether a journal knows the way back.
    pub(super) fn is_journalled(&self) -> bool {
        self.journal.is_some()
    }

    /// Watches tables that the service has made meanwhile.
    async fn watch_new(&mut self) -> Result<(), DatabaseError> {
        let Some(journal) = &self.journal else {
            return Ok(());
        };
        let progress = self.progress;
        let tell = |text: &str| progress.note(text);
        let new = journal.watch_new(&mut self.database, &tell).await?;
        if new.is_empty() {
            return Ok(());
        }
        let (old, new): (Vec<String>, Vec<String>) = new
            .into_iter()
            .partition(|table| self.catalog.table(table).is_some());
        self.catalog = Arc::new(self.database.catalog().await?);
        if !new.is_empty() {
            progress.note(&format!(
                "the service has made {} during the run: rows there that hold values of the run are undone, the tables stay \
                 (a row that says they are there belongs under `background`)",
                quoted(&new)
            ));
        }
        let blind = old.into_iter().map(|tbl| Leftover {
            tbl,
            op: "watch".to_owned(),
            key: None,
            reason: Some(
                "its triggers were taken off or switched off for a while: what was changed or deleted then is not known"
                    .to_owned(),
            ),
        });
        self.leftovers.extend(blind);
        Ok(())
    }

    /// Reads what nobody has explained yet, sets aside what is somebody else's, and counts what changed while no endpoint was
    /// swept.
    async fn attributed(&mut self, known: Knowledge<'_>) -> Result<Attributed, DatabaseError> {
        let Some(journal) = &mut self.journal else {
            return Ok(Attributed::default());
        };
        let changes = journal.read(&mut self.database).await?;
        if changes.is_empty() {
            return Ok(Attributed::default());
        }
        self.others
            .extend(journal.others(&mut self.database).await?);
        let attribution = Attribution::new(known, &self.others, &self.background);
        let mut attributed = attribution.attribute(changes);
        journal.set_aside(std::mem::take(&mut attributed.foreign));
        let found = std::mem::take(&mut attributed.found);
        journal.set_aside(found.iter().map(|change| change.seq));
        for change in found {
            *self.strays.entry(change.table).or_default() += 1;
        }
        let from = self.window.from;
        let unexplained = std::mem::take(&mut attributed.unexplained);
        let (now, before): (Vec<_>, Vec<_>) = unexplained
            .into_iter()
            .partition(|change| change.seq > from);
        journal.set_aside(before.iter().map(|change| change.seq));
        for change in before {
            *self.strays.entry(change.table).or_default() += 1;
        }
        attributed.unexplained = now;
        Ok(attributed)
    }

    /// Waits until the calls have written and reads the journal once: the changes by the number of their cell, and the rest.
    /// Whose what no symbol explains is, is not known here, but all of it is the run's and undone with the batch, if nobody
    /// else can have been there. Else it stays, and is told.
    pub(super) async fn effects(
        &mut self,
        known: Knowledge<'_>,
        pause: Pause,
    ) -> Result<Attributed, DatabaseError> {
        self.wait(pause).await?;
        self.watch_new().await?;
        let mut attributed = self.attributed(known).await?;
        let is_exclusive = attributed.unexplained.is_empty() || self.is_exclusive().await?;
        let mut mine = std::mem::take(&mut attributed.background);
        if is_exclusive {
            mine.extend(attributed.unexplained.iter().map(|change| change.seq));
        } else {
            self.leave_alone(&attributed.unexplained);
        }
        mine.extend(attributed.explained.iter().map(|(_, change)| change.seq));
        self.claim_numbers(&mine).await?;
        Ok(attributed)
    }

    /// What nothing explains stays where another run can have done it, and is told at the end.
    fn leave_alone(&mut self, changes: &[Change]) {
        if let Some(journal) = &mut self.journal {
            journal.set_aside(changes.iter().map(|change| change.seq));
        }
        for change in changes {
            let row = if change.new.is_null() {
                &change.old
            } else {
                &change.new
            };
            let key = self.catalog.table(&change.table).map(|table| &table.key);
            let key = key.into_iter().flatten();
            let key: Map<String, Json> = key
                .filter_map(|column| Some((column.clone(), row.get(column)?.clone())))
                .collect();
            let leftover = Leftover {
                tbl: change.table.clone(),
                op: change.operation.as_str().to_owned(),
                key: (!key.is_empty()).then_some(Json::Object(key)),
                reason: Some("nothing explains it, and another run was there".to_owned()),
            };
            self.leftovers.push(leftover.shortened());
        }
    }

    async fn claim_numbers(&mut self, numbers: &[i64]) -> Result<(), DatabaseError> {
        match &self.journal {
            Some(journal) => journal.claim(&mut self.database, numbers).await,
            None => Ok(()),
        }
    }

    /// Undoes a batch: its rows, its effects, and what its probes wrote. Gives what was written after the journal was read and
    /// that nothing explains.
    pub(super) async fn restore(
        &mut self,
        known: Knowledge<'_>,
    ) -> Result<Vec<Change>, DatabaseError> {
        let late = self.claim_known(known).await?;
        // What cannot be undone yet is undone with the whole run, or told then.
        self.undo(known, Extent::Batch, self.world_rows).await?;
        self.is_batch = false;
        let Some(journal) = &mut self.journal else {
            return Ok(late);
        };
        journal.end_batch(&mut self.database).await?;
        self.expected.clear();
        if self.inserted > VACUUM {
            self.inserted = 0;
            journal.vacuum(&mut self.database).await?;
        }
        Ok(late)
    }

    /// Undoes what was written after the batch of the last cell, which was swept alone, was undone, and gives it.
    pub(super) async fn restore_late(
        &mut self,
        known: Knowledge<'_>,
    ) -> Result<Vec<Change>, DatabaseError> {
        let late = self.attributed(known).await?.unexplained;
        if late.is_empty() {
            return Ok(late);
        }
        if !self.is_exclusive().await? {
            self.leave_alone(&late);
            return Ok(Vec::new());
        }
        self.begin_batch().await?;
        let numbers: Vec<i64> = late.iter().map(|change| change.seq).collect();
        self.claim_numbers(&numbers).await?;
        self.restore(known).await?;
        self.is_late = true;
        Ok(late)
    }

    /// Says that a write came late, and waits longer from then on.
    pub(super) fn is_late(&mut self, late: &[Change]) {
        self.is_late |= !late.is_empty();
    }

    async fn claim_known(&mut self, known: Knowledge<'_>) -> Result<Vec<Change>, DatabaseError> {
        let Some(journal) = &mut self.journal else {
            return Ok(Vec::new());
        };
        let changes = journal.read(&mut self.database).await?;
        if changes.is_empty() {
            return Ok(changes);
        }
        let others = journal.others(&mut self.database).await?;
        let alone = others.is_empty();
        self.others.extend(others);
        let attribution = Attribution::new(known, &self.others, &self.background);
        let mut mine = attribution.own(&changes);
        let unmarked = |change: &&Change| alone && self.background.has_unmarked(change);
        mine.extend(changes.iter().filter(unmarked).map(|change| change.seq));
        self.claim_numbers(&mine).await?;
        let mut late = self.attributed(known).await?.unexplained;
        if !late.is_empty() && self.is_exclusive().await? {
            let numbers: Vec<i64> = late.iter().map(|change| change.seq).collect();
            self.claim_numbers(&numbers).await?;
        } else {
            self.leave_alone(&std::mem::take(&mut late));
        }
        Ok(late)
    }

    /// Undoes what the journal has; of rows that no journal knows, deletes those after the first `keep`.
    async fn undo(
        &mut self,
        known: Knowledge<'_>,
        extent: Extent,
        keep: usize,
    ) -> Result<Vec<Leftover>, DatabaseError> {
        let mut left = Vec::new();
        if let Some(journal) = &self.journal {
            let names = self.catalog.names();
            let background: Vec<&str> = names
                .filter(|table| self.background.is_table(table))
                .collect();
            let progress = self.progress;
            let tell = |text: &str| progress.note(text);
            let database = &mut self.database;
            journal.claim_referring(database, &background).await?;
            left = journal.undo(database, extent, &tell).await?;
        }
        let rows = self.unwatched.split_off(keep.min(self.unwatched.len()));
        self.database.delete(&rows, &self.catalog).await?;
        let named = left.into_iter().map(|leftover| named(leftover, known));
        Ok(named.collect())
    }
}

fn quoted(tables: &[String]) -> String {
    let quoted = tables.iter().map(|table| format!("`{table}`"));
    quoted.collect::<Vec<_>>().join(", ")
}

/// Says which tables are not watched, so that their silence is no claim.
async fn tell_what_is_unwatched(
    database: &mut Database,
    progress: &dyn Progress,
) -> Result<(), DatabaseError> {
    let mut unwatched = database.unwatched().await?;
    if unwatched.is_empty() {
        return Ok(());
    }
    let more = unwatched.split_off(NAMED.min(unwatched.len())).len();
    if more > 0 {
        unwatched.push(format!("and {more} more"));
    }
    progress.note(&format!("not watched: {}", unwatched.join(", ")));
    Ok(())
}

/// How many tables that are not watched are named.
const NAMED: usize = 10;

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
    scratches.iter().flat_map(Scratch::identifiers).collect()
}
