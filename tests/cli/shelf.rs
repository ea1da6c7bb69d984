//! The books of two tenants: a service that believes what its callers say of their role.

use std::collections::BTreeMap;
use std::io;
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use authz_pin::template::random;
use serde_json::{Value as Json, json};

use super::place::{Ended, Place};
use super::raw::{After, JSON, Raw, Request, respond};

/// The owners of the books, each with a role, by the books' ids.
type Books = Mutex<BTreeMap<String, (String, String)>>;

#[derive(Default)]
struct State {
    books: Books,
    is_open: AtomicBool,
}

pub(crate) struct Shelf {
    raw: Raw,
    state: Arc<State>,
}

impl Shelf {
    pub(crate) fn start() -> Self {
        let state = Arc::new(State::default());
        let own = Arc::clone(&state);
        let raw = Raw::start(move |request, stream| answer(&own, request, stream));
        Self { raw, state }
    }

    /// One that shows everybody every book.
    pub(crate) fn open() -> Self {
        let shelf = Self::start();
        shelf.set_open(true);
        shelf
    }

    pub(crate) fn set_open(&self, is_open: bool) {
        self.state.is_open.store(is_open, Ordering::SeqCst);
    }

    pub(crate) fn url(&self) -> String {
        self.raw.url()
    }

    /// How often one of its books was asked for, or was to be lent.
    pub(crate) fn calls(&self) -> usize {
        let asked = self.raw.asked();
        let is_call = |request: &&Request| {
            ["GET /books/", "PUT /books/"]
                .iter()
                .any(|call| request.line.starts_with(call))
        };
        asked.iter().filter(is_call).count()
    }

    /// Runs a command of the suite against it.
    pub(crate) fn run(&self, place: &Place, arguments: &[&str]) -> Ended {
        let (command, more) = arguments.split_first().unwrap();
        let url = self.url();
        place.run(&[&[command, "shelf", "--base-url", &url], more].concat())
    }
}

fn answer(state: &State, request: &Request, stream: &mut TcpStream) -> io::Result<After> {
    let (status, body) = reply(state, request);
    respond(stream, status, JSON, body.to_string())
}

fn reply(state: &State, request: &Request) -> (u16, Json) {
    if request.path() == "/health" {
        return (200, json!({}));
    }
    let refusal = |status, why: &str| (status, json!({ "error": why }));
    let Some(role) = request.header("x-role") else {
        return refusal(401, "who are you");
    };
    let mut books = state.books.lock().unwrap();
    let method = request.line.split(' ').next().unwrap();
    let path: Vec<&str> = request.path().split('/').skip(1).collect();
    match (method, path.as_slice()) {
        ("POST", ["books"]) => {
            let body: Json = serde_json::from_str(&request.body).unwrap();
            let id = random(12);
            let [owner, role] = ["owner", "role"].map(|name| body[name].as_str().unwrap());
            books.insert(id.clone(), (owner.to_owned(), role.to_owned()));
            (201, json!({ "id": id }))
        }
        ("DELETE", ["books", id]) => {
            books.remove(*id);
            (200, json!({}))
        }
        ("GET", ["books", id]) => {
            let (owner, owners_role) = books[*id].clone();
            let is_allowed = role == "librarian" || owners_role == role;
            if is_allowed || state.is_open.load(Ordering::SeqCst) {
                return (200, json!({"id": id, "owner": owner}));
            }
            refusal(403, "not your book")
        }
        ("PUT", ["books", id, "lend"]) if role == "librarian" => (200, json!({ "id": id })),
        _ => refusal(403, "only librarians do"),
    }
}
