//! The journal's tables and triggers: made for the first run, and taken away after the last.

use std::path::Path;

use authz_pin_record::chain::chain;

use super::connection::{Connection, Row, Sql, literal};
use super::locks::{self, Locks};
use super::sequence;
use super::tables::{self, Definition};
use super::triggers::{self, Nesting};
use crate::error::DatabaseError;
use crate::sql::identifier;

pub(super) const INSTALL: &str = "install the journal";
pub(super) const REMOVE: &str = "remove the journal";
pub(super) const READ: &str = "read the journal";

/// What a journal says that this version can read; another journal says something else.
const FORMAT: &str = "authz-pin journal in SQLite, format 1";

/// The journal's tables. The service can have others whose names begin like theirs.
pub(super) const OWN_TABLES: &str = "'authz_pin_journal', 'authz_pin_run', 'authz_pin_identifier', 'authz_pin_table', \
    'authz_pin_counter', 'authz_pin_writer', 'authz_pin_candidate', 'authz_pin_change'";

/// What is true of the names of its triggers, which have the number of their table.
pub(super) const OWN_TRIGGER: &str = "name glob 'authz_pin_[0-9]*'";

fn is_own_trigger(name: &str) -> bool {
    let number = name.strip_prefix("authz_pin_");
    number.is_some_and(|number| number.starts_with(|c: char| c.is_ascii_digit()))
}

/// A table as the journal knows it: its number in changes, and the columns that are logged.
#[derive(Debug, Clone, Default)]
pub(super) struct Registered {
    pub(super) number: i64,
    pub(super) name: String,
    pub(super) columns: Vec<String>,
}

impl Registered {
    /// The place of a column among the values of a row.
    pub(super) fn place(&self, column: &str) -> Option<usize> {
        let mut columns = self.columns.iter();
        let place = columns.position(|known| known.eq_ignore_ascii_case(column))?;
        Some(place + 1)
    }
}

/// Whether there is a journal. Of one that another version made only that version knows the way back.
pub(super) fn is_there(connection: &mut Connection) -> Result<bool, DatabaseError> {
    let query = "select exists (select 1 from sqlite_schema where name = 'authz_pin_journal')";
    if !connection.flag(READ, Sql::new(query))? {
        return Ok(false);
    }
    // Of another one not even the columns are known.
    let format = connection.one(READ, Sql::new("select format from authz_pin_journal"));
    match format {
        Err(error) if super::connection::is_busy(&error) => Err(error),
        Ok(format) if format.text() == Some(FORMAT) => Ok(true),
        _ => Err(DatabaseError::OtherJournal),
    }
}

/// Enters a run, and makes the tables for the first one. Runs that begin and end take turns, since each writes.
pub(super) fn register(
    connection: &mut Connection,
    base: &Path,
    run: &str,
) -> Result<Locks, DatabaseError> {
    connection.write(INSTALL, |connection| {
        if !is_there(connection)? {
            connection.batch(INSTALL, include_str!("install.sql"))?;
            let begun = Sql::new("insert into authz_pin_journal values (")
                .text(FORMAT)
                .sql(", 0)");
            connection.execute(INSTALL, begun)?;
        }
        let locks = Locks::begin(base, run)?;
        connection.batch(INSTALL, "update authz_pin_journal set runs = runs + 1")?;
        let enter = Sql::new(
            "insert into authz_pin_run (token, process, number, started, is_alone) select ",
        )
        .text(run)
        .sql(", ")
        .integer(std::process::id().into())
        .sql(", runs, julianday('now'), 1 from authz_pin_journal");
        connection.execute(INSTALL, enter)?;
        Ok(locks)
    })
}

/// The tables as the journal knows them, the last of each name at the end.
pub(super) fn registered(connection: &mut Connection) -> Result<Vec<Registered>, DatabaseError> {
    let query = Sql::new("select id, name, columns from authz_pin_table order by id");
    let rows = connection.rows(READ, query)?;
    let tables = rows.iter().map(|row| {
        let columns = serde_json::from_str(row.text(2));
        Ok(Registered {
            number: row.integer(0),
            name: row.text(1).to_owned(),
            columns: columns.map_err(|source| DatabaseError::Undecoded {
                what: "a table in the journal",
                source,
            })?,
        })
    });
    tables.collect()
}

/// A table that lacks its triggers, or has others than it should have.
struct Missing {
    table: Definition,
    number: Option<i64>,
    nesting: Nesting,
    /// Whether nothing of it was logged until now.
    is_new: bool,
    /// Whether there was a time in which nothing was logged.
    was_blind: bool,
    /// The triggers that it has of ours.
    old: Vec<String>,
}

