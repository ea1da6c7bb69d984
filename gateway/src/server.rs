//! The server: routes, start and stop.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Json, Router,
    routing::{get, post},
};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

use crate::{
    GatewayError, Settings, database,
    denial::Answer,
    handlers::{delete, generate, info, list, openapi, regenerate, service_account, update},
    store::Store,
};

/// What every handler needs.
pub(crate) struct Gate {
    pub(crate) settings: Settings,
    pub(crate) store: Store,
}

/// A running gateway.
///
/// Dropped, it stops taking calls, too, but nobody waits for those under way.
#[derive(Debug)]
pub struct Gateway {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    server: JoinHandle<()>,
}

impl Gateway {
    /// Brings the database up to date and serves on `listen`, whose port may be 0, on the current tokio runtime.
    pub async fn start(
        listen: SocketAddr,
        database_url: &str,
        settings: Settings,
    ) -> Result<Self, GatewayError> {
        database::migrate(database_url).await?;
        let store = Store::new(database::pool(database_url)?);
        let failed = |source| GatewayError::Listen {
            address: listen,
            source,
        };
        let listener = TcpListener::bind(listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let (stop, stopped) = oneshot::channel();
        let routes = routes(Arc::new(Gate { settings, store }));
        let server = tokio::spawn(async move {
            // A dropped sender stops the server as well as a sent message does.
            let serving = axum::serve(listener, routes)
                .with_graceful_shutdown(async { stopped.await.unwrap_or_default() });
            // The listener retries its own errors: serving ends by being stopped.
            serving.await.unwrap_or_default();
        });
        Ok(Self {
            address,
            stop,
            server,
        })
    }

    /// Where the gateway listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops taking calls and waits for those under way.
    pub async fn stop(self) {
        // Both fail only if the server is down already.
        self.stop.send(()).unwrap_or_default();
        self.server.await.unwrap_or_default();
    }
}

fn routes(gate: Arc<Gate>) -> Router {
    Router::new()
        .route("/health/liveliness", get(alive))
        .route("/health/liveness", get(alive))
        .route("/openapi.json", get(openapi::document))
        .route("/key/generate", post(generate::handle))
        .route(
            "/key/service-account/generate",
            post(service_account::handle),
        )
        .route("/key/info", get(info::handle))
        .route("/key/list", get(list::handle))
        .route("/key/update", post(update::handle))
        .route("/key/regenerate", post(regenerate::handle))
        .route("/key/{key}/regenerate", post(regenerate::handle_path))
        .route("/key/delete", post(delete::handle))
        .fallback(async || Answer::detail(404, "Not Found"))
        .method_not_allowed_fallback(async || Answer::detail(405, "Method Not Allowed"))
        .with_state(gate)
}

async fn alive() -> Json<&'static str> {
    Json("I'm alive!")
}
