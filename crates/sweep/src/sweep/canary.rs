//! Canaries: whether the credentials of the actors still work. A credential that does not makes every later cell of its
//! actor a refusal, whatever the service's gates are: such cells say nothing, and are never pinned.

mod answer;
mod repair;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use authz_pin_record::record::{EffectLabel, Record};
use authz_pin_suite::plan::{EndpointPlan, Filter, PlannedCell, plan};
use authz_pin_suite::suite::Suite;
use tracing::info;

use super::again::PAUSES;
use super::control::{Act, Acts};
use super::doubt::Try;
use super::endpoint::{Kinds, count_kinds};
use super::{SweepError, Sweeper};

use answer::{Answers, Pinning, Said, Telling, wording};

/// What the snapshots say, by endpoint. Without them a sweep finds out who may read what.
pub type Pinned = Arc<BTreeMap<String, Record>>;

/// What is known of the actors' credentials.
#[derive(Default)]
pub(super) struct Canaries<'a> {
    /// The actors of whom nobody told the service.
    strangers: BTreeSet<&'a str>,
    /// All endpoints of the suite with all their cells, whatever is swept.
    calls: Arc<[EndpointPlan<'a>]>,
    /// The call that shows whether an actor's credential works: one that was answered otherwise than a call of somebody whom
    /// the service does not know. A read, as far as there is one.
    proofs: BTreeMap<&'a String, (PlannedCell<'a>, Said)>,
    /// Who was refused at the start what it was allowed once, and may have a dead credential.
    suspected: BTreeSet<&'a String>,
    /// What was done to which table by canaries of an endpoint.
    wrote: BTreeMap<&'a String, Wrote>,
    /// When a credential was last seen to work.
    signs: BTreeMap<&'a String, Sign>,
    /// Whose credential does not work any more and cannot be made anew, with how many endpoints it was known to work for.
    dead: BTreeMap<&'a String, usize>,
}

/// What was done while canaries of an endpoint were called.
#[derive(Default)]
struct Wrote {
    /// What symbols explain, by what was done to which table.
    explained: Kinds,
    /// How often what else was done: it is the calls', unless the service does it by itself.
    strange: BTreeMap<Act, usize>,
    /// How long the calls took.
    took: Duration,
}

/// The last sign of a credential that works.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Sign {
    /// How many endpoints had begun.
    begun: usize,
    /// Whether it came while the last of these was swept, whose calls may have ended the credential afterwards; else all of its
    /// calls were over.
    is_during: bool,
}

impl Sign {
    /// One that came while the endpoint at that place was swept.
    fn during(place: usize) -> Self {
        let (begun, is_during) = (place + 1, true);
        Self { begun, is_during }
    }

    /// One that came after that many endpoints.
    fn after(begun: usize) -> Self {
        let is_during = false;
        Self { begun, is_during }
    }

    /// The place of the first endpoint whose calls can have ended the credential.
    fn suspect(self) -> usize {
        self.begun - usize::from(self.is_during)
    }
}

impl<'a> Canaries<'a> {
    pub(super) fn of(suite: &'a Suite) -> Self {
        Self {
            strangers: suite.strangers(),
            calls: plan(suite, &Filter::default()).into(),
            ..Self::default()
        }
    }

