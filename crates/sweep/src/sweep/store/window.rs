//! The time in which a run sweeps an endpoint, together with other runs or alone, and how its end is waited for.

use std::collections::BTreeSet;

use authz_pin_database::DatabaseError;
use authz_pin_database::Presence;
use authz_pin_database::wait::{idle, quiet};

use super::Store;
use super::sides::{ask, each};

/// The time in which a run sweeps an endpoint, in one of the databases.
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
        if !self.sides.has_journal() {
            return Ok(());
        }
        self.sides.enter(presence).await?;
        let others = self.sides.begin_window().await?;
        self.others.extend(others);
        Ok(())
    }

    /// How the run is there now, if it is.
    pub(in crate::sweep) fn presence(&self) -> Option<Presence> {
        self.sides.presence()
    }

    /// Whether no other run can be there.
    pub(in crate::sweep) fn is_alone(&self) -> bool {
        self.presence() == Some(Presence::Alone)
    }

    /// Ends the time in which an endpoint is swept. A run that was alone stays so while nobody waits: what is written late, before
    /// the next endpoint or the end, is then still known as its own.
    pub(in crate::sweep) async fn leave(&mut self) -> Result<(), DatabaseError> {
        if self.is_alone() && !self.is_wanted().await? {
            return Ok(());
        }
        self.give_way().await
    }

    /// Whether another run waits for any of the databases.
    async fn is_wanted(&mut self) -> Result<bool, DatabaseError> {
        let wanted = ask!(self.sides, |base| base.is_wanted().await);
        Ok(wanted?.contains(&true))
    }

    /// Lets other runs in.
    pub(super) async fn give_way(&mut self) -> Result<(), DatabaseError> {
        self.sides.leave().await
    }

    /// Says while calls are under way that the run is still alone, if it is. What goes wrong is told by the next statement.
    pub(in crate::sweep) async fn stay_alone(&mut self) {
        let _ = self.sides.stay_alone(self.settle).await;
    }

    /// Waits until what the calls wrote is there. A cell that is swept alone has nobody else to wait for than the service's
    /// sessions, unless a write came later once.
    pub(super) async fn wait(&mut self, pause: Pause) -> Result<(), DatabaseError> {
        if !self.sides.has_journal() {
            return Ok(());
        }
        if pause == Pause::Settle || self.is_late {
            return quiet(&mut self.sides.watched(), self.settle).await;
        }
        if pause == Pause::Idle {
            return idle(&mut self.sides.watched(), self.settle).await;
        }
        let answered = ask!(self.sides, |base| base.now().await);
        let mut answered = answered?.into_iter();
        quiet(&mut self.sides.watched(), self.settle).await?;
        let late = ask!(self.sides, |base| {
            let answered = answered.next().unwrap_or_default();
            base.has_since(answered).await
        });
        self.is_late = late?.contains(&true);
        Ok(())
    }
}
