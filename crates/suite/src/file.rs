//! Files that are there whole or not at all.
//!
//! A file is written beside its place first, and takes it as a whole. A process that is killed meanwhile leaves that half
//! behind; it holds a lock on it as long as it lives, so whoever writes into the folder next knows the halves of the dead and
//! removes them. What is no regular file, such as a device or a pipe, is nobody's to replace: it is written in place.

use std::ffi::OsString;
use std::fs::{self, File, Metadata, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile};

/// How the name of a half ends.
const HALF: &str = ".authz-pin-half";

/// Where names lead to what processes have open, so that a regular file there is not to be replaced either.
const OPEN: [&str; 4] = ["/dev/fd", "/dev/stdout", "/dev/stderr", "/proc"];

/// Writes a file beside the target first, so that a reader never sees half of it. The folders above it are made. A new file
/// is as readable as the umask has it, a file that is there stays as it is.
pub fn write(file: &Path, content: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    whole(file, 0o666, content)
}

/// The same for what nobody but its owner is to read.
pub fn write_private(
    file: &Path,
    content: impl FnOnce(&mut File) -> io::Result<()>,
) -> io::Result<()> {
    whole(file, 0o600, content)
}

/// Removes a file, if it is there. Where nothing can be removed, what is not there is no failure.
pub fn remove(file: &Path) -> io::Result<()> {
    if fs::symlink_metadata(file).is_err() {
        return Ok(());
    }
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn whole(
    file: &Path,
    mode: u32,
    content: impl FnOnce(&mut File) -> io::Result<()>,
) -> io::Result<()> {
    let known = fs::metadata(file).ok();
    if known.as_ref().is_some_and(|known| is_in_place(file, known)) {
        return content(&mut OpenOptions::new().append(true).open(file)?);
    }
    // What a link leads to is written, and the link stays.
    let target = fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
    let folder = target
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    remove_halves(folder, &target);
    let mut half = half(folder, &target, mode)?;
    content(half.as_file_mut())?;
    if let Some(known) = known {
        half.as_file().set_permissions(known.permissions())?;
    }
    half.as_file_mut().flush()?;
    half.as_file().sync_all()?;
    half.persist(&target).map_err(|error| error.error).map(drop)
}

fn is_in_place(file: &Path, known: &Metadata) -> bool {
    let is_open = OPEN.iter().any(|place| file.starts_with(place));
    !known.is_dir() && (!known.is_file() || is_open)
}

/// How the names of a target's halves begin.
fn start(target: &Path) -> OsString {
    let mut start = OsString::from(".");
    start.push(target.file_name().unwrap_or_default());
    start.push(".");
    start
}

fn half(folder: &Path, target: &Path, mode: u32) -> io::Result<NamedTempFile> {
    let mut builder = Builder::new();
    let start = start(target);
    let half = builder
        .prefix(&start)
        .suffix(HALF)
        .permissions(permissions(mode))
        .tempfile_in(folder)?;
    // A file system without locks has halves that nobody removes.
    let _ = half.as_file().try_lock();
    Ok(half)
}

fn permissions(mode: u32) -> Permissions {
    std::os::unix::fs::PermissionsExt::from_mode(mode)
}

/// Removes what processes left that were killed while they wrote the same file.
fn remove_halves(folder: &Path, target: &Path) {
    let start = start(target);
    let start = start.as_encoded_bytes();
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let halves = entries.filter(|entry| {
        let name = entry.file_name();
        let name = name.as_encoded_bytes();
        name.starts_with(start) && name.ends_with(HALF.as_bytes())
    });
    halves.map(|entry| entry.path()).for_each(remove_half);
}

#[expect(clippy::needless_pass_by_value, reason = "each path of a listing")]
fn remove_half(half: PathBuf) {
    let is_left = File::open(&half).is_ok_and(|file| file.try_lock().is_ok());
    if is_left {
        // Whoever was quicker has removed it.
        let _ = fs::remove_file(&half);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{MetadataExt, symlink};
    use std::process::Command;

    fn put(file: &Path, text: &str) {
        write(file, |out| out.write_all(text.as_bytes())).unwrap();
    }

    fn mode(file: &Path) -> u32 {
        fs::metadata(file).unwrap().mode() & 0o777
    }

    #[test]
    fn a_file_that_is_there_keeps_its_mode_and_a_link_stays_one() {
        let folder = tempfile::tempdir().unwrap();
        let [file, link] = ["file", "link"].map(|name| folder.path().join(name));
        put(&file, "one");
        fs::set_permissions(&file, permissions(0o640)).unwrap();
        symlink(&file, &link).unwrap();
        put(&link, "two");
        assert_eq!(fs::read_to_string(&file).unwrap(), "two");
        assert_eq!(mode(&file), 0o640);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        let private = folder.path().join("private");
        write_private(&private, |_| Ok(())).unwrap();
        assert_eq!(mode(&private), 0o600);
    }

    #[test]
    fn a_pipe_and_a_device_are_written_in_place() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        let made = Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(made.success());
        let reader = {
            let pipe = pipe.clone();
            std::thread::spawn(move || fs::read_to_string(pipe).unwrap())
        };
        put(&pipe, "through");
        assert_eq!(reader.join().unwrap(), "through");
        let is_pipe = std::os::unix::fs::FileTypeExt::is_fifo;
        assert!(is_pipe(&fs::symlink_metadata(&pipe).unwrap().file_type()));
        put(Path::new("/dev/null"), "nowhere");
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
    }

    #[test]
    fn what_is_open_is_written_at_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        fs::write(&log, "before, ").unwrap();
        let open = File::open(&log).unwrap();
        let number = std::os::fd::AsRawFd::as_raw_fd(&open);
        put(Path::new(&format!("/dev/fd/{number}")), "and after");
        assert_eq!(fs::read_to_string(&log).unwrap(), "before, and after");
    }

    #[test]
    fn halves_of_the_dead_are_removed_and_those_of_the_living_stay() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        let left = folder.path().join(".file.dead.authz-pin-half");
        fs::write(&left, "half").unwrap();
        let living = half(folder.path(), &file, 0o666).unwrap();
        put(&file, "whole");
        assert!(!left.exists() && living.path().exists());
    }

    #[test]
    fn what_is_not_there_is_removed_already() {
        assert!(remove(Path::new("/proc/nothing")).is_ok());
    }
}
