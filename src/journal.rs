//! The journal: the complete write-set of every call, and the way back.
//!
//! Row triggers on every table of the service's schema log each change with its old and new image. The run reads
//! them once per endpoint, claims those that its symbols explain, and at the end replays its own backwards.

mod dead;

pub use dead::clean;

use std::collections::BTreeSet;
use std::time::Duration;

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Double, Jsonb, Nullable, Text};
use diesel_async::RunQueryDsl;
use serde_json::Value as Json;

use crate::database::{Database, DatabaseError, Flag, Number, Statement};
use crate::observation::Operation;

/// One row change as the database logged it.
#[derive(Debug, Clone)]
pub struct Change {
    /// The change's number; later changes have higher ones.
    pub seq: i64,
    /// The transaction that made it.
    pub transaction: i64,
    /// The row's table.
    pub table: String,
    /// What happened to the row.
    pub operation: Operation,
    /// The row before.
    pub old: Json,
    /// The row after.
    pub new: Json,
}

impl Change {
    /// Both images as one text, to look for symbols in.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{} {}", self.old, self.new)
    }
}

/// A change that could not be undone, since the row is not as the run left it.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Leftover {
    /// The row's table.
    #[diesel(sql_type = Text)]
    pub tbl: String,
    /// What the run had done to the row.
    #[diesel(sql_type = Text)]
    pub op: String,
    /// The row's primary key, if its table has one.
    #[diesel(sql_type = Nullable<Jsonb>)]
    pub key: Option<Json>,
}

impl Leftover {
    /// The same with its key as a run that knows its own values names them.
    #[must_use]
    pub fn named(self, name: impl Fn(&Json) -> Json) -> Self {
        Self {
            key: self.key.as_ref().map(name),
            ..self
        }
    }

    /// The same with only the beginnings of longer texts in its key: whoever made them, they may be credentials.
    pub(crate) fn shortened(self) -> Self {
        self.named(|key| {
            let columns = key.as_object().into_iter().flatten();
            columns
                .map(|(column, value)| (column.clone(), shortened(value)))
                .collect()
        })
    }
}

fn shortened(value: &Json) -> Json {
    match value.as_str().map(|text| text.char_indices().nth(8)) {
        Some(Some((end, _))) => {
            let text = value.as_str().unwrap_or_default();
            format!("{}…", text.get(..end).unwrap_or_default()).into()
        }
        _ => value.clone(),
    }
}

impl std::fmt::Display for Leftover {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{} `{}`", self.op, self.tbl)?;
        match &self.key {
            Some(key) => write!(out, " {key}"),
            None => Ok(()),
        }
    }
}

#[derive(QueryableByName)]
struct Logged {
    #[diesel(sql_type = BigInt)]
    seq: i64,
    #[diesel(sql_type = BigInt)]
    transaction: i64,
    #[diesel(sql_type = Text)]
    tbl: String,
    #[diesel(sql_type = Text)]
    op: String,
    #[diesel(sql_type = Nullable<Jsonb>)]
    old: Option<Json>,
    #[diesel(sql_type = Nullable<Jsonb>)]
    new: Option<Json>,
}

impl From<Logged> for Change {
    fn from(logged: Logged) -> Self {
        let operation = match logged.op.as_str() {
            "insert" => Operation::Insert,
            "update" => Operation::Update,
            _ => Operation::Delete,
        };
        let [old, new] = [logged.old, logged.new].map(Option::unwrap_or_default);
        Self {
            seq: logged.seq,
            transaction: logged.transaction,
            table: logged.tbl,
            operation,
            old,
            new,
        }
    }
}

#[derive(QueryableByName)]
struct Token {
    #[diesel(sql_type = Text)]
    token: String,
}

/// A place in the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark(i64);

impl Mark {
    /// Before everything.
    pub const START: Self = Self(0);
}

/// The journal of one run.
pub struct Journal {
    run: String,
    floor: i64,
    /// Changes that other runs or the service itself made.
    foreign: BTreeSet<i64>,
}

/// What makes the journal.
pub(crate) const STATEMENTS: [&str; 2] = [
    include_str!("journal/install.sql"),
    include_str!("journal/undo.sql"),
];

