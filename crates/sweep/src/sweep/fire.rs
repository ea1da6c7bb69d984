//! Sending many calls at once.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use authz_pin_record::fault::{Fault, Reply};
use authz_pin_record::observation::Observation;
use authz_pin_record::record::{Decision, Unprinted};
use authz_pin_suite::suite::{Endpoint, JsonPath, PagesSpec};
use futures::future::BoxFuture;
use futures::stream::FuturesOrdered;
use futures::{FutureExt, StreamExt};
use serde_json::Value as Json;
use tokio::sync::RwLock;
use tokio::task::JoinSet;

use super::store::Store;
use super::{SweepError, Sweeper};
use crate::http::{Answer, Call, Http, HttpError};
use crate::observe::Eye;
use crate::verdicts::Rules;

/// The most pages that are walked.
const PAGES: usize = 1_000;

/// What a call brought: the answer, or its pages, up to the fault that ended them.
#[derive(Default)]
pub(super) struct Brought {
    pub(super) answers: Vec<Answer>,
    pub(super) fault: Option<Fault>,
}

impl Brought {
    fn push(&mut self, sent: Result<Answer, Fault>) {
        match sent {
            Ok(answer) => self.answers.push(answer),
            Err(fault) => self.fault = Some(fault),
        }
    }

    /// What the answer showed; of pages, what all of them showed, with the status of the first that is no success.
    pub(super) fn shown(&self, eye: &Eye<'_>) -> (Observation, Unprinted) {
        let (mut observation, mut unprinted) = (Observation::default(), Unprinted::default());
        for answer in &self.answers {
            let shown = eye.answer(answer);
            let is_refused = observation.decision.is_some() && observation.verdict().is_denied();
            if !is_refused {
                observation.answered(shown.decision, shown.gate);
                observation.also = shown.also;
                unprinted = shown.unprinted;
            }
            observation.headers.extend(shown.headers);
            observation.discloses.extend(shown.discloses);
            if let Some(values) = shown.values {
                let all = observation.values.get_or_insert_default();
                for (path, value) in values {
                    let value = match all.remove(&path) {
                        Some(known) => known.and(value),
                        None => value,
                    };
                    all.insert(path, value);
                }
            }
            if let Some(shape) = shown.shape {
                observation.shape.get_or_insert_default().extend(shape);
            }
        }
        if let Some(fault) = self.fault {
            observation.decision = Some(Decision::by_status(Reply::Fault(fault)));
            observation.gate = None;
            observation.also.clear();
        }
        (observation, unprinted)
    }

    /// The status of the answer, or of the first page.
    pub(super) fn status(&self) -> Option<u16> {
        let answers = self.answers.first().filter(|_| self.fault.is_none());
        answers.map(|answer| answer.status)
    }

    fn requests(&self) -> usize {
        self.answers.len() + usize::from(self.fault.is_some())
    }
}

impl From<Result<Answer, Fault>> for Brought {
    fn from(sent: Result<Answer, Fault>) -> Self {
        let mut brought = Self::default();
        brought.push(sent);
        brought
    }
}

/// What ended the firing of calls.
pub(super) struct Broken {
    pub(super) error: SweepError,
    /// The places of the calls that the service did not answer.
    pub(super) silent: Vec<usize>,
}

impl From<SweepError> for Broken {
    fn from(error: SweepError) -> Self {
        let silent = Vec::new();
        Self { error, silent }
    }
}

impl From<Broken> for SweepError {
    fn from(broken: Broken) -> Self {
        broken.error
    }
}

impl Sweeper<'_> {
    /// Fires the calls of one endpoint; a paged answer is walked to its end.
    pub(super) async fn fire(
        &mut self,
        endpoint: &Endpoint,
        calls: &Arc<[Call]>,
    ) -> Result<Vec<Brought>, Broken> {
        let Some(pages) = &endpoint.spec.pages else {
            let lanes = self.begin(calls);
            // Until the calls are over this thread has nothing else to do.
            self.finish();
            let sent = self.end(lanes).await?;
            return Ok(sent.into_iter().map(Brought::from).collect());
        };
        self.finish();
        let walker = Walker {
            http: &self.http.clone(),
            under_way: &Arc::clone(&self.setups.under_way),
            pages,
            rules: Rules::of_endpoint(&self.suite.file, &endpoint.spec),
        };
        let walks = calls.iter().map(|call| walker.walk(call).boxed());
        let walks = in_order(walks.collect(), self.at_once);
        let brought = while_alone(self.store.as_mut(), walks).await?;
        self.found.requests += brought.iter().map(Brought::requests).sum::<usize>();
        Ok(brought)
    }

    /// Sends calls, as many at once as the options say; the answers come back in the calls' order.
    pub(super) async fn send_all(
        &mut self,
        calls: &Arc<[Call]>,
    ) -> Result<Vec<Result<Answer, Fault>>, Broken> {
        let lanes = self.begin(calls);
        self.end(lanes).await
    }

    fn begin(&self, calls: &Arc<[Call]>) -> JoinSet<Lane> {
        let lanes = self.at_once.clamp(1, calls.len().max(1));
        let next = Arc::new(AtomicUsize::new(0));
        let lane = |_| {
            let under_way = Arc::clone(&self.setups.under_way);
            lane(
                self.http.clone(),
                Arc::clone(calls),
                Arc::clone(&next),
                under_way,
            )
        };
        // Tasks of their own run on all cores, and end when nobody waits for them any more.
        (0..lanes).map(lane).collect()
    }

    async fn end(&mut self, lanes: JoinSet<Lane>) -> Result<Vec<Result<Answer, Fault>>, Broken> {
        let mut sent = Vec::new();
        let mut failure = None;
        let lanes = lanes.join_all();
        for (brought, failed) in while_alone(self.store.as_mut(), lanes).await {
            sent.extend(brought);
            failure = failure.or(failed);
        }
        self.found.requests += sent.len();
        sent.sort_unstable_by_key(|(place, _)| *place);
        if let Some(error) = failure {
            let silent = sent.iter().filter(|(_, sent)| sent.is_err());
            return Err(Broken {
                silent: silent.map(|(place, _)| *place).collect(),
                error: error.into(),
            });
        }
        Ok(sent.into_iter().map(|(_, sent)| sent).collect())
    }
}

