//! The service's PostgreSQL: the one owner of the connection.

mod statement;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Jsonb, Text};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::{Map, Value as Json};
use tokio::net::TcpStream;
use url::Url;

use crate::http::shown;
use crate::world::Row;

pub(crate) use statement::Statement;

/// A database that could not be used.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// No connection.
    #[error("cannot connect to the database `{url}`: {reason}")]
    Unreachable {
        /// Where, without the password.
        url: String,
        /// Why, in the driver's words.
        reason: String,
    },
    /// The journal in the database is not one that this version can read.
    #[error(
        "the database has a journal of another version of authz-pin: `authz-pin clean` of that version undoes what it left"
    )]
    OtherJournal,
    /// A statement failed.
    #[error("the database refused to {task}: {source}")]
    Refused {
        /// What was to be done.
        task: String,
        /// Why, in the database's words.
        #[source]
        source: diesel::result::Error,
    },
}

impl DatabaseError {
    pub(crate) fn refused(task: impl Into<String>) -> impl FnOnce(diesel::result::Error) -> Self {
        |source| Self::Refused {
            task: task.into(),
            source,
        }
    }
}

/// One connection to the service's database.
pub struct Database {
    pub(crate) connection: AsyncPgConnection,
    schema: String,
}

/// What the tables of the service look like.
#[derive(Debug, Default, Deserialize)]
pub struct Catalog {
    tables: BTreeMap<String, Table>,
}

/// What is known of one table.
#[derive(Debug, Default, Deserialize)]
pub struct Table {
    /// The columns of the primary key, in its order.
    pub key: Vec<String>,
    /// The columns that hold a date or a time.
    pub temporal: BTreeSet<String>,
    /// The columns that the database numbers by itself.
    pub numbered: BTreeSet<String>,
    /// The columns that hold another table's key, each with that table.
    pub references: BTreeMap<String, String>,
}

#[derive(QueryableByName)]
pub(crate) struct One {
    #[diesel(sql_type = Jsonb)]
    pub(crate) value: Json,
}

#[derive(QueryableByName)]
pub(crate) struct Flag {
    #[diesel(sql_type = Bool)]
    pub(crate) value: bool,
}

#[derive(QueryableByName)]
pub(crate) struct Number {
    #[diesel(sql_type = BigInt)]
    pub(crate) value: i64,
}

/// How long a server may take to let us in: what accepts a connection and says nothing is not PostgreSQL.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why not even a TCP connection is possible, in the system's words: the driver keeps them to itself.
async fn no_way_to(url: &str) -> Option<String> {
    let url = Url::parse(url).ok()?;
    // A percent-encoded host is the directory of a socket.
    let host = url.host_str().filter(|host| !host.contains('%'))?;
    let connect = TcpStream::connect((host, url.port().unwrap_or(5432)));
    match tokio::time::timeout(PATIENCE, connect).await {
        Ok(Err(error)) => Some(error.to_string()),
        _ => None,
    }
}

impl Database {
    /// Connects.
    pub async fn connect(url: &str, schema: &str) -> Result<Self, DatabaseError> {
        let established = tokio::time::timeout(PATIENCE, AsyncPgConnection::establish(url)).await;
        let reason = match established {
            Ok(Ok(connection)) => {
                return Ok(Self {
                    connection,
                    schema: schema.to_owned(),
                });
            }
            Ok(Err(error)) => no_way_to(url).await.unwrap_or_else(|| error.to_string()),
            Err(_) => format!("no answer in {} s", PATIENCE.as_secs()),
        };
        Err(DatabaseError::Unreachable {
            url: redacted(url),
            reason,
        })
    }

    /// The schema of the service's tables.
    #[must_use]
    pub fn schema(&self) -> &str {
        &self.schema
    }

    /// Whether there is a schema of that name.
    pub(crate) async fn has_schema(&mut self, name: &str) -> Result<bool, DatabaseError> {
        let query = "select to_regnamespace($1) is not null as value";
        let flag: Flag = diesel::sql_query(query)
            .bind::<Text, _>(name)
            .get_result(&mut self.connection)
            .await
            .map_err(DatabaseError::refused("read the catalog"))?;
        Ok(flag.value)
    }

    /// Runs statements that answer nothing.
    pub(crate) async fn execute(&mut self, task: &str, sql: &str) -> Result<(), DatabaseError> {
        self.connection
            .batch_execute(sql)
            .await
            .map_err(DatabaseError::refused(task))
    }