/// Puts triggers on every table that lacks some; those of tables that are new log what these hold already. Gives the names of
/// those of which nothing was logged for a while.
pub(super) fn watch(
    connection: &mut Connection,
    definitions: &mut [Definition],
    are_new: bool,
) -> Result<Option<Vec<String>>, DatabaseError> {
    let wanted = connection.read(READ, |connection| missing(connection, definitions))?;
    if wanted.is_empty() {
        return Ok(None);
    }
    connection.write(INSTALL, |connection| {
        follow_names(connection)?;
        let mut blind = Vec::new();
        for one in missing(connection, definitions)? {
            let failed = put(connection, &one, are_new && one.is_new)?;
            let is_blind = failed.is_none() && (one.is_new || one.was_blind);
            blind.extend(is_blind.then(|| one.table.name.clone()));
            let mut tables = definitions.iter_mut();
            if let Some(table) = tables.find(|table| table.name == one.table.name) {
                table.unwatched = failed;
            }
        }
        Ok(Some(blind))
    })
}

/// Tables that were renamed have their triggers still.
fn follow_names(connection: &mut Connection) -> Result<(), DatabaseError> {
    let follow = "update authz_pin_table set name = (
          select s.tbl_name from sqlite_schema s
          where s.type = 'trigger' and s.name = 'authz_pin_' || authz_pin_table.id || '_insert')
        where exists (
          select 1 from sqlite_schema s
          where s.type = 'trigger' and s.name = 'authz_pin_' || authz_pin_table.id || '_insert'
            and s.tbl_name <> authz_pin_table.name)";
    connection.batch(INSTALL, follow)
}

fn nesting(has_none: bool) -> Nesting {
    if has_none {
        Nesting::Impossible
    } else {
        Nesting::Possible
    }
}

fn missing(
    connection: &mut Connection,
    definitions: &[Definition],
) -> Result<Vec<Missing>, DatabaseError> {
    let known = registered(connection)?;
    let query = Sql::new(
        "select tbl_name, name, sql from sqlite_schema where type = 'trigger' order by rowid",
    );
    let all = connection.rows(READ, query)?;
    let is_own = |row: &Row| is_own_trigger(row.text(1));
    let nesting = nesting(all.iter().all(is_own));
    let watched = definitions.iter().filter(|table| table.unwatched.is_none());
    let lacking = watched.filter_map(|table| {
        let of_table = all
            .iter()
            .filter(|row| row.text(0).eq_ignore_ascii_case(&table.name));
        let there: Vec<(&str, &str)> = of_table.map(|row| (row.text(1), row.text(2))).collect();
        let ours = there.iter().filter(|(name, _)| is_own_trigger(name));
        let old: Vec<String> = ours.map(|(name, _)| (*name).to_owned()).collect();
        let registered = known.iter().rfind(|known| known.name == table.name);
        let number = registered
            .filter(|known| known.columns == table.names())
            .map(|known| known.number);
        let wanted = number.map(|number| triggers::statements(table, number, nesting));
        let wanted = wanted.unwrap_or_default();
        let wanted = wanted
            .iter()
            .map(|(name, sql)| (name.as_str(), sql.as_str()));
        // Ours are made last, so that they fire before the service's own.
        let is_whole = number.is_some() && there.ends_with(&wanted.collect::<Vec<_>>());
        (!is_whole).then(|| Missing {
            table: table.clone(),
            number,
            nesting,
            is_new: registered.is_none(),
            was_blind: registered.is_some() && old.is_empty(),
            old,
        })
    });
    Ok(lacking.collect())
}

/// Puts triggers on a table. Gives why they would fail, and so are not there.
fn put(
    connection: &mut Connection,
    one: &Missing,
    adopts: bool,
) -> Result<Option<String>, DatabaseError> {
    for trigger in &one.old {
        connection.batch(INSTALL, &format!("drop trigger {}", identifier(trigger)))?;
    }
    let number = match one.number {
        Some(number) => number,
        None => number_for(connection, &one.table)?,
    };
    make_room(connection, one.table.columns.len())?;
    sequence::keep(connection, &one.table)?;
    let failed = put_triggers(connection, &one.table, number, one.nesting)?;
    if failed.is_none() && adopts {
        adopt(connection, &one.table, number)?;
    }
    Ok(failed)
}

