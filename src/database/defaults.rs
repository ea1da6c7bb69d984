//! What columns hold that nobody sets.

use std::collections::BTreeMap;

use diesel::QueryableByName;
use diesel::sql_types::{Array, Nullable, Text};
use diesel_async::RunQueryDsl;
use serde_json::Value as Json;

use super::{Database, DatabaseError, One, decoded};

const TASK: &str = "read the defaults of columns";

/// The defaults of one table by its columns.
type Defaults = BTreeMap<String, Json>;

/// A column with a default.
#[derive(QueryableByName)]
struct Column {
    #[diesel(sql_type = Text)]
    tbl: String,
    #[diesel(sql_type = Text)]
    name: String,
    /// The default as the database writes it, as the column's type.
    #[diesel(sql_type = Text)]
    value: String,
}

/// Columns whose default is a constant: nothing that calls a function, and no name that stands for something else each time.
/// Dates and times are told by what they mean; a domain can refuse its own default, which nobody finds out before a row has it.
const COLUMNS: &str = r#"
    select case when n.nspname = $1 then c.relname else n.nspname || '.' || c.relname end as tbl, a.attname::text as name,
      format('(%s)::%s', x.text, format_type(a.atttypid, a.atttypmod)) as value
    from pg_attrdef d
      join pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum
      join pg_type t on t.oid = a.atttypid
      join pg_class c on c.oid = a.attrelid
      join pg_namespace n on n.oid = c.relnamespace
      cross join lateral (select pg_get_expr(d.adbin, d.adrelid) as text) x
    where (n.nspname = any ($2) or $2 is null) and c.relkind in ('r', 'p') and n.nspname !~ '^pg_'
      and n.nspname not in ('information_schema', 'authz_pin') and not a.attisdropped and a.attgenerated = ''
      and t.typcategory <> 'D' and t.typtype <> 'd'
      and x.text ~ '^(''([^'']|'''')*''|\(?-?[0-9.]+\)?|true|false|ARRAY\[\])(::[a-zA-Z_"][a-zA-Z0-9_" .]*(\([0-9, ]+\))?(\[\])*)*$'
    order by 1, 2"#;

impl Database {
    /// The constants that columns hold by default, by their tables.
    pub(super) async fn defaults(&mut self) -> Result<BTreeMap<String, Defaults>, DatabaseError> {
        let columns: Vec<Column> = diesel::sql_query(COLUMNS)
            .bind::<Text, _>(self.schema.clone())
            .bind::<Nullable<Array<Text>>, _>(self.schemas.clone())
            .load(&mut self.connection)
            .await
            .map_err(DatabaseError::refused(TASK))?;
        let values = columns
            .iter()
            .map(|column| format!("to_jsonb({})", column.value));
        let values: Vec<String> = values.collect();
        let query = format!(
            "select to_jsonb(array[{}]::jsonb[]) as value",
            values.join(", ")
        );
        let one: One = diesel::sql_query(query)
            .get_result(&mut self.connection)
            .await
            .map_err(DatabaseError::refused(TASK))?;
        let values: Vec<Json> = decoded("the defaults of columns", one.value)?;
        let mut tables: BTreeMap<String, Defaults> = BTreeMap::new();
        for (column, value) in columns.into_iter().zip(values) {
            let table = tables.entry(column.tbl).or_default();
            table.insert(column.name, value);
        }
        Ok(tables)
    }
}
