//! Snapshot files: the one owner of `.snap` and `.snap.new`, in insta's format.
//!
//! The header holds insta's own keys and the run's facts under `info`; what is compared is only what follows it.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::file;
use crate::yaml;

/// A snapshot file that could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The file system refused.
    #[error("cannot {task} `{}`: {source}", file.display())]
    File {
        /// What was to be done.
        task: &'static str,
        /// The file.
        file: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file is not a snapshot.
    #[error("`{}` is not a snapshot: it has no `---` line after its header", .0.display())]
    Format(PathBuf),
    /// The header could not be written as YAML.
    #[error("cannot write the header of `{}`: {source}", file.display())]
    Header {
        /// The file.
        file: PathBuf,
        /// Why.
        #[source]
        source: yaml::Error,
    },
}

/// The facts of the run that made a snapshot; never compared.
#[derive(Debug, Clone, Serialize)]
pub struct Info {
    /// The tool's version.
    pub authz_pin: &'static str,
    /// How many cells the record has.
    pub cells: usize,
}

impl Info {
    /// The facts of a record with that many cells.
    #[must_use]
    pub fn new(cells: usize) -> Self {
        Self {
            authz_pin: env!("CARGO_PKG_VERSION"),
            cells,
        }
    }
}

#[derive(Serialize)]
struct Header<'a> {
    source: &'a str,
    expression: &'a str,
    info: &'a Info,
}

/// The snapshot of one endpoint.
#[derive(Debug, Clone)]
pub struct Snapshot {
    file: PathBuf,
}

impl Snapshot {
    /// The snapshot `name` in `folder`.
    #[must_use]
    pub fn new(folder: &Path, name: &str) -> Self {
        Self {
            file: folder.join(format!("{name}.snap")),
        }
    }

    /// The accepted file.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The file of a difference that waits for review.
    #[must_use]
    pub fn pending(&self) -> PathBuf {
        self.file.with_extension("snap.new")
    }

    /// The accepted content, if there is any.
    pub fn read(&self) -> Result<Option<String>, SnapshotError> {
        match fs::read_to_string(&self.file) {
            Ok(text) => content(&text)
                .map(Some)
                .ok_or_else(|| SnapshotError::Format(self.file.clone())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(SnapshotError::File {
                task: "read",
                file: self.file.clone(),
                source,
            }),
        }
    }

    /// Accepts a content; a difference that waited for review is settled with it.
    pub fn accept(&self, content: &str, source: &str, info: &Info) -> Result<(), SnapshotError> {
        write(&self.file, content, source, info)?;
        self.settle()
    }

    /// Keeps a content that differs beside the accepted one, for review.
    pub fn propose(&self, content: &str, source: &str, info: &Info) -> Result<(), SnapshotError> {
        write(&self.pending(), content, source, info)
    }

    /// Removes a difference that waits for review, since there is none any more.
    pub fn settle(&self) -> Result<(), SnapshotError> {
        let file = self.pending();
        match fs::remove_file(&file) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => Err(SnapshotError::File {
                task: "remove",
                file,
                source,
            }),
            _ => Ok(()),
        }
    }
}

/// The content of a snapshot file, or of a file that holds nothing else: review tools hand over bare contents.
pub fn read_any(file: &Path) -> Result<String, SnapshotError> {
    let fail = |source| SnapshotError::File {
        task: "read",
        file: file.to_owned(),
        source,
    };
    let text = fs::read_to_string(file).map_err(fail)?;
    if text.starts_with("---") {
        return content(&text).ok_or_else(|| SnapshotError::Format(file.to_owned()));
    }
    Ok(text)
}

fn write(file: &Path, content: &str, source: &str, info: &Info) -> Result<(), SnapshotError> {
    let fail = |source| SnapshotError::File {
        task: "write",
        file: file.to_owned(),
        source,
    };
    let header = Header {
        source,
        expression: "record",
        info,
    };
    let header = yaml::to_string(&header).map_err(|source| SnapshotError::Header {
        file: file.to_owned(),
        source,
    })?;
    let text = format!("---\n{header}---\n{}\n", content.trim_end());
    file::write(file, |out| out.write_all(text.as_bytes())).map_err(fail)
}

/// What follows the header of a snapshot's text, without the last line's end.
#[must_use]
pub fn content(text: &str) -> Option<String> {
    let text = text.replace("\r\n", "\n");
    let (_, content) = text.strip_prefix("---\n")?.split_once("\n---\n")?;
    Some(content.trim_end_matches('\n').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_accepted_reads_back_and_settles_what_was_proposed() {
        let folder = tempfile::tempdir().unwrap();
        let snapshot = Snapshot::new(folder.path(), "key-update");
        snapshot.propose("b: 2\n", "suite", &Info::new(1)).unwrap();
        assert!(snapshot.pending().exists());
        snapshot
            .accept("a: 1\n---\nb\n", "suite", &Info::new(1))
            .unwrap();
        assert_eq!(snapshot.read().unwrap().unwrap(), "a: 1\n---\nb");
        assert!(!snapshot.pending().exists());
    }

    #[test]
    fn a_snapshot_that_does_not_exist_is_none_and_another_file_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let snapshot = Snapshot::new(folder.path(), "x");
        assert!(snapshot.read().unwrap().is_none());
        fs::write(snapshot.file(), "hello").unwrap();
        assert!(
            snapshot
                .read()
                .unwrap_err()
                .to_string()
                .ends_with("x.snap` is not a snapshot: it has no `---` line after its header")
        );
    }
}
