//! A database with a schema, and the connection of its service.

use std::sync::OnceLock;

use authz_pin::database::Leftover;
use authz_pin::database::postgres::Database;
use authz_pin::database::postgres::journal::{Journal, clean};
use authz_pin::embedded::Cluster;
use diesel::QueryableByName;
use diesel::sql_types::Text;
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};

/// The run that the tests make.
pub(crate) const RUN: &str = "aprun0000";

pub(crate) struct Service {
    url: String,
    connection: AsyncPgConnection,
    // The last: the server ends when nothing is connected any more.
    _cluster: Cluster,
}

/// The tool and the service are one role that owns everything, and no superuser.
const OWNER: &str = "create role owner login; alter database service owner to owner; alter schema public owner to owner";

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

/// One server at a time takes the machine's time; the tests of a process take turns.
static TURN: OnceLock<tokio::sync::Semaphore> = OnceLock::new();

impl Service {
    pub(crate) async fn with(schema: &str) -> Self {
        let _turn = TURN
            .get_or_init(|| tokio::sync::Semaphore::new(1))
            .acquire()
            .await
            .unwrap();
        let cluster = Cluster::start().unwrap();
        let url = cluster.create_database("service").await.unwrap();
        let mut superuser = AsyncPgConnection::establish(&url).await.unwrap();
        superuser.batch_execute(OWNER).await.unwrap();
        let url = url.replace("//postgres@", "//owner@");
        let mut connection = AsyncPgConnection::establish(&url).await.unwrap();
        connection.batch_execute(schema).await.unwrap();
        Self {
            url,
            connection,
            _cluster: cluster,
        }
    }

    /// What the tool sees of it, with its journal installed.
    pub(crate) async fn watched(&self) -> (Journal, Database) {
        let mut database = self.database().await;
        let (journal, leftovers) = Journal::install(&mut database, RUN, &silent).await.unwrap();
        assert_eq!(leftovers, []);
        (journal, database)
    }

    /// The same with a journal that compares the tables.
    pub(crate) async fn compared(&self) -> (Journal, Database) {
        let mut database = self.database().await;
        let journal = Journal::compare(&mut database, RUN).await.unwrap();
        (journal.unwrap(), database)
    }

    pub(crate) async fn database(&self) -> Database {
        Database::connect(&self.url, "public").await.unwrap()
    }

    /// Another connection of the service, to the same database.
    pub(crate) async fn again(&self) -> Session {
        Session(AsyncPgConnection::establish(&self.url).await.unwrap())
    }

    /// Statements, each as a call of its own unless they begin a transaction.
    pub(crate) async fn call(&mut self, sql: &str) {
        self.connection.batch_execute(sql).await.unwrap();
    }

    /// Every row of every table with all its columns as text, and what the service's triggers are.
    pub(crate) async fn content(&mut self) -> Vec<String> {
        self.call("reset all; set datestyle = 'ISO, YMD'").await;
        let mut content = self.lines(TRIGGERS).await;
        for table in self.lines(TABLES).await {
            let rows = format!(
                "select '{}: ' || all_of_it::text as line from only {table} all_of_it",
                table.replace('\'', "''")
            );
            content.extend(self.lines(&rows).await);
        }
        content.sort();
        content
    }

    pub(crate) async fn lines(&mut self, query: &str) -> Vec<String> {
        let lines: Vec<Line> = diesel::sql_query(query)
            .load(&mut self.connection)
            .await
            .unwrap();
        lines.into_iter().map(|line| line.line).collect()
    }
}

/// One more connection of a service.
pub(crate) struct Session(AsyncPgConnection);

impl Session {
    pub(crate) async fn call(&mut self, sql: &str) {
        self.0.batch_execute(sql).await.unwrap();
    }
}

/// Every relation with rows of its own, whatever its schema.
const TABLES: &str = "
    select c.oid::regclass::text as line from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind = 'r' and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'authz_pin')
    order by 1";

const TRIGGERS: &str = "
    select format('trigger %s on %s: %s', tgname, tgrelid::regclass, tgenabled) as line
    from pg_trigger where not tgisinternal and tgname not like 'authz_pin%' order by 1";

/// Nobody is told.
pub(crate) fn silent(_: &str) {}

/// Undoes what dead runs left; the journal goes with it, and so it has to.
pub(crate) async fn cleaned(service: &Service) -> Vec<Leftover> {
    let (leftovers, stays) = clean(&mut service.database().await, &silent).await.unwrap();
    assert_eq!(stays, None);
    leftovers
}
