//! The sweep: fire every cell of the plan, and bring back one record per endpoint.
//!
//! Per endpoint: insert all scratch rows, fire all calls at once, wait until the journal is quiet, read it once,
//! attribute the changes by symbols, probe the credentials, undo. A change that no cell's symbols explain is never
//! guessed at: the endpoint is swept again one cell at a time.

mod abandon;
mod again;
mod attribution;
mod background;
mod batch;
mod canary;
mod control;
mod doubt;
mod end;
mod endpoint;
mod fire;
mod fresh;
mod issue;
mod logins;
mod memory;
mod reset;
mod setup;
mod store;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use indexmap::IndexMap;
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use secrecy::SecretString;
use url::Url;

use crate::database::{Address, DatabaseError, addresses};
use crate::findings;
use crate::http::{Http, HttpError, Tls};
use crate::journal::Leftover;
use crate::observe;
use crate::plan::{EndpointPlan, PlannedCell, callers};
use crate::record::Record;
use crate::seen::Seen;
use crate::stop;
use crate::suite::Suite;
use crate::symbols::{Knowledge, Namer, Registry, Retired, View};
use crate::template::{TemplateError, Templates};
use crate::world::World;

pub use again::Silence;
pub(crate) use background::Background;
pub use canary::Pinned;
pub use control::{Own, Proposed};
pub(crate) use logins::register as register_logins;

use abandon::{Interrupted, abandon};
use batch::{Batch, Swept};
use canary::Canaries;
use control::Control;
use end::to_its_end;
pub use end::{End, Undone};
use endpoint::{Kinds, count_kinds};
use issue::Issues;
use reset::Reset;
use setup::Setups;
use store::Store;

/// Where the service is and how it is reached.
#[derive(Clone)]
pub struct Service {
    /// The service's URL.
    pub base_url: Url,
    /// Other URLs of the service, by the names that the suite has for them.
    pub urls: BTreeMap<String, Url>,
    /// Its certificates, and the tool's.
    pub tls: Tls,
    /// The service's main database; without it only HTTP is observed.
    pub database_url: Option<SecretString>,
    /// Its further databases, by the names that the suite has for them.
    pub databases: BTreeMap<String, SecretString>,
    /// How long the database must have been quiet before its changes are read.
    pub settle: Duration,
    /// Whether the database ends with the run, so that nothing late needs to be waited for.
    pub ephemeral: bool,
    /// The suite's variables.
    pub variables: BTreeMap<String, SecretString>,
}

impl Service {
    /// Where its databases are.
    pub(crate) fn addresses<'s>(&'s self, suite: &'s Suite) -> Vec<Address<'s>> {
        addresses(
            &suite.file.service,
            self.database_url.as_ref(),
            &self.databases,
        )
    }

    /// A client for it.
    pub fn http(&self, timeout: Duration) -> Result<Http, HttpError> {
        let (base, urls) = (self.base_url.clone(), self.urls.clone());
        Http::with(base, urls, &self.tls, timeout)
    }
}

/// How a sweep is done; nothing here changes what it finds.
#[derive(Debug, Clone)]
pub struct Options {
    /// How many calls are under way at once.
    pub concurrency: usize,
    /// How many requests are sent in a second at most.
    pub rate_limit: Option<u32>,
    /// Fires the cells of an endpoint in an order drawn from this seed.
    pub shuffle: Option<u64>,
    /// Whether to hand out how to repeat each call.
    pub calls: bool,
    /// What the snapshots say, where they say whose credential has to work.
    pub pinned: Option<Pinned>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            concurrency: 16,
            rate_limit: None,
            shuffle: None,
            calls: false,
            pinned: None,
        }
    }
}

/// Who is told how far a sweep is.
pub trait Progress {
    /// A cell was swept.
    fn swept(&self, cell: &PlannedCell<'_>);
    /// Something that a person may want to know.
    fn note(&self, text: &str);
}

/// Nobody is told.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn swept(&self, _: &PlannedCell<'_>) {}
    fn note(&self, _: &str) {}
}

/// A command line per cell that repeats its call, by target and actor. Where a value of the run stood in the call, it
/// has a shell variable of the symbol's name.
pub type Calls = IndexMap<String, IndexMap<String, String>>;

