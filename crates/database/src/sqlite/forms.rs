//! The statements that take a change of one table back, by the columns that its rows had when it was logged.

use super::connection::{Connection, Sql};
use super::tables::Definition;
use super::undo::Step;
use super::watch::Registered;
use crate::error::DatabaseError;
use crate::sql::identifier;

pub(super) const UNDO: &str = "undo the run's changes";

/// How the changes of one table are taken back.
pub(super) struct Forms {
    table: String,
    /// Columns that a row is known by and restored with, each with its place in the journal.
    columns: Vec<(usize, String)>,
    locator: Vec<(usize, String, String)>,
}

impl Forms {
    /// None where the table has not all the columns any more that the rows had.
    pub(super) fn new(table: &Definition, registered: &Registered) -> Option<Self> {
        let mut columns = Vec::new();
        if let Some(rowid) = table.rowid.as_ref().filter(|_| !table.has_alias) {
            columns.push((0, rowid.clone()));
        }
        for (place, name) in registered.columns.iter().enumerate() {
            let column = table.column(name)?;
            if !column.is_generated {
                columns.push((place + 1, identifier(&column.name)));
            }
        }
        let place_of = |place: usize| {
            let column = table.columns.get(place.checked_sub(1)?)?;
            let mut names = registered.columns.iter();
            Some(names.position(|name| *name == column.name)? + 1)
        };
        let locator = table.locator().into_iter();
        let locator = locator.map(|(place, name, collation)| {
            let place = if place == 0 { 0 } else { place_of(place)? };
            Some((place, name, collation))
        });
        Some(Self {
            table: table.sql(),
            columns,
            locator: locator.collect::<Option<_>>()?,
        })
    }

    /// Whether a row is where that of the change `c` was.
    fn is_there(&self, row: &str, side: &str) -> String {
        let same = self.locator.iter().map(|(place, name, collation)| {
            format!(
                "{row}.{name} = c.{side}{place} collate {}",
                identifier(collation)
            )
        });
        same.collect::<Vec<_>>().join(" and ")
    }

    /// Whether it is that very row: what a column would make of a value does not count, nor how it compares texts.
    fn is_same(&self, row: &str, side: &str) -> String {
        let same = self.columns.iter().map(|(place, name)| {
            format!(
                "+{row}.{name} is +c.{side}{place} collate binary and typeof({row}.{name}) = typeof(c.{side}{place})"
            )
        });
        let all = std::iter::once(self.is_there(row, side)).chain(same);
        all.collect::<Vec<_>>().join(" and ")
    }

