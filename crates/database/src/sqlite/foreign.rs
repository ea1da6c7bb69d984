//! Whether foreign keys allow what was undone. They are not enforced meanwhile, since what they would do reaches the rows of
//! others, and a service may not enforce them at all: what counts is what others did since.

use std::collections::BTreeMap;

use super::connection::{Connection, Sql};
use super::forms::UNDO;
use super::read::list;
use super::tables::{Definition, Foreign};
use super::undo::{Step, Tables};
use super::watch::Registered;
use crate::error::DatabaseError;
use crate::sql::identifier;

/// The changes that must stay as they are, with the reasons.
pub(super) fn refused(
    connection: &mut Connection,
    tables: &Tables<'_>,
    undone: &[&Step],
) -> Result<BTreeMap<i64, String>, DatabaseError> {
    let mut refused = BTreeMap::new();
    let numbers = list(undone.iter().map(|step| step.seq));
    for (child_number, (child, table)) in tables {
        for foreign in &table.parents {
            let parents = tables
                .iter()
                .filter(|(_, (parent, _))| parent.name == foreign.parent);
            for (parent_number, (parent, _)) in parents {
                let is_touched = undone
                    .iter()
                    .any(|step| step.table == *child_number || step.table == *parent_number);
                let Some(key) = Key::new(table, child, parent, foreign).filter(|_| is_touched)
                else {
                    continue;
                };
                let (child_name, parent_name) = (&child.name, &parent.name);
                let left = key.left_behind(connection, *child_number, *parent_number, &numbers)?;
                let reason =
                    format!("a row of `{child_name}` that somebody else made refers to it");
                refused.extend(left.into_iter().map(|seq| (seq, reason.clone())));
                let lost = key.lost(connection, *child_number, *parent_number, &numbers)?;
                let reason =
                    format!("somebody else took away the row of `{parent_name}` that it refers to");
                refused.extend(lost.into_iter().map(|seq| (seq, reason.clone())));
            }
        }
    }
    Ok(refused)
}

/// A foreign key by the places that its columns have in the journal.
struct Key {
    child: String,
    parent: String,
    columns: Vec<(usize, usize, String, String)>,
}

impl Key {
    fn new(
        table: &Definition,
        child: &Registered,
        parent: &Registered,
        foreign: &Foreign,
    ) -> Option<Self> {
        let columns = foreign.columns.iter().map(|(from, to)| {
            let places = (child.place(from)?, parent.place(to)?);
            Some((places.0, places.1, identifier(from), identifier(to)))
        });
        let columns: Vec<_> = columns.collect::<Option<_>>()?;
        (!columns.is_empty()).then(|| Self {
            child: table.sql(),
            parent: identifier(&parent.name),
            columns,
        })
    }

    fn all(&self, same: impl Fn(&(usize, usize, String, String)) -> String) -> String {
        self.columns
            .iter()
            .map(same)
            .collect::<Vec<_>>()
            .join(" and ")
    }

    /// Changes whose undoing takes a row away to which somebody has made another one refer since.
    fn left_behind(
        &self,
        connection: &mut Connection,
        child: i64,
        parent: i64,
        undone: &str,
    ) -> Result<Vec<i64>, DatabaseError> {
        let refers = self.all(|(from, to, ..)| format!("y.n{from} = c.n{to}"));
        let there = self.all(|(_, to, from, _)| format!("x.{from} = c.n{to}"));
        let stands = self.all(|(_, place, _, to)| format!("p.{to} = c.n{place}"));
        let query = format!(
            "select distinct c.seq from authz_pin_change y cross join authz_pin_change c on {refers}
             where y.tbl = {child} and y.op in ('insert', 'update') and c.tbl = {parent} and c.op in ('insert', 'update')
               and exists (select 1 from {} x where {there})
               and not exists (select 1 from {} p where {stands})",
            self.child, self.parent
        );
        asked(connection, query, undone)
    }

    /// Changes whose undoing restores a row that refers to one that somebody has taken away since.
    fn lost(
        &self,
        connection: &mut Connection,
        child: i64,
        parent: i64,
        undone: &str,
    ) -> Result<Vec<i64>, DatabaseError> {
        let refers = self.all(|(from, to, ..)| format!("y.o{to} = c.o{from}"));
        let stands = self.all(|(place, _, _, to)| format!("p.{to} = c.o{place}"));
        let query = format!(
            "select distinct c.seq from authz_pin_change y cross join authz_pin_change c on {refers}
             where y.tbl = {parent} and y.op in ('delete', 'update') and c.tbl = {child} and c.op in ('delete', 'update')
               and not exists (select 1 from {} p where {stands})",
            self.parent
        );
        asked(connection, query, undone)
    }
}

/// The numbers that such a question is answered with: `y` is what was not undone, and `c` what was.
fn asked(
    connection: &mut Connection,
    query: String,
    undone: &str,
) -> Result<Vec<i64>, DatabaseError> {
    let query = Sql::new(query)
        .sql(" and y.seq not in (select value from json_each(")
        .text(undone)
        .sql(")) and c.seq in (select value from json_each(")
        .text(undone)
        .sql("))");
    let rows = connection.rows(UNDO, query)?;
    Ok(rows.iter().map(|row| row.integer(0)).collect())
}