/// What a sweep found.
#[derive(Debug, Default)]
pub struct Sweep {
    /// The records by endpoint, in the suite's order.
    pub records: IndexMap<String, Record>,
    /// How to repeat the calls, by endpoint; none unless the options ask for them.
    pub calls: IndexMap<String, Calls>,
    /// How many cells were swept.
    pub cells: usize,
    /// How many requests were sent, probes and pages included.
    pub requests: usize,
    /// What was undone of it, and what could not be.
    pub undone: Undone,
    /// The endpoints that were swept twice, since their calls together wrote what no symbol explains.
    pub repeated: BTreeSet<String>,
    /// What calls wrote together and not when each was made alone, in words, by endpoint.
    pub unrepeated: BTreeMap<String, Vec<String>>,
    /// What the service writes by itself and the suite does not say so.
    pub background: Vec<Proposed>,
    /// Reads that were answered in another way after everything was undone, in words: the service remembers it.
    pub remembered: Vec<String>,
    /// Whose credential did not work any more after the calls of an endpoint, by endpoint.
    pub ended: BTreeMap<String, BTreeSet<String>>,
    /// What was seen of the service.
    pub seen: Seen,
    /// The actors of whom an endpoint's record says nothing, and why, by endpoint.
    pub inconclusive: BTreeMap<String, BTreeMap<String, Silence>>,
    /// Where the time went.
    pub phases: Phases,
}

/// What the parts of a sweep took in all; the start of the run and its end are none of them.
#[derive(Debug, Clone, Copy, Default)]
pub struct Phases {
    /// Making the scratch entities and inserting their rows.
    pub seeding: Duration,
    /// Rendering the calls and the probes, sending them, and reading the answers.
    pub requests: Duration,
    /// Reading the journal, attributing the changes, and undoing them.
    pub journal: Duration,
    /// Naming what was seen, and building the records.
    pub record: Duration,
}

/// The time since `start`, which is now from here on.
fn lap(start: &mut Instant) -> Duration {
    let now = Instant::now();
    now - std::mem::replace(start, now)
}

/// A sweep that could not be done.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// The service did not answer.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The service was there, and is no longer.
    #[error("the service is no longer ready: {0}")]
    Gone(String),
    /// The database could not be used.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// A statement failed, in the database's words, with names in place of known values.
    #[error("{0}")]
    Refused(String),
    /// A template of the suite failed with this run's values.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// The suite inserts rows, and there is no database to insert them into.
    #[error("the suite's world has rows, and no database was given")]
    NoDatabase,
    /// A step of a setup failed.
    #[error("{step}: {reason}")]
    Setup {
        /// Which one.
        step: String,
        /// The status by which the service refused it.
        status: Option<u16>,
        /// What the service did, with names in place of known values.
        reason: String,
    },
    /// The service does not answer what it has answered before.
    #[error("the service is not well, nothing was swept:\n  {}", .0.join("\n  "))]
    Unwell(Vec<String>),
    /// The service could not be made to read its database again.
    #[error("the service cannot be reset: {step}: {reason}")]
    Reset {
        /// What was done.
        step: String,
        /// What came of it, with names in place of known values.
        reason: String,
    },
    /// Somebody stopped the run, and what it did was undone.
    #[error("interrupted")]
    Interrupted,
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
        let interrupted = Interrupted {
            run: &run,
            unwatched: None,
            reset: None,
        };
        let undone = abandon(suite, service, interrupted, progress);
        return to_its_end(undone, stop::asked(), progress).await;
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
        let reset = sweeper.reset.take();
        let unwatched = sweeper.store.as_mut().map(Store::take_unwatched);
        drop(sweeper);
        let interrupted = Interrupted {
            run: &run,
            unwatched,
            reset,
        };
        let undone = abandon(suite, service, interrupted, progress);
        return to_its_end(undone, stop::asked(), progress).await;
    };
    let wait_s = if service.ephemeral {
        0
    } else {
        suite.file.background.wait_s
    };
    let late = Duration::from_secs(wait_s);
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

