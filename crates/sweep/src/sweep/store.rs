//! The side of the databases in a sweep: rows in, changes out, everything undone.

mod end;
mod idle;
mod seed;
mod sides;
mod turn;
mod window;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use authz_pin_database::background::Background;
use authz_pin_database::{Catalog, DatabaseError, Serial};
use authz_pin_database::{Change, Extent, Leftover};
use authz_pin_record::text::in_backticks;
use authz_pin_suite::suite::Suite;
use authz_pin_suite::world::{Row, Scratch};
use serde_json::json;
use tracing::debug;

use super::attribution::{Attributed, Attribution};
use super::{NOBODY, Progress, Service};
use crate::symbols::Knowledge;

pub(super) use window::{Pause, Wait};

use sides::{Sides, ask, each};

/// The service's databases during one run.
pub(super) struct Store<'p> {
    sides: Sides<'p>,
    /// The tables of all of them.
    catalog: Arc<Catalog>,
    background: Background,
    settle: Duration,
    progress: &'p dyn Progress,
    /// Whether the batch has begun that the next rows belong to.
    is_batch: bool,
    /// How many rows the batch has in each table by the answers of the database.
    expected: BTreeMap<String, usize>,
    /// Tables of which the journal does not show what the run inserts.
    unobserved: BTreeSet<String>,
    /// Tables of which it was said that not all rows came to be.
    kept_out: BTreeSet<String>,
    /// Whether a write came after the service was idle: from then on an endpoint that is swept alone waits as long as others.
    is_late: bool,
    /// Rows that were inserted and that no journal knows: those of the world, then those of the batch.
    unwatched: Vec<Row>,
    /// Rows that only a journal knows which is gone with its connection, in the same order: for a run that is interrupted.
    fleeting: Vec<Row>,
    /// How many of both are the world's.
    world_rows: [usize; 2],
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
        let spec = &suite.file.service;
        let addresses = service.addresses(suite);
        if addresses.is_empty() {
            return Ok(None);
        }
        let background = Background::of(&suite.file.background);
        let (mut sides, leftovers) = Sides::open(&addresses, run, &background, progress).await?;
        let further = spec.databases.keys().cloned();
        sides.miss(
            further
                .filter(|name| !service.databases.contains_key(name))
                .collect(),
        );
        if !leftovers.is_empty() {
            progress.note("a run that died had left changes that could not all be undone");
        }
        let described = sides.unobserved().await;
        let described = described.and_then(|unobserved| Ok((unobserved, sides.catalog()?)));
        let (unobserved, catalog) = match described {
            Ok(described) => described,
            Err(error) => {
                sides.give_up(&leftovers).await;
                return Err(error);
            }
        };
        Ok(Some(Self {
            sides,
            catalog,
            background,
            settle: service.settle,
            progress,
            is_batch: false,
            expected: BTreeMap::new(),
            unobserved: unobserved.into_iter().collect(),
            kept_out: BTreeSet::new(),
            is_late: false,
            unwatched: Vec::new(),
            fleeting: Vec::new(),
            world_rows: [0, 0],
            leftovers,
            strays: BTreeMap::new(),
            others: BTreeSet::new(),
            inserted: 0,
        }))
    }

    /// What the tables look like, if changes are observed.
    pub(super) fn observed(&self) -> Option<Arc<Catalog>> {
        let is_observed = self.sides.are_journalled();
        is_observed.then(|| Arc::clone(&self.catalog))
    }

    /// Whether changes are observed by comparing tables, in any of the databases.
    pub(super) fn is_compared(&self) -> bool {
        self.sides.are_compared()
    }

    /// The tables of which that is not so, by the names that records have.
    pub(super) fn unobserved(&self) -> &BTreeSet<String> {
        &self.unobserved
    }

    /// The rows that no journal knows any more once this is gone, for somebody else to delete.
    pub(super) fn take_unwatched(&mut self) -> (Vec<Row>, Arc<Catalog>) {
        let mut rows = std::mem::take(&mut self.unwatched);
        rows.append(&mut self.fleeting);
        (rows, Arc::clone(&self.catalog))
    }

    /// Whether a journal knows the way back, in every database.
    pub(super) fn is_journalled(&self) -> bool {
        self.sides.are_journalled()
    }

    /// Watches tables that the service has made meanwhile.
    async fn watch_new(&mut self) -> Result<(), DatabaseError> {
        let Some(new) = self.sides.watch_new().await? else {
            return Ok(());
        };
        let (old, new): (Vec<String>, Vec<String>) = new
            .into_iter()
            .partition(|table| self.catalog.table(table).is_some());
        // Also where a table was attached or detached: its rows go by another name now.
        self.catalog = self.sides.catalog()?;
        self.unobserved.extend(self.sides.unobserved().await?);
        if !new.is_empty() {
            self.progress.note(&format!(
                "the service has made {} during the run: rows there that hold values of the run are undone, the tables stay \
                 (a row that says they are there belongs under `background`)",
                in_backticks(&new)
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
        let changes = self.read().await?;
        if changes.is_empty() {
            return Ok(Attributed::default());
        }
        debug!(changes = changes.len(), "read the journal");
        let others = self.read_others().await?;
        self.others.extend(others);
        let compared = self.is_compared().then_some(self.catalog.as_ref());
        let attribution = Attribution::new(known, &self.others, &self.background);
        let attribution = attribution.comparing(compared);
        let mut attributed = attribution.attribute(changes);
        self.set_aside(&std::mem::take(&mut attributed.foreign))
            .await?;
        let found = std::mem::take(&mut attributed.found);
        let unexplained = std::mem::take(&mut attributed.unexplained);
        let (now, before): (Vec<_>, Vec<_>) = unexplained
            .into_iter()
            .partition(|change| self.sides.is_in_window(change.seq));
        self.stray(found).await?;
        self.stray(before).await?;
        attributed.unexplained = now;
        Ok(attributed)
    }

    /// What nobody has explained yet, in all databases.
    async fn read(&mut self) -> Result<Vec<Change>, DatabaseError> {
        let changes = ask!(self.sides, |base| base.read().await);
        Ok(changes?.into_iter().flatten().collect())
    }

    /// What other runs made, in all databases.
    async fn read_others(&mut self) -> Result<Vec<String>, DatabaseError> {
        let others = ask!(self.sides, |base| base.others().await);
        Ok(others?.into_iter().flatten().collect())
    }

    async fn set_aside(&mut self, changes: &[Serial]) -> Result<(), DatabaseError> {
        let set_aside = ask!(self.sides, |base| {
            base.set_aside(changes);
            Ok(())
        });
        set_aside.map(drop)
    }

    /// Sets changes aside that are nobody's, and counts them.
    async fn stray(&mut self, changes: Vec<Change>) -> Result<(), DatabaseError> {
        self.set_aside(&numbers(&changes)).await?;
        for change in changes {
            *self.strays.entry(change.table).or_default() += 1;
        }
        Ok(())
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
        let mut mine = std::mem::take(&mut attributed.background);
        mine.extend(self.only_ours(&attributed.unexplained).await?);
        mine.extend(attributed.explained.iter().map(|(_, change)| change.seq));
        self.claim_numbers(&mine).await?;
        Ok(attributed)
    }

    /// The numbers of those changes that nothing explains and that no other run can have made. The others stay, and are told at
    /// the end.
    async fn only_ours(&mut self, changes: &[Change]) -> Result<BTreeSet<Serial>, DatabaseError> {
        if changes.is_empty() {
            return Ok(BTreeSet::new());
        }
        let exclusive = self.sides.exclusive().await?;
        let (ours, others): (Vec<_>, Vec<_>) = changes
            .iter()
            .partition(|change| exclusive.contains(&change.seq.place));
        self.leave_alone(&others).await?;
        Ok(ours.into_iter().map(|change| change.seq).collect())
    }

    /// What nothing explains stays where another run can have done it, and is told at the end.
    async fn leave_alone(&mut self, changes: &[&Change]) -> Result<(), DatabaseError> {
        self.set_aside(&numbers(changes.iter().copied())).await?;
        for change in changes {
            let row = if change.new.is_null() {
                &change.old
            } else {
                &change.new
            };
            let key = self.catalog.key_of(&change.table, row);
            let leftover = Leftover {
                tbl: change.table.clone(),
                op: change.operation.as_str().to_owned(),
                key: (key != json!({})).then_some(key),
                reason: Some("nothing explains it, and another run was there".to_owned()),
            };
            self.leftovers.push(leftover.shortened());
        }
        Ok(())
    }

    async fn claim_numbers(&mut self, numbers: &[Serial]) -> Result<(), DatabaseError> {
        let claimed = ask!(self.sides, |base| base.claim(numbers).await);
        claimed.map(drop)
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
        let ended = ask!(self.sides, |base| base.end_batch().await);
        ended?;
        self.expected.clear();
        if self.inserted > VACUUM {
            self.inserted = 0;
            let vacuumed = ask!(self.sides, |base| base.vacuum().await);
            vacuumed?;
        }
        Ok(late)
    }

    /// Undoes what was written after the batch of the last cell, which was swept alone, was undone, and gives it.
    pub(super) async fn restore_late(
        &mut self,
        known: Knowledge<'_>,
    ) -> Result<Vec<Change>, DatabaseError> {
        let mut late = self.attributed(known).await?.unexplained;
        let ours = self.only_ours(&late).await?;
        late.retain(|change| ours.contains(&change.seq));
        if late.is_empty() {
            return Ok(late);
        }
        self.begin_batch().await?;
        self.claim_numbers(&numbers(&late)).await?;
        self.restore(known).await?;
        self.is_late = true;
        Ok(late)
    }

    /// Says that a write came late, and waits longer from then on.
    pub(super) fn is_late(&mut self, late: &[Change]) {
        self.is_late |= !late.is_empty();
    }

    async fn claim_known(&mut self, known: Knowledge<'_>) -> Result<Vec<Change>, DatabaseError> {
        let changes = self.read().await?;
        if changes.is_empty() {
            return Ok(changes);
        }
        let others = self.read_others().await?;
        let alone = others.is_empty();
        self.others.extend(others);
        let attribution = Attribution::new(known, &self.others, &self.background);
        let mut mine = attribution.own(&changes);
        let unmarked = |change: &&Change| alone && self.background.has_unmarked(change);
        mine.extend(changes.iter().filter(unmarked).map(|change| change.seq));
        self.claim_numbers(&mine).await?;
        let mut late = self.attributed(known).await?.unexplained;
        let ours = self.only_ours(&late).await?;
        late.retain(|change| ours.contains(&change.seq));
        self.claim_numbers(&numbers(&late)).await?;
        Ok(late)
    }

    /// Undoes what the journal has; of rows that no journal knows, deletes those after the first `keep`.
    async fn undo(
        &mut self,
        known: Knowledge<'_>,
        extent: Extent,
        [keep, fleeting]: [usize; 2],
    ) -> Result<Vec<Leftover>, DatabaseError> {
        let left = self.sides.undo(extent, &self.background).await?;
        debug!(?extent, left = left.len(), "undid rows");
        let rows = self.unwatched.split_off(keep.min(self.unwatched.len()));
        self.sides.delete(&rows).await?;
        self.fleeting.truncate(fleeting);
        let named = left.into_iter().map(|leftover| named(leftover, known));
        Ok(named.collect())
    }
}

/// The numbers of changes.
fn numbers<'c>(changes: impl IntoIterator<Item = &'c Change>) -> Vec<Serial> {
    changes.into_iter().map(|change| change.seq).collect()
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
const UNWATCHED: &str = "the database's role owns neither all tables nor the right to make a schema, and may not read tables \
    or make temporary ones to compare them: effects are not observed, and rows that the service makes or changes stay as it \
    leaves them";

/// What a person must know of a run that compares the tables.
const COMPARED: &str = "the database's role owns neither all tables nor the right to make a schema: the tables are compared \
    after the calls. What a call makes and takes back is not seen, and if the run is killed, rows that the service made or \
    changes stay as it left them";

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
