//! The way back: the changes of a run replayed backwards, all of them in one transaction.
//!
//! SQLite changes one row after the other, so what is taken back in the exact opposite order is never in its own way. Only
//! what the service's own triggers did can be logged before the row that they did it for: what cannot be taken back yet is
//! tried again after each step.

use std::collections::{BTreeMap, BTreeSet};

use super::connection::{Connection, Sql, is_busy, reason};
use super::forms::{Forms, UNDO};
use super::read::{self, key_of};
use super::tables::{self, Definition};
use super::triggers::{self, Nesting};
use super::watch::{self, Registered};
use super::{followers, foreign, sequence};
use crate::error::DatabaseError;
use crate::leftover::Leftover;
use crate::sql::identifier;

/// How many changes are taken back by one statement, and how many are tried again after each of those.
const AT_ONCE: usize = 500;
const AGAIN: usize = 64;

const CHANGED: &str = "the row is not as the run left it";
const OTHER_COLUMNS: &str = "the columns of the table are not those that the row had";

#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) seq: i64,
    pub(super) table: i64,
    pub(super) operation: String,
}

/// What is undone.
#[derive(Debug, Clone, Copy)]
pub(super) struct What<'a> {
    pub(super) run: &'a str,
    /// All of the run, where none is given.
    pub(super) batch: Option<i64>,
    /// Changes that are known to be somebody else's.
    pub(super) foreign: &'a BTreeSet<i64>,
}

/// Undoes what a run has claimed for a batch, or all of it. What stays is told.
pub(super) fn undo(
    connection: &mut Connection,
    definitions: &[Definition],
    what: What<'_>,
) -> Result<Vec<Leftover>, DatabaseError> {
    // What a foreign key would do to the rows of others is not done, and whether they allow it is asked at the end. Rows come
    // back as they were, whatever a check says of them now.
    connection.batch(
        UNDO,
        "pragma foreign_keys = off; pragma ignore_check_constraints = on",
    )?;
    let undone = connection.write(UNDO, |connection| within(connection, definitions, what));
    connection.batch(
        UNDO,
        "pragma foreign_keys = on; pragma ignore_check_constraints = off",
    )?;
    undone
}

fn within(
    connection: &mut Connection,
    definitions: &[Definition],
    what: What<'_>,
) -> Result<Vec<Leftover>, DatabaseError> {
    let left = replayed(connection, definitions, what)?;
    if what.batch.is_none() {
        sequence::restore(connection, definitions)?;
    }
    Ok(left)
}

fn replayed(
    connection: &mut Connection,
    definitions: &[Definition],
    what: What<'_>,
) -> Result<Vec<Leftover>, DatabaseError> {
    let steps = steps(connection, what.run, what.batch)?;
    if steps.is_empty() {
        return Ok(Vec::new());
    }
    let all: Vec<i64> = steps.iter().map(|step| step.seq).collect();
    let mut undo = Undo::new(connection, definitions, what)?;
    // The rows of a table that is gone went with it.
    let steps = steps.into_iter();
    let steps: Vec<Step> = steps
        .filter(|step| undo.tables.contains_key(&step.table))
        .collect();
    let off = undo.silence(&steps)?;
    let left = undo.replay_all(&steps)?;
    let undone = all.into_iter().filter(|seq| !left.contains_key(seq));
    let undone: Vec<i64> = undone.collect();
    undo.speak(off)?;
    // No statement of the service is under way that would need them.
    connection.batch(UNDO, "delete from authz_pin_candidate")?;
    forget(connection, &undone)?;
    leftovers(connection, definitions, &left)
}

fn steps(
    connection: &mut Connection,
    run: &str,
    batch: Option<i64>,
) -> Result<Vec<Step>, DatabaseError> {
    let query = Sql::new("select seq, tbl, op from authz_pin_change where run = ")
        .text(run)
        .sql(" and batch = coalesce(")
        .optional(batch)
        .sql(", batch) order by seq desc");
    let rows = connection.rows(UNDO, query)?;
    let steps = rows.iter().map(|row| Step {
        seq: row.integer(0),
        table: row.integer(1),
        operation: row.text(2).to_owned(),
    });
    Ok(steps.collect())
}

