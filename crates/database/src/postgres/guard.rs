//! What tells of a PostgreSQL whether it is one for tests.

use std::collections::BTreeMap;

use diesel::sql_types::Text;
use diesel_async::RunQueryDsl;

use super::{Database, One, identifier};
use crate::error::{DatabaseError, decoded};
use crate::facts::{Facts, MARKER, ROWS};

pub(super) async fn facts(database: &mut Database) -> Result<Facts, DatabaseError> {
    let schema = database.schema().to_owned();
    let facts: One = diesel::sql_query(FACTS)
        .bind::<Text, _>(schema)
        .get_result(&mut database.connection)
        .await
        .map_err(DatabaseError::refused("read the catalog"))?;
    let mut facts: Facts = decoded("the name and the tables", facts.value)?;
    let name = identifier(&facts.name);
    facts.read_only_by = "`default_transaction_read_only` is on";
    facts.mark = format!("COMMENT ON DATABASE {name} IS '{MARKER}'");
    Ok(facts)
}

pub(super) async fn rows(
    database: &mut Database,
    facts: &Facts,
) -> Result<BTreeMap<String, i64>, DatabaseError> {
    let counts: One = diesel::sql_query(counts(database.schema(), facts))
        .get_result(&mut database.connection)
        .await
        .map_err(DatabaseError::refused("count the rows of its tables"))?;
    let mut rows: BTreeMap<String, i64> = decoded("the numbers of rows", counts.value)?;
    let guessed = facts.tables.iter();
    rows.extend(guessed.filter_map(|(table, rows)| Some((table.clone(), (*rows)?))));
    Ok(rows)
}

/// A table whose rows the server has never counted has no estimate, which is no estimate of none: it can hold as many rows as
/// its pages have room for, of 28 bytes each at least.
const FACTS: &str = "
    select jsonb_build_object(
      'name', current_database(),
      'comment', (select shobj_description(oid, 'pg_database') from pg_database where datname = current_database()),
      'replica', pg_is_in_recovery(),
      'read_only', current_setting('transaction_read_only') = 'on',
      'tables', coalesce((
        select jsonb_object_agg(c.relname,
          case when not has_table_privilege(c.oid, 'select') then case
            when c.relpages <> 0 or c.reltuples > 0 then greatest(c.reltuples, 0)::bigint
            else (coalesce((select sum(pg_relation_size(p.relid)) from pg_partition_tree(c.oid) p),
              pg_relation_size(c.oid)) / 28)::bigint
          end end)
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = $1 and c.relkind in ('r', 'p') and not c.relispartition), '{}'),
      'journal', exists (
        select from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = 'authz_pin' and c.relname = 'change'
          and has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select'))
    ) as value";

/// Counts every table no further than is needed. What other runs have inserted is taken off the fullest tables' side by
/// letting that much more in: it goes again, and a database that they were let into is not full because of them.
fn counts(schema: &str, facts: &Facts) -> String {
    let ours = if facts.journal {
        "select count(*) as n from authz_pin.change where op = 'insert' and run is not null"
    } else {
        "select 0 as n"
    };
    let readable = facts.tables.iter().filter(|(_, guess)| guess.is_none());
    let count = |(table, _): (&String, &Option<i64>)| {
        let relation = format!("{}.{}", identifier(schema), identifier(table));
        let name = table.replace('\'', "''");
        let limit = format!("limit {} + (select n from ours)", ROWS + 1);
        format!(
            "select '{name}' as t, (select count(*) from (select from {relation} {limit}) x) as n"
        )
    };
    let none = "select '' as t, -(select n from ours) as n".to_owned();
    let all = std::iter::once(none).chain(readable.map(count));
    let all = all.collect::<Vec<_>>().join(" union all ");
    format!(
        "with ours as materialized ({ours}) select jsonb_object_agg(t, n) as value from ({all}) y"
    )
}