fn known<'k>([now, before]: &'k [Batch; 2], retired: &'k Retired) -> Knowledge<'k> {
    Knowledge {
        now: &now.namer,
        before: &before.namer,
        retired,
    }
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
    world: World,
    http: Http,
    store: Option<Store<'a>>,
    world_values: Registry,
    /// Those, and the values of the batch that is under way, until all of them are there.
    values: Registry,
    setups: Setups<'a>,
    issues: Issues,
    canaries: Canaries<'a>,
    /// How the service is made to forget what was undone.
    reset: Option<Reset<'a>>,
    /// Whether the database ends with the run.
    is_ephemeral: bool,
    /// The last batch and the one before it: what was written late for its cells is read with the last one's changes.
    batches: [Batch; 2],
    /// The values of earlier batches.
    retired: Retired,
    /// The endpoints whose cells were swept and have no record yet, with the number after their last cell.
    unfinished: VecDeque<(&'a EndpointPlan<'a>, usize)>,
    options: &'a Options,
    /// How many calls are under way at once now.
    at_once: usize,
    /// For how long the service wants to be left alone, as its last answers say.
    retry_after: Option<Duration>,
    progress: &'a dyn Progress,
    /// How many cells are in a record already.
    done: usize,
    /// The cells after those, in the order of their numbers.
    swept: Vec<Swept<'a>>,
    found: Sweep,
    /// What the service writes by itself, as far as that came up.
    control: Control,
    /// What was made by requests and could not be removed, in words.
    left: Vec<String>,
    /// The tables whose changes were not observed, by endpoint.
    unobserved: BTreeMap<String, BTreeSet<String>>,
}

impl<'a> Sweeper<'a> {
    async fn new(
        suite: &'a Suite,
        service: &Service,
        (templates, world): (Templates, World),
        options: &'a Options,
        progress: &'a dyn Progress,
    ) -> Result<Self, SweepError> {
        let http = service.http(Duration::from_secs(suite.file.service.timeout_s))?;
        let http = http.paced(options.rate_limit);
        if service.tls.insecure {
            progress.note("certificates are not verified, since the suite says so");
        }
        let store = Store::open(suite, service, &world.run, progress).await?;
        let mut registry = Registry::of_world(&world);
        let urls = service.urls.values().chain([&service.base_url]);
        let addresses = service.addresses(suite);
        let databases = addresses
            .iter()
            .map(|address| (&address.which, address.url));
        logins::register(&mut registry, databases, urls);
        let reset = Reset::of(suite, service, &http, &world, &registry);
        let nobody = || Batch {
            namer: Arc::new(registry.clone().build()),
            first: 0,
        };
        let batches = [nobody(), nobody()];
        Ok(Self {
            suite,
            templates,
            world,
            http,
            store,
            world_values: registry,
            values: Registry::default(),
            setups: Setups::default(),
            issues: Issues::default(),
            canaries: Canaries::of(suite),
            reset,
            is_ephemeral: service.ephemeral,
            batches,
            retired: Retired::default(),
            unfinished: VecDeque::new(),
            options,
            at_once: options.concurrency,
            retry_after: None,
            progress,
            done: 0,
            swept: Vec::new(),
            found: Sweep::default(),
            control: Control::default(),
            left: Vec::new(),
            unobserved: BTreeMap::new(),
        })
    }

