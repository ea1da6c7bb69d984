//! The way back by requests: all there is without a journal, and before the journal's with one.

use std::sync::Arc;
use std::time::Duration;

use authz_pin_database::Presence;
use authz_pin_record::chain::chain;
use authz_pin_suite::suite::{Endpoint, Kind, StepSpec};
use authz_pin_suite::template::{Scope, Value};
use authz_pin_suite::world::Instance;
use futures::FutureExt;

use super::made::{Made, Removal, Stage, secrets};
use super::step::{shortened, title};
use super::{LONGEST, StepFailure};
use crate::http::HttpError;
use crate::provision::Cell;
use crate::stop;
use crate::sweep::fire::in_order;
use crate::sweep::store::Store;
use crate::sweep::{SweepError, Sweeper};

/// What a removal can be answered with where there is nothing to remove any more.
pub(super) const GONE: &[u16] = &[404, 410];

/// Why something was not removed.
enum Unremoved {
    /// For this reason.
    Failed(String),
    /// Its setup failed before all was known that its removal needs.
    Unknown,
}

/// The stages, the last one first.
const STAGES: [Stage; 5] = [
    Stage::Captured,
    Stage::Target,
    Stage::Fresh,
    Stage::Endpoint,
    Stage::World,
];

impl<'a> Sweeper<'a> {
    /// Whether the journal knows the way back from what requests make.
    pub(in crate::sweep) fn is_journalled(&self) -> bool {
        self.store.as_ref().is_some_and(Store::is_journalled)
    }

