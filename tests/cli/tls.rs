//! A service whose certificate nobody vouches for.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};

use super::place::{Ended, Place};

#[test]
fn a_certificate_that_nobody_vouches_for_is_refused() {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let connection = ServerConnection::new(config).unwrap();
        let mut request = Vec::new();
        // The handshake fails, so that no request comes.
        let _ = StreamOwned::new(connection, stream).read_to_end(&mut request);
        request
    });
    let url = format!("https://localhost:{port}");
    let error = Place::with("ping")
        .run(&["check", "ping", "--base-url", &url, "--wait", "0"])
        .error(3);
    let error = error.replace(&port.to_string(), "PORT");
    insta::assert_snapshot!(error, @r"
    error: the service is not ready: no answer from GET https://localhost:PORT/health: invalid peer certificate: UnknownIssuer (1 try in 0 s)
      = help: trust whoever signed that certificate, such as a proxy, with `service.tls.ca` of suite.yaml
    ");
    assert!(server.join().unwrap().is_empty(), "a request was sent");
}

/// An authority, as its certificate and what signs with it.
pub(super) fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A certificate that the authority has signed, and its key.
pub(super) fn signed(by: &CertifiedIssuer<'static, KeyPair>, name: &str) -> (Vec<u8>, Vec<u8>) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    let certificate = params.signed_by(&key, by).unwrap();
    (certificate.der().to_vec(), key.serialize_der())
}

pub(super) fn pem(what: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    format!("-----BEGIN {what}-----\n{text}\n-----END {what}-----\n")
}

/// A service that answers everybody who has a certificate of the authority, and its port.
fn service(authority: &CertifiedIssuer<'static, KeyPair>) -> u16 {
    let (certificate, key) = signed(authority, "localhost");
    let mut roots = RootCertStore::empty();
    roots.add(authority.der().clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let clients =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(clients.build().unwrap())
        .with_single_cert(
            vec![certificate.into()],
            PrivateKeyDer::try_from(key).unwrap(),
        )
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = StreamOwned::new(connection, stream.unwrap());
            // Who is not trusted, is gone.
            let mut request = [0; 1024];
            if let Ok(length) = stream.read(&mut request) {
                let line = String::from_utf8_lossy(&request[..length]);
                let known = ["GET /health ", "GET /ping ", "GET /a/%2E./ping "];
                let status = if known.iter().any(|known| line.starts_with(known)) {
                    "200 Well"
                } else {
                    "404 Nothing"
                };
                let rest = "content-length: 2\r\nconnection: close\r\n\r\n{}";
                let _ = stream.write_all(format!("HTTP/1.1 {status}\r\n{rest}").as_bytes());
                stream.conn.send_close_notify();
                let _ = stream.flush();
            }
        }
    });
    port
}

fn check(tls: &str) -> Ended {
    check_path("/ping", tls)
}

fn check_path(path: &str, tls: &str) -> Ended {
    let authority = authority();
    let (certificate, key) = signed(&authority, "authz-pin");
    let port = service(&authority);
    let settings = format!("  ready: /health\n  tls: {tls}\n");
    let place = Place::with("ping")
        .edit("ping/suite.yaml", "  ready: /health\n", &settings)
        .edit(
            "ping/endpoints/ping.yaml",
            "path: /ping",
            &format!("path: {path}"),
        )
        .write("ping/tls/ca.pem", &pem("CERTIFICATE", authority.der()))
        .write("ping/tls/own.pem", &pem("CERTIFICATE", &certificate))
        .write("ping/tls/key.pem", &pem("PRIVATE KEY", &key))
        .write("ping/tls/empty.pem", "nothing");
    let url = format!("https://localhost:{port}");
    let mut ended = place.run(&["check", "ping", "--base-url", &url, "--wait", "0"]);
    ended.stderr = ended.stderr.replace(&port.to_string(), "PORT");
    ended
}

#[test]
fn a_suite_brings_its_own_authority_and_certificate() {
    let ended = check("{ ca: tls/ca.pem, certificate: tls/own.pem, key: tls/key.pem }");
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    assert!(
        ended.stdout.contains("ping has no snapshot yet"),
        "{ended:#?}"
    );
    assert!(!ended.stderr.contains("not verified"), "{ended:#?}");
}

#[test]
fn a_path_that_no_url_has_is_sent_with_the_same_certificates() {
    let own = "{ ca: tls/ca.pem, certificate: tls/own.pem, key: tls/key.pem }";
    let ended = check_path("/a/%2E./ping", own);
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    assert!(ended.stdout.contains("200"), "{ended:#?}");
    assert!(!ended.stdout.contains("404"), "{ended:#?}");
}

#[test]
fn a_service_that_wants_a_certificate_is_not_ready_without_one() {
    let error = check("{ ca: tls/ca.pem }").error(3);
    assert!(error.contains("the service is not ready"), "{error}");
}

#[test]
fn a_suite_that_trusts_every_certificate_says_so_at_each_run() {
    let ended = check("{ insecure: true, certificate: tls/own.pem, key: tls/key.pem }");
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    let note = "certificates are not verified, since the suite says so";
    assert!(ended.stderr.contains(note), "{ended:#?}");
}

#[test]
fn certificates_that_cannot_be_used_are_told_with_their_files() {
    insta::assert_snapshot!(check("{ ca: tls/none.pem }").error(2), @r"error: cannot read `ping/tls/none.pem`, which `service.tls` of suite.yaml names: No such file or directory (os error 2)");
    insta::assert_snapshot!(check("{ ca: tls/empty.pem }").error(2), @r"error: `ping/tls/empty.pem`, which `service.tls` of suite.yaml names, holds no certificate as PEM");
    insta::assert_snapshot!(check("{ certificate: tls/own.pem, key: tls/empty.pem }").error(2), @r"error: `ping/tls/own.pem`, which `service.tls` of suite.yaml names, holds no certificate as PEM that goes with the private key");
}
