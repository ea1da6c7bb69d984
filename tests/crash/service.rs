//! The service is killed: the tool and the database are still there.

use crate::arena::{Arena, Moments};
use crate::place::end;

/// How often the service is killed.
const KILLS: usize = 3;

#[tokio::test]
async fn a_run_whose_service_was_killed_fails_and_has_undone_what_it_did() {
    let mut arena = Arena::new().await.with_residents().await;
    let before = arena.content().await;
    let mut moments = Moments::of(arena.duration());
    let mut failed = 0;
    while failed < KILLS {
        // In the middle half, where it is neither asked whether it is ready nor done.
        let moment = moments.draw().div_f64(2.0) + moments.whole().div_f64(4.0);
        let which = format!("after {moment:?}, seed {}", moments.seed);
        let run = arena.check();
        tokio::time::sleep(moment).await;
        arena.served.kill();
        let ended = end(run);
        if ended.code == Some(3) {
            failed += 1;
            assert!(ended.stderr.contains("no answer from "), "{ended:#?}");
        } else {
            // Its last call had been answered.
            moments.too_late();
            assert_eq!(ended.code, Some(0), "{which}: {ended:#?}");
        }
        assert_eq!(arena.content().await, before, "{which}");
        assert_eq!(arena.traces().await, 0, "{which}");
        arena = Arena::on(arena.database_url.clone());
    }
}
