//! What somebody else changed is left alone, and said.

use std::time::Duration;

use authz_pin::database::Serial;
use authz_pin::database::postgres::Database;
use authz_pin::database::postgres::journal::Journal;
use authz_pin::database::{Extent, Leftover, Presence};
use serde_json::json;

use crate::service::{RUN, Service, cleaned, silent};

const TENANTS: &str = "
    create table tenant (id int primary key, name text);
    create table team (id int primary key, tenant int references tenant on delete cascade);
    create table seat (id int primary key, tenant int references tenant on delete set null);
    insert into tenant values (1, 'one'), (2, 'two');";

const CHANGED: &str = "the row is not as the run left it";

/// Claims everything so far as the run's.
pub(crate) async fn claim(journal: &Journal, database: &mut Database) {
    let changes = unexplained(journal, database).await;
    journal.claim(database, &changes).await.unwrap();
}

/// The numbers of the changes that nobody has explained yet.
pub(crate) async fn unexplained(journal: &Journal, database: &mut Database) -> Vec<Serial> {
    let changes = journal.read(database).await.unwrap();
    changes.iter().map(|change| change.seq).collect()
}

/// Runs the run's calls, then somebody else's, then undoes the run's.
async fn after_undo(calls: &str, others: &str) -> (Vec<Leftover>, Service) {
    let mut service = Service::with(TENANTS).await;
    let (journal, mut database) = service.watched().await;
    service.call(calls).await;
    claim(&journal, &mut database).await;
    service.call(others).await;
    let leftovers = journal
        .undo(&mut database, Extent::Run, &silent)
        .await
        .unwrap();
    journal.remove(&mut database, &silent).await.unwrap();
    (leftovers, service)
}

fn leftover(table: &str, op: &str, id: i32, reason: &str) -> Leftover {
    Leftover {
        tbl: table.to_owned(),
        op: op.to_owned(),
        key: Some(json!({"id": id})),
        reason: Some(reason.to_owned()),
    }
}

#[tokio::test]
async fn a_row_that_somebody_else_changed_since_is_left_alone_and_named() {
    let (leftovers, mut service) = after_undo(
        "update tenant set name = 'ours' where id = 1; update tenant set name = 'ours' where id = 2",
        "update tenant set name = 'theirs' where id = 1",
    )
    .await;
    assert_eq!(leftovers, [leftover("tenant", "update", 1, CHANGED)]);
    let names = service
        .lines("select name as line from tenant order by id")
        .await;
    assert_eq!(names, ["theirs", "two"]);
}

#[tokio::test]
async fn what_was_left_alone_is_undone_once_what_came_between_is_known_as_the_runs() {
    let mut service = Service::with(TENANTS).await;
    let before = service.content().await;
    let (journal, mut database) = service.watched().await;
    service.call("insert into tenant values (3, 'ours')").await;
    claim(&journal, &mut database).await;
    service
        .call("update tenant set name = 'late' where id = 3")
        .await;
    let left = journal
        .undo(&mut database, Extent::Run, &silent)
        .await
        .unwrap();
    assert_eq!(left, [leftover("tenant", "insert", 3, CHANGED)]);
    claim(&journal, &mut database).await;
    let left = journal
        .undo(&mut database, Extent::Run, &silent)
        .await
        .unwrap();
    assert_eq!(left, []);
    journal.remove(&mut database, &silent).await.unwrap();
    assert_eq!(service.content().await, before);
}

#[tokio::test]
async fn a_row_that_somebody_else_hangs_on_ours_keeps_ours() {
    for table in ["team", "seat"] {
        let (leftovers, mut service) = after_undo(
            "insert into tenant values (3, 'ours'), (4, 'ours')",
            &format!("insert into {table} values (30, 3)"),
        )
        .await;
        let reason = format!("a row of `{table}` refers to it, and is not as the run left it");
        assert_eq!(leftovers, [leftover("tenant", "insert", 3, &reason)]);
        let theirs = service
            .lines(&format!("select tenant::text as line from {table}"))
            .await;
        assert_eq!(theirs, ["3"]);
    }
}

#[tokio::test]
async fn a_key_that_somebody_else_took_meanwhile_stays_theirs() {
    let (leftovers, mut service) = after_undo(
        "delete from tenant where id = 1",
        "insert into tenant values (1, 'theirs')",
    )
    .await;
    let reason = "23505: duplicate key value violates unique constraint \"tenant_pkey\"";
    assert_eq!(leftovers, [leftover("tenant", "delete", 1, reason)]);
    assert_eq!(
        service
            .lines("select name as line from tenant where id = 1")
            .await,
        ["theirs"]
    );
}

#[tokio::test]
async fn what_somebody_else_has_put_back_already_is_no_leftover() {
    let (leftovers, _) = after_undo(
        "delete from tenant where id = 1; update tenant set name = 'ours' where id = 2; insert into tenant values (3)",
        "insert into tenant values (1, 'one'); update tenant set name = 'two' where id = 2; delete from tenant where id = 3",
    )
    .await;
    assert_eq!(leftovers, []);
}

