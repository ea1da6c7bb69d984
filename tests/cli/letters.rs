//! A service for the letters of two clubs, which can be told to have one hole.

use std::collections::HashSet;
use std::io;
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

use authz_pin::template::random;
use diesel::pg::Pg;
use diesel::sql_types::{Nullable, Text};
use diesel::{QueryableByName, sql_query};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};
use tokio::runtime::Runtime;

use super::raw::{After, JSON, Raw, Request, respond};

const TABLES: &str = "
    create table member (member_id text primary key, token text not null, pin text not null, club text not null,
      rank text not null, seen integer not null default 0);
    create table letter (letter_id text primary key, owner text not null, club text not null,
      title text not null default 'Hello', note text not null default '');
    create table visit (number serial primary key)";

pub(crate) struct Letters {
    raw: Raw,
    hole: Arc<Mutex<&'static str>>,
}

impl Letters {
    /// Creates the tables in an empty database.
    pub(crate) fn start(database_url: &str) -> Self {
        let hole = Arc::<Mutex<&'static str>>::default();
        let office = Office {
            database: Database::with(database_url, TABLES),
            hole: Arc::clone(&hole),
            old_tokens: Mutex::default(),
            was_visited: AtomicBool::default(),
        };
        Self {
            raw: Raw::start(move |request, stream| office.answer(request, stream)),
            hole,
        }
    }

    pub(crate) fn url(&self) -> String {
        self.raw.url()
    }

    /// What is wrong with it from now on, named by the kind that it is for; no hole has no name.
    pub(crate) fn have(&self, hole: &'static str) {
        *self.hole.lock().unwrap() = hole;
    }
}

pub(crate) struct Database {
    runtime: Runtime,
    connection: Mutex<AsyncPgConnection>,
}

#[derive(QueryableByName)]
struct Answer {
    #[diesel(sql_type = Nullable<Text>)]
    value: Option<String>,
}

impl Database {
    pub(crate) fn with(url: &str, tables: &str) -> Self {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().build().unwrap();
        let mut connection = runtime.block_on(AsyncPgConnection::establish(url)).unwrap();
        runtime.block_on(connection.batch_execute(tables)).unwrap();
        Self {
            runtime,
            connection: Mutex::new(connection),
        }
    }

    /// One JSON value, or null where there is no row.
    fn ask(&self, sql: &str, with: &[&str]) -> Json {
        let query = sql_query(format!("select ({sql})::text as value")).into_boxed::<Pg>();
        let query = with
            .iter()
            .fold(query, |query, value| query.bind::<Text, _>(*value));
        let mut connection = self.connection.lock().unwrap();
        let answer = query.get_result::<Answer>(&mut *connection);
        let value = self.runtime.block_on(answer).unwrap().value;
        value.map_or(Json::Null, |value| serde_json::from_str(&value).unwrap())
    }

    /// All in one transaction. The values are a suite's symbols, which need no quoting.
    pub(crate) fn change(&self, sql: &str) {
        let mut connection = self.connection.lock().unwrap();
        self.runtime
            .block_on(connection.batch_execute(sql))
            .unwrap();
    }
}

struct Office {
    database: Database,
    hole: Arc<Mutex<&'static str>>,
    old_tokens: Mutex<HashSet<String>>,
    was_visited: AtomicBool,
}

/// A status and a body, or none of both.
type Reply = Option<(u16, Json)>;

fn refusal(status: u16, why: &str) -> (u16, Json) {
    (status, json!({ "error": why }))
}

fn not_yours(hole: &str) -> (u16, Json) {
    let (status, mut body) = refusal(403, "not yours");
    match hole {
        "refusal-tells-less" => {}
        "refusal-tells-more" => body["hint"] = json!("ask the chair, at once"),
        _ => body["hint"] = json!("ask the chair"),
    }
    (status, body)
}

