//! What the catalog says of the tables, and which of them are watched.

use std::collections::BTreeMap;

use diesel::sql_types::{Array, Nullable, Text};
use diesel::{QueryResult, QueryableByName};
use diesel_async::RunQueryDsl;
use serde::Deserialize;

use super::defaults::Constant;
use super::{Database, One};
use crate::catalog::{Catalog, Table};
use crate::error::{DatabaseError, decoded};

/// The tables as the catalog's query describes them.
#[derive(Deserialize)]
struct Described {
    tables: BTreeMap<String, DescribedTable>,
}

#[derive(Deserialize)]
struct DescribedTable {
    #[serde(flatten)]
    table: Table,
    /// The defaults as the database writes them.
    #[serde(default)]
    constants: BTreeMap<String, Constant>,
}

impl DescribedTable {
    /// The table with the defaults that can be read. One that cannot be read is not known.
    fn table(self) -> Table {
        let constants = self.constants.into_iter();
        let known = constants.filter_map(|(column, constant)| Some((column, constant.value()?)));
        Table {
            defaults: known.collect(),
            ..self.table
        }
    }
}

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

impl Database {
    /// Reads what the tables look like.
    pub async fn catalog(&mut self) -> Result<Catalog, DatabaseError> {
        let query = diesel::sql_query(CATALOG)
            .bind::<Text, _>(self.schema.clone())
            .bind::<Nullable<Array<Text>>, _>(self.schemas.clone());
        let one: One = query
            .get_result(&mut self.connection)
            .await
            .map_err(DatabaseError::refused("read the catalog"))?;
        let described: Described = decoded("the catalog", one.value)?;
        let tables = described.tables.into_iter();
        let tables = tables.map(|(name, described)| (name, described.table()));
        Ok(Catalog::new(tables.collect()).called(self.which()))
    }

    /// What of the database is not watched, each with the reason.
    pub async fn unwatched(&mut self) -> Result<Vec<String>, DatabaseError> {
        let unwatched = if self.home.compares() {
            NOT_COMPARED.to_owned()
        } else {
            NOT_WATCHED.to_owned()
        };
        let unwatched = unwatched + EITHER_WAY;
        let names = diesel::sql_query(self.home.sql(&unwatched))
            .bind::<Text, _>(self.which.table(""))
            .load(&mut self.connection);
        named(names.await)
    }

    /// The tables that cannot be compared, where the others are.
    pub(super) async fn unobserved(&mut self) -> Result<Vec<String>, DatabaseError> {
        if !self.home.compares() {
            return Ok(Vec::new());
        }
        let query = self
            .home
            .sql("select distinct tbl as name from authz_pin.compared where why is not null");
        let names = self.names(&query).await?;
        Ok(names.iter().map(|name| self.which.table(name)).collect())
    }

    /// A publication that sends every row of every table to its subscribers, the journal's too.
    pub(crate) async fn publication_of_all(&mut self) -> Result<Option<String>, DatabaseError> {
        let query =
            "select pubname::text as name from pg_publication where puballtables order by 1";
        Ok(self.names(query).await?.into_iter().next())
    }

    async fn names(&mut self, query: &str) -> Result<Vec<String>, DatabaseError> {
        named(diesel::sql_query(query).load(&mut self.connection).await)
    }
}

fn named(names: QueryResult<Vec<Name>>) -> Result<Vec<String>, DatabaseError> {
    let names = names.map_err(DatabaseError::refused("read the catalog"))?;
    Ok(names.into_iter().map(|name| name.name).collect())
}

/// Tables without a trigger of the journal, and what sees the journal's own statements. `$1` is what stands before the names of
/// the database's tables.
const NOT_WATCHED: &str = "
    with watched as (
      select g.tgrelid as oid from pg_trigger g join pg_proc p on p.oid = g.tgfoid
      where p.pronamespace = to_regnamespace('authz_pin')
    ), further as (
      select format('what TRUNCATE takes of `%s%s` (row security hides its rows from their owner)', $1, c.oid::regclass) as name
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.relkind = 'r' and c.relrowsecurity and c.relforcerowsecurity
        and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'authz_pin')
        and not (select rolsuper or rolbypassrls from pg_roles where rolname = current_user)
      union all
      select format('what the event trigger `%s` writes because of the journal', evtname) from pg_event_trigger
      where evtenabled <> 'D'
    )";

