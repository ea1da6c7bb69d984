//! The binary while it runs: what it has said so far, and signals.

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::place::Ended;

/// How often something is looked at that is waited for.
pub(crate) const TICK: Duration = Duration::from_millis(5);

/// Long enough for a loaded machine; what is not over by then hangs.
const PATIENCE: Duration = Duration::from_secs(90);

/// A run that is killed with the test.
pub(crate) struct Running {
    child: Child,
    out: Heard,
    err: Heard,
}

/// What a stream has said so far.
struct Heard {
    text: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
}

impl Heard {
    fn of(stream: Option<impl Read + Send + 'static>) -> Self {
        let text = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&text);
        let reader = stream.map(|mut stream| {
            spawn(move || {
                let mut piece = [0; 4096];
                while let Ok(length @ 1..) = stream.read(&mut piece) {
                    heard.lock().unwrap().extend(&piece[..length]);
                }
            })
        });
        Self { text, reader }
    }

    fn so_far(&self) -> String {
        String::from_utf8_lossy(&self.text.lock().unwrap()).into_owned()
    }

    fn all(&mut self) -> String {
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
        self.so_far()
    }
}

impl Running {
    pub(crate) fn start(command: &mut Command) -> Self {
        Self::start_into(command, Stdio::piped())
    }

    /// With standard output to somewhere else.
    pub(crate) fn start_into(command: &mut Command, stdout: Stdio) -> Self {
        let command = command
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (out, err) = (
            Heard::of(child.stdout.take()),
            Heard::of(child.stderr.take()),
        );
        Self { child, out, err }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.child.id().try_into().unwrap());
        kill(pid, signal).unwrap();
    }

    /// As `^C` does it; a run can be over by then.
    pub(crate) fn interrupt(&mut self) {
        if !self.is_over() {
            self.signal(Signal::SIGINT);
        }
    }

    pub(crate) fn is_over(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// What was said on standard error so far.
    pub(crate) fn stderr(&self) -> String {
        self.err.so_far()
    }

    /// Waits until this holds, or the run is over, and says whether it held.
    pub(crate) fn until(&mut self, within: Duration, mut holds: impl FnMut(&Self) -> bool) -> bool {
        let start = Instant::now();
        loop {
            // Asked first, so that what holds at the end is not missed.
            let is_over = self.is_over();
            if holds(self) {
                return true;
            }
            if is_over || start.elapsed() > within {
                return false;
            }
            sleep(TICK);
        }
    }

    pub(crate) fn end(self) -> Ended {
        self.end_within(PATIENCE)
    }

    #[track_caller]
    pub(crate) fn end_within(mut self, patience: Duration) -> Ended {
        let start = Instant::now();
        while !self.is_over() {
            assert!(
                start.elapsed() < patience,
                "still running after {patience:?}: {}",
                self.err.so_far()
            );
            sleep(TICK);
        }
        Ended {
            code: self.child.wait().unwrap().code(),
            stdout: self.out.all(),
            stderr: self.err.all(),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // One that is over already cannot be killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until this holds.
#[track_caller]
pub(crate) fn wait_for(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(30), "in vain: {what}");
        sleep(TICK);
    }
}
