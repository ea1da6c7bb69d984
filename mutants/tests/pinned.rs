//! The test that every mutant has to fail: the LiteLLM suite is on this gateway as it is pinned.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a helper of a test that cannot go on fails the test"
)]

#[path = "../../tests/litellm/support.rs"]
mod support;

use authz_pin::drift::{Comparison, compare};
use authz_pin::snapshot::Snapshot;
use authz_pin::suite::Suite;
use authz_pin::sweep::Options;

use support::{Fixture, suite};

/// One endpoint after the other, so that most mutants fail before the whole suite is swept.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_gateway_is_as_pinned() {
    let suite = suite();
    for endpoint in &suite.endpoints {
        is_as_pinned(&suite, &endpoint.name).await;
    }
}

async fn is_as_pinned(suite: &Suite, endpoint: &str) {
    let swept = Fixture::new()
        .await
        .sweep(suite, endpoint, &Options::default())
        .await;
    let pinned = Snapshot::new(&suite.snapshots(), endpoint).read().unwrap();
    let record = swept.records.values().next().unwrap().to_yaml().unwrap();
    let comparison = compare(pinned.as_deref(), &record);
    assert!(matches!(comparison, Comparison::Same), "{comparison:#?}");
}
