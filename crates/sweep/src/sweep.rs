//! The sweep: fire every cell of the plan, and bring back one record per endpoint.
//!
//! Per endpoint: insert all scratch rows, fire all calls at once, wait until the journal is quiet, read it once,
//! attribute the changes by symbols, probe the credentials, undo. A change that no cell's symbols explain is never
//! guessed at: the endpoint is swept again one cell at a time.

mod abandon;
mod again;
mod answered;
mod attribution;

mod batch;
mod canary;
mod control;
mod doubt;
mod end;
mod endpoint;
mod error;
mod fire;
mod found;
mod fresh;
mod given;
mod issue;
mod ledger;
mod logins;
mod memory;
mod probe;
mod reset;
mod setup;
mod store;
mod tell;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use authz_pin_database::Leftover;
use authz_pin_record::chain::chain;
use authz_pin_suite::plan::{EndpointPlan, PlannedCell, callers};
use authz_pin_suite::suite::Suite;
use authz_pin_suite::template::Templates;
use authz_pin_suite::urls::shown;
use authz_pin_suite::world::World;
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use tracing::{Instrument, info, info_span};

use crate::http::{Http, HttpError};
use crate::observe;
use crate::provision::{Issues, Scene};
use crate::stop;
use crate::symbols::{Namer, Places, Registry, View};

pub use again::Silence;
pub use answered::{Answered, AnsweredColumns};
pub use canary::Pinned;
pub use control::{Own, Proposed};
pub(crate) use logins::register as register_logins;

use abandon::{Interrupted, abandon};
use batch::Swept;
use canary::Canaries;
use control::Control;
use end::to_its_end;
pub use end::{End, Undone};
use endpoint::{Kinds, count_kinds};
pub use error::SweepError;
pub use found::{Calls, Phases, Sweep};
pub use given::{Options, Progress, Service, Silent};
use ledger::Ledger;
use reset::Reset;
use setup::Setups;
use store::Store;
use tell::Telling;

/// The time since `start`, which is now from here on.
fn lap(start: &mut Instant) -> Duration {
    let now = Instant::now();
    now - std::mem::replace(start, now)
}

/// Sweeps the plan. Whatever happens, what the run did is undone before this returns.
pub async fn sweep(
    suite: &Suite,
    plan: &[EndpointPlan<'_>],
    service: &Service,
    options: &Options,
    progress: &dyn Progress,
) -> Result<Sweep, SweepError> {
    let (mut found, end) =
        Box::pin(sweep_and_hold(suite, plan, service, options, progress)).await?;
    found.undone = end.undo().await?;
    Ok(found)
}

/// Sweeps the plan, and leaves it to the caller when what is left of the run is undone: the world, and what could not be undone
/// before. What was found is there by then, and not lost by what goes wrong afterwards. If the sweep fails, all is undone
/// before this returns.
pub async fn sweep_and_hold<'a>(
    suite: &'a Suite,
    plan: &'a [EndpointPlan<'a>],
    service: &Service,
    options: &'a Options,
    progress: &'a dyn Progress,
) -> Result<(Sweep, End<'a>), SweepError> {
    let templates = Templates::new();
    let world = World::draw(suite, &templates, &service.variables)?;
    let run = world.run.clone();
    let mut asked = std::pin::pin!(stop::asked());
    // From now on, so that no signal is lost between the sweep and its end.
    let asked_at_the_end = stop::asked();
    let opened = tokio::select! {
        opened = Sweeper::new(suite, service, (templates, world), options, progress) => Some(opened?),
        () = &mut asked => None,
    };
    let Some(sweeper) = opened else {
        progress.note("interrupted, undoing what the run did");
        let interrupted = Interrupted::new(&run);
        let undone = abandon(suite, service, interrupted, progress);
        return Box::pin(to_its_end(undone, stop::asked(), progress)).await;
    };
    let mut sweeper = Box::new(sweeper);
    let under_way = Arc::clone(&sweeper.setups.under_way);
    let asked = async {
        asked.await;
        // What a request of a setup made has to be known before it can be taken back, and what a call writes before it is undone.
        under_way.write_owned().await
    };
    let outcome = tokio::select! {
        outcome = sweeper.run(plan) => Some(outcome),
        _ = asked => None,
    };
    let Some(outcome) = outcome else {
        progress.note("interrupted, undoing what the run did");
        sweeper.give_up().await;
        let mut interrupted = Interrupted::new(&run);
        interrupted.reset = sweeper.reset.take();
        interrupted.unwatched = sweeper.store.as_mut().map(Store::take_unwatched);
        drop(sweeper);
        let undone = abandon(suite, service, interrupted, progress);
        return Box::pin(to_its_end(undone, stop::asked(), progress)).await;
    };
    let late = late(suite, service);
    match outcome {
        Ok(()) => {
            let found = std::mem::take(&mut sweeper.found);
            Ok((found, End::new(sweeper, late, asked_at_the_end)))
        }
        Err(error) => {
            let closed = to_its_end(sweeper.close(late), asked_at_the_end, progress).await;
            sweeper.tell_what_is_left();
            sweeper.tell_what_stays_changed(&closed);
            Err(sweeper.named(error))
        }
    }
}

