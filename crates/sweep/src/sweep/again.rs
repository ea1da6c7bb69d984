//! Answers that may say nothing of their call: the service was not well, or other calls were in the way. They are asked
//! again, one at a time, and never pinned while they are in doubt.

use std::time::Duration;

use authz_pin_record::record::Record;
use authz_pin_record::text::counted;
use authz_pin_suite::plan::{EndpointPlan, PlannedCell};
use tracing::info;

use super::doubt::Try;
use super::fire::Brought;
use super::store::Store;
use super::{SweepError, Sweeper};

/// Why an answer may say nothing of its call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doubt {
    /// 502 to 504, or what the suite calls an outage. Whether the call did anything is not known.
    Outage,
    /// 429: the service was called too often.
    Limit,
    /// 409: other calls may have been in the way.
    Conflict,
}

/// Why the cells of an actor are left out of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Silence {
    /// Its credential did not work any more.
    Dead,
    /// The service was called too often.
    Limited,
    /// The service was not well.
    Outage,
}

/// Calls that were made again.
pub(super) struct Again<'a> {
    pub(super) tried: Try<'a>,
    /// Whether another try would be answered alike: beside conflicts there was nothing else.
    pub(super) is_last: bool,
}

/// The pauses before the calls are made again, if the service does not say how long it wants to be left alone.
pub(super) const PAUSES: [Duration; 3] = [
    Duration::from_millis(250),
    Duration::from_secs(1),
    Duration::from_secs(4),
];

/// The longest pause that a service can ask for.
const LONGEST: Duration = Duration::from_mins(1);

/// For how long the service wants to be left alone. RFC 9110, section 10.2.3: a number of seconds; a date is not understood.
pub(super) fn retry_after(brought: &[Brought]) -> Option<Duration> {
    let answers = brought.iter().flat_map(|brought| &brought.answers);
    let values = answers.filter_map(|answer| answer.headers.get("retry-after")?.to_str().ok());
    let seconds = values.filter_map(|value| value.trim().parse().ok());
    seconds.max().map(Duration::from_secs)
}

impl<'a> Sweeper<'a> {
    /// Makes calls again whose answers are in doubt, and leaves out of the records what stays so. What no symbol explains of
    /// them is judged as that of the first try. Cells that were swept `alone` were asked for again by then; those that come to
    /// be so here are added.
    pub(super) async fn ask_in_turn(
        &mut self,
        plan: &EndpointPlan<'a>,
        before: usize,
        alone: &mut Vec<PlannedCell<'a>>,
    ) -> Result<(), SweepError> {
        for pause in PAUSES {
            let Some(again) = self.ask_once(plan, (before, alone), pause).await? else {
                break;
            };
            self.at_once = 1;
            let judged = self.judge(plan, again.tried).await;
            self.at_once = self.options.concurrency;
            alone.extend(judged?);
            if again.is_last {
                break;
            }
        }
        self.leave_in_doubt(plan, (before, alone)).await
    }

