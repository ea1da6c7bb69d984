//! The end of a run: everything is undone, and the journal goes.

use std::time::Duration;

use authz_pin_database::DatabaseError;
use authz_pin_database::{Extent, Leftover, Presence};

use super::{PAUSE, Store, TRIES};
use crate::stop;
use crate::symbols::Knowledge;

impl Store<'_> {
    /// Undoes what can be undone by now; the end of the run tries the rest again.
    pub(in crate::sweep) async fn undo_now(
        &mut self,
        known: Knowledge<'_>,
    ) -> Result<(), DatabaseError> {
        self.claim_known(known).await?;
        self.undo(known, Extent::Run, [0, 0]).await.map(drop)
    }

    /// Undoes the whole run. What the service changes at this very moment can be known as the run's a moment later.
    pub(super) async fn undo_all(&mut self, known: Knowledge<'_>) -> Result<(), DatabaseError> {
        let mut left = Vec::new();
        for _ in 0..TRIES {
            self.claim_known(known).await?;
            left = self.undo(known, Extent::Run, [0, 0]).await?;
            if left.is_empty() {
                break;
            }
            tokio::time::sleep(self.settle.max(PAUSE)).await;
        }
        self.leftovers.extend(left);
        Ok(())
    }

    /// Waits for what the service writes late, undoes the whole run, and takes the journal away.
    pub(in crate::sweep) async fn close(
        mut self,
        known: Knowledge<'_>,
        late: Duration,
    ) -> Result<Vec<Leftover>, DatabaseError> {
        self.sides.begin_end();
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
        self.sides.remove().await?;
        let ended = self.sides.end();
        if ended.is_err() {
            // The error takes the place of what else is left.
            for leftover in &self.leftovers {
                progress.note(&format!("could not be undone: {leftover}"));
            }
        }
        ended.map(|()| self.leftovers)
    }

    /// At the end of a run only what is known as its own is undone: a run that failed can still be in a window.
    pub(super) async fn enter_end(&mut self) -> Result<(), DatabaseError> {
        if self.sides.presence().is_none() {
            self.enter(Presence::Shared).await?;
            self.sides.end_window();
        }
        Ok(())
    }

    /// Says what changed that nobody explains, between the endpoints.
    pub(super) fn tell_strays(&self) {
        if self.strays.is_empty() {
            return;
        }
        let strays = self.strays.iter();
        let strays = strays.map(|(table, count)| format!("{count} of `{table}`"));
        self.progress.note(&format!(
            "changes that nothing explains were made while no endpoint was swept, or stand in tables that were not watched then, and stay: {}",
            strays.collect::<Vec<_>>().join(", ")
        ));
    }

    pub(super) fn has_background(&self) -> bool {
        self.sides.has_journal()
            && self
                .catalog
                .names()
                .any(|table| self.background.is_table(table))
    }
}
