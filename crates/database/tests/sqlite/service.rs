//! The service, and what its file holds.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use authz_pin_database::Which;
use authz_pin_database::sqlite::File;
use authz_pin_database::{Change, DatabaseError, Extent, Leftover, Tell};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use tempfile::TempDir;

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    value: String,
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    value: i64,
}

/// A file with a connection of the service.
pub(crate) struct Service {
    pub(crate) connection: SqliteConnection,
    pub(crate) path: PathBuf,
    directory: Option<TempDir>,
}

/// The command line of another version of SQLite that plays the service, where one is named.
const PROGRAM: &str = "AUTHZ_PIN_TEST_SQLITE3";

fn with_program(program: &OsStr, path: &Path, sql: &str) -> Result<(), String> {
    let mut command = Command::new(program);
    let sql = format!("pragma foreign_keys = on; {sql}");
    let done = command.arg("-bail").arg(path).arg(sql).output().unwrap();
    let error = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(
        !error.contains("authz_pin") && !error.contains("no such"),
        "{error}"
    );
    if done.status.success() {
        Ok(())
    } else {
        Err(error)
    }
}

/// Both ways to keep a file whole while it is written.
pub(crate) const MODES: [&str; 2] = ["wal", "delete"];

impl Service {
    /// In memory, where there is such a directory: most tests wait for the disk else.
    pub(crate) fn new(mode: &str, schema: &str) -> Self {
        let memory = Path::new("/dev/shm");
        let directory = if memory.is_dir() {
            tempfile::tempdir_in(memory)
        } else {
            tempfile::tempdir()
        };
        Self::within(directory.unwrap(), mode, schema)
    }

    pub(crate) fn on_disk(mode: &str, schema: &str) -> Self {
        Self::within(tempfile::tempdir().unwrap(), mode, schema)
    }

    fn within(directory: TempDir, mode: &str, schema: &str) -> Self {
        let path = directory.path().join("notes_test.db");
        let mut service = Self::open(&path);
        service.execute(&format!("pragma journal_mode = {mode}; {schema}"));
        service.directory = Some(directory);
        service
    }

    /// One more connection.
    pub(crate) fn open(path: &Path) -> Self {
        Self::patient(path, 1000)
    }

    /// One that waits so many milliseconds for others.
    pub(crate) fn patient(path: &Path, patience: usize) -> Self {
        let mut connection = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
        let settings = format!(
            "pragma busy_timeout = {patience}; pragma foreign_keys = on; pragma synchronous = off"
        );
        connection.batch_execute(&settings).unwrap();
        Self {
            connection,
            path: path.to_owned(),
            directory: None,
        }
    }

    pub(crate) fn execute(&mut self, sql: &str) {
        let done = self.connection.batch_execute(sql);
        done.unwrap_or_else(|error| panic!("{error}: {sql}"));
    }

    /// What can fail, as statements of a service do.
    pub(crate) fn attempt(&mut self, sql: &str) -> Result<(), String> {
        if let Some(program) = std::env::var_os(PROGRAM) {
            return with_program(&program, &self.path, sql);
        }
        let done = self.connection.batch_execute(sql);
        done.map_err(|error| error.to_string())
    }

    pub(crate) fn lines(&mut self, sql: &str) -> Vec<String> {
        let lines: Vec<Line> = diesel::sql_query(sql).load(&mut self.connection).unwrap();
        lines.into_iter().map(|line| line.value).collect()
    }

    pub(crate) fn number(&mut self, sql: &str) -> i64 {
        let number: Number = diesel::sql_query(sql)
            .get_result(&mut self.connection)
            .unwrap();
        number.value
    }

    /// Every value of every table with its type, and the numbers of rows.
    pub(crate) fn dump(&mut self) -> BTreeMap<String, Vec<String>> {
        let tables = self.lines(
            "select l.name as value from pragma_table_list l where l.schema = 'main' and l.type in ('table', 'shadow')
             and l.name not like 'authz\\_pin\\_%' escape '\\' and l.name not in ('sqlite_schema', 'sqlite_stat1', 'sqlite_stat4')",
        );
        let dumped = tables.into_iter().map(|table| {
            let rows = self.dump_of(&table);
            (table, rows)
        });
        dumped.collect()
    }

