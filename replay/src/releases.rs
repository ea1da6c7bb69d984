//! What the real releases showed: their records tell whether a replay is like the release that had the bug.

use std::path::Path;

use authz_pin_record::record::Record;
use authz_pin_suite::snapshot::Snapshot;

use crate::flips::statuses;
use crate::run::Failure;

/// The folder of the releases' records, below the project's root.
const FOLDER: &str = "releases/litellm";

/// The cells of a replay whose status flips, in the record of one release.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Those with the status that is pinned, as with the fix.
    pub fixed: usize,
    /// Those with the status that the replay shows, as with the bug.
    pub replayed: usize,
    /// Those with another status.
    pub otherwise: usize,
    /// Those that the release's record does not have.
    pub unrecorded: usize,
}

impl Seen {
    /// How many cells the release's record has.
    #[must_use]
    pub fn recorded(&self) -> usize {
        self.fixed + self.replayed + self.otherwise
    }
}

/// Looks the cells of a replay's pins up in the record of a release.
pub fn look_up(root: &Path, release: &str, pins: &[String]) -> Result<Seen, Failure> {
    let folder = root.join(FOLDER).join(release);
    let mut seen = Seen::default();
    for pin in pins {
        let Some((cell, before, after)) =
            statuses(pin).filter(|(_, before, after)| before != after)
        else {
            continue;
        };
        match status(&folder, cell)? {
            None => seen.unrecorded += 1,
            Some(status) if status == before => seen.fixed += 1,
            Some(status) if status == after => seen.replayed += 1,
            Some(_) => seen.otherwise += 1,
        }
    }
    Ok(seen)
}

/// The status of `endpoint/target/actor` in the records of a folder.
fn status(folder: &Path, cell: &str) -> Result<Option<u16>, Failure> {
    let mut names = cell.splitn(3, '/');
    let (Some(endpoint), Some(target), Some(actor)) = (names.next(), names.next(), names.next())
    else {
        return Ok(None);
    };
    let text = Snapshot::new(folder, endpoint).read()?;
    let record = text.and_then(|text| Record::parse(&text).ok());
    let status = record.and_then(|record| record.cell_at(target, actor)?.status());
    Ok(status)
}
