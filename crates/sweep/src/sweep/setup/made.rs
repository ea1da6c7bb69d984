//! What a run has made by requests, and how each of it is taken back.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use authz_pin_suite::suite::StepSpec;
use authz_pin_suite::template::Scope;
use authz_pin_suite::world::{Class, Instance};
use tokio::sync::RwLock;

use crate::provision::Fresh;
use crate::shared::Shared;
use crate::symbols::is_common;

/// In which part of a run something was made. What was made last is taken back first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::sweep) enum Stage {
    World,
    Endpoint,
    /// In the world of one cell.
    Fresh,
    Target,
    /// By a call under test.
    Captured,
}

/// What is there and can be taken back.
pub(super) struct Made<'a> {
    pub(super) stage: Stage,
    pub(super) what: String,
    pub(super) teardown: &'a [StepSpec],
    pub(super) scope: Scope,
    /// The world of the cell that it belongs to, where it has one of its own.
    pub(super) fresh: Option<Arc<Fresh>>,
    /// The number of its cell, if it is of one.
    pub(super) cell: Option<usize>,
    /// The credentials that are known of it: a service may repeat them when it is removed.
    pub(super) secrets: Vec<String>,
    pub(super) is_gone: bool,
    /// Whether a step of its setup failed, so that not all has to be known that its removal needs.
    pub(super) has_failed: bool,
}

/// How something is removed again.
pub(super) struct Removal<'a> {
    pub(super) what: String,
    pub(super) teardown: &'a [StepSpec],
    pub(super) scope: Scope,
    pub(super) fresh: Option<Arc<Fresh>>,
    pub(super) cell: Option<usize>,
    pub(super) has_failed: bool,
}

/// What a run has made by requests.
#[derive(Default)]
pub(in crate::sweep) struct Setups<'a> {
    made: Shared<Vec<Made<'a>>>,
    pub(super) has_failed: Shared<bool>,
    pub(super) is_unreachable: Shared<bool>,
    pub(in crate::sweep) requests: Shared<usize>,
    /// What the last setups drew and captured, to be found after a crash.
    pub(super) identifiers: Shared<Vec<String>>,
    /// The worlds of the cells of the batch that is under way, where each has its own.
    pub(in crate::sweep) fresh: Shared<Vec<Arc<Fresh>>>,
    /// Which teardowns were refused where a journal undoes the rows, and how.
    pub(super) told: Shared<BTreeSet<String>>,
    /// Held for as long as a request is under way, so that a run is not ended before it is known what it made.
    pub(in crate::sweep) under_way: Arc<RwLock<()>>,
}

impl<'a> Setups<'a> {
    pub(super) fn begin(&self, made: Made<'a>) -> usize {
        let mut all = self.made.borrow_mut();
        all.push(made);
        all.len() - 1
    }

    pub(super) fn update(&self, slot: usize, base: &Scope, instance: &Instance) {
        if let Some(made) = self.made.borrow_mut().get_mut(slot) {
            made.scope = instance.within(base);
            made.secrets = secrets(instance);
        }
    }

    pub(super) fn is_gone(&self, slot: usize) {
        if let Some(made) = self.made.borrow_mut().get_mut(slot) {
            made.is_gone = true;
        }
    }

    pub(super) fn fail(&self, slot: usize) {
        self.has_failed.replace(true);
        if let Some(made) = self.made.borrow_mut().get_mut(slot) {
            made.has_failed = true;
        }
    }

    pub(super) fn get(&self, slot: usize) -> Option<Removal<'a>> {
        let made = self.made.borrow();
        let made = made.get(slot)?;
        Some(Removal {
            what: made.what.clone(),
            teardown: made.teardown,
            scope: made.scope.clone(),
            fresh: made.fresh.clone(),
            cell: made.cell,
            has_failed: made.has_failed,
        })
    }

    /// What is there of one stage, the last first.
    pub(super) fn slots(&self, stage: Stage) -> Vec<usize> {
        let made = self.made.borrow();
        let slots = made.iter().enumerate().rev();
        let slots = slots.filter(|(_, made)| made.stage == stage && !made.is_gone);
        slots.map(|(slot, _)| slot).collect()
    }

    /// The same in the order in which each is removed after the one before: what has a cell's own world may need what was
    /// made there before it, and nothing of other cells.
    pub(super) fn queues(&self, stage: Stage) -> Vec<Vec<usize>> {
        let slots = self.slots(stage);
        if stage != Stage::Fresh {
            return slots.into_iter().map(|slot| vec![slot]).collect();
        }
        let made = self.made.borrow();
        let cell = |slot: usize| made.get(slot)?.fresh.as_ref().map(|fresh| fresh.cell);
        let mut queues = BTreeMap::<_, Vec<usize>>::new();
        for slot in slots {
            queues.entry(cell(slot)).or_default().push(slot);
        }
        queues.into_values().collect()
    }

    /// How many requests it takes to remove what was made in this stage and in those after it.
    pub(super) fn removals(&self, from: Stage) -> usize {
        let made = self.made.borrow();
        let there = made
            .iter()
            .filter(|made| made.stage >= from && !made.is_gone);
        there.map(|made| made.teardown.len()).sum()
    }

    /// Whether anything was made in this stage or in those after it.
    pub(in crate::sweep) fn has_made(&self, from: Stage) -> bool {
        let made = self.made.borrow();
        made.iter().any(|made| made.stage >= from)
    }

    /// The world of a cell, by its place in the batch, where it has its own.
    pub(in crate::sweep) fn fresh_at(&self, place: usize) -> Option<Arc<Fresh>> {
        self.fresh.borrow().get(place).cloned()
    }

    /// A text without the credentials of what was made, which need not be known to the run yet.
    pub(super) fn hidden(&self, text: &str) -> String {
        let made = self.made.borrow();
        let secrets = made.iter().flat_map(|made| &made.secrets);
        secrets.fold(text.to_owned(), |text, secret| {
            text.replace(secret, "<secret>")
        })
    }

    /// What is there at all, in words.
    pub(super) fn all(&self) -> Vec<String> {
        let made = self.made.borrow();
        let there = made
            .iter()
            .filter(|made| !made.is_gone && !made.teardown.is_empty());
        there.map(|made| made.what.clone()).collect()
    }

    pub(super) fn forget(&self, from: Stage) {
        self.made.borrow_mut().retain(|made| made.stage < from);
    }

    pub(super) fn remember(&self, instance: &Instance) {
        let fields = instance.fields.values();
        let symbols = fields.filter(|field| field.class == Class::Symbol);
        let symbols = symbols.filter(|field| !is_common(&field.value));
        let values = symbols.map(|field| field.value.clone());
        self.identifiers.borrow_mut().extend(values);
    }
}

pub(super) fn secrets(instance: &Instance) -> Vec<String> {
    let fields = instance.fields.values();
    let secrets = fields.filter(|field| field.class == Class::Secret && !field.value.is_empty());
    secrets.map(|field| field.value.clone()).collect()
}