    fn dump_of(&mut self, table: &str) -> Vec<String> {
        let literal = table.replace('\'', "''");
        let identifier = format!("\"{}\"", table.replace('"', "\"\""));
        let mut columns = self.lines(&format!(
            "select '\"' || replace(name, '\"', '\"\"') || '\"' as value from pragma_table_xinfo('{literal}') where hidden in (0, 2, 3)"
        ));
        let has_rowid =
            "select 1 - wr as value from pragma_table_list where schema = 'main' and name = ";
        if self.number(&format!("{has_rowid}'{literal}'")) == 1 && table != "sqlite_sequence" {
            let names = ["rowid", "oid", "_rowid_"];
            let is_free = |name: &&str| !columns.contains(&format!("\"{name}\""));
            columns.extend(names.into_iter().find(is_free).map(str::to_owned));
        }
        let values = columns.iter().map(|column| {
            format!(
                "typeof({column}) || ':' || case typeof({column}) when 'real' then printf('%!.20g', {column})
                 when 'null' then '' else hex(cast({column} as blob)) end"
            )
        });
        let values = values.collect::<Vec<_>>().join(" || ' ' || ");
        self.lines(&format!(
            "select {values} as value from {identifier} order by 1"
        ))
    }

    /// Whether the file is whole, and every reference has its row.
    pub(crate) fn check(&mut self) {
        assert_eq!(
            self.lines("select integrity_check as value from pragma_integrity_check"),
            ["ok"]
        );
        let broken = "select \"table\" || rowid as value from pragma_foreign_key_check";
        assert_eq!(self.lines(broken), [""; 0]);
    }

    /// Whether nothing of the journal is there any more.
    pub(crate) fn check_nothing_is_left(&mut self) {
        let left =
            "select name as value from sqlite_schema where name like 'authz\\_pin%' escape '\\'";
        assert_eq!(self.lines(left), [""; 0]);
        let beside = std::fs::read_dir(self.path.parent().unwrap()).unwrap();
        let names = beside.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
        let locks: Vec<String> = names.filter(|name| name.contains("authz-pin")).collect();
        assert_eq!(locks, [""; 0]);
    }
}

pub(crate) fn nobody(_: &str) {}

/// A run on the service's file.
pub(crate) async fn begun(service: &Service, run: &str) -> File {
    let mut base = File::connect(&service.path, &Which::default())
        .await
        .unwrap();
    let leftovers = base.install(run, &nobody).await.unwrap();
    assert_eq!(leftovers, []);
    base
}

/// Claims everything that is not explained.
pub(crate) async fn claim_all(base: &mut File) -> Vec<Change> {
    let changes = base.read().await.unwrap();
    let numbers: Vec<_> = changes.iter().map(|change| change.seq).collect();
    base.claim(&numbers).await.unwrap();
    changes
}

pub(crate) async fn undone(base: &mut File) -> Vec<Leftover> {
    base.undo(Extent::Run, &nobody).await.unwrap()
}

/// Does something beside a run that undoes it all; afterwards everything must be as it was.
pub(crate) async fn takes_back(
    service: &mut Service,
    work: impl FnOnce(&mut Service),
) -> Vec<Change> {
    let before = service.dump();
    let mut base = begun(service, "run1").await;
    work(service);
    let changes = claim_all(&mut base).await;
    let left = undone(&mut base).await;
    assert_eq!(left, [], "{changes:#?}");
    assert_eq!(base.remove(&nobody).await.unwrap(), None);
    assert_eq!(service.dump(), before, "{changes:#?}");
    service.check();
    service.check_nothing_is_left();
    changes
}

/// What dead runs left is undone, over a connection of its own.
pub(crate) async fn clean(
    path: &Path,
    which: &Which,
    tell: Tell<'_>,
) -> Result<(Vec<Leftover>, Option<String>), DatabaseError> {
    File::connect(path, which).await?.clean(tell).await
}

/// The same of an interrupted run.
pub(crate) async fn abandon(
    path: &Path,
    which: &Which,
    run: &str,
    tell: Tell<'_>,
) -> Result<Vec<Leftover>, DatabaseError> {
    File::connect(path, which).await?.abandon(run, tell).await
}

/// How many there are to be: the environment can ask for more.
pub(crate) fn asked(variable: &str, usual: u32) -> u32 {
    let asked = std::env::var(variable);
    asked.map_or(usual, |number| number.parse().unwrap())
}
