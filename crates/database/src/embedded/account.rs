//! Who runs the server: `PostgreSQL` refuses root, so root lends it another user.

use std::io;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::unistd::{AccessFlags, Gid, Uid, User, access, getegid, geteuid};

use super::EmbeddedError;

/// Permission bits, as in one digit of a file's mode.
pub(super) const ENTER: u32 = 0o1;
pub(super) const WRITE: u32 = 0o2;
pub(super) const RUN: u32 = 0o1;

/// The user that runs `initdb` and the server.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) name: String,
    pub(super) uid: u32,
    gid: u32,
    is_lent: bool,
}

impl Account {
    /// Ourselves; when we are root, `postgres` or else `nobody`.
    pub(super) fn for_server() -> Result<Self, EmbeddedError> {
        if !geteuid().is_root() {
            return Ok(Self::new(
                "the current user".to_owned(),
                geteuid(),
                getegid(),
                false,
            ));
        }
        ["postgres", "nobody"]
            .into_iter()
            .find_map(|name| User::from_name(name).ok().flatten())
            .map(|user| Self::new(format!("user `{}`", user.name), user.uid, user.gid, true))
            .ok_or(EmbeddedError::NoAccount)
    }

    fn new(name: String, uid: Uid, gid: Gid, is_lent: bool) -> Self {
        Self {
            name,
            uid: uid.as_raw(),
            gid: gid.as_raw(),
            is_lent,
        }
    }

    /// A command that runs as this user and sees nothing of our environment: `PGOPTIONS`, `PGDATA`, `TZ` or `LC_ALL`
    /// would otherwise change what it does.
    pub(super) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("LC_ALL", "C")
            .current_dir("/")
            .stdin(Stdio::null());
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        if self.is_lent {
            command.uid(self.uid).gid(self.gid);
        }
        command
    }

    /// Whether this user has the permission `bits` on `path`, and can get there.
    pub(super) fn can(&self, bits: u32, path: &Path) -> bool {
        let Ok(path) = path.canonicalize() else {
            return false;
        };
        if self.is_lent {
            self.mode_allows(bits, &path)
                && path
                    .ancestors()
                    .skip(1)
                    .all(|above| self.mode_allows(ENTER, above))
        } else {
            access(&path, AccessFlags::from_bits_truncate(bits.cast_signed())).is_ok()
        }
    }

    // We are root here, for whom `access` says yes to everything.
    fn mode_allows(&self, bits: u32, path: &Path) -> bool {
        let Ok(metadata) = path.metadata() else {
            return false;
        };
        let shift = match (metadata.uid() == self.uid, metadata.gid() == self.gid) {
            (true, _) => 6,
            (false, true) => 3,
            (false, false) => 0,
        };
        (metadata.mode() >> shift) & bits == bits
    }

    /// Hands `path` over to this user.
    pub(super) fn give(&self, path: &Path) -> io::Result<()> {
        if self.is_lent {
            chown(path, Some(self.uid), Some(self.gid))
        } else {
            Ok(())
        }
    }
}
