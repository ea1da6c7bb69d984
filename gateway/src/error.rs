//! Why a gateway did not start.

use std::net::SocketAddr;

use thiserror::Error;

/// Why a gateway did not start. No variant shows the database URL, which may hold a password.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum GatewayError {
    /// The database does not answer, or refuses the login.
    #[error("the database is not reachable")]
    Connect(#[source] diesel::ConnectionError),
    /// A migration failed.
    #[error("the database's tables could not be brought up to date")]
    Migrate(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The connection pool could not be made.
    #[error("the database pool could not be made")]
    Pool(#[from] diesel_async::pooled_connection::deadpool::BuildError),
    /// The address is taken or not ours.
    #[error("cannot listen on `{address}`")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The tokio runtime is shutting down.
    #[error("the runtime stopped before the gateway had started")]
    Runtime(#[from] tokio::task::JoinError),
}
