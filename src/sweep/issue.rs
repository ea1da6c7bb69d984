//! What actors are given before they call: by a login, or signed here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rayon::prelude::*;
use tokio::sync::Mutex;
use tracing::info;

use super::fresh::Fresh;
use super::setup::{StepFailure, answered, expects};
use super::{SweepError, Sweeper};
use crate::credential::{headers, jwt};
use crate::http::{Answer, Call, Purpose};
use crate::plan::PlannedCell;
use crate::shared::Shared;
use crate::suite::{Credential, Expiry, JsonPath, LoginSpec, RequestSpec, Suite};
use crate::template::{Fields, Scope, TemplateError, Templates, Value};
use crate::world::{Class, Field, Instance, Scratch};

/// What one actor was given.
#[derive(Clone, Default)]
pub(super) struct Issued {
    /// The names `login` and `jwt` for the templates of its credential.
    names: Fields,
    /// When it has to be made anew; before it expires, since a call that is refused is not made again.
    due: Option<Instant>,
}

/// What the actors were given by now.
#[derive(Default)]
pub(super) struct Issues {
    given: Shared<BTreeMap<String, Issued>>,
    /// What nobody has been told to look for yet.
    unknown: Shared<Vec<(String, Instance)>>,
    /// One at a time, so that no actor logs in twice.
    turn: Mutex<()>,
    /// Whose credentials this run needs.
    callers: BTreeSet<String>,
}

impl Issues {
    fn is_due(&self, actor: &str) -> bool {
        let given = self.given.borrow();
        given
            .get(actor)
            .is_none_or(|issued| issued.due.is_some_and(|due| Instant::now() >= due))
    }

    /// Lets an actor be given everything anew.
    pub(super) fn forget(&self, actor: &str) {
        self.given.borrow_mut().remove(actor);
    }

    pub(super) fn of(callers: BTreeSet<&str>) -> Self {
        Self {
            callers: callers.into_iter().map(str::to_owned).collect(),
            ..Self::default()
        }
    }
}

fn headers_of(
    suite: &Suite,
    templates: &Templates,
    given: &BTreeMap<String, Issued>,
    actor: &str,
    scope: &Scope,
) -> Result<Vec<(String, String)>, TemplateError> {
    let auth = suite.auth_of(actor);
    let (names, none) = (given.get(actor).map(|issued| &issued.names), Fields::new());
    headers(templates, auth, scope, names.unwrap_or(&none))
}

impl<'a> Sweeper<'a> {
    /// The headers of a credential, which can be an actor's: in the world of a cell, that of the actor who was made there.
    pub(super) async fn credential(
        &self,
        auth: Option<&Credential>,
        scope: &Scope,
        fresh: Option<&Fresh>,
    ) -> Result<Vec<(String, String)>, StepFailure> {
        let Some(actor) = auth.and_then(|auth| auth.actor.as_ref()) else {
            return Ok(headers(&self.templates, auth, scope, &Fields::new())?);
        };
        let fresh = fresh.filter(|_| self.suite.is_made(actor));
        self.issue(actor, fresh).await?;
        let scope = self.scope_of(actor, fresh);
        Ok(self.headers_of(actor, &scope, fresh)?)
    }

    fn scope_of(&self, actor: &str, fresh: Option<&Fresh>) -> Scope {
        match fresh {
            Some(fresh) => fresh.scope_of(actor),
            None => self.world.scope_of_actor(actor),
        }
    }

    /// What was given to callers: to those of one cell, or to those of all others.
    fn issues<'i>(&'i self, fresh: Option<&'i Fresh>) -> &'i Issues {
        fresh.map_or(&self.issues, |fresh| &fresh.issues)
    }

    /// The headers of an actor's calls.
    pub(super) fn headers_of(
        &self,
        actor: &str,
        scope: &Scope,
        fresh: Option<&Fresh>,
    ) -> Result<Vec<(String, String)>, TemplateError> {
        let given = self.issues(fresh).given.borrow();
        headers_of(self.suite, &self.templates, &given, actor, scope)
    }

    /// The headers of a probe that has the credential of an actor, who need not be the caller of the cell.
    pub(super) fn headers_in(
        &self,
        actor: &str,
        cell: &PlannedCell<'_>,
        scope: &Scope,
        fresh: Option<&Fresh>,
    ) -> Result<Vec<(String, String)>, TemplateError> {
        let fresh = fresh.filter(|_| actor == cell.actor || self.suite.is_made(actor));
        let mut scope = scope.clone();
        let own = match fresh {
            Some(fresh) => fresh.world.borrow().actor(actor),
            None => self.world.actor(actor),
        };
        scope.insert("actor", own);
        self.headers_of(actor, &scope, fresh)
    }

