//! Ways to a service other than HTTP/1.1 at an address: a socket, HTTP/2, a proxy.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::http::{Request, Response};
use h2::server::SendResponse;
use h2::{Reason, RecvStream};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;

use super::place::Place;
use super::raw::{JSON, Raw, respond};
use super::served::runtime;
use super::tls::{authority, pem, signed};

const ENDPOINTS: [&str; 4] = ["ok", "reset", "cut", "gone"];

/// A suite that calls each path by GET and by POST.
fn place(more: &str, paths: &[&str]) -> Place {
    let suite = format!(
        "name: way\nsnapshots: snapshots\nservice: {{ ready: /health, settle_ms: 0, timeout_s: 5{more} }}\n"
    );
    let place = Place::empty()
        .write("way/suite.yaml", &suite)
        .write(
            "way/world.yaml",
            "kinds:\n  thing: {}\nentities: {}\nactors:\n  one: { auth: { bearer: first } }\n  two: { auth: { bearer: second } }\n",
        )
        .write("way/targets.yaml", "targets: { it: { kind: thing } }\n");
    paths.iter().fold(place, |place, path| {
        let write = |place: Place, method: &str| {
            let file = format!("way/endpoints/{path}-{}.yaml", method.to_lowercase());
            let text = format!("request: {{ method: {method}, path: /{path} }}\ntargets: [it]\n");
            place.write(&file, &text)
        };
        write(write(place, "GET"), "POST")
    })
}

fn record(place: &Place, endpoint: &str) -> String {
    let file = format!("way/snapshots/{endpoint}.snap");
    std::fs::read_to_string(place.path(&file)).unwrap()
}

#[test]
fn a_service_at_a_socket_is_called_there() {
    let place = place("", &["ok"]);
    let path = place.path("the service.sock");
    let listener = UnixListener::bind(&path).unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            std::thread::spawn(move || {
                let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
                let mut is_known = false;
                while let Some(Ok(line)) = lines.next() {
                    is_known |= line.eq_ignore_ascii_case("authorization: bearer first");
                    if line.is_empty() {
                        let status = if is_known { 200 } else { 204 };
                        let length = if is_known {
                            "content-length: 0\r\n"
                        } else {
                            ""
                        };
                        let answer = format!("HTTP/1.1 {status} Well\r\n{length}\r\n");
                        if stream.write_all(answer.as_bytes()).is_err() {
                            return;
                        }
                        is_known = false;
                    }
                }
            });
        }
    });
    let url = format!("unix:{}", path.display());
    let ended = place.run(&["record", "way", "--base-url", &url]);
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    let record = record(&place, "ok-get");
    assert!(record.contains("one: {allowed: 200"), "{record}");
    assert!(record.contains("two: {allowed: 204"), "{record}");
    let other = record.replace("two: {allowed: 204", "two: {allowed: 205");
    std::fs::write(place.path("way/snapshots/ok-get.snap"), other).unwrap();
    let differs = place.run(&["check", "way", "--base-url", &url, "--format", "json"]);
    assert_eq!(differs.code, Some(1), "{differs:#?}");
    let line = r#"curl --unix-socket \"$SOCKET\" 'http://localhost/ok' "#;
    assert!(differs.stdout.contains(line), "{}", differs.stdout);
    let gone = place.run(&[
        "check",
        "way",
        "--base-url",
        "unix:gone.sock",
        "--wait",
        "0",
    ]);
    let error = gone.error(3);
    assert!(
        error.contains("no answer from GET unix:gone.sock/health"),
        "{error}"
    );
}

/// A service that speaks HTTP/2 alone.
struct Modern {
    url: String,
    connections: Arc<AtomicUsize>,
    /// The methods and paths that were asked.
    asked: Arc<Mutex<Vec<String>>>,
    _runtime: Runtime,
}