    /// Takes back the insertion of rows.
    pub(super) fn delete<'a>(&self, numbers: &'a str) -> Sql<'a> {
        let names = |row: &str| {
            let names = self
                .locator
                .iter()
                .map(|(_, name, _)| format!("{row}{name}"));
            names.collect::<Vec<_>>().join(", ")
        };
        Sql::new(format!(
            "delete from {0} where ({1}) in (select {2} from authz_pin_change c cross join {0} x where {3} and c.seq in {LISTED}",
            self.table,
            names(""),
            names("x."),
            self.is_same("x", "n")
        ))
        .text(numbers)
        .sql(")))")
    }

    /// Takes back the deletion of rows.
    pub(super) fn insert<'a>(&self, numbers: &'a str) -> Sql<'a> {
        let names = self.columns.iter().map(|(_, name)| name.as_str());
        let values = self.columns.iter().map(|(place, _)| format!("c.o{place}"));
        Sql::new(format!(
            "insert or abort into {} ({}) select {} from authz_pin_change c where c.seq in {LISTED}",
            self.table,
            names.collect::<Vec<_>>().join(", "),
            values.collect::<Vec<_>>().join(", ")
        ))
        .text(numbers)
        .sql(")) order by c.seq desc")
    }

    /// Takes back the deletion of a row under another number, where somebody else's row was given its own since and nobody
    /// can have asked for it by that. What the run did to the row before goes by the new number from then on.
    pub(super) fn is_anew(
        &self,
        connection: &mut Connection,
        step: &Step,
        why: &str,
    ) -> Result<bool, DatabaseError> {
        let Some((0, rowid)) = self.columns.first().filter(|_| step.operation == "delete") else {
            return Ok(false);
        };
        let column = why.rsplit('.').next();
        if column != Some(rowid) && column != Some("rowid") {
            return Ok(false);
        }
        let columns = self.columns.get(1..).unwrap_or_default();
        let names = columns.iter().map(|(_, name)| name.as_str());
        let values = columns.iter().map(|(place, _)| format!("o{place}"));
        let insert = format!(
            "insert or abort into {} ({}) select {} from authz_pin_change where seq = ",
            self.table,
            names.collect::<Vec<_>>().join(", "),
            values.collect::<Vec<_>>().join(", ")
        );
        match connection.execute(UNDO, Sql::new(insert).integer(step.seq)) {
            Err(error) => return super::undo::why_not(error).map(|_| false),
            Ok(0) => return Ok(false),
            Ok(_) => {}
        }
        for side in ["o", "n"] {
            let follow = Sql::new(format!(
                "update authz_pin_change set {side}0 = last_insert_rowid() where tbl = {} and seq < {}
                 and run = (select run from authz_pin_change where seq = {2})
                 and {side}0 = (select o0 from authz_pin_change where seq = {2})",
                step.table, step.seq, step.seq
            ));
            connection.execute(UNDO, follow)?;
        }
        Ok(true)
    }

    /// Takes back the update of a row.
    pub(super) fn update<'a>(&self, numbers: &'a str) -> Sql<'a> {
        let set = self.columns.iter();
        let set = set.map(|(place, name)| format!("{name} = c.o{place}"));
        Sql::new(format!(
            "update or abort {} as x set {} from authz_pin_change c where {} and c.seq in {LISTED}",
            self.table,
            set.collect::<Vec<_>>().join(", "),
            self.is_same("x", "n")
        ))
        .text(numbers)
        .sql("))")
    }

    /// Whether a row stands where it was before the change, or after it.
    pub(super) fn occupies(
        &self,
        connection: &mut Connection,
        number: i64,
        side: &str,
    ) -> Result<bool, DatabaseError> {
        self.ask(connection, number, &self.is_there("x", side))
    }

    /// Whether the row is as it was before the change, or after it.
    pub(super) fn is_as(
        &self,
        connection: &mut Connection,
        number: i64,
        side: &str,
    ) -> Result<bool, DatabaseError> {
        self.ask(connection, number, &self.is_same("x", side))
    }

    fn ask(
        &self,
        connection: &mut Connection,
        number: i64,
        condition: &str,
    ) -> Result<bool, DatabaseError> {
        let query = format!(
            "select exists (select 1 from authz_pin_change c cross join {} x where {condition} and c.seq = ",
            self.table
        );
        connection.flag(UNDO, Sql::new(query).integer(number).sql(")"))
    }

    /// Which of these changes left a row as somebody else has written it again since: that row is not the run's.
    pub(super) fn written_again(
        &self,
        connection: &mut Connection,
        (table, run): (i64, &str),
        undone: &str,
    ) -> Result<Vec<i64>, DatabaseError> {
        let same = self.columns.iter().map(|(place, _)| {
            format!("y.n{place} is c.n{place} and typeof(y.n{place}) = typeof(c.n{place})")
        });
        let same = same.collect::<Vec<_>>().join(" and ");
        let query = format!(
            "select distinct c.seq from authz_pin_change y cross join authz_pin_change c on c.seq < y.seq and {same}
             where y.tbl = {table} and y.op in ('insert', 'update') and c.tbl = {table} and c.op in ('insert', 'update')
               and y.run is not "
        );
        let query = Sql::new(query)
            .text(run)
            .sql(format!(" and c.seq in {LISTED}"))
            .text(undone)
            .sql("))");
        let rows = connection.rows(UNDO, query)?;
        Ok(rows.iter().map(|row| row.integer(0)).collect())
    }

    /// The first change after another one, not claimed by anybody, that found the row as that one left it.
    pub(super) fn next(
        &self,
        connection: &mut Connection,
        number: i64,
    ) -> Result<Option<(i64, String)>, DatabaseError> {
        let same = self.columns.iter().map(|(place, _)| {
            format!("y.o{place} is c.n{place} and typeof(y.o{place}) = typeof(c.n{place})")
        });
        let same = same.collect::<Vec<_>>().join(" and ");
        let query = format!(
            "select y.seq, y.op from authz_pin_change c join authz_pin_change y
             on y.tbl = c.tbl and y.run is null and y.seq > c.seq where {same} and c.seq = "
        );
        let rows = connection.rows(
            UNDO,
            Sql::new(query)
                .integer(number)
                .sql(" order by y.seq limit 1"),
        )?;
        let first = rows.first();
        Ok(first.map(|row| (row.integer(0), row.text(1).to_owned())))
    }
}

/// What stands before a list of numbers as JSON.
const LISTED: &str = "(select value from json_each(";
