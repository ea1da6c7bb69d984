//! What waits for review: a difference beside its snapshot, with what it means.

use authz_pin_record::drift::{self, Comparison, Drift, Group};
use authz_pin_record::kinds::Level;
use authz_pin_record::record::Record;
use authz_pin_suite::snapshot::{self, Said, Snapshot, SnapshotError};
use authz_pin_suite::suite::Suite;
use indexmap::IndexMap;

use crate::asks::Asks;
use crate::orphan::Orphans;

/// A difference that waits for review.
#[derive(Debug, Clone)]
pub struct Pending {
    /// The snapshot that it stands beside.
    pub snapshot: Snapshot,
    /// What it means, worst first. None where the one or the other is not a record, so that nobody knows.
    pub drift: Option<Vec<Group>>,
    old: Option<String>,
    new: String,
    /// The findings that take a reason.
    findings: Asks,
}

impl Pending {
    /// Reads a snapshot and what stands beside it, which weighs what the suite says. What was accepted of an endpoint can
    /// be under the name that it had formerly.
    pub fn read(
        snapshot: Snapshot,
        former: Option<&Snapshot>,
        levels: &IndexMap<String, Level>,
    ) -> Result<Self, SnapshotError> {
        let snapshot = match former {
            Some(former) => snapshot.formerly(former),
            None => snapshot,
        };
        let old = snapshot.read()?;
        let new = snapshot.read_pending()?.unwrap_or_default();
        let renamed =
            former.map(|former| Drift::renamed("endpoint", &former.name(), &snapshot.name()));
        let record = snapshot::parsed(&snapshot.pending(), &new)?;
        let records = record.as_ref().map(|record| (&snapshot, record));
        Ok(Self {
            findings: Asks::of(records, levels)?.without_over(),
            drift: classified(&snapshot.name(), (old.as_deref(), renamed), &new, levels),
            snapshot,
            old,
            new,
        })
    }

    /// Whether nothing was accepted yet.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.old.is_none()
    }

    /// What of it takes a reason, a line for each group of cells: all that weighs most, what cannot be classified, and the
    /// findings that weigh most and have no reason yet.
    #[must_use]
    pub fn asks(&self) -> Vec<String> {
        let findings = self.findings.causes().iter().map(|cause| {
            let cells = cause.endpoints.values().map(drift::line);
            let cells: String = cells.collect();
            match cells.as_str() {
                "" => cause.finding.clone(),
                cells => format!("{} ({cells})", cause.finding),
            }
        });
        self.widenings().into_iter().chain(findings).collect()
    }

    /// What of the drift takes a reason. Where nothing was accepted, nothing can widen.
    fn widenings(&self) -> Vec<String> {
        let Some(drift) = &self.drift else {
            return vec!["not classified, since it is not a record".to_owned()];
        };
        let weighs = |group: &&Group| {
            let is_deny = !self.is_new() && group.level == Level::Deny;
            is_deny && group.kind != drift::Kind::FindingAdded
        };
        drift.iter().filter(weighs).map(line).collect()
    }

    /// The lines that differ.
    #[must_use]
    pub fn text(&self) -> String {
        match drift::compare(Some(self.old.as_deref().unwrap_or_default()), &self.new) {
            Comparison::Changed { diff, .. } => diff,
            Comparison::New | Comparison::Same => String::new(),
        }
    }

    /// Accepts it. What was said is kept where a reason is needed.
    pub fn accept(&self, said: Option<&Said>) -> Result<(), SnapshotError> {
        let mut reasons = Vec::new();
        if let Some(said) = said {
            let widenings = Some(self.widenings()).filter(|lines| !lines.is_empty());
            reasons.extend(widenings.map(|lines| said.of_drift(lines)));
            let all = vec![said.clone(); self.findings.len()];
            let findings = self.findings.answered(&all).into_values();
            reasons.extend(findings.flatten());
        }
        self.snapshot.accept_pending(&reasons)
    }
}

/// Which of the snapshots that wait are of endpoints that had another name.
pub fn renamed(
    suite: &Suite,
    pending: &[Snapshot],
) -> Result<IndexMap<String, Snapshot>, SnapshotError> {
    let records = pending
        .iter()
        .filter_map(|one| Some((one.name(), one.pending_record().ok()??)));
    let records: Vec<(String, Record)> = records.collect();
    let records = records.iter().map(|(name, record)| (name.as_str(), record));
    Ok(Orphans::of(suite)?.renamed(records))
}

fn classified(
    endpoint: &str,
    (old, renamed): (Option<&str>, Option<Drift>),
    new: &str,
    levels: &IndexMap<String, Level>,
) -> Option<Vec<Group>> {
    let old = old.map_or_else(|| Ok(Record::default()), Record::parse);
    let mut drifts = drift::between(&old.ok()?, &Record::parse(new).ok()?);
    drifts.extend(renamed);
    drifts.sort_by_key(|drift| drift.kind);
    let drifts = drifts.into_iter().map(|drift| drift.weighed(levels));
    Some(drift::group([(endpoint, drifts.collect())]))
}

fn line(group: &Group) -> String {
    let cells: Vec<String> = group.endpoints.values().map(drift::line).collect();
    let change = match (group.was.as_str(), group.is.as_str()) {
        ("", is) => is.to_owned(),
        (was, is) => format!("{was} -> {is}"),
    };
    let cells = Some(cells.join("; ")).filter(|cells| !cells.is_empty());
    let parts = [Some(group.kind.id()), cells];
    let subject: Vec<String> = parts.into_iter().flatten().collect();
    format!("{}: {change}", subject.join(" "))
}