    /// Inserts rows, one statement per table and set of columns, in the order in which these first appear.
    pub async fn insert<'r>(
        &mut self,
        rows: impl IntoIterator<Item = &'r Row>,
    ) -> Result<(), DatabaseError> {
        for (table, columns, values) in batches(rows) {
            let insert = Statement::new(insertion(&self.schema, table, &columns))
                .bind::<Text, _>(json(&values))
                .sql("::jsonb)");
            let task = format!("insert into `{table}`");
            insert
                .execute(&mut self.connection)
                .await
                .map_err(DatabaseError::refused(task))?;
        }
        Ok(())
    }

    /// Deletes rows that this run inserted, by their primary keys, the last first. A row of a table without a primary
    /// key is found by all the columns that were set.
    pub async fn delete(&mut self, rows: &[Row], catalog: &Catalog) -> Result<(), DatabaseError> {
        for (table, columns, values) in batches(rows).into_iter().rev() {
            let key = catalog
                .table(table)
                .map(|table| table.key.clone())
                .unwrap_or_default();
            let by: Vec<&str> = if key.is_empty() {
                columns
            } else {
                key.iter().map(String::as_str).collect()
            };
            let statement = delete_statement(&self.schema, table, &by);
            let delete = diesel::sql_query(statement).bind::<Text, _>(json(&values));
            let task = format!("delete from `{table}`");
            delete
                .execute(&mut self.connection)
                .await
                .map_err(DatabaseError::refused(task))?;
        }
        Ok(())
    }

    /// Whether this role can put triggers on every table and take them off again, which takes the tables' owner.
    pub(crate) async fn can_watch(&mut self) -> Result<bool, DatabaseError> {
        let query = diesel::sql_query(CAN_WATCH).bind::<Text, _>(self.schema.clone());
        let flag: Flag = query
            .get_result(&mut self.connection)
            .await
            .map_err(DatabaseError::refused("read the catalog"))?;
        Ok(flag.value)
    }

    /// Reads what the tables look like.
    pub async fn catalog(&mut self) -> Result<Catalog, DatabaseError> {
        let query = diesel::sql_query(CATALOG).bind::<Text, _>(self.schema.clone());
        let one: One = query
            .get_result(&mut self.connection)
            .await
            .map_err(DatabaseError::refused("read the catalog"))?;
        Ok(serde_json::from_value(one.value).unwrap_or_default())
    }
}

const CAN_WATCH: &str = "
    select has_database_privilege(current_database(), 'create')
      and coalesce(bool_and(pg_has_role(c.relowner, 'usage')), true) as value
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = $1 and c.relkind in ('r', 'p')";

const CATALOG: &str = "
    select jsonb_build_object('tables', coalesce(jsonb_object_agg(relname, jsonb_build_object(
      'key', key, 'temporal', temporal, 'numbered', numbered, 'references', referred)), '{}')) as value
    from (
      select c.relname,
        coalesce(jsonb_agg(a.attname order by array_position(i.indkey::int2[], a.attnum))
          filter (where a.attnum = any (i.indkey)), '[]') as key,
        coalesce(jsonb_agg(a.attname) filter (where t.typcategory = 'D'), '[]') as temporal,
        coalesce(jsonb_agg(a.attname) filter (where a.attidentity <> ''
          or pg_get_expr(d.adbin, d.adrelid) like 'nextval(%'), '[]') as numbered,
        coalesce(jsonb_object_agg(a.attname, r.relname) filter (where r.relname is not null), '{}') as referred
      from pg_class c
      join pg_namespace n on n.oid = c.relnamespace and n.nspname = $1
      join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
      join pg_type t on t.oid = a.atttypid
      left join pg_index i on i.indrelid = c.oid and i.indisprimary
      left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
      left join lateral (
        select min(f.relname) as relname
        from pg_constraint k join pg_class f on f.oid = k.confrelid and f.relnamespace = n.oid
        where k.contype = 'f' and k.conrelid = c.oid and k.conkey = array[a.attnum]
      ) r on true
      where c.relkind in ('r', 'p')
      group by c.relname
    ) x";

impl Catalog {
    /// The table of that name.
    #[must_use]
    pub fn table(&self, name: &str) -> Option<&Table> {
        self.tables.get(name)
    }

