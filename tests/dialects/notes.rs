//! A service whose people write notes, in either dialect.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

use crate::session::{Database, Dialect, runtime};

const TABLES: &str = "
    create table person (id text primary key, token text not null, role text not null default 'member');
    create table note (
      id text primary key, owner text not null references person (id) on delete cascade, title text,
      stars integer not null default 0, weight {double precision|real}, flagged boolean not null default false,
      tags {jsonb|text} not null default '[]');
    create table mark (note text not null references note (id) on delete cascade, word text not null, primary key (note, word));
    create table log (n {serial|integer} primary key{| autoincrement}, who text, what text);
    create table ticket (id {serial|integer} primary key, owner text not null references person (id) on delete cascade, title text);
    insert into person (id, token) values ('old', 'token-of-old');
    insert into note (id, owner, title, weight) values ('first', 'old', 'kept', 1.5);
    insert into mark values ('first', 'kept')";

/// Every row of every table.
const CONTENT: [&str; 5] = [
    "select {jsonb_build|json}_object('id', id, 'token', token, 'role', role) as line from person order by id",
    "select {jsonb_build|json}_object('id', id, 'owner', owner, 'title', title, 'stars', stars, 'weight', weight, 'flagged', flagged, 'tags', tags) as line from note order by id",
    "select {jsonb_build|json}_object('note', note, 'word', word) as line from mark order by note, word",
    "select {jsonb_build|json}_object('owner', owner, 'title', title) as line from ticket order by id",
    "select {jsonb_build|json}_object('who', who, 'what', what) as line from log order by n",
];

struct Shared {
    database: Mutex<Database>,
    hole: AtomicBool,
}

type Service = State<Arc<Shared>>;

/// The service on a port of its own.
pub(crate) struct Notes {
    shared: Arc<Shared>,
    address: SocketAddr,
    server: JoinHandle<()>,
}

impl Notes {
    pub(crate) fn start(dialect: Dialect) -> Self {
        let mut database = Database::new(dialect);
        runtime().block_on(database.execute(TABLES));
        let shared = Arc::new(Shared {
            database: Mutex::new(database),
            hole: AtomicBool::new(false),
        });
        let routes = Router::new()
            .route("/ready", get(|| async { "ready" }))
            .route("/notes", get(list).post(create))
            .route("/notes/{id}", get(read).patch(star).delete(delete))
            .route("/tickets", post(open))
            .route("/tickets/{id}", get(ticket).delete(close))
            .with_state(Arc::clone(&shared));
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let server = runtime().spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            axum::serve(listener, routes).await.unwrap();
        });
        Self {
            shared,
            address,
            server,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn database_url(&self) -> String {
        self.shared.database.blocking_lock().url()
    }

    /// From here on everybody may read and star every note.
    pub(crate) fn open_hole(&self) {
        self.shared.hole.store(true, Ordering::Relaxed);
    }

    pub(crate) fn content(&self) -> Vec<Vec<Value>> {
        let mut database = self.shared.database.blocking_lock();
        let all = CONTENT.map(|query| runtime().block_on(database.rows(query)));
        all.into()
    }
}

