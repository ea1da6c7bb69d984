//! The reference gateway as a service that a suite can name. Only the binary knows it.

use std::net::SocketAddr;
use std::time::Duration;

use authz_pin::service::{Launch, Running};
use authz_pin_gateway::{Gateway, Settings};
use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::Value as Json;

/// Starts the reference gateway.
pub(crate) struct ReferenceGateway;

impl Launch for ReferenceGateway {
    fn name(&self) -> &'static str {
        "reference-gateway"
    }

    fn launch(
        &self,
        listen: SocketAddr,
        database_url: &str,
        settings: Json,
    ) -> BoxFuture<'static, Result<Running, String>> {
        let database_url = database_url.to_owned();
        async move {
            let settings: Settings =
                serde_json::from_value(settings).map_err(|error| error.to_string())?;
            let gateway = Gateway::start(listen, &database_url, settings)
                .await
                .map_err(|error| error.to_string())?;
            // The gateway answers after its last write is committed, so there is nothing to wait for.
            Ok(Running {
                address: gateway.address(),
                settle: Duration::ZERO,
                stop: gateway.stop().boxed(),
            })
        }
        .boxed()
    }
}
