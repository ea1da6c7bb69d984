//! A service that reads its database once and answers from memory, whose callers can end their session, delete themselves
//! and promote themselves. Its database session idles in a transaction.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use authz_pin::embedded::Cluster;
use authz_pin::template::random;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use diesel::sql_types::Text;
use diesel::{QueryableByName, sql_query};
use diesel_async::{
    AsyncConnection as _, AsyncPgConnection, RunQueryDsl as _, SimpleAsyncConnection as _,
};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::served::{runtime, serve};

const TABLES: &str = "
    create table member (id text primary key, token text not null, role text not null);
    create table session (token text primary key, member text not null);
    create table seat (id text primary key, member text not null, note text);
    create table reset (said text not null);
    insert into member values ('old', 'mt-old', 'member');
    insert into seat values ('first', 'old', null)";

/// How its session idles: in a transaction in which it has read a table, as one of an object-relational mapper does.
const IDLE: &str = "begin; select count(*) from seat";

/// What it has read from its database, or written there since.
#[derive(Default)]
struct Memory {
    /// Whose a seat is.
    seats: BTreeMap<String, String>,
    /// Who has been promoted.
    admins: BTreeSet<String>,
    resets: usize,
    hole: &'static str,
}

struct Club {
    memory: Mutex<Memory>,
    database: tokio::sync::Mutex<AsyncPgConnection>,
}

type Shared = State<Arc<Club>>;

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

/// The service on a port and a database of its own.
pub(crate) struct Served {
    club: Arc<Club>,
    address: SocketAddr,
    runtime: Runtime,
    pub(crate) database_url: String,
    _cluster: Cluster,
}

