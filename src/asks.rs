//! What takes a reason before it is accepted: findings that weigh most and are new, and reasons that are over.

use authz_pin_record::causes::{Cause, causes, level};
use authz_pin_record::drift;
use authz_pin_record::findings::Finding;
use authz_pin_record::kinds::Level;
use authz_pin_record::record::Record;
use indexmap::IndexMap;

use authz_pin_suite::snapshot::{Day, Reason, Said, Snapshot, SnapshotError, latest, over};

/// What takes a reason, in the order in which it is told.
#[derive(Debug, Clone, Default)]
pub struct Asks {
    causes: Vec<Cause>,
    /// Reasons that are over, each with the name of its endpoint.
    over: Vec<(String, Reason)>,
}

impl Asks {
    /// What of these records takes a reason: not what their snapshots had already, unless its reason is over.
    pub fn of<'a>(
        records: impl IntoIterator<Item = (&'a Snapshot, &'a Record)>,
        levels: &IndexMap<String, Level>,
    ) -> Result<Self, SnapshotError> {
        let (mut found, mut all_over) = (Vec::new(), Vec::new());
        for (snapshot, record) in records {
            let name = snapshot.name();
            let (pinned, reasons) = (pinned(snapshot, record)?, snapshot.reasons()?);
            let over = over(&reasons, &record.findings, Day::today());
            let asks = record.findings.iter().filter(|finding| {
                let has_reason = latest(&reasons, finding).is_some() || pinned.contains(finding);
                level(finding.kind, levels) == Level::Deny && !has_reason
            });
            found.extend(asks.map(|finding| (name.clone(), finding)));
            all_over.extend(over.into_iter().map(|reason| (name.clone(), reason)));
        }
        let found = found
            .iter()
            .map(|(name, finding)| (name.as_str(), *finding));
        Ok(Self {
            causes: causes(found, levels),
            over: all_over,
        })
    }

    /// Without the reasons that are over, which are nothing that waits for review.
    #[must_use]
    pub fn without_over(self) -> Self {
        Self {
            over: Vec::new(),
            ..self
        }
    }

    /// Whether nothing takes a reason.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many reasons are needed: one for each kind and cause, and one for each that is over.
    #[must_use]
    pub fn len(&self) -> usize {
        self.causes.len() + self.over.len()
    }

    /// The findings that take a reason.
    #[must_use]
    pub fn causes(&self) -> &[Cause] {
        &self.causes
    }

    /// What takes a reason, as lines of a text.
    #[must_use]
    pub fn each(&self) -> Vec<Vec<String>> {
        let causes = self.causes.iter().map(Cause::lines);
        let over = self.over.iter().map(|(name, reason)| {
            let about = reason.about().into_iter();
            let about = about.map(|line| format!("    {name}  {line}"));
            std::iter::once(expired(reason)).chain(about).collect()
        });
        causes.chain(over).collect()
    }

    /// What is kept by endpoint, where this was said of each thing that takes a reason, in their order.
    #[must_use]
    pub fn answered(&self, said: &[Said]) -> IndexMap<String, Vec<Reason>> {
        let mut reasons: IndexMap<String, Vec<Reason>> = IndexMap::new();
        let mut said = said.iter();
        for (cause, said) in self.causes.iter().zip(&mut said) {
            for (endpoint, cells) in &cause.endpoints {
                let reason = said.of_finding(&cause.finding, cells.clone());
                reasons.entry(endpoint.clone()).or_default().push(reason);
            }
        }
        for ((endpoint, old), said) in self.over.iter().zip(said) {
            let reason = said.again(old);
            reasons.entry(endpoint.clone()).or_default().push(reason);
        }
        reasons
    }
}

/// That a reason is over, in a line.
#[must_use]
pub fn expired(reason: &Reason) -> String {
    let until = reason.until.as_deref().unwrap_or_default();
    match until.parse::<Day>() {
        Ok(day) => format!("a reason was given until {day}: {}", reason.reason),
        Err(_) => format!("`until: {until}` of a reason is no day: {}", reason.reason),
    }
}

/// The findings that the snapshot has, under the names that actors and targets have now.
fn pinned(snapshot: &Snapshot, record: &Record) -> Result<Vec<Finding>, SnapshotError> {
    let old = snapshot.record()?;
    Ok(old.map_or_else(Vec::new, |old| {
        drift::under_new_names(&old, record).findings
    }))
}
