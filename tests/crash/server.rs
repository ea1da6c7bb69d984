//! A database server that can be killed and started again on the same data.

use std::fs::{File, metadata, read_to_string};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use authz_pin::embedded::Cluster;
use diesel_async::{AsyncConnection, AsyncPgConnection};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, geteuid};

/// How long a server may take to notice that its postmaster is gone, and to recover.
const PATIENCE: Duration = Duration::from_mins(1);

/// A server of its own, first started by the tool's own launcher and then by us with the same command line.
pub(crate) struct Server {
    cluster: Cluster,
    again: Option<Child>,
}

impl Server {
    pub(crate) fn start() -> Self {
        let cluster = Cluster::start().unwrap();
        Self {
            cluster,
            again: None,
        }
    }

    /// A database whose commits are written before they are reported, as everywhere but on an embedded server.
    pub(crate) async fn database(&self) -> String {
        use diesel_async::SimpleAsyncConnection;
        let url = self.cluster.create_database("arena").await.unwrap();
        let mut connection = AsyncPgConnection::establish(&url).await.unwrap();
        let durable = "alter database arena set synchronous_commit = on";
        connection.batch_execute(durable).await.unwrap();
        url
    }

    /// Kills the postmaster; its children end by themselves as soon as they notice.
    pub(crate) fn kill(&mut self) {
        kill(self.postmaster(), Signal::SIGKILL).unwrap();
        if let Some(mut again) = self.again.take() {
            again.wait().unwrap();
        }
    }

    /// Starts it again, and waits until it has recovered.
    pub(crate) async fn restart(&mut self, url: &str) {
        let start = Instant::now();
        while AsyncPgConnection::establish(url).await.is_err() {
            assert!(start.elapsed() < PATIENCE, "{}", self.log());
            let ended = match &mut self.again {
                Some(again) => again.try_wait().unwrap().is_some(),
                None => true,
            };
            // While a child of the killed one is still there, a new one refuses to start.
            if ended {
                self.again = Some(self.command().spawn().unwrap());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The command line that the server itself has written down, as the user that its data belongs to.
    fn command(&self) -> Command {
        let data = self.data();
        let line = read_to_string(data.join("postmaster.opts")).unwrap();
        let log = File::options()
            .append(true)
            .open(self.cluster.directory().join("log"));
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", &format!("exec {line}")])
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log.unwrap());
        let owner = metadata(&data).unwrap();
        if geteuid().is_root() {
            command.uid(owner.uid()).gid(owner.gid());
        }
        command
    }

    fn data(&self) -> PathBuf {
        self.cluster.directory().join("data")
    }

    fn postmaster(&self) -> Pid {
        let file = read_to_string(self.data().join("postmaster.pid")).unwrap();
        Pid::from_raw(file.lines().next().unwrap().parse().unwrap())
    }

    fn log(&self) -> String {
        read_to_string(self.cluster.directory().join("log")).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut again) = self.again.take() {
            // Its data goes with the cluster, which knows nothing of it.
            kill(self.postmaster(), Signal::SIGQUIT).unwrap();
            again.wait().unwrap();
        }
    }
}
