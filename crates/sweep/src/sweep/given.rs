//! What a sweep is given: the service, how it is swept, and who is told how far it is.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use authz_pin_database::{Address, addresses};
use authz_pin_suite::plan::PlannedCell;
use authz_pin_suite::suite::Suite;
use secrecy::SecretString;
use url::Url;

use super::Pinned;
use crate::har::Recording;
use crate::http::{Http, HttpError, Route, Tls};

/// Where the service is and how it is reached.
#[derive(Clone)]
pub struct Service {
    /// The service's URL.
    pub base_url: Url,
    /// Other URLs of the service, by the names that the suite has for them.
    pub urls: BTreeMap<String, Url>,
    /// Its certificates, and the tool's.
    pub tls: Tls,
    /// By which way it is reached.
    pub route: Route,
    /// The service's main database; without it only HTTP is observed.
    pub database_url: Option<SecretString>,
    /// Its further databases, by the names that the suite has for them.
    pub databases: BTreeMap<String, SecretString>,
    /// How long the database must have been quiet before its changes are read.
    pub settle: Duration,
    /// Whether the database ends with the run, so that nothing late needs to be waited for.
    pub ephemeral: bool,
    /// The suite's variables.
    pub variables: BTreeMap<String, SecretString>,
}

impl Service {
    /// Where its databases are.
    pub(crate) fn addresses<'s>(&'s self, suite: &'s Suite) -> Vec<Address<'s>> {
        addresses(
            &suite.file.service,
            self.database_url.as_ref(),
            &self.databases,
        )
    }

    /// A client for it.
    pub fn http(&self, timeout: Duration) -> Result<Http, HttpError> {
        let (base, urls) = (self.base_url.clone(), self.urls.clone());
        Http::with(base, urls, (&self.tls, &self.route), timeout)
    }
}

/// How a sweep is done; nothing here changes what it finds.
#[derive(Debug, Clone)]
pub struct Options {
    /// How many calls are under way at once.
    pub concurrency: usize,
    /// How many requests are sent in a second at most.
    pub rate_limit: Option<u32>,
    /// Fires the cells of an endpoint in an order drawn from this seed.
    pub shuffle: Option<u64>,
    /// Whether to hand out how to repeat each call.
    pub calls: bool,
    /// What the snapshots say, where they say whose credential has to work.
    pub pinned: Option<Pinned>,
    /// Where to keep what is sent and answered.
    pub har: Option<Arc<Recording>>,
    /// Whether rules are made of what another sweep shows otherwise: then what takes more than the records is kept.
    pub compared: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            concurrency: 16,
            rate_limit: None,
            shuffle: None,
            calls: false,
            pinned: None,
            har: None,
            compared: false,
        }
    }
}

/// Who is told how far a sweep is, from whatever thread the sweep is on.
pub trait Progress: Send + Sync {
    /// A cell was swept.
    fn swept(&self, cell: &PlannedCell<'_>);
    /// Something that a person may want to know.
    fn note(&self, text: &str);
}

/// Nobody is told.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn swept(&self, _: &PlannedCell<'_>) {}
    fn note(&self, _: &str) {}
}
