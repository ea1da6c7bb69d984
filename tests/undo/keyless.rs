//! Rows of a table without a primary key, of which nothing tells equal ones apart.

use std::time::{Duration, Instant};

use authz_pin::database::{Extent, Leftover};

use crate::others::claim;
use crate::service::{Service, silent};

const EVENTS: &str = "
    create table event (kind text, amount int);
    insert into event select 'old', i % 5 from generate_series(1, 100) i;";

const ROWS: &str = "select format('%s %s %s', kind, amount, count(*)) as line from event group by kind, amount order by 1";

/// What is left after undo of these calls, after which somebody else did something; how long that took, and the rows of before
/// and after.
async fn undone(calls: &[&str], others: &str) -> (Vec<Leftover>, Duration, [Vec<String>; 2]) {
    let mut service = Service::with(EVENTS).await;
    let before = service.lines(ROWS).await;
    let (journal, mut database) = service.watched().await;
    for call in calls {
        service.call(call).await;
    }
    claim(&journal, &mut database).await;
    service.call(others).await;
    let start = Instant::now();
    let left = journal
        .undo(&mut database, Extent::Run, &silent)
        .await
        .unwrap();
    let took = start.elapsed();
    journal.remove(&mut database, &silent).await.unwrap();
    (left, took, [before, service.lines(ROWS).await])
}

fn many(count: usize) -> String {
    format!("insert into event select 'new', i % 50 from generate_series(1, {count}) i")
}

const CHANGES: [&str; 2] = [
    "update event set amount = amount + 100 where kind = 'new'",
    "delete from event where kind = 'old' and amount < 3",
];

#[tokio::test]
async fn thousands_of_rows_are_undone_in_no_more_than_their_share_of_the_time() {
    let mut took = Vec::new();
    for count in [1_000, 8_000] {
        let (left, time, [before, after]) =
            undone(&[&many(count), CHANGES[0], CHANGES[1]], "").await;
        assert_eq!(left, []);
        assert_eq!(after, before);
        took.push(time);
    }
    // Eight times as many took 64 times as long when each row was looked for by itself.
    assert!(took[1] < took[0] * 24, "{took:?}");
}

#[tokio::test]
async fn of_equal_rows_as_many_go_and_come_as_went_and_came() {
    let calls = [
        "insert into event values ('old', 1), ('old', 1), ('old', 1)",
        "delete from event where ctid in (select ctid from event where amount = 2 limit 7)",
        "update event set amount = 1 where ctid in (select ctid from event where amount = 4 limit 2)",
        "update event set amount = 9 where ctid in (select ctid from event where amount = 1 limit 4)",
    ];
    let (left, _, [before, after]) = undone(&calls, "").await;
    assert_eq!(left, []);
    assert_eq!(after, before);
}

#[tokio::test]
async fn rows_that_somebody_else_took_or_changed_are_named_one_by_one_and_the_others_undone() {
    let theirs = "update event set kind = 'theirs' where ctid in (select ctid from event where kind = 'new' limit 3)";
    let (left, _, [before, after]) = undone(&[&many(300)], theirs).await;
    assert_eq!(left.len(), 3, "{left:#?}");
    let gone: Vec<_> = before.iter().filter(|row| !after.contains(row)).collect();
    assert_eq!(gone, Vec::<&String>::new());
    let new: Vec<_> = after.iter().filter(|row| !before.contains(row)).collect();
    assert!(new.iter().all(|row| row.starts_with("theirs ")), "{new:?}");
}

#[tokio::test]
async fn a_row_that_is_equal_to_one_of_the_runs_and_somebody_elses_stays() {
    let theirs = "insert into event values ('new', 7)";
    let (left, _, [before, after]) = undone(&[theirs, theirs], theirs).await;
    assert_eq!(left, []);
    let new: Vec<_> = after.iter().filter(|row| !before.contains(row)).collect();
    assert_eq!(new, ["new 7 1"]);
}
