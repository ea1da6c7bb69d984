//! A working tree of its own, so that the user's is never touched.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::run::Failure;

/// A temporary git worktree of HEAD, which is removed when this is dropped.
#[derive(Debug)]
pub struct Tree {
    root: PathBuf,
    path: PathBuf,
    /// Where builds of all trees go, so that each replay compiles only what its patch touches.
    build: PathBuf,
    /// Dropped after the worktree is gone: the folder around it, and the right to be the only run.
    _folder: TempDir,
    _lock: File,
}

impl Tree {
    /// Checks HEAD of the project at `root` out into a new worktree.
    pub fn of_head(root: &Path) -> Result<Self, Failure> {
        let place = root.join("target/replay");
        fs::create_dir_all(&place)?;
        let lock = lock(&place)?;
        let folder = tempfile::Builder::new()
            .prefix("tree-")
            .tempdir_in(&place)?;
        let tree = Self {
            root: root.to_owned(),
            path: folder.path().join("project"),
            build: place.join("build"),
            _folder: folder,
            _lock: lock,
        };
        let mut add = git(root);
        add.args(["worktree", "add", "--quiet", "--detach"]);
        demand(add.arg(&tree.path).arg("HEAD"))?;
        Ok(tree)
    }

    /// The worktree's root.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The folder of its builds.
    #[must_use]
    pub fn build(&self) -> &Path {
        &self.build
    }

    /// Applies a patch.
    pub fn apply(&self, patch: &Path) -> Result<(), Failure> {
        let output = git(&self.path).arg("apply").arg(patch).output()?;
        if output.status.success() {
            return Ok(());
        }
        Err(Failure::Patch {
            file: patch.strip_prefix(&self.root).unwrap_or(patch).to_owned(),
            reason: stderr(&output),
        })
    }

    /// Takes every change back: what is left is HEAD, byte for byte.
    pub fn restore(&self) -> Result<(), Failure> {
        demand(git(&self.path).args(["checkout", "--quiet", "--force", "HEAD", "--", "."]))?;
        demand(git(&self.path).args(["clean", "--quiet", "--force", "-dx"]))
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        let mut remove = git(&self.root);
        remove
            .args(["worktree", "remove", "--force"])
            .arg(&self.path);
        // There is nobody left to tell; `git worktree prune` forgets a worktree whose folder is gone.
        drop(remove.output());
    }
}

/// Two runs would overwrite each other's binary.
fn lock(place: &Path) -> Result<File, Failure> {
    let file = File::create(place.join("lock"))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Failure::Busy),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

fn git(folder: &Path) -> Command {
    let mut git = Command::new("git");
    git.arg("-C").arg(folder);
    git
}

fn demand(command: &mut Command) -> Result<(), Failure> {
    let output = command
        .output()
        .map_err(|error| io::Error::new(error.kind(), format!("cannot run git: {error}")))?;
    if output.status.success() {
        Ok(())
    } else {
        Err(Failure::Git(stderr(&output)))
    }
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).trim().to_owned()
}
