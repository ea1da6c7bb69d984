//! What a run takes does not depend on how much the service has stored.

use std::time::{Duration, Instant};

use authz_pin_database::Extent;

use crate::service::{Service, begun, claim_all, nobody};

const SCHEMA: &str = "create table t (id integer primary key, a text unique, b, n integer);
    create index n on t (n); create unique index lowered on t (lower(a)) where b is not null;
    create table part (t integer references t, x); create index part_t on part (t)";

/// How long a run with one batch of eleven changes takes.
async fn run(service: &mut Service) -> Duration {
    let start = Instant::now();
    let mut base = begun(service, "run1").await;
    service.execute(
        "insert into t values (-1, 'x', 1, 1), (-2, 'y', 2, 2); replace into t values (-1, 'y', 1, 1);
         update t set b = 7, n = 8 where id = -1; insert into part values (-1, 'p'), (-1, 'q');
         update t set a = 'z' where a = 'y'; delete from part where t = -1",
    );
    assert_eq!(claim_all(&mut base).await.len(), 11);
    assert_eq!(base.undo(Extent::Run, &nobody).await.unwrap(), []);
    assert_eq!(base.remove(&nobody).await.unwrap(), None);
    start.elapsed()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_million_rows_take_no_longer_than_none() {
    let mut empty = Service::on_disk("wal", SCHEMA);
    let mut full = Service::on_disk("wal", SCHEMA);
    full.execute(
        "begin; with recursive n (i) as (select 1 union all select i + 1 from n where i < 1000000)
         insert into t select i, 'a' || i, i, i % 1000 from n; insert into part select id, 'x' from t; commit; analyze;
         pragma wal_checkpoint (truncate)",
    );
    let (mut none, mut million) = (Duration::MAX, Duration::MAX);
    for _ in 0..20 {
        none = none.min(run(&mut empty).await);
        million = million.min(run(&mut full).await);
    }
    println!("{none:?} of none, {million:?} of a million");
    assert!(
        million < none.mul_f64(1.5) + Duration::from_millis(10),
        "{none:?}, {million:?}"
    );
}
