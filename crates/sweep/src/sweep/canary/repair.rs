//! What is done about a credential that died while an endpoint was swept.

use std::collections::{BTreeMap, BTreeSet};

use authz_pin_database::Presence;
use authz_pin_record::findings;
use authz_pin_record::record::Record;
use authz_pin_suite::diagnostic::list;
use authz_pin_suite::plan::{EndpointPlan, PlannedCell};
use authz_pin_suite::suite::Credential;

use super::super::again::Silence;
use super::super::{SweepError, Sweeper};
use super::Sign;
use super::answer::{Answers, Said};

/// What became of credentials that died.
#[derive(Default)]
struct Fates<'a> {
    /// Those that were made anew, by the place of the endpoint whose calls ended them.
    renewed: BTreeMap<usize, Vec<&'a String>>,
    /// Those that could not be, by the place of the first endpoint of which they make cells inconclusive.
    lost: BTreeMap<usize, Vec<&'a String>>,
}

impl<'a> Sweeper<'a> {
    /// After an endpoint was swept, asks for the credentials that may have died meanwhile. One that can be made anew is, and
    /// the cells that it was refused in are called again, each with a new one.
    pub(in crate::sweep) async fn look_after(
        &mut self,
        all: &'a [EndpointPlan<'a>],
        place: usize,
        before: usize,
    ) -> Result<(), SweepError> {
        // There each cell has callers of its own.
        let plan = all.get(place).filter(|plan| !plan.endpoint.spec.fresh);
        let Some(plan) = plan else {
            return Ok(());
        };
        let answers = self.answers_since(before);
        self.adopt(plan, &answers);
        if !self.canaries.has_any() {
            return Ok(());
        }
        let suspects = self.suspects(plan, &answers);
        let signs = self.canaries.signs.clone();
        let dead = self.dead_of(suspects, place + 1).await?;
        for (cell, answers) in &answers {
            let is_sign = if self.canaries.suspected.contains(cell.actor) {
                answers.is_allowed()
            } else {
                answers.is_known() && dead.get(cell.actor) != Some(&answers.own)
            };
            // Whoever was asked afterwards, and works, has a later one.
            if is_sign && self.canaries.signs.get(cell.actor) == signs.get(cell.actor) {
                self.canaries.sign(cell.actor, Sign::during(place));
            }
        }
        let mut fates = Fates::default();
        for (actor, said) in dead {
            let last = self.canaries.last_sign(actor);
            let refused = refused(&answers, actor, &said);
            if self.renew(plan, actor, &refused, before).await? {
                self.canaries.sign(actor, Sign::after(place + 1));
                fates.renewed.entry(last.suspect()).or_default().push(actor);
            } else {
                let first = if refused.is_empty() {
                    last.begun
                } else {
                    last.begun.min(place)
                };
                fates.lost.entry(first).or_default().push(actor);
            }
        }
        self.decide(all, fates);
        Ok(())
    }

    /// What the cells since then were answered, each beside what strangers were answered upon the same target.
    fn answers_since(&self, before: usize) -> Vec<(PlannedCell<'a>, Answers)> {
        let swept = self.ledger.since(before).iter();
        let swept: Vec<_> = swept.filter(|swept| swept.recorded).collect();
        let mut strangers: BTreeMap<&String, Vec<_>> = BTreeMap::new();
        for swept in &swept {
            if self.canaries.is_stranger(swept.planned.actor) {
                let answers = strangers.entry(swept.planned.target).or_default();
                answers.push(Said::from(&swept.observation));
            }
        }
        let known = swept
            .iter()
            .filter(|swept| !self.canaries.is_stranger(swept.planned.actor));
        let answers = known.map(|swept| {
            let cell = swept.planned;
            let strangers = strangers.get(cell.target).cloned().unwrap_or_default();
            let own = Said::from(&swept.observation);
            (cell, Answers { own, strangers })
        });
        answers.collect()
    }

    /// Whose credential may have died: with snapshots, who is refused where they say something else, and whose credential they
    /// say to end here. Without them, everybody's after calls that can change something, else that of who was refused.
    fn suspects(
        &self,
        plan: &EndpointPlan<'a>,
        answers: &[(PlannedCell<'a>, Answers)],
    ) -> BTreeSet<&'a String> {
        let record = self.pinned_record(&plan.endpoint.name);
        let is_recording = record.is_none();
        let refused = answers.iter().filter(|(cell, answers)| {
            let old = record.and_then(|record| record.cell_at(cell.target, cell.actor));
            let as_pinned = old.is_some_and(|old| old.status() == answers.own.status());
            let is_narrowed = !is_recording && answers.own.is_refusal();
            (answers.is_dead() || is_narrowed) && !as_pinned
        });
        let mut suspects: BTreeSet<&'a String> = refused.map(|(cell, _)| cell.actor).collect();
        let can_end = is_recording && !plan.endpoint.spec.request.method.is_safe();
        let is_due =
            |actor: &&String| can_end || record.is_some_and(|record| is_ended(record, actor));
        suspects.extend(self.canaries.readers().filter(is_due));
        suspects
    }

    /// Those of the actors whose credential does not work any more, after that many endpoints, with what their canary is
    /// answered: another refusal than at the start, but for a call that the service may do only once.
    async fn dead_of(
        &mut self,
        suspects: BTreeSet<&'a String>,
        swept: usize,
    ) -> Result<BTreeMap<&'a String, Said>, SweepError> {
        let canaries = &self.canaries;
        let suspects = suspects.into_iter();
        let suspects = suspects.filter(|actor| !canaries.is_dead(actor));
        let cells: Vec<PlannedCell<'a>> = suspects
            .filter_map(|actor| canaries.proofs.get(actor).map(|(cell, _)| *cell))
            .collect();
        let mut dead = BTreeMap::new();
        for (cell, answers) in self.question(&cells).await? {
            let first = self.canaries.proofs.get(cell.actor).map(|(_, said)| said);
            let is_other =
                answers.own.is_refusal() && first.is_some_and(|first| *first != answers.own);
            let is_telling = is_other && answers.own.is_answer() && self.canaries.is_read(&cell);
            if answers.is_dead() || is_telling {
                dead.insert(cell.actor, answers.own);
            } else {
                self.canaries.sign(cell.actor, Sign::after(swept));
            }
        }
        Ok(dead)
    }

    /// Makes a credential anew, and calls the cells that it was refused in again, each with a new one. Not if it cannot be made
    /// anew, or if that does not help.
    async fn renew(
        &mut self,
        plan: &'a EndpointPlan<'a>,
        actor: &'a String,
        refused: &[PlannedCell<'a>],
        before: usize,
    ) -> Result<bool, SweepError> {
        if !self.suite.auth_of(actor).is_some_and(Credential::is_issued) {
            return Ok(false);
        }
        self.ledger.forget_cells(before, refused);
        for cell in refused {
            self.scene.issues.forget(actor);
            self.enter(Presence::Alone).await?;
            let tried = self.attempt(plan, vec![*cell]).await?;
            self.judge(plan, tried).await?;
            self.leave().await?;
        }
        self.scene.issues.forget(actor);
        let swept = self.canaries.last_sign(actor).begun;
        let dead = self.dead_of(BTreeSet::from([actor]), swept).await?;
        Ok(dead.is_empty())
    }

    /// Keeps, and tells, whose credentials were made anew and whose cannot be.
    fn decide(&mut self, all: &[EndpointPlan<'a>], fates: Fates<'a>) {
        for (place, actors) in fates.renewed {
            let Some(by) = all.get(place).map(|plan| &plan.endpoint.name) else {
                continue;
            };
            let names = list(actors.iter().map(|actor| actor.as_str()));
            let ended = self.found.ended.entry(by.clone()).or_default();
            ended.extend(actors.into_iter().cloned());
            self.progress.note(&format!(
                "{by}: after its calls the credentials of {names} did not work any more, and were made anew"
            ));
        }
        for (place, actors) in fates.lost {
            let names = list(actors.iter().map(|actor| actor.as_str()));
            let dead = actors.into_iter().map(|actor| (actor, place));
            self.canaries.dead.extend(dead);
            let from = all
                .get(place)
                .map_or("the end", |plan| plan.endpoint.name.as_str());
            self.progress.note(&format!(
                "the credentials of {names} do not work any more and cannot be made anew: their cells from {from} on are \
                 inconclusive (`fresh: true` in an endpoint whose calls end credentials makes callers for each of its cells)"
            ));
        }
    }

    /// Asks at the end for every credential once more, and leaves out of the records what a dead one was answered.
    pub(in crate::sweep) async fn last_canaries(
        &mut self,
        plan: &'a [EndpointPlan<'a>],
    ) -> Result<(), SweepError> {
        let all = self.canaries.readers().collect();
        let mut fates = Fates::default();
        for actor in self.dead_of(all, plan.len()).await?.into_keys() {
            let last = self.canaries.last_sign(actor);
            let later = plan.get(last.begun..).unwrap_or_default();
            if later.iter().any(|plan| plan.calls(actor)) {
                fates.lost.entry(last.begun).or_default().push(actor);
            } else if last.is_during {
                let by = plan
                    .get(last.suspect())
                    .map(|plan| plan.endpoint.name.clone());
                let ended = self.found.ended.entry(by.unwrap_or_default());
                ended.or_default().insert(actor.clone());
            }
        }
        for actor in std::mem::take(&mut self.canaries.suspected) {
            if !self.canaries.signs.contains_key(actor) {
                fates.lost.entry(0).or_default().push(actor);
            }
        }
        self.decide(plan, fates);
        for (actor, place) in std::mem::take(&mut self.canaries.dead) {
            let later = plan.get(place..).unwrap_or_default().iter();
            for plan in later.filter(|plan| plan.calls(actor)) {
                let left_out = self.found.inconclusive.entry(plan.endpoint.name.clone());
                left_out.or_default().insert(actor.clone(), Silence::Dead);
            }
        }
        Ok(())
    }
}

/// The cells in which an actor was answered as with a dead credential.
fn refused<'a>(
    answers: &[(PlannedCell<'a>, Answers)],
    actor: &String,
    dead: &Said,
) -> Vec<PlannedCell<'a>> {
    let own = answers.iter().filter(|(cell, answers)| {
        cell.actor == actor && (answers.is_dead() || answers.own == *dead)
    });
    own.map(|(cell, _)| *cell).collect()
}

/// Whether a record says that calls end that actor's credential.
fn is_ended(record: &Record, actor: &str) -> bool {
    record.findings.contains(&findings::ended(actor))
}
