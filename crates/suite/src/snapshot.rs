//! Snapshot files: the one owner of `.snap` and `.snap.new`, in insta's format.
//!
//! The header holds insta's own keys and the run's facts under `info`; what is compared is only what follows it.

mod header;
mod reasons;

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use authz_pin_record::record::{self, ReadError, Record};
use authz_pin_record::yaml;
use serde::Serialize;
use serde_json::Value as Json;

use crate::file;

use header::Header;

pub use reasons::{Day, Reason, Said, latest, over};

/// A snapshot file that could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The file system refused.
    #[error("cannot {task} `{}`", file.display())]
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
    /// The content is a record of another version of the tool.
    #[error("`{}`", file.display())]
    Version {
        /// The file.
        file: PathBuf,
        /// What this version does not know.
        #[source]
        source: ReadError,
    },
    /// The header is not YAML, or could not be written as YAML.
    #[error("cannot {task} the header of `{}`", file.display())]
    Header {
        /// What was to be done.
        task: &'static str,
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
    /// Why widenings were accepted, oldest first. Whoever wrote a reason, it is kept as it stands.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<Json>,
}

impl Info {
    /// The facts of a record with that many cells.
    #[must_use]
    pub fn new(cells: usize) -> Self {
        Self {
            authz_pin: env!("CARGO_PKG_VERSION"),
            cells,
            reasons: Vec::new(),
        }
    }
}

/// The snapshot of one endpoint.
#[derive(Debug, Clone)]
pub struct Snapshot {
    file: PathBuf,
    /// The accepted file of the endpoint's earlier name, until something is accepted under its own.
    former: Option<PathBuf>,
}

impl Snapshot {
    /// The snapshot `name` in `folder`.
    #[must_use]
    pub fn new(folder: &Path, name: &str) -> Self {
        Self {
            file: folder.join(format!("{name}.snap")),
            former: None,
        }
    }

