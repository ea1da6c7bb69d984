//! Several runs at once, and a service that never stops to write.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use authz_pin_database::Which;
use authz_pin_database::sqlite::File;
use authz_pin_database::{Extent, Presence};
use authz_pin_suite::world::Row;
use serde_json::json;

use crate::service::{MODES, Service, nobody};

const SCHEMA: &str = "create table t (id integer primary key autoincrement, a text unique, b);
    create table canary (id text primary key, at real, x) without rowid;
    create table log (a); create trigger logged after update on t begin insert into log values (new.a); end;
    insert into t (a, b) values ('one', 1), ('two', x'00'); insert into canary values ('c', 0.1, 'song')";

/// A whole run; its calls write what has its token.
async fn whole_run(path: std::path::PathBuf, number: usize, settle: Duration) {
    let token = format!("token{number}x");
    // Nine that write at once keep each other waiting for longer than one run does.
    let mut service = Service::patient(&path, 20_000);
    let mut base = File::connect(&path, &Which::default()).await.unwrap();
    assert_eq!(base.install(&token, &nobody).await.unwrap(), []);
    for batch in 0..5 {
        while !base.enter(Presence::Shared).await.unwrap() {}
        base.begin_batch().await.unwrap();
        base.remember(&[format!("hash{number}-{batch}")], None)
            .await
            .unwrap();
        let values = json!({"a": format!("{token}{batch}"), "b": batch});
        let rows = [Row {
            table: "t".to_owned(),
            values: values.as_object().unwrap().clone(),
        }];
        assert_eq!(base.insert(&rows).await.unwrap()["t"], 1);
        service.execute(&format!(
            "insert into t (a) values ('{token}'); update t set b = 'x' where a like '{token}%'"
        ));
        service.execute(&format!(
            "replace into canary values ('{token}', {batch}, null)"
        ));
        tokio::time::sleep(settle).await;
        base.watch_new(&nobody).await.unwrap();
        let changes = base.read().await.unwrap();
        let own = changes
            .iter()
            .filter(|change| change.text().contains(&token));
        let own: Vec<_> = own.map(|change| change.seq).collect();
        assert_eq!(own.len(), 6);
        base.claim(&own).await.unwrap();
        assert_eq!(base.undo(Extent::Batch, &nobody).await.unwrap(), []);
        base.end_batch().await.unwrap();
        base.leave().await.unwrap();
    }
    assert_eq!(base.undo(Extent::Run, &nobody).await.unwrap(), []);
    assert_eq!(base.remove(&nobody).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn eight_runs_at_once_leave_nothing_behind() {
    for mode in MODES {
        let mut service = Service::on_disk(mode, SCHEMA);
        let before = service.dump();
        let runs: Vec<_> = (0..8)
            .map(|number| tokio::spawn(whole_run(service.path.clone(), number, Duration::ZERO)))
            .collect();
        for run in runs {
            run.await.unwrap();
        }
        assert_eq!(service.dump(), before);
        service.check();
        service.check_nothing_is_left();
    }
}

/// Writes all the time, as a service with a busy timeout of one second; gives how often, and the longest wait.
fn writes(path: &std::path::Path, stop: &AtomicBool) -> (usize, Duration) {
    let mut service = Service::open(path);
    let (mut count, mut longest) = (0, Duration::ZERO);
    while !stop.load(Ordering::Relaxed) {
        let start = Instant::now();
        service.execute(
            "begin immediate; update canary set x = coalesce(x, 0) + 1 where id = 'c'; commit",
        );
        service.lines("select a as value from t");
        longest = longest.max(start.elapsed());
        count += 1;
        std::thread::sleep(Duration::from_micros(200));
    }
    (count, longest)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_writes_all_the_time_never_waits_for_a_second() {
    for mode in MODES {
        let mut service = Service::on_disk(mode, SCHEMA);
        let stop = Arc::new(AtomicBool::new(false));
        let (path, until) = (service.path.clone(), Arc::clone(&stop));
        let writer = std::thread::spawn(move || writes(&path, &until));
        for number in 0..10 {
            whole_run(service.path.clone(), number, Duration::from_millis(20)).await;
        }
        stop.store(true, Ordering::Relaxed);
        let (count, longest) = writer.join().unwrap();
        println!("{mode}: {count} writes, the longest took {longest:?}");
        assert!(
            count > 100 && longest < Duration::from_secs(1),
            "{mode}: {count}, {longest:?}"
        );
        assert_eq!(service.number("select count(*) as value from t"), 2);
        service.check();
        service.check_nothing_is_left();
    }
}
