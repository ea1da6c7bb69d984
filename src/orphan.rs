//! Snapshots that belong to no endpoint of the suite, and those of them whose endpoint has another name now.

use std::path::PathBuf;

use authz_pin_record::chain::chain;
use authz_pin_record::drift::{Likeness, likeness, pairs};
use authz_pin_record::kinds::Level;
use authz_pin_record::record::Record;
use authz_pin_suite::suite::Suite;
use clap::ValueEnum;
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Serialize;

use authz_pin_suite::snapshot::{self, Snapshot, SnapshotError};

/// What becomes of snapshots that belong to no endpoint of the suite.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Unreferenced {
    /// Name them, and exit with 1
    #[default]
    Reject,
    /// Name them
    Warn,
    /// Delete those that are records, and name all
    Delete,
    /// Say nothing of them
    Ignore,
}

/// A snapshot that belongs to no endpoint of the suite.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Orphan {
    /// The name that its endpoint would have.
    pub name: String,
    /// Its files: what was accepted, and what waits for review.
    pub files: Vec<PathBuf>,
    /// How much it weighs: `allow` where it was deleted.
    pub level: Level,
    /// Whether it was deleted.
    pub deleted: bool,
    /// Why it was not deleted, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kept: Option<String>,
}

/// The snapshots in a suite's folder that belong to none of all its endpoints, whatever a filter selects.
#[derive(Debug, Clone, Default)]
pub struct Orphans {
    /// What the headers of the suite's own snapshots name as their source.
    source: String,
    all: Vec<Snapshot>,
    /// Endpoints without a snapshot: one of them can be what an orphan is called now.
    unpinned: Vec<String>,
}

impl Orphans {
    /// Looks at the folder of the suite's snapshots.
    pub fn of(suite: &Suite) -> Result<Self, SnapshotError> {
        let mut all = snapshot::all(&suite.snapshots())?;
        let names = || suite.endpoints.iter().map(|endpoint| &endpoint.name);
        let unpinned = names().filter(|name| !has_snapshot(&all, name)).cloned();
        let unpinned = unpinned.collect();
        all.retain(|one| !names().any(|name| *name == one.name()));
        let source = snapshot::source_of(&suite.file.name);
        Ok(Self {
            source,
            all,
            unpinned,
        })
    }

    /// Whether none of the suite's endpoints has a snapshot, nor had one under another name.
    #[must_use]
    pub fn has_no_snapshot(&self, suite: &Suite) -> bool {
        self.all.is_empty() && self.unpinned.len() == suite.endpoints.len()
    }

