//! A service that knows who calls by the certificate, also where a TLS session is taken up again.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};

use super::place::{Ended, Place};
use super::tls::{authority, pem, signed};

pub(super) struct Gate {
    port: u16,
    place: Place,
    is_open: Arc<AtomicBool>,
}

fn config(authority: &CertificateDer<'static>, own: (Vec<u8>, Vec<u8>)) -> ServerConfig {
    let mut roots = RootCertStore::empty();
    roots.add(authority.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let clients =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
            .allow_unauthenticated();
    ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(clients.build().unwrap())
        .with_single_cert(vec![own.0.into()], PrivateKeyDer::try_from(own.1).unwrap())
        .unwrap()
}

/// Answers the requests of one connection for whoever presented this certificate.
fn serve(config: Arc<ServerConfig>, stream: TcpStream, member: &[u8], is_open: &AtomicBool) {
    let connection = ServerConnection::new(config).unwrap();
    let mut reader = BufReader::new(StreamOwned::new(connection, stream));
    loop {
        let mut line = String::new();
        let mut head = String::new();
        while reader.read_line(&mut line).is_ok_and(|length| length > 2) {
            head.push_str(&line);
            line.clear();
        }
        if head.is_empty() {
            return;
        }
        let known = reader.get_ref().conn.peer_certificates();
        let known = known.and_then(|chain| chain.first()).map(AsRef::as_ref);
        let (status, body) = match known {
            _ if head.starts_with("GET /health") => (200, "{}"),
            None => (401, r#"{"error": "who are you"}"#),
            Some(known) if known == member || is_open.load(Ordering::SeqCst) => (200, "{}"),
            Some(_) => (403, r#"{"error": "not yours"}"#),
        };
        let length = body.len();
        let json = "content-type: application/json";
        let answer =
            format!("HTTP/1.1 {status} Status\r\n{json}\r\ncontent-length: {length}\r\n\r\n{body}");
        let stream = reader.get_mut();
        if stream
            .write_all(answer.as_bytes())
            .and_then(|()| stream.flush())
            .is_err()
        {
            return;
        }
    }
}

impl Gate {
    pub(super) fn new(member_auth: &str) -> Self {
        let authority = authority();
        let (member, member_key) = signed(&authority, "member");
        let (stranger, stranger_key) = signed(&authority, "stranger");
        let config = Arc::new(config(authority.der(), signed(&authority, "localhost")));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let is_open = Arc::new(AtomicBool::new(false));
        let (opened, expected) = (Arc::clone(&is_open), member.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (config, opened) = (Arc::clone(&config), Arc::clone(&opened));
                let (stream, expected) = (stream.unwrap(), expected.clone());
                std::thread::spawn(move || serve(config, stream, &expected, &opened));
            }
        });
        let world = format!(
            "kinds:\n  thing: {{}}\nentities: {{}}\nactors:\n  member: {{ auth: {member_auth} }}\n  stranger: {{ auth: {{ certificate: {{ certificate: stranger.pem, key: stranger.key }} }} }}\n  anonymous: {{}}\n"
        );
        let endpoint = |method: &str| {
            format!("request: {{ method: {method}, path: /it }}\ntargets: [it, that]\n")
        };
        let place = Place::empty()
            .write(
                "gate/suite.yaml",
                "name: gate\nsnapshots: snapshots\nservice: { ready: /health, settle_ms: 0, tls: { ca: ca.pem } }\nvariables: { pem: { secret: true, default: none }, key: { secret: true, default: none } }\nrefusal: { message: $.error }\n",
            )
            .write("gate/world.yaml", &world)
            .write("gate/targets.yaml", "targets: { it: { kind: thing }, that: { kind: thing } }\n")
            .write("gate/endpoints/read.yaml", &endpoint("GET"))
            .write("gate/endpoints/write.yaml", &endpoint("POST"))
            .write("gate/ca.pem", &pem("CERTIFICATE", authority.der()))
            .write("gate/member.pem", &pem("CERTIFICATE", &member))
            .write("gate/member.key", &pem("PRIVATE KEY", &member_key))
            .write("gate/stranger.pem", &pem("CERTIFICATE", &stranger))
            .write("gate/stranger.key", &pem("PRIVATE KEY", &stranger_key));
        Self {
            port,
            place,
            is_open,
        }
    }

    pub(super) fn url(&self) -> String {
        format!("https://localhost:{}", self.port)
    }

    /// A file of the suite, such as a certificate.
    pub(super) fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.place.path("gate").join(file)).unwrap()
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        let url = self.url();
        let key = self.read("member.key");
        let variables = [
            format!("pem={}", self.read("member.pem")),
            format!("key={key}"),
        ];
        let variables = ["--var", &variables[0], "--var", &variables[1]];
        let all = [arguments, &["gate", "--base-url", &url], &variables].concat();
        let ended = self.place.run(&all);
        let secret = key.lines().nth(1).unwrap().get(..40).unwrap();
        assert!(!ended.stdout.contains(secret), "{ended:#?}");
        assert!(!ended.stderr.contains(secret), "{ended:#?}");
        ended
    }
}

pub(super) const FILES: &str = "{ certificate: { certificate: member.pem, key: member.key } }";
const TEXTS: &str = "{ certificate: { certificate: \"{{ vars.pem }}\", key: \"{{ vars.key }}\" } }";

#[test]
fn each_actor_presents_a_certificate_of_its_own() {
    for auth in [FILES, TEXTS] {
        let gate = Gate::new(auth);
        let ended = gate.run(&["record"]);
        assert_eq!(ended.code, Some(0), "{ended:#?}");
        for endpoint in ["read", "write"] {
            let file = format!("gate/snapshots/{endpoint}.snap");
            let record = std::fs::read_to_string(gate.place.path(&file)).unwrap();
            for line in [
                "member: {allowed: 200",
                "stranger: {denied: 403",
                "anonymous: {denied: 401",
            ] {
                assert!(record.contains(line), "no `{line}` in {record}");
            }
        }
        assert_eq!(gate.run(&["check"]).code, Some(0));
        gate.is_open.store(true, Ordering::SeqCst);
        let ended = gate.run(&["check"]);
        assert_eq!(ended.code, Some(1), "{ended:#?}");
        assert!(ended.stdout.contains("widened"), "{ended:#?}");
    }
}

#[test]
fn a_certificate_that_cannot_be_presented_is_told() {
    let gate = Gate::new("{ certificate: { certificate: member.pem, key: stranger.key } }");
    let error = gate.run(&["check"]).error(2);
    insta::assert_snapshot!(error, @"error: `auth.certificate` holds no certificate as PEM that goes with its private key");
    let gate = Gate::new("{ certificate: { certificate: member.pem, key: gone.key } }");
    let error = gate.run(&["check"]).error(2);
    insta::assert_snapshot!(error, @"error: cannot read `gone.key`, which an `auth.certificate` names: No such file or directory (os error 2)");
}
