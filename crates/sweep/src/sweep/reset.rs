//! How a service that keeps in memory what its database holds is made to read it again, after rows were undone behind its
//! back.

use std::time::{Duration, Instant};

use authz_pin_database::Presence;
use authz_pin_record::chain::chain;
use authz_pin_suite::suite::{RequestSpec, ResetSpec, Suite};
use authz_pin_suite::template::{Fields, Scope, Templates};
use authz_pin_suite::world::World;

use super::setup::{LONGEST, answered, expects, shortened};
use tracing::info;

use super::{NOBODY, Service, SweepError, Sweeper};
use crate::credential::present;
use crate::http::{Call, Http, Purpose};
use crate::service::run_command;
use crate::symbols::{Namer, Registry};
use crate::verdicts::Rules;

/// What a suite says under `service.reset`. It needs nothing of a run but its variables, so that it can be done when
/// everything else is over.
pub(super) struct Reset<'a> {
    suite: &'a Suite,
    spec: &'a ResetSpec,
    templates: Templates,
    http: Http,
    /// The names that the request can use.
    scope: Scope,
    /// The address of the service, for a command.
    address: (String, String),
    /// Names for secrets in what is told.
    namer: Namer,
}

impl<'a> Reset<'a> {
    pub(super) fn of(
        suite: &'a Suite,
        service: &Service,
        http: &Http,
        world: &World,
        values: &Registry,
    ) -> Option<Self> {
        let spec = suite.file.service.reset.as_ref()?;
        let actor = spec.auth.as_ref().and_then(|auth| auth.actor.as_deref());
        let url = &service.base_url;
        let port = url.port_or_known_default().map(|port| port.to_string());
        Some(Self {
            suite,
            spec,
            templates: Templates::new(),
            http: http.clone(),
            scope: world.scope_of_actor(actor.unwrap_or_default()),
            address: (
                url.host_str().unwrap_or_default().to_owned(),
                port.unwrap_or_default(),
            ),
            namer: values.clone().build(),
        })
    }

    /// Makes the service read its database again, and waits until it is ready.
    pub(super) async fn run(&self) -> Result<(), SweepError> {
        if let Some(request) = &self.spec.request {
            self.ask(request).await?;
        }
        if let Some(command) = &self.spec.command {
            self.command(command).await?;
        }
        self.wait_until_ready().await
    }

    fn failed(&self, step: &str, reason: &str) -> SweepError {
        let named = |text: &str| self.namer.name(text, NOBODY).text;
        SweepError::Reset {
            step: named(step),
            reason: shortened(&named(reason).replace('\n', " ")),
        }
    }

    async fn ask(&self, request: &RequestSpec) -> Result<(), SweepError> {
        let auth = self.spec.auth.as_ref();
        let actor = auth.and_then(|auth| auth.actor.as_ref());
        let own = actor.map_or(auth, |actor| self.suite.auth_of(actor));
        let mut credential = present(&self.templates, own, &self.scope, &Fields::new())?;
        if let Some(actor) = actor {
            credential = credential.of(actor);
        }
        let call = Call::render(&self.templates, request, credential, &self.scope)?;
        let call = call.of(Purpose::Reset, None);
        let step = format!("{} `{}`", request.method.as_str(), request.path);
        let rules = Rules::of_request(&self.suite.file, request);
        match self.http.send(&call).await {
            Ok(Ok(answer)) if expects(rules, &self.spec.expect, &answer, &[]) => Ok(()),
            Ok(Ok(answer)) => Err(self.failed(&step, &answered(&answer))),
            Ok(Err(fault)) => Err(self.failed(&step, &format!("no answer came: {fault}"))),
            Err(error) => Err(self.failed(&step, &chain(&error))),
        }
    }

    fn timeout(&self) -> Duration {
        Duration::from_secs(self.suite.file.service.timeout_s)
    }

    async fn command(&self, command: &str) -> Result<(), SweepError> {
        let (host, port) = &self.address;
        let place = [("HOST", host.as_str()), ("PORT", port.as_str())];
        let ran = run_command(command, &self.suite.folder, &place, self.timeout()).await;
        ran.map_err(|reason| self.failed(&format!("`{command}`"), &reason))
    }

    async fn wait_until_ready(&self) -> Result<(), SweepError> {
        let (start, mut pause) = (Instant::now(), PAUSE);
        loop {
            let Err(last) = self.http.ready(&self.suite.file.service.ready).await else {
                return Ok(());
            };
            if start.elapsed() + pause > self.timeout() {
                return Err(self.failed("it is not ready afterwards", &last));
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(1));
        }
    }
}

/// The first pause between two questions whether the service is ready; it doubles.
const PAUSE: Duration = Duration::from_millis(20);

impl Sweeper<'_> {
    /// Resets the service after a batch was undone, where the suite says how. The run is alone on the database then, so
    /// that what the service writes meanwhile is the run's.
    pub(super) async fn reset(&mut self) -> Result<(), SweepError> {
        let (Some(reset), Some(store)) = (&self.reset, &mut self.store) else {
            return Ok(());
        };
        let window = Duration::from_secs(self.suite.file.service.timeout_s) * 2;
        store.begin_setup(window.min(LONGEST)).await?;
        let done = reset.run().await;
        info!("reset the service");
        self.found.requests += usize::from(reset.spec.request.is_some());
        let claimed = self.claim_setup().await;
        done.and(claimed)
    }

    /// Resets the service after everything was undone, before the journal is taken away: what the service writes then is
    /// undone with it. A service whose database ends with the run is not asked any more.
    pub(super) async fn reset_last(&mut self) -> Result<(), SweepError> {
        let (Some(_), Some(store)) = (&self.reset, &mut self.store) else {
            return Ok(());
        };
        if self.is_ephemeral {
            return Ok(());
        }
        store.enter(Presence::Alone).await?;
        store.undo_now(self.ledger.known()).await?;
        let reset = self.reset().await;
        self.leave().await?;
        reset
    }
}
