//! What the tool knows of tables before it reads what changed in them.

use super::service::Service;

const SCHEMA: &str = "
    create table club (id serial primary key, name text);
    create table member (
      id bigint generated always as identity primary key,
      club integer references club,
      best_friend bigint references member,
      lucky integer default 7);
    create table letter (id integer primary key, club integer, number serial);
    create table tag (club integer references club, name text, primary key (club, name))";

#[tokio::test]
async fn columns_that_hold_a_key_that_the_database_counts_are_known_by_its_table() {
    let service = Service::with(SCHEMA).await;
    let catalog = service.database().await.catalog().await.unwrap();
    let numbers = |table, column| catalog.numbers(table, column);
    assert_eq!(numbers("club", "id"), Some("club"));
    assert_eq!(numbers("member", "id"), Some("member"));
    assert_eq!(numbers("member", "club"), Some("club"));
    assert_eq!(numbers("member", "best_friend"), Some("member"));
    assert_eq!(numbers("tag", "club"), Some("club"));
    for (table, column) in [
        ("member", "lucky"),
        ("letter", "id"),
        ("letter", "club"),
        // Counted, but no key.
        ("letter", "number"),
        ("tag", "name"),
        ("nothing", "id"),
    ] {
        assert_eq!(numbers(table, column), None, "{table}.{column}");
    }
}
