//! The directories that an embedded server uses, and who else could meddle with them.

use std::env::temp_dir;
use std::fs::{DirBuilder, File, create_dir_all, read_dir, remove_dir_all};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::process;

use nix::sys::statvfs::statvfs;
use nix::unistd::geteuid;

use super::account::{ENTER, WRITE};
use super::error::InPath;
use super::{Account, EmbeddedError, Options};

const NAME: &str = "authz-pin";

/// Room for the server's files and a few databases; Docker's `/dev/shm` of 64 MB is too small.
const ROOM: u64 = 256 << 20;

/// The shortest limit of a socket's path (macOS: 104 with the final NUL) less the longest name put below the directory.
const LONGEST_PARENT: usize = 103 - "/authz-pin-4294967295-0123456789abcdef/.s.PGSQL.5432".len();

/// The directory that outlives a run: ours alone to write, and the server's user can get there.
pub(super) fn cache(options: &Options, account: &Account) -> Result<PathBuf, EmbeddedError> {
    let candidates = match &options.cache_dir {
        Some(dir) => vec![dir.clone()],
        None => cache_candidates(),
    };
    let mut result = Err(EmbeddedError::NoRoom { tried: Vec::new() });
    for candidate in candidates {
        // The first that works; else the last one's error.
        result = own_directory(candidate, account);
        if result.is_ok() {
            break;
        }
    }
    result
}

/// Root's cache is not below its home: the server's user could not get there.
fn cache_candidates() -> Vec<PathBuf> {
    let user = geteuid();
    let shared = format!("{NAME}-cache-{user}");
    let home = dirs::cache_dir()
        .filter(|_| !user.is_root())
        .map(|dir| dir.join(NAME));
    home.into_iter()
        .chain([
            Path::new("/var/tmp").join(&shared),
            temp_dir().join(&shared),
        ])
        .collect()
}

/// Anyone can make a directory of any name in a shared temp directory, and then fill it: only one of our own counts.
fn own_directory(path: PathBuf, account: &Account) -> Result<PathBuf, EmbeddedError> {
    if let Some(parent) = path.parent() {
        create_dir_all(parent).in_path("create", parent)?;
    }
    match DirBuilder::new().mode(0o755).create(&path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => (),
        result => result.in_path("create", &path)?,
    }
    // Not following a link: its target may be ours and the link somebody else's.
    let metadata = path.symlink_metadata().in_path("inspect", &path)?;
    if !metadata.is_dir() || metadata.uid() != geteuid().as_raw() || metadata.mode() & 0o022 != 0 {
        return Err(EmbeddedError::NotOurs { path });
    }
    if !account.can(ENTER, &path) {
        return Err(EmbeddedError::OutOfReach {
            path,
            user: account.name.clone(),
        });
    }
    path.canonicalize().in_path("inspect", &path)
}

/// A path for one server's files, in memory where there is enough of it. Nothing is there yet.
pub(super) fn server_directory(
    options: &Options,
    account: &Account,
) -> Result<PathBuf, EmbeddedError> {
    let candidates = match &options.data_dir {
        Some(dir) => vec![dir.clone()],
        None => vec!["/dev/shm".into(), temp_dir(), "/tmp".into()],
    };
    let parent = candidates
        .iter()
        .filter_map(|dir| dir.canonicalize().ok())
        .find(|dir| is_suitable(dir, account));
    let name = format!("{NAME}-{}-{:016x}", process::id(), rand::random::<u64>());
    parent
        .map(|dir| dir.join(name))
        .ok_or(EmbeddedError::NoRoom { tried: candidates })
}

fn is_suitable(dir: &Path, account: &Account) -> bool {
    room(dir) >= ROOM && dir.as_os_str().len() <= LONGEST_PARENT && account.can(WRITE | ENTER, dir)
}

#[allow(clippy::useless_conversion, reason = "macOS counts blocks in 32 bits")]
fn room(dir: &Path) -> u64 {
    statvfs(dir).map_or(0, |fs| {
        u64::from(fs.blocks_available()) * u64::from(fs.fragment_size())
    })
}

/// Held until dropped, and released by the system when we are killed.
pub(super) fn lock(cache: &Path, name: &str) -> Result<File, EmbeddedError> {
    let path = cache.join(name);
    let file = File::options()
        .create(true)
        .append(true)
        .open(&path)
        .in_path("open", &path)?;
    file.lock().in_path("lock", &path)?;
    Ok(file)
}

/// Removes what a killed process left half made. Call it only under the lock that its makers hold.
pub(super) fn remove_leftovers(cache: &Path, prefix: &str) {
    let entries = read_dir(cache).into_iter().flatten().flatten();
    for entry in entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix)) {
        // A leftover that cannot be removed costs room and nothing else.
        let _ = remove_dir_all(entry.path());
    }
}
