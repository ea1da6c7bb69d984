//! What a run inserts: rows of the world and of batches, each of which has to show up in the journal.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use authz_pin_database::DatabaseError;
use authz_pin_database::Presence;
use authz_pin_database::wait::quiet;
use authz_pin_suite::world::{Row, Scratch};
use tracing::debug;

use super::sides::{ask, each};
use super::{IN_FLIGHT, Store, identifiers, numbers};
use crate::symbols::Knowledge;

impl Store<'_> {
    /// Inserts rows of the world.
    pub(in crate::sweep) async fn insert_world(
        &mut self,
        rows: &[Row],
    ) -> Result<(), DatabaseError> {
        if self.sides.presence().is_none() {
            self.enter(Presence::Shared).await?;
        }
        let inserted = self.insert(&rows.iter().collect::<Vec<_>>()).await;
        self.world_rows = [self.unwatched.len(), self.fleeting.len()];
        inserted
    }

    /// Inserts rows of a batch that come before its others, since requests need them.
    pub(in crate::sweep) async fn insert_rows(
        &mut self,
        rows: &[Row],
    ) -> Result<(), DatabaseError> {
        self.insert(&rows.iter().collect::<Vec<_>>()).await
    }

    /// From here on and for so long, what changes belongs to a setup: should the run be killed, it is the run's.
    pub(in crate::sweep) async fn begin_setup(
        &mut self,
        window: Duration,
    ) -> Result<(), DatabaseError> {
        let window = Some((Presence::Alone, window + self.settle + IN_FLIGHT));
        let begun = ask!(self.sides, |base| base.remember(&[], window).await);
        begun.map(drop)
    }

    /// The same for the setup of an endpoint, which is undone with the batch that comes after it.
    pub(in crate::sweep) async fn begin_endpoint(
        &mut self,
        window: Duration,
    ) -> Result<(), DatabaseError> {
        self.begin_batch().await?;
        self.begin_setup(window).await
    }

    pub(super) async fn begin_batch(&mut self) -> Result<(), DatabaseError> {
        if self.is_batch || !self.sides.has_journal() {
            return Ok(());
        }
        let begun = ask!(self.sides, |base| base.begin_batch().await);
        begun?;
        self.is_batch = true;
        self.expected.clear();
        Ok(())
    }

    /// Waits until what a setup wrote is there, and claims it as the run's: all but what is an earlier cell's or another
    /// run's. The run has to be alone on the database.
    pub(in crate::sweep) async fn claim_setup(
        &mut self,
        known: Knowledge<'_>,
        identifiers: &[String],
    ) -> Result<(), DatabaseError> {
        if !self.sides.has_journal() {
            return Ok(());
        }
        quiet(&mut self.sides.watched(), self.settle).await?;
        self.watch_new().await?;
        let attributed = self.attributed(known).await?;
        self.claim_numbers(&numbers(&attributed.unexplained))
            .await?;
        self.remember(identifiers).await
    }

    pub(super) async fn remember(&mut self, identifiers: &[String]) -> Result<(), DatabaseError> {
        self.sides.remember(identifiers, self.settle).await
    }

    /// Inserts the scratch rows of a batch, after which the journal belongs to that batch.
    pub(in crate::sweep) async fn seed(
        &mut self,
        scratches: &[Scratch],
    ) -> Result<(), DatabaseError> {
        self.begin_batch().await?;
        self.remember(&identifiers(scratches)).await?;
        let rows = scratches.iter().flat_map(|scratch| &scratch.rows);
        self.insert(&rows.collect::<Vec<_>>()).await
    }

    pub(super) async fn insert(&mut self, rows: &[&Row]) -> Result<(), DatabaseError> {
        if rows.is_empty() {
            return Ok(());
        }
        self.inserted += rows.len();
        // Known before they are there: a run can be interrupted in between.
        if !self.sides.are_lasting() {
            let unwatched = rows.iter().copied();
            let unwatched = unwatched.filter(|row| !self.sides.is_journalled(&row.table));
            self.unwatched.extend(unwatched.cloned());
            let fleeting = rows.iter().copied();
            let fleeting = fleeting.filter(|row| self.sides.is_compared(&row.table));
            self.fleeting.extend(fleeting.cloned());
        }
        let inserted = self.sides.insert(rows).await?;
        self.tell_what_is_kept_out(rows, &inserted);
        debug!(?inserted, "rows");
        for (table, count) in inserted {
            if !self.sides.is_journalled(table) {
                continue;
            }
            *self.expected.entry(table.to_owned()).or_default() += count;
        }
        self.check_seeds(rows).await
    }

    /// The name under which the changes of a table are logged.
    fn root<'t>(&'t self, table: &'t str) -> &'t str {
        let known = self.catalog.table(table);
        known.map_or(table, |known| known.root.as_str())
    }

    /// Says of which tables the service's own triggers and rules kept rows out: what the suite wanted there is not there.
    fn tell_what_is_kept_out(&mut self, rows: &[&Row], inserted: &BTreeMap<&str, usize>) {
        let mut wanted = BTreeMap::<&str, usize>::new();
        for row in rows {
            *wanted.entry(&row.table).or_default() += 1;
        }
        for (table, wanted) in wanted {
            let there = inserted.get(table).copied().unwrap_or(0);
            if there < wanted && self.kept_out.insert(table.to_owned()) {
                self.progress.note(&format!(
                    "{there} of the {wanted} rows that the suite inserts into `{table}` came to be: a trigger or a rule of the \
                     service keeps the others out, or puts them elsewhere"
                ));
            }
        }
    }

    /// What the run inserts has to show up in the journal, table by table: else what calls do there is not seen either, and
    /// the rows are deleted by their keys.
    pub(super) async fn check_seeds(&mut self, rows: &[&Row]) -> Result<(), DatabaseError> {
        if self.expected.is_empty() {
            return Ok(());
        }
        let logged = ask!(self.sides, |base| base.inserted().await);
        let logged: BTreeMap<String, usize> = logged?.into_iter().flatten().collect();
        let is_missing = |table: &String| {
            let expected = self.expected.get(table).copied().unwrap_or(0);
            logged.get(self.root(table)).copied().unwrap_or(0) < expected
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
        let lost = rows.iter().copied();
        let lost = lost.filter(|row| missing.contains(&row.table));
        self.unwatched.extend(lost.cloned());
        for table in missing {
            if self.unobserved.insert(self.root(&table).to_owned()) {
                self.progress.note(&format!(
                    "what the run inserted into `{table}` does not show up in the journal: what calls change there is not \
                     observed, and the records say so"
                ));
            }
        }
        Ok(())
    }
}
