//! What the service writes by itself although the suite does not say so: it also comes while nothing is called.
//!
//! That is a control, as experiments have one, and the only proof: that a repetition does not show a write proves nothing,
//! since the service can remember the first call.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use authz_pin_database::Serial;
use authz_pin_database::{Change, Presence};
use authz_pin_record::observation::Operation;
use authz_pin_record::record::Record;
use authz_pin_record::text::in_backticks;
use indexmap::IndexMap;
use tokio::time::{Instant, sleep};

use super::{Kinds, SweepError, Sweeper, count_kinds};

/// What was done to which table. Of an update it has the columns that changed: a service that notes when somebody was last
/// seen does not make anybody an administrator by itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Act {
    pub(super) table: String,
    pub(super) operation: Operation,
    pub(super) columns: BTreeSet<String>,
}

pub(super) type Acts = BTreeSet<Act>;

impl Act {
    /// What was done to which table, whatever the columns.
    pub(super) fn kind(&self) -> String {
        format!("{} `{}`", self.operation.as_str(), self.table)
    }

    pub(super) fn of(change: &Change) -> Self {
        Self {
            table: change.table.clone(),
            operation: change.operation,
            columns: change.changed(),
        }
    }
}

impl std::fmt::Display for Act {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.kind())?;
        if self.columns.is_empty() {
            return Ok(());
        }
        let columns: Vec<&str> = self.columns.iter().map(String::as_str).collect();
        write!(out, " ({})", columns.join(", "))
    }
}

/// The tables of these, for a person.
pub(super) fn tables(acts: &Acts) -> String {
    let tables: BTreeSet<&str> = acts.iter().map(|act| act.table.as_str()).collect();
    in_backticks(tables)
}

/// What of one try may be no call's.
#[derive(Debug, Default)]
pub(super) struct Strange {
    /// Changes that no cell's symbols explain.
    pub(super) changes: Vec<Change>,
    /// Effects that were written together with those of other cells, by cell and number.
    pub(super) collected: Vec<Collected>,
}

/// An effect that was written together with those of other cells.
#[derive(Debug, Clone)]
pub(super) struct Collected {
    pub(super) cell: usize,
    pub(super) seq: Serial,
    pub(super) act: Act,
}

impl Strange {
    /// How often each was done.
    pub(super) fn acts(&self) -> BTreeMap<Act, usize> {
        let mut acts = BTreeMap::new();
        for change in &self.changes {
            *acts.entry(Act::of(change)).or_default() += 1;
        }
        acts
    }

    /// How often what was done to which table, but for what the service does by itself.
    pub(super) fn kinds(&self, control: &Control) -> Kinds {
        let others = self.changes.iter();
        let others = others.filter(|change| !control.is_own(&Act::of(change)));
        let mut kinds = Kinds::new();
        count_kinds(&mut kinds, others);
        kinds
    }
}

/// What is known of the service's own writes.
#[derive(Debug, Default)]
pub(super) struct Control {
    /// What came while nothing was called.
    own: Acts,
    /// What was watched for, each once in a run.
    asked: Acts,
    /// How many changes were left out of records, since no call repeated them.
    left_out: BTreeMap<Act, usize>,
}

impl Control {
    pub(super) fn is_own(&self, act: &Act) -> bool {
        self.own.contains(act)
    }

    pub(super) fn leave_out<'c>(&mut self, changes: impl IntoIterator<Item = &'c Change>) {
        for change in changes {
            self.leave_out_some(Act::of(change), 1);
        }
    }

    pub(super) fn leave_out_some(&mut self, act: Act, count: usize) {
        *self.left_out.entry(act).or_default() += count;
    }

    /// What was left out of these records, as rules of a suite that say so.
    pub(super) fn proposed(&self, records: &IndexMap<String, Record>) -> Vec<Proposed> {
        let mut counts: BTreeMap<Own, usize> = BTreeMap::new();
        for (act, count) in &self.left_out {
            *counts.entry(self.rule(act)).or_default() += count;
        }
        let proposed = counts.into_iter().map(|(what, changes)| Proposed {
            is_effect: records.values().any(|record| what.is_in(record)),
            what,
            changes,
        });
        proposed.collect()
    }

    /// Updates alone are of columns.
    fn rule(&self, act: &Act) -> Own {
        let mut same = self
            .left_out
            .keys()
            .filter(|other| other.table == act.table);
        if same.all(|other| other.operation == Operation::Update) {
            let columns = act.columns.iter();
            let columns = columns.map(|column| format!("{}.{column}", act.table));
            Own::Columns(columns.collect())
        } else {
            Own::Table(act.table.clone())
        }
    }
}

