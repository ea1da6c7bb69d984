//! The log as records have it, and what runs claim of it.

use authz_pin_record::observation::Operation;
use serde_json::{Map, Value as Json};

use super::connection::{Connection, Row, Sql};
use super::tables::Definition;
use super::undo::Tables;
use super::watch::{READ, Registered, registered};
use crate::change::{Change, Clock};
use crate::error::{DatabaseError, decoded};
use crate::which::Which;

const WRITE: &str = "write the journal";

/// A moment of the journal in microseconds since 1970. SQLite's clock has milliseconds.
pub(super) fn micros(moment: &str) -> String {
    format!("cast(round(({moment} - 2440587.5) * 86400000.0) as integer) * 1000")
}

/// Numbers as a list in JSON.
pub(super) fn list(numbers: impl IntoIterator<Item = i64>) -> String {
    let numbers = numbers.into_iter().map(|number| number.to_string());
    format!("[{}]", numbers.collect::<Vec<_>>().join(","))
}

/// A change as the journal has it.
pub(super) struct Logged {
    pub(super) seq: i64,
    pub(super) table: String,
    pub(super) operation: String,
    pub(super) at: i64,
    is_adopted: bool,
    pub(super) old: Json,
    pub(super) new: Json,
}

/// How many columns stand before those of the rows.
const BEFORE: usize = 5;

/// The changes of which something is true, in their order.
pub(super) fn logged(
    connection: &mut Connection,
    condition: Sql<'_>,
) -> Result<Vec<Logged>, DatabaseError> {
    let tables = registered(connection)?;
    let columns = tables.iter().map(|table| table.columns.len()).max();
    let images = (1..=columns.unwrap_or_default()).map(|place| format!(", o{place}, n{place}"));
    let query = format!(
        "select seq, tbl, op, {}, is_adopted{} from authz_pin_change where op <> '' and ",
        micros("at"),
        images.collect::<String>()
    );
    let rows = connection.rows(READ, Sql::new(query).then(condition).sql(" order by seq"))?;
    let logged = rows.iter().map(|row| {
        let table = tables.iter().find(|table| table.number == row.integer(1));
        let unknown = || DatabaseError::Undecoded {
            what: "a change in the journal",
            source: serde::de::Error::custom("it is of no table that the journal knows"),
        };
        table.map(|table| of_row(row, table)).ok_or_else(unknown)
    });
    logged.collect()
}

fn of_row(row: &Row, table: &Registered) -> Logged {
    let operation = row.text(2).to_owned();
    let image = |side: usize, is_there: bool| {
        let columns = table.columns.iter().enumerate();
        let columns = columns
            .map(|(place, name)| (name.clone(), row.value(BEFORE + place * 2 + side).json()));
        if is_there {
            Json::Object(columns.collect())
        } else {
            Json::Null
        }
    };
    Logged {
        seq: row.integer(0),
        table: table.name.clone(),
        at: row.integer(3),
        is_adopted: row.is(4),
        old: image(0, operation != "insert"),
        new: image(1, operation != "delete"),
        operation,
    }
}

/// The primary key of a row.
pub(super) fn key_of(table: &Definition, row: &Json) -> Option<Json> {
    let key = table.key.iter();
    let key = key.filter_map(|(name, _)| Some((name.clone(), row.get(name)?.clone())));
    let key: Map<String, Json> = key.collect();
    (!key.is_empty()).then_some(Json::Object(key))
}

/// The changes after this one that nobody has explained yet.
pub(super) fn unexplained(
    connection: &mut Connection,
    (definitions, which): (&[Definition], &Which),
    run: &str,
    floor: i64,
) -> Result<Vec<Change>, DatabaseError> {
    let began = format!(
        "select {} from authz_pin_run where token = ",
        micros("started")
    );
    let began = connection.one(READ, Sql::new(began).text(run))?.integer();
    let condition = Sql::new("run is null and seq > ").integer(floor);
    let logged = logged(connection, condition)?;
    let changes = logged.into_iter().map(|logged| {
        let operation = logged.operation.clone().into();
        let operation: Operation = decoded("a change in the journal", operation)?;
        Ok(Change {
            seq: which.serial(logged.seq),
            // No two changes are known to be of one transaction: SQLite has no number of it that a trigger could ask for, and
            // what two connections do in one millisecond looks like what one does.
            transaction: which.serial(logged.seq),
            table: which.table(&logged.table),
            operation,
            clock: Clock {
                began: began.unwrap_or(logged.at),
                at: logged.at,
            },
            is_adopted: logged.is_adopted,
            old: with_flags(definitions, &logged.table, logged.old),
            new: with_flags(definitions, &logged.table, logged.new),
        })
    });
    changes.collect()
}

