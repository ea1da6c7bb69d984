//! What is asked after the calls of a batch: which credentials still work.

use std::sync::Arc;

use authz_pin_record::fault::{Fault, Reply};
use authz_pin_suite::plan::PlannedCell;
use authz_pin_suite::suite::Endpoint;
use authz_pin_suite::world::Scratch;

use super::again::PAUSES;
use super::{SweepError, Sweeper};
use crate::http::{Answer, Call, Purpose};
use crate::verdicts::Rules;

impl<'a> Sweeper<'a> {
    /// Asks, after the calls, which credentials still work; a probe whose credential does not exist is not made.
    pub(super) async fn probe(
        &mut self,
        endpoint: &Endpoint,
        first: usize,
        cells: &[PlannedCell<'a>],
        scratches: &[Scratch],
    ) -> Result<(), SweepError> {
        let (mut asked, mut owners) = (Vec::new(), Vec::new());
        let provision = self.provision();
        for (place, (cell, scratch)) in cells.iter().zip(scratches).enumerate() {
            let (number, fresh) = (first + place, self.setups.fresh_at(place));
            for (at, (name, spec)) in endpoint.spec.probes.iter().enumerate() {
                let (templates, scope) = (&self.templates, &scratch.scope);
                let credential = provision.headers_in(&spec.auth, cell, scope, fresh.as_deref());
                let Ok(credential) = credential else { continue };
                let call = Call::render(templates, &spec.request, credential, scope);
                let call = call.map_err(|error| SweepError::from(error).of(cell))?;
                asked.push(call.of(Purpose::Probe(at), Some(number)));
                owners.push((number, name, spec));
            }
        }
        let asked: Arc<[Call]> = asked.into();
        let mut sent = self.send_all(&asked).await?;
        self.probe_again(&asked, &mut sent).await?;
        if sent.iter().any(Result::is_err) {
            self.still_ready().await.map_err(SweepError::Gone)?;
        }
        for ((number, name, spec), sent) in owners.into_iter().zip(sent) {
            let brought = match sent {
                Ok(answer) => {
                    let rules = Rules::of_request(&self.suite.file, &spec.request);
                    rules.decide(&answer).into()
                }
                Err(fault) => Reply::Fault(fault).into(),
            };
            if let Some(swept) = self.ledger.cell_mut(number) {
                swept.observation.probes.insert(name.clone(), brought);
            }
        }
        Ok(())
    }

    /// Asks again, one at a time, where the service failed or gave no answer: that says nothing of a credential. Of requests that
    /// could change something, what they brought at first counts, and so does what is the same again.
    async fn probe_again(
        &mut self,
        asked: &[Call],
        sent: &mut [Result<Answer, Fault>],
    ) -> Result<(), SweepError> {
        for pause in PAUSES {
            let mut silent: Vec<(&Call, &mut Result<Answer, Fault>)> = asked
                .iter()
                .zip(sent.iter_mut())
                .filter(|(call, sent)| call.method.is_safe() && says_nothing(sent))
                .collect();
            if silent.is_empty() {
                break;
            }
            tokio::time::sleep(pause).await;
            let calls: Arc<[Call]> = silent.iter().map(|(call, _)| call.again()).collect();
            self.at_once = 1;
            let again = self.send_all(&calls).await;
            self.at_once = self.options.concurrency;
            let again = again?;
            let is_over = again.iter().all(says_nothing);
            for ((_, sent), again) in silent.iter_mut().zip(again) {
                **sent = again;
            }
            if is_over {
                break;
            }
        }
        Ok(())
    }
}

/// Whether an answer, or that there is none, says nothing of a credential.
fn says_nothing(sent: &Result<Answer, Fault>) -> bool {
    sent.as_ref().map_or(true, |answer| answer.status >= 500)
}