    /// The column that is the table's primary key, where it is one column.
    #[must_use]
    pub fn key(&self, table: &str) -> Option<&str> {
        match self.table(table)?.key.as_slice() {
            [key] => Some(key),
            _ => None,
        }
    }

    /// The table whose key, which the database numbers, `column` of `table` holds: its own, or one that it refers to.
    #[must_use]
    pub fn numbers<'a>(&'a self, table: &'a str, column: &str) -> Option<&'a str> {
        let is_numbered = |table: &str, column: &str| {
            let found = self.table(table);
            found.is_some_and(|found| found.key == [column] && found.numbered.contains(column))
        };
        if is_numbered(table, column) {
            return Some(table);
        }
        let other = self.table(table)?.references.get(column)?;
        is_numbered(other, self.key(other)?).then_some(other.as_str())
    }

    /// The tables' names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tables.keys().map(String::as_str)
    }
}

type Values<'r> = Vec<&'r Map<String, Json>>;

/// Rows by table and set of columns.
fn batches<'r>(
    rows: impl IntoIterator<Item = &'r Row>,
) -> Vec<(&'r str, Vec<&'r str>, Values<'r>)> {
    let mut batches: IndexMap<(&str, Vec<&str>), Values<'_>> = IndexMap::new();
    for row in rows {
        let columns = row.values.keys().map(String::as_str).collect();
        let batch = batches.entry((row.table.as_str(), columns));
        batch.or_default().push(&row.values);
    }
    batches
        .into_iter()
        .map(|((table, columns), values)| (table, columns, values))
        .collect()
}

/// Rows as one text, without a copy of them between.
fn json(values: &Values<'_>) -> String {
    serde_json::to_string(values).unwrap_or_default()
}

/// The beginning of a statement that ends with the rows.
fn insertion(schema: &str, table: &str, columns: &[&str]) -> String {
    let relation = format!("{}.{}", identifier(schema), identifier(table));
    let columns = columns
        .iter()
        .map(|column| identifier(column))
        .collect::<Vec<_>>()
        .join(", ");
    format!(
        "insert into {relation} ({columns}) select {columns} from jsonb_populate_recordset(null::{relation}, "
    )
}

fn delete_statement(schema: &str, table: &str, by: &[&str]) -> String {
    let relation = format!("{}.{}", identifier(schema), identifier(table));
    let same = |column: &&str| format!("t.{0} is not distinct from r.{0}", identifier(column));
    let same = by.iter().map(same).collect::<Vec<_>>().join(" and ");
    format!(
        "delete from {relation} t using jsonb_populate_recordset(null::{relation}, $1::jsonb) r where {same}"
    )
}

/// A name as an SQL identifier.
pub(crate) fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A database URL without its password.
#[must_use]
pub fn redacted(url: &str) -> String {
    // The query can hold a password as well.
    Url::parse(url).map_or_else(|_| "(not a URL)".to_owned(), |url| shown(&url))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn row(table: &str, values: &Json) -> Row {
        Row {
            table: table.to_owned(),
            values: values.as_object().cloned().unwrap_or_default(),
        }
    }

    #[test]
    fn rows_of_one_table_with_the_same_columns_are_one_statement() {
        let rows = [
            row("a", &json!({"x": 1})),
            row("b", &json!({"x": 1})),
            row("a", &json!({"x": 2})),
            row("a", &json!({"y": 2})),
        ];
        let shape: Vec<_> = batches(&rows)
            .into_iter()
            .map(|(table, columns, values)| (table, columns, values.len()))
            .collect();
        assert_eq!(
            shape,
            [
                ("a", vec!["x"], 2),
                ("b", vec!["x"], 1),
                ("a", vec!["y"], 1)
            ]
        );
    }

    #[test]
    fn names_are_quoted_as_sql_identifiers() {
        assert_eq!(identifier("Lite\"LLM"), "\"Lite\"\"LLM\"");
    }

    #[test]
    fn a_shown_database_url_has_no_password() {
        assert_eq!(
            redacted("postgres://me:secret@localhost/db"),
            "postgres://me:***@localhost/db"
        );
        assert_eq!(
            redacted("postgres://localhost/db?user=me&password=secret"),
            "postgres://localhost/db"
        );
        assert_eq!(redacted("secret words"), "(not a URL)");
    }
}
