//! The service's tables as the file has them.

use std::collections::BTreeMap;

use super::connection::{Connection, Row, Sql, Value};
use super::index;
use super::watch::{OWN_TABLES, OWN_TRIGGER};
use crate::error::DatabaseError;
use crate::sql::identifier;

const TASK: &str = "read the catalog";

/// The most columns of a table that is watched: undo compares all of them in one expression, whose depth SQLite bounds.
const COLUMNS: usize = 250;

/// What is known of one table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Definition {
    pub(super) name: String,
    /// Those that are stored, in their order.
    pub(super) columns: Vec<Column>,
    /// How a row is found, where SQLite numbers it: a name for its number that no column has.
    pub(super) rowid: Option<String>,
    /// Whether one of the columns is another name for that number.
    pub(super) has_alias: bool,
    /// Whether SQLite never gives a number twice.
    pub(super) is_counted: bool,
    /// The columns of the primary key in its order, each with how it compares texts.
    pub(super) key: Vec<(String, String)>,
    /// What no two rows have in common.
    pub(super) uniques: Vec<Unique>,
    pub(super) parents: Vec<Foreign>,
    /// Why it is not watched.
    pub(super) unwatched: Option<String>,
    /// Whether it is one in which a virtual table keeps what it shows.
    pub(super) is_shadow: bool,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) declared: String,
    pub(super) is_generated: bool,
    pub(super) is_required: bool,
    pub(super) default: Option<String>,
}

impl Column {
    /// Whether it is declared to say yes or no, for which SQLite has no type.
    pub(super) fn is_flag(&self) -> bool {
        self.declared.to_ascii_lowercase().starts_with("bool")
    }
}

/// A unique index, or a key that is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unique {
    terms: Vec<Term>,
    condition: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Term {
    Column(String, String),
    Expression(String, String),
}

/// A foreign key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Foreign {
    pub(super) parent: String,
    /// The columns, and those of the parent that they hold.
    pub(super) columns: Vec<(String, String)>,
}

impl Definition {
    /// The table as SQL names it.
    pub(super) fn sql(&self) -> String {
        identifier(&self.name)
    }

    /// What stands in the places of a row's values, from the first on: its number, where it has one, and its columns.
    pub(super) fn slots(&self) -> impl Iterator<Item = (usize, String)> {
        let rowid = self.rowid.iter().map(|rowid| (0, rowid.clone()));
        let columns = self.columns.iter().enumerate();
        rowid.chain(columns.map(|(place, column)| (place + 1, identifier(&column.name))))
    }

    /// What finds a row: places, names and how texts compare.
    pub(super) fn locator(&self) -> Vec<(usize, String, String)> {
        if let Some(rowid) = &self.rowid {
            return vec![(0, rowid.clone(), "binary".to_owned())];
        }
        let key = self.key.iter().filter_map(|(name, collation)| {
            let place = self.place(name)?;
            Some((place, identifier(name), collation.clone()))
        });
        key.collect()
    }

    /// The place of a column among a row's values.
    pub(super) fn place(&self, column: &str) -> Option<usize> {
        let mut columns = self.columns.iter();
        let place = columns.position(|known| known.name.eq_ignore_ascii_case(column))?;
        Some(place + 1)
    }

    pub(super) fn column(&self, name: &str) -> Option<&Column> {
        self.place(name)
            .and_then(|place| self.columns.get(place - 1))
    }

    /// The names of its columns.
    pub(super) fn names(&self) -> Vec<&str> {
        self.columns
            .iter()
            .map(|column| column.name.as_str())
            .collect()
    }

    /// What is true of a row that `new` cannot be beside, index by index.
    pub(super) fn conflicts(&self) -> Vec<String> {
        let table = self.sql();
        let number = self.rowid.iter();
        let number = number.map(|rowid| format!("{table}.{rowid} = new.{rowid}"));
        let uniques = self.uniques.iter().map(|unique| {
            let terms = unique.terms.iter().map(|term| self.same(term));
            let condition = unique
                .condition
                .iter()
                .map(|condition| format!("({condition}\n)"));
            terms.chain(condition).collect::<Vec<_>>().join(" and ")
        });
        number.chain(uniques).collect()
    }

