//! Each row of a partition is logged once, whatever becomes of the table that it is in.

use authz_pin::database::Extent;

use crate::others::claim;
use crate::service::{RUN, Service, silent};

const EVENTS: &str = "
    create table event (id text, day int) partition by list (day);
    create table event_0 partition of event for values in (0);
    create table loose (id text, day int);
    create table sub (id text, day int) partition by list (day);
    create table sub_2 partition of sub for values in (2);
    insert into loose values ('old', 1), ('same', 1), ('same', 1);";

const LOGGED: &str =
    "select format('%s %s %s', op, tbl, relation) as line from authz_pin.change order by seq";

/// What a service does to its tables, and what is logged of it; everything is undone afterwards.
async fn logged(before: &[&str], calls: &[&str]) -> Vec<String> {
    let mut service = Service::with(EVENTS).await;
    let (journal, mut database) = service.watched().await;
    for call in before {
        service.call(call).await;
    }
    let content = service.content().await;
    for call in calls {
        service.call(call).await;
    }
    let logged = service.lines(LOGGED).await;
    journal.watch_new(&mut database, &silent).await.unwrap();
    claim(&journal, &mut database).await;
    let left = journal
        .undo(&mut database, Extent::Run, &silent)
        .await
        .unwrap();
    assert_eq!(left, []);
    assert_eq!(service.content().await, content);
    journal.remove(&mut database, &silent).await.unwrap();
    let triggers = "select tgname::text as line from pg_trigger where tgname like 'authz%'";
    assert_eq!(service.lines(triggers).await, Vec::<String>::new());
    logged
}

const ATTACH: &str = "alter table event attach partition loose for values in (1)";
const ATTACH_SUB: &str = "alter table event attach partition sub for values in (2, 3)";

#[tokio::test]
async fn rows_of_an_attached_table_are_logged_once_by_the_name_of_the_table_above() {
    let calls = [
        "insert into event values ('a', 1), ('b', 0)",
        "insert into loose values ('c', 1)",
        "update event set id = id || 'x' where id in ('old', 'a')",
        "delete from loose where id = 'same'",
    ];
    let lines = [
        "insert event loose",
        "insert event event_0",
        "insert event loose",
        "update event loose",
        "update event loose",
        "delete event loose",
        "delete event loose",
    ];
    assert_eq!(logged(&[ATTACH], &calls).await, lines);
}

#[tokio::test]
async fn rows_that_a_run_inserts_into_an_attached_table_are_logged_once() {
    let seed = format!(
        "set authz_pin.run = '{RUN}'; insert into event values ('a', 1), ('b', 1); insert into loose values ('c', 1), ('d', 1)"
    );
    assert_eq!(logged(&[ATTACH], &[&seed]).await, ["insert event loose"; 4]);
}

#[tokio::test]
async fn rows_of_a_transaction_that_began_before_a_table_was_attached_are_logged_once() {
    let mut service = Service::with(EVENTS).await;
    let mut other = service.again().await;
    other
        .call("begin isolation level repeatable read; select count(*) from pg_trigger")
        .await;
    let (journal, mut database) = service.watched().await;
    service.call(ATTACH).await;
    journal.watch_new(&mut database, &silent).await.unwrap();
    other
        .call("insert into event values ('a', 1); delete from event where id = 'old'; commit")
        .await;
    assert_eq!(
        service.lines(LOGGED).await,
        ["insert event loose", "delete event loose"]
    );
}

#[tokio::test]
async fn rows_of_a_detached_partition_are_logged() {
    let detach = "alter table event detach partition loose";
    let calls = [
        "insert into loose values ('a', 1)",
        "delete from loose where id = 'old'",
    ];
    let logged = logged(&[ATTACH, detach], &calls).await;
    assert_eq!(logged, ["insert loose loose", "delete loose loose"]);
}

#[tokio::test]
async fn rows_of_a_partitioned_table_that_is_attached_are_logged_once() {
    let calls = [
        "create table sub_3 partition of sub for values in (3)",
        "insert into event values ('a', 2), ('b', 3)",
        "update event set day = 0 where id = 'b'",
        "delete from sub",
    ];
    let lines = [
        "insert event sub_2",
        "insert event sub_3",
        "delete event sub_3",
        "insert event event_0",
        "delete event sub_2",
    ];
    assert_eq!(logged(&[ATTACH_SUB], &calls).await, lines);
}

#[tokio::test]
async fn rows_that_are_there_before_a_new_table_is_attached_are_logged_when_it_is_found() {
    let mut service = Service::with(EVENTS).await;
    let (journal, mut database) = service.watched().await;
    service
        .call("create table late (id text, day int); insert into late values ('a', 5), ('a', 5)")
        .await;
    service
        .call("alter table event attach partition late for values in (5); insert into event values ('a', 5), ('b', 5)")
        .await;
    let new = journal.watch_new(&mut database, &silent).await.unwrap();
    assert_eq!(new, Some(Vec::new()), "it is known already");
    assert_eq!(service.lines(LOGGED).await, ["insert event late"; 4]);
    claim(&journal, &mut database).await;
    let left = journal
        .undo(&mut database, Extent::Run, &silent)
        .await
        .unwrap();
    assert_eq!(left, []);
    let rows = "select id as line from late";
    assert_eq!(service.lines(rows).await, Vec::<String>::new());
}
