//! The reference gateway as a service that a suite can name. Only the binary knows it.

use std::time::Duration;

use authz_pin::chain::chain;
use authz_pin::diagnostic::{did_you_mean, quoted};
use authz_pin::service::{Launch, LaunchError, Place, Running};
use authz_pin_gateway::{Gateway, GatewayError, Hole, Settings};
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
        place: Place<'_>,
        settings: Json,
    ) -> BoxFuture<'static, Result<Running, LaunchError>> {
        let listen = place.listen;
        let database_url = place.database_url.unwrap_or_default().to_owned();
        async move {
            let settings = read(&settings)?;
            let gateway = Gateway::start(listen, &database_url, settings)
                .await
                .map_err(|error| not_started(&error))?;
            // The gateway answers after its last write is committed, so there is nothing to wait for.
            Ok(Running {
                address: gateway.address(),
                settle: Some(Duration::ZERO),
                stop: gateway.stop().boxed(),
            })
        }
        .boxed()
    }
}

fn not_started(error: &GatewayError) -> LaunchError {
    let help = match error {
        GatewayError::Listen { .. } => Some("choose another --port; 0 takes a free one"),
        _ => None,
    };
    LaunchError::Start {
        message: chain(error),
        help: help.map(str::to_owned),
    }
}

fn read(settings: &Json) -> Result<Settings, LaunchError> {
    if let Some(hole) = unknown_hole(settings) {
        let known = Hole::ALL.iter().map(|hole| hole.name());
        return Err(LaunchError::Settings {
            message: format!("unknown hole {}", quoted(hole)),
            help: Some(did_you_mean(hole, known.clone()).unwrap_or_else(|| {
                let known: Vec<_> = known.map(quoted).collect();
                format!("known: {}", known.join(", "))
            })),
        });
    }
    serde_path_to_error::deserialize(settings).map_err(|error| {
        let reason = worded(&error.inner().to_string());
        let message = match reason.strip_prefix("unknown field ") {
            Some(rest) => format!("unknown setting {rest}"),
            None => format!("setting `{}`: {reason}", error.path()),
        };
        LaunchError::Settings {
            message,
            help: Some(format!("a setting is JSON, or text: {EXAMPLE}")),
        }
    })
}

const EXAMPLE: &str = r#"--setting 'holes=["key-info"]'"#;

/// The reader's words without names of types.
fn worded(reason: &str) -> String {
    let words = [
        ("expected i64", "expected a whole number"),
        ("expected f64", "expected a number"),
        ("expected a sequence", "expected a list"),
        ("expected struct UpperBound", "expected a mapping"),
    ];
    words
        .iter()
        .fold(reason.to_owned(), |reason, (theirs, ours)| {
            reason.replace(theirs, ours)
        })
}

/// The first hole that there is not: the list of all of them says less than the nearest name.
fn unknown_hole(settings: &Json) -> Option<&str> {
    let holes = settings.get("holes")?.as_array()?;
    let mut names = holes.iter().filter_map(Json::as_str);
    names.find(|name| name.parse::<Hole>().is_err())
}
