//! Provisioning: what is made by requests before calls, and taken back by requests after them.
//!
//! A run and a dry run make the same world in the same order and with the same credentials. What they do not share is who is
//! asked: a run sends each request to the service, a dry run notes it down and makes up what an answer would give. So both are
//! a [`Client`] of what stands here, and keep for themselves only what a database, the ledger or a page has to know meanwhile.

mod issues;
mod member;
mod programs;
mod scene;
mod steps;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use authz_pin_suite::suite::{
    CommandSpec, JwtSpec, LoginSpec, RequestSpec, Source, StepSpec, Suite,
};
use authz_pin_suite::template::{Scope, TemplateError, Templates};
use indexmap::IndexMap;

use crate::http::{Answer, Call};

pub(crate) use issues::Issues;
pub(crate) use member::{Begun, Members};
pub(crate) use scene::{Fresh, Scene, any_logs_in, callers_anew};
pub(crate) use steps::Cell;

/// Who answers the requests of provisioning.
pub(crate) trait Client: Sync {
    /// Why something could not be made.
    type Failure: From<TemplateError> + Send;

    /// Asks what a step asks, for as long as the step says.
    fn ask(
        &self,
        asked: Asked<'_>,
    ) -> impl Future<Output = Result<Reply<Self::Failure>, Self::Failure>> + Send;

    /// Logs an actor in.
    fn log_in(
        &self,
        actor: &str,
        login: &LoginSpec,
        call: Call,
    ) -> impl Future<Output = Result<Given, Self::Failure>> + Send;

    /// Runs a program to its end, with these variables in its environment, and gives what it prints. It is of an actor's
    /// credential, or of a step of who is made.
    fn run(
        &self,
        actor: Option<&str>,
        command: &CommandSpec,
        environment: Vec<(String, String)>,
    ) -> impl Future<Output = Result<Printed, Self::Failure>> + Send;

    /// That a program does not print what a step captures.
    fn lacks(&self, command: &CommandSpec, name: &str, source: &Source) -> Self::Failure;

    /// Signs a token for an actor.
    fn sign(&self, actor: &str, spec: &JwtSpec, scope: &Scope) -> Result<String, TemplateError>;

    /// When what was given for so long has to be given anew, if it ever has to be.
    fn due(&self, lifetime: Duration) -> Option<Instant>;

    /// The same failure, of which it is known by now that it is one of an actor's login.
    fn of_login(&self, _actor: &str, failure: Self::Failure) -> Self::Failure {
        failure
    }
}

/// The request of a step.
pub(crate) struct Asked<'p> {
    pub(crate) step: &'p StepSpec,
    /// What the step requests.
    pub(crate) request: &'p RequestSpec,
    /// The names that the step's templates can use.
    pub(crate) scope: &'p Scope,
    /// The request, which says for itself what it is for.
    pub(crate) call: Call,
}

/// What a program printed.
pub(crate) enum Printed {
    /// It was run, and prints this as its body: what it captures is found as in an answer.
    Answer(Box<Answer>),
    /// Nothing is run, and whatever is wanted of it is made up.
    MadeUp,
}

/// What came of the request of a step.
pub(crate) struct Reply<F> {
    /// What the step captures, as far as the answer has it, whatever else the answer is.
    pub(crate) captured: BTreeMap<String, String>,
    /// Why the answer is not what the suite expects, if it is not.
    pub(crate) outcome: Result<(), F>,
}

/// What a login gave.
#[derive(Default)]
pub(crate) struct Given {
    /// What it captures, in the order of the suite. All of it is secret.
    pub(crate) captured: IndexMap<String, String>,
    /// For how long that counts, where it is known.
    pub(crate) lifetime: Option<Duration>,
}

/// What it takes to make something and to take it back.
pub(crate) struct Provision<'p, 'a, C> {
    pub(crate) suite: &'a Suite,
    pub(crate) templates: &'p Templates,
    /// What is there for the whole run.
    pub(crate) scene: &'p Scene,
    pub(crate) client: &'p C,
}
