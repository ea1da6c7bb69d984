//! What changes while nothing is called.

use std::time::Duration;

use authz_pin_database::Change;
use authz_pin_database::{DatabaseError, Serial};
use authz_pin_record::text::in_backticks;

use super::sides::{ask, each};
use super::{Pause, Store};
use crate::symbols::Knowledge;

impl Store<'_> {
    /// Says which tables the suite has in the background that the service has not: one of another release, or a slip of the
    /// pen.
    pub(in crate::sweep) fn tell_what_is_no_table(&self) {
        let mut unmatched = self.background.unmatched(&self.catalog);
        // What a database has of which no URL was given is not known.
        unmatched.retain(|pattern| !self.sides.is_absent(pattern));
        if unmatched.is_empty() || !self.sides.has_journal() {
            return;
        }
        self.progress.note(&format!(
            "background.tables: the service has no table {}",
            in_backticks(&unmatched)
        ));
    }

    /// Waits until what calls wrote is there, and undoes what no cell explains. Gives that, and the number of the last
    /// change of each database: what comes after it is no call's.
    pub(in crate::sweep) async fn settle(
        &mut self,
        known: Knowledge<'_>,
    ) -> Result<(Vec<Change>, Vec<Serial>), DatabaseError> {
        self.wait(Pause::Settle).await?;
        self.watch_new().await?;
        let late = self.restore_late(known).await?;
        let last = ask!(self.sides, |base| {
            let number = base.last().await?;
            Ok(base.which().serial(number))
        });
        Ok((late, last?))
    }

    /// How long after the calls were waited for something that comes is still taken for theirs, where it would prove that the
    /// service writes by itself.
    pub(in crate::sweep) fn grace(&self) -> Duration {
        (self.settle * 4).min(Duration::from_secs(2))
    }

    /// What changed after the changes of these numbers in any of the databases, whoever is named in it, but for what the suite says of the service's own
    /// writes.
    pub(in crate::sweep) async fn changed_since(
        &mut self,
        last: &[Serial],
    ) -> Result<Vec<Change>, DatabaseError> {
        let mut changes = self.read().await?;
        let is_after = |seq: Serial| {
            let mut last = last.iter();
            last.any(|last| last.place == seq.place && last.number < seq.number)
        };
        changes.retain(|change| {
            is_after(change.seq) && !change.is_adopted && !self.background.has(change)
        });
        Ok(changes)
    }
}
