//! Triggers of the service that keep virtual tables, such as indexes of texts, as their own tables are.

use super::connection::{Connection, Sql};
use crate::error::DatabaseError;

/// The names of the virtual tables, such as indexes of texts, in small letters.
pub(super) fn virtual_ones(connection: &mut Connection) -> Result<Vec<String>, DatabaseError> {
    let query = "select lower(name) from sqlite_schema where type = 'table' and sql like 'create virtual table%'";
    let rows = connection.rows("read the catalog", Sql::new(query))?;
    Ok(rows.iter().map(|row| row.text(0).to_owned()).collect())
}

/// Whether a trigger does nothing but keep virtual tables as its own table is. Nobody logs what it writes there, so that it has
/// to see what is undone as well.
pub(super) fn follows(trigger: &str, virtual_ones: &[String]) -> bool {
    let text = trigger.to_lowercase();
    let words: Vec<&str> = text
        .split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty())
        .collect();
    let Some(begin) = words.iter().position(|word| *word == "begin") else {
        return false;
    };
    let body = words.get(begin..).unwrap_or_default();
    let written: Vec<&str> = body
        .windows(2)
        .filter_map(|pair| match pair {
            ["into" | "update", table] => Some(*table),
            _ => None,
        })
        .chain(body.windows(3).filter_map(|words| match words {
            ["delete", "from", table] => Some(*table),
            _ => None,
        }))
        .collect();
    !written.is_empty()
        && written
            .iter()
            .all(|table| virtual_ones.iter().any(|one| one == table))
}

#[cfg(test)]
mod tests {
    use super::follows;

    #[test]
    fn a_trigger_that_writes_virtual_tables_alone_follows_its_table() {
        let of = ["found".to_owned()];
        let trigger =
            |body: &str| format!("create trigger n after update on note begin {body}; end");
        assert!(follows(
            &trigger(
                "insert into found(found, rowid) values ('delete', old.id); insert into found(rowid) values (new.id)"
            ),
            &of
        ));
        assert!(follows(
            &trigger("delete from \"found\" where rowid = old.id"),
            &of
        ));
        assert!(!follows(
            &trigger("insert into found values (1); update note set n = 1"),
            &of
        ));
        assert!(!follows(&trigger("insert into audit values (1)"), &of));
        assert!(!follows(&trigger("select 1"), &of));
    }
}
