//! A service over raw TCP: a test's own function answers, so that it can break every rule.

use std::fmt;
use std::io::{self, BufRead, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use nix::sys::socket::{setsockopt, sockopt};

/// What was asked.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// The method and the path with its query.
    pub(crate) line: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Request {
    pub(crate) fn path(&self) -> &str {
        self.line.split(' ').nth(1).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(other, _)| other == name);
        found.map(|(_, value)| value.as_str())
    }

    fn read(from: &mut impl BufRead) -> io::Result<Option<Self>> {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            if from.read_line(&mut line)? == 0 {
                return Ok(None);
            }
            match line.trim_end() {
                "" => break,
                line => lines.push(line.to_owned()),
            }
        }
        let line = lines.remove(0);
        let header = |line: &String| {
            let (name, value) = line.split_once(':').unwrap();
            (name.to_lowercase(), value.trim().to_owned())
        };
        let mut request = Self {
            line,
            headers: lines.iter().map(header).collect(),
            body: String::new(),
        };
        let length = request.header("content-length").unwrap_or("0");
        let mut body = vec![0; length.parse().unwrap()];
        from.read_exact(&mut body)?;
        // A body that is no text is only looked at.
        request.body = String::from_utf8_lossy(&body).into_owned();
        Ok(Some(request))
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.line)?;
        for (name, value) in &self.headers {
            writeln!(f, "{name}: {value}")?;
        }
        writeln!(f, "\n{}", self.body)
    }
}

/// What becomes of a connection after an answer.
pub(crate) enum After {
    Keep,
    Close,
    /// As a process that is killed does it.
    Reset,
    /// The whole service ends.
    Die,
}

/// A service on a port of its own, that keeps what it was asked.
pub(crate) struct Raw {
    address: SocketAddr,
    stopped: Arc<AtomicBool>,
    asked: Arc<Mutex<Vec<Request>>>,
    thread: Option<JoinHandle<()>>,
}

impl Raw {
    pub(crate) fn start(
        answer: impl Fn(&Request, &mut TcpStream) -> io::Result<After> + Send + Sync + 'static,
    ) -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").unwrap(), answer)
    }

    pub(crate) fn on(
        listener: TcpListener,
        answer: impl Fn(&Request, &mut TcpStream) -> io::Result<After> + Send + Sync + 'static,
    ) -> Self {
        let address = listener.local_addr().unwrap();
        let stopped = Arc::new(AtomicBool::new(false));
        let asked = Arc::default();
        let connection = Connection {
            answer: Arc::new(answer),
            stopped: Arc::clone(&stopped),
            asked: Arc::clone(&asked),
            address,
        };
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if connection.stopped.load(Ordering::SeqCst) {
                    return;
                }
                let connection = connection.clone();
                let stream = stream.unwrap();
                // A client that is gone does not mind.
                std::thread::spawn(move || drop(connection.serve(stream)));
            }
        });
        Self {
            address,
            stopped,
            asked,
            thread: Some(thread),
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn address(&self) -> String {
        self.address.to_string()
    }

    pub(crate) fn asked(&self) -> Vec<Request> {
        self.asked.lock().unwrap().clone()
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        stop(&self.stopped, self.address);
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

fn stop(stopped: &AtomicBool, address: SocketAddr) {
    stopped.store(true, Ordering::SeqCst);
    drop(TcpStream::connect(address));
}

type Answering = dyn Fn(&Request, &mut TcpStream) -> io::Result<After> + Send + Sync;

#[derive(Clone)]
struct Connection {
    answer: Arc<Answering>,
    stopped: Arc<AtomicBool>,
    asked: Arc<Mutex<Vec<Request>>>,
    address: SocketAddr,
}

impl Connection {
    fn serve(&self, mut stream: TcpStream) -> io::Result<()> {
        let mut reader = BufReader::new(stream.try_clone()?);
        while let Some(request) = Request::read(&mut reader)? {
            self.asked.lock().unwrap().push(request.clone());
            match (self.answer)(&request, &mut stream)? {
                After::Keep => {}
                After::Close => break,
                After::Reset => return reset(&stream),
                After::Die => {
                    stop(&self.stopped, self.address);
                    break;
                }
            }
        }
        Ok(())
    }
}

fn reset(stream: &TcpStream) -> io::Result<()> {
    let at_once = nix::libc::linger {
        l_onoff: 1,
        l_linger: 0,
    };
    Ok(setsockopt(stream, sockopt::Linger, &at_once)?)
}

/// A regular answer.
pub(crate) fn respond(
    stream: &mut TcpStream,
    status: u16,
    headers: &str,
    body: impl AsRef<[u8]>,
) -> io::Result<After> {
    let body = body.as_ref();
    let length = body.len();
    let head = format!("HTTP/1.1 {status} Status\r\n{headers}content-length: {length}\r\n\r\n");
    // At once: what is written after the head would wait for the other side's acknowledgement of it.
    stream.write_all(&[head.as_bytes(), body].concat())?;
    Ok(After::Keep)
}

pub(crate) const JSON: &str = "content-type: application/json\r\n";