    /// The calls of cells, of which this is the number of the first one.
    pub(super) fn calls(
        &self,
        request: &RequestSpec,
        (first, cells): (usize, &[PlannedCell<'a>]),
        scratches: &[Scratch],
    ) -> Result<Arc<[Call]>, SweepError> {
        let rendered = self.rendered(request, cells, scratches)?;
        let numbered = (first..).zip(rendered);
        Ok(numbered
            .map(|(number, call)| call.of(Purpose::Call, Some(number)))
            .collect())
    }

    fn rendered(
        &self,
        request: &RequestSpec,
        cells: &[PlannedCell<'a>],
        scratches: &[Scratch],
    ) -> Result<Vec<Call>, SweepError> {
        let (suite, templates) = (self.suite, &self.templates);
        let render =
            |cell: &PlannedCell<'_>, scratch: &Scratch, credential: Result<_, TemplateError>| {
                let call = credential.and_then(|credential| {
                    Call::render(templates, request, credential, &scratch.scope)
                });
                call.map_err(|error| SweepError::from(error).of(cell))
            };
        let fresh = self.setups.fresh.borrow();
        if !fresh.is_empty() {
            let own = cells.iter().zip(scratches).zip(&*fresh);
            let own = own.map(|((cell, scratch), fresh)| {
                let credential = self.headers_of(cell.actor, &scratch.scope, Some(fresh));
                render(cell, scratch, credential)
            });
            return own.collect();
        }
        let given = &*self.issues.given.borrow();
        let call = |(cell, scratch): (&PlannedCell<'_>, &Scratch)| {
            let credential = headers_of(suite, templates, given, cell.actor, &scratch.scope);
            render(cell, scratch, credential)
        };
        // As with the targets, all of them are made.
        let all: Vec<_> = cells.par_iter().zip(scratches).map(call).collect();
        all.into_iter().collect()
    }

    /// Whose credentials this run needs.
    fn callers(&self) -> impl Iterator<Item = &'a String> + use<'_, 'a> {
        let callers = &self.issues.callers;
        let actors = self.suite.world.actors.keys();
        actors.filter(|actor| callers.contains(*actor))
    }

    /// Whether any caller has to log in.
    pub(super) fn has_login_due(&self) -> bool {
        let mut logins = self.callers().filter(|actor| {
            let auth = self.suite.auth_of(actor);
            auth.is_some_and(|auth| auth.login.is_some())
        });
        logins.any(|actor| self.issues.is_due(actor))
    }

    /// Gives every caller what it needs, where it does not have it or it soon expires.
    pub(super) async fn issue_all(&mut self) -> Result<(), SweepError> {
        let mut all = Ok(());
        let callers: Vec<&String> = self.callers().collect();
        for actor in callers {
            if let Err(failure) = self.issue(actor, None).await {
                let step = format!("`{actor}` cannot be given its credential");
                all = Err(self.explained(step, failure, &Instance::default()));
                break;
            }
        }
        self.learn_issued();
        all
    }

    /// Logs in again who has to, before the cells of a batch are called. What that writes stays until the end of the run.
    pub(super) async fn issue_again(&mut self) -> Result<(), SweepError> {
        if !self.has_login_due() {
            return self.issue_all().await;
        }
        if let Some(store) = &mut self.store {
            store.begin_setup(Duration::ZERO).await?;
        }
        let issued = self.issue_all().await;
        let claimed = self.claim_setup().await;
        issued.and(claimed)
    }

    /// Lets what was given be known as secret.
    pub(super) fn learn_issued(&mut self) {
        for (actor, secrets) in self.issues.unknown.take() {
            self.ledger
                .add_to_all(|values| values.add_world_entity(&actor, &secrets));
        }
        for fresh in &*self.setups.fresh.borrow() {
            for (actor, secrets) in fresh.issues.unknown.take() {
                // What is given after the calls belongs to no batch any more, and is a secret all the same.
                let values = self.ledger.values();
                values.add_fresh_entity(fresh.cell, &actor, &secrets);
            }
        }
    }

    /// Gives an actor what it needs, in the world of one cell or for all others.
    pub(super) async fn issue(
        &self,
        actor: &str,
        fresh: Option<&Fresh>,
    ) -> Result<(), StepFailure> {
        let Some(auth) = self.suite.auth_of(actor).filter(|auth| auth.is_issued()) else {
            return Ok(());
        };
        let side = self.issues(fresh);
        let _turn = side.turn.lock().await;
        if !side.is_due(actor) {
            return Ok(());
        }
        let scope = self.scope_of(actor, fresh);
        let mut issued = Issued::default();
        let mut secrets = Instance::default();
        if let Some(login) = &auth.login {
            let (given, lifetime) = self.log_in(login, (&scope, fresh), &mut secrets).await?;
            info!(actor, "logged in");
            issued.names.insert("login".to_owned(), Value::from(given));
            issued.due = lifetime.map(|lifetime| self.due(lifetime));
        }
        if let Some(spec) = &auth.jwt {
            let token = jwt::sign(&self.templates, spec, &scope)?;
            info!(actor, "signed a token");
            secrets.fields.insert("jwt".to_owned(), secret(&token));
            issued.names.insert("jwt".to_owned(), Value::from(token));
            let due = self.due(Duration::from_secs(spec.lifetime_s));
            issued.due = Some(issued.due.map_or(due, |other| other.min(due)));
        }
        let actor = actor.to_owned();
        side.unknown.borrow_mut().push((actor.clone(), secrets));
        side.given.borrow_mut().insert(actor, issued);
        Ok(())
    }

    /// Well before it expires: the calls of a batch take some time. What lives for a moment is used for half of it.
    fn due(&self, lifetime: Duration) -> Instant {
        let margin = Duration::from_secs(self.suite.file.service.timeout_s).max(lifetime / 10);
        let now = Instant::now();
        now.checked_add(lifetime.saturating_sub(margin.min(lifetime / 2)))
            .unwrap_or(now)
    }

    async fn log_in(
        &self,
        login: &LoginSpec,
        (scope, fresh): (&Scope, Option<&Fresh>),
        secrets: &mut Instance,
    ) -> Result<(Fields, Option<Duration>), StepFailure> {
        let own = login.auth.as_ref();
        let credential = headers(&self.templates, own, scope, &Fields::new())?;
        let call = Call::render(&self.templates, &login.request, credential, scope)?;
        let call = call.of(Purpose::Login, fresh.map(|fresh| fresh.cell));
        let answer = self.send_step(&call).await?;
        let is_expected = expects(&login.expect, &answer, &[]);
        let mut given = Fields::new();
        for (name, source) in &login.capture {
            if let Some(value) = answer.value(source) {
                secrets.fields.insert(name.clone(), secret(&value));
                given.insert(name.clone(), Value::from(value));
            } else if is_expected {
                return Err(StepFailure::Unclear(format!(
                    "its login gives no `{name}` at {source}: {}",
                    told(&answer, secrets)
                )));
            }
        }
        if !is_expected {
            let said = told(&answer, secrets);
            let reason = format!("its login is answered {said}");
            return Err(StepFailure::Refused(answer.status, reason));
        }
        let lifetime = lifetime(login.expires_in.as_ref(), &answer).map_err(|path| {
            let said = told(&answer, secrets);
            StepFailure::Unclear(format!(
                "its login gives no number of seconds at `{path}`: {said}"
            ))
        })?;
        Ok((given, lifetime))
    }
}

/// What a login is answered, without what it captures.
fn told(answer: &Answer, secrets: &Instance) -> String {
    let fields = secrets.fields.iter();
    fields.fold(answered(answer), |said, (name, field)| {
        said.replace(&field.value, &format!("<{name}>"))
    })
}

fn secret(value: &str) -> Field {
    Field {
        value: value.to_owned(),
        class: Class::Secret,
    }
}

/// For how long what a login gave counts; where the answer does not say it, the path at which it should.
fn lifetime<'e>(
    expires_in: Option<&'e Expiry>,
    answer: &Answer,
) -> Result<Option<Duration>, &'e JsonPath> {
    match expires_in {
        None => Ok(None),
        Some(Expiry::Seconds(seconds)) => Ok(Some(Duration::from_secs(*seconds))),
        Some(Expiry::Path(path)) => seconds_at(answer, path).map(Some).ok_or(path),
    }
}

fn seconds_at(answer: &Answer, path: &JsonPath) -> Option<Duration> {
    let seconds = path.text_in(answer.json()?)?.parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}
