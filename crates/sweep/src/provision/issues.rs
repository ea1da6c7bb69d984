//! What actors are given before they call: by a login, or signed here.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

// Not the runtime's: a dry run waits for nobody, and the runtime's lock can ask even then to be asked again.
use authz_pin_suite::plan::PlannedCell;
use authz_pin_suite::suite::{Credential, LoginSpec, Suite};
use authz_pin_suite::template::{Fields, Scope, TemplateError, Value};
use authz_pin_suite::world::{Class, Field, Instance};
use futures::lock::Mutex;
use indexmap::IndexMap;

use super::{Client, Fresh, Given, Provision, Scene};
use crate::credential::present;
use crate::http::{Call, Presented, Purpose};
use crate::shared::Shared;

/// What one actor was given.
#[derive(Clone, Default)]
struct Issued {
    /// The names `login` and `jwt` for the templates of its credential.
    names: Fields,
    /// When it has to be made anew; before it expires, since a call that is refused is not made again.
    due: Option<Instant>,
}

impl Issued {
    fn expires(&mut self, due: Option<Instant>) {
        self.due = self.due.into_iter().chain(due).min();
    }
}

/// What the actors were given by now.
#[derive(Default)]
pub(crate) struct Issues {
    given: Shared<BTreeMap<String, Issued>>,
    /// What nobody has been told to look for yet.
    pub(crate) unknown: Shared<Vec<(String, Instance)>>,
    /// One at a time, so that no actor logs in twice.
    turn: Mutex<()>,
    /// Whose credentials this run needs.
    callers: BTreeSet<String>,
}

impl Issues {
    pub(crate) fn of(callers: BTreeSet<&str>) -> Self {
        Self {
            callers: callers.into_iter().map(str::to_owned).collect(),
            ..Self::default()
        }
    }

    /// Lets an actor be given everything anew.
    pub(crate) fn forget(&self, actor: &str) {
        if let Some(issued) = self.given.borrow_mut().get_mut(actor) {
            issued.due = Some(Instant::now());
        }
    }

    /// Whose credentials this run needs, in the order in which they are given.
    pub(crate) fn callers<'a>(&self, suite: &'a Suite) -> impl Iterator<Item = &'a String> {
        let actors = suite.world.actors.keys();
        actors.filter(|actor| self.callers.contains(*actor))
    }

    /// Whether any caller has to log in.
    pub(crate) fn has_login_due(&self, suite: &Suite) -> bool {
        let mut logins = self
            .callers(suite)
            .filter(|actor| logs_in(suite, actor.as_str()));
        logins.any(|actor| self.is_due(actor))
    }

    /// What an actor's last login gave that counts until the next one gives another, which can go on from it.
    fn kept_of(&self, actor: &str, login: &LoginSpec) -> IndexMap<String, String> {
        let given = self.given.borrow();
        let known = given
            .get(actor)
            .and_then(|issued| issued.names.get("login"));
        let kept = login.optional.keys().filter_map(|name| {
            let value = known?.get_attr(name).ok()?;
            Some((name.clone(), value.as_str()?.to_owned()))
        });
        kept.collect()
    }

    fn give(&self, actor: &str, issued: Issued, secrets: Instance) {
        let actor = actor.to_owned();
        self.unknown.borrow_mut().push((actor.clone(), secrets));
        self.given.borrow_mut().insert(actor, issued);
    }

    fn is_due(&self, actor: &str) -> bool {
        let given = self.given.borrow();
        given
            .get(actor)
            .is_none_or(|issued| issued.due.is_some_and(|due| Instant::now() >= due))
    }
}

/// Whether an actor has to log in before it calls.
pub(super) fn logs_in(suite: &Suite, actor: &str) -> bool {
    suite
        .auth_of(actor)
        .is_some_and(|auth| auth.login.is_some())
}

impl<C: Client> Provision<'_, '_, C> {
    /// What a credential presents, which can be an actor's: in the world of a cell, that of the actor who was made there.
    pub(crate) async fn credential(
        &self,
        auth: Option<&Credential>,
        scope: &Scope,
        fresh: Option<&Fresh>,
    ) -> Result<Presented, C::Failure> {
        let Some(actor) = auth.and_then(|auth| auth.actor.as_ref()) else {
            return Ok(present(self.templates, auth, scope, &Fields::new())?);
        };
        let fresh = fresh.filter(|_| self.suite.is_made(actor));
        self.issue(actor, fresh).await?;
        let scope = self.scene(fresh).scope_of(actor);
        Ok(self.headers_of(actor, &scope, fresh)?)
    }

