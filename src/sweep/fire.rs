//! Sending many calls at once.

use std::future::Future;

use futures::StreamExt;

use super::{SweepError, Sweeper};
use crate::http::{Answer, Call, HttpError};
use crate::observe::text_at;
use crate::suite::{Endpoint, PagesSpec};

/// The most pages that are walked.
const PAGES: usize = 1000;

impl Sweeper<'_> {
    /// Fires the calls of one endpoint; a paged answer is walked to its end.
    pub(super) async fn fire(
        &mut self,
        endpoint: &Endpoint,
        calls: &[Call],
    ) -> Result<Vec<Vec<Answer>>, SweepError> {
        let Some(pages) = &endpoint.spec.pages else {
            return Ok(self
                .send_all(calls)
                .await?
                .into_iter()
                .map(|answer| vec![answer])
                .collect());
        };
        let walks = calls.iter().map(|call| self.walk(endpoint, pages, call));
        let answers = in_order(walks, self.options.concurrency).await?;
        self.sent += answers.iter().map(Vec::len).sum::<usize>();
        Ok(answers)
    }

    /// Sends calls, as many at once as the options say; the answers come back in the calls' order.
    pub(super) async fn send_all(&mut self, calls: &[Call]) -> Result<Vec<Answer>, HttpError> {
        let sends = calls.iter().map(|call| self.http.send(call));
        let answers = in_order(sends, self.options.concurrency).await?;
        self.sent += answers.len();
        Ok(answers)
    }

    async fn walk(
        &self,
        endpoint: &Endpoint,
        pages: &PagesSpec,
        call: &Call,
    ) -> Result<Vec<Answer>, SweepError> {
        let mut answers = Vec::new();
        loop {
            let page = answers.len() + 1;
            let answer = self
                .http
                .send(&call.with_query(&pages.query, &page.to_string()))
                .await?;
            let last = last_page(pages, &answer);
            answers.push(answer);
            if page >= last {
                return Ok(answers);
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

/// Runs futures, some at once, and gives their results in the futures' order, or the first failure.
async fn in_order<T, E>(
    futures: impl Iterator<Item = impl Future<Output = Result<T, E>>>,
    at_once: usize,
) -> Result<Vec<T>, E> {
    let results: Vec<Result<T, E>> = futures::stream::iter(futures)
        .buffered(at_once.max(1))
        .collect()
        .await;
    results.into_iter().collect()
}
