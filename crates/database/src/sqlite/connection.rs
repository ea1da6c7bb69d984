//! The connection to one file, and statements with values.

use std::borrow::Cow;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use authz_pin_record::chain::chain;
use diesel::connection::SimpleConnection;
use diesel::deserialize::{self, QueryableByName};
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::row::{Field, NamedRow};
use diesel::sql_types::{BigInt, Nullable, Text, Untyped};
use diesel::sqlite::{Sqlite, SqliteType};
use diesel::{Connection as _, QueryResult, RunQueryDsl, SqliteConnection};
use percent_encoding::{NON_ALPHANUMERIC, percent_encode};
use serde_json::Value as Json;

use crate::address::url_of_file;
use crate::error::DatabaseError;

/// A value as the file has it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Null,
    Integer(i64),
    Real(f64),
    Text(String),
    Blob(Vec<u8>),
}

impl Value {
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn integer(&self) -> Option<i64> {
        match self {
            Self::Integer(number) => Some(*number),
            _ => None,
        }
    }

    /// The value in a record. What JSON has no number for is a text, as PostgreSQL writes it.
    pub(super) fn json(&self) -> Json {
        match self {
            Self::Null => Json::Null,
            Self::Integer(number) => (*number).into(),
            Self::Real(number) if number.is_finite() => (*number).into(),
            Self::Real(number) if *number < 0.0 => "-Infinity".into(),
            Self::Real(_) => "Infinity".into(),
            Self::Text(text) => text.as_str().into(),
            Self::Blob(bytes) => hexadecimal(bytes).into(),
        }
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    let digits = bytes.iter().map(|byte| format!("{byte:02x}"));
    std::iter::once("\\x".to_owned()).chain(digits).collect()
}

/// One row of an answer.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row(pub(super) Vec<Value>);

impl Row {
    pub(super) fn value(&self, place: usize) -> &Value {
        self.0.get(place).unwrap_or(&Value::Null)
    }

    pub(super) fn text(&self, place: usize) -> &str {
        self.value(place).text().unwrap_or_default()
    }

    pub(super) fn integer(&self, place: usize) -> i64 {
        self.value(place).integer().unwrap_or_default()
    }

    pub(super) fn is(&self, place: usize) -> bool {
        self.integer(place) != 0
    }
}

impl QueryableByName<Sqlite> for Row {
    fn build<'a>(row: &impl NamedRow<'a, Sqlite>) -> deserialize::Result<Self> {
        let places = 0..row.field_count();
        let values = places.map(|place| {
            let field = diesel::row::Row::get(row, place).ok_or("the answer has no such column")?;
            let value = field.value();
            let Some(mut value) = value else {
                return Ok(Value::Null);
            };
            Ok(match value.value_type() {
                None => Value::Null,
                Some(SqliteType::Text) => {
                    let text = value.read_text().to_owned();
                    if text.contains(char::REPLACEMENT_CHARACTER)
                        && str::from_utf8(value.read_blob()).is_err()
                    {
                        Value::Blob(value.read_blob().to_vec())
                    } else {
                        Value::Text(text)
                    }
                }
                Some(SqliteType::Binary) => Value::Blob(value.read_blob().to_vec()),
                Some(SqliteType::Float | SqliteType::Double) => Value::Real(value.read_double()),
                Some(_) => Value::Integer(value.read_long()),
            })
        });
        values.collect::<deserialize::Result<_>>().map(Self)
    }
}

enum Part<'a> {
    Sql(Cow<'a, str>),
    Text(Option<Cow<'a, str>>),
    Integer(Option<i64>),
}

/// A statement with values. The connection prepares it once, however often it is made.
pub(super) struct Sql<'a>(Vec<Part<'a>>);

impl<'a> Sql<'a> {
    pub(super) fn new(sql: impl Into<Cow<'a, str>>) -> Self {
        Self(vec![Part::Sql(sql.into())])
    }

    /// More of it.
    pub(super) fn sql(mut self, sql: impl Into<Cow<'a, str>>) -> Self {
        self.0.push(Part::Sql(sql.into()));
        self
    }

