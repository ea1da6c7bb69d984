//! Runs take turns on each of the service's databases, and what changes meanwhile is told by its time.

use std::collections::BTreeSet;
use std::time::Duration;

use authz_pin_database::Presence;
use authz_pin_database::{DatabaseError, Serial};

use super::IN_FLIGHT;
use super::sides::{Side, Sides, each};
use super::window::Window;
use crate::sweep::Progress;

impl Side {
    /// Whether it is entered. Whoever has been in the way for a second is told to those who want to know.
    async fn enter(
        &mut self,
        presence: Presence,
        waits: Option<&dyn Progress>,
    ) -> Result<bool, DatabaseError> {
        if !self.base.is_watched() {
            return Ok(true);
        }
        if self.base.enter(presence).await? {
            self.window.presence = Some(presence);
            return Ok(true);
        }
        if let Some(progress) = waits {
            let who = self.base.who_is_in().await?;
            let text = format!("waiting for another run: {who}");
            progress.note(&self.base.which().said(&text));
        }
        Ok(false)
    }

    async fn leave(&mut self) -> Result<(), DatabaseError> {
        match self.window.presence.take() {
            Some(presence) => self.base.leave(presence).await,
            None => Ok(()),
        }
    }

    /// Whether nobody but the run can have changed anything in this window: it has the lock for itself, or no other run has
    /// been there at all.
    async fn is_exclusive(&mut self) -> Result<bool, DatabaseError> {
        match (self.window.presence, self.window.sole) {
            (Some(Presence::Alone), _) => Ok(true),
            (Some(Presence::Shared), Some(runs)) => {
                let others = self.base.others().await?;
                Ok(others.is_empty() && self.base.runs().await? == runs)
            }
            _ => Ok(false),
        }
    }

    /// For how long what changes is the run's because nobody else is there, should it be killed.
    fn alone(&self, settle: Duration) -> Option<(Presence, Duration)> {
        let is_alone = self.window.presence == Some(Presence::Alone) || self.window.sole.is_some();
        let presence = self.window.presence.filter(|_| is_alone)?;
        Some((presence, settle + IN_FLIGHT))
    }
}

impl Sides<'_> {
    /// Enters all databases, one after the other in the order that all runs have. A suite that has other names for the same
    /// databases has another order: so a run that has waited a second for one of them lets go of the others, and begins again.
    pub(super) async fn enter(&mut self, presence: Presence) -> Result<(), DatabaseError> {
        let (mut is_told, progress) = (false, self.progress);
        loop {
            let mut is_in = true;
            let entered = each!(self, |side| {
                if is_in {
                    let waits = (!is_told).then_some(progress);
                    is_in = side.enter(presence, waits).await?;
                    is_told |= !is_in && waits.is_some();
                }
                Ok(())
            });
            entered?;
            if is_in {
                return Ok(());
            }
            self.leave().await?;
        }
    }

    /// Begins the time in which an endpoint is swept; gives what other runs made.
    pub(super) async fn begin_window(&mut self) -> Result<Vec<String>, DatabaseError> {
        let others = each!(self, |side| {
            if !side.base.is_watched() {
                return Ok(Vec::new());
            }
            let others = side.base.others().await?;
            let runs = side.base.runs().await?;
            side.window = Window {
                from: side.base.last().await?,
                sole: others.is_empty().then_some(runs),
                ..side.window
            };
            Ok(others)
        });
        Ok(others?.into_iter().flatten().collect())
    }

    /// From here on nothing is the run's because of its time.
    pub(super) fn end_window(&mut self) {
        for side in &mut self.live {
            side.window.from = i64::MAX;
        }
    }

    /// Lets other runs in.
    pub(super) async fn leave(&mut self) -> Result<(), DatabaseError> {
        let left = each!(self, |side| side.leave().await);
        left.map(drop)
    }

    /// How the run is there, if it is, wherever there is a journal.
    pub(super) fn presence(&self) -> Option<Presence> {
        let mut sides = self.live.iter().filter(|side| side.base.is_watched());
        let presence = sides.next()?.window.presence;
        presence.filter(|_| sides.all(|side| side.window.presence == presence))
    }

    /// Whether a change was made since the window began.
    pub(super) fn is_in_window(&self, change: Serial) -> bool {
        let mut sides = self.live.iter();
        sides.any(|side| side.which().place() == change.place && side.window.from < change.number)
    }

    /// The places of the databases where nobody but the run can have changed anything in this window.
    pub(super) async fn exclusive(&mut self) -> Result<BTreeSet<usize>, DatabaseError> {
        let places = each!(self, |side| {
            let place = side.which().place();
            Ok(side.is_exclusive().await?.then_some(place))
        });
        Ok(places?.into_iter().flatten().collect())
    }

    /// Remembers identifiers in every database, and for how long what changes there is the run's.
    pub(super) async fn remember(
        &mut self,
        identifiers: &[String],
        settle: Duration,
    ) -> Result<(), DatabaseError> {
        let remembered = each!(self, |side| {
            let alone = side.alone(settle);
            side.base.remember(identifiers, alone).await
        });
        remembered.map(drop)
    }

    /// Keeps that up while calls are under way.
    pub(super) async fn stay_alone(&mut self, settle: Duration) -> Result<(), DatabaseError> {
        let stays = each!(self, |side| match side.alone(settle) {
            Some((_, alone)) => side.base.stay_alone(alone).await,
            None => Ok(()),
        });
        stays.map(drop)
    }
}
