//! Cleaning a database.

use authz_pin::embedded::Cluster;
use insta::assert_snapshot;

use super::place::Place;

#[tokio::test]
async fn a_database_without_a_journal_has_nothing_to_clean() {
    let cluster = Cluster::start().unwrap();
    let url = cluster.create_database("untouched").await.unwrap();
    let ended = Place::empty().run(&["clean", "--database-url", &url]);
    assert_snapshot!(ended.result(), @"nothing to clean: the database has no journal");
}

#[tokio::test]
async fn the_database_to_clean_can_come_from_the_environment() {
    let cluster = Cluster::start().unwrap();
    let url = cluster.create_database("untouched").await.unwrap();
    let environment = [("AUTHZ_PIN_DATABASE_URL", url.as_str())];
    Place::empty().run_with(&environment, &["clean"]).result();
}

#[test]
fn a_database_that_is_not_there_cannot_be_cleaned() {
    let url = "postgres://me:s3cret@127.0.0.1:1/db";
    let error = Place::empty()
        .run(&["clean", "--database-url", url])
        .error(3);
    assert_snapshot!(error, @r"
    error: cannot connect to the database `postgres://me:***@127.0.0.1:1/db`: Connection refused (os error 111)
      = help: start the database, or correct --database-url
    ");
}
