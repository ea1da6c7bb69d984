//! Many runs at once on one database.

use std::time::{Duration, Instant};

use crate::arena::Arena;
use crate::place::{end, end_within};

const RUNS: usize = 8;

/// Each waits for all others where an answer has pages.
const PATIENCE: Duration = Duration::from_mins(10);

#[tokio::test]
async fn eight_runs_that_start_at_once_on_a_fresh_database_all_pass_and_leave_nothing() {
    let arena = Arena::new().await.with_residents().await;
    let before = arena.content().await;
    let start = Instant::now();
    let runs: Vec<_> = (0..RUNS).map(|_| arena.check()).collect();
    for run in runs {
        let ended = end_within(PATIENCE, run);
        assert_eq!(ended.code, Some(0), "{ended:#?}");
    }
    println!("{RUNS} runs in {:?}", start.elapsed());
    assert_eq!(arena.content().await, before);
    assert_eq!(arena.traces().await, 0);
}

#[tokio::test]
async fn a_clean_beside_a_run_leaves_it_alone_and_says_that_it_is_under_way() {
    let arena = Arena::new().await.with_residents().await;
    let before = arena.content().await;
    let mut run = arena.check();
    let mut cleans = 0;
    while run.try_wait().unwrap().is_none() {
        let is_there = arena.traces().await > 0;
        let ended = arena.clean();
        assert_eq!(ended.code, Some(0), "{ended:#?}");
        cleans += usize::from(is_there && ended.stdout.contains("under way"));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(cleans > 0, "the run was over before any clean");
    let ended = end(run);
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    assert_eq!(arena.content().await, before);
    assert_eq!(arena.traces().await, 0);
}
