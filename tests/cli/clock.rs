//! A service that shows something else in each sweep: in which way is its mode.

use std::io;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value as Json, json};

use super::letters::Database;
use super::raw::{After, JSON, Raw, Request, respond};

const TABLES: &str = "
    create table note (note_id text primary key, stamp integer not null default 0, meta text not null default '{}',
      state jsonb not null default '{}', seen text not null default '');
    create table visit (visit_id serial primary key, note_id text not null)";

/// How many calls a sweep makes: two actors upon one target.
const CALLS: usize = 2;

/// Starts the service, and creates its tables in an empty database.
pub(crate) fn start(database_url: &str, mode: &'static str) -> Raw {
    let database = Database::with(database_url, TABLES);
    let calls = Arc::new(AtomicUsize::new(0));
    Raw::start(move |request, stream| {
        if request.path() == "/health" {
            return respond(stream, 200, JSON, "{}");
        }
        let call = calls.fetch_add(1, Ordering::SeqCst);
        answer(&database, mode, call, request, stream)
    })
}

/// Another word for each call.
fn word(call: usize) -> String {
    let letter = char::from(b'g' + u8::try_from(call).unwrap());
    letter.to_string().repeat(6)
}

fn answer(
    database: &Database,
    mode: &str,
    call: usize,
    request: &Request,
    stream: &mut TcpStream,
) -> io::Result<After> {
    let note = request.path().rsplit('/').next().unwrap();
    let is_odd = call / CALLS % 2 == 1;
    let change =
        |set: &str| database.change(&format!("update note set {set} where note_id = '{note}'"));
    let (status, body): (u16, Json) = match mode {
        "columns" => {
            change(&format!(
                "stamp = {call} + 1000, seen = '{call}', meta = '{{\"by\": \"me\", \"at\": \"2026-01-31T12:00:{:02}\"}}', state = '{{\"n\": {call}, \"steady\": true}}'",
                call + 10
            ));
            database.change(&format!("insert into visit (note_id) values ('{note}')"));
            (200, json!({}))
        }
        "texts" if is_odd => (
            403,
            json!({"type": "denied", "error": "only ['b', 'a'] may"}),
        ),
        "texts" => (
            403,
            json!({"type": "denied", "error": "only ['a', 'b'] may"}),
        ),
        "new texts" => (
            403,
            json!({"type": "denied", "error": format!("request {} is denied", word(call))}),
        ),
        "types" if is_odd => (403, json!({"type": "late", "error": "denied for now"})),
        "types" => (403, json!({"type": "early", "error": "denied for now"})),
        "status" if is_odd => (403, json!({"type": "denied", "error": "no"})),
        "effects" if is_odd => {
            change("stamp = 1");
            (200, json!({}))
        }
        "fields" => (
            200,
            json!({"note": {(if is_odd { "odd" } else { "even" }): 1}}),
        ),
        _ => (200, json!({})),
    };
    respond(stream, status, JSON, body.to_string())
}
