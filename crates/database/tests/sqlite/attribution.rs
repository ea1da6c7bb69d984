//! Which changes are known to be together.

use crate::service::{Service, begun};

#[tokio::test(flavor = "multi_thread")]
async fn the_changes_of_one_statement_are_together_and_those_of_later_ones_are_not() {
    let schema = "create table p (id integer primary key); create table c (p references p on delete cascade);
        create table log (x); create trigger l after delete on c begin insert into log values (old.p); end;
        insert into p values (1), (2); insert into c values (1), (1), (2)";
    let mut service = Service::new("wal", schema);
    let mut base = begun(&service, "run1").await;
    service.execute("delete from p where id = 1");
    std::thread::sleep(std::time::Duration::from_millis(5));
    service.execute("delete from p where id = 2");
    let changes = base.read().await.unwrap();
    let groups: Vec<&[_]> = changes
        .chunk_by(|a, b| a.transaction == b.transaction)
        .collect();
    let sizes: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    assert_eq!(sizes, [5, 3], "{changes:#?}");
    assert!(changes.is_sorted_by_key(|change| change.seq));
}
