//! `GET /openapi.json`.

use axum::{http::header::CONTENT_TYPE, response::IntoResponse};

/// The gateway's own part of the real service's OpenAPI document.
pub(crate) const DOCUMENT: &str = include_str!("openapi.json");

pub(crate) async fn document() -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], DOCUMENT)
}
