//! What a run sent, told to whoever asks: by its log and by a HAR file, with names in place of values.

use std::sync::Arc;

use authz_pin_suite::plan::PlannedCell;
use authz_pin_suite::suite::Suite;
use tracing::{Level, debug, enabled};

use super::Sweeper;
use crate::har::{Batch, Recording};
use crate::http::{Exchange, Sent, Tape};

/// Where requests are kept until their values have names, and what is known of them.
pub(super) struct Telling<'a> {
    pub(super) tape: Arc<Tape>,
    /// How many endpoints have begun.
    pub(super) begun: usize,
    /// Whether canaries are under way.
    pub(super) is_canary: bool,
    /// The number of the first cell that is under way, and the cells.
    batch: (usize, Vec<PlannedCell<'a>>),
    recording: Option<Arc<Recording>>,
}

impl Telling<'_> {
    /// None where nobody wants to know.
    pub(super) fn new(recording: Option<Arc<Recording>>) -> Option<Self> {
        if recording.is_none() && !enabled!(Level::DEBUG) {
            return None;
        }
        if let Some(recording) = &recording {
            recording.begin();
        }
        Some(Self {
            tape: Arc::default(),
            begun: 0,
            is_canary: false,
            batch: Default::default(),
            recording,
        })
    }
}

impl<'a> Sweeper<'a> {
    /// From here on requests are of these cells.
    pub(super) fn begin_telling(&mut self, first: usize, cells: &[PlannedCell<'a>]) {
        if let Some(telling) = &mut self.telling {
            telling.batch = (first, cells.to_vec());
        }
    }

    /// From here on requests are of the endpoint at that place of the plan.
    pub(super) fn tell_endpoint(&mut self, begun: usize) {
        if let Some(telling) = &mut self.telling {
            telling.begun = begun;
        }
    }

    /// From here on requests are canaries, or no more.
    pub(super) fn tell_canaries(&mut self, is_canary: bool) {
        if let Some(telling) = &mut self.telling {
            telling.is_canary = is_canary;
        }
    }

    /// Tells what was sent since the last time. The values of the batch have to be known by now.
    pub(super) fn tell_requests(&mut self) {
        let Some(telling) = &mut self.telling else {
            return;
        };
        let exchanges = telling.tape.take();
        let (first, cells) = std::mem::take(&mut telling.batch);
        let ranked = cells
            .into_iter()
            .map(|cell| (cell, rank(self.suite, &cell)));
        let batch = Batch {
            namer: self.ledger.namer(),
            begun: telling.begun,
            is_canary: telling.is_canary,
            first,
            cells: ranked.collect(),
        };
        for exchange in &exchanges {
            log(&batch, exchange);
        }
        if let Some(recording) = &telling.recording {
            recording.keep(&batch, &exchanges);
        }
    }
}

/// Where a cell stands in the suite.
fn rank(suite: &Suite, cell: &PlannedCell<'_>) -> (usize, usize) {
    let endpoint = suite
        .endpoints
        .iter()
        .find(|one| &one.name == cell.endpoint);
    let targets = endpoint.map_or(&[][..], |endpoint| &endpoint.spec.targets);
    let target = targets.iter().position(|target| target == cell.target);
    let actor = suite.world.actors.get_index_of(cell.actor);
    (target.unwrap_or(usize::MAX), actor.unwrap_or(usize::MAX))
}

fn log(batch: &Batch<'_>, exchange: &Exchange) {
    let request = &exchange.call;
    let path = batch.namer.name(&request.path, batch.view(request)).text;
    // What stands in it besides may be anything.
    let path = path.split_once('?').map_or(&*path, |(path, _)| path);
    let purpose = request.origin.map(|origin| origin.purpose.to_string());
    let of = batch
        .cell(request)
        .map(|(planned, _)| format!(" of {planned}"));
    let status = match &exchange.sent {
        Sent::Answer(answer) => answer.status.to_string(),
        Sent::Fault(fault) => fault.to_string(),
        Sent::Nothing => "no connection".to_owned(),
    };
    debug!(
        "{} {path}: {status} in {} ms ({}{})",
        request.method.as_str(),
        exchange.took.as_millis(),
        purpose.unwrap_or_default(),
        of.unwrap_or_default(),
    );
}
