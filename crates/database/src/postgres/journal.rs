//! The journal: the complete write-set of every call, and the way back.
//!
//! Row triggers on every table that is watched log each change with its old and new image. Where the role may put no triggers
//! on the tables, they are compared, and what is different is logged. The run reads the changes once per batch, claims those
//! that are its own, and replays them backwards when the batch is over.

mod dead;
mod holder;
mod home;
mod logged;
mod undo;
mod watch;

pub use dead::{abandon, clean};

pub(super) use home::Home;

use logged::Logged;
use undo::undo;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Double, Nullable, Text};
use diesel_async::RunQueryDsl;

use super::{Database, Flag, Number, Statement};
use crate::change::Change;
use crate::error::DatabaseError;
use crate::leftover::Leftover;
use crate::run::{Extent, Presence, Tell};
use crate::which::Serial;

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = Text)]
    tbl: String,
    #[diesel(sql_type = BigInt)]
    value: i64,
}

#[derive(QueryableByName)]
struct Token {
    #[diesel(sql_type = Text)]
    token: String,
}

/// The journal of one run.
pub struct Journal {
    run: String,
    floor: i64,
    /// The number of the batch that is under way; what belongs to none is the world's.
    batch: i64,
    batches: i64,
    /// Changes that other runs or the service itself made, and of other databases none.
    foreign: BTreeSet<Serial>,
    /// The database's place among those of the service.
    place: usize,
    /// The tables that the service writes by itself, as SQL names them.
    background: Vec<String>,
}

/// The number under which the world's changes are claimed.
const WORLD: i64 = 0;

/// What makes the journal.
pub const STATEMENTS: [&str; 5] = [
    include_str!("journal/install.sql"),
    include_str!("journal/watch.sql"),
    include_str!("journal/read.sql"),
    include_str!("journal/restore.sql"),
    include_str!("journal/undo.sql"),
];

/// What makes the journal of a run that compares the tables.
const COMPARING: [&str; 5] = [
    include_str!("journal/install.sql"),
    include_str!("journal/read.sql"),
    include_str!("journal/restore.sql"),
    include_str!("journal/undo.sql"),
    include_str!("journal/compare.sql"),
];

/// What the comment on the journal's schema says; another journal needs another comment.
const VERSION: &str = "The journal of authz-pin, format 8. `authz-pin clean` takes it away.";

/// After the run's token, its identifiers, and how many seconds it will be alone.
const BEGIN: &str = "),
    remembered as (insert into authz_pin.identifier (run, batch) select run, batch from given where batch <> '{}')
    update authz_pin.run set is_alone = given.is_alone, alone_from = authz_pin.last_change(),
      alone_until = clock_timestamp() + make_interval(secs => given.alone)
    from given where token = given.run";

/// What the other runs on this database made, after the run's token. A run can have a million identifiers of its own: those
/// of the others are found by the key, run by run.
const OTHERS: &str = ")
    select token from authz_pin.run, own where token <> own.run
    union all
    select i.value from authz_pin.run r join own on r.token <> own.run
      cross join lateral (select unnest(batch) as value from authz_pin.identifier where run = r.token offset 0) i";

/// Begins a transaction that sees what was there when it began: what is different at its end is its own.
pub(super) const ALL_AS_OF_NOW: &str = "begin isolation level repeatable read";

/// How long the installation waits for others, and undo for who keeps a row locked.
const PATIENCE: Duration = Duration::from_secs(15);

/// After which time of waiting somebody is told.
const SILENCE: Duration = Duration::from_secs(1);

/// The pause between two tries; the service goes on meanwhile.
const PAUSE: Duration = Duration::from_millis(60);

impl Journal {
    /// Installs the journal and registers the run, after undoing what dead runs left.
    pub async fn install(
        database: &mut Database,
        run: &str,
        tell: Tell<'_>,
    ) -> Result<(Self, Vec<Leftover>), DatabaseError> {
        let mut journal = Self::begin(database, run).await?;
        watch::register(database, run, tell).await?;
        match journal.set_up(database, tell).await {
            Ok(leftovers) => Ok((journal, leftovers)),
            Err(error) => {
                // The first error is the one that tells something.
                let _ = journal.remove(database, tell).await;
                Err(error)
            }
        }
    }