    fn same(&self, term: &Term) -> String {
        let table = self.sql();
        match term {
            Term::Column(name, collation) => format!(
                "{table}.{} = {} collate {}",
                identifier(name),
                self.coming(name),
                identifier(collation)
            ),
            Term::Expression(text, collation) => {
                let columns = self.columns.iter();
                let columns = columns.map(|column| {
                    format!(
                        "{} as {}",
                        self.coming(&column.name),
                        identifier(&column.name)
                    )
                });
                format!(
                    "({text}\n) = (select {text}\n from (select {}) as {table}) collate {}",
                    columns.collect::<Vec<_>>().join(", "),
                    identifier(collation)
                )
            }
        }
    }

    /// What a column will hold: with `or replace`, a null where none may be is its default.
    fn coming(&self, name: &str) -> String {
        let own = identifier(name);
        match self.column(name) {
            Some(Column {
                is_required: true,
                default: Some(default),
                ..
            }) => format!("coalesce(new.{own}, ({default}))"),
            _ => format!("new.{own}"),
        }
    }
}

/// All tables, those that cannot be watched with the reason.
pub(super) fn read(connection: &mut Connection) -> Result<Vec<Definition>, DatabaseError> {
    let mut tables = list(connection)?;
    read_columns(connection, &mut tables)?;
    read_indexes(connection, &mut tables)?;
    read_references(connection, &mut tables)?;
    let mut tables: Vec<Definition> = tables.into_values().collect();
    for table in &mut tables {
        name_rowid(table);
        table.unwatched = match table.unwatched.take() {
            None => why_unwatched(connection, table)?,
            known => known,
        };
    }
    Ok(tables)
}

/// Of a virtual table and what it keeps in tables of its own no trigger can be had.
fn list(connection: &mut Connection) -> Result<BTreeMap<String, Definition>, DatabaseError> {
    let query = format!(
        "select l.name, l.type, l.wr, s.sql from pragma_table_list l
        join sqlite_schema s on s.type = 'table' and s.name = l.name
        where l.schema = 'main' and l.type <> 'view' and l.name not like 'sqlite\\_%' escape '\\'
          and l.name not in ({OWN_TABLES})"
    );
    let rows = connection.rows(TASK, Sql::new(query))?;
    let tables = rows.iter().map(|row| {
        let unwatched = match row.text(1) {
            "virtual" => Some("a virtual table".to_owned()),
            "shadow" => Some("of a virtual table".to_owned()),
            _ => None,
        };
        let name = row.text(0).to_owned();
        let definition = Definition {
            name: name.clone(),
            rowid: (!row.is(2)).then(String::new),
            is_counted: !row.is(2) && has_word(row.text(3), "autoincrement"),
            unwatched,
            is_shadow: row.text(1) == "shadow",
            ..Definition::default()
        };
        (name, definition)
    });
    Ok(tables.collect())
}

fn has_word(sql: &str, word: &str) -> bool {
    sql.to_ascii_lowercase().contains(word)
}

fn read_columns(
    connection: &mut Connection,
    tables: &mut BTreeMap<String, Definition>,
) -> Result<(), DatabaseError> {
    let query = "select l.name, x.name, x.type, x.\"notnull\", x.dflt_value, x.pk, x.hidden
        from pragma_table_list l join pragma_table_xinfo(l.name) x
        where l.schema = 'main' and l.type <> 'view' order by l.name, x.cid";
    let mut keys: BTreeMap<String, BTreeMap<i64, String>> = BTreeMap::new();
    for row in connection.rows(TASK, Sql::new(query))? {
        let Some(table) = tables.get_mut(row.text(0)) else {
            continue;
        };
        // What is computed whenever it is read is not kept, and could fail.
        if row.integer(6) == 0 || row.integer(6) == 3 {
            table.columns.push(column(&row));
        }
        if row.is(5) {
            let key = keys.entry(table.name.clone()).or_default();
            key.insert(row.integer(5), row.text(1).to_owned());
        }
    }
    for (name, key) in keys {
        if let Some(table) = tables.get_mut(&name) {
            let key = key.into_values();
            table.key = key.map(|column| (column, "binary".to_owned())).collect();
            table.has_alias = table.rowid.is_some() && is_integer(table);
        }
    }
    Ok(())
}

