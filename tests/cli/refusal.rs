//! A database that does not look like one for tests is refused before anything is written to it.

use authz_pin::embedded::Cluster;
use diesel::QueryableByName;
use diesel::sql_types::BigInt;
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use insta::assert_snapshot;

use super::place::{Ended, Place};
use super::stub::Stub;

/// Two tables that are not empty and one that the suite calls its service's own.
const TABLES: &str = "
    create table note (id integer primary key);
    create table tag (id integer primary key);
    create table audit_log (id integer primary key);
    insert into tag select generate_series(1, 400);
    insert into audit_log select generate_series(1, 5000);";

struct Target {
    url: String,
    _cluster: Cluster,
}

impl Target {
    /// A database of that name, after these statements.
    async fn new(name: &str, sql: &str) -> Self {
        let cluster = Cluster::start().unwrap();
        let url = cluster.create_database(name).await.unwrap();
        let mut connection = AsyncPgConnection::establish(&url).await.unwrap();
        connection.batch_execute(sql).await.unwrap();
        Self {
            url,
            _cluster: cluster,
        }
    }

    fn run(&self, command: &str, arguments: &[&str]) -> Ended {
        let stub = Stub::start(&[]);
        let url = stub.url();
        let fixed = [
            command,
            "ping",
            "--base-url",
            &url,
            "--database-url",
            &self.url,
        ];
        let arguments: Vec<&str> = fixed.iter().chain(arguments).copied().collect();
        let place = Place::with("ping").edit(
            "ping/suite.yaml",
            "snapshots: snapshots\n",
            "snapshots: snapshots\nbackground: { tables: [audit_*] }\n",
        );
        place.run(&arguments)
    }

    /// A check that is let in: it sweeps, and finds that there is no snapshot yet.
    fn is_let_in(&self, arguments: &[&str]) {
        let ended = self.run("check", arguments);
        assert_eq!(ended.code, Some(1), "{ended:#?}");
    }

    /// How many tables the database has that its system does not.
    async fn tables(&self) -> i64 {
        #[derive(QueryableByName)]
        struct Count {
            #[diesel(sql_type = BigInt)]
            count: i64,
        }
        let query = "select count(*) from pg_tables where schemaname not in ('pg_catalog', 'information_schema')";
        let mut connection = AsyncPgConnection::establish(&self.url).await.unwrap();
        let count: Count = diesel::sql_query(query)
            .get_result(&mut connection)
            .await
            .unwrap();
        count.count
    }
}