    /// Makes a journal that compares the tables; none where none of them can be compared.
    pub async fn compare(
        database: &mut Database,
        run: &str,
    ) -> Result<Option<Self>, DatabaseError> {
        database.home = Home::Session;
        let mut journal = Self::begin(database, run).await?;
        for sql in COMPARING {
            let sql = database.home.sql(sql);
            database.execute("install the journal", &sql).await?;
        }
        watch::enter(database, run).await?;
        let tables = watch::enlist(database, false).await?;
        let hidden = database.unobserved().await?;
        if !tables.is_empty() && tables.iter().all(|table| hidden.contains(table)) {
            database.home = Home::Schema;
            return Ok(None);
        }
        journal.name(database).await?;
        journal.floor = journal.last(database).await?;
        Ok(Some(journal))
    }

    /// Tells the database which run the session is of.
    async fn begin(database: &mut Database, run: &str) -> Result<Self, DatabaseError> {
        let live =
            Statement::new("select pg_try_advisory_lock(hashtextextended('authz_pin run ' || ")
                .bind::<Text, _>(run)
                .sql(", 0)) as value");
        // Nobody else has a lock of this run but the run itself, over another connection.
        if !flag(database, live).await? {
            return Err(DatabaseError::Twice);
        }
        let session = format!(
            "set application_name = 'authz-pin {run}, process {}'; set authz_pin.batch = '{WORLD}'",
            std::process::id()
        );
        let session = database.home.sql(&session);
        database.execute("install the journal", &session).await?;
        Ok(Self {
            run: run.to_owned(),
            floor: 0,
            batch: WORLD,
            batches: WORLD,
            foreign: BTreeSet::new(),
            place: database.which().place(),
            background: Vec::new(),
        })
    }

    /// From here on what the session writes is the run's. Whatever a crash of the server takes of the tool's last commits, it
    /// takes together with their lines of the journal.
    async fn name(&self, database: &mut Database) -> Result<(), DatabaseError> {
        let run = &self.run;
        let name = format!("set authz_pin.run = '{run}'; set synchronous_commit = off");
        let name = database.home.sql(&name);
        database.execute("install the journal", &name).await
    }

    /// Where the tables are compared, logs what is different: as the batch's that is under way, or as nobody's yet.
    pub(super) async fn look(
        &self,
        database: &mut Database,
        is_own: bool,
    ) -> Result<(), DatabaseError> {
        if !database.home.compares() {
            return Ok(());
        }
        let own = is_own.then_some((self.run.as_str(), self.batch));
        look(database, own).await
    }

    async fn set_up(
        &mut self,
        database: &mut Database,
        tell: Tell<'_>,
    ) -> Result<Vec<Leftover>, DatabaseError> {
        let leftovers = dead::undo_all(database, &self.run, tell).await?;
        watch::watch(database, false, tell).await?;
        self.floor = self.last(database).await?;
        self.name(database).await?;
        Ok(leftovers)
    }

    /// Watches tables that have come since, or go by another name now, and gives the names of those of which nothing was
    /// logged until now; none at all if the tables are those that they were.
    pub async fn watch_new(
        &self,
        database: &mut Database,
        tell: Tell<'_>,
    ) -> Result<Option<Vec<String>>, DatabaseError> {
        if database.home.compares() {
            let new = watch::enlist(database, true).await?;
            return Ok((!new.is_empty()).then_some(new));
        }
        watch::watch_new(database, tell).await
    }

    /// Enters the database for one endpoint, together with other runs or alone. Says whether it is in: somebody who is in the
    /// way is waited for no longer than a second.
    pub async fn enter(
        &self,
        database: &mut Database,
        presence: Presence,
    ) -> Result<bool, DatabaseError> {
        let entered: Flag = database
            .ask("select authz_pin.enter(")
            .bind::<Bool, _>(presence == Presence::Shared && !database.home.compares())
            .sql(") as value")
            .get_result(&mut database.connection)
            .await
            .map_err(DatabaseError::refused("take turns with other runs"))?;
        Ok(entered.value)
    }