pub(super) type Tables<'d> = BTreeMap<i64, (Registered, &'d Definition)>;

/// The tables by the numbers that changes have for them: those that are still there.
pub(super) fn known<'d>(
    connection: &mut Connection,
    definitions: &'d [Definition],
) -> Result<Tables<'d>, DatabaseError> {
    let registered = watch::registered(connection)?.into_iter();
    let known = registered.filter_map(|registered| {
        let mut definitions = definitions.iter();
        let table = definitions.find(|table| table.name == registered.name)?;
        Some((registered.number, (registered, table)))
    });
    Ok(known.collect())
}

/// The triggers of a table that were taken off, those of the service as they were made.
type Off<'d> = Vec<(i64, &'d Definition, Vec<String>)>;

struct Undo<'a, 'd> {
    connection: &'a mut Connection,
    what: What<'a>,
    tables: Tables<'d>,
    forms: BTreeMap<i64, Option<Forms>>,
    reasons: BTreeMap<i64, String>,
}

impl<'a, 'd> Undo<'a, 'd> {
    fn new(
        connection: &'a mut Connection,
        definitions: &'d [Definition],
        what: What<'a>,
    ) -> Result<Self, DatabaseError> {
        let tables = known(connection, definitions)?;
        let forms = tables.iter();
        let forms =
            forms.map(|(number, (registered, table))| (*number, Forms::new(table, registered)));
        Ok(Self {
            connection,
            what,
            forms: forms.collect(),
            tables,
            reasons: BTreeMap::new(),
        })
    }