    /// All of another one.
    pub(super) fn then(mut self, rest: Sql<'a>) -> Self {
        self.0.extend(rest.0);
        self
    }

    pub(super) fn text(mut self, text: impl Into<Cow<'a, str>>) -> Self {
        self.0.push(Part::Text(Some(text.into())));
        self
    }

    pub(super) fn integer(mut self, number: i64) -> Self {
        self.0.push(Part::Integer(Some(number)));
        self
    }

    pub(super) fn optional(mut self, number: Option<i64>) -> Self {
        self.0.push(Part::Integer(number));
        self
    }
}

impl QueryFragment<Sqlite> for Sql<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        for part in &self.0 {
            match part {
                Part::Sql(sql) => out.push_sql(sql),
                Part::Text(text) => out.push_bind_param::<Nullable<Text>, _>(text)?,
                Part::Integer(number) => out.push_bind_param::<Nullable<BigInt>, _>(number)?,
            }
        }
        Ok(())
    }
}

impl QueryId for Sql<'_> {
    type QueryId = ();

    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for Sql<'_> {
    type SqlType = Untyped;
}

impl<C> RunQueryDsl<C> for Sql<'_> {}

/// The one connection to a file.
pub(super) struct Connection {
    /// Nobody waits for it: who has the database for himself has the connection. It can only be used by one thread at a time,
    /// whoever else can see that it is there.
    sqlite: Mutex<SqliteConnection>,
    /// Until when others have their turn to write.
    rests: Option<Instant>,
}

/// The longest pause between two transactions that write: SQLite has no queue, and who finds the file locked looks again only
/// after a while, so that somebody who writes all the time keeps it from all others.
const REST: Duration = Duration::from_millis(50);

/// How long a lock is waited for before others get their turn.
pub(super) const BUSY: &str = "pragma busy_timeout = 50";

/// No file is made, a lock is waited for no longer than it takes a statement to end, and rows are written as the service's own
/// connections would. What is taken away again does not stay in the file's free pages.
const SETTINGS: &str =
    "pragma busy_timeout = 50; pragma foreign_keys = on; pragma recursive_triggers = off;
    pragma trusted_schema = on; pragma secure_delete = fast";

impl Connection {
    /// Connects to a file that is there.
    pub(super) fn open(path: &Path) -> Result<Self, DatabaseError> {
        let failed = |reason: String| DatabaseError::Unreachable {
            url: url_of_file(path),
            reason,
        };
        let found = std::fs::metadata(path).map_err(|error| failed(error.to_string()))?;
        if !found.is_file() {
            return Err(failed("it is no file".to_owned()));
        }
        let name = percent_encode(path.as_os_str().as_encoded_bytes(), NON_ALPHANUMERIC);
        let opened = SqliteConnection::establish(&format!("file:{name}?mode=rw"));
        let opened = opened.map_err(|error| failed(error.to_string()))?;
        let mut connection = Self {
            sqlite: Mutex::new(opened),
            rests: None,
        };
        connection.batch("connect", SETTINGS)?;
        connection.hurry()?;
        // What is no database is only found out when it is read.
        let read = connection.rows("connect", Sql::new("pragma schema_version"));
        match read {
            Err(error) if is_busy(&error) => {}
            read => read.map(drop).map_err(|error| failed(chain(&error)))?,
        }
        Ok(connection)
    }