/// What the comment on the journal's schema says; another journal needs another comment.
const VERSION: &str = "The journal of authz-pin, format 4. `authz-pin clean` takes it away.";

/// After the run's token, its identifiers, and how many seconds it will be alone.
const BEGIN: &str = "),
    place as (select authz_pin.last_change() as value),
    remembered as (insert into authz_pin.identifier select run, batch from given where batch <> '{}'),
    alone as (
      update authz_pin.run set alone_from = place.value, alone_until = clock_timestamp() + make_interval(secs => given.alone)
      from place, given where token = given.run
    )
    select value from place";

/// What the other runs on this database made, after the run's token. A run can have a million identifiers of its own: those
/// of the others are found by the key, run by run.
const OTHERS: &str = ")
    select token from authz_pin.run, own where token <> own.run
    union all
    select i.value from authz_pin.run r join own on r.token <> own.run
      cross join lateral (select unnest(batch) as value from authz_pin.identifier where run = r.token offset 0) i";

/// Only one run at a time installs or removes the journal; the lock ends with the transaction.
const LOCK_INSTALLATION: &str =
    "select pg_advisory_xact_lock(hashtextextended('authz_pin installation', 0))";

/// How long a run waits for the locks that the installation takes on the service's tables.
const LOCK_TIMEOUT: &str = "set local lock_timeout = '15s'; set local statement_timeout = 0";

/// How the whole database is shared: many sweeps at once, or one that needs to be alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// Other runs may sweep at the same time.
    Shared,
    /// No other run may sweep, since changes are attributed by time.
    Alone,
}

impl Presence {
    fn suffix(self) -> &'static str {
        match self {
            Self::Shared => "_shared",
            Self::Alone => "",
        }
    }
}

impl Journal {
    /// Installs the journal and registers the run, after undoing what dead runs left.
    pub async fn install(
        database: &mut Database,
        run: &str,
    ) -> Result<(Self, Vec<Leftover>), DatabaseError> {
        let task = "install the journal";
        // A limit that the role has for its statements must not end an undo in the middle, again and again.
        let live = format!(
            "set statement_timeout = 0; select pg_advisory_lock(hashtextextended('authz_pin run {run}', 0))"
        );
        database.execute(task, &live).await?;
        database
            .execute(task, &format!("begin; {LOCK_TIMEOUT}; {LOCK_INSTALLATION}"))
            .await?;
        let installed = Self::install_in_transaction(database, run).await;
        let end = if installed.is_ok() {
            "commit"
        } else {
            "rollback"
        };
        database.execute(task, end).await?;
        database
            .execute(task, &format!("set authz_pin.run = '{run}'"))
            .await?;
        installed
    }

    async fn install_in_transaction(
        database: &mut Database,
        run: &str,
    ) -> Result<(Self, Vec<Leftover>), DatabaseError> {
        let task = "install the journal";
        same_version(database).await?;
        for sql in STATEMENTS {
            database.execute(task, sql).await?;
        }
        let version = format!("comment on schema authz_pin is '{VERSION}'");
        database.execute(task, &version).await?;
        let leftovers = dead::undo_all(database).await?;
        let schema = database.schema().to_owned();
        let watch = diesel::sql_query("select authz_pin.watch($1)").bind::<Text, _>(&schema);
        watch
            .execute(&mut database.connection)
            .await
            .map_err(DatabaseError::refused(task))?;
        let register =
            diesel::sql_query("insert into authz_pin.run (token, service_schema) values ($1, $2)")
                .bind::<Text, _>(run)
                .bind::<Text, _>(&schema);
        register
            .execute(&mut database.connection)
            .await
            .map_err(DatabaseError::refused(task))?;
        let floor = last(database).await?;
        Ok((
            Self {
                run: run.to_owned(),
                floor,
                foreign: BTreeSet::new(),
            },
            leftovers,
        ))
    }

    /// Enters the database for one endpoint, together with other runs or alone.
    pub async fn enter(
        &self,
        database: &mut Database,
        presence: Presence,
    ) -> Result<(), DatabaseError> {
        sweep_lock(database, "pg_advisory_lock", presence).await
    }

