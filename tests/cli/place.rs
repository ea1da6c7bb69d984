//! A folder with a suite in it, to run the binary in.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

/// What the embedded PostgreSQL, the loader and coverage need; everything else of the environment stays out.
const ENVIRONMENT: [&str; 7] = [
    "PATH",
    "HOME",
    "TMPDIR",
    "PG_BIN_DIR",
    "XDG_CACHE_HOME",
    "LD_LIBRARY_PATH",
    "LLVM_PROFILE_FILE",
];

/// Long enough for a loaded machine; what is not over by then hangs.
pub(crate) const PATIENCE: Duration = Duration::from_mins(2);

/// How often a test with a hole checks that what is recorded is as pinned while the hole is closed: `.ci/long answers` asks
/// more often.
pub(crate) fn checks() -> usize {
    let asked = std::env::var("AUTHZ_PIN_LONG_CHECKS");
    asked.map_or(2, |count| count.parse().unwrap())
}

/// A temporary folder that the binary runs in.
pub(crate) struct Place {
    folder: TempDir,
}

impl Place {
    pub(crate) fn empty() -> Self {
        let folder = TempDir::new().unwrap();
        Self { folder }
    }

    /// With a copy of a fixture, in a folder of the fixture's name.
    pub(crate) fn with(fixture: &str) -> Self {
        let place = Self::empty();
        let from = project().join("tests/fixtures").join(fixture);
        copy(&from, &place.path(fixture));
        place
    }

    /// With a copy of the LiteLLM suite and its snapshots.
    pub(crate) fn with_litellm() -> Self {
        let place = Self::empty();
        for folder in ["suites/litellm", "snapshots/litellm"] {
            copy(&project().join(folder), &place.path(folder));
        }
        place
    }

    /// Another folder with the same files.
    pub(crate) fn copy(&self) -> Self {
        let place = Self::empty();
        copy(self.folder.path(), place.folder.path());
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Replaces a text that the file has exactly once.
    pub(crate) fn edit(self, file: &str, from: &str, to: &str) -> Self {
        let text = fs::read_to_string(self.path(file)).unwrap();
        assert_eq!(text.matches(from).count(), 1, "`{from}` in {file}");
        self.write(file, &text.replace(from, to))
    }

    pub(crate) fn write(self, file: &str, text: &str) -> Self {
        fs::create_dir_all(self.path(file).parent().unwrap()).unwrap();
        fs::write(self.path(file), text).unwrap();
        self
    }

    pub(crate) fn remove(self, name: &str) -> Self {
        let path = self.path(name);
        if path.is_dir() {
            fs::remove_dir_all(path).unwrap();
        } else {
            fs::remove_file(path).unwrap();
        }
        self
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_authz-pin"));
        let kept = ENVIRONMENT
            .iter()
            .filter_map(|name| Some((name, std::env::var_os(name)?)));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .envs(kept);
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        end(start(&mut self.command(arguments)))
    }

    pub(crate) fn run_with(&self, environment: &[(&str, &str)], arguments: &[&str]) -> Ended {
        end(start(
            self.command(arguments).envs(environment.iter().copied()),
        ))
    }

    /// Every file below the folder, with its content.
    pub(crate) fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut files = files(self.folder.path());
        files.sort();
        files
    }
}

/// Starts a command with its output captured and nothing to read.
pub(crate) fn start(command: &mut Command) -> Child {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Waits for the end of a process, and kills it if it does not come.
pub(crate) fn end(child: Child) -> Ended {
    end_within(PATIENCE, child)
}

pub(crate) fn end_within(patience: Duration, child: Child) -> Ended {
    let pid = Pid::from_raw(child.id().try_into().unwrap());
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || sender.send(child.wait_with_output()));
    let Ok(output) = receiver.recv_timeout(patience) else {
        kill(pid, Signal::SIGKILL).unwrap();
        panic!("still running after {patience:?}");
    };
    Ended::from(output.unwrap())
}

/// How a run of the binary ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Ended {
    /// The error that was printed, where nothing else was.
    pub(crate) fn error(self, code: i32) -> String {
        assert_eq!(self.code, Some(code), "{self:#?}");
        assert_eq!(self.stdout, "", "an error is no result");
        self.stderr
    }

    /// The result that was printed.
    pub(crate) fn result(self) -> String {
        assert_eq!(self.code, Some(0), "{self:#?}");
        self.stdout
    }
}

pub(crate) fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .flat_map(|path| {
            if path.is_dir() {
                files(&path)
            } else {
                let content = fs::read(&path).unwrap();
                vec![(path, content)]
            }
        })
        .collect()
}

fn copy(from: &Path, to: &Path) {
    for (file, content) in files(from) {
        let file = to.join(file.strip_prefix(from).unwrap());
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, content).unwrap();
    }
}
