//! The sweep: fire every cell of the plan, and bring back one record per endpoint.
//!
//! Per endpoint: insert all scratch rows, fire all calls at once, wait until the journal is quiet, read it once,
//! attribute the changes by symbols, probe the credentials, undo. A change that no cell's symbols explain is never
//! guessed at: the endpoint is swept again one cell at a time.

mod attribution;
mod background;
mod batch;
mod fire;
mod issue;
mod logins;
mod setup;
mod store;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use indexmap::IndexMap;
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::database::{Database, DatabaseError};
use crate::findings;
use crate::http::{Http, HttpError, Tls};
use crate::journal::{self, Leftover, Presence};
use crate::observe;
use crate::plan::{EndpointPlan, PlannedCell, callers};
use crate::record::Record;
use crate::stop;
use crate::suite::Suite;
use crate::symbols::{Knowledge, Namer, Registry, Retired, View};
use crate::template::{TemplateError, Templates};
use crate::world::World;

pub(crate) use background::Background;
pub(crate) use logins::register as register_logins;

use batch::{Batch, Swept};
use issue::Issues;
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
    /// Rows that could not be restored, since they are not as the run left them.
    pub leftovers: Vec<Leftover>,
    /// What the run made by requests and could not remove, in words.
    pub left: Vec<String>,
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
    let mut sweeper = Sweeper::new(suite, service, options, progress).await?;
    let under_way = Arc::clone(&sweeper.setups.under_way);
    let asked = async {
        stop::asked().await;
        // What a request of a setup made has to be known before it can be taken back.
        under_way.write_owned().await
    };
    let outcome = tokio::select! {
        outcome = sweeper.run(plan) => Some(outcome),
        _ = asked => None,
    };
    let Some(outcome) = outcome else {
        progress.note("interrupted, undoing what the run did");
        sweeper.give_up().await;
        drop(sweeper);
        return abandon(suite, service).await;
    };
    let wait_s = if service.ephemeral {
        0
    } else {
        suite.file.background.wait_s
    };
    let closed = sweeper.close(Duration::from_secs(wait_s)).await;
    if let Err(error) = outcome {
        sweeper.tell_what_is_left();
        sweeper.tell_what_stays_changed(&closed);
        return Err(sweeper.named(error));
    }
    sweeper.found.leftovers = closed.map_err(|error| sweeper.named(error))?;
    Ok(sweeper.found)
}