/// Walks paged answers to their end.
struct Walker<'w> {
    http: &'w Http,
    under_way: &'w RwLock<()>,
    pages: &'w PagesSpec,
    rules: Rules<'w>,
}

impl Walker<'_> {
    async fn walk(&self, first: &Call) -> Result<Brought, SweepError> {
        let mut brought = Brought::default();
        let mut page = Some(first_page(self.pages, first));
        while let Some(call) = page.take() {
            if brought.answers.len() >= PAGES {
                brought.push(Err(Fault::Endless));
                break;
            }
            let under_way = self.under_way.read().await;
            let sent = self.http.send(&call).await?;
            drop(under_way);
            brought.push(sent);
            // After a fault there is no next page.
            if brought.fault.is_none() {
                page = self.next(first, &call, &brought);
            }
        }
        Ok(brought)
    }

    /// The call of the page after the last one that was brought; what is no success has none after it.
    fn next(&self, first: &Call, call: &Call, brought: &Brought) -> Option<Call> {
        let pages = self.pages;
        let done = brought.answers.len();
        let answer = brought.answers.last();
        let answer = answer.filter(|last| self.rules.decide(last).verdict().is_allowed())?;
        if let Some(relation) = &pages.link {
            return self.http.linked(call, answer, relation);
        }
        let query = pages.query.as_ref()?;
        if let Some(source) = &pages.next {
            let token = answer.value(source).filter(|token| !token.is_empty())?;
            return Some(first.with_query(query, &token));
        }
        if let Some(path) = &pages.items {
            let all = brought.answers.iter().map(|answer| items(answer, path));
            let before: usize = all.sum();
            return (items(answer, path) > 0).then(|| first.with_query(query, &before.to_string()));
        }
        let last = last_page(pages.total.as_ref()?, answer);
        (done < last).then(|| first.with_query(query, &(done + 1).to_string()))
    }
}

/// The call of the first page.
fn first_page(pages: &PagesSpec, call: &Call) -> Call {
    match (&pages.query, &pages.total, &pages.items) {
        (Some(query), Some(_), _) => call.with_query(query, "1"),
        (Some(query), _, Some(_)) => call.with_query(query, "0"),
        _ => call.again(),
    }
}

/// Waits for calls. What changes meanwhile is the run's if it is alone on the database, also should it be killed: that is said
/// again and again while calls are under way.
async fn while_alone<T>(store: Option<&mut Store<'_>>, calls: impl Future<Output = T>) -> T {
    let Some(store) = store else {
        return calls.await;
    };
    let mut calls = std::pin::pin!(calls);
    loop {
        tokio::select! {
            done = &mut calls => return done,
            () = tokio::time::sleep(PULSE) => store.stay_alone().await,
        }
    }
}

/// How often that is said.
const PULSE: Duration = Duration::from_secs(1);

/// What came of some of the calls, with their places among all, and what ended that.
type Lane = (Vec<(usize, Result<Answer, Fault>)>, Option<HttpError>);

/// Sends one call after another, each the next that no other lane has begun. After a failure no lane begins another; those
/// under way are awaited, since a call that is given up may still write.
async fn lane(
    http: Http,
    calls: Arc<[Call]>,
    next: Arc<AtomicUsize>,
    under_way: Arc<RwLock<()>>,
) -> Lane {
    let mut brought = Vec::new();
    loop {
        // Who ends the run waits for what is under way, and nothing else is begun meanwhile.
        let _under_way = under_way.read().await;
        let place = next.fetch_add(1, Ordering::Relaxed);
        let Some(call) = calls.get(place) else {
            return (brought, None);
        };
        match http.send(call).await {
            Ok(sent) => brought.push((place, sent)),
            Err(error) => {
                next.store(calls.len(), Ordering::Relaxed);
                return (brought, Some(error));
            }
        }
    }
}

/// The number of the last page as this answer says; an answer without one is the last.
fn last_page(total: &JsonPath, answer: &Answer) -> usize {
    let total = answer.json().and_then(|body| total.text_in(body));
    total.and_then(|total| total.parse().ok()).unwrap_or(0)
}

/// How many items a page has.
fn items(answer: &Answer, path: &JsonPath) -> usize {
    let items = answer.json().and_then(|body| path.value_in(body));
    items.and_then(Json::as_array).map_or(0, Vec::len)
}

/// Runs futures, some at once, and gives their results in the futures' order, or the first failure. After a failure
/// those under way are awaited, since a call that is given up may still write, but no other one is begun.
pub(super) async fn in_order<T, E>(
    futures: Vec<BoxFuture<'_, Result<T, E>>>,
    at_once: usize,
) -> Result<Vec<T>, E> {
    let (mut waiting, mut under_way) = (futures.into_iter(), FuturesOrdered::new());
    let (mut results, mut has_failed) = (Vec::new(), false);
    loop {
        while under_way.len() < at_once.max(1) && !has_failed {
            let Some(next) = waiting.next() else { break };
            under_way.push_back(next);
        }
        let Some(result) = under_way.next().await else {
            break;
        };
        has_failed |= result.is_err();
        results.push(result);
    }
    results.into_iter().collect()
}
