//! A service and its database as processes of their own, and the tool to run against them.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use authz_pin::embedded::Cluster;
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Text};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use regex::Regex;

use crate::place::{Ended, Place, end, start};

/// Reads, deletes and a paged answer, which waits for the other runs: what is enough for a change to be tested.
const PART: &str = "key-[dil]*";

/// Rows that are there before any run, and that no run may touch; with values whose texts are easily spoilt.
const RESIDENTS: &str = r#"
    insert into "LiteLLM_BudgetTable" (budget_id, max_budget, created_by, updated_by, allowed_models)
    select 'resident-' || n, n / 3.0, 'nobody', 'nobody', array['a "quoted" name', null, '']
    from generate_series(1, 20) n;
    insert into "LiteLLM_OrganizationTable" (organization_id, organization_alias, budget_id, metadata, created_by, updated_by)
    select 'resident-' || n, E'tab\tand \\', 'resident-' || n, '{"big": 12345678901234567890, "n": null}', 'nobody', 'nobody'
    from generate_series(1, 20) n;
    insert into "LiteLLM_UserTable" (user_id, organization_id, spend, teams)
    select 'resident-' || n, 'resident-' || n, 1e-7 * n, array['none'] from generate_series(1, 20) n;
"#;

/// Keys that are there before any run: a list of keys shows them, so with these the records differ from the pinned ones.
const RESIDENT_KEYS: &str = r#"
    insert into "LiteLLM_VerificationToken" (token, key_name, user_id, models, spend, expires)
    select md5(n::text), 'sk-...' || n, 'resident-' || n, array['resident'], n * 0.1, '2031-01-01 00:00:00.125'
    from generate_series(1, 20) n;
"#;

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    value: String,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// A service that runs as a process of its own, and is killed with the test.
pub(crate) struct Served {
    process: Child,
    printed: BTreeMap<String, String>,
}

impl Served {
    fn start(place: &Place, database_url: &str) -> Self {
        let arguments = ["serve", "--port", "0", "--database-url", database_url];
        let mut command = place.command(&arguments);
        let mut process = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let printed = lines.take(3).map(|line| {
            let line = line.unwrap();
            let (name, value) = line.split_once('=').unwrap();
            (name.to_owned(), value.to_owned())
        });
        let printed = printed.collect();
        Self { process, printed }
    }

    /// As the system does it to whoever needs too much memory.
    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A list of all keys says how many there are, those of other runs too: an endpoint of which no values are recorded.
fn without_values(place: &Place, snapshot: &str) {
    let file = place.path(snapshot);
    let text = std::fs::read_to_string(&file).unwrap();
    let legend = Regex::new(r"(?m)^values:\n(?: .*\n)*").unwrap();
    let label = Regex::new(r", values: values [0-9a-f]{4}").unwrap();
    let text = legend.replace(&text, "");
    std::fs::write(file, label.replace_all(&text, "").as_bytes()).unwrap();
}

/// A service on a database of its own, with the suite in a folder of its own.
pub(crate) struct Arena {
    place: Place,
    pub(crate) database_url: String,
    pub(crate) served: Served,
}

impl Arena {
    /// A service on a fresh database of the server that all tests share.
    pub(crate) async fn new() -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        static CLUSTER: OnceLock<Cluster> = OnceLock::new();
        let cluster = CLUSTER.get_or_init(|| Cluster::start().unwrap());
        let name = format!("arena_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        Self::on(cluster.create_database(&name).await.unwrap())
    }

    /// A service on this database. It answers after its last write, so there is nothing late to wait for.
    pub(crate) fn on(database_url: String) -> Self {
        let place = Place::with_litellm()
            .edit(
                "suites/litellm/suite.yaml",
                "settle_ms: 400",
                "settle_ms: 0",
            )
            .edit("suites/litellm/suite.yaml", "wait_s: 20", "wait_s: 0")
            .edit(
                "suites/litellm/suite.yaml",
                "values:\n",
                "values:\n  endpoints: { key-list: nothing }\n",
            );
        without_values(&place, "snapshots/litellm/key-list.snap");
        let served = Served::start(&place, &database_url);
        Self {
            place,
            database_url,
            served,
        }
    }

    pub(crate) async fn with_residents(self) -> Self {
        self.run_sql(RESIDENTS).await;
        self
    }

    pub(crate) async fn with_resident_keys(self) -> Self {
        self.run_sql(RESIDENT_KEYS).await;
        self
    }