    /// The runs that are in, in words.
    pub async fn who_is_in(&self, database: &mut Database) -> Result<String, DatabaseError> {
        let holders = holder::of_lock(database, "authz_pin sweep").await?;
        Ok(holder::words(&holders))
    }

    /// Leaves it again.
    pub async fn leave(
        &self,
        database: &mut Database,
        presence: Presence,
    ) -> Result<(), DatabaseError> {
        let suffix = match presence {
            Presence::Shared if !database.home.compares() => "_shared",
            _ => "",
        };
        let unlock =
            format!("select pg_advisory_unlock{suffix}(hashtextextended('authz_pin sweep', 0))");
        database
            .execute("take turns with other runs", &unlock)
            .await
    }

    /// Whether another run waits to sweep.
    pub async fn is_wanted(&self, database: &mut Database) -> Result<bool, DatabaseError> {
        flag(
            database,
            database.ask("select authz_pin.is_wanted() as value"),
        )
        .await
    }

    /// Begins a batch: what is inserted or claimed from here on is undone with it.
    pub async fn begin_batch(&mut self, database: &mut Database) -> Result<(), DatabaseError> {
        self.batches += 1;
        self.set_batch(database, self.batches).await
    }

    /// Ends it: what is inserted or claimed from here on is the world's, and undone at the end of the run.
    pub async fn end_batch(&mut self, database: &mut Database) -> Result<(), DatabaseError> {
        if self.batch == WORLD {
            return Ok(());
        }
        self.set_batch(database, WORLD).await
    }

    async fn set_batch(
        &mut self,
        database: &mut Database,
        batch: i64,
    ) -> Result<(), DatabaseError> {
        self.batch = batch;
        let set = format!("set authz_pin.batch = '{batch}'");
        let set = database.home.sql(&set);
        database.execute("write the journal", &set).await
    }

    /// Remembers identifiers that do not hold the run's token, so that they are found after a crash, and for how long what
    /// changes is the run's because it is alone, or because no other run is there.
    pub async fn remember(
        &self,
        database: &mut Database,
        identifiers: &[String],
        alone: Option<(Presence, Duration)>,
    ) -> Result<(), DatabaseError> {
        let unmarked: Vec<&String> = identifiers
            .iter()
            .filter(|value| !value.contains(&self.run))
            .collect();
        let query = database
            .ask("with given (run, batch, is_alone, alone) as (select ")
            .bind::<Text, _>(&self.run)
            .sql(", ")
            .bind::<Array<Text>, _>(unmarked)
            .sql(", ")
            .bind::<Bool, _>(!matches!(alone, Some((Presence::Shared, _))))
            .sql(", ")
            .bind::<Nullable<Double>, _>(alone.map(|(_, time)| time.as_secs_f64()))
            .sql(database.home.sql(BEGIN));
        written(query.execute(&mut database.connection).await)
    }

    /// For so much longer what changes is the run's because it is alone.
    pub async fn stay_alone(
        &self,
        database: &mut Database,
        alone: Duration,
    ) -> Result<(), DatabaseError> {
        let query = database
            .ask(
                "update authz_pin.run set alone_until = clock_timestamp() + make_interval(secs => ",
            )
            .bind::<Double, _>(alone.as_secs_f64())
            .sql(") where alone_until is not null and token = ")
            .bind::<Text, _>(&self.run);
        written(query.execute(&mut database.connection).await)
    }

    /// Does not wait for who writes these tables, as SQL names them: the service does so by itself.
    pub fn expect_writes(&mut self, background: Vec<String>) {
        self.background = background;
    }

    /// The time by the database's clock, in microseconds.
    pub async fn now(&self, database: &mut Database) -> Result<i64, DatabaseError> {
        let now = "select (extract(epoch from clock_timestamp()) * 1000000)::bigint as value";
        number(database, now).await
    }

    /// Whether anything was logged after this time by the database's clock.
    pub async fn has_since(
        &self,
        database: &mut Database,
        time: i64,
    ) -> Result<bool, DatabaseError> {
        self.look(database, false).await?;
        let question = database
            .ask("select exists (select from authz_pin.change where run is null and seq > ")
            .bind::<BigInt, _>(self.floor)
            .sql(" and extract(epoch from at) * 1000000 > ")
            .bind::<BigInt, _>(time)
            .sql(") as value");
        flag(database, question).await
    }

