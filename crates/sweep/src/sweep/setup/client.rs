//! Who is asked in a run: the service, over HTTP.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use authz_pin_suite::suite::{
    CommandSpec, JwtSpec, LoginSpec, PollSpec, RequestSpec, Source, StepSpec,
};
use authz_pin_suite::template::{Fields, Scope, TemplateError, Value, to_value};

use super::StepFailure;
use super::removal::GONE;
use super::step::{answered, captured, expects};
use crate::http::{Answer, Call, Purpose};
use crate::provision::{Asked, Client, Given, Printed, Provision, Reply};
use crate::service::run_program;
use crate::sweep::{SweepError, Sweeper};
use crate::verdicts::Rules;

impl Client for Sweeper<'_> {
    type Failure = StepFailure;

    /// Sends a step's request, again and again where the step waits for something to become true.
    async fn ask(&self, asked: Asked<'_>) -> Result<Reply<StepFailure>, StepFailure> {
        let Asked {
            step,
            request,
            scope,
            call,
        } = asked;
        let is_removal = call
            .origin
            .is_some_and(|origin| origin.purpose == Purpose::Teardown);
        let usual = if is_removal { GONE } else { &[] };
        let Some(poll) = &step.poll else {
            let answer = self.send_step(&call).await?;
            return Ok(self.reply((step, request), &answer, usual));
        };
        let start = Instant::now();
        let pause = Duration::from_millis(poll.every_ms);
        loop {
            let answer = self.send_step(&call).await?;
            if expects(self.rules(request), &step.expect, &answer, usual)
                && self.holds(poll, scope.clone(), &answer)?
            {
                return Ok(self.reply((step, request), &answer, usual));
            }
            if start.elapsed() + pause > Duration::from_secs(poll.timeout_s) {
                return Err(StepFailure::Unclear(format!(
                    "`{}` was not true within {} s, and the last answer was {}",
                    poll.until,
                    poll.timeout_s,
                    answered(&answer)
                )));
            }
            tokio::time::sleep(pause).await;
        }
    }

    async fn log_in(
        &self,
        actor: &str,
        login: &LoginSpec,
        call: Call,
    ) -> Result<Given, StepFailure> {
        self.log_in_now(actor, login, &call).await
    }

    async fn run(
        &self,
        actor: Option<&str>,
        command: &CommandSpec,
        environment: Vec<(String, String)>,
    ) -> Result<Printed, StepFailure> {
        let _under_way = self.setups.under_way.read().await;
        let environment = environment.iter();
        let environment = environment.map(|(name, value)| (name.as_str(), value.as_str()));
        // What the suite says counts more.
        let place = ("BASE_URL", self.http.base_url().as_str());
        let environment: Vec<(&str, &str)> = std::iter::once(place).chain(environment).collect();
        let (line, folder) = (&command.line, &self.suite.folder);
        let ran = run_program(line, folder, &environment, command.timeout).await;
        match ran {
            Ok(printed) => Ok(Printed::Answer(Box::new(Answer::printed(&printed)))),
            Err(reason) => {
                let reason = reason.replace('\n', " ");
                Err(StepFailure::Unclear(match actor {
                    Some(_) => format!("the command of {} {reason}", command.place),
                    None => format!("it {reason}"),
                }))
            }
        }
    }

    fn lacks(&self, _: &CommandSpec, name: &str, source: &Source) -> StepFailure {
        StepFailure::Unclear(format!("it prints no JSON with `{name}` at {source}"))
    }

    fn sign(&self, actor: &str, spec: &JwtSpec, scope: &Scope) -> Result<String, TemplateError> {
        self.sign_now(actor, spec, scope)
    }

    fn due(&self, lifetime: Duration) -> Option<Instant> {
        Some(self.due_at(lifetime))
    }
}

fn has_all(
    step: &StepSpec,
    answer: &Answer,
    usual: &[u16],
    captured: &BTreeMap<String, String>,
) -> Result<(), StepFailure> {
    // Nothing is taken from an answer that can also say that there is nothing to remove.
    let mut wanted = step.capture.iter().filter(|_| usual.is_empty());
    match wanted.find(|(name, _)| !captured.contains_key(*name)) {
        Some((name, source)) => Err(StepFailure::Unclear(format!(
            "no `{name}` is at {source} of its answer, {}",
            answered(answer)
        ))),
        None => Ok(()),
    }
}

impl<'a> Sweeper<'a> {
    /// What decides of the answers to a request that makes something.
    pub(in crate::sweep) fn rules(&self, request: &RequestSpec) -> Rules<'_> {
        Rules::of_request(&self.suite.file, request)
    }

    /// What came of a step.
    fn reply(
        &self,
        (step, request): (&StepSpec, &RequestSpec),
        answer: &Answer,
        usual: &[u16],
    ) -> Reply<StepFailure> {
        let captured = captured(step, answer);
        let outcome = if expects(self.rules(request), &step.expect, answer, usual) {
            has_all(step, answer, usual, &captured)
        } else {
            Err(StepFailure::Refused(answer.status, answered(answer)))
        };
        Reply { captured, outcome }
    }

    /// What makes things in this run.
    pub(in crate::sweep) fn provision(&self) -> Provision<'_, 'a, Self> {
        Provision {
            suite: self.suite,
            templates: &self.templates,
            scene: &self.scene,
            client: self,
        }
    }

    /// A run that is asked to end waits for what is under way here.
    pub(in crate::sweep) async fn send_step(&self, call: &Call) -> Result<Answer, StepFailure> {
        let _under_way = self.setups.under_way.read().await;
        *self.setups.requests.borrow_mut() += 1;
        let sent = self.http.send(call).await.map_err(SweepError::from)?;
        sent.map_err(|fault| StepFailure::Unclear(format!("no answer came: {fault}")))
    }

    fn holds(
        &self,
        poll: &PollSpec,
        mut scope: Scope,
        answer: &Answer,
    ) -> Result<bool, TemplateError> {
        let body = answer
            .body
            .json()
            .map_or_else(|| Value::from(answer.body.text()), to_value);
        let fields = Fields::from([
            ("status".to_owned(), Value::from(answer.status)),
            ("body".to_owned(), body),
            ("text".to_owned(), Value::from(answer.body.text())),
        ]);
        scope.insert("answer", Value::from(fields));
        let holds = self.templates.evaluate(&poll.until, &scope)?;
        Ok(holds.is_true())
    }
}
