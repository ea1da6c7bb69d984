//! A service that checks what it is sent, and that makes all identifiers by itself.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use authz_pin::template::random;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use diesel::sql_types::BigInt;
use diesel::{QueryableByName, sql_query};
use diesel_async::{
    AsyncConnection as _, AsyncPgConnection, RunQueryDsl as _, SimpleAsyncConnection as _,
};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::served::{runtime, serve};

pub(crate) const PASSWORD: &str = "nobody-knows-this";

const TABLES: &str = "
    create table thing (path text primary key, owner text not null, name text not null);
    create table sum (things integer not null);
    insert into sum values (0);
    create table audit (said text not null)";

/// What the service holds: whatever has a path, by it.
#[derive(Default)]
pub(crate) struct Things {
    all: BTreeMap<String, Thing>,
    /// How many users were asked for, and how many things were removed.
    started: usize,
    removed: usize,
    /// The last number that was given, where things have numbers.
    number: Option<usize>,
    /// Whom a session's token is of.
    sessions: BTreeMap<String, String>,
    /// What goes wrong from now on.
    hole: &'static str,
    /// The schema of the trails, where there are any.
    trails: Option<&'static str>,
}

struct Thing {
    owner: String,
    key: String,
    asked: usize,
}

struct Desk {
    things: Mutex<Things>,
    database: Option<tokio::sync::Mutex<AsyncPgConnection>>,
}

type Shared = State<Arc<Desk>>;

#[derive(QueryableByName)]
struct Counts {
    #[diesel(sql_type = BigInt)]
    things: i64,
    #[diesel(sql_type = BigInt)]
    sum: i64,
    #[diesel(sql_type = BigInt)]
    audits: i64,
}

/// The service on a port of its own.
pub(crate) struct Served {
    desk: Arc<Desk>,
    address: SocketAddr,
    runtime: Runtime,
}

impl Served {
    /// One that holds everything in memory.
    pub(crate) fn start() -> Self {
        Self::on(None)
    }

    /// One that writes down in a database what it holds.
    pub(crate) fn with_database(url: &str) -> Self {
        Self::on(Some(url))
    }