/// A call upon a letter by somebody who is known.
struct Call<'a> {
    hole: &'a str,
    caller: &'a Json,
    letter: &'a Json,
}

impl Call<'_> {
    fn rank(&self) -> &str {
        self.caller["rank"].as_str().unwrap()
    }

    fn is_allowed(&self) -> bool {
        let is_owner = self.letter["owner"] == self.caller["member_id"];
        let is_chair = self.rank() == "chair" && self.letter["club"] == self.caller["club"];
        is_owner || is_chair
    }
}

impl Office {
    fn answer(&self, request: &Request, stream: &mut TcpStream) -> io::Result<After> {
        match self.reply(request) {
            Some((status, body)) => {
                let more = match *self.hole.lock().unwrap() {
                    "header-changed" => "cache-control: public\r\n",
                    "redirect-changed" => "refresh: 5; url=/letters\r\n",
                    _ => "",
                };
                respond(stream, status, &format!("{JSON}{more}"), body.to_string())
            }
            None => Ok(After::Close),
        }
    }

    fn reply(&self, request: &Request) -> Reply {
        let method = request.line.split(' ').next().unwrap();
        let path: Vec<&str> = request.path().split('/').skip(1).collect();
        if path == ["health"] {
            return Some((200, Json::Null));
        }
        let hole = *self.hole.lock().unwrap();
        let key = request
            .header("authorization")
            .map(|value| value.replace("Bearer ", ""));
        let caller = key.as_deref().map_or(Json::Null, |key| self.member(key));
        if hole == "anonymous-allowed" && key.is_none() && method == "GET" {
            return Some((200, Json::Null));
        }
        let is_forgotten = hole == "denied-everywhere" && caller["rank"] == "reader";
        match (&key, &caller) {
            (None, _) => return Some(refusal(401, "no credential")),
            (Some(_), Json::Null) => return Some(refusal(401, "no such credential")),
            _ if is_forgotten => return Some(refusal(401, "no such credential")),
            _ => {}
        }
        match path.as_slice() {
            ["me"] => Some((200, Json::Null)),
            ["shelf", id] => Some(Self::shelf(&Call {
                hole,
                caller: &caller,
                letter: &self.letter(id),
            })),
            ["members", id, "key"] => Some(self.rotate(hole, &caller, id)),
            ["letters" | "letter", id] => {
                let letter = self.letter(id);
                let call = Call {
                    hole,
                    caller: &caller,
                    letter: &letter,
                };
                if method == "GET" {
                    if hole == "unrepeated-write" && !self.was_visited.swap(true, Relaxed) {
                        self.database.change("insert into visit default values");
                    }
                    self.read(&call)
                } else {
                    Some(self.write(&call, key.as_deref().unwrap_or_default()))
                }
            }
            path => panic!("there is no {path:?}"),
        }
    }

    fn member(&self, key: &str) -> Json {
        let token = hex::encode(Sha256::digest(key));
        if self.old_tokens.lock().unwrap().contains(&token) {
            return json!({"rank": "old"});
        }
        self.database.ask(
            "select to_jsonb(member) from member where token = $1",
            &[&token],
        )
    }

    fn letter(&self, id: &str) -> Json {
        self.database.ask(
            "select to_jsonb(letter) from letter where letter_id = $1",
            &[id],
        )
    }

    /// What a member who is found by its rank has in a column.
    fn of(&self, rank: &str, column: &str) -> Json {
        let sql = format!("select to_jsonb({column}) from member where rank = $1");
        self.database.ask(&sql, &[rank])
    }

