//! Talking to the server: addresses and databases.

use std::future::Future;
use std::panic::resume_unwind;
use std::path::Path;
use std::thread;

use authz_pin_record::text::RESERVED;
use diesel_async::{AsyncConnection, AsyncPgConnection, SimpleAsyncConnection};
use percent_encoding::{percent_encode, utf8_percent_encode};

use super::EmbeddedError;

/// The database that is always there, to create and drop others from.
pub(super) const MAINTENANCE: &str = "postgres";

/// The database that others are copied from unless told otherwise.
pub(super) const EMPTY: &str = "template1";

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
    version: &str,
    name: &str,
    template: &str,
) -> Result<(), EmbeddedError> {
    let (database, template, strategy) = (quoted(name), quoted(template), strategy(version));
    let sql = format!("CREATE DATABASE {database} TEMPLATE {template}{strategy}");
    execute(url, &sql, format!("create database `{name}`")).await
}

/// Copying the files takes less than half the time of logging every page, the default since version 15. Before that it
/// is the only way, and cannot be asked for.
fn strategy(version: &str) -> &'static str {
    let digits = version
        .split(|character: char| !character.is_ascii_digit())
        .next();
    match digits.and_then(|major| major.parse().ok()) {
        Some(15_u32..) => " STRATEGY FILE_COPY",
        _ => "",
    }
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
    fn only_servers_that_know_a_strategy_are_asked_for_one() {
        assert_eq!(strategy("14.12"), "");
        assert_eq!(strategy("15.18"), " STRATEGY FILE_COPY");
        assert_eq!(strategy("19beta1"), " STRATEGY FILE_COPY");
    }

    #[test]
    fn a_quoted_name_ends_where_it_should() {
        assert_eq!(quoted("x\"; DROP"), "\"x\"\"; DROP\"");
    }
}