    /// The same snapshot, of an endpoint that had another name: what was accepted under that one counts for it, and goes
    /// when something is accepted.
    #[must_use]
    pub fn formerly(self, other: &Self) -> Self {
        Self {
            former: Some(other.file.clone()),
            ..self
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

    /// The name of the endpoint.
    #[must_use]
    pub fn name(&self) -> String {
        let name = self.file.file_stem().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }

    /// The accepted content, if there is any.
    pub fn read(&self) -> Result<Option<String>, SnapshotError> {
        Ok(parts(self.accepted())?.map(|(_, content)| content))
    }

    /// The accepted record; none, where nothing was accepted or what was is no record.
    pub fn record(&self) -> Result<Option<Record>, SnapshotError> {
        let text = self.read()?;
        let record = text.map(|text| parsed(self.accepted(), &text));
        Ok(record.transpose()?.flatten())
    }

    /// The record that waits for review; none, where nothing waits or what does is no record.
    pub fn pending_record(&self) -> Result<Option<Record>, SnapshotError> {
        let text = self.read_pending()?;
        let record = text.map(|text| parsed(&self.pending(), &text));
        Ok(record.transpose()?.flatten())
    }

    /// Where the accepted content is.
    fn accepted(&self) -> &Path {
        match &self.former {
            Some(former) if !self.file.exists() => former,
            _ => &self.file,
        }
    }

    /// The files that there are.
    #[must_use]
    pub fn files(&self) -> Vec<PathBuf> {
        let files = [self.file.clone(), self.pending()];
        files.into_iter().filter(|file| file.exists()).collect()
    }

    /// The snapshot of the endpoint's earlier name, if it had one.
    #[must_use]
    pub fn former(&self) -> Option<Self> {
        let former = self.former.clone()?;
        Some(Self {
            file: former,
            former: None,
        })
    }

    /// The files of the endpoint's earlier name, which go when something is accepted.
    #[must_use]
    pub fn former_files(&self) -> Vec<PathBuf> {
        self.former().map_or_else(Vec::new, |former| former.files())
    }

    /// Removes the accepted content and what waits for review.
    pub fn delete(&self) -> Result<(), SnapshotError> {
        remove(&self.file)?;
        self.settle()
    }

    /// The content that waits for review, if there is any.
    pub fn read_pending(&self) -> Result<Option<String>, SnapshotError> {
        Ok(parts(&self.pending())?.map(|(_, content)| content))
    }

    /// The facts of a run with that many cells, and the reasons of the accepted snapshot.
    pub fn info(&self, cells: usize) -> Result<Info, SnapshotError> {
        let reasons = self.kept()?;
        Ok(Info {
            reasons,
            ..Info::new(cells)
        })
    }

    /// What the header of the waiting content says under `info`, as YAML.
    pub fn pending_info(&self) -> Result<String, SnapshotError> {
        let file = self.pending();
        let header = header(&file)?;
        let info = header.info().map(yaml::to_string).transpose();
        let info = info.map_err(|source| SnapshotError::Header {
            task: "write",
            file,
            source,
        })?;
        Ok(info.unwrap_or_default())
    }

    /// Accepts a content, with reasons beside the earlier ones; a difference that waited for review is settled with it.
    pub fn accept(
        &self,
        content: &str,
        source: &str,
        info: &Info,
        reasons: &[Reason],
    ) -> Result<(), SnapshotError> {
        let header = Header::new(source, info).accepted(self.kept_and(reasons)?);
        write(&self.file, content, &header)?;
        self.settled()
    }

    /// Accepts the content that waits for review, with the reasons that it has to have.
    pub fn accept_pending(&self, reasons: &[Reason]) -> Result<(), SnapshotError> {
        let pending = self.pending();
        let Some(content) = self.read_pending()? else {
            return Ok(());
        };
        let reasons = self.kept_and(reasons)?;
        write(&self.file, &content, &header(&pending)?.accepted(reasons))?;
        self.settled()
    }

    /// Nothing waits any more, and nothing is left under an earlier name.
    fn settled(&self) -> Result<(), SnapshotError> {
        if let Some(former) = self.former() {
            former.delete()?;
        }
        self.settle()
    }

    /// Keeps a content that differs beside the accepted one, for review.
    pub fn propose(&self, content: &str, source: &str, info: &Info) -> Result<(), SnapshotError> {
        write(&self.pending(), content, &self.header(source, info)?)
    }

    /// Earlier reasons go with every new header, since cargo-insta accepts a header as it is.
    fn header(&self, source: &str, info: &Info) -> Result<Header, SnapshotError> {
        Ok(Header::new(source, info).accepted(self.kept()?))
    }

    /// Which suite it is of, as its header says.
    pub fn source(&self) -> Result<Option<String>, SnapshotError> {
        Ok(header(self.file())?.source().map(str::to_owned))
    }

    /// Why something was accepted earlier, oldest first.
    pub fn reasons(&self) -> Result<Vec<Reason>, SnapshotError> {
        Ok(self.kept()?.iter().map(Reason::read).collect())
    }

    /// The earlier reasons as they stand there.
    fn kept(&self) -> Result<Vec<Json>, SnapshotError> {
        Ok(header(self.accepted())?.reasons())
    }

    fn kept_and(&self, new: &[Reason]) -> Result<Vec<Json>, SnapshotError> {
        let mut reasons = self.kept()?;
        reasons.extend(new.iter().map(|reason| serde_json::json!(reason)));
        Ok(reasons)
    }

    /// Removes a difference that waits for review, since there is none any more.
    pub fn settle(&self) -> Result<(), SnapshotError> {
        remove(&self.pending())
    }
}

fn remove(file: &Path) -> Result<(), SnapshotError> {
    file::remove(file).map_err(|source| SnapshotError::File {
        task: "remove",
        file: file.to_owned(),
        source,
    })
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

/// The record that a file holds; none, if it holds something else. One of another version of the tool is a mistake.
pub fn parsed(file: &Path, text: &str) -> Result<Option<Record>, SnapshotError> {
    match Record::parse(text) {
        Ok(record) => Ok(Some(record)),
        Err(error) if error.is_of_another_version() => Err(another_version(file, error)),
        Err(_) => Ok(None),
    }
}

fn another_version(file: &Path, source: ReadError) -> SnapshotError {
    SnapshotError::Version {
        file: file.to_owned(),
        source,
    }
}

/// Whether this version reads all records in a folder, by the numbers of their formats.
pub fn admit(folder: &Path) -> Result<(), SnapshotError> {
    for file in all(folder)?.iter().flat_map(Snapshot::files) {
        // What is no snapshot is told where it is compared.
        if let Ok(Some((_, content))) = parts(&file) {
            record::admit(&content).map_err(|error| another_version(&file, error))?;
        }
    }
    Ok(())
}

/// What a file becomes in the format of this version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Migration {
    /// Another text, with the same header.
    Rewritten(String),
    /// What it is.
    Current,
    /// Nothing: what it holds is no record.
    NoRecord,
}

/// Works out what a file becomes in the format of this version; why not, where it holds a record that cannot be read.
pub fn migration(file: &Path) -> Result<Result<Migration, ReadError>, SnapshotError> {
    let Some((header, content)) = parts(file)? else {
        return Ok(Ok(Migration::NoRecord));
    };
    Ok(match Record::parse(&content) {
        Ok(_) => Ok(Migration::Current),
        Err(ReadError::Older) => {
            let record = record::format1::read(&content);
            let text = record.and_then(|record| Ok(record.to_yaml()?));
            text.map(|text| Migration::Rewritten(whole(&header, &text)))
        }
        Err(ReadError::Yaml(_)) => Ok(Migration::NoRecord),
        Err(error) => Err(error),
    })
}

/// Replaces a file, header and all.
pub fn rewrite(file: &Path, text: &str) -> Result<(), SnapshotError> {
    file::write(file, |out| out.write_all(text.as_bytes())).map_err(|source| SnapshotError::File {
        task: "write",
        file: file.to_owned(),
        source,
    })
}

/// The text of a file.
fn whole(header: &str, content: &str) -> String {
    format!("---\n{}\n---\n{}\n", header.trim_end(), content.trim_end())
}

/// The snapshots in a folder that have a difference that waits for review, by name.
pub fn pending(folder: &Path) -> Result<Vec<Snapshot>, SnapshotError> {
    named(folder, |file| file.strip_suffix(".snap.new"))
}

/// The snapshots in a folder, accepted or not, by name. Files of other kinds are somebody else's.
pub fn all(folder: &Path) -> Result<Vec<Snapshot>, SnapshotError> {
    named(folder, |file| {
        let accepted = file.strip_suffix(".snap");
        accepted.or_else(|| file.strip_suffix(".snap.new"))
    })
}

fn named(
    folder: &Path,
    name: impl Fn(&str) -> Option<&str>,
) -> Result<Vec<Snapshot>, SnapshotError> {
    let files = files(folder).map_err(|source| SnapshotError::File {
        task: "read",
        file: folder.to_owned(),
        source,
    })?;
    let names = files.iter().filter_map(|file| {
        let name = name(file.file_name()?.to_str()?)?;
        (!name.is_empty()).then(|| name.to_owned())
    });
    let names: BTreeSet<String> = names.collect();
    let snapshots = names.iter().map(|name| Snapshot::new(folder, name));
    Ok(snapshots.collect())
}

/// The files of a folder; before anything was recorded there is none.
fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    match fs::read_dir(folder) {
        Ok(entries) => entries.map(|entry| Ok(entry?.path())).collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// The header and the content of a file, if it is there.
fn parts(file: &Path) -> Result<Option<(String, String)>, SnapshotError> {
    match fs::read_to_string(file) {
        Ok(text) => split(&text)
            .map(Some)
            .ok_or_else(|| SnapshotError::Format(file.to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(SnapshotError::File {
            task: "read",
            file: file.to_owned(),
            source,
        }),
    }
}

/// What a snapshot's header names as its source.
#[must_use]
pub fn source_of(suite: &str) -> String {
    format!("suites/{suite}")
}

fn header(file: &Path) -> Result<Header, SnapshotError> {
    let Some((header, _)) = parts(file)? else {
        return Ok(Header::default());
    };
    Header::parse(&header).map_err(|source| SnapshotError::Header {
        task: "read",
        file: file.to_owned(),
        source,
    })
}

fn write(file: &Path, content: &str, header: &Header) -> Result<(), SnapshotError> {
    let header = header.to_yaml().map_err(|source| SnapshotError::Header {
        task: "write",
        file: file.to_owned(),
        source,
    })?;
    rewrite(file, &whole(&header, content))
}

/// What follows the header of a snapshot's text, without the last line's end.
#[must_use]
pub fn content(text: &str) -> Option<String> {
    Some(split(text)?.1)
}

fn split(text: &str) -> Option<(String, String)> {
    let text = text.replace("\r\n", "\n");
    let (header, content) = text.strip_prefix("---\n")?.split_once("\n---\n")?;
    Some((header.to_owned(), content.trim_end_matches('\n').to_owned()))
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
            .accept("a: 1\n---\nb\n", "suite", &Info::new(1), &[])
            .unwrap();
        assert_eq!(snapshot.read().unwrap().unwrap(), "a: 1\n---\nb");
        assert!(!snapshot.pending().exists());
    }

    const KEPT: &str = "- when: 2026-01-02\n  reason: 'as planned: #12'\n";

    #[test]
    fn reasons_survive_what_is_proposed_and_accepted_later() {
        let folder = tempfile::tempdir().unwrap();
        let snapshot = Snapshot::new(folder.path(), "key-update");
        let kept = KEPT.replace('\n', "\n  ");
        let old = format!("---\nsource: suite\ninfo:\n  reasons:\n  {kept}\n---\na: 1\n");
        fs::write(snapshot.file(), old).unwrap();
        snapshot.propose("a: 2", "suite", &Info::new(1)).unwrap();
        assert!(snapshot.pending_info().unwrap().ends_with(KEPT));
        let reason = Reason {
            when: "2026-11-25".to_owned(),
            drift: vec!["widened own key: owner: 403 -> 200".to_owned()],
            reason: "the owner may".to_owned(),
            ..Reason::default()
        };
        snapshot.accept_pending(&[reason]).unwrap();
        snapshot
            .accept("a: 3", "suite", &Info::new(2), &[])
            .unwrap();
        let text = fs::read_to_string(snapshot.file()).unwrap();
        let text = text.replace(env!("CARGO_PKG_VERSION"), "VERSION");
        insta::assert_snapshot!(text, @r"
        ---
        source: suite
        expression: record
        info:
          authz_pin: VERSION
          cells: 2
          reasons:
          - when: 2026-01-02
            reason: 'as planned: #12'
          - when: 2026-11-25
            drift:
            - 'widened own key: owner: 403 -> 200'
            reason: the owner may
        ---
        a: 3
        ");
    }

    #[test]
    fn what_insta_wrote_keeps_its_keys_but_not_the_line_of_a_test() {
        let folder = tempfile::tempdir().unwrap();
        let snapshot = Snapshot::new(folder.path(), "x");
        let pending = "---\nsource: tests/a.rs\nassertion_line: 3\nexpression: b\n---\na: 1\n";
        fs::write(snapshot.pending(), pending).unwrap();
        snapshot.accept_pending(&[]).unwrap();
        let accepted = fs::read_to_string(snapshot.file()).unwrap();
        assert_eq!(accepted, pending.replace("assertion_line: 3\n", ""));
        assert!(pending_names(folder.path()).is_empty());
    }

    #[test]
    fn only_differences_that_wait_are_pending() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.snap.new", "a.snap.new", "a.snap", "c.snap", "readme.new"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        assert_eq!(pending_names(folder.path()), ["a", "b"]);
        assert!(pending_names(&folder.path().join("none")).is_empty());
    }

    fn pending_names(folder: &Path) -> Vec<String> {
        let snapshots = pending(folder).unwrap();
        snapshots.iter().map(Snapshot::name).collect()
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