    fn sqlite(&mut self) -> &mut SqliteConnection {
        self.sqlite
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for no disk where whatever a crash of the machine takes of the last transactions, it takes from the last one on:
    /// what the tool has done goes together with its lines of the journal.
    fn hurry(&mut self) -> Result<(), DatabaseError> {
        let mode = self.one("connect", Sql::new("pragma journal_mode"));
        match mode {
            Ok(mode) if mode.text() == Some("wal") => {
                self.batch("connect", "pragma synchronous = normal")
            }
            Err(error) if !is_busy(&error) => Err(error),
            _ => Ok(()),
        }
    }

    /// From here on what was written is on the disk.
    pub(super) fn last(&mut self, task: &str) -> Result<(), DatabaseError> {
        self.batch(task, "pragma synchronous = full")
    }

    /// Runs statements without values that answer nothing.
    pub(super) fn batch(&mut self, task: &str, sql: &str) -> Result<(), DatabaseError> {
        let done = self.sqlite().batch_execute(sql);
        done.map_err(DatabaseError::refused(task))
    }

    /// Runs a statement; gives how many rows it changed.
    pub(super) fn execute(&mut self, task: &str, sql: Sql<'_>) -> Result<usize, DatabaseError> {
        let done = sql.execute(self.sqlite());
        done.map_err(DatabaseError::refused(task))
    }

    /// The rows of an answer.
    pub(super) fn rows(&mut self, task: &str, sql: Sql<'_>) -> Result<Vec<Row>, DatabaseError> {
        let rows = sql.load::<Row>(self.sqlite());
        rows.map_err(DatabaseError::refused(task))
    }

    /// The first value of an answer.
    pub(super) fn one(&mut self, task: &str, sql: Sql<'_>) -> Result<Value, DatabaseError> {
        let rows = self.rows(task, sql)?;
        let first = rows.into_iter().next();
        let first = first.and_then(|row| row.0.into_iter().next());
        Ok(first.unwrap_or(Value::Null))
    }

    pub(super) fn number(&mut self, task: &str, sql: Sql<'_>) -> Result<i64, DatabaseError> {
        Ok(self.one(task, sql)?.integer().unwrap_or_default())
    }

    pub(super) fn flag(&mut self, task: &str, sql: Sql<'_>) -> Result<bool, DatabaseError> {
        Ok(self.number(task, sql)? != 0)
    }

    /// Does something while nobody else writes, and all of it or nothing.
    pub(super) fn write<T>(
        &mut self,
        task: &str,
        work: impl FnOnce(&mut Self) -> Result<T, DatabaseError>,
    ) -> Result<T, DatabaseError> {
        if let Some(rests) = self.rests.take() {
            std::thread::sleep(rests.saturating_duration_since(Instant::now()));
        }
        let mut began = None;
        let done = self.within(task, "begin immediate", |connection| {
            began = Some(Instant::now());
            work(connection)
        });
        let rest = match &done {
            // Whoever reads for long keeps this from being written, and this keeps others from reading.
            Err(error) if is_busy(error) => REST * 3,
            _ => began.map_or(Duration::ZERO, |began| began.elapsed().min(REST)),
        };
        self.rests = Some(Instant::now() + rest);
        done
    }

    /// Reads everything as it was at one moment.
    pub(super) fn read<T>(
        &mut self,
        task: &str,
        work: impl FnOnce(&mut Self) -> Result<T, DatabaseError>,
    ) -> Result<T, DatabaseError> {
        self.within(task, "begin", work)
    }

    fn within<T>(
        &mut self,
        task: &str,
        begin: &str,
        work: impl FnOnce(&mut Self) -> Result<T, DatabaseError>,
    ) -> Result<T, DatabaseError> {
        self.batch(task, begin)?;
        let done = work(self).and_then(|done| self.batch(task, "commit").map(|()| done));
        if done.is_err() {
            // The first error is the one that tells something, and can have ended the transaction itself.
            let _ = self.sqlite().batch_execute("rollback");
        }
        done
    }
}

/// Whether somebody else has the file locked, which passes.
pub(super) fn is_busy(error: &DatabaseError) -> bool {
    use diesel::result::Error;
    let DatabaseError::Refused { source, .. } = error else {
        return false;
    };
    match source {
        Error::DatabaseError(_, info) => {
            let message = info.message();
            message.contains(" is locked")
        }
        _ => false,
    }
}

/// What SQLite said, without what the tool says of it.
pub(super) fn reason(error: &DatabaseError) -> String {
    match error {
        DatabaseError::Refused { source, .. } => source.to_string(),
        error => error.to_string(),
    }
}

/// A text as SQL writes it.
pub(super) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