impl Drop for Notes {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn refused(status: StatusCode, why: &str) -> Response {
    (status, Json(json!({ "error": why }))).into_response()
}

/// A text as a literal.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Who calls, with the role.
async fn caller(database: &mut Database, headers: &HeaderMap) -> Option<(String, String)> {
    let token = headers.get("authorization")?.to_str().ok()?;
    let token = quoted(token.strip_prefix("Bearer ")?);
    let query = format!(
        "select {{jsonb_build|json}}_object('id', id, 'role', role) as line from person where token = {token}"
    );
    let person = database.rows(&query).await.pop()?;
    let [id, role] = ["id", "role"].map(|key| person[key].as_str().unwrap().to_owned());
    Some((id, role))
}

/// The note, if the caller may see it; what is answered otherwise.
async fn seen(
    shared: &Shared,
    database: &mut Database,
    headers: &HeaderMap,
    id: &str,
) -> Result<(String, Value), Box<Response>> {
    let Some((who, role)) = caller(database, headers).await else {
        return Err(Box::new(refused(StatusCode::UNAUTHORIZED, "who are you")));
    };
    let query = format!(
        "select {{jsonb_build|json}}_object('id', id, 'owner', owner, 'title', title, 'stars', stars, 'weight', weight) as line from note where id = {}",
        quoted(id)
    );
    let Some(note) = database.rows(&query).await.pop() else {
        return Err(Box::new(refused(StatusCode::NOT_FOUND, "no such note")));
    };
    let is_allowed =
        note["owner"] == *who || role == "admin" || shared.hole.load(Ordering::Relaxed);
    if is_allowed {
        return Ok((who, note));
    }
    Err(Box::new(refused(StatusCode::FORBIDDEN, "not your note")))
}

async fn log(database: &mut Database, who: &str, what: &str) {
    let (who, what) = (quoted(who), quoted(what));
    let sql = format!("insert into log (who, what) values ({who}, {what})");
    database.execute(&sql).await;
}

async fn read(State(shared): Service, headers: HeaderMap, Path(id): Path<String>) -> Response {
    let database = &mut *shared.database.lock().await;
    match seen(&shared, database, &headers, &id).await {
        Ok((_, note)) => Json(note).into_response(),
        Err(refused) => *refused,
    }
}

async fn star(State(shared): Service, headers: HeaderMap, Path(id): Path<String>) -> Response {
    let database = &mut *shared.database.lock().await;
    let (who, _) = match seen(&shared, database, &headers, &id).await {
        Ok(seen) => seen,
        Err(refused) => return *refused,
    };
    let note = quoted(&id);
    // Replacing a row that is there fires no trigger for its end in SQLite.
    let sql = format!(
        "update note set stars = stars + 1, flagged = true, weight = 3, tags = '[\"a\"]' where id = {note};
         {{delete from mark where note = {note} and word = 'first'; insert into mark|insert or replace into mark}} values ({note}, 'first')"
    );
    database.execute(&sql).await;
    log(database, &who, &format!("star {id}")).await;
    Json(json!({ "starred": id })).into_response()
}

async fn delete(State(shared): Service, headers: HeaderMap, Path(id): Path<String>) -> Response {
    let database = &mut *shared.database.lock().await;
    let (who, _) = match seen(&shared, database, &headers, &id).await {
        Ok(seen) => seen,
        Err(refused) => return *refused,
    };
    let sql = format!("delete from note where id = {}", quoted(&id));
    database.execute(&sql).await;
    log(database, &who, &format!("delete {id}")).await;
    StatusCode::NO_CONTENT.into_response()
}

async fn list(State(shared): Service, headers: HeaderMap) -> Response {
    let database = &mut *shared.database.lock().await;
    let Some((who, role)) = caller(database, &headers).await else {
        return refused(StatusCode::UNAUTHORIZED, "who are you");
    };
    let whose = if role == "admin" {
        "true".to_owned()
    } else {
        format!("owner = {}", quoted(&who))
    };
    let query = format!(
        "select {{jsonb_build|json}}_object('id', id, 'owner', owner) as line from note where {whose} order by id"
    );
    Json(database.rows(&query).await).into_response()
}

async fn create(State(shared): Service, headers: HeaderMap, Json(body): Json<Value>) -> Response {
    let database = &mut *shared.database.lock().await;
    let Some((who, role)) = caller(database, &headers).await else {
        return refused(StatusCode::UNAUTHORIZED, "who are you");
    };
    let owner = body["owner"].as_str().unwrap_or(&who);
    if owner != who && role != "admin" {
        return refused(StatusCode::FORBIDDEN, "not in somebody else's name");
    }
    let id = body["id"].as_str().unwrap();
    let sql = format!(
        "insert into note (id, owner, title) values ({}, {}, 'new')",
        quoted(id),
        quoted(owner)
    );
    database.execute(&sql).await;
    log(database, &who, &format!("create {id}")).await;
    (StatusCode::CREATED, Json(json!({ "id": id }))).into_response()
}

/// Opens a ticket, which the database numbers.
async fn open(State(shared): Service, headers: HeaderMap) -> Response {
    let database = &mut *shared.database.lock().await;
    let Some((who, _)) = caller(database, &headers).await else {
        return refused(StatusCode::UNAUTHORIZED, "who are you");
    };
    let sql = format!(
        "insert into ticket (owner, title) values ({}, 'help')",
        quoted(&who)
    );
    database.execute(&sql).await;
    let last = "select {jsonb_build|json}_object('id', max(id)) as line from ticket";
    let made = database.rows(last).await.pop().unwrap();
    log(database, &who, &format!("open {}", made["id"])).await;
    (StatusCode::CREATED, Json(made)).into_response()
}

/// A ticket, if the caller may see it.
async fn of_ticket(
    database: &mut Database,
    headers: &HeaderMap,
    id: i64,
) -> Result<(String, Value), Box<Response>> {
    let Some((who, role)) = caller(database, headers).await else {
        return Err(Box::new(refused(StatusCode::UNAUTHORIZED, "who are you")));
    };
    let query = format!(
        "select {{jsonb_build|json}}_object('id', id, 'owner', owner, 'title', title) as line from ticket where id = {id}"
    );
    match database.rows(&query).await.pop() {
        None => Err(Box::new(refused(StatusCode::NOT_FOUND, "no such ticket"))),
        Some(ticket) if ticket["owner"] == *who || role == "admin" => Ok((who, ticket)),
        Some(_) => Err(Box::new(refused(StatusCode::FORBIDDEN, "not your ticket"))),
    }
}

async fn ticket(State(shared): Service, headers: HeaderMap, Path(id): Path<i64>) -> Response {
    let database = &mut *shared.database.lock().await;
    match of_ticket(database, &headers, id).await {
        Ok((_, ticket)) => Json(ticket).into_response(),
        Err(refused) => *refused,
    }
}

async fn close(State(shared): Service, headers: HeaderMap, Path(id): Path<i64>) -> Response {
    let database = &mut *shared.database.lock().await;
    let (who, _) = match of_ticket(database, &headers, id).await {
        Ok(seen) => seen,
        Err(refused) => return *refused,
    };
    database
        .execute(&format!("delete from ticket where id = {id}"))
        .await;
    log(database, &who, &format!("close {id}")).await;
    StatusCode::NO_CONTENT.into_response()
}