impl Served {
    pub(crate) fn start() -> Self {
        let runtime = runtime();
        let cluster = Cluster::start().unwrap();
        let database_url = runtime.block_on(cluster.create_database("club_test"));
        let database_url = database_url.unwrap();
        let connection = runtime.block_on(async {
            let mut connection = AsyncPgConnection::establish(&database_url).await.unwrap();
            connection.batch_execute(TABLES).await.unwrap();
            connection
        });
        let club = Arc::new(Club {
            memory: Mutex::default(),
            database: tokio::sync::Mutex::new(connection),
        });
        runtime.block_on(club.read());
        let address = serve(&runtime, routes().with_state(Arc::clone(&club)));
        Self {
            club,
            address,
            runtime,
            database_url,
            _cluster: cluster,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn have(&self, hole: &'static str) {
        self.club.memory.lock().unwrap().hole = hole;
    }

    /// How often it has read its database again.
    pub(crate) fn resets(&self) -> usize {
        self.club.memory.lock().unwrap().resets
    }

    /// What its memory has.
    pub(crate) fn seats(&self) -> usize {
        self.club.memory.lock().unwrap().seats.len()
    }

    /// Every row of every table, by a connection of its own.
    pub(crate) fn rows(&self) -> Vec<String> {
        let query = "select 'member ' || t::text as line from member t union all
            select 'session ' || t::text from session t union all
            select 'seat ' || t::text from seat t union all
            select 'reset ' || t::text from reset t order by 1";
        self.runtime.block_on(async {
            let mut connection = AsyncPgConnection::establish(&self.database_url)
                .await
                .unwrap();
            let lines: Vec<Line> = sql_query(query).load(&mut connection).await.unwrap();
            lines.into_iter().map(|line| line.line).collect()
        })
    }
}

fn routes() -> Router<Arc<Club>> {
    Router::new()
        .route("/health", get(async || "well"))
        .route("/reset", post(reset))
        .route("/members", post(make_member))
        .route("/members/{id}", delete(remove_member))
        .route("/sessions", post(open_session))
        .route("/logout", post(end_session))
        .route("/me", get(show_me).delete(delete_me).patch(promote_me))
        .route("/seats", post(take_seat))
        .route("/seats/{id}", delete(leave_seat))
}

fn refused(status: StatusCode, why: &str) -> Response {
    (status, Json(json!({ "error": why }))).into_response()
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers
        .get("authorization")?
        .to_str()
        .ok()?
        .strip_prefix("Bearer ")
}

impl Club {
    /// Reads the database, and forgets what it knew.
    async fn read(&self) {
        let seats = self
            .lines("select id || ' ' || member as line from seat")
            .await;
        let seats = seats.iter().filter_map(|line| line.split_once(' '));
        let seats = seats.map(|(id, member)| (id.to_owned(), member.to_owned()));
        let mut memory = self.memory.lock().unwrap();
        memory.seats = seats.collect();
        memory.admins.clear();
    }

    async fn lines(&self, query: &str) -> Vec<String> {
        let mut connection = self.database.lock().await;
        connection.batch_execute("commit").await.unwrap();
        let lines: Vec<Line> = sql_query(query).load(&mut *connection).await.unwrap();
        connection.batch_execute(IDLE).await.unwrap();
        lines.into_iter().map(|line| line.line).collect()
    }

    /// Writes, and then idles in a transaction.
    async fn write(&self, sql: &str) {
        let sql = format!("commit; begin; {sql}; commit; {IDLE}");
        let mut connection = self.database.lock().await;
        connection.batch_execute(&sql).await.unwrap();
    }

    /// Who calls: nobody, the admin from outside, or a member by its token or its session's.
    async fn caller(&self, headers: &HeaderMap) -> Option<String> {
        let token = bearer(headers)?;
        if token == "nobody-knows-this" {
            return Some("admin".to_owned());
        }
        let query = format!(
            "select id as line from member where token = '{token}'
             union all select member from session where token = '{token}'"
        );
        self.lines(&query).await.pop()
    }

    async fn is_admin(&self, headers: &HeaderMap) -> bool {
        self.caller(headers).await.as_deref() == Some("admin")
    }
}

async fn reset(State(club): Shared, headers: HeaderMap) -> Response {
    if !club.is_admin(&headers).await {
        return refused(StatusCode::FORBIDDEN, "only admin");
    }
    let hole = club.memory.lock().unwrap().hole;
    if hole == "no reset" {
        let said = format!("not now, {}", bearer(&headers).unwrap());
        return refused(StatusCode::INTERNAL_SERVER_ERROR, &said);
    }
    club.write("insert into reset values ('by somebody')").await;
    club.read().await;
    club.memory.lock().unwrap().resets += 1;
    StatusCode::NO_CONTENT.into_response()
}

async fn make_member(State(club): Shared, headers: HeaderMap, Json(body): Json<Value>) -> Response {
    if !club.is_admin(&headers).await {
        return refused(StatusCode::FORBIDDEN, "only admin");
    }
    let (id, token) = (random(14), format!("mt-{}", random(24)));
    let name = body["name"].as_str().unwrap();
    // The name is the run's, and everything else the service's.
    club.write(&format!(
        "insert into member values ('{id}', '{token}', 'member'), ('name-{id}', '{name}', 'name')"
    ))
    .await;
    (StatusCode::CREATED, Json(json!({"id": id, "token": token}))).into_response()
}

async fn remove_member(
    State(club): Shared,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    if !club.is_admin(&headers).await {
        return refused(StatusCode::FORBIDDEN, "only admin");
    }
    club.write(&format!(
        "delete from member where id in ('{id}', 'name-{id}')"
    ))
    .await;
    club.write("insert into reset values ('a member is gone')")
        .await;
    StatusCode::NO_CONTENT.into_response()
}

async fn open_session(State(club): Shared, Json(body): Json<Value>) -> Response {
    let token = body["token"].as_str().unwrap();
    let query = format!("select id as line from member where token = '{token}'");
    let Some(member) = club.lines(&query).await.pop() else {
        return refused(StatusCode::UNAUTHORIZED, "who are you");
    };
    let session = random(30);
    club.write(&format!(
        "insert into session values ('{session}', '{member}')"
    ))
    .await;
    Json(json!({ "session": session })).into_response()
}

async fn end_session(State(club): Shared, headers: HeaderMap) -> Response {
    if club.caller(&headers).await.is_none() {
        return refused(StatusCode::UNAUTHORIZED, "who are you");
    }
    let token = bearer(&headers).unwrap();
    club.write(&format!("delete from session where token = '{token}'"))
        .await;
    StatusCode::NO_CONTENT.into_response()
}

async fn show_me(State(club): Shared, headers: HeaderMap) -> Response {
    let Some(id) = club.caller(&headers).await else {
        return refused(StatusCode::UNAUTHORIZED, "who are you");
    };
    let memory = club.memory.lock().unwrap();
    let seats = memory.seats.iter().filter(|(_, member)| **member == id);
    let seats: Vec<_> = seats.map(|(seat, _)| json!({"seat": seat})).collect();
    Json(json!({"id": id, "seats": seats})).into_response()
}

async fn delete_me(State(club): Shared, headers: HeaderMap) -> Response {
    let Some(id) = club.caller(&headers).await else {
        return refused(StatusCode::UNAUTHORIZED, "who are you");
    };
    club.write(&format!(
        "delete from session where member = '{id}'; delete from member where id = '{id}'"
    ))
    .await;
    StatusCode::NO_CONTENT.into_response()
}

async fn promote_me(State(club): Shared, headers: HeaderMap) -> Response {
    let Some(id) = club.caller(&headers).await else {
        return refused(StatusCode::UNAUTHORIZED, "who are you");
    };
    if !club.memory.lock().unwrap().admins.insert(id.clone()) {
        return refused(StatusCode::CONFLICT, "an admin already");
    }
    club.write(&format!(
        "update member set role = 'admin' where id = '{id}'"
    ))
    .await;
    Json(json!({"id": id, "role": "admin"})).into_response()
}

async fn take_seat(State(club): Shared, headers: HeaderMap, Json(body): Json<Value>) -> Response {
    let Some(id) = club.caller(&headers).await else {
        return refused(StatusCode::UNAUTHORIZED, "who are you");
    };
    let (seat, note) = (random(12), body["note"].as_str().unwrap());
    club.write(&format!(
        "insert into seat values ('{seat}', '{id}', '{note}')"
    ))
    .await;
    let is_slow = {
        let mut memory = club.memory.lock().unwrap();
        memory.seats.insert(seat.clone(), id);
        memory.hole == "slow"
    };
    if is_slow {
        tokio::time::sleep(Duration::from_secs(3)).await;
    }
    (StatusCode::CREATED, Json(json!({ "id": seat }))).into_response()
}

async fn leave_seat(State(club): Shared, Path(seat): Path<String>, headers: HeaderMap) -> Response {
    if !club.is_admin(&headers).await {
        return refused(StatusCode::FORBIDDEN, "only admin");
    }
    if club.memory.lock().unwrap().hole == "no leaving" {
        let said = format!("seat {seat} is nailed down");
        return refused(StatusCode::CONFLICT, &said);
    }
    club.memory.lock().unwrap().seats.remove(&seat);
    club.write(&format!("delete from seat where id = '{seat}'"))
        .await;
    // A transaction of its own that holds nothing of the run.
    club.write("insert into reset values ('a seat is free')")
        .await;
    StatusCode::NO_CONTENT.into_response()
}
