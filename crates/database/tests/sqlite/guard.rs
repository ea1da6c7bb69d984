//! What the guard decides from.

use authz_pin_database::sqlite::File;
use authz_pin_database::{DatabaseError, Which};

use crate::service::{Service, begun, claim_all};

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_known_by_its_name_its_mark_and_its_rows() {
    let mut service = Service::new(
        "wal",
        "create table t (id integer primary key); create virtual table f using fts5 (x)",
    );
    let mut base = File::connect(&service.path, &Which::default())
        .await
        .unwrap();
    let facts = base.facts().await.unwrap();
    assert_eq!(
        (
            facts.name.as_str(),
            facts.comment.as_deref(),
            facts.read_only
        ),
        ("notes_test.db", None, false)
    );
    service.execute("create view \"authz-pin: test database\" as select 1");
    let facts = base.facts().await.unwrap();
    assert_eq!(facts.comment.as_deref(), Some("authz-pin: test database"));
    assert_eq!(facts.decide(&[]), Some(Ok(())));
    service.execute("with recursive n (i) as (select 1 union all select i + 1 from n where i < 5000) insert into t select i from n");
    let rows = base.rows(&facts).await.unwrap();
    assert_eq!(rows["t"], 1001);
    assert!(facts.decide_by_rows(&rows).is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_other_runs_let_that_many_more_in() {
    let mut service = Service::new("delete", "create table t (id integer primary key)");
    let mut base = begun(&service, "run1").await;
    service.execute("with recursive n (i) as (select 1 union all select i + 1 from n where i < 1500) insert into t select i from n");
    claim_all(&mut base).await;
    let facts = base.facts().await.unwrap();
    let rows = base.rows(&facts).await.unwrap();
    assert_eq!((rows["t"], rows[""]), (1500, -1500));
    assert!(facts.decide_by_rows(&rows).is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_database_is_refused_and_nothing_is_made() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("absent.db");
    let refused = File::connect(&path, &Which::default())
        .await
        .map(drop)
        .unwrap_err();
    assert!(
        matches!(refused, DatabaseError::Unreachable { .. }),
        "{refused}"
    );
    assert!(!path.exists());
    std::fs::write(&path, "no database at all, but long enough to have a header of a hundred bytes, which is what is read of it first").unwrap();
    let refused = File::connect(&path, &Which::default())
        .await
        .map(drop)
        .unwrap_err();
    assert!(
        authz_pin_record::chain::chain(&refused).contains("file is not a database"),
        "{refused}"
    );
}
