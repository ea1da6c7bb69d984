//! One batch of cells of one endpoint: all at once, or a single one.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use authz_pin_database::Change;
use authz_pin_database::{Catalog, DatabaseError};
use authz_pin_record::chain::chain;
use authz_pin_record::observation::Observation;
use authz_pin_record::record::Unprinted;
use authz_pin_suite::plan::PlannedCell;
use authz_pin_suite::suite::{Endpoint, SuiteFile};
use authz_pin_suite::template::{TemplateError, Value};
use authz_pin_suite::world::{Instance, Scratch, World};

use super::again::retry_after;
use super::attribution::Attributed;
use super::control::{Act, Collected, Strange};
use super::fire::Brought;
use super::ledger::Ledger;
use super::setup::Stage;
use super::store::{Pause, Store, Wait};
use super::{Options, SweepError, Sweeper, lap, round};
use crate::http::{Call, Http, PAUSES};
use crate::observe::{AnswerRules, Eye};
use crate::symbols::{Earlier, Knowledge, Namer, View};
use crate::verdicts::Rules;
use rayon::prelude::*;
use tracing::info;

/// One cell as it was swept.
pub(super) struct Swept<'a> {
    /// The cell's number within the run.
    pub(super) number: usize,
    pub(super) planned: PlannedCell<'a>,
    /// Whether the cell counts; those of a try that was repeated do not.
    pub(super) recorded: bool,
    /// How to repeat the call, where somebody wants to know.
    pub(super) curl: Option<String>,
    /// What the answer showed and the probes brought.
    pub(super) observation: Observation,
    /// The texts of its refusal as a whole, where they are kept.
    pub(super) unprinted: Unprinted,
    pub(super) changes: Vec<Change>,
    /// Changes of which it is not decided yet whether the call made them, and what names them by then.
    pub(super) doubtful: Vec<Change>,
    pub(super) namer: Option<Arc<Namer>>,
    /// The tables, where changes were observed.
    pub(super) catalog: Option<Arc<Catalog>>,
}

