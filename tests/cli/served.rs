//! Services that are routes of our own, on a port of their own.

use std::net::{SocketAddr, TcpListener};

use axum::Router;
use tokio::runtime::Runtime;

/// What runs such a service, beside a test that is not asynchronous.
pub(crate) fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap()
}

/// Serves the routes for as long as the runtime is there, and says where.
pub(crate) fn serve(runtime: &Runtime, routes: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    runtime.spawn(async move {
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        axum::serve(listener, routes).await.unwrap();
    });
    address
}