/// How late the service writes in the background. Nobody has to wait for that where the database ends with the run.
fn late(suite: &Suite, service: &Service) -> Duration {
    let wait_s = suite.file.background.wait_s;
    Duration::from_secs(if service.ephemeral { 0 } else { wait_s })
}

/// The time since then, in whole milliseconds.
fn round(start: Instant) -> Duration {
    Duration::from_millis(u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX))
}

/// What is said outside any cell.
pub(crate) const NOBODY: View<'_> = View {
    cell: usize::MAX,
    actor: "",
};

/// The most cells that are swept at once, so that what a sweep takes depends on no endpoint's size.
const LARGEST_BATCH: usize = 1_000;

struct Sweeper<'a> {
    suite: &'a Suite,
    templates: Templates,
    /// The world of the run.
    scene: Scene,
    http: Http,
    /// What was sent, where somebody wants to know.
    telling: Option<Telling<'a>>,
    store: Option<Store<'a>>,
    ledger: Ledger<'a>,
    setups: Setups<'a>,
    canaries: Canaries<'a>,
    /// How the service is made to forget what was undone.
    reset: Option<Reset<'a>>,
    /// Whether the database ends with the run.
    is_ephemeral: bool,
    options: &'a Options,
    /// How many calls are under way at once now.
    at_once: usize,
    /// For how long the service wants to be left alone, as its last answers say.
    retry_after: Option<Duration>,
    progress: &'a dyn Progress,
    found: Sweep,
    /// What the service writes by itself, as far as that came up.
    control: Control,
    /// What was made by requests and could not be removed, in words.
    left: Vec<String>,
    /// The tables whose changes were not observed, by endpoint.
    unobserved: BTreeMap<String, BTreeSet<String>>,
}

/// A client for the service, and whatever is to be said of how the service is reached.
fn http(suite: &Suite, service: &Service, progress: &dyn Progress) -> Result<Http, HttpError> {
    let spec = &suite.file.service;
    let http = service.http(Duration::from_secs(spec.timeout_s))?;
    if service.tls.insecure {
        progress.note("certificates are not verified, since the suite says so");
    }
    if let Some(proxy) = &service.route.proxy {
        let proxy = shown(proxy);
        progress.note(&format!("all requests go through the proxy {proxy}"));
    }
    Ok(http
        .streaming(Duration::from_secs(spec.stream_s))
        .shared_by(suite.world.actors.len()))
}

impl<'a> Sweeper<'a> {
    async fn new(
        suite: &'a Suite,
        service: &Service,
        (templates, world): (Templates, World),
        options: &'a Options,
        progress: &'a dyn Progress,
    ) -> Result<Self, SweepError> {
        let telling = Telling::new(options.har.clone());
        let tape = telling.as_ref().map(|telling| Arc::clone(&telling.tape));
        let http = http(suite, service, progress)?;
        let http = http.paced(options.rate_limit).taped(tape);
        let store = Store::open(suite, service, &world.run, progress).await?;
        let catalog = store.as_ref().and_then(Store::observed);
        let places = Places::of(&suite.file.ids, catalog.as_deref());
        let mut registry = Registry::of_world(&world).at(places);
        let urls = service.urls.values().chain([&service.base_url]);
        let addresses = service.addresses(suite);
        let databases = addresses
            .iter()
            .map(|address| (&address.which, address.url));
        logins::register(&mut registry, databases, urls);
        logins::register_literals(&mut registry, suite);
        let reset = Reset::of(suite, service, &http, &world, &registry);
        let ledger = Ledger::new(
            suite,
            registry,
            store.is_some() || suite.file.values.is_recorded(),
        );
        Ok(Self {
            suite,
            templates,
            scene: Scene::new(world, Issues::default()),
            http,
            telling,
            store,
            ledger,
            setups: Setups::default(),
            canaries: Canaries::of(suite),
            reset,
            is_ephemeral: service.ephemeral,
            options,
            at_once: options.concurrency,
            retry_after: None,
            progress,
            found: Sweep::default(),
            control: Control::default(),
            left: Vec::new(),
            unobserved: BTreeMap::new(),
        })
    }