    /// Which of the endpoints without a snapshot had another name, by their records: those whose method and path are the
    /// same and half of whose cells at least, or all of whose cells where they are not all alike.
    #[must_use]
    pub fn renamed<'a>(
        &self,
        news: impl IntoIterator<Item = (&'a str, &'a Record)>,
    ) -> IndexMap<String, Snapshot> {
        let is_new = |name: &str| self.unpinned.iter().any(|unpinned| unpinned == name);
        let news: Vec<_> = news.into_iter().filter(|(name, _)| is_new(name)).collect();
        let accepted = |one: &Snapshot| Some((one.clone(), one.record().ok()??));
        // Where no endpoint is new, nobody has to read the orphans.
        let all = self.all.iter().filter(|_| !news.is_empty());
        let olds: Vec<_> = all.filter_map(accepted).collect();
        let pairs = pairs(olds.len(), news.len(), |old, new| {
            same_endpoint(&olds.get(old)?.1, news.get(new)?.1)
        });
        let pairs = pairs.into_iter().filter_map(|(old, new)| {
            let (old, _) = olds.get(old)?;
            Some((news.get(new)?.0.to_owned(), old.clone()))
        });
        pairs.collect()
    }

    /// Those that are left where some are the earlier names of endpoints. What was not `swept` can still be one.
    #[must_use]
    pub fn without(
        mut self,
        renamed: &IndexMap<String, Snapshot>,
        swept: impl Fn(&str) -> bool,
    ) -> Self {
        let is_renamed = |one: &Snapshot| renamed.values().any(|old| old.name() == one.name());
        self.all.retain(|one| !is_renamed(one));
        self.unpinned.retain(|name| !swept(name));
        self
    }

    /// Does with them what was asked for.
    pub fn settle(&self, unreferenced: Unreferenced) -> Result<Vec<Orphan>, SnapshotError> {
        if unreferenced == Unreferenced::Ignore {
            return Ok(Vec::new());
        }
        let settled = self
            .all
            .iter()
            .map(|one| self.settle_one(one, unreferenced));
        settled.collect()
    }

    fn settle_one(
        &self,
        one: &Snapshot,
        unreferenced: Unreferenced,
    ) -> Result<Orphan, SnapshotError> {
        let is_asked = unreferenced == Unreferenced::Delete;
        let kept = self.kept(one).filter(|_| is_asked);
        let deleted = is_asked && kept.is_none();
        let orphan = Orphan {
            name: one.name(),
            files: one.files(),
            level: match unreferenced {
                Unreferenced::Warn => Level::Warn,
                _ if deleted => Level::Allow,
                _ => Level::Deny,
            },
            deleted,
            kept,
        };
        if deleted {
            one.delete()?;
        }
        Ok(orphan)
    }

    /// Why it is not to be deleted: whoever asks for that does not know that more would be lost than what it pins.
    fn kept(&self, one: &Snapshot) -> Option<String> {
        if !is_record(one) {
            return Some("it is no record".to_owned());
        }
        match one.source() {
            Ok(Some(source)) if source != self.source => {
                return Some(format!("its source is `{source}`"));
            }
            Ok(_) => {}
            Err(error) => return Some(chain(&error)),
        }
        let name = self.unpinned.first()?;
        Some(format!(
            "`{name}` has no snapshot and was not swept, and it can be an earlier name of it"
        ))
    }
}

impl Orphan {
    /// What is said of it in one line.
    #[must_use]
    pub fn title(&self) -> &'static str {
        match (self.deleted, &self.kept) {
            (true, _) => "a snapshot that belonged to no endpoint of the suite was deleted",
            (false, None) => "a snapshot belongs to no endpoint of the suite",
            (false, Some(_)) => {
                "a snapshot belongs to no endpoint of the suite, and was not deleted"
            }
        }
    }

    /// Its files, a line for each, and why it was not deleted.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let files = self.files.iter().map(|file| file.display().to_string());
        let kept = self.kept.iter().map(|why| format!("not deleted: {why}"));
        files.chain(kept).collect()
    }
}

fn has_snapshot(all: &[Snapshot], name: &str) -> bool {
    let mut all = all.iter();
    all.any(|one| one.name() == *name && one.file().exists())
}

/// Whether each of its files is a record.
fn is_record(one: &Snapshot) -> bool {
    one.files().iter().all(|file| {
        let text = snapshot::read_any(file).ok();
        text.is_some_and(|text| Record::parse(&text).is_ok())
    })
}

/// Why two records can be of one endpoint; what is greater is the better reason.
fn same_endpoint(old: &Record, new: &Record) -> Option<(bool, Likeness)> {
    let likeness = likeness(old, new);
    let is_same = old.endpoint == new.endpoint;
    let is_enough = if is_same {
        likeness.is_at_least(1, 2)
    } else {
        likeness.is_whole() && !is_uniform(new)
    };
    is_enough.then_some((is_same, likeness))
}

/// Whether all cells are alike, as those of any other endpoint can be.
fn is_uniform(record: &Record) -> bool {
    let mut cells = record.iter().map(|(_, _, cell)| cell);
    let first = cells.next();
    cells.all(|cell| Some(cell) == first)
}
