//! The tool is killed: nothing of ours runs any more.

use std::time::Duration;

use crate::arena::{Arena, Moments, number};
use crate::place::end;

/// How many runs are killed in each test.
fn crashes() -> u64 {
    number("AUTHZ_PIN_CRASHES").unwrap_or(8)
}

/// Kills a run at this moment and says whether it was under way.
async fn kill(arena: &Arena, moment: Duration) -> bool {
    let mut run = arena.check();
    tokio::time::sleep(moment).await;
    let under_way = run.try_wait().unwrap().is_none();
    run.kill().unwrap();
    run.wait().unwrap();
    arena.quiet().await;
    under_way
}

#[tokio::test]
async fn a_run_that_was_killed_at_any_moment_is_undone_by_a_clean() {
    let arena = Arena::new().await.with_residents().await;
    let arena = arena.with_resident_keys().await;
    let before = arena.content().await;
    let mut moments = Moments::of(arena.duration());
    assert_eq!(arena.content().await, before);
    let (mut killed, mut ended_before, mut journals, mut changed) = (0, 0, 0, 0);
    while killed < crashes() {
        let moment = moments.draw();
        let which = format!("crash {killed} after {moment:?}, seed {}", moments.seed);
        let under_way = kill(&arena, moment).await;
        killed += u64::from(under_way);
        ended_before += u64::from(!under_way);
        if !under_way {
            moments.too_late();
        }
        journals += u64::from(arena.traces().await > 0);
        changed += u64::from(arena.content().await != before);
        let ended = arena.clean();
        assert_eq!(ended.code, Some(0), "{which}: {ended:#?}");
        assert!(!ended.stdout.contains("under way"), "{which}: {ended:#?}");
        assert_eq!(arena.content().await, before, "{which}");
        assert_eq!(arena.traces().await, 0, "{which}");
    }
    println!(
        "{killed} killed under way, {journals} left a journal, {changed} left rows, {ended_before} ended before"
    );
}

#[tokio::test]
async fn a_run_that_was_killed_at_any_moment_is_undone_by_the_next_check_which_passes() {
    let arena = Arena::new().await.with_residents().await;
    let before = arena.content().await;
    let mut moments = Moments::of(arena.duration());
    let crashes = crashes().div_ceil(2);
    let mut changed = 0;
    for crash in 1..=crashes {
        let moment = moments.draw();
        let which = format!("crash {crash} after {moment:?}, seed {}", moments.seed);
        kill(&arena, moment).await;
        changed += u64::from(arena.content().await != before);
        let ended = end(arena.check());
        assert_eq!(ended.code, Some(0), "{which}: {ended:#?}");
        assert_eq!(arena.content().await, before, "{which}");
        assert_eq!(arena.traces().await, 0, "{which}");
    }
    println!("{changed} of {crashes} left rows");
}
