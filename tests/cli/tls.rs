//! A service whose certificate nobody vouches for.

use std::io::Read;
use std::net::TcpListener;
use std::sync::Arc;

use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::place::Place;

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
      = help: start the service, give it longer with --wait, or correct --base-url or `service.ready` of the suite
    ");
    assert!(server.join().unwrap().is_empty(), "a request was sent");
}