impl<'a> Sweeper<'a> {
    /// Sweeps cells of one endpoint; gives what no symbol explains, which belongs to a cell only if that one is alone.
    pub(super) async fn batch(
        &mut self,
        endpoint: &'a Endpoint,
        cells: &[PlannedCell<'a>],
        wait: Wait,
    ) -> Result<Strange, SweepError> {
        let mut start = Instant::now();
        let first = self.ledger.count();
        self.issue_again().await?;
        self.ledger.begin_batch();
        self.begin_telling(first, cells);
        let mut scratches = self.seed(endpoint, first, cells).await?;
        info!(cells = cells.len(), took = ?round(start), "seeded");
        self.found.phases.seeding += lap(&mut start);
        let requests = self.calls(&endpoint.spec.request, (first, cells), &scratches)?;
        let brought = self.fired(endpoint, cells, &requests).await?;
        self.hear(&brought);
        info!(calls = requests.len(), took = ?round(start), "sent");
        self.found.phases.requests += lap(&mut start);
        self.capture(endpoint, first, &brought, &mut scratches)?;
        self.ledger.know_values(first);
        self.found.phases.record += lap(&mut start);
        let wait = wait.after(brought.first().and_then(Brought::status));
        // What is asked or taken back by requests comes before undo.
        let is_done =
            endpoint.spec.probes.is_empty() && self.is_journalled() && !self.has_to_take_back();
        let look = Look::of(
            &self.suite.file,
            endpoint,
            (self.options, &self.http),
            (&self.ledger, first),
        );
        let ((swept, naming), effects) = tokio::join!(
            look.shown(cells, &requests, &brought),
            effects(self.store.as_mut(), self.ledger.known(), wait, is_done,),
        );
        self.ledger.add(swept);
        self.found.phases.record += naming;
        self.found.phases.journal += lap(&mut start).saturating_sub(naming);
        let effects = effects?;
        effects.log();
        let has_changed = effects.has_any() || self.has_seeded(&scratches);
        self.observe(endpoint, first);
        let strange = self.assign(effects);
        self.note_answered(endpoint, first, &brought);
        if !is_done {
            self.probe(endpoint, first, cells, &scratches).await?;
            self.found.phases.requests += lap(&mut start);
        }
        self.undo_batch(is_done).await?;
        if has_changed {
            self.reset().await?;
        }
        info!("undone");
        self.tell_requests();
        self.found.phases.journal += lap(&mut start);
        // To let go of it takes a while, in which the database can go on.
        rayon::spawn(move || drop((scratches, requests, brought)));
        Ok(strange)
    }

    /// What the answers say whatever they are about.
    fn hear(&mut self, brought: &[Brought]) {
        self.retry_after = retry_after(brought);
        let answers = brought.iter().flat_map(|brought| &brought.answers);
        answers.for_each(|answer| self.found.seen.answer(answer));
    }

    /// Undoes a batch: by requests, and then by rows, unless these are undone already.
    async fn undo_batch(&mut self, is_done: bool) -> Result<(), SweepError> {
        self.take_batch_back().await?;
        if let Some(store) = self.store.as_mut().filter(|_| !is_done) {
            store.restore(self.ledger.known()).await?;
        }
        Ok(())
    }

    /// Whether anything was made for the cells.
    fn has_seeded(&self, scratches: &[Scratch]) -> bool {
        let has_rows = |scratch: &Scratch| !scratch.rows.is_empty();
        self.setups.has_made(Stage::Endpoint) || scratches.iter().any(has_rows)
    }

    /// Makes what the cells are about: rows, and then what is made by requests.
    async fn seed(
        &mut self,
        endpoint: &'a Endpoint,
        first: usize,
        cells: &[PlannedCell<'a>],
    ) -> Result<Vec<Scratch>, SweepError> {
        let setup = self.set_endpoint_up(endpoint).await?;
        self.make_anew(endpoint, first, cells).await?;
        let mut scratches = self.scratches(first, cells, setup.as_ref())?;
        match &mut self.store {
            Some(store) => store.seed(&scratches).await?,
            None if scratches.iter().all(|scratch| scratch.rows.is_empty()) => {}
            None => return Err(SweepError::NoDatabase),
        }
        self.issue_anew(endpoint, cells).await?;
        self.set_targets_up(first, cells, &mut scratches).await?;
        Ok(scratches)
    }

    fn scratches(
        &mut self,
        first: usize,
        cells: &[PlannedCell<'a>],
        setup: Option<&Instance>,
    ) -> Result<Vec<Scratch>, SweepError> {
        let (suite, templates) = (self.suite, &self.templates);
        let world = &*self.scene.world.borrow();
        let fresh = self.setups.fresh.borrow();
        let worlds = fresh.iter().map(|fresh| fresh.scene.world.borrow());
        let worlds: Vec<_> = worlds.collect();
        let worlds: Vec<&World> = worlds.iter().map(|world| &**world).collect();
        let make = |(place, cell): (usize, &PlannedCell<'_>)| {
            let target = (cell.target.as_str(), suite.targets.get(cell.target)?);
            let world = worlds.get(place).copied().unwrap_or(world);
            Some(Scratch::make(
                suite, templates, world, setup, target, cell.actor,
            ))
        };
        // All of them are made, so that which error is told does not depend on the machine.
        let all: Vec<_> = cells.par_iter().enumerate().filter_map(make).collect();
        let mut scratches: Vec<Scratch> = all.into_iter().collect::<Result<_, _>>()?;
        for (fresh, scratch) in fresh.iter().zip(&mut scratches) {
            fresh.join(scratch);
        }
        let values = self.ledger.values();
        for (number, scratch) in (first..).zip(&scratches) {
            values.add_tag(number, &scratch.tag);
            values.add_cell_entity(number, "target", &scratch.target);
        }
        Ok(scratches)
    }

    /// Fires the calls of a batch. Where the service is gone, the calls that it did not answer are told: one of them may
    /// have ended it.
    async fn fired(
        &mut self,
        endpoint: &Endpoint,
        cells: &[PlannedCell<'_>],
        requests: &Arc<[Call]>,
    ) -> Result<Vec<Brought>, SweepError> {
        let brought = match self.fire(endpoint, requests).await {
            Ok(brought) => brought,
            Err(broken) if broken.silent.is_empty() => return Err(broken.error),
            Err(broken) => return Err(gone(&chain(&broken.error), cells, &broken.silent)),
        };
        let silent = brought.iter().enumerate();
        let silent = silent.filter(|(_, brought)| brought.fault.is_some());
        let silent: Vec<usize> = silent.map(|(place, _)| place).collect();
        if !silent.is_empty() {
            let ready = self.still_ready().await;
            ready.map_err(|error| gone(&error, cells, &silent))?;
        }
        Ok(brought)
    }

    /// A fault is the cell's only where the service is still there; else it is the service's end.
    pub(super) async fn still_ready(&self) -> Result<(), String> {
        let path = &self.suite.file.service.ready;
        for pause in PAUSES {
            if self.http.ready(path).await.is_ok() {
                return Ok(());
            }
            tokio::time::sleep(pause).await;
        }
        self.http.ready(path).await
    }

    /// Binds what successes hold to symbols of their cells.
    fn capture(
        &mut self,
        endpoint: &Endpoint,
        first: usize,
        brought: &[Brought],
        scratches: &mut [Scratch],
    ) -> Result<(), TemplateError> {
        if endpoint.spec.capture.is_empty() {
            return Ok(());
        }
        let rules = Rules::of_endpoint(&self.suite.file, &endpoint.spec);
        for (place, (brought, scratch)) in brought.iter().zip(scratches).enumerate() {
            let number = first + place;
            let first = brought.answers.first();
            let allowed = first.filter(|answer| rules.decide(answer).verdict().is_allowed());
            let Some(answer) = allowed else {
                continue;
            };
            for (name, spec) in &endpoint.spec.capture {
                let found = spec
                    .from
                    .iter()
                    .filter_map(|(symbol, source)| Some((symbol.clone(), answer.value(source)?)));
                let found: BTreeMap<String, String> = found.collect();
                let Some(kind) = self
                    .suite
                    .world
                    .kinds
                    .get(&spec.kind)
                    .filter(|_| !found.is_empty())
                else {
                    continue;
                };
                let instance = Instance::bind(&self.templates, kind, &found)?;
                self.ledger
                    .values()
                    .add_cell_entity(number, name, &instance);
                self.made_by_call((name, kind), &scratch.scope, &instance, (place, number));
                scratch.scope.insert(name, Value::from(instance.scope()));
            }
        }
        Ok(())
    }

    /// The tables as they are after the calls, some of which the service may have made for them.
    fn observe(&mut self, endpoint: &Endpoint, first: usize) {
        let unobserved = self.store.iter().flat_map(Store::unobserved).cloned();
        let unobserved: Vec<String> = unobserved.collect();
        if !unobserved.is_empty() {
            let all = self.unobserved.entry(endpoint.name.clone());
            all.or_default().extend(unobserved);
        }
        let catalog = self.store.as_ref().and_then(Store::observed);
        let tables = catalog.as_ref().map(|catalog| catalog.names().count());
        self.found.seen.tables = tables.max(self.found.seen.tables);
        self.found.seen.compared = self.store.as_ref().is_some_and(Store::is_compared);
        for swept in self.ledger.since_mut(first) {
            swept.catalog.clone_from(&catalog);
        }
    }

    /// Hands the changes to their cells, and gives what can be no call's.
    fn assign(&mut self, effects: Attributed) -> Strange {
        let mut collected = Vec::new();
        for (cell, change) in effects.explained {
            if effects.collected.contains(&change.seq) {
                let (seq, act) = (change.seq, Act::of(&change));
                collected.push(Collected { cell, seq, act });
            }
            if let Some(swept) = self.ledger.cell_mut(cell) {
                swept.changes.push(change);
            }
        }
        Strange {
            changes: effects.unexplained,
            collected,
        }
    }
}

/// What it takes to name what the answers of a batch showed.
struct Look<'l> {
    rules: AnswerRules<'l>,
    namer: &'l Namer,
    earlier: Earlier<'l>,
    /// The number of the first cell.
    first: usize,
    /// Whom the calls went to, where somebody wants to know how to repeat them.
    http: Option<&'l Http>,
}

impl<'l> Look<'l> {
    fn of(
        suite: &'l SuiteFile,
        endpoint: &'l Endpoint,
        (options, http): (&Options, &'l Http),
        (ledger, first): (&'l Ledger<'_>, usize),
    ) -> Self {
        let verdicts = Rules::of_endpoint(suite, &endpoint.spec);
        Self {
            rules: AnswerRules::of(verdicts, &endpoint.name, options.compared),
            namer: ledger.namer(),
            earlier: Earlier::of(ledger.known()),
            first,
            http: options.calls.then_some(http),
        }
    }

    /// What the answers showed, and how long it took to name it. Between some cells and the next it lets others go on:
    /// the database is undoing meanwhile.
    async fn shown<'a>(
        &self,
        cells: &[PlannedCell<'a>],
        requests: &[Call],
        brought: &[Brought],
    ) -> (Vec<Swept<'a>>, Duration) {
        let mut swept = Vec::with_capacity(cells.len());
        let mut naming = Duration::ZERO;
        while swept.len() < cells.len() {
            let (mut start, from) = (Instant::now(), swept.len());
            let some = cells.par_iter().zip(requests).zip(brought).enumerate();
            let some = some.skip(from).take(NAMED_AT_ONCE);
            swept.par_extend(some.map(|(place, ((planned, call), brought))| {
                self.one(self.first + place, planned, call, brought)
            }));
            naming += lap(&mut start);
            tokio::task::yield_now().await;
        }
        (swept, naming)
    }

    fn one<'a>(
        &self,
        number: usize,
        planned: &PlannedCell<'a>,
        call: &Call,
        brought: &Brought,
    ) -> Swept<'a> {
        let view = View {
            cell: number,
            actor: planned.actor,
        };
        let (observation, unprinted) = brought.shown(&Eye {
            rules: &self.rules,
            endpoint: planned.endpoint,
            namer: self.namer,
            is_earlier: &|text| self.earlier.has(text),
            view,
        });
        Swept {
            number,
            planned: *planned,
            recorded: true,
            curl: self
                .http
                .map(|http| call.curl(self.namer, view, http.listens(call))),
            observation,
            unprinted,
            changes: Vec::new(),
            doubtful: Vec::new(),
            namer: None,
            catalog: None,
        }
    }
}

/// Reads and attributes what the calls changed, and undoes it if nothing is to be asked first. What is written even then is of
/// the calls as well.
async fn effects(
    store: Option<&mut Store<'_>>,
    known: Knowledge<'_>,
    wait: Pause,
    is_done: bool,
) -> Result<Attributed, DatabaseError> {
    let Some(store) = store else {
        return Ok(Attributed::default());
    };
    let mut effects = store.effects(known, wait).await?;
    if is_done {
        let late = store.restore(known).await?;
        store.is_late(&late);
        effects.unexplained.extend(late);
    }
    Ok(effects)
}

/// That the service is gone, and which calls it did not answer.
fn gone(reason: &str, cells: &[PlannedCell<'_>], silent: &[usize]) -> SweepError {
    let silent = silent.iter().filter_map(|place| cells.get(*place));
    let mut told: Vec<String> = silent.map(ToString::to_string).collect();
    let more = told.split_off(TOLD.min(told.len())).len();
    if more > 0 {
        told.push(format!("and {more} more"));
    }
    SweepError::Gone(format!("{reason}; it did not answer {}", told.join(", ")))
}

/// How many calls are told of which one may have ended the service.
const TOLD: usize = 5;

/// How many cells are named before others go on.
const NAMED_AT_ONCE: usize = 64;
