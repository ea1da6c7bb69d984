//! One PostgreSQL server per test process, one database and one gateway per test.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use authz_pin::embedded::Cluster;
use authz_pin::http::{Route, Tls};
use authz_pin::plan::{EndpointPlan, Filter, plan};
use authz_pin::suite::Suite;
use authz_pin::sweep::{Options, Service, Silent, Sweep, sweep};
use authz_pin_gateway::{Gateway, Hole, Settings};
use tokio::sync::OnceCell;
use url::Url;

/// A gateway on a database of its own.
pub(crate) struct Fixture {
    pub(crate) gateway: Gateway,
    pub(crate) database_url: String,
    pub(crate) master_key: String,
}

impl Fixture {
    /// A gateway without holes.
    pub(crate) async fn new() -> Self {
        Self::with_holes(&[]).await
    }

    /// A gateway with holes.
    pub(crate) async fn with_holes(holes: &[Hole]) -> Self {
        let database_url = database().await;
        let master_key = format!("sk-{}", authz_pin::template::random(32));
        let gateway = gateway(&database_url, &master_key, holes).await;
        Self {
            gateway,
            database_url,
            master_key,
        }
    }

    /// How a sweep reaches it.
    pub(crate) fn service(&self) -> Service {
        Service {
            base_url: Url::parse(&self.url("")).unwrap(),
            urls: [].into(),
            tls: Tls::default(),
            route: Route::default(),
            database_url: Some(self.database_url.as_str().into()),
            databases: [].into(),
            settle: Duration::ZERO,
            ephemeral: true,
            variables: [("master_key".to_owned(), self.master_key.as_str().into())].into(),
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.gateway.address())
    }

    /// Sweeps the endpoints that match.
    pub(crate) async fn sweep(&self, suite: &Suite, pattern: &str, options: &Options) -> Sweep {
        sweep(
            suite,
            &planned(suite, pattern),
            &self.service(),
            options,
            &Silent,
        )
        .await
        .unwrap()
    }
}

pub(crate) async fn gateway(database_url: &str, master_key: &str, holes: &[Hole]) -> Gateway {
    let holes: Vec<String> = holes.iter().map(ToString::to_string).collect();
    let mut settings = suite().file.service.default.unwrap().settings;
    settings["master_key"] = master_key.into();
    settings["holes"] = holes.into();
    let settings: Settings = serde_json::from_value(settings).unwrap();
    Gateway::start("127.0.0.1:0".parse().unwrap(), database_url, settings)
        .await
        .unwrap()
}

/// The cells whose name matches the pattern.
pub(crate) fn planned<'a>(suite: &'a Suite, pattern: &str) -> Vec<EndpointPlan<'a>> {
    plan(suite, &Filter::new(&[pattern.to_owned()]).unwrap())
}

/// The repository, also for a package in a folder of it.
pub(crate) fn root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = package.ancestors();
    let root = folders.find(|folder| folder.join("suites").is_dir());
    root.unwrap().to_owned()
}

pub(crate) fn suite() -> Suite {
    Suite::load(&root().join("suites/litellm")).unwrap()
}

fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(|| Cluster::start().unwrap())
}

/// A database with the gateway's tables, copied from one that was migrated once.
pub(crate) async fn database() -> String {
    static TEMPLATE: OnceCell<()> = OnceCell::const_new();
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    TEMPLATE
        .get_or_init(async || {
            let url = cluster().create_database("migrated").await.unwrap();
            authz_pin_gateway::migrate(&url).await.unwrap();
        })
        .await;
    let name = format!("test_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
    cluster()
        .create_database_from(&name, "migrated")
        .await
        .unwrap()
}
