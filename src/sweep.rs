//! The sweep: fire every cell of the plan, and bring back one record per endpoint.
//!
//! Per endpoint: insert all scratch rows, fire all calls at once, wait until the journal is quiet, read it once,
//! attribute the changes by symbols, probe the credentials, undo. A change that no cell's symbols explain is never
//! guessed at: the endpoint is swept again one cell at a time.

mod attribution;
mod background;
mod batch;
mod control;
mod doubt;
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
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::database::{Catalog, Database, DatabaseError};
use crate::findings;
use crate::http::{Http, HttpError, Tls};
use crate::journal::{self, Leftover};
use crate::observe;
use crate::plan::{EndpointPlan, PlannedCell, callers};
use crate::record::Record;
use crate::stop;
use crate::suite::Suite;
use crate::symbols::{Knowledge, Namer, Registry, Retired, View};
use crate::template::{TemplateError, Templates};
use crate::world::{Row, World};

pub(crate) use background::Background;
pub use control::{Own, Proposed};
pub(crate) use logins::register as register_logins;

use batch::{Batch, Swept};
use control::Control;
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
    /// The service's database; without it only HTTP is observed.
    pub database_url: Option<SecretString>,
    /// How long the database must have been quiet before its changes are read.
    pub settle: Duration,
    /// Whether the database ends with the run, so that nothing late needs to be waited for.
    pub ephemeral: bool,
    /// The suite's variables.
    pub variables: BTreeMap<String, SecretString>,
}

impl Service {
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
    /// Fires the cells of an endpoint in an order drawn from this seed.
    pub shuffle: Option<u64>,
    /// Whether to hand out how to repeat each call.
    pub calls: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            concurrency: 16,
            shuffle: None,
            calls: false,
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
    /// A paged answer has no end.
    #[error("`{endpoint}` has more than {limit} pages")]
    Pages {
        /// The endpoint's name.
        endpoint: String,
        /// The most that are walked.
        limit: usize,
    },
}

/// Sweeps the plan. Whatever happens, what the run did is undone before this returns.
pub async fn sweep(
    suite: &Suite,
    plan: &[EndpointPlan<'_>],
    service: &Service,
    options: &Options,
    progress: &dyn Progress,
) -> Result<Sweep, SweepError> {
    let (mut found, end) = sweep_and_hold(suite, plan, service, options, progress).await?;
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
        return abandon(suite, service, interrupted, progress).await;
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
        return abandon(suite, service, interrupted, progress).await;
    };
    let wait_s = if service.ephemeral {
        0
    } else {
        suite.file.background.wait_s
    };
    let late = Duration::from_secs(wait_s);
    match outcome {
        Ok(()) => Ok((std::mem::take(&mut sweeper.found), End { sweeper, late })),
        Err(error) => {
            let closed = sweeper.close(late).await;
            sweeper.tell_what_is_left();
            sweeper.tell_what_stays_changed(&closed);
            Err(sweeper.named(error))
        }
    }
}

/// What is left to be undone of a run.
#[must_use = "a run has to be undone"]
pub struct End<'a> {
    sweeper: Box<Sweeper<'a>>,
    late: Duration,
}

impl End<'_> {
    /// Waits for what the service writes late, undoes the run, and takes the journal away.
    pub async fn undo(mut self) -> Result<Undone, SweepError> {
        let closed = self.sweeper.close(self.late).await;
        let leftovers = closed.map_err(|error| self.sweeper.named(error))?;
        Ok(Undone {
            leftovers,
            left: self.sweeper.left,
        })
    }
}

/// What could not be undone of a run.
#[derive(Debug, Default)]
pub struct Undone {
    /// Rows that could not be restored, each with the reason.
    pub leftovers: Vec<Leftover>,
    /// What the run made by requests and could not remove, in words.
    pub left: Vec<String>,
}

/// What is known of a run that was interrupted.
struct Interrupted<'a> {
    run: &'a str,
    /// The rows that no journal knows.
    unwatched: Option<(Vec<Row>, Arc<Catalog>)>,
    reset: Option<Reset<'a>>,
}

/// Undoes an interrupted run over a new connection, since the old one may be in the middle of a statement: it is ended, and the
/// run is dead as soon as the database has noticed.
async fn abandon<T>(
    suite: &Suite,
    service: &Service,
    interrupted: Interrupted<'_>,
    progress: &dyn Progress,
) -> Result<T, SweepError> {
    if let Some(url) = service.database_url.as_ref().filter(|_| !service.ephemeral) {
        tokio::time::sleep(service.settle).await;
        let mut database =
            Database::connect(url.expose_secret(), &suite.file.service.schema).await?;
        let tell = |text: &str| progress.note(text);
        let catalog = database.catalog().await?;
        let background = Background::of(&suite.file.background).relations(&catalog);
        let run = interrupted.run;
        for leftover in journal::abandon(&mut database, run, &background, &tell).await? {
            progress.note(&format!("could not be undone: {leftover}"));
        }
        if let Some((rows, catalog)) = interrupted.unwatched {
            database.delete(&rows, &catalog).await?;
        }
        if let Some(reset) = interrupted.reset
            && let Err(error) = reset.run().await
        {
            progress.note(&error.to_string());
        }
    }
    Err(SweepError::Interrupted)
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
        if service.tls.insecure {
            progress.note("certificates are not verified, since the suite says so");
        }
        let store = Store::open(suite, service, &world.run, progress).await?;
        let mut registry = Registry::of_world(&world);
        let database = service
            .database_url
            .as_ref()
            .map(ExposeSecret::expose_secret);
        let urls = service.urls.values().chain([&service.base_url]);
        logins::register(&mut registry, database, urls);
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
            reset,
            is_ephemeral: service.ephemeral,
            batches,
            retired: Retired::default(),
            unfinished: VecDeque::new(),
            options,
            progress,
            done: 0,
            swept: Vec::new(),
            found: Sweep::default(),
            control: Control::default(),
            left: Vec::new(),
        })
    }

    async fn run(&mut self, plan: &'a [EndpointPlan<'a>]) -> Result<(), SweepError> {
        self.issues = Issues::of(callers(self.suite, plan));
        if let Some(store) = &self.store {
            store.tell_what_is_no_table();
        }
        self.make_world().await?;
        for endpoint in plan {
            self.endpoint(endpoint).await?;
            self.unfinished.push_back((endpoint, self.count()));
        }
        self.know_world();
        self.finish();
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
        let SweepError::Database(error @ DatabaseError::Refused { .. }) = error else {
            return error;
        };
        let [last, before] = &self.batches;
        let text = last.namer.name(&error.to_string(), NOBODY).text;
        SweepError::Refused(before.namer.name(&text, NOBODY).text)
    }

    fn order(&self, cells: &[PlannedCell<'a>]) -> Vec<PlannedCell<'a>> {
        let mut cells = cells.to_vec();
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

    /// Such an answer says how often somebody called, and not who.
    fn tell_what_is_limited(&self, name: &str, record: &Record) {
        let cells = record.iter();
        let limited = cells
            .filter(|(_, _, cell)| cell.status == Some(429))
            .count();
        if limited > 0 {
            self.progress.note(&format!(
                "{name}: {limited} cells were answered 429: raise the service's limit on the test instance"
            ));
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
        record.findings = findings::of(self.suite, plan.endpoint, &record);
        let unrepeated = self.found.unrepeated.get(name);
        let unrepeated = unrepeated.into_iter().flatten();
        record
            .findings
            .extend(unrepeated.map(|what| findings::unrepeated(what)));
        self.tell_what_is_limited(name, &record);
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
