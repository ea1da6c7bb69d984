//! A service that answers as the last part of the path says, mostly wrong.

use std::io::{self, Write};
use std::net::TcpStream;
use std::thread::sleep;
use std::time::Duration;

use super::raw::{After, JSON, Raw, Request, respond};

/// Longer than the suite's time for one request, however slow the machine is.
const TOO_LONG: Duration = Duration::from_secs(20);
/// More than is read of a body.
const LARGE: usize = 200_000_000;

/// Redirects elsewhere lead to `elsewhere`.
pub(crate) fn start(elsewhere: &str) -> Raw {
    let elsewhere = elsewhere.to_owned();
    Raw::start(move |request, stream| answer(request, stream, &elsewhere))
}

fn answer(request: &Request, stream: &mut TcpStream, elsewhere: &str) -> io::Result<After> {
    let mut parts = request.path().rsplit('/');
    let kind = parts.next().unwrap();
    let note = parts.next().unwrap_or_default().to_owned();
    let good = format!(r#"{{"note": "{note}"}}"#);
    match kind {
        "health" | "nothing" => respond(stream, 200, "", ""),
        "good" => respond(stream, 200, JSON, good),
        "refusal" => respond(stream, 403, JSON, r#"{"error": "not yours"}"#),
        "silence" => {
            sleep(TOO_LONG);
            Ok(After::Close)
        }
        "slow-head" => drip(stream, b"HTTP/1.1 200 OK\r\nx-slow: "),
        "slow-body" => drip(stream, b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n"),
        "reset" => Ok(After::Reset),
        "close" => Ok(After::Close),
        "half-head" => send(stream, b"HTTP/1.1 200 OK\r\ncontent-le", After::Close),
        "garbage" => send(
            stream,
            b"\x00\xff\x13\x37 220 mail ready\r\n\r\n",
            After::Close,
        ),
        "html" => respond(
            stream,
            200,
            "content-type: text/html\r\n",
            "<h1>Sign in</h1>",
        ),
        "html-refusal" => respond(
            stream,
            502,
            "content-type: text/html\r\n",
            "<h1>Bad gateway</h1>",
        ),
        "large" => large(stream),
        "large-chunks" => large_chunks(stream),
        "utf-8" => respond(stream, 200, JSON, b"{\"note\": \"\xff\xfe\"}"),
        "utf-8-refusal" => respond(stream, 403, JSON, b"no\xff\x1b[31m"),
        "deep" => respond(stream, 200, JSON, "[".repeat(100_000)),
        "too-long" => send(
            stream,
            b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{}",
            After::Close,
        ),
        "too-long-reset" => send(
            stream,
            b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{}",
            After::Reset,
        ),
        "too-short" => {
            let head = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n";
            send(stream, format!("{head}{{}}{good}").as_bytes(), After::Keep)
        }
        "smuggled" => {
            respond(stream, 200, JSON, &good)?;
            respond(stream, 200, JSON, r#"{"smuggled": true}"#)
        }
        "smuggled-later" => {
            respond(stream, 200, JSON, &good)?;
            sleep(Duration::from_millis(50));
            respond(stream, 200, JSON, r#"{"smuggled": true}"#)
        }
        "early-chunks" => send(
            stream,
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{\"a\":",
            After::Close,
        ),
        "broken-chunks" => send(
            stream,
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n",
            After::Close,
        ),
        "redirect" => {
            let location = format!("location: /login?next=/notes/{note}&state=1\r\n");
            respond(stream, 302, &location, "")
        }
        "redirect-elsewhere" => {
            let location = format!("location: {elsewhere}/steal/{note}?code=1\r\n");
            respond(stream, 307, &location, "")
        }
        "redirect-nowhere" => respond(stream, 302, "location: http://[::1\r\n", ""),
        other => panic!("`{other}` is no fault"),
    }
}

fn send(stream: &mut TcpStream, bytes: &[u8], after: After) -> io::Result<After> {
    stream.write_all(bytes)?;
    Ok(after)
}

/// A byte now and then, so that a limit of the silence between two would never be reached.
fn drip(stream: &mut TcpStream, head: &[u8]) -> io::Result<After> {
    stream.write_all(head)?;
    loop {
        sleep(Duration::from_millis(100));
        stream.write_all(b"x")?;
    }
}

fn large(stream: &mut TcpStream) -> io::Result<After> {
    write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {LARGE}\r\n\r\n")?;
    let block = vec![b' '; 100_000];
    for _ in 0..LARGE / block.len() {
        stream.write_all(&block)?;
    }
    Ok(After::Keep)
}

fn large_chunks(stream: &mut TcpStream) -> io::Result<After> {
    write!(
        stream,
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    )?;
    let block = vec![b' '; 0x10000];
    for _ in 0..LARGE / block.len() {
        write!(stream, "10000\r\n")?;
        stream.write_all(&block)?;
        write!(stream, "\r\n")?;
    }
    Ok(After::Close)
}