    fn on(database_url: Option<&str>) -> Self {
        let runtime = runtime();
        let database = database_url.map(|url| {
            runtime.block_on(async {
                let mut connection = AsyncPgConnection::establish(url).await.unwrap();
                connection.batch_execute(TABLES).await.unwrap();
                tokio::sync::Mutex::new(connection)
            })
        });
        let desk = Arc::new(Desk {
            things: Mutex::default(),
            database,
        });
        let address = serve(&runtime, routes().with_state(Arc::clone(&desk)));
        Self {
            desk,
            address,
            runtime,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Gives things numbers from now on, as a database counts them.
    pub(crate) fn count_from(&self, number: usize) {
        self.desk.things.lock().unwrap().number = Some(number);
    }

    pub(crate) fn have(&self, hole: &'static str) {
        self.desk.things.lock().unwrap().hole = hole;
    }

    /// From now on each thing has a trail in this schema, which refers to it by a number that nobody is told.
    pub(crate) fn keep_trails(&self, schema: &'static str) {
        let sql = format!(
            "create schema if not exists {schema};
             alter table thing add number bigint generated always as identity unique;
             create table {schema}.trail (thing bigint references thing (number) on delete cascade)"
        );
        self.runtime.block_on(self.desk.write(&sql));
        self.desk.things.lock().unwrap().trails = Some(schema);
    }

    /// How many rows the tables have, and what the sum says.
    pub(crate) fn rows(&self) -> (i64, i64, i64) {
        let Some(database) = &self.desk.database else {
            return (0, 0, 0);
        };
        let query = "select (select count(*) from thing) as things, (select things from sum)::bigint as sum,
            (select count(*) from audit) as audits";
        let counts: Counts = self.runtime.block_on(async {
            let mut connection = database.lock().await;
            sql_query(query).get_result(&mut *connection).await.unwrap()
        });
        (counts.things, counts.sum, counts.audits)
    }

    /// How many users were asked for.
    pub(crate) fn started(&self) -> usize {
        self.desk.things.lock().unwrap().started
    }

    /// How many things were removed.
    pub(crate) fn removed(&self) -> usize {
        self.desk.things.lock().unwrap().removed
    }

    /// The paths of what is there.
    pub(crate) fn paths(&self) -> Vec<String> {
        let things = self.desk.things.lock().unwrap();
        things.all.keys().cloned().collect()
    }
}

fn routes() -> Router<Arc<Desk>> {
    Router::new()
        .route("/health", get(async || "well"))
        .route("/users", post(make_user))
        .route("/users/{id}", get(show_user).delete(remove_by_admin))
        .route("/sessions", post(open_session))
        .route("/projects", post(make_project))
        .route("/projects/{id}", get(show_project).delete(remove_project))
        .route("/notes", post(make_note))
        .route("/notes/{id}", delete(remove_by_admin))
}

fn refused(status: StatusCode, why: &str) -> Response {
    (status, Json(json!({ "error": why }))).into_response()
}

/// An identifier as JSON.
fn value(id: &str) -> Value {
    id.parse::<u64>().map_or_else(|_| json!(id), |id| json!(id))
}

fn is_admin(headers: &HeaderMap) -> bool {
    let expected = format!("Basic {}", STANDARD.encode(format!("admin:{PASSWORD}")));
    headers
        .get("authorization")
        .is_some_and(|value| *value == *expected)
}

impl Desk {
    fn hole(&self) -> &'static str {
        self.things.lock().unwrap().hole
    }

    /// Who has the key of the call.
    fn caller(&self, headers: &HeaderMap) -> Option<String> {
        if is_admin(headers) {
            return Some("admin".to_owned());
        }
        let things = self.things.lock().unwrap();
        if let Some(token) = headers.get("authorization") {
            let token = token.to_str().ok()?.strip_prefix("Bearer ")?;
            return things.sessions.get(token).cloned();
        }
        let key = headers.get("x-key")?.to_str().ok()?;
        let mut users = things.all.iter();
        let user = users.find(|(_, thing)| !thing.key.is_empty() && thing.key == key);
        user.map(|(path, _)| path.clone())
    }

    /// Makes a thing, whose row holds nothing that the caller has sent but its name.
    async fn make(&self, folder: &str, owner: &str, key: &str, name: &str) -> String {
        let path = format!("/{folder}/{}", self.identifier());
        let thing = Thing {
            owner: owner.to_owned(),
            key: key.to_owned(),
            asked: 0,
        };
        self.things.lock().unwrap().all.insert(path.clone(), thing);
        self.write(&format!(
            "insert into thing values ('{path}', '{owner}', '{name}');
             update sum set things = things + 1"
        ))
        .await;
        // A transaction of its own that holds nothing of the run.
        self.write(&format!("insert into audit values ('one of {folder}')"))
            .await;
        let trails = self.things.lock().unwrap().trails;
        if let Some(schema) = trails {
            self.write(&format!(
                "insert into {schema}.trail select number from thing where path = '{path}'"
            ))
            .await;
        }
        path
    }

    fn identifier(&self) -> String {
        let mut things = self.things.lock().unwrap();
        match &mut things.number {
            Some(number) => {
                *number += 1;
                number.to_string()
            }
            None => random(12),
        }
    }

    async fn write(&self, sql: &str) {
        if let Some(database) = &self.database {
            let sql = format!("begin; {sql}; commit");
            database.lock().await.batch_execute(&sql).await.unwrap();
        }
    }

    fn has(&self, path: &str) -> Option<String> {
        let things = self.things.lock().unwrap();
        things.all.get(path).map(|thing| thing.owner.clone())
    }

    async fn remove(&self, path: &str) -> Response {
        if self.hole() == "cannot delete" {
            return refused(StatusCode::CONFLICT, "in use");
        }
        {
            let mut things = self.things.lock().unwrap();
            things.all.remove(path);
            things.removed += 1;
        }
        self.write(&format!(
            "delete from thing where path = '{path}'; update sum set things = things - 1"
        ))
        .await;
        StatusCode::NO_CONTENT.into_response()
    }
}

async fn make_user(State(desk): Shared, headers: HeaderMap, Json(body): Json<Value>) -> Response {
    let key = format!("dk-{}", random(24));
    desk.things.lock().unwrap().started += 1;
    if !is_admin(&headers) || desk.hole() == "no users" {
        // It says more than it should.
        let body = json!({"error": "only admin makes users", "got": body});
        let cookie = format!("key={key}");
        return (
            StatusCode::FORBIDDEN,
            [("set-cookie", cookie)],
            format!("{body} {key}"),
        )
            .into_response();
    }
    if desk.hole() == "too many" {
        return refused(StatusCode::TOO_MANY_REQUESTS, "too many requests");
    }
    if desk.hole() == "slow" {
        tokio::time::sleep(Duration::from_millis(800)).await;
    }
    let path = desk
        .make("users", "admin", &key, body["name"].as_str().unwrap())
        .await;
    let cookie = format!("key={key}; Path=/; HttpOnly");
    let headers = [("location", path), ("set-cookie", cookie)];
    (
        StatusCode::CREATED,
        headers,
        Json(json!({"state": "pending"})),
    )
        .into_response()
}

/// A session, whose row holds nothing that anybody knows.
async fn open_session(State(desk): Shared, headers: HeaderMap) -> Response {
    let Some(user) = desk.caller(&headers) else {
        return refused(StatusCode::UNAUTHORIZED, "who are you");
    };
    let token = random(30);
    {
        let mut things = desk.things.lock().unwrap();
        things.sessions.insert(token.clone(), user);
    }
    desk.write("insert into audit values ('a session')").await;
    Json(json!({ "token": token })).into_response()
}

async fn show_user(State(desk): Shared, Path(id): Path<String>, headers: HeaderMap) -> Response {
    let is_never = desk.hole() == "never ready";
    let mut things = desk.things.lock().unwrap();
    let thing = things.all.get_mut(&format!("/users/{id}"));
    let Some(thing) = thing.filter(|_| is_admin(&headers)) else {
        return refused(StatusCode::NOT_FOUND, "no such user");
    };
    thing.asked += 1;
    let state = if thing.asked > 2 && !is_never {
        "ready"
    } else {
        "pending"
    };
    Json(json!({"state": state, "key": thing.key})).into_response()
}

async fn make_project(
    State(desk): Shared,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    let Some(owner) = desk.caller(&headers) else {
        return refused(StatusCode::UNAUTHORIZED, "who are you");
    };
    if let Some(note) = body["note"].as_str()
        && desk.has(&format!("/notes/{note}")).is_none()
    {
        return refused(StatusCode::BAD_REQUEST, "no such note");
    }
    let name = body["name"].as_str().unwrap();
    let path = desk.make("projects", &owner, "", name).await;
    let id = path.trim_start_matches("/projects/");
    (
        StatusCode::CREATED,
        Json(json!({"id": value(id), "owner": owner})),
    )
        .into_response()
}

async fn show_project(State(desk): Shared, Path(id): Path<String>, headers: HeaderMap) -> Response {
    match (desk.caller(&headers), desk.has(&format!("/projects/{id}"))) {
        (None, _) => refused(StatusCode::UNAUTHORIZED, "who are you"),
        (_, None) => refused(StatusCode::NOT_FOUND, "no such project"),
        (Some(caller), Some(owner)) if caller == owner || caller == "admin" => {
            Json(json!({"id": value(&id), "owner": owner})).into_response()
        }
        _ => refused(StatusCode::FORBIDDEN, &format!("project {id} is not yours")),
    }
}

async fn remove_project(
    State(desk): Shared,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    let path = format!("/projects/{id}");
    match (desk.caller(&headers), desk.has(&path)) {
        (None, _) => refused(StatusCode::UNAUTHORIZED, "who are you"),
        (_, None) => refused(StatusCode::NOT_FOUND, "no such project"),
        (Some(caller), Some(owner)) if caller == owner || caller == "admin" => {
            desk.remove(&path).await
        }
        _ => refused(StatusCode::FORBIDDEN, "not yours"),
    }
}

async fn make_note(State(desk): Shared, headers: HeaderMap, Json(body): Json<Value>) -> Response {
    if !is_admin(&headers) {
        return refused(StatusCode::FORBIDDEN, "only admin");
    }
    let text = body["text"].as_str().unwrap();
    let path = desk.make("notes", "admin", "", text).await;
    Json(json!({"id": value(path.trim_start_matches("/notes/"))})).into_response()
}

async fn remove_by_admin(
    State(desk): Shared,
    uri: axum::http::Uri,
    headers: HeaderMap,
) -> Response {
    if !is_admin(&headers) {
        return refused(StatusCode::FORBIDDEN, "only admin");
    }
    match desk.has(uri.path()) {
        None => refused(StatusCode::NOT_FOUND, "no such thing"),
        Some(_) => desk.remove(uri.path()).await,
    }
}
