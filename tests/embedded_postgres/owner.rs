//! A process of its own that has a cluster, to look at and to kill.

use std::collections::BTreeMap;
use std::env::var_os;
use std::fs::read_to_string;
use std::io::{BufRead, BufReader, IsTerminal, Lines, stdin};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use authz_pin::embedded::{Cluster, Options};
use nix::sys::signal::kill;
use nix::unistd::Pid;

use super::ask;

/// Where that process gets its options from.
pub(crate) const CACHE: &str = "TEST_CACHE_DIR";
pub(crate) const DATA: &str = "TEST_DATA_DIR";

/// The test below, which is not one.
const TEST: &str = "owner::owner_process";

/// What the line starts with that it prints about its cluster.
const CLUSTER: &str = "cluster of the owner:";

#[tokio::test]
#[ignore = "not a test: the process that others start, look at and kill"]
async fn owner_process() {
    // Run by hand, with all that is ignored: there is nobody to end it.
    if stdin().is_terminal() {
        return;
    }
    let mut options = Options::default();
    if let Some(cache) = var_os(CACHE) {
        options = options.cache_dir(cache);
    }
    if let Some(data) = var_os(DATA) {
        options = options.data_dir(data);
    }
    let cluster = Cluster::start_with(&options).unwrap();
    let settings = "SELECT string_agg(name || '=' || setting, ' ') AS value FROM pg_settings WHERE name IN \
                    ('TimeZone', 'log_timezone', 'lc_collate', 'lc_messages', 'server_encoding', 'enable_seqscan')";
    let settings = ask(&cluster.url("postgres"), settings).await;
    println!("\n{CLUSTER}{} {settings}", cluster.directory().display());
    // Until killed, or until the test that started us is gone.
    stdin().read_line(&mut String::new()).unwrap();
}

/// Another process with a cluster of its own.
pub(crate) struct Owner {
    pub(crate) process: Child,
    // Held open, so that the process can go on printing.
    _output: Lines<BufReader<ChildStdout>>,
    pub(crate) directory: PathBuf,
    server: Pid,
    pub(crate) settings: BTreeMap<String, String>,
}

impl Owner {
    pub(crate) fn start(environment: &[(&str, &str)]) -> Self {
        let mut process = owner_command(environment).spawn().unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap()).lines();
        let line = output
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix(CLUSTER).map(str::to_owned))
            .expect("the owner prints its cluster");
        let mut words = line.split(' ');
        let directory = PathBuf::from(words.next().unwrap());
        let settings = words
            .filter_map(|word| word.split_once('='))
            .map(|(name, value)| (name.into(), value.into()));
        Self {
            settings: settings.collect(),
            server: server_of(&directory),
            directory,
            process,
            _output: output,
        }
    }

    pub(crate) fn is_running(&self) -> bool {
        is_alive(self.server)
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

pub(crate) fn owner_command(environment: &[(&str, &str)]) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--ignored", "--exact", TEST, "--nocapture"])
        .envs(environment.iter().copied());
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    command
}

pub(crate) fn server_of(directory: &Path) -> Pid {
    let pid_file = read_to_string(directory.join("data/postmaster.pid")).unwrap();
    Pid::from_raw(pid_file.lines().next().unwrap().parse().unwrap())
}

pub(crate) fn is_alive(process: Pid) -> bool {
    kill(process, None).is_ok()
}
