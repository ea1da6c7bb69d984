//! Sending many calls at once.

use std::cell::Cell;
use std::future::Future;

use futures::StreamExt;

use super::{SweepError, Sweeper};
use crate::fault::Fault;
use crate::http::{Answer, Call, HttpError};
use crate::observation::Observation;
use crate::observe::{self, text_at};
use crate::suite::{Endpoint, PagesSpec, Suite};
use crate::symbols::{Namer, View};

/// The most pages that are walked.
const PAGES: usize = 1000;

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
    pub(super) fn shown(&self, suite: &Suite, namer: &Namer, view: View<'_>) -> Observation {
        let mut observation = Observation::default();
        for answer in &self.answers {
            let shown = observe::answer(&suite.file, namer, view, answer);
            if observation.status.is_none_or(|status| status < 400) {
                observation.status = Some(answer.status);
                observation.gate = shown.gate;
            }
            observation.discloses.extend(shown.discloses);
            if let Some(shape) = shown.shape {
                observation.shape.get_or_insert_default().extend(shape);
            }
        }
        if self.fault.is_some() {
            (observation.status, observation.gate) = (None, None);
            observation.fault = self.fault;
        }
        observation
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

impl Sweeper<'_> {
    /// Fires the calls of one endpoint; a paged answer is walked to its end.
    pub(super) async fn fire(
        &mut self,
        endpoint: &Endpoint,
        calls: &[Call],
    ) -> Result<Vec<Brought>, SweepError> {
        let Some(pages) = &endpoint.spec.pages else {
            let sent = self.send_all(calls).await?;
            return Ok(sent.into_iter().map(Brought::from).collect());
        };
        let walks = calls.iter().map(|call| self.walk(endpoint, pages, call));
        let brought = in_order(walks, self.options.concurrency).await?;
        self.found.requests += brought.iter().map(Brought::requests).sum::<usize>();
        Ok(brought)
    }

    /// Sends calls, as many at once as the options say; the answers come back in the calls' order.
    pub(super) async fn send_all(
        &mut self,
        calls: &[Call],
    ) -> Result<Vec<Result<Answer, Fault>>, HttpError> {
        let sends = calls.iter().map(|call| self.http.send(call));
        let answers = in_order(sends, self.options.concurrency).await?;
        self.found.requests += answers.len();
        Ok(answers)
    }

    async fn walk(
        &self,
        endpoint: &Endpoint,
        pages: &PagesSpec,
        call: &Call,
    ) -> Result<Brought, SweepError> {
        let mut brought = Brought::default();
        loop {
            let page = brought.answers.len() + 1;
            let sent = self
                .http
                .send(&call.with_query(&pages.query, &page.to_string()))
                .await?;
            // After a fault there is no next page.
            let last = sent.as_ref().map_or(0, |answer| last_page(pages, answer));
            brought.push(sent);
            if page >= last {
                return Ok(brought);
            }
            if page >= PAGES {
                return Err(SweepError::Pages {
                    endpoint: endpoint.name.clone(),
                    limit: PAGES,
                });
            }
        }
    }
}

/// The number of the last page as this answer says; an answer without one is the last.
fn last_page(pages: &PagesSpec, answer: &Answer) -> usize {
    let total = answer
        .json()
        .filter(|_| answer.is_success())
        .and_then(|body| text_at(body, &pages.total));
    total.and_then(|total| total.parse().ok()).unwrap_or(0)
}

/// Runs futures, some at once, and gives their results in the futures' order, or the first failure. After a failure
/// those under way are awaited, since a call that is given up may still write, but no other one is begun.
pub(super) async fn in_order<T, E>(
    futures: impl Iterator<Item = impl Future<Output = Result<T, E>>>,
    at_once: usize,
) -> Result<Vec<T>, E> {
    let has_failed = Cell::new(false);
    let wanted = futures.take_while(|_| !has_failed.get());
    let results: Vec<Result<T, E>> = futures::stream::iter(wanted)
        .buffered(at_once.max(1))
        .inspect(|result| has_failed.set(has_failed.get() || result.is_err()))
        .collect()
        .await;
    results.into_iter().collect()
}
