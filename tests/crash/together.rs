//! Many runs at once on one database.

use std::time::Instant;

use crate::arena::Arena;
use crate::place::end;

const RUNS: usize = 8;

#[tokio::test]
async fn eight_runs_that_start_at_once_on_a_fresh_database_all_pass_and_leave_nothing() {
    let arena = Arena::new().await.with_residents().await;
    let before = arena.content().await;
    let start = Instant::now();
    let runs: Vec<_> = (0..RUNS).map(|_| arena.check()).collect();
    for run in runs {
        let ended = end(run);
        assert_eq!(ended.code, Some(0), "{ended:#?}");
    }
    println!("{RUNS} runs in {:?}", start.elapsed());
    assert_eq!(arena.content().await, before);
    assert_eq!(arena.traces().await, 0);
}
