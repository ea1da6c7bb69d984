//! The server: routes, start and stop.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Json, Router,
    handler::Handler,
    http::Method,
    routing::{self, MethodRouter},
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
    let router = Router::new().route("/openapi.json", routing::get(openapi::document));
    table()
        .into_iter()
        .fold(router, |router, (_, path, handler)| {
            router.route(path, handler)
        })
        .fallback(async || Answer::detail(404, "Not Found"))
        .method_not_allowed_fallback(async || Answer::detail(405, "Method Not Allowed"))
        .with_state(gate)
}

type Route = (Method, &'static str, MethodRouter<Arc<Gate>>);

/// The routes that the OpenAPI document has: a test compares the two.
fn table() -> [Route; 10] {
    [
        get("/health/liveliness", alive),
        get("/health/liveness", alive),
        post("/key/generate", generate::handle),
        post("/key/service-account/generate", service_account::handle),
        get("/key/info", info::handle),
        get("/key/list", list::handle),
        post("/key/update", update::handle),
        post("/key/regenerate", regenerate::handle),
        post("/key/{key}/regenerate", regenerate::handle_path),
        post("/key/delete", delete::handle),
    ]
}

fn get<T: 'static>(path: &'static str, handler: impl Handler<T, Arc<Gate>>) -> Route {
    (Method::GET, path, routing::get(handler))
}

fn post<T: 'static>(path: &'static str, handler: impl Handler<T, Arc<Gate>>) -> Route {
    (Method::POST, path, routing::post(handler))
}

async fn alive() -> Json<&'static str> {
    Json("I'm alive!")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_openapi_document_has_the_routes_that_there_are() {
        let document: serde_json::Value = serde_json::from_str(openapi::DOCUMENT).unwrap();
        let paths = document["paths"].as_object().unwrap().iter();
        let documented = paths.flat_map(|(path, item)| {
            let methods = item.as_object().unwrap().keys();
            methods.map(move |method| format!("{} {path}", method.to_uppercase()))
        });
        let served = table().map(|(method, path, _)| format!("{method} {path}"));
        assert_eq!(
            documented.collect::<BTreeSet<_>>(),
            served.into_iter().collect()
        );
    }
}
