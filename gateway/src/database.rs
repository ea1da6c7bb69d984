//! The connection to PostgreSQL: the pool, and the migrations that make LiteLLM's tables.

use diesel::{Connection, RunQueryDsl, sql_query};
use diesel_async::{
    AsyncPgConnection,
    async_connection_wrapper::AsyncConnectionWrapper,
    pooled_connection::{AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod, deadpool},
};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use tokio::task::JoinSet;

use crate::GatewayError;

pub(crate) type Pool = deadpool::Pool<AsyncPgConnection>;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations");

/// Enough for a concurrent sweep, and few enough for several gateways on one server with default limits.
const POOL_SIZE: usize = 4;

/// Brings the database's tables up to date.
///
/// Several gateways may do so at the same moment: they take turns under an advisory lock.
pub async fn migrate(database_url: &str) -> Result<(), GatewayError> {
    let url = database_url.to_owned();
    // Diesel's migration harness is synchronous; a blocking thread serves every flavour of the runtime.
    tokio::task::spawn_blocking(move || run_pending(&url)).await?
}

fn run_pending(url: &str) -> Result<(), GatewayError> {
    let mut connection = AsyncConnectionWrapper::<AsyncPgConnection>::establish(url)
        .map_err(GatewayError::Connect)?;
    // The lock goes with the connection, also when a migration fails.
    sql_query("SELECT pg_advisory_lock(hashtextextended('authz-pin-gateway migrations', 0))")
        .execute(&mut connection)
        .map_err(|error| GatewayError::Migrate(error.into()))?;
    connection
        .run_pending_migrations(MIGRATIONS)
        .map_err(GatewayError::Migrate)?;
    Ok(())
}

pub(crate) fn pool(database_url: &str) -> Result<Pool, GatewayError> {
    let mut config = ManagerConfig::default();
    // A query before each use would double the queries of most calls.
    config.recycling_method = RecyclingMethod::Fast;
    let manager = AsyncDieselConnectionManager::new_with_config(database_url, config);
    let pool = Pool::builder(manager).max_size(POOL_SIZE).build()?;
    tokio::spawn(connect(pool.clone()));
    Ok(pool)
}

/// Makes all connections before the first calls wait for them. A call that fails to get one says why.
async fn connect(pool: Pool) {
    let connection = |_| {
        let pool = pool.clone();
        async move { pool.get().await }
    };
    let connections: JoinSet<_> = (0..POOL_SIZE).map(connection).collect();
    drop(connections.join_all().await);
}