    /// The endpoints whose calls cost one request each, change nothing, and are made by the actors of the whole run.
    fn reads(&self) -> impl Iterator<Item = &EndpointPlan<'a>> {
        self.calls.iter().filter(|plan| is_read(plan))
    }

    /// Whether something is known or suspected of that actor's credential.
    fn is_settled(&self, actor: &String) -> bool {
        self.proofs.contains_key(actor) || self.suspected.contains(actor)
    }

    /// Whether anything is known or suspected of any credential.
    fn has_any(&self) -> bool {
        !self.proofs.is_empty() || !self.suspected.is_empty()
    }

    fn is_stranger(&self, actor: &str) -> bool {
        self.strangers.contains(actor)
    }

    /// Whether the call that proves an actor's credential is a read.
    fn is_read(&self, cell: &PlannedCell<'_>) -> bool {
        self.reads()
            .any(|plan| &plan.endpoint.name == cell.endpoint)
    }

    /// The actors who can be asked for at any time, since a read serves. Other calls are made again only where there is a doubt.
    fn readers(&self) -> impl Iterator<Item = &'a String> {
        let proofs = self.proofs.iter();
        proofs.filter_map(|(actor, (cell, _))| self.is_read(cell).then_some(*actor))
    }

    pub(super) fn is_dead(&self, actor: &String) -> bool {
        self.dead.contains_key(actor)
    }

    fn sign(&mut self, actor: &'a String, sign: Sign) {
        self.signs.insert(actor, sign);
    }

    /// Who was not asked since had a credential that worked at the start.
    fn last_sign(&self, actor: &String) -> Sign {
        self.signs.get(actor).copied().unwrap_or_default()
    }
}

/// The reads that tell whether an actor's credential works.
struct Reads<'a> {
    cells: Vec<PlannedCell<'a>>,
    /// Whether the actor was allowed any: if it is answered none of them as before, its credential may be dead.
    are_allowed: bool,
}

/// How many reads of each sort an actor may be refused before its credential is suspected.
const TRIES: usize = 3;

/// How many targets of a read are tried to find one that an actor is allowed.
const TARGETS: usize = 3;