    fn read(&self, call: &Call<'_>) -> Reply {
        match (call.hole, call.rank()) {
            ("widened", "reader") if call.letter["club"] == call.caller["club"] => {}
            ("narrowed", "writer") | ("inversion", "chair") => {
                return Some(not_yours(call.hole));
            }
            ("fault-changed" | "no-answer", "writer") => return None,
            ("gate-changed", "reader") => return Some(refusal(403, "the letter is closed")),
            ("server-error", "reader") => return Some(refusal(500, "an exception")),
            ("status-differs", "reader") => return Some(refusal(404, "not yours")),
            _ if !call.is_allowed() => {
                return Some(not_yours(call.hole));
            }
            _ => {}
        }
        let mut body = json!({
            "letter_id": call.letter["letter_id"],
            "owner": call.letter["owner"],
            "title": call.letter["title"],
        });
        match call.hole {
            "disclosure-widened" if call.caller["club"] == "a" => {
                body["title"] = self.of("reader", "member_id");
            }
            "disclosure-narrowed" => body["owner"] = json!("somebody"),
            "other-tenant-disclosed" if call.caller["club"] == "a" => {
                body["title"] = self.of("stranger", "member_id");
            }
            "others-secret-disclosed" if call.rank() == "chair" => {
                body["title"] = self.of("writer", "pin");
            }
            "shape-changed" => body["pages"] = Json::Null,
            _ => {}
        }
        let status = if call.hole == "status-changed" {
            203
        } else {
            200
        };
        Some((status, body))
    }

    /// What stands beside a letter.
    fn shelf(call: &Call<'_>) -> (u16, Json) {
        if !call.is_allowed() {
            return refusal(403, "not yours");
        }
        let own = json!({"letter": call.letter["letter_id"], "year": 1999});
        let old = json!({"letter": "an old one", "year": 1900});
        let has = |hole: &str| call.hole == hole;
        let beside = if has("list-shows-more") {
            vec![own.clone(), old.clone()]
        } else {
            vec![own.clone()]
        };
        let below = if has("list-shows-less") {
            vec![own]
        } else {
            vec![own, old]
        };
        let place = if has("value-changed") {
            "attic"
        } else {
            "hall"
        };
        let lent_to = has("value-shown").then_some("the archive");
        let room = (!has("value-hidden")).then_some(7);
        let body = json!({"beside": beside, "below": below, "is_locked": !has("flag-turned"), "lent_to": lent_to,
            "place": place, "room": room});
        (200, body)
    }

    fn write(&self, call: &Call<'_>, key: &str) -> (u16, Json) {
        let is_late = matches!(call.hole, "wrote-while-denied" | "denied-but-wrote");
        if !call.is_allowed() && !is_late {
            return refusal(403, "not yours");
        }
        let id = &call.letter["letter_id"].as_str().unwrap();
        let own = &call.caller["member_id"].as_str().unwrap();
        let (note, more) = match call.hole {
            "effect-changed" => ("read", String::new()),
            "secret-at-rest" => (key, String::new()),
            "world-changed" => (
                "",
                format!("update member set seen = seen + 1 where member_id = '{own}'"),
            ),
            _ => ("", String::new()),
        };
        if call.hole != "allowed-without-effect" || call.rank() != "chair" {
            self.database.change(&format!(
                "update letter set title = 'Greetings', note = '{note}' where letter_id = '{id}'; {more}"
            ));
        }
        if call.is_allowed() {
            (200, json!({"letter_id": id}))
        } else {
            refusal(403, "not yours")
        }
    }

    fn rotate(&self, hole: &str, caller: &Json, id: &str) -> (u16, Json) {
        if caller["rank"] != "chair" {
            return refusal(403, "only the chair gives keys");
        }
        let key = format!("lk-{}", random(20));
        let token = hex::encode(Sha256::digest(&key));
        if hole == "probe-changed" {
            let old = self.database.ask(
                "select to_jsonb(token) from member where member_id = $1",
                &[id],
            );
            let old = old.as_str().unwrap().to_owned();
            self.old_tokens.lock().unwrap().insert(old);
        }
        self.database.change(&format!(
            "update member set token = '{token}' where member_id = '{id}'"
        ));
        (200, json!({ "key": key }))
    }
}
