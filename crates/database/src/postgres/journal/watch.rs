//! The journal's schema and its triggers: made for the first run, and taken away after the last.

use std::time::{Duration, Instant};

use authz_pin_record::text::in_backticks;
use diesel::QueryableByName;
use diesel::sql_types::{Array, Bool, Nullable, Text};
use diesel_async::RunQueryDsl;

use super::{PATIENCE, PAUSE, SILENCE, STATEMENTS, Tell, VERSION, holder};
use crate::error::DatabaseError;
use crate::postgres::{Database, Flag, Statement};
use crate::which::Which;

/// What is known of the schema before it is used.
#[derive(QueryableByName)]
struct Schema {
    #[diesel(sql_type = Text)]
    owner: String,
    #[diesel(sql_type = Bool)]
    is_ours: bool,
    #[diesel(sql_type = Nullable<Text>)]
    comment: Option<String>,
}

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

const TASK: &str = "install the journal";

/// Makes the schema where it is not there yet, and enters the run.
pub(super) async fn register(
    database: &mut Database,
    run: &str,
    tell: Tell<'_>,
) -> Result<(), DatabaseError> {
    begin(database, tell).await?;
    let registered = register_in_transaction(database, run).await;
    database.end(TASK, registered).await
}

async fn register_in_transaction(database: &mut Database, run: &str) -> Result<(), DatabaseError> {
    if !is_there(database).await? {
        database.execute(TASK, "create schema authz_pin").await?;
        let version = format!("comment on schema authz_pin is '{VERSION}'");
        database.execute(TASK, &version).await?;
    }
    for sql in STATEMENTS {
        database.execute(TASK, sql).await?;
    }
    enter(database, run).await
}

/// Enters the run.
pub(super) async fn enter(database: &mut Database, run: &str) -> Result<(), DatabaseError> {
    let schema = database.schema().to_owned();
    let enter = "insert into authz_pin.run (token, service_schema) values ($1, $2)";
    let register = diesel::sql_query(database.home.sql(enter))
        .bind::<Text, _>(run)
        .bind::<Text, _>(&schema);
    let registered = register.execute(&mut database.connection).await;
    registered.map_err(DatabaseError::refused(TASK)).map(drop)
}

/// Whether there is a journal. One that belongs to another role could have functions that do anything with our rights; one
/// that another version made has other tables, and only that version knows the way back.
pub(super) async fn is_there(database: &mut Database) -> Result<bool, DatabaseError> {
    let query = "select pg_get_userbyid(nspowner)::text as owner, nspowner = current_user::regrole as is_ours,
        obj_description(oid, 'pg_namespace') as comment
        from pg_namespace where nspname = 'authz_pin'";
    let schemas: Vec<Schema> = diesel::sql_query(query)
        .load(&mut database.connection)
        .await
        .map_err(DatabaseError::refused("read the journal"))?;
    match schemas.into_iter().next() {
        None => Ok(false),
        Some(schema) if !schema.is_ours => Err(DatabaseError::ForeignJournal {
            owner: schema.owner,
        }),
        Some(schema) if schema.comment.as_deref() == Some(VERSION) => Ok(true),
        Some(_) => Err(DatabaseError::OtherJournal),
    }
}

