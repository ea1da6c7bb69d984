//! What a caller can steer.

use std::path::PathBuf;
use std::time::Duration;

/// Where an embedded server's parts come from and go to. The default suits nearly everyone.
#[derive(Debug, Clone)]
pub struct Options {
    pub(super) bin_dirs: Option<Vec<PathBuf>>,
    pub(super) data_dir: Option<PathBuf>,
    pub(super) cache_dir: Option<PathBuf>,
    #[cfg_attr(
        not(feature = "download"),
        expect(dead_code, reason = "callers need not know how this was built")
    )]
    pub(super) download: bool,
    pub(super) patience: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            bin_dirs: None,
            data_dir: None,
            cache_dir: None,
            download: true,
            // Two orders of magnitude above the usual: a loaded CI machine is slow, not broken.
            patience: Duration::from_secs(30),
        }
    }
}

impl Options {
    /// The default, with the binaries of `PG_BIN_DIR` where that is set.
    #[must_use]
    pub fn from_env() -> Self {
        match std::env::var_os("PG_BIN_DIR") {
            Some(dir) if !dir.is_empty() => Self::default().bin_dirs([PathBuf::from(dir)]),
            _ => Self::default(),
        }
    }

    /// Look for `initdb` and `postgres` in these directories only, and download nothing.
    #[must_use]
    pub fn bin_dirs(self, dirs: impl IntoIterator<Item = PathBuf>) -> Self {
        Self {
            bin_dirs: Some(dirs.into_iter().collect()),
            download: false,
            ..self
        }
    }

    /// Whether a pinned release may be downloaded when no binaries are found. Needs the `download` feature.
    #[must_use]
    pub fn download(self, download: bool) -> Self {
        Self { download, ..self }
    }

    /// Where the server's own directory is made, instead of `/dev/shm` or the temp directory.
    #[must_use]
    pub fn data_dir(self, dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: Some(dir.into()),
            ..self
        }
    }

    /// Where the `initdb` template and downloaded binaries are kept, instead of the user's cache directory.
    #[must_use]
    pub fn cache_dir(self, dir: impl Into<PathBuf>) -> Self {
        Self {
            cache_dir: Some(dir.into()),
            ..self
        }
    }

    /// How long the server may take to be ready.
    #[must_use]
    pub fn patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }
}
