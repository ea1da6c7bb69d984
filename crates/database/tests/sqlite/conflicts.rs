//! Rows that are replaced without a word.

use crate::service::{Service, begun, claim_all, takes_back, undone};

async fn kinds_of(service: &mut Service, sql: &str) -> Vec<String> {
    let changes = takes_back(service, |service| {
        let _ = service.attempt(sql);
    })
    .await;
    changes
        .iter()
        .map(|change| {
            format!(
                "{} {}",
                change.operation.as_str(),
                if change.old.is_null() {
                    &change.new["a"]
                } else {
                    &change.old["a"]
                }
            )
        })
        .collect()
}

const TABLE: &str = "create table t (id integer primary key, a text unique, b); insert into t values (1, 'one', 1), (2, 'two', 2)";

#[tokio::test(flavor = "multi_thread")]
async fn a_row_is_logged_as_deleted_once_whether_or_not_delete_triggers_fire() {
    for setting in ["off", "on"] {
        let mut service = Service::new("wal", TABLE);
        service.execute(&format!("pragma recursive_triggers = {setting}"));
        let kinds = kinds_of(&mut service, "replace into t values (1, 'two', 3)").await;
        assert_eq!(
            kinds,
            ["delete \"one\"", "delete \"two\"", "insert \"two\""],
            "{setting}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_only_ignored_is_no_change() {
    let mut service = Service::new("wal", TABLE);
    let sql = "insert or ignore into t values (1, 'x', 1), (3, 'two', 1); insert into t values (1, 'y', 1) on conflict do nothing";
    assert_eq!(kinds_of(&mut service, sql).await, [""; 0]);
    let sql = "insert or ignore into t values (1, 'x', 1); insert into t values (4, 'four', 1)";
    assert_eq!(kinds_of(&mut service, sql).await, ["insert \"four\""]);
    let sql = "insert into t values (1, 'one', 9) on conflict (id) do update set b = excluded.b";
    assert_eq!(kinds_of(&mut service, sql).await, ["update \"one\""]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_default_that_takes_the_place_of_a_null_can_replace_a_row() {
    let schema = "create table t (id integer primary key, a text not null default 'd' unique); insert into t values (1, 'd')";
    let mut service = Service::new("wal", schema);
    let kinds = kinds_of(&mut service, "replace into t values (2, null)").await;
    assert_eq!(kinds, ["delete \"d\"", "insert \"d\""]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_services_own_triggers_replace_comes_back() {
    let schema = "create table t (id integer primary key, a text unique); insert into t values (1, 'one'), (2, 'two');
        create table latest (name text primary key, id integer unique) without rowid; insert into latest values ('x', 1), ('y', 2);
        create trigger keep after insert on t begin insert or replace into latest values (new.a, 1); end;
        create trigger keep_before before insert on t begin update or replace latest set id = 2 where id = 1; end";
    for sql in [
        "insert into t values (3, 'y')",
        "insert into t values (3, 'z')",
        "insert or ignore into t values (1, 'q')",
        "replace into t values (1, 'two')",
    ] {
        let mut service = Service::new("delete", schema);
        takes_back(&mut service, |service| service.execute(sql)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_ignored_rows_of_one_statement_are_no_burden() {
    let mut service = Service::new(
        "wal",
        "create table t (id integer primary key, a text unique)",
    );
    service.execute("with recursive n (i) as (select 1 union all select i + 1 from n where i < 3000) insert into t select i * 2, i * 2 from n");
    let before = service.dump();
    let mut base = begun(&service, "run1").await;
    let start = std::time::Instant::now();
    service.execute("with recursive n (i) as (select 1 union all select i + 1 from n where i < 6000) insert or ignore into t select i, i from n");
    assert!(start.elapsed().as_secs() < 30, "{:?}", start.elapsed());
    println!("{:?}", start.elapsed());
    assert_eq!(claim_all(&mut base).await.len(), 3000);
    assert_eq!(undone(&mut base).await, []);
    assert_eq!(service.dump(), before);
}
