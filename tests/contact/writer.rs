//! A service that writes by itself, in transactions that take the tables in an order of their own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use diesel_async::{AsyncConnection, AsyncPgConnection, SimpleAsyncConnection};
use tokio::task::JoinHandle;

use crate::base::runtime;
use crate::stage::{ITEMS, Stage, sql, suite};

const TABLES: &str = "
    create table a (k text primary key);
    create table b (id serial primary key, v text);";

/// The most that a statement of the service may wait for the tool.
const PROMISED: Duration = Duration::from_millis(200);

/// What a loaded machine may add to it, besides what it does to a statement that nobody stands in the way of.
const SLACK: Duration = Duration::from_millis(150);

/// How the service's own statements fared.
#[derive(Default, Debug)]
struct Fared {
    beats: usize,
    longest: Duration,
    failures: Vec<String>,
}

/// Does something over and over until it is told to stop.
struct Beat {
    stop: Arc<AtomicBool>,
    task: JoinHandle<Fared>,
}

impl Beat {
    /// Runs each statement once per turn, in one transaction, with pauses between them, and times each one.
    fn start(url: &str, statements: &'static [&'static str], pause: Duration) -> Self {
        let (url, stop) = (url.to_owned(), Arc::new(AtomicBool::new(false)));
        let stopped = Arc::clone(&stop);
        let task = runtime().spawn(async move {
            let mut session = AsyncPgConnection::establish(&url).await.unwrap();
            let mut fared = Fared::default();
            while !stopped.load(Ordering::Relaxed) {
                fared.beats += 1;
                for statement in statements {
                    let start = Instant::now();
                    let outcome = session.batch_execute(statement).await;
                    fared.longest = fared.longest.max(start.elapsed());
                    fared
                        .failures
                        .extend(outcome.err().map(|error| format!("{statement}: {error}")));
                    if statement.starts_with("insert") {
                        tokio::time::sleep(pause).await;
                    }
                }
            }
            fared
        });
        Self { stop, task }
    }

    fn end(self) -> Fared {
        self.stop.store(true, Ordering::Relaxed);
        runtime().block_on(self.task).unwrap()
    }
}

#[test]
fn a_service_that_writes_all_the_time_neither_fails_nor_waits_nor_ends_a_run() {
    let place = suite(&["alice", "denied"], &[("me", sql("select 1"))]);
    let stage = Stage::with(&format!("{ITEMS}{TABLES}"), place)
        .more("background: { tables: [a, b], wait_s: 1 }\n");
    // A table that the tool never sees, to tell the machine's own slowness.
    stage
        .base
        .root_sql("create schema calm; create table calm.c (k text)");
    let items = "select 'item ' || i::text as line from item i order by 1";
    let before = stage.base.lines(items);
    let writer = Beat::start(
        &stage.base.url(),
        &[
            "begin",
            "insert into b (v) values ('beat')",
            "insert into a (k) values (gen_random_uuid()::text)",
            "commit",
        ],
        Duration::from_millis(600),
    );
    let calm = Beat::start(
        &stage.base.root,
        &["insert into calm.c values ('beat')"],
        Duration::from_millis(10),
    );
    let mut runs = Vec::new();
    for _ in 0..4 {
        let ended = stage.run("check", &[]);
        runs.push((ended, stage.base.traces(), stage.base.lines(items)));
    }
    let (fared, calm) = (writer.end(), calm.end());
    for (ended, traces, left) in runs {
        assert_eq!(ended.code, Some(1), "there is no snapshot: {ended:#?}");
        assert!(ended.stdout.contains("me POST /do"), "{ended:#?}");
        assert_eq!(traces, Vec::<String>::new());
        assert_eq!(left, before);
    }
    assert!(fared.beats > 3, "{fared:?}");
    assert_eq!(fared.failures, Vec::<String>::new());
    let most = PROMISED + SLACK + calm.longest;
    assert!(fared.longest <= most, "{fared:?}, at most {most:?}");
}
