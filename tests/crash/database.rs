//! The database server is killed: the tool cannot undo anything.

use std::time::Instant;

use crate::arena::{Arena, Moments, number};
use crate::place::end;
use crate::server::Server;

#[tokio::test]
async fn a_run_whose_database_was_killed_fails_and_is_undone_by_a_clean() {
    let mut server = Server::start();
    let arena = Arena::on(server.database().await);
    let arena = arena.with_residents().await.with_resident_keys().await;
    let before = arena.content().await;
    let mut moments = Moments::of(arena.duration());
    let (mut failed, mut passed, mut changed) = (0, 0, 0);
    let kills = number("AUTHZ_PIN_DATABASE_CRASHES").unwrap_or(2);
    while failed < kills {
        let moment = moments.draw();
        let which = format!("after {moment:?}, seed {}", moments.seed);
        let run = arena.check();
        tokio::time::sleep(moment).await;
        server.kill();
        let killed = Instant::now();
        let ended = end(run);
        println!("{which}: ended {:?} later", killed.elapsed());
        let is_over = matches!(ended.code, Some(0 | 1));
        failed += u64::from(!is_over);
        passed += u64::from(is_over);
        if is_over {
            moments.too_late();
        }
        assert!(is_over || ended.code == Some(3), "{which}: {ended:#?}");
        assert!(!ended.stderr.contains("a bug in"), "{which}: {ended:#?}");
        server.restart(&arena.database_url).await;
        arena.quiet().await;
        changed += u64::from(arena.content().await != before);
        let ended = arena.clean();
        assert_eq!(ended.code, Some(0), "{which}: {ended:#?}");
        assert_eq!(arena.content().await, before, "{which}");
        assert_eq!(arena.traces().await, 0, "{which}");
    }
    println!("{changed} of {failed} left rows, {passed} ended before");
}