    /// Nothing is logged from here on, and the service's own triggers are off: no connection can pass them over, so they are
    /// dropped, and with them ours, which have to be the last that were made.
    fn silence(&mut self, steps: &[Step]) -> Result<Off<'d>, DatabaseError> {
        self.connection
            .batch(UNDO, "delete from authz_pin_writer")?;
        let touched: BTreeSet<i64> = steps.iter().map(|step| step.table).collect();
        let virtual_ones = followers::virtual_ones(self.connection)?;
        let mut off: Off<'d> = Vec::new();
        for (number, (_, table)) in self.tables.iter().rev() {
            let is_done = off.iter().any(|(_, done, _)| done.name == table.name);
            let is_touched = touched.iter().any(|number| {
                self.tables
                    .get(number)
                    .is_some_and(|(_, other)| other.name == table.name)
            });
            if is_done || !is_touched {
                continue;
            }
            let mut triggers = tables::triggers(self.connection, &table.name)?;
            triggers.retain(|(_, sql)| !followers::follows(sql, &virtual_ones));
            if triggers.is_empty() {
                continue;
            }
            for (name, _) in &triggers {
                let drop = format!("drop trigger {}", identifier(name));
                self.connection.batch(UNDO, &drop)?;
            }
            let ours = triggers::statements(table, *number, Nesting::Possible);
            for (name, _) in &ours {
                let drop = format!("drop trigger if exists {name}");
                self.connection.batch(UNDO, &drop)?;
            }
            off.push((
                *number,
                table,
                triggers.into_iter().map(|(_, sql)| sql).collect(),
            ));
        }
        Ok(off)
    }

    fn speak(&mut self, off: Off<'d>) -> Result<(), DatabaseError> {
        for (number, table, triggers) in off {
            for sql in triggers {
                self.connection.batch(UNDO, &sql)?;
            }
            watch::put_triggers(self.connection, table, number, Nesting::Possible)?;
        }
        let speak = "insert into authz_pin_writer values (null, null)";
        self.connection.batch(UNDO, speak)
    }

    /// Takes back what can be, and gives the others with the reasons.
    fn replay_all(&mut self, steps: &[Step]) -> Result<BTreeMap<i64, String>, DatabaseError> {
        let mut kept: BTreeMap<i64, String> = BTreeMap::new();
        loop {
            self.connection.batch(UNDO, "savepoint authz_pin_undo")?;
            let tried: Vec<&Step> = steps
                .iter()
                .filter(|step| !kept.contains_key(&step.seq))
                .collect();
            let remaining = self.replay(&tried)?;
            let undone = tried
                .into_iter()
                .filter(|step| !remaining.contains(&step.seq));
            let undone: Vec<&Step> = undone.collect();
            let mut refused = foreign::refused(self.connection, &self.tables, &undone)?;
            refused.extend(self.written_again(&undone)?);
            if refused.is_empty() {
                self.connection.batch(UNDO, "release authz_pin_undo")?;
                let reasons = remaining.into_iter();
                kept.extend(
                    reasons.map(|seq| (seq, self.reasons.remove(&seq).unwrap_or_default())),
                );
                return Ok(kept);
            }
            let back = "rollback to authz_pin_undo; release authz_pin_undo";
            self.connection.batch(UNDO, back)?;
            kept.extend(refused);
        }
    }

    /// What somebody else has written again since just as the run had left it.
    fn written_again(&mut self, undone: &[&Step]) -> Result<BTreeMap<i64, String>, DatabaseError> {
        let mut again = BTreeMap::new();
        let tables: BTreeSet<i64> = undone.iter().map(|step| step.table).collect();
        for table in tables {
            let Some(Some(forms)) = self.forms.get(&table) else {
                continue;
            };
            let numbers = undone.iter().filter(|step| step.table == table);
            let numbers = read::list(numbers.map(|step| step.seq));
            let found = forms.written_again(self.connection, (table, self.what.run), &numbers)?;
            again.extend(found.into_iter().map(|seq| (seq, CHANGED.to_owned())));
        }
        Ok(again)
    }

    fn replay(&mut self, steps: &[&Step]) -> Result<BTreeSet<i64>, DatabaseError> {
        let mut remaining: Vec<&Step> = Vec::new();
        let is_one = |a: &&Step, b: &&Step| {
            a.table == b.table && a.operation == b.operation && a.operation != "update"
        };
        for group in steps
            .chunk_by(is_one)
            .flat_map(|group| group.chunks(AT_ONCE))
        {
            if !self.is_undone_at_once(group)? {
                for step in group {
                    if !self.is_undone(step)? {
                        remaining.push(step);
                    }
                }
            }
            let from = remaining.len().saturating_sub(AGAIN);
            let last = self.again(remaining.split_off(from))?;
            remaining.extend(last);
        }
        let remaining = self.again(remaining)?;
        Ok(remaining.into_iter().map(|step| step.seq).collect())
    }

    /// Tries again what did not work before, as long as any of it works now.
    fn again<'s>(&mut self, mut steps: Vec<&'s Step>) -> Result<Vec<&'s Step>, DatabaseError> {
        loop {
            let before = steps.len();
            let mut still = Vec::new();
            for step in steps {
                if !self.is_undone(step)? {
                    still.push(step);
                }
            }
            if still.is_empty() || still.len() == before {
                return Ok(still);
            }
            steps = still;
        }
    }

    /// Takes several changes of one table and one kind back by one statement, or none of them.
    fn is_undone_at_once(&mut self, group: &[&Step]) -> Result<bool, DatabaseError> {
        let [first, _, ..] = group else {
            return Ok(false);
        };
        let Some(Some(forms)) = self.forms.get(&first.table) else {
            return Ok(false);
        };
        let numbers = read::list(group.iter().map(|step| step.seq));
        let statement = if first.operation == "insert" {
            forms.delete(&numbers)
        } else {
            forms.insert(&numbers)
        };
        self.connection.batch(UNDO, "savepoint authz_pin_group")?;
        let count = match self.connection.execute(UNDO, statement) {
            Err(error) => why_not(error).map(|_| 0)?,
            Ok(count) => count,
        };
        let end = if count == group.len() {
            "release authz_pin_group"
        } else {
            "rollback to authz_pin_group; release authz_pin_group"
        };
        self.connection.batch(UNDO, end)?;
        Ok(count == group.len())
    }

    /// Takes one change back, or notes why not.
    fn is_undone(&mut self, step: &Step) -> Result<bool, DatabaseError> {
        let Some(Some(forms)) = self.forms.get(&step.table) else {
            self.reasons.insert(step.seq, OTHER_COLUMNS.to_owned());
            return Ok(false);
        };
        let numbers = read::list([step.seq]);
        let statement = match step.operation.as_str() {
            "insert" => forms.delete(&numbers),
            "delete" => forms.insert(&numbers),
            _ => forms.update(&numbers),
        };
        let why = match self.connection.execute(UNDO, statement) {
            Ok(0) => CHANGED.to_owned(),
            Ok(_) => return Ok(true),
            Err(error) => why_not(error)?,
        };
        if has_nothing_left(self.connection, forms, step, self.what)?
            || forms.is_anew(self.connection, step, &why)?
        {
            return Ok(true);
        }
        self.reasons.insert(step.seq, why);
        Ok(false)
    }
}

