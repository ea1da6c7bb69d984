//! A service that keeps every credential that it gets, and gives it away in every way there is.

use std::io::{self, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value as Json, json};

use super::raw::{After, JSON, Raw, Request, respond};

/// How the service behaves, which a test can change.
#[derive(Default)]
pub(crate) struct Switches {
    /// Refusals become answers.
    pub(crate) is_open: AtomicBool,
    /// The next call is its last.
    pub(crate) dies: AtomicBool,
}

pub(crate) struct Gossip {
    pub(crate) raw: Raw,
    pub(crate) switches: Arc<Switches>,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Gossip {
    /// With the URL of its database, and a way to write a row with a text.
    pub(crate) fn start(database_url: &str, write: impl Fn(&str) + Send + Sync + 'static) -> Self {
        let switches = Arc::<Switches>::default();
        let heard = Arc::<Mutex<Vec<String>>>::default();
        let telling = Telling {
            database_url: database_url.to_owned(),
            write: Box::new(write),
            switches: Arc::clone(&switches),
            heard: Arc::clone(&heard),
        };
        Self {
            raw: Raw::start(move |request, stream| telling.answer(request, stream)),
            switches,
            heard,
        }
    }

    /// Every credential that it got or gave out.
    pub(crate) fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }
}

struct Telling {
    database_url: String,
    write: Box<dyn Fn(&str) + Send + Sync>,
    switches: Arc<Switches>,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Telling {
    fn answer(&self, request: &Request, stream: &mut TcpStream) -> io::Result<After> {
        let mut parts = request.path().split('?').next().unwrap().split('/').skip(1);
        let (Some("echo"), Some(key), Some(mode)) = (parts.next(), parts.next(), parts.next())
        else {
            return respond(stream, 200, "", "");
        };
        if self.switches.dies.load(Ordering::SeqCst) {
            return Ok(After::Die);
        }
        let bearer = request
            .header("authorization")
            .map(|value| value.replace("Bearer ", ""));
        let api_key = request.header("x-api-key").map(str::to_owned);
        let secrets: Vec<String> = [Some(key.to_owned()), bearer, api_key]
            .into_iter()
            .flatten()
            .collect();
        self.heard.lock().unwrap().extend(secrets.clone());
        self.tell(mode, &secrets, stream)
    }

    fn tell(&self, mode: &str, secrets: &[String], stream: &mut TcpStream) -> io::Result<After> {
        let all = every_form(secrets);
        let first = secrets.first().unwrap();
        match mode {
            "body" => respond(stream, 200, JSON, self.body(secrets).to_string()),
            "refusal" if self.switches.is_open.load(Ordering::SeqCst) => {
                respond(stream, 200, JSON, self.body(secrets).to_string())
            }
            "refusal" => {
                let keys = Self::keys(secrets);
                let debug = json!({"keys": keys, "list": secrets, "text": all, "key": first});
                let body = json!({"error": all, "debug": debug});
                respond(stream, 403, JSON, body.to_string())
            }
            "page" => respond(
                stream,
                500,
                "content-type: text/html\r\n",
                format!("<h1>{all}</h1>"),
            ),
            "head" => {
                let headers = format!(
                    "x-echo: {all}\r\nset-cookie: key={first}\r\nwww-authenticate: {all}\r\n"
                );
                write!(
                    stream,
                    "HTTP/1.1 401 {first}\r\n{headers}content-length: 0\r\n\r\n"
                )?;
                Ok(After::Keep)
            }
            "redirect" => {
                let last = secrets.last().unwrap();
                let location = format!(
                    "https://elsewhere.example/{first}/{}?key={last}#{last}",
                    percent(last)
                );
                respond(stream, 302, &format!("location: {location}\r\n"), "")
            }
            "database-error" => respond(
                stream,
                500,
                JSON,
                json!({"error": format!("cannot connect to {}", self.database_url)}).to_string(),
            ),
            "garbage" => {
                stream.write_all(all.as_bytes())?;
                Ok(After::Close)
            }
            "half" => {
                write!(
                    stream,
                    "HTTP/1.1 403 No\r\ncontent-length: 9999\r\n\r\n{}",
                    &all[..all.len() - 5]
                )?;
                Ok(After::Close)
            }
            "write" => {
                (self.write)(&all);
                respond(stream, 200, JSON, "{}")
            }
            other => panic!("`{other}` is nothing to tell"),
        }
    }

    fn keys(secrets: &[String]) -> Map<String, Json> {
        let keys = secrets.iter();
        keys.map(|secret| (secret.clone(), json!(1))).collect()
    }

    fn body(&self, secrets: &[String]) -> Json {
        let fresh = format!("fresh-{}", authz_pin::template::random(24));
        self.heard.lock().unwrap().push(fresh.clone());
        let keys = Self::keys(secrets);
        json!({"fresh": fresh, "keys": keys, "text": every_form(secrets)})
    }
}

fn percent(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// The forms in which a secret can stand in a text.
pub(crate) fn forms(secret: &str) -> Vec<String> {
    let basic = ["", "u:", "us:", "use:"].map(|user| STANDARD.encode(format!("{user}{secret}")));
    let hex = hex::encode(secret);
    let escaped = |escape: fn(char) -> String| secret.chars().map(escape).collect::<String>();
    let claims = json!({"iat": 1, "key": secret}).to_string();
    let others = [
        percent(&percent(secret)),
        escaped(|c| format!("&#{};", u32::from(c))),
        escaped(|c| format!("\\u{:04x}", u32::from(c))),
        secret.to_uppercase(),
        hex.to_uppercase(),
        STANDARD.encode(STANDARD.encode(secret)),
        format!(
            "eyJhbGciOiJub25lIn0.{}.c2lnbmVk",
            URL_SAFE_NO_PAD.encode(claims)
        ),
    ];
    [
        vec![secret.to_owned(), percent(secret), hex],
        basic.to_vec(),
        others.to_vec(),
    ]
    .concat()
}

fn every_form(secrets: &[String]) -> String {
    let forms: Vec<String> = secrets.iter().flat_map(|secret| forms(secret)).collect();
    forms.join(" , ")
}
