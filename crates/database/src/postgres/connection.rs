//! The service's PostgreSQL: the one owner of the connection.

use std::collections::BTreeMap;
use std::time::Duration;

use authz_pin_record::chain::chain;
use authz_pin_suite::world::Row;
use diesel::sql_types::Text;
use diesel_async::{AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use tokio::net::TcpStream;
use tokio_postgres::Client;
use url::Url;

use super::journal::Home;
use super::{Flag, Statement, identifier, pooler, session, tls};
use crate::catalog::Catalog;
use crate::error::{DatabaseError, redacted};
use crate::rows::{Values, batches};
use crate::which::Which;

/// One connection to the service's database.
pub struct Database {
    pub(crate) connection: AsyncPgConnection,
    pub(super) which: Which,
    pub(super) schema: String,
    /// The schemas whose tables are watched; all of them, if none are named.
    pub(super) schemas: Option<Vec<String>>,
    /// Where the journal is, if there is one.
    pub(super) home: Home,
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

async fn within<T>(doing: impl Future<Output = T>, otherwise: &str) -> Result<T, String> {
    let done = tokio::time::timeout(PATIENCE, doing).await;
    done.map_err(|_| format!("{otherwise} in {} s", PATIENCE.as_secs()))
}

/// A way to the server on which nothing was said yet.
async fn opened(url: &str, wanted: &tls::Wanted) -> Result<(Client, pooler::Line), String> {
    match within(wanted.connect(), "no answer").await? {
        Ok(opened) => Ok(opened),
        Err(error) => Err(no_way_to(url).await.unwrap_or_else(|| chain(&error))),
    }
}

/// Whether a pooler lends what is behind it for a transaction only. The answer takes a second connection, and four round trips.
async fn is_lent(
    client: &Client,
    line: &mut pooler::Line,
    wanted: &tls::Wanted,
) -> Result<bool, String> {
    let lends = pooler::lends(client, line, wanted);
    let lends = within(lends, "no answer to a second connection").await?;
    lends.map_err(|error| format!("a second connection: {}", chain(&error)))
}

impl Database {
    /// Connects to the service's main database, and refuses to do so through a pooler that lends connections by transactions.
    pub async fn connect(url: &str, schema: &str) -> Result<Self, DatabaseError> {
        let failed = |reason| DatabaseError::unreachable(url, reason);
        let wanted = tls::Wanted::of(url).map_err(failed)?;
        let (client, mut line) = Box::pin(opened(url, &wanted)).await.map_err(failed)?;
        let is_lent = Box::pin(is_lent(&client, &mut line, &wanted)).await;
        if is_lent.map_err(failed)? {
            let url = redacted(url);
            return Err(DatabaseError::Pooled { url });
        }
        Box::pin(Self::of_client(client, line, url, schema)).await
    }

    /// The same where it is known already that there is no such pooler.
    pub(crate) async fn connect_again(url: &str, schema: &str) -> Result<Self, DatabaseError> {
        let failed = |reason| DatabaseError::unreachable(url, reason);
        let wanted = tls::Wanted::of(url).map_err(failed)?;
        let (client, line) = Box::pin(opened(url, &wanted)).await.map_err(failed)?;
        Box::pin(Self::of_client(client, line, url, schema)).await
    }

    async fn of_client(
        client: Client,
        line: pooler::Line,
        url: &str,
        schema: &str,
    ) -> Result<Self, DatabaseError> {
        let made = AsyncPgConnection::try_from_client_and_connection(client, line);
        let made = within(made, "no answer").await;
        let made = made.and_then(|made| made.map_err(|error| chain(&error)));
        let mut database = Self {
            connection: made.map_err(|reason| DatabaseError::unreachable(url, reason))?,
            which: Which::default(),
            schema: schema.to_owned(),
            schemas: Some(vec![schema.to_owned()]),
            home: Home::Schema,
        };
        Self::execute(&mut database, "connect", session::SETTINGS).await?;
        Ok(database)
    }

    /// The same as one of a service's several.
    #[must_use]
    pub fn called(mut self, which: &Which) -> Self {
        self.which = which.clone();
        self
    }

    /// Which of the service's databases it is.
    #[must_use]
    pub fn which(&self) -> &Which {
        &self.which
    }

    /// The schema of the service's tables.
    #[must_use]
    pub fn schema(&self) -> &str {
        &self.schema
    }

    /// The schemas whose tables are watched; all of them, if none are named.
    #[must_use]
    pub fn schemas(&self) -> Option<&[String]> {
        self.schemas.as_deref()
    }

    /// Watches the service's own schema and these, or all of them.
    pub(crate) fn watch_schemas(&mut self, others: Option<&[String]>) {
        let own = std::iter::once(&self.schema);
        self.schemas = others.map(|others| own.chain(others).cloned().collect());
    }

    /// Whether there is a schema of that name.
    pub async fn has_schema(&mut self, name: &str) -> Result<bool, DatabaseError> {
        let question = Statement::new("select to_regnamespace(")
            .bind::<Text, _>(name)
            .sql(") is not null as value");
        self.answered(question).await
    }

    /// Runs statements that answer nothing.
    pub async fn execute(&mut self, task: &str, sql: &str) -> Result<(), DatabaseError> {
        self.connection
            .batch_execute(sql)
            .await
            .map_err(DatabaseError::refused(task))
    }

    /// Ends a transaction: keeps what was done, or takes it back where any of it failed.
    pub(super) async fn end<T>(
        &mut self,
        task: &str,
        done: Result<T, DatabaseError>,
    ) -> Result<T, DatabaseError> {
        let end = if done.is_ok() { "commit" } else { "rollback" };
        let ended = self.execute(task, end).await;
        done.and_then(|done| ended.map(|()| done))
    }

    /// Inserts rows, one statement per table and set of columns, in the order in which these first appear. Gives how many
    /// rows came to be in each table: the service's own triggers and rules can keep some out.
    pub async fn insert<'r>(
        &mut self,
        rows: impl IntoIterator<Item = &'r Row>,
        catalog: &Catalog,
    ) -> Result<BTreeMap<&'r str, usize>, DatabaseError> {
        let mut inserted = BTreeMap::new();
        for (table, columns, values) in batches(rows) {
            let relation = self.relation(table, catalog);
            let insert = Statement::new(insertion(&relation, &columns))
                .bind::<Text, _>(json(&values)?)
                .sql("::jsonb)");
            let task = format!("insert into `{table}`");
            let done = insert.execute(&mut self.connection).await;
            *inserted.entry(table).or_default() += done.map_err(DatabaseError::refused(task))?;
        }
        Ok(inserted)
    }

    /// Deletes rows that this run inserted, by their primary keys, the last first. A row of a table without a primary
    /// key is found by all the columns that were set.
    pub async fn delete<'r>(
        &mut self,
        rows: impl IntoIterator<Item = &'r Row>,
        catalog: &Catalog,
    ) -> Result<(), DatabaseError> {
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
            let statement = delete_statement(&self.relation(table, catalog), &by);
            let delete = diesel::sql_query(statement).bind::<Text, _>(json(&values)?);
            let task = format!("delete from `{table}`");
            delete
                .execute(&mut self.connection)
                .await
                .map_err(DatabaseError::refused(task))?;
        }
        Ok(())
    }

    /// The table as SQL names it. One that is not known is looked for in the service's schema.
    fn relation(&self, table: &str, catalog: &Catalog) -> String {
        let known = catalog.table(table).map(|table| table.relation.clone());
        let own = self.which.own(table);
        known.unwrap_or_else(|| format!("{}.{}", identifier(&self.schema), identifier(own)))
    }

    /// The beginning of a statement that names the journal's schema.
    pub(super) fn ask<'q>(&self, sql: &'q str) -> Statement<'q> {
        Statement::new(self.home.sql(sql))
    }

    /// Whether this role can put triggers on every table and take them off again, which takes the tables' owner.
    pub(super) async fn can_watch(&mut self) -> Result<bool, DatabaseError> {
        let question = Statement::new(CAN_WATCH).bind::<Text, _>(self.schema.clone());
        self.answered(question).await
    }

    /// Whether it can at least make temporary tables, to compare the tables with.
    pub(super) async fn can_compare(&mut self) -> Result<bool, DatabaseError> {
        let question = "select has_database_privilege(current_database(), 'temporary') as value";
        self.answered(Statement::new(question)).await
    }

    /// What a question about the catalog is answered.
    async fn answered(&mut self, question: Statement<'_>) -> Result<bool, DatabaseError> {
        let flag = question.get_result(&mut self.connection).await;
        let flag: Flag = flag.map_err(DatabaseError::refused("read the catalog"))?;
        Ok(flag.value)
    }
}