    /// Whether a session of the service has written what is not to be seen yet.
    pub(crate) async fn is_written(&self, database: &mut Database) -> Result<bool, DatabaseError> {
        is_writing(database, &self.background).await
    }

    /// Whether a session of the service is at work.
    pub(crate) async fn is_at_work(&self, database: &mut Database) -> Result<bool, DatabaseError> {
        let busy = database.ask("select authz_pin.is_busy() as value");
        flag(database, busy).await
    }

    /// The number of the last change, whoever made it.
    pub async fn last(&self, database: &mut Database) -> Result<i64, DatabaseError> {
        self.look(database, false).await?;
        number(database, "select authz_pin.last_change() as value").await
    }

    /// Reads the changes that nobody has explained yet.
    pub async fn read(&self, database: &mut Database) -> Result<Vec<Change>, DatabaseError> {
        self.look(database, false).await?;
        let query = database.ask(
            "select seq, transaction, tbl, op, old, new, is_adopted, began, at from authz_pin.unexplained(",
        )
        .bind::<BigInt, _>(self.floor)
        .sql(") order by seq");
        let logged: Vec<Logged> = query
            .load(&mut database.connection)
            .await
            .map_err(DatabaseError::refused("read the journal"))?;
        let which = database.which();
        let changes = logged.into_iter().map(|one| one.change(which));
        let mut changes: Vec<Change> = changes.collect::<Result<_, _>>()?;
        changes.retain(|change| !self.foreign.contains(&change.seq));
        Ok(changes)
    }

    /// Claims changes as caused by this run, for the batch that is under way: those of this database.
    pub async fn claim(
        &self,
        database: &mut Database,
        changes: &[Serial],
    ) -> Result<(), DatabaseError> {
        let own = changes.iter().filter(|change| change.place == self.place);
        let changes: Vec<i64> = own.map(|change| change.number).collect();
        if changes.is_empty() {
            return Ok(());
        }
        let claim = database
            .ask("update authz_pin.change set run = ")
            .bind::<Text, _>(&self.run)
            .sql(", batch = ")
            .bind::<BigInt, _>(self.batch)
            .sql(" where seq = any (")
            .bind::<Array<BigInt>, _>(changes)
            .sql(") and run is null");
        written(claim.execute(&mut database.connection).await)
    }

    /// Claims what refers by a foreign key to a row that this run inserted, in tables that the service writes by itself, by
    /// the names that they have within the database.
    pub async fn claim_referring(
        &self,
        database: &mut Database,
        tables: &[&str],
    ) -> Result<(), DatabaseError> {
        if tables.is_empty() {
            return Ok(());
        }
        let claim = diesel::sql_query(database.home.sql(include_str!("journal/refer.sql")))
            .bind::<Text, _>(&self.run)
            .bind::<Array<Text>, _>(tables)
            .bind::<BigInt, _>(self.batch);
        written(claim.execute(&mut database.connection).await)
    }

    /// Sets changes of this database aside as somebody else's.
    pub fn set_aside(&mut self, changes: impl IntoIterator<Item = Serial>) {
        let place = self.place;
        let own = changes.into_iter().filter(|change| change.place == place);
        self.foreign.extend(own);
    }

    /// What the other runs on this database made: their tokens, and identifiers that need not hold a token.
    pub async fn others(&self, database: &mut Database) -> Result<Vec<String>, DatabaseError> {
        let tokens: Vec<Token> = database
            .ask("with own (run) as (select ")
            .bind::<Text, _>(&self.run)
            .sql(database.home.sql(OTHERS))
            .load(&mut database.connection)
            .await
            .map_err(DatabaseError::refused("read the journal"))?;
        Ok(tokens.into_iter().map(|token| token.token).collect())
    }

    /// How many runs have begun on this database until now.
    pub async fn runs(&self, database: &mut Database) -> Result<i64, DatabaseError> {
        number(database, "select authz_pin.last_run() as value").await
    }

