//! A database of its own, and who may do what there.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use authz_pin::embedded::Cluster;
use diesel::QueryableByName;
use diesel::sql_types::Text;
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use tokio::runtime::Runtime;

/// The server that all tests share; it ends with the process.
static CLUSTER: OnceLock<Cluster> = OnceLock::new();

/// What all services of the tests run on.
pub(crate) fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap()
    })
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

/// A database whose tables belong to a role that is no superuser.
pub(crate) struct Base {
    pub(crate) name: String,
    /// The role that owns the database; both the service and the tool connect as it.
    pub(crate) owner: String,
    /// Its address as the superuser's.
    pub(crate) root: String,
}

impl Base {
    /// With these tables, made by the owner.
    pub(crate) fn with(schema: &str) -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let (name, owner) = (format!("contact_{number}_test"), format!("owner_{number}"));
        let cluster = CLUSTER.get_or_init(|| Cluster::start().unwrap());
        let root = runtime().block_on(cluster.create_database(&name)).unwrap();
        let base = Self { name, owner, root };
        let (name, owner) = (&base.name, &base.owner);
        base.root_sql(&format!(
            "create role {owner} login; alter database {name} owner to {owner}; alter schema public owner to {owner}"
        ));
        base.owner_sql(schema);
        base
    }

    /// The address as this role's.
    pub(crate) fn url_of(&self, role: &str) -> String {
        self.root.replace("//postgres@", &format!("//{role}@"))
    }

    pub(crate) fn url(&self) -> String {
        self.url_of(&self.owner)
    }

    pub(crate) fn session(url: &str) -> AsyncPgConnection {
        runtime()
            .block_on(AsyncPgConnection::establish(url))
            .unwrap()
    }

    pub(crate) fn root_sql(&self, sql: &str) {
        self.sql_of("postgres", sql);
    }

    pub(crate) fn owner_sql(&self, sql: &str) {
        self.sql_of(&self.owner, sql);
    }

    pub(crate) fn sql_of(&self, role: &str, sql: &str) {
        let mut session = Self::session(&self.url_of(role));
        runtime().block_on(session.batch_execute(sql)).unwrap();
    }

    /// What a query whose column is `line` gives the superuser.
    pub(crate) fn lines(&self, query: &str) -> Vec<String> {
        let mut session = Self::session(&self.root);
        lines(&mut session, query)
    }

    /// Every row of every table with all its columns as text, and what could be switched off and forgotten: triggers,
    /// rules, constraints, and how a table identifies its rows.
    pub(crate) fn content(&self) -> Vec<String> {
        let mut session = Self::session(&self.root);
        let mut content = lines(&mut session, CATALOG);
        for table in lines(&mut session, TABLES) {
            let name = table.replace('\'', "''");
            let rows =
                format!("select '{name}: ' || authz_row::text as line from only {table} authz_row");
            content.extend(lines(&mut session, &rows));
        }
        content.sort();
        content
    }

    /// What the tool has left: its schema, its triggers, and whatever else is called after it.
    pub(crate) fn traces(&self) -> Vec<String> {
        self.lines(TRACES)
    }

    /// Nothing of the tool is left, and every table is what it was.
    #[track_caller]
    pub(crate) fn assert_is(&self, before: &[String], when: &str) {
        let now = self.content();
        let gone: Vec<_> = before.iter().filter(|line| !now.contains(line)).collect();
        let new: Vec<_> = now.iter().filter(|line| !before.contains(line)).collect();
        assert!(
            now == before,
            "{when}: the database is not what it was: missing {gone:#?}, new {new:#?}"
        );
        assert_eq!(self.traces(), Vec::<String>::new(), "{when}: traces");
    }
}

pub(crate) fn lines(session: &mut AsyncPgConnection, query: &str) -> Vec<String> {
    let loaded = runtime().block_on(diesel::sql_query(query).load(session));
    let loaded: Vec<Line> = loaded.unwrap();
    loaded.into_iter().map(|line| line.line).collect()
}

const TABLES: &str = "
    select c.oid::regclass::text as line from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind = 'r' and n.nspname not in ('pg_catalog', 'information_schema', 'authz_pin')
    order by 1";

const CATALOG: &str = "
    with own as (
      select c.* from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.relkind in ('r', 'p') and n.nspname not in ('pg_catalog', 'information_schema', 'authz_pin')
    )
    select format('table %s: identity %s', c.oid::regclass, c.relreplident) as line from own c
    union all
    select format('trigger %s on %s: %s', g.tgname, g.tgrelid::regclass, g.tgenabled)
    from pg_trigger g join own c on c.oid = g.tgrelid where not g.tgisinternal and g.tgname not like 'authz%'
    union all
    select format('rule %s on %s: %s', r.rulename, r.ev_class::regclass, r.ev_enabled)
    from pg_rewrite r join own c on c.oid = r.ev_class
    union all
    select format('constraint %s on %s', k.conname, k.conrelid::regclass)
    from pg_constraint k join own c on c.oid = k.conrelid";

const TRACES: &str = "
    select 'schema ' || nspname as line from pg_namespace where nspname like 'authz%'
    union all
    select format('trigger %s on %s', tgname, tgrelid::regclass) from pg_trigger where tgname like 'authz%'
    union all
    select format('function %s', oid::regprocedure) from pg_proc where proname like 'authz%'
    union all
    select format('publication %s', pubname) from pg_publication where pubname like 'authz%'
    order by 1";
