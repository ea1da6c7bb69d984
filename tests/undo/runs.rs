//! What the journal tells of several runs at once, and of who writes when.

use std::time::{Duration, Instant};

use authz_pin::database::base::Base as _;
use authz_pin::database::postgres::Database;
use authz_pin::database::postgres::Postgres;
use authz_pin::database::postgres::journal::Journal;
use authz_pin::database::wait::quiet;
use authz_pin::database::{Extent, Presence};
use authz_pin::observation::Operation;
use serde_json::{Value as Json, json};

use crate::others::{claim, unexplained};
use crate::service::{RUN, Service, silent};

const ITEMS: &str = "
    create table item (id int primary key, name text);
    create table audit (id int primary key, item int references item);";

/// Another run on the same database.
async fn another(service: &Service) -> (Journal, Database) {
    let mut database = service.database().await;
    let (journal, _) = Journal::install(&mut database, "aprun1111", &silent)
        .await
        .unwrap();
    (journal, database)
}

/// Whether a run that sweeps like `mine` lets another one sweep like `theirs` meanwhile.
async fn sweeps_beside(mine: Presence, theirs: Presence) -> bool {
    let service = Service::with(ITEMS).await;
    let (journal, mut database) = service.watched().await;
    let (others, mut other) = another(&service).await;
    assert!(journal.enter(&mut database, mine).await.unwrap());
    others.enter(&mut other, theirs).await.unwrap()
}

#[tokio::test]
async fn runs_that_need_not_be_alone_sweep_at_the_same_time() {
    use Presence::{Alone, Shared};
    assert!(sweeps_beside(Shared, Shared).await);
    for (mine, theirs) in [(Shared, Alone), (Alone, Shared), (Alone, Alone)] {
        assert!(!sweeps_beside(mine, theirs).await, "{mine:?} {theirs:?}");
    }
}

#[tokio::test]
async fn a_run_that_compares_the_tables_sweeps_beside_no_other() {
    for theirs in [Presence::Shared, Presence::Alone] {
        let service = Service::with(ITEMS).await;
        let (journal, mut database) = service.compared().await;
        let (others, mut other) = another(&service).await;
        assert!(
            journal
                .enter(&mut database, Presence::Shared)
                .await
                .unwrap()
        );
        assert!(
            !others.enter(&mut other, theirs).await.unwrap(),
            "{theirs:?}"
        );
        journal
            .leave(&mut database, Presence::Shared)
            .await
            .unwrap();
        assert!(
            others.enter(&mut other, theirs).await.unwrap(),
            "{theirs:?}"
        );
    }
}

#[tokio::test]
async fn a_run_that_begins_waits_for_no_write_of_the_service_and_makes_none_wait() {
    let mut service = Service::with(ITEMS).await;
    let (_journal, _database) = service.watched().await;
    let mut session = service.again().await;
    session
        .call("begin; insert into item values (1, 'open')")
        .await;
    let begins = tokio::time::timeout(Duration::from_secs(10), another(&service));
    let (_others, _other) = begins.await.unwrap();
    let write = service.call("insert into item values (2, 'written')");
    tokio::time::timeout(Duration::from_secs(5), write)
        .await
        .unwrap();
    session.call("rollback").await;
}

#[tokio::test]
async fn a_run_that_has_left_lets_one_that_needs_to_be_alone_in() {
    let service = Service::with(ITEMS).await;
    let (journal, mut database) = service.watched().await;
    let (others, mut other) = another(&service).await;
    for presence in [Presence::Shared, Presence::Alone] {
        assert!(journal.enter(&mut database, presence).await.unwrap());
        journal.leave(&mut database, presence).await.unwrap();
    }
    let entered = others.enter(&mut other, Presence::Alone).await.unwrap();
    assert!(entered, "the others are in");
}

#[tokio::test]
async fn a_run_reads_what_changed_since_it_began_and_was_not_set_aside() {
    let mut service = Service::with(ITEMS).await;
    let (mut journal, mut database) = service.watched().await;
    service.call("insert into item values (1, 'one')").await;
    let (others, mut other) = another(&service).await;
    service.call("insert into item values (2, 'two')").await;
    assert_eq!(unexplained(&journal, &mut database).await.len(), 2);
    assert_eq!(unexplained(&others, &mut other).await.len(), 1);
    let changes = unexplained(&journal, &mut database).await;
    journal.set_aside(changes.into_iter().take(1));
    assert_eq!(unexplained(&journal, &mut database).await.len(), 1);
}