/// Undoes an interrupted run over a new connection, since the old one may be in the middle of a statement. The run is
/// dead as soon as the database has noticed that its connection is closed.
async fn abandon(suite: &Suite, service: &Service) -> Result<Sweep, SweepError> {
    if let Some(url) = service.database_url.as_ref().filter(|_| !service.ephemeral) {
        tokio::time::sleep(DISCONNECTION).await;
        let mut database =
            Database::connect(url.expose_secret(), &suite.file.service.schema).await?;
        journal::clean(&mut database).await?;
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

/// How long a database may take to notice that a connection was closed.
const DISCONNECTION: Duration = Duration::from_millis(500);

struct Sweeper<'a> {
    suite: &'a Suite,
    templates: Templates,
    world: World,
    http: Http,
    store: Option<Store>,
    world_values: Registry,
    /// Those, and the values of the batch that is under way, until all of them are there.
    values: Registry,
    setups: Setups<'a>,
    issues: Issues,
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
}

impl<'a> Sweeper<'a> {
    async fn new(
        suite: &'a Suite,
        service: &Service,
        options: &'a Options,
        progress: &'a dyn Progress,
    ) -> Result<Self, SweepError> {
        let templates = Templates::new();
        let world = World::draw(suite, &templates, &service.variables)?;
        let http = service.http(Duration::from_secs(suite.file.service.timeout_s))?;
        if service.tls.insecure {
            progress.note("certificates are not verified, since the suite says so");
        }
        let store = Store::open(suite, service, &world, progress).await?;
        let mut registry = Registry::of_world(&world);
        let database = service
            .database_url
            .as_ref()
            .map(ExposeSecret::expose_secret);
        let urls = service.urls.values().chain([&service.base_url]);
        logins::register(&mut registry, database, urls);
        let nobody = || Batch {
            namer: registry.clone().build(),
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
            batches,
            retired: Retired::default(),
            unfinished: VecDeque::new(),
            options,
            progress,
            done: 0,
            swept: Vec::new(),
            found: Sweep::default(),
        })
    }

    async fn run(&mut self, plan: &'a [EndpointPlan<'a>]) -> Result<(), SweepError> {
        self.issues = Issues::of(callers(self.suite, plan));
        self.make_world().await?;
        for endpoint in plan {
            self.endpoint(endpoint).await?;
            self.unfinished.push_back((endpoint, self.count()));
        }
        self.know_world();
        self.finish();
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

    async fn endpoint(&mut self, plan: &EndpointPlan<'a>) -> Result<(), SweepError> {
        // Rows that another run inserts or takes away meanwhile would move what is on the next page.
        // What a setup writes is told from what others write by its time alone.
        let presence = if plan.endpoint.spec.pages.is_some() || self.has_setup(plan) {
            Presence::Alone
        } else {
            Presence::Shared
        };
        let cells = self.order(&plan.cells);
        let parts = cells.len().div_ceil(LARGEST_BATCH);
        for part in 0..parts {
            // Each part has cells of all targets, so that what an answer shows of other cells depends on no part.
            let cells: Vec<_> = cells.iter().skip(part).step_by(parts).copied().collect();
            self.part(plan, &cells, presence).await?;
        }
        Ok(())
    }

    async fn part(
        &mut self,
        plan: &EndpointPlan<'a>,
        cells: &[PlannedCell<'a>],
        presence: Presence,
    ) -> Result<(), SweepError> {
        let before = self.count();
        let unexplained = self.turn(plan, cells, presence).await?;
        if unexplained.is_empty() {
            for cell in cells {
                self.progress.swept(cell);
            }
            return Ok(());
        }
        let note = format!(
            "{}: writes to {} that no symbol explains, sweeping one cell at a time (a table that the service writes by \
             itself belongs under `background`)",
            plan.endpoint.name,
            unexplained.tables()
        );
        self.progress.note(&note);
        self.forget(before);
        if let Some(store) = &mut self.store {
            store.set_aside(&unexplained);
        }
        let repeated = self.one_by_one(plan, cells).await;
        if let Some(store) = &mut self.store {
            store
                .undo_explained(known(&self.batches, &self.retired), unexplained)
                .await?;
        }
        repeated
    }

    async fn one_by_one(
        &mut self,
        plan: &EndpointPlan<'a>,
        cells: &[PlannedCell<'a>],
    ) -> Result<(), SweepError> {
        for cell in cells {
            self.turn(plan, std::slice::from_ref(cell), Presence::Alone)
                .await?;
            self.progress.swept(cell);
        }
        Ok(())
    }

    /// One batch, together with other runs on the database or alone.
    async fn turn(
        &mut self,
        plan: &EndpointPlan<'a>,
        cells: &[PlannedCell<'a>],
        presence: Presence,
    ) -> Result<store::Unexplained, SweepError> {
        // What a login writes is told from what others write by its time alone, as with any setup.
        let presence = if self.has_login_due() {
            Presence::Alone
        } else {
            presence
        };
        if let Some(store) = &mut self.store {
            store.enter(presence).await?;
        }
        let outcome = self.batch(plan.endpoint, cells, presence).await;
        if let Some(store) = &mut self.store {
            store.leave(presence).await?;
        }
        outcome
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
        self.take_all_back().await?;
        let Some(store) = self.store.take() else {
            return Ok(Vec::new());
        };
        let known = known(&self.batches, &self.retired);
        Ok(store.close(known, late, self.progress).await?)
    }

    /// Takes back by requests what the journal does not know, after an interruption.
    async fn give_up(&mut self) {
        self.know_values(self.count());
        // What goes wrong is told with what is left.
        let _ = self.take_all_back().await;
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
        for left in &self.found.left {
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
        record.findings = findings::of(self.suite, plan.endpoint, &record);
        let name = &plan.endpoint.name;
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