    /// What an actor's calls present. Whoever was made for one cell, or was given something for it, has no connection to keep.
    pub(crate) fn headers_of(
        &self,
        actor: &str,
        scope: &Scope,
        fresh: Option<&Fresh>,
    ) -> Result<Presented, TemplateError> {
        let given = self.scene(fresh).issues.given.borrow();
        let (names, none) = (given.get(actor).map(|issued| &issued.names), Fields::new());
        let auth = self.suite.auth_of(actor);
        let presented = present(self.templates, auth, scope, names.unwrap_or(&none))?;
        Ok(match fresh {
            Some(_) => presented,
            None => presented.of(actor),
        })
    }

    /// What a probe of a cell presents. It can have the credential of an actor, who need not be the caller of the cell.
    pub(crate) fn headers_in(
        &self,
        auth: &Credential,
        cell: &PlannedCell<'_>,
        scope: &Scope,
        fresh: Option<&Fresh>,
    ) -> Result<Presented, TemplateError> {
        let Some(actor) = &auth.actor else {
            return present(self.templates, Some(auth), scope, &Fields::new());
        };
        let fresh = fresh.filter(|_| actor == cell.actor || self.suite.is_made(actor));
        let mut scope = scope.clone();
        scope.insert("actor", self.scene(fresh).world.borrow().actor(actor));
        self.headers_of(actor, &scope, fresh)
    }

    /// Gives an actor what it needs, in the world of one cell or for all others, where it does not have it or it soon expires.
    pub(crate) async fn issue(&self, actor: &str, fresh: Option<&Fresh>) -> Result<(), C::Failure> {
        let auth = self.suite.auth_of(actor).filter(|auth| auth.is_issued());
        let Some(auth) = auth else { return Ok(()) };
        let scene = self.scene(fresh);
        let _turn = scene.issues.turn.lock().await;
        if !scene.issues.is_due(actor) {
            return Ok(());
        }
        let scope = scene.scope_of(actor);
        let mut issued = Issued::default();
        let mut secrets = Instance::default();
        if let Some(login) = &auth.login {
            let before = scene.issues.kept_of(actor, login);
            let mut scope = scope.clone();
            if !before.is_empty() {
                scope.insert("login", fields(&before));
            }
            let given = self.log_in(actor, login, (&scope, fresh)).await;
            let mut given = given.map_err(|failure| self.client.of_login(actor, failure))?;
            for (name, value) in before {
                given.captured.entry(name).or_insert(value);
            }
            issued.expires(
                given
                    .lifetime
                    .and_then(|lifetime| self.client.due(lifetime)),
            );
            issued.names.insert("login".to_owned(), names(&given));
            let fields = given.captured.into_iter();
            secrets.fields = fields.map(|(name, value)| (name, secret(value))).collect();
        }
        if let Some(command) = &auth.command {
            let given = self.run_for(actor, auth, command, &scope).await?;
            issued.expires(
                given
                    .lifetime
                    .and_then(|lifetime| self.client.due(lifetime)),
            );
            issued.names.insert("command".to_owned(), names(&given));
            let fields = given.captured.into_iter();
            (secrets.fields).extend(fields.map(|(name, value)| (name, secret(value))));
        }
        if let Some(spec) = &auth.jwt {
            let token = self.client.sign(actor, spec, &scope)?;
            issued.expires(self.client.due(Duration::from_secs(spec.lifetime_s)));
            issued.names.insert("jwt".to_owned(), Value::from(&token));
            secrets.fields.insert("jwt".to_owned(), secret(token));
        }
        scene.issues.give(actor, issued, secrets);
        Ok(())
    }

    async fn log_in(
        &self,
        actor: &str,
        login: &LoginSpec,
        (scope, fresh): (&Scope, Option<&Fresh>),
    ) -> Result<Given, C::Failure> {
        let own = login.auth.as_ref();
        let credential = present(self.templates, own, scope, &Fields::new())?;
        let call = Call::render(self.templates, &login.request, credential, scope)?;
        let call = call.of(Purpose::Login, fresh.map(|fresh| fresh.cell));
        self.client.log_in(actor, login, call).await
    }

    /// The world of a cell, or that of the run.
    fn scene<'s>(&'s self, fresh: Option<&'s Fresh>) -> &'s Scene {
        fresh.map_or(self.scene, |fresh| &fresh.scene)
    }
}

fn names(given: &Given) -> Value {
    fields(&given.captured)
}

fn fields(captured: &IndexMap<String, String>) -> Value {
    let names = captured.iter();
    let names = names.map(|(name, value)| (name.clone(), Value::from(value)));
    Value::from(names.collect::<Fields>())
}

fn secret(value: String) -> Field {
    Field {
        value,
        class: Class::Secret,
    }
}
