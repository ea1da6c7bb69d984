//! One sweep, measured.

use std::path::Path;
use std::time::{Duration, Instant};

use authz_pin::http::{Route, Tls};
use authz_pin::plan::{Filter, plan};
use authz_pin::suite::Suite;
use authz_pin::sweep::{Options, Service, Silent, sweep};
use serde_json::{Value as Json, json};
use url::Url;

use crate::{Result, machine};

/// How many calls are under way at once, here and in the load generator.
pub(crate) const CONCURRENCY: usize = 16;

pub(crate) fn service(base_url: &str, database_url: Option<&str>) -> Result<Service> {
    Ok(Service {
        base_url: Url::parse(base_url)?,
        urls: [].into(),
        tls: Tls::default(),
        route: Route::default(),
        database_url: database_url.map(Into::into),
        databases: [].into(),
        settle: Duration::ZERO,
        ephemeral: true,
        variables: [].into(),
    })
}

/// Sweeps a suite; the numbers are of all that a sweep does, with its seeding, journal, naming and records.
pub(crate) async fn measured(folder: &Path, service: &Service) -> Result<Json> {
    let suite = Suite::load(folder).map_err(|error| error.to_string())?;
    let plan = plan(&suite, &Filter::new(&[])?);
    let options = Options {
        concurrency: CONCURRENCY,
        ..Options::default()
    };
    let start = Instant::now();
    let swept = sweep(&suite, &plan, service, &options, &Silent).await?;
    let seconds = start.elapsed().as_secs_f64();
    let share = |phase: Duration| phase.as_secs_f64() / seconds;
    let phases = swept.phases;
    Ok(json!({
        "cells": swept.cells,
        "endpoints": swept.records.len(),
        "requests": swept.requests,
        "seconds": seconds,
        "peak_kib": machine::peak_kib()?,
        "shares": {
            "seeding": share(phases.seeding),
            "requests": share(phases.requests),
            "journal": share(phases.journal),
            "record": share(phases.record),
        },
    }))
}
