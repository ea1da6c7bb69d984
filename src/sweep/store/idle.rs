//! What changes while nothing is called.

use std::time::Duration;

use super::{Pause, Store, quoted};
use crate::database::DatabaseError;
use crate::journal::Change;
use crate::symbols::Knowledge;

impl Store<'_> {
    /// Says which tables the suite has in the background that the service has not: one of another release, or a slip of the
    /// pen.
    pub(in crate::sweep) fn tell_what_is_no_table(&self) {
        let unmatched = self.background.unmatched(&self.catalog);
        if unmatched.is_empty() || self.journal.is_none() {
            return;
        }
        self.progress.note(&format!(
            "background.tables: the service has no table {}",
            quoted(&unmatched)
        ));
    }

    /// Waits until what calls wrote is there, and undoes what no cell explains. Gives that, and the number of the last change:
    /// what comes after it is no call's.
    pub(in crate::sweep) async fn settle(
        &mut self,
        known: Knowledge<'_>,
    ) -> Result<(Vec<Change>, i64), DatabaseError> {
        self.wait(Pause::Settle).await?;
        self.watch_new().await?;
        let late = self.restore_late(known).await?;
        let last = match &self.journal {
            Some(journal) => journal.last(&mut self.database).await?,
            None => 0,
        };
        Ok((late, last))
    }

    /// How long after the calls were waited for something that comes is still taken for theirs, where it would prove that the
    /// service writes by itself.
    pub(in crate::sweep) fn grace(&self) -> Duration {
        (self.settle * 4).min(Duration::from_secs(2))
    }

    /// What changed after the change of this number, whoever is named in it, but for what the suite says of the service's own
    /// writes.
    pub(in crate::sweep) async fn changed_since(
        &mut self,
        last: i64,
    ) -> Result<Vec<Change>, DatabaseError> {
        let Some(journal) = &self.journal else {
            return Ok(Vec::new());
        };
        let changes = journal.read(&mut self.database).await?.into_iter();
        let is_new = |change: &Change| {
            change.seq > last && !change.is_adopted && !self.background.has(change)
        };
        Ok(changes.filter(is_new).collect())
    }
}
