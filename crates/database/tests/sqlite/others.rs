//! Rows of others stay as they are, and what is in the way is told.

use std::time::{Duration, Instant};

use authz_pin_database::{Extent, Presence};
use authz_pin_suite::world::Row;
use serde_json::json;

use crate::service::{MODES, Service, begun, claim_all, nobody, undone};

fn row(table: &str, values: &serde_json::Value) -> Row {
    Row {
        table: table.to_owned(),
        values: values.as_object().unwrap().clone(),
    }
}

const TABLE: &str = "create table t (id integer primary key, a text unique, b); insert into t values (1, 'one', 1), (2, 'two', 2), (3, 'three', 3)";

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_somebody_changed_since_is_a_leftover_and_not_overwritten() {
    for mode in MODES {
        let mut service = Service::new(mode, TABLE);
        let mut base = begun(&service, "run1").await;
        service.execute("insert into t values (10, 'ten', 0); update t set b = 'run' where id = 1; delete from t where id = 2; delete from t where id = 3");
        claim_all(&mut base).await;
        service.execute("update t set b = 'theirs' where id in (1, 10); insert into t values (3, 'other', 0), (4, 'two', 0)");
        let theirs = service.dump();
        let left = undone(&mut base).await;
        let told: Vec<String> = left.iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "insert `t` {\"id\":10}: the row is not as the run left it",
                "update `t` {\"id\":1}: the row is not as the run left it",
                "delete `t` {\"id\":2}: UNIQUE constraint failed: t.a",
                "delete `t` {\"id\":3}: UNIQUE constraint failed: t.id",
            ]
        );
        assert_eq!(service.dump(), theirs);
        assert_eq!(undone(&mut base).await.len(), 4);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_service_deleted_meanwhile_does_not_come_back() {
    let mut service = Service::new("wal", TABLE);
    let before = service.dump();
    let mut base = begun(&service, "run1").await;
    service.execute("insert into t values (10, 'ten', 0)");
    claim_all(&mut base).await;
    service.execute("update t set b = 'more' where id = 10; delete from t where id = 10");
    assert_eq!(undone(&mut base).await, []);
    assert_eq!(base.read().await.unwrap().len(), 0);
    assert_eq!(service.dump(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_was_claimed_is_undone_and_a_batch_before_the_run() {
    let mut service = Service::new("delete", TABLE);
    let before = service.dump();
    let catalog = {
        let mut base = begun(&service, "run0").await;
        let catalog = base.catalog().await.unwrap();
        base.remove(&nobody).await.unwrap();
        catalog
    };
    let mut base = begun(&service, "run1").await;
    let world = [row("t", &json!({"id": 50, "a": "world", "b": {"x": [1]}}))];
    assert_eq!(base.insert(&world).await.unwrap()["t"], 1);
    base.begin_batch().await.unwrap();
    let rows = [
        row("t", &json!({"id": 60, "a": "batch", "b": true})),
        row("t", &json!({"id": 61, "a": "run1", "b": 0.1})),
    ];
    assert_eq!(base.insert(&rows).await.unwrap()["t"], 2);
    assert_eq!(base.inserted().await.unwrap()["t"], 2);
    assert_eq!(base.read().await.unwrap().len(), 0);
    service.execute("update t set b = 'theirs' where id = 2; update t set b = 'ours' where id = 61; update t set b = 'ours' where id = 60");
    let changes = base.read().await.unwrap();
    base.claim(&[changes[1].seq, changes[2].seq]).await.unwrap();
    assert_eq!(base.undo(Extent::Batch, &nobody).await.unwrap(), []);
    base.end_batch().await.unwrap();
    assert_eq!(
        service.lines("select id || quote(b) as value from t"),
        ["11", "2'theirs'", "33", "50'{\"x\":[1]}'"]
    );
    let last = base.last().await.unwrap();
    assert!(last >= 6);
    service.execute("update t set b = 2 where id = 2");
    assert!(base.last().await.unwrap() > last);
    base.delete(&world, &catalog).await.unwrap();
    assert_eq!(undone(&mut base).await, []);
    assert_eq!(base.remove(&nobody).await.unwrap(), None);
    assert_eq!(service.dump(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn counters_go_back_no_further_than_others_have_used_them() {
    let table =
        "create table t (id integer primary key autoincrement, a); insert into t (a) values (1)";
    let mut service = Service::new("wal", table);
    let mut base = begun(&service, "run1").await;
    service.execute("insert into t (a) values ('ours')");
    claim_all(&mut base).await;
    service.execute("insert into t (a) values ('theirs')");
    let theirs = base.read().await.unwrap();
    service.execute("insert into t (a) values ('ours')");
    let ours = base.read().await.unwrap();
    base.set_aside(theirs.iter().map(|change| change.seq));
    base.claim(&[ours[1].seq]).await.unwrap();
    assert_eq!(base.read().await.unwrap().len(), 0);
    assert_eq!(undone(&mut base).await, []);
    assert_eq!(
        service.number("select seq as value from sqlite_sequence"),
        3
    );
    service.execute("insert into t (a) values ('next')");
    assert_eq!(
        service.lines("select id || a as value from t"),
        ["11", "3theirs", "4next"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn who_writes_is_seen_and_the_clock_says_what_came_later() {
    for mode in MODES {
        let mut service = Service::new(mode, TABLE);
        let mut base = begun(&service, "run1").await;
        assert!(!base.is_writing().await.unwrap());
        service.execute("begin immediate; update t set b = 7");
        assert!(base.is_writing().await.unwrap());
        service.execute("commit");
        assert!(!base.is_writing().await.unwrap());
        let now = base.now().await.unwrap();
        let system = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap();
        assert!(i64::try_from(system.as_micros()).unwrap().abs_diff(now) < 5_000_000);
        assert!(!base.has_since(now).await.unwrap());
        std::thread::sleep(Duration::from_millis(3));
        service.execute("update t set b = 8");
        assert!(base.has_since(now).await.unwrap());
        let change = base.read().await.unwrap().remove(0);
        assert!(
            change.clock.began <= change.clock.at && change.clock.at <= base.now().await.unwrap()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_take_turns_and_one_that_waits_is_noticed() {
    let service = Service::new("wal", TABLE);
    let mut one = begun(&service, "run1").await;
    let mut two = begun(&service, "run2").await;
    assert!(
        one.enter(Presence::Shared).await.unwrap() && two.enter(Presence::Shared).await.unwrap()
    );
    assert!(!one.is_wanted().await.unwrap());
    two.leave().await.unwrap();
    let start = Instant::now();
    assert!(!two.enter(Presence::Alone).await.unwrap());
    assert!(start.elapsed() < Duration::from_secs(3));
    let waiting = tokio::spawn(async move {
        while !two.enter(Presence::Alone).await.unwrap() {}
        two
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(one.is_wanted().await.unwrap());
    assert!(
        one.who_is_in()
            .await
            .unwrap()
            .starts_with("run run2 of process ")
    );
    one.leave().await.unwrap();
    let mut two = waiting.await.unwrap();
    assert!(!one.is_wanted().await.unwrap());
    assert_eq!(one.others().await.unwrap(), ["run2"]);
    assert_eq!(one.runs().await.unwrap(), 2);
    two.remember(&["hash".to_owned(), "of run2".to_owned()], None)
        .await
        .unwrap();
    assert_eq!(one.others().await.unwrap(), ["run2", "hash"]);
    two.remove(&nobody).await.unwrap();
    assert_eq!(
        (one.others().await.unwrap().len(), one.runs().await.unwrap()),
        (0, 2)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_kept_locked_is_waited_for_and_what_stays_is_told() {
    let mut service = Service::new("wal", TABLE);
    let mut base = begun(&service, "run1").await;
    service.execute("insert into t values (10, 'ten', 0)");
    claim_all(&mut base).await;
    service.execute("begin immediate");
    let mut other = Service::open(&service.path);
    let told = std::sync::Mutex::new(Vec::new());
    let tell = |text: &str| told.lock().unwrap().push(text.to_owned());
    let release = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(1800));
        service.execute("commit");
        service
    });
    assert_eq!(base.undo(Extent::Run, &tell).await.unwrap(), []);
    assert_eq!(
        *told.lock().unwrap(),
        ["waiting to undo the run's changes: somebody keeps the file locked"]
    );
    let _service = release.join().unwrap();
    assert_eq!(other.number("select count(*) as value from t"), 3);
    assert_eq!(base.remove(&nobody).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_of_another_type_is_another_value() {
    let mut service = Service::new("wal", TABLE);
    let mut base = begun(&service, "run1").await;
    service.execute("update t set b = 1 where id = 2");
    claim_all(&mut base).await;
    service.execute("update t set b = 1.0 where id = 2");
    assert_eq!(undone(&mut base).await.len(), 1);
    assert_eq!(
        service.lines("select typeof(b) as value from t where id = 2"),
        ["real"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_comes_back_replaces_none_though_its_table_says_so() {
    let schema = "create table t (id integer primary key, a text unique on conflict replace);
        insert into t values (1, 'one'), (2, 'two')";
    let mut service = Service::new("wal", schema);
    let mut base = begun(&service, "run1").await;
    service.execute("delete from t where id = 2; update t set a = 'uno' where id = 1");
    claim_all(&mut base).await;
    service.execute("insert into t values (3, 'two'), (4, 'one')");
    let left = undone(&mut base).await;
    let told: Vec<String> = left.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "delete `t` {\"id\":2}: UNIQUE constraint failed: t.a",
            "update `t` {\"id\":1}: UNIQUE constraint failed: t.a",
        ]
    );
    assert_eq!(
        service.lines("select id || a as value from t"),
        ["1uno", "3two", "4one"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_without_a_key_comes_back_under_another_number_where_its_own_is_taken() {
    let mut service = Service::new("wal", "create table t (a); insert into t values ('one')");
    let mut base = begun(&service, "run1").await;
    service.execute("update t set a = 'changed'; delete from t");
    claim_all(&mut base).await;
    service.execute("insert into t values ('theirs')");
    assert_eq!(undone(&mut base).await, []);
    assert_eq!(
        service.lines("select rowid || a as value from t"),
        ["1theirs", "2one"]
    );
}