/// A row in which 0 and 1 are what they mean in a column that is declared to be for yes and no.
fn with_flags(definitions: &[Definition], table: &str, mut row: Json) -> Json {
    let table = definitions.iter().find(|known| known.name == table);
    for column in table.into_iter().flat_map(|table| &table.columns) {
        if let Some(value) = row.get_mut(&column.name).filter(|_| column.is_flag()) {
            *value = flag(std::mem::take(value));
        }
    }
    row
}

/// What a number means that says yes or no.
pub(super) fn flag(value: Json) -> Json {
    match value.as_i64() {
        Some(0) => false.into(),
        Some(1) => true.into(),
        _ => value,
    }
}

/// The number of the last change.
pub(super) fn last(connection: &mut Connection) -> Result<i64, DatabaseError> {
    connection.number(READ, Sql::new("select max(seq) from authz_pin_change"))
}

/// Keeps the number of the last change that was forgotten, so that the next one has a higher one.
pub(super) fn keep_number(connection: &mut Connection, last: i64) -> Result<(), DatabaseError> {
    let clear = "delete from authz_pin_change where run = '' and seq < ";
    connection.execute(WRITE, Sql::new(clear).integer(last))?;
    let keep = Sql::new("insert into authz_pin_change (seq, op, run) select ")
        .integer(last)
        .sql(", '', '' where not exists (select 1 from authz_pin_change where seq = ")
        .integer(last)
        .sql(")");
    connection.execute(WRITE, keep).map(drop)
}

/// Claims changes for a batch of a run.
pub(super) fn claim(
    connection: &mut Connection,
    run: &str,
    batch: i64,
    changes: &[i64],
) -> Result<(), DatabaseError> {
    for part in changes.chunks(1000) {
        let claim = Sql::new("update authz_pin_change set run = ")
            .text(run)
            .sql(", batch = ")
            .integer(batch)
            .sql(" where run is null and seq in (select value from json_each(")
            .text(list(part.iter().copied()))
            .sql("))");
        connection.execute(WRITE, claim)?;
    }
    Ok(())
}

/// Claims what nobody has explained yet in these tables where its row refers to one that the run inserted. Such a row is there
/// because of the run, and stands in the way of taking away what it refers to.
pub(super) fn claim_referring(
    connection: &mut Connection,
    tables: &Tables<'_>,
    (run, batch): (&str, i64),
    names: &[&str],
) -> Result<(), DatabaseError> {
    for (number, (child, table)) in tables
        .iter()
        .filter(|(_, (child, _))| names.contains(&child.name.as_str()))
    {
        for foreign in &table.parents {
            let parents = tables
                .iter()
                .filter(|(_, (parent, _))| parent.name == foreign.parent);
            for (parent_number, (parent, _)) in parents {
                let Some(same) = same(child, parent, &foreign.columns) else {
                    continue;
                };
                let claim = Sql::new("update authz_pin_change set run = ")
                    .text(run)
                    .sql(", batch = ")
                    .integer(batch)
                    .sql(format!(
                        " where run is null and tbl = {number} and exists (select 1 from authz_pin_change p
                          where p.tbl = {parent_number} and p.op = 'insert' and {same} and p.run = "
                    ))
                    .text(run)
                    .sql(")");
                connection.execute(WRITE, claim)?;
            }
        }
    }
    Ok(())
}

fn same(child: &Registered, parent: &Registered, columns: &[(String, String)]) -> Option<String> {
    let same = columns.iter().map(|(from, to)| {
        let (from, to) = (child.place(from)?, parent.place(to)?);
        Some(format!(
            "p.n{to} = case authz_pin_change.op when 'delete' then authz_pin_change.o{from} else authz_pin_change.n{from} end"
        ))
    });
    let same: Option<Vec<String>> = same.collect();
    same.filter(|same| !same.is_empty())
        .map(|same| same.join(" and "))
}

/// Remembers identifiers of a run that is under way.
pub(super) fn remember(
    connection: &mut Connection,
    run: &str,
    identifiers: &[&str],
) -> Result<(), DatabaseError> {
    let identifiers = serde_json::to_string(identifiers).map_err(DatabaseError::Rows)?;
    let insert = Sql::new("insert into authz_pin_identifier (run, value) select ")
        .text(run)
        .sql(", value from json_each(")
        .text(identifiers)
        .sql(")");
    connection.execute(WRITE, insert).map(drop)
}