    async fn run(&mut self, plan: &'a [EndpointPlan<'a>]) -> Result<(), SweepError> {
        self.scene.issues = Issues::of(callers(self.suite, plan));
        if let Some(store) = &self.store {
            store.tell_what_is_no_table();
        }
        self.make_world().await?;
        self.tell_requests();
        info!("the world is made");
        self.first_canaries(plan).await?;
        for (place, endpoint) in plan.iter().enumerate() {
            let before = self.ledger.count();
            self.tell_endpoint(place + 1);
            let span = info_span!("endpoint", message = %endpoint.endpoint.name);
            self.endpoint(endpoint).instrument(span.clone()).await?;
            self.look_after(plan, place, before)
                .instrument(span)
                .await?;
            self.ledger.end(endpoint);
        }
        self.tell_endpoint(plan.len() + 1);
        self.last_canaries(plan).await?;
        self.ledger.know_world();
        self.finish();
        self.watch_for_canaries().await?;
        self.complete(plan);
        self.ask_again(plan).await?;
        self.found.requests += self.setups.requests.take();
        Ok(())
    }

    /// The database repeats values in its errors. Those of a batch that failed are known since the run was closed.
    fn named(&self, error: SweepError) -> SweepError {
        let error = match error {
            SweepError::Database(error) if error.is_refused() => error,
            error => return error,
        };
        SweepError::Refused(self.ledger.named_text(&chain(&error)))
    }

    fn order(&self, cells: &[PlannedCell<'a>]) -> Vec<PlannedCell<'a>> {
        let cells = cells.iter().copied();
        let mut cells: Vec<_> = cells
            .filter(|cell| !self.canaries.is_dead(cell.actor))
            .collect();
        if let Some(seed) = self.options.shuffle {
            cells.shuffle(&mut StdRng::seed_from_u64(seed));
        }
        cells
    }

    async fn close(&mut self, late: Duration) -> Result<Vec<Leftover>, SweepError> {
        // Of a batch that failed nothing is named yet, and what it did has to be known as the run's.
        self.ledger.know_values(self.ledger.count());
        let taken = self.take_all_back().await;
        let reset = self.reset_last().await;
        let mut closed = Ok(Vec::new());
        if let Some(store) = self.store.take() {
            closed = store.close(self.ledger.known(), late).await;
        }
        // What stays changed is told first: it is what a person has to look at.
        self.tell_requests();
        info!("the run is undone");
        let closed = closed?;
        if let Err(error) = taken.and(reset) {
            self.tell_what_stays_changed(&Ok(closed));
            return Err(error);
        }
        Ok(closed)
    }

    /// Takes back by requests what the journal does not know, after an interruption.
    async fn give_up(&mut self) {
        self.ledger.know_values(self.ledger.count());
        // Over the connection that may be in the middle of a statement nothing can be said of what teardowns write.
        if !self.is_journalled() {
            // What goes wrong is told with what is left.
            let _ = self.take_all_back().await;
        }
        self.tell_requests();
        self.tell_what_is_left();
    }

    /// A run that failed has no result that could say it.
    fn tell_what_stays_changed(&self, closed: &Result<Vec<Leftover>, SweepError>) {
        for leftover in closed.iter().flatten() {
            self.progress
                .note(&format!("could not be undone: {leftover}"));
        }
    }

    fn tell_what_is_left(&self) {
        for left in &self.left {
            self.progress.note(&format!("could not be removed: {left}"));
        }
    }
}

impl<'a> Swept<'a> {
    fn view(&self) -> View<'a> {
        View {
            cell: self.number,
            actor: self.planned.actor,
        }
    }

    /// Names what the calls changed.
    fn name_effects(&mut self, suite: &Suite, namer: &Namer) {
        let (view, changes) = (self.view(), std::mem::take(&mut self.changes));
        self.observation.effects = self
            .catalog
            .as_deref()
            .map(|catalog| observe::Effects::of(&suite.file, catalog, namer, view, &changes));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_send<T: Send>(_: T) {}

    #[test]
    fn a_sweep_and_its_end_can_go_to_another_thread() {
        // Nothing is polled: that this compiles is the test.
        #[expect(dead_code, reason = "it is compiled, and never called")]
        fn compiles<'a>(
            suite: &'a Suite,
            plan: &'a [EndpointPlan<'a>],
            service: &'a Service,
            options: &'a Options,
            end: End<'a>,
        ) {
            assert_send(sweep(suite, plan, service, options, &Silent));
            assert_send(sweep_and_hold(suite, plan, service, options, &Silent));
            assert_send(end.undo());
        }
    }
}
