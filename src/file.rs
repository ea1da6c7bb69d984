//! Files that are there whole or not at all.

use std::fs::{self, File};
use std::io;
use std::path::Path;

/// Writes a file beside the target first, so that a reader never sees half of it. The folders above it are made.
pub(crate) fn write(
    file: &Path,
    content: impl FnOnce(&mut File) -> io::Result<()>,
) -> io::Result<()> {
    make_readable(&whole(file, content)?)
}

/// The same for what nobody but its owner is to read.
pub(crate) fn write_private(
    file: &Path,
    content: impl FnOnce(&mut File) -> io::Result<()>,
) -> io::Result<()> {
    // Temporary files are private, and it stays the same file.
    whole(file, content).map(drop)
}

fn whole(file: &Path, content: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<File> {
    let folder = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut half = tempfile::NamedTempFile::new_in(folder)?;
    content(half.as_file_mut())?;
    half.persist(file).map_err(|error| error.error)
}

/// Temporary files are private; what is written here is as readable as any file of the project.
#[cfg(unix)]
fn make_readable(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn make_readable(_: &File) -> io::Result<()> {
    Ok(())
}