#[tokio::test]
async fn a_name_of_a_database_that_people_work_with_is_refused_with_both_ways_out() {
    let target = Target::new("litellm_prod", "").await;
    let error = target.run("check", &[]).error(2);
    assert_snapshot!(error, @r#"
    error: the database `litellm_prod` does not look like one for tests: its name has the word `prod`
      = help: if calls may change and delete what is in it, say so once: --allow-database litellm_prod, or for good: COMMENT ON DATABASE "litellm_prod" IS 'authz-pin: test database'
    "#);
    assert_eq!(target.run("record", &[]).error(2), error);
}

#[tokio::test]
async fn a_database_is_let_in_by_its_name_with_a_flag_or_from_the_environment() {
    let target = Target::new("litellm_prod", "").await;
    target.is_let_in(&["--allow-database", "litellm_prod"]);
    let error = target
        .run("check", &["--allow-database", "litellm"])
        .error(2);
    assert_snapshot!(error, @r"
    error: the database is `litellm_prod`, and what is allowed is `litellm`
      = help: correct --database-url, or, if calls may change and delete what is in this one: --allow-database litellm_prod
    ");
    let stub = Stub::start(&[]);
    let environment = [
        ("AUTHZ_PIN_ALLOW_DATABASE", "litellm_prod"),
        ("AUTHZ_PIN_DATABASE_URL", &target.url),
    ];
    let arguments = ["check", "ping", "--base-url", &stub.url()];
    let ended = Place::with("ping").run_with(&environment, &arguments);
    assert_eq!(ended.code, Some(1), "{ended:#?}");
}

#[tokio::test]
async fn a_marked_database_is_let_in_whatever_its_name_is() {
    let marker = "comment on database litellm_prod is 'authz-pin: test database'";
    let target = Target::new("litellm_prod", marker).await;
    target.is_let_in(&[]);
}

#[tokio::test]
async fn a_database_with_few_rows_beside_those_of_its_service_is_let_in() {
    let rows = format!("{TABLES} insert into note select generate_series(1, 600);");
    let target = Target::new("litellm", &rows).await;
    target.is_let_in(&[]);
}

#[tokio::test]
async fn a_database_with_many_rows_is_refused_with_its_fullest_tables() {
    let rows = format!("{TABLES} insert into note select generate_series(1, 2000);");
    let target = Target::new("litellm", &rows).await;
    assert_snapshot!(target.run("check", &[]).error(2), @r#"
    error: the database `litellm` does not look like one for tests: its tables hold more than 1000 rows (`note` more than 1000, `tag` 400)
      = help: if calls may change and delete what is in it, say so once: --allow-database litellm, or for good: COMMENT ON DATABASE "litellm" IS 'authz-pin: test database'
    "#);
}

#[tokio::test]
async fn a_table_that_the_role_cannot_read_and_nobody_counted_holds_as_much_as_it_has_room_for() {
    let reader = "
        create role reader login;
        create table secret (id integer) with (autovacuum_enabled = off);
        create table parted (id integer) partition by range (id);
        create table part partition of parted for values from (0) to (10000) with (autovacuum_enabled = off);";
    for (table, rows) in [("secret", 2000), ("parted", 2000)] {
        let rows = format!("{reader} insert into {table} select generate_series(1, {rows});");
        let mut target = Target::new("litellm", &rows).await;
        target.url = target.url.replace("postgres@", "reader@");
        let error = target.run("check", &[]).error(2);
        assert!(
            error.contains(&format!(
                "its tables hold more than 1000 rows (`{table}` more than 1000)"
            )),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_table_of_few_rows_that_the_role_cannot_read_does_not_make_a_database_full() {
    let reader = "
        create role reader login;
        create table secret (id integer) with (autovacuum_enabled = off);
        insert into secret select generate_series(1, 100);";
    let mut target = Target::new("litellm", reader).await;
    target.url = target.url.replace("postgres@", "reader@");
    target.is_let_in(&[]);
}

#[tokio::test]
async fn what_other_runs_have_inserted_does_not_make_a_database_full() {
    let inserts = "insert into authz_pin.change (run, tbl, relation, op) select 'run', 'note', 'note', 'insert' from";
    let version = "comment on schema authz_pin is 'The journal of authz-pin, format 8. `authz-pin clean` takes it away.';";
    let rows = format!(
        "{TABLES} insert into note select generate_series(1, 2000); create schema authz_pin; {} {version} {inserts} generate_series(1, 1400);",
        include_str!("../../crates/database/src/postgres/journal/install.sql")
    );
    Target::new("litellm", &rows).await.is_let_in(&[]);
}

#[tokio::test]
async fn a_database_for_tests_may_be_full() {
    let rows = format!("{TABLES} insert into note select generate_series(1, 2000);");
    Target::new("litellm_e2e", &rows).await.is_let_in(&[]);
}

#[tokio::test]
async fn a_database_that_takes_no_writes_is_said_to_be_so() {
    let read_only = "alter database litellm set default_transaction_read_only = on";
    let target = Target::new("litellm", read_only).await;
    assert_snapshot!(target.run("check", &["--allow-database", "litellm"]).error(3), @r"
    error: the database `litellm` cannot be written to: `default_transaction_read_only` is on
      = help: give the server or the file that takes writes, and the rights to write, with --database-url
    ");
}

#[tokio::test]
async fn no_service_is_started_on_a_database_that_is_refused() {
    let target = Target::new("production", "").await;
    let arguments = ["check", "--database-url", &target.url];
    Place::with_litellm().run(&arguments).error(2);
    assert_eq!(target.tables().await, 0);
}

#[tokio::test]
async fn cleaning_is_refused_nowhere() {
    let target = Target::new("production", "").await;
    let arguments = ["clean", "--database-url", &target.url];
    Place::empty().run(&arguments).result();
}