    /// Starts a check of the part of the suite that the tests sweep.
    pub(crate) fn check(&self) -> Child {
        let filter = std::env::var("AUTHZ_PIN_CRASH_FILTER");
        let filter = filter.as_deref().unwrap_or(PART);
        start(&mut self.command(&["check", "--filter", filter]))
    }

    pub(crate) fn clean(&self) -> Ended {
        end(start(&mut self.command(&["clean"])))
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.place.command(arguments);
        command.envs(&self.served.printed);
        command
    }

    /// How long a run takes that nobody disturbs; the first one of a service takes longer than those after it.
    pub(crate) fn duration(&self) -> Duration {
        end(self.check());
        let start = Instant::now();
        let ended = end(self.check());
        assert!(matches!(ended.code, Some(0 | 1)), "{ended:#?}");
        start.elapsed()
    }

    /// The content of every table of the service: a digest of all its rows as text, sorted.
    pub(crate) async fn content(&self) -> BTreeMap<String, String> {
        let mut connection = self.connect().await;
        let tables = "select format('%I.%I', schemaname, tablename) as name, '' as value from pg_tables where schemaname = 'public'";
        let tables: Vec<Line> = diesel::sql_query(tables)
            .load(&mut connection)
            .await
            .unwrap();
        let digests = tables.into_iter().map(|table| digest(&table.name));
        let digests = digests.collect::<Vec<_>>().join(" union all ");
        let digests: Vec<Line> = diesel::sql_query(digests)
            .load(&mut connection)
            .await
            .unwrap();
        digests
            .into_iter()
            .map(|line| (line.name, line.value))
            .collect()
    }

    /// What there is of the journal: schemas and triggers.
    pub(crate) async fn traces(&self) -> i64 {
        let query = "select (select count(*) from pg_namespace where nspname = 'authz_pin')
            + (select count(*) from pg_trigger where tgname like 'authz_pin%') as count";
        self.count(query).await
    }

    /// Waits until the service has done what it was asked, and the server has noticed whose connections are closed.
    pub(crate) async fn quiet(&self) {
        let busy = "select count(*) from pg_stat_activity a where datname = current_database() and pid <> pg_backend_pid()
            and (state <> 'idle' or exists (select from pg_locks l where l.pid = a.pid and locktype = 'advisory'))";
        let start = Instant::now();
        let mut quiet = 0;
        while quiet < 5 {
            assert!(start.elapsed() < Duration::from_mins(1), "never quiet");
            tokio::time::sleep(Duration::from_millis(20)).await;
            quiet = if self.count(busy).await == 0 {
                quiet + 1
            } else {
                0
            };
        }
    }

    async fn count(&self, query: &str) -> i64 {
        let mut connection = self.connect().await;
        let count: Count = diesel::sql_query(query)
            .get_result(&mut connection)
            .await
            .unwrap();
        count.count
    }

    async fn run_sql(&self, sql: &str) {
        self.connect().await.batch_execute(sql).await.unwrap();
    }

    async fn connect(&self) -> AsyncPgConnection {
        AsyncPgConnection::establish(&self.database_url)
            .await
            .unwrap()
    }
}

fn digest(table: &str) -> String {
    let rows = "coalesce(string_agg(t::text, E'\\n' order by t::text), '')";
    let name = table.replace('\'', "''");
    format!("select '{name}' as name, count(*) || ' rows ' || md5({rows}) as value from {table} t")
}

/// Moments within a run of this duration, with the seed that draws them again.
pub(crate) struct Moments {
    pub(crate) seed: u64,
    random: StdRng,
    whole: Duration,
}

impl Moments {
    pub(crate) fn of(whole: Duration) -> Self {
        let seed = number("AUTHZ_PIN_CRASH_SEED").unwrap_or_else(rand::random);
        Self {
            seed,
            random: StdRng::seed_from_u64(seed),
            whole,
        }
    }

    pub(crate) fn whole(&self) -> Duration {
        self.whole
    }

    /// The run was over before its moment: the machine is less busy than when the duration was measured.
    pub(crate) fn too_late(&mut self) {
        self.whole = self.whole.mul_f64(0.8);
        assert!(
            self.whole > Duration::from_millis(1),
            "runs are over before anything is killed"
        );
    }

    pub(crate) fn draw(&mut self) -> Duration {
        self.whole.mul_f64(self.random.random())
    }
}

/// A number of the environment.
pub(crate) fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap())
}