    async fn run(&mut self, plan: &'a [EndpointPlan<'a>]) -> Result<(), SweepError> {
        self.issues = Issues::of(callers(self.suite, plan));
        if let Some(store) = &self.store {
            store.tell_what_is_no_table();
        }
        self.make_world().await?;
        self.first_canaries(plan).await?;
        for (place, endpoint) in plan.iter().enumerate() {
            let before = self.count();
            self.endpoint(endpoint).await?;
            self.look_after(plan, place, before).await?;
            self.unfinished.push_back((endpoint, self.count()));
        }
        self.last_canaries(plan).await?;
        self.know_world();
        self.finish();
        self.watch_for_canaries().await?;
        self.leave_out();
        self.count_seen(plan);
        self.found.background = self.control.proposed(&self.found.records);
        self.ask_again(plan).await?;
        self.found.requests += self.setups.requests.take();
        Ok(())
    }

    /// Makes the records of the endpoints whose changes are all named.
    fn finish(&mut self) {
        let named = self.batches[1].first;
        while let Some((endpoint, end)) = self.unfinished.pop_front_if(|(_, end)| *end <= named) {
            self.record(endpoint, end);
        }
    }

    /// Counts what was seen and what was not.
    fn count_seen(&mut self, plan: &[EndpointPlan<'a>]) {
        self.found.seen.count_gaps(&self.found.records);
        let cells = plan.iter().flat_map(|plan| &plan.cells);
        let is_left_out = |cell: &&PlannedCell<'_>| {
            let left_out = self.found.inconclusive.get(cell.endpoint);
            left_out.is_some_and(|actors| actors.contains_key(cell.actor))
        };
        self.found.seen.left_out = cells.filter(is_left_out).count();
        self.found.seen.unproven = self.unproven(plan);
    }

    /// Leaves out of the records what dead credentials were answered, and adds whose were ended by calls.
    fn leave_out(&mut self) {
        for (name, actors) in &self.found.inconclusive {
            let Some(record) = self.found.records.get_mut(name) else {
                continue;
            };
            let endpoint = self.suite.endpoints.iter();
            let kept = std::mem::take(record).retain(|_, actor| !actors.contains_key(actor));
            *record = kept;
            if let Some(endpoint) = endpoint.into_iter().find(|one| &one.name == name) {
                record.findings = findings::of(self.suite, endpoint, record);
                let unrepeated = self.found.unrepeated.get(name).into_iter().flatten();
                record
                    .findings
                    .extend(unrepeated.map(|what| findings::unrepeated(what)));
            }
        }
        for (name, once) in self.written_once() {
            if let Some(record) = self.found.records.get_mut(&name) {
                record
                    .findings
                    .extend(once.iter().map(|what| findings::unrepeated(what)));
            }
            self.found.unrepeated.entry(name).or_default().extend(once);
        }
        for (name, actors) in &self.found.ended {
            if let Some(record) = self.found.records.get_mut(name) {
                let ended = actors.iter().map(|actor| findings::ended(actor));
                record.findings.extend(ended);
            }
        }
    }

    /// How many cells were swept until now, repeated ones too.
    fn count(&self) -> usize {
        self.done + self.swept.len()
    }

    /// The cells of an earlier try stay known, so that their late writes are still explained, but are not recorded.
    fn forget(&mut self, since: usize) {
        let swept = self.swept.iter_mut().skip(since - self.done);
        swept.for_each(|swept| swept.recorded = false);
    }

    /// The database repeats values in its errors. Those of a batch that failed are known since the run was closed.
    fn named(&self, error: SweepError) -> SweepError {
        let error = match error {
            SweepError::Database(error) if error.is_refused() => error,
            error => return error,
        };
        let [last, before] = &self.batches;
        let text = last.namer.name(&error.to_string(), NOBODY).text;
        SweepError::Refused(before.namer.name(&text, NOBODY).text)
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
        self.know_values(self.count());
        let taken = self.take_all_back().await;
        let reset = self.reset_last().await;
        let mut closed = Ok(Vec::new());
        if let Some(store) = self.store.take() {
            let known = known(&self.batches, &self.retired);
            closed = store.close(known, late).await;
        }
        // What stays changed is told first: it is what a person has to look at.
        let closed = closed?;
        if let Err(error) = taken.and(reset) {
            self.tell_what_stays_changed(&Ok(closed));
            return Err(error);
        }
        Ok(closed)
    }

    /// Takes back by requests what the journal does not know, after an interruption.
    async fn give_up(&mut self) {
        self.know_values(self.count());
        // Over the connection that may be in the middle of a statement nothing can be said of what teardowns write.
        if !self.is_journalled() {
            // What goes wrong is told with what is left.
            let _ = self.take_all_back().await;
        }
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

    /// Builds the record of an endpoint from the cells before this one, in the suite's order whatever the order of the
    /// calls was, and lets go of them.
    fn record(&mut self, plan: &EndpointPlan<'a>, before: usize) {
        let swept = self.swept.drain(..before - self.done);
        self.done = before;
        let mut observations = HashMap::new();
        let mut repeats = Calls::new();
        for swept in swept.filter(|swept| swept.recorded) {
            let (target, actor) = (swept.planned.target, swept.planned.actor);
            observations.insert((target, actor), swept.observation);
            if let Some(curl) = swept.curl {
                let row = repeats.entry(target.to_owned()).or_default();
                row.insert(actor.to_owned(), curl);
            }
        }
        let cells = plan.cells.iter().filter_map(|cell| {
            let observation = observations.remove(&(cell.target, cell.actor))?;
            Some((cell.target.as_str(), cell.actor.as_str(), observation))
        });
        let mut record = Record::build(plan.endpoint.title(), cells);
        let name = &plan.endpoint.name;
        record.unobserved = self.unobserved.remove(name).unwrap_or_default();
        record.findings = findings::of(self.suite, plan.endpoint, &record);
        let unrepeated = self.found.unrepeated.get(name);
        let unrepeated = unrepeated.into_iter().flatten();
        record
            .findings
            .extend(unrepeated.map(|what| findings::unrepeated(what)));
        self.found.calls.insert(name.clone(), repeats);
        self.found.cells += plan.cells.len();
        self.found.records.insert(name.clone(), record);
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