    /// Leaves it again.
    pub async fn leave(
        &self,
        database: &mut Database,
        presence: Presence,
    ) -> Result<(), DatabaseError> {
        sweep_lock(database, "pg_advisory_unlock", presence).await
    }

    /// Begins a batch: remembers the identifiers that do not hold the run's token, so that they are found after a crash, and
    /// for how long what changes belongs to the batch because it is alone. Gives the place where the batch begins.
    pub async fn begin(
        &self,
        database: &mut Database,
        identifiers: &[String],
        alone: Option<Duration>,
    ) -> Result<Mark, DatabaseError> {
        let unmarked: Vec<&String> = identifiers
            .iter()
            .filter(|value| !value.contains(&self.run))
            .collect();
        let query = Statement::new("with given (run, batch, alone) as (select ")
            .bind::<Text, _>(&self.run)
            .sql(", ")
            .bind::<Array<Text>, _>(unmarked)
            .sql(", ")
            .bind::<Nullable<Double>, _>(alone.map(|time| time.as_secs_f64()))
            .sql(BEGIN);
        let number: Number = query
            .get_result(&mut database.connection)
            .await
            .map_err(DatabaseError::refused("write the journal"))?;
        Ok(Mark(number.value))
    }

    /// Waits until nothing was logged for `settle`.
    pub async fn quiet(
        &self,
        database: &mut Database,
        settle: Duration,
    ) -> Result<(), DatabaseError> {
        if settle.is_zero() {
            return Ok(());
        }
        let mut before = last(database).await?;
        loop {
            tokio::time::sleep(settle).await;
            let now = last(database).await?;
            if now == before {
                return Ok(());
            }
            before = now;
        }
    }

    /// Reads the changes that nobody has explained yet.
    pub async fn read(&self, database: &mut Database) -> Result<Vec<Change>, DatabaseError> {
        let unexplained =
            "select seq, xact::text::bigint as transaction, tbl, op, old, new from authz_pin.change
            where run is null and seq > ";
        let query = Statement::new(unexplained)
            .bind::<BigInt, _>(self.floor)
            .sql(" order by seq");
        let logged: Vec<Logged> = query
            .load(&mut database.connection)
            .await
            .map_err(DatabaseError::refused("read the journal"))?;
        Ok(logged
            .into_iter()
            .filter(|change| !self.foreign.contains(&change.seq))
            .map(Change::from)
            .collect())
    }

    /// Claims changes as caused by this run.
    pub async fn claim(
        &self,
        database: &mut Database,
        changes: &[i64],
    ) -> Result<(), DatabaseError> {
        if changes.is_empty() {
            return Ok(());
        }
        let claim = Statement::new("update authz_pin.change set run = ")
            .bind::<Text, _>(&self.run)
            .sql(" where seq = any (")
            .bind::<Array<BigInt>, _>(changes)
            .sql(") and run is null");
        written(claim.execute(&mut database.connection).await)
    }

    /// Claims what refers by a foreign key to a row that this run inserted, in tables that the service writes by itself.
    pub async fn claim_referring(
        &self,
        database: &mut Database,
        tables: &[&str],
    ) -> Result<(), DatabaseError> {
        if tables.is_empty() {
            return Ok(());
        }
        let claim = diesel::sql_query(include_str!("journal/refer.sql"))
            .bind::<Text, _>(&self.run)
            .bind::<Array<Text>, _>(tables);
        written(claim.execute(&mut database.connection).await)
    }

    /// Sets changes aside as somebody else's.
    pub fn set_aside(&mut self, changes: impl IntoIterator<Item = i64>) {
        self.foreign.extend(changes);
    }

    /// What the other runs on this database made: their tokens, and identifiers that need not hold a token.
    pub async fn others(&self, database: &mut Database) -> Result<Vec<String>, DatabaseError> {
        let tokens: Vec<Token> = Statement::new("with own (run) as (select ")
            .bind::<Text, _>(&self.run)
            .sql(OTHERS)
            .load(&mut database.connection)
            .await
            .map_err(DatabaseError::refused("read the journal"))?;
        Ok(tokens.into_iter().map(|token| token.token).collect())
    }

