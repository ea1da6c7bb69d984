//! What the tables of the service look like, and which of them are watched.

use std::collections::{BTreeMap, BTreeSet};

use diesel::sql_types::{Array, Nullable, Text};
use diesel::{QueryResult, QueryableByName};
use diesel_async::RunQueryDsl;
use serde::Deserialize;
use serde_json::Value as Json;

use super::defaults::Constant;
use super::{Database, DatabaseError, One, Which, decoded};

/// What the tables of the service look like.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Catalog {
    tables: BTreeMap<String, Table>,
}

/// What is known of one table.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Table {
    /// The table with its schema, as SQL names it.
    pub relation: String,
    /// The name of the table that it is a partition of, or its own: changes are logged under this one.
    pub root: String,
    /// The columns of the primary key, in its order.
    pub key: Vec<String>,
    /// The columns that hold a date or a time.
    pub temporal: BTreeMap<String, Temporal>,
    /// How far the database's own time of day is ahead of UTC, in seconds.
    #[serde(default)]
    pub ahead_s: i64,
    /// The columns that the database numbers by itself.
    pub numbered: BTreeSet<String>,
    /// The columns that hold another table's key, each with that table.
    pub references: BTreeMap<String, String>,
    /// All columns.
    #[serde(default)]
    pub columns: BTreeSet<String>,
    /// What the columns hold that nobody sets, where that is a constant other than null.
    #[serde(default)]
    pub defaults: BTreeMap<String, Json>,
    /// The same as the database writes it.
    #[serde(default)]
    constants: BTreeMap<String, Constant>,
}

/// What a column of a date or a time holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Temporal {
    /// A day.
    Date,
    /// A moment.
    Moment,
    /// A moment without its time zone.
    Local,
    /// A time of any day.
    Time,
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
        let mut catalog: Catalog = decoded("the catalog", one.value)?;
        catalog.tables.values_mut().for_each(Table::know_defaults);
        Ok(of_database(catalog, &self.which))
    }

    /// What of the database is not watched, each with the reason.
    pub async fn unwatched(&mut self) -> Result<Vec<String>, DatabaseError> {
        let names = diesel::sql_query(UNWATCHED)
            .bind::<Text, _>(self.which.table(""))
            .load(&mut self.connection);
        named(names.await)
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

/// A catalog with the names that the tables have beside those of other databases.
fn of_database(catalog: Catalog, which: &Which) -> Catalog {
    if which.name().is_none() {
        return catalog;
    }
    let tables = catalog.tables.into_iter().map(|(name, table)| {
        let references = table.references.into_iter();
        let references = references.map(|(column, other)| (column, which.table(&other)));
        let root = which.table(&table.root);
        let references = references.collect();
        let table = Table {
            root,
            references,
            ..table
        };
        (which.table(&name), table)
    });
    let tables = tables.collect();
    Catalog { tables }
}

/// Tables without a trigger of the journal, and what sees the journal's own statements. `$1` is what stands before the names of
/// the database's tables.
const UNWATCHED: &str = "
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
      and not exists (
        select from pg_trigger g join pg_proc p on p.oid = g.tgfoid
        where g.tgrelid = c.oid and p.pronamespace = to_regnamespace('authz_pin'))
    union all
    select format('what TRUNCATE takes of `%s%s` (row security hides its rows from their owner)', $1, c.oid::regclass)
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind = 'r' and c.relrowsecurity and c.relforcerowsecurity
      and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'authz_pin')
      and not (select rolsuper or rolbypassrls from pg_roles where rolname = current_user)
    union all
    select format('what the event trigger `%s` writes because of the journal', evtname) as name
    from pg_event_trigger where evtenabled <> 'D'
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

impl Table {
    /// Reads the defaults that the database wrote. One that cannot be read is not known.
    fn know_defaults(&mut self) {
        let constants = std::mem::take(&mut self.constants).into_iter();
        let known = constants.filter_map(|(column, constant)| Some((column, constant.value()?)));
        self.defaults = known.collect();
    }

    /// Whether a column is of the primary key, or holds another table's.
    #[must_use]
    pub fn holds_key(&self, column: &str) -> bool {
        self.key.iter().any(|key| key == column) || self.references.contains_key(column)
    }
}

impl Catalog {
    /// The tables of several databases together, the main one's first.
    pub fn of_all<'c>(
        all: impl IntoIterator<Item = (&'c Which, &'c Self)>,
    ) -> Result<Self, DatabaseError> {
        let mut tables: BTreeMap<String, Table> = BTreeMap::new();
        for (which, catalog) in all {
            if let Some(name) = which.name()
                && let Some(table) = tables.keys().find(|table| which.has(table))
            {
                let (name, table) = (name.to_owned(), table.clone());
                return Err(DatabaseError::Ambiguous { table, name });
            }
            tables.extend(catalog.tables.clone());
        }
        Ok(Self { tables })
    }

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

    /// The names of columns that hold a key wherever they stand: the one column of a primary key, or a reference to one.
    pub fn of_keys(&self) -> impl Iterator<Item = &str> {
        let mut is_key: BTreeMap<&str, bool> = BTreeMap::new();
        for table in self.tables.values() {
            for column in &table.columns {
                let is_own = table.key.as_slice() == [column.as_str()];
                let is_one = is_own || table.references.contains_key(column);
                *is_key.entry(column).or_insert(true) &= is_one;
            }
        }
        let keys = is_key.into_iter().filter(|(_, is_key)| *is_key);
        keys.map(|(column, _)| column)
    }

    /// The tables' names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tables.keys().map(String::as_str)
    }
}
