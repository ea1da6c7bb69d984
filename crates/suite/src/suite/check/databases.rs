//! Whether the further databases have names that can be used, and every table is of one that there is.

use serde_json::Value as Json;

use super::{Checker, keys};
use crate::diagnostic::{did_you_mean, quoted};
use crate::tables::parts;
use crate::yaml::NodePath;

impl Checker<'_> {
    /// The names of databases, and the tables that suite.yaml names.
    pub(super) fn databases(&mut self) {
        let path = NodePath::from(["service", "databases"]);
        for name in self
            .keys_at(&path)
            .into_iter()
            .filter(|name| !is_name(name))
        {
            let message = format!("{} is no name of a database", quoted(&name));
            let help = "a name is a small letter, and then small letters, digits or `_`: it stands in `NAME=URL`, in `NAME:table` and, in capitals, in names of variables";
            self.at_key(&path.join(name.as_str()), message, Some(help.to_owned()));
        }
        for path in [["background", "tables"], ["background", "columns"]] {
            self.texts(&NodePath::from(path));
        }
        let maps = [
            NodePath::from(["background", "unmarked"]),
            NodePath::from(["unstable_columns"]),
        ];
        for path in maps {
            for table in self.keys_at(&path) {
                if let Some((name, known)) = self.unknown_database(&table) {
                    let help = did_you_mean(&name, known.iter().map(String::as_str));
                    let message = format!("unknown database `{name}`");
                    self.at_key(&path.join(table.as_str()), message, help);
                }
            }
        }
    }

    /// The tables of a kind's rows.
    pub(super) fn tables_of_rows(&mut self, path: &NodePath) {
        for row in self.items(path) {
            self.table(&row.join("table"));
        }
    }

    /// Tables and columns in a list, or in lists of a list.
    fn texts(&mut self, path: &NodePath) {
        for item in self.items(path) {
            self.table(&item);
            self.texts(&item);
        }
    }

    fn table(&mut self, path: &NodePath) {
        let unknown = self.text(path);
        let unknown = unknown.and_then(|table| self.unknown_database(&table));
        if let Some((name, known)) = unknown {
            self.unknown(path, "database", &name, &known);
        }
    }

    /// The database that a table is named to be of, if there is none of that name, and those that there are. Where there are
    /// none at all, a table can be called so itself.
    fn unknown_database(&self, table: &str) -> Option<(String, Vec<String>)> {
        let (name, _) = parts(table)?;
        let known = self.declared.databases.as_ref()?;
        let is_unknown = !known.is_empty() && is_name(name) && !known.contains(name);
        is_unknown.then(|| (name.to_owned(), known.iter().cloned().collect()))
    }

    fn keys_at(&self, path: &NodePath) -> Vec<String> {
        keys(self.get(path).and_then(Json::as_object))
    }
}

fn is_name(name: &str) -> bool {
    let is_of_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    name.starts_with(|c: char| c.is_ascii_lowercase()) && name.chars().all(is_of_name)
}