/// What the service writes by itself, as a suite says it under `background`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Own {
    /// A table.
    Table(String),
    /// Columns of a table that change together, each as `Table.column`.
    Columns(Vec<String>),
}

impl Own {
    /// Whether a record has an effect that would be none if the suite said so.
    fn is_in(&self, record: &Record) -> bool {
        record.effects.iter().any(|(label, change)| {
            let table = label.table();
            match self {
                Self::Table(own) => table == own,
                Self::Columns(own) => {
                    let changed = change.columns.iter();
                    let mut changed = changed.map(|(column, _)| format!("{table}.{column}"));
                    label.operation() == Operation::Update && changed.all(|one| own.contains(&one))
                }
            }
        })
    }
}

/// What a suite could say of the service's own writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposed {
    /// What the service writes by itself.
    pub what: Own,
    /// How many such changes are in no record, since no call repeated them.
    pub changes: usize,
    /// Whether calls write it as well: a rule would drop these effects.
    pub is_effect: bool,
}

impl Sweeper<'_> {
    /// Watches, while nothing is called, whether the service does any of this by itself; what was watched for before is not
    /// asked again. What calls write late is waited for first. A suite that says how late the service writes has it watched
    /// so long.
    pub(super) async fn watch_for(
        &mut self,
        name: &str,
        acts: &Acts,
        took: Duration,
    ) -> Result<(), SweepError> {
        let open: Acts = acts.difference(&self.control.asked).cloned().collect();
        if open.is_empty() || self.store.is_none() {
            return Ok(());
        }
        let late = Duration::from_secs(self.suite.file.background.wait_s);
        let most = (took * LONGER).clamp(SHORTEST, LONGEST).max(late);
        self.tell_what_is_asked(name, &open, most);
        self.control.asked.extend(open.iter().cloned());
        self.enter(Presence::Alone).await?;
        let mut last = self.settle().await?;
        if late.is_zero() {
            // Where nothing is said to be written late, what comes soon can be a call's all the same.
            if let Some(store) = &self.store {
                sleep(store.grace()).await;
            }
            last = self.settle().await?;
        }
        let (mut open, start) = (open, Instant::now());
        while !open.is_empty() && start.elapsed() < most {
            sleep(TICK).await;
            let seen = self.changed_since(&last).await?;
            let (own, still) = open.into_iter().partition(|act| seen.contains(act));
            let own: Acts = own;
            self.control.own.extend(own);
            open = still;
        }
        self.settle().await?;
        // What came was no late write of a call.
        self.enter(Presence::Alone).await
    }

    fn tell_what_is_asked(&self, name: &str, acts: &Acts, most: Duration) {
        let acts: Vec<String> = acts.iter().map(ToString::to_string).collect();
        self.progress.note(&format!(
            "{name}: calling nothing for up to {:.0} s, to see whether the service does {} by itself",
            most.as_secs_f64().ceil(),
            acts.join(", ")
        ));
    }

    /// Waits for what calls wrote, and undoes it.
    async fn settle(&mut self) -> Result<Vec<Serial>, SweepError> {
        let Some(store) = &mut self.store else {
            return Ok(Vec::new());
        };
        let (_, last) = store.settle(self.ledger.known()).await?;
        Ok(last)
    }

    async fn changed_since(&mut self, last: &[Serial]) -> Result<Acts, SweepError> {
        let Some(store) = &mut self.store else {
            return Ok(Acts::new());
        };
        let changes = store.changed_since(last).await?;
        Ok(changes.iter().map(Act::of).collect())
    }

    /// What comes to cells of a batch that is over, together with rows of others, can be what the service collects. If it does
    /// so by itself, it is no effect; else it stays with its cell.
    pub(super) async fn judge_late(
        &mut self,
        name: &str,
        first: usize,
        strange: &Strange,
        took: Duration,
    ) -> Result<(), SweepError> {
        let late = strange.collected.iter();
        let late: Vec<Collected> = late.filter(|one| one.cell < first).cloned().collect();
        let acts: Acts = late.iter().map(|one| one.act.clone()).collect();
        self.watch_for(name, &acts, took).await?;
        let taken = self.reclaim(&late);
        self.control.leave_out(&taken);
        Ok(())
    }

    /// Takes back from cells what the service collects by itself.
    pub(super) fn reclaim(&mut self, collected: &[Collected]) -> Vec<Change> {
        let mut taken = Vec::new();
        for one in collected {
            if !self.control.is_own(&one.act) {
                continue;
            }
            let Some(swept) = self.ledger.cell_mut(one.cell) else {
                continue;
            };
            taken.extend(swept.changes.extract_if(.., |change| change.seq == one.seq));
        }
        taken
    }
}

