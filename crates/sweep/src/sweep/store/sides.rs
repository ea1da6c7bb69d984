//! The service's databases during a run: each with its journal, and all of them as one.

use authz_pin_suite::tables::parts;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use authz_pin_database::background::Background;
use authz_pin_database::base::Base;
use authz_pin_database::{Address, Catalog, DatabaseError, Which};
use authz_pin_database::{Extent, Leftover};
use authz_pin_record::chain::chain;
use authz_pin_suite::world::Row;

use super::window::Window;
use super::{COMPARED, NAMED, UNWATCHED};
use crate::sweep::Progress;

/// One of the service's databases during a run.
pub(super) struct Side {
    pub(super) base: Box<dyn Base>,
    /// Its tables, by the names that records have for them.
    catalog: Arc<Catalog>,
    /// The time in which an endpoint is swept.
    pub(super) window: Window,
}

impl Side {
    async fn open(
        address: &Address<'_>,
        run: &str,
        background: &Background,
        progress: &dyn Progress,
    ) -> Result<(Self, Vec<Leftover>), DatabaseError> {
        let mut base = address.connect().await?;
        let tell = |text: &str| progress.note(text);
        let leftovers = base.watch(run, &tell).await?;
        if leftovers.is_none() {
            progress.note(&address.which.said(UNWATCHED));
        } else {
            tell_what_is_unwatched(base.as_mut(), progress).await?;
            if base.is_compared() {
                progress.note(&address.which.said(COMPARED));
            }
        }
        let catalog = Arc::new(base.catalog().await?);
        base.expect_writes(background.relations(&catalog));
        let side = Self {
            base,
            catalog,
            window: Window::default(),
        };
        Ok((side, leftovers.unwrap_or_default()))
    }

    pub(super) fn which(&self) -> &Which {
        self.base.which()
    }

    /// Watches tables that the service has made meanwhile; gives the names of those that are new, and none at all if the tables
    /// are those that they were.
    async fn watch_new(
        &mut self,
        progress: &dyn Progress,
    ) -> Result<Option<Vec<String>>, DatabaseError> {
        let tell = |text: &str| progress.note(text);
        let new = self.base.watch_new(&tell).await?;
        if new.is_some() {
            self.catalog = Arc::new(self.base.catalog().await?);
        }
        Ok(new)
    }
}

/// Asks something of each database, one after the other, and gives the answers. No function with an async closure does so: of
/// the future of such a closure the compiler cannot prove for every lifetime that it is `Send`.
macro_rules! each {
    ($sides:expr, |$side:pat_param| $ask:expr) => {{
        let mut answers = Vec::with_capacity($sides.live.len());
        let mut place = 0;
        loop {
            let answer: Result<Option<_>, authz_pin_database::DatabaseError> =
                match $sides.live.get_mut(place) {
                    Some($side) => async { $ask }.await.map(Some),
                    None => break Ok(answers),
                };
            match answer.or_else(|error| $sides.fail(place, error).map(|()| None)) {
                Ok(Some(answer)) => {
                    answers.push(answer);
                    place += 1;
                }
                Ok(None) => {}
                Err(error) => break Err(error),
            }
        }
    }};
}

/// Asks something of each database that has a journal, in the same way.
macro_rules! ask {
    ($sides:expr, |$base:pat_param| $ask:expr) => {{
        let answers = each!($sides, |side| if side.base.is_watched() {
            let $base = &mut side.base;
            let answer: Result<_, authz_pin_database::DatabaseError> = async { $ask }.await;
            answer.map(Some)
        } else {
            Ok(None)
        });
        answers.map(|answers| answers.into_iter().flatten().collect::<Vec<_>>())
    }};
}

pub(super) use {ask, each};

/// The service's databases, the main one first.
pub(super) struct Sides<'p> {
    pub(super) live: Vec<Side>,
    /// All that there were at the beginning: a row belongs to one also when that has failed.
    all: Vec<Which>,
    /// The databases of which no URL was given.
    absent: BTreeSet<String>,
    pub(super) progress: &'p dyn Progress,
    /// What has failed since the run is at its end, where a database that fails keeps the others from nothing.
    failed: Option<Vec<DatabaseError>>,
}

