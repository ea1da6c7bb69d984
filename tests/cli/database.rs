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
    assert_snapshot!(error.replace(&address, "127.0.0.1:PORT"), @r"
    error: cannot connect to the database `postgres://me:***@127.0.0.1:PORT/db`: error communicating with the server
      = help: start the database, or correct --database-url
    ");
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
