//! Which changes are known to be together.

use std::collections::BTreeSet;

use crate::service::{Service, begun};

/// Two connections that write in one millisecond look like one: what one of them writes must not be taken for the other's.
#[tokio::test(flavor = "multi_thread")]
async fn no_change_is_taken_to_be_of_the_transaction_of_another() {
    let schema = "create table t (a); create table log (x)";
    let mut service = Service::new("wal", schema);
    let mut base = begun(&service, "run1").await;
    let mut other = Service::open(&service.path);
    for number in 0..50 {
        service.execute(&format!("insert into t values ('run1-{number}')"));
        other.execute("insert into log values ('somebody')");
    }
    let changes = base.read().await.unwrap();
    assert_eq!(changes.len(), 100);
    let transactions: BTreeSet<_> = changes.iter().map(|change| change.transaction).collect();
    assert_eq!(transactions.len(), 100);
    assert!(changes.is_sorted_by_key(|change| change.seq));
}
