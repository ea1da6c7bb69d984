//! The end of a run: what is left of it is undone, and goes on when somebody asks for the end.

use std::pin::Pin;
use std::time::Duration;

use authz_pin_database::Leftover;

use super::{Progress, SweepError, Sweeper};

/// What is left to be undone of a run.
#[must_use = "a run has to be undone"]
pub struct End<'a> {
    sweeper: Box<Sweeper<'a>>,
    late: Duration,
    /// Whether somebody has asked for the run's end since it began.
    asked: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl<'a> End<'a> {
    pub(super) fn new(
        sweeper: Box<Sweeper<'a>>,
        late: Duration,
        asked: impl Future<Output = ()> + Send + 'static,
    ) -> Self {
        Self {
            sweeper,
            late,
            asked: Box::pin(asked),
        }
    }

    /// Waits for what the service writes late, undoes the run, and takes the journal away.
    pub async fn undo(mut self) -> Result<Undone, SweepError> {
        let progress = self.sweeper.progress;
        let closed = to_its_end(self.sweeper.close(self.late), self.asked, progress).await;
        let leftovers = closed.map_err(|error| self.sweeper.named(error))?;
        Ok(Undone {
            leftovers,
            left: self.sweeper.left,
        })
    }
}

/// Undoes a run to its end. Who asks for an end meanwhile is told that it is near: a run that stopped here would leave rows.
pub(super) async fn to_its_end<T>(
    undo: impl Future<Output = T>,
    asked: impl Future<Output = ()>,
    progress: &dyn Progress,
) -> T {
    let mut undo = std::pin::pin!(undo);
    tokio::select! {
        done = &mut undo => return done,
        () = asked => progress.note(GOES_ON),
    }
    undo.await
}

/// What is said to somebody who asks for the end of a run that is about to end.
const GOES_ON: &str = "interrupted, but the run is nearly over: undoing what it did goes on, so that no row of it stays";

/// What could not be undone of a run.
#[derive(Debug, Default)]
pub struct Undone {
    /// Rows that could not be restored, each with the reason.
    pub leftovers: Vec<Leftover>,
    /// What the run made by requests and could not remove, in words.
    pub left: Vec<String>,
}
