//! The time in which a run sweeps an endpoint, together with other runs or alone, and how its end is waited for.

use std::collections::BTreeSet;
use std::time::Duration;

use super::{IN_FLIGHT, Store};
use crate::database::DatabaseError;
use crate::journal::Presence;

/// The time in which a run sweeps an endpoint.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Window {
    /// The last change before it.
    pub(super) from: i64,
    pub(super) presence: Option<Presence>,
    /// How many runs had begun until then, if no other one was there.
    pub(super) sole: Option<i64>,
}

/// How the end of what calls write is waited for.
#[derive(Debug, Clone)]
pub(in crate::sweep) enum Wait {
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
    pub(in crate::sweep) fn after(self, status: Option<u16>) -> Pause {
        match self {
            Self::Settle => Pause::Settle,
            Self::Idle { seen } if seen.contains(&status) => Pause::Idle,
            Self::Idle { .. } => Pause::Both,
        }
    }
}

/// What is waited for after calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sweep) enum Pause {
    /// That nothing is logged.
    Settle,
    /// That the service is idle.
    Idle,
    /// That nothing is logged, and whether the service writes anything after it has answered.
    Both,
}

impl Store<'_> {
    /// Begins the time in which an endpoint is swept.
    pub(in crate::sweep) async fn enter(
        &mut self,
        presence: Presence,
    ) -> Result<(), DatabaseError> {
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

    /// Whether no other run can be there.
    pub(in crate::sweep) fn is_alone(&self) -> bool {
        self.window.presence == Some(Presence::Alone)
    }

    /// Ends the time in which an endpoint is swept. A run that was alone stays so while nobody waits: what is written late, before
    /// the next endpoint or the end, is then still known as its own.
    pub(in crate::sweep) async fn leave(&mut self) -> Result<(), DatabaseError> {
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
    pub(super) async fn give_way(&mut self) -> Result<(), DatabaseError> {
        match (&self.journal, self.window.presence.take()) {
            (Some(journal), Some(presence)) => journal.leave(&mut self.database, presence).await,
            _ => Ok(()),
        }
    }

    /// Whether nobody but the run can have changed anything in this window: it has the lock for itself, or no other run has
    /// been there at all.
    pub(super) async fn is_exclusive(&mut self) -> Result<bool, DatabaseError> {
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

    /// For how long what changes is the run's because nobody else is there, should it be killed.
    pub(super) fn alone(&self) -> Option<(Presence, Duration)> {
        let is_alone = self.is_alone() || self.window.sole.is_some();
        let presence = self.window.presence.filter(|_| is_alone)?;
        Some((presence, self.settle + IN_FLIGHT))
    }

    /// Keeps that up while calls are under way. What goes wrong is told by the next statement.
    pub(in crate::sweep) async fn stay_alone(&mut self) {
        if let (Some(journal), Some((_, alone))) = (&self.journal, self.alone()) {
            let _ = journal.stay_alone(&mut self.database, alone).await;
        }
    }

    /// Waits until what the calls wrote is there. A cell that is swept alone has nobody else to wait for than the service's
    /// sessions, unless a write came later once.
    pub(super) async fn wait(&mut self, pause: Pause) -> Result<(), DatabaseError> {
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
}
