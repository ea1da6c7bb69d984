//! Talking to the server: addresses and databases.

use std::future::Future;
use std::panic::resume_unwind;
use std::path::Path;
use std::thread;

use diesel_async::{AsyncConnection, AsyncPgConnection, SimpleAsyncConnection};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode, utf8_percent_encode};

use super::EmbeddedError;

/// The database that is always there, to create and drop others from.
pub(super) const MAINTENANCE: &str = "postgres";

/// All but what a URL may have anywhere.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A host that starts with a slash is a socket directory; in a URL the slashes are percent-encoded.
pub(super) fn url(directory: &Path, database: &str) -> String {
    let host = percent_encode(directory.as_os_str().as_encoded_bytes(), RESERVED);
    let database = utf8_percent_encode(database, RESERVED);
    format!("postgres://postgres@{host}:5432/{database}")
}

/// Whether the server answers a query, without an async runtime of the caller's.
pub(super) fn answers(url: &str) -> Result<(), EmbeddedError> {
    block_on(execute(url, "SELECT 1", "answer a query".to_owned()))
}

pub(super) async fn create(
    url: &str,
    name: &str,
    template: Option<&str>,
) -> Result<(), EmbeddedError> {
    let template = template
        .map(|template| format!(" TEMPLATE {}", quoted(template)))
        .unwrap_or_default();
    let sql = format!("CREATE DATABASE {}{template}", quoted(name));
    execute(url, &sql, format!("create database `{name}`")).await
}

pub(super) async fn drop(url: &str, name: &str) -> Result<(), EmbeddedError> {
    let sql = format!("DROP DATABASE {} WITH (FORCE)", quoted(name));
    execute(url, &sql, format!("drop database `{name}`")).await
}

async fn execute(url: &str, sql: &str, doing: String) -> Result<(), EmbeddedError> {
    let mut connection = AsyncPgConnection::establish(url)
        .await
        .map_err(EmbeddedError::Connect)?;
    connection
        .batch_execute(sql)
        .await
        .map_err(|source| EmbeddedError::Query { doing, source })
}

fn quoted(identifier: &str) -> String {
    format!("\"{}\"", identifier.replace('"', "\"\""))
}

/// Runs `future` on a thread of its own: the caller's may belong to a runtime, which must not be blocked on.
pub(super) fn block_on<T: Send>(
    future: impl Future<Output = Result<T, EmbeddedError>> + Send,
) -> Result<T, EmbeddedError> {
    let run = || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.map_err(EmbeddedError::Runtime)?.block_on(future)
    };
    thread::scope(|scope| scope.spawn(run).join()).unwrap_or_else(|panic| resume_unwind(panic))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_the_socket_directory_as_its_host() {
        let url = url(Path::new("/dev/shm/authz-pin-1"), "a/b c_d");
        assert_eq!(
            url,
            "postgres://postgres@%2Fdev%2Fshm%2Fauthz-pin-1:5432/a%2Fb%20c_d"
        );
    }

    #[test]
    fn a_quoted_name_ends_where_it_should() {
        assert_eq!(quoted("x\"; DROP"), "\"x\"\"; DROP\"");
    }
}