fn column(row: &Row) -> Column {
    Column {
        name: row.text(1).to_owned(),
        declared: row.text(2).to_owned(),
        is_generated: row.integer(6) == 3,
        is_required: row.is(3),
        default: row.value(4).text().map(str::to_owned),
    }
}

fn is_integer(table: &Definition) -> bool {
    let [(name, _)] = table.key.as_slice() else {
        return false;
    };
    let column = table.column(name);
    column.is_some_and(|column| column.declared.eq_ignore_ascii_case("integer"))
}

/// A key that has an index of its own is no other name for the row's number.
fn read_indexes(
    connection: &mut Connection,
    tables: &mut BTreeMap<String, Definition>,
) -> Result<(), DatabaseError> {
    let query = "select l.name, i.name, i.origin, x.seqno, x.cid, x.name, x.coll, s.sql
        from pragma_table_list l join pragma_index_list(l.name) i join pragma_index_xinfo(i.name) x
          left join sqlite_schema s on s.type = 'index' and s.name = i.name
        where l.schema = 'main' and i.\"unique\" and x.key order by l.name, i.seq, x.seqno";
    let rows = connection.rows(TASK, Sql::new(query))?;
    for index in rows.chunk_by(|a, b| a.text(1) == b.text(1) && a.text(0) == b.text(0)) {
        let Some(table) = index.first().and_then(|row| tables.get_mut(row.text(0))) else {
            continue;
        };
        if index.first().is_some_and(|row| row.text(2) == "pk") {
            table.has_alias = false;
            let key = index.iter();
            table.key = key
                .map(|row| (row.text(5).to_owned(), row.text(6).to_owned()))
                .collect();
        }
        table.uniques.push(unique(index));
    }
    Ok(())
}

fn unique(index: &[Row]) -> Unique {
    let sql = index.first().map_or("", |row| row.text(7));
    let parts = index::parts(sql);
    let terms = index.iter().map(|row| {
        let collation = match row.text(6) {
            "" => "binary",
            collation => collation,
        };
        match parts
            .terms
            .get(usize::try_from(row.integer(3)).unwrap_or(usize::MAX))
        {
            Some(text) if row.integer(4) == -2 => {
                Term::Expression((*text).to_owned(), collation.to_owned())
            }
            _ => Term::Column(row.text(5).to_owned(), collation.to_owned()),
        }
    });
    Unique {
        terms: terms.collect(),
        condition: parts.condition.map(str::to_owned),
    }
}

fn read_references(
    connection: &mut Connection,
    tables: &mut BTreeMap<String, Definition>,
) -> Result<(), DatabaseError> {
    let query = "select l.name, f.id, f.\"table\", f.\"from\", f.\"to\", f.seq
        from pragma_table_list l join pragma_foreign_key_list(l.name) f
        where l.schema = 'main' order by l.name, f.id, f.seq";
    let rows = connection.rows(TASK, Sql::new(query))?;
    for reference in rows.chunk_by(|a, b| a.text(0) == b.text(0) && a.integer(1) == b.integer(1)) {
        let Some(first) = reference.first() else {
            continue;
        };
        let mut names = tables.keys();
        let parent = names.find(|name| name.eq_ignore_ascii_case(first.text(2)));
        let Some(parent) = parent.and_then(|name| tables.get(name)) else {
            continue;
        };
        let columns = reference.iter().enumerate().filter_map(|(place, row)| {
            let key = || parent.key.get(place).map(|(name, _)| name.clone());
            let to = row.value(4).text().map(str::to_owned).or_else(key)?;
            Some((row.text(3).to_owned(), to))
        });
        let foreign = Foreign {
            parent: parent.name.clone(),
            columns: columns.collect(),
        };
        if let Some(table) = tables.get_mut(first.text(0)) {
            table.parents.push(foreign);
        }
    }
    Ok(())
}