#[tokio::test]
async fn undo_waits_for_a_transaction_that_is_in_its_way() {
    let mut service = Service::with(TENANTS).await;
    let before = service.content().await;
    let (journal, mut database) = service.watched().await;
    service.call("update tenant set name = 'ours'").await;
    claim(&journal, &mut database).await;
    service
        .call("begin; update tenant set name = 'theirs' where id = 1")
        .await;
    let (leftovers, ()) = tokio::join!(journal.undo(&mut database, Extent::Run, &silent), async {
        tokio::time::sleep(Duration::from_millis(900)).await;
        service.call("rollback").await;
    });
    assert_eq!(leftovers.unwrap(), []);
    journal.remove(&mut database, &silent).await.unwrap();
    assert_eq!(service.content().await, before);
}

/// A run that dies in the middle: its connection ends, its journal stays.
async fn died_after(calls: &[&str], remembered: &[String], alone: Option<Duration>) -> Service {
    let mut service = Service::with(TENANTS).await;
    let (journal, mut database) = service.watched().await;
    journal
        .remember(
            &mut database,
            remembered,
            alone.map(|time| (Presence::Alone, time)),
        )
        .await
        .unwrap();
    // Statements of one message are one transaction.
    for call in calls {
        service.call(call).await;
    }
    drop((journal, database));
    // The server notices a moment later that nobody is there.
    let alive = "select count(*)::text as line from pg_locks where locktype = 'advisory'";
    while service.lines(alive).await != ["0"] {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    service
}

#[tokio::test]
async fn what_a_dead_run_caused_is_undone_and_what_others_did_stays() {
    let marked = format!("insert into tenant values (10, 'made by {RUN}')");
    let calls = [
        &marked,
        "begin; insert into tenant values (11, 'remembered'); insert into team values (1, null); commit",
        "insert into tenant values (12, 'theirs')",
        "update tenant set name = 'theirs' where id = 2",
    ];
    let mut service = died_after(&calls, &["remembered".to_owned()], None).await;
    assert_eq!(cleaned(&service).await, []);
    let names = "select name as line from tenant order by id";
    assert_eq!(service.lines(names).await, ["one", "theirs", "theirs"]);
    assert_eq!(
        service.lines("select id::text as line from team").await,
        Vec::<String>::new()
    );
    let journal = "select nspname::text as line from pg_namespace where nspname = 'authz_pin'";
    assert_eq!(service.lines(journal).await, Vec::<String>::new());
}

#[tokio::test]
async fn what_changed_while_a_dead_run_swept_a_cell_alone_was_that_cells() {
    let calls = [
        "update tenant set name = 'by a call'",
        "select pg_sleep(0.3)",
        "insert into tenant values (3, 'later')",
    ];
    let mut service = died_after(&calls, &[], Some(Duration::from_millis(200))).await;
    assert_eq!(cleaned(&service).await, []);
    let names = service
        .lines("select name as line from tenant order by id")
        .await;
    assert_eq!(names, ["one", "two", "later"]);
}

#[tokio::test]
async fn a_run_that_is_alive_is_never_undone_by_another() {
    let mut service = Service::with(TENANTS).await;
    let (journal, mut database) = service.watched().await;
    service
        .call(&format!("insert into tenant values (10, '{RUN}')"))
        .await;
    assert_eq!(cleaned(&service).await, []);
    assert_eq!(
        service
            .lines("select name as line from tenant where id = 10")
            .await,
        [RUN]
    );
    claim(&journal, &mut database).await;
    assert_eq!(
        journal
            .undo(&mut database, Extent::Run, &silent)
            .await
            .unwrap(),
        []
    );
    journal.remove(&mut database, &silent).await.unwrap();
    assert_eq!(
        service
            .lines("select count(*)::text as line from tenant")
            .await,
        ["2"]
    );
}

#[tokio::test]
async fn a_journal_of_another_version_is_not_touched() {
    let mut service =
        Service::with("create schema authz_pin; comment on schema authz_pin is 'another'").await;
    let mut database = service.database().await;
    let refused = Journal::install(&mut database, RUN, &silent)
        .await
        .err()
        .unwrap();
    assert!(refused.to_string().contains("another version"), "{refused}");
    let comment = "select obj_description('authz_pin'::regnamespace) as line";
    assert_eq!(service.lines(comment).await, ["another"]);
}

#[tokio::test]
async fn a_journal_that_says_nothing_of_its_version_is_another() {
    let service = Service::with("create schema authz_pin").await;
    let mut database = service.database().await;
    let refused = Journal::install(&mut database, RUN, &silent)
        .await
        .err()
        .unwrap();
    assert!(refused.to_string().contains("another version"), "{refused}");
}
