//! What the guard decides from: whether the file may be swept.

use std::collections::BTreeMap;
use std::path::Path;

use nix::unistd::{AccessFlags, access};

use super::connection::{Connection, Sql};
use super::tables::Definition;
use super::watch;
use crate::error::DatabaseError;
use crate::facts::{Facts, MARKER, ROWS};

const TASK: &str = "read the catalog";

/// What is known of the file but for its rows. A file has no comment: what stands for one is the name of a view.
pub(super) fn facts(
    connection: &mut Connection,
    path: &Path,
    definitions: &[Definition],
) -> Result<Facts, DatabaseError> {
    let query = format!(
        "select name from sqlite_schema where type = 'view' and name like '%{MARKER}%' limit 1"
    );
    let comment = connection.one(TASK, Sql::new(query))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let journal = match watch::is_there(connection) {
        Err(DatabaseError::OtherJournal) => false,
        known => known?,
    };
    Ok(Facts {
        name: name.into_owned(),
        comment: comment.text().map(str::to_owned),
        replica: false,
        read_only: is_read_only(path),
        tables: definitions
            .iter()
            .map(|table| (table.name.clone(), None))
            .collect(),
        journal,
        read_only_by: "the file or its folder is read-only",
        mark: format!("CREATE VIEW \"{MARKER}\" AS SELECT 1"),
    })
}

/// SQLite writes a file beside the database before it writes to that.
fn is_read_only(path: &Path) -> bool {
    let directory = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let both = [path, directory.unwrap_or(Path::new("."))];
    both.iter()
        .any(|path| access(*path, AccessFlags::W_OK).is_err())
}

/// The rows of each table, counted no further than is needed. What other runs have inserted goes again, and lets that much more
/// in.
pub(super) fn rows(
    connection: &mut Connection,
    facts: &Facts,
    definitions: &[Definition],
) -> Result<BTreeMap<String, i64>, DatabaseError> {
    let task = "count the rows of its tables";
    let ours = if facts.journal {
        let query = "select count(*) from authz_pin_change where op = 'insert' and run is not null";
        connection.number(task, Sql::new(query))?
    } else {
        0
    };
    let mut rows = BTreeMap::from([(String::new(), -ours)]);
    // What cannot be read does not belong to this SQLite, nor are its rows counted twice.
    for table in definitions.iter().filter(|table| table.unwatched.is_none()) {
        let query = format!(
            "select count(*) from (select 1 from {} limit {})",
            table.sql(),
            ROWS + 1 + ours
        );
        rows.insert(
            table.name.clone(),
            connection.number(task, Sql::new(query))?,
        );
    }
    Ok(rows)
}