/// Answers one request; gives whether the connection goes on.
fn answer(request: &Request<RecvStream>, mut respond: SendResponse<axum::body::Bytes>) -> bool {
    let head = || Response::builder().status(200).body(()).unwrap();
    match request.uri().path() {
        "/reset" => respond.send_reset(Reason::INTERNAL_ERROR),
        "/cut" => {
            let mut body = respond.send_response(head(), false).unwrap();
            body.send_data("{\"begun\": ".into(), false).unwrap();
            tokio::spawn(async move {
                // What is still to be sent would not be sent any more.
                tokio::time::sleep(Duration::from_millis(100)).await;
                body.send_reset(Reason::INTERNAL_ERROR);
            });
        }
        "/gone" => return false,
        _ => drop(respond.send_response(head(), true)),
    }
    true
}

impl Modern {
    fn start() -> Self {
        Self::with(None)
    }

    /// With TLS, where a certificate is given.
    fn with(tls: Option<TlsAcceptor>) -> Self {
        let runtime = runtime();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://localhost:{port}");
        let (connections, asked) = (Arc::new(AtomicUsize::new(0)), Arc::default());
        let (counted, kept) = (Arc::clone(&connections), Arc::clone(&asked));
        runtime.spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                counted.fetch_add(1, Ordering::SeqCst);
                let (tls, kept) = (tls.clone(), Arc::clone(&kept));
                tokio::spawn(async move {
                    match tls {
                        None => serve(stream, kept).await,
                        Some(tls) => {
                            let stream = tls.accept(stream).await.unwrap();
                            assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
                            serve(stream, kept).await;
                        }
                    }
                });
            }
        });
        Self {
            url,
            connections,
            asked,
            _runtime: runtime,
        }
    }

    /// How often a request was made.
    fn count(&self, asked: &str) -> usize {
        let all = self.asked.lock().unwrap();
        all.iter().filter(|one| *one == asked).count()
    }
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin>(stream: S, asked: Arc<Mutex<Vec<String>>>) {
    let Ok(mut connection) = h2::server::handshake(stream).await else {
        return;
    };
    while let Some(Ok((request, respond))) = connection.accept().await {
        let line = format!("{} {}", request.method(), request.uri().path());
        asked.lock().unwrap().push(line);
        if !answer(&request, respond) {
            connection.abrupt_shutdown(Reason::INTERNAL_ERROR);
        }
    }
}

#[test]
fn a_service_that_speaks_http_2_without_tls_is_swept_and_no_call_is_lost() {
    let (service, place) = (Modern::start(), place(", http2: true", &ENDPOINTS));
    let ended = place.run(&["check", "way", "--base-url", &service.url]);
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    for path in ENDPOINTS {
        // What may change something is sent once, over a connection of its own.
        assert_eq!(service.count(&format!("POST /{path}")), 2, "{path}");
    }
    assert!(service.connections.load(Ordering::SeqCst) >= 8);
    let ended = place.run(&["record", "way", "--base-url", &service.url]);
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    for method in ["get", "post"] {
        let record = |path: &str| record(&place, &format!("{path}-{method}"));
        assert!(record("ok").contains("allowed: 200"), "{}", record("ok"));
        for (path, fault) in [
            ("reset", "connection closed"),
            ("gone", "connection closed"),
            ("cut", "answer ended early"),
        ] {
            assert!(record(path).contains(fault), "{}", record(path));
        }
    }
}

/// A service over HTTP/2 that takes a connection for the first who says who it is, as long as the connection lasts.
fn binding() -> (String, Runtime) {
    let runtime = runtime();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    runtime.spawn(async move {
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(bound(stream));
        }
    });
    (url, runtime)
}