/// How many times as long as calls took, at least and at most, nothing is called.
const LONGER: u32 = 2;
const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(20);

/// How often it is looked meanwhile.
const TICK: Duration = Duration::from_millis(50);

#[cfg(test)]
mod tests {
    use super::*;
    use authz_pin_database::Which;
    use serde_json::{Value as Json, json};

    fn change(operation: Operation, table: &str, old: Json, new: Json) -> Change {
        Change {
            seq: Which::default().serial(1),
            transaction: Which::default().serial(1),
            table: table.to_owned(),
            operation,
            old,
            new,
            clock: authz_pin_database::Clock::default(),
            is_adopted: false,
        }
    }

    fn update(table: &str, column: &str) -> Change {
        let row = |value| json!({"id": 1, column: value});
        change(Operation::Update, table, row(1), row(2))
    }

    fn insert(table: &str) -> Change {
        change(Operation::Insert, table, Json::Null, json!({"id": 1}))
    }

    #[test]
    fn an_update_of_other_columns_is_something_else() {
        let [seen, admin] = ["seen", "admin"].map(|column| Act::of(&update("T", column)));
        assert_ne!(seen, admin);
        assert_eq!(seen.to_string(), "update `T` (seen)");
        assert_eq!(Act::of(&insert("T")), Act::of(&insert("T")));
    }

    #[test]
    fn what_is_only_updated_is_proposed_by_its_columns() {
        let mut control = Control::default();
        control.leave_out(&[insert("Log"), insert("Log"), update("Log", "state")]);
        control.leave_out(&[update("User", "seen")]);
        let proposed = control.proposed(&IndexMap::new());
        let what: Vec<_> = proposed
            .iter()
            .map(|one| (&one.what, one.changes))
            .collect();
        let columns = Own::Columns(vec!["User.seen".to_owned()]);
        assert_eq!(what, [(&Own::Table("Log".to_owned()), 3), (&columns, 1)]);
    }

    #[test]
    fn what_calls_write_as_well_is_known() {
        let record = |effect: &str, column: &str| {
            let text = format!(
                "format: 2\nendpoint: GET /\ncells: {{}}\neffects: {{ {effect} 1a2b: {{ columns: {{ {column}: 1 -> 2 }} }} }}\n"
            );
            Record::parse(&text).unwrap()
        };
        let table = Own::Table("User".to_owned());
        let columns = Own::Columns(vec!["User.seen".to_owned()]);
        assert!(table.is_in(&record("insert User", "id")));
        assert!(!table.is_in(&record("insert Users", "id")));
        assert!(columns.is_in(&record("update User", "seen")));
        assert!(!columns.is_in(&record("update User", "admin")));
        assert!(!columns.is_in(&record("insert User", "seen")));
    }
}
