//! What tells whether a database is one for tests.

use std::collections::BTreeMap;

use serde::Deserialize;

/// What a database's comment contains where it may be swept.
pub const MARKER: &str = "authz-pin: test database";

/// The most rows that the tables of a database may hold together if nothing else tells what it is for.
pub const ROWS: i64 = 1000;

/// What the decision is made from, but for the rows.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Facts {
    /// The database's name.
    pub name: String,
    /// Its comment.
    pub comment: Option<String>,
    /// Whether it follows another server.
    pub replica: bool,
    /// Whether its transactions may only read.
    pub read_only: bool,
    /// The service's tables; those that the role may not read with the number of rows that the server guesses, or that there is
    /// room for.
    pub tables: BTreeMap<String, Option<i64>>,
    /// Whether there is a journal, so that some of the rows are those of other runs.
    pub journal: bool,
    /// What makes that so.
    #[serde(skip)]
    pub read_only_by: &'static str,
    /// The statement by which somebody marks it as one for tests, for good.
    #[serde(skip)]
    pub mark: String,
}