/// Tables that are not compared.
const NOT_COMPARED: &str = "
    with watched as (
      select relation::oid as oid from authz_pin.compared union select pg_partition_root(relation) from authz_pin.compared
    ), further as (
      select format('`%s%s` (%s)', $1, relation, why) as name from authz_pin.compared where why is not null
    )";

/// These, and what of the database is neither watched nor compared.
const EITHER_WAY: &str = "
    select format('`%s%s` (%s)', $1, c.oid::regclass, case
        when e.extname is not null then format('of the extension `%s`', e.extname)
        when c.relkind = 'f' then 'a foreign table'
        when not pg_has_role(c.relowner, 'usage') then format('it belongs to the role `%s`', pg_get_userbyid(c.relowner))
        else 'its schema is not among those that the suite names' end) as name
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
      left join pg_depend d on d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e'
      left join pg_extension e on d.refclassid = 'pg_extension'::regclass and e.oid = d.refobjid
    where c.relkind in ('r', 'p', 'f') and not c.relispartition
      and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'authz_pin')
      and not exists (select from watched w where w.oid = c.oid)
    union all
    select name from further
    order by 1";

/// The tables and their columns. Of a default only the text is read: to evaluate it can fail, as of a number that is out of its
/// column's range. Dates and times are told by what they mean; a domain can refuse its own default, which nobody finds out
/// before a row has it.
const CATALOG: &str = r#"
    with named as (
      select c.oid, c.relname, n.nspname, case when n.nspname = $1 then c.relname else n.nspname || '.' || c.relname end as name
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where (n.nspname = any ($2) or $2 is null) and c.relkind in ('r', 'p')
        and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'authz_pin')
    )
    select jsonb_build_object('tables', coalesce(jsonb_object_agg(name, jsonb_build_object(
      'relation', relation, 'root', root, 'key', key, 'temporal', temporal, 'numbered', numbered, 'references', referred,
      'columns', columns, 'constants', constants, 'ahead_s', extract(timezone from now())::bigint)), '{}')) as value
    from (
      select c.name, format('%I.%I', c.nspname, c.relname) as relation,
        coalesce((select p.name from named p where p.oid = pg_partition_root(c.oid)), c.name) as root,
        coalesce(jsonb_agg(a.attname order by array_position(i.indkey::int2[], a.attnum))
          filter (where a.attnum = any (i.indkey)), '[]') as key,
        jsonb_agg(a.attname) as columns,
        coalesce(jsonb_object_agg(a.attname, case b.typname when 'timestamptz' then 'moment' when 'timestamp' then 'local'
          when 'date' then 'date' else 'time' end) filter (where t.typcategory = 'D' and b.typtype = 'b'), '{}') as temporal,
        coalesce(jsonb_agg(a.attname) filter (where a.attidentity <> ''
          or x.text like 'nextval(%'), '[]') as numbered,
        coalesce(jsonb_object_agg(a.attname, r.name) filter (where r.name is not null), '{}') as referred,
        coalesce(jsonb_object_agg(a.attname, jsonb_build_object('text', x.text, 'category', t.typcategory, 'of_type', t.typname,
          'of_items', e.typcategory, 'length', a.atttypmod - 4)) filter (where a.attgenerated = '' and t.typcategory <> 'D'
          and t.typtype <> 'd' and x.text ~ '^(''([^'']|'''')*''|\(?-?[0-9.]+\)?|true|false|ARRAY\[\])(::[a-zA-Z_"][a-zA-Z0-9_" .]*(\([0-9, ]+\))?(\[\])*)*$'),
          '{}') as constants
      from named c
      join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
      join pg_type t on t.oid = a.atttypid
      join pg_type b on b.oid = coalesce(nullif(t.typbasetype, 0), t.oid)
      left join pg_index i on i.indrelid = c.oid and i.indisprimary
      left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
      left join lateral (select pg_get_expr(d.adbin, d.adrelid) as text) x on true
      left join pg_type e on e.oid = t.typelem
      left join lateral (
        select min(f.name) as name
        from pg_constraint k join named f on f.oid = k.confrelid
        where k.contype = 'f' and k.conrelid = c.oid and k.conkey = array[a.attnum]
      ) r on true
      group by c.oid, c.name, c.nspname, c.relname
    ) x"#;
