//! A shell that we tie to our life: it holds the other end of a pipe, and ends what it started when our end closes, however
//! we end.

use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::blocking::in_place;

/// How long a shell may take to end what it started; it makes it end sooner.
const LAST_WAIT: Duration = Duration::from_secs(10);
/// The pause between two looks.
const TICK: Duration = Duration::from_millis(1);
/// How much of a log an error shows.
const LOG_LINES: usize = 20;

/// The shell. Dropped, it ends with all that it started.
#[derive(Debug)]
pub struct Tether(Child);

impl Tether {
    /// Starts it, in a process group of its own: `^C` is for us, and we end what it started.
    pub fn spawn(shell: &mut Command) -> io::Result<Self> {
        shell
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .map(Self)
    }

    /// Whether it has ended by itself.
    pub(crate) fn has_ended(&mut self) -> bool {
        !matches!(self.0.try_wait(), Ok(None))
    }

    /// Lets it end, and waits until it has, on this thread.
    pub(crate) fn end(&mut self) {
        drop(self.0.stdin.take());
        let start = Instant::now();
        while !self.has_ended() && start.elapsed() < LAST_WAIT {
            sleep(TICK);
        }
    }
}

impl Drop for Tether {
    fn drop(&mut self) {
        in_place(|| self.end());
    }
}

/// The last lines of a log; none of one that is not there.
#[must_use]
pub fn tail(log: &Path) -> String {
    let log = std::fs::read(log).unwrap_or_default();
    let log = String::from_utf8_lossy(&log);
    let lines: Vec<_> = log.lines().collect();
    let (_, tail) = lines.split_at(lines.len().saturating_sub(LOG_LINES));
    tail.join("\n")
}
