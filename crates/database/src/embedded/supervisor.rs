//! Ties the server's life to ours with a small shell, which notices the end of a pipe however we end.
//!
//! A parent-death signal would need `unsafe`, exists on Linux only, and could not remove the directory.

use std::fs::{read_to_string, remove_dir_all};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::{Account, Binaries, EmbeddedError};
use crate::blocking::in_place;
use crate::tether::{Tether, tail};

const SCRIPT: &str = include_str!("supervisor.sh");

/// How often to look whether the server is ready or gone.
const TICK: Duration = Duration::from_millis(1);

/// Speed before durability: the data never outlives the run.
const SETTINGS: [&str; 20] = [
    "listen_addresses=",
    "unix_socket_permissions=0700",
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "wal_level=minimal",
    "max_wal_senders=0",
    "shared_buffers=32MB",
    "max_connections=200",
    // Background work would make a sweep's timing, and what it finds locked, a matter of luck.
    "autovacuum=off",
    "max_logical_replication_workers=0",
    "jit=off",
    // Tables are small, and each connection would plan each statement anew five times.
    "plan_cache_mode=force_generic_plan",
    "huge_pages=off",
    // In the data directory, where a killed server leaves nothing behind.
    "dynamic_shared_memory_type=mmap",
    "logging_collector=off",
    "log_checkpoints=off",
    "timezone=UTC",
    "log_timezone=UTC",
    "lc_messages=C",
];

/// The shell that runs the server. An immediate shutdown takes milliseconds; the server itself kills what is left of it
/// after five seconds.
#[derive(Debug)]
pub(super) struct Supervisor {
    shell: Tether,
    directory: PathBuf,
}

impl Supervisor {
    pub(super) fn start(
        account: &Account,
        binaries: &Binaries,
        template: &Path,
        directory: &Path,
    ) -> Result<Self, EmbeddedError> {
        let mut shell = account.command("/bin/sh");
        shell
            .args(["-c", SCRIPT, "authz-pin-postgres"])
            .args([directory, template, &binaries.postgres()])
            .arg("-D")
            .arg(directory.join("data"))
            .arg("-k")
            .arg(directory)
            .args(SETTINGS.iter().flat_map(|setting| ["-c", setting]));
        let shell = Tether::spawn(&mut shell).map_err(|source| EmbeddedError::Run {
            program: "/bin/sh".into(),
            source,
        })?;
        Ok(Self {
            shell,
            directory: directory.to_owned(),
        })
    }

    /// Waits until the server says in its pid file that it takes connections.
    pub(super) fn wait_until_ready(&mut self, patience: Duration) -> Result<(), EmbeddedError> {
        let start = Instant::now();
        while !self.is_ready() {
            if self.has_ended() {
                return Err(EmbeddedError::Ended {
                    log: self.log_tail(),
                });
            }
            if start.elapsed() > patience {
                return Err(EmbeddedError::NotReady {
                    patience,
                    log: self.log_tail(),
                });
            }
            sleep(TICK);
        }
        Ok(())
    }

    fn is_ready(&self) -> bool {
        let pid_file =
            read_to_string(self.directory.join("data/postmaster.pid")).unwrap_or_default();
        pid_file
            .lines()
            .nth(7)
            .is_some_and(|status| status.trim() == "ready")
    }

    fn has_ended(&mut self) -> bool {
        self.directory.join("exited").exists() || self.shell.has_ended()
    }

    fn log_tail(&self) -> String {
        tail(&self.directory.join("log"))
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        in_place(|| {
            self.shell.end();
            // Nearly always gone already; the shell may have been killed before it came to that.
            let _ = remove_dir_all(&self.directory);
        });
    }
}
