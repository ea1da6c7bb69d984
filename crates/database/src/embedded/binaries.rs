//! Where `initdb` and `postgres` are.

use std::cmp::Reverse;
use std::env::{split_paths, var_os};
use std::fs::read_dir;
use std::iter::once;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::account::RUN;
use super::{Account, EmbeddedError, Options};

/// Parents of per-version directories, and what such a directory's name starts with.
const VERSIONED: [(&str, &str); 6] = [
    ("/usr/lib/postgresql", ""),
    ("/usr", "pgsql-"),
    ("/opt/homebrew/opt", "postgresql"),
    ("/usr/local/opt", "postgresql"),
    ("/home/linuxbrew/.linuxbrew/opt", "postgresql"),
    ("/Applications/Postgres.app/Contents/Versions", ""),
];

/// A `PostgreSQL` installation that the server's user can run.
#[derive(Debug)]
pub(super) struct Binaries {
    pub(super) dir: PathBuf,
    pub(super) version: String,
}

impl Binaries {
    pub(super) fn find(
        options: &Options,
        account: &Account,
        cache: &Path,
    ) -> Result<Self, EmbeddedError> {
        let places: Box<dyn Iterator<Item = PathBuf>> = match &options.bin_dirs {
            Some(dirs) => Box::new(dirs.iter().cloned()),
            None => Box::new(usual_places()),
        };
        let (mut searched, mut unusable) = (Vec::new(), None);
        for place in places {
            match installation(&place).map(|dir| Self::in_dir(dir, account)) {
                Some(Ok(found)) => return Ok(found),
                // Such as root's own installation below its home; the next may do.
                Some(Err(error)) => unusable = unusable.or(Some(error)),
                None => searched.push(place),
            }
        }
        if let Some(error) = unusable {
            return Err(error);
        }
        Self::in_dir(fallback(options, cache, searched)?, account)
    }

    fn in_dir(dir: PathBuf, account: &Account) -> Result<Self, EmbeddedError> {
        if !["initdb", "postgres"]
            .iter()
            .all(|program| account.can(RUN, &dir.join(program)))
        {
            return Err(EmbeddedError::OutOfReach {
                path: dir,
                user: account.name.clone(),
            });
        }
        let version = version(&dir.join("postgres"), account)?;
        Ok(Self { dir, version })
    }

    pub(super) fn initdb(&self) -> PathBuf {
        self.dir.join("initdb")
    }

    pub(super) fn postgres(&self) -> PathBuf {
        self.dir.join("postgres")
    }
}

/// The real directory of the installation that `place` has or links to.
fn installation(place: &Path) -> Option<PathBuf> {
    let initdb = place.join("initdb").canonicalize().ok()?;
    let dir = initdb.parent()?;
    dir.join("postgres").is_file().then(|| dir.to_owned())
}

/// Lazily, since `pg_config` costs a process.
fn usual_places() -> impl Iterator<Item = PathBuf> {
    let path = var_os("PATH").unwrap_or_default();
    let on_path: Vec<_> = split_paths(&path).filter(|dir| dir.is_absolute()).collect();
    on_path
        .into_iter()
        .chain(once(()).filter_map(|()| pg_config_bindir()))
        .chain(
            VERSIONED
                .iter()
                .flat_map(|(parent, prefix)| newest_first(Path::new(parent), prefix)),
        )
}

fn pg_config_bindir() -> Option<PathBuf> {
    let output = Command::new("pg_config").arg("--bindir").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(PathBuf::from(text.trim())).filter(|dir| dir.is_absolute())
}

fn newest_first(parent: &Path, prefix: &str) -> Vec<PathBuf> {
    let entries = read_dir(parent).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.starts_with(prefix))
        .collect();
    names.sort_by_key(|name| Reverse(numbers(name)));
    names
        .into_iter()
        .map(|name| parent.join(name).join("bin"))
        .collect()
}

/// `postgresql@9.6` is older than `postgresql@15`.
fn numbers(name: &str) -> Vec<u32> {
    name.split(|character: char| !character.is_ascii_digit())
        .filter_map(|digits| digits.parse().ok())
        .collect()
}

/// `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)` is version `15.18`.
fn version(postgres: &Path, account: &Account) -> Result<String, EmbeddedError> {
    let output = account
        .command(postgres)
        .arg("--version")
        .output()
        .map_err(|source| EmbeddedError::Run {
            program: postgres.to_owned(),
            source,
        })?;
    let text = String::from_utf8_lossy(&output.stdout);
    let version = text
        .split_whitespace()
        .nth(2)
        .filter(|_| output.status.success());
    version
        .map(str::to_owned)
        .ok_or_else(|| EmbeddedError::failed(postgres, &output))
}

#[cfg(feature = "download")]
fn fallback(
    options: &Options,
    cache: &Path,
    searched: Vec<PathBuf>,
) -> Result<PathBuf, EmbeddedError> {
    if options.download {
        super::download::installed(cache)
    } else {
        Err(EmbeddedError::NoBinaries { searched })
    }
}

#[cfg(not(feature = "download"))]
fn fallback(_: &Options, _: &Path, searched: Vec<PathBuf>) -> Result<PathBuf, EmbeddedError> {
    Err(EmbeddedError::NoBinaries { searched })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_version_is_tried_first() {
        let parent = tempfile::tempdir().unwrap();
        for name in ["9.6", "15", "17", "not-a-version"] {
            std::fs::create_dir(parent.path().join(name)).unwrap();
        }
        let found = newest_first(parent.path(), "");
        assert_eq!(found[0], parent.path().join("17/bin"));
        assert_eq!(found[1], parent.path().join("15/bin"));
        assert_eq!(found[2], parent.path().join("9.6/bin"));
    }
}