async fn bound(stream: tokio::net::TcpStream) {
    let Ok(mut connection) = h2::server::handshake(stream).await else {
        return;
    };
    let mut who = None;
    while let Some(Ok((request, mut respond))) = connection.accept().await {
        let said = request.headers().get("authorization");
        let said = said.and_then(|value| value.to_str().ok().map(str::to_owned));
        who = who.or(said);
        let status = match who.as_deref() {
            _ if request.uri().path() == "/health" => 200,
            Some("Bearer first") => 200,
            Some(_) => 403,
            None => 401,
        };
        let head = Response::builder().status(status).body(()).unwrap();
        drop(respond.send_response(head, true));
    }
}

#[test]
fn who_a_connection_of_http_2_is_taken_for_is_nobody_else() {
    let (url, _runtime) = binding();
    let anonymous = "  two: { auth: { bearer: second } }\n  anonymous: {}\n";
    let place = place(", http2: true", &["a", "b", "c"]).edit(
        "way/world.yaml",
        "  two: { auth: { bearer: second } }\n",
        anonymous,
    );
    let ended = place.run(&["record", "way", "--base-url", &url, "--concurrency", "1"]);
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    for endpoint in ["a-get", "b-get", "c-get", "a-post", "b-post", "c-post"] {
        let record = record(&place, endpoint);
        for line in [
            "one: {allowed: 200",
            "two: {denied: 403",
            "anonymous: {denied: 401",
        ] {
            assert!(record.contains(line), "no `{line}` in {record}");
        }
    }
    for _ in 0..super::place::checks() {
        let ended = place.run(&["check", "way", "--base-url", &url]);
        assert_eq!(ended.code, Some(0), "{ended:#?}");
    }
}

#[test]
fn both_sides_agree_on_http_2_where_there_is_tls() {
    let authority = authority();
    let (certificate, key) = signed(&authority, "localhost");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.into()],
            PrivateKeyDer::try_from(key).unwrap(),
        )
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let service = Modern::with(Some(TlsAcceptor::from(Arc::new(config))));
    let place = place(", tls: { ca: ca.pem }", &["ok", "reset"])
        .write("way/ca.pem", &pem("CERTIFICATE", authority.der()));
    let ended = place.run(&["record", "way", "--base-url", &service.url]);
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    for method in ["get", "post"] {
        let record = |path: &str| record(&place, &format!("{path}-{method}"));
        assert!(record("ok").contains("allowed: 200"), "{}", record("ok"));
        assert!(
            record("reset").contains("connection closed"),
            "{}",
            record("reset")
        );
    }
}

#[test]
fn a_service_that_does_not_speak_http_2_is_not_ready() {
    let service = Raw::start(|_, stream| respond(stream, 200, JSON, "{}"));
    let place = place(", http2: true", &["ok"]);
    let ended = place.run(&["check", "way", "--base-url", &service.url(), "--wait", "0"]);
    let error = ended.error(3);
    assert!(
        error.contains("not HTTP") || error.contains("connection closed"),
        "{error}"
    );
}

#[test]
fn a_proxy_is_used_where_one_is_named_and_that_is_told() {
    let proxy = Raw::start(|request, stream| {
        let is_whole = request.path().starts_with("http://service.invalid/");
        respond(stream, if is_whole { 200 } else { 400 }, JSON, "{}")
    });
    let place = place("", &["ok"]);
    let there = ["--base-url", "http://service.invalid"];
    let by = ["--proxy", &proxy.url()];
    let ended = place.run(&[&["record", "way"][..], &there, &by].concat());
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    assert!(
        ended
            .stderr
            .contains("all requests go through the proxy http://127.0.0.1:"),
        "{ended:#?}"
    );
    assert!(record(&place, "ok-get").contains("one: {allowed: 200"));
    // The environment's is not.
    let by = [("http_proxy", proxy.url()), ("HTTP_PROXY", proxy.url())];
    let by = by.each_ref().map(|(name, url)| (*name, url.as_str()));
    let ended = place.run_with(
        &by,
        &[&["check", "way", "--wait", "0"][..], &there].concat(),
    );
    assert_eq!(ended.code, Some(3), "{ended:#?}");
}
