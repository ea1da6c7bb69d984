//! Foreign keys, and what they do to other rows.

use authz_pin_database::Extent;

use crate::service::{MODES, Service, begun, claim_all, nobody, takes_back, undone};

const SCHEMA: &str = "
    create table team (id integer primary key, name text unique);
    create table member (id integer primary key, team integer references team on delete cascade on update cascade, boss integer references member on delete set null);
    create table badge (code text primary key, member integer default 0 references member on delete set default on update cascade) without rowid;
    create table pass (a text, b text, team text references team (name) on update cascade, foreign key (a) references badge deferrable initially deferred);
    create table tree (id integer primary key, up integer references tree on delete cascade);
    insert into team values (1, 'red'), (2, 'blue'), (3, 'lone');
    insert into member values (0, null, null), (1, 1, null), (2, 1, 1), (3, 2, 1), (4, 2, 4);
    insert into badge values ('a', 1), ('b', 2), ('c', 3);
    insert into pass values ('a', 'x', 'red'), ('b', 'y', 'blue'), (null, 'z', null);
    insert into tree values (1, null), (2, 1), (3, 2), (4, 3), (9, 9)";

const WORK: [&str; 12] = [
    "delete from pass; delete from team where id = 1",
    "delete from member where id = 1",
    "update team set id = 20 where id = 2",
    "update team set name = 'pink' where id = 1",
    "delete from tree where id = 1",
    "delete from tree where id = 9",
    "delete from tree",
    "begin; insert into pass values ('later', 'x', 'red'); insert into badge values ('later', 1); commit",
    "begin; delete from badge where code = 'a'; delete from pass where a = 'a'; commit",
    "replace into team values (1, 'crimson')",
    "replace into team values (9, 'lone')",
    "pragma foreign_keys = off; delete from badge where code = 'c'; insert into member values (50, 77, 78); pragma foreign_keys = on",
];

#[tokio::test(flavor = "multi_thread")]
async fn what_foreign_keys_do_is_taken_back_with_what_caused_it() {
    for mode in MODES {
        for sql in WORK {
            println!("{sql}");
            let mut service = Service::new(mode, SCHEMA);
            takes_back(&mut service, |service| {
                let _ = service.attempt(sql);
                let _ = service.attempt("rollback");
            })
            .await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_the_row_of_somebody_else_refers_to_stays_and_is_told() {
    let mut service = Service::new("wal", SCHEMA);
    let mut base = begun(&service, "run1").await;
    service
        .execute("insert into team values (10, 'ours'); insert into team values (11, 'ours too')");
    claim_all(&mut base).await;
    service.execute("insert into member values (60, 10, null)");
    let left = undone(&mut base).await;
    let told: Vec<String> = left.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        ["insert `team` {\"id\":10}: a row of `member` that somebody else made refers to it"]
    );
    assert_eq!(
        service.lines("select name as value from team where id >= 10"),
        ["ours"]
    );
    service.check();
    service.execute("delete from member where id = 60");
    assert_eq!(base.undo(Extent::Run, &nobody).await.unwrap(), []);
    assert_eq!(service.number("select count(*) as value from team"), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_whose_parent_somebody_else_took_away_stays_away_and_is_told() {
    let mut service = Service::new("delete", SCHEMA);
    let mut base = begun(&service, "run1").await;
    service.execute("delete from pass; delete from badge; delete from member where id = 3");
    claim_all(&mut base).await;
    service.execute("delete from member where id > 0; delete from team where id = 2");
    let left = undone(&mut base).await;
    let told: Vec<String> = left.iter().map(ToString::to_string).collect();
    assert!(
        told.contains(&"delete `member` {\"id\":3}: somebody else took away the row of `team` that it refers to".to_owned()),
        "{told:#?}"
    );
    service.check();
}

#[tokio::test(flavor = "multi_thread")]
async fn references_that_nobody_enforces_come_back_as_they_were() {
    let mut service = Service::new("wal", SCHEMA);
    service.execute("pragma foreign_keys = off; insert into member values (70, 700, 701)");
    let before = service.dump();
    let mut base = begun(&service, "run1").await;
    service.execute("insert into team values (700, 'comes'); update member set boss = 1 where id = 70; delete from member where id = 70");
    claim_all(&mut base).await;
    assert_eq!(undone(&mut base).await, []);
    assert_eq!(service.dump(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_service_writes_by_itself_about_a_row_of_the_run_is_claimed() {
    let mut service = Service::new("wal", SCHEMA);
    let before = service.dump();
    let mut base = begun(&service, "run1").await;
    service.execute("insert into team values (10, 'ours')");
    claim_all(&mut base).await;
    service.execute("insert into member values (60, 10, null)");
    base.claim_referring(&["member"]).await.unwrap();
    assert_eq!(undone(&mut base).await, []);
    assert_eq!(service.dump(), before);
}
