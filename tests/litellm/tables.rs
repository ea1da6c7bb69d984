//! The gateway's tables as it names them in Rust, beside those that its migrations make.

use std::collections::HashSet;

use diesel::QueryableByName;
use diesel::sql_types::Text;
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};

use crate::support::{database, root};

#[derive(QueryableByName)]
struct Column {
    #[diesel(sql_type = Text)]
    column: String,
}

/// Every column of the service's tables, such as `LiteLLM_UserTable.user_role: text null`.
async fn made() -> HashSet<String> {
    let query = "select format('%s.%s: %s', table_name, column_name, udt_name)
            || case is_nullable when 'YES' then ' null' else '' end as column
        from information_schema.columns where table_schema = 'public'";
    let url = database().await;
    let mut connection = AsyncPgConnection::establish(&url).await.unwrap();
    let columns: Vec<Column> = diesel::sql_query(query)
        .load(&mut connection)
        .await
        .unwrap();
    columns.into_iter().map(|row| row.column).collect()
}

fn source(file: &str) -> String {
    std::fs::read_to_string(root().join("gateway/src").join(file)).unwrap()
}

/// The lines `NAME SEPARATOR TYPE,` between the start of a table and the next brace that closes.
fn columns<'a>(block: &'a str, separator: &str) -> impl Iterator<Item = (&'a str, &'a str)> {
    let lines = block.lines().take_while(|line| line.trim() != "}");
    lines.filter_map(move |line| {
        let (name, kind) = line.trim().strip_suffix(',')?.split_once(separator)?;
        Some((name.trim_start_matches("pub(crate) "), kind))
    })
}

/// A type as PostgreSQL calls it, and whether it has nulls.
fn kind(of: &str) -> String {
    let inner = ["Nullable<", "Option<"].iter().find_map(|wrapper| {
        let inner = of.strip_prefix(wrapper)?;
        inner.strip_suffix('>')
    });
    if let Some(inner) = inner {
        return format!("{} null", kind(inner));
    }
    let name = match of {
        "Texts" => "_text null",
        "Array<Nullable<Text>>" => "_text",
        "String" => "text",
        "f64" => "float8",
        "i32" => "int4",
        "i64" => "int8",
        "Value" => "jsonb",
        "NaiveDateTime" => "timestamp",
        other => return other.to_lowercase(),
    };
    name.into()
}

#[tokio::test]
async fn every_column_of_the_schema_is_one_of_the_tables() {
    let (made, schema) = (made().await, source("schema.rs"));
    let tables = schema.split("diesel::table! {").skip(1);
    let mut count = 0;
    for table in tables {
        let (name, block) = table.trim().split_once(" (").unwrap();
        for (column, of) in columns(block, " -> ") {
            let column = format!("{name}.{column}: {}", kind(of));
            assert!(made.contains(&column), "{column}");
            count += 1;
        }
    }
    assert!(count > 40, "{count}");
}

#[tokio::test]
async fn every_field_of_a_wide_row_is_a_column() {
    let (made, rows) = (made().await, source("rows.rs"));
    let structs = rows.split("\nrow! {\n    in ").skip(1);
    let mut count = 0;
    for row in structs {
        let (table, block) = row.split_once(';').unwrap();
        for (column, of) in columns(block, ": ") {
            let column = format!("{table}.{column}: {}", kind(of));
            assert!(made.contains(&column), "{column}");
            count += 1;
        }
    }
    assert!(count > 80, "{count}");
}

#[tokio::test]
async fn every_change_is_of_a_column_that_can_hold_it() {
    let (made, rows) = (made().await, source("rows.rs"));
    let (table, block) = rows
        .split_once("\nchanges! {\n    in ")
        .and_then(|(_, rest)| rest.split_once(';'))
        .unwrap();
    let mut count = 0;
    for (column, of) in columns(block, ": ") {
        let change = kind(
            of.strip_prefix("Option<")
                .unwrap()
                .strip_suffix('>')
                .unwrap(),
        );
        let column = format!("{table}.{column}: {change}");
        // A change can be one to a value where the column has nulls as well.
        let fits = [column.clone(), format!("{column} null")];
        assert!(fits.iter().any(|column| made.contains(column)), "{column}");
        count += 1;
    }
    assert!(count > 20, "{count}");
}
