//! A service that runs the SQL that a call brings with it.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use diesel_async::{AsyncConnection, AsyncPgConnection, SimpleAsyncConnection};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::base::{Base, runtime};

/// How many sessions the service keeps, and so how many of its calls run at once.
const SESSIONS: usize = 8;

/// The service's own sessions have no limits and compile nothing, whatever its role has.
const SETTINGS: &str = "set jit = off; set search_path = public; set standard_conforming_strings = on; set idle_session_timeout = 0; set lock_timeout = 0; set statement_timeout = 0; set client_min_messages = error";

/// The service on a port of its own, for as long as this is there.
pub(crate) struct Toy {
    shared: Arc<Shared>,
    address: SocketAddr,
    server: JoinHandle<()>,
}

struct Shared {
    main: Pool,
    /// Another database of the service.
    second: Option<Pool>,
    /// The calls that have come in, as their bodies.
    calls: Mutex<Vec<String>>,
    /// How many calls are under way, with what they do after their answer.
    busy: Mutex<usize>,
    /// How long after its answer the latest write was done.
    latest: Mutex<Duration>,
    /// Who was promoted, which the service never looks up again.
    promoted: Mutex<BTreeSet<String>>,
}

/// The sessions of one database.
struct Pool {
    url: String,
    root: String,
    sessions: Mutex<Vec<AsyncPgConnection>>,
    room: tokio::sync::Semaphore,
}

impl Toy {
    /// On the database at this address; `root` is the same as somebody else sees it.
    pub(crate) fn start(url: &str, root: &str) -> Self {
        Self::start_on(Pool::new(url, root), None)
    }

    /// The same on two databases.
    pub(crate) fn start_on_two(main: &Base, second: &Base) -> Self {
        let pool = |base: &Base| Pool::new(&base.url(), &base.root);
        Self::start_on(pool(main), Some(pool(second)))
    }

    fn start_on(main: Pool, second: Option<Pool>) -> Self {
        let toy = Arc::new(Shared {
            main,
            second,
            calls: Mutex::default(),
            busy: Mutex::default(),
            latest: Mutex::default(),
            promoted: Mutex::default(),
        });
        let routes = Router::new()
            .route("/ready", get(|| async { "ready" }))
            .route("/do", post(run))
            .route("/become-admin", post(become_admin))
            .with_state(Arc::clone(&toy));
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let server = runtime().spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            axum::serve(listener, routes).await.unwrap();
        });
        Self {
            shared: toy,
            address,
            server,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many calls have come in.
    pub(crate) fn calls(&self) -> usize {
        self.shared.calls.lock().unwrap().len()
    }

    /// Whether a call has come in whose body has this text.
    pub(crate) fn has_heard(&self, text: &str) -> bool {
        let calls = self.shared.calls.lock().unwrap();
        calls.iter().any(|call| call.contains(text))
    }

    pub(crate) fn forget(&self) {
        self.shared.calls.lock().unwrap().clear();
        *self.shared.latest.lock().unwrap() = Duration::ZERO;
    }

    /// How long after its answer the latest write was done. On a busy machine that is longer than a call says.
    pub(crate) fn latest(&self) -> Duration {
        *self.shared.latest.lock().unwrap()
    }

    /// Whether nothing is under way any more.
    pub(crate) fn is_idle(&self) -> bool {
        *self.shared.busy.lock().unwrap() == 0
    }
}

impl Drop for Toy {
    fn drop(&mut self) {
        self.server.abort();
        let pools = std::iter::once(&self.shared.main).chain(&self.shared.second);
        pools.for_each(|pool| pool.sessions.lock().unwrap().clear());
    }
}

type Toys = State<Arc<Shared>>;

impl Pool {
    fn new(url: &str, root: &str) -> Self {
        Self {
            url: url.to_owned(),
            root: root.to_owned(),
            sessions: Mutex::default(),
            room: tokio::sync::Semaphore::new(SESSIONS),
        }
    }

    /// One message, which is one transaction unless it says otherwise.
    async fn execute(&self, sql: &str) -> Result<(), String> {
        let _room = self.room.acquire().await.unwrap();
        let kept = self.sessions.lock().unwrap().pop();
        let mut session = match kept {
            Some(session) => session,
            None => self.connect(&self.url).await,
        };
        let outcome = session.batch_execute(sql).await;
        let outcome = outcome.map_err(|error| error.to_string());
        if outcome.is_err() {
            // It may have begun a transaction, or lost its connection.
            let _ = session.batch_execute("rollback").await;
        }
        if session.batch_execute("select 1").await.is_ok() {
            self.sessions.lock().unwrap().push(session);
        }
        outcome
    }

