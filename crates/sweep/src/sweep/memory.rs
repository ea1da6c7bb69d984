//! Whether the service remembers what was undone: a read that was allowed has to be answered as before.

use std::collections::BTreeSet;

use authz_pin_database::Presence;
use authz_pin_record::observation::Observation;
use authz_pin_record::record::{Cell, Record};
use authz_pin_suite::plan::{EndpointPlan, PlannedCell};
use authz_pin_suite::suite::Suite;

use super::store::Wait;
use super::{SweepError, Sweeper};

impl<'a> Sweeper<'a> {
    /// Once everything but the world is undone, asks for each actor once more what it was allowed to read, and tells what
    /// is answered in another way.
    pub(super) async fn ask_again(
        &mut self,
        plan: &'a [EndpointPlan<'a>],
    ) -> Result<(), SweepError> {
        let reads = |plan: &EndpointPlan<'_>| plan.endpoint.spec.request.method.is_safe();
        if !self.is_journalled() || plan.iter().all(reads) {
            return Ok(());
        }
        for (plan, cells) in self.chosen(plan) {
            let before = self.ledger.count();
            // What a read writes without a symbol is undone only where the run is alone.
            self.enter(Presence::Alone).await?;
            self.batch(plan.endpoint, &cells, Wait::Settle).await?;
            self.leave().await?;
            let asked = self.ledger.since(before).iter();
            let record = self.found.records.get(&plan.endpoint.name);
            let changed = asked.filter_map(|swept| {
                let (cell, now) = (&swept.planned, &swept.observation);
                changed(self.suite, record?, cell, now)
            });
            let changed: Vec<String> = changed.collect();
            for text in &changed {
                self.progress.note(text);
            }
            self.found.remembered.extend(changed);
            self.ledger.forget(before);
        }
        self.ledger.know_world();
        Ok(())
    }

    /// The cell of each actor that is asked again, by endpoint: the first read that was allowed, of what is there for the
    /// whole run if it was allowed any such.
    fn chosen(
        &self,
        plan: &'a [EndpointPlan<'a>],
    ) -> Vec<(&'a EndpointPlan<'a>, Vec<PlannedCell<'a>>)> {
        let mut actors = BTreeSet::new();
        let mut chosen = Vec::new();
        for of_world in [true, false] {
            for plan in plan.iter().filter(|plan| plan.endpoint.can_be_asked()) {
                let Some(record) = self.found.records.get(&plan.endpoint.name) else {
                    continue;
                };
                let is_scratch =
                    |cell: &PlannedCell<'_>| self.suite.kind_of_target(cell.target).is_some();
                let cells = plan.cells.iter().filter(|cell| {
                    is_scratch(cell) != of_world
                        && was_allowed(record, cell)
                        && actors.insert(cell.actor)
                });
                chosen.push((plan, cells.copied().collect()));
            }
        }
        chosen.retain(|(_, cells): &(_, Vec<_>)| !cells.is_empty());
        chosen
    }
}

/// Whether the call was allowed. What an answer showed of other cells is not there any more.
fn was_allowed(record: &Record, cell: &PlannedCell<'_>) -> bool {
    let cell = record.cell_at(cell.target, cell.actor);
    cell.is_some_and(|cell| {
        let shows_others = cell
            .discloses
            .iter()
            .any(|symbol| symbol.starts_with("another cell."));
        cell.is_allowed() && !shows_others
    })
}

/// How a cell is answered in another way than the record says. An answer that never came says nothing, nor does one that
/// only says how often somebody called.
fn changed(
    suite: &Suite,
    record: &Record,
    cell: &PlannedCell<'_>,
    now: &Observation,
) -> Option<String> {
    let before = record.cell_at(cell.target, cell.actor)?;
    let status = now.status().filter(|status| *status != 429)?;
    if is_same(record, before, now) {
        return None;
    }
    let was = before.answer();
    let content = if was == status.to_string() {
        " with another content"
    } else {
        ""
    };
    let help = match suite.file.service.reset {
        Some(_) => "the suite's `service.reset` does not make it forget",
        None => "give the suite a `service.reset`, or `teardown`s that make it forget",
    };
    Some(format!(
        "{cell}: answered {was} before, and {status}{content} after everything was undone: the service remembers what was \
         undone; {help}"
    ))
}

fn is_same(record: &Record, before: &Cell, now: &Observation) -> bool {
    Some(&before.decision) == now.decision.as_ref()
        && record.gate_of(before) == now.gate.as_deref()
        && record.headers_of(before) == now.headers
        && record.values_of(before).unwrap_or_default() == now.values.clone().unwrap_or_default()
        && record.shape_of(before) == now.shape.as_ref()
        && before.discloses.iter().eq(&now.discloses)
}