impl<'a> Sweeper<'a> {
    /// Finds a read for each actor that shows that its credential works: with snapshots one that says so there.
    pub(super) async fn first_canaries(
        &mut self,
        plan: &[EndpointPlan<'a>],
    ) -> Result<(), SweepError> {
        let cells = plan.iter().flat_map(|plan| &plan.cells);
        let actors: BTreeSet<&'a String> = cells.map(|cell| cell.actor).collect();
        let actors: BTreeSet<&'a String> = actors
            .into_iter()
            .filter(|actor| !self.canaries.is_stranger(actor))
            .collect();
        match self.options.pinned.clone() {
            Some(pinned) => {
                self.pinned_canaries(&actors, &pinned).await?;
                // What is swept for the first time is proposed, if all of it is.
                let suite = self.suite;
                let is_new = |plan: &&EndpointPlan<'a>| {
                    plan.is_whole(suite) && !pinned.contains_key(&plan.endpoint.name)
                };
                let new: Vec<&EndpointPlan<'a>> = plan.iter().filter(is_new).collect();
                let is_due = |actor: &&'a String| {
                    !self.canaries.is_settled(actor) && new.iter().any(|plan| plan.calls(actor))
                };
                let left = actors.into_iter().filter(is_due).collect();
                self.found_canaries(left).await
            }
            None => self.found_canaries(actors).await,
        }
    }

    /// Who is refused now what it was allowed may have a dead credential, or the service may have changed: what the whole run is
    /// answered says which it was. Where others are answered, no answer is what the service does with that call.
    async fn pinned_canaries(
        &mut self,
        actors: &BTreeSet<&'a String>,
        pinned: &BTreeMap<String, Record>,
    ) -> Result<(), SweepError> {
        let reads = actors
            .iter()
            .map(|actor| (*actor, self.telling_reads(actor, pinned)));
        let mut left: BTreeMap<&'a String, Reads<'a>> = reads.collect();
        let mut silent = BTreeMap::new();
        for place in 0..2 * TRIES {
            let cells = left.values().filter_map(|reads| reads.cells.get(place));
            let cells: Vec<PlannedCell<'a>> = cells.copied().collect();
            for (cell, answers) in self.question(&cells).await? {
                let (actor, is_answer) = (cell.actor, answers.own.is_answer());
                if is_answer && !self.is_new_refusal(&cell, &answers.own) && !answers.is_dead() {
                    self.canaries.suspected.remove(actor);
                    silent.remove(actor);
                    left.remove(actor);
                    self.proven(cell, answers.own);
                } else if left.get(actor).is_some_and(|reads| reads.are_allowed) {
                    if is_answer {
                        self.canaries.suspected.insert(actor);
                    } else {
                        silent.entry(actor).or_insert_with(|| answers.told(&cell));
                    }
                }
            }
        }
        if silent.is_empty() || self.canaries.has_any() {
            return Ok(());
        }
        Err(SweepError::Unwell(silent.into_values().collect()))
    }

    fn proven(&mut self, cell: PlannedCell<'a>, said: Said) {
        self.canaries.proofs.insert(cell.actor, (cell, said));
    }

    /// The first reads that an actor was allowed and a stranger was not, then those that it was refused in another way: they
    /// tell it too if the others are refused now. Each endpoint's first one comes before its others.
    fn telling_reads(&self, actor: &String, pinned: &BTreeMap<String, Record>) -> Reads<'a> {
        let wanted = [Telling::Allowed, Telling::Refused];
        let [allowed, refused] = wanted.map(|how| self.reads_where(actor, pinned, how));
        let are_allowed = !allowed.is_empty();
        let [allowed, refused] = [allowed, refused].map(|cells| cells.into_iter().take(TRIES));
        let cells = allowed.chain(refused).collect();
        Reads { cells, are_allowed }
    }

    fn reads_where(
        &self,
        actor: &String,
        pinned: &BTreeMap<String, Record>,
        wanted: Telling,
    ) -> Vec<PlannedCell<'a>> {
        let mut first = Vec::new();
        let mut others = Vec::new();
        for plan in self.canaries.reads() {
            let Some(record) = pinned.get(&plan.endpoint.name) else {
                continue;
            };
            let own = plan.cells.iter().filter(|cell| cell.actor == actor);
            let telling = own.filter(|cell| {
                let pinning = Pinning::of(&self.canaries.strangers, record, cell);
                pinning.is_some_and(|pinning| pinning.tells() == Some(wanted))
            });
            let mut telling = telling.copied();
            first.extend(telling.next());
            others.extend(telling);
        }
        first.extend(others);
        first
    }

    /// Asks every read that has no snapshot about every actor that is not known to be allowed anything, until it is.
    async fn found_canaries(&mut self, mut left: BTreeSet<&'a String>) -> Result<(), SweepError> {
        let calls = Arc::clone(&self.canaries.calls);
        for plan in calls.iter().filter(|plan| is_read(plan)) {
            if self.pinned_record(&plan.endpoint.name).is_some() {
                continue;
            }
            let mut targets: Vec<&String> = plan.cells.iter().map(|cell| cell.target).collect();
            targets.dedup();
            targets.truncate(TARGETS);
            let wanted = plan.cells.iter();
            let wanted =
                wanted.filter(|cell| left.contains(cell.actor) && targets.contains(&cell.target));
            let wanted: Vec<PlannedCell<'a>> = wanted.copied().collect();
            for (cell, answers) in self.question(&wanted).await? {
                if answers.is_allowed() {
                    self.proven(cell, answers.own);
                    left.remove(cell.actor);
                } else if answers.is_known() && left.contains(cell.actor) {
                    let proof = (cell, answers.own);
                    self.canaries.proofs.entry(cell.actor).or_insert(proof);
                }
            }
        }
        Ok(())
    }

    /// Takes calls of an endpoint that was just swept for canaries of actors for whom no read serves. They can be made again where
    /// what they do can be undone, and the suite does not say that each is made once.
    fn adopt(&mut self, plan: &EndpointPlan<'a>, answers: &[(PlannedCell<'a>, Answers)]) {
        let endpoint = plan.endpoint;
        let can_be_undone = endpoint.spec.request.method.is_safe() || self.is_journalled();
        if !can_be_undone || self.suite.sweep_of(&endpoint.name).alone == Some(true) {
            return;
        }
        let canaries = &mut self.canaries;
        let allowed = answers.iter().filter(|(_, answers)| answers.is_allowed());
        let known = answers.iter().filter(|(_, answers)| answers.is_known());
        for (cell, answers) in allowed.chain(known) {
            if !canaries.suspected.contains(cell.actor) {
                let proof = (*cell, answers.own.clone());
                canaries.proofs.entry(cell.actor).or_insert(proof);
            }
        }
    }

    /// Those of the actors of a plan of whom no call tells whether their credential works.
    pub(super) fn unproven(&self, plan: &[EndpointPlan<'a>]) -> Vec<String> {
        let actors = self.suite.world.actors.keys();
        let calls = actors.filter(|actor| plan.iter().any(|plan| plan.calls(actor)));
        let known = calls.filter(|actor| !self.canaries.is_stranger(actor));
        let unproven = known.filter(|actor| !self.canaries.proofs.contains_key(actor));
        unproven.cloned().collect()
    }

    /// What any actor's canary is answered now.
    pub(super) async fn any_canary(&mut self) -> Result<Option<Said>, SweepError> {
        let canary = self.canaries.proofs.values().next().map(|(cell, _)| *cell);
        let answers = self.question(canary.as_slice()).await?;
        Ok(answers.into_iter().next().map(|(_, answers)| answers.own))
    }

    /// Watches whether the service does by itself what came while canaries were called and no record shows.
    pub(super) async fn watch_for_canaries(&mut self) -> Result<(), SweepError> {
        let all = std::mem::take(&mut self.canaries.wrote);
        for (name, wrote) in &all {
            let acts = self.not_shown(name, wrote);
            let acts: Acts = acts.into_iter().map(|(act, _)| act).collect();
            self.watch_for(name, &acts, wrote.took).await?;
            for (act, count) in self.not_shown(name, wrote) {
                if self.control.is_own(&act) {
                    self.control.leave_out_some(act, count);
                }
            }
        }
        self.canaries.wrote = all;
        self.leave().await
    }

    /// What no symbol explains of that which came while canaries of an endpoint were called, but for what its record shows.
    fn not_shown(&self, name: &String, wrote: &Wrote) -> Vec<(Act, usize)> {
        let Some(record) = self.found.records.get(name) else {
            return Vec::new();
        };
        let shown = shown(record);
        let strange = wrote.strange.iter();
        let strange = strange.filter(|(act, _)| !shown.contains(&act.kind()));
        strange.map(|(act, count)| (act.clone(), *count)).collect()
    }

    /// What canaries of an endpoint wrote and its record does not show: the service remembers the first calls.
    pub(super) fn written_once(&self) -> BTreeMap<String, Vec<String>> {
        let mut lost = BTreeMap::new();
        for (name, wrote) in &self.canaries.wrote {
            let Some(record) = self.found.records.get(*name) else {
                continue;
            };
            let shown = shown(record);
            let strange = wrote.strange.keys();
            let strange = strange.filter(|act| !self.control.is_own(act));
            let all = wrote
                .explained
                .keys()
                .cloned()
                .chain(strange.map(Act::kind));
            let once: BTreeSet<String> = all.filter(|kind| !shown.contains(kind)).collect();
            if !once.is_empty() {
                lost.insert((*name).clone(), once.into_iter().collect());
            }
        }
        lost
    }

    /// Whether a call is refused in words that its snapshot does not have, as one with a token that is over may be.
    fn is_new_refusal(&self, cell: &PlannedCell<'a>, said: &Said) -> bool {
        let record = self.pinned_record(cell.endpoint);
        let gate = said.gate.as_ref().filter(|_| said.is_refusal());
        record.zip(gate).is_some_and(|(record, gate)| {
            !record
                .gates
                .values()
                .any(|known| wording(known) == wording(gate))
        })
    }

    /// Calls cells, and beside each those of strangers upon the same target. Nothing of it is recorded.
    async fn question(
        &mut self,
        cells: &[PlannedCell<'a>],
    ) -> Result<Vec<(PlannedCell<'a>, Answers)>, SweepError> {
        let mut all = Vec::new();
        for plan in &*Arc::clone(&self.canaries.calls) {
            let own = |cell: &&PlannedCell<'a>| cell.endpoint == &plan.endpoint.name;
            let asked: Vec<PlannedCell<'a>> = cells.iter().filter(own).copied().collect();
            if !asked.is_empty() {
                all.extend(self.question_one(plan, &asked).await?);
            }
        }
        Ok(all)
    }

    async fn question_one(
        &mut self,
        plan: &EndpointPlan<'a>,
        asked: &[PlannedCell<'a>],
    ) -> Result<Vec<(PlannedCell<'a>, Answers)>, SweepError> {
        let targets: BTreeSet<&String> = asked.iter().map(|cell| cell.target).collect();
        let strangers = plan
            .cells
            .iter()
            .filter(|cell| targets.contains(cell.target) && self.canaries.is_stranger(cell.actor));
        let cells: Vec<PlannedCell<'a>> = asked.iter().chain(strangers).copied().collect();
        let said = self.question_batch(plan, &cells).await?;
        let answers = |cell: &PlannedCell<'a>| {
            let strangers = said.iter().filter(|((target, actor), _)| {
                *target == cell.target && self.canaries.is_stranger(actor)
            });
            Some(Answers {
                own: said.get(&(cell.target, cell.actor))?.clone(),
                strangers: strangers.map(|(_, said)| said.clone()).collect(),
            })
        };
        let answered = asked.iter();
        let answered = answered.filter_map(|cell| Some((*cell, answers(cell)?)));
        Ok(answered.collect())
    }

    /// What cells of one endpoint are answered, by target and actor.
    async fn question_batch(
        &mut self,
        plan: &EndpointPlan<'a>,
        cells: &[PlannedCell<'a>],
    ) -> Result<BTreeMap<(&'a String, &'a String), Said>, SweepError> {
        let before = self.ledger.count();
        self.enter(self.presence(plan)).await?;
        info!(endpoint = %plan.endpoint.name, calls = cells.len(), "asking canaries");
        self.tell_canaries(true);
        let tried = self.attempt(plan, cells.to_vec()).await?;
        self.count_written(plan, &tried);
        for pause in PAUSES {
            let Some(again) = self.ask_once(plan, (before, &[]), pause).await? else {
                break;
            };
            self.count_written(plan, &again.tried);
            if again.is_last {
                break;
            }
        }
        self.tell_canaries(false);
        self.leave().await?;
        let swept = self.ledger.since(before).iter();
        let said = swept.filter(|swept| swept.recorded).map(|swept| {
            let PlannedCell { target, actor, .. } = swept.planned;
            ((target, actor), Said::from(&swept.observation))
        });
        let said = said.collect();
        self.ledger.forget(before);
        Ok(said)
    }

    /// Counts what was done while canaries of an endpoint were called.
    fn count_written(&mut self, plan: &EndpointPlan<'a>, tried: &Try<'a>) {
        let wrote = self.canaries.wrote.entry(&plan.endpoint.name).or_default();
        let swept = self.ledger.since(tried.first).iter();
        count_kinds(&mut wrote.explained, swept.flat_map(|swept| &swept.changes));
        for (act, count) in tried.strange.acts() {
            *wrote.strange.entry(act).or_default() += count;
        }
        wrote.took += tried.took;
    }
}

/// Whether calls of an endpoint cost one request each, change nothing, and are made by the actors of the whole run.
fn is_read(plan: &EndpointPlan<'_>) -> bool {
    plan.endpoint.can_be_asked() && plan.endpoint.setup.setup.is_empty()
}

/// What was done to which table by the calls of a record.
fn shown(record: &Record) -> BTreeSet<String> {
    let kind = |label: &EffectLabel| format!("{} `{}`", label.operation().as_str(), label.table());
    record.effects.keys().map(kind).collect()
}
