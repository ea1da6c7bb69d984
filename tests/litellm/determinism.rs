//! The same service gives the same bytes, at any concurrency, in any order, beside other runs.

use authz_pin::sweep::{Options, Silent, Sweep, sweep};

use crate::support::{Fixture, planned, suite};

fn text(sweep: &Sweep) -> String {
    sweep
        .records
        .values()
        .map(|record| record.to_yaml().unwrap())
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_are_the_same_bytes_at_any_concurrency_and_in_any_order() {
    let fixture = Fixture::new().await;
    let suite = suite();
    let expected = text(
        &fixture
            .sweep(&suite, "key-[dgr]*", &Options::default())
            .await,
    );
    for (concurrency, seed) in [(1, 1), (4, 2), (16, 3), (64, 4)] {
        let options = Options {
            concurrency,
            shuffle: Some(seed),
            ..Options::default()
        };
        let swept = text(&fixture.sweep(&suite, "key-[dgr]*", &options).await);
        assert_eq!(
            swept, expected,
            "at concurrency {concurrency} in order {seed}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_runs_at_the_same_time_on_one_database_do_not_see_each_other() {
    let fixture = Fixture::new().await;
    let suite = suite();
    let (options, service) = (Options::default(), fixture.service());
    // A list of all keys has those of the other run.
    let alone = text(&fixture.sweep(&suite, "key-[di]*", &options).await);
    let plan = planned(&suite, "key-[di]*");
    let run = || sweep(&suite, &plan, &service, &options, &Silent);
    let (one, other) = tokio::join!(run(), run());
    assert_eq!(text(&one.unwrap()), alone);
    assert_eq!(text(&other.unwrap()), alone);
}
