//! Who is asked in a dry run: nobody. Requests are noted down, and what an answer would give is made up.

use std::time::{Duration, Instant};

use crate::http::Call;
use crate::provision::{Asked, Client, Given, Reply};
use crate::shared::Shared;
use crate::suite::{JwtSpec, LoginSpec};
use crate::sweep::SweepError;
use crate::template::{Scope, TemplateError, random};

/// What would be sent by now, each with who needs it: whoever is made, or an actor who logs in.
#[derive(Default)]
pub(super) struct Notes {
    whose: String,
    noted: Shared<Vec<(String, Call)>>,
}

impl Notes {
    /// For what makes a member.
    pub(super) fn of(whose: &str) -> Self {
        Self {
            whose: whose.to_owned(),
            ..Self::default()
        }
    }

    /// Takes what was noted since somebody last did.
    pub(super) fn take(&self) -> Vec<(String, Call)> {
        self.noted.take()
    }

    /// The same, whoever needs it.
    pub(super) fn calls(&self) -> Vec<Call> {
        self.take().into_iter().map(|(_, call)| call).collect()
    }

    fn add(&self, whose: &str, call: Call) {
        self.noted.borrow_mut().push((whose.to_owned(), call));
    }
}

impl Client for Notes {
    type Failure = SweepError;

    async fn ask(&self, asked: Asked<'_>) -> Result<Reply<SweepError>, SweepError> {
        self.add(&self.whose, asked.call);
        let names = asked.step.capture.keys();
        Ok(Reply {
            captured: names.map(|name| (name.clone(), random(24))).collect(),
            outcome: Ok(()),
        })
    }

    async fn log_in(
        &self,
        actor: &str,
        login: &LoginSpec,
        call: Call,
    ) -> Result<Given, SweepError> {
        self.add(actor, call);
        let names = login.capture.keys();
        Ok(Given {
            captured: names.map(|name| (name.clone(), random(24))).collect(),
            lifetime: None,
        })
    }

    // The key need not be there, or be one.
    fn sign(&self, _: &str, _: &JwtSpec, _: &Scope) -> Result<String, TemplateError> {
        Ok(random(24))
    }

    /// Nothing gets old, however long it takes to work everything out.
    fn due(&self, _: Duration) -> Option<Instant> {
        None
    }

    fn of_login(&self, actor: &str, failure: SweepError) -> SweepError {
        failure.of(format!("the login of `{actor}`"))
    }
}
