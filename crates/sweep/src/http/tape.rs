//! What was sent and what came back, kept as it is until the run's values have names.

use std::fmt;
use std::mem::take;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use authz_pin_record::fault::Fault;

use super::{Answer, Call, HttpError};

/// Why a request is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To make what calls are about.
    Setup,
    /// To get a credential.
    Login,
    /// The call under test.
    Call,
    /// To see afterwards whether a credential works; by its place among the endpoint's probes.
    Probe(usize),
    /// To remove what was made.
    Teardown,
    /// To make the service read its database again.
    Reset,
}

impl fmt::Display for Purpose {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Setup => "setup",
            Self::Login => "login",
            Self::Call => "call",
            Self::Probe(_) => "probe",
            Self::Teardown => "teardown",
            Self::Reset => "reset",
        })
    }
}

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) purpose: Purpose,
    /// The number within the run of the cell that it is for, if it is for one.
    pub(crate) cell: Option<usize>,
}

/// One request and what came of it. It may hold credentials, so it cannot be printed.
pub(crate) struct Exchange {
    pub(crate) call: Call,
    pub(crate) url: String,
    pub(crate) at: SystemTime,
    pub(crate) took: Duration,
    pub(crate) sent: Sent,
}

/// What came of a request.
pub(crate) enum Sent {
    Answer(Box<Answer>),
    Fault(Fault),
    /// No connection could be made, or no request.
    Nothing,
}

/// The requests since somebody last asked for them.
#[derive(Default)]
pub(crate) struct Tape(Mutex<Vec<Exchange>>);

/// When a request was begun.
pub(super) struct Begun(SystemTime, Instant);

impl Begun {
    pub(super) fn now() -> Self {
        Self(SystemTime::now(), Instant::now())
    }
}

impl Tape {
    pub(super) fn keep(
        &self,
        call: &Call,
        url: String,
        begun: &Begun,
        sent: &Result<Result<Answer, Fault>, HttpError>,
    ) {
        let exchange = Exchange {
            call: call.again(),
            url,
            at: begun.0,
            took: begun.1.elapsed(),
            sent: match sent {
                Ok(Ok(answer)) => Sent::Answer(Box::new(answer.clone())),
                Ok(Err(fault)) => Sent::Fault(*fault),
                Err(_) => Sent::Nothing,
            },
        };
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.push(exchange);
    }

    /// Takes what is there, in the order in which it was sent.
    pub(crate) fn take(&self) -> Vec<Exchange> {
        let mut all = take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        all.sort_by_key(|exchange| exchange.at);
        all
    }
}
