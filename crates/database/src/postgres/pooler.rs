//! Whether a pooler stands before the server that lends its connections for a transaction or a statement only: what a session is
//! set to, and the locks that it keeps, would go to somebody else.
//!
//! A session of the server is one process. In session mode and without a pooler a connection keeps its process, which no other
//! connection has.

use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{Client, Connection, Error, SimpleQueryMessage, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::tls::Wanted;

/// What moves the bytes of a client.
pub(super) type Line = Connection<Socket, <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream>;

/// The statement changes nothing, and is not prepared: some poolers lose what is.
const PROCESS: &str = "select pg_backend_pid()";

/// Whether two connections share processes of the server. A pooler lends the process that came back last, or the one that has
/// been back for the longest time: the first pair shows the one, and the pair in the middle the other.
pub(super) async fn lends(
    client: &Client,
    line: &mut Line,
    wanted: &Wanted,
) -> Result<bool, Error> {
    let (other, mut other_line) = wanted.connect().await?;
    let first = process(client, line).await?;
    let second = process(&other, &mut other_line).await?;
    let third = process(&other, &mut other_line).await?;
    let fourth = process(client, line).await?;
    Ok(first == second || second != third || first != fourth)
}

/// The process that answers, as a text. None counts as shared.
async fn process(client: &Client, line: &mut Line) -> Result<Option<String>, Error> {
    let answer = tokio::select! {
        answer = client.simple_query(PROCESS) => answer?,
        Err(error) = line => return Err(error),
    };
    let row = answer.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0),
        _ => None,
    });
    Ok(row.map(str::to_owned))
}
