//! Who is asked in a dry run: nobody. Requests are noted down, and what an answer would give is made up.

use std::time::{Duration, Instant};

use authz_pin_suite::suite::{CommandSpec, JwtSpec, LoginSpec, Source};
use authz_pin_suite::template::{Scope, TemplateError, random};

use crate::http::Call;
use crate::provision::{Asked, Client, Given, Printed, Reply};
use crate::shared::Shared;
use crate::sweep::SweepError;

/// What would be sent by now, each with who needs it: whoever is made, or an actor who logs in.
#[derive(Default)]
pub(super) struct Notes {
    /// Who is made now.
    whose: Shared<String>,
    noted: Shared<Vec<(String, Option<Noted>)>>,
}

/// What would be done.
pub(super) enum Noted {
    /// A request.
    Call(Box<Call>),
    /// A line for the shell.
    Program(String),
}

impl Notes {
    /// From now on it is this one that is made.
    pub(super) fn begin(&self, whose: &str) {
        self.whose.replace(whose.to_owned());
    }

    /// It is made, which may have taken no request at all.
    pub(super) fn end(&self) {
        let whose = self.whose.take();
        self.noted.borrow_mut().push((whose, None));
    }

    /// Takes what was noted since somebody last did.
    pub(super) fn take(&self) -> Vec<(String, Option<Noted>)> {
        self.noted.take()
    }

    /// All of it, whoever needs it.
    pub(super) fn calls(&self) -> Vec<Noted> {
        self.take()
            .into_iter()
            .filter_map(|(_, call)| call)
            .collect()
    }

    fn add(&self, whose: &str, noted: Noted) {
        let noted = (whose.to_owned(), Some(noted));
        self.noted.borrow_mut().push(noted);
    }
}

impl Client for Notes {
    type Failure = SweepError;

    async fn ask(&self, asked: Asked<'_>) -> Result<Reply<SweepError>, SweepError> {
        self.add(&self.whose.borrow(), Noted::Call(Box::new(asked.call)));
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
        self.add(actor, Noted::Call(Box::new(call)));
        let names = login.capture.keys();
        Ok(Given {
            captured: names.map(|name| (name.clone(), random(24))).collect(),
            lifetime: None,
        })
    }

    async fn run(
        &self,
        actor: Option<&str>,
        command: &CommandSpec,
        _: Vec<(String, String)>,
    ) -> Result<Printed, SweepError> {
        let program = Noted::Program(command.line.clone());
        match actor {
            Some(actor) => self.add(actor, program),
            None => self.add(&self.whose.borrow(), program),
        }
        Ok(Printed::MadeUp)
    }

    fn lacks(&self, command: &CommandSpec, name: &str, _: &Source) -> SweepError {
        SweepError::Setup {
            step: format!("the command of {}", command.place),
            status: None,
            reason: format!("it gives no `{name}`"),
        }
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