#[tokio::test]
async fn a_run_knows_the_tokens_and_the_identifiers_of_the_others() {
    let service = Service::with(ITEMS).await;
    let (journal, mut database) = service.watched().await;
    let (others, mut other) = another(&service).await;
    let mine = [format!("{RUN}-a"), "mine".to_owned()];
    let theirs = ["aprun1111-a".to_owned(), "theirs".to_owned()];
    journal.remember(&mut database, &mine, None).await.unwrap();
    others.remember(&mut other, &theirs, None).await.unwrap();
    let known = journal.others(&mut database).await.unwrap();
    assert_eq!(known, ["aprun1111", "theirs"]);
}

#[tokio::test]
async fn the_journal_is_quiet_when_nothing_was_logged_for_as_long_as_asked() {
    let settle = Duration::from_secs(1);
    let mut service = Service::with(ITEMS).await;
    let mut base = Postgres::new(service.database().await);
    base.watch(RUN, &silent).await.unwrap().unwrap();
    let start = Instant::now();
    let is_quiet = async {
        quiet(&mut [&mut base], settle).await.unwrap();
        start.elapsed()
    };
    let (waited, written) = tokio::join!(is_quiet, async {
        for id in 0..12 {
            tokio::time::sleep(settle / 10).await;
            service
                .call(&format!("insert into item values ({id})"))
                .await;
        }
        start.elapsed()
    });
    assert!(waited > written, "{waited:?}, written until {written:?}");
    assert!(waited < 20 * settle, "{waited:?}");
}

#[tokio::test]
async fn what_refers_to_a_row_of_the_run_in_a_table_of_the_background_is_the_runs() {
    let mut service = Service::with(ITEMS).await;
    service.call("insert into item values (1, 'theirs')").await;
    let (journal, mut database) = service.watched().await;
    service.call("insert into item values (2, 'ours')").await;
    claim(&journal, &mut database).await;
    service
        .call("insert into audit values (10, 1), (20, 2)")
        .await;
    for (tables, left) in [(&["item"], 2), (&["audit"], 1)] {
        let claimed = journal.claim_referring(&mut database, tables).await;
        claimed.unwrap();
        assert_eq!(unexplained(&journal, &mut database).await.len(), left);
    }
    let left = journal
        .undo(&mut database, Extent::Run, &silent)
        .await
        .unwrap();
    assert_eq!(left, []);
    let audit = "select id::text as line from audit";
    assert_eq!(service.lines(audit).await, ["10"]);
}

#[tokio::test]
async fn what_was_undone_takes_no_room_after_the_journal_was_vacuumed() {
    let mut service = Service::with(ITEMS).await;
    let (journal, mut database) = service.watched().await;
    service
        .call("insert into item select generate_series(1, 5000)")
        .await;
    claim(&journal, &mut database).await;
    journal
        .undo(&mut database, Extent::Run, &silent)
        .await
        .unwrap();
    let size = "select pg_relation_size('authz_pin.change')::text as line";
    assert_ne!(service.lines(size).await, ["0"]);
    journal.vacuum(&mut database).await.unwrap();
    assert_eq!(service.lines(size).await, ["0"]);
}

#[tokio::test]
async fn a_claim_that_the_database_refuses_is_an_error() {
    let mut service = Service::with(ITEMS).await;
    let (journal, mut database) = service.watched().await;
    service.call("insert into item values (1, 'one')").await;
    let changes = unexplained(&journal, &mut database).await;
    service
        .call("alter table authz_pin.change rename to gone")
        .await;
    let refused = journal.claim(&mut database, &changes).await.unwrap_err();
    let refused = refused.to_string();
    assert!(refused.contains("write the journal"), "{refused}");
}

#[tokio::test]
async fn a_change_says_what_happened_to_which_row() {
    let mut service = Service::with(ITEMS).await;
    let (journal, mut database) = service.watched().await;
    for call in [
        "insert into item values (1, 'one')",
        "update item set name = 'two'",
        "delete from item",
    ] {
        service.call(call).await;
    }
    let changes = journal.read(&mut database).await.unwrap();
    let [one, two] = ["one", "two"].map(|name| json!({"id": 1, "name": name}));
    let seen: Vec<_> = changes
        .iter()
        .map(|change| (change.operation, &change.old, &change.new))
        .collect();
    let none = Json::Null;
    assert_eq!(
        seen,
        [
            (Operation::Insert, &none, &one),
            (Operation::Update, &one, &two),
            (Operation::Delete, &two, &none),
        ]
    );
    assert!(changes.iter().all(|change| change.table == "item"));
    let text = changes.first().unwrap().text();
    assert!(text.contains("\"name\":\"one\""), "{text}");
}
