//! The data directory as `initdb` makes it, once per machine, server version and user.

use std::fs::rename;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use super::error::InPath;
use super::places;
use super::{Account, Binaries, EmbeddedError};

const PARTIAL: &str = "partial-";

/// What `initdb` is asked for; WAL files of 1 instead of 16 MB make the template 28 instead of 40 MB.
const INITDB: [&str; 5] = [
    "--username=postgres",
    "--auth=trust",
    "--encoding=UTF8",
    "--locale=C",
    "--wal-segsize=1",
];

/// The template for these binaries and this user, made where it is not cached yet.
///
/// It gets its name by an atomic rename: what is there under that name is whole.
pub(super) fn ready(
    cache: &Path,
    binaries: &Binaries,
    account: &Account,
) -> Result<PathBuf, EmbeddedError> {
    let template = cache.join(name(binaries, account));
    if template.is_dir() {
        return Ok(template);
    }
    let _lock = places::lock(cache, "template.lock")?;
    // Somebody else may have made it while we waited.
    if !template.is_dir() {
        places::remove_leftovers(cache, PARTIAL);
        make(cache, &template, binaries, account)?;
    }
    Ok(template)
}

/// Two installations of one version can differ in how they were built.
fn name(binaries: &Binaries, account: &Account) -> String {
    let mut hasher = DefaultHasher::new();
    (&binaries.dir, INITDB).hash(&mut hasher);
    format!(
        "template-{}-{}-{:016x}",
        binaries.version,
        account.uid,
        hasher.finish()
    )
}

fn make(
    cache: &Path,
    template: &Path,
    binaries: &Binaries,
    account: &Account,
) -> Result<(), EmbeddedError> {
    let partial = tempfile::Builder::new()
        .prefix(PARTIAL)
        .tempdir_in(cache)
        .in_path("create", cache)?;
    account
        .give(partial.path())
        .in_path("hand over", partial.path())?;
    initdb(partial.path(), &binaries.initdb(), account)?;
    rename(partial.keep(), template).in_path("create", template)
}

/// Written through to the disk: the template outlives a power cut, the databases made from it need not.
fn initdb(target: &Path, program: &Path, account: &Account) -> Result<(), EmbeddedError> {
    let output = account
        .command(program)
        .args(INITDB)
        .arg("--pgdata")
        .arg(target)
        .output()
        .map_err(|source| EmbeddedError::Run {
            program: program.to_owned(),
            source,
        })?;
    if output.status.success() {
        return Ok(());
    }
    Err(EmbeddedError::failed(program, &output))
}
