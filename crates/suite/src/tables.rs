//! Names of tables: `orders`, or `billing:orders` of the further database `billing`.

/// What stands between the name of a database and that of a table.
pub const SEPARATOR: char = ':';

/// The name of a database and that of a table in it, where a table is named so.
#[must_use]
pub fn parts(table: &str) -> Option<(&str, &str)> {
    table.split_once(SEPARATOR)
}
