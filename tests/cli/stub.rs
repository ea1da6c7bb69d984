//! A service that answers every request with a status and an empty JSON object.

use std::sync::Mutex;

use super::raw::{JSON, Raw, respond};

pub(crate) struct Stub(Raw);

impl Stub {
    /// Answers the first requests with these statuses, and all others with 200.
    pub(crate) fn start(first: &'static [u16]) -> Self {
        let statuses = Mutex::new(first.iter().copied());
        Self(Raw::start(move |_, stream| {
            let status = statuses.lock().unwrap().next().unwrap_or(200);
            respond(stream, status, JSON, "{}")
        }))
    }

    pub(crate) fn url(&self) -> String {
        self.0.url()
    }

    pub(crate) fn address(&self) -> String {
        self.0.address()
    }
}
