//! The database's side of a sweep: rows in, changes out, everything undone.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use secrecy::ExposeSecret;
use serde_json::{Map, Value as Json};

use super::attribution::{Attributed, Attribution};
use super::background::Background;
use super::{Kinds, NOBODY, Progress, Service, count_kinds};
use crate::database::{Catalog, Database, DatabaseError};
use crate::journal::{Change, Extent, Journal, Leftover, Presence};
use crate::stop;
use crate::suite::Suite;
use crate::symbols::Knowledge;
use crate::world::{Row, Scratch};

/// Changes that no cell's symbols explain.
#[derive(Debug, Default)]
pub(super) struct Unexplained(Vec<Change>);

impl Unexplained {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn extend(&mut self, changes: Vec<Change>) {
        self.0.extend(changes);
    }

    /// How often what was done to which table.
    pub(super) fn kinds(&self) -> Kinds {
        let mut kinds = Kinds::new();
        count_kinds(&mut kinds, &self.0);
        kinds
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

/// The time in which a run sweeps an endpoint.
#[derive(Debug, Clone, Copy, Default)]
struct Window {
    /// The last change before it.
    from: i64,
    presence: Option<Presence>,
    /// How many runs had begun until then, if no other one was there.
    sole: Option<i64>,
}

/// How the end of what calls write is waited for.
#[derive(Debug, Clone)]
pub(super) enum Wait {
    /// Until nothing was logged for as long as the suite says.
    Settle,
    /// For a cell that is swept alone, until the service is idle; and as long as the suite says where none before was answered
    /// as it is.
    Idle {
        /// The statuses of the cells before.
        seen: BTreeSet<Option<u16>>,
    },
}

impl Wait {
    /// What that is for a cell that was answered with this status.
    pub(super) fn after(self, status: Option<u16>) -> Pause {
        match self {
            Self::Settle => Pause::Settle,
            Self::Idle { seen } if seen.contains(&status) => Pause::Idle,
            Self::Idle { .. } => Pause::Both,
        }
    }
}

/// What is waited for after calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pause {
    /// That nothing is logged.
    Settle,
    /// That the service is idle.
    Idle,
    /// That nothing is logged, and whether the service writes anything after it has answered.
    Both,
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
        Ok(Some(Self {
            database,
            catalog,
            journal,
            background: Background::of(&suite.file.background),
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

    /// Whether a journal knows the way back.
    pub(super) fn is_journalled(&self) -> bool {
        self.journal.is_some()
    }

    /// Begins the time in which an endpoint is swept.
    pub(super) async fn enter(&mut self, presence: Presence) -> Result<(), DatabaseError> {
        self.is_late = false;
        if self.is_alone() && presence == Presence::Alone {
            return Ok(());
        }
        self.give_way().await?;
        let Some(journal) = &self.journal else {
            return Ok(());
        };
        let progress = self.progress;
        let tell = |text: &str| progress.note(text);
        journal.enter(&mut self.database, presence, &tell).await?;
        let others = journal.others(&mut self.database).await?;
        let runs = journal.runs(&mut self.database).await?;
        self.window = Window {
            from: journal.last(&mut self.database).await?,
            presence: Some(presence),
            sole: others.is_empty().then_some(runs),
        };
        self.others.extend(others);
        Ok(())
    }

    /// Goes on without other runs.
    pub(super) async fn be_alone(&mut self) -> Result<(), DatabaseError> {
        self.enter(Presence::Alone).await
    }

    /// Whether no other run can be there.
    pub(super) fn is_alone(&self) -> bool {
        self.window.presence == Some(Presence::Alone)
    }

    /// Ends the time in which an endpoint is swept. A run that was alone stays so while nobody waits: what is written late, before
    /// the next endpoint or the end, is then still known as its own.
    pub(super) async fn leave(&mut self) -> Result<(), DatabaseError> {
        let keeps = match &self.journal {
            Some(journal) => self.is_alone() && !journal.is_wanted(&mut self.database).await?,
            None => false,
        };
        if keeps {
            return Ok(());
        }
        self.give_way().await
    }

    /// Lets other runs in.
    async fn give_way(&mut self) -> Result<(), DatabaseError> {
        match (&self.journal, self.window.presence.take()) {
            (Some(journal), Some(presence)) => journal.leave(&mut self.database, presence).await,
            _ => Ok(()),
        }
    }

    /// Whether nobody but the run can have changed anything in this window: it has the lock for itself, or no other run has
    /// been there at all.
    async fn is_exclusive(&mut self) -> Result<bool, DatabaseError> {
        let Some(journal) = &self.journal else {
            return Ok(false);
        };
        match (self.window.presence, self.window.sole) {
            (Some(Presence::Alone), _) => Ok(true),
            (Some(Presence::Shared), Some(runs)) => {
                let others = journal.others(&mut self.database).await?;
                Ok(others.is_empty() && journal.runs(&mut self.database).await? == runs)
            }
            _ => Ok(false),
        }
    }

    /// For how long what changes is the run's because it is alone, should it be killed.
    fn alone(&self) -> Option<Duration> {
        self.is_alone().then_some(self.settle + IN_FLIGHT)
    }

    /// Keeps that up while calls are under way. What goes wrong is told by the next statement.
    pub(super) async fn stay_alone(&mut self) {
        if let (Some(journal), Some(alone)) = (&self.journal, self.alone()) {
            let _ = journal.stay_alone(&mut self.database, alone).await;
        }
    }

    /// Inserts rows of the world.
    pub(super) async fn insert_world(&mut self, rows: &[Row]) -> Result<(), DatabaseError> {
        if self.window.presence.is_none() {
            self.enter(Presence::Shared).await?;
        }
        let inserted = self.insert(rows.iter()).await;
        self.world_rows = self.unwatched.len();
        inserted
    }

    /// Inserts rows of a batch that come before its others, since requests need them.
    pub(super) async fn insert_rows(&mut self, rows: &[Row]) -> Result<(), DatabaseError> {
        self.insert(rows.iter()).await
    }

    /// From here on and for so long, what changes belongs to a setup: should the run be killed, it is the run's.
    pub(super) async fn begin_setup(&mut self, window: Duration) -> Result<(), DatabaseError> {
        match &self.journal {
            Some(journal) => {
                let window = Some(window + self.settle + IN_FLIGHT);
                journal.remember(&mut self.database, &[], window).await
            }
            None => Ok(()),
        }
    }

    /// The same for the setup of an endpoint, which is undone with the batch that comes after it.
    pub(super) async fn begin_endpoint(&mut self, window: Duration) -> Result<(), DatabaseError> {
        self.begin_batch().await?;
        self.begin_setup(window).await
    }

    async fn begin_batch(&mut self) -> Result<(), DatabaseError> {
        let Some(journal) = self.journal.as_mut().filter(|_| !self.is_batch) else {
            return Ok(());
        };
        journal.begin_batch(&mut self.database).await?;
        self.is_batch = true;
        self.expected.clear();
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
        self.watch_new().await?;
        let attributed = self.attributed(known).await?;
        let set_up = attributed.unexplained.iter().map(|change| change.seq);
        let set_up: Vec<i64> = set_up.collect();
        self.claim_numbers(&set_up).await?;
        self.remember(identifiers).await
    }

    async fn remember(&mut self, identifiers: &[String]) -> Result<(), DatabaseError> {
        let alone = self.alone();
        match &self.journal {
            Some(journal) => {
                journal
                    .remember(&mut self.database, identifiers, alone)
                    .await
            }
            None => Ok(()),
        }
    }

    /// Inserts the scratch rows of a batch, after which the journal belongs to that batch.
    pub(super) async fn seed(&mut self, scratches: &[Scratch]) -> Result<(), DatabaseError> {
        self.begin_batch().await?;
        self.remember(&identifiers(scratches)).await?;
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
        let inserted = self.database.insert(rows.clone(), &self.catalog).await;
        let end = if inserted.is_ok() {
            "commit"
        } else {
            "rollback"
        };
        self.database.execute(task, end).await?;
        let inserted = inserted?;
        if self.journal.is_none() {
            self.unwatched.extend(rows.cloned());
            return Ok(());
        }
        for (table, count) in inserted {
            *self.expected.entry(table.to_owned()).or_default() += count;
        }
        self.check_seeds(rows).await
    }

    /// What the run inserts has to show up in the journal, table by table: else what calls do there is not seen either, and
    /// the rows are deleted by their keys.
    async fn check_seeds<'r>(
        &mut self,
        rows: impl Iterator<Item = &'r Row>,
    ) -> Result<(), DatabaseError> {
        let Some(journal) = &self.journal else {
            return Ok(());
        };
        let logged = journal.inserted(&mut self.database).await?;
        let is_missing = |table: &String| {
            let known = self.catalog.table(table);
            let root = known.map_or(table.as_str(), |known| known.root.as_str());
            let expected = self.expected.get(table).copied().unwrap_or(0);
            logged.get(root).copied().unwrap_or(0) < expected
        };
        let missing: BTreeSet<String> = self
            .expected
            .keys()
            .filter(|t| is_missing(t))
            .cloned()
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        self.unwatched
            .extend(rows.filter(|row| missing.contains(&row.table)).cloned());
        for table in missing {
            if self.unobserved.insert(table.clone()) {
                self.progress.note(&format!(
                    "what the run inserted into `{table}` does not show up in the journal: effects are not observed"
                ));
            }
        }
        Ok(())
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
        self.catalog = Arc::new(self.database.catalog().await?);
        let new: Vec<String> = new.iter().map(|table| format!("`{table}`")).collect();
        progress.note(&format!(
            "the service has made {} during the run: rows there are watched and undone, the tables stay (a row that says they \
             are there belongs under `background`)",
            new.join(", ")
        ));
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

    /// Waits until what the calls wrote is there. A cell that is swept alone has nobody else to wait for than the service's
    /// sessions, unless a write came later once.
    async fn wait(&mut self, pause: Pause) -> Result<(), DatabaseError> {
        let Some(journal) = &self.journal else {
            return Ok(());
        };
        let database = &mut self.database;
        if pause == Pause::Settle || self.is_late {
            return journal.quiet(database, self.settle).await;
        }
        if pause == Pause::Idle {
            return journal.idle(database, self.settle).await;
        }
        let answered = journal.now(database).await?;
        journal.quiet(database, self.settle).await?;
        self.is_late = journal.has_since(database, answered).await?;
        Ok(())
    }

    /// Waits until the calls have written and reads the journal once: the changes by the number of their cell, and the rest.
    /// What no symbol explains belongs to the `sole` cell that was swept meanwhile. Of several cells it is one's: whose is not
    /// known, but all of it is the run's and undone with the batch, if nobody else can have been there. Else it stays, and is
    /// told.
    pub(super) async fn effects(
        &mut self,
        known: Knowledge<'_>,
        sole: Option<usize>,
        pause: Pause,
    ) -> Result<(Vec<(usize, Change)>, Unexplained), DatabaseError> {
        self.wait(pause).await?;
        self.watch_new().await?;
        let mut attributed = self.attributed(known).await?;
        let is_exclusive = attributed.unexplained.is_empty() || self.is_exclusive().await?;
        let mut mine = attributed.background;
        if is_exclusive {
            mine.extend(attributed.unexplained.iter().map(|change| change.seq));
        } else {
            self.leave_alone(&attributed.unexplained);
        }
        if let Some(cell) = sole {
            let unexplained = std::mem::take(&mut attributed.unexplained).into_iter();
            attributed
                .explained
                .extend(unexplained.map(|change| (cell, change)));
        }
        mine.extend(attributed.explained.iter().map(|(_, change)| change.seq));
        self.claim_numbers(&mine).await?;
        Ok((attributed.explained, Unexplained(attributed.unexplained)))
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

    /// Undoes what can be undone by now; the end of the run tries the rest again.
    pub(super) async fn undo_now(&mut self, known: Knowledge<'_>) -> Result<(), DatabaseError> {
        self.claim_known(known).await?;
        self.undo(known, Extent::Run, 0).await.map(drop)
    }

    /// Undoes the whole run. What the service changes at this very moment can be known as the run's a moment later.
    async fn undo_all(&mut self, known: Knowledge<'_>) -> Result<(), DatabaseError> {
        let mut left = Vec::new();
        for _ in 0..TRIES {
            self.claim_known(known).await?;
            left = self.undo(known, Extent::Run, 0).await?;
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
    ) -> Result<Vec<Leftover>, DatabaseError> {
        let progress = self.progress;
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
        self.enter_end().await?;
        self.undo_all(known).await?;
        self.give_way().await?;
        self.tell_strays();
        if let Some(journal) = self.journal {
            let tell = |text: &str| progress.note(text);
            let stays = journal.remove(&mut self.database, &tell).await?;
            if let Some(stays) = stays {
                progress.note(&stays);
            }
        }
        Ok(self.leftovers)
    }

    /// At the end of a run only what is known as its own is undone: a run that failed can still be in a window.
    async fn enter_end(&mut self) -> Result<(), DatabaseError> {
        if self.window.presence.is_none() {
            self.enter(Presence::Shared).await?;
            self.window.from = i64::MAX;
        }
        Ok(())
    }

    /// Says what changed that nobody explains, between the endpoints.
    fn tell_strays(&self) {
        if self.strays.is_empty() {
            return;
        }
        let strays = self.strays.iter();
        let strays = strays.map(|(table, count)| format!("{count} of `{table}`"));
        self.progress.note(&format!(
            "changes that nothing explains were made while no endpoint was swept, and stay: {}",
            strays.collect::<Vec<_>>().join(", ")
        ));
    }

    fn has_background(&self) -> bool {
        self.journal.is_some()
            && self
                .catalog
                .names()
                .any(|table| self.background.is_table(table))
    }
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