impl<'p> Sides<'p> {
    /// Connects to all of them, and makes their journals; gives what dead runs had left there.
    pub(super) async fn open(
        addresses: &[Address<'_>],
        run: &str,
        background: &Background,
        progress: &'p dyn Progress,
    ) -> Result<(Self, Vec<Leftover>), DatabaseError> {
        let mut sides = Self {
            live: Vec::new(),
            all: addresses
                .iter()
                .map(|address| address.which.clone())
                .collect(),
            absent: BTreeSet::new(),
            progress,
            failed: None,
        };
        let mut leftovers = Vec::new();
        for address in addresses {
            match Side::open(address, run, background, progress).await {
                Ok((side, left)) => {
                    sides.live.push(side);
                    leftovers.extend(left);
                }
                Err(error) => {
                    sides.give_up(&leftovers).await;
                    return Err(error.of(&address.which));
                }
            }
        }
        Ok((sides, leftovers))
    }

    /// Says of which databases no URL was given, so that their silence is no claim.
    pub(super) fn miss(&mut self, absent: BTreeSet<String>) {
        for name in &absent {
            let text = format!("not watched: the database `{name}`, no URL was given");
            self.progress.note(&text);
        }
        self.absent = absent;
    }

    /// Takes the journals away again, since another database cannot be used.
    pub(super) async fn give_up(mut self, leftovers: &[Leftover]) {
        for leftover in leftovers {
            self.progress
                .note(&format!("could not be undone: {leftover}"));
        }
        self.begin_end();
        // What goes wrong is told.
        let _ = self.remove().await;
        self.tell_failed(0);
    }

    /// From here on a database that fails is left out, and told at last.
    pub(super) fn begin_end(&mut self) {
        self.failed.get_or_insert_default();
    }

    /// What failed since then: the first is the error, and the others are told.
    pub(super) fn end(self) -> Result<(), DatabaseError> {
        self.tell_failed(1);
        let failed = self.failed.into_iter().flatten().next();
        failed.map_or(Ok(()), Err)
    }

    fn tell_failed(&self, from: usize) {
        for error in self.failed.iter().flatten().skip(from) {
            self.progress.note(&chain(error));
        }
    }

    /// What follows where a database fails: an error, or at the end of the run that it is left out.
    pub(super) fn fail(&mut self, place: usize, error: DatabaseError) -> Result<(), DatabaseError> {
        let error = error.of(self.live.get(place).map_or(&Which::default(), Side::which));
        let Some(failed) = &mut self.failed else {
            return Err(error);
        };
        failed.push(error);
        self.live.remove(place);
        Ok(())
    }

    /// The databases that have journals.
    pub(super) fn watched(&mut self) -> Vec<&mut dyn Base> {
        let sides = self.live.iter_mut();
        let watched = sides.filter(|side| side.base.is_watched());
        watched
            .map(|side| side.base.as_mut() as &mut dyn Base)
            .collect()
    }

    /// Whether a journal knows the way back, in every one of the databases.
    pub(super) fn are_journalled(&self) -> bool {
        self.live.iter().all(|side| side.base.is_watched())
    }

    /// Whether any of them compares the tables.
    pub(super) fn are_compared(&self) -> bool {
        self.live.iter().any(|side| side.base.is_compared())
    }

    /// Whether every one of these outlives a run that is killed.
    pub(super) fn are_lasting(&self) -> bool {
        self.are_journalled() && !self.are_compared()
    }

    /// Whether any of them has a journal.
    pub(super) fn has_journal(&self) -> bool {
        self.live.iter().any(|side| side.base.is_watched())
    }

    /// The tables of all of them.
    pub(super) fn catalog(&self) -> Result<Arc<Catalog>, DatabaseError> {
        if let [side] = self.live.as_slice() {
            return Ok(Arc::clone(&side.catalog));
        }
        let all = self.live.iter();
        let all = all.map(|side| (side.which(), side.catalog.as_ref()));
        Catalog::of_all(all).map(Arc::new)
    }

    /// The tables whose changes are not seen, though those of others are.
    pub(super) async fn unobserved(&mut self) -> Result<Vec<String>, DatabaseError> {
        let hidden = ask!(self, |base| base.unobserved().await);
        Ok(hidden?.into_iter().flatten().collect())
    }

    /// The same for all of them.
    pub(super) async fn watch_new(&mut self) -> Result<Option<Vec<String>>, DatabaseError> {
        let progress = self.progress;
        let new = each!(self, |side| side.watch_new(progress).await);
        let mut new = new?.into_iter().flatten().peekable();
        let is_changed = new.peek().is_some();
        Ok(is_changed.then(|| new.flatten().collect()))
    }

    /// Whether a table belongs by its name to a database of which no URL was given.
    pub(super) fn is_absent(&self, table: &str) -> bool {
        parts(table).is_some_and(|(name, _)| self.absent.contains(name))
    }

    /// The place of the database that a table belongs to by its name.
    fn place_of(&self, table: &str) -> Result<usize, DatabaseError> {
        if let Some((name, _)) = parts(table).filter(|_| self.is_absent(table)) {
            let (table, name) = (table.to_owned(), name.to_owned());
            return Err(DatabaseError::Absent { table, name });
        }
        let which = self.all.iter().find(|which| which.has(table));
        Ok(which.map_or(0, Which::place))
    }

    /// Rows by the places of their databases.
    fn by_place<'r>(
        &self,
        rows: impl Iterator<Item = &'r Row>,
    ) -> Result<BTreeMap<usize, Vec<&'r Row>>, DatabaseError> {
        let mut all: BTreeMap<usize, Vec<&Row>> = BTreeMap::new();
        for row in rows {
            all.entry(self.place_of(&row.table)?).or_default().push(row);
        }
        Ok(all)
    }

    /// Whether it is known of the database of a table how rows get out of it again.
    pub(super) fn is_journalled(&self, table: &str) -> bool {
        let side = self.side_of(table);
        side.is_some_and(|side| side.base.is_watched())
    }

    /// Whether that is forgotten with the connection.
    pub(super) fn is_compared(&self, table: &str) -> bool {
        let side = self.side_of(table);
        side.is_some_and(|side| side.base.is_compared())
    }

    fn side_of(&self, table: &str) -> Option<&Side> {
        let place = self.place_of(table).unwrap_or_default();
        self.live.iter().find(|side| side.which().place() == place)
    }

    /// Inserts rows, in one transaction of each database. Gives how many came to be in each table.
    pub(super) async fn insert<'r>(
        &mut self,
        rows: &[&'r Row],
    ) -> Result<BTreeMap<&'r str, usize>, DatabaseError> {
        let mut rows = self.by_place(rows.iter().copied())?;
        let inserted = each!(self, |side| {
            let rows = rows.remove(&side.which().place());
            side.base
                .insert(rows.unwrap_or_default(), &side.catalog)
                .await
        });
        Ok(inserted?.into_iter().flatten().collect())
    }

    /// Deletes rows by their keys.
    pub(super) async fn delete(&mut self, rows: &[Row]) -> Result<(), DatabaseError> {
        if rows.is_empty() {
            return Ok(());
        }
        let mut rows = self.by_place(rows.iter())?;
        let deleted = each!(self, |side| {
            let rows = rows.remove(&side.which().place()).unwrap_or_default();
            side.base.delete(rows, &side.catalog).await
        });
        deleted.map(drop)
    }

    /// Undoes what the journals have, in each database.
    pub(super) async fn undo(
        &mut self,
        extent: Extent,
        background: &Background,
    ) -> Result<Vec<Leftover>, DatabaseError> {
        let progress = self.progress;
        let tell = |text: &str| progress.note(text);
        let left = each!(self, |side| {
            let (catalog, which) = (&side.catalog, side.base.which().clone());
            let names = catalog.names().filter(|table| background.is_table(table));
            let names: Vec<&str> = names.map(|table| which.own(table)).collect();
            side.base.claim_referring(&names).await?;
            side.base.undo(extent, &tell).await
        });
        Ok(left?.into_iter().flatten().collect())
    }

    /// Takes the journals away, and tells what of them had to stay.
    pub(super) async fn remove(&mut self) -> Result<(), DatabaseError> {
        let progress = self.progress;
        let tell = |text: &str| progress.note(text);
        let removed = each!(self, |side| {
            let stays = side.base.unwatch(&tell).await?;
            if let Some(stays) = stays {
                progress.note(&stays);
            }
            Ok(())
        });
        removed.map(drop)
    }
}

/// Says which tables are not watched, so that their silence is no claim.
async fn tell_what_is_unwatched(
    base: &mut dyn Base,
    progress: &dyn Progress,
) -> Result<(), DatabaseError> {
    let mut unwatched = base.unwatched().await?;
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