/// Finds a name for the number of a row that none of the columns has.
fn name_rowid(table: &mut Definition) {
    if table.rowid.is_none() {
        return;
    }
    let is_free = |name: &&str| table.place(name).is_none();
    let free = ["rowid", "oid", "_rowid_"].into_iter().find(is_free);
    let alias = table.key.first().filter(|_| table.has_alias);
    table.rowid = free
        .map(str::to_owned)
        .or_else(|| alias.map(|(name, _)| identifier(name)));
    if table.rowid.is_none() {
        table.unwatched = Some("its columns have all names of the number of a row".to_owned());
        table.rowid = Some(String::new());
    }
}

/// What the tool cannot write it cannot restore: a table that needs functions or collations of which only the service knows.
/// With the triggers on it this also says whether they can fail.
pub(super) fn why_unwatched(
    connection: &mut Connection,
    table: &Definition,
) -> Result<Option<String>, DatabaseError> {
    if table.columns.len() > COLUMNS {
        return Ok(Some(format!("it has more than {COLUMNS} columns")));
    }
    if ["old", "new"]
        .iter()
        .any(|name| table.name.eq_ignore_ascii_case(name))
    {
        return Ok(Some("in a trigger its name means a row".to_owned()));
    }
    let sql = table.sql();
    let columns = table.columns.iter().filter(|column| !column.is_generated);
    let columns: Vec<String> = columns.map(|column| identifier(&column.name)).collect();
    let (names, nulls) = (columns.join(", "), vec!["null"; columns.len()].join(", "));
    let changes: Vec<String> = columns
        .iter()
        .map(|name| format!("{name} = null"))
        .collect();
    let tries = [
        format!("explain insert into {sql} ({names}) values ({nulls})"),
        format!("explain update {sql} set {}", changes.join(", ")),
        format!("explain delete from {sql}"),
    ];
    for one in tries {
        // Never kept by the connection: what explains a statement must not outlive the schema that it was made for.
        match connection.batch(TASK, &one) {
            Err(error) if super::connection::is_busy(&error) => return Err(error),
            Err(error) => {
                let reason = super::connection::reason(&error);
                return Ok(Some(format!(
                    "only the service itself can write to it: {reason}"
                )));
            }
            Ok(()) => {}
        }
    }
    Ok(None)
}

/// The triggers of a table that are not the tool's, as their statements, in the order in which they were made.
pub(super) fn triggers(
    connection: &mut Connection,
    table: &str,
) -> Result<Vec<(String, String)>, DatabaseError> {
    let query =
        Sql::new("select name, sql from sqlite_schema where type = 'trigger' and tbl_name = ")
            .text(table)
            .sql(format!(
                " collate nocase and not {OWN_TRIGGER} order by rowid"
            ));
    let rows = connection.rows(TASK, query)?;
    let texts = rows.iter();
    Ok(texts
        .map(|row| (row.text(0).to_owned(), row.text(1).to_owned()))
        .collect())
}

/// The number of the state that the tables are in.
pub(super) fn version(connection: &mut Connection) -> Result<i64, DatabaseError> {
    connection.number(TASK, Sql::new("pragma schema_version"))
}

/// The value that a constant is. Nothing that calls a function.
pub(super) fn constant(connection: &mut Connection, text: &str) -> Option<Value> {
    let is_text = text.starts_with('\'') && text.ends_with('\'');
    let is_number = !text.is_empty() && text.parse::<f64>().is_ok();
    let is_word = ["true", "false"]
        .iter()
        .any(|word| text.eq_ignore_ascii_case(word));
    if !is_text && !is_number && !is_word {
        return None;
    }
    let value = connection.one(TASK, Sql::new(format!("select {text}")));
    value.ok()
}