    /// An entity that a call under test has made, and that its kind knows how to remove. Its cell is told by
    /// its place in the batch, and by its number.
    pub(in crate::sweep) fn made_by_call(
        &self,
        (name, kind): (&str, &'a Kind),
        scope: &Scope,
        it: &Instance,
        (place, number): (usize, usize),
    ) {
        if kind.teardown.is_empty() {
            return;
        }
        let mut scope = scope.clone();
        scope.insert("name", Value::from(name));
        self.setups.begin(Made {
            stage: Stage::Captured,
            what: format!("`{name}`"),
            teardown: &kind.teardown,
            scope: it.within(&scope),
            fresh: self.setups.fresh_at(place),
            cell: Some(number),
            secrets: secrets(it),
            is_gone: false,
            has_failed: false,
        });
    }

    /// Whether what calls make is removed by requests.
    pub(in crate::sweep) fn removes_by_requests(&self, endpoint: &Endpoint) -> bool {
        let kinds = &self.suite.world.kinds;
        let captured = endpoint.spec.capture.values();
        let mut captured = captured.filter_map(|spec| kinds.get(&spec.kind));
        captured.any(|kind| !kind.teardown.is_empty())
    }

    /// Whether a batch has made anything that is removed by requests.
    pub(in crate::sweep) fn has_to_take_back(&self) -> bool {
        self.setups.removals(Stage::Endpoint) > 0
    }

    /// Takes back by requests what a batch has made. What that writes is the run's: all of it, if the run is alone on the
    /// database, and else what holds its values, as undoing the batch will find.
    pub(in crate::sweep) async fn take_batch_back(&mut self) -> Result<(), SweepError> {
        let is_alone = self.store.as_ref().is_some_and(Store::is_alone);
        let is_told_by_time = self.has_to_take_back() && is_alone;
        if is_told_by_time {
            self.begin_removal(Stage::Endpoint).await?;
        }
        self.take_back(Stage::Endpoint).await?;
        if is_told_by_time {
            self.claim_setup().await?;
        }
        Ok(())
    }

    async fn begin_removal(&mut self, from: Stage) -> Result<(), SweepError> {
        let removals = u32::try_from(self.setups.removals(from)).unwrap_or(u32::MAX);
        let one = Duration::from_secs(self.suite.file.service.timeout_s).min(LONGEST);
        let window = one.saturating_mul(removals).min(LONGEST);
        if let Some(store) = &mut self.store {
            store.begin_setup(window).await?;
        }
        Ok(())
    }

    /// Takes back by requests what was made in this stage of the run and in those after it.
    async fn take_back(&mut self, from: Stage) -> Result<(), SweepError> {
        for stage in STAGES.into_iter().filter(|stage| *stage >= from) {
            let at_once = match stage {
                Stage::Captured | Stage::Target | Stage::Fresh => self.options.concurrency,
                Stage::Endpoint | Stage::World => 1,
            };
            let queues = self.setups.queues(stage).into_iter();
            let removals = queues.map(|queue| self.remove_all(queue).boxed());
            let left = in_order(removals.collect(), at_once).await?;
            self.left.extend(left.into_iter().flatten());
        }
        self.setups.forget(from);
        Ok(())
    }

    /// Removes what was made, one after the other; gives what stays in the service then.
    async fn remove_all(&self, slots: Vec<usize>) -> Result<Vec<String>, SweepError> {
        let mut left = Vec::new();
        for slot in slots {
            left.extend(self.remove(slot).await);
        }
        Ok(left)
    }

    /// Sends the steps that remove what was made; gives what stays in the service then.
    async fn remove(&self, slot: usize) -> Vec<String> {
        let Some(removal) = self.setups.get(slot) else {
            return Vec::new();
        };
        let mut left = Vec::new();
        for step in removal.teardown {
            let failure = match self.remove_step(step, &removal).await {
                Ok(()) => continue,
                Err(Unremoved::Unknown) => {
                    left.extend(self.unknown(step));
                    continue;
                }
                Err(Unremoved::Failed(failure)) => failure,
            };
            if self.is_journalled() {
                self.tell_what_is_refused(step, &failure);
                continue;
            }
            let what = &removal.what;
            let step = self.step_in_full(step, &removal);
            left.push(self.hidden(&format!("{what}, {step}: {failure}")));
        }
        self.setups.is_gone(slot);
        left
    }

    /// A step as a person would do it.
    fn step_in_full(&self, step: &StepSpec, removal: &Removal<'_>) -> String {
        let Some(request) = &step.request else {
            return title(step);
        };
        let rendered = self.templates.render_path(&request.path, &removal.scope);
        let path = rendered.unwrap_or_else(|_| request.path.clone());
        format!("{} {path}", request.method.as_str())
    }

    /// A teardown that is refused is no failure where the journal undoes the rows, but the service may remember what was
    /// there. It is told once for each kind and answer.
    fn tell_what_is_refused(&self, step: &StepSpec, failure: &str) {
        if self.setups.is_unreachable.get() {
            return;
        }
        let failure = self.ledger.named_text(&self.setups.hidden(failure));
        let failure = shortened(&failure);
        let note = format!(
            "teardown, {}: {failure}; its rows are undone all the same",
            title(step)
        );
        if self.setups.told.borrow_mut().insert(note.clone()) {
            self.progress.note(&note);
        }
    }

    /// What a failed setup may have made and nobody knows enough of to remove it, once for each step. A journal undoes the
    /// rows of it all the same.
    fn unknown(&self, step: &StepSpec) -> Option<String> {
        let text = format!(
            "what a failed setup made, {}: the setup failed before all was known that this needs",
            title(step)
        );
        let is_new = self.setups.told.borrow_mut().insert(text.clone());
        (is_new && !self.is_journalled()).then_some(text)
    }

    async fn remove_step(&self, step: &StepSpec, removal: &Removal<'_>) -> Result<(), Unremoved> {
        if self.setups.is_unreachable.get() {
            return Err(Unremoved::Failed("the service is gone".to_owned()));
        }
        let cell = Cell {
            number: removal.cell,
            fresh: removal.fresh.as_deref(),
        };
        let provision = self.provision();
        match provision.take_back(step, &removal.scope, cell).await {
            Ok(()) => Ok(()),
            Err(StepFailure::Refused(_, reason) | StepFailure::Unclear(reason)) => {
                Err(Unremoved::Failed(reason))
            }
            Err(StepFailure::Sweep(SweepError::Template(_))) if removal.has_failed => {
                Err(Unremoved::Unknown)
            }
            Err(StepFailure::Sweep(error)) => {
                let is_gone = matches!(error, SweepError::Http(HttpError::Unreachable { .. }));
                self.setups.is_unreachable.replace(is_gone);
                Err(Unremoved::Failed(chain(&error)))
            }
        }
    }

    /// A text without credentials. Identifiers stay as they are, since a person has to find what is left.
    fn hidden(&self, text: &str) -> String {
        shortened(&self.ledger.hidden_text(&self.setups.hidden(text)))
    }

    /// Takes everything back at the end of the run. With a journal the run is alone meanwhile, so that all that is written
    /// then is its own.
    pub(in crate::sweep) async fn take_all_back(&mut self) -> Result<(), SweepError> {
        let is_told_by_time = self.is_journalled() && self.setups.removals(Stage::World) > 0;
        if !is_told_by_time {
            return self.take_back_unless_stopped().await;
        }
        self.enter(Presence::Alone).await?;
        self.begin_removal(Stage::World).await?;
        let taken = self.take_back_unless_stopped().await;
        let claimed = self.claim_setup().await;
        self.leave().await?;
        taken.and(claimed)
    }

    /// Takes everything back, unless somebody does not want to wait.
    async fn take_back_unless_stopped(&mut self) -> Result<(), SweepError> {
        let asked = stop::asked();
        let under_way = Arc::clone(&self.setups.under_way);
        let asked = async {
            asked.await;
            under_way.write_owned().await
        };
        let is_stopped = tokio::select! {
            done = self.take_back(Stage::World) => return done,
            _ = asked => true,
        };
        if is_stopped && !self.is_journalled() {
            let left = self.setups.all().into_iter();
            let left = left.map(|what| format!("{what}: stopped before it was removed"));
            self.left.extend(left.collect::<Vec<_>>());
        }
        Ok(())
    }
}