const CAN_WATCH: &str = "
    select has_database_privilege(current_database(), 'create')
      and coalesce(bool_and(pg_has_role(c.relowner, 'usage')), true) as value
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p')
      and not exists (
        select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
      and n.nspname = ";

/// Rows as one text, without a copy of them between.
fn json(values: &Values<'_>) -> Result<String, DatabaseError> {
    serde_json::to_string(values).map_err(DatabaseError::Rows)
}

/// The beginning of a statement that ends with the rows.
fn insertion(relation: &str, columns: &[&str]) -> String {
    let columns = columns
        .iter()
        .map(|column| identifier(column))
        .collect::<Vec<_>>()
        .join(", ");
    format!(
        "insert into {relation} ({columns}) select {columns} from jsonb_populate_recordset(null::{relation}, "
    )
}

fn delete_statement(relation: &str, by: &[&str]) -> String {
    let same = |column: &&str| format!("t.{0} is not distinct from r.{0}", identifier(column));
    let same = by.iter().map(same).collect::<Vec<_>>().join(" and ");
    format!(
        "delete from {relation} t using jsonb_populate_recordset(null::{relation}, $1::jsonb) r where {same}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn row(table: &str, values: &serde_json::Value) -> Row {
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
    fn an_error_of_one_of_several_databases_is_told_with_its_cause_once() {
        let refused = DatabaseError::refused("read the journal")(
            diesel::result::Error::DeserializationError("no number".into()),
        );
        let audit = Which::all(&["audit".to_owned()]).nth(1).unwrap();
        assert_eq!(
            chain(&refused.of(&audit)),
            "the database `audit`: the database refused to read the journal: no number"
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