    async fn connect(&self, url: &str) -> AsyncPgConnection {
        let mut session = AsyncPgConnection::establish(url).await.unwrap();
        session.batch_execute(SETTINGS).await.unwrap();
        session
    }

    /// Messages one after the other, up to the first that fails.
    async fn execute_all(&self, messages: &[&str]) -> Result<(), String> {
        for sql in messages {
            self.execute(sql).await?;
        }
        Ok(())
    }

    /// What a call has under `key`, and then, if the caller may, what somebody else does.
    async fn work(&self, call: &Value, key: &str) -> Result<(), String> {
        let outcome = self.execute_all(&texts(&call[key])).await;
        if let Some(sql) = call["foreign"].as_str().filter(|_| key == "sql") {
            let mut somebody = self.connect(&self.root).await;
            somebody.batch_execute(sql).await.unwrap();
        }
        outcome
    }
}

impl Shared {
    /// What the caller gets. Somebody who hangs up does not end what the service does.
    async fn answer(self: Arc<Self>, who: String, call: Value) -> Response {
        *self.busy.lock().unwrap() += 1;
        let work = tokio::spawn(async move {
            let answer = self.work(&who, &call).await;
            let late = texts(&call["late"]).is_empty();
            if late {
                *self.busy.lock().unwrap() -= 1;
            } else {
                let answered = Instant::now();
                tokio::spawn(async move {
                    let pause = call["late_ms"].as_u64().unwrap_or(10);
                    tokio::time::sleep(Duration::from_millis(pause)).await;
                    // Nobody is there any more to be told of an error.
                    let _ = self.main.execute_all(&texts(&call["late"])).await;
                    let mut latest = self.latest.lock().unwrap();
                    *latest = answered.elapsed().max(*latest);
                    drop(latest);
                    *self.busy.lock().unwrap() -= 1;
                });
            }
            answer
        });
        work.await.unwrap()
    }

    async fn on_both(&self, call: &Value, key: &str) -> Result<(), String> {
        let outcome = self.main.work(call, key).await;
        match &self.second {
            Some(second) => outcome.and(second.work(&call["second"], key).await),
            None => outcome,
        }
    }

    /// A call has `sql` and `late` (messages before and after the answer), `foreign` (what somebody else does before
    /// the answer), `hole` (what is done although the caller is denied), and `pause_ms` before the answer; `second` has what
    /// of this is done on the second database, after the first.
    async fn work(&self, who: &str, call: &Value) -> Response {
        if who.contains("denied") {
            return match self.on_both(call, "hole").await {
                Ok(()) => refused(StatusCode::FORBIDDEN, "not allowed"),
                Err(error) => refused(StatusCode::INTERNAL_SERVER_ERROR, &error),
            };
        }
        let outcome = self.on_both(call, "sql").await;
        let pause = call["pause_ms"].as_u64().unwrap_or(0);
        tokio::time::sleep(Duration::from_millis(pause)).await;
        match outcome {
            Ok(()) => Json(json!({"done": true})).into_response(),
            Err(error) => refused(StatusCode::INTERNAL_SERVER_ERROR, &error),
        }
    }
}

/// A text, or a list of texts.
fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(list) => list.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn refused(status: StatusCode, message: &str) -> Response {
    (status, Json(json!({"error": {"message": message}}))).into_response()
}

fn bearer(headers: &HeaderMap) -> Option<String> {
    let header = headers.get("authorization")?.to_str().ok()?;
    Some(header.strip_prefix("Bearer ")?.to_owned())
}

async fn run(State(toy): Toys, headers: HeaderMap, Json(call): Json<Value>) -> Response {
    toy.calls.lock().unwrap().push(call.to_string());
    let Some(who) = bearer(&headers) else {
        return refused(StatusCode::UNAUTHORIZED, "who are you");
    };
    toy.answer(who, call).await
}

/// Makes the caller an administrator, which is written once, since the service remembers it.
async fn become_admin(State(toy): Toys, headers: HeaderMap) -> Response {
    let Some(who) = bearer(&headers) else {
        return refused(StatusCode::UNAUTHORIZED, "who are you");
    };
    toy.calls.lock().unwrap().push(format!("promote {who}"));
    let is_new = toy.promoted.lock().unwrap().insert(who.clone());
    let call = if is_new {
        json!({"sql": format!("update account set admin = true where key = '{who}'")})
    } else {
        json!({})
    };
    toy.answer(who, call).await
}