/// Why a row could not be written: what is in its way. Anything else is an error of the whole.
pub(super) fn why_not(error: DatabaseError) -> Result<String, DatabaseError> {
    let why = reason(&error);
    let is_of_row = ["constraint failed", "datatype mismatch", "cannot store"];
    if !is_busy(&error) && is_of_row.iter().any(|words| why.contains(words)) {
        return Ok(why);
    }
    Err(error)
}

/// Whether there is nothing left to undo of a change: the row is gone again, or is there as it was before.
fn has_nothing_left(
    connection: &mut Connection,
    forms: &Forms,
    step: &Step,
    what: What<'_>,
) -> Result<bool, DatabaseError> {
    if step.operation != "insert" {
        return forms.is_as(connection, step.seq, "o");
    }
    if forms.occupies(connection, step.seq, "n")? {
        return Ok(false);
    }
    absorb(connection, forms, step.seq, what)
}

/// Claims what was done to a row of the run afterwards and nobody has explained yet: what the service deleted must not come
/// back. False where it was only changed, so that this has to be undone first.
fn absorb(
    connection: &mut Connection,
    forms: &Forms,
    seq: i64,
    what: What<'_>,
) -> Result<bool, DatabaseError> {
    let (mut last, mut is_deleted) = (seq, true);
    while let Some((next, operation)) = forms.next(connection, last)? {
        is_deleted = operation == "delete";
        if what.foreign.contains(&next) {
            break;
        }
        let claim = Sql::new("update authz_pin_change set run = ")
            .text(what.run)
            .sql(", batch = (select batch from authz_pin_change where seq = ")
            .integer(seq)
            .sql(") where seq = ")
            .integer(next);
        connection.execute(UNDO, claim)?;
        last = next;
        if is_deleted {
            break;
        }
    }
    Ok(is_deleted)
}

/// Forgets changes. The number of the last one is kept, so that none is given twice.
pub(super) fn forget(connection: &mut Connection, undone: &[i64]) -> Result<(), DatabaseError> {
    let last = connection.number(UNDO, Sql::new("select max(seq) from authz_pin_change"))?;
    for part in undone.chunks(AT_ONCE) {
        let delete =
            Sql::new("delete from authz_pin_change where seq in (select value from json_each(")
                .text(read::list(part.iter().copied()))
                .sql("))");
        connection.execute(UNDO, delete)?;
    }
    read::keep_number(connection, last)
}

fn leftovers(
    connection: &mut Connection,
    definitions: &[Definition],
    left: &BTreeMap<i64, String>,
) -> Result<Vec<Leftover>, DatabaseError> {
    if left.is_empty() {
        return Ok(Vec::new());
    }
    let numbers = read::list(left.keys().copied());
    let logged = read::logged(
        connection,
        Sql::new("seq in (select value from json_each(")
            .text(numbers)
            .sql("))"),
    )?;
    let leftovers = logged.into_iter().map(|change| {
        let mut definitions = definitions.iter();
        let table = definitions.find(|table| table.name == change.table);
        let row = if change.new.is_null() {
            &change.old
        } else {
            &change.new
        };
        Leftover {
            key: table.and_then(|table| key_of(table, row)),
            tbl: change.table,
            op: change.operation,
            reason: left.get(&change.seq).cloned(),
        }
    });
    Ok(leftovers.collect())
}
