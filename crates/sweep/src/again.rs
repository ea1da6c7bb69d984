//! Which cells are swept a second time, to see whether a service shows the same once more.
//!
//! A cell that shows what another one of its endpoint shows, and that changes no row, would tell nothing more.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use authz_pin_record::record::{Cell, Record};
use authz_pin_suite::plan::{EndpointPlan, PlannedCell};
use indexmap::IndexMap;

/// Cells by endpoint, as (target, actor).
pub type Cells<'p> = BTreeMap<&'p str, HashSet<(&'p str, &'p str)>>;

/// The cells of a plan.
#[must_use]
pub fn cells<'p>(plan: &[EndpointPlan<'p>]) -> Cells<'p> {
    let of_endpoint = |plan: &EndpointPlan<'p>| {
        let cells = plan.cells.iter();
        let cells = cells.map(|cell| (cell.target.as_str(), cell.actor.as_str()));
        (plan.endpoint.name.as_str(), cells.collect())
    };
    plan.iter().map(of_endpoint).collect()
}

/// What of a plan is swept again, after a sweep that gave these records: of each endpoint a cell of each kind and all that
/// change rows. Where answers show other cells, what they show depends on which cells there are, so that all are swept.
/// Everybody who calls makes its first call again, since the world has those who call.
#[must_use]
pub fn again<'p>(
    plan: &[EndpointPlan<'p>],
    records: &IndexMap<String, Record>,
) -> Vec<EndpointPlan<'p>> {
    let mut callers: BTreeSet<&str> = BTreeSet::new();
    let chosen = plan.iter().map(|plan| {
        let wanted = wanted(plan, records.get(&plan.endpoint.name));
        let cells = plan.cells.iter().zip(wanted);
        let cells = cells.filter(|(cell, is_wanted)| callers.insert(cell.actor) || *is_wanted);
        EndpointPlan {
            endpoint: plan.endpoint,
            cells: cells.map(|(cell, _)| *cell).collect(),
        }
    });
    chosen.collect()
}

/// Whether each cell of an endpoint is swept again for what it showed.
fn wanted(plan: &EndpointPlan<'_>, record: Option<&Record>) -> Vec<bool> {
    let Some(record) = record.filter(|record| !shows_others(record)) else {
        return vec![true; plan.cells.len()];
    };
    let mut seen: HashSet<&Cell> = HashSet::new();
    let is_wanted = |cell: &PlannedCell<'_>| {
        let Some(found) = record.cell_at(cell.target, cell.actor) else {
            return true;
        };
        let is_new = seen.insert(found);
        is_new || may_have_written(found) || record.has_finding(cell.target, cell.actor)
    };
    plan.cells.iter().map(is_wanted).collect()
}

fn may_have_written(cell: &Cell) -> bool {
    cell.wrote() || !cell.effects.is_observed() && cell.is_let_through()
}

/// Whether anything in a record is of a cell beside the one that shows it.
fn shows_others(record: &Record) -> bool {
    let text = record.to_yaml();
    text.map_or(true, |text| text.contains("another cell"))
}