    /// Undoes what this run claimed after `mark`, the last change first.
    pub async fn undo(
        &self,
        database: &mut Database,
        mark: Mark,
    ) -> Result<Vec<Leftover>, DatabaseError> {
        undo(database, &self.run, mark).await
    }

    /// Makes room of what was undone, which else is in the way of every look at the journal. Servers do so by themselves,
    /// but not often enough for a table that is filled and emptied several times a second, and not all of them.
    pub async fn vacuum(&self, database: &mut Database) -> Result<(), DatabaseError> {
        let vacuum = "vacuum (skip_locked) authz_pin.change";
        database.execute("write the journal", vacuum).await
    }

    /// Takes the run out, and with the last run the journal itself.
    pub async fn remove(self, database: &mut Database) -> Result<(), DatabaseError> {
        let task = "remove the journal";
        database
            .execute(
                task,
                &format!("reset authz_pin.run; begin; {LOCK_TIMEOUT}; {LOCK_INSTALLATION}"),
            )
            .await?;
        forget(database, &self.run).await?;
        dead::remove_if_unused(database).await?;
        let unlock = format!(
            "select pg_advisory_unlock(hashtextextended('authz_pin run {}', 0))",
            self.run
        );
        database.execute(task, &format!("commit; {unlock}")).await
    }
}

async fn sweep_lock(
    database: &mut Database,
    function: &str,
    presence: Presence,
) -> Result<(), DatabaseError> {
    let lock = format!(
        "select {function}{}(hashtextextended('authz_pin sweep', 0))",
        presence.suffix()
    );
    database.execute("take turns with other runs", &lock).await
}

async fn last(database: &mut Database) -> Result<i64, DatabaseError> {
    let query = Statement::new("select authz_pin.last_change() as value");
    let number: Number = query
        .get_result(&mut database.connection)
        .await
        .map_err(DatabaseError::refused("read the journal"))?;
    Ok(number.value)
}

async fn undo(
    database: &mut Database,
    run: &str,
    mark: Mark,
) -> Result<Vec<Leftover>, DatabaseError> {
    let query = Statement::new("select tbl, op, key from authz_pin.undo(")
        .bind::<Text, _>(run)
        .sql(", ")
        .bind::<BigInt, _>(mark.0)
        .sql(")");
    query
        .load(&mut database.connection)
        .await
        .map_err(DatabaseError::refused("undo the run's changes"))
}

async fn forget(database: &mut Database, run: &str) -> Result<(), DatabaseError> {
    let statement = "with identifiers as (delete from authz_pin.identifier where run = $1),
        left_alone as (delete from authz_pin.change where run = $1)
        delete from authz_pin.run where token = $1";
    let forget = diesel::sql_query(statement).bind::<Text, _>(run);
    written(forget.execute(&mut database.connection).await)
}

/// What came of a statement that writes the journal: how many rows it wrote is told to nobody.
fn written(result: QueryResult<usize>) -> Result<(), DatabaseError> {
    result
        .map_err(DatabaseError::refused("write the journal"))
        .map(drop)
}

/// A journal that another version of the tool made has other tables: only that version knows the way back.
async fn same_version(database: &mut Database) -> Result<(), DatabaseError> {
    let query = "select not exists (
        select from pg_namespace
        where nspname = 'authz_pin' and obj_description(oid, 'pg_namespace') is distinct from $1
      ) as value";
    let flag: Flag = diesel::sql_query(query)
        .bind::<Text, _>(VERSION)
        .get_result(&mut database.connection)
        .await
        .map_err(DatabaseError::refused("read the journal"))?;
    if flag.value {
        return Ok(());
    }
    Err(DatabaseError::OtherJournal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_leftover_of_a_dead_run_shows_no_more_of_a_key_than_finds_the_row() {
        let leftover = Leftover {
            tbl: "Key".to_owned(),
            op: "update".to_owned(),
            key: Some(
                json!({"token": "sk-0123456789", "team": "öffentlich", "id": 123_456_789_012_i64, "x": "short"}),
            ),
        };
        assert_eq!(
            leftover.shortened().to_string(),
            r#"update `Key` {"token":"sk-01234…","team":"öffentli…","id":123456789012,"x":"short"}"#
        );
    }
}
