//! A service that answers at once: what a sweep of it takes, the sweep takes itself.

use std::io;
use std::net::SocketAddr;

use axum::Json;
use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::get;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// Serves on a free port of the loopback interface, as long as the process lives.
pub(crate) async fn start() -> io::Result<SocketAddr> {
    let routes = Router::new()
        .route("/health", get(async || ""))
        .route("/{action}/{thing}", get(answer));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, routes).await });
    Ok(address)
}

/// Every third combination is refused, whatever the values of the run are.
async fn answer(
    Path((action, thing)): Path<(String, String)>,
    headers: HeaderMap,
) -> (StatusCode, Json<Value>) {
    let key = headers.get("authorization");
    let key = key.and_then(|key| key.to_str().ok()).unwrap_or_default();
    let sum = number(&action) + number(&thing) + number(key);
    if sum.is_multiple_of(3) {
        let body = json!({"error": {"message": "this thing is not yours"}});
        return (StatusCode::FORBIDDEN, Json(body));
    }
    let body = json!({"id": thing, "title": "A thing", "tags": ["a", "b"], "size": 17});
    (StatusCode::OK, Json(body))
}

/// The number in a name such as `action-17` or `Bearer actor-17-x3f`.
fn number(name: &str) -> u32 {
    let digits = name.split('-').nth(1);
    digits.and_then(|digits| digits.parse().ok()).unwrap_or(0)
}