    /// Makes calls again whose answers are in doubt, one at a time, but for those of some cells; what they did at first is
    /// undone by then.
    pub(super) async fn ask_once(
        &mut self,
        plan: &EndpointPlan<'a>,
        since: (usize, &[PlannedCell<'a>]),
        pause: Duration,
    ) -> Result<Option<Again<'a>>, SweepError> {
        let mut again = self.doubtful(plan, since);
        again.retain(|(_, doubt)| self.can_be_made_again(plan, *doubt));
        if again.is_empty() {
            return Ok(None);
        }
        self.tell_doubt(plan, &again);
        info!(cells = again.len(), "asking again");
        let is_last = again.iter().all(|(_, doubt)| *doubt == Doubt::Conflict);
        // What holds a lock for a call may hold it for a while longer.
        let asked = self.retry_after.take().unwrap_or(pause);
        tokio::time::sleep(asked.min(LONGEST)).await;
        let cells: Vec<PlannedCell<'a>> = again.iter().map(|(cell, _)| *cell).collect();
        self.ledger.forget_cells(since.0, &cells);
        self.at_once = 1;
        let tried = self.attempt(plan, cells).await;
        self.at_once = self.options.concurrency;
        let tried = tried?;
        Ok(Some(Again { tried, is_last }))
    }

    /// The cells since then whose answers are in doubt, but for some. What a snapshot says is known to be meant.
    fn doubtful(
        &self,
        plan: &EndpointPlan<'a>,
        (before, but): (usize, &[PlannedCell<'a>]),
    ) -> Vec<(PlannedCell<'a>, Doubt)> {
        let record = self.pinned_record(&plan.endpoint.name);
        let swept = self.ledger.since(before).iter();
        let doubtful = swept.filter(|swept| swept.recorded).filter_map(|swept| {
            let answer = &swept.observation;
            let doubt = self.doubt_of(answer.status(), answer.gate.as_deref())?;
            let cell = swept.planned;
            let is_pinned = record.is_some_and(|record| {
                let old = record.cell_at(cell.target, cell.actor);
                let now = (answer.status(), answer.gate.as_deref());
                old.is_some_and(|old| (old.status(), record.gate_of(old)) == now)
            });
            (!is_pinned && !but.contains(&cell)).then_some((cell, doubt))
        });
        doubtful.collect()
    }

    /// What an endpoint's snapshot says, where there are snapshots.
    pub(super) fn pinned_record(&self, endpoint: &str) -> Option<&Record> {
        self.options.pinned.as_ref()?.get(endpoint)
    }

    fn doubt_of(&self, status: Option<u16>, gate: Option<&str>) -> Option<Doubt> {
        let mut outages = self.suite.file.outage.iter();
        let is_outage = |gate: &str| outages.any(|pattern| pattern.is_match(gate));
        if gate.is_some_and(is_outage) {
            return Some(Doubt::Outage);
        }
        match status? {
            502..=504 => Some(Doubt::Outage),
            429 => Some(Doubt::Limit),
            409 => Some(Doubt::Conflict),
            _ => None,
        }
    }

    /// Whether a call may be made again: one that was refused did nothing; of any other one it is not known, and what it did has
    /// to be undone.
    fn can_be_made_again(&self, plan: &EndpointPlan<'a>, doubt: Doubt) -> bool {
        let changes_nothing = plan.endpoint.spec.request.method.is_safe();
        doubt != Doubt::Outage || changes_nothing || self.is_journalled()
    }

    fn tell_doubt(&self, plan: &EndpointPlan<'a>, again: &[(PlannedCell<'a>, Doubt)]) {
        let mut statuses: Vec<&str> = again.iter().map(|(_, doubt)| doubt.said()).collect();
        statuses.sort_unstable();
        statuses.dedup();
        self.progress.note(&format!(
            "{}: {} answered {}: asking again, one at a time",
            plan.endpoint.name,
            counted(again.len(), "cell"),
            statuses.join(" or ")
        ));
    }

    /// What is in doubt even now: a conflict is the cell's answer, and so is an outage of this call alone, while the service
    /// answers others, if it was asked again or no snapshot says otherwise. The rest is left out.
    pub(super) async fn leave_in_doubt(
        &mut self,
        plan: &EndpointPlan<'a>,
        since: (usize, &[PlannedCell<'a>]),
    ) -> Result<(), SweepError> {
        let doubtful = self.doubtful(plan, since);
        let limited = doubtful.iter().filter(|(_, doubt)| *doubt == Doubt::Limit);
        let limited: Vec<PlannedCell<'a>> = limited.map(|(cell, _)| *cell).collect();
        self.silence(&limited, Silence::Limited);
        let out = doubtful.iter().filter(|(_, doubt)| *doubt == Doubt::Outage);
        let out: Vec<PlannedCell<'a>> = out.map(|(cell, _)| *cell).collect();
        let is_certain = self.can_be_made_again(plan, Doubt::Outage)
            || self.pinned_record(&plan.endpoint.name).is_none();
        if out.is_empty() || (is_certain && self.is_well().await?) {
            return Ok(());
        }
        self.silence(&out, Silence::Outage);
        Ok(())
    }

    fn silence(&mut self, cells: &[PlannedCell<'a>], why: Silence) {
        for cell in cells {
            let left_out = self
                .found
                .inconclusive
                .entry(cell.endpoint.clone())
                .or_default();
            left_out.entry(cell.actor.clone()).or_insert(why);
        }
    }

    /// Whether the service answers a call that it has answered before, or else says that it is ready.
    async fn is_well(&mut self) -> Result<bool, SweepError> {
        let presence = self.store.as_ref().and_then(Store::presence);
        let answer = self.any_canary().await?;
        // The canary has left, and the endpoint is not over yet.
        if let Some(presence) = presence {
            self.enter(presence).await?;
        }
        let Some(answer) = answer else {
            return Ok(self
                .http
                .ready(&self.suite.file.service.ready)
                .await
                .is_ok());
        };
        let doubt = self.doubt_of(answer.status(), answer.gate.as_deref());
        Ok(answer.is_answer() && doubt != Some(Doubt::Outage))
    }
}

impl Doubt {
    fn said(self) -> &'static str {
        match self {
            Self::Outage => "as in an outage",
            Self::Limit => "429",
            Self::Conflict => "409",
        }
    }
}
