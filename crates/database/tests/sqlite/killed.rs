//! A run that is killed at any moment is undone by the next one, or by a clean.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use authz_pin_database::Which;
use authz_pin_database::sqlite::File;
use authz_pin_database::{Extent, Presence};
use authz_pin_suite::world::Row;

use crate::service::asked;
use crate::service::{abandon, clean};
use rand::RngExt;
use serde_json::json;

use crate::service::{MODES, Service, begun, nobody};

const FILE: &str = "AUTHZ_PIN_TEST_FILE";

const SCHEMA: &str = "create table t (id integer primary key autoincrement, a text unique, b);
    create table part (t references t on delete cascade, a);
    create table log (a);
    create trigger logged after insert on t begin insert into log values (new.a); end;
    insert into t (a, b) values ('one', 1), ('two', 2), ('three', 3);
    insert into part values (1, 'x'), (2, 'y')";

/// What a run does, over and over, until it is killed.
async fn run(path: &Path) {
    let token = format!("run{}", std::process::id());
    let mut service = Service::open(path);
    let mut base = File::connect(path, &Which::default()).await.unwrap();
    base.install(&token, &nobody).await.unwrap();
    for number in 0.. {
        while !base.enter(Presence::Alone).await.unwrap() {}
        base.begin_batch().await.unwrap();
        let alone = Some((Presence::Alone, Duration::from_mins(1)));
        base.remember(&[format!("hash{number}")], alone)
            .await
            .unwrap();
        let values = json!({"a": format!("{token}-{number}"), "b": number});
        let rows = [Row {
            table: "t".to_owned(),
            values: values.as_object().unwrap().clone(),
        }];
        base.insert(&rows).await.unwrap();
        service.execute(&format!("replace into t (id, a, b) values (1, 'two', '{token}'); update t set b = 'hash{number}'"));
        service.execute("begin; delete from t where a = 'three'; insert into part select id, 'z' from t; commit");
        let changes = base.read().await.unwrap();
        let numbers: Vec<_> = changes.iter().map(|change| change.seq).collect();
        base.claim(&numbers).await.unwrap();
        assert_eq!(base.undo(Extent::Batch, &nobody).await.unwrap(), []);
        base.end_batch().await.unwrap();
        base.leave().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "the process that is killed"]
async fn the_run_that_is_killed() {
    if let Some(path) = std::env::var_os(FILE) {
        run(Path::new(&path)).await;
    }
}

fn kill_one(service: &Service, after: Duration) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "killed::the_run_that_is_killed", "--ignored"])
        .env(FILE, &service.path)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    std::thread::sleep(after);
    assert!(
        child.try_wait().unwrap().is_none(),
        "it has ended by itself"
    );
    child.kill().unwrap();
    child.wait().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_killed_at_any_moment_is_undone() {
    let mut had_journal = 0;
    for mode in MODES {
        let mut service = Service::on_disk(mode, SCHEMA);
        let before = service.dump();
        for number in 0..asked("AUTHZ_PIN_CRASHES", 30) / 2 {
            let after = rand::rng().random_range(20..300);
            kill_one(&service, Duration::from_millis(after));
            had_journal += service.number(
                "select exists (select 1 from sqlite_schema where name = 'authz_pin_run') as value",
            );
            if number % 2 == 0 {
                let (left, stays) = clean(&service.path, &Which::default(), &nobody)
                    .await
                    .unwrap();
                assert_eq!((left, stays), (vec![], None), "{mode} after {after} ms");
            } else {
                let mut base = begun(&service, "next").await;
                assert_eq!(base.remove(&nobody).await.unwrap(), None);
            }
            assert_eq!(service.dump(), before, "{mode} after {after} ms");
            service.check();
            service.check_nothing_is_left();
        }
    }
    assert!(had_journal > 5, "{had_journal}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_given_up_is_undone_as_soon_as_its_connection_is_gone() {
    let mut service = Service::on_disk("wal", SCHEMA);
    let before = service.dump();
    let mut base = begun(&service, "run1").await;
    service.execute("insert into t (a, b) values ('run1', 'x')");
    let path = service.path.clone();
    let ends = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert_eq!(base.read().await.unwrap().len(), 2);
    });
    assert_eq!(
        abandon(&path, &Which::default(), "run1", &nobody)
            .await
            .unwrap(),
        []
    );
    ends.await.unwrap();
    assert_eq!(service.dump(), before);
    service.check_nothing_is_left();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_did_beside_a_dead_run_stays() {
    let mut service = Service::on_disk("wal", SCHEMA);
    let mut one = begun(&service, "run1").await;
    let mut two = begun(&service, "run2").await;
    one.remember(&["hash".to_owned()], None).await.unwrap();
    two.remember(
        &["other".to_owned()],
        Some((Presence::Alone, Duration::from_mins(1))),
    )
    .await
    .unwrap();
    for value in ["of run1", "the hash", "of run2", "an other", "of nobody"] {
        service.execute(&format!("insert into log values ('{value}')"));
        std::thread::sleep(Duration::from_millis(3));
    }
    drop(one);
    let (left, stays) = clean(&service.path, &Which::default(), &nobody)
        .await
        .unwrap();
    assert_eq!((left, stays), (vec![], None));
    assert_eq!(
        service.lines("select a as value from log where a not in ('one', 'two', 'three')"),
        ["of run2", "an other", "of nobody"]
    );
    drop(two);
    let (left, _) = clean(&service.path, &Which::default(), &nobody)
        .await
        .unwrap();
    assert_eq!(left, []);
    assert_eq!(
        service.number("select count(*) as value from log where a like 'of%'"),
        0
    );
    service.check_nothing_is_left();
}
