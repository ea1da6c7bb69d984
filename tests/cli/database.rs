//! A database that is not there, or is none, and passwords that must not be shown.

use std::io::Write;
use std::net::TcpListener;

use insta::assert_snapshot;

use super::place::Place;
use super::stub::Stub;

/// A check against a service that is there, with this database.
fn check(database: &str) -> String {
    let stub = Stub::start(&[]);
    Place::with("notes")
        .run(&[
            "check",
            "notes",
            "--base-url",
            &stub.url(),
            "--database-url",
            database,
        ])
        .error(3)
}

#[test]
fn a_database_that_is_not_there_is_named_without_its_password() {
    let error = check("postgres://me:s3cret@127.0.0.1:1/db");
    assert_snapshot!(error, @r"
    error: cannot connect to the database `postgres://me:***@127.0.0.1:1/db`: Connection refused (os error 111)
      = help: start the database, or correct --database-url
    ");
    assert!(!error.contains("s3cret"));
}

#[test]
fn a_password_in_the_query_of_a_database_url_is_not_shown_either() {
    let error = check("postgres://127.0.0.1:1/db?user=me&password=s3cret");
    assert!(error.contains("`postgres://127.0.0.1:1/db`"), "{error}");
    assert!(!error.contains("s3cret"), "{error}");
}

#[test]
fn a_database_url_that_cannot_be_read_is_not_repeated() {
    for url in [
        "postgres://me:s3cret@127.0.0.1:port/db",
        "host=127.0.0.1 port=1 password=s3cret",
    ] {
        let error = check(url);
        assert!(!error.contains("s3cret"), "{error}");
    }
}

#[test]
fn a_port_where_something_else_answers_is_not_a_database() {
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = other.local_addr().unwrap().to_string();
    let answers = std::thread::spawn(move || {
        let (mut stream, _) = other.accept().unwrap();
        stream
            .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            .unwrap();
        other
    });
    let error = check(&format!("postgres://me:s3cret@{address}/db"));
    drop(answers.join().unwrap());
    // How the system says that the connection broke depends on the moment.
    let expected = format!(
        "error: cannot connect to the database `postgres://me:***@{address}/db`: error communicating with the server"
    );
    assert!(error.starts_with(&expected), "{error}");
}

#[test]
fn a_port_where_nobody_says_anything_is_not_a_database() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap().to_string();
    let error = check(&format!("postgres://me:s3cret@{address}/db"));
    assert_snapshot!(error.replace(&address, "127.0.0.1:PORT"), @r"
    error: cannot connect to the database `postgres://me:***@127.0.0.1:PORT/db`: no answer in 10 s
      = help: start the database, or correct --database-url
    ");
}

#[test]
fn a_default_service_cannot_start_on_a_database_that_is_not_there() {
    let error = Place::with_litellm()
        .run(&[
            "check",
            "--database-url",
            "postgres://me:s3cret@127.0.0.1:1/db",
        ])
        .error(3);
    assert_snapshot!(error, @r"
    error: cannot connect to the database `postgres://me:***@127.0.0.1:1/db`: Connection refused (os error 111)
      = help: start the database, or correct --database-url
    ");
}

#[test]
fn a_suite_with_rows_needs_a_database_to_insert_them_into() {
    let stub = Stub::start(&[]);
    let error = Place::with("notes")
        .run(&["check", "notes", "--base-url", &stub.url()])
        .error(2);
    assert_snapshot!(error, @r"
    error: the suite's world has rows, and no database was given
      = help: give the service's database with --database-url
    ");
}

#[test]
fn the_database_of_the_environment_is_used() {
    let stub = Stub::start(&[]);
    let environment = [(
        "AUTHZ_PIN_DATABASE_URL",
        "postgres://me:s3cret@127.0.0.1:1/db",
    )];
    let arguments = ["check", "notes", "--base-url", &stub.url()];
    let error = Place::with("notes")
        .run_with(&environment, &arguments)
        .error(3);
    assert_eq!(error, check("postgres://me:s3cret@127.0.0.1:1/db"));
}

fn with_a_second_database() -> Place {
    Place::with("notes").edit(
        "notes/suite.yaml",
        "service:\n",
        "service:\n  databases: { audit: {} }\n",
    )
}

/// Why these databases are refused.
fn refused(databases: &[&str]) -> String {
    let flags = databases.iter().flat_map(|url| ["--database-url", url]);
    let arguments: Vec<&str> = ["check", "notes"].into_iter().chain(flags).collect();
    with_a_second_database().run(&arguments).error(2)
}

const NOWHERE: &str = "postgres://me:s3cret@127.0.0.1:1/db";

#[test]
fn a_database_that_the_suite_does_not_name_is_refused_with_the_names_that_it_has() {
    let named = format!("adit={NOWHERE}");
    let error = refused(&[&named]);
    assert_snapshot!(error, @r"
    error: the suite has no database `adit`
      = help: known: `audit`
    ");
    let error = Place::with("notes")
        .run(&["check", "notes", "--database-url", &named])
        .error(2);
    assert_snapshot!(error, @r"
    error: the suite has no database `adit`
      = help: name it under `service.databases` of suite.yaml
    ");
}

#[test]
fn a_second_database_without_the_main_one_is_refused() {
    let named = format!("audit={NOWHERE}");
    let error = refused(&[&named]);
    assert_snapshot!(error, @r"
    error: the database `audit` was given, and not the service's main one
      = help: give it with --database-url URL
    ");
}

#[test]
fn two_databases_without_a_name_are_refused() {
    assert_snapshot!(refused(&[NOWHERE, NOWHERE]), @r"
    error: the service has one database without a name
      = help: give others as --database-url NAME=URL, with a name of `service.databases`
    ");
}

#[test]
fn a_second_database_of_the_environment_goes_with_the_main_one_of_a_flag_and_the_other_way_round() {
    let named = format!("audit={NOWHERE}");
    for (variable, flag) in [
        ("AUTHZ_PIN_DATABASE_URL_AUDIT", NOWHERE),
        ("AUTHZ_PIN_DATABASE_URL", named.as_str()),
    ] {
        let arguments = ["check", "notes", "--dry-run", "--database-url", flag];
        let shown = with_a_second_database()
            .run_with(&[(variable, NOWHERE)], &arguments)
            .result();
        for line in [
            "database  postgres://me:***@",
            "          audit: postgres://me:***@",
        ] {
            assert!(shown.contains(line), "{variable}: {shown}");
        }
    }
}

#[test]
fn names_of_databases_and_tables_of_unknown_ones_are_mistakes_with_their_places() {
    let place = Place::with("notes")
        .edit(
            "notes/suite.yaml",
            "service:\n",
            "service:\n  databases: { audit: {}, \"a:b\": {} }\n",
        )
        .edit(
            "notes/suite.yaml",
            "tables: [audit_*]",
            "tables: [\"adit:beat\"]\n  columns: [\"adit:a.b\", [\"audit:a.b\"]]\n  unmarked: { \"adit:c\": {} }",
        )
        .edit(
            "notes/suite.yaml",
            "note.updated_at",
            "audti:log.at",
        );
    assert_snapshot!(place.run(&["list", "notes"]).error(2), @r#"
    error: `a:b` is no name of a database
      --> notes/suite.yaml:6:27
      |
    6 |   databases: { audit: {}, "a:b": {} }
      |                           ^^^^^
      = help: a name is a small letter, and then small letters, digits or `_`: it stands in `NAME=URL`, in `NAME:table` and, in capitals, in names of variables

    error: unknown database `adit`
       --> notes/suite.yaml:23:12
       |
    23 |   tables: ["adit:beat"]
       |            ^^^^^^^^^^^
       = help: did you mean `audit`?

    error: unknown database `adit`
       --> notes/suite.yaml:24:13
       |
    24 |   columns: ["adit:a.b", ["audit:a.b"]]
       |             ^^^^^^^^^^
       = help: did you mean `audit`?

    error: unknown database `adit`
       --> notes/suite.yaml:25:15
       |
    25 |   unmarked: { "adit:c": {} }
       |               ^^^^^^^^
       = help: did you mean `audit`?

    error: unknown database `audti`
       --> notes/suite.yaml:33:3
       |
    33 |   audti:log.at: <timestamp>
       |   ^^^^^^^^^^^^
       = help: did you mean `audit`?

    5 errors
    "#);
}
