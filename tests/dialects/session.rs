//! A database of a service, in one of two dialects.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use authz_pin::embedded::Cluster;
use diesel::connection::SimpleConnection as _;
use diesel::sql_types::Text;
use diesel::{Connection as _, QueryableByName, RunQueryDsl as _, SqliteConnection, sql_query};
use diesel_async::{AsyncConnection as _, AsyncPgConnection, SimpleAsyncConnection as _};
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// What the services of the tests run on.
pub(crate) fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder.worker_threads(2).enable_all().build().unwrap()
    })
}

/// What a database is managed by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Postgres,
    Sqlite,
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

/// A database, and one session in it.
pub(crate) enum Database {
    Postgres {
        url: String,
        session: Box<AsyncPgConnection>,
    },
    Sqlite {
        file: PathBuf,
        session: SqliteConnection,
        _folder: TempDir,
    },
}

impl Database {
    pub(crate) fn new(dialect: Dialect) -> Self {
        match dialect {
            Dialect::Postgres => Self::postgres(),
            Dialect::Sqlite => Self::sqlite(),
        }
    }

    fn postgres() -> Self {
        static CLUSTER: OnceLock<Cluster> = OnceLock::new();
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let name = format!("notes_{}_test", NUMBER.fetch_add(1, Ordering::Relaxed));
        let cluster = CLUSTER.get_or_init(|| Cluster::start().unwrap());
        let url = runtime().block_on(cluster.create_database(&name)).unwrap();
        let session = runtime()
            .block_on(AsyncPgConnection::establish(&url))
            .unwrap();
        Self::Postgres {
            url,
            session: Box::new(session),
        }
    }

    fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("notes_test.db");
        let session = sqlite(&file);
        Self::Sqlite {
            file,
            session,
            _folder: folder,
        }
    }

    pub(crate) fn url(&self) -> String {
        match self {
            Self::Postgres { url, .. } => url.clone(),
            Self::Sqlite { file, .. } => format!("sqlite:{}", file.display()),
        }
    }

    /// Runs statements of which some differ: what stands between `{` and `}` is `postgres|sqlite`.
    pub(crate) async fn execute(&mut self, sql: &str) {
        let sql = self.in_dialect(sql);
        match self {
            Self::Postgres { session, .. } => session.batch_execute(&sql).await.unwrap(),
            Self::Sqlite { session, .. } => session.batch_execute(&sql).unwrap(),
        }
    }

    /// What a query gives whose column is a document, by `{jsonb_build|json}_object`.
    pub(crate) async fn rows(&mut self, query: &str) -> Vec<Value> {
        let text = format!("select {{cast(line as text)|line}} as line from ({query}) as found");
        let lines = self.lines(&self.in_dialect(&text)).await;
        lines
            .iter()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    async fn lines(&mut self, query: &str) -> Vec<String> {
        let lines: Vec<Line> = match self {
            Self::Postgres { session, .. } => {
                diesel_async::RunQueryDsl::load(sql_query(query), session)
                    .await
                    .unwrap()
            }
            Self::Sqlite { session, .. } => sql_query(query).load(session).unwrap(),
        };
        lines.into_iter().map(|line| line.line).collect()
    }

    fn in_dialect(&self, sql: &str) -> String {
        let parts = sql.split('{').enumerate().map(|(place, part)| {
            if place == 0 {
                return part.to_owned();
            }
            let (choice, rest) = part.split_once('}').unwrap();
            let (postgres, sqlite) = choice.split_once('|').unwrap();
            let chosen = match self {
                Self::Postgres { .. } => postgres,
                Self::Sqlite { .. } => sqlite,
            };
            format!("{chosen}{rest}")
        });
        parts.collect()
    }
}

fn sqlite(file: &Path) -> SqliteConnection {
    let mut session = SqliteConnection::establish(&file.display().to_string()).unwrap();
    let settings =
        "pragma journal_mode = wal; pragma foreign_keys = on; pragma busy_timeout = 5000";
    session.batch_execute(settings).unwrap();
    session
}