    /// How many rows of each table the journal has as inserted by the batch that is under way.
    pub async fn inserted(
        &self,
        database: &mut Database,
    ) -> Result<BTreeMap<String, usize>, DatabaseError> {
        let query = database.ask(
            "select tbl, count(*) as value from authz_pin.change where op = 'insert' and run = ",
        )
        .bind::<Text, _>(&self.run)
        .sql(" and batch = ")
        .bind::<BigInt, _>(self.batch)
        .sql(" group by tbl");
        let counts: Vec<Count> = query
            .load(&mut database.connection)
            .await
            .map_err(DatabaseError::refused("read the journal"))?;
        let which = database.which();
        let counts = counts.into_iter();
        Ok(counts
            .map(|count| {
                let number = usize::try_from(count.value).unwrap_or(0);
                (which.table(&count.tbl), number)
            })
            .collect())
    }

    /// Undoes what this run claimed, the last change first. Whoever keeps a row or a table locked is waited for, and told.
    pub async fn undo(
        &self,
        database: &mut Database,
        extent: Extent,
        tell: Tell<'_>,
    ) -> Result<Vec<Leftover>, DatabaseError> {
        let batch = match extent {
            Extent::Batch => Some(self.batch),
            Extent::Run => None,
        };
        undo(database, &self.run, batch, tell).await
    }

    /// Makes room of what was undone, which else is in the way of every look at the journal. Servers do so by themselves,
    /// but not often enough for a table that is filled and emptied several times a second, and not all of them.
    pub async fn vacuum(&self, database: &mut Database) -> Result<(), DatabaseError> {
        let vacuum = database.home.sql("vacuum (skip_locked) authz_pin.change");
        database.execute("write the journal", &vacuum).await
    }

    /// Takes the run out, and with the last run the journal itself. Gives what had to stay, and why.
    pub async fn remove(
        self,
        database: &mut Database,
        tell: Tell<'_>,
    ) -> Result<Option<String>, DatabaseError> {
        let task = "remove the journal";
        if !database.home.compares() {
            database.execute(task, "reset authz_pin.run").await?;
            forget(database, &self.run).await?;
        }
        let unlock = format!(
            "select pg_advisory_unlock(hashtextextended('authz_pin run {}', 0))",
            self.run
        );
        database.execute(task, &unlock).await?;
        if database.home.compares() {
            return Ok(None);
        }
        watch::remove_if_unused(database, tell).await
    }
}

/// What a question about the journal is answered.
async fn flag(database: &mut Database, question: Statement<'_>) -> Result<bool, DatabaseError> {
    let flag: QueryResult<Flag> = question.get_result(&mut database.connection).await;
    let flag = flag.map_err(DatabaseError::refused("read the journal"))?;
    Ok(flag.value)
}

async fn number(database: &mut Database, query: &str) -> Result<i64, DatabaseError> {
    let number: Number = database
        .ask(query)
        .get_result(&mut database.connection)
        .await
        .map_err(DatabaseError::refused("read the journal"))?;
    Ok(number.value)
}

/// Compares the tables, and logs what is different: as that of a batch of a run, or as nobody's yet.
async fn look(database: &mut Database, own: Option<(&str, i64)>) -> Result<(), DatabaseError> {
    let look = database
        .ask("select authz_pin.compare(")
        .bind::<Nullable<Text>, _>(own.map(|(run, _)| run))
        .sql(", ")
        .bind::<Nullable<BigInt>, _>(own.map(|(_, batch)| batch))
        .sql(")");
    let looked = look.execute(&mut database.connection).await;
    let looked = looked.map_err(DatabaseError::refused("compare the tables"));
    looked.map(drop)
}

async fn forget(database: &mut Database, run: &str) -> Result<(), DatabaseError> {
    // What was undone is on the disk before a run says so.
    let durable = "set synchronous_commit = on";
    database.execute("write the journal", durable).await?;
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

/// Whether a session of the service has written what is not to be seen yet.
async fn is_writing(database: &mut Database, background: &[String]) -> Result<bool, DatabaseError> {
    let question = database
        .ask("select authz_pin.is_writing(")
        .bind::<Array<Text>, _>(background)
        .sql(") as value");
    flag(database, question).await
}
