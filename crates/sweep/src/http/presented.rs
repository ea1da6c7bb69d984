//! What a call presents: a credential, and whose connections it may use.

use std::sync::Arc;

use super::tls::Pem;
use crate::credential::Signer;

/// A credential as a request carries it. It may hold secrets, so it cannot be printed.
#[derive(Clone, Default)]
pub struct Presented {
    /// Whose connections the call may use.
    pub(crate) caller: Caller,
    /// The headers.
    pub(crate) headers: Vec<(String, String)>,
    /// The parameters of the query.
    pub(crate) query: Vec<(String, String)>,
    /// What makes the rest when the request is sent.
    pub(crate) signers: Vec<Signer>,
}

impl Presented {
    /// These headers, on the connections of this actor.
    #[must_use]
    pub fn by(actor: &str, headers: Vec<(String, String)>) -> Self {
        Self {
            headers,
            ..Self::default()
        }
        .of(actor)
    }

    /// The same on the connections of an actor of the run's world.
    pub(crate) fn of(mut self, actor: &str) -> Self {
        self.caller.actor = Some(Arc::from(actor));
        self
    }

    /// The same on a connection of its own.
    pub(crate) fn of_nobody(mut self) -> Self {
        self.caller.actor = None;
        self
    }
}

/// Whose connections a call uses. Without an actor it has one of its own: what sets up, whoever is made for one cell, and
/// whoever presents a credential that is nobody's.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Caller {
    pub(crate) actor: Option<Arc<str>>,
    /// The certificate that its connections present.
    pub(crate) certificate: Option<Arc<Pem>>,
}