/// Begins a transaction in which no other run installs or removes the journal.
async fn begin(database: &mut Database, tell: Tell<'_>) -> Result<(), DatabaseError> {
    let start = Instant::now();
    let mut is_told = false;
    loop {
        database.execute(TASK, "begin").await?;
        let lock = "select pg_try_advisory_xact_lock(hashtextextended('authz_pin installation', 0)) as value";
        if flag(database, lock).await? {
            return Ok(());
        }
        database.execute(TASK, "rollback").await?;
        if start.elapsed() >= SILENCE && !is_told {
            is_told = true;
            let holders = holder::of_lock(database, "authz_pin installation").await?;
            let holders = holder::words(&holders);
            let text = format!("waiting for another run that begins or ends: {holders}");
            tell(&database.which().said(&text));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn flag(database: &mut Database, query: &str) -> Result<bool, DatabaseError> {
    let flag: Flag = diesel::sql_query(query)
        .get_result(&mut database.connection)
        .await
        .map_err(DatabaseError::refused("read the journal"))?;
    Ok(flag.value)
}

/// Enters the tables that are to be compared, or those of them that are `new`, and gives the names that records have for them.
pub(super) async fn enlist(
    database: &mut Database,
    new: bool,
) -> Result<Vec<String>, DatabaseError> {
    let enlist = database
        .ask("select name from authz_pin.enlist(")
        .bind::<Text, _>(database.schema().to_owned())
        .sql(", ")
        .bind::<Nullable<Array<Text>>, _>(database.schemas().map(<[String]>::to_vec))
        .sql(", ")
        .bind::<Bool, _>(new)
        .sql(")");
    let names: Vec<Name> = enlist
        .load(&mut database.connection)
        .await
        .map_err(DatabaseError::refused("compare the tables"))?;
    let which = database.which();
    let names = names.into_iter().map(|table| which.table(&table.name));
    Ok(names.collect())
}

async fn names(database: &mut Database, query: &str) -> Result<Vec<String>, DatabaseError> {
    let names: Vec<Name> = diesel::sql_query(query)
        .bind::<Text, _>(database.schema().to_owned())
        .bind::<Nullable<Array<Text>>, _>(database.schemas().map(<[String]>::to_vec))
        .load(&mut database.connection)
        .await
        .map_err(DatabaseError::refused("read the journal"))?;
    Ok(names.into_iter().map(|name| name.name).collect())
}

/// The tables that lack triggers, which is asked for every batch.
async fn missing(database: &mut Database) -> Result<Vec<String>, DatabaseError> {
    let names: Vec<Name> =
        Statement::new("select distinct relation::text as name from authz_pin.missing(")
            .bind::<Text, _>(database.schema().to_owned())
            .sql(", ")
            .bind::<Nullable<Array<Text>>, _>(database.schemas().map(<[String]>::to_vec))
            .sql(") order by 1")
            .load(&mut database.connection)
            .await
            .map_err(DatabaseError::refused("read the journal"))?;
    Ok(names.into_iter().map(|name| name.name).collect())
}

/// The tables of which nothing was logged until now, by the names that records have.
const NEW: &str = "select distinct name from authz_pin.missing($1, $2) where is_new order by 1";

/// Puts the triggers on every table that has none yet, waiting for who keeps tables locked. What tables that are new hold
/// already is logged as well.
pub(super) async fn watch(
    database: &mut Database,
    are_new: bool,
    tell: Tell<'_>,
) -> Result<(), DatabaseError> {
    let start = Instant::now();
    let mut is_told = false;
    loop {
        let call = diesel::sql_query("call authz_pin.watch($1, $2, $3)")
            .bind::<Text, _>(database.schema().to_owned())
            .bind::<Nullable<Array<Text>>, _>(database.schemas().map(<[String]>::to_vec))
            .bind::<Bool, _>(are_new);
        let called = call.execute(&mut database.connection).await;
        called.map_err(DatabaseError::refused(TASK))?;
        let missing = missing(database).await?;
        if missing.is_empty() {
            return Ok(());
        }
        let waited = start.elapsed();
        if waited >= SILENCE && !is_told || waited >= PATIENCE {
            is_told = true;
            let holders = holder::of_tables(database, &missing, false).await?;
            let locked = quoted(database.which(), &missing);
            let locked = format!("{locked}: {}", holder::words(&holders));
            if waited >= PATIENCE {
                return Err(DatabaseError::locked(TASK, locked));
            }
            let text = format!("waiting for {locked}");
            tell(&database.which().said(&text));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Watches tables that have come since the run began, or go by another name now, and gives the names that records have for
/// those of which nothing was logged until now; none at all if the tables are those that they were.
pub(super) async fn watch_new(
    database: &mut Database,
    tell: Tell<'_>,
) -> Result<Option<Vec<String>>, DatabaseError> {
    if missing(database).await?.is_empty() {
        return Ok(None);
    }
    let new = names(database, NEW).await?;
    watch(database, true, tell).await?;
    let which = database.which();
    let new = new.iter().map(|table| which.table(table));
    Ok(Some(new.collect()))
}

fn quoted(which: &Which, tables: &[String]) -> String {
    let tables = tables.iter().map(|table| which.table(table));
    in_backticks(tables)
}

const REMOVAL: &str = "remove the journal";

/// How long the end of a journal is tried: sessions that write all the time let go of a table for moments only. Those that have
/// idled in a transaction for two seconds are waited for no longer than one.
const REMOVAL_PATIENCE: Duration = Duration::from_secs(6);

/// The pause between two tries then. A session that writes all the time lets go of a table when its transaction ends: the less
/// of the time nobody waits for that, the sooner it is met.
const REMOVAL_PAUSE: Duration = Duration::from_millis(20);

/// What the journal's triggers are on.
const TRIGGERS: &str = "select distinct g.tgrelid::regclass::text as name
    from pg_trigger g join pg_proc p on p.oid = g.tgfoid join pg_namespace n on n.oid = p.pronamespace
    where n.nspname = 'authz_pin' and g.tgparentid = 0 and ($1 is not null or $2 is not null) order by 1";

/// Removes the journal if no run is left, in steps of which each is of use without the next: nothing is logged any more, the
/// triggers are off, they are gone, and so is the schema. Gives what had to stay, and why.
pub(super) async fn remove_if_unused(
    database: &mut Database,
    tell: Tell<'_>,
) -> Result<Option<String>, DatabaseError> {
    let start = Instant::now();
    loop {
        begin(database, tell).await?;
        let unused = stop_logging(database).await;
        if !database.end(TASK, unused).await? {
            return Ok(None);
        }
        let unwatched = database.execute(REMOVAL, "call authz_pin.unwatch()").await;
        unless_gone(database, unwatched, ()).await?;
        let tables = names(database, TRIGGERS).await?;
        if tables.is_empty() && drop_schema(database, tell).await? {
            return Ok(None);
        }
        let holders = holder::of_tables(database, &tables, true).await?;
        let patience = if holder::are_idle(&holders) {
            SILENCE
        } else {
            REMOVAL_PATIENCE
        };
        if start.elapsed() > patience {
            let which = database.which();
            return Ok(Some(which.said(&stays(which, &tables, &holders))));
        }
        tokio::time::sleep(REMOVAL_PAUSE).await;
    }
}

/// What of the journal had to stay, in words.
fn stays(which: &Which, tables: &[String], holders: &[holder::Session]) -> String {
    let remedy = "`authz-pin clean` takes it away afterwards";
    if tables.is_empty() {
        return format!(
            "the schema `authz_pin` stays, empty, since a session that wrote rows has not ended its transaction: {remedy}"
        );
    }
    format!(
        "the journal stays without effect, since its triggers cannot be taken off {} while somebody keeps them locked ({}): \
         {remedy}",
        quoted(which, tables),
        holder::words(holders)
    )
}

/// Whether no run is left. From here on nothing is logged, and what was logged is nobody's any more.
async fn stop_logging(database: &mut Database) -> Result<bool, DatabaseError> {
    if is_gone(database).await? || has_runs(database).await? {
        return Ok(false);
    }
    let stop = "create or replace function authz_pin.log_change() returns trigger language plpgsql as 'begin return null; end';
        delete from authz_pin.change; delete from authz_pin.identifier";
    database.execute(REMOVAL, stop).await?;
    Ok(true)
}

/// Whether the schema is gone: a session that has written rows keeps the journal's tables locked until its transaction ends.
async fn drop_schema(database: &mut Database, tell: Tell<'_>) -> Result<bool, DatabaseError> {
    begin(database, tell).await?;
    let dropped = if is_gone(database).await? {
        Ok(())
    } else {
        database.execute(REMOVAL, DROP).await
    };
    database.end(TASK, dropped).await?;
    if is_gone(database).await? {
        return Ok(true);
    }
    let has_runs = has_runs(database).await;
    unless_gone(database, has_runs, true).await
}

/// What came of a statement, or what stands for it where somebody else has removed the journal meanwhile, as the last run and a
/// clean can do at the same time.
pub(super) async fn unless_gone<T>(
    database: &mut Database,
    result: Result<T, DatabaseError>,
    gone: T,
) -> Result<T, DatabaseError> {
    match result {
        Err(_) if is_gone(database).await? => Ok(gone),
        result => result,
    }
}

async fn is_gone(database: &mut Database) -> Result<bool, DatabaseError> {
    flag(
        database,
        "select to_regclass('authz_pin.run') is null as value",
    )
    .await
}

async fn has_runs(database: &mut Database) -> Result<bool, DatabaseError> {
    flag(
        database,
        "select exists (select from authz_pin.run) as value",
    )
    .await
}

const DROP: &str = "select set_config('lock_timeout', authz_pin.patience(), true);
    do $$ begin
      if not exists (select from authz_pin.run) then
        drop schema authz_pin cascade;
      end if;
    exception when undefined_table then
      null;
    when others then
      if not authz_pin.is_passing(sqlstate, sqlerrm) then
        raise;
      end if;
    end $$";