/// Puts the triggers on, and takes them off again where they would fail, which is what it gives.
pub(super) fn put_triggers(
    connection: &mut Connection,
    table: &Definition,
    number: i64,
    nesting: Nesting,
) -> Result<Option<String>, DatabaseError> {
    let statements = triggers::statements(table, number, nesting);
    let made = statements
        .iter()
        .try_for_each(|(_, sql)| connection.batch(INSTALL, sql));
    let failed = match made {
        Ok(()) => tables::why_unwatched(connection, table)?,
        Err(error) if super::connection::is_busy(&error) => return Err(error),
        Err(error) => Some(format!("it cannot have triggers: {}", chain(&error))),
    };
    if failed.is_some() {
        for (name, _) in &statements {
            connection.batch(INSTALL, &format!("drop trigger if exists {name}"))?;
        }
    }
    Ok(failed)
}

fn number_for(connection: &mut Connection, table: &Definition) -> Result<i64, DatabaseError> {
    let columns = serde_json::to_string(&table.names()).map_err(DatabaseError::Rows)?;
    let insert = Sql::new("insert into authz_pin_table (name, columns) values (")
        .text(&table.name)
        .sql(", ")
        .text(columns)
        .sql(")");
    connection.execute(INSTALL, insert)?;
    connection.number(INSTALL, Sql::new("select last_insert_rowid()"))
}

/// Makes columns for the values of a row in the journal's own tables.
fn make_room(connection: &mut Connection, columns: usize) -> Result<(), DatabaseError> {
    for (table, sides) in [("authz_pin_candidate", "c"), ("authz_pin_change", "on")] {
        let query = format!(
            "select count(*) from pragma_table_info('{table}') where name glob '[{sides}][0-9]*'"
        );
        let there = connection.number(INSTALL, Sql::new(query))?;
        let there = usize::try_from(there).unwrap_or_default() / sides.len();
        for place in there..=columns {
            for side in sides.chars() {
                let add = format!("alter table {table} add column {side}{place}");
                connection.batch(INSTALL, &add)?;
            }
        }
    }
    Ok(())
}

/// Logs what a table holds as inserted: it was made while runs were there.
fn adopt(
    connection: &mut Connection,
    table: &Definition,
    number: i64,
) -> Result<(), DatabaseError> {
    let (places, names): (Vec<String>, Vec<String>) = table
        .slots()
        .map(|(place, name)| (format!("n{place}"), name))
        .unzip();
    let adopt = format!(
        "insert into authz_pin_change (tbl, op, at, is_adopted, {}) \
         select {number}, 'insert', julianday('now'), 1, {} from {}",
        places.join(", "),
        names.join(", "),
        table.sql()
    );
    connection.batch(INSTALL, &adopt)
}

/// Whether the tables of a journal are there still: the last run and a clean can take them away at the same time.
pub(super) fn has_runs(connection: &mut Connection) -> Result<bool, DatabaseError> {
    connection.flag(
        READ,
        Sql::new("select exists (select 1 from authz_pin_run)"),
    )
}

/// Takes a run out: what it has claimed and could not undo is nobody's any more.
pub(super) fn forget(connection: &mut Connection, run: &str) -> Result<(), DatabaseError> {
    for (table, column) in [("identifier", "run"), ("change", "run"), ("run", "token")] {
        let delete = format!("delete from authz_pin_{table} where {column} = ");
        connection.execute(REMOVE, Sql::new(delete).text(run))?;
    }
    Ok(())
}

/// Removes the journal if no run is left, all of it at once.
pub(super) fn remove_if_unused(
    connection: &mut Connection,
    base: &Path,
) -> Result<(), DatabaseError> {
    if is_there(connection)? && has_runs(connection)? {
        return Ok(());
    }
    let query = format!(
        "select type, name from sqlite_schema where type = 'trigger' and {OWN_TRIGGER}
         or type = 'table' and name in ({OWN_TABLES}) order by type = 'table'"
    );
    for row in connection.rows(REMOVE, Sql::new(query))? {
        let drop = format!("drop {} {}", row.text(0), identifier(row.text(1)));
        connection.batch(REMOVE, &drop)?;
    }
    locks::remove_all(base)
}

/// Which runs there are but this one.
pub(super) fn others(connection: &mut Connection, own: &str) -> Result<Vec<String>, DatabaseError> {
    let query = format!(
        "select token from authz_pin_run where token <> {} order by number",
        literal(own)
    );
    let rows = connection.rows(READ, Sql::new(query))?;
    Ok(rows.iter().map(|row| row.text(0).to_owned()).collect())
}
